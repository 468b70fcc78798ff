//! What stands at a path and when it last changed, without looking into it.

use std::io;
use std::path::Path;

use rustix::fs::{AtFlags, FileType, Stat};
use rustix::io::Errno;

use super::{PERMISSIONS, Tree, name_of};
use crate::sys::file::Identity;

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Which file or directory.
    pub identity: Identity,
    /// Whether it is a directory.
    pub is_directory: bool,
    /// The lower 12 bits of its mode.
    pub permissions: u32,
    /// Whether it has other names besides.
    pub has_other_names: bool,
    /// Its length in bytes.
    pub size_bytes: u64,
    /// When its contents last changed, in nanoseconds since 1970.
    pub modified_ns: i128,
    /// When anything of it last changed, its name too, in nanoseconds since 1970. Nobody can set that.
    pub changed_ns: i128,
}

impl Mark {
    /// Whether nothing was written there since the other one was looked at.
    #[must_use]
    pub fn is(&self, earlier: &Self) -> bool {
        let mut same = *self;
        if earlier.has_other_names {
            // They may have gone.
            same.has_other_names = true;
            same.changed_ns = earlier.changed_ns;
        }
        same == *earlier
    }

    fn new(status: &Stat) -> Self {
        let time =
            |seconds: i64, nanoseconds: i128| i128::from(seconds) * 1_000_000_000 + nanoseconds;
        Self {
            identity: Identity {
                device: status.st_dev,
                inode: status.st_ino,
            },
            is_directory: FileType::from_raw_mode(status.st_mode) == FileType::Directory,
            permissions: status.st_mode & PERMISSIONS,
            has_other_names: status.st_nlink > 1,
            size_bytes: u64::try_from(status.st_size).unwrap_or_default(),
            modified_ns: time(status.st_mtime, i128::from(status.st_mtime_nsec)),
            changed_ns: time(status.st_ctime, i128::from(status.st_ctime_nsec)),
        }
    }
}

impl Tree {
    /// What stands at `path`; none where there is nothing that could be reached without following a link.
    ///
    /// # Errors
    /// As [`Tree::look`].
    pub fn mark(&mut self, path: &Path) -> io::Result<Option<Mark>> {
        let name = name_of(path)?.to_owned();
        let Some(parent) = self.parent_of(path)? else {
            return Ok(None);
        };
        match rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(status) => Ok(Some(Mark::new(&status))),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn what_is_written_to_has_another_mark() {
        let temporary = tempfile::tempdir().unwrap();
        let mut tree = Tree::open(temporary.path()).unwrap();
        let path = Path::new("d/a");
        assert_eq!(tree.mark(path).unwrap(), None);
        tree.begin(path).unwrap().finish(0o640).unwrap();
        let first = tree.mark(path).unwrap().unwrap();
        assert_eq!((first.permissions, first.is_directory), (0o640, false));
        assert_eq!(tree.mark(path).unwrap(), Some(first));
        let mut file = tree.begin(path).unwrap();
        file.write_all(b"x").unwrap();
        file.finish(0o640).unwrap();
        assert_ne!(tree.mark(path).unwrap(), Some(first));
        let directory = tree.mark(Path::new("d")).unwrap();
        assert!(directory.is_some_and(|mark| mark.is_directory));
    }
}
