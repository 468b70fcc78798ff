//! A session begins: its id is drawn and its files are made.

use std::fs::File;
use std::io::{self, Write};

use super::open::Opened;
use crate::session::SessionId;
use crate::store::{IdSeed, layout};
use crate::sys::file::{self, Directory};
use crate::sys::random;

/// How often an id is drawn again when it exists already.
const ID_TRIES: usize = 64;
/// How much larger than its start record a session's sidecar is, without excerpts of the output.
const SIDECAR_GROWTH_BYTES: usize = 1024;
/// Disk space comes in blocks of this size nearly everywhere.
pub(super) const BLOCK_BYTES: usize = 4096;

/// The files of a session that begins.
pub(super) struct Begun {
    pub(super) id: SessionId,
    pub(super) events: File,
    pub(super) transcript: File,
    /// The entry in `live`, still empty.
    pub(super) sidecar: File,
    /// The room that it holds on the disk.
    pub(super) reserved_bytes: usize,
}

/// Draws an id and creates the session's files; leaves nothing behind on failure.
pub(super) fn begin(
    opened: &Opened,
    seed: &IdSeed,
    start_line: &dyn Fn(&SessionId) -> Vec<u8>,
) -> io::Result<Begun> {
    let files = opened.live.files(&opened.session);
    let entries = opened.live.entries(&opened.session)?;
    let (id, sidecar) = draw_id(opened, &entries, seed)?;
    let start = start_line(&id);
    let blocks = (start.len() + SIDECAR_GROWTH_BYTES).div_ceil(BLOCK_BYTES);
    let reserved_bytes = blocks * BLOCK_BYTES;
    let begun = begin_events(files, &id, &start).and_then(|events| {
        file::reserve(&sidecar, reserved_bytes as u64)?;
        let transcript = files.create(&layout::transcript(&id))?;
        Ok((events, transcript))
    });
    match begun {
        Ok((events, transcript)) => Ok(Begun {
            id,
            events,
            transcript,
            sidecar,
            reserved_bytes,
        }),
        Err(error) => {
            // Nothing was recorded yet, so nothing is lost.
            for name in [layout::transcript(&id), layout::events(&id)] {
                let _ = files.remove(&name);
            }
            let _ = entries.remove(id.as_str());
            Err(error)
        }
    }
}

/// Draws an id that is free, and makes its entry, which is what makes it taken.
fn draw_id(opened: &Opened, entries: &Directory, seed: &IdSeed) -> io::Result<(SessionId, File)> {
    for _ in 0..ID_TRIES {
        let random = seed.random.map_or_else(random::number, Ok)?;
        let id = SessionId::new(&seed.agent, &seed.local_time, seed.process, random);
        match entries.create(id.as_str()) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            entry if !opened.session.contains(&layout::sidecar(&id)) => return Ok((id, entry?)),
            _ => drop(entries.remove(id.as_str())),
        }
    }
    Err(io::Error::other("no session id is free"))
}

/// Creates the events file: locked and with its start record before it has its name, so that a
/// live session never looks dead.
fn begin_events(files: &Directory, id: &SessionId, start: &[u8]) -> io::Result<File> {
    let new = layout::new_events(id);
    let mut events = files.create(&new)?;
    let named = file::lock(&events)
        .and_then(|()| events.write_all(start))
        .and_then(|()| files.rename_new(&new, files, &layout::events(id)));
    match named {
        Ok(()) => Ok(events),
        Err(error) => {
            let _ = files.remove(&new);
            Err(error)
        }
    }
}
