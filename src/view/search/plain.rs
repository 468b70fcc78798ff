//! For a pipe: one line a row, `ID:LINE:TEXT`, as grep has it with file names and line numbers.

use std::fmt::{self, Write};

use super::{ELLIPSIS, Place, readable, separator};
use crate::search::Row;
use crate::session::SessionId;
use crate::view::sanitize;

/// A row as a line of its own. In place of the line's number stands `command` or `notes` for what is
/// no output; around a line of context, dashes stand for colons. A text that is shown in part has an
/// ellipsis where it is cut.
pub struct PlainRow<'a> {
    /// Whose.
    pub id: &'a SessionId,
    /// What.
    pub row: Row<'a>,
}

impl fmt::Display for PlainRow<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = &self.row;
        let separator = separator(row);
        formatter.write_str(self.id.as_str())?;
        formatter.write_char(separator)?;
        Place(row).fmt(formatter)?;
        formatter.write_char(separator)?;
        if row.skipped_bytes > 0 {
            formatter.write_char(ELLIPSIS)?;
        }
        formatter.write_str(&sanitize::for_agent(&readable(row.text)))?;
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
        let id = "a-20260305_132522-1-abcdef12".parse().unwrap();
        PlainRow { id: &id, row }.to_string()
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
