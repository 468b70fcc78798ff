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

/// What a person mistypes in a secret, and how line editors take it back.
const CORRECTIONS: &[&str] = &[
    "q\x08",
    "q\x08\x1b[K",
    "q\x08 \x08",
    "qq\x08\x08  \x08\x08",
    "q\x1b[D\x1b[K",
    "/\x08\x1b[K",
    "qz\x1b[2D\x1b[J",
    "q\x08\x1b[P",
    "qz\x08\x1b[P\x08\x1b[1P",
    "\x1b[31mq\x08\x1b[m",
];

#[test]
fn a_secret_that_was_corrected_is_hidden_with_the_letters_that_were_wrong() {
    for (index, (rule, recipe)) in TOKENS.iter().enumerate() {
        let secret = Lot::new(index as u64 + 41).cook(recipe);
        for correction in CORRECTIONS {
            for at in [1, secret.len() / 2, secret.len() - 1] {
                let (before, after) = secret.split_at(at);
                let text = format!("$ # {before}{correction}{after}\r\nnext\r\n");
                let shown = redacted(&text);
                let named = format!("[REDACTED:{rule}]");
                assert!(shown.contains(&named), "{correction:?} {secret} {shown:?}");
                let longer = if at * 2 > secret.len() { before } else { after };
                for shown in [&shown, &masked(&text)] {
                    let end = &longer[longer.len() / 2..];
                    assert!(!shown.contains(end), "{correction:?} {secret} {shown:?}");
                    let letters = shown.replace(&named, "");
                    // What was mistyped behind the end is no part of it.
                    let is_inside = at + 1 < secret.len();
                    assert!(
                        !is_inside || !letters.contains('q'),
                        "{correction:?} {secret} {shown:?}"
                    );
                    assert!(shown.ends_with("\r\nnext\r\n"), "{shown:?}");
                }
            }
        }
    }
}

#[test]
fn a_password_that_was_corrected_is_hidden() {
    for text in [
        "PASSWORD=hunterr\x08\x1b[K22x\r\n",
        "PASSWORF\x08D=hunter22x\r\n",
        "PASSWORD=hunxer22x\x1b[6Dt\x1b[5C\r\n",
    ] {
        let shown = redacted(text);
        assert!(shown.contains("[REDACTED:password]"), "{text:?} {shown:?}");
        assert!(!shown.contains("22x"), "{text:?} {shown:?}");
    }
}

#[test]
fn corrected_words_without_a_secret_stay() {
    for correction in CORRECTIONS {
        let text = format!("wo{correction}rds by wo{correction}rds and a pass{correction}word\r\n");
        assert_eq!(redacted(&text), text);
    }
}
