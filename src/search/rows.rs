//! What was found in a session, row by row, without an allocation for each.

use super::excerpt::Excerpt;
use super::pattern::Span;

/// What of a session is searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The command line.
    Command,
    /// The note.
    Notes,
    /// The output.
    Transcript,
}

/// Why a row is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowKind {
    /// Its line has a match.
    Match,
    /// It stands near one that has.
    Context,
}

/// A line that is shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row<'a> {
    /// What it is a line of.
    pub part: Part,
    /// Why it is there.
    pub kind: RowKind,
    /// Its number, from 1: line feeds of the recorded bytes count, and nothing else.
    pub line: u64,
    /// Its text as a terminal would have shown it; any bytes but line feeds, carriage returns and
    /// escapes. Of a very long text a part.
    pub text: &'a [u8],
    /// Where the pattern matches in the text.
    pub spans: &'a [Span],
    /// How many bytes of the line's text stand before the part that is shown.
    pub skipped_bytes: u64,
    /// Whether the line's text goes on after it.
    pub is_cut: bool,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    part: Part,
    kind: RowKind,
    line: u64,
    skipped_bytes: u64,
    is_cut: bool,
    text_end: usize,
    spans_end: usize,
}

/// Some rows of a session, in order.
#[derive(Debug, Default)]
pub struct Rows {
    text: Vec<u8>,
    spans: Vec<Span>,
    entries: Vec<Entry>,
}

impl Rows {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All their texts, one behind the other.
    #[must_use]
    pub fn texts(&self) -> &[u8] {
        &self.text
    }

    /// The rows.
    pub fn iter(&self) -> impl Iterator<Item = Row<'_>> {
        let mut text_start = 0;
        let mut spans_start = 0;
        self.entries.iter().map(move |entry| {
            let row = Row {
                part: entry.part,
                kind: entry.kind,
                line: entry.line,
                text: &self.text[text_start..entry.text_end],
                spans: &self.spans[spans_start..entry.spans_end],
                skipped_bytes: entry.skipped_bytes,
                is_cut: entry.is_cut,
            };
            (text_start, spans_start) = (entry.text_end, entry.spans_end);
            row
        })
    }

    /// The same rows, with another text where `other` gives one. The places of matches in it are not
    /// known.
    #[must_use]
    pub fn with_texts(&self, other: &mut dyn FnMut(&Row<'_>) -> Option<Vec<u8>>) -> Self {
        let mut rows = Self::default();
        for (row, entry) in self.iter().zip(&self.entries) {
            let mut entry = *entry;
            match other(&row) {
                Some(text) => {
                    rows.text.extend_from_slice(&text);
                    entry.skipped_bytes = 0;
                }
                None => {
                    rows.text.extend_from_slice(row.text);
                    rows.spans.extend_from_slice(row.spans);
                }
            }
            entry.text_end = rows.text.len();
            entry.spans_end = rows.spans.len();
            rows.entries.push(entry);
        }
        rows
    }

    /// Takes all of them away; their room stays to be used again.
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.spans.clear();
        self.entries.clear();
    }

    /// The memory that they take, in bytes.
    pub(super) fn size_bytes(&self) -> usize {
        self.text.capacity()
            + self.spans.capacity() * size_of::<Span>()
            + self.entries.capacity() * size_of::<Entry>()
    }

    /// A row whose text is all of the line's, and in which no match is marked.
    pub(super) fn push_whole(&mut self, part: Part, kind: RowKind, line: u64, text: &[u8]) {
        self.text.extend_from_slice(text);
        self.entries.push(Entry {
            part,
            kind,
            line,
            skipped_bytes: 0,
            is_cut: false,
            text_end: self.text.len(),
            spans_end: self.spans.len(),
        });
    }

    pub(super) fn push(&mut self, part: Part, kind: RowKind, line: u64, excerpt: &Excerpt) {
        self.text.extend_from_slice(&excerpt.text);
        self.spans.extend_from_slice(&excerpt.spans);
        self.entries.push(Entry {
            part,
            kind,
            line,
            skipped_bytes: excerpt.skipped_bytes,
            is_cut: excerpt.is_cut,
            text_end: self.text.len(),
            spans_end: self.spans.len(),
        });
    }
}
