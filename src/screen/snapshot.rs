//! A screen as it is handed on: lines, cursor and modes at one moment.

use serde::{Deserialize, Serialize};

use super::{Line, Screen};
use crate::session::Size;

/// Where the cursor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// From 0.
    pub row: usize,
    /// From 0.
    pub column: usize,
    /// Whether it is shown.
    pub visible: bool,
}

/// A screen at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The window's size.
    pub size: Size,
    /// The cursor.
    pub cursor: Cursor,
    /// The window's title: not harmless.
    pub title: String,
    /// Whether a full-screen program has the screen.
    pub alternate: bool,
    /// How much output there was, in bytes.
    pub sequence: u64,
    /// What left the screen at its top, the oldest first, as far as it was asked for.
    #[serde(default)]
    pub scrollback: Vec<Line>,
    /// The rows.
    pub lines: Vec<Line>,
}

impl Snapshot {
    /// The screen as it is now, with the last so many lines of what left it.
    #[must_use]
    pub fn of(screen: &Screen, scrollback: usize) -> Self {
        let pen = &screen.state.pen;
        let mut kept: Vec<Line> = screen
            .scrollback()
            .rev()
            .take(scrollback)
            .cloned()
            .collect();
        kept.reverse();
        Self {
            size: screen.size(),
            cursor: Cursor {
                row: pen.row,
                column: pen.column,
                visible: screen.modes().cursor_visible,
            },
            title: screen.title().to_owned(),
            alternate: screen.is_alternate(),
            sequence: screen.stamp(),
            scrollback: kept,
            lines: screen.lines().collect(),
        }
    }

    /// All lines up to the last that isn't empty.
    #[must_use]
    pub fn filled(&self) -> &[Line] {
        let last = self.lines.iter().rposition(|line| !line.text.is_empty());
        &self.lines[..last.map_or(0, |last| last + 1)]
    }
}
