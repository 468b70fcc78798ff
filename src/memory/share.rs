//! Who sees the directory: nobody but this user, until its owner opens it for git.

use std::io::{self, Read};

use super::{FaultStore, files};
use crate::sys::file::Directory;

/// What git reads.
pub(super) const IGNORE: &str = ".gitignore";
/// Git sees nothing.
const NOTHING_SHARED: &str = "*\n";
/// Git sees all but what is this user's alone, and what is half written.
const SHARED: &str = "# Failure memory of aido, shared: aido faults share --off closes it again.\n\
                      /local/\n.*.tmp\n";

/// Whether the failures of a repository are for everybody who has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// Git ignores the directory.
    Off,
    /// Git sees records, lessons and rules.
    On,
}

/// Makes sure that git sees nothing, unless somebody has opened the directory: then it has a
/// `.gitignore` that says something else.
pub(super) fn keep_from_git(faults: &Directory) -> io::Result<()> {
    match faults.open_file(IGNORE) {
        Ok(_) => Ok(()),
        // Git follows no link here either.
        Err(_) => ignore_all(faults),
    }
}

/// Hides a directory from git.
pub(super) fn ignore_all(directory: &Directory) -> io::Result<()> {
    files::put(directory, IGNORE, NOTHING_SHARED.as_bytes())
}

impl FaultStore {
    /// Whether the directory is open for git.
    #[must_use]
    pub fn sharing(&self) -> Sharing {
        let Ok(Some(opened)) = self.open() else {
            return Sharing::Off;
        };
        let mut found = Vec::new();
        let limit = NOTHING_SHARED.len() as u64 + 1;
        let read = opened
            .faults
            .open_file(IGNORE)
            .and_then(|file| file.take(limit).read_to_end(&mut found));
        if read.is_err() || found == NOTHING_SHARED.as_bytes() {
            Sharing::Off
        } else {
            Sharing::On
        }
    }

    /// Opens or closes the directory for git.
    ///
    /// # Errors
    /// When it can't be written to.
    pub fn share(&self, sharing: Sharing) -> io::Result<()> {
        let changing = self.change()?;
        let text = match sharing {
            Sharing::Off => NOTHING_SHARED,
            Sharing::On => SHARED,
        };
        files::put(&changing.faults, IGNORE, text.as_bytes())
    }
}
