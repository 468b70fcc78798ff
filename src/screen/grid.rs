//! Cells in rows: writing, erasing and moving them. Knows no control sequence.

use std::collections::VecDeque;

use super::cell::{Cell, Style};
use super::line::Line;
use crate::session::Size;

/// Rows that left the screen at its top and are kept.
pub const SCROLLBACK_ROWS: usize = 1000;

/// One row.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// Its cells, as many as there are columns.
    pub(super) cells: Vec<Cell>,
    /// Whether the next row goes on with it.
    pub(super) wrapped: bool,
    /// All cells from here on are blank and were never written: most rows are short, and clearing
    /// them is most of what a flood of lines costs.
    used: usize,
}

impl Row {
    fn blank(columns: usize) -> Self {
        Self {
            cells: vec![Cell::blank(Style::default()); columns],
            wrapped: false,
            used: 0,
        }
    }

    fn clear(&mut self, style: Style) {
        let is_plain = style == Style::default();
        let end = if is_plain {
            self.used
        } else {
            self.cells.len()
        };
        self.cells[..end].fill(Cell::blank(style));
        self.used = if is_plain { 0 } else { end };
        self.wrapped = false;
    }

    /// The cells that may not be blank.
    #[must_use]
    pub(super) fn used(&self) -> &[Cell] {
        &self.cells[..self.used]
    }

    /// Makes what is left of a wide character a blank, at a border where something is about to change.
    fn split_wide_at(&mut self, column: usize) {
        if self.cells.get(column).is_some_and(|cell| cell.columns == 0) && column > 0 {
            for index in [column - 1, column] {
                self.cells[index] = Cell::blank(self.cells[index].style.erased());
            }
        }
    }
}

/// A screen's cells, and what went out of it at the top.
#[derive(Clone, Debug)]
pub(super) struct Grid {
    rows: VecDeque<Row>,
    columns: usize,
    /// The rows that scroll: from the first to before the second.
    pub(super) region: (usize, usize),
    /// None where what leaves at the top is gone.
    scrollback: Option<VecDeque<Line>>,
    /// How many ever left.
    left: u64,
}

impl Grid {
    /// An empty screen.
    #[must_use]
    pub(super) fn new(size: Size, keeps_scrollback: bool) -> Self {
        let (columns, rows) = (usize::from(size.columns), usize::from(size.rows));
        let row = Row::blank(columns);
        Self {
            rows: std::iter::repeat_n(row, rows).collect(),
            columns,
            region: (0, rows),
            scrollback: keeps_scrollback.then(VecDeque::new),
            left: 0,
        }
    }

    /// How many rows there are.
    #[must_use]
    pub(super) fn height(&self) -> usize {
        self.rows.len()
    }

    /// How many columns there are.
    #[must_use]
    pub(super) fn width(&self) -> usize {
        self.columns
    }

    /// The rows, from the top.
    pub(super) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter()
    }

    /// A row.
    #[must_use]
    pub(super) fn row(&self, index: usize) -> Option<&Row> {
        self.rows.get(index)
    }

    /// What left at the top, the oldest first.
    pub(super) fn scrollback(&self) -> impl DoubleEndedIterator<Item = &Line> {
        self.scrollback.iter().flatten()
    }

    /// How many rows ever left at the top, those that are forgotten by now included.
    #[must_use]
    pub(super) fn left(&self) -> u64 {
        self.left
    }

    /// Forgets what left at the top.
    pub(super) fn forget_scrollback(&mut self) {
        if let Some(lines) = &mut self.scrollback {
            lines.clear();
        }
    }

    /// Says that the row goes on in the next one.
    pub(super) fn set_wrapped(&mut self, row: usize) {
        self.rows[row].wrapped = true;
    }

    /// Writes ASCII that fits the row. What is there already keeps its stamp.
    pub(super) fn write_ascii(
        &mut self,
        row: usize,
        column: usize,
        text: &[u8],
        style: Style,
        stamp: u64,
    ) {
        let row = &mut self.rows[row];
        row.split_wide_at(column);
        row.split_wide_at(column + text.len());
        row.used = row.used.max(column + text.len());
        let cells = &mut row.cells[column..column + text.len()];
        for (cell, byte) in cells.iter_mut().zip(text) {
            let character = char::from(*byte);
            if cell.character != character || cell.style != style || cell.stamp == 0 {
                *cell = Cell {
                    character,
                    mark: None,
                    style,
                    columns: 1,
                    stamp,
                };
            } else {
                cell.mark = None;
                cell.columns = 1;
            }
        }
    }

    /// Writes a character that takes one or two columns and fits the row.
    pub(super) fn write(&mut self, row: usize, column: usize, cell: Cell) {
        let columns = usize::from(cell.columns);
        let row = &mut self.rows[row];
        row.split_wide_at(column);
        row.split_wide_at(column + columns);
        row.used = row.used.max(column + columns);
        if !row.cells[column].looks_like(&cell) || row.cells[column].stamp == 0 {
            row.cells[column] = cell;
        }
        if columns == 2 {
            row.cells[column + 1] = Cell {
                character: ' ',
                columns: 0,
                ..cell
            };
        }
    }

    /// Puts a mark on a character.
    pub(super) fn mark(&mut self, row: usize, column: usize, mark: char, stamp: u64) {
        let row = &mut self.rows[row];
        let column = match row.cells[column].columns {
            0 => column.saturating_sub(1),
            _ => column,
        };
        // The cell may be one that was only moved over.
        row.used = row.used.max(column + 1);
        row.cells[column].mark = Some(mark);
        row.cells[column].stamp = stamp;
    }

    /// Erases cells of a row, from the first to before the second.
    pub(super) fn erase(&mut self, row: usize, from: usize, to: usize, style: Style) {
        let to = to.min(self.columns);
        let row = &mut self.rows[row];
        if from < to {
            row.split_wide_at(from);
            row.split_wide_at(to);
            row.cells[from..to].fill(Cell::blank(style));
            if style != Style::default() {
                row.used = row.used.max(to);
            }
            if to == self.columns {
                row.wrapped = false;
            }
        }
    }

    /// Erases whole rows, from the first to before the second.
    pub(super) fn erase_rows(&mut self, from: usize, to: usize, style: Style) {
        for row in self.rows.range_mut(from..to) {
            row.clear(style);
        }
    }

    /// Moves the rest of a row to the right, and blanks in.
    pub(super) fn insert_cells(&mut self, row: usize, column: usize, count: usize, style: Style) {
        let count = count.min(self.columns - column);
        let row = &mut self.rows[row];
        row.split_wide_at(column);
        row.split_wide_at(self.columns - count);
        row.used = row.cells.len();
        row.cells[column..].rotate_right(count);
        row.cells[column..column + count].fill(Cell::blank(style));
    }

    /// Removes cells of a row, and moves the rest to the left.
    pub(super) fn delete_cells(&mut self, row: usize, column: usize, count: usize, style: Style) {
        let count = count.min(self.columns - column);
        let row = &mut self.rows[row];
        row.split_wide_at(column);
        row.split_wide_at(column + count);
        row.used = row.cells.len();
        row.cells[column..].rotate_left(count);
        let end = self.columns - count;
        row.cells[end..].fill(Cell::blank(style));
    }

    /// Moves rows up from `top` to the end of the region. What leaves at the screen's top is kept.
    pub(super) fn scroll_up(&mut self, top: usize, count: usize, style: Style) {
        let bottom = self.region.1;
        if top >= bottom {
            return;
        }
        for _ in 0..count.min(bottom - top) {
            let Some(mut row) = self.rows.remove(top) else {
                return;
            };
            if top == 0 {
                self.keep(&row);
            }
            row.clear(style);
            self.rows.insert(bottom - 1, row);
        }
    }

    /// Moves the region's rows up; those at its top come in again at its end.
    pub(super) fn rotate_up(&mut self, count: usize) {
        let (top, bottom) = self.region;
        self.rows.make_contiguous()[top..bottom].rotate_left(count.min(bottom - top));
    }

    /// Moves rows down from `top` to the end of the region.
    pub(super) fn scroll_down(&mut self, top: usize, count: usize, style: Style) {
        let bottom = self.region.1;
        if top >= bottom {
            return;
        }
        for _ in 0..count.min(bottom - top) {
            let Some(mut row) = self.rows.remove(bottom - 1) else {
                return;
            };
            row.clear(style);
            self.rows.insert(top, row);
        }
    }

    fn keep(&mut self, row: &Row) {
        let Some(lines) = &mut self.scrollback else {
            return;
        };
        let mut line = match lines.len() < SCROLLBACK_ROWS {
            true => Line::default(),
            false => lines.pop_front().unwrap_or_default(),
        };
        line.fill(row.used());
        line.wrapped = row.wrapped;
        self.left += 1;
        // What was long once needn't be held for ever.
        line.text.shrink_to(256);
        line.runs.shrink_to(16);
        lines.push_back(line);
    }

    /// Keeps the rows above this one, as if they had left at the top.
    pub(super) fn keep_rows(&mut self, end: usize) {
        for index in 0..end.min(self.rows.len()) {
            let row = self.rows[index].clone();
            self.keep(&row);
        }
    }

    /// Changes the size. Rows are cut or filled at their end; of rows that don't fit those at the top
    /// go, as far as the row `cursor` stays. Returns how many went.
    pub(super) fn resize(&mut self, size: Size, cursor: usize) -> usize {
        let (columns, height) = (usize::from(size.columns), usize::from(size.rows));
        let gone = (cursor + 1).saturating_sub(height);
        for _ in 0..gone {
            if let Some(row) = self.rows.pop_front() {
                self.keep(&row);
            }
        }
        self.rows.truncate(height);
        for row in &mut self.rows {
            row.split_wide_at(columns);
            row.cells.resize(columns, Cell::blank(Style::default()));
            row.used = row.used.min(columns);
        }
        self.columns = columns;
        let blank = Row::blank(columns);
        self.rows.resize(height, blank);
        self.region = (0, height);
        gone
    }
}
