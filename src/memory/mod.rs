//! FAILURE MEMORY ON DISK: what is known of failures, in files beside the sessions.
//!
//! Responsible for `nexus/faults`: its records, histories, lessons, marks and rules, and for who may see
//! them. What they say is decided in [`crate::faults`]. Everything read here may have been written by
//! anybody: a file that is no file, too large, torn or of another version is passed over and named, and
//! never hides the others. Nothing here is needed to run a command, so a recorder drops every error.
//!
//! Invariants: records and lessons are redacted before they come here, and the same bytes from whoever
//! writes them; what changes with every run is in `local`, which git never sees; each file is replaced in
//! one step, and each change is made under one lock that is held for milliseconds.

mod cures;
mod files;
mod hide;
mod known;
mod lessons;
mod marks;
mod notes;
mod pending;
mod rules;
mod share;
mod sweep;

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use cures::{CureSeeker, Reach, caller_of};
pub use hide::Hide;
pub use known::{Knowledge, Known};
pub use lessons::KnownLesson;
pub use notes::Success;
pub use share::Sharing;

use crate::session::Location;
use crate::store::fs::FileStore;
use crate::sys::file::Directory;
use crate::sys::lock::wait_for_lock;

/// The directory's name beside the sessions.
const NAME: &str = "faults";
/// The directory in a repository.
const IN_REPOSITORY: &str = "nexus/faults";
/// What is not shared.
const LOCAL: &str = "local";
/// What changes are made under.
const LOCK: &str = ".lock";
/// How long to wait for somebody else's change.
const PATIENCE: Duration = Duration::from_secs(2);
/// The same where a command waits to be started, or its sidecar to be published.
const IN_PASSING: Duration = Duration::from_millis(50);

/// Failure memory beside a store of sessions; nothing is opened yet.
#[derive(Clone, Debug)]
pub struct FaultStore {
    /// The directory from which links are not followed any more.
    base: PathBuf,
    /// The way down from there.
    relative: &'static str,
    /// How long to wait for somebody else's change.
    patience: Duration,
}

/// The open directories.
struct Opened {
    faults: Directory,
    /// None where there is none, or it can't be trusted.
    local: Option<Directory>,
    /// Why it can't be.
    refused: Option<io::Error>,
}

/// The open directories and the lock on changes.
struct Changing {
    faults: Directory,
    local: Directory,
    _lock: File,
}

impl FaultStore {
    /// The failure memory that belongs to a store.
    #[must_use]
    pub fn beside(store: &FileStore) -> Self {
        let (base, relative) = match store.location() {
            Location::Repository(root) => (root.clone(), IN_REPOSITORY),
            Location::State(state) => (state.clone(), NAME),
            Location::Named(path) => match path.parent() {
                Some(parent) if !parent.as_os_str().is_empty() => (parent.to_owned(), NAME),
                _ => (PathBuf::from("."), NAME),
            },
        };
        Self {
            base,
            relative,
            patience: PATIENCE,
        }
    }

    /// The same, hardly waiting for anybody.
    #[must_use]
    pub fn in_passing(mut self) -> Self {
        self.patience = IN_PASSING;
        self
    }

    /// The directory's path, for people.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.base.join(self.relative)
    }

    /// Opens what there is; none if nothing was remembered yet.
    fn open(&self) -> io::Result<Option<Opened>> {
        let base = Directory::open(&self.base);
        let opened = base.and_then(|base| base.walk(Path::new(self.relative)));
        let faults = match opened {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        let local = faults.open_child(OsStr::new(LOCAL));
        let local = local.and_then(|local| local.check_private().map(|()| local));
        let (local, refused) = match local {
            Ok(local) => (Some(local), None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => (None, None),
            Err(error) => (None, Some(error)),
        };
        Ok(Some(Opened {
            faults,
            local,
            refused,
        }))
    }

    /// Opens it for a change, making what is missing, waits for the lock, and adds what was left meanwhile.
    fn change(&self) -> io::Result<Changing> {
        let (faults, local) = self.directories()?;
        let lock = local.append(OsStr::new(LOCK))?;
        wait_for_lock(&lock, self.patience)?;
        let changing = Changing {
            faults,
            local,
            _lock: lock,
        };
        pending::settle(&changing);
        Ok(changing)
    }

    /// The directories to write to, making what is missing.
    fn directories(&self) -> io::Result<(Directory, Directory)> {
        let base = Directory::open(&self.base)?;
        let (faults, _) = base.walk_or_make(Path::new(self.relative))?;
        faults.check_own()?;
        share::keep_from_git(&faults)?;
        let (local, made) = faults.open_or_make_child(OsStr::new(LOCAL))?;
        local.check_private()?;
        if made || !local.contains(share::IGNORE) {
            share::ignore_all(&local)?;
        }
        Ok((faults, local))
    }
}
