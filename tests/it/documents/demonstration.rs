//! What the README and the tour show of the program is what happens.

use super::{README, TOUR, blocks, repository, run_console, shell};

/// The README's demonstration, in its order, in one repository: each command exits as it says, and prints the
/// lines that are shown and no others, but for when and where it ran.
#[test]
fn the_readmes_demonstration_shows_what_happens() {
    let Some(env) = repository("the_readmes_demonstration_shows_what_happens") else {
        return;
    };
    for line in [
        "git symbolic-ref HEAD refs/heads/main",
        "git -c user.name=n -c user.email=n@example.org commit -q --allow-empty -m one",
    ] {
        let run = shell(&env, line);
        assert_eq!(run.code(), 0, "{line}: {run:?}");
    }
    let ran = run_console(&env, README, |line, printed, shown| {
        assert_eq!(lines(printed), lines(shown), "{line}");
    });
    assert!(ran >= 3, "only {ran} commands were found");
}

/// Lines without what differs from run to run, and without the width of columns.
fn lines(text: &str) -> Vec<String> {
    let line = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().map(without_accidents).collect();
        words.join(" ")
    };
    text.lines().map(line).collect()
}

/// A word, unless it is the number or the name of a session, a commit, a time, a duration or a path.
fn without_accidents(word: &str) -> &str {
    let bare = word.trim_end_matches(',');
    let last = bare.rsplit('-').next().unwrap_or(bare);
    let is_digest =
        [8, 12].contains(&last.len()) && last.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_duration = bare.strip_suffix('s').is_some_and(|number| {
        !number.is_empty()
            && number
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'.')
    });
    let is_time = bare.ends_with('Z') && bare.starts_with(|first: char| first.is_ascii_digit());
    if is_digest || is_duration || is_time || bare.starts_with('/') {
        "…"
    } else {
        word
    }
}

#[test]
fn the_tour_has_every_word() {
    let told = blocks(TOUR, "sh").concat();
    for &word in aido::cli::word::NAMES {
        let is_shown = told.lines().any(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            words.windows(2).any(|pair| pair == ["aido", word])
        });
        assert!(is_shown || word.starts_with('_'), "{word}");
    }
}
