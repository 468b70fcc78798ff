//! A checkpoint as a work tree of its own: git's, so that everything works in it that works in the present
//! one. HEAD is the commit that was checked out then, and the files are as they stood.

use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use super::Problem;
use super::git::Git;
use super::home::Home;
use super::read::Checkpoint;
use super::restore::Failures;
use crate::environment::Environment;
use crate::place;

/// The longest that making one may take.
const PATIENCE: Duration = Duration::from_secs(600);

impl Home {
    /// Makes a work tree of the repository at `path`, where nothing stands yet, with a checkpoint's files in
    /// it; gives those that could not be put there as they were.
    ///
    /// # Errors
    /// When HEAD led to no commit then, or git refuses.
    pub fn work_tree(
        &self,
        environment: &Environment,
        checkpoint: &Checkpoint,
        path: &Path,
    ) -> Result<Failures, Problem> {
        let what = "worktree add";
        let head = checkpoint.record.head.as_deref();
        let head = head.ok_or_else(|| Problem::Git {
            what,
            said: match self.repository.has_reftable() {
                true => "which commit HEAD led to could not be told then (reftable)",
                false => "HEAD led to no commit then",
            }
            .to_owned(),
        })?;
        let repository = &self.repository;
        let git = Git::new(
            &repository.common_directory,
            &repository.root,
            repository,
            environment,
            PATIENCE,
        );
        let words = ["worktree", "add", "--quiet", "--detach", "--no-checkout"];
        let words = words.into_iter().map(OsStr::new);
        let words: Vec<&OsStr> = words.chain([path.as_os_str(), OsStr::new(head)]).collect();
        git.print(what, &words, b"")?;
        let directory = place::git_directory(&path.join(".git"));
        let directory = directory.ok_or(Problem::Unreadable { what })?;
        // What is different from the commit shows as it did: nothing is staged.
        let mut git = Git::new(&directory, path, repository, environment, PATIENCE);
        git.set("GIT_WORK_TREE", path.as_os_str());
        git.print("read-tree", &["read-tree", head], b"")?;
        self.read(environment).fill(checkpoint, path)
    }
}
