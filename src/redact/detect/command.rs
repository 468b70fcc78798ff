//! Command lines in what programs print: traces of shells, what `make` echoes, commands in JSON.
//!
//! A program's name is the keyword, so that what surrounds it need not be a command line. What follows it
//! is read as one, up to the end of the line, or of the quotes around it.

use super::Found;
use crate::redact::argv::{self, Spelling};
use crate::redact::view::View;
use crate::redact::word::Edge;

/// How much is read before a keyword, and after it.
const BEFORE_BYTES: usize = 256;
const AFTER_BYTES: usize = 512;

/// How many times a keyword may stand in what is read for one of them. The next are looked at themselves,
/// so a line of nothing else is read a few times, and not once for each.
const SAME_KEYWORDS: usize = 3;

/// Finds what is secret to the program whose name begins at `at`, with this keyword, by its place.
pub(in crate::redact) fn find(
    view: &View<'_>,
    at: usize,
    keyword: &[u8],
    found: &mut dyn FnMut(Found),
) {
    let Some(line) = Line::around(view, at) else {
        return;
    };
    let end = line.text[line.at..].find([';', '|', '&']);
    let end = end.map_or(line.text.len(), |end| line.at + end);
    line.report(line.at..end.min(line.near(keyword).end), found);
}

/// Finds what another command hands on to the one whose name or option begins at `at`, with this keyword.
pub(in crate::redact) fn find_handed_on(
    view: &View<'_>,
    at: usize,
    keyword: &[u8],
    found: &mut dyn FnMut(Found),
) {
    if let Some(line) = Line::around(view, at) {
        line.report(line.near(keyword), found);
    }
}

/// What may be a command line.
struct Line<'a> {
    text: &'a str,
    /// Where the keyword stands in it.
    at: usize,
    /// The index in view of its beginning.
    from: usize,
    spelling: Spelling,
}

impl<'a> Line<'a> {
    fn around(view: &View<'a>, at: usize) -> Option<Self> {
        if !view.may_begin(at, Edge::Alone) {
            return None;
        }
        let before = view.slice(at.saturating_sub(BEFORE_BYTES), at);
        let start = before.iter().rposition(|byte| *byte == b'\n');
        let before = &before[start.map_or(0, |start| start + 1)..];
        let after = view.slice(at, at + AFTER_BYTES);
        let after = &after[..memchr::memchr(b'\n', after).unwrap_or(after.len())];
        let quoted = open_quote(before);
        let (skipped, length) = match quoted {
            Some((place, quote)) => (place + 1, argv::next_quote(after, quote)),
            None => (0, None),
        };
        let spelling = match quoted {
            Some((_, b'"')) => Spelling::Escaped,
            _ => Spelling::Plain,
        };
        let from = at - before.len() + skipped;
        let to = at + length.unwrap_or(after.len());
        let bytes = view.slice(from, to);
        // What comes before the keyword may begin, and what comes after it end, inside of a character.
        let broken = bytes
            .iter()
            .take(3)
            .take_while(|byte| **byte & 0xc0 == 0x80)
            .count();
        let bytes = &bytes[broken..];
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => std::str::from_utf8(&bytes[..error.valid_up_to()]).ok()?,
        };
        let text = text.trim_end_matches('\r');
        let at = at
            .checked_sub(from + broken)
            .filter(|at| *at <= text.len())?;
        Some(Self {
            text,
            at,
            from: from + broken,
            spelling,
        })
    }

    /// What is read for a keyword: up to where it stands again too often, to either side.
    fn near(&self, keyword: &[u8]) -> std::ops::Range<usize> {
        let (before, after) = self.text.split_at(self.at);
        let mut ends = memchr::memmem::find_iter(after.as_bytes(), keyword);
        let end = ends.nth(SAME_KEYWORDS);
        let mut starts = memchr::memmem::rfind_iter(before.as_bytes(), keyword);
        let start = starts.nth(SAME_KEYWORDS - 1);
        start.unwrap_or(0)..end.map_or(self.text.len(), |end| self.at + end)
    }

    fn report(&self, range: std::ops::Range<usize>, found: &mut dyn FnMut(Found)) {
        for part in argv::parts_of_text(&self.text[range.clone()], self.spelling) {
            let start = self.from + range.start;
            found(Found::whole(start + part.start, start + part.end));
        }
    }
}

/// The quote that is open at the end of a text, and where it stands.
fn open_quote(text: &[u8]) -> Option<(usize, u8)> {
    let mut open = None;
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        match (open, *byte) {
            (_, b'\\') => at += 1,
            (Some((_, quote)), byte) if byte == quote => open = None,
            (None, quote @ (b'"' | b'\'' | b'`')) => open = Some((at, quote)),
            _ => {}
        }
        at += 1;
    }
    open
}
