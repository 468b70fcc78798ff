//! The colours of what aido says itself; recorded text brings none of its own.

use std::fmt;

/// Whether colours are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Palette {
    /// No escape sequence at all.
    Plain,
    /// SGR sequences.
    Coloured,
}

/// What a colour means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// It succeeded.
    Success,
    /// It failed.
    Failure,
    /// It goes on, or nobody knows.
    Open,
    /// What was searched for.
    Match,
    /// A line that only the first text has.
    Removed,
    /// A line that only the second text has.
    Added,
    /// A place in a text.
    Place,
    /// The number of a line.
    Number,
    /// A heading.
    Heading,
}

impl Meaning {
    /// The parameters of SGR (ECMA-48, 8.3.117).
    fn parameters(self) -> &'static str {
        match self {
            Self::Success | Self::Added | Self::Number => "32",
            Self::Failure | Self::Removed => "31",
            Self::Open => "33",
            Self::Match => "1;31",
            Self::Place => "36",
            Self::Heading => "1",
        }
    }
}

/// Text in its colour. The text must be harmless already.
pub struct Painted<'a> {
    text: &'a str,
    meaning: Meaning,
    palette: Palette,
}

impl Palette {
    /// Gives a text its colour.
    #[must_use]
    pub fn paint(self, meaning: Meaning, text: &str) -> Painted<'_> {
        Painted {
            text,
            meaning,
            palette: self,
        }
    }
}

impl fmt::Display for Painted<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.palette {
            Palette::Coloured if !self.text.is_empty() => {
                let parameters = self.meaning.parameters();
                write!(formatter, "\x1b[{parameters}m{}\x1b[0m", self.text)
            }
            _ => formatter.write_str(self.text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_coloured_palette_writes_escape_sequences() {
        let painted = |palette: Palette, text| palette.paint(Meaning::Match, text).to_string();
        assert_eq!(painted(Palette::Plain, "x"), "x");
        assert_eq!(painted(Palette::Coloured, "x"), "\x1b[1;31mx\x1b[0m");
        assert_eq!(painted(Palette::Coloured, ""), "");
    }
}
