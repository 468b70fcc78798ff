//! What happened during a session, in order and with its time: the events, and the bytes of the
//! transcript that they account for. Not responsible for when to show them.
//!
//! Invariant: times never go back, and memory is bounded, whatever the events claim.

use std::io::{self, Read, Seek, SeekFrom};
use std::time::Duration;

use super::EventRecord;
use super::reader::Events;
use crate::session::{Size, Stream};

/// The most bytes of a piece.
const PIECE_BYTES: usize = 64 * 1024;

/// The latest time that is believed: no recording takes 30 years.
pub const LATEST: Duration = Duration::from_secs(30 * 365 * 24 * 3600);

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum What<'a> {
    /// The command wrote these bytes.
    Output(Stream, &'a [u8]),
    /// Its window has a new size.
    Resize(Size),
    /// So many bytes are missing here.
    Gap(u64),
    /// It was sent this signal.
    Signal(String),
    /// It was stopped by this signal.
    Stopped(String),
    /// It goes on.
    Continued,
    /// It ended.
    Exit {
        /// As a shell would show it; none where nobody knows.
        exit_code: Option<i32>,
    },
}

/// Something that happened, and when.
#[derive(Clone, Debug, PartialEq)]
pub struct Moment<'a> {
    /// Since the session's start.
    pub at: Duration,
    /// What.
    pub what: What<'a>,
}

/// Bytes of the transcript that are handed over next.
#[derive(Clone, Copy, Debug)]
struct Rest {
    stream: Stream,
    bytes: u64,
}

/// How far the events were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    Reading,
    /// They are read, and with them the output that they don't account for.
    Read,
    Over,
}

/// Reads a recording from its beginning.
pub struct Timeline<T, E> {
    transcript: T,
    events: Events<E>,
    /// Where output ends in the transcript, if that is known.
    end: Option<u64>,
    place: u64,
    now: Duration,
    rest: Rest,
    /// The last event, while output comes first that no event accounts for.
    exit: Option<EventRecord>,
    progress: Progress,
    buffer: Vec<u8>,
}

impl<T: Read + Seek, E: Read> Timeline<T, E> {
    /// Reads a transcript, of which output ends at `end` where that is known, and its events.
    pub fn new(transcript: T, events: E, end: Option<u64>) -> Self {
        Self {
            transcript,
            events: Events::new(events),
            end,
            place: 0,
            now: Duration::ZERO,
            rest: Rest {
                stream: Stream::Stdout,
                bytes: 0,
            },
            exit: None,
            progress: Progress::Reading,
            buffer: Vec::new(),
        }
    }

    /// The next thing that happened; none after the last.
    ///
    /// # Errors
    /// When the transcript can't be read.
    pub fn next_moment(&mut self) -> io::Result<Option<Moment<'_>>> {
        loop {
            if self.rest.bytes > 0 {
                if self.read_piece()? {
                    let what = What::Output(self.rest.stream, &self.buffer);
                    return Ok(Some(Moment { at: self.now, what }));
                }
                self.rest.bytes = 0;
            }
            match self.progress {
                Progress::Reading => match self.events.next() {
                    Some(event) if !matches!(event, EventRecord::Exit { .. }) => {
                        if let Some(what) = self.take(event) {
                            return Ok(Some(Moment { at: self.now, what }));
                        }
                    }
                    exit => {
                        self.exit = exit;
                        self.rest = self.unaccounted();
                        self.progress = Progress::Read;
                    }
                },
                Progress::Read => {
                    self.progress = Progress::Over;
                    let what = self.exit.take().and_then(|exit| self.take(exit));
                    return Ok(what.map(|what| Moment { at: self.now, what }));
                }
                Progress::Over => return Ok(None),
            }
        }
    }

    /// Takes an event; output only announces bytes.
    fn take(&mut self, event: EventRecord) -> Option<What<'static>> {
        match event {
            EventRecord::Output {
                time,
                stream,
                bytes,
            } => {
                self.go_to(time);
                self.rest = Rest { stream, bytes };
                None
            }
            EventRecord::Resize {
                time,
                columns,
                rows,
            } => {
                self.go_to(time);
                Some(What::Resize(Size { columns, rows }))
            }
            EventRecord::Gap { time, bytes } => {
                self.go_to(time);
                Some(What::Gap(bytes))
            }
            EventRecord::Signal { time, signal } => {
                self.go_to(time);
                Some(What::Signal(signal))
            }
            EventRecord::Stopped { time, signal } => {
                self.go_to(time);
                Some(What::Stopped(signal))
            }
            EventRecord::Continued { time } => {
                self.go_to(time);
                Some(What::Continued)
            }
            EventRecord::Exit {
                time, exit_code, ..
            } => {
                self.go_to(time);
                Some(What::Exit { exit_code })
            }
            EventRecord::Start(_) | EventRecord::Conversation { .. } | EventRecord::Unknown => None,
        }
    }

    fn go_to(&mut self, seconds: f64) {
        let time = Duration::try_from_secs_f64(seconds).unwrap_or(self.now);
        self.now = self.now.max(time.min(LATEST));
    }

    /// What a recorder wrote of which it could no longer say when.
    fn unaccounted(&self) -> Rest {
        let end = self.end.unwrap_or(self.place);
        Rest {
            stream: Stream::Stdout,
            bytes: end.saturating_sub(self.place),
        }
    }

    /// Reads the next bytes; returns whether there are any.
    fn read_piece(&mut self) -> io::Result<bool> {
        let end = self.end.unwrap_or(u64::MAX);
        let left = self.rest.bytes.min(end.saturating_sub(self.place));
        // No file is longer, whatever an event claims.
        if left == 0 || i64::try_from(self.place).is_err() {
            return Ok(false);
        }
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(PIECE_BYTES);
        self.buffer.resize(most, 0);
        self.transcript.seek(SeekFrom::Start(self.place))?;
        let count = self.transcript.read(&mut self.buffer)?;
        self.buffer.truncate(count);
        self.rest.bytes -= count as u64;
        self.place += count as u64;
        Ok(count > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Status;
    use proptest::prelude::*;
    use std::io::Cursor;

    fn output(time: f64, bytes: u64) -> EventRecord {
        EventRecord::Output {
            time,
            stream: Stream::Stdout,
            bytes,
        }
    }

    fn exit(time: f64, output_bytes: u64) -> EventRecord {
        EventRecord::Exit {
            time,
            status: Status::Exited,
            exit_code: Some(3),
            signal: None,
            output_bytes,
        }
    }

    /// Every moment in milliseconds, with what is text in it.
    fn moments(transcript: &[u8], events: &[EventRecord], end: Option<u64>) -> Vec<(u128, String)> {
        let mut lines = Vec::new();
        for event in events {
            serde_json::to_writer(&mut lines, event).unwrap();
            lines.push(b'\n');
        }
        let mut timeline = Timeline::new(Cursor::new(transcript), &lines[..], end);
        let mut all = Vec::new();
        while let Some(moment) = timeline.next_moment().unwrap() {
            let text = match moment.what {
                What::Output(_, bytes) => String::from_utf8_lossy(bytes).into_owned(),
                other => format!("{other:?}"),
            };
            all.push((moment.at.as_millis(), text));
        }
        all
    }

    fn owned(expected: &[(u128, &str)]) -> Vec<(u128, String)> {
        expected
            .iter()
            .map(|(at, text)| (*at, (*text).to_owned()))
            .collect()
    }

    #[test]
    fn events_and_their_bytes_come_in_order() {
        let events = [
            output(0.5, 2),
            EventRecord::Resize {
                time: 0.75,
                columns: 9,
                rows: 4,
            },
            output(1.0, 3),
            exit(2.0, 5),
        ];
        let expected = [
            (500, "ab"),
            (750, "Resize(Size { columns: 9, rows: 4 })"),
            (1000, "cde"),
            (2000, "Exit { exit_code: Some(3) }"),
        ];
        assert_eq!(
            moments(b"abcde\n=== AI", &events, Some(5)),
            owned(&expected)
        );
    }

    #[test]
    fn what_no_event_accounts_for_comes_before_the_end() {
        let events = [output(0.5, 2), exit(2.0, 5)];
        let expected = [
            (500, "ab"),
            (500, "cde"),
            (2000, "Exit { exit_code: Some(3) }"),
        ];
        assert_eq!(moments(b"abcde=== ", &events, Some(5)), owned(&expected));
        assert_eq!(
            moments(b"abcde", &events[..1], Some(5)),
            owned(&expected[..2])
        );
    }

    #[test]
    fn times_that_make_no_sense_neither_go_back_nor_last_for_ever() {
        let events = [
            output(5.0, 1),
            output(1.0, 1),
            output(1e300, 1),
            output(9e9, 1),
        ];
        let times: Vec<u128> = moments(b"abcd", &events, Some(4))
            .into_iter()
            .map(|(at, _)| at)
            .collect();
        assert_eq!(times, [5000, 5000, 5000, LATEST.as_millis()]);
    }

    proptest! {
        #[test]
        fn every_byte_of_output_comes_once_whatever_the_events_say(
            lengths in prop::collection::vec(0..40_u64, 0..8),
            length in 0..200_usize,
        ) {
            let transcript: Vec<u8> = (0..length).map(|index| b'a' + (index % 26) as u8).collect();
            let mut events: Vec<EventRecord> =
                lengths.iter().map(|length| output(1.0, *length)).collect();
            events.push(exit(2.0, length as u64));
            let text: String = moments(&transcript, &events, Some(length as u64))
                .into_iter()
                .filter(|(at, _)| *at != 2000)
                .map(|(_, text)| text)
                .collect();
            prop_assert_eq!(text.into_bytes(), transcript);
        }
    }
}
