//! `aido rerun --worktree`: a session's files as they stood before it, beside the present ones.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::checkpoint::{Home, Phase};
use crate::cli::checkpoint::{Located, straight};
use crate::cli::error::{CliError, Kind};
use crate::cli::io;
use crate::cli::reading::Reader;
use crate::environment::Environment;
use crate::rerun::RerunPlan;
use crate::session::SessionId;
use crate::session::quote::shell_line;
use crate::sys::birth::{Birth, birth};
use crate::sys::replace;
use crate::view::sanitize;

/// A work tree that is to be made.
pub(super) struct WorkTree {
    home: Home,
    commit: String,
    path: PathBuf,
    environment: Environment,
}

/// Which of these directories a path leads into, through whatever links.
fn tree_around<'t>(path: &Path, trees: &'t [PathBuf]) -> Option<&'t Path> {
    let there = path.ancestors().find_map(|path| path.canonicalize().ok())?;
    let around: Vec<Birth> = there.ancestors().filter_map(|it| birth(it).ok()).collect();
    let mut trees = trees.iter().map(PathBuf::as_path);
    trees.find(|tree| birth(tree).is_ok_and(|tree| around.contains(&tree)))
}

impl WorkTree {
    /// Decides where it is made, and where in it the command runs. Makes nothing.
    pub(super) fn plan(
        reader: &Reader,
        id: &SessionId,
        directory: &Path,
        plan: &mut RerunPlan,
    ) -> Result<Self, CliError> {
        let refused = |message: String| CliError::new(Kind::Run, message);
        let environment = Environment::of_process();
        let located = Located::find(reader, id.as_str(), &environment)?;
        let commit = located.checkpoint(Phase::Before)?.commit.clone();
        let root = located.home.repository.root.clone();
        let path = straight(&std::path::absolute(directory)?);
        let trees = located.home.repository.work_trees();
        if let Some(tree) = tree_around(&path, &trees) {
            let message = format!("{} is in the work tree {}", path.display(), tree.display());
            return Err(refused(message).with_hint("name a directory beside it, such as ../again"));
        }
        if path.symlink_metadata().is_ok() {
            let message = format!("{} is there already", path.display());
            return Err(refused(message).with_hint("name a directory that is to be made"));
        }
        // It may have run in another work tree of the repository.
        let checkpoint = located.home.read(&environment).checkpoint(&commit)?;
        let ran_in = checkpoint.record.origin.map_or(root, |origin| origin.root);
        let below = plan.cwd.strip_prefix(&ran_in);
        let below =
            below.map_err(|_| refused(format!("{id} did not run in {}", ran_in.display())))?;
        plan.cwd = path.join(below);
        Ok(Self {
            home: located.home,
            commit,
            path,
            environment,
        })
    }

    /// Makes it, and says how it is removed again.
    pub(super) fn make(&self, plan: &RerunPlan) -> Result<(), CliError> {
        let reading = self.home.read(&self.environment);
        let checkpoint = reading.checkpoint(&self.commit)?;
        let failures = self
            .home
            .work_tree(&self.environment, &checkpoint, &self.path)?;
        // A directory without files is in no checkpoint.
        replace::make_directories(&plan.cwd)?;
        let say = |line: String| io::say(&sanitize::line(&format!("aido: {line}")));
        let words = ["git", "worktree", "remove", "--force"].map(OsString::from);
        let words = [&words[..], &[self.path.clone().into_os_string()]].concat();
        let line = shell_line(&words);
        say(format!("in a work tree of its own; to remove it: {line}"));
        for (path, why) in &failures {
            say(format!("{}: {why}", String::from_utf8_lossy(path)));
        }
        match checkpoint.record.left_out.len() {
            0 => {}
            count => say(format!(
                "{count} paths are not in the checkpoint, and so not there"
            )),
        }
        Ok(())
    }
}
