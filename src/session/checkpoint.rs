//! What a sidecar says of the checkpoints around a command.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// When checkpoints are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Never.
    Off,
    /// Before the command.
    Before,
    /// Before the command and after it.
    Both,
}

/// The most left-out paths that a sidecar names; the checkpoint itself knows them all.
pub const NAMED_MAX: usize = 20;

/// The checkpoints around a command.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Checkpoint {
    /// Before the command ran.
    pub before: Moment,
    /// After it; null where none was wanted, or the recorder was killed.
    pub after: Option<Moment>,
    /// How many files the command added, changed and removed; null without two checkpoints.
    pub changes: Option<Counts>,

    /// Fields that this version does not know.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// One checkpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Moment {
    /// The commit object in aido's own git directory; null where none could be made.
    pub commit: Option<String>,
    /// The tree of that commit: the work tree as it stood.
    pub tree: Option<String>,
    /// Why there is none.
    pub problem: Option<String>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// Paths that are not in it, and why: the first of them.
    pub left_out: Vec<LeftOut>,
    /// How many those are in all.
    pub left_out_count: u64,

    /// Fields that this version does not know.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// A path that is not in a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LeftOut {
    /// The path, relative to the work tree; bytes that are no UTF-8 are shown as U+FFFD.
    pub path: String,
    /// Why: `too large`, `unreadable`, `a repository of its own`, `no regular file`.
    pub reason: String,
}

/// How many files there are of each kind of change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Counts {
    /// New files.
    pub added: u64,
    /// Files with other contents, another mode, or of another kind.
    pub changed: u64,
    /// Files that are gone.
    pub removed: u64,
}

impl Counts {
    /// How many files are concerned.
    #[must_use]
    pub fn total(self) -> u64 {
        self.added + self.changed + self.removed
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "{} added, {} changed, {} removed",
            self.added, self.changed, self.removed
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_every_kind_are_counted_and_named() {
        let counts = Counts {
            added: 2,
            changed: 30,
            removed: 400,
        };
        assert_eq!(counts.total(), 432);
        assert_eq!(counts.to_string(), "2 added, 30 changed, 400 removed");
    }
}
