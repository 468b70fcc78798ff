//! For a pipe: one line a row, `ID:LINE:TEXT`, as grep has it with file names and line numbers.

use std::fmt::{self, Write as _};
use std::io::Write as _;

use super::{ELLIPSIS, Place, pieces, separator};
use crate::search::{Part, Row, RowKind};
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

/// The most digits of a line's number.
const DIGITS: usize = 20;

/// Rows as lines, put together to be written at once. A row that is shown as it stands, as nearly all
/// are, is copied: formatting took a quarter of a search in which every third line matches.
#[derive(Debug, Default)]
pub struct Lines {
    text: Vec<u8>,
    /// Whether the texts of all rows that come are shown as they stand.
    are_harmless: bool,
}

impl Lines {
    /// Begins anew, for rows of these texts, which stand one behind the other.
    pub fn begin(&mut self, texts: &[u8]) {
        self.text.clear();
        self.are_harmless = sanitize::is_harmless_ascii(texts);
    }

    /// The lines.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.text
    }

    /// Adds what stands for lines that are left out.
    pub fn push_gap(&mut self) {
        self.text.extend_from_slice(b"--\n");
    }

    /// Adds a row.
    pub fn push(&mut self, shown: &PlainRow<'_>) {
        let row = &shown.row;
        let is_as_it_stands = shown.palette == Palette::Plain
            && row.part == Part::Transcript
            && row.skipped_bytes == 0
            && !row.is_cut
            && (self.are_harmless || sanitize::is_harmless_ascii(row.text));
        if is_as_it_stands {
            self.copy(shown.id.as_str(), row);
        } else {
            // Writing to memory does not fail.
            let _ = writeln!(self.text, "{shown}");
        }
    }

    fn copy(&mut self, id: &str, row: &Row<'_>) {
        let separator = match row.kind {
            RowKind::Match => b':',
            RowKind::Context => b'-',
        };
        let mut digits = [0; DIGITS];
        self.text.extend_from_slice(id.as_bytes());
        self.text.push(separator);
        self.text.extend_from_slice(decimal(row.line, &mut digits));
        self.text.push(separator);
        self.text.extend_from_slice(row.text);
        self.text.push(b'\n');
    }
}

/// A number's digits.
fn decimal(number: u64, digits: &mut [u8; DIGITS]) -> &[u8] {
    let mut rest = number;
    let mut first = DIGITS;
    for (at, digit) in digits.iter_mut().enumerate().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
        first = at;
        if rest == 0 {
            break;
        }
    }
    &digits[first..]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::row;
    use super::*;
    use crate::search::Span;

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
    proptest! {
        #[test]
        fn lines_are_what_the_rows_show(
            texts in proptest::collection::vec("[a-z \t]{0,100}|[a-zé\t\x07\x7f\u{202e}]{0,9}", 1..4),
            line in prop_oneof![0u64..12, any::<u64>(), Just(u64::MAX)],
            kind in prop_oneof![Just(RowKind::Match), Just(RowKind::Context)],
            part in prop_oneof![4 => Just(Part::Transcript), 1 => Just(Part::Command)],
            skipped_bytes in prop_oneof![4 => Just(0u64), 1 => Just(9)],
            is_cut in prop::bool::weighted(0.2),
            palette in prop_oneof![3 => Just(Palette::Plain), 1 => Just(Palette::Coloured)],
        ) {
            let id = &"a-20260305_132522-1-abcdef12".parse().unwrap();
            let mut texts: Vec<Vec<u8>> = texts.into_iter().map(String::into_bytes).collect();
            texts.push(b"\xff".to_vec());
            let spans = [Span { start: 0, end: 1 }];
            for texts in [&texts[..], &texts[..1]] {
                let shown = texts.iter().map(|text| PlainRow {
                    id,
                    row: Row { part, kind, line, text, spans: &spans, skipped_bytes, is_cut },
                    palette,
                });
                let rows: Vec<PlainRow<'_>> = shown.collect();
                let mut lines = Lines::default();
                lines.begin(&texts.concat());
                rows.iter().for_each(|row| lines.push(row));
                let expected: String = rows.iter().map(|row| format!("{row}\n")).collect();
                prop_assert_eq!(str::from_utf8(lines.as_bytes()).unwrap(), expected);
            }
        }
    }
}
