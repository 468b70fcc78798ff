//! Sessions as plain files in one directory.
//!
//! `open` finds and makes directories, `begin` makes a session's files, `draft` fills and
//! publishes them; reading is here, in `held` for many reads in a row, and in `recent` for a hurry.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value};

use super::observer::Observer;
use super::{Draft, Found, IdSeed, Key, Recorded, Recovery, State, Store, StoreError, layout};
use crate::session::keeping::IN_REPOSITORY;
use crate::session::{Entry, Location, Metadata, Query, SessionId, Timestamp};
use crate::sys::file;
use crate::transcript::reader;
pub use change::PATIENCE;
use change::Wanted;

mod begin;
mod candidates;
mod change;
mod draft;
mod health;
mod held;
mod housekeeping;
mod index;
mod newest;
mod open;
mod placing;
mod rebuild;
mod recent;
mod recover;
mod sweep;
mod tasks;
mod tidy;

pub use candidates::{Candidates, Origin};
pub use health::Health;
pub use held::{HeldStore, has};
pub use recent::{Reach, Recent};
pub use tasks::{Task, Tasks};

/// A store in a directory.
#[derive(Clone, Debug)]
pub struct FileStore {
    location: Location,
    /// The user's state directory, where live files are kept out of the command's way.
    state: Option<PathBuf>,
    /// The directory that the command runs in.
    current: Option<PathBuf>,
    /// Who is told of what takes long.
    observer: Option<Arc<dyn Observer>>,
}

impl FileStore {
    /// A store at this location; nothing is opened yet. A repository's store that belongs to
    /// another user is left alone, and the user's own is used.
    #[must_use]
    pub fn new(location: Location, state: Option<PathBuf>, current: Option<PathBuf>) -> Self {
        let location = match (&location, &state) {
            (Location::Repository(root), Some(state)) if open::belongs_to_another_user(root) => {
                Location::State(state.clone())
            }
            _ => location,
        };
        Self {
            location,
            state,
            current,
            observer: None,
        }
    }

    /// The same store, which tells somebody of what takes long.
    #[must_use]
    pub fn observed_by(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    fn observer(&self) -> Option<&dyn Observer> {
        self.observer.as_deref()
    }

    /// How a reading word has the index opened.
    fn manner(&self) -> index::Manner<'_> {
        index::Manner {
            patience: index::PATIENCE,
            observer: self.observer(),
        }
    }

    /// Where the session directory is, as it was settled.
    #[must_use]
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// The session directory's path, for people.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        match &self.location {
            Location::Repository(root) => root.join(IN_REPOSITORY),
            Location::State(state) => state.join(layout::IN_STATE),
            Location::Named(path) => path.clone(),
        }
    }

    /// Whether there is a session directory.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.path().is_dir()
    }

    /// Makes the session directory, if there is none.
    ///
    /// # Errors
    /// When it can't be made, or isn't the user's own.
    pub fn make(&self) -> io::Result<()> {
        self.open_session_directory().map(drop)
    }

    /// Takes the session directory away again, with the one around it, if there is nothing in it but what was
    /// put there when it was made, or is made by looking at it.
    pub fn remove_unused(&self) {
        let path = self.path();
        let Ok(mut entries) = std::fs::read_dir(&path) else {
            return;
        };
        let own = [
            layout::IGNORE,
            layout::LOCK,
            layout::INDEX,
            layout::ENDINGS,
            layout::HOUSEKEEPING,
        ];
        let is_own = |name: &OsStr| own.into_iter().any(|own| name == own);
        if entries.all(|entry| entry.is_ok_and(|entry| is_own(&entry.file_name()))) {
            // The last of these fails where somebody put something there meanwhile.
            for name in own {
                let _ = std::fs::remove_file(path.join(name));
            }
            let _ = std::fs::remove_dir(&path);
            if let (Location::Repository(_), Some(around)) = (&self.location, path.parent()) {
                let _ = std::fs::remove_dir(around);
            }
        }
    }

    /// A session's transcript, relative to the session directory's parent, as sidecars show it.
    #[must_use]
    pub fn typescript_file(&self, id: &SessionId) -> String {
        let path = self.path();
        let name = path.file_name().unwrap_or(OsStr::new("."));
        format!("./{}/{}", name.to_string_lossy(), layout::transcript(id))
    }

    /// Opens a file beside the sessions to append to it, made if needed. For aido's own logs.
    ///
    /// # Errors
    /// When the path leads out of the session directory, or can't be opened.
    pub fn open_beside(&self, relative: &Path) -> io::Result<File> {
        let (Some(name), Some(parent)) = (relative.file_name(), relative.parent()) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let (parent, _) = self.open_session_directory()?.walk_or_make(parent)?;
        parent.append(name)
    }

    fn describe(&self) -> String {
        self.path().display().to_string()
    }

    fn error(&self) -> impl FnOnce(io::Error) -> StoreError {
        StoreError::file(self.describe())
    }
}

impl Store for FileStore {
    fn begin(
        &self,
        seed: &IdSeed,
        cap_bytes: u64,
        start_line: &dyn Fn(&SessionId) -> Vec<u8>,
    ) -> Result<Box<dyn Draft>, StoreError> {
        let opened = self.open_to_write().map_err(self.error())?;
        let begun = begin::begin(&opened, seed, start_line).map_err(self.error())?;
        let draft = draft::FileDraft::new(self.clone(), opened, begun, cap_bytes);
        Ok(Box::new(draft))
    }

    fn ids(&self) -> Result<Vec<SessionId>, StoreError> {
        let Some((session, counterpart)) = self.open_to_read()? else {
            return Ok(Vec::new());
        };
        let mut ids = Vec::new();
        let directories = [Some(&session), counterpart.as_ref()];
        for directory in directories.into_iter().flatten() {
            // Any of a session's files tells that it is there.
            let mut take = |name: &OsStr| ids.extend(layout::parse(name).map(|(id, _)| id));
            directory.each_name(&mut take).map_err(self.error())?;
        }
        ids.sort_unstable();
        ids.dedup();
        Ok(ids)
    }

    fn state(&self, id: &SessionId) -> Result<State, StoreError> {
        let sidecar = layout::sidecar(id);
        let finished = || {
            let opened = self.open_to_read()?;
            Ok(opened.is_some_and(|(session, _)| session.contains(&sidecar)))
        };
        if finished()? {
            return Ok(State::Finished);
        }
        let events = match self.open_file(id, &layout::events(id)) {
            Ok(events) => events,
            // It may have finished, and have been pruned or moved, just now.
            Err(_) if finished()? => return Ok(State::Finished),
            Err(StoreError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                return match self.open_file(id, &layout::transcript(id)) {
                    Ok(_) => Ok(State::Interrupted),
                    Err(StoreError::File { source, .. })
                        if source.kind() == io::ErrorKind::NotFound =>
                    {
                        Err(StoreError::NoSession(id.clone()))
                    }
                    Err(error) => Err(error),
                };
            }
            Err(error) => return Err(error),
        };
        if file::is_locked(&events) {
            Ok(State::Running)
        } else if finished()? {
            // The sidecar comes before the lock goes, so this look decides.
            Ok(State::Finished)
        } else {
            Ok(State::Interrupted)
        }
    }

    fn sidecar(&self, id: &SessionId) -> Result<Vec<u8>, StoreError> {
        let mut bytes = Vec::new();
        match self.hold()? {
            Some(held) if held.read_sidecar(id, &mut bytes)? => Ok(bytes),
            _ => Err(StoreError::file(layout::sidecar(id))(
                io::ErrorKind::NotFound.into(),
            )),
        }
    }

    fn start_record(&self, id: &SessionId) -> Result<Map<String, Value>, StoreError> {
        let name = layout::events(id);
        let file = self.open_file(id, &name)?;
        reader::start_record(file).map_err(StoreError::file(name))
    }

    fn transcript(&self, id: &SessionId) -> Result<Box<dyn Recorded>, StoreError> {
        Ok(Box::new(self.open_file(id, &layout::transcript(id))?))
    }

    fn events(&self, id: &SessionId) -> Result<Box<dyn Recorded>, StoreError> {
        Ok(Box::new(self.open_file(id, &layout::events(id))?))
    }

    fn newest(
        &self,
        query: &Query,
        visit: &mut dyn FnMut(Found) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.visit_newest(query, visit)
    }

    fn find(&self, part: &str, limit: usize) -> Result<Vec<SessionId>, StoreError> {
        self.find_part(part, limit)
    }

    fn removed(
        &self,
        visit: &mut dyn FnMut(Entry<'static>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.visit_removed(visit)
    }

    fn running_named(&self, name: &str) -> Result<Option<SessionId>, StoreError> {
        self.find_running(name)
    }

    fn edit(
        &self,
        id: &SessionId,
        key: Option<&Key>,
        now: Timestamp,
        change: &mut dyn FnMut(&mut Metadata),
    ) -> Result<Metadata, StoreError> {
        self.change_sidecar(id, key, now, change)
    }

    fn remove(&self, id: &SessionId, now: Timestamp, reason: &str) -> Result<u64, StoreError> {
        self.remove_session(id, now, reason, Wanted::Any, PATIENCE)
    }

    fn recover(
        &self,
        id: &SessionId,
        key: Option<&Key>,
        now: Timestamp,
    ) -> Result<Recovery, StoreError> {
        self.finish_interrupted(id, key, now)
    }
}
