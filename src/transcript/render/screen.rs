//! Responsible for what a terminal shows: the rows of the main and the alternate screen, the cursor and
//! the modes that change where text lands. Rows that scroll off the main screen become lines. Not
//! responsible for reading escape sequences, nor for anything that is not text (titles, images).
//!
//! Invariants: the cursor is on the screen, the scrolling region is not empty, and every loop is bounded
//! by the size of the screen, whatever count a sequence asks for.

mod edit;
mod motion;
mod size;

use std::collections::VecDeque;

use unicode_width::UnicodeWidthChar;

use super::lines::{Lines, Receiver};
use super::plain::TAB_COLUMNS;
use super::row::Row;
use super::style::Style;

/// Stands before the last picture of a program that was still on the alternate screen at the end.
const LAST_FRAME_MARKER: &str = "[last full-screen frame]";

/// The DEC special graphics for the bytes 0x5f to 0x7e.
const GRAPHICS: [char; 32] = [
    ' ', '◆', '▒', '␉', '␌', '␍', '␊', '°', '±', '␤', '␋', '┘', '┐', '┌', '└', '┼', '⎺', '⎻', '─',
    '⎼', '⎽', '├', '┤', '┴', '┬', '│', '≤', '≥', 'π', '≠', '£', '·',
];

/// Where the next character goes, and what a program saves and restores with it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cursor {
    pub(super) row: usize,
    pub(super) column: usize,
    /// Whether the last column was written and the next character goes to the next row.
    wrap_is_due: bool,
    /// Whether G0 and G1 hold line-drawing characters.
    pub(super) graphics: [bool; 2],
    /// Which of G0 and G1 is in use.
    pub(super) charset: usize,
    pub(super) origin: bool,
    /// How what is printed looks; always the default where colours are dropped.
    pub(super) pen: Style,
}

#[derive(Clone, Debug)]
struct Grid {
    rows: VecDeque<Row>,
    cursor: Cursor,
    saved: Cursor,
}

impl Grid {
    fn new(rows: usize) -> Self {
        let rows = (0..rows).map(|_| Row::default()).collect();
        Self {
            rows,
            cursor: Cursor::default(),
            saved: Cursor::default(),
        }
    }

    fn visible_rows(&self) -> usize {
        self.rows
            .iter()
            .rposition(|row| !row.is_blank())
            .map_or(0, |last| last + 1)
    }
}

/// A screen of fixed size.
#[derive(Clone, Debug)]
pub(super) struct Screen {
    columns: usize,
    rows: usize,
    /// The screen in use.
    grid: Grid,
    /// The screen not in use; absent until a program asks for the alternate screen.
    other: Option<Grid>,
    is_alternate: bool,
    /// First row of the scrolling region, and the row after its last.
    region: (usize, usize),
    pub(super) autowrap: bool,
    pub(super) insert: bool,
    line_feed_returns: bool,
    tabs: Vec<bool>,
    last_printed: char,
    /// Whether the next character in the first column continues the row above.
    continues: bool,
    scratch: String,
}

impl Screen {
    /// Makes an empty screen; `continues` tells that its first row continues an open line.
    pub(super) fn new(
        columns: usize,
        rows: usize,
        line_feed_returns: bool,
        continues: bool,
    ) -> Self {
        Self {
            columns,
            rows,
            grid: Grid::new(rows),
            other: None,
            is_alternate: false,
            region: (0, rows),
            autowrap: true,
            insert: false,
            line_feed_returns,
            tabs: (0..columns)
                .map(|column| column % TAB_COLUMNS == 0)
                .collect(),
            last_printed: ' ',
            continues,
            scratch: String::new(),
        }
    }

    /// Gives access to the cursor's character sets.
    pub(super) fn cursor(&mut self) -> &mut Cursor {
        &mut self.grid.cursor
    }

    /// Prints printable ASCII bytes.
    pub(super) fn print_ascii(
        &mut self,
        mut bytes: &[u8],
        lines: &mut Lines,
        receiver: &mut Receiver<'_>,
    ) {
        let cursor = &self.grid.cursor;
        if self.insert || !self.autowrap || cursor.graphics[cursor.charset] {
            for &byte in bytes {
                self.print(char::from(byte), lines, receiver);
            }
            return;
        }
        if let Some(&last) = bytes.last() {
            self.last_printed = char::from(last);
        }
        while !bytes.is_empty() {
            self.wrap_if_due(lines, receiver);
            self.begin_line(lines, receiver);
            let Cursor {
                row, column, pen, ..
            } = self.grid.cursor;
            let (now, later) = bytes.split_at(bytes.len().min(self.columns - column));
            self.grid.rows[row].write_ascii(column, now);
            self.grid.rows[row].paint(column, column + now.len(), pen);
            self.advance(now.len());
            bytes = later;
        }
    }

    /// Prints a character; a control character is dropped.
    pub(super) fn print(
        &mut self,
        character: char,
        lines: &mut Lines,
        receiver: &mut Receiver<'_>,
    ) {
        let cursor = &self.grid.cursor;
        let character = match u32::from(character).checked_sub(0x5f) {
            Some(index) if index < 32 && cursor.graphics[cursor.charset] => {
                GRAPHICS[index as usize]
            }
            _ => character,
        };
        let Some(width) = character.width() else {
            return;
        };
        if width == 0 {
            let back = usize::from(!cursor.wrap_is_due);
            let Cursor { row, column, .. } = *cursor;
            self.grid.rows[row].mark(column.saturating_sub(back), character);
            return;
        }
        self.wrap_if_due(lines, receiver);
        if width > 1 && self.grid.cursor.column + 1 == self.columns {
            let Cursor { row, column, .. } = self.grid.cursor;
            if !self.autowrap {
                return;
            }
            self.grid.rows[row].leave_free(column);
            self.wrap(lines, receiver);
        }
        self.begin_line(lines, receiver);
        let Cursor {
            row, column, pen, ..
        } = self.grid.cursor;
        let row = &mut self.grid.rows[row];
        if self.insert {
            row.insert_blanks(column, width.min(2), self.columns);
        }
        if width == 1 {
            row.write(column, character);
        } else {
            row.write_wide(column, character);
        }
        row.paint(column, column + width.min(2), pen);
        self.advance(width.min(2));
        self.last_printed = character;
    }

    /// Sets which character is the last that was printed.
    pub(super) fn set_last_printed(&mut self, character: char) {
        self.last_printed = character;
    }

    /// Prints the last character again.
    pub(super) fn repeat(&mut self, count: usize, lines: &mut Lines, receiver: &mut Receiver<'_>) {
        for _ in 0..count.min(self.columns) {
            self.print(self.last_printed, lines, receiver);
        }
    }

    /// Moves down and, where line feeds do so, to the first column.
    pub(super) fn line_feed(&mut self, lines: &mut Lines, receiver: &mut Receiver<'_>) {
        if self.line_feed_returns {
            self.carriage_return();
        }
        self.index(lines, receiver);
    }

    /// Moves down, scrolling at the bottom of the region.
    pub(super) fn index(&mut self, lines: &mut Lines, receiver: &mut Receiver<'_>) {
        let row = self.grid.cursor.row;
        if row + 1 == self.region.1 {
            self.scroll_up(self.region.0, 1, lines, receiver);
        } else if row + 1 < self.rows {
            self.grid.cursor.row += 1;
        }
    }

    /// Moves up, scrolling at the top of the region.
    pub(super) fn reverse_index(&mut self) {
        let row = self.grid.cursor.row;
        if row == self.region.0 {
            self.scroll_down(row, 1);
        } else {
            self.grid.cursor.row = row.saturating_sub(1);
        }
    }

    /// Blanks the screen; what the main screen showed was read and becomes lines.
    pub(super) fn erase_all(&mut self, lines: &mut Lines, receiver: &mut Receiver<'_>) {
        if !self.is_alternate {
            for row in 0..self.grid.visible_rows() {
                self.read_row(row, lines, receiver);
            }
            lines.end_open(receiver);
        }
        self.grid.rows.iter_mut().for_each(Row::clear);
    }

    /// Tells whether the alternate screen is in use.
    pub(super) fn is_alternate(&self) -> bool {
        self.is_alternate
    }

    /// Goes to the alternate screen, which is empty, or back to the main screen as it was.
    pub(super) fn use_alternate(&mut self, alternate: bool) {
        if self.is_alternate == alternate {
            return;
        }
        let other = self.other.take().unwrap_or_else(|| Grid::new(self.rows));
        let left = std::mem::replace(&mut self.grid, other);
        self.grid.cursor = left.cursor;
        if alternate {
            self.grid.rows.iter_mut().for_each(Row::clear);
        }
        self.other = Some(left);
        self.is_alternate = alternate;
    }

    /// Starts anew on an empty main screen; what it showed becomes lines.
    pub(super) fn reset(&mut self, lines: &mut Lines, receiver: &mut Receiver<'_>) {
        self.use_alternate(false);
        self.erase_all(lines, receiver);
        *self = Self::new(self.columns, self.rows, self.line_feed_returns, false);
    }

    /// Puts the modes back but keeps what is shown.
    pub(super) fn soft_reset(&mut self) {
        self.region = (0, self.rows);
        self.autowrap = true;
        self.insert = false;
        self.grid.cursor.graphics = [false; 2];
        self.grid.cursor.charset = 0;
        self.grid.cursor.origin = false;
        self.grid.cursor.pen = Style::default();
    }

    /// Hands over what is shown.
    pub(super) fn finish(mut self, lines: &mut Lines, receiver: &mut Receiver<'_>) {
        let has_frame = self.is_alternate && self.grid.visible_rows() > 0;
        let frame = has_frame.then(|| std::mem::take(&mut self.grid.rows));
        self.use_alternate(false);
        self.erase_all(lines, receiver);
        if let Some(frame) = frame {
            lines.whole(LAST_FRAME_MARKER, receiver);
            self.grid.rows = frame;
            self.erase_all(lines, receiver);
        }
    }

    /// Counts the bytes held, for tests of the memory bound.
    #[cfg(test)]
    pub(super) fn retained_bytes(&self) -> usize {
        let of_grid = |grid: &Grid| -> usize {
            grid.rows
                .iter()
                .map(|row| row.retained_bytes() + size_of::<Row>())
                .sum()
        };
        of_grid(&self.grid) + self.other.as_ref().map_or(0, of_grid) + self.scratch.capacity()
    }

    fn advance(&mut self, width: usize) {
        let cursor = &mut self.grid.cursor;
        cursor.wrap_is_due = cursor.column + width >= self.columns;
        cursor.column = (cursor.column + width).min(self.columns - 1);
    }

    fn wrap_if_due(&mut self, lines: &mut Lines, receiver: &mut Receiver<'_>) {
        if self.grid.cursor.wrap_is_due && self.autowrap {
            self.wrap(lines, receiver);
        }
    }

    fn wrap(&mut self, lines: &mut Lines, receiver: &mut Receiver<'_>) {
        self.grid.rows[self.grid.cursor.row].set_wrapped(self.columns);
        self.set_column(0);
        self.index(lines, receiver);
        self.continues = true;
    }

    /// Cuts the row off from the one above if a program, not the terminal, went to its first column:
    /// a progress bar that is too wide is written again and again, not one endless line.
    fn begin_line(&mut self, lines: &mut Lines, receiver: &mut Receiver<'_>) {
        if self.grid.cursor.column == 0 && !std::mem::take(&mut self.continues) {
            match self.grid.cursor.row.checked_sub(1) {
                Some(above) => self.grid.rows[above].end_line(),
                None if self.is_alternate => {}
                None => lines.end_open(receiver),
            }
        }
    }

    fn scroll_up(
        &mut self,
        top: usize,
        count: usize,
        lines: &mut Lines,
        receiver: &mut Receiver<'_>,
    ) {
        let count = count.min(self.region.1 - top);
        if top == 0 && !self.is_alternate {
            let read = if count == 1 {
                1
            } else {
                count.min(self.grid.visible_rows())
            };
            for row in 0..read {
                self.read_row(row, lines, receiver);
            }
        }
        self.rotate_up(top, count);
    }

    /// Moves the rows of the region below `top` up, over `count` rows.
    fn rotate_up(&mut self, top: usize, count: usize) {
        let end = self.region.1;
        if top == 0 && end == self.rows {
            self.grid.rows.rotate_left(count);
        } else {
            self.grid.rows.make_contiguous()[top..end].rotate_left(count);
        }
        self.grid
            .rows
            .range_mut(end - count..end)
            .for_each(Row::clear);
    }

    fn scroll_down(&mut self, top: usize, count: usize) {
        let end = self.region.1;
        let count = count.min(end - top);
        self.grid.rows.make_contiguous()[top..end].rotate_right(count);
        self.grid
            .rows
            .range_mut(top..top + count)
            .for_each(Row::clear);
    }

    fn read_row(&mut self, row: usize, lines: &mut Lines, receiver: &mut Receiver<'_>) {
        let row = &mut self.grid.rows[row];
        self.scratch.clear();
        row.read(&mut self.scratch);
        lines.append(&self.scratch, receiver);
        if !row.is_wrapped() {
            lines.end(receiver);
        }
    }
}
