//! What checkpoints take on the disk, and giving that back.

use std::path::Path;
use std::time::Duration;

use super::Problem;
use super::home::Home;
use crate::environment::Environment;

/// Objects that are younger may belong to a checkpoint that has no name yet.
const YOUNG: &str = "1.hour.ago";
/// The longest that removing objects may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// The deepest that directories are followed: git's own are three deep.
const DEPTH: usize = 8;

impl Home {
    /// What it takes on the disk, in bytes.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        size_below(&self.path, DEPTH)
    }

    /// Removes the objects that no checkpoint needs any more, those of the last hour aside; gives how many
    /// bytes that freed.
    ///
    /// # Errors
    /// When git fails, or a checkpoint is being taken.
    pub fn sweep(&self, environment: &Environment) -> Result<u64, Problem> {
        let before = self.size_bytes();
        let _alone = self.own()?;
        // An index that is kept names objects that may go now.
        self.forget_kept()
            .map_err(Problem::file(self.path.as_path()))?;
        let git = self.reading(environment, PATIENCE);
        let expire = format!("--expire={YOUNG}");
        git.print("prune", &["prune", &expire], b"")?;
        Ok(before.saturating_sub(self.size_bytes()))
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
