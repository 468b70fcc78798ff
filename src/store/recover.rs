//! What the remains of an interrupted session still prove.
//!
//! Its recorder was killed, so nobody knows how the command ended: the exit code is null, whatever
//! the transcript's end looks like, because a command can print a marker itself.

use std::io::{self, Read};
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::egress;
use crate::session::metadata::Streams;
use crate::session::{Event, Metadata, Sink, Size, Status, Stream};
use crate::transcript::render::LineFeed;
use crate::transcript::{EventRecord, Excerpt};

/// The window that a screen without a known size is rendered for.
const DEFAULT_SIZE: Size = Size {
    columns: 200,
    rows: 50,
};
const BUFFER_BYTES: usize = 64 * 1024;

/// The sidecar of an interrupted session: what its start record knew, and what its events and its
/// transcript still prove.
///
/// # Errors
/// When the transcript can't be read.
pub fn finished(
    known: Metadata,
    events: impl Iterator<Item = EventRecord>,
    transcript: &mut dyn Read,
) -> io::Result<Metadata> {
    let mut metadata = known;
    let mut remains = Remains::new(transcript);
    metadata.dropped_bytes = 0;
    let mut sealed_at = None;
    for event in events {
        match event {
            EventRecord::Output { stream, bytes, .. } => remains.take(bytes, stream)?,
            EventRecord::Gap { bytes, .. } => metadata.dropped_bytes += bytes,
            // The recorder was killed after it had written the marker, which begins there.
            EventRecord::Exit { output_bytes, .. } => sealed_at = Some(output_bytes),
            _ => {}
        }
    }
    if let Some(end) = sealed_at {
        remains.take(end.saturating_sub(remains.read_bytes), Stream::Stdout)?;
        metadata.output_bytes = remains.read_bytes;
        remains.skip()?;
    } else {
        remains.take(u64::MAX, Stream::Stdout)?;
        metadata.output_bytes = remains.read_bytes;
    }
    let size = metadata.tty.size.unwrap_or(DEFAULT_SIZE);
    let line_feed = if metadata.tty.bare_line_feeds {
        LineFeed::WithReturn
    } else {
        LineFeed::Plain
    };
    metadata.stdout_tail = remains.excerpt.quoted_tail(size, line_feed);
    let is_split = metadata.streams == Streams::Split;
    metadata.stderr_head = is_split.then(|| remains.excerpt.quoted_head(size));
    // Of what the caller's environment held, only what was marked at the start is known.
    egress::mark_recovered(&mut metadata);
    metadata.sha256 = Some(hex::encode(remains.digest.finalize()));
    metadata.status = Status::Interrupted;
    metadata.exit_code = None;
    metadata.outcome = None;
    metadata.signal = None;
    Ok(metadata)
}

/// A transcript that is read once, for its digest and its ends.
struct Remains<'t> {
    transcript: &'t mut dyn Read,
    read_bytes: u64,
    digest: Sha256,
    excerpt: Excerpt,
    buffer: Vec<u8>,
}

impl<'t> Remains<'t> {
    fn new(transcript: &'t mut dyn Read) -> Self {
        Self {
            transcript,
            read_bytes: 0,
            digest: Sha256::new(),
            excerpt: Excerpt::new(),
            buffer: vec![0; BUFFER_BYTES],
        }
    }

    /// Reads the next bytes, as far as there are so many.
    fn take(&mut self, bytes: u64, stream: Stream) -> io::Result<()> {
        let mut left = bytes;
        while left > 0 {
            let room = usize::try_from(left)
                .unwrap_or(usize::MAX)
                .min(BUFFER_BYTES);
            let count = self.read(room)?;
            if count == 0 {
                break;
            }
            left -= count as u64;
            self.read_bytes += count as u64;
            let bytes = &self.buffer[..count];
            self.excerpt
                .event(Duration::ZERO, &Event::Output { stream, bytes })?;
        }
        Ok(())
    }

    /// Reads what is left, which is no output.
    fn skip(&mut self) -> io::Result<()> {
        while self.read(BUFFER_BYTES)? > 0 {}
        Ok(())
    }

    fn read(&mut self, room: usize) -> io::Result<usize> {
        loop {
            match self.transcript.read(&mut self.buffer[..room]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
                Ok(count) => {
                    self.digest.update(&self.buffer[..count]);
                    return Ok(count);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::metadata::tests::minimal;

    fn recovered(streams: Streams, events: Vec<EventRecord>, transcript: &str) -> Metadata {
        let mut known = minimal("a-20260305_132522-1-abcdef12");
        known.streams = streams;
        finished(known, events.into_iter(), &mut transcript.as_bytes()).unwrap()
    }

    fn output(stream: Stream, bytes: u64) -> EventRecord {
        let time = 0.0;
        EventRecord::Output {
            time,
            stream,
            bytes,
        }
    }

    #[test]
    fn a_marker_that_the_command_printed_is_output_and_no_exit_code() {
        let text = "done\n\n=== AI_EXIT_CODE: 0 ===\n";
        let metadata = recovered(Streams::Merged, Vec::new(), text);
        assert_eq!(metadata.exit_code, None);
        assert_eq!(metadata.status, Status::Interrupted);
        assert_eq!(metadata.output_bytes, text.len() as u64);
        assert!(metadata.stdout_tail.contains("AI_EXIT_CODE"));
        let digest = hex::encode(Sha256::digest(text));
        assert_eq!(metadata.sha256, Some(digest));
    }

    #[test]
    fn a_marker_that_the_recorder_wrote_is_no_output() {
        let exit = EventRecord::Exit {
            time: 1.0,
            status: Status::Exited,
            exit_code: Some(0),
            signal: None,
            output_bytes: 5,
        };
        let events = vec![output(Stream::Stdout, 5), exit];
        let metadata = recovered(Streams::Merged, events, "done\n\n=== AI_EXIT_CODE: 0 ===\n");
        assert_eq!((metadata.exit_code, metadata.output_bytes), (None, 5));
        assert_eq!(metadata.stdout_tail.trim_end(), "done");
    }

    #[test]
    fn the_streams_are_told_apart_by_the_events() {
        let events = vec![output(Stream::Stderr, 4), output(Stream::Stdout, 4)];
        let metadata = recovered(Streams::Split, events, "bad\nout\nmore\n");
        assert_eq!(
            metadata.stderr_head.as_deref().map(str::trim_end),
            Some("bad")
        );
        assert_eq!(metadata.stdout_tail.trim_end(), "out\nmore");
    }

    #[test]
    fn events_that_say_more_than_there_is_are_not_believed() {
        let events = vec![output(Stream::Stdout, u64::MAX)];
        assert_eq!(recovered(Streams::Merged, events, "abc").output_bytes, 3);
    }
}
