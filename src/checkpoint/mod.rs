//! USE CASE: the work tree as it stood, kept beside a session, and the way back to it.
//!
//! A checkpoint is a commit object in a git directory of aido's own, below the user's state directory: one
//! such directory a repository. What is committed it takes from the repository's objects, and keeps everything
//! else itself, every tree too. Nothing in the repository is ever written, and of its configuration only what is
//! ignored is read: no filter, hook or other program of a stranger's runs.
//!
//! Invariants:
//! - What was committed nowhere stands in aido's own directory, so that no `git gc` takes it away.
//! - A checkpoint names every path that it leaves out, and no restore touches such a path.
//! - Restoring follows no link, changes no file that is as it should be, and removes nothing that was ignored
//!   when the checkpoint was taken, and nothing of aido's own.
//!
//! Pure: [`listing`], [`select`], [`record`], [`changes`], [`plan`], [`pattern`]. The others run git, or
//! write.

pub mod batch;
pub mod changes;
mod closed;
mod directories;
mod edits;
mod excluded;
mod gather;
pub mod git;
mod home;
mod ignored;
mod kept;
pub mod listing;
pub mod modes;
mod origin;
pub mod pattern;
pub mod plan;
mod planning;
mod program;
mod read;
pub mod record;
mod refs;
mod repository;
mod restore;
mod seed;
pub mod select;
mod size;
mod snapshot;
mod survey;
mod sweep;
mod told;
mod trees;
mod unfinished;
mod worktree;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::session::SessionId;

pub use directories::Directories;
pub use home::Home;
pub use origin::Origin;
pub use plan::{Step, Way};
pub use read::{Checkpoint, Reading};
pub use record::Record;
pub use refs::{Named, Phase};
pub use repository::Repository;
pub use restore::{Report, Restoring, Wanted};
pub use snapshot::Snapshot;
pub use sweep::{Sweeping, Swept, sweep};

/// What a checkpoint may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long taking one may last.
    pub time: Duration,
    /// The largest file that is kept, in bytes; 0 is no limit.
    pub file_bytes: u64,
}

/// Why there is no checkpoint, or none can be read.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// No directory upwards holds a `.git`.
    #[error("there is no git repository here")]
    NoRepository,
    /// The user has no state directory.
    #[error("there is no home directory to keep it in")]
    NoHome,
    /// There is no git.
    #[error("there is no git here")]
    NoGit,
    /// It would take too long.
    #[error("it took longer than {} ms (checkpoint_timeout)", .0.as_millis())]
    TooLong(Duration),
    /// It is of another work tree than the one that it was to be put into.
    #[error("it is of {}, which is not the work tree {}", .origin.display(), .present.display())]
    Elsewhere {
        /// The root of the one that it is of, as it was called.
        origin: PathBuf,
        /// The root of the present one.
        present: PathBuf,
    },
    /// git failed.
    #[error("git {what}: {said}")]
    Git {
        /// What it was to do.
        what: &'static str,
        /// What it said.
        said: String,
    },
    /// A file or directory of aido's own is in the way.
    #[error("{}: {source}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What git printed is not what it should be.
    #[error("git {what} printed what can't be read")]
    Unreadable {
        /// What it was to do.
        what: &'static str,
    },
}

/// Takes the names of these sessions' checkpoints away, in whatever repository they were taken. What can't be
/// removed stays.
pub fn forget(state: &Path, ids: &[SessionId]) {
    for home in Home::all(state) {
        for id in ids {
            let _ = home.forget(id);
        }
    }
}

impl Problem {
    fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }
}
