//! Responsible for the common case, printable ASCII in lines, without a terminal model: keeps the text
//! that a terminal would still show and hands over what has scrolled off. Not responsible for anything
//! that needs a cursor; it stops at the first such byte and its text is then replayed on a screen.
//!
//! Invariant: what is kept fills the screen whenever the terminal's screen would be full, so that a
//! screen on which it is replayed ends in the very state it would have had.

use std::collections::VecDeque;

use super::LineFeed;
use super::lines::{Lines, Receiver};
use super::screen::Screen;

/// Bytes of handed-over text that may stay in front of the kept text before it is moved down.
const SLACK_BYTES: usize = 16 * 1024;

/// Distance between two tab stops, in columns.
pub(super) const TAB_COLUMNS: usize = 8;

/// Plain text that is still on the screen.
#[derive(Clone, Debug)]
pub(super) struct Plain {
    columns: usize,
    rows: usize,
    line_feed: LineFeed,
    /// Printable ASCII only: the kept lines one after the other, then the open line.
    text: Vec<u8>,
    /// Where the kept text begins in `text`.
    start: usize,
    /// Lengths of the kept lines that have ended.
    ended: VecDeque<usize>,
    /// Screen rows that the ended lines take.
    ended_rows: usize,
    /// Length of the line that has not ended.
    open: usize,
    /// The last character of the input that was printed, which a terminal can be asked to repeat.
    last_printed: char,
    /// Whether a carriage return came after the text of the open line.
    returned: bool,
}

impl Plain {
    pub(super) fn new(columns: usize, rows: usize, line_feed: LineFeed) -> Self {
        Self {
            columns,
            rows,
            line_feed,
            text: Vec::new(),
            start: 0,
            ended: VecDeque::new(),
            ended_rows: 0,
            open: 0,
            last_printed: ' ',
            returned: false,
        }
    }

    /// Takes bytes up to the first that needs a terminal and returns how many it took.
    pub(super) fn take(
        &mut self,
        bytes: &[u8],
        lines: &mut Lines,
        receiver: &mut Receiver<'_>,
    ) -> usize {
        let mut taken = 0;
        while taken < bytes.len() {
            let rest = &bytes[taken..];
            let run = if self.returned {
                0
            } else {
                printable_prefix(rest)
            };
            self.text.extend_from_slice(&rest[..run]);
            self.open += run;
            if let Some(&last) = rest[..run].last() {
                self.last_printed = char::from(last);
            }
            taken += run;
            let Some(&byte) = rest.get(run) else { break };
            let stays_plain = match byte {
                b'\n' => self.line_feed(lines, receiver),
                b'\r' => {
                    self.returned = self.open > 0;
                    true
                }
                b'\t' => self.tab(),
                _ => false,
            };
            if !stays_plain {
                break;
            }
            taken += 1;
        }
        self.release_open_rows(lines, receiver);
        if self.start >= SLACK_BYTES {
            self.text.drain(..self.start);
            self.start = 0;
        }
        taken
    }

    /// Prints what is kept on a fresh screen.
    pub(super) fn replay(
        &self,
        screen: &mut Screen,
        lines: &mut Lines,
        receiver: &mut Receiver<'_>,
    ) {
        let mut from = self.start;
        for &length in &self.ended {
            screen.print_ascii(&self.text[from..from + length], lines, receiver);
            screen.carriage_return();
            screen.line_feed(lines, receiver);
            from += length;
        }
        screen.print_ascii(&self.text[from..], lines, receiver);
        screen.set_last_printed(self.last_printed);
        if self.returned {
            screen.carriage_return();
        }
    }

    /// Hands over everything that is kept.
    pub(super) fn finish(mut self, lines: &mut Lines, receiver: &mut Receiver<'_>) {
        while let Some(length) = self.ended.pop_front() {
            lines.whole(self.cut(length), receiver);
        }
        lines.append(self.cut(self.open), receiver);
        lines.end_open(receiver);
    }

    /// Counts the bytes held, for tests of the memory bound.
    #[cfg(test)]
    pub(super) fn retained_bytes(&self) -> usize {
        self.text.capacity() + self.ended.capacity() * size_of::<usize>()
    }

    fn line_feed(&mut self, lines: &mut Lines, receiver: &mut Receiver<'_>) -> bool {
        let at_first_column = self.open == 0 || self.returned;
        if !at_first_column && matches!(self.line_feed, LineFeed::Plain) {
            return false;
        }
        self.ended.push_back(self.open);
        self.ended_rows += self.rows_of(self.open);
        self.open = 0;
        self.returned = false;
        self.release_ended(lines, receiver);
        true
    }

    /// Expands a tab, unless the edge of the screen decides where it ends.
    fn tab(&mut self) -> bool {
        let column = self.open % self.columns;
        let wrap_is_due = self.open > 0 && column == 0;
        let stop = (column / TAB_COLUMNS + 1) * TAB_COLUMNS;
        if self.returned || wrap_is_due || stop >= self.columns {
            return false;
        }
        self.text.resize(self.text.len() + (stop - column), b' ');
        self.open += stop - column;
        true
    }

    fn release_ended(&mut self, lines: &mut Lines, receiver: &mut Receiver<'_>) {
        while let Some(&length) = self.ended.front() {
            let rows = self.rows_of(length);
            // The row of the cursor is the one row that is not counted in `ended_rows`.
            if self.ended_rows - rows + 1 < self.rows {
                break;
            }
            self.ended.pop_front();
            self.ended_rows -= rows;
            lines.whole(self.cut(length), receiver);
        }
    }

    /// Hands over the rows of a line that is longer than the screen, so that it is never kept whole.
    fn release_open_rows(&mut self, lines: &mut Lines, receiver: &mut Receiver<'_>) {
        let open_rows = self.rows_of(self.open);
        if open_rows <= self.rows {
            return;
        }
        while let Some(length) = self.ended.pop_front() {
            lines.whole(self.cut(length), receiver);
        }
        self.ended_rows = 0;
        let length = (open_rows - self.rows) * self.columns;
        self.open -= length;
        lines.append(self.cut(length), receiver);
    }

    /// Cuts text from the front of what is kept.
    fn cut(&mut self, length: usize) -> &str {
        let from = self.start;
        self.start += length;
        // Printable ASCII is always valid.
        str::from_utf8(&self.text[from..self.start]).unwrap_or_default()
    }

    fn rows_of(&self, length: usize) -> usize {
        if length <= self.columns {
            1
        } else {
            length.div_ceil(self.columns)
        }
    }
}

/// Counts the printable ASCII bytes at the beginning.
pub(super) fn printable_prefix(bytes: &[u8]) -> usize {
    const BLOCK: usize = 32;
    let is_printable = |byte: u8| byte.wrapping_sub(b' ') < 0x7f - b' ';
    let mut length = 0;
    // Whole blocks without an early exit are compared many bytes at a time.
    for block in bytes.chunks_exact(BLOCK) {
        if !block
            .iter()
            .fold(true, |all, &byte| all & is_printable(byte))
        {
            break;
        }
        length += BLOCK;
    }
    let rest = &bytes[length..];
    length
        + rest
            .iter()
            .position(|&byte| !is_printable(byte))
            .unwrap_or(rest.len())
}
