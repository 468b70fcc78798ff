//! Where am I: the repository, its state, and the user's own directories. Reads, decides nothing
//! else; git is never started.

mod tracked;

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Map;

use crate::environment::Environment;
use crate::session::keeping::IN_REPOSITORY;
use crate::session::metadata::Git;
use crate::session::{Location, Timestamp};
use crate::sys::file::read_small;

/// The largest `packed-refs` that is searched; in a larger one every command would pay for it, and
/// the commit stays unknown.
const PACKED_REFS_MAX_BYTES: u64 = 2 * 1024 * 1024;
/// The largest of git's other files that is read.
const GIT_FILE_MAX_BYTES: u64 = 4096;

/// Where the caller stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The directory that the command runs in; none if it was deleted.
    pub current: Option<PathBuf>,
    /// The root of the repository.
    pub root: Option<PathBuf>,
    /// The user's state directory for aido.
    pub state: Option<PathBuf>,
    /// The user's configuration file.
    pub user_config: Option<PathBuf>,
}

impl Place {
    /// Looks around from `current`.
    #[must_use]
    pub fn find(current: Option<PathBuf>, environment: &Environment) -> Self {
        let root = current.as_deref().and_then(find_root);
        let home = environment.absolute_path("HOME");
        let below = |variable: &str, default: &str| {
            let named = environment.absolute_path(variable);
            let base = named.or_else(|| Some(home.as_ref()?.join(default)))?;
            Some(base.join("aido"))
        };
        Self {
            state: below("XDG_STATE_HOME", ".local/state"),
            user_config: below("XDG_CONFIG_HOME", ".config")
                .map(|directory| directory.join("config.toml")),
            root,
            current,
        }
    }

    /// Where sessions go: the directory that the user named, the repository's, or the user's own;
    /// none when there is no home either.
    #[must_use]
    pub fn location(&self, named: Option<&Path>) -> Option<Location> {
        let named = named.map(|path| Location::Named(path.to_owned()));
        let repository = || self.root.clone().map(Location::Repository);
        let state = || self.state.clone().map(Location::State);
        named.or_else(repository).or_else(state)
    }

    /// The repository's branch and commit.
    #[must_use]
    pub fn git(&self) -> Option<Git> {
        let dot_git = self.root.as_ref()?.join(".git");
        read_git(&git_directory(&dot_git)?)
    }

    /// What git is in the middle of, such as a merge that waits for conflicts to be resolved.
    #[must_use]
    pub fn operation(&self) -> Option<&'static str> {
        let directory = git_directory(&self.root.as_ref()?.join(".git"))?;
        let is_there = |name: &str| directory.join(name).symlink_metadata().is_ok();
        let found = OPERATIONS.iter().find(|(name, _)| is_there(name));
        found.map(|(_, operation)| *operation)
    }

    /// Whether any file that git tracks has changed since; none outside a repository, and where that can't be
    /// told in some milliseconds.
    #[must_use]
    pub fn tracked_changed_since(&self, since: Timestamp) -> Option<bool> {
        let root = self.root.as_ref()?;
        let index = git_directory(&root.join(".git"))?.join("index");
        tracked::changed_since(root, &index, since)
    }
}

/// Files that git has in its directory while it is in the middle of something.
const OPERATIONS: &[(&str, &str)] = &[
    ("rebase-merge", "rebase"),
    ("rebase-apply", "rebase"),
    ("MERGE_HEAD", "merge"),
    ("CHERRY_PICK_HEAD", "cherry-pick"),
    ("REVERT_HEAD", "revert"),
    ("BISECT_LOG", "bisect"),
];

/// The first directory upwards that holds a store or a repository.
#[must_use]
pub fn find_root(current: &Path) -> Option<PathBuf> {
    let found = current.ancestors().find(|directory| {
        directory.join(".git").symlink_metadata().is_ok() || directory.join(IN_REPOSITORY).is_dir()
    });
    found.map(Path::to_owned)
}

/// git's directory: a `.git` is that itself, or a file that names it (work trees, submodules).
#[must_use]
pub fn git_directory(dot_git: &Path) -> Option<PathBuf> {
    if dot_git.is_dir() {
        return Some(dot_git.to_owned());
    }
    let text = read_text(dot_git, GIT_FILE_MAX_BYTES).ok()?;
    let named = text.strip_prefix("gitdir:")?.trim();
    Some(dot_git.parent()?.join(named))
}

/// git's directory that all work trees of a repository share: that of the main one.
#[must_use]
pub fn common_directory(directory: &Path) -> PathBuf {
    let common = read_text(&directory.join("commondir"), GIT_FILE_MAX_BYTES);
    let common = common.map(|common| directory.join(common.trim()));
    common.unwrap_or_else(|_| directory.to_owned())
}

/// Branch and commit, as git's directory of a work tree has them.
#[must_use]
pub fn read_git(directory: &Path) -> Option<Git> {
    let head = read_text(&directory.join("HEAD"), GIT_FILE_MAX_BYTES).ok()?;
    let head = head.trim();
    let Some(reference) = head.strip_prefix("ref:").map(str::trim) else {
        let commit = is_object_name(head).then(|| head.to_owned());
        return commit.map(|commit| Git {
            branch: None,
            commit: Some(commit),
            other: Map::new(),
        });
    };
    let branch = reference.strip_prefix("refs/heads/").unwrap_or(reference);
    // A repository with reftable says this instead of the branch.
    let branch = (branch != ".invalid").then(|| branch.to_owned());
    Some(Git {
        commit: branch
            .is_some()
            .then(|| find_commit(directory, reference))
            .flatten(),
        branch,
        other: Map::new(),
    })
}

fn find_commit(directory: &Path, reference: &str) -> Option<String> {
    let common = common_directory(directory);
    let loose = [directory, common.as_path()].into_iter().find_map(|place| {
        let path = place.join(Path::new(OsStr::new(reference)));
        let text = read_text(&path, GIT_FILE_MAX_BYTES).ok()?;
        Some(text.trim().to_owned())
    });
    let packed = || {
        let text = read_text(&common.join("packed-refs"), PACKED_REFS_MAX_BYTES).ok()?;
        let mut lines = text.lines();
        lines.find_map(|line| {
            let (object, name) = line.split_once(' ')?;
            (name == reference).then(|| object.to_owned())
        })
    };
    loose.or_else(packed).filter(|name| is_object_name(name))
}

fn is_object_name(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn read_text(path: &Path, max_bytes: u64) -> io::Result<String> {
    let bytes = read_small(path, max_bytes)?;
    String::from_utf8(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::file::Directory;
    use std::io::Write;

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

    fn write(path: &Path, text: &str) {
        Directory::open_or_make(path.parent().unwrap()).unwrap();
        let mut file = std::fs::File::create(path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    #[test]
    fn branch_and_commit_are_found_loose_and_packed() {
        let temporary = tempfile::tempdir().unwrap();
        let git = temporary.path().join(".git");
        write(&git.join("HEAD"), "ref: refs/heads/topic/x\n");
        let place = Place::find(Some(temporary.path().to_owned()), &Environment::default());
        let found = |commit: Option<&str>| {
            Some(Git {
                branch: Some("topic/x".to_owned()),
                commit: commit.map(str::to_owned),
                other: Map::new(),
            })
        };
        assert_eq!(place.git(), found(None), "before the first commit");
        let packed = format!("# pack-refs with: peeled\n{COMMIT} refs/heads/topic/x\n");
        write(&git.join("packed-refs"), &packed);
        assert_eq!(place.git(), found(Some(COMMIT)));
        let newer = COMMIT.replace('0', "f");
        write(&git.join("refs/heads/topic/x"), &format!("{newer}\n"));
        assert_eq!(place.git(), found(Some(&newer)), "loose before packed");
        write(&git.join("HEAD"), &format!("{COMMIT}\n"));
        assert_eq!(place.git().unwrap().branch, None, "a detached HEAD");
    }

    #[test]
    fn a_work_tree_leads_to_the_common_directory() {
        let temporary = tempfile::tempdir().unwrap();
        let main = temporary.path().join("main/.git");
        let tree = temporary.path().join("tree");
        write(&tree.join(".git"), "gitdir: ../main/.git/worktrees/tree\n");
        write(&main.join("worktrees/tree/HEAD"), "ref: refs/heads/side\n");
        write(&main.join("worktrees/tree/commondir"), "../..\n");
        write(&main.join("refs/heads/side"), COMMIT);
        let place = Place::find(Some(tree.clone()), &Environment::default());
        assert_eq!(place.root, Some(tree));
        assert_eq!(place.git().unwrap().commit.as_deref(), Some(COMMIT));
    }

    #[test]
    fn what_git_is_in_the_middle_of_is_told_by_its_files() {
        let temporary = tempfile::tempdir().unwrap();
        let git = temporary.path().join(".git");
        write(&git.join("HEAD"), "ref: refs/heads/main\n");
        let place = Place::find(Some(temporary.path().to_owned()), &Environment::default());
        assert_eq!(place.operation(), None);
        write(&git.join("MERGE_HEAD"), COMMIT);
        assert_eq!(place.operation(), Some("merge"));
        write(&git.join("rebase-merge/onto"), COMMIT);
        assert_eq!(place.operation(), Some("rebase"));
    }

    #[test]
    fn outside_a_repository_the_users_state_directory_is_the_place() {
        let temporary = tempfile::tempdir().unwrap();
        let environment = Environment::from_pairs([("HOME", "/home/u")]);
        let place = Place {
            root: None,
            ..Place::find(Some(temporary.path().to_owned()), &environment)
        };
        let state = PathBuf::from("/home/u/.local/state/aido");
        assert_eq!(place.location(None), Some(Location::State(state)));
        let named = Path::new("/x");
        let expected = Location::Named(named.to_owned());
        assert_eq!(place.location(Some(named)), Some(expected));
    }
}
