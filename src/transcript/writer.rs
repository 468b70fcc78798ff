//! Writes a session's transcript and events while it runs.

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
/// Given back at the end of a transcript on a full disk, to make room for the marker: as many bytes
/// of output may have an event and not be there.
pub const GIVE_BACK: u64 = 4096;

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
        // The very end first: a failed write may have left part of the marker.
        for length in [written, written.saturating_sub(GIVE_BACK)] {
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Cursor;

    /// A medium that is full after so many bytes.
    struct Disk {
        file: Cursor<Vec<u8>>,
        size: usize,
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let position = usize::try_from(self.file.position()).unwrap();
            let room = self.size.saturating_sub(position).min(bytes.len());
            if room == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.file.write(&bytes[..room])
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    impl Read for Disk {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.file.read(buffer)
        }
    }
    impl Seek for Disk {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.file.seek(to)
        }
    }
    impl Medium for Disk {
        fn truncate(&mut self, length: u64) -> io::Result<()> {
            self.file
                .get_mut()
                .truncate(usize::try_from(length).unwrap());
            Ok(())
        }
    }

    fn record(
        chunks: &[(Stream, Vec<u8>)],
        cap: u64,
        disk: usize,
    ) -> (Vec<u8>, Vec<EventRecord>, Sealed) {
        let file = Cursor::new(Vec::new());
        let mut writer = Writer::new(Disk { file, size: disk }, Vec::new(), cap);
        for (index, (stream, bytes)) in chunks.iter().enumerate() {
            let at = Duration::from_millis(index as u64 * 7);
            let stream = *stream;
            writer.event(at, &Event::Output { stream, bytes }).unwrap();
        }
        let sealed = writer.seal(Duration::from_secs(9), &Outcome::Exited(3));
        let (transcript, events) = writer.media();
        let lines = events
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty());
        let events = lines
            .map(|line| serde_json::from_slice(line).unwrap())
            .collect();
        (transcript.file.get_ref().clone(), events, sealed)
    }

    fn output_bytes(events: &[EventRecord]) -> u64 {
        let counts = events.iter().map(|event| match event {
            EventRecord::Output { bytes, .. } => *bytes,
            _ => 0,
        });
        counts.sum()
    }

    #[test]
    fn the_marker_follows_the_output_and_the_digest_covers_both() {
        let chunks = [(Stream::Stdout, b"hi\n".to_vec())];
        let (file, events, sealed) = record(&chunks, 0, 1000);
        assert_eq!(file, b"hi\n\n=== AI_EXIT_CODE: 3 ===\n");
        assert_eq!((sealed.output_bytes, sealed.dropped_bytes), (3, 0));
        assert_eq!(sealed.sha256, Some(hex::encode(Sha256::digest(&file))));
        assert!(matches!(
            events.last(),
            Some(EventRecord::Exit {
                output_bytes: 3,
                ..
            })
        ));
    }

    #[test]
    fn beyond_the_cap_the_end_is_kept_and_the_gap_is_said() {
        let chunks: Vec<_> = (0..200_u8)
            .map(|value| (Stream::Stdout, vec![value; 1000]))
            .collect();
        let (file, events, sealed) = record(&chunks, 10_000, usize::MAX);
        assert_eq!(sealed.output_bytes, 10_000 + 65_536);
        assert_eq!(sealed.dropped_bytes, 200_000 - 75_536);
        assert_eq!(file[9_999], 9);
        assert_eq!(file[75_535], 199);
        let gap = events.iter().position(|event| {
            matches!(event, EventRecord::Gap { bytes, .. } if *bytes == sealed.dropped_bytes)
        });
        assert!(gap.is_some());
        assert_eq!(output_bytes(&events), sealed.output_bytes);
    }

    #[test]
    fn a_full_disk_keeps_the_beginning_and_still_gets_its_marker() {
        let chunks = [(Stream::Stdout, vec![b'x'; 9000])];
        let (file, _, sealed) = record(&chunks, 0, 8000);
        assert_eq!(sealed.output_bytes, 8000 - GIVE_BACK);
        assert_eq!(sealed.output_bytes + sealed.dropped_bytes, 9000);
        assert!(file.ends_with(b"x\n=== AI_EXIT_CODE: 3 ===\n"));
        assert_eq!(sealed.sha256, Some(hex::encode(Sha256::digest(&file))));
        assert_eq!(sealed.errors.len(), 1);
    }

    proptest! {
        #[test]
        fn any_output_in_any_chunks_comes_back_by_its_events(
            chunks in prop::collection::vec(
                (prop::bool::ANY, prop::collection::vec(any::<u8>(), 1..50)), 0..40),
            cap in 0u64..400,
        ) {
            let chunks: Vec<_> = chunks
                .into_iter()
                .map(|(err, bytes)| (if err { Stream::Stderr } else { Stream::Stdout }, bytes))
                .collect();
            let (file, events, sealed) = record(&chunks, cap, usize::MAX);
            let all: Vec<u8> = chunks.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
            prop_assert_eq!(sealed.output_bytes + sealed.dropped_bytes, all.len() as u64);
            // The cap's tail is larger than all of this, so nothing is lost and the order holds.
            prop_assert_eq!(&file[..all.len()], &all[..]);
            let mut slices = [Vec::new(), Vec::new()];
            let mut offset = 0;
            for event in &events {
                if let EventRecord::Output { stream, bytes, .. } = event {
                    let end = offset + usize::try_from(*bytes).unwrap();
                    slices[usize::from(*stream == Stream::Stderr)].extend_from_slice(&file[offset..end]);
                    offset = end;
                }
            }
            for (index, stream) in [Stream::Stdout, Stream::Stderr].into_iter().enumerate() {
                let expected: Vec<u8> = chunks
                    .iter()
                    .filter(|(from, _)| *from == stream)
                    .flat_map(|(_, bytes)| bytes.clone())
                    .collect();
                prop_assert_eq!(&slices[index], &expected);
            }
        }
    }
}
