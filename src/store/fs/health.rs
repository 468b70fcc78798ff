//! What can be wrong with a store, found without changing it.

use std::ffi::OsStr;
use std::io;
use std::ops::ControlFlow;
use std::path::Path;

use super::open::belongs_to_another_user;
use super::{FileStore, index};
use crate::session::keeping::IN_REPOSITORY;
use crate::session::{Location, Query, State};
use crate::store::index::endings::for_each_line;
use crate::store::index::parse;
use crate::store::{Store, StoreError, layout};
use crate::sys::file::{self, Directory};
use crate::sys::stamp::stamp_of;

/// The state of a store.
#[derive(Debug, Default)]
pub struct Health {
    /// Whether there is one yet.
    pub exists: bool,
    /// Why nothing can be recorded in it.
    pub unwritable: Option<io::Error>,
    /// Why its privacy is not what it should be.
    pub exposed: Option<io::Error>,
    /// Whether git is kept from seeing it.
    pub ignored_by_git: bool,
    /// Room that is left on its disk for this user, in bytes.
    pub free_bytes: Option<u64>,
    /// Whether locks work there: without them nobody can tell a running session from an interrupted
    /// one.
    pub has_locks: bool,
    /// Finished sessions.
    pub sessions: usize,
    /// What their files hold.
    pub total_bytes: u64,
    /// Sessions that run now.
    pub running: usize,
    /// Sessions whose recorder was killed.
    pub interrupted: usize,
    /// Sessions whose sidecar can't be read.
    pub unreadable: usize,
    /// Lines of the index that are none.
    pub torn_lines: usize,
}

impl FileStore {
    /// Looks at the store.
    ///
    /// # Errors
    /// When it is there and can't be read.
    pub fn health(&self) -> Result<Health, StoreError> {
        let mut health = Health::default();
        let Some((session, _)) = self.open_to_read()? else {
            return Ok(health);
        };
        health.exists = true;
        health.exposed = session.check_private().err();
        health.unwritable = write_and_lock(&session, &mut health.has_locks).err();
        health.ignored_by_git = stamp_of(&session, layout::IGNORE).is_ok();
        health.free_bytes = free_bytes(&session);
        let mut unfinished = Vec::new();
        self.newest(&Query::default(), &mut |found| {
            match found.state {
                State::Finished => {
                    health.sessions += 1;
                    health.total_bytes += found.entry.size_bytes;
                    let id = found.entry.id();
                    let is_readable = id.is_some_and(|id| self.metadata(&id).is_ok());
                    health.unreadable += usize::from(!is_readable);
                }
                state => unfinished.push(state),
            }
            ControlFlow::Continue(())
        })?;
        let count = |wanted| unfinished.iter().filter(|state| **state == wanted).count();
        health.running = count(State::Running);
        health.interrupted = count(State::Interrupted);
        let index = index::open(&session, index::PATIENCE);
        let lines = index.map_err(self.error())?.lines;
        let length = lines.length().map_err(self.error())?;
        for_each_line(&*lines, 0, length, &mut |line, _| {
            health.torn_lines += usize::from(!line.is_empty() && parse(line).is_none());
        })
        .map_err(self.error())?;
        Ok(health)
    }

    /// Whether the repository's own session directory belongs to somebody else, so that the user's
    /// is taken.
    #[must_use]
    pub fn stands_aside(root: &Path) -> bool {
        belongs_to_another_user(root)
    }

    /// Whether the repository's session directory can be reached: none of the directories above it
    /// is a link.
    #[must_use]
    pub fn is_behind_a_link(&self) -> bool {
        let Location::Repository(root) = &self.location else {
            return false;
        };
        let mut place = root.clone();
        Path::new(IN_REPOSITORY).components().any(|part| {
            place.push(part);
            place.is_symlink()
        })
    }
}

/// Makes a file, locks it and removes it again.
fn write_and_lock(session: &Directory, has_locks: &mut bool) -> io::Result<()> {
    let name = layout::replacement("doctor", crate::sys::random::number()?);
    let made = session.create(&name)?;
    *has_locks = file::lock(&made).is_ok() && {
        let other = session.append(OsStr::new(&name))?;
        file::is_locked(&other)
    };
    session.remove(&name)
}

fn free_bytes(session: &Directory) -> Option<u64> {
    let status = rustix::fs::fstatvfs(session).ok()?;
    status.f_bavail.checked_mul(status.f_frsize)
}
