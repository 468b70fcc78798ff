//! Which repository a directory is in, told by its files: git is not asked, and no variable is.

use std::path::{Path, PathBuf};

use super::Problem;
use crate::place;
use crate::sys::file::read_small;

/// The largest configuration file of a repository that is read for its format.
const CONFIG_BYTES: u64 = 1024 * 1024;

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
            has_head.then(|| Self {
                common_directory: place::common_directory(&git_directory),
                root: root.to_owned(),
                git_directory,
            })
        })
    }

    /// The commit that HEAD leads to, if there is one that can be told.
    #[must_use]
    pub fn head(&self) -> Option<String> {
        place::read_git(&self.git_directory)?.commit
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
