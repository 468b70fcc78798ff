//! What a command is said to have changed: one answer for its sidecar, for `show` and for whoever takes over.

use super::Problem;
use super::changes::{Change, Kind, REPOSITORY};
use super::home::Home;
use super::ignored::{Earlier, Pair};
use super::record::Record;
use crate::environment::Environment;

impl Home {
    /// The changes from an earlier checkpoint to a later one, each a tree and what it says of itself. What
    /// one of them could not keep is not among them, nor what only is ignored no longer.
    ///
    /// # Errors
    /// When objects of either are gone, or git fails.
    pub fn told(
        &self,
        environment: &Environment,
        before: (&str, &Record),
        after: (&str, &Record),
    ) -> Result<Vec<Change>, Problem> {
        let reading = self.read(environment);
        let differing = reading.differing(before.0, after.0)?;
        let mut changes = reading.changes_of(&differing, before, after)?;
        changes.retain(|change| {
            let left_out = (
                before.1.reason_for(&change.path),
                after.1.reason_for(&change.path),
            );
            match left_out {
                (None, None) => true,
                // A repository inside that came or went is told of, although nothing of it is kept.
                (_, None) => change.mode == REPOSITORY && change.kind == Kind::Removed,
                (None, _) => change.mode == REPOSITORY && change.kind == Kind::Added,
                _ => false,
            }
        });
        let pairs = differing.iter();
        let pairs: Vec<Pair<'_>> = pairs
            .map(|one| (one.path.as_slice(), one.before.as_ref(), one.after.as_ref()))
            .collect();
        let earlier = Earlier {
            tree: before.0,
            record: before.1,
        };
        let ignored = self.ignored_then(environment, &reading, earlier, &pairs)?;
        if !ignored.is_empty() {
            changes.retain(|change| !ignored.contains(&change.path));
        }
        Ok(changes)
    }
}
