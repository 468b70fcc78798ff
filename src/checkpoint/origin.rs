//! Which work tree a checkpoint is of: its files must never be put into another one, whatever that has in
//! common with it: the path, the repository, or the numbers of directories that are gone.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::record::PathText;
use super::repository::Repository;
use crate::sys::birth::{Birth, Whereabouts, birth};

/// A work tree, told from all others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Its root, as a path.
    pub root: PathBuf,
    /// Its root.
    tree: Birth,
    /// git's directory of this work tree; none where that is gone.
    git: Option<Birth>,
}

/// The same as JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct OriginText {
    root: PathText,
    tree: Birth,
    git: Option<Birth>,
}

impl Origin {
    /// The work tree of a repository; none where its root is gone.
    #[must_use]
    pub fn of(repository: &Repository) -> Option<Self> {
        Some(Self {
            root: std::path::absolute(&repository.root).ok()?,
            tree: birth(&repository.root).ok()?,
            git: birth(&repository.git_directory).ok(),
        })
    }

    /// Whether both are one: git's directory is the same, wherever the files were moved, or the files' own
    /// is, whatever became of git's.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        let whereabouts = match self.root == other.root {
            true => Whereabouts::Same,
            false => Whereabouts::Other,
        };
        let is_git = self.git.zip(other.git);
        self.tree.is(&other.tree, whereabouts)
            || is_git.is_some_and(|(one, other)| one.is(&other, whereabouts))
    }
}

impl From<&Origin> for OriginText {
    fn from(origin: &Origin) -> Self {
        Self {
            root: PathText::from(origin.root.as_os_str().as_bytes()),
            tree: origin.tree,
            git: origin.git,
        }
    }
}

impl OriginText {
    /// The work tree; none of one that is damaged.
    #[must_use]
    pub(super) fn read(self) -> Option<Origin> {
        Some(Origin {
            root: PathBuf::from(OsStr::from_bytes(&self.root.bytes()?)),
            tree: self.tree,
            git: self.git,
        })
    }
}
