//! The command as one line that a POSIX shell parses back to the very same arguments.

use std::ffi::{OsStr, OsString};
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;

/// Words that a shell takes for its own where a command's name stands (POSIX.1-2024, 2.4; and
/// those that bash and zsh add).
const RESERVED: &[&str] = &[
    "!",
    "{",
    "}",
    "case",
    "do",
    "done",
    "elif",
    "else",
    "esac",
    "fi",
    "for",
    "if",
    "in",
    "then",
    "until",
    "while",
    "[[",
    "]]",
    "function",
    "select",
    "time",
    "coproc",
    "namespace",
    "repeat",
    "foreach",
    "end",
    "nocorrect",
    "noglob",
    "always",
];

/// The beginning of a shell line that was cut somewhere, without the word that was cut: half a word can
/// be anything. Of a line in quotes that a shell is given with `-c`, what is whole of that one is kept.
#[must_use]
pub fn whole_words(line: &str) -> &str {
    let bytes = line.as_bytes();
    let (mut start, mut before, mut quote, mut at) = (0, 0..0, None, 0);
    while let Some(byte) = bytes.get(at) {
        match (quote, *byte) {
            (Some(b'\''), b'\'') | (Some(b'"'), b'"') => quote = None,
            (None, b'\'' | b'"') => quote = Some(*byte),
            (None | Some(b'"'), b'\\') => at += 1,
            (None, byte) if byte.is_ascii_whitespace() => {
                if start < at {
                    before = start..at;
                }
                start = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    let is_line = is_line_option(&line[before]);
    let (Some(quote), true) = (
        quote.filter(|quote| bytes.get(start) == Some(quote)),
        is_line,
    ) else {
        return &line[..start];
    };
    let inner = &line[start + 1..];
    // In double quotes, the inner line's own are escaped. Where one of them is open, it is cut before.
    let escaped: Vec<usize> = inner.match_indices("\\\"").map(|(at, _)| at).collect();
    let inner = match (quote, escaped.last()) {
        (b'"', Some(last)) if escaped.len() % 2 == 1 => &inner[..*last],
        _ => inner,
    };
    &line[..start + 1 + whole_words(inner).len()]
}

/// Whether an option is one with which shells take a line: `-c`, `-lc`.
fn is_line_option(word: &str) -> bool {
    let letters = word
        .strip_prefix('-')
        .and_then(|word| word.strip_suffix('c'));
    letters.is_some_and(|letters| letters.bytes().all(|byte| byte.is_ascii_lowercase()))
}

/// Joins arguments to one shell line; quotes only where a shell would read something else.
#[must_use]
pub fn shell_line(argv: &[OsString]) -> String {
    let mut line = String::new();
    for (index, argument) in argv.iter().enumerate() {
        if index > 0 {
            line.push(' ');
        }
        push_word(&mut line, argument, index == 0);
    }
    line
}

/// The same for bash, in letters, digits and signs of ASCII alone: what a terminal would act on, or not show, is
/// written by its number, so the line can be printed as it is and still means the very same bytes.
#[must_use]
pub fn printable_line(argv: &[OsString]) -> String {
    let mut line = String::new();
    for (index, argument) in argv.iter().enumerate() {
        if index > 0 {
            line.push(' ');
        }
        let bytes = argument.as_bytes();
        if bytes.iter().all(|byte| matches!(byte, b' '..=b'~')) {
            push_word(&mut line, argument, index == 0);
            continue;
        }
        line.push_str("$'");
        for byte in bytes {
            match byte {
                b'\'' | b'\\' => line.extend(['\\', char::from(*byte)]),
                b'\n' => line.push_str("\\n"),
                b' '..=b'~' => line.push(char::from(*byte)),
                // Three digits always, so that none that follows is taken for one of them.
                // Writing to a String cannot fail.
                _ => {
                    let _ = write!(line, "\\{byte:03o}");
                }
            }
        }
        line.push('\'');
    }
    line
}

fn push_word(line: &mut String, argument: &OsStr, is_command_name: bool) {
    let Some(text) = argument.to_str().filter(|text| !text.contains('\0')) else {
        push_bytes(line, argument.as_bytes());
        return;
    };
    let plain = !text.is_empty()
        && text.bytes().all(is_plain)
        && !(is_command_name && (text.contains('=') || RESERVED.contains(&text)));
    if plain {
        line.push_str(text);
    } else {
        push_quoted(line, text);
    }
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-./:=@%,+".contains(&byte)
}

fn push_quoted(line: &mut String, text: &str) {
    line.push('\'');
    line.push_str(&text.replace('\'', "'\\''"));
    line.push('\'');
}

/// Writes bytes that are no UTF-8 through printf(1), which is the one portable way.
///
/// A command substitution drops trailing newlines, so those follow in quotes.
fn push_bytes(line: &mut String, bytes: &[u8]) {
    let end = bytes
        .iter()
        .rposition(|byte| *byte != b'\n')
        .map_or(0, |last| last + 1);
    line.push_str("\"$(printf '");
    for byte in &bytes[..end] {
        // A percent sign is a directive to printf, and a leading dash an option.
        if is_plain(*byte) && !matches!(byte, b'%' | b'-') {
            line.push(char::from(*byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(line, "\\{byte:03o}");
        }
    }
    line.push_str("')\"");
    if end < bytes.len() {
        push_quoted(line, &"\n".repeat(bytes.len() - end));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::os::unix::ffi::OsStringExt;
    use std::process::Command;

    #[test]
    fn quotes_only_where_needed() {
        for (argv, line) in [
            (&["git", "status"][..], "git status"),
            (&["grep", "a b", "x"][..], "grep 'a b' x"),
            (&["echo", ""][..], "echo ''"),
            (&["echo", "it's"][..], "echo 'it'\\''s'"),
            (&["A=b", "A=b"][..], "'A=b' A=b"),
            (&["if", "if"][..], "'if' if"),
            (&["ls", "~", "*"][..], "ls '~' '*'"),
        ] {
            let argv: Vec<OsString> = argv.iter().map(OsString::from).collect();
            assert_eq!(shell_line(&argv), line);
        }
    }

    #[test]
    fn bytes_that_are_no_utf8_go_through_printf() {
        for (bytes, line) in [
            (&b"\xff"[..], "\"$(printf '\\377')\""),
            (b"-\x80%", "\"$(printf '\\055\\200\\045')\""),
            (b"\xff\n", "\"$(printf '\\377')\"'\n'"),
        ] {
            assert_eq!(shell_line(&[OsString::from_vec(bytes.to_vec())]), line);
        }
    }

    #[test]
    fn what_a_terminal_would_act_on_is_written_by_its_number() {
        for (argv, line) in [
            (&[&b"echo"[..], b"a b", b"~"][..], "echo 'a b' '~'"),
            (&[b"echo", b"a\nb"], "echo $'a\\nb'"),
            (
                &[b"echo", b"\x1b[1m it's \\"],
                "echo $'\\033[1m it\\'s \\\\'",
            ),
            // Before the command's name a variable would be set.
            (&[b"A=b", b"A=b"], "'A=b' A=b"),
            // A digit that follows is none of the number.
            (&[b"\t1", "é".as_bytes()], "$'\\0111' $'\\303\\251'"),
        ] {
            let argv: Vec<OsString> = argv
                .iter()
                .map(|bytes| OsString::from_vec(bytes.to_vec()))
                .collect();
            assert_eq!(printable_line(&argv), line);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn a_shell_parses_the_line_back_to_the_same_arguments(
            arguments in prop::collection::vec(prop::collection::vec(1u8..=255, 0..12), 1..5)
        ) {
            let mut argv = vec![OsString::from("printf"), OsString::from("%s\\0")];
            argv.extend(arguments.iter().map(|bytes| OsString::from_vec(bytes.clone())));
            let output = Command::new("/bin/sh").arg("-c").arg(shell_line(&argv)).output().unwrap();
            let mut expected = Vec::new();
            for argument in &arguments {
                expected.extend_from_slice(argument);
                expected.push(0);
            }
            prop_assert_eq!(&output.stdout, &expected);
            let line = printable_line(&argv);
            prop_assert!(line.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{}", line);
            // Where there is no bash, the other shells don't read what is quoted so.
            if let Ok(output) = Command::new("bash").arg("-c").arg(line).output() {
                prop_assert_eq!(&output.stdout, &expected);
            }
        }
    }

    #[test]
    fn a_line_that_was_cut_keeps_its_whole_words() {
        for (line, expected) in [
            ("tool --token abc", "tool --token "),
            ("tool 'correct horse bat", "tool "),
            ("tool --token='correct horse bat", "tool "),
            ("sh -c 'a b c", "sh -c 'a b "),
            ("bash -lc \"a 'b c", "bash -lc \"a "),
            ("bash -lc \"a \\\"b c", "bash -lc \"a "),
            ("bash -lc \"a \\\"b c\\\" d", "bash -lc \"a \\\"b c\\\" "),
            ("sh -c 'a b' c", "sh -c 'a b' "),
            ("sh -c  'a b c", "sh -c  'a b "),
            ("git commit -m 'a b", "git commit -m "),
            ("word", ""),
            ("", ""),
            ("é\\", ""),
        ] {
            assert_eq!(whole_words(line), expected, "{line}");
        }
    }
}
