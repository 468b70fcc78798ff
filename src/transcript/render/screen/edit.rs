//! Responsible for changing what is already on the screen: erasing, inserting and deleting cells and rows,
//! and scrolling a region. Not responsible for printing.

use super::super::lines::{Lines, Receiver};
use super::super::row::Row;
use super::super::style::Colour;
use super::{Cursor, Screen};

impl Screen {
    /// Blanks cells of the cursor's row from the cursor on.
    pub(in super::super) fn erase_characters(&mut self, count: usize) {
        let column = self.grid.cursor.column;
        self.erase_cells(column, column.saturating_add(count).min(self.columns));
    }

    /// Blanks the cursor's row from the cursor on; after the last column there is nothing to blank, so
    /// that a program that clears to the end of a full row does not lose its last character.
    pub(in super::super) fn erase_row_after(&mut self) {
        if !self.grid.cursor.wrap_is_due {
            self.erase_characters(self.columns);
        }
    }

    /// Blanks the cursor's row up to and with the cursor.
    pub(in super::super) fn erase_row_before(&mut self) {
        self.erase_cells(0, self.grid.cursor.column + 1);
    }

    pub(in super::super) fn erase_row(&mut self) {
        self.grid.rows[self.grid.cursor.row].clear();
        self.erase_cells(0, self.columns);
    }

    /// Blanks cells of the cursor's row; they take the background that text would have.
    fn erase_cells(&mut self, from: usize, to: usize) {
        let Cursor { row, pen, .. } = self.grid.cursor;
        let row = &mut self.grid.rows[row];
        row.erase(from, to);
        if pen.background != Colour::Default {
            row.fill(from, to, pen.ground());
        }
    }

    /// Blanks the screen from the cursor on.
    pub(in super::super) fn erase_after(&mut self) {
        self.erase_characters(self.columns);
        self.grid
            .rows
            .range_mut(self.grid.cursor.row + 1..)
            .for_each(Row::clear);
    }

    /// Blanks the screen up to and with the cursor.
    pub(in super::super) fn erase_before(&mut self) {
        self.erase_row_before();
        self.grid
            .rows
            .range_mut(..self.grid.cursor.row)
            .for_each(Row::clear);
    }

    pub(in super::super) fn insert_characters(&mut self, count: usize) {
        let Cursor { row, column, .. } = self.grid.cursor;
        self.grid.rows[row].insert_blanks(column, count, self.columns);
    }

    pub(in super::super) fn delete_characters(&mut self, count: usize) {
        let Cursor { row, column, .. } = self.grid.cursor;
        self.grid.rows[row].delete(column, count);
    }

    pub(in super::super) fn insert_rows(&mut self, count: usize) {
        let row = self.grid.cursor.row;
        if (self.region.0..self.region.1).contains(&row) {
            self.scroll_down(row, count);
        }
    }

    pub(in super::super) fn delete_rows(&mut self, count: usize) {
        let row = self.grid.cursor.row;
        if (self.region.0..self.region.1).contains(&row) {
            self.rotate_up(row, count.min(self.region.1 - row));
        }
    }

    /// Scrolls the region up; blank rows below its text do not become lines.
    pub(in super::super) fn scroll_region_up(
        &mut self,
        count: usize,
        lines: &mut Lines,
        receiver: &mut Receiver<'_>,
    ) {
        self.scroll_up(self.region.0, count, lines, receiver);
    }

    pub(in super::super) fn scroll_region_down(&mut self, count: usize) {
        self.scroll_down(self.region.0, count);
    }

    /// Sets the scrolling region, of two rows at least, from a first row, counted from zero, to the row
    /// after its last.
    pub(in super::super) fn set_region(&mut self, top: usize, end: usize) {
        let end = end.min(self.rows);
        if top + 1 < end {
            self.region = (top, end);
            self.set_column(0);
            self.set_row(0);
        }
    }
}
