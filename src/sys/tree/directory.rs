//! Directories below another one: their permissions, and what is in them.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};

use super::{DESCRIPTORS, PERMISSIONS, Tree, name_of, step};

/// The bits of a directory's mode that a file system gives on, and that are nobody's permissions.
const INHERITED: u32 = 0o6000;
/// The deepest that empty directories are followed.
const DEPTH: usize = 128;

impl Tree {
    /// Gives the directory at `path` these permissions; what it inherited stays.
    ///
    /// # Errors
    /// When it is none, or they can't be changed.
    pub fn set_directory_permissions(&mut self, path: &Path, permissions: u32) -> io::Result<()> {
        let name = name_of(path)?.to_owned();
        let parent = self.parent_of(path)?.ok_or(io::ErrorKind::NotFound)?;
        let directory = step(parent, &name)?;
        let inherited = rustix::fs::fstat(&directory)?.st_mode & INHERITED;
        let mode = permissions & PERMISSIONS & !INHERITED | inherited;
        // One that may not be read can't be opened otherwise, and a path could be another by now.
        let open = format!("{DESCRIPTORS}/{}", directory.as_raw_fd());
        self.last = None;
        Ok(rustix::fs::chmod(open, Mode::from_raw_mode(mode))?)
    }

    /// Makes directories that are needed from here on so that only their owner gets in.
    pub fn hide_new_directories(&mut self) {
        self.new_directory = Mode::RWXU;
    }

    /// The directories that were made so far.
    #[must_use]
    pub fn made(&self) -> &[PathBuf] {
        &self.made
    }

    /// Whether everything but directories in the directory at `path` is such that `may_go` says so; false
    /// where it can't be read. The path that it is asked about is below the same root.
    pub fn holds_only(&mut self, path: &Path, may_go: &dyn Fn(&Path) -> bool) -> bool {
        let opened = name_of(path).and_then(|name| {
            let name = name.to_owned();
            let parent = self.parent_of(path)?.ok_or(io::ErrorKind::NotFound)?;
            Ok(open(parent, &name)?)
        });
        opened.is_ok_and(|opened| holds_only(opened, path, DEPTH, may_go))
    }
}

/// Removes a directory that holds nothing but directories; what holds anything else stays whole.
pub(super) fn remove_hollow(parent: &OwnedFd, name: &OsStr) -> Result<(), Errno> {
    let opened = open(parent, name)?;
    if !holds_only(opened, Path::new(""), DEPTH, &|_| false) {
        return Err(Errno::NOTEMPTY);
    }
    remove(parent, name)
}

fn remove(parent: &OwnedFd, name: &OsStr) -> Result<(), Errno> {
    let opened = open(parent, name)?;
    for (name, _) in entries(&opened)? {
        remove(&opened, OsStr::from_bytes(&name))?;
    }
    rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR)
}

fn holds_only(
    directory: OwnedFd,
    path: &Path,
    depth: usize,
    may_go: &dyn Fn(&Path) -> bool,
) -> bool {
    let Ok(entries) = entries(&directory) else {
        return false;
    };
    entries.into_iter().all(|(name, kind)| {
        let below = path.join(std::ffi::OsString::from_vec(name));
        if kind != FileType::Directory {
            return may_go(&below);
        }
        let name = below.file_name().unwrap_or_default();
        let opened = open(&directory, name);
        depth > 0 && opened.is_ok_and(|opened| holds_only(opened, &below, depth - 1, may_go))
    })
}

fn open(parent: impl AsFd, name: &OsStr) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    retry_on_intr(|| rustix::fs::openat(&parent, name, flags, Mode::empty()))
}

fn entries(directory: &OwnedFd) -> Result<Vec<(Vec<u8>, FileType)>, Errno> {
    let mut found = Vec::new();
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let kind = match entry.file_type() {
            FileType::Unknown => {
                let status = rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)?;
                FileType::from_raw_mode(status.st_mode)
            }
            kind => kind,
        };
        found.push((name.to_bytes().to_vec(), kind));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn only_what_is_hollow_makes_room() {
        let temporary = tempfile::tempdir().unwrap();
        let mut tree = Tree::open(temporary.path()).unwrap();
        let directory = temporary.path().join("a/b/c");
        crate::sys::replace::make_directories(&directory).unwrap();
        assert!(tree.holds_only(Path::new("a"), &|_| false));
        tree.begin(Path::new("a")).unwrap().finish(0o644).unwrap();
        crate::sys::replace::make_directories(&temporary.path().join("l/m")).unwrap();
        tree.put_link(Path::new("l"), OsStr::new("a")).unwrap();
        crate::sys::replace::make_directories(&temporary.path().join("d/e")).unwrap();
        tree.begin(Path::new("d/f")).unwrap().finish(0o644).unwrap();
        assert!(tree.put_link(Path::new("d"), OsStr::new("a")).is_err());
        assert!(temporary.path().join("d/e").is_dir(), "nothing of it went");
        assert!(!tree.holds_only(Path::new("d"), &|_| false));
        assert!(tree.holds_only(Path::new("d"), &|path| path == Path::new("d/f")));
    }

    #[test]
    fn a_directory_gets_its_permissions_also_where_it_has_none() {
        let temporary = tempfile::tempdir().unwrap();
        let mut tree = Tree::open(temporary.path()).unwrap();
        tree.hide_new_directories();
        tree.begin(Path::new("a/b/f"))
            .unwrap()
            .finish(0o644)
            .unwrap();
        assert_eq!(tree.made(), [PathBuf::from("a"), PathBuf::from("a/b")]);
        let mode = |path: &str| temporary.path().join(path).metadata().unwrap().mode() & 0o7777;
        assert_eq!((mode("a"), mode("a/b")), (0o700, 0o700));
        for permissions in [0o000, 0o1777, 0o755] {
            tree.set_directory_permissions(Path::new("a"), permissions)
                .unwrap();
            assert_eq!(mode("a"), permissions);
        }
        assert!(
            tree.set_directory_permissions(Path::new("a/b/f"), 0o700)
                .is_err()
        );
    }
}
