//! The table of rules, `rules.txt`, and the index of its keywords, made at compile time.
//!
//! Text and index hold no addresses, so a program that starts and looks for no secret doesn't pay for
//! them: nothing is relocated, and no page of them is read.

use super::detect::pair::Kind;
use super::gate::{Gate, Index};
use super::word::{Edge, Target, Word};

/// The table.
pub(super) const TEXT: &str = include_str!("rules.txt");

const COUNT: usize = count(TEXT.as_bytes());
static WORDS: [Word; COUNT] = words(TEXT.as_bytes());
static INDEX: Index<COUNT> = Index::of(&WORDS);

/// The gate for every keyword of the table.
pub(super) fn gate() -> Gate<'static> {
    INDEX.gate(&WORDS)
}

/// A form that needs more than a row of parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Special {
    PrivateKey,
    AnnouncedKey,
    EncodedKey,
    Address,
    DatabaseUser,
    Authorization,
    Bearer,
    Cookie,
    PasswordFile,
    Command,
    HandedOn,
    Code,
    Pair(Kind),
}

/// Special forms as the table calls them.
const SPECIALS: [(&str, Special); 15] = [
    ("@private-key", Special::PrivateKey),
    ("@announced-key", Special::AnnouncedKey),
    ("@encoded-key", Special::EncodedKey),
    ("@address", Special::Address),
    ("@database-user", Special::DatabaseUser),
    ("@authorization", Special::Authorization),
    ("@bearer", Special::Bearer),
    ("@cookie", Special::Cookie),
    ("@password-file", Special::PasswordFile),
    ("@command", Special::Command),
    ("@handed-on", Special::HandedOn),
    ("@code", Special::Code),
    ("@password", Special::Pair(Kind::Password)),
    ("@secret", Special::Pair(Kind::Secret)),
    ("@token", Special::Pair(Kind::Token)),
];

/// The name of the rule whose line begins at this offset.
pub(super) fn name(line: u16) -> &'static str {
    let line = TEXT.get(usize::from(line)..).unwrap_or_default();
    line.split(' ').next().unwrap_or_default()
}

/// The form between two offsets.
pub(super) fn form(from: u16, to: u16) -> &'static str {
    TEXT.get(usize::from(from)..usize::from(to))
        .unwrap_or_default()
}

/// The offset after the end of the line that begins here.
const fn next_line(text: &[u8], mut at: usize) -> usize {
    while at < text.len() && text[at] != b'\n' {
        at += 1;
    }
    at + 1
}

const fn is_rule(text: &[u8], at: usize) -> bool {
    text[at] != b'#' && text[at] != b'\n'
}

/// The offset of a line's first keyword.
const fn first_word(text: &[u8], mut at: usize) -> usize {
    while text[at] != b'|' {
        at += 1;
    }
    at + 2
}

/// How many keywords there are.
const fn count(text: &[u8]) -> usize {
    let (mut line, mut count) = (0, 0);
    while line < text.len() {
        if is_rule(text, line) {
            let mut at = first_word(text, line);
            while text[at] != b'|' {
                count += (text[at] == b' ') as usize;
                at += 1;
            }
        }
        line = next_line(text, line);
    }
    count
}

/// What the keywords of a line stand for. A name of a special form that isn't known is an error at
/// compile time.
const fn target(text: &[u8], line: usize) -> Target {
    let mut from = first_word(text, line);
    while text[from] != b'|' {
        from += 1;
    }
    from += 2;
    if text[from] != b'@' {
        return Target::Form {
            line: line as u16,
            from: from as u16,
            to: (next_line(text, from) - 1) as u16,
        };
    }
    let mut number = 0;
    while !has(text, from, SPECIALS[number].0.as_bytes()) {
        number += 1;
    }
    Target::Special {
        line: line as u16,
        special: SPECIALS[number].1,
    }
}

/// What may stand before a keyword, by the form of its line, of which some byte is at `at`. A form
/// that begins before its keyword, and one of its own, looks itself.
const fn edge(text: &[u8], mut at: usize, word: &Word) -> Edge {
    while text[at] != b'|' {
        at += 1;
    }
    let (first, mut edge) = (text[at + 2], word.natural_edge());
    if first == b'<' || first == b'@' {
        return Edge::Free;
    }
    while text[at] != b'\n' {
        if has(text, at, b" word") {
            edge = Edge::Word;
        } else if has(text, at, b" alone") {
            edge = Edge::Alone;
        } else if has(text, at, b" apart") {
            edge = Edge::Apart;
        }
        at += 1;
    }
    edge
}

/// Whether a word stands here, and ends here.
const fn has(text: &[u8], at: usize, word: &[u8]) -> bool {
    let mut index = 0;
    while index < word.len() {
        if text[at + index] != word[index] {
            return false;
        }
        index += 1;
    }
    text[at + index] == b' ' || text[at + index] == b'\n'
}

const fn words<const N: usize>(text: &[u8]) -> [Word; N] {
    let mut words = [Word::EMPTY; N];
    let (mut line, mut count) = (0, 0);
    while line < text.len() {
        if is_rule(text, line) {
            let mut at = first_word(text, line);
            while text[at] != b'|' {
                let mut word = Word::EMPTY;
                word.target = target(text, line);
                while text[at] != b' ' {
                    if text[at] == b'~' && word.is_empty() {
                        word.is_folded = true;
                    } else if text[at] == b'\\' {
                        at += 1;
                        word.push(b' ');
                    } else {
                        word.push(text[at]);
                    }
                    at += 1;
                }
                word.edge = edge(text, at, &word);
                words[count] = word;
                count += 1;
                at += 1;
            }
        }
        line = next_line(text, line);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::rule::Form;
    use std::collections::BTreeSet;

    fn lines() -> Vec<&'static str> {
        let lines = TEXT.lines();
        lines
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .collect()
    }

    #[test]
    fn every_keyword_of_the_table_is_in_the_index_with_its_line() {
        let (mut seen, mut names) = (BTreeSet::new(), BTreeSet::new());
        for word in &WORDS {
            let text = String::from_utf8(word.text().to_vec()).unwrap();
            assert!(text.len() >= 3, "{text:?}");
            let (start, is_read) = match word.target {
                Target::Form { line, from, to } => (line, Form::read(form(from, to)).is_some()),
                Target::Special { line, .. } => (line, true),
                _ => panic!("{text:?}"),
            };
            let line = TEXT[usize::from(start)..].lines().next().unwrap();
            assert!(is_read, "{line}");
            assert!(line.contains(&text.replace(' ', "\\s")), "{text:?}: {line}");
            assert!(seen.insert((start, text)), "twice in {line}");
            names.insert(name(start));
        }
        let written = |line: &str| line.split('|').nth(1).unwrap().split_whitespace().count();
        assert_eq!(lines().into_iter().map(written).sum::<usize>(), WORDS.len());
        assert!(names.len() > 150, "{} names", names.len());
        let is_plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        assert!(names.iter().all(|name| name.bytes().all(is_plain)));
    }
}
