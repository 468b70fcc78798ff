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
    set_time(file, special(UTIME_NOW))
}

/// Marks a file as changed at this time, in nanoseconds since 1970.
///
/// # Errors
/// When it isn't the user's own, or its file system knows no such time.
pub fn set_modified(file: impl AsFd, modified_ns: i128) -> io::Result<()> {
    const SECOND_NS: i128 = 1_000_000_000;
    let invalid = |_| io::Error::from(io::ErrorKind::InvalidInput);
    set_time(
        file,
        Timespec {
            tv_sec: modified_ns
                .div_euclid(SECOND_NS)
                .try_into()
                .map_err(invalid)?,
            tv_nsec: modified_ns
                .rem_euclid(SECOND_NS)
                .try_into()
                .map_err(invalid)?,
        },
    )
}

fn special(tv_nsec: i64) -> Timespec {
    Timespec { tv_sec: 0, tv_nsec }
}

fn set_time(file: impl AsFd, last_modification: Timespec) -> io::Result<()> {
    let times = Timestamps {
        last_access: special(UTIME_OMIT),
        last_modification,
    };
    Ok(retry_on_intr(|| rustix::fs::futimens(&file, &times))?)
}
