//! The words of a line of shell, as far as it takes to know which word follows which.

use std::ops::Range;

/// A simple command.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Command {
    /// The ranges of its words, without the quotes around them.
    pub(super) words: Vec<Range<usize>>,
    /// What stands before it.
    pub(super) joint: Joint,
}

/// What stands between two commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Joint {
    /// `|` or `|&`: it reads what the one before prints.
    Pipe,
    /// `<<<`: its first word is what the one before reads.
    HereString,
    /// Anything else.
    Other,
}

/// The simple commands of a line.
pub(super) fn commands(line: &str) -> Vec<Command> {
    let bytes = line.as_bytes();
    let mut commands: Vec<Command> = Vec::new();
    let (mut words, mut joint, mut at) = (Vec::new(), Joint::Other, 0);
    while at < bytes.len() {
        let byte = bytes[at];
        if byte.is_ascii_whitespace() && byte != b'\n' {
            at += 1;
        } else if is_operator(byte) {
            let operators = bytes[at..].iter().take_while(|byte| is_operator(**byte));
            let end = at + operators.count();
            if !words.is_empty() {
                let words = std::mem::take(&mut words);
                commands.push(Command { words, joint });
            }
            joint = match &bytes[at..end] {
                b"|" | b"|&" => Joint::Pipe,
                b"<<<" => Joint::HereString,
                _ => Joint::Other,
            };
            at = end;
        } else {
            let end = word_end(bytes, at);
            words.push(without_quotes(bytes, at..end));
            at = end;
        }
    }
    if !words.is_empty() {
        commands.push(Command { words, joint });
    }
    commands
}

fn is_operator(byte: u8) -> bool {
    b"\n;|&()<>".contains(&byte)
}

/// Where the word that begins here ends.
fn word_end(bytes: &[u8], start: usize) -> usize {
    let mut quote = None;
    let mut at = start;
    while let Some(byte) = bytes.get(at) {
        match (quote, *byte) {
            (Some(b'\''), b'\'') | (Some(b'"'), b'"') => quote = None,
            (None, b'\'' | b'"') => quote = Some(*byte),
            (None | Some(b'"'), b'\\') => at += 1,
            (None, byte) if byte.is_ascii_whitespace() || is_operator(byte) => break,
            _ => {}
        }
        at += 1;
    }
    at.min(bytes.len())
}

/// A word without quotes around all of it. One that isn't closed was cut.
fn without_quotes(bytes: &[u8], range: Range<usize>) -> Range<usize> {
    let Some(quote @ (b'\'' | b'"')) = bytes.get(range.start).copied() else {
        return range;
    };
    let inner = &bytes[range.start + 1..range.end];
    match next_quote(inner, quote) {
        Some(end) if end + 1 == inner.len() => range.start + 1..range.end - 1,
        Some(_) => range,
        None => range.start + 1..range.end,
    }
}

/// Where the quote stands that closes a text in quotes.
pub(in crate::redact) fn next_quote(text: &[u8], quote: u8) -> Option<usize> {
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        match *byte {
            b'\\' if quote != b'\'' => at += 1,
            byte if byte == quote => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}

/// A text as a shell reads it inside of double quotes, and where each of its bytes stands.
pub(super) fn unescaped(text: &str) -> (String, Vec<usize>) {
    let (mut plain, mut places) = (String::new(), Vec::new());
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        let next = letters.peek().map(|(_, next)| *next);
        let is_escape = letter == '\\' && matches!(next, Some('"' | '\\' | '$' | '`'));
        let letter = match is_escape.then(|| letters.next()).flatten() {
            Some((_, next)) => next,
            None => letter,
        };
        plain.push(letter);
        places.extend(at..at + letter.len_utf8());
    }
    places.push(text.len());
    (plain, places)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<Vec<&str>> {
        let text = |range: &Range<usize>| &line[range.clone()];
        let commands = commands(line);
        let words = |command: &Command| command.words.iter().map(text).collect();
        commands.iter().map(words).collect()
    }

    #[test]
    fn a_line_is_cut_into_commands_and_words() {
        assert_eq!(
            words("a 'b c' \"d\"|e;f&&g"),
            [vec!["a", "b c", "d"], vec!["e"], vec!["f"], vec!["g"],]
        );
        assert_eq!(
            words("x --y='z w' q\\ r"),
            [vec!["x", "--y='z w'", "q\\ r"]]
        );
        assert_eq!(words("a 'open b"), [vec!["a", "open b"]]);
        assert_eq!(words("'a'b'c'"), [vec!["'a'b'c'"]]);
        assert_eq!(words("\"a\\\" b\""), [vec!["a\\\" b"]]);
        assert_eq!(words("end\\"), [vec!["end\\"]]);
        assert_eq!(words(" ; "), Vec::<Vec<&str>>::new());
    }

    #[test]
    fn what_one_command_hands_to_the_next_is_told() {
        let joints = |line: &str| -> Vec<Joint> {
            commands(line).iter().map(|command| command.joint).collect()
        };
        use Joint::{HereString, Other, Pipe};
        assert_eq!(joints("a|b |& c || d"), [Other, Pipe, Pipe, Other]);
        assert_eq!(joints("a <<< b; c < d"), [Other, HereString, Other, Other]);
    }

    #[test]
    fn a_text_in_double_quotes_is_read_as_a_shell_reads_it() {
        let (plain, places) = unescaped("a\\\"é\\\\b\\c");
        assert_eq!(plain, "a\"é\\b\\c");
        assert_eq!(places, [0, 1, 3, 4, 5, 7, 8, 9, 10]);
    }
}
