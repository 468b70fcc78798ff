//! Responsible for one row of a screen: its cells, combining marks and whether it was wrapped into the
//! next. Not responsible for the cursor. A row holds cells only up to the last that was written.
//!
//! Invariants: no cell and no mark is a control character other than the two placeholders below, a
//! right half always follows its character, and a wrapped row is at least as long as the screen is wide.

use super::style::Style;

/// Stands in the second cell of a character that takes two.
const RIGHT_HALF: char = '\0';

/// Stands in the last cell of a row that a character of two cells did not fit into.
const LEFT_FREE: char = '\u{1}';

/// Combining marks kept on one cell. Enough for emoji sequences; a flood of marks must not grow a row.
const MARKS_PER_CELL: usize = 16;

/// Combining marks kept on one row.
const MARKS_PER_ROW: usize = 512;

/// A row of cells.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    cells: Vec<char>,
    /// Combining marks with their column, in the order in which they came.
    marks: Vec<(usize, char)>,
    /// How the first cells look; the others, which may be all, have the default style.
    styles: Vec<Style>,
    wrapped: bool,
}

impl Row {
    /// Tells whether nothing can be seen on the row.
    pub(super) fn is_blank(&self) -> bool {
        self.cells
            .iter()
            .all(|&cell| matches!(cell, ' ' | LEFT_FREE))
    }

    /// Tells whether the text goes on in the next row.
    pub(super) fn is_wrapped(&self) -> bool {
        self.wrapped
    }

    /// Notes that the terminal broke the line at the end of this row of `columns` cells.
    pub(super) fn set_wrapped(&mut self, columns: usize) {
        self.wrapped = self.cells.len() >= columns;
    }

    /// Notes that the next row begins a line of its own.
    pub(super) fn end_line(&mut self) {
        self.wrapped = false;
    }

    /// Empties the row but keeps its memory for the next text.
    pub(super) fn clear(&mut self) {
        self.cells.clear();
        self.marks.clear();
        self.styles.clear();
        self.wrapped = false;
    }

    /// Gives the cells `from..to`, which were written, a style.
    pub(super) fn paint(&mut self, from: usize, to: usize, style: Style) {
        if style == Style::default() && self.styles.len() <= from {
            return;
        }
        if self.styles.len() < to {
            self.styles.resize(to, Style::default());
        }
        self.styles[from..to].fill(style);
    }

    /// Writes blanks of a style into the cells `from..to`.
    pub(super) fn fill(&mut self, from: usize, to: usize, style: Style) {
        self.prepare(from, to);
        if self.cells.len() < to {
            self.cells.resize(to, ' ');
        }
        self.cells[from..to].fill(' ');
        self.paint(from, to, style);
    }

    /// Writes printable ASCII.
    pub(super) fn write_ascii(&mut self, column: usize, bytes: &[u8]) {
        self.prepare(column, column + bytes.len());
        let present = (self.cells.len() - column).min(bytes.len());
        let (over, beyond) = bytes.split_at(present);
        for (cell, &byte) in self.cells[column..].iter_mut().zip(over) {
            *cell = char::from(byte);
        }
        self.cells
            .extend(beyond.iter().map(|&byte| char::from(byte)));
    }

    /// Writes a character of one cell.
    pub(super) fn write(&mut self, column: usize, character: char) {
        self.prepare(column, column + 1);
        self.set(column, character);
    }

    /// Writes a character of two cells.
    pub(super) fn write_wide(&mut self, column: usize, character: char) {
        self.prepare(column, column + 2);
        self.set(column, character);
        self.set(column + 1, RIGHT_HALF);
    }

    /// Leaves a cell free because the character that was to begin there needs two.
    pub(super) fn leave_free(&mut self, column: usize) {
        self.write(column, LEFT_FREE);
    }

    /// Puts a combining mark on the character at or, for a right half, before the column; on a blank it
    /// would be invisible or stand alone, so that it is dropped.
    pub(super) fn mark(&mut self, column: usize, mark: char) {
        let right_half = self.cells.get(column) == Some(&RIGHT_HALF);
        let column = if right_half { column - 1 } else { column };
        if matches!(self.cells.get(column), None | Some(&(' ' | LEFT_FREE))) {
            return;
        }
        let on_cell = self.marks.iter().filter(|(at, _)| *at == column).count();
        if on_cell < MARKS_PER_CELL && self.marks.len() < MARKS_PER_ROW {
            self.marks.push((column, mark));
        }
    }

    /// Blanks the cells from `from` up to `to`.
    pub(super) fn erase(&mut self, from: usize, to: usize) {
        if from >= self.cells.len() {
            return;
        }
        self.prepare(from, to);
        if to >= self.cells.len() {
            self.cells.truncate(from);
            self.styles.truncate(from);
        } else {
            self.cells[from..to].fill(' ');
            self.paint(from, to, Style::default());
        }
    }

    /// Inserts blanks and pushes the cells after them to the right, off a row of `columns`.
    pub(super) fn insert_blanks(&mut self, column: usize, count: usize, columns: usize) {
        if column >= self.cells.len() {
            return;
        }
        let count = count.min(columns - column);
        self.split_wide(column);
        self.split_wide(columns - count);
        self.cells.truncate(columns - count);
        self.cells
            .splice(column..column, std::iter::repeat_n(' ', count));
        self.styles.truncate(columns - count);
        if self.styles.len() > column {
            let blanks = std::iter::repeat_n(Style::default(), count);
            self.styles.splice(column..column, blanks);
        }
        self.marks.retain_mut(|(at, _)| {
            if *at >= column {
                *at += count;
            }
            *at < columns
        });
        self.wrapped = false;
    }

    /// Removes cells and pulls those after them to the left.
    pub(super) fn delete(&mut self, column: usize, count: usize) {
        if column >= self.cells.len() {
            return;
        }
        let end = column.saturating_add(count).min(self.cells.len());
        self.prepare(column, end);
        self.cells.drain(column..end);
        let styled = self.styles.len();
        self.styles.drain(column.min(styled)..end.min(styled));
        for (at, _) in &mut self.marks {
            if *at >= end {
                *at -= end - column;
            }
        }
        self.wrapped = false;
    }

    /// Adds the text of the row to `text`.
    pub(super) fn read(&mut self, text: &mut String) {
        let left_free = self.wrapped && self.cells.last() == Some(&LEFT_FREE);
        let length = self.cells.len() - usize::from(left_free);
        self.marks.sort_by_key(|(column, _)| *column);
        let mut marks = self.marks.iter().peekable();
        let mut shown = Style::default();
        for (column, &cell) in self.cells[..length].iter().enumerate() {
            if !self.styles.is_empty() && cell != RIGHT_HALF {
                let style = self.styles.get(column).copied().unwrap_or_default();
                let style = match cell {
                    ' ' | LEFT_FREE => style.of_blank(),
                    _ => style,
                };
                if style != shown {
                    style.write(text);
                    shown = style;
                }
            }
            match cell {
                RIGHT_HALF => continue,
                LEFT_FREE => text.push(' '),
                _ => text.push(cell),
            }
            while let Some((_, mark)) = marks.next_if(|(at, _)| *at == column) {
                text.push(*mark);
            }
        }
        if shown != Style::default() {
            Style::default().write(text);
        }
    }

    /// Counts the bytes held, for tests of the memory bound.
    #[cfg(test)]
    pub(super) fn retained_bytes(&self) -> usize {
        self.cells.capacity() * size_of::<char>()
            + self.marks.capacity() * size_of::<(usize, char)>()
            + self.styles.capacity() * size_of::<Style>()
    }

    /// Readies the cells `from..to` to be changed: fills the gap before them, frees the halves of
    /// characters that are cut at either end, and drops their marks.
    fn prepare(&mut self, from: usize, to: usize) {
        if self.cells.len() < from {
            self.cells.resize(from, ' ');
        } else if self.cells.len() > from {
            self.split_wide(from);
            self.split_wide(to);
            if !self.marks.is_empty() {
                self.marks.retain(|(at, _)| !(from..to).contains(at));
            }
        }
        if to >= self.cells.len() {
            self.wrapped = false;
        }
    }

    fn set(&mut self, column: usize, cell: char) {
        match self.cells.get_mut(column) {
            Some(present) => *present = cell,
            None => self.cells.push(cell),
        }
    }

    /// Blanks a character whose two cells lie on both sides of the column's left edge.
    fn split_wide(&mut self, column: usize) {
        if self.cells.get(column) == Some(&RIGHT_HALF) {
            self.cells[column - 1] = ' ';
            self.cells[column] = ' ';
            self.marks.retain(|(at, _)| *at != column - 1);
        }
    }
}
