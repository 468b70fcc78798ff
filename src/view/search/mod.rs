//! What a search found: for a person at a terminal, for a pipe, and as JSON.

pub mod json;
pub mod plain;
pub mod terminal;

use std::borrow::Cow;
use std::fmt;

use crate::search::{Part, Row, RowKind};

/// What stands for text that is left out.
const ELLIPSIS: char = '…';

/// A row's text piece by piece, each with whether it is a match, as valid UTF-8.
fn pieces<'a>(row: &Row<'a>) -> impl Iterator<Item = (Cow<'a, str>, bool)> {
    let text = row.text;
    let mut at = 0;
    let ends = row
        .spans
        .iter()
        .flat_map(|span| [(span.start, false), (span.end, true)]);
    ends.chain([(text.len(), false)])
        .filter_map(move |(end, is_match)| {
            let piece = text.get(at..end)?;
            at = end;
            (!piece.is_empty()).then(|| (readable(piece), is_match))
        })
}

/// Bytes as text; what is no UTF-8 becomes U+FFFD.
fn readable(bytes: &[u8]) -> Cow<'_, str> {
    // Checking first is faster where they are valid, as nearly always.
    match str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(bytes),
    }
}

/// What stands in front of a row's text: the line of a transcript, or what else it is.
struct Place<'a>(&'a Row<'a>);

impl fmt::Display for Place<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.part {
            Part::Transcript => write!(formatter, "{}", self.0.line),
            part => formatter.write_str(part_name(part)),
        }
    }
}

fn part_name(part: Part) -> &'static str {
    match part {
        Part::Command => "command",
        Part::Notes => "notes",
        Part::Transcript => "transcript",
    }
}

/// What separates a row's place from its text, as grep has it.
fn separator(row: &Row<'_>) -> char {
    match row.kind {
        RowKind::Match => ':',
        RowKind::Context => '-',
    }
}

/// Tells where rows don't follow each other.
#[derive(Debug, Default)]
pub struct Gaps {
    last: Option<(Part, u64)>,
}

impl Gaps {
    /// Whether lines are left out between the row before and this one. In front of the first row
    /// there is no gap.
    pub fn is_before(&mut self, row: &Row<'_>) -> bool {
        let last = self.last.replace((row.part, row.line));
        last.is_some_and(|(part, line)| part != row.part || line + 1 != row.line)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::search::Span;

    /// A matching line of a transcript.
    pub(crate) fn row<'a>(line: u64, text: &'a [u8], spans: &'a [Span]) -> Row<'a> {
        Row {
            part: Part::Transcript,
            kind: RowKind::Match,
            line,
            text,
            spans,
            skipped_bytes: 0,
            is_cut: false,
        }
    }

    #[test]
    fn pieces_put_together_are_the_text_and_matches_are_told() {
        let text = b"an error\xff here";
        let row = row(
            1,
            text,
            &[Span { start: 3, end: 8 }, Span { start: 8, end: 9 }],
        );
        let pieces: Vec<_> = pieces(&row).collect();
        let expected = [
            ("an ", false),
            ("error", true),
            ("\u{fffd}", true),
            (" here", false),
        ];
        assert_eq!(
            pieces,
            expected.map(|(text, is_match)| (text.into(), is_match))
        );
    }

    #[test]
    fn a_gap_is_where_lines_are_left_out() {
        let mut gaps = Gaps::default();
        let lines = [5, 6, 9, 10];
        assert_eq!(
            lines.map(|line| gaps.is_before(&row(line, b"", &[]))),
            [false, false, true, false]
        );
    }
}
