//! What a file is and when it last changed, to tell whether something happened to it meanwhile.

use std::io;
use std::os::fd::AsFd;

use rustix::fs::{AtFlags, Stat, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT};
use rustix::io::retry_on_intr;

use super::file::{Directory, Identity};

/// Which file, and its last change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Which file system and which file on it.
    pub identity: Identity,
    /// Its length; of a directory, what the file system calls so, which grows with its entries.
    pub size_bytes: u64,
    /// When its contents last changed, in nanoseconds since 1970.
    pub modified_ns: i128,
}

impl Stamp {
    fn new(status: &Stat) -> Self {
        let seconds = i128::from(status.st_mtime);
        Self {
            identity: Identity {
                device: status.st_dev,
                inode: status.st_ino,
            },
            size_bytes: u64::try_from(status.st_size).unwrap_or_default(),
            modified_ns: seconds * 1_000_000_000 + i128::from(status.st_mtime_nsec),
        }
    }
}

/// The stamp of an open file or directory.
///
/// # Errors
/// When the file system is gone.
pub fn stamp(file: impl AsFd) -> io::Result<Stamp> {
    Ok(Stamp::new(&rustix::fs::fstat(file)?))
}

/// The stamp of what has this name in the directory; a link is not followed.
///
/// # Errors
/// When nothing has it.
pub fn stamp_of(directory: &Directory, name: &str) -> io::Result<Stamp> {
    let status = rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)?;
    Ok(Stamp::new(&status))
}

/// Marks a file as changed now.
///
/// # Errors
/// When it isn't the user's own.
pub fn touch(file: impl AsFd) -> io::Result<()> {
    let at = |tv_nsec| Timespec { tv_sec: 0, tv_nsec };
    let times = Timestamps {
        last_access: at(UTIME_OMIT),
        last_modification: at(UTIME_NOW),
    };
    Ok(retry_on_intr(|| rustix::fs::futimens(&file, &times))?)
}
