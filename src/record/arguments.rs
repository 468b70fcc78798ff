//! What of a command's arguments is recorded: all of them, but for lines of megabytes, which would make
//! a sidecar that no reader takes.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use super::shell::Command;
use crate::session::quote::shell_line;

/// The most that arguments take in a sidecar. Readers take sidecars of up to 4 MiB.
const RECORDED_MAX_BYTES: usize = 3 * 1024 * 1024;
/// So many characters are kept of a line that is longer.
const BEGINNING_CHARACTERS: usize = 1000;
/// What an element of an array takes besides its text: indentation, quotes, comma, newline.
const ELEMENT_BYTES: usize = 8;

/// The fields of a sidecar that say what was executed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Recorded {
    pub(super) command: String,
    pub(super) argv: Vec<String>,
    pub(super) argv_hex: Option<Vec<Option<String>>>,
    pub(super) shell_line: Option<String>,
}

/// What is recorded of this command.
pub(super) fn recorded(command: &Command) -> Recorded {
    let argv = &command.argv;
    let typed = command.shell_line.as_ref();
    let typed = typed.map(|line| line.to_string_lossy().into_owned());
    let line = typed.clone().unwrap_or_else(|| shell_line(argv));
    let words = argv.iter().map(|word| word.to_string_lossy().into_owned());
    let recorded = Recorded {
        command: line,
        argv: words.collect(),
        argv_hex: argv_hex(argv),
        shell_line: typed,
    };
    if recorded.bytes() <= RECORDED_MAX_BYTES {
        return recorded;
    }
    // A comment, since half a command must not be run by whoever runs recorded lines.
    let letters = recorded.command.chars().take(BEGINNING_CHARACTERS);
    let beginning: String = letters
        .map(|letter| if letter == '\n' { ' ' } else { letter })
        .collect();
    let count = argv.len();
    Recorded {
        command: format!("# too long to be recorded, {count} arguments: {beginning}"),
        argv: Vec::new(),
        argv_hex: None,
        shell_line: None,
    }
}

impl Recorded {
    /// What the fields take as JSON, at most.
    fn bytes(&self) -> usize {
        let hex = self.argv_hex.iter().flatten();
        let hex: usize = hex
            .map(|word| word.as_ref().map_or(0, String::len) + ELEMENT_BYTES)
            .sum();
        let words = self.argv.iter();
        let words: usize = words.map(|word| json_bytes(word) + ELEMENT_BYTES).sum();
        let typed = self.shell_line.as_deref().map_or(0, json_bytes);
        json_bytes(&self.command) + words + hex + typed
    }
}

/// What a text takes as JSON, without its quotes.
fn json_bytes(text: &str) -> usize {
    let escaped = |byte: u8| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' => 2,
        0..=0x1f => 6,
        _ => 1,
    };
    text.bytes().map(escaped).sum()
}

/// The exact bytes of arguments that are no UTF-8.
fn argv_hex(argv: &[OsString]) -> Option<Vec<Option<String>>> {
    let hex = |word: &OsString| match word.to_str() {
        Some(_) => None,
        None => Some(hex::encode(word.as_bytes())),
    };
    let words: Vec<Option<String>> = argv.iter().map(hex).collect();
    words.iter().any(Option::is_some).then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(argv: Vec<OsString>) -> Recorded {
        let shell_line = None;
        recorded(&Command { argv, shell_line })
    }

    #[test]
    fn ordinary_arguments_are_recorded_whole() {
        let words = vec!["rm".into(), "--".into(), "a b".into()];
        let found = of(words);
        assert_eq!(found.command, "rm -- 'a b'");
        assert_eq!(found.argv, ["rm", "--", "a b"]);
        // As many names as a shell's pattern may become, with the usual limits.
        let names = (0..100_000).map(|number| format!("name-{number:05}").into());
        assert_eq!(of(names.collect()).argv.len(), 100_000);
    }

    #[test]
    fn what_no_reader_would_take_leaves_a_comment() {
        for word in [vec![1; 100_000], vec![0xff; 100_000], vec![b'a'; 500_000]] {
            use std::os::unix::ffi::OsStringExt;
            let argv: Vec<OsString> = std::iter::once("a\nb".into())
                .chain((0..8).map(|_| OsString::from_vec(word.clone())))
                .collect();
            let found = of(argv);
            assert!(found.command.starts_with("# ") && !found.command.contains('\n'));
            assert!(found.command.contains("9 arguments"));
            assert!(found.argv.is_empty() && found.argv_hex.is_none());
            assert!(found.bytes() < 10_000);
        }
    }

    #[test]
    fn what_json_takes_is_not_underestimated() {
        for text in ["", "a", "\"\\\u{8}\u{c}\n\t\u{1}\u{7f}\u{80}é", "\u{1f}"] {
            let json = serde_json::to_string(text).unwrap();
            assert!(json_bytes(text) + 2 >= json.len(), "{text:?}");
        }
    }
}
