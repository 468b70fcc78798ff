//! Which lines of a text are wanted, and the stream of lines reduced to them. Lines are counted from 1.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::str::FromStr;

/// Bytes of lines that are kept in case the next one is a match.
const BEFORE_MAX_BYTES: usize = 16 * 1024 * 1024;

/// Lines from one to another, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineRange {
    /// The first.
    pub first: u64,
    /// The last; none is the end of the text.
    pub last: Option<u64>,
}

/// Why a text is no range of lines.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    /// It can't be read as one.
    #[error("{0:?} is no range of lines; write A:B, A:, :B or A")]
    Form(String),
    /// It names line 0.
    #[error("lines are counted from 1, so there is no line 0 in {0:?}")]
    Zero(String),
    /// Its end comes before its beginning.
    #[error("{0:?} ends before it begins")]
    Backwards(String),
}

impl FromStr for LineRange {
    type Err = RangeError;

    fn from_str(text: &str) -> Result<Self, RangeError> {
        let number = |part: &str| match part.parse::<u64>() {
            Ok(0) => Err(RangeError::Zero(text.to_owned())),
            Ok(number) if part.bytes().all(|byte| byte.is_ascii_digit()) => Ok(number),
            _ => Err(RangeError::Form(text.to_owned())),
        };
        let (first, last) = match text.split_once(':') {
            None => (number(text)?, Some(number(text)?)),
            Some(("", "")) => return Err(RangeError::Form(text.to_owned())),
            Some((first, "")) => (number(first)?, None),
            Some(("", last)) => (1, Some(number(last)?)),
            Some((first, last)) => (number(first)?, Some(number(last)?)),
        };
        if last.is_some_and(|last| last < first) {
            return Err(RangeError::Backwards(text.to_owned()));
        }
        Ok(Self { first, last })
    }
}

/// Which lines are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selection {
    /// These.
    Range(LineRange),
    /// The last ones, so many.
    Tail(u64),
    /// Some from the beginning and some from the end.
    Ends {
        /// How many from the beginning.
        head: u64,
        /// How many from the end.
        tail: u64,
    },
    /// Those that match, and so many lines around each.
    Matching {
        /// How many on either side.
        context: usize,
    },
}

impl Selection {
    /// Every line.
    pub const ALL: Self = Self::Range(LineRange {
        first: 1,
        last: None,
    });

    /// The first lines, so many.
    #[must_use]
    pub fn head(count: u64) -> Self {
        match count {
            0 => Self::Tail(0),
            _ => Self::Range(LineRange {
                first: 1,
                last: Some(count),
            }),
        }
    }
}

/// Why a line was picked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It is wanted itself.
    Wanted,
    /// It is near a match.
    Context,
}

/// A line that was picked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Picked<'a> {
    /// Its number, where the lines before it were counted.
    pub number: Option<u64>,
    /// What it says.
    pub text: &'a str,
    /// Why it was picked.
    pub role: Role,
}

/// Takes lines that were picked, as long as it continues.
pub type Taker<'a> = dyn FnMut(Picked<'_>) -> ControlFlow<()> + 'a;

/// Passes on matches and the lines around them, each line once and in order.
#[derive(Debug)]
pub struct AroundMatches {
    context: usize,
    before: VecDeque<(u64, String)>,
    before_bytes: usize,
    /// How many lines after the last match are still to be passed on.
    after: usize,
}

impl AroundMatches {
    /// With so many lines on either side of a match. Very long lines before a match are left out
    /// rather than kept without bound.
    #[must_use]
    pub fn new(context: usize) -> Self {
        Self {
            context,
            before: VecDeque::new(),
            before_bytes: 0,
            after: 0,
        }
    }

    /// Takes a line that matches.
    pub fn take_match(
        &mut self,
        number: u64,
        text: &str,
        taker: &mut Taker<'_>,
    ) -> ControlFlow<()> {
        for (number, text) in self.before.drain(..) {
            taker(Picked {
                number: Some(number),
                text: &text,
                role: Role::Context,
            })?;
        }
        self.before_bytes = 0;
        self.after = self.context;
        taker(Picked {
            number: Some(number),
            text,
            role: Role::Wanted,
        })
    }

    /// Takes a line that doesn't.
    pub fn take_other(
        &mut self,
        number: u64,
        text: &str,
        taker: &mut Taker<'_>,
    ) -> ControlFlow<()> {
        if self.after > 0 {
            self.after -= 1;
            return taker(Picked {
                number: Some(number),
                text,
                role: Role::Context,
            });
        }
        if self.context == 0 {
            return ControlFlow::Continue(());
        }
        self.before_bytes += text.len();
        self.before.push_back((number, text.to_owned()));
        while self.before.len() > self.context || self.before_bytes > BEFORE_MAX_BYTES {
            let Some((_, dropped)) = self.before.pop_front() else {
                break;
            };
            self.before_bytes -= dropped.len();
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_first_lines_are_no_lines() {
        assert_eq!(Selection::head(0), Selection::Tail(0));
        let range = LineRange {
            first: 1,
            last: Some(1),
        };
        assert_eq!(Selection::head(1), Selection::Range(range));
    }

    #[test]
    fn ranges_are_read_and_mistakes_named() {
        let range = |first, last| Ok(LineRange { first, last });
        for (text, expected) in [
            ("3:7", range(3, Some(7))),
            ("3:", range(3, None)),
            (":7", range(1, Some(7))),
            ("5", range(5, Some(5))),
            ("5:5", range(5, Some(5))),
            (":", Err(RangeError::Form(":".to_owned()))),
            ("", Err(RangeError::Form(String::new()))),
            ("-3:", Err(RangeError::Form("-3:".to_owned()))),
            ("+3", Err(RangeError::Form("+3".to_owned()))),
            ("1:2:3", Err(RangeError::Form("1:2:3".to_owned()))),
            ("0:4", Err(RangeError::Zero("0:4".to_owned()))),
            (":0", Err(RangeError::Zero(":0".to_owned()))),
            ("7:3", Err(RangeError::Backwards("7:3".to_owned()))),
        ] {
            assert_eq!(text.parse(), expected, "{text}");
        }
    }

    #[test]
    fn lines_that_are_too_long_to_keep_are_left_out_before_a_match() {
        let mut around = AroundMatches::new(3);
        let mut numbers = Vec::new();
        let long = "x".repeat(BEFORE_MAX_BYTES);
        let mut taker = |picked: Picked<'_>| {
            numbers.extend(picked.number);
            ControlFlow::Continue(())
        };
        let _ = around.take_other(1, &long, &mut taker);
        let _ = around.take_other(2, "short", &mut taker);
        let _ = around.take_match(3, "match", &mut taker);
        assert_eq!(numbers, [2, 3]);
    }
}
