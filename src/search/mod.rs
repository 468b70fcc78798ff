//! SEARCH: finds a pattern in what sessions printed, ran and were noted with.
//!
//! `pattern` reads what is looked for. `scan` searches one text, buffer by buffer; `sequence` and
//! `line` read what steers a terminal, so that it is not in the way of a match; `bounds` knows where
//! lines begin and end, and their numbers; `context` chooses the lines that are shown, as [`Rows`]. `session` searches the parts of one session, and `turns`
//! many sessions on two threads, whose results come in the order of the sessions, which `queue` keeps.
//!
//! Invariants:
//! - The result is that of searching each line's text by itself, whatever the buffers.
//! - Memory is bounded, whatever the store: a few buffers, and some MiB of results that wait.
//! - A session that can't be read is reported, and the others are searched.

mod bounds;
mod context;
mod excerpt;
mod facts;
mod line;
mod pattern;
mod queue;
mod rows;
mod scan;
mod sequence;
mod session;
mod turns;

#[cfg(test)]
mod tests;

pub use bounds::Bounds;
pub use context::Context;
pub use facts::{Facts, Sessions};
pub use pattern::{Case, Pattern, PatternError, Span, Syntax};
pub use rows::{Part, Row, RowKind, Rows};
pub use scan::Wanted;
pub use turns::{Receiver, search};

/// Whether the places of matches in a row are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marks {
    /// They are, but for those beyond the first thousand of a line.
    Wanted,
    /// They aren't.
    Unwanted,
}

/// What is searched for, where, and what is wanted of it.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What is looked for.
    pub pattern: Pattern,
    /// Where.
    pub parts: Vec<Part>,
    /// What is wanted of the matches.
    pub wanted: Wanted,
    /// Whether rows tell where in their text the matches are; finding that out takes time.
    pub marks: Marks,
    /// The most matching lines of a session that are looked for.
    pub most: u64,
}
