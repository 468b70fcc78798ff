//! Secrets that something without width splits.

use super::made::{Lot, TOKENS};
use super::{masked, redacted};

/// What a terminal shows nothing of, between any two letters.
const SEAMS: &[&str] = &[
    "\x1b[C\x1b[D",
    "\x1b[2C\x1b[D\x1b[1D",
    "\x08\x1b[C",
    "\x1b[A\x1b[B",
    "\x1b7\x1b[5;5H\x1b8",
    "\x1b[s\x1b[H\x1b[u",
    " \x08",
    "\u{200b}",
    "\u{200c}",
    "\u{200d}",
    "\u{2060}",
    "\u{feff}",
    "\u{ad}",
    "\u{200b}\x1b[1m\u{200e}",
];

#[test]
fn a_token_is_found_whatever_without_width_splits_it() {
    for (index, (rule, recipe)) in TOKENS.iter().enumerate() {
        let secret = Lot::new(index as u64 + 31).cook(recipe);
        for seam in SEAMS {
            for every in [1, 5] {
                let split: String = secret
                    .char_indices()
                    .flat_map(|(at, letter)| {
                        let before = if at % every == 0 && at > 0 { *seam } else { "" };
                        [before.to_owned(), letter.to_string()]
                    })
                    .collect();
                let shown = redacted(&format!("it is {split} here\n"));
                let kept: String = shown.split(seam).collect();
                let named = format!("[REDACTED:{rule}]");
                let kept = kept.replace("\x1b[m", "");
                assert!(
                    kept.starts_with(&format!("it is {named}")),
                    "{seam:?} {kept:?} {secret}"
                );
                let rest = kept.trim_start_matches(&format!("it is {named}"));
                assert!(
                    rest.len() <= " here\n".len() + seam.len(),
                    "{seam:?} {kept:?}"
                );
            }
        }
    }
}

/// Bold as typewriters had it: each letter is written twice, and hidden twice.
#[test]
fn letters_that_are_written_twice_are_hidden_twice() {
    let secret = Lot::new(7).cook(TOKENS[0].1);
    let twice = |letter: char| format!("{letter}\x08{letter}");
    let bold: String = secret.chars().map(twice).collect();
    let back = "\x08".repeat(secret.len());
    for split in [
        bold,
        format!("{secret}{back}{secret}"),
        format!("\x1b[1m{secret}{back}{secret}"),
    ] {
        for shown in [
            redacted(&format!("it is {split} here")),
            masked(&format!("it is {split} here")),
        ] {
            let left: String = shown.chars().filter(|letter| *letter != '\x08').collect();
            let left = left
                .replace("\x1b[1m", "")
                .replace("[REDACTED:github-token]", "");
            let is_clean = left.trim_matches(|letter| "it is here".contains(letter));
            assert!(
                is_clean.bytes().all(|byte| byte == b'*'),
                "{split:?} {shown:?}"
            );
        }
    }
}

#[test]
fn a_name_and_its_value_are_found_too() {
    for seam in SEAMS {
        let text = format!("PASS{seam}WORD=let{seam}meinnow\n");
        let shown = redacted(&text);
        assert!(shown.contains("[REDACTED:password]"), "{text:?} {shown:?}");
        assert!(!shown.contains("meinnow"), "{text:?} {shown:?}");
    }
}

#[test]
fn what_has_no_width_stays_where_nothing_is_secret() {
    for seam in SEAMS {
        let text = format!("ordi{seam}nary words, to{seam}ken by to{seam}ken\n");
        assert_eq!(redacted(&text), text);
        assert_eq!(masked(&text), text);
    }
}
