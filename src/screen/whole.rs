//! What changes the screen as a whole: the alternate one, regions, erasing, and beginning anew.

use super::cell::Style;
use super::grid::Grid;
use super::parser::Sequence;
use super::{Modes, Pen, State};

impl State {
    /// Switches to the alternate screen or back; with 1049 the pen is kept and brought back.
    pub(super) fn switch(&mut self, to_alternate: bool, with_pen: bool) {
        match (to_alternate, self.alternate.is_some()) {
            (true, false) => {
                self.saved[0] = if with_pen { self.pen } else { self.saved[0] };
                self.alternate = Some(Grid::new(self.size, false));
            }
            (false, true) => {
                self.alternate = None;
                if with_pen {
                    self.restore();
                }
            }
            _ => {}
        }
    }

    pub(super) fn restore(&mut self) {
        let saved = self.saved[usize::from(self.alternate.is_some())];
        self.pen = saved;
    }

    pub(super) fn set_region(&mut self, sequence: &Sequence) {
        let height = self.grid().height();
        let top = sequence.count(0) - 1;
        let bottom = match sequence.raw(1) {
            0 => height,
            row => usize::from(row).min(height),
        };
        if top + 1 < bottom || (top == 0 && bottom == height) {
            self.grid_mut().region = (top, bottom);
            self.go_to(0, 0);
        }
    }

    pub(super) fn erase_display(&mut self, what: u16) {
        let Pen { row, column, .. } = self.pen;
        let erased = self.pen.style.erased();
        let is_primary = self.alternate.is_none();
        let grid = self.grid_mut();
        let (width, height) = (grid.width(), grid.height());
        match what {
            0 => {
                grid.erase(row, column, width, erased);
                grid.erase_rows(row + 1, height, erased);
            }
            1 => {
                grid.erase_rows(0, row, erased);
                grid.erase(row, 0, column + 1, erased);
            }
            2 => {
                if is_primary {
                    // What a person could still scroll back to.
                    let used = grid.rows().map(|row| !row.used().is_empty());
                    let end = used.enumerate().filter(|(_, used)| *used).last();
                    grid.keep_rows(end.map_or(0, |(last, _)| last + 1));
                }
                grid.erase_rows(0, height, erased);
            }
            3 => grid.forget_scrollback(),
            _ => {}
        }
        self.pen.wraps = false;
    }

    pub(super) fn fill(&mut self) {
        let (width, height) = (self.grid().width(), self.grid().height());
        let (row, stamp) = (vec![b'E'; width], self.stamp);
        for index in 0..height {
            self.grid_mut()
                .write_ascii(index, 0, &row, Style::default(), stamp);
        }
    }

    pub(super) fn soft_reset(&mut self) {
        let (row, column) = (self.pen.row, self.pen.column);
        self.pen = Pen {
            row,
            column,
            ..Pen::default()
        };
        self.modes = Modes {
            mouse: self.modes.mouse,
            mouse_encoding: self.modes.mouse_encoding,
            ..Modes::default()
        };
        let height = self.grid().height();
        self.grid_mut().region = (0, height);
    }

    pub(super) fn reset(&mut self) {
        self.alternate = None;
        let height = self.primary.height();
        self.primary.region = (0, height);
        self.erase_display(2);
        self.pen = Pen::default();
        self.saved = [Pen::default(); 2];
        self.modes = Modes::default();
        self.tabs = super::default_tabs(self.size.columns);
        self.title.clear();
    }
}
