//! A row of cells put together: what is kept of rows that left the screen, and what is handed on.

use serde::{Deserialize, Serialize};

use super::cell::{Cell, Style};

/// A piece of a line that looks the same and was written at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Bytes of the line's text.
    pub bytes: usize,
    /// How it looks.
    #[serde(flatten)]
    pub style: Style,
    /// How much output there was when it last changed, in bytes.
    pub stamp: u64,
}

/// One row without the blanks at its end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The text.
    pub text: String,
    /// Its pieces, in order.
    pub runs: Vec<Run>,
    /// Whether the next row goes on with it.
    #[serde(default)]
    pub wrapped: bool,
}

impl Line {
    /// Puts a row together that ends here, and reuses this line's memory.
    pub fn fill(&mut self, cells: &[Cell]) {
        self.text.clear();
        self.runs.clear();
        self.wrapped = false;
        let blank = Cell::blank(Style::default());
        // A written space counts: a prompt may end with one.
        let is_used = |cell: &Cell| cell.stamp > 0 || !cell.looks_like(&blank);
        let used = cells.iter().rposition(is_used);
        for cell in &cells[..used.map_or(0, |last| last + 1)] {
            if cell.columns == 0 {
                continue;
            }
            let before = self.text.len();
            self.text.push(cell.character);
            self.text.extend(cell.mark);
            let bytes = self.text.len() - before;
            match self.runs.last_mut() {
                Some(run) if run.style == cell.style && run.stamp == cell.stamp => {
                    run.bytes += bytes;
                }
                _ => self.runs.push(Run {
                    bytes,
                    style: cell.style,
                    stamp: cell.stamp,
                }),
            }
        }
    }

    /// The line of a row that ends here.
    #[must_use]
    pub fn of(cells: &[Cell]) -> Self {
        let mut line = Self::default();
        line.fill(cells);
        line
    }

    /// A line of plain text.
    #[must_use]
    pub fn plain(text: &str) -> Self {
        let style = Style::default();
        let bytes = text.len();
        Self {
            text: text.to_owned(),
            runs: vec![Run {
                bytes,
                style,
                stamp: 0,
            }],
            wrapped: false,
        }
    }

    /// The same line with the text of each piece changed.
    #[must_use]
    pub fn map(&self, mut change: impl FnMut(&str) -> String) -> Self {
        let mut mapped = Self {
            wrapped: self.wrapped,
            ..Self::default()
        };
        for (text, run) in self.pieces() {
            let text = change(text);
            mapped.runs.push(Run {
                bytes: text.len(),
                ..*run
            });
            mapped.text.push_str(&text);
        }
        mapped
    }

    /// Adds what the next row has.
    pub fn append(&mut self, next: &Self) {
        self.text.push_str(&next.text);
        self.runs.extend_from_slice(&next.runs);
    }

    /// Its pieces with their text.
    pub fn pieces(&self) -> impl Iterator<Item = (&str, &Run)> {
        let mut start = 0;
        self.runs.iter().map(move |run| {
            let end = (start + run.bytes).min(self.text.len());
            let text = self.text.get(start..end).unwrap_or_default();
            start = end;
            (text, run)
        })
    }

    /// Whether anything between these bytes of its text was written after there were `after` bytes of
    /// output.
    #[must_use]
    pub fn is_newer(&self, range: std::ops::Range<usize>, after: u64) -> bool {
        let mut start = 0;
        self.runs.iter().any(|run| {
            let place = start..start + run.bytes;
            start = place.end;
            run.stamp > after && place.start < range.end && range.start < place.end
        })
    }

    /// The text with the control sequences that make it look so.
    #[must_use]
    pub fn to_ansi(&self) -> String {
        let mut ansi = String::new();
        let mut style = Style::default();
        for (text, run) in self.pieces() {
            if run.style != style {
                style = run.style;
                ansi.push_str(&style.sequence());
            }
            ansi.push_str(text);
        }
        if style != Style::default() {
            ansi.push_str("\x1b[0m");
        }
        ansi
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(text: &str, stamp: u64) -> Vec<Cell> {
        let cell = |character| Cell {
            character,
            stamp,
            ..Cell::blank(Style::default())
        };
        text.chars().map(cell).collect()
    }

    #[test]
    fn what_was_written_at_different_times_is_told_apart() {
        let row = [cells(">>> ", 10), cells("1+1", 20), cells("   ", 0)].concat();
        let line = Line::of(&row);
        assert_eq!((line.text.as_str(), line.runs.len()), (">>> 1+1", 2));
        assert!(!line.is_newer(0..4, 10), "the prompt is old");
        assert!(line.is_newer(2..6, 10), "a part of it is new");
        assert!(!line.is_newer(0..7, 20));
    }

    #[test]
    fn colours_end_with_the_line() {
        let mut row = cells("ab", 1);
        row[1].style.attributes.apply(1);
        assert_eq!(Line::of(&row).to_ansi(), "a\x1b[0;1mb\x1b[0m");
    }
}
