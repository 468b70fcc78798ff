//! Files and directories in places that others may tamper with.
//!
//! A directory is held open and everything inside is reached through it by one name at a time, so
//! no component of a path can be swapped for a link. Modes are set explicitly, whatever the umask.

#[cfg(test)]
mod tests;

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path};

use rustix::fs::{AtFlags, FileType, FlockOperation, Mode, OFlags, RenameFlags, Stat};
use rustix::io::{Errno, retry_on_intr};

/// Mode of every directory that aido makes.
const PRIVATE_DIRECTORY: Mode = Mode::RWXU;
/// Mode of every file that aido makes.
const PRIVATE_FILE: Mode = Mode::RUSR.union(Mode::WUSR);

/// An open directory.
#[derive(Debug)]
pub struct Directory(OwnedFd);

/// Which file system and which directory on it: stays the same when the directory is moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The file system.
    pub device: u64,
    /// The directory's number there.
    pub inode: u64,
}

impl Directory {
    /// Opens an existing directory by its path; links in it are followed.
    ///
    /// # Errors
    /// When there is none, or it may not be entered.
    pub fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self(retry_on_intr(|| {
            rustix::fs::open(path, flags, Mode::empty())
        })?))
    }

    /// Opens the directory `name` in this one; a link is refused.
    ///
    /// # Errors
    /// When there is none, or it is something else.
    pub fn open_child(&self, name: &OsStr) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match retry_on_intr(|| rustix::fs::openat(&self.0, name, flags, Mode::empty())) {
            Ok(child) => Ok(Self(child)),
            // What the kernel says of a link depends on its version.
            Err(Errno::LOOP | Errno::NOTDIR) if self.is_link(name) => {
                Err(io::Error::other(format!(
                    "{} is a symbolic link, which is not followed",
                    name.display()
                )))
            }
            Err(Errno::NOTDIR) => Err(io::Error::other(format!(
                "{} is in the way: it is not a directory",
                name.display()
            ))),
            Err(error) => Err(error.into()),
        }
    }

    /// Opens the directory `name` in this one, made private first if there is none; true says that it was made now.
    ///
    /// # Errors
    /// When it can't be made, or a link or something else is in the way.
    pub fn open_or_make_child(&self, name: &OsStr) -> io::Result<(Self, bool)> {
        match self.open_child(name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            result => return result.map(|child| (child, false)),
        }
        let made = match retry_on_intr(|| rustix::fs::mkdirat(&self.0, name, PRIVATE_DIRECTORY)) {
            Ok(()) => true,
            Err(Errno::EXIST) => false,
            Err(error) => return Err(error.into()),
        };
        let child = self.open_child(name)?;
        if made {
            retry_on_intr(|| rustix::fs::fchmod(&child.0, PRIVATE_DIRECTORY))?;
        }
        Ok((child, made))
    }

    /// Opens an existing directory by its path. Links are followed, except for the last component.
    ///
    /// # Errors
    /// As [`Directory::open_child`].
    pub fn open_itself(path: &Path) -> io::Result<Self> {
        match (path.file_name(), path.parent()) {
            (Some(name), Some(parent)) if !parent.as_os_str().is_empty() => {
                Self::open(parent)?.open_child(name)
            }
            (Some(name), _) => Self::open(Path::new("."))?.open_child(name),
            (None, _) => Self::open(path),
        }
    }

    /// Opens the directory at `path`, making what is missing of it. Links are followed in the part
    /// that exists, except for the last component.
    ///
    /// # Errors
    /// As [`Directory::open_or_make_child`].
    pub fn open_or_make(path: &Path) -> io::Result<(Self, bool)> {
        let Some(name) = path.file_name() else {
            return Self::open(path).map(|directory| (directory, false));
        };
        let parent = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let parent = match Self::open(parent) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::open_or_make(parent)?.0,
            result => result?,
        };
        parent.open_or_make_child(name)
    }

    /// Walks down `relative`, one component at a time, making what is missing. Links are refused.
    ///
    /// # Errors
    /// As [`Directory::open_or_make_child`]; also for a path that leads anywhere but down.
    pub fn walk_or_make(&self, relative: &Path) -> io::Result<(Self, bool)> {
        let mut here = (self.try_clone()?, false);
        for component in relative.components() {
            let Component::Normal(name) = component else {
                return Err(io::Error::other("a path that leads out of the directory"));
            };
            here = here.0.open_or_make_child(name)?;
        }
        Ok(here)
    }

    /// Walks down `relative` as [`Directory::walk_or_make`] does, but makes nothing.
    ///
    /// # Errors
    /// As [`Directory::open_child`].
    pub fn walk(&self, relative: &Path) -> io::Result<Self> {
        let mut here = self.try_clone()?;
        for component in relative.components() {
            here = here.open_child(component.as_os_str())?;
        }
        Ok(here)
    }

    /// Another handle of the same directory.
    ///
    /// # Errors
    /// When there are no more descriptors.
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(Self(self.0.try_clone()?))
    }

    /// Fails unless the directory belongs to this user and nobody else may write to it.
    ///
    /// # Errors
    /// Says what is wrong.
    pub fn check_private(&self) -> io::Result<()> {
        self.check_own()?;
        let status = rustix::fs::fstat(&self.0)?;
        if status.st_mode & 0o022 != 0 {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "other users may write to it (chmod go-w it)",
            ));
        }
        Ok(())
    }

    /// Fails unless the directory belongs to this user.
    ///
    /// # Errors
    /// Says so.
    pub fn check_own(&self) -> io::Result<()> {
        let status = rustix::fs::fstat(&self.0)?;
        if status.st_uid == rustix::process::geteuid().as_raw() {
            return Ok(());
        }
        Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "it belongs to another user",
        ))
    }

    /// Which directory this is.
    ///
    /// # Errors
    /// When the file system is gone.
    pub fn identity(&self) -> io::Result<Identity> {
        let status = rustix::fs::fstat(&self.0)?;
        Ok(Identity {
            device: status.st_dev,
            inode: status.st_ino,
        })
    }

    /// Whether the directory still has a name.
    #[must_use]
    pub fn exists(&self) -> bool {
        rustix::fs::fstat(&self.0).is_ok_and(|status| status.st_nlink > 0)
    }

    /// Makes the private file `name`, which must not exist, for reading and writing.
    ///
    /// # Errors
    /// When there is one, or none can be made.
    pub fn create(&self, name: &str) -> io::Result<File> {
        let flags =
            OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = retry_on_intr(|| rustix::fs::openat(&self.0, name, flags, PRIVATE_FILE))?;
        retry_on_intr(|| rustix::fs::fchmod(&file, PRIVATE_FILE))?;
        Ok(File::from(file))
    }

    /// Opens the private file `name` to append to it, made if needed; a link is refused.
    ///
    /// # Errors
    /// When it can't be opened.
    pub fn append(&self, name: &OsStr) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::APPEND;
        let flags = flags | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = retry_on_intr(|| rustix::fs::openat(&self.0, name, flags, PRIVATE_FILE))?;
        let mode = Mode::from_raw_mode(check_plain(&file)?.st_mode);
        // The umask may have taken from it, if it was made now.
        if mode != PRIVATE_FILE {
            retry_on_intr(|| rustix::fs::fchmod(&file, PRIVATE_FILE))?;
        }
        Ok(File::from(file))
    }

    /// Opens the regular file `name` for reading. A link, and a file with a second name, are
    /// refused; a FIFO can't hang the caller.
    ///
    /// # Errors
    /// When there is none, or it is something else.
    pub fn open_file(&self, name: &str) -> io::Result<File> {
        Ok(self.open_sized(name)?.0)
    }

    /// Opens a file as [`Directory::open_file`] does, and tells how many bytes it held then.
    ///
    /// # Errors
    /// Likewise.
    pub fn open_sized(&self, name: &str) -> io::Result<(File, u64)> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match retry_on_intr(|| rustix::fs::openat(&self.0, name, flags, Mode::empty())) {
            Err(Errno::LOOP) => return Err(io::Error::other("it is a symbolic link")),
            result => result?,
        };
        let status = check_plain(&file)?;
        let size_bytes = u64::try_from(status.st_size).unwrap_or_default();
        Ok((File::from(file), size_bytes))
    }

    /// Opens the regular file at `relative` below this directory for reading, as
    /// [`open_file`](Self::open_file) does, in one step where the kernel can: openat2(2), which follows no
    /// link in any component.
    ///
    /// # Errors
    /// When there is none, it is something else, or the path leads out of the directory.
    pub fn open_below(&self, relative: &Path) -> io::Result<File> {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        {
            use rustix::fs::ResolveFlags;
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
            let within = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
            let opened = retry_on_intr(|| {
                rustix::fs::openat2(&self.0, relative, flags, Mode::empty(), within)
            });
            match opened {
                // An old kernel, or a sandbox that doesn't know the call.
                Err(Errno::NOSYS | Errno::PERM) => {}
                opened => {
                    let file = opened?;
                    check_plain(&file)?;
                    return Ok(File::from(file));
                }
            }
        }
        let (Some(name), Some(parent)) = (relative.file_name(), relative.parent()) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        self.walk(parent)?.open_file(&name.to_string_lossy())
    }

    /// Gives the file `name` a new name in `target`, which must not exist there.
    ///
    /// # Errors
    /// When the new name exists, or either directory is gone.
    pub fn rename_new(&self, name: &str, target: &Self, new_name: &str) -> io::Result<()> {
        let flags = RenameFlags::NOREPLACE;
        match retry_on_intr(|| rustix::fs::renameat_with(&self.0, name, &target.0, new_name, flags))
        {
            // A file system without this flag: a link never replaces either.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                rustix::fs::linkat(&self.0, name, &target.0, new_name, AtFlags::empty())?;
                Ok(rustix::fs::unlinkat(&self.0, name, AtFlags::empty())?)
            }
            result => Ok(result?),
        }
    }

    /// Gives the file `name` the name `new_name` in this directory, in place of what has it.
    ///
    /// # Errors
    /// When a directory has it.
    pub fn replace(&self, name: &str, new_name: &str) -> io::Result<()> {
        Ok(retry_on_intr(|| {
            rustix::fs::renameat(&self.0, name, &self.0, new_name)
        })?)
    }

    /// Removes the file `name`.
    ///
    /// # Errors
    /// When there is none.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.0, name, AtFlags::empty())?)
    }

    /// Whether there is an entry `name`, of any kind.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.inode_of(name).is_some()
    }

    /// The number of what has this name, itself where it is a link; none where there is nothing.
    #[must_use]
    pub fn inode_of(&self, name: &str) -> Option<u64> {
        let status = rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
        Some(status.st_ino)
    }

    /// Hands over the names of all entries, in no order, without `.` and `..`.
    ///
    /// # Errors
    /// When the directory can't be read.
    pub fn each_name(&self, take: &mut dyn FnMut(&OsStr)) -> io::Result<()> {
        self.names()?.each(usize::MAX, take).map(drop)
    }

    /// The names of all entries, to be read piece by piece.
    ///
    /// # Errors
    /// When the directory can't be read.
    pub fn names(&self) -> io::Result<Names> {
        Ok(Names(rustix::fs::Dir::read_from(&self.0)?))
    }

    /// Forces the directory's entries to the disk.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn sync(&self) -> io::Result<()> {
        Ok(retry_on_intr(|| rustix::fs::fsync(&self.0))?)
    }

    fn is_link(&self, name: &OsStr) -> bool {
        let status = rustix::fs::statat(&self.0, name.as_bytes(), AtFlags::SYMLINK_NOFOLLOW);
        status.is_ok_and(|status| FileType::from_raw_mode(status.st_mode) == FileType::Symlink)
    }
}

/// The names of a directory that is being read, in no order, without `.` and `..`.
#[derive(Debug)]
pub struct Names(rustix::fs::Dir);

impl Names {
    /// Hands over the next names, at most so many. False if there were no more.
    ///
    /// # Errors
    /// When the directory can't be read.
    pub fn each(&mut self, most: usize, take: &mut dyn FnMut(&OsStr)) -> io::Result<bool> {
        for _ in 0..most {
            let Some(entry) = self.0.next() else {
                return Ok(false);
            };
            let entry = entry?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name != "." && name != ".." {
                take(name);
            }
        }
        Ok(true)
    }
}

impl AsFd for Directory {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Fails unless a file is a regular one with one name.
fn check_plain(file: impl AsFd) -> io::Result<Stat> {
    let status = rustix::fs::fstat(file)?;
    if FileType::from_raw_mode(status.st_mode) != FileType::RegularFile {
        return Err(io::Error::other("it is not a regular file"));
    }
    if status.st_nlink > 1 {
        return Err(io::Error::other("it has a second name (hard link)"));
    }
    Ok(status)
}

/// Whether a file has no name any more.
#[must_use]
pub fn is_deleted(file: &File) -> bool {
    rustix::fs::fstat(file).is_ok_and(|status| status.st_nlink == 0)
}

/// The last byte of a file; none of an empty one.
#[must_use]
pub fn last_byte(file: &File) -> Option<u8> {
    let length = rustix::fs::fstat(file).ok()?.st_size;
    let last = u64::try_from(length).ok()?.checked_sub(1)?;
    let mut byte = [0];
    let count = rustix::io::pread(file, &mut byte, last).ok()?;
    (count == 1).then_some(byte[0])
}

/// Opens a file that the user named to append to it, made private if needed.
///
/// # Errors
/// When it can't be opened.
pub fn append_private(path: &Path) -> io::Result<File> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::APPEND | OFlags::CLOEXEC;
    Ok(File::from(retry_on_intr(|| {
        rustix::fs::open(path, flags, PRIVATE_FILE)
    })?))
}

/// Reads a small regular file whole; links are followed. A FIFO can't hang the caller.
///
/// # Errors
/// When there is none, it is something else, or it is larger than `max_bytes`.
pub fn read_small(path: &Path, max_bytes: u64) -> io::Result<Vec<u8>> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = retry_on_intr(|| rustix::fs::open(path, flags, Mode::empty()))?;
    let status = rustix::fs::fstat(&file)?;
    if FileType::from_raw_mode(status.st_mode) != FileType::RegularFile {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut bytes = Vec::new();
    File::from(file)
        .take(max_bytes + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max_bytes {
        return Err(io::Error::other(format!(
            "it is larger than {max_bytes} bytes"
        )));
    }
    Ok(bytes)
}

/// Takes the lock that says a session is alive; it goes with the file's last descriptor.
///
/// # Errors
/// When somebody else holds it.
pub fn lock(file: &File) -> io::Result<()> {
    Ok(retry_on_intr(|| {
        rustix::fs::flock(file, FlockOperation::NonBlockingLockExclusive)
    })?)
}

/// Whether somebody holds the lock on this file.
#[must_use]
pub fn is_locked(file: &File) -> bool {
    match retry_on_intr(|| rustix::fs::flock(file, FlockOperation::NonBlockingLockShared)) {
        Ok(()) => {
            let _ = retry_on_intr(|| rustix::fs::flock(file, FlockOperation::Unlock));
            false
        }
        Err(error) => error == Errno::WOULDBLOCK,
    }
}

/// Reserves disk space for the first `bytes` of a file without changing its length. Where the file
/// system can't, nothing happens.
///
/// # Errors
/// When the disk is full.
pub fn reserve(file: &File, bytes: u64) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    match retry_on_intr(|| {
        rustix::fs::fallocate(file, rustix::fs::FallocateFlags::KEEP_SIZE, 0, bytes)
    }) {
        Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) | Ok(()) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(())
}
