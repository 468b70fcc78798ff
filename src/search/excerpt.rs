//! The part of a line's text that is shown: all of it, unless it is very long.

use super::line::Limits;
use super::pattern::{Pattern, Span};

/// A text, or the part of it around its first match.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Excerpt {
    pub(super) text: Vec<u8>,
    /// Where the pattern matches in it.
    pub(super) spans: Vec<Span>,
    /// How many bytes of the line's text stand before it.
    pub(super) skipped_bytes: u64,
    /// Whether the line's text goes on after it.
    pub(super) is_cut: bool,
}

impl Excerpt {
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.spans.clear();
        self.skipped_bytes = 0;
        self.is_cut = false;
    }

    /// Takes the beginning of a text.
    pub(super) fn take_head(&mut self, text: &[u8], most: usize) {
        self.clear();
        let end = character_start(text, most);
        self.text.extend_from_slice(&text[..end]);
        self.is_cut = end < text.len();
    }

    /// Takes a text that has a match at `from` or later; if it is long, the part around the first
    /// match.
    pub(super) fn take_match(
        &mut self,
        pattern: &Pattern,
        text: &[u8],
        from: usize,
        limits: Limits,
    ) {
        self.clear();
        let most = limits.text_bytes;
        if limits.marks == 0 && text.len() <= most {
            self.text.extend_from_slice(text);
            return;
        }
        let mut spans = pattern.spans(text, from).peekable();
        let first = spans.peek().map_or(from, |span| span.start);
        let start = match text.len() <= most {
            true => 0,
            // A quarter before the match, the rest from there on.
            false => character_start(text, first.saturating_sub(most / 4)),
        };
        let end = character_start(text, start.saturating_add(most));
        self.text.extend_from_slice(&text[start..end]);
        let within = spans.take_while(|span| span.start < end).take(limits.marks);
        self.spans.extend(within.map(|span| Span {
            start: span.start - start,
            end: span.end.min(end) - start,
        }));
        self.skipped_bytes = start as u64;
        self.is_cut = end < text.len();
    }
}

/// The place `at`, or up to three bytes before it, where a character of UTF-8 begins.
fn character_start(text: &[u8], at: usize) -> usize {
    if at >= text.len() {
        return text.len();
    }
    let is_start = |at: usize| text[at] & 0xc0 != 0x80;
    let lowest = at.saturating_sub(3);
    (lowest..=at).rev().find(|at| is_start(*at)).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::super::pattern::{Case, Syntax};
    use super::*;

    fn of_match(text: &str, most: usize) -> Excerpt {
        let pattern = Pattern::new("é+", Syntax::Regex, Case::Sensitive).unwrap();
        let mut excerpt = Excerpt::default();
        let limits = Limits {
            text_bytes: most,
            ..super::super::session::LIMITS
        };
        excerpt.take_match(&pattern, text.as_bytes(), 0, limits);
        excerpt
    }

    #[test]
    fn a_text_that_fits_is_taken_whole_with_all_its_matches() {
        let excerpt = of_match("aéé b é", 20);
        assert_eq!(excerpt.text, "aéé b é".as_bytes());
        assert_eq!(excerpt.spans, [1..5, 8..10].map(Span::from));
        assert_eq!((excerpt.skipped_bytes, excerpt.is_cut), (0, false));
    }

    #[test]
    fn a_long_text_is_cut_around_its_first_match_at_characters() {
        let text = format!("{}é{}", "ü".repeat(100), "ä".repeat(100));
        let excerpt = of_match(&text, 21);
        let shown = String::from_utf8(excerpt.text).unwrap();
        assert_eq!(shown, "üüüéäääääää".get(..shown.len()).unwrap());
        assert!(excerpt.is_cut);
        assert_eq!(excerpt.spans.len(), 1);
        let start = usize::try_from(excerpt.skipped_bytes).unwrap() + excerpt.spans[0].start;
        assert_eq!(start, 200);
    }

    #[test]
    fn a_match_that_is_longer_than_the_excerpt_is_cut_with_it() {
        let excerpt = of_match(&"é".repeat(50), 10);
        assert_eq!(excerpt.spans, [Span::from(0..10)]);
        assert!(excerpt.is_cut);
    }
}
