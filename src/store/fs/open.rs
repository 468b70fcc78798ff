//! Directories: the session directory, and where the entries of running sessions are.

use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::FileStore;
use crate::session::Location;
use crate::session::keeping::IN_REPOSITORY;
use crate::store::{StoreError, layout};
use crate::sys::file::{self, Directory};
use crate::sys::random;
use crate::sys::standing::Standing;

/// An open session directory, and where the entries of running sessions are.
pub(super) struct Opened {
    pub(super) session: Directory,
    pub(super) live: Live,
}

/// Where the entries of running sessions are.
pub(super) enum Live {
    /// In the session directory's own `live`; the other files stand in the session directory.
    Within,
    /// In the user's state directory, the other files too: out of the command's way.
    Counterpart(Directory),
}

impl Live {
    /// Opens the place of the entries, making it if needed.
    pub(super) fn entries(&self, session: &Directory) -> io::Result<Directory> {
        match self {
            Self::Within => Ok(session.open_or_make_child(OsStr::new(layout::LIVE))?.0),
            Self::Counterpart(live) => live.try_clone(),
        }
    }

    /// Where transcript and events stand.
    pub(super) fn files<'a>(&'a self, session: &'a Directory) -> &'a Directory {
        match self {
            Self::Within => session,
            Self::Counterpart(live) => live,
        }
    }
}

impl FileStore {
    pub(super) fn open_session_directory(&self) -> io::Result<Directory> {
        let directory = match &self.location {
            Location::Repository(root) => {
                Directory::open(root)?.walk_or_make(Path::new(IN_REPOSITORY))?
            }
            Location::State(state) => {
                let (state, _) = Directory::open_or_make(state)?;
                state.open_or_make_child(OsStr::new(layout::IN_STATE))?
            }
            Location::Named(path) => Directory::open_or_make(path)?,
        };
        let (directory, made) = directory;
        if !made {
            directory.check_private()?;
        }
        keep_from_git(&directory)?;
        Ok(directory)
    }

    /// Opens the store to write to it, making what is missing.
    pub(super) fn open_to_write(&self) -> io::Result<Opened> {
        let session = self.open_session_directory()?;
        let counterpart = if self.is_under_current_directory() {
            self.make_counterpart(&session)
        } else {
            None
        };
        let live = counterpart.map_or(Live::Within, Live::Counterpart);
        Ok(Opened { session, live })
    }

    /// Whether a command that reads its current directory would read its own recording.
    fn is_under_current_directory(&self) -> bool {
        let Some(current) = &self.current else {
            return false;
        };
        let path = self.path();
        let path = match &self.location {
            Location::Repository(_) | Location::State(_) => path,
            Location::Named(_) => path.canonicalize().unwrap_or(path),
        };
        path.starts_with(current)
    }

    /// The place for live files outside the session directory, if files can be renamed from there.
    fn make_counterpart(&self, session: &Directory) -> Option<Directory> {
        let state = self.state.as_ref()?;
        if state.starts_with(self.current.as_ref()?) {
            return None;
        }
        let (state, _) = Directory::open_or_make(state).ok()?;
        let session = Standing::of(session).ok()?;
        if !session.takes_files_from(&Standing::of(&state).ok()?) {
            return None;
        }
        let (live, _) = state.open_or_make_child(OsStr::new(layout::LIVE)).ok()?;
        let name = counterpart_name(session.identity);
        let (counterpart, _) = live.open_or_make_child(OsStr::new(&name)).ok()?;
        counterpart.check_private().ok()?;
        Some(counterpart)
    }

    /// Opens the store to read it, with the counterpart if there is one; none if there isn't a
    /// store yet.
    pub(super) fn open_to_read(
        &self,
    ) -> Result<Option<(Directory, Option<Directory>)>, StoreError> {
        let opened = match &self.location {
            Location::Repository(root) => {
                Directory::open(root).and_then(|root| root.walk(Path::new(IN_REPOSITORY)))
            }
            Location::State(state) => Directory::open_itself(state)
                .and_then(|state| state.open_child(OsStr::new(layout::IN_STATE))),
            Location::Named(path) => Directory::open_itself(path),
        };
        let session = match opened {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            result => result.map_err(self.error())?,
        };
        let counterpart = self.state.as_ref().and_then(|state| {
            let name = counterpart_name(session.identity().ok()?);
            let live = Directory::open(&state.join(layout::LIVE)).ok()?;
            live.open_child(OsStr::new(&name)).ok()
        });
        Ok(Some((session, counterpart)))
    }
}

/// Makes sure that git sees nothing of the directory: neither a file that a killed recorder left
/// half written nor one that came with the repository counts.
pub(super) fn keep_from_git(directory: &Directory) -> io::Result<()> {
    const EVERYTHING: &[u8] = b"*\n";
    let mut found = [0; EVERYTHING.len() + 1];
    let read = directory.open_file(layout::IGNORE);
    if let Ok(count) = read.and_then(|mut file| file.read(&mut found))
        && &found[..count] == EVERYTHING
    {
        return Ok(());
    }
    let new = layout::replacement(layout::IGNORE, random::number()?);
    let written = directory
        .create(&new)
        .and_then(|mut file| file.write_all(EVERYTHING))
        .and_then(|()| directory.replace(&new, layout::IGNORE));
    if written.is_err() {
        let _ = directory.remove(&new);
    }
    written
}

/// The counterpart is found by what the session directory is, not by its path: moving the
/// repository while a command runs loses nothing.
fn counterpart_name(session: file::Identity) -> String {
    format!("{:x}-{:x}", session.device, session.inode)
}

pub(super) fn belongs_to_another_user(root: &Path) -> bool {
    let own = rustix::process::geteuid().as_raw();
    // Looked at from outside: another user's private directory can't be opened, and one above it
    // that can't be passed belongs to another user as well.
    let mut place = root.join(IN_REPOSITORY);
    while place != root {
        match place.symlink_metadata() {
            Ok(status) => return status.uid() != own,
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                if !place.pop() {
                    return false;
                }
            }
            Err(_) => return false,
        }
    }
    false
}
