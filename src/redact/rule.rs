//! The form of a token, read from a line of `rules.txt` when its keyword was found.
//!
//! Runs are greedy and never give back, so a form is checked in one pass over the token. Reading costs
//! some hundred nanoseconds and allocates nothing; keeping all forms ready would cost every start of
//! the program more than that.

use super::class::{self, Class};

/// The length at which a run that isn't bounded is no longer counted.
const UNBOUNDED: u16 = u16::MAX;
/// Tokens of a documented length are taken whole where they have become longer, up to this.
const GREATEST_BYTES: u16 = 255;
/// The most parts of one form.
const PARTS: usize = 10;

/// Bytes of one class, one after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    /// Which bytes.
    pub(super) class: Class,
    /// The least of them.
    pub(super) least: u16,
    /// The most that are taken.
    most: u16,
    /// Whether the length varies between tokens, so that reaching `least` doesn't mean the end.
    pub(super) varies: bool,
}

/// One part of a token.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    /// Exactly this text.
    Text(&'static str),
    /// A run of bytes.
    Run(Run),
}

/// What a token must look like besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// Anything but a place holder.
    Any,
    /// Drawn by lot.
    Random,
    /// Drawn by lot from digits, capitals and small letters.
    Mixed,
}

/// How one kind of token is built around its keyword.
#[derive(Clone, Copy, Debug)]
pub(super) struct Form {
    /// What stands before the keyword and belongs to the token.
    pub(super) before: Option<Run>,
    /// What follows the keyword.
    pub(super) parts: [Option<Part>; PARTS],
    /// Whether nothing of the last class may follow.
    pub(super) is_exact: bool,
    /// Whether it is no token where it is the name of a file.
    pub(super) is_bare: bool,
    /// What it must look like besides.
    pub(super) look: Look,
}

impl Run {
    /// A run without a greatest length.
    pub(super) fn many(class: Class) -> Self {
        Self {
            class,
            least: 1,
            most: UNBOUNDED,
            varies: true,
        }
    }

    /// The most that are taken, as a count.
    pub(super) fn limit(self) -> usize {
        if self.most == UNBOUNDED {
            usize::MAX
        } else {
            usize::from(self.most)
        }
    }

    /// The same class, and as many as there are, up to a count.
    pub(super) fn at_most(self, count: usize) -> Self {
        Self {
            least: 1,
            most: u16::try_from(count).unwrap_or(UNBOUNDED),
            ..self
        }
    }

    /// Reads `alnum{36+}`.
    fn read(text: &str) -> Option<Self> {
        let (class, lengths) = text.strip_suffix('}')?.rsplit_once('{')?;
        let class = match class.strip_prefix('[') {
            Some(bytes) => Class::of(bytes.strip_suffix(']')?),
            None => class::named(class)?,
        };
        let (least, most) = match lengths.split_once(',') {
            Some((least, "")) => (least, UNBOUNDED),
            Some((least, most)) => (least, most.parse().ok()?),
            None => match lengths.strip_suffix('+') {
                Some(least) => (least, GREATEST_BYTES),
                None => (lengths, lengths.parse().ok()?),
            },
        };
        Some(Self {
            class,
            least: least.parse().ok()?,
            most,
            varies: most == UNBOUNDED,
        })
    }
}

impl Form {
    /// Reads a form as `rules.txt` has it; none if it has mistakes.
    pub(super) fn read(text: &'static str) -> Option<Self> {
        let mut form = Self {
            before: None,
            parts: [None; PARTS],
            is_exact: false,
            is_bare: false,
            look: Look::Any,
        };
        let mut count = 0;
        for word in text.split_ascii_whitespace() {
            let part = match word {
                // Read with the keyword.
                "word" | "alone" | "apart" => continue,
                "end" => {
                    form.is_exact = true;
                    continue;
                }
                "bare" => {
                    form.is_bare = true;
                    continue;
                }
                "random" => {
                    form.look = Look::Random;
                    continue;
                }
                "mixed" => {
                    form.look = Look::Mixed;
                    continue;
                }
                _ => match (word.strip_prefix('<'), word.strip_prefix('"')) {
                    (Some(before), _) => {
                        form.before = Some(Run::read(before)?);
                        continue;
                    }
                    (_, Some(quoted)) => Part::Text(quoted.strip_suffix('"')?),
                    _ => Part::Run(Run::read(word)?),
                },
            };
            *form.parts.get_mut(count)? = Some(part);
            count += 1;
        }
        Some(form)
    }
}
