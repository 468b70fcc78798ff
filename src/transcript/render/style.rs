//! Responsible for how text looks: what colour sequences ask for, how a line of text says so again, and
//! reading such a line. Not responsible for which colours a reader sees.
//!
//! A coloured line begins in the default style, and each change is one sequence `ESC [ 0 … m` that says
//! everything: nothing in it depends on what came before.
//!
//! Source: ECMA-48 8.3.117 (SGR), and xterm's control sequences for 256 and for direct colours. Hidden
//! text (8) is shown: nobody should be shown less than was printed.

use std::fmt::Write as _;

const ESCAPE: char = '\u{1b}';

/// A colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colour {
    /// What text has, or what is behind it, unless somebody says otherwise.
    #[default]
    Default,
    /// One of the palette: 0 to 7, their bright forms to 15, a cube to 231, greys to 255.
    Indexed(u8),
    /// Red, green and blue.
    Direct(u8, u8, u8),
}

/// How text looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Its colour.
    pub foreground: Colour,
    /// What is behind it.
    pub background: Colour,
    marks: u8,
}

/// What else text can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// 1.
    Bold = 1,
    /// 2.
    Faint = 2,
    /// 3.
    Italic = 4,
    /// 4.
    Underlined = 8,
    /// 7: both colours change places.
    Inverse = 16,
    /// 9.
    Struck = 32,
}

impl Mark {
    /// All of them, with the parameter that sets each.
    pub const ALL: [(Self, u8); 6] = [
        (Self::Bold, 1),
        (Self::Faint, 2),
        (Self::Italic, 3),
        (Self::Underlined, 4),
        (Self::Inverse, 7),
        (Self::Struck, 9),
    ];
}

impl Style {
    /// Whether text is so.
    #[must_use]
    pub fn has(self, mark: Mark) -> bool {
        self.marks & mark as u8 != 0
    }

    fn set(&mut self, mark: Mark) {
        self.marks |= mark as u8;
    }

    fn clear(&mut self, mark: Mark) {
        self.marks &= !(mark as u8);
    }

    /// The style of a blank, of which only what is behind it and what is drawn through it is seen.
    pub(super) fn of_blank(self) -> Self {
        let is_drawn = [Mark::Underlined, Mark::Inverse, Mark::Struck];
        if is_drawn.into_iter().any(|mark| self.has(mark)) {
            return self;
        }
        self.ground()
    }

    /// What is behind it alone.
    pub(super) fn ground(self) -> Self {
        Self {
            background: self.background,
            ..Self::default()
        }
    }

    /// Changes it as the parameters of a sequence ask.
    pub(super) fn apply(&mut self, parameters: &[u8]) {
        let mut groups = parameters.split(|byte| *byte == b';');
        while let Some(group) = groups.next() {
            let mut parts = group.split(|byte| *byte == b':').map(number);
            let code = parts.next().unwrap_or_default();
            match code {
                38 | 48 | 58 => {
                    let colour = if group.contains(&b':') {
                        of_parts(&parts.collect::<Vec<u16>>())
                    } else {
                        let mut next = || groups.next().map(number);
                        match next() {
                            Some(5) => next().and_then(indexed),
                            Some(2) => {
                                direct(&[next(), next(), next()].map(Option::unwrap_or_default))
                            }
                            _ => None,
                        }
                    };
                    match (code, colour) {
                        (38, Some(colour)) => self.foreground = colour,
                        (48, Some(colour)) => self.background = colour,
                        _ => {}
                    }
                }
                4 if parts.next() == Some(0) => self.clear(Mark::Underlined),
                _ => self.apply_code(code),
            }
        }
    }

    fn apply_code(&mut self, code: u16) {
        let low = |from: u16| u8::try_from(code - from).unwrap_or_default();
        match code {
            0 => *self = Self::default(),
            1 => self.set(Mark::Bold),
            2 => self.set(Mark::Faint),
            3 => self.set(Mark::Italic),
            4 | 21 => self.set(Mark::Underlined),
            7 => self.set(Mark::Inverse),
            9 => self.set(Mark::Struck),
            22 => {
                self.clear(Mark::Bold);
                self.clear(Mark::Faint);
            }
            23 => self.clear(Mark::Italic),
            24 => self.clear(Mark::Underlined),
            27 => self.clear(Mark::Inverse),
            29 => self.clear(Mark::Struck),
            30..=37 => self.foreground = Colour::Indexed(low(30)),
            39 => self.foreground = Colour::Default,
            40..=47 => self.background = Colour::Indexed(low(40)),
            49 => self.background = Colour::Default,
            90..=97 => self.foreground = Colour::Indexed(low(90) + 8),
            100..=107 => self.background = Colour::Indexed(low(100) + 8),
            _ => {}
        }
    }

    /// Adds the sequence for it to a line.
    pub(super) fn write(self, line: &mut String) {
        line.push_str("\x1b[0");
        for (mark, code) in Mark::ALL {
            if self.has(mark) {
                // Writing to a string does not fail.
                let _ = write!(line, ";{code}");
            }
        }
        for (colour, code) in [(self.foreground, 38), (self.background, 48)] {
            let _ = match colour {
                Colour::Default => Ok(()),
                Colour::Indexed(index) => write!(line, ";{code};5;{index}"),
                Colour::Direct(red, green, blue) => {
                    write!(line, ";{code};2;{red};{green};{blue}")
                }
            };
        }
        line.push('m');
    }
}

/// A parameter; an absent one is zero, and what is larger than any is the largest.
fn number(digits: &[u8]) -> u16 {
    digits
        .iter()
        .filter(|byte| byte.is_ascii_digit())
        .fold(0, |value: u16, digit| {
            value
                .saturating_mul(10)
                .saturating_add(u16::from(digit - b'0'))
        })
}

fn indexed(number: u16) -> Option<Colour> {
    u8::try_from(number).ok().map(Colour::Indexed)
}

fn direct(parts: &[u16]) -> Option<Colour> {
    let part = |index: usize| u8::try_from(*parts.get(index)?).ok();
    Some(Colour::Direct(part(0)?, part(1)?, part(2)?))
}

/// A colour that is written with colons: `5:N`, `2:R:G:B`, or `2::R:G:B` with a place for a colour space.
fn of_parts(parts: &[u16]) -> Option<Colour> {
    match parts {
        [5, index, ..] => indexed(*index),
        [2, _, red, green, blue, ..] => direct(&[*red, *green, *blue]),
        [2, rest @ ..] => direct(rest),
        _ => None,
    }
}

/// Text of one style.
pub type Run<'a> = (Style, &'a str);

/// The runs of a coloured line, none of them empty.
pub fn runs(line: &str) -> impl Iterator<Item = Run<'_>> {
    let mut style = Style::default();
    line.split(ESCAPE)
        .enumerate()
        .filter_map(move |(index, piece)| {
            let text = match piece.split_once('m') {
                Some((parameters, text)) if index > 0 => {
                    style.apply(parameters.trim_start_matches('[').as_bytes());
                    text
                }
                _ => piece,
            };
            (!text.is_empty()).then_some((style, text))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(parameters: &str) -> Style {
        let mut style = Style::default();
        style.apply(parameters.as_bytes());
        style
    }

    #[test]
    fn every_form_of_a_colour_is_read() {
        use Colour::{Default, Direct, Indexed};
        for (parameters, foreground, background) in [
            ("31", Indexed(1), Default),
            ("97;104", Indexed(15), Indexed(12)),
            ("38;5;208", Indexed(208), Default),
            ("48;2;1;2;3;32", Indexed(2), Direct(1, 2, 3)),
            ("38:5:208", Indexed(208), Default),
            ("38:2:1:2:3", Direct(1, 2, 3), Default),
            ("38:2::1:2:3", Direct(1, 2, 3), Default),
            ("31;39", Default, Default),
            ("31;;", Default, Default),
            ("58;5;1;31", Indexed(1), Default),
            ("38;5;999", Default, Default),
            ("38;9;31", Indexed(1), Default),
            ("99999999;38", Default, Default),
        ] {
            let style = applied(parameters);
            assert_eq!(
                (style.foreground, style.background),
                (foreground, background),
                "{parameters}"
            );
        }
    }

    #[test]
    fn marks_are_set_and_cleared() {
        assert!(applied("1;3;4").has(Mark::Bold));
        assert!(!applied("1;2;22").has(Mark::Faint));
        assert!(applied("4:3").has(Mark::Underlined));
        assert!(!applied("4;4:0").has(Mark::Underlined));
        assert!(!applied("7;27").has(Mark::Inverse));
        assert_eq!(applied("8;5"), Style::default());
    }

    #[test]
    fn a_style_is_read_as_it_was_written() {
        for parameters in ["1;2;3;4;7;9", "31;48;5;200", "38;2;1;2;3", ""] {
            let style = applied(parameters);
            let mut line = "a".to_owned();
            style.write(&mut line);
            line.push('b');
            let read: Vec<Run<'_>> = runs(&line).collect();
            assert_eq!(read, [(Style::default(), "a"), (style, "b")]);
        }
    }

    #[test]
    fn a_line_that_is_no_coloured_one_is_read_somehow() {
        for line in ["", "\x1b", "\x1b[1", "m\x1b[m", "\x1b\x1b[31mx"] {
            assert!(runs(line).count() <= 2, "{line:?}");
        }
    }
}
