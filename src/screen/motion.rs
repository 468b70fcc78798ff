//! Where the pen goes: lines, tabs and places.

use super::State;

impl State {
    pub(super) fn advance(&mut self, columns: usize) {
        let width = self.grid().width();
        self.pen.column += columns;
        if self.pen.column >= width {
            self.pen.column = width - 1;
            self.pen.wraps = self.modes.wraps;
        }
    }

    pub(super) fn wrap_if_due(&mut self) {
        if self.pen.wraps {
            let row = self.pen.row;
            self.grid_mut().set_wrapped(row);
            self.pen.column = 0;
            self.line_feed();
        }
    }

    pub(super) fn line_feed(&mut self) {
        self.pen.wraps = false;
        let style = self.pen.style.erased();
        let grid = self.grid();
        let (top, bottom) = grid.region;
        if self.pen.row + 1 == bottom {
            self.grid_mut().scroll_up(top, 1, style);
        } else if self.pen.row + 1 < grid.height() {
            self.pen.row += 1;
        }
    }

    pub(super) fn reverse_line_feed(&mut self) {
        self.pen.wraps = false;
        let style = self.pen.style.erased();
        let top = self.grid().region.0;
        if self.pen.row == top {
            self.grid_mut().scroll_down(top, 1, style);
        } else {
            self.pen.row -= usize::from(self.pen.row > 0);
        }
    }

    pub(super) fn tab(&mut self, count: usize) {
        for _ in 0..count {
            let next = self.pen.column + 1;
            let found = self.tabs.iter().skip(next).position(|tab| *tab);
            let last = self.grid().width() - 1;
            self.pen.column = found.map_or(last, |found| (next + found).min(last));
        }
    }

    pub(super) fn back_tab(&mut self, count: usize) {
        for _ in 0..count {
            let before = &self.tabs[..self.pen.column.min(self.tabs.len())];
            self.pen.column = before.iter().rposition(|tab| *tab).unwrap_or(0);
        }
    }

    /// Goes to a place, rows counted as the origin mode says.
    pub(super) fn go_to(&mut self, row: usize, column: usize) {
        let grid = self.grid();
        let (top, bottom) = match self.pen.origin {
            true => grid.region,
            false => (0, grid.height()),
        };
        let column = column.min(grid.width() - 1);
        self.pen.row = (top + row).min(bottom - 1);
        self.pen.column = column;
        self.pen.wraps = false;
    }

    pub(super) fn go_down(&mut self, count: usize) {
        let bottom = self.grid().region.1;
        let end = match self.pen.row < bottom {
            true => bottom,
            false => self.grid().height(),
        };
        self.pen.row = (self.pen.row + count).min(end - 1);
        self.pen.wraps = false;
    }

    pub(super) fn go_up(&mut self, count: usize) {
        let top = self.grid().region.0;
        let end = if self.pen.row >= top { top } else { 0 };
        self.pen.row = self.pen.row.saturating_sub(count).max(end);
        self.pen.wraps = false;
    }

    pub(super) fn go_right(&mut self, count: usize) {
        self.pen.column = (self.pen.column + count).min(self.grid().width() - 1);
        self.pen.wraps = false;
    }

    pub(super) fn go_left(&mut self, count: usize) {
        self.pen.column = self.pen.column.saturating_sub(count);
        self.pen.wraps = false;
    }
}
