//! For a pipe: one line a row, `ID:LINE:TEXT`, as grep has it with file names and line numbers.

use std::fmt::{self, Write};

use super::{ELLIPSIS, Place, pieces, separator};
use crate::search::Row;
use crate::session::SessionId;
use crate::view::paint::{Meaning, Palette};
use crate::view::sanitize;

/// A row as a line of its own. In place of the line's number stands `command` or `notes` for what is
/// no output; around a line of context, dashes stand for colons. A text that is shown in part has an
/// ellipsis where it is cut.
pub struct PlainRow<'a> {
    /// Whose.
    pub id: &'a SessionId,
    /// What.
    pub row: Row<'a>,
    /// The colours.
    pub palette: Palette,
}

impl fmt::Display for PlainRow<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (row, palette) = (&self.row, self.palette);
        let separator = separator(row);
        let id = palette.paint(Meaning::Place, self.id.as_str());
        write!(formatter, "{id}{separator}")?;
        match palette {
            Palette::Plain => Place(row).fmt(formatter)?,
            Palette::Coloured => {
                let place = Place(row).to_string();
                palette.paint(Meaning::Number, &place).fmt(formatter)?;
            }
        }
        formatter.write_char(separator)?;
        if row.skipped_bytes > 0 {
            formatter.write_char(ELLIPSIS)?;
        }
        for (piece, is_match) in pieces(row) {
            let piece = sanitize::for_agent(&piece);
            match is_match {
                true => palette.paint(Meaning::Match, &piece).fmt(formatter)?,
                false => formatter.write_str(&piece)?,
            }
        }
        if row.is_cut {
            formatter.write_char(ELLIPSIS)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::row;
    use super::*;
    use crate::search::{Part, RowKind, Span};

    fn shown(row: Row<'_>) -> String {
        painted(row, Palette::Plain)
    }

    fn painted(row: Row<'_>, palette: Palette) -> String {
        let id = &"a-20260305_132522-1-abcdef12".parse().unwrap();
        PlainRow { id, row, palette }.to_string()
    }

    #[test]
    fn who_asks_for_colours_in_a_pipe_gets_them() {
        let row = row(12, b"an error", &[Span { start: 3, end: 8 }]);
        assert_eq!(
            painted(row, Palette::Coloured),
            "\x1b[36ma-20260305_132522-1-abcdef12\x1b[0m:\x1b[32m12\x1b[0m:an \x1b[1;31merror\x1b[0m"
        );
    }

    #[test]
    fn a_row_is_what_grep_would_print() {
        let mut row = row(
            12,
            b"an error\x07\tat\xff\xc2\x9b31m",
            &[Span { start: 3, end: 8 }],
        );
        assert_eq!(
            shown(row),
            "a-20260305_132522-1-abcdef12:12:an error\tat\u{fffd}"
        );
        row.kind = RowKind::Context;
        row.skipped_bytes = 3;
        row.is_cut = true;
        row.part = Part::Command;
        row.text = b"middle";
        assert_eq!(shown(row), "a-20260305_132522-1-abcdef12-command-…middle…");
    }
}
