//! The ends of the output that the sidecar quotes, kept while it passes.

use std::io;
use std::time::Duration;

use super::render::{self, LineFeed};
use crate::session::{Event, Sink, Size, Stream};

/// Bytes kept of either end. Escape sequences and progress bars shrink to less when rendered.
const KEPT_BYTES: usize = 8 * 1024;
/// The most text that a sidecar quotes of either end.
const QUOTED_BYTES: usize = 4 * 1024;

/// The last bytes of standard output and the first of standard error.
#[derive(Debug, Default)]
pub struct Excerpt {
    output: Vec<u8>,
    errors: Vec<u8>,
    /// Whether `output` begins in the middle.
    output_was_cut: bool,
    /// Whether there was more than `errors`.
    errors_were_cut: bool,
}

impl Excerpt {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The end of standard output, from the beginning of a line where it was cut.
    fn output_tail(&self) -> &[u8] {
        let start = self.output.len().saturating_sub(KEPT_BYTES);
        let tail = &self.output[start..];
        if start == 0 && !self.output_was_cut {
            return tail;
        }
        match tail.iter().position(|byte| *byte == b'\n') {
            Some(newline) => &tail[newline + 1..],
            None => tail,
        }
    }

    /// The beginning of standard error, up to the end of a line where it was cut.
    #[must_use]
    pub fn errors_head(&self) -> &[u8] {
        if !self.errors_were_cut {
            return &self.errors;
        }
        match self.errors.iter().rposition(|byte| *byte == b'\n') {
            Some(newline) => &self.errors[..=newline],
            None => &self.errors,
        }
    }

    /// Whether standard error had more than its beginning.
    #[must_use]
    pub fn errors_were_cut(&self) -> bool {
        self.errors_were_cut
    }

    /// The end of standard output as text that a person would have read in a window of this size.
    #[must_use]
    pub fn quoted_tail(&self, size: Size, line_feed: LineFeed) -> String {
        let (columns, rows) = (size.columns, size.rows);
        render::tail(self.output_tail(), columns, rows, line_feed, QUOTED_BYTES)
    }

    /// The beginning of standard error likewise.
    #[must_use]
    pub fn quoted_head(&self, size: Size) -> String {
        let line_feed = LineFeed::WithReturn;
        render::head(
            self.errors_head(),
            size.columns,
            size.rows,
            line_feed,
            QUOTED_BYTES,
        )
    }
}

impl Sink for Excerpt {
    fn event(&mut self, _at: Duration, event: &Event<'_>) -> io::Result<()> {
        let Event::Output { stream, bytes } = event else {
            return Ok(());
        };
        if *stream == Stream::Stderr {
            let room = KEPT_BYTES - self.errors.len();
            self.errors_were_cut |= bytes.len() > room;
            self.errors
                .extend_from_slice(&bytes[..bytes.len().min(room)]);
            return Ok(());
        }
        if bytes.len() >= KEPT_BYTES {
            self.output_was_cut |= bytes.len() > KEPT_BYTES || !self.output.is_empty();
            self.output.clear();
            self.output
                .extend_from_slice(&bytes[bytes.len() - KEPT_BYTES..]);
            return Ok(());
        }
        self.output.extend_from_slice(bytes);
        // Cut rarely, so that small writes don't move the rest each time.
        if self.output.len() > 2 * KEPT_BYTES {
            self.output_was_cut = true;
            self.output.drain(..self.output.len() - KEPT_BYTES);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn excerpt<'a>(stream: Stream, chunks: impl Iterator<Item = &'a [u8]>) -> Excerpt {
        let mut excerpt = Excerpt::new();
        for bytes in chunks {
            let event = Event::Output { stream, bytes };
            excerpt.event(Duration::ZERO, &event).unwrap();
        }
        excerpt
    }

    fn kept(chunks: &[Vec<u8>]) -> Vec<u8> {
        let excerpt = excerpt(Stream::Stdout, chunks.iter().map(Vec::as_slice));
        excerpt.output_tail().to_vec()
    }

    /// Lines of 128 bytes, of which 64 fill what is kept, and some bytes before or after them.
    fn lines(count: usize) -> Vec<u8> {
        format!("{}\n", "x".repeat(127)).repeat(count).into_bytes()
    }

    const CHUNKS: [usize; 7] = [
        1,
        100,
        5000,
        KEPT_BYTES - 1,
        KEPT_BYTES,
        KEPT_BYTES + 1,
        99_999,
    ];

    #[test]
    fn an_end_that_was_cut_begins_with_a_whole_line_and_one_that_was_not_is_whole() {
        for chunk in CHUNKS {
            let kept = |bytes: &[u8]| {
                let excerpt = excerpt(Stream::Stdout, bytes.chunks(chunk));
                excerpt.output_tail().to_vec()
            };
            assert!(kept(&lines(64)) == lines(64), "{chunk}");
            // The first byte that is kept might be the first of a line: nobody knows.
            assert!(kept(&lines(65)) == lines(63), "{chunk}");
            assert!(
                kept(&[&b"one\n"[..], &lines(64)].concat()) == lines(63),
                "{chunk}"
            );
            assert!(kept(&[&lines(200)[..], b"one"].concat()) == [&lines(63)[..], b"one"].concat());
            assert!(
                kept(&[b'x'; 3 * KEPT_BYTES]) == [b'x'; KEPT_BYTES],
                "{chunk}"
            );
        }
    }

    #[test]
    fn a_beginning_that_was_cut_ends_with_a_whole_line_and_one_that_was_not_is_whole() {
        for chunk in CHUNKS {
            let kept = |bytes: &[u8]| {
                let excerpt = excerpt(Stream::Stderr, bytes.chunks(chunk));
                assert_eq!(excerpt.output_tail(), b"");
                (excerpt.errors_head().to_vec(), excerpt.errors_were_cut())
            };
            assert!(
                kept(b"one\ntwo") == (b"one\ntwo".to_vec(), false),
                "{chunk}"
            );
            assert!(kept(&lines(64)) == (lines(64), false), "{chunk}");
            let full = [&lines(63)[..], &[b'y'; 128]].concat();
            assert!(kept(&full) == (full.clone(), false), "{chunk}");
            assert!(
                kept(&[&full[..], b"y"].concat()) == (lines(63), true),
                "{chunk}"
            );
            assert!(kept(&lines(65)) == (lines(64), true), "{chunk}");
            let endless = [b'x'; KEPT_BYTES + 1];
            assert!(kept(&endless) == (endless[1..].to_vec(), true), "{chunk}");
        }
    }

    #[test]
    fn short_output_is_kept_whole() {
        assert_eq!(kept(&[b"a\nb".to_vec(), b"c\n".to_vec()]), b"a\nbc\n");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_chunking_keeps_the_same_end(lines in prop::collection::vec("[a-z]{0,300}\n", 0..300), cut in 1usize..9000) {
            let all: Vec<u8> = lines.concat().into_bytes();
            let chunks: Vec<Vec<u8>> = all.chunks(cut).map(<[u8]>::to_vec).collect();
            let tail = kept(&chunks);
            prop_assert!(all.ends_with(&tail));
            prop_assert!(tail.len() <= KEPT_BYTES);
            if all.len() <= KEPT_BYTES {
                prop_assert_eq!(tail, all);
            } else {
                prop_assert!(tail.len() + 301 >= KEPT_BYTES);
            }
        }
    }
}
