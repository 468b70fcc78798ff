//! What can be wrong with a store, found without changing it.

use std::ffi::OsStr;
use std::io;
use std::path::Path;

use super::FileStore;
use super::held::read_sidecar;
use super::open::belongs_to_another_user;
use super::rebuild::size_bytes;
use super::sweep::{Visitor, hands, sweep};
use crate::session::keeping::IN_REPOSITORY;
use crate::session::{Location, SessionId, State};
use crate::store::index::endings::for_each_line;
use crate::store::index::parse;
use crate::store::observer::Task;
use crate::store::{StoreError, layout, parse_sidecar};
use crate::sys::file::{self, Directory};
use crate::sys::stamp::stamp_of;
use crate::sys::standing::check_can_be_made;

/// The state of a store.
#[derive(Debug, Default)]
pub struct Health {
    /// Whether there is one yet.
    pub exists: bool,
    /// Why nothing can be recorded in it, or why it can't be made.
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
        let Some((session, counterpart)) = self.open_to_read()? else {
            health.unwritable = check_can_be_made(&self.path()).err();
            return Ok(health);
        };
        health.exists = true;
        health.exposed = session.check_private().err();
        health.unwritable = write_and_lock(&session, &mut health.has_locks).err();
        health.ignored_by_git = stamp_of(&session, layout::IGNORE).is_ok();
        health.free_bytes = free_bytes(&session);
        let (lines, unfinished) = self.open_index(&session, counterpart.as_ref())?;
        let count = |wanted| {
            unfinished
                .iter()
                .filter(|found| found.state == wanted)
                .count()
        };
        health.running = count(State::Running);
        health.interrupted = count(State::Interrupted);
        let checker = |_| Checker {
            session: &session,
            sidecar: Vec::new(),
            sessions: 0,
            total_bytes: 0,
            unreadable: 0,
        };
        let checkers = hands(&session).map_err(self.error())?;
        let checkers = (0..checkers).map(checker).collect();
        let swept = sweep(&session, self.observer(), Task::Checking, checkers);
        for checker in swept.map_err(self.error())? {
            health.sessions += checker.sessions;
            health.total_bytes += checker.total_bytes;
            health.unreadable += checker.unreadable;
        }
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

/// Reads sidecars, to see whether that can be done, and asks files for their size.
struct Checker<'a> {
    session: &'a Directory,
    /// The sidecar that is read.
    sidecar: Vec<u8>,
    sessions: usize,
    total_bytes: u64,
    unreadable: usize,
}

impl Visitor for Checker<'_> {
    fn visit(&mut self, id: &SessionId) -> io::Result<()> {
        let read = read_sidecar(self.session, &layout::sidecar(id), &mut self.sidecar);
        if read.as_ref().err().map(io::Error::kind) == Some(io::ErrorKind::NotFound) {
            // It went just now.
            return Ok(());
        }
        let is_readable = read.is_ok() && parse_sidecar(id, &self.sidecar).is_ok();
        self.sessions += 1;
        self.total_bytes += size_bytes(self.session, id);
        self.unreadable += usize::from(!is_readable);
        Ok(())
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
