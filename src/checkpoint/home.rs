//! aido's own git directory for a repository: `checkpoints/DEVICE-INODE-BORN` in the user's state directory,
//! named by what the repository's directory is and when it was made, so that moving it loses nothing, and
//! that no other repository is ever taken for it.
//!
//! It is a bare repository that git itself understands. Its attributes overrule those of every file in the
//! tree, so that bytes are kept as they are and no filter is ever started.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::git::Git;
use super::kept::KEPT;
use super::repository::{Format, Repository};
use super::{Limits, Problem};
use crate::environment::Environment;
use crate::sys::birth::{Birth, birth};
use crate::sys::file::Directory;
use crate::sys::{lock, random};

/// The directory of all of them, in the user's state directory.
pub(super) const IN_STATE: &str = "checkpoints";
/// Held shared while a checkpoint is taken, alone while what nobody needs is removed.
const LOCK: &str = "aido.lock";
/// Says where the repository was when it was last used, for people.
const REPOSITORY: &str = "aido.repository";
/// The variable that leads git to an index.
pub(super) const INDEX_FILE: &str = "GIT_INDEX_FILE";
/// For indexes of one checkpoint each.
const TEMPORARY: &str = "tmp";
/// A temporary file that is older belongs to nobody any more, in seconds.
const FORGOTTEN_SECONDS: u64 = 24 * 3600;
/// The variable that leads git to the repository's objects. A file could not be left out for one call.
pub(super) const ALTERNATES: &str = "GIT_ALTERNATE_OBJECT_DIRECTORIES";
/// The attributes of every path, which come before those of the tree's own files.
const ATTRIBUTES: &str =
    "* -text -eol -crlf -ident -filter -working-tree-encoding !diff !merge !export-subst\n";
/// The longest of the files that are compared with what they should be.
const SMALL_BYTES: u64 = 64 * 1024;

/// aido's own git directory for a repository.
#[derive(Clone, Debug)]
pub struct Home {
    /// The repository.
    pub repository: Repository,
    /// How it names objects.
    pub format: Format,
    /// The directory.
    pub path: PathBuf,
}

impl Home {
    /// Where the directory for a repository is, or would be.
    ///
    /// # Errors
    /// When the user has no state directory, or the repository's can't be opened.
    pub fn of(repository: Repository, state: Option<&Path>) -> Result<Self, Problem> {
        let state = state.ok_or(Problem::NoHome)?;
        let common = &repository.common_directory;
        let birth = birth(common).map_err(Problem::file(common.as_path()))?;
        let homes = state.join(IN_STATE);
        let path = homes.join(name_of(&birth));
        if is_home(&path) {
            return Ok(Self::at(path, repository));
        }
        let known = known_otherwise(&homes, &birth, common);
        Ok(Self::at(known.unwrap_or(path), repository))
    }

    fn at(path: PathBuf, repository: Repository) -> Self {
        let format = match is_home(&path) {
            true => Format::of(&path),
            false => repository.format(),
        };
        Self {
            repository,
            format,
            path,
        }
    }

    /// Those of repositories that stood at a directory or above it, and do so no longer: `.git` was removed,
    /// or is another one by now. What is in aido's own directory is left of them.
    #[must_use]
    pub fn formerly(current: &Path, state: Option<&Path>) -> Vec<Self> {
        let all = state.map(Self::all).unwrap_or_default();
        let found = all.into_iter().filter_map(|home| {
            let common = home.repository.common_directory;
            let root = common.parent().filter(|_| common.ends_with(".git"))?;
            if !current.starts_with(root) || !root.is_dir() {
                return None;
            }
            // A directory that was made later is not the one that it was.
            let made = birth(root)
                .ok()?
                .born_ns
                .zip(birth(&home.path).ok()?.born_ns);
            if made.is_some_and(|(root, home)| root > home) {
                return None;
            }
            let repository = Repository {
                root: root.to_owned(),
                git_directory: common.clone(),
                common_directory: common,
            };
            let present = Self::of(repository.clone(), state);
            match present {
                Ok(present) if present.path == home.path => None,
                _ => Some(Self::at(home.path, repository)),
            }
        });
        found.collect()
    }

    /// All that there are. The work tree of each is not known: they are for removing what is in them.
    #[must_use]
    pub fn all(state: &Path) -> Vec<Self> {
        let state = state.join(IN_STATE);
        let entries = std::fs::read_dir(&state).into_iter().flatten().flatten();
        let homes = entries.filter_map(|entry| {
            let path = entry.path();
            let common = repository_of(&path)?;
            let repository = Repository {
                root: common.clone(),
                git_directory: common.clone(),
                common_directory: common,
            };
            Some(Self::at(path, repository))
        });
        homes.collect()
    }

    /// Whether there is one.
    #[must_use]
    pub fn exists(&self) -> bool {
        is_home(&self.path)
    }

    /// Makes what is missing of it. Several may do that at once: all write the same.
    ///
    /// # Errors
    /// When it can't be made, or isn't the user's alone.
    pub fn make(&self) -> Result<(), Problem> {
        self.try_make().map_err(Problem::file(self.path.as_path()))
    }

    fn try_make(&self) -> io::Result<()> {
        let (home, _) = Directory::open_or_make(&self.path)?;
        home.check_private()?;
        for name in [
            "objects/info",
            "objects/pack",
            "refs/aido",
            "info",
            TEMPORARY,
        ] {
            home.walk_or_make(Path::new(name))?;
        }
        let config = match self.format {
            Format::Sha1 => {
                "[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tsharedRepository = 0600\n"
            }
            Format::Sha256 => {
                "[core]\n\trepositoryformatversion = 1\n\tbare = false\n\tsharedRepository = 0600\n[extensions]\n\tobjectformat = sha256\n"
            }
        };
        let common = std::path::absolute(&self.repository.common_directory)?;
        let mut common = common.into_os_string().into_vec();
        common.push(b'\n');
        put(&home, REPOSITORY, &common)?;
        put(&home, "config", config.as_bytes())?;
        put(
            &home.walk(Path::new("info"))?,
            "attributes",
            ATTRIBUTES.as_bytes(),
        )?;
        // The last: with it, it is a git directory.
        put(&home, "HEAD", b"ref: refs/aido/none\n")
    }

    /// git on it, for reading objects: no index, no work tree.
    #[must_use]
    pub fn reading(&self, environment: &Environment, limit: Duration) -> Git {
        let mut git = Git::new(&self.path, &self.path, &self.repository, environment, limit);
        git.set(ALTERNATES, self.alternates());
        git
    }

    /// The directory of what is needed for a moment.
    pub(super) fn temporary(&self) -> PathBuf {
        self.path.join(TEMPORARY)
    }

    /// The repository's objects, for [`ALTERNATES`].
    fn alternates(&self) -> OsString {
        let objects = self.repository.common_directory.join("objects");
        let objects = std::path::absolute(&objects).unwrap_or(objects);
        OsString::from_vec(quoted(objects.as_os_str().as_bytes()))
    }

    /// git on it with the work tree and an index of its own.
    pub(super) fn working(&self, index: &Index, environment: &Environment, limits: Limits) -> Git {
        let mut git = Git::new(
            &self.path,
            &self.repository.root,
            &self.repository,
            environment,
            limits.time,
        );
        git.tell("core.sharedRepository=umask");
        git.set("GIT_WORK_TREE", self.repository.root.as_os_str());
        git.set(INDEX_FILE, index.path.as_os_str());
        git.set(ALTERNATES, self.alternates());
        git
    }

    /// Keeps others from removing objects meanwhile.
    pub(super) fn share(&self, patience: Duration) -> Result<File, Problem> {
        let file = self.lock_file()?;
        let shared = lock::wait_to_share(&file, patience);
        shared.map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => Problem::TooLong(patience),
            _ => Problem::file(self.path.join(LOCK))(error),
        })?;
        Ok(file)
    }

    /// The same for removing objects: nobody takes a checkpoint meanwhile.
    pub(super) fn own(&self) -> Result<File, Problem> {
        let file = self.lock_file()?;
        lock::wait_for_lock(&file, Duration::from_millis(100))
            .map_err(Problem::file(self.path.join(LOCK)))?;
        Ok(file)
    }

    fn lock_file(&self) -> Result<File, Problem> {
        let opened = Directory::open(&self.path).and_then(|home| home.append(OsStr::new(LOCK)));
        opened.map_err(Problem::file(self.path.join(LOCK)))
    }

    /// A name for an index that nobody else uses; what killed ones left is removed on the way.
    pub(super) fn index(&self, now_seconds: i64) -> Result<Index, Problem> {
        let directory = self.path.join(TEMPORARY);
        // There may be none that was kept.
        let _ = tidy(&self.path.join(KEPT), now_seconds);
        let name = || -> io::Result<String> {
            tidy(&directory, now_seconds)?;
            Ok(format!("{}-{:08x}", std::process::id(), random::number()?))
        };
        let name = name().map_err(Problem::file(directory.as_path()))?;
        Ok(Index {
            path: directory.join(name),
        })
    }
}

/// Removes files that nobody has written for so long that they belong to nobody any more.
fn tidy(directory: &Path, now_seconds: i64) -> io::Result<()> {
    let opened = Directory::open(directory)?;
    let mut names = Vec::new();
    opened.each_name(&mut |name| names.push(name.to_owned()))?;
    for name in names {
        let path = directory.join(&name);
        // Whoever it belongs to may have removed it by now.
        let status = path.symlink_metadata();
        let Ok(modified) = status.and_then(|status| status.modified()) else {
            continue;
        };
        let modified = modified.duration_since(std::time::UNIX_EPOCH);
        let modified = modified.map_or(0, |since| since.as_secs());
        let now = u64::try_from(now_seconds).unwrap_or_default();
        if now.saturating_sub(modified) > FORGOTTEN_SECONDS {
            let _ = std::fs::remove_file(&path);
        }
    }
    Ok(())
}

/// The name of the directory for a repository: whatever is made in its place later has another one.
fn name_of(birth: &Birth) -> String {
    let (device, inode) = (birth.device, birth.inode);
    match birth.born_ns {
        Some(born_ns) => format!("{device:x}-{inode:x}-{born_ns:x}"),
        None => format!("{device:x}-{inode:x}"),
    }
}

fn is_home(path: &Path) -> bool {
    path.join("HEAD").symlink_metadata().is_ok()
}

/// The directory for a repository under another name: its device had another number, or an older aido named
/// it without the time. Such a one may be of a repository that was there before, and is gone.
fn known_otherwise(homes: &Path, repository: &Birth, common: &Path) -> Option<PathBuf> {
    let born_ns = repository.born_ns?;
    let end = format!("-{:x}-{born_ns:x}", repository.inode);
    let common = std::path::absolute(common).ok()?;
    let entries = std::fs::read_dir(homes).into_iter().flatten().flatten();
    let mut paths = entries.map(|entry| entry.path());
    let moved = paths.find(|path| {
        let name = path.file_name().unwrap_or_default().as_encoded_bytes();
        name.ends_with(end.as_bytes()) && repository_of(path).as_deref() == Some(&*common)
    });
    let older = || {
        let path = homes.join(format!("{:x}-{:x}", repository.device, repository.inode));
        let is_older = birth(&path).ok()?.born_ns? < born_ns;
        (is_home(&path) && !is_older).then_some(path)
    };
    moved.or_else(older)
}

/// Where the repository was when it was last used.
fn repository_of(home: &Path) -> Option<PathBuf> {
    let home = Directory::open_itself(home).ok()?;
    let mut common = Vec::new();
    let file = home.open_file(REPOSITORY).ok()?;
    file.take(SMALL_BYTES).read_to_end(&mut common).ok()?;
    common.pop_if(|byte| *byte == b'\n')?;
    Some(PathBuf::from(OsString::from_vec(common)))
}

/// An index of one checkpoint. It goes with the value, and so does a lock that a killed git left on it.
#[derive(Debug)]
pub(super) struct Index {
    pub(super) path: PathBuf,
}

impl Drop for Index {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
        let _ = std::fs::remove_file(self.path.with_extension("lock"));
    }
}

/// Puts a file there, unless it is there and says the same.
fn put(directory: &Directory, name: &str, bytes: &[u8]) -> io::Result<()> {
    let mut found = Vec::new();
    if let Ok(file) = directory.open_file(name)
        && file.take(SMALL_BYTES).read_to_end(&mut found).is_ok()
        && found == bytes
    {
        return Ok(());
    }
    let new = format!(".{name}.{:08x}.new", random::number()?);
    directory.create(&new)?.write_all(bytes)?;
    directory.replace(&new, name)
}

/// A path in a list of them: in double quotes it is read as a C string.
fn quoted(path: &[u8]) -> Vec<u8> {
    let mut line = vec![b'"'];
    for byte in path {
        match byte {
            b'"' | b'\\' => line.extend([b'\\', *byte]),
            0x20..=0x7e => line.push(*byte),
            other => line.extend(format!("\\{other:03o}").into_bytes()),
        }
    }
    line.push(b'"');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_in_a_list_may_hold_anything() {
        assert_eq!(quoted(b"/a b/c"), b"\"/a b/c\"");
        assert_eq!(quoted(b"/\"\\\n\xff"), b"\"/\\\"\\\\\\012\\377\"");
    }
}
