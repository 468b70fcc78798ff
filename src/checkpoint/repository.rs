//! Which repository a directory is in, told by its files: git is not asked, and no variable is.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::Problem;
use crate::place;
use crate::sys::file::read_small;

/// The largest configuration file of a repository that is read for its format.
const CONFIG_BYTES: u64 = 1024 * 1024;
/// The largest of git's files with one line.
const HEAD_BYTES: u64 = 8 * 1024;
/// The longest line of a list of names that is looked at whole.
const LINE_BYTES: u64 = 8 * 1024;

/// A repository with a work tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// The root of the work tree.
    pub root: PathBuf,
    /// git's directory of this work tree.
    pub git_directory: PathBuf,
    /// git's directory that all work trees share.
    pub common_directory: PathBuf,
}

/// How a repository names objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// By 40 digits.
    Sha1,
    /// By 64 digits.
    Sha256,
}

impl Format {
    /// The name of no object.
    #[must_use]
    pub fn nothing(self) -> String {
        "0".repeat(match self {
            Self::Sha1 => 40,
            Self::Sha256 => 64,
        })
    }
}

impl Repository {
    /// The repository around a directory: the first one upwards that holds a `.git` with a HEAD.
    ///
    /// # Errors
    /// [`Problem::NoRepository`].
    pub fn find(current: &Path) -> Result<Self, Problem> {
        let mut all = Self::all_around(current);
        all.next().ok_or(Problem::NoRepository)
    }

    /// All repositories around a directory, from there upwards.
    pub fn all_around(current: &Path) -> impl Iterator<Item = Self> {
        current.ancestors().filter_map(|root| {
            let git_directory = place::git_directory(&root.join(".git"))?;
            let has_head = git_directory.join("HEAD").symlink_metadata().is_ok();
            let is_own = git_directory.parent() == Some(root);
            if is_own && is_bare(&git_directory) {
                return None;
            }
            has_head.then(|| Self {
                common_directory: common_directory(&git_directory),
                root: root.to_owned(),
                git_directory,
            })
        })
    }

    /// The commit that HEAD leads to, if there is one that can be told.
    #[must_use]
    pub fn head(&self) -> Option<String> {
        place::read_git(&self.git_directory)?
            .commit
            .or_else(|| self.packed_head())
    }

    /// The same from a list of names that is too long to be looked at with every command.
    fn packed_head(&self) -> Option<String> {
        let head = read_small(&self.git_directory.join("HEAD"), HEAD_BYTES).ok()?;
        let name = head.trim_ascii().strip_prefix(b"ref:")?.trim_ascii();
        let list = File::open(self.common_directory.join("packed-refs")).ok()?;
        let mut list = BufReader::new(list);
        let mut line = Vec::new();
        loop {
            line.clear();
            let mut piece = (&mut list).take(LINE_BYTES);
            if piece.read_until(b'\n', &mut line).ok()? == 0 {
                return None;
            }
            let found = line.trim_ascii_end().strip_suffix(name);
            let object = found.and_then(|found| found.strip_suffix(b" "));
            let object = object.filter(|object| matches!(object.len(), 40 | 64));
            let object = object.filter(|object| object.iter().all(u8::is_ascii_hexdigit));
            if let Some(object) = object {
                return String::from_utf8(object.to_vec()).ok();
            }
        }
    }

    /// Whether the names are kept in a form that only git reads.
    #[must_use]
    pub fn has_reftable(&self) -> bool {
        self.common_directory.join("reftable").is_dir()
    }

    /// The roots of all its work trees, this one and the main one among them.
    #[must_use]
    pub fn work_trees(&self) -> Vec<PathBuf> {
        let common = &self.common_directory;
        let main = common.parent().filter(|_| common.ends_with(".git"));
        let linked = std::fs::read_dir(common.join("worktrees"));
        let linked = linked.into_iter().flatten().flatten().filter_map(|entry| {
            let path = read_small(&entry.path().join("gitdir"), HEAD_BYTES).ok()?;
            let path = Path::new(OsStr::from_bytes(path.trim_ascii_end()));
            Some(entry.path().join(path).parent()?.to_owned())
        });
        let known = [Some(self.root.as_path()), main].into_iter().flatten();
        known.map(Path::to_owned).chain(linked).collect()
    }

    /// Whether some of its objects are at a remote only.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        let config = read_small(&self.common_directory.join("config"), CONFIG_BYTES);
        let config = String::from_utf8_lossy(&config.unwrap_or_default()).to_lowercase();
        let mut names = config.lines().filter_map(|line| line.split_once('='));
        names.any(|(name, _)| {
            matches!(
                name.trim(),
                "promisor" | "partialclonefilter" | "partialclone"
            )
        })
    }

    /// How it names objects.
    #[must_use]
    pub fn format(&self) -> Format {
        Format::of(&self.common_directory)
    }
}

/// git's directory that all work trees share, by a path that doesn't go through that of one of them.
fn common_directory(git_directory: &Path) -> PathBuf {
    let common = place::common_directory(git_directory);
    match common == git_directory {
        true => common,
        false => common.canonicalize().unwrap_or(common),
    }
}

/// Whether a repository says that what is around it is no work tree.
fn is_bare(git_directory: &Path) -> bool {
    let config = read_small(&git_directory.join("config"), CONFIG_BYTES);
    let config = String::from_utf8_lossy(&config.unwrap_or_default()).to_lowercase();
    let pairs = config.lines().filter_map(|line| line.split_once('='));
    let mut bare = pairs.filter(|(name, _)| name.trim() == "bare");
    bare.next_back()
        .is_some_and(|(_, value)| value.trim() == "true")
}

impl Format {
    /// How the repository with this git directory names objects.
    #[must_use]
    pub fn of(git_directory: &Path) -> Self {
        let config = read_small(&git_directory.join("config"), CONFIG_BYTES);
        let config = config.unwrap_or_default();
        let config = String::from_utf8_lossy(&config).to_lowercase();
        let says_so = |line: &str| {
            let pair = line.trim().split_once('=');
            pair.is_some_and(|(name, value)| {
                name.trim() == "objectformat" && value.trim() == "sha256"
            })
        };
        match config.lines().any(says_so) {
            true => Self::Sha256,
            false => Self::Sha1,
        }
    }
}
