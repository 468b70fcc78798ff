//! Draws a screen on another terminal: what changed since the last time, and nothing else.

use super::cell::{Cell, Style};
use super::{Modes, Screen};
use crate::session::Size;

/// What a client's terminal shows.
#[derive(Clone, Debug)]
pub struct Painter {
    size: Size,
    /// Row by row; none where nobody knows what is shown.
    shown: Vec<Option<Vec<Cell>>>,
    modes: Option<Modes>,
    cursor: Option<(usize, usize)>,
}

impl Painter {
    /// A terminal of this size, of which nothing is known.
    #[must_use]
    pub fn new(size: Size) -> Self {
        Self {
            size,
            shown: vec![None; usize::from(size.rows)],
            modes: None,
            cursor: None,
        }
    }

    /// The terminal's size.
    #[must_use]
    pub fn size(&self) -> Size {
        self.size
    }

    /// The terminal has another size now, and shows nobody knows what.
    pub fn resize(&mut self, size: Size) {
        *self = Self::new(size);
    }

    /// What makes the terminal show the screen; empty if it does already. Of a screen that is larger,
    /// the part around the cursor is shown.
    #[must_use]
    pub fn frame(&mut self, screen: &Screen) -> Vec<u8> {
        let state = &screen.state;
        let grid = state.grid();
        let (width, height) = (usize::from(self.size.columns), usize::from(self.size.rows));
        let top = (state.pen.row + 1).saturating_sub(height);
        let left = (state.pen.column + 1).saturating_sub(width);
        let mut out = Out::default();
        for index in 0..height {
            let row = grid.row(top + index).map(|row| row.cells.as_slice());
            let cells = row.and_then(|cells| cells.get(left..)).unwrap_or_default();
            let wanted = visible(cells, width);
            let shown = &mut self.shown[index];
            out.row(index, shown.as_deref(), &wanted, width);
            *shown = Some(wanted);
        }
        let cursor = (state.pen.row - top, state.pen.column - left);
        let modes = screen.modes();
        if out.bytes.is_empty() && self.cursor == Some(cursor) && self.modes == Some(*modes) {
            return Vec::new();
        }
        let mut bytes = Vec::with_capacity(out.bytes.len() + 64);
        if !out.bytes.is_empty() {
            // A frame at once, for terminals that know how; and the cursor doesn't jump about.
            bytes.extend_from_slice(b"\x1b[?2026h\x1b[?25l");
            bytes.extend_from_slice(&out.bytes);
            bytes.extend_from_slice(b"\x1b[0m");
        }
        bytes.extend(format!("\x1b[{};{}H", cursor.0 + 1, cursor.1 + 1).bytes());
        bytes.extend(switch(self.modes.as_ref(), modes, !out.bytes.is_empty()));
        if !out.bytes.is_empty() {
            bytes.extend_from_slice(b"\x1b[?2026l");
        }
        self.cursor = Some(cursor);
        self.modes = Some(*modes);
        bytes
    }

    /// What puts the terminal's modes back to what a shell expects.
    #[must_use]
    pub fn leave() -> &'static [u8] {
        b"\x1b[?2026l\x1b[0m\x1b[?1l\x1b>\x1b[?7h\x1b[?9l\x1b[?1000l\x1b[?1002l\x1b[?1003l\
          \x1b[?1004l\x1b[?1005l\x1b[?1006l\x1b[?1015l\x1b[?2004l\x1b[0 q\x1b[?25h"
    }
}

/// As many cells as fit, with blanks to the end; half a wide character is a blank.
fn visible(cells: &[Cell], width: usize) -> Vec<Cell> {
    let blank = Cell::blank(Style::default());
    let mut wanted: Vec<Cell> = cells.iter().take(width).copied().collect();
    wanted.resize(width, blank);
    if let Some(first) = wanted.first_mut().filter(|cell| cell.columns == 0) {
        *first = Cell::blank(first.style);
    }
    if let Some(last) = wanted.last_mut().filter(|cell| cell.columns == 2) {
        *last = Cell::blank(last.style);
    }
    wanted
}

/// What changes a terminal's modes. The cursor was hidden where a frame was drawn.
fn switch(before: Option<&Modes>, now: &Modes, was_hidden: bool) -> Vec<u8> {
    let fresh = Modes::default();
    let known = before.unwrap_or(&fresh);
    let mut bytes = Vec::new();
    let mut mode = |number: u16, is_on: bool| {
        let last = if is_on { 'h' } else { 'l' };
        bytes.extend(format!("\x1b[?{number}{last}").bytes());
    };
    if was_hidden && now.cursor_visible || known.cursor_visible != now.cursor_visible {
        mode(25, now.cursor_visible);
    }
    for (number, was, is) in [
        (1, known.application_cursor, now.application_cursor),
        (1004, known.focus, now.focus),
        (2004, known.bracketed_paste, now.bracketed_paste),
    ] {
        if was != is {
            mode(number, is);
        }
    }
    if (known.mouse, known.mouse_encoding) != (now.mouse, now.mouse_encoding) {
        for number in known.mouse.mode().into_iter().chain(encoding(known)) {
            mode(number, false);
        }
        for number in now.mouse.mode().into_iter().chain(encoding(now)) {
            mode(number, true);
        }
    }
    if known.application_keypad != now.application_keypad {
        let keypad: &[u8] = if now.application_keypad {
            b"\x1b="
        } else {
            b"\x1b>"
        };
        bytes.extend_from_slice(keypad);
    }
    if known.cursor_shape != now.cursor_shape {
        bytes.extend(format!("\x1b[{} q", now.cursor_shape).bytes());
    }
    bytes
}

fn encoding(modes: &Modes) -> Option<u16> {
    Some(modes.mouse_encoding).filter(|encoding| *encoding != 0)
}

/// Bytes for a terminal, and what it does with the next character.
#[derive(Default)]
struct Out {
    bytes: Vec<u8>,
    style: Option<Style>,
}

impl Out {
    fn row(&mut self, index: usize, shown: Option<&[Cell]>, wanted: &[Cell], width: usize) {
        let blank = Cell::blank(Style::default());
        let differs = |column: usize| match shown {
            Some(shown) => !shown[column].looks_like(&wanted[column]),
            None => true,
        };
        let Some(mut from) = (0..width).find(|column| differs(*column)) else {
            return;
        };
        let last = (from..width).rfind(|column| differs(*column));
        let mut end = last.map_or(from, |last| last + 1);
        // From the beginning of a wide character to the end of one.
        while from > 0 && wanted[from].columns == 0 {
            from -= 1;
        }
        while end < width && wanted[end].columns == 0 {
            end += 1;
        }
        let filled = wanted.iter().rposition(|cell| !cell.looks_like(&blank));
        let filled = filled.map_or(0, |filled| filled + 1);
        self.bytes
            .extend(format!("\x1b[{};{}H", index + 1, from + 1).bytes());
        for cell in &wanted[from..end.min(filled).max(from)] {
            if cell.columns > 0 {
                self.cell(cell);
            }
        }
        if end > filled {
            self.set_style(Style::default());
            if filled > from {
                self.bytes
                    .extend(format!("\x1b[{};{}H", index + 1, filled + 1).bytes());
            }
            self.bytes.extend_from_slice(b"\x1b[K");
        }
    }

    fn set_style(&mut self, style: Style) {
        if self.style != Some(style) {
            self.bytes.extend_from_slice(style.sequence().as_bytes());
            self.style = Some(style);
        }
    }

    fn cell(&mut self, cell: &Cell) {
        self.set_style(cell.style);
        let mut buffer = [0; 4];
        for character in std::iter::once(cell.character).chain(cell.mark) {
            let text = character.encode_utf8(&mut buffer);
            self.bytes.extend_from_slice(text.as_bytes());
        }
    }
}
