//! Responsible for moving the cursor without printing: to places, by distances and by tab stops. Not
//! responsible for movement that scrolls.
//!
//! Invariant: the cursor stays on the screen, and moving it revokes a wrap that is due.

use super::super::lines::{Lines, Receiver};
use super::Screen;

impl Screen {
    pub(in super::super) fn carriage_return(&mut self) {
        self.set_column(0);
    }

    pub(in super::super) fn backspace(&mut self) {
        self.set_column(self.grid.cursor.column.saturating_sub(1));
    }

    /// Moves to the next tab stop; after the last column that is the beginning of the next row.
    pub(in super::super) fn tab(&mut self, lines: &mut Lines, receiver: &mut Receiver<'_>) {
        if self.grid.cursor.wrap_is_due && self.autowrap {
            self.wrap(lines, receiver);
        } else {
            self.forward_tab(1);
        }
    }

    /// Moves to a tab stop to the right.
    pub(in super::super) fn forward_tab(&mut self, count: usize) {
        let mut column = self.grid.cursor.column;
        for _ in 0..count.min(self.columns) {
            let stop = (column + 1..self.columns).find(|&stop| self.tabs[stop]);
            column = stop.unwrap_or(self.columns - 1);
        }
        self.set_column(column);
    }

    /// Moves to a tab stop to the left.
    pub(in super::super) fn back_tab(&mut self, count: usize) {
        let mut column = self.grid.cursor.column;
        for _ in 0..count.min(self.columns) {
            column = (0..column).rev().find(|&stop| self.tabs[stop]).unwrap_or(0);
        }
        self.set_column(column);
    }

    /// Sets or clears the tab stop at the cursor.
    pub(in super::super) fn set_tab_stop(&mut self, is_stop: bool) {
        self.tabs[self.grid.cursor.column] = is_stop;
    }

    pub(in super::super) fn clear_tab_stops(&mut self) {
        self.tabs.fill(false);
    }

    /// Moves to a column, counted from zero.
    pub(in super::super) fn set_column(&mut self, column: usize) {
        self.grid.cursor.column = column.min(self.columns - 1);
        self.grid.cursor.wrap_is_due = false;
    }

    /// Moves to a row, counted from zero, from the region's top in origin mode.
    pub(in super::super) fn set_row(&mut self, row: usize) {
        let (top, end) = if self.grid.cursor.origin {
            self.region
        } else {
            (0, self.rows)
        };
        self.grid.cursor.row = row.saturating_add(top).min(end - 1);
        self.grid.cursor.wrap_is_due = false;
    }

    pub(in super::super) fn move_left(&mut self, count: usize) {
        self.set_column(self.grid.cursor.column.saturating_sub(count));
    }

    pub(in super::super) fn move_right(&mut self, count: usize) {
        self.set_column(self.grid.cursor.column.saturating_add(count));
    }

    /// Moves up, not out of the region if the cursor is in it.
    pub(in super::super) fn move_up(&mut self, count: usize) {
        let row = self.grid.cursor.row;
        let top = if row >= self.region.0 {
            self.region.0
        } else {
            0
        };
        self.grid.cursor.row = row.saturating_sub(count).max(top);
        self.grid.cursor.wrap_is_due = false;
    }

    /// Moves down, not out of the region if the cursor is in it.
    pub(in super::super) fn move_down(&mut self, count: usize) {
        let row = self.grid.cursor.row;
        let end = if row < self.region.1 {
            self.region.1
        } else {
            self.rows
        };
        self.grid.cursor.row = row.saturating_add(count).min(end - 1);
        self.grid.cursor.wrap_is_due = false;
    }

    pub(in super::super) fn save_cursor(&mut self) {
        self.grid.saved = self.grid.cursor;
    }

    pub(in super::super) fn restore_cursor(&mut self) {
        self.grid.cursor = self.grid.saved;
    }
}
