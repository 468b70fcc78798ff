//! A TERMINAL'S SCREEN: what a program drew, with colours, cursor and modes, in bounded memory.
//!
//! `parser` finds characters and sequences; `control` gives them their effect with `motion`, `whole`,
//! `sgr` and `modes`; `grid` holds the cells and `line` what left the screen; `paint` draws it on another
//! terminal, and `snapshot` is what is handed on. Whoever records text alone uses `transcript::render`,
//! which keeps less.
//!
//! Invariants: memory is bounded whatever the input; the same bytes make the same screen however they
//! are cut; nothing panics on any bytes or size.

mod cell;
mod control;
mod grid;
mod line;
mod modes;
mod motion;
mod paint;
mod parser;
mod sgr;
mod snapshot;
#[cfg(test)]
mod tests;
mod whole;

pub use cell::{Attributes, Color, Style};
pub use grid::SCROLLBACK_ROWS;
pub use line::{Line, Run};
pub use modes::{Modes, Mouse};
pub use paint::Painter;
pub use snapshot::{Cursor, Snapshot};

use std::panic::AssertUnwindSafe;

use grid::Grid;
use parser::Parser;

use crate::session::Size;

/// The largest screen, in columns and in rows.
pub const LARGEST: u16 = 1000;

/// What a line feed does besides going down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineFeed {
    /// Nothing.
    Plain,
    /// It returns to the first column: the terminal passed on bare ones.
    Returns,
}

/// A terminal's screen.
#[derive(Clone, Debug)]
pub struct Screen {
    parser: Parser,
    state: State,
}

impl Screen {
    /// An empty screen.
    #[must_use]
    pub fn new(size: Size) -> Self {
        Self {
            parser: Parser::default(),
            state: State::new(fitting(size)),
        }
    }

    /// The same screen, on which a line feed does this.
    #[must_use]
    pub fn with_line_feed(mut self, line_feed: LineFeed) -> Self {
        self.state.modes.returns = line_feed == LineFeed::Returns;
        self
    }

    /// Takes what the program wrote.
    pub fn feed(&mut self, bytes: &[u8]) {
        // One stamp for all of it: what came at once is equally new.
        self.state.stamp += bytes.len() as u64;
        let bytes = match self.parser.is_between() {
            true => self.state.without_what_scrolls_away(bytes),
            false => bytes,
        };
        self.parser.feed(bytes, &mut self.state);
    }

    /// The same for a program that must go on: a fault of this model costs the picture, which begins
    /// anew, and nothing else.
    pub fn feed_or_begin_anew(&mut self, bytes: &[u8]) {
        self.survive(|screen| screen.feed(bytes));
    }

    fn survive(&mut self, act: impl FnOnce(&mut Self)) {
        let survived = std::panic::catch_unwind(AssertUnwindSafe(|| act(self)));
        if survived.is_err() {
            let mut state = State::new(self.state.size);
            // What is new is told by how much output there was, so that goes on.
            state.stamp = self.state.stamp;
            state.modes.returns = self.state.modes.returns;
            *self = Self {
                parser: Parser::default(),
                state,
            };
        }
    }

    /// Gives the window another size.
    pub fn resize(&mut self, size: Size) {
        self.state.resize(fitting(size));
    }

    /// The window's size.
    #[must_use]
    pub fn size(&self) -> Size {
        self.state.size
    }

    /// How much output there was, in bytes.
    #[must_use]
    pub fn stamp(&self) -> u64 {
        self.state.stamp
    }

    /// Answers to what the program asked its terminal, to be typed to it.
    #[must_use]
    pub fn take_replies(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.state.replies)
    }

    /// What the program asked its terminal to do.
    #[must_use]
    pub fn modes(&self) -> &Modes {
        &self.state.modes
    }

    /// How often it rang, or asked for attention.
    #[must_use]
    pub fn bells(&self) -> u64 {
        self.state.bells
    }

    /// How much output there was when it last rang, in bytes.
    #[must_use]
    pub fn bell_stamp(&self) -> u64 {
        self.state.bell_stamp
    }

    /// The window's title, as the program set it: not harmless.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.state.title
    }

    /// Whether a full-screen program has the screen.
    #[must_use]
    pub fn is_alternate(&self) -> bool {
        self.state.alternate.is_some()
    }

    /// The rows on the screen.
    pub fn lines(&self) -> impl Iterator<Item = Line> + '_ {
        let rows = self.state.grid().rows();
        rows.map(|row| Line {
            wrapped: row.wrapped,
            ..Line::of(row.used())
        })
    }

    /// How many rows ever left the screen at its top. Those never change any more.
    #[must_use]
    pub fn rows_left(&self) -> u64 {
        self.state.primary.left()
    }

    /// What left the screen at its top, the oldest first.
    pub fn scrollback(&self) -> impl DoubleEndedIterator<Item = &Line> {
        self.state.primary.scrollback()
    }
}

/// A size that a screen can have: a wide character needs two columns.
fn fitting(size: Size) -> Size {
    Size {
        columns: size.columns.clamp(2, LARGEST),
        rows: size.rows.clamp(1, LARGEST),
    }
}

/// Where the next character goes, and how it will look.
#[derive(Clone, Copy, Debug, Default)]
struct Pen {
    row: usize,
    column: usize,
    /// The last column was written; the next character goes to the next row.
    wraps: bool,
    style: Style,
    /// Rows count from the region's top.
    origin: bool,
    /// Which of the two character sets holds lines and boxes.
    graphics: [bool; 2],
    shifted: bool,
}

/// All but what is being read.
#[derive(Clone, Debug)]
struct State {
    size: Size,
    primary: Grid,
    /// While a full-screen program has the screen.
    alternate: Option<Grid>,
    pen: Pen,
    /// What DECSC kept on the primary and on the alternate screen.
    saved: [Pen; 2],
    modes: Modes,
    tabs: Vec<bool>,
    title: String,
    bells: u64,
    bell_stamp: u64,
    replies: Vec<u8>,
    stamp: u64,
    /// What REP repeats.
    last: Option<char>,
}

impl State {
    fn new(size: Size) -> Self {
        Self {
            size,
            primary: Grid::new(size, true),
            alternate: None,
            pen: Pen::default(),
            saved: [Pen::default(); 2],
            modes: Modes::default(),
            tabs: default_tabs(size.columns),
            title: String::new(),
            bells: 0,
            bell_stamp: 0,
            replies: Vec::new(),
            stamp: 0,
            last: None,
        }
    }

    fn grid(&self) -> &Grid {
        self.alternate.as_ref().unwrap_or(&self.primary)
    }

    fn grid_mut(&mut self) -> &mut Grid {
        self.alternate.as_mut().unwrap_or(&mut self.primary)
    }

    fn resize(&mut self, size: Size) {
        if size == self.size {
            return;
        }
        self.size = size;
        let (columns, rows) = (usize::from(size.columns), usize::from(size.rows));
        let primary_row = match self.alternate {
            Some(_) => self.saved[0].row,
            None => self.pen.row,
        };
        let gone = self.primary.resize(size, primary_row);
        match &mut self.alternate {
            Some(alternate) => {
                let gone_there = alternate.resize(size, self.pen.row);
                self.pen.row -= gone_there.min(self.pen.row);
                self.saved[0].row -= gone.min(self.saved[0].row);
            }
            None => self.pen.row -= gone.min(self.pen.row),
        }
        for pen in [&mut self.pen].into_iter().chain(&mut self.saved) {
            pen.row = pen.row.min(rows - 1);
            pen.column = pen.column.min(columns - 1);
            pen.wraps = false;
        }
        self.tabs = default_tabs(size.columns);
    }

    /// Of a flood of plain lines, those that would be on the screen or kept: nobody sees the others.
    fn without_what_scrolls_away<'b>(&self, bytes: &'b [u8]) -> &'b [u8] {
        let kept = SCROLLBACK_ROWS + usize::from(self.size.rows);
        // A line takes two bytes at least.
        let is_flood = bytes.len() > 2 * kept
            && self.alternate.is_none()
            && self.primary.region == (0, self.primary.height());
        if !is_flood {
            return bytes;
        }
        let mut ends = memchr::memrchr_iter(b'\n', bytes);
        let Some(start) = ends.nth(kept) else {
            return bytes;
        };
        let skipped = &bytes[..start];
        let is_plain = |byte: &u8| matches!(byte, b'\n' | b'\r' | 0x20..=0x7e);
        // What comes after a carriage return and a line feed doesn't depend on what was before.
        match skipped.ends_with(b"\r") && skipped.iter().all(is_plain) {
            true => &bytes[start - 1..],
            false => bytes,
        }
    }
}

fn default_tabs(columns: u16) -> Vec<bool> {
    (0..columns).map(|column| column % 8 == 0).collect()
}
