//! Directories of a work tree that can't be listed, told by trying.

use std::ffi::OsStr;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Dir, FileType, Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};

const FLAGS: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// Why a directory can't be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// It may not be read.
    Denied,
    /// Its path is longer than the system takes.
    TooLong,
}

/// The directories below `root` that can't be listed, relative to it. No link is followed, and what has a
/// `.git` is passed over.
///
/// # Errors
/// When `root` itself can't be listed, or `is_late` says so.
pub fn unlisted(root: &Path, is_late: &dyn Fn() -> bool) -> io::Result<Vec<(PathBuf, Obstacle)>> {
    let root = retry_on_intr(|| rustix::fs::open(root, FLAGS, Mode::empty()))?;
    let (mut found, mut left) = (Vec::new(), directories(&root, Path::new(""))?);
    while let Some(path) = left.pop() {
        if is_late() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let opened = retry_on_intr(|| rustix::fs::openat(&root, &path, FLAGS, Mode::empty()));
        let listed = opened
            .map_err(io::Error::from)
            .and_then(|opened| match has_own(&opened) {
                true => Ok(Vec::new()),
                false => directories(&opened, &path),
            });
        match listed {
            Ok(more) => left.extend(more),
            Err(error) => match error.raw_os_error().map(Errno::from_raw_os_error) {
                Some(Errno::ACCESS | Errno::PERM) => found.push((path, Obstacle::Denied)),
                Some(Errno::NAMETOOLONG) => found.push((path, Obstacle::TooLong)),
                // It went meanwhile, or is something else by now.
                _ => {}
            },
        }
    }
    found.sort_by(|one, other| one.0.cmp(&other.0));
    Ok(found)
}

fn has_own(directory: &OwnedFd) -> bool {
    let flags = rustix::fs::AtFlags::SYMLINK_NOFOLLOW;
    rustix::fs::statat(directory, ".git", flags).is_ok()
}

/// The directories in a directory, but for git's own.
fn directories(directory: &OwnedFd, path: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        let kind = match entry.file_type() {
            FileType::Unknown => {
                let flags = rustix::fs::AtFlags::SYMLINK_NOFOLLOW;
                let status = rustix::fs::statat(directory, name, flags);
                status.map_or(FileType::Unknown, |it| FileType::from_raw_mode(it.st_mode))
            }
            kind => kind,
        };
        if kind == FileType::Directory && ![&b"."[..], b"..", b".git"].contains(&name) {
            found.push(path.join(OsStr::from_bytes(name)));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn what_is_closed_or_too_deep_is_found_and_no_link_is_followed() {
        let temporary = tempfile::tempdir().unwrap();
        let root = temporary.path();
        for path in ["a/closed", "inner/.git/closed", "inner/closed", ".git"] {
            crate::sys::replace::make_directories(&root.join(path)).unwrap();
        }
        symlink("closed", root.join("a/link")).unwrap();
        let close = |mode| {
            for path in ["a/closed", "inner/closed"] {
                let mode = std::fs::Permissions::from_mode(mode);
                std::fs::set_permissions(root.join(path), mode).unwrap();
            }
        };
        // Deeper than a path can say.
        let name = "d".repeat(200);
        let mut here = rustix::fs::open(root, FLAGS, Mode::empty()).unwrap();
        for _ in 0..25 {
            rustix::fs::mkdirat(&here, &name, Mode::RWXU).unwrap();
            here = rustix::fs::openat(&here, &name, FLAGS, Mode::empty()).unwrap();
        }
        close(0);
        let is_allowed = std::fs::read_dir(root.join("a/closed")).is_ok();
        let found = unlisted(root, &|| false).unwrap();
        close(0o700);
        let too_long: PathBuf = std::iter::repeat_n(name.as_str(), 21).collect();
        let mut expected = vec![(too_long, Obstacle::TooLong)];
        if !is_allowed {
            expected.insert(0, (PathBuf::from("a/closed"), Obstacle::Denied));
        }
        assert_eq!(found, expected);
        assert!(unlisted(root, &|| true).is_err());
    }
}
