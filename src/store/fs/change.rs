//! Changes to finished sessions: an edited sidecar, a removed session. One at a time, under a lock
//! that is held for milliseconds.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::io::{self, Write};
use std::time::Duration;

use super::rebuild::size_bytes;
use super::{FileStore, index};
use crate::egress;
use crate::session::entry::Removal;
use crate::session::{Entry, Metadata, SessionId, Timestamp};
use crate::store::index::endings::for_each_line;
use crate::store::index::{self as store_index, ReadAt};
use crate::store::retention::Candidate;
use crate::store::{Key, Recovery, State, Store, StoreError, edited, layout};
use crate::sys::file::{self, Directory};
use crate::sys::random;
use crate::sys::stamp::stamp_of;

/// How long to wait for somebody else's change.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Which sessions a removal is meant for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Whatever it is.
    Any,
    /// One that nobody pinned.
    Unpinned,
}

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
        self.finish_first(id, key, now)?;
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
        replace().map_err(StoreError::file(name.clone()))?;
        let mut entry = Entry::of(&metadata, size_bytes(&session, id));
        entry.indexed_at = Some(now.to_string().into());
        index::append(&session, &entry);
        drop(entry);
        Ok(metadata)
    }

    /// Makes sure that a session is finished, so that it may be changed.
    fn finish_first(
        &self,
        id: &SessionId,
        key: Option<&Key>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let became = match self.state(id)? {
            State::Finished => return Ok(()),
            State::Running => Recovery::Running,
            State::Interrupted => self.finish_interrupted(id, key, now)?,
        };
        match became {
            Recovery::Finished(_) | Recovery::Unneeded => Ok(()),
            Recovery::Running => Err(StoreError::Running(id.clone())),
            Recovery::NeverBegan => Err(StoreError::NoSession(id.clone())),
        }
    }

    /// Removes what a plan names, if it is as the plan knew it: a pin since then keeps it. Returns how
    /// many bytes that freed. Waits this long for somebody else who changes the store.
    ///
    /// # Errors
    /// [`StoreError::Pinned`]; when it is running; or when its files can't be removed.
    pub fn remove_planned(
        &self,
        id: &SessionId,
        candidate: &Candidate,
        now: Timestamp,
        reason: &str,
        patience: Duration,
    ) -> Result<u64, StoreError> {
        let wanted = if candidate.is_pinned() {
            Wanted::Any
        } else {
            Wanted::Unpinned
        };
        self.remove_session(id, now, reason, wanted, patience)
    }

    pub(super) fn remove_session(
        &self,
        id: &SessionId,
        now: Timestamp,
        reason: &str,
        wanted: Wanted,
        patience: Duration,
    ) -> Result<u64, StoreError> {
        let session = self.open_to_change(id)?;
        session.check_private().map_err(self.error())?;
        let _lock = index::lock(&session, patience).map_err(self.error())?;
        // Brings its files together.
        self.finish_first(id, None, now)?;
        let mut metadata = self.metadata(id).ok();
        if wanted == Wanted::Unpinned && metadata.as_ref().is_some_and(|metadata| metadata.pinned) {
            return Err(StoreError::Pinned(id.clone()));
        }
        let freed_bytes = size_bytes(&session, id);
        // What is left of it holds no secret that its recorder knew: with the sidecar goes the mark.
        metadata.iter_mut().for_each(egress::put_marks);
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

    /// Those of these sessions, which have files and no sidecar, that were not removed: of the others
    /// only a rest is left. A removal begins with the sidecar, so what was put aside is no rest, and
    /// neither is what is among the running.
    pub(super) fn without_rests(
        &self,
        session: &Directory,
        mut ids: Vec<SessionId>,
    ) -> Vec<SessionId> {
        let mut removed: HashSet<String> = HashSet::new();
        if !ids.is_empty()
            && let Ok(file) = session.open_file(layout::PRUNED)
            && let Ok(length) = file.length()
        {
            let unfinished: HashSet<&str> = ids.iter().map(SessionId::as_str).collect();
            let read = for_each_line(&file, 0, length, &mut |line, _| {
                let id = store_index::id_of(line).filter(|id| unfinished.contains(id));
                removed.extend(id.map(str::to_owned));
            });
            if read.is_err() {
                removed.clear();
            }
        }
        let live = session.open_child(OsStr::new(layout::LIVE)).ok();
        ids.retain(|id| {
            !removed.contains(id.as_str())
                || session.contains(&layout::torn(id))
                || live.as_ref().is_some_and(|live| live.contains(id.as_str()))
        });
        ids
    }
}

/// Removes a session's files, the sidecar first: without it the session is not there.
pub(super) fn remove_files(session: &Directory, id: &SessionId) -> io::Result<()> {
    for name in [
        layout::sidecar(id),
        layout::torn(id),
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
