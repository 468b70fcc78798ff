//! Recorded text in Markdown: a code span on one line, whatever the text holds.

use crate::view::{quote, sanitize};

/// The longest run of back quotes that stays as it is: each makes the span's own marks longer.
const RUN_MAX: usize = 3;

/// A text on one line, harmless, of at most so many characters; a cut one ends with `…`.
pub(super) fn one_line(text: &str, characters: usize) -> String {
    // What is far beyond the cut can't be seen.
    let end = text.char_indices().nth(8 * characters + 64);
    let (text, is_long) = end.map_or((text, false), |(end, _)| (&text[..end], true));
    let harmless = sanitize::for_agent(text);
    let mut line = String::new();
    for word in harmless.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    let cut = line.char_indices().nth(characters.saturating_sub(1));
    if let Some((place, last)) = cut
        && (is_long || place + last.len_utf8() < line.len())
    {
        line.truncate(place);
        let kept = line.trim_end().len();
        line.truncate(kept);
        line.push('…');
    }
    line
}

/// The same as a code span. A text that shows nothing is said to be so.
pub(super) fn code(text: &str, characters: usize) -> String {
    let line = one_line(text, characters);
    let line = shorten_runs(&line);
    if line.is_empty() {
        return "(empty)".to_owned();
    }
    quote::span(&line)
}

/// Long runs of back quotes become apostrophes.
fn shorten_runs(line: &str) -> String {
    let mut shown = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(start) = rest.find('`') {
        let run = rest[start..]
            .bytes()
            .take_while(|byte| *byte == b'`')
            .count();
        shown.push_str(&rest[..start]);
        let mark = if run > RUN_MAX { "'" } else { "`" };
        shown.push_str(&mark.repeat(run));
        rest = &rest[start + run..];
    }
    shown.push_str(rest);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_stands_in_a_span_that_it_does_not_end() {
        for (text, shown) in [
            ("cargo test", "`cargo test`"),
            ("echo `date`", "`` echo `date` ``"),
            ("a ``` b", "````a ``` b````"),
            ("a ````` b", "`a ''''' b`"),
            ("two\n\nlines\tand\u{1b}[2J more", "`two lines and more`"),
            ("# no heading\n- no list", "`# no heading - no list`"),
            ("", "(empty)"),
            ("\u{200b}\n", "(empty)"),
            ("<b>&amp;", "`<b>&amp;`"),
        ] {
            assert_eq!(code(text, 40), shown, "{text:?}");
        }
    }

    #[test]
    fn a_long_text_is_cut_by_characters_and_shows_it() {
        assert_eq!(one_line("abcdef", 6), "abcdef");
        assert_eq!(one_line("abcdefg", 6), "abcde…");
        assert_eq!(one_line("日本語日本語", 4), "日本語…");
        assert_eq!(one_line("ab cdefg", 4), "ab…");
        let long = "x".repeat(100_000);
        assert_eq!(one_line(&long, 30).chars().count(), 30);
    }
}
