//! Where the cursor went between two visible characters.

use super::Parameter;

/// The way that the cursor went since the last visible byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Moves {
    /// To the right.
    columns: i16,
    /// Down.
    rows: i16,
    /// Whether nobody knows where it is: it depends on more than the way.
    is_lost: bool,
    /// Where it was when it was saved, counted likewise.
    saved: Option<(i16, i16)>,
}

/// Where the cursor is, seen from the last visible byte.
pub(super) enum Place {
    /// Right behind it.
    Same,
    /// So many columns before that.
    Back(usize),
    /// Anywhere else.
    Elsewhere,
}

impl Moves {
    /// Where it is.
    pub(super) fn place(self) -> Place {
        match (self.is_lost || self.rows != 0, self.columns) {
            (false, 0) => Place::Same,
            (false, columns) if columns < 0 => Place::Back(usize::from(columns.unsigned_abs())),
            _ => Place::Elsewhere,
        }
    }

    /// It goes so many columns to the right and rows down.
    pub(super) fn shift(&mut self, columns: i16, rows: i16) {
        self.columns = self.columns.saturating_add(columns);
        self.rows = self.rows.saturating_add(rows);
    }

    /// What an escape sequence of two bytes does, by the last of them.
    pub(super) fn escape(&mut self, last: u8) {
        match last {
            b'7' => self.save(),
            b'8' => self.restore(),
            b'D' => self.shift(0, 1),
            b'M' => self.shift(0, -1),
            b'E' | b'c' => self.is_lost = true,
            _ => {}
        }
    }

    /// What a control sequence does, by its last byte and what stands before (ECMA-48, section 8.3).
    pub(super) fn control(&mut self, last: u8, parameter: Parameter) {
        match (last, parameter.count()) {
            // Colours, modes, erasing a line, queries.
            (b'm' | b'h' | b'l' | b'K' | b'n' | b'p' | b'q' | b't' | b'c', _) => {}
            (b'C' | b'a', Some(count)) => self.shift(count, 0),
            (b'D', Some(count)) => self.shift(-count, 0),
            (b'A', Some(count)) => self.shift(0, -count),
            (b'B' | b'e', Some(count)) => self.shift(0, count),
            (b's', _) if parameter == Parameter::None => self.save(),
            (b'u', _) if parameter == Parameter::None => self.restore(),
            _ => self.is_lost = true,
        }
    }

    fn save(&mut self) {
        self.saved = (!self.is_lost).then_some((self.columns, self.rows));
    }

    fn restore(&mut self) {
        match self.saved {
            Some((columns, rows)) => {
                (self.columns, self.rows, self.is_lost) = (columns, rows, false);
            }
            None => self.is_lost = true,
        }
    }
}
