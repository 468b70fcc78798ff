//! Responsible for turning recorded terminal bytes into the text a person would have read: escape
//! sequences gone, progress bars at their last state, wrapped lines joined, full-screen programs left
//! out once they were left. Not responsible for making text safe to print (see `view::sanitize`; but no
//! control character ever comes out of here, but for the colours of a coloured line where they are
//! asked for), for redaction, or for reading files.
//!
//! Invariants: memory is bounded whatever the input; the same bytes give the same text in any chunks;
//! nothing here panics.
//!
//! Bytes flow `Renderer` → `plain` (the fast path, until a byte needs a terminal) or `control` →
//! `screen` → `row`, and leave through `lines`.

mod control;
mod lasting;
mod lines;
mod plain;
mod row;
mod screen;
mod style;
#[cfg(test)]
pub(super) mod tests;

use std::collections::VecDeque;

pub use lasting::Lasting;
pub use style::{Colour, Mark, Run, Style, runs};

use control::Terminal;
use lines::Lines;
use plain::Plain;
use screen::Screen;

/// Bytes that are worked on at a time; bounds what the fast path holds besides the screen.
const PORTION_BYTES: usize = 16 * 1024;

/// Most rows that are kept; inserting a row costs as much as there are rows.
const ROWS_LIMIT: usize = 1024;

/// Cells of the largest screen that is kept; a wider one has fewer rows.
const SCREEN_CELLS: usize = 512 * 1024;

/// Widest screen that is kept. A wider terminal is wrapped here, which joining lines undoes again.
const COLUMNS_LIMIT: usize = 4096;

/// What a line feed means for the recorded bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineFeed {
    /// Moves down only: the bytes come from a PTY with output post-processing (CRLF).
    Plain,
    /// Also returns to the first column: recorded without output post-processing.
    WithReturn,
}

/// What becomes of colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Colours {
    Dropped,
    Kept,
}

/// Renders recorded bytes as lines of text.
#[derive(Clone, Debug)]
pub struct Renderer {
    columns: usize,
    rows: usize,
    line_feed: LineFeed,
    colours: Colours,
    lines: Lines,
    model: Model,
}

/// What knows which text can still change.
#[derive(Clone, Debug)]
enum Model {
    Plain(Plain),
    Terminal(Box<Terminal>),
}

impl Renderer {
    /// Creates a renderer for a terminal of this size; sizes out of reason are corrected silently.
    #[must_use]
    pub fn new(columns: u16, rows: u16, line_feed: LineFeed) -> Self {
        let (columns, rows) = within_reason(columns, rows);
        let model = Model::Plain(Plain::new(columns, rows, line_feed));
        Self {
            columns,
            rows,
            line_feed,
            colours: Colours::Dropped,
            lines: Lines::default(),
            model,
        }
    }

    /// The same renderer, before its first byte, with coloured lines: [`runs`] reads them.
    #[must_use]
    pub fn coloured(mut self) -> Self {
        self.colours = Colours::Kept;
        self
    }

    /// Feeds bytes and hands each finished line, which can't change any more, to `line` in order and
    /// without its newline.
    ///
    /// A line of more than 1 MiB is handed over in pieces.
    pub fn feed(&mut self, bytes: &[u8], line: &mut dyn FnMut(&str)) {
        for portion in bytes.chunks(PORTION_BYTES) {
            let taken = match &mut self.model {
                Model::Plain(plain) => plain.take(portion, &mut self.lines, line),
                Model::Terminal(_) => 0,
            };
            if taken < portion.len() {
                self.terminal(line);
                if let Model::Terminal(terminal) = &mut self.model {
                    terminal.feed(&portion[taken..], &mut self.lines, line);
                }
            }
        }
    }

    /// Takes another size, corrected likewise: what is shown stays in its place, and what has none any more
    /// scrolls off the top.
    pub fn resize(&mut self, columns: u16, rows: u16, line: &mut dyn FnMut(&str)) {
        let size = within_reason(columns, rows);
        if size == (self.columns, self.rows) {
            return;
        }
        self.terminal(line);
        if let Model::Terminal(terminal) = &mut self.model {
            let screen = terminal.screen();
            screen.resize(size.0, size.1, &mut self.lines, line);
        }
        (self.columns, self.rows) = size;
    }

    /// Hands over what is still on the screen, without the blank lines at its end.
    ///
    /// If the bytes end on the alternate screen, that follows the main screen after a line that says so.
    pub fn finish(mut self, line: &mut dyn FnMut(&str)) {
        match self.model {
            Model::Plain(plain) => plain.finish(&mut self.lines, line),
            Model::Terminal(terminal) => terminal.finish(&mut self.lines, line),
        }
    }

    /// Hands over what is still on the screen and goes on; nothing while a full-screen program has it.
    pub fn unfinished(&self, line: &mut dyn FnMut(&str)) {
        let is_full_screen =
            matches!(&self.model, Model::Terminal(terminal) if terminal.is_alternate());
        if !is_full_screen {
            self.clone().finish(line);
        }
    }

    /// Brings the terminal to the state the fast path has reached, if it does not work already.
    fn terminal(&mut self, line: &mut dyn FnMut(&str)) {
        if let Model::Plain(plain) = &self.model {
            let line_feed_returns = self.line_feed == LineFeed::WithReturn;
            let continues = self.lines.is_open();
            let screen = Screen::new(self.columns, self.rows, line_feed_returns, continues);
            let mut terminal = Box::new(Terminal::new(screen, self.colours));
            plain.replay(terminal.screen(), &mut self.lines, line);
            self.model = Model::Terminal(terminal);
        }
    }

    /// Counts the bytes held, for tests of the memory bound.
    #[cfg(test)]
    fn retained_bytes(&self) -> usize {
        self.lines.retained_bytes()
            + match &self.model {
                Model::Plain(plain) => plain.retained_bytes(),
                Model::Terminal(terminal) => terminal.retained_bytes(),
            }
    }
}

/// The columns and rows of the screen that is kept for a terminal of this size.
fn within_reason(columns: u16, rows: u16) -> (usize, usize) {
    // A character of two cells needs two columns.
    let columns = usize::from(columns).clamp(2, COLUMNS_LIMIT);
    let rows = usize::from(rows).clamp(1, ROWS_LIMIT.min(SCREEN_CELLS / columns));
    (columns, rows)
}

/// Renders all bytes as text, its lines separated by newlines.
#[must_use]
pub fn plain_text(bytes: &[u8], columns: u16, rows: u16, line_feed: LineFeed) -> String {
    let mut text = Text::default();
    let mut renderer = Renderer::new(columns, rows, line_feed);
    renderer.feed(bytes, &mut |line| text.push(line));
    renderer.finish(&mut |line| text.push(line));
    text.joined
}

/// Renders the bytes and keeps the end of the text, at most `max_bytes` of it.
///
/// The text begins with a whole line unless the last line alone is too long. The bytes may begin inside
/// a character, which is then left out; they should not begin inside an escape sequence, because what
/// remains of it can't be told from text.
#[must_use]
pub fn tail(
    bytes: &[u8],
    columns: u16,
    rows: u16,
    line_feed: LineFeed,
    max_bytes: usize,
) -> String {
    let continuation = bytes
        .iter()
        .take(3)
        .take_while(|&&byte| (0x80..0xc0).contains(&byte))
        .count();
    let mut kept: VecDeque<String> = VecDeque::new();
    let mut kept_bytes = 0_usize;
    let mut keep = |line: &str| {
        let from = ceiling_boundary(line, line.len().saturating_sub(max_bytes));
        kept_bytes += line.len() - from + 1;
        kept.push_back(line[from..].to_owned());
        while kept_bytes > max_bytes.saturating_add(1) && kept.len() > 1 {
            kept_bytes -= kept.pop_front().map_or(0, |line| line.len() + 1);
        }
    };
    let mut renderer = Renderer::new(columns, rows, line_feed);
    renderer.feed(&bytes[continuation..], &mut keep);
    renderer.finish(&mut keep);
    let mut text = Text::default();
    kept.iter().for_each(|line| text.push(line));
    text.joined
}

/// Renders the bytes and keeps the beginning of the text, at most `max_bytes` of it.
///
/// The text ends with a whole line unless the first line alone is too long. Bytes after those that fill
/// it are not read.
#[must_use]
pub fn head(
    bytes: &[u8],
    columns: u16,
    rows: u16,
    line_feed: LineFeed,
    max_bytes: usize,
) -> String {
    let mut text = Text::default();
    let mut renderer = Renderer::new(columns, rows, line_feed);
    for portion in bytes.chunks(PORTION_BYTES) {
        renderer.feed(portion, &mut |line| text.push_within(line, max_bytes));
        if text.is_full {
            return text.joined;
        }
    }
    renderer.finish(&mut |line| text.push_within(line, max_bytes));
    text.joined
}

/// Lines joined by newlines.
#[derive(Debug, Default)]
struct Text {
    joined: String,
    has_lines: bool,
    is_full: bool,
}

impl Text {
    fn push(&mut self, line: &str) {
        if self.has_lines {
            self.joined.push('\n');
        }
        self.has_lines = true;
        self.joined.push_str(line);
    }

    fn push_within(&mut self, line: &str, max_bytes: usize) {
        let separator = usize::from(self.has_lines);
        if !self.is_full && self.joined.len() + separator + line.len() <= max_bytes {
            self.push(line);
            return;
        }
        if !self.has_lines {
            self.push(&line[..floor_boundary(line, max_bytes)]);
        }
        self.is_full = true;
    }
}

fn floor_boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len()))
        .rev()
        .find(|&at| text.is_char_boundary(at))
        .unwrap_or(0)
}

fn ceiling_boundary(text: &str, at: usize) -> usize {
    (at..text.len())
        .find(|&at| text.is_char_boundary(at))
        .unwrap_or(text.len())
}
