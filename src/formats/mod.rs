//! RECORDINGS FOR OTHER PROGRAMS: a session as the file that another player, reader or browser takes.
//!
//! Responsible for the formats, byte for byte. Not responsible for reading the session, for taking
//! secrets out of its bytes, or for files: moments are handed in, in order, and what is written goes to a
//! writer. Secrets that only a rendered line shows are masked here.
//!
//! Invariants: memory is bounded, whatever the recording. What is for readers (text, Markdown, HTML,
//! SVG) holds nothing that acts or hides; what is for players (asciicast, script) holds recorded bytes,
//! which act where they are played.

mod archive;
mod asciicast;
pub mod html;
mod markdown;
pub mod otlp;
mod palette;
mod rendering;
pub mod report;
mod script;
mod svg;
mod text;

pub use archive::{Archive, Entry as ArchiveEntry};
pub use asciicast::{Asciicast, Version};
pub use html::Html;
pub use markdown::{Fence, Markdown};
pub use rendering::Assembled;
pub use script::Script;
pub use svg::Svg;
pub use text::{Heading, Text};

use std::io;

use crate::session::{Size, Stream, Timestamp};
use crate::transcript::output::gap_note;
use crate::transcript::timeline::{Moment, What};

/// What a recording is, besides its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its name.
    pub title: String,
    /// The command line.
    pub command: String,
    /// Who ran it.
    pub agent: String,
    /// How it ended, in words.
    pub outcome: String,
    /// The directory it ran in, if that is known.
    pub directory: Option<String>,
    /// When it began.
    pub began: Timestamp,
    /// When it ended, if it did.
    pub ended: Option<Timestamp>,
    /// How long it took, in milliseconds.
    pub duration_ms: Option<u64>,
    /// The size of its terminal.
    pub size: Size,
    /// `TERM`, if it was set.
    pub terminal: Option<String>,
    /// `SHELL`, if it was set.
    pub shell: Option<String>,
    /// As a shell would show it, if anybody knows.
    pub exit_code: Option<i32>,
    /// Whether it counts as failed: an exit code can be an answer, or hide a failure.
    pub has_failed: bool,
    /// What a recorded line feed means.
    pub line_feeds: LineFeeds,
}

/// What a recorded line feed means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineFeeds {
    /// The next row: a terminal has added a carriage return where one was wanted.
    FromTerminal,
    /// The next line: whoever shows it adds a carriage return.
    Bare,
}

/// Writes a recording.
pub trait Format {
    /// Writes what comes first.
    ///
    /// # Errors
    /// When it can't be written.
    fn begin(&mut self) -> io::Result<()>;

    /// Writes what happened next.
    ///
    /// # Errors
    /// When it can't be written.
    fn moment(&mut self, moment: &Moment<'_>) -> io::Result<()>;

    /// Writes what comes last.
    ///
    /// # Errors
    /// When it can't be written.
    fn end(&mut self) -> io::Result<()>;

    /// How many secrets were masked because a terminal put them together, at the end.
    fn masked(&self) -> usize {
        0
    }
}

/// Appends bytes as a terminal got them that makes nothing of a line feed but a line feed. `before` is the
/// last byte that it got.
fn with_returns(bytes: &[u8], line_feeds: LineFeeds, before: Option<u8>, to: &mut Vec<u8>) {
    if line_feeds == LineFeeds::FromTerminal {
        to.extend_from_slice(bytes);
        return;
    }
    let mut before = before;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        match line.split_last() {
            Some((b'\n', text)) => {
                to.extend_from_slice(text);
                // What returned by itself needs no help.
                if text.last().copied().or(before) != Some(b'\r') {
                    to.push(b'\r');
                }
                to.push(b'\n');
            }
            _ => to.extend_from_slice(line),
        }
        before = line.last().copied();
    }
}

/// The bytes of a moment as such a terminal got them; none if it shows nothing. What `to` held are the
/// bytes of the moment before.
fn shown_bytes(moment: &Moment<'_>, line_feeds: LineFeeds, to: &mut Vec<u8>) {
    let before = to.last().copied();
    to.clear();
    match &moment.what {
        // Standard error apart went through no terminal's output processing.
        What::Output(Stream::Stderr, bytes) => with_returns(bytes, LineFeeds::Bare, before, to),
        What::Output(Stream::Stdout, bytes) => with_returns(bytes, line_feeds, before, to),
        What::Gap(missing) => to.extend_from_slice(&gap_note(*missing)),
        What::Resize(_)
        | What::Signal(_)
        | What::Stopped(_)
        | What::Continued
        | What::Exit { .. } => {}
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::time::Duration;

    /// A recording with everything that is known of one.
    pub(crate) fn head() -> Head {
        Head {
            title: "ai-agent-20260305_132522-3216-2f587606".to_owned(),
            command: "git status".to_owned(),
            agent: "ai-agent".to_owned(),
            outcome: "exit 3".to_owned(),
            directory: Some("/srv/a".to_owned()),
            began: "1970-01-01T00:00:00.000Z".parse().unwrap(),
            ended: None,
            duration_ms: Some(1500),
            size: Size {
                columns: 80,
                rows: 24,
            },
            terminal: Some("xterm".to_owned()),
            shell: Some("/bin/sh".to_owned()),
            exit_code: Some(3),
            has_failed: true,
            line_feeds: LineFeeds::FromTerminal,
        }
    }

    /// Writes a recording whose pieces came a second after each other.
    pub(crate) fn write(format: &mut dyn Format, pieces: &[(Stream, &[u8])]) {
        format.begin().unwrap();
        for (second, (stream, bytes)) in pieces.iter().enumerate() {
            let at = Duration::from_secs(second as u64);
            let what = What::Output(*stream, bytes);
            format.moment(&Moment { at, what }).unwrap();
        }
        format.end().unwrap();
    }

    #[test]
    fn a_carriage_return_comes_before_each_line_feed_where_no_terminal_added_one() {
        for (line_feeds, before, expected) in [
            (LineFeeds::FromTerminal, None, &b"\na\n\nb\r\n"[..]),
            (LineFeeds::Bare, None, b"\r\na\r\n\r\nb\r\n"),
            (LineFeeds::Bare, Some(b'\r'), b"\na\r\n\r\nb\r\n"),
        ] {
            let mut shown = Vec::new();
            with_returns(b"\na\n\nb\r\n", line_feeds, before, &mut shown);
            assert_eq!(shown, expected);
        }
    }
}
