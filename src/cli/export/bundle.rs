//! All files of sessions as one archive: as evidence, byte for byte, or with their secrets replaced.

use std::io::{self, IsTerminal, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::recordings::refuse_assembled;
use super::subject::Subject;
use crate::cli::destination::{Destination, forgive};
use crate::cli::error::{CliError, Kind};
use crate::cli::reading::Reader;
use crate::cli::redaction::Rules;
use crate::clock;
use crate::egress::{self, Redaction, Terms};
use crate::formats::{Archive, ArchiveEntry};
use crate::redact::{Redactor, Style};
use crate::session::SessionId;
use crate::store::{State, Store, StoreError, layout};
use crate::sys::file::read_small;
use crate::transcript::reader::Events;

/// The file with the digests of all others.
const SUMS: &str = "SHA256SUMS";
/// The largest debug log that is taken.
const LOG_MAX_BYTES: u64 = 64 * 1024 * 1024;

/// Writes an archive of sessions, and gives how many secrets were masked.
///
/// # Errors
/// When a session is not over, or files can't be read or written.
pub(super) fn export(
    reader: &Reader,
    ids: &[SessionId],
    rules: &Rules,
    terms: &Terms,
    output: Option<&Path>,
) -> Result<usize, CliError> {
    if output.is_none() && io::stdout().is_terminal() {
        let message = "an archive is nothing for a terminal";
        return Err(CliError::new(Kind::Usage, message).with_hint("-o FILE.tar"));
    }
    let mut destination = Destination::new(output)?;
    let mut archive = Archive::new(&mut destination);
    let mut masked = 0;
    for id in ids {
        if reader.store.state(id)? != State::Finished {
            let message = format!("{id} is not finished, so its files aren't");
            return Err(CliError::new(Kind::Failed, message));
        }
        let subject = Subject::read(reader, id, rules, terms)?;
        masked += match terms.redaction {
            Redaction::Off => add_raw(&mut archive, reader, &subject)?,
            Redaction::On => add_redacted(&mut archive, reader, &subject, rules, terms)?,
        };
    }
    let log = log_path(reader);
    if let Some(bytes) = log.and_then(|path| read_small(&path, LOG_MAX_BYTES).ok()) {
        let bytes = match terms.redaction {
            Redaction::Off => bytes,
            Redaction::On => {
                rules
                    .redactor(reader, terms.depth)?
                    .bytes(&bytes, Style::Token)
                    .0
            }
        };
        add(&mut archive, "debug.log", now(), &bytes)?;
    }
    forgive(archive.finish(SUMS, now()))?;
    destination.finish()?;
    Ok(masked)
}

fn now() -> u64 {
    u64::try_from(clock::now().0.timestamp()).unwrap_or_default()
}

/// The debug log that the settings name.
fn log_path(reader: &Reader) -> Option<PathBuf> {
    let log = reader.settings.debug_log.as_ref()?;
    Some(reader.store.path().join(log))
}

fn modified(subject: &Subject<'_>) -> u64 {
    let metadata = &subject.session.metadata;
    let time = metadata.ended_at.unwrap_or(metadata.timestamp);
    u64::try_from(time.0.timestamp()).unwrap_or_default()
}

fn add(
    archive: &mut Archive<&mut Destination>,
    path: &str,
    modified: u64,
    mut bytes: &[u8],
) -> Result<(), CliError> {
    let entry = ArchiveEntry {
        path,
        size_bytes: bytes.len() as u64,
        modified,
    };
    Ok(forgive(archive.add(entry, &mut bytes))?)
}

/// The files as they are.
fn add_raw(
    archive: &mut Archive<&mut Destination>,
    reader: &Reader,
    subject: &Subject<'_>,
) -> Result<usize, CliError> {
    let id = &subject.session.metadata.session_id;
    let modified = modified(subject);
    let files = [
        (layout::transcript(id), reader.store.transcript(id)?),
        (layout::events(id), reader.store.events(id)?),
    ];
    for (name, mut file) in files {
        let size = file.seek(SeekFrom::End(0)).and_then(|size| {
            file.seek(SeekFrom::Start(0))?;
            Ok(size)
        });
        let entry = ArchiveEntry {
            path: &format!("{id}/{name}"),
            size_bytes: size.map_err(StoreError::file(name.as_str()))?,
            modified,
        };
        forgive(archive.add(entry, &mut file))?;
    }
    let sidecar = reader.store.sidecar(id)?;
    let path = format!("{id}/{}", layout::sidecar(id));
    add(archive, &path, modified, &sidecar)?;
    Ok(0)
}

/// The transcript with masks of the same length, the events without secrets, and instead of the sidecar
/// the record that is exported.
fn add_redacted(
    archive: &mut Archive<&mut Destination>,
    reader: &Reader,
    subject: &Subject<'_>,
    rules: &Rules,
    terms: &Terms,
) -> Result<usize, CliError> {
    let id = &subject.session.metadata.session_id;
    let modified = modified(subject);
    refuse_assembled(subject)?;
    let (mut transcript, masked) = subject.transcript()?;
    let size = transcript.seek(SeekFrom::End(0)).and_then(|size| {
        transcript.seek(SeekFrom::Start(0))?;
        Ok(size)
    });
    let entry = ArchiveEntry {
        path: &format!("{id}/{}", layout::transcript(id)),
        size_bytes: size.map_err(StoreError::file("the transcript"))?,
        modified,
    };
    forgive(archive.add(entry, &mut transcript))?;
    if let Some(redactor) = subject.redactor() {
        // Once for its size, once for its bytes.
        let mut counted = Clean::new(reader.store.events(id)?, redactor);
        let entry = ArchiveEntry {
            path: &format!("{id}/{}", layout::events(id)),
            size_bytes: io::copy(&mut counted, &mut io::sink())?,
            modified,
        };
        let mut events = Clean::new(reader.store.events(id)?, redactor);
        forgive(archive.add(entry, &mut events))?;
    }
    let redactor = rules.redactor(reader, terms.depth)?;
    let (record, _) = super::record(reader, id, terms, &redactor)?;
    let mut text = serde_json::to_string_pretty(&Value::Object(record))?;
    text.push('\n');
    add(
        archive,
        &format!("{id}/{id}.record.json"),
        modified,
        text.as_bytes(),
    )?;
    Ok(masked)
}

/// Events without secrets, a line each.
struct Clean<'r, R> {
    events: Events<R>,
    redactor: &'r Redactor,
    line: Vec<u8>,
    place: usize,
}

impl<'r, R: Read> Clean<'r, R> {
    fn new(file: R, redactor: &'r Redactor) -> Self {
        Self {
            events: Events::new(file),
            redactor,
            line: Vec::new(),
            place: 0,
        }
    }
}

impl<R: Read> Read for Clean<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.place == self.line.len() {
            let Some(mut event) = self.events.next_value() else {
                return Ok(0);
            };
            egress::clean_event(&mut event, self.redactor);
            self.line = serde_json::to_vec(&event)?;
            self.line.push(b'\n');
            self.place = 0;
        }
        let count = (&self.line[self.place..]).read(buffer)?;
        self.place += count;
        Ok(count)
    }
}
