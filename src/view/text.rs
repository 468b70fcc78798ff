//! A line of recorded text as it is printed.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use super::paint::{Meaning, Palette};
use super::sanitize;
use crate::transcript::select::{Picked, Role};

/// For whom text is made harmless.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// What would act or be invisible is shown.
    People,
    /// What would act or be invisible is taken out.
    Agents,
}

impl Audience {
    /// Makes one line harmless; a newline inside it is shown, so that it stays one.
    #[must_use]
    pub fn line(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::People => sanitize::line(text),
            Self::Agents => match sanitize::for_agent(text) {
                Cow::Borrowed(text) => sanitize::line(text),
                Cow::Owned(text) => Cow::Owned(sanitize::line(&text).into_owned()),
            },
        }
    }
}

/// Whether lines are numbered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbering {
    /// They are.
    Numbered,
    /// They aren't.
    Unnumbered,
}

/// A line of recorded text, without its newline.
pub struct TextLine<'a> {
    /// The line.
    pub picked: Picked<'a>,
    /// What is highlighted in it: places in order that don't overlap.
    pub hits: &'a [Range<usize>],
    /// Who reads it.
    pub audience: Audience,
    /// The colours.
    pub palette: Palette,
    /// Whether its number comes first: with a colon for a line that is wanted itself, with a dash
    /// for one beside it, as grep does.
    pub numbering: Numbering,
    /// The most of it that is shown, in bytes.
    pub most_bytes: usize,
}

impl fmt::Display for TextLine<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Numbering::Numbered, Some(number)) = (self.numbering, self.picked.number) {
            let mark = match self.picked.role {
                Role::Wanted => ':',
                Role::Context => '-',
            };
            let place = format!("{number}{mark}");
            write!(formatter, "{}", self.palette.paint(Meaning::Place, &place))?;
        }
        let whole = self.picked.text;
        let end = (0..=self.most_bytes.min(whole.len()))
            .rev()
            .find(|end| whole.is_char_boundary(*end));
        let text = &whole[..end.unwrap_or_default()];
        let mut done = 0;
        for hit in self.hits {
            let (start, end) = (hit.start.min(text.len()), hit.end.min(text.len()));
            let before = text.get(done..start).unwrap_or_default();
            let found = text.get(start..end).unwrap_or_default();
            formatter.write_str(&self.audience.line(before))?;
            let found = self.audience.line(found);
            write!(formatter, "{}", self.palette.paint(Meaning::Match, &found))?;
            done = end.max(done);
        }
        formatter.write_str(&self.audience.line(text.get(done..).unwrap_or_default()))?;
        if text.len() < whole.len() {
            write!(formatter, " […{} more bytes]", whole.len() - text.len())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, hits: &[Range<usize>], audience: Audience) -> String {
        let line = TextLine {
            picked: Picked {
                number: Some(7),
                text,
                role: Role::Context,
            },
            hits,
            audience,
            palette: Palette::Coloured,
            numbering: Numbering::Unnumbered,
            most_bytes: 24,
        };
        line.to_string()
    }

    #[test]
    fn hits_are_painted_and_hostile_text_is_not_passed_on() {
        let people = |text, hits| shown(text, hits, Audience::People);
        assert_eq!(people("plain", &[]), "plain");
        assert_eq!(
            people("a\u{202e}bc", &[0..4, 5..6]),
            "\x1b[1;31ma<U+202E>\x1b[0mb\x1b[1;31mc\x1b[0m"
        );
        assert_eq!(shown("a\u{202e}b", &[], Audience::Agents), "ab");
        assert_eq!(Audience::Agents.line("\u{1b}[1ma\nb\u{e0041}"), "a^Jb");
    }

    #[test]
    fn a_line_that_is_too_long_is_cut_between_characters() {
        let long = "é".repeat(13);
        let cut = format!("{} […2 more bytes]", "é".repeat(12));
        assert_eq!(shown(&long, &[], Audience::People), cut);
        assert_eq!(shown(&long[1 + 1..], &[], Audience::People), "é".repeat(12));
    }
}
