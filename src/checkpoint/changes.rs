//! What is different between two checkpoints, as a list.

use super::listing::Differing;
use super::modes::Modes;
use crate::session::checkpoint::Counts;

/// The mode of a submodule, or of any other repository inside.
pub const REPOSITORY: u32 = 0o160_000;
/// The mode of a directory.
pub const DIRECTORY: u32 = 0o040_000;
/// The mode of a symbolic link.
pub const LINK: u32 = 0o120_000;
/// The mode of a file that may not be executed.
pub const REGULAR: u32 = 0o100_644;
/// The mode of a file that may be executed.
pub const EXECUTABLE: u32 = 0o100_755;

/// What stands at a path of a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its mode, as git writes it.
    pub mode: u32,
    /// The object's name.
    pub name: String,
}

/// What happened to a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It is new.
    Added,
    /// Its contents, mode or kind are different.
    Changed,
    /// It is gone.
    Removed,
}

impl Kind {
    /// Its name in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Removed => "removed",
        }
    }
}

/// One path that is different.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What happened.
    pub kind: Kind,
    /// The path, relative to the work tree.
    pub path: Vec<u8>,
    /// Whether it is a file, a link or a repository, on the side where it is.
    pub mode: u32,
    /// Permissions before and after, where they are different.
    pub permissions: Option<(u32, u32)>,
    /// Whether what is in it is different.
    pub contents_differ: bool,
}

/// The changes between two checkpoints, by path: what git tells, and permissions that git doesn't keep.
#[must_use]
pub fn changes(differing: &[Differing], before: &Modes, after: &Modes) -> Vec<Change> {
    let mut found: Vec<Change> = differing
        .iter()
        .filter_map(|one| {
            let kind = one.kind()?;
            let mode = one.after.as_ref().or(one.before.as_ref())?.mode;
            let both = one.before.as_ref().zip(one.after.as_ref());
            let permissions = both.and_then(|(old, new)| {
                let old = before.of(&one.path, old.mode)?;
                let new = after.of(&one.path, new.mode)?;
                (old != new).then_some((old, new))
            });
            Some(Change {
                kind,
                path: one.path.clone(),
                mode,
                permissions,
                contents_differ: both.is_none_or(|(old, new)| {
                    old.name != new.name || (old.mode ^ new.mode) & 0o170_000 != 0
                }),
            })
        })
        .collect();
    let known: std::collections::HashSet<&[u8]> =
        differing.iter().map(|one| one.path.as_slice()).collect();
    for (path, old, new) in before.differing(after) {
        if !known.contains(path) {
            found.push(Change {
                kind: Kind::Changed,
                path: path.to_owned(),
                mode: REGULAR,
                permissions: Some((old, new)),
                contents_differ: false,
            });
        }
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found
}

/// How many there are of each kind.
#[must_use]
pub fn counts(changes: &[Change]) -> Counts {
    let mut counts = Counts::default();
    for change in changes {
        match change.kind {
            Kind::Added => counts.added += 1,
            Kind::Changed => counts.changed += 1,
            Kind::Removed => counts.removed += 1,
        }
    }
    counts
}
