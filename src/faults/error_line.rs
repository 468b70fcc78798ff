//! The line of an output that tells what went wrong.

use std::borrow::Cow;

use super::normal::head;

/// What lines begin with that come with a failure and don't tell which.
const NOISE: &[&str] = &[
    "hint:",
    "note:",
    "help:",
    "tip:",
    "info:",
    "warning:",
    "usage:",
    "try '",
    "try `",
    "see '",
    "for more information",
    "a complete log of this run",
    "npm error a complete log",
    "npm warn",
    "npm notice",
    "node.js v",
    "compilation terminated",
    "run with",
    "please ",
    "at ",
    "caused by:",
    "error: aborting due to",
    "error: process didn't exit",
    "make[",
    "or: ",
    "[error] [help",
    "[error] re-run",
    "[error] to see the full",
    "[error] for more",
    "begin failed--",
];

/// What a line contains that tells of a failure.
const TELLING: &[&str] = &[
    "error",
    "fatal",
    "panic",
    "exception",
    "failed",
    "failure",
    "denied",
    "cannot",
    "can't",
    "unable",
    "not found",
    "refused",
    "invalid",
    "unknown",
    "missing",
    "no such",
    "abort",
];

/// How messages begin that are written behind a progress bar, in its line.
const BEHIND_PROGRESS: &[&str] = &["curl: ("];

/// The longest line that is looked at, in bytes.
const LINE_BYTES: usize = 2000;

/// Text without escape sequences, carriage returns and other control characters. What is rendered
/// already is taken as it is.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    let is_odd = |character: char| character.is_control() && !matches!(character, '\n' | '\t');
    if !text.contains(is_odd) {
        return Cow::Borrowed(text);
    }
    let mut cleaned = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' if characters.next_if_eq(&'[').is_some() => {
                // A control sequence ends with the first character from `@` on (ECMA-48, 5.4).
                while characters
                    .next_if(|next| (' '..='?').contains(next))
                    .is_some()
                {}
                characters.next_if(|next| ('@'..='~').contains(next));
            }
            // A progress bar draws over its line.
            '\r' if characters.peek() != Some(&'\n') => cleaned.push('\n'),
            _ if is_odd(character) => {}
            _ => cleaned.push(character),
        }
    }
    Cow::Owned(cleaned)
}

/// The line in which a byte stands.
pub(super) fn line_around(text: &str, index: usize) -> &str {
    let bytes = text.as_bytes();
    let start = memchr::memrchr(b'\n', &bytes[..index]).map_or(0, |newline| newline + 1);
    let end = memchr::memchr(b'\n', &bytes[index..]).map_or(bytes.len(), |newline| index + newline);
    let line = text.get(start..end).unwrap_or_default();
    let message = BEHIND_PROGRESS.iter().find_map(|sign| line.find(sign));
    line[message.unwrap_or_default()..].trim()
}

/// The last line that is not empty.
pub(super) fn last_line(text: &str) -> &str {
    let mut lines = text.lines().rev().map(str::trim);
    lines.find(|line| !line.is_empty()).unwrap_or_default()
}

/// The line that tells most: the last that says that something failed, in the first text that has
/// one; else the last line that says anything.
#[must_use]
pub fn choose<'a>(texts: &[&'a str]) -> &'a str {
    let tells = |line: &&str| {
        let lower = lower(line);
        TELLING.iter().any(|sign| lower.contains(sign))
    };
    let telling = texts.iter().find_map(|text| lines(text).find(tells));
    let last = || texts.iter().find_map(|text| lines(text).next());
    let any = || {
        texts
            .iter()
            .map(|text| last_line(text))
            .find(|line| !line.is_empty())
    };
    telling.or_else(last).or_else(any).unwrap_or_default()
}

/// The lines of a text that say something, from its end.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.lines().rev().map(str::trim);
    lines.filter(|line| line.contains(char::is_alphanumeric) && !is_noise(line))
}

fn is_noise(line: &str) -> bool {
    let lower = lower(line);
    lower == "[error]" || NOISE.iter().any(|start| lower.starts_with(start))
}

fn lower(line: &str) -> String {
    head(line, LINE_BYTES).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_that_tells_is_found_among_noise() {
        for (texts, wanted) in [
            (&["one\nerror: two\nhint: three\n\n"][..], "error: two"),
            (&["warning: error\nlast"], "last"),
            (&["nothing", "cannot do it"], "cannot do it"),
            (&["hint: only\n---"], "---"),
            (&[], ""),
        ] {
            assert_eq!(choose(texts), wanted, "{texts:?}");
        }
    }

    #[test]
    fn escape_sequences_and_progress_bars_are_taken_out() {
        assert_eq!(clean("\u{1b}[1;31mred\u{1b}[m\u{7}"), "red");
        assert_eq!(clean("10%\r20%\r\nerror"), "10%\n20%\nerror");
        assert!(matches!(clean("plain\n\ttext"), Cow::Borrowed(_)));
        assert_eq!(clean("\u{1b}[\u{1b}"), "");
    }
}
