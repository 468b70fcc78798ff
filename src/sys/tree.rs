//! Files below one directory that is somebody else's: a work tree. No link in any component of a path is
//! followed, so that nothing outside is read or changed, whatever stands in the tree.

mod directory;
mod mark;

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{Access, AtFlags, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::{Errno, retry_on_intr};

use super::random;

pub use mark::Mark;

/// The mode of a new directory, before the umask.
const NEW_DIRECTORY: Mode = Mode::from_raw_mode(0o777);
/// The mode of a file while it is written.
const UNFINISHED: Mode = Mode::from_raw_mode(0o600);
/// A name for each open file of the process.
const DESCRIPTORS: &str = "/proc/self/fd";
/// The bits of a mode that are somebody's permissions.
const PERMISSIONS: u32 = 0o7777;

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Nothing that could be reached without following a link.
    Missing,
    /// A regular file.
    File {
        /// Its length.
        size_bytes: u64,
        /// Its permissions: the lower 12 bits of its mode.
        permissions: u32,
    },
    /// A symbolic link.
    Link,
    /// A directory.
    Directory,
    /// A socket, a FIFO, a device.
    Other,
}

/// What a regular file is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// Its permissions: the lower 12 bits of its mode.
    pub permissions: u32,
    /// When anything about it last changed, permissions too, in seconds since 1970.
    pub changed_seconds: i64,
}

/// A directory, and everything below it.
#[derive(Debug)]
pub struct Tree {
    root: OwnedFd,
    /// The directory that was asked last; none in it if there is no such directory.
    last: Option<(PathBuf, Option<OwnedFd>)>,
    /// The mode of directories that are made, before the umask.
    new_directory: Mode,
    /// Those that were.
    made: Vec<PathBuf>,
}

impl Tree {
    /// Opens the directory; links in its own path are followed.
    ///
    /// # Errors
    /// When it is none, or can't be entered.
    pub fn open(root: &Path) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = retry_on_intr(|| rustix::fs::open(root, flags, Mode::empty()))?;
        Ok(Self {
            root,
            last: None,
            new_directory: NEW_DIRECTORY,
            made: Vec::new(),
        })
    }

    /// What stands at `path`, which is relative to the directory.
    ///
    /// # Errors
    /// When the path leads out of the directory, or the system refuses to look.
    pub fn look(&mut self, path: &Path) -> io::Result<Entry> {
        let Some(status) = self.status(path)? else {
            return Ok(Entry::Missing);
        };
        Ok(match FileType::from_raw_mode(status.st_mode) {
            FileType::RegularFile => Entry::File {
                size_bytes: u64::try_from(status.st_size).unwrap_or_default(),
                permissions: status.st_mode & PERMISSIONS,
            },
            FileType::Symlink => Entry::Link,
            FileType::Directory => Entry::Directory,
            _ => Entry::Other,
        })
    }

    /// What the regular file at `path` is like; none where there is none.
    ///
    /// # Errors
    /// As [`Tree::look`].
    pub fn file(&mut self, path: &Path) -> io::Result<Option<Status>> {
        let status = self.status(path)?;
        let status = status
            .filter(|status| FileType::from_raw_mode(status.st_mode) == FileType::RegularFile);
        Ok(status.map(|status| Status {
            permissions: status.st_mode & PERMISSIONS,
            changed_seconds: status.st_ctime,
        }))
    }

    fn status(&mut self, path: &Path) -> io::Result<Option<Stat>> {
        let name = name_of(path)?;
        let Some(parent) = self.parent_of(path)? else {
            return Ok(None);
        };
        match rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(status) => Ok(Some(status)),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the file at `path` may be read.
    #[must_use]
    pub fn is_readable(&mut self, path: &Path) -> bool {
        let Ok(name) = name_of(path).map(OsStr::to_owned) else {
            return false;
        };
        let parent = self.parent_of(path).ok().flatten();
        parent.is_some_and(|parent| {
            rustix::fs::accessat(parent, name, Access::READ_OK, AtFlags::EACCESS).is_ok()
        })
    }

    /// Begins a file that is to stand at `path`, making the directories that it needs. It takes its place
    /// when it is finished.
    ///
    /// # Errors
    /// When a directory can't be made, since a file or a link is in the way, or nothing may be written.
    pub fn begin(&mut self, path: &Path) -> io::Result<NewFile> {
        let name = name_of(path)?.to_owned();
        let parent = self.make_parent(path)?;
        // Whoever is killed leaves nothing of a file without a name; not every file system knows them.
        let flags = OFlags::WRONLY | OFlags::TMPFILE | OFlags::CLOEXEC;
        let unnamed = retry_on_intr(|| rustix::fs::openat(&parent, c".", flags, UNFINISHED));
        if let Ok(file) = unnamed
            && Path::new(DESCRIPTORS).is_dir()
        {
            return Ok(NewFile {
                parent,
                name,
                temporary: None,
                file: File::from(file),
            });
        }
        let temporary = temporary()?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let file = retry_on_intr(|| rustix::fs::openat(&parent, &temporary, flags, UNFINISHED))?;
        Ok(NewFile {
            parent,
            name,
            temporary: Some(temporary),
            file: File::from(file),
        })
    }

    /// Puts a symbolic link at `path`, in place of what stands there unless that is a directory with files in it.
    ///
    /// # Errors
    /// As [`Tree::begin`].
    pub fn put_link(&mut self, path: &Path, target: &OsStr) -> io::Result<()> {
        let name = name_of(path)?.to_owned();
        let parent = self.make_parent(path)?;
        let temporary = temporary()?;
        rustix::fs::symlinkat(target, &parent, &temporary)?;
        let moved = put(&parent, &temporary, &name);
        if moved.is_err() {
            let _ = rustix::fs::unlinkat(&parent, &temporary, AtFlags::empty());
        }
        Ok(moved?)
    }

    /// Gives the regular file at `path` these permissions.
    ///
    /// # Errors
    /// When it is something else, or they can't be changed.
    pub fn set_permissions(&mut self, path: &Path, permissions: u32) -> io::Result<()> {
        if !matches!(self.look(path)?, Entry::File { .. }) {
            return Err(io::Error::other("it is not a regular file any more"));
        }
        let name = name_of(path)?.to_owned();
        let parent = self.parent_of(path)?.ok_or(io::ErrorKind::NotFound)?;
        let mode = Mode::from_raw_mode(permissions & PERMISSIONS);
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = retry_on_intr(|| rustix::fs::openat(parent, &name, flags, Mode::empty()))?;
        Ok(rustix::fs::fchmod(file, mode)?)
    }

    /// Removes the file or link at `path`.
    ///
    /// # Errors
    /// When it is a directory, or may not be removed; not when there is none.
    pub fn remove(&mut self, path: &Path) -> io::Result<()> {
        let name = name_of(path)?.to_owned();
        let Some(parent) = self.parent_of(path)? else {
            return Ok(());
        };
        match rustix::fs::unlinkat(parent, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes the directory at `path`, if it is one and empty; true if it went.
    pub fn remove_if_empty(&mut self, path: &Path) -> bool {
        let Ok(name) = name_of(path).map(OsStr::to_owned) else {
            return false;
        };
        let removed = match self.parent_of(path) {
            Ok(Some(parent)) => rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR).is_ok(),
            _ => false,
        };
        self.last = None;
        removed
    }

    /// The directory that `path` stands in; none where there is none without following a link.
    fn parent_of(&mut self, path: &Path) -> io::Result<Option<&OwnedFd>> {
        let parent = path.parent().unwrap_or(Path::new(""));
        if parent.as_os_str().is_empty() {
            return Ok(Some(&self.root));
        }
        if self.last.as_ref().is_none_or(|(last, _)| last != parent) {
            let opened = match walk(&self.root, parent) {
                Ok(opened) => Some(opened),
                Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::XDEV) => None,
                Err(error) => return Err(error.into()),
            };
            self.last = Some((parent.to_owned(), opened));
        }
        Ok(self.last.as_ref().and_then(|(_, opened)| opened.as_ref()))
    }

    fn make_parent(&mut self, path: &Path) -> io::Result<OwnedFd> {
        self.last = None;
        let mut here = self.root.try_clone()?;
        let mut place = PathBuf::new();
        for component in path.parent().into_iter().flat_map(Path::components) {
            let Component::Normal(name) = component else {
                return Err(io::Error::other("a path that leads out of the work tree"));
            };
            place.push(name);
            match rustix::fs::mkdirat(&here, name, self.new_directory) {
                Ok(()) => self.made.push(place.clone()),
                Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
            here = step(&here, name).map_err(|error| match error {
                Errno::NOTDIR | Errno::LOOP => io::Error::other(format!(
                    "{} is in the way: it is not a directory",
                    name.display()
                )),
                error => error.into(),
            })?;
        }
        Ok(here)
    }
}

/// A file that is being written, in the directory where it will stand. Without an end it goes again.
#[derive(Debug)]
pub struct NewFile {
    parent: OwnedFd,
    name: OsString,
    /// Its name until then, if it has one.
    temporary: Option<String>,
    file: File,
}

impl NewFile {
    /// Gives it its permissions and its place, where a directory may only stand if no file is in it.
    ///
    /// # Errors
    /// When a directory with files in it stands there, or the disk is full.
    pub fn finish(mut self, permissions: u32) -> io::Result<()> {
        rustix::fs::fchmod(&self.file, Mode::from_raw_mode(permissions & PERMISSIONS))?;
        let temporary = match self.temporary.take() {
            Some(temporary) => temporary,
            None => {
                let temporary = temporary()?;
                let open = format!("{DESCRIPTORS}/{}", self.file.as_raw_fd());
                let follow = AtFlags::SYMLINK_FOLLOW;
                rustix::fs::linkat(rustix::fs::CWD, open, &self.parent, &temporary, follow)?;
                temporary
            }
        };
        let temporary = &*self.temporary.insert(temporary);
        put(&self.parent, temporary, &self.name)?;
        self.temporary = None;
        Ok(())
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            let _ = rustix::fs::unlinkat(&self.parent, temporary, AtFlags::empty());
        }
    }
}

/// Gives a file or a link its place.
fn put(parent: &OwnedFd, temporary: &str, name: &OsStr) -> Result<(), Errno> {
    match rustix::fs::renameat(parent, temporary, parent, name) {
        Err(Errno::ISDIR) => {
            directory::remove_hollow(parent, name)?;
            rustix::fs::renameat(parent, temporary, parent, name)
        }
        moved => moved,
    }
}

fn temporary() -> io::Result<String> {
    Ok(format!(".aido-restore-{:08x}.tmp", random::number()?))
}

/// A path's last component, if the path leads down.
fn name_of(path: &Path) -> io::Result<&OsStr> {
    let is_below = path
        .components()
        .all(|component| matches!(component, Component::Normal(_)));
    path.file_name()
        .filter(|_| is_below)
        .ok_or_else(|| io::Error::other("a path that leads out of the work tree"))
}

/// Opens a directory below another one: openat2(2), which follows no link in any component; step by step
/// where the kernel or a sandbox doesn't have it.
fn walk(root: &OwnedFd, relative: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let within = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    match retry_on_intr(|| rustix::fs::openat2(root, relative, flags, Mode::empty(), within)) {
        Err(Errno::NOSYS | Errno::PERM) => {}
        opened => return opened,
    }
    let mut here: Option<OwnedFd> = None;
    for component in relative.components() {
        here = Some(step(here.as_ref().unwrap_or(root), component.as_os_str())?);
    }
    here.ok_or(Errno::NOENT)
}

fn step(here: &OwnedFd, name: &OsStr) -> Result<OwnedFd, Errno> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    retry_on_intr(|| rustix::fs::openat(here, name, flags, Mode::empty()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{MetadataExt, symlink};

    fn write(path: &Path, text: &str) {
        if let Some(parent) = path.parent() {
            crate::sys::replace::make_directories(parent).unwrap();
        }
        File::create(path)
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
    }

    #[test]
    fn no_link_in_a_path_is_followed() {
        let temporary = tempfile::tempdir().unwrap();
        let (root, outside) = (temporary.path().join("tree"), temporary.path().join("out"));
        write(&root.join("a/file"), "inside");
        write(&outside.join("file"), "outside");
        symlink(&outside, root.join("link")).unwrap();
        let mut tree = Tree::open(&root).unwrap();
        let path = Path::new("link/file");
        assert_eq!(tree.look(path).unwrap(), Entry::Missing);
        assert_eq!(tree.look(Path::new("link")).unwrap(), Entry::Link);
        assert_eq!(tree.look(Path::new("a")).unwrap(), Entry::Directory);
        assert!(!tree.is_readable(path));
        assert!(tree.begin(path).is_err());
        assert!(tree.put_link(path, OsStr::new("x")).is_err());
        assert!(tree.set_permissions(path, 0o777).is_err());
        tree.remove(path).unwrap();
        assert_eq!(std::fs::read(outside.join("file")).unwrap(), b"outside");
        for path in ["../out/file", "/etc/passwd", "", "."] {
            assert!(tree.look(Path::new(path)).is_err(), "{path:?}");
            assert!(tree.begin(Path::new(path)).is_err(), "{path:?}");
        }
    }

    #[test]
    fn a_file_takes_its_place_whole_or_not_at_all() {
        let temporary = tempfile::tempdir().unwrap();
        write(&temporary.path().join("a/file"), "before");
        let mut tree = Tree::open(temporary.path()).unwrap();
        let path = Path::new("a/file");
        let mut unfinished = tree.begin(path).unwrap();
        unfinished.write_all(b"half").unwrap();
        let there = std::fs::read_dir(temporary.path().join("a")).unwrap();
        let names = there.count();
        assert_eq!(names, 1 + usize::from(unfinished.temporary.is_some()));
        drop(unfinished);
        assert_eq!(
            std::fs::read(temporary.path().join(path)).unwrap(),
            b"before"
        );
        assert_eq!(
            std::fs::read_dir(temporary.path().join("a"))
                .unwrap()
                .count(),
            1
        );
        let mut file = tree.begin(path).unwrap();
        file.write_all(b"after").unwrap();
        file.finish(0o640).unwrap();
        let status = temporary.path().join(path).metadata().unwrap();
        assert_eq!(status.mode() & 0o7777, 0o640);
        tree.set_permissions(path, 0o600).unwrap();
        let looked = tree.look(path).unwrap();
        let expected = Entry::File {
            size_bytes: 5,
            permissions: 0o600,
        };
        assert_eq!(looked, expected);
        // Where an empty directory stands a file may, and where one with files stands it may not.
        tree.begin(Path::new("b/c")).unwrap().finish(0o644).unwrap();
        assert!(tree.begin(Path::new("b")).unwrap().finish(0o644).is_err());
        tree.remove(Path::new("b/c")).unwrap();
        tree.begin(Path::new("b")).unwrap().finish(0o644).unwrap();
        assert!(matches!(
            tree.look(Path::new("b")).unwrap(),
            Entry::File { .. }
        ));
    }
}
