//! What checkpoints take on the disk, and giving that back.

use std::path::Path;
use std::time::Duration;

use super::Problem;
use super::home::Home;
use crate::environment::Environment;

/// Objects that are younger may belong to a checkpoint that has no name yet.
pub(super) const YOUNG: Duration = Duration::from_secs(3600);
/// The deepest that directories are followed: git's own are three deep.
const DEPTH: usize = 8;

impl Home {
    /// What it takes on the disk, in bytes.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        size_below(&self.path, DEPTH)
    }

    /// Removes the objects that no checkpoint needs any more, those of the last hour aside.
    ///
    /// # Errors
    /// When git fails, the time is over, or a checkpoint is being taken.
    pub(super) fn sweep(&self, environment: &Environment, limit: Duration) -> Result<(), Problem> {
        let _alone = self.own()?;
        // An index that is kept names objects that may go now.
        self.forget_kept()
            .map_err(Problem::file(self.path.as_path()))?;
        self.remove_copied_trees();
        let git = self.reading(environment, limit);
        let expire = format!("--expire={}.seconds.ago", YOUNG.as_secs());
        git.print("prune", &["prune", &expire], b"")?;
        Ok(())
    }
}

fn size_below(directory: &Path, depth: usize) -> u64 {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return 0;
    };
    let sizes = entries.flatten().map(|entry| match entry.metadata() {
        Ok(status) if status.is_dir() && depth > 0 => size_below(&entry.path(), depth - 1),
        Ok(status) if status.is_file() => status.len(),
        _ => 0,
    });
    sizes.sum()
}
