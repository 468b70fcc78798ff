//! Changes to finished sessions: an edited sidecar, a removed session. One at a time, under a lock
//! that is held for milliseconds.

use std::io::{self, Read, Write};
use std::time::Duration;

use super::rebuild::size_bytes;
use super::{FileStore, index};
use crate::session::entry::Removal;
use crate::session::{Entry, Metadata, SessionId, Timestamp};
use crate::store::{Key, State, Store, StoreError, edited, layout};
use crate::sys::file::{self, Directory};
use crate::sys::random;
use crate::sys::stamp::stamp_of;

/// How long to wait for somebody else's change.
const PATIENCE: Duration = Duration::from_secs(10);

impl FileStore {
    fn open_to_change(&self, id: &SessionId) -> Result<Directory, StoreError> {
        match self.open_to_read()? {
            Some((session, _)) => Ok(session),
            None => Err(StoreError::NoSession(id.clone())),
        }
    }

    pub(super) fn change_sidecar(
        &self,
        id: &SessionId,
        key: Option<&Key>,
        now: Timestamp,
        change: &mut dyn FnMut(&mut Metadata),
    ) -> Result<Metadata, StoreError> {
        let session = self.open_to_change(id)?;
        session.check_private().map_err(self.error())?;
        let _lock = index::lock(&session, PATIENCE).map_err(self.error())?;
        match self.state(id)? {
            State::Finished => {}
            State::Running => return Err(StoreError::Running(id.clone())),
            State::Interrupted => drop(self.finish_interrupted(id, key, now)?),
        }
        let (metadata, text) = edited(id, &self.sidecar(id)?, key, change)?;
        let name = layout::sidecar(id);
        let replace = || -> io::Result<()> {
            let new = layout::replacement(&name, random::number()?);
            let replaced = session.create(&new).and_then(|mut file| {
                file.write_all(text.as_bytes())?;
                // A session that was there before must not be lost by an edit.
                file.sync_all()?;
                session.replace(&new, &name)
            });
            if replaced.is_err() {
                let _ = session.remove(&new);
            }
            replaced
        };
        let mut entry = Entry::of(&metadata, size_bytes(&session, id));
        entry.indexed_at = Some(now.to_string().into());
        replace().map_err(StoreError::file(name.clone()))?;
        index::append(&session, &entry);
        Ok(metadata)
    }

    pub(super) fn remove_session(
        &self,
        id: &SessionId,
        now: Timestamp,
        reason: &str,
    ) -> Result<u64, StoreError> {
        let session = self.open_to_change(id)?;
        session.check_private().map_err(self.error())?;
        let _lock = index::lock(&session, PATIENCE).map_err(self.error())?;
        match self.state(id)? {
            State::Finished => {}
            State::Running => return Err(StoreError::Running(id.clone())),
            // Brings its files together.
            State::Interrupted => drop(self.finish_interrupted(id, None, now)?),
        }
        let metadata = self.metadata(id).ok();
        let freed_bytes = size_bytes(&session, id);
        let mut entry = match &metadata {
            Some(metadata) => Entry::of(metadata, freed_bytes),
            None => Entry::unreadable(id),
        };
        entry.pruned = Some(Removal {
            at: now.to_string().into(),
            reason: reason.into(),
        });
        // Remembered first: of a removal that is cut short, whoever finds the rest knows what it is.
        index::append_removal(&session, &entry).map_err(self.error())?;
        remove_files(&session, id).map_err(StoreError::file(id.as_str()))?;
        Ok(freed_bytes)
    }

    /// Whether a session was removed, and what is left of it is only a rest.
    pub(super) fn was_removed(&self, session: &Directory, id: &SessionId) -> bool {
        let mark = format!("\"session_id\":\"{id}\"");
        let mut text = Vec::new();
        let read = session
            .open_file(layout::PRUNED)
            .and_then(|mut file| file.read_to_end(&mut text));
        read.is_ok() && memchr::memmem::find(&text, mark.as_bytes()).is_some()
    }
}

/// Removes a session's files, the sidecar first: without it the session is not there.
pub(super) fn remove_files(session: &Directory, id: &SessionId) -> io::Result<()> {
    for name in [
        layout::sidecar(id),
        layout::transcript(id),
        layout::events(id),
    ] {
        match session.remove(&name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Whether a file with this name is locked by somebody; none if there is no such file.
pub(super) fn is_locked(directory: &Directory, name: &str) -> Option<bool> {
    stamp_of(directory, name).ok()?;
    directory
        .open_file(name)
        .ok()
        .map(|file| file::is_locked(&file))
}
