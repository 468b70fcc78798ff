//! A session's recorded output, opened to be read as text or as it is.

use std::io::{self, Read, Seek, SeekFrom};

use super::error::{CliError, Kind};
use super::progress::ReadingProgress;
use super::reading::Reader;
use crate::plan::DEFAULT_SIZE;
use crate::session::metadata::Streams;
use crate::session::{Metadata, Stream};
use crate::store::{Recorded, State, Store, StoreError};
use crate::transcript::output::{Extent, Output};
use crate::transcript::reader::Events;
use crate::transcript::render::LineFeed;
use crate::transcript::slices::{ErrorLines, Gaps, Slices, Wanted, Way};
use crate::transcript::text::{Form, Source};
use crate::view::session::Shown;

/// A session's files as a source of its output.
pub type SessionSource = Source<Box<dyn Recorded>, Box<dyn Recorded>>;

/// Recorded output, open.
pub struct SessionOutput {
    /// The output.
    pub source: SessionSource,
    /// The terminal that it was made for.
    pub form: Form,
    /// What is wrong with the transcript, in words; it can still be read.
    pub shortage: Option<String>,
}

/// How bytes are handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To be rendered: what is missing is shown, and line feeds mean the same everywhere.
    Text,
    /// As they were recorded.
    Bytes,
}

impl SessionOutput {
    /// Opens the output of a session in any state, or one stream of it. Of a running one this is what
    /// there is at the moment. `progress` shows how far it is read.
    ///
    /// # Errors
    /// When there is no transcript, or that stream was not recorded apart.
    pub fn open(
        reader: &Reader,
        session: &Shown,
        wanted: Wanted,
        purpose: Purpose,
        progress: &ReadingProgress,
    ) -> Result<Self, CliError> {
        let metadata = &session.metadata;
        let id = &metadata.session_id;
        let wanted = available(metadata, wanted)?;
        let columns = metadata.tty.size.map(|size| size.columns);
        let mut transcript = reader.transcript(id, columns)?;
        let length = transcript
            .seek(SeekFrom::End(0))
            .map_err(StoreError::file("the transcript"))?;
        let transcript = progress.of(transcript, length);
        let extent = extent(reader, session);
        let end = extent.end.unwrap_or(length);
        let shortage = (length < end).then(|| {
            let missing = end - length;
            format!(
                "the transcript of {id} is short: {missing} of {end} bytes of output are missing"
            )
        });
        let form = form(metadata, wanted);
        let way = Way {
            wanted,
            error_lines: match (purpose, form.line_feed) {
                (Purpose::Text, LineFeed::Plain) => ErrorLines::WithReturn,
                _ => ErrorLines::AsRecorded,
            },
            gaps: match purpose {
                Purpose::Text => Gaps::Shown,
                Purpose::Bytes => Gaps::Hidden,
            },
        };
        // The events are needed only where the streams must be told apart.
        let is_whole = wanted == Wanted::Both
            && (metadata.streams == Streams::Merged || way.error_lines == ErrorLines::AsRecorded);
        let source = match reader.store.events(id) {
            Ok(events) if !is_whole => Source::Slices(Slices::new(transcript, events, way)),
            Err(error) if wanted != Wanted::Both => return Err(error.into()),
            _ => {
                let gaps = match way.gaps {
                    Gaps::Shown => &extent.gaps[..],
                    Gaps::Hidden => &[],
                };
                Source::Whole(Output::new(transcript, end.min(length), gaps))
            }
        };
        Ok(Self {
            source,
            form,
            shortage,
        })
    }

    /// Hands over the bytes piece by piece, as long as `take` wants them.
    ///
    /// # Errors
    /// When they can't be read, or `take` fails.
    pub fn copy(&mut self, take: &mut dyn FnMut(&[u8]) -> io::Result<Taking>) -> io::Result<()> {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match self.source.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => {
                    if take(&buffer[..count])? == Taking::Stop {
                        return Ok(());
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// Whether more is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taking {
    /// It is.
    More,
    /// It isn't.
    Stop,
}

/// The terminal that a session's output, or one stream of it, was made for.
#[must_use]
pub fn form(metadata: &Metadata, wanted: Wanted) -> Form {
    let size = metadata.tty.size.unwrap_or(DEFAULT_SIZE);
    // Standard error apart goes through no terminal's output processing.
    let returns = metadata.tty.bare_line_feeds || wanted == Wanted::Only(Stream::Stderr);
    Form {
        columns: size.columns,
        rows: size.rows,
        line_feed: if returns {
            LineFeed::WithReturn
        } else {
            LineFeed::Plain
        },
    }
}

/// What can be had of what is wanted: where both streams were one, standard output is that one.
///
/// # Errors
/// When standard error was not recorded apart.
pub fn available(metadata: &Metadata, wanted: Wanted) -> Result<Wanted, CliError> {
    match (metadata.streams, wanted) {
        (Streams::Merged, Wanted::Only(Stream::Stderr)) => Err(CliError::new(
            Kind::NotFound,
            "standard error was not recorded apart in this session: both streams were one",
        )
        .with_hint("aido show without --stderr shows both")),
        (Streams::Merged, Wanted::Only(Stream::Stdout)) => Ok(Wanted::Both),
        _ => Ok(wanted),
    }
}

/// Where the output ends and where some is missing. The events are asked only where the sidecar
/// doesn't say, and what can't be read of them is not known.
#[must_use]
pub fn extent(reader: &Reader, session: &Shown) -> Extent {
    let metadata = &session.metadata;
    let finished = session.state == State::Finished;
    let mut extent = Extent::default();
    if (!finished || metadata.dropped_bytes > 0)
        && let Ok(events) = reader.store.events(&metadata.session_id)
    {
        extent = Extent::of(Events::new(events));
    }
    if finished {
        extent.end = Some(metadata.output_bytes);
    }
    extent
}
