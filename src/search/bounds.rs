//! Where the line around a match begins and ends, and which line it is. Texts in which every third line
//! matches spend most of their time here, so no byte is looked at twice where that can be avoided.

use memchr::{memchr, memchr_iter, memchr2, memrchr, memrchr2};

use super::pattern::Span;

/// How many bytes are counted at once: few enough that their line feeds fit a byte.
const PIECE_BYTES: usize = 64;
/// From here on, looking for the next line feed and the next is not slower.
const LONG_BYTES: usize = 1024;

/// A line of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The line without its line feed.
    pub line: Span,
    /// Whether a carriage return within it divides it, and not only ends it.
    pub has_states: bool,
}

impl Bounds {
    /// The line that `at` is in; it begins at `from` or later.
    pub(super) fn around(block: &[u8], from: usize, at: usize) -> Self {
        undivided(block, from, at).unwrap_or_else(|| whole_line(block, from, at))
    }
}

/// The line, unless a carriage return is met that isn't the one of a CRLF behind `at`.
fn undivided(block: &[u8], from: usize, at: usize) -> Option<Bounds> {
    let start = match memrchr2(b'\n', b'\r', &block[from..at]) {
        Some(length) if block[from + length] == b'\r' => return None,
        Some(length) => from + length + 1,
        None => from,
    };
    let end = match memchr2(b'\n', b'\r', &block[at..]) {
        Some(length) if block[at + length] == b'\n' => at + length,
        Some(length) => {
            let line_feed = at + length + 1;
            (block.get(line_feed) == Some(&b'\n')).then_some(line_feed)?
        }
        None => block.len(),
    };
    Some(Bounds {
        line: Span { start, end },
        has_states: false,
    })
}

fn whole_line(block: &[u8], from: usize, at: usize) -> Bounds {
    let start = memrchr(b'\n', &block[from..at]).map_or(from, |length| from + length + 1);
    let end = memchr(b'\n', &block[at..]).map_or(block.len(), |length| at + length);
    let first = memchr(b'\r', &block[start..end]).map(|length| start + length);
    Bounds {
        line: Span { start, end },
        has_states: first.is_some_and(|at| at + 1 < end || end == block.len()),
    }
}

/// Numbers the lines of a text, block by block.
#[derive(Debug)]
pub(super) struct Numbers {
    /// The number of the line at `counted_to`.
    line: u64,
    /// A whole number of pieces, so that most counting is of whole pieces.
    counted_to: usize,
}

impl Numbers {
    /// At the beginning of a text.
    pub(super) fn new() -> Self {
        Self {
            line: 1,
            counted_to: 0,
        }
    }

    /// The number of the line at the beginning of the block.
    pub(super) fn first(&self) -> u64 {
        self.line
    }

    /// The number of the line that begins at `start`; never asked for a line far before the last.
    pub(super) fn at(&mut self, block: &[u8], start: usize) -> u64 {
        debug_assert!(self.counted_to <= start);
        let whole = (start - self.counted_to) / PIECE_BYTES * PIECE_BYTES;
        let (gap, rest) = block[self.counted_to..].split_at(whole);
        self.line += match whole >= LONG_BYTES {
            true => memchr_iter(b'\n', gap).count() as u64,
            false => {
                let (pieces, _) = gap.as_chunks();
                pieces
                    .iter()
                    .map(|piece| line_feeds(piece, PIECE_BYTES))
                    .sum()
            }
        };
        self.counted_to += whole;
        let length = start - self.counted_to;
        // What follows the place is there to be read nearly always, and makes it a whole piece.
        self.line
            + match rest.first_chunk() {
                Some(piece) => line_feeds(piece, length),
                None => memchr_iter(b'\n', &rest[..length]).count() as u64,
            }
    }

    /// Goes on with another block behind this one.
    pub(super) fn end_block(&mut self, block: &[u8]) {
        self.line = self.at(block, block.len());
        self.counted_to = 0;
    }

    /// Goes on behind a line that is in no block.
    pub(super) fn skip_line(&mut self) {
        self.line += 1;
    }
}

/// How many of the first bytes are line feeds. Without a branch, so that many are compared at a time.
fn line_feeds(piece: &[u8; PIECE_BYTES], length: usize) -> u64 {
    let places = piece.iter().zip(0u8..);
    let length = length as u8;
    let count: u8 = places
        .map(|(byte, place)| u8::from(*byte == b'\n') & u8::from(place < length))
        .sum();
    count.into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_line_has_its_bounds_and_states_wherever_it_is_asked_for(
            text in "[a\r\n]{0,40}|(aaa\r?\n){0,10}",
            at in 0usize..40,
        ) {
            let block = text.as_bytes();
            let at = at.min(block.len());
            prop_assert_eq!(Bounds::around(block, 0, at), whole_line(block, 0, at));
            let from = whole_line(block, 0, at).line.start;
            prop_assert_eq!(Bounds::around(block, from, at), whole_line(block, from, at));
        }

        #[test]
        fn lines_have_the_numbers_that_counting_one_by_one_gives(
            lines in proptest::collection::vec(0usize..200, 1..60),
            asked in any::<u64>(),
            cut in 0usize..60,
        ) {
            let text: String = lines.iter().map(|length| "a".repeat(*length) + "\n").collect();
            let mut starts = vec![0];
            starts.extend(memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1));
            let cut = starts[cut.min(starts.len() - 1)];
            let mut numbers = Numbers::new();
            let mut offset = 0;
            for (index, start) in starts.iter().enumerate() {
                if offset < cut && *start >= cut {
                    numbers.end_block(&text.as_bytes()[..cut]);
                    offset = cut;
                    prop_assert_eq!(numbers.first(), index as u64 + 1);
                }
                if asked >> (index % 64) & 1 == 1 {
                    let end = if *start < cut { cut } else { text.len() };
                    let number = numbers.at(&text.as_bytes()[offset..end], start - offset);
                    prop_assert_eq!(number, index as u64 + 1);
                }
            }
        }
    }
}
