//! Responsible for a terminal that becomes larger or smaller while a program runs. Not responsible for
//! breaking lines anew: some terminals do, and programs write what they want to be seen again.

use super::super::lines::{Lines, Receiver};
use super::super::plain::TAB_COLUMNS;
use super::super::row::Row;
use super::Screen;

impl Screen {
    /// Takes another size. What is shown stays in its place; what has none any more scrolls off the top.
    pub(in super::super) fn resize(
        &mut self,
        columns: usize,
        rows: usize,
        lines: &mut Lines,
        receiver: &mut Receiver<'_>,
    ) {
        self.region = (0, self.rows);
        self.fit(columns, rows, lines, receiver);
        if let Some(other) = self.other.take() {
            let grid = std::mem::replace(&mut self.grid, other);
            self.is_alternate = !self.is_alternate;
            self.fit(columns, rows, lines, receiver);
            self.is_alternate = !self.is_alternate;
            self.other = Some(std::mem::replace(&mut self.grid, grid));
        }
        let known = self.tabs.len();
        self.tabs.truncate(columns);
        self.tabs
            .extend((known..columns).map(|column| column % TAB_COLUMNS == 0));
        (self.columns, self.rows) = (columns, rows);
        self.region = (0, rows);
    }

    /// Gives the screen in use so many rows, and keeps its cursors on it.
    fn fit(&mut self, columns: usize, rows: usize, lines: &mut Lines, receiver: &mut Receiver<'_>) {
        let used = self.grid.visible_rows().max(self.grid.cursor.row + 1);
        let gone = used.saturating_sub(rows);
        if gone > 0 {
            self.scroll_up(0, gone, lines, receiver);
        }
        self.grid.rows.resize_with(rows, Row::default);
        for cursor in [&mut self.grid.cursor, &mut self.grid.saved] {
            cursor.row = cursor.row.saturating_sub(gone).min(rows - 1);
            // What would have gone to the next row has room in this one now.
            cursor.column += usize::from(std::mem::take(&mut cursor.wrap_is_due));
            if cursor.column >= columns {
                (cursor.column, cursor.wrap_is_due) = (columns - 1, true);
            }
        }
    }
}
