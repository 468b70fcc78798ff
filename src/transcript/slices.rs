//! The recorded output stream by stream: the events tell which bytes of the transcript are whose.

use std::collections::VecDeque;
use std::io::{self, Read, Seek, SeekFrom};

use super::EventRecord;
use super::output::gap_note;
use super::reader::Events;
use crate::session::Stream;

/// Which of the streams is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Both, in the order in which they came.
    Both,
    /// One alone.
    Only(Stream),
}

/// What becomes of line feeds on standard error.
///
/// It never goes through a terminal's output processing, so that beside a standard output that does,
/// its line feeds alone would make stairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorLines {
    /// They stay as they are.
    AsRecorded,
    /// They become CRLF.
    WithReturn,
}

/// Whether missing output is shown where it is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gaps {
    /// By a line that says so.
    Shown,
    /// Not at all.
    Hidden,
}

/// How slices are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    /// Which streams.
    pub wanted: Wanted,
    /// What becomes of line feeds on standard error.
    pub error_lines: ErrorLines,
    /// Whether gaps are shown.
    pub gaps: Gaps,
}

/// Reads the streams that are wanted, in order. Bytes that no event accounts for belong to none.
pub struct Slices<T, E> {
    transcript: T,
    events: Events<E>,
    way: Way,
    /// Where the next byte is in the transcript.
    place: u64,
    /// Whose bytes come next in the transcript, and how many.
    slice: (Stream, u64),
    /// Bytes that are no longer as the transcript has them.
    ready: VecDeque<u8>,
}

impl<T: Read + Seek, E: Read + Seek> Slices<T, E> {
    /// Reads a transcript and its events file, both from their beginning.
    pub fn new(transcript: T, events: E, way: Way) -> Self {
        Self {
            transcript,
            events: Events::new(events),
            way,
            place: 0,
            slice: (Stream::Stdout, 0),
            ready: VecDeque::new(),
        }
    }

    /// Goes back to the beginning.
    ///
    /// # Errors
    /// When a file can't be read again.
    pub fn rewind(&mut self) -> io::Result<()> {
        self.events.rewind()?;
        (self.place, self.slice.1) = (0, 0);
        self.ready.clear();
        Ok(())
    }

    /// Goes to the next slice; returns whether there is one.
    fn advance(&mut self) -> Option<()> {
        match self.events.next()? {
            EventRecord::Output { stream, bytes, .. } => self.slice = (stream, bytes),
            EventRecord::Gap { bytes, .. } if self.way.gaps == Gaps::Shown => {
                self.ready.extend(gap_note(bytes))
            }
            EventRecord::Exit { .. } => return None,
            _ => {}
        }
        Some(())
    }
}

impl<T: Read + Seek, E: Read + Seek> Read for Slices<T, E> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            if !self.ready.is_empty() {
                return self.ready.read(buffer);
            }
            let (stream, left) = self.slice;
            if left == 0 {
                if self.advance().is_none() {
                    return Ok(0);
                }
                continue;
            }
            if !matches!(self.way.wanted, Wanted::Both) && self.way.wanted != Wanted::Only(stream) {
                self.place = self.place.saturating_add(left);
                self.slice.1 = 0;
                continue;
            }
            // No file is longer, whatever an event claims.
            if i64::try_from(self.place).is_err() {
                return Ok(0);
            }
            self.transcript.seek(SeekFrom::Start(self.place))?;
            let most = usize::try_from(left)
                .unwrap_or(usize::MAX)
                .min(buffer.len());
            let count = self.transcript.read(&mut buffer[..most])?;
            self.slice.1 -= count as u64;
            self.place += count as u64;
            if count == 0
                || stream == Stream::Stdout
                || self.way.error_lines == ErrorLines::AsRecorded
            {
                return Ok(count);
            }
            for &byte in &buffer[..count] {
                if byte == b'\n' {
                    self.ready.push_back(b'\r');
                }
                self.ready.push_back(byte);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Cursor;

    fn output(stream: Stream, bytes: u64) -> EventRecord {
        EventRecord::Output {
            time: 0.0,
            stream,
            bytes,
        }
    }

    fn lines(events: &[EventRecord]) -> Cursor<Vec<u8>> {
        let mut text = Vec::new();
        for event in events {
            serde_json::to_writer(&mut text, event).unwrap();
            text.push(b'\n');
        }
        Cursor::new(text)
    }

    fn read(transcript: &[u8], events: &[EventRecord], wanted: Wanted, chunk: usize) -> Vec<u8> {
        let way = Way {
            wanted,
            error_lines: ErrorLines::AsRecorded,
            gaps: Gaps::Hidden,
        };
        let mut slices = Slices::new(Cursor::new(transcript), lines(events), way);
        slices
            .by_ref()
            .take(3)
            .read_to_end(&mut Vec::new())
            .unwrap();
        slices.rewind().unwrap();
        let mut all = Vec::new();
        let mut buffer = vec![0; chunk];
        loop {
            match slices.read(&mut buffer).unwrap() {
                0 => return all,
                count => all.extend_from_slice(&buffer[..count]),
            }
        }
    }

    #[test]
    fn events_that_claim_too_much_end_with_the_transcript() {
        let events = [
            output(Stream::Stderr, 2),
            output(Stream::Stdout, u64::MAX),
            output(Stream::Stderr, 5),
        ];
        let errors = Wanted::Only(Stream::Stderr);
        assert_eq!(read(b"abcdef", &events, errors, 9), b"ab");
        assert_eq!(read(b"abcdef", &events, Wanted::Both, 4), b"abcdef");
    }

    #[test]
    fn line_feeds_of_standard_error_return_where_that_is_wanted() {
        let events = [output(Stream::Stdout, 3), output(Stream::Stderr, 4)];
        let way = Way {
            wanted: Wanted::Both,
            error_lines: ErrorLines::WithReturn,
            gaps: Gaps::Shown,
        };
        let mut slices = Slices::new(Cursor::new(b"a\r\nb\nc\n"), lines(&events), way);
        let mut text = String::new();
        slices.read_to_string(&mut text).unwrap();
        assert_eq!(text, "a\r\nb\r\nc\r\n");
    }

    proptest! {
        #[test]
        fn the_streams_come_apart_as_they_were_put_together(
            pieces in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 0..9)), 0..20),
            chunk in 1..12_usize,
        ) {
            let stream = |is_error| if is_error { Stream::Stderr } else { Stream::Stdout };
            let transcript: Vec<u8> = pieces.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
            let events: Vec<EventRecord> = pieces
                .iter()
                .map(|(is_error, bytes)| output(stream(*is_error), bytes.len() as u64))
                .collect();
            let marked = [&transcript[..], b"marker"].concat();
            prop_assert_eq!(&read(&marked, &events, Wanted::Both, chunk), &transcript);
            for is_error in [false, true] {
                let expected: Vec<u8> = pieces
                    .iter()
                    .filter(|(of, _)| *of == is_error)
                    .flat_map(|(_, bytes)| bytes.clone())
                    .collect();
                let wanted = Wanted::Only(stream(is_error));
                prop_assert_eq!(read(&marked, &events, wanted, chunk), expected);
            }
        }
    }
}
