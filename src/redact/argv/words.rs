//! The words of a line of shell, as far as it takes to know which word follows which.

use std::ops::Range;

/// The simple commands of a line, as the ranges of their words without the quotes around them.
pub(super) fn commands(line: &str) -> Vec<Vec<Range<usize>>> {
    let mut commands = vec![Vec::new()];
    let bytes = line.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        if byte.is_ascii_whitespace() && byte != b'\n' {
            at += 1;
        } else if is_operator(byte) {
            commands.push(Vec::new());
            at += 1;
        } else {
            let end = word_end(bytes, at);
            if let Some(command) = commands.last_mut() {
                command.push(without_quotes(bytes, at..end));
            }
            at = end;
        }
    }
    commands.retain(|command| !command.is_empty());
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

/// A word without quotes around all of it.
fn without_quotes(bytes: &[u8], range: Range<usize>) -> Range<usize> {
    match &bytes[range.clone()] {
        [b'\'', inner @ .., b'\''] | [b'"', inner @ .., b'"']
            if !inner.contains(&bytes[range.start]) =>
        {
            range.start + 1..range.end - 1
        }
        _ => range,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<Vec<&str>> {
        let text = |range: &Range<usize>| &line[range.clone()];
        let commands = commands(line);
        let words = |command: &Vec<Range<usize>>| command.iter().map(text).collect();
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
        assert_eq!(words("'open"), [vec!["'open"]]);
        assert_eq!(words("end\\"), [vec!["end\\"]]);
        assert_eq!(words(" ; "), Vec::<Vec<&str>>::new());
    }
}
