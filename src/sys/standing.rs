//! Where a directory stands, and whether something can be made in it: asked, without making anything.

use std::io;
use std::path::Path;

use rustix::fs::{Access, AtFlags, CWD, FileType, Mode};

use super::file::{Directory, Identity};

/// Where a directory stands. Files can be renamed only within one mount of one file system: the same
/// file system mounted twice (a bind mount, a volume of a container) makes two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Which directory it is.
    pub identity: Identity,
    /// Which mount it was reached through; none where the kernel doesn't tell.
    mount: Option<u64>,
    /// Whether its mode and attributes let its owner change it.
    is_changeable: bool,
}

impl Standing {
    /// Where this directory stands.
    ///
    /// # Errors
    /// When the file system is gone.
    pub fn of(directory: &Directory) -> io::Result<Self> {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        if let Some(standing) = Self::told(directory) {
            return Ok(standing);
        }
        let status = rustix::fs::fstat(directory)?;
        Ok(Self {
            identity: directory.identity()?,
            mount: None,
            is_changeable: is_changeable(Mode::from_raw_mode(status.st_mode)),
        })
    }

    /// As statx(2) tells it; none on a kernel, or in a sandbox, that doesn't know the call.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn told(directory: &Directory) -> Option<Self> {
        use rustix::fs::{StatxAttributes, StatxFlags};
        let wanted = StatxFlags::INO | StatxFlags::MODE | StatxFlags::MNT_ID;
        let status = rustix::fs::statx(directory, c"", AtFlags::EMPTY_PATH, wanted).ok()?;
        let fixed = StatxAttributes::IMMUTABLE | StatxAttributes::APPEND;
        let told = StatxFlags::from_bits_retain(status.stx_mask);
        Some(Self {
            identity: Identity {
                device: rustix::fs::makedev(status.stx_dev_major, status.stx_dev_minor),
                inode: status.stx_ino,
            },
            // Linux 5.8 and later.
            mount: told
                .contains(StatxFlags::MNT_ID)
                .then_some(status.stx_mnt_id),
            is_changeable: is_changeable(Mode::from_raw_mode(status.stx_mode.into()))
                && !status.stx_attributes.intersects(fixed),
        })
    }

    /// Whether files can be renamed from the other directory into this one, as far as can be told
    /// without doing it.
    #[must_use]
    pub fn takes_files_from(&self, other: &Self) -> bool {
        self.identity.device == other.identity.device
            && self.mount == other.mount
            && self.is_changeable
    }
}

fn is_changeable(mode: Mode) -> bool {
    mode.contains(Mode::WUSR | Mode::XUSR)
}

/// Fails unless this user could make the directory at `path`, or what is missing above it.
///
/// # Errors
/// Why not, with the directory that it is about.
pub fn check_can_be_made(path: &Path) -> io::Result<()> {
    let path = std::path::absolute(path)?;
    let mut above = path.ancestors();
    let there = above.find_map(|place| Some((place, rustix::fs::stat(place).ok()?)));
    let Some((place, status)) = there else {
        return Err(io::ErrorKind::NotFound.into());
    };
    let about = |reason: String| io::Error::other(format!("{}: {reason}", place.display()));
    if FileType::from_raw_mode(status.st_mode) != FileType::Directory {
        return Err(about("it is in the way: it is not a directory".to_owned()));
    }
    // Of the effective user, and with it a file system that is read-only.
    let needed = Access::WRITE_OK | Access::EXEC_OK;
    rustix::fs::accessat(CWD, place, needed, AtFlags::EACCESS)
        .map_err(|error| about(io::Error::from(error).to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_go_from_one_directory_to_another_of_the_same_mount() {
        let directory = tempfile::tempdir().unwrap();
        let root = Directory::open(directory.path()).unwrap();
        let (child, _) = root.open_or_make_child("child".as_ref()).unwrap();
        let (root, child) = (Standing::of(&root).unwrap(), Standing::of(&child).unwrap());
        assert!(root.takes_files_from(&child) && child.takes_files_from(&root));
        assert_ne!(root.identity, child.identity);
        let elsewhere = Directory::open(Path::new("/proc")).unwrap();
        let elsewhere = Standing::of(&elsewhere).unwrap();
        assert!(!root.takes_files_from(&elsewhere) && !elsewhere.takes_files_from(&root));
    }

    #[test]
    fn what_stat_and_statx_say_of_a_directory_is_the_same_directory() {
        let directory = tempfile::tempdir().unwrap();
        let root = Directory::open(directory.path()).unwrap();
        let standing = Standing::of(&root).unwrap();
        assert_eq!(standing.identity, root.identity().unwrap());
    }

    #[test]
    fn a_directory_that_its_owner_may_not_change_takes_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let root = Directory::open(directory.path()).unwrap();
        let (child, _) = root.open_or_make_child("child".as_ref()).unwrap();
        rustix::fs::fchmod(&child, Mode::RUSR | Mode::XUSR).unwrap();
        let (root, child) = (Standing::of(&root).unwrap(), Standing::of(&child).unwrap());
        assert!(!child.takes_files_from(&root));
    }

    #[test]
    fn what_is_in_the_way_of_a_directory_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        assert!(check_can_be_made(&path.join("a/b/c")).is_ok());
        let root = Directory::open(path).unwrap();
        drop(root.create("file").unwrap());
        let error = check_can_be_made(&path.join("file/b")).unwrap_err();
        assert!(error.to_string().contains("not a directory"), "{error}");
    }
}
