//! What is looked for: a regular expression that is made to work on a line.
//!
//! A line's text holds neither a line feed nor a carriage return. The expression is rewritten so
//! that no match ever holds one either, and so that `^`, `$`, `\A` and `\z` mean the ends of a line.
//! Then a whole buffer can be searched at once: what is found lies within one line, and every match
//! that a line has by itself is found.
//!
//! Where the expression begins with anything but literal text and holds some further on, lines that
//! hold the literal are looked for, and the expression is tried on those only.

use std::ops::Range;

use memchr::memmem::Finder;
use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{
    Capture, Class, ClassBytes, ClassBytesRange, ClassUnicode, ClassUnicodeRange, Hir, HirKind,
    Look, Repetition,
};

use super::bounds::Bounds;

/// How the typed text is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// As a regular expression.
    Regex,
    /// As the text itself.
    Fixed,
}

/// Whether `a` finds `A`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// It doesn't.
    Sensitive,
    /// It does, in every script.
    Insensitive,
}

/// Why a text is no pattern.
#[derive(Debug, thiserror::Error)]
pub enum PatternError {
    /// It is no regular expression.
    #[error("{0}")]
    Syntax(#[from] Box<regex_syntax::Error>),
    /// It would take too much memory.
    #[error("the pattern can't be used: {0}")]
    Unusable(#[from] regex::Error),
    /// It asks for more than one line.
    #[error("a pattern is looked for within a line, so it can't contain a line feed")]
    LineFeed,
}

/// A place in a text: bytes from and up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last one.
    pub end: usize,
}

impl From<Range<usize>> for Span {
    fn from(range: Range<usize>) -> Self {
        Self {
            start: range.start,
            end: range.end,
        }
    }
}

/// The shortest literal that is worth looking for by itself.
const LITERAL_BYTES: usize = 3;

/// What is looked for.
#[derive(Clone, Debug)]
pub struct Pattern {
    regex: Regex,
    way: Way,
}

/// What is looked for first, to be fast.
#[derive(Clone, Debug)]
enum Way {
    /// The expression itself.
    Expression,
    /// The text that the expression is. What follows each match costs less than to ask the engine.
    Text(Finder<'static>),
    /// Text that every match holds.
    Within(Finder<'static>),
}

impl Way {
    fn of(expression: &Hir) -> Self {
        if let HirKind::Literal(literal) = expression.kind() {
            return Self::Text(Finder::new(&literal.0).into_owned());
        }
        if begins_with_literal(expression) {
            return Self::Expression;
        }
        let literal = required_literal(expression);
        match literal.filter(|literal| literal.len() >= LITERAL_BYTES) {
            Some(literal) => Self::Within(Finder::new(literal).into_owned()),
            None => Self::Expression,
        }
    }
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// [`PatternError`].
    pub fn new(text: &str, syntax: Syntax, case: Case) -> Result<Self, PatternError> {
        let escaped;
        let text = match syntax {
            Syntax::Regex => text,
            Syntax::Fixed => {
                escaped = regex_syntax::escape(text);
                &escaped
            }
        };
        let parsed = ParserBuilder::new()
            .utf8(false)
            .multi_line(true)
            .crlf(true)
            .case_insensitive(case == Case::Insensitive)
            .build()
            .parse(text)
            .map_err(Box::new)?;
        let within_a_line = within_line(parsed)?;
        Ok(Self {
            regex: RegexBuilder::new(&within_a_line.to_string()).build()?,
            way: Way::of(&within_a_line),
        })
    }

    /// The first line at `from` or later that matches, without its line feed. Each line of the block
    /// is searched as it stands.
    #[must_use]
    pub fn next_line(&self, block: &[u8], from: usize) -> Option<Bounds> {
        let literal = match &self.way {
            Way::Expression => {
                let found = self.first_end(block, from)?;
                let bounds = Bounds::around(block, from, found);
                // Behind the last line feed there is no line.
                return (bounds.line.start < block.len()).then_some(bounds);
            }
            Way::Text(text) => {
                let found = from + text.find(&block[from..])?;
                return Some(Bounds::around(block, from, found));
            }
            Way::Within(literal) => literal,
        };
        let mut at = from;
        while at < block.len() {
            let found = at + literal.find(&block[at..])?;
            let bounds = Bounds::around(block, at, found);
            let line = bounds.line;
            if self.regex.is_match(&block[line.start..line.end]) {
                return Some(bounds);
            }
            at = line.end + 1;
        }
        None
    }

    /// Where some match ends that begins at `from` or later, and before which no line has a match.
    /// What stands before `from` counts as the match's surroundings.
    #[must_use]
    pub fn first_end(&self, text: &[u8], from: usize) -> Option<usize> {
        self.regex.shortest_match_at(text, from)
    }

    /// The matches that begin at `from` or later and aren't empty.
    pub fn spans<'a>(&'a self, text: &'a [u8], from: usize) -> impl Iterator<Item = Span> + 'a {
        let mut at = from;
        std::iter::from_fn(move || {
            while at <= text.len() {
                let found = self.regex.find_at(text, at)?;
                at = found.end() + usize::from(found.is_empty());
                if !found.is_empty() {
                    return Some(found.range().into());
                }
            }
            None
        })
    }
}

/// Whether every match begins with literal text, which the engine itself looks for.
fn begins_with_literal(expression: &Hir) -> bool {
    match expression.kind() {
        HirKind::Literal(_) => true,
        HirKind::Capture(capture) => begins_with_literal(&capture.sub),
        HirKind::Repetition(repetition) => {
            repetition.min > 0 && begins_with_literal(&repetition.sub)
        }
        HirKind::Concat(parts) => {
            let is_text = |part: &&Hir| !matches!(part.kind(), HirKind::Look(_));
            parts.iter().find(is_text).is_some_and(begins_with_literal)
        }
        HirKind::Alternation(parts) => parts.iter().all(begins_with_literal),
        HirKind::Empty | HirKind::Class(_) | HirKind::Look(_) => false,
    }
}

/// The longest text that every match is known to hold.
fn required_literal(expression: &Hir) -> Option<&[u8]> {
    match expression.kind() {
        HirKind::Literal(literal) => Some(&literal.0),
        HirKind::Capture(capture) => required_literal(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => required_literal(&repetition.sub),
        HirKind::Concat(parts) => {
            let literals = parts.iter().filter_map(required_literal);
            literals.max_by_key(|literal| literal.len())
        }
        _ => None,
    }
}

/// The same expression, but for what would match line feeds and carriage returns, which a line's
/// text never holds. Recursion is bounded: the parser refuses deep nesting.
fn within_line(expression: Hir) -> Result<Hir, PatternError> {
    Ok(match expression.into_kind() {
        HirKind::Empty => Hir::empty(),
        HirKind::Literal(literal) if literal.0.contains(&b'\n') => {
            return Err(PatternError::LineFeed);
        }
        HirKind::Literal(literal) if literal.0.contains(&b'\r') => Hir::fail(),
        HirKind::Literal(literal) => Hir::literal(literal.0),
        HirKind::Class(Class::Unicode(mut class)) => {
            let ends = ['\n', '\r'].map(|end| ClassUnicodeRange::new(end, end));
            class.difference(&ClassUnicode::new(ends));
            Hir::class(Class::Unicode(class))
        }
        HirKind::Class(Class::Bytes(mut class)) => {
            let ends = [b'\n', b'\r'].map(|end| ClassBytesRange::new(end, end));
            class.difference(&ClassBytes::new(ends));
            Hir::class(Class::Bytes(class))
        }
        HirKind::Look(Look::Start | Look::StartLF) => Hir::look(Look::StartCRLF),
        HirKind::Look(Look::End | Look::EndLF) => Hir::look(Look::EndCRLF),
        HirKind::Look(look) => Hir::look(look),
        HirKind::Repetition(repetition) => Hir::repetition(Repetition {
            sub: Box::new(within_line(*repetition.sub)?),
            ..repetition
        }),
        HirKind::Capture(Capture { index, name, sub }) => Hir::capture(Capture {
            index,
            name,
            sub: Box::new(within_line(*sub)?),
        }),
        HirKind::Concat(parts) => Hir::concat(all_within_line(parts)?),
        HirKind::Alternation(parts) => Hir::alternation(all_within_line(parts)?),
    })
}

fn all_within_line(parts: Vec<Hir>) -> Result<Vec<Hir>, PatternError> {
    parts.into_iter().map(within_line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::new(text, Syntax::Regex, Case::Sensitive).unwrap()
    }

    fn finds(text: &str, case: Case, line: &str) -> bool {
        let pattern = Pattern::new(text, Syntax::Regex, case).unwrap();
        pattern.first_end(line.as_bytes(), 0).is_some()
    }

    #[test]
    fn no_match_reaches_over_the_end_of_a_line() {
        for text in [
            r"\s+",
            "[^x]+",
            r"(?s).+",
            r"\W+",
            r"(?-u:[^x])+",
            r"\x0d?b",
        ] {
            let buffer = b"a\r\n\r\nb\n";
            for span in pattern(text).spans(buffer, 0) {
                assert!(
                    !buffer[span.start..span.end]
                        .iter()
                        .any(|byte| b"\r\n".contains(byte))
                );
            }
        }
    }

    #[test]
    fn anchors_mean_the_ends_of_a_line_however_it_ends() {
        for text in ["^b$", r"\Ab\z", "(?-m)^b$", "(?-R)^b$", r"^b\r?$"] {
            for buffer in [&b"a\nb\nc"[..], b"a\r\nb\r\nc", b"b", b"x\nb\r\n"] {
                let ends = pattern(text).first_end(buffer, 0);
                let end = buffer.iter().position(|byte| *byte == b'b').unwrap() + 1;
                assert_eq!(ends, Some(end), "{text} in {buffer:?}");
            }
        }
    }

    #[test]
    fn literal_text_inside_a_pattern_leads_to_its_lines() {
        for (text, literal) in [
            ("[a-z]+haystack", Some("haystack")),
            (r"\w+ (some|(thing)+) else", Some(" else")),
            ("(a|b)(xyz){2,}", Some("xyz")),
            ("needle[0-9]", None),
            (r"\bneedle", None),
            ("[a-z]+xy", None),
            ("[a-z](xyz)?", None),
            ("ab|cd", None),
        ] {
            let pattern = pattern(text);
            let found = match &pattern.way {
                Way::Within(finder) => Some(finder.needle()),
                Way::Expression | Way::Text(_) => None,
            };
            assert_eq!(found, literal.map(str::as_bytes), "{text}");
        }
        let pattern = pattern("[a-z]+ack$");
        let block = b"ack\nxacks\r\nhaystack\r\nlast hack";
        let first = pattern.next_line(block, 0).unwrap().line;
        assert_eq!(&block[first.start..first.end], b"haystack\r");
        let second = pattern.next_line(block, first.end + 1).unwrap().line;
        assert_eq!(&block[second.start..second.end], b"last hack");
        assert_eq!(pattern.next_line(block, second.end + 1), None);
    }

    #[test]
    fn a_pattern_that_is_text_is_found_where_the_expression_finds_it() {
        let block = b"an error\r\nnone\nerr\rerror\n\rerror\r\r\nlast error";
        for (text, syntax) in [
            ("error", Syntax::Regex),
            ("err", Syntax::Fixed),
            ("r", Syntax::Fixed),
        ] {
            let pattern = Pattern::new(text, syntax, Case::Sensitive).unwrap();
            assert!(matches!(pattern.way, Way::Text(_)), "{text}");
            let expression = Pattern {
                way: Way::Expression,
                ..pattern.clone()
            };
            let lines = |pattern: &Pattern| {
                let mut at = 0;
                let next = || {
                    if at >= block.len() {
                        return None;
                    }
                    let bounds = pattern.next_line(block, at)?;
                    at = bounds.line.end + 1;
                    Some(bounds)
                };
                std::iter::from_fn(next).collect::<Vec<_>>()
            };
            let found = lines(&pattern);
            assert_eq!(found, lines(&expression), "{text}");
            assert_eq!(found.len(), 4, "{text}");
            let divided: Vec<_> = found.iter().map(|bounds| bounds.has_states).collect();
            assert_eq!(divided, [false, true, true, false], "{text}");
        }
    }

    #[test]
    fn case_is_ignored_in_every_script_on_demand() {
        for (text, line) in [("error", "ERROR"), ("größe", "GRÖẞE"), (r"\w=é", "Ω=É")] {
            assert!(!finds(text, Case::Sensitive, line));
            assert!(finds(text, Case::Insensitive, line));
        }
    }

    #[test]
    fn fixed_text_is_taken_as_it_is() {
        let pattern = Pattern::new("a.b[", Syntax::Fixed, Case::Sensitive).unwrap();
        assert_eq!(pattern.first_end(b"axb[", 0), None);
        assert_eq!(pattern.first_end(b"a.b[", 0), Some(4));
    }

    #[test]
    fn what_can_never_be_found_is_refused() {
        for (text, syntax) in [("a\nb", Syntax::Fixed), (r"a\nb", Syntax::Regex)] {
            let refused = Pattern::new(text, syntax, Case::Sensitive);
            assert!(matches!(refused, Err(PatternError::LineFeed)), "{text}");
        }
        let refused = Pattern::new("(a", Syntax::Regex, Case::Sensitive);
        let message = refused.unwrap_err().to_string();
        assert!(message.contains("unclosed group"), "{message}");
    }

    #[test]
    fn empty_matches_are_no_spans() {
        let spans: Vec<_> = pattern("x*").spans(b"axxbx", 0).collect();
        assert_eq!(spans, [1..3, 4..5].map(Span::from));
    }
}
