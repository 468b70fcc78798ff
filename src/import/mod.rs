//! RECORDINGS OF OTHER PROGRAMS: reads them as what aido would have recorded, as far as they prove it.
//!
//! Responsible for asciicast, for the typescripts of util-linux `script`, and for the sidecars of the
//! original, the shell script that aido takes after. Not responsible for files, nor for the store.
//!
//! Invariants: memory is bounded and nothing panics, whatever a file holds. What a file doesn't prove is
//! not made up: a field stays empty and a doubt says so. Input that was recorded is never taken.

pub mod asciicast;
pub mod original;
pub mod pieces;
pub mod typescript;

use std::io;

use crate::session::{Size, Timestamp};
use crate::transcript::timeline::Moment;

/// What a recording says of itself, besides what happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The form of the file, such as `asciicast 2`.
    pub format: String,
    /// Its name, if it has one.
    pub title: Option<String>,
    /// The command line.
    pub command: Option<String>,
    /// When it began.
    pub began: Option<Timestamp>,
    /// The size of its terminal.
    pub size: Option<Size>,
    /// `TERM`.
    pub terminal: Option<String>,
    /// `SHELL`.
    pub shell: Option<String>,
}

/// A foreign recording that is read.
pub trait Recording {
    /// The next thing that happened; none after the last, or where the file stops making sense.
    ///
    /// # Errors
    /// When the file can't be read.
    fn next_moment(&mut self) -> io::Result<Option<Moment<'_>>>;

    /// What could not be proved so far, in words.
    fn doubts(&mut self) -> Vec<String>;
}

/// A line without its end, or why there is none.
#[derive(Debug, PartialEq, Eq)]
enum Line {
    Whole,
    /// Without a newline: the file ends in it.
    Last,
    TooLong,
    None,
}

/// Reads a line of at most so many bytes.
fn read_line(file: &mut impl io::BufRead, most_bytes: u64, line: &mut Vec<u8>) -> io::Result<Line> {
    use io::{BufRead as _, Read as _};
    line.clear();
    file.by_ref().take(most_bytes).read_until(b'\n', line)?;
    Ok(match line.last() {
        None => Line::None,
        Some(b'\n') => {
            line.pop();
            if line.last() == Some(&b'\r') {
                line.pop();
            }
            Line::Whole
        }
        Some(_) if line.len() as u64 == most_bytes => Line::TooLong,
        Some(_) => Line::Last,
    })
}

/// A number that a size can have.
fn size_of(columns: u64, rows: u64) -> Option<Size> {
    let part = |value: u64| u16::try_from(value).ok().filter(|value| *value > 0);
    Some(Size {
        columns: part(columns)?,
        rows: part(rows)?,
    })
}
