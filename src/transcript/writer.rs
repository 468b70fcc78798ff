//! Writes a session's transcript and events while it runs.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::marker;
use super::record::{EventRecord, seconds};
use crate::session::{Event, Outcome, Sink, Stream};

/// Output that arrives within this time of an event's first bytes joins it.
const JOIN: Duration = Duration::from_millis(20);
/// Without more output, an event is written out after this time, so that a reader of a running
/// session sees it and a killed recorder hasn't lost it.
const REST: Duration = Duration::from_millis(100);
/// How often the transcript of a running command is pushed to the disk.
const PUSH_OUT: Duration = Duration::from_secs(1);
/// Bytes kept in memory of what exceeds the cap: its end.
const KEPT_TAIL: usize = 64 * 1024;
/// Given back at the end of a transcript that can't grow, to make room for the marker.
const GIVE_BACK: u64 = 4096;
/// The most that is given back on a full disk: the sidecar needs room too, and so does the
/// directory, which may have to grow by a block for the sidecar's name. So many bytes of output may
/// have an event and not be there.
pub const GIVE_BACK_MOST: u64 = 64 * 1024;

/// Where a transcript is written to: can be read back, shortened and pushed to the disk.
pub trait Medium: Read + Write + Seek {
    /// Cuts it to this length.
    ///
    /// # Errors
    /// When the medium fails.
    fn truncate(&mut self, length: u64) -> io::Result<()>;

    /// Starts to push it to the disk, without waiting.
    fn push_out(&mut self) {}
}

/// Writes transcript and events. A failure is kept: what follows is counted, not written, and the
/// session can still be sealed.
pub struct Writer<T, E> {
    transcript: T,
    events: E,
    digest: Sha256,
    written: u64,
    dropped: u64,
    cap: u64,
    tail: Tail,
    joining: Option<Joining>,
    pushed_out: Option<Duration>,
    transcript_error: Option<io::Error>,
    events_error: Option<io::Error>,
}

/// An output event that may still grow.
struct Joining {
    stream: Stream,
    since: Duration,
    bytes: u64,
}

/// A sealed transcript.
#[derive(Debug)]
pub struct Sealed {
    /// Bytes of output in it; the marker begins there.
    pub output_bytes: u64,
    /// Bytes of output that are not in it.
    pub dropped_bytes: u64,
    /// SHA-256 of the whole file in lower-case hex.
    pub sha256: Option<String>,
    /// What went wrong, each thing once.
    pub errors: Vec<io::Error>,
}

impl<T: Medium, E: Write> Writer<T, E> {
    /// A writer on empty media. `cap` is the most bytes of output to keep from the beginning; 0 is
    /// no limit. `events` has its start record already.
    pub fn new(transcript: T, events: E, cap: u64) -> Self {
        Self {
            transcript,
            events,
            digest: Sha256::new(),
            written: 0,
            dropped: 0,
            cap: if cap == 0 { u64::MAX } else { cap },
            tail: Tail::default(),
            joining: None,
            pushed_out: None,
            transcript_error: None,
            events_error: None,
        }
    }

    /// The media, to be synced and named.
    pub fn media(&mut self) -> (&mut T, &mut E) {
        (&mut self.transcript, &mut self.events)
    }

    fn output(&mut self, at: Duration, stream: Stream, bytes: &[u8]) {
        let room = self.cap.saturating_sub(self.written);
        let fits = usize::try_from(room).map_or(bytes.len(), |room| bytes.len().min(room));
        let (keep, exceeds) = bytes.split_at(fits);
        if !keep.is_empty() {
            let before = self.written;
            self.append(keep);
            let count = self.written - before;
            if count > 0 {
                self.join(at, stream, count);
            }
        }
        if !exceeds.is_empty() {
            self.tail.push(stream, exceeds);
        }
        if self.pushed_out.is_none_or(|last| at >= last + PUSH_OUT) {
            if self.pushed_out.is_some() {
                self.transcript.push_out();
            }
            self.pushed_out = Some(at);
        }
    }

    /// Appends to the transcript as far as that goes; the rest is counted as dropped.
    fn append(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() && self.transcript_error.is_none() {
            match self.transcript.write(rest) {
                Ok(0) => self.transcript_error = Some(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    self.digest.update(&rest[..count]);
                    self.written += count as u64;
                    rest = &rest[count..];
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => self.transcript_error = Some(error),
            }
        }
        self.dropped += rest.len() as u64;
    }

    fn join(&mut self, at: Duration, stream: Stream, bytes: u64) {
        match &mut self.joining {
            Some(joining) if joining.stream == stream && at < joining.since + JOIN => {
                joining.bytes += bytes;
            }
            _ => {
                self.write_joined();
                self.joining = Some(Joining {
                    stream,
                    since: at,
                    bytes,
                });
            }
        }
    }

    fn write_joined(&mut self) {
        if let Some(joined) = self.joining.take() {
            self.write_event(&EventRecord::Output {
                time: seconds(joined.since),
                stream: joined.stream,
                bytes: joined.bytes,
            });
        }
    }

    fn write_event(&mut self, event: &EventRecord) {
        if self.events_error.is_some() {
            return;
        }
        let written = serde_json::to_vec(event)
            .map_err(io::Error::from)
            .and_then(|mut line| {
                line.push(b'\n');
                self.events.write_all(&line)
            });
        self.events_error = written.err();
    }

    /// Ends the transcript: what was held back, the exit event, the marker, the digest. Only once.
    pub fn seal(&mut self, at: Duration, outcome: &Outcome) -> Sealed {
        self.write_joined();
        let (pieces, lost) = std::mem::take(&mut self.tail).into_pieces();
        if lost > 0 {
            self.dropped += lost;
            let time = seconds(at);
            self.write_event(&EventRecord::Gap { time, bytes: lost });
        }
        for (stream, bytes) in pieces {
            let before = self.written;
            self.append(&bytes);
            let count = self.written - before;
            if count > 0 {
                self.join(at, stream, count);
            }
        }
        self.write_joined();
        let sha256 = match outcome.exit_code() {
            Some(code) => self.write_marker(&marker(code)),
            // Nobody knows the code, so there is nothing that a marker could say.
            None => self.digest_again().ok(),
        };
        self.write_event(&EventRecord::Exit {
            time: seconds(at),
            status: outcome.status(),
            exit_code: outcome.exit_code(),
            signal: outcome.signal().map(|signal| signal.to_string()),
            output_bytes: self.written,
        });
        let errors = [self.transcript_error.take(), self.events_error.take()];
        Sealed {
            output_bytes: self.written,
            dropped_bytes: self.dropped,
            sha256,
            errors: errors.into_iter().flatten().collect(),
        }
    }

    /// Writes the marker behind the output and returns the digest of it all. On a full disk the
    /// last bytes of output make room for it.
    fn write_marker(&mut self, marker: &str) -> Option<String> {
        let written = self.written;
        if self.transcript_error.is_none() {
            match self.transcript.write_all(marker.as_bytes()) {
                Ok(()) => {
                    self.digest.update(marker.as_bytes());
                    return Some(hex::encode(std::mem::take(&mut self.digest).finalize()));
                }
                Err(error) => self.transcript_error = Some(error),
            }
        }
        // Without giving back first: a failed write may have left part of the marker. A disk that
        // has room for the marker alone has none for what follows.
        let first = match &self.transcript_error {
            Some(error) if is_out_of_space(error) => (written / 2).clamp(GIVE_BACK, GIVE_BACK_MOST),
            _ => 0,
        };
        for given_back in [first, first.max(GIVE_BACK)] {
            let length = written.saturating_sub(given_back);
            let placed = self
                .transcript
                .truncate(length)
                .and_then(|()| self.transcript.seek(SeekFrom::Start(length)))
                .and_then(|_| self.transcript.write_all(marker.as_bytes()));
            if placed.is_ok() {
                self.dropped += written - length;
                self.written = length;
                return self.digest_again().ok();
            }
        }
        None
    }

    fn digest_again(&mut self) -> io::Result<String> {
        self.transcript.seek(SeekFrom::Start(0))?;
        let mut digest = Sha256::new();
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match self.transcript.read(&mut buffer) {
                Ok(0) => return Ok(hex::encode(digest.finalize())),
                Ok(count) => digest.update(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

fn is_out_of_space(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}

impl<T: Medium, E: Write> Sink for Writer<T, E> {
    fn event(&mut self, at: Duration, event: &Event<'_>) -> io::Result<()> {
        let time = seconds(at);
        let record = match event {
            Event::Output { stream, bytes } => {
                self.output(at, *stream, bytes);
                return Ok(());
            }
            // Said by `seal`, which knows where the marker is.
            Event::Exit(_) => return Ok(()),
            Event::Resize(size) => EventRecord::Resize {
                time,
                columns: size.columns,
                rows: size.rows,
            },
            Event::Signal(signal) => EventRecord::Signal {
                time,
                signal: signal.to_string(),
            },
            Event::Stopped { by: Some(signal) } => EventRecord::Stopped {
                time,
                signal: signal.to_string(),
            },
            Event::Stopped { by: None } => EventRecord::Continued { time },
            Event::Conversation { agent, id } => EventRecord::Conversation {
                time,
                agent: (*agent).to_owned(),
                conversation: (*id).to_owned(),
            },
        };
        self.write_joined();
        self.write_event(&record);
        Ok(())
    }

    fn rest_at(&self) -> Option<Duration> {
        self.joining.as_ref().map(|joining| joining.since + REST)
    }

    fn rest(&mut self, _at: Duration) -> io::Result<()> {
        self.write_joined();
        Ok(())
    }
}

/// The end of what exceeds the cap, with its streams.
#[derive(Default)]
struct Tail {
    bytes: VecDeque<u8>,
    pieces: VecDeque<(Stream, usize)>,
    lost: u64,
}

impl Tail {
    fn push(&mut self, stream: Stream, bytes: &[u8]) {
        let skipped = bytes.len().saturating_sub(KEPT_TAIL);
        self.lost += skipped as u64;
        let bytes = &bytes[skipped..];
        self.bytes.extend(bytes);
        match self.pieces.back_mut() {
            Some((last, count)) if *last == stream => *count += bytes.len(),
            _ => self.pieces.push_back((stream, bytes.len())),
        }
        let mut excess = self.bytes.len().saturating_sub(KEPT_TAIL);
        self.lost += excess as u64;
        self.bytes.drain(..excess);
        while excess > 0
            && let Some((_, count)) = self.pieces.front_mut()
        {
            let taken = excess.min(*count);
            *count -= taken;
            excess -= taken;
            if *count == 0 {
                self.pieces.pop_front();
            }
        }
    }

    fn into_pieces(mut self) -> (Vec<(Stream, Vec<u8>)>, u64) {
        let mut pieces = Vec::with_capacity(self.pieces.len());
        for (stream, count) in std::mem::take(&mut self.pieces) {
            pieces.push((stream, self.bytes.drain(..count).collect()));
        }
        (pieces, self.lost)
    }
}
