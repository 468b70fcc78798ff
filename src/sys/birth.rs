//! Which directory this is, for good: the number of one that was removed is given to another, and devices
//! change theirs from one start of the machine to the next. When a directory was made nobody can set.
//!
//! Source: statx(2), `stx_btime`.

use std::io;
use std::path::Path;

use rustix::fs::{AtFlags, Mode, OFlags, StatxFlags};
use rustix::io::retry_on_intr;
use serde::{Deserialize, Serialize};

/// Which directory, and when it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Birth {
    /// The file system.
    pub device: u64,
    /// The directory's number there.
    pub inode: u64,
    /// When it was made, in nanoseconds since 1970; none where the file system doesn't know.
    pub born_ns: Option<u64>,
}

impl Birth {
    /// Whether both are the same directory. The device may have another number by now if `path` says that
    /// it is in the same place.
    #[must_use]
    pub fn is(&self, other: &Self, path: Whereabouts) -> bool {
        let is_there = self.inode == other.inode && self.born_ns == other.born_ns;
        let is_device = self.device == other.device;
        match (self.born_ns, path) {
            (Some(_), Whereabouts::Same) => is_there,
            (None, Whereabouts::Same) | (_, Whereabouts::Other) => is_there && is_device,
        }
    }
}

/// Whether two directories were found under the same path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whereabouts {
    /// They were.
    Same,
    /// They were not.
    Other,
}

/// Which directory stands at a path; links are followed.
///
/// # Errors
/// When there is none.
pub fn birth(path: &Path) -> io::Result<Birth> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let directory = retry_on_intr(|| rustix::fs::open(path, flags, Mode::empty()))?;
    let status = rustix::fs::fstat(&directory)?;
    let born = rustix::fs::statx(&directory, c"", AtFlags::EMPTY_PATH, StatxFlags::BTIME);
    let born = born.ok().filter(|found| {
        let known = StatxFlags::from_bits_retain(found.stx_mask);
        known.contains(StatxFlags::BTIME)
    });
    let born_ns = born.and_then(|found| {
        let seconds = u64::try_from(found.stx_btime.tv_sec).ok()?;
        let seconds = seconds.checked_mul(1_000_000_000)?;
        seconds.checked_add(u64::from(found.stx_btime.tv_nsec))
    });
    Ok(Birth {
        device: status.st_dev,
        inode: status.st_ino,
        born_ns: born_ns.filter(|born_ns| *born_ns > 0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_stays_the_same_when_it_moves_and_a_new_one_is_another() {
        let temporary = tempfile::tempdir().unwrap();
        let (one, two) = (temporary.path().join("one"), temporary.path().join("two"));
        crate::sys::replace::make_directories(&one).unwrap();
        let first = birth(&one).unwrap();
        assert!(first.is(&birth(&one).unwrap(), Whereabouts::Same));
        std::process::Command::new("mv")
            .args([&one, &two])
            .status()
            .unwrap();
        assert!(first.is(&birth(&two).unwrap(), Whereabouts::Other));
        let elsewhere = Birth {
            device: first.device + 1,
            ..first
        };
        assert!(!first.is(&elsewhere, Whereabouts::Other));
        assert_eq!(
            first.is(&elsewhere, Whereabouts::Same),
            first.born_ns.is_some()
        );
        let later = Birth {
            born_ns: Some(first.born_ns.unwrap_or_default() + 1),
            ..first
        };
        assert!(!first.is(&later, Whereabouts::Same));
    }
}
