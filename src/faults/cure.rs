//! Which later command was the cure of a failure. A wrong cure is worse than none, so whatever is
//! doubtful is none.

mod mend;

use super::classify::Cause;
use super::command;
use mend::mends;

/// How many attempts after the failure are looked at.
const LOOK_AHEAD: usize = 5;
/// How long after the failure a cure may start, in milliseconds: ten minutes.
pub const WITHIN_MS: i64 = 10 * 60 * 1000;
/// The least similarity of a cure to what failed, in thousandths.
const SIMILARITY_MIN: u32 = 700;

/// Classes whose cure is an edit, a wait or a matter of the machine, and not another command line.
const CURED_ELSEWHERE: &[&str] = &[
    "compile-error",
    "test-failure",
    "lint",
    "link-error",
    "rust-panic",
    "go-panic",
    "exception",
    "segfault",
    "oom",
    "killed",
    "disk-full",
    "fd-limit",
    "network-dns",
    "network-refused",
    "rate-limit",
    "http-error",
    "git-conflict",
    "git-dirty",
    "git-nothing",
    "file-lock",
    "timeout",
    "missing-system-lib",
    "missing-python-module",
    "missing-node-module",
    "dep-resolution",
    "make-target",
    "unset-variable",
    "db",
    "container",
    "false-success",
    "unknown",
];

/// Classes of failures that depend on where a command runs.
const OF_PLACE: &[&str] = &["git-not-repo", "no-such-file", "missing-npm-script"];

/// A command that was run: what choosing a cure looks at.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// What was executed, argument by argument.
    pub argv: &'a [String],
    /// What was typed, where a shell ran it.
    pub shell_line: Option<&'a str>,
    /// The directory it ran in.
    pub directory: &'a str,
    /// Who ran it: an agent's conversation, or its name where that is unknown.
    pub caller: &'a str,
    /// When it started, in milliseconds since 1970.
    pub started_ms: i64,
    /// Whether it is known to have succeeded.
    pub has_succeeded: bool,
}

/// The cure of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cure {
    /// Which of the later attempts it was.
    pub index: usize,
    /// How similar it is to what failed, in thousandths: a half for the same program and the same
    /// subcommand, the other half for the share of words that both have.
    pub similarity: u32,
    /// What is different.
    pub change: Change,
}

/// What a cure changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Words of the command.
    Words,
    /// The directory alone.
    Directory,
}

/// Whether another command line may cure this kind of failure at all.
#[must_use]
pub fn may_have_cure(class: &str) -> bool {
    !CURED_ELSEWHERE.contains(&class)
}

/// The next similar command of the same caller that succeeded, if there is one that can be trusted
/// to have done what failed before. `later` has all commands after the failure, in order.
#[must_use]
pub fn find_cure<'a>(
    failed: &Attempt<'a>,
    cause: &Cause,
    later: impl IntoIterator<Item = Attempt<'a>>,
) -> Option<Cure> {
    if !may_have_cure(&cause.class) {
        return None;
    }
    let before = words(failed)?;
    let own = later
        .into_iter()
        .enumerate()
        .filter(|(_, attempt)| attempt.caller == failed.caller)
        .take_while(|(_, attempt)| {
            let after_ms = attempt.started_ms.saturating_sub(failed.started_ms);
            (0..=WITHIN_MS).contains(&after_ms)
        })
        .take(LOOK_AHEAD);
    for (index, attempt) in own {
        let Some(after) = words(&attempt).filter(|_| attempt.has_succeeded) else {
            continue;
        };
        if after == before {
            // The very same command works: either the place was wrong, or something else helped,
            // and whatever comes later is no cure of this.
            let moved = attempt.directory != failed.directory;
            let is_cure = moved && OF_PLACE.contains(&cause.class.as_str());
            return is_cure.then_some(Cure {
                index,
                similarity: 1000,
                change: Change::Directory,
            });
        }
        let similarity = similarity(&before, &after);
        let is_similar = similarity >= SIMILARITY_MIN
            || (similarity >= 500 && completes(cause, &before, &after));
        if is_similar && mends(cause, &before, &after) {
            return Some(Cure {
                index,
                similarity,
                change: Change::Words,
            });
        }
    }
    None
}

/// The words of what a run is about, of a line with one subject only.
fn words(attempt: &Attempt<'_>) -> Option<Vec<String>> {
    let parts = command::parts(attempt.argv, attempt.shell_line);
    let subject = command::subject(&parts);
    // Of a line with several commands nobody knows which one failed or helped.
    let is_subject = |words: &[String]| !command::is_preparing(words) && words != subject;
    let others = parts
        .iter()
        .any(|part| is_subject(&part.words) && !command::is_filter(&part.words));
    let words = subject.iter().filter(|word| !word.contains(['<', '>']));
    (!others && !subject.is_empty()).then(|| words.cloned().collect())
}

/// How similar two commands are, in thousandths.
fn similarity(one: &[String], other: &[String]) -> u32 {
    let programs = (command::program(one), command::program(other));
    let subcommands = if programs.0 == programs.1 {
        (command::subcommand(one), command::subcommand(other))
    } else if is_misspelling(programs.0, programs.1) || is_misspelt_name(one, other) {
        // Of a program that doesn't exist, nobody knows whether it has any.
        (None, None)
    } else {
        return 0;
    };
    let is_same = match subcommands {
        (Some(one), Some(other)) => one == other || is_misspelling(one, other),
        (one, other) => one == other,
    };
    if !is_same {
        return 0;
    }
    let (one_rest, other_rest) = (rest(one, subcommands.0), rest(other, subcommands.1));
    let shared = one_rest
        .iter()
        .filter(|word| other_rest.iter().any(|other| is_alike(word, other)))
        .count();
    let all = one_rest.len() + other_rest.len() - shared.min(other_rest.len());
    if all == 0 {
        return 1000;
    }
    let share = 500 * shared.min(all) / all;
    500 + u32::try_from(share).unwrap_or_default()
}

/// The words after program and subcommand.
fn rest<'a>(words: &'a [String], subcommand: Option<&str>) -> Vec<&'a str> {
    let mut rest: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
    if let Some(index) = rest.iter().position(|word| Some(*word) == subcommand) {
        rest.remove(index);
    }
    rest
}

/// Whether two words are the same but for a slip.
fn is_alike(one: &str, other: &str) -> bool {
    one == other || is_misspelling(one, other)
}

/// Whether the programs' names are the same but for a slip, versions and all: `pyhton3` and `python3`.
fn is_misspelt_name(one: &[String], other: &[String]) -> bool {
    let names = one.first().zip(other.first());
    names.is_some_and(|(one, other)| is_misspelling(one, other))
}

/// Whether a command has all words of another and names the branch that git asked for.
fn completes(cause: &Cause, before: &[String], after: &[String]) -> bool {
    cause.class == "git-push-rejected"
        && before.iter().all(|word| after.contains(word))
        && after
            .iter()
            .any(|word| word == "-u" || word.starts_with("--set-upstream"))
}

/// Whether two different words are so near that one is a slip of the other. Each part between signs
/// is compared by itself: at most two letters changed, left out, added or swapped, and no more than
/// a third of them, so that `topic-a` is no slip of `topic-b`. Digits are always meant.
#[must_use]
pub fn is_misspelling(one: &str, other: &str) -> bool {
    let is_sign = |found: char| !found.is_alphanumeric();
    let (parts, others) = (one.split(is_sign), other.split(is_sign));
    one != other
        && one.len().max(other.len()) <= 80
        && parts.clone().count() == others.clone().count()
        && parts
            .zip(others)
            .all(|(one, other)| one == other || is_slip(one, other))
}

fn is_slip(one: &str, other: &str) -> bool {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let digits =
        |word: &[char]| -> String { word.iter().filter(|found| found.is_numeric()).collect() };
    let most = 2.min(one.len().max(other.len()) / 3);
    digits(&one) == digits(&other) && distance(&one, &other) <= most
}

/// The number of letters to change, leave out, add, or swap with the next (Damerau's distance, each
/// place edited once).
fn distance(one: &[char], other: &[char]) -> usize {
    let mut rows: Vec<Vec<usize>> = vec![(0..=other.len()).collect()];
    for (line, letter) in one.iter().enumerate() {
        let mut row = vec![line + 1];
        for (column, against) in other.iter().enumerate() {
            let above = &rows[line];
            let mut least = (above[column] + usize::from(letter != against))
                .min(above[column + 1] + 1)
                .min(row[column] + 1);
            if line > 0 && column > 0 && *letter == other[column - 1] && one[line - 1] == *against {
                least = least.min(rows[line - 1][column - 1] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[one.len()][other.len()]
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod slips {
    use super::*;

    #[test]
    fn slips_are_told_from_other_words() {
        for (one, other, wanted) in [
            ("statsu", "status", true),
            ("gti", "git", true),
            ("--relase", "--release", true),
            ("mian", "main", true),
            ("cat", "cut", true),
            ("ls", "cd", false),
            ("-j4", "-j8", false),
            ("topic", "main", false),
            ("same", "same", false),
            ("", "a", false),
            ("a.txt", "b.txt", false),
            ("topic-a", "topic-b", false),
            ("REDME.md", "README.md", true),
        ] {
            assert_eq!(is_misspelling(one, other), wanted, "{one} {other}");
        }
    }
}
