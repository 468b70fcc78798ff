//! What is looked at around a keyword: a bounded stretch of text, in which a secret may go on after
//! the end of a line.
//!
//! A stretch ends a fixed number of bytes before and after the keyword, or where the input does. So
//! what is found depends on the bytes around it alone, never on how they arrived.

use super::class::{ALNUM, Class};
use super::detect::look;
use super::rule::Run;
use super::word::Edge;

/// The most line ends that one token may go over.
const WRAPS: usize = 64;

/// The least of a run on the next line for which a token of varying length goes on there, where the
/// width of the terminal isn't known.
const CONTINUATION_BYTES: usize = 12;

/// How far behind a byte, in the input, it may be written once more or over.
const ECHO_BYTES: usize = 1024;

/// Text with the place in the input of each of its bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text<'a> {
    /// The bytes.
    pub(super) bytes: &'a [u8],
    /// Where stretches of them stand in the input: (index here, offset there), both rising. Empty
    /// where the text is the input.
    pub(super) stretches: &'a [(usize, usize)],
    /// Bytes that stood in the same place before or after: (index here, offset in the input), by their offsets.
    pub(super) echoes: &'a [(usize, usize)],
}

impl Text<'_> {
    /// The offset in the input of the byte with this index, or of the end.
    pub(super) fn offset(&self, index: usize) -> usize {
        let after = self.stretches.partition_point(|(start, _)| *start <= index);
        match after
            .checked_sub(1)
            .and_then(|last| self.stretches.get(last))
        {
            Some((start, offset)) => offset + (index - start),
            None => index,
        }
    }

    /// The index of the first byte that stands at or after this offset in the input.
    pub(super) fn index(&self, offset: usize) -> usize {
        let after = self.stretches.partition_point(|(_, at)| *at <= offset);
        let Some((start, at)) = after
            .checked_sub(1)
            .and_then(|last| self.stretches.get(last))
        else {
            return match self.stretches.first() {
                Some((start, _)) => *start,
                None => offset.min(self.bytes.len()),
            };
        };
        let end = self
            .stretches
            .get(after)
            .map_or(self.bytes.len(), |(next, _)| *next);
        (start + (offset - at)).min(end)
    }

    /// The stretches between two indexes: where each begins here and in the input, and its length.
    pub(super) fn stretches_between(
        &self,
        from: usize,
        to: usize,
    ) -> impl Iterator<Item = (usize, usize, usize)> {
        let first = self.stretches.partition_point(|(start, _)| *start <= from);
        let inside = self
            .stretches
            .get(first.saturating_sub(1)..)
            .unwrap_or_default();
        let ends = inside.iter().skip(1).map(|(start, _)| *start);
        let ends = ends.chain(std::iter::once(self.bytes.len()));
        let whole = inside.iter().zip(ends);
        whole
            .take_while(move |((start, _), _)| *start < to)
            .map(move |((start, offset), end)| {
                let index = from.max(*start);
                (
                    index,
                    offset + (index - start),
                    end.min(to).saturating_sub(index),
                )
            })
            .filter(|(_, _, length)| *length > 0)
    }

    /// Where in the input the bytes between two indexes are written once more, or what stood in their
    /// place before.
    pub(super) fn echoes_between(&self, from: usize, to: usize) -> impl Iterator<Item = usize> {
        let (low, high) = (self.offset(from), self.offset(to) + ECHO_BYTES);
        let first = self.echoes.partition_point(|(_, offset)| *offset < low);
        let near = self.echoes[first..].iter();
        near.take_while(move |(_, offset)| *offset <= high)
            .filter(move |(index, _)| (from..to).contains(index))
            .map(|(_, offset)| *offset)
    }

    /// Whether something invisible stands before the byte with this index.
    fn has_seam(&self, index: usize) -> bool {
        self.stretches
            .binary_search_by_key(&index, |(start, _)| *start)
            .is_ok()
    }
}

/// The stretch of text that is looked at around one keyword.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'a> {
    /// The text it is a part of.
    pub(super) text: Text<'a>,
    /// Where it begins.
    pub(super) low: usize,
    /// Where it ends.
    pub(super) high: usize,
    /// Whether the input ends there, too.
    pub(super) ends: bool,
    /// The offset in the input at which it ends, which may be after invisible bytes.
    pub(super) end_offset: usize,
    /// Where a secret ends that stands before: another may begin there.
    pub(super) joint: Option<usize>,
    /// The width of the terminal that the text was written to, if known.
    pub(super) columns: Option<u16>,
}

/// Where a run ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ran {
    /// The index after its last byte.
    pub(super) end: usize,
    /// How many bytes it has, line ends aside.
    pub(super) count: usize,
    /// Whether it might go on after the view.
    pub(super) is_open: bool,
}

impl<'a> View<'a> {
    /// The byte at an index, if it is in view.
    #[inline]
    pub(super) fn byte(&self, index: usize) -> Option<u8> {
        if index < self.low || index >= self.high {
            return None;
        }
        self.text.bytes.get(index).copied()
    }

    /// The bytes between two indexes, as far as they are in view.
    pub(super) fn slice(&self, from: usize, to: usize) -> &'a [u8] {
        let to = to.min(self.high);
        let from = from.max(self.low).min(to);
        self.text.bytes.get(from..to).unwrap_or_default()
    }

    /// Where the text goes on after the line end that begins here.
    ///
    /// Line editors force a wrap by a blank and a carriage return.
    pub(super) fn after_line_end(&self, index: usize) -> Option<usize> {
        let after = match (self.byte(index)?, self.byte(index + 1)) {
            (b'\n', _) => index + 1,
            (b'\r', Some(b'\n')) => index + 2,
            (b'\r', Some(b'\r')) if self.byte(index + 2) == Some(b'\n') => index + 3,
            (b'\r', _) => index + 1,
            (b' ', Some(b'\r')) if self.byte(index + 2) != Some(b'\n') => index + 2,
            _ => return None,
        };
        Some(after)
    }

    /// Follows a run, over line ends as long as the token can't be complete.
    pub(super) fn run(&self, from: usize, run: Run) -> Ran {
        let limit = run.limit();
        let least = usize::from(run.least);
        let (mut end, mut count, mut wraps) = (from, 0, 0);
        loop {
            let room = self.slice(end, self.high);
            let here = room.iter().take(limit - count);
            let more = here.take_while(|byte| run.class.has(**byte)).count();
            end += more;
            count += more;
            if count >= limit {
                break;
            }
            if end >= self.high {
                return Ran {
                    end,
                    count,
                    is_open: !self.ends,
                };
            }
            let next = self.after_line_end(end).filter(|next| {
                let goes_on = self.byte(*next).is_some_and(|byte| run.class.has(byte));
                let is_due =
                    count < least || (run.varies && self.is_wrapped(end, *next, run.class));
                goes_on && is_due && wraps < WRAPS
            });
            let Some(next) = next else { break };
            end = next;
            wraps += 1;
        }
        Ran {
            end,
            count,
            is_open: false,
        }
    }

    /// Whether the line that ends here was cut by the width of the terminal, as far as one can tell.
    fn is_wrapped(&self, end: usize, next: usize, class: Class) -> bool {
        if let Some(columns) = self.columns {
            let columns = usize::from(columns);
            let line = self.slice(end.saturating_sub(columns * 4), end);
            let start = line
                .iter()
                .rposition(|byte| matches!(byte, b'\n' | b'\r'))
                .map_or(0, |at| at + 1);
            let is_start = |byte: &&u8| **byte & 0xc0 != 0x80;
            return line[start..].iter().filter(is_start).count() == columns;
        }
        let rest = self.slice(next, next + 2 * CONTINUATION_BYTES);
        let length = rest.iter().take_while(|byte| class.has(**byte)).count();
        let is_long = length == 2 * CONTINUATION_BYTES && rest.iter().any(u8::is_ascii_digit);
        length >= CONTINUATION_BYTES && (is_long || look::is_random(&rest[..length]))
    }

    /// The index after this text, which a line end may split.
    pub(super) fn literal(&self, from: usize, wanted: &[u8]) -> Option<usize> {
        self.match_bytes(from, wanted, |one, other| one == other)
    }

    /// The same, taking capitals for small letters; the text wanted is in small letters.
    pub(super) fn literal_folded(&self, from: usize, wanted: &[u8]) -> Option<usize> {
        self.match_bytes(from, wanted, |one, other| one.to_ascii_lowercase() == other)
    }

    fn match_bytes(
        &self,
        from: usize,
        wanted: &[u8],
        is_same: impl Fn(u8, u8) -> bool,
    ) -> Option<usize> {
        let mut at = from;
        for (index, byte) in wanted.iter().enumerate() {
            if index > 0 && !is_same(self.byte(at)?, *byte) {
                at = self.after_line_end(at)?;
            }
            if !is_same(self.byte(at)?, *byte) {
                return None;
            }
            at += 1;
        }
        Some(at)
    }

    /// Follows a run backwards; its end is where it begins.
    pub(super) fn run_back(&self, from: usize, run: Run) -> Ran {
        let (mut end, mut count, mut wraps) = (from, 0, 0);
        loop {
            let more = self.run_before(end, run.class, run.limit() - count);
            end -= more;
            count += more;
            let before = self.before_line_end(end).filter(|before| {
                let last = before.checked_sub(1).and_then(|last| self.byte(last));
                last.is_some_and(|byte| run.class.has(byte))
            });
            match before {
                Some(before) if count < usize::from(run.least) && wraps < WRAPS => end = before,
                _ => break,
            }
            wraps += 1;
        }
        Ran {
            end,
            count,
            is_open: false,
        }
    }

    /// Where the line end begins that ends right before an index.
    fn before_line_end(&self, index: usize) -> Option<usize> {
        let back = |count: usize| index.checked_sub(count).and_then(|at| self.byte(at));
        match (back(1)?, back(2), back(3)) {
            (b'\n', Some(b'\r'), Some(b'\r')) => Some(index - 3),
            (b'\n', Some(b'\r'), _) | (b'\r', Some(b' '), _) => Some(index - 2),
            (b'\n' | b'\r', _, _) => Some(index - 1),
            _ => None,
        }
    }

    /// How many bytes of a class stand right before an index, at most `most`.
    pub(super) fn run_before(&self, index: usize, class: Class, most: usize) -> usize {
        let before = self.slice(index.saturating_sub(most), index);
        let run = before.iter().rev();
        run.take_while(|byte| class.has(**byte)).count()
    }

    /// Whether a token may begin at this index.
    pub(super) fn may_begin(&self, index: usize, edge: Edge) -> bool {
        if edge == Edge::Free || self.joint == Some(index) {
            return true;
        }
        let Some(before) = index.checked_sub(1).and_then(|before| self.byte(before)) else {
            return true;
        };
        let is_name = match edge {
            Edge::Apart => matches!(before, b'_' | b'-' | b'.' | b'/' | b'+'),
            Edge::Alone => matches!(before, b'_' | b'-' | b'.'),
            Edge::Free | Edge::Word => false,
        };
        if !is_name && !ALNUM.has(before) {
            return true;
        }
        self.text.has_seam(index) || self.ends_an_escape(index)
    }

    /// Whether what stands before an index is the end of an escape as JSON, URLs and source code
    /// spell them: `\n`, `\u003d`, `\x3d`, `%3D`, `\u001b[31m`.
    fn ends_an_escape(&self, index: usize) -> bool {
        let before = self.slice(index.saturating_sub(8), index);
        let is_hex = |digits: &[u8]| digits.iter().all(u8::is_ascii_hexdigit);
        match before {
            [
                ..,
                b'\\',
                b'n' | b'r' | b't' | b'f' | b'b' | b'v' | b'0' | b'a' | b'e',
            ] => true,
            [.., b'%', one, other] if is_hex(&[*one, *other]) => true,
            [.., b'\\', b'x', one, other] if is_hex(&[*one, *other]) => true,
            [start @ .., b'm'] => {
                let is_parameter = |byte: &&u8| byte.is_ascii_digit() || **byte == b';';
                let parameters = start.iter().rev().take_while(is_parameter).count();
                start[..start.len() - parameters].ends_with(b"[")
            }
            _ => {
                let unicode = before.len().checked_sub(6).map(|at| &before[at..]);
                unicode.is_some_and(|last| last.starts_with(b"\\u") && is_hex(&last[2..]))
            }
        }
    }
}
