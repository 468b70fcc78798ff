//! What characters and sequences do to the screen. Unknown ones do nothing.

use unicode_width::UnicodeWidthChar;

use super::cell::{Cell, Style};
use super::parser::{Receiver, Sequence};
use super::sgr::styled;
use super::{Pen, State};

/// The most bytes of answers that wait; a program that asks without reading gets no more.
const REPLIES_BYTES: usize = 4096;
/// The most characters of a title.
const TITLE_CHARACTERS: usize = 256;

/// Lines and boxes of the DEC special character set, for `_` to `~`.
const GRAPHICS: [char; 32] = [
    ' ', '◆', '▒', '␉', '␌', '␍', '␊', '°', '±', '␤', '␋', '┘', '┐', '┌', '└', '┼', '⎺', '⎻', '─',
    '⎼', '⎽', '├', '┤', '┴', '┬', '│', '≤', '≥', 'π', '≠', '£', '·',
];

impl Receiver for State {
    fn ascii(&mut self, text: &[u8]) {
        if self.pen.graphics[usize::from(self.pen.shifted)] || self.modes.inserts {
            for byte in text {
                self.character(self.in_set(*byte));
            }
            return;
        }
        let (style, stamp) = (self.pen.style, self.stamp);
        let mut rest = text;
        while !rest.is_empty() {
            self.wrap_if_due();
            let Pen { row, column, .. } = self.pen;
            let width = self.grid().width();
            let count = rest.len().min(width - column);
            self.grid_mut()
                .write_ascii(row, column, &rest[..count], style, stamp);
            self.advance(count);
            rest = &rest[count..];
        }
        self.last = text.last().map(|byte| char::from(*byte));
    }

    fn character(&mut self, character: char) {
        let columns = match character.width() {
            Some(0) => return self.mark(character),
            Some(2) => 2,
            _ => 1,
        };
        self.last = Some(character);
        self.wrap_if_due();
        let width = self.grid().width();
        if self.pen.column + usize::from(columns) > width {
            // A wide character that doesn't fit goes to the next row as a whole.
            self.pen.wraps = true;
            if !self.modes.wraps {
                return;
            }
            self.wrap_if_due();
        }
        let (row, column) = (self.pen.row, self.pen.column);
        let cell = Cell {
            character,
            mark: None,
            style: self.pen.style,
            columns,
            stamp: self.stamp,
        };
        let inserts = self.modes.inserts;
        let erased = self.pen.style.erased();
        let grid = self.grid_mut();
        if inserts {
            grid.insert_cells(row, column, usize::from(columns), erased);
        }
        grid.write(row, column, cell);
        self.advance(usize::from(columns));
    }

    fn control(&mut self, byte: u8) {
        match byte {
            0x07 => self.ring(),
            0x08 => {
                self.pen.column -= usize::from(self.pen.column > 0);
                self.pen.wraps = false;
            }
            b'\t' => self.tab(1),
            b'\n' | 0x0b | 0x0c => {
                if self.modes.returns {
                    self.pen.column = 0;
                }
                self.line_feed();
            }
            b'\r' => {
                self.pen.column = 0;
                self.pen.wraps = false;
            }
            0x0e => self.pen.shifted = true,
            0x0f => self.pen.shifted = false,
            _ => {}
        }
    }

    fn escape(&mut self, intermediate: u8, last: u8) {
        match (intermediate, last) {
            (0, b'7') => self.saved[usize::from(self.alternate.is_some())] = self.pen,
            (0, b'8') => self.restore(),
            (0, b'D') => self.line_feed(),
            (0, b'E') => {
                self.pen.column = 0;
                self.line_feed();
            }
            (0, b'H') => {
                if let Some(tab) = self.tabs.get_mut(self.pen.column) {
                    *tab = true;
                }
            }
            (0, b'M') => self.reverse_line_feed(),
            (0, b'=') => self.modes.application_keypad = true,
            (0, b'>') => self.modes.application_keypad = false,
            (0, b'c') => self.reset(),
            (b'(', set) => self.pen.graphics[0] = set == b'0',
            (b')', set) => self.pen.graphics[1] = set == b'0',
            (b'#', b'8') => self.fill(),
            _ => {}
        }
    }

    fn sequence(&mut self, sequence: &Sequence, last: u8) {
        match (sequence.private, sequence.intermediate) {
            (0, 0) => self.plain_sequence(sequence, last),
            (b'?', 0) => self.private_sequence(sequence, last),
            (0, b'!') if last == b'p' => self.soft_reset(),
            (0, b' ') if last == b'q' => self.modes.cursor_shape = sequence.raw(0).min(6),
            (b'?', b'$') if last == b'p' => {
                let mode = sequence.raw(0);
                let state = match self.private_mode(mode) {
                    None => 0,
                    Some(true) => 1,
                    Some(false) => 2,
                };
                self.reply(&format!("\x1b[?{mode};{state}$y"));
            }
            (b'>', 0) if last == b'c' => self.reply("\x1b[>41;0;0c"),
            (b'>', 0) if last == b'q' => {
                let version = env!("CARGO_PKG_VERSION");
                self.reply(&format!("\x1bP>|aido {version}\x1b\\"));
            }
            _ => {}
        }
    }

    fn string(&mut self, kind: u8, text: &[u8]) {
        if kind == b'P' {
            // DECRQSS and XTGETTCAP: known and refused, which is quicker than no answer.
            if text.starts_with(b"$q") {
                self.reply("\x1bP0$r\x1b\\");
            } else if text.starts_with(b"+q") {
                self.reply("\x1bP0+r\x1b\\");
            }
            return;
        }
        let text = String::from_utf8_lossy(text);
        let (number, rest) = text.split_once(';').unwrap_or((&text, ""));
        match number {
            "0" | "2" => self.title = rest.chars().take(TITLE_CHARACTERS).collect(),
            // Progress is no call for attention.
            "9" if rest.starts_with("4;") => {}
            "9" | "99" | "777" => self.ring(),
            "10" if rest == "?" => self.reply("\x1b]10;rgb:d8d8/d8d8/d8d8\x1b\\"),
            "11" if rest == "?" => self.reply("\x1b]11;rgb:0000/0000/0000\x1b\\"),
            _ => {}
        }
    }
}

impl State {
    /// A byte in the character set that is in use.
    fn in_set(&self, byte: u8) -> char {
        let is_graphic = self.pen.graphics[usize::from(self.pen.shifted)];
        let index = usize::from(byte).checked_sub(usize::from(b'_'));
        let graphic = index.and_then(|index| GRAPHICS.get(index));
        match graphic {
            Some(graphic) if is_graphic => *graphic,
            _ => char::from(byte),
        }
    }

    fn ring(&mut self) {
        self.bells += 1;
        self.bell_stamp = self.stamp;
    }

    fn reply(&mut self, answer: &str) {
        if self.replies.len() + answer.len() <= REPLIES_BYTES {
            self.replies.extend_from_slice(answer.as_bytes());
        }
    }

    fn mark(&mut self, mark: char) {
        let Pen { row, column, .. } = self.pen;
        let stamp = self.stamp;
        let column = match self.pen.wraps {
            true => column,
            false if column == 0 => return,
            false => column - 1,
        };
        self.grid_mut().mark(row, column, mark, stamp);
    }

    fn plain_sequence(&mut self, sequence: &Sequence, last: u8) {
        let Pen { row, column, .. } = self.pen;
        let count = sequence.count(0);
        let erased = self.pen.style.erased();
        let in_region = {
            let (top, bottom) = self.grid().region;
            (top..bottom).contains(&row)
        };
        match last {
            b'A' => self.go_up(count),
            b'B' | b'e' => self.go_down(count),
            b'C' | b'a' => self.go_right(count),
            b'D' => self.go_left(count),
            b'E' => {
                self.go_down(count);
                self.pen.column = 0;
            }
            b'F' => {
                self.go_up(count);
                self.pen.column = 0;
            }
            b'G' | b'`' => {
                self.pen.column = (count - 1).min(self.grid().width() - 1);
                self.pen.wraps = false;
            }
            b'd' => self.go_to(count - 1, column),
            b'H' | b'f' => self.go_to(count - 1, sequence.count(1) - 1),
            b'I' => self.tab(count.min(200)),
            b'Z' => self.back_tab(count.min(200)),
            b'J' => self.erase_display(sequence.raw(0)),
            b'K' => {
                let width = self.grid().width();
                let (from, to) = match sequence.raw(0) {
                    0 => (column, width),
                    1 => (0, column + 1),
                    2 => (0, width),
                    _ => return,
                };
                self.grid_mut().erase(row, from, to, erased);
                self.pen.wraps = false;
            }
            b'L' if in_region => self.grid_mut().scroll_down(row, count, erased),
            b'M' if in_region => self.delete_rows(row, count, erased),
            b'@' => self.grid_mut().insert_cells(row, column, count, erased),
            b'P' => self.grid_mut().delete_cells(row, column, count, erased),
            b'X' => self
                .grid_mut()
                .erase(row, column, column.saturating_add(count), erased),
            b'S' => {
                let top = self.grid().region.0;
                self.grid_mut().scroll_up(top, count, erased);
            }
            b'T' => {
                let top = self.grid().region.0;
                self.grid_mut().scroll_down(top, count, erased);
            }
            b'b' => {
                if let Some(character) = self.last {
                    // More than fills the screen would only scroll.
                    let most = self.grid().width() * self.grid().height();
                    for _ in 0..count.min(most) {
                        self.character(character);
                    }
                }
            }
            b'c' if sequence.raw(0) == 0 => self.reply("\x1b[?62;22c"),
            b'g' => match sequence.raw(0) {
                0 => {
                    if let Some(tab) = self.tabs.get_mut(column) {
                        *tab = false;
                    }
                }
                3 => self.tabs.fill(false),
                _ => {}
            },
            b'h' | b'l' => self.set_modes(sequence, last == b'h'),
            b'm' => self.pen.style = styled(self.pen.style, sequence),
            b'n' => match sequence.raw(0) {
                5 => self.reply("\x1b[0n"),
                6 => {
                    let top = if self.pen.origin {
                        self.grid().region.0
                    } else {
                        0
                    };
                    self.reply(&format!("\x1b[{};{}R", row - top.min(row) + 1, column + 1));
                }
                _ => {}
            },
            b'r' => self.set_region(sequence),
            b's' => self.saved[usize::from(self.alternate.is_some())] = self.pen,
            b't' if sequence.raw(0) == 18 => {
                let (rows, columns) = (self.size.rows, self.size.columns);
                self.reply(&format!("\x1b[8;{rows};{columns}t"));
            }
            b'u' => self.restore(),
            _ => {}
        }
    }

    /// Deleting rows is no scrolling: what goes is not kept.
    fn delete_rows(&mut self, row: usize, count: usize, style: Style) {
        let grid = self.grid_mut();
        if row > 0 {
            grid.scroll_up(row, count, style);
        } else {
            let bottom = grid.region.1;
            let count = count.min(bottom);
            grid.rotate_up(count);
            grid.erase_rows(bottom - count, bottom, style);
        }
    }

    fn private_sequence(&mut self, sequence: &Sequence, last: u8) {
        match last {
            b'h' | b'l' => {
                for group in sequence.groups() {
                    self.set_private(group[0], last == b'h');
                }
            }
            b'n' if sequence.raw(0) == 6 => {
                let (row, column) = (self.pen.row + 1, self.pen.column + 1);
                self.reply(&format!("\x1b[?{row};{column}R"));
            }
            // Selective erasing erases all here: nothing is protected.
            b'J' | b'K' => self.plain_sequence(sequence, last),
            _ => {}
        }
    }

    fn private_mode(&self, mode: u16) -> Option<bool> {
        match mode {
            6 => Some(self.pen.origin),
            47 | 1047 | 1049 => Some(self.alternate.is_some()),
            mode => self.modes.private(mode),
        }
    }

    fn set_private(&mut self, mode: u16, is_on: bool) {
        match mode {
            6 => {
                self.pen.origin = is_on;
                self.go_to(0, 0);
            }
            47 | 1047 => self.switch(is_on, false),
            1048 => match is_on {
                true => self.saved[usize::from(self.alternate.is_some())] = self.pen,
                false => self.restore(),
            },
            1049 => self.switch(is_on, true),
            mode => self.modes.set_private(mode, is_on),
        }
    }

    fn set_modes(&mut self, sequence: &Sequence, is_on: bool) {
        for group in sequence.groups() {
            match group[0] {
                4 => self.modes.inserts = is_on,
                20 => self.modes.returns = is_on,
                _ => {}
            }
        }
    }
}
