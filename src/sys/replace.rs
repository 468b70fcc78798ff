//! Files that belong to the user and not to aido: replaced in one step, with the mode, group and attributes that
//! they had, or the mode that the umask gives a new one.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Gid, Mode, OFlags, XattrFlags};
use rustix::io::{Errno, retry_on_intr};

use super::random;

/// The mode of a new file, before the umask.
const NEW_FILE: Mode = Mode::from_raw_mode(0o666);
/// The most that the names of a file's attributes, and one's value, may have (Linux, `xattr(7)`).
const ATTRIBUTES_BYTES: usize = 64 * 1024;
/// The mode of a new directory, before the umask.
const NEW_DIRECTORY: Mode = Mode::from_raw_mode(0o777);

/// Puts a file with these bytes in the place of the one at `path`, or where there is none; `path` is no link.
/// The file is whole or as it was, whatever happens meanwhile.
///
/// # Errors
/// When it can't be written; it is as it was then.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let parent = retry_on_intr(|| rustix::fs::open(parent, flags, Mode::empty()))?;
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let old = match retry_on_intr(|| rustix::fs::openat(&parent, name, flags, Mode::empty())) {
        Ok(old) => Some(old),
        Err(Errno::NOENT) => None,
        Err(error) => return Err(error.into()),
    };
    let new = format!(".{}.{:08x}.aido", name.display(), random::number()?);
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = retry_on_intr(|| rustix::fs::openat(&parent, &new, flags, NEW_FILE))?;
    let written = write(File::from(file), bytes, old.as_ref())
        .and_then(|()| Ok(rustix::fs::renameat(&parent, &new, &parent, name)?));
    match written {
        // Its name as well: a power cut must leave one of the two.
        Ok(()) => Ok(rustix::fs::fsync(parent.as_fd())?),
        Err(error) => {
            let _ = rustix::fs::unlinkat(&parent, &new, AtFlags::empty());
            Err(error)
        }
    }
}

fn write(mut file: File, bytes: &[u8], old: Option<&OwnedFd>) -> io::Result<()> {
    if let Some(old) = old {
        take_over(&file, old)?;
    }
    file.write_all(bytes)?;
    file.sync_all()
}

/// Gives a file the group, the extended attributes and the mode of the one that it replaces, as far as its
/// owner may: a group that one isn't in can't be given, and the file must not be open to another one instead.
fn take_over(file: &File, old: &OwnedFd) -> io::Result<()> {
    let (status, new) = (rustix::fs::fstat(old)?, rustix::fs::fstat(file)?);
    let mut mode = Mode::from_raw_mode(status.st_mode);
    if status.st_gid != new.st_gid
        && rustix::fs::fchown(file, None, Some(Gid::from_raw(status.st_gid))).is_err()
    {
        mode.remove(Mode::RWXG);
    }
    let mut names = vec![0; ATTRIBUTES_BYTES];
    // A file system without attributes has none to be kept.
    let length = rustix::fs::flistxattr(old, &mut names[..]).unwrap_or(0);
    for name in names[..length].split(|byte| *byte == 0) {
        let mut value = vec![0; ATTRIBUTES_BYTES];
        if !name.is_empty()
            && let Ok(length) = rustix::fs::fgetxattr(old, name, &mut value[..])
        {
            // Those of the system may be the system's to give.
            let flags = XattrFlags::empty();
            let _ = rustix::fs::fsetxattr(file, name, &value[..length], flags);
        }
    }
    Ok(rustix::fs::fchmod(file, mode)?)
}

/// Makes what is missing of a directory's path, and tells what that was, the outermost first.
///
/// # Errors
/// When it can't be made.
pub fn make_directories(path: &Path) -> io::Result<Vec<PathBuf>> {
    let mut made = Vec::new();
    let missing: Vec<&Path> = path.ancestors().take_while(|path| !path.exists()).collect();
    for directory in missing.into_iter().rev() {
        match retry_on_intr(|| rustix::fs::mkdir(directory, NEW_DIRECTORY)) {
            Ok(()) => made.push(directory.to_owned()),
            // Somebody else made it meanwhile.
            Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(made)
}

/// Takes a file away, and the directories that were made for it, the outermost first, as far as nothing else is in
/// them.
///
/// # Errors
/// When the file can't be taken away; everything is as it was then.
pub fn remove(path: &Path, made: &[PathBuf]) -> io::Result<()> {
    rustix::fs::unlink(path)?;
    for directory in made.iter().rev() {
        let _ = rustix::fs::rmdir(directory);
    }
    Ok(())
}

/// Why a file is not to be replaced, where there is a reason.
#[must_use]
pub fn reason_to_keep(path: &Path) -> Option<&'static str> {
    let status = match rustix::fs::stat(path) {
        Ok(status) => status,
        Err(Errno::NOENT) if path.symlink_metadata().is_err() => return None,
        Err(Errno::NOENT) => return Some("it is a link that leads nowhere"),
        Err(_) => return Some("it can't be looked at"),
    };
    if rustix::fs::FileType::from_raw_mode(status.st_mode) != rustix::fs::FileType::RegularFile {
        Some("it is no regular file")
    } else if status.st_mode & 0o222 == 0 {
        Some("it is read-only")
    } else if status.st_uid != rustix::process::geteuid().as_raw() {
        Some("it belongs to another user")
    } else if status.st_nlink > 1 {
        Some("it has another name (a hard link), which would keep what was there")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn attributes_stay_with_the_file() {
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path().join("settings.json");
        replace(&path, b"one").unwrap();
        let file = File::open(&path).unwrap();
        let set = rustix::fs::fsetxattr(&file, "user.kept", b"yes", XattrFlags::empty());
        if set.is_err() {
            // A file system without attributes.
            return;
        }
        replace(&path, b"two").unwrap();
        let mut value = [0; 16];
        let length = rustix::fs::getxattr(&path, "user.kept", &mut value[..]).unwrap();
        assert_eq!(&value[..length], b"yes");
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
    }

    #[test]
    fn a_file_goes_with_the_directories_that_nothing_else_is_in() {
        let temporary = tempfile::tempdir().unwrap();
        let kept = temporary.path().join("a");
        let made = make_directories(&kept.join("b/c")).unwrap();
        let (path, other) = (kept.join("b/c/settings.json"), kept.join("other"));
        replace(&path, b"one").unwrap();
        replace(&other, b"two").unwrap();
        remove(&path, &made).unwrap();
        assert!(!kept.join("b").exists() && other.exists());
        assert!(remove(&path, &made).is_err());
    }

    #[test]
    fn a_file_is_replaced_whole_with_the_mode_that_it_had() {
        let temporary = tempfile::tempdir().unwrap();
        let directory = temporary.path().join("a/b");
        let made = make_directories(&directory).unwrap();
        assert_eq!(made, [temporary.path().join("a"), directory.clone()]);
        assert!(make_directories(&directory).unwrap().is_empty());
        let path = directory.join("settings.json");
        assert_eq!(reason_to_keep(&path), None);
        replace(&path, b"one").unwrap();
        let mode = std::fs::Permissions::from_mode(0o640);
        std::fs::set_permissions(&path, mode).unwrap();
        replace(&path, b"two").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(
            directory.read_dir().unwrap().count(),
            1,
            "nothing else is left"
        );
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o440)).unwrap();
        assert_eq!(reason_to_keep(&path), Some("it is read-only"));
        assert_eq!(reason_to_keep(&directory), Some("it is no regular file"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let other = directory.join("other");
        std::fs::hard_link(&path, &other).unwrap();
        assert!(reason_to_keep(&path).unwrap().contains("hard link"));
        std::fs::remove_file(other).unwrap();
        assert_eq!(reason_to_keep(&path), None);
        let link = directory.join("link");
        std::os::unix::fs::symlink("nowhere", &link).unwrap();
        assert_eq!(
            reason_to_keep(&link),
            Some("it is a link that leads nowhere")
        );
    }
}
