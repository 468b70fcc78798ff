//! Which paths a checkpoint takes. Decides from what stands there.

use serde::{Deserialize, Serialize};

use crate::sys::tree::Entry;

/// Why a path is not in a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It is larger than what is kept.
    TooLarge,
    /// It may not be read.
    Unreadable,
    /// It is a submodule or another repository: of a submodule only its commit is kept.
    Repository,
    /// It is a socket, a FIFO or a device.
    NotRegular,
    /// git keeps no such path: one that is too long, or like `.GIT/x`.
    PathRefused,
}

impl Reason {
    /// The reason in words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::TooLarge => "too large",
            Self::Unreadable => "unreadable",
            Self::Repository => "a repository of its own",
            Self::NotRegular => "no regular file",
            Self::PathRefused => "a path that git refuses",
        }
    }
}

/// A path that may have changed, as it was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// What stands there.
    pub entry: Entry,
    /// Whether it may be read.
    pub is_readable: bool,
    /// Whether it is a directory with a `.git` in it.
    pub is_repository: bool,
}

/// What becomes of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It is taken.
    Take,
    /// It isn't there any more as a file or link.
    Drop,
    /// It is left out.
    LeaveOut(Reason),
}

/// Decides about a path; `most_bytes` is the largest file that is kept, 0 is no limit.
#[must_use]
pub fn decide(found: Found, most_bytes: u64) -> Decision {
    match found.entry {
        Entry::Missing => Decision::Drop,
        Entry::Directory if found.is_repository => Decision::LeaveOut(Reason::Repository),
        Entry::Directory => Decision::Drop,
        Entry::Other => Decision::LeaveOut(Reason::NotRegular),
        Entry::Link => Decision::Take,
        Entry::File { size_bytes, .. } if most_bytes > 0 && size_bytes > most_bytes => {
            Decision::LeaveOut(Reason::TooLarge)
        }
        Entry::File { .. } if !found.is_readable => Decision::LeaveOut(Reason::Unreadable),
        Entry::File { .. } => Decision::Take,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_kept_is_and_the_rest_is_named() {
        let file = |size_bytes| Entry::File {
            size_bytes,
            permissions: 0o644,
        };
        for (entry, is_readable, is_repository, expected) in [
            (file(10), true, false, Decision::Take),
            (file(11), true, false, Decision::LeaveOut(Reason::TooLarge)),
            (
                file(1),
                false,
                false,
                Decision::LeaveOut(Reason::Unreadable),
            ),
            (Entry::Link, false, false, Decision::Take),
            (Entry::Missing, false, false, Decision::Drop),
            (Entry::Directory, true, false, Decision::Drop),
            (
                Entry::Directory,
                true,
                true,
                Decision::LeaveOut(Reason::Repository),
            ),
            (
                Entry::Other,
                true,
                false,
                Decision::LeaveOut(Reason::NotRegular),
            ),
        ] {
            let found = Found {
                entry,
                is_readable,
                is_repository,
            };
            assert_eq!(decide(found, 10), expected, "{found:?}");
        }
        let found = Found {
            entry: file(u64::MAX),
            is_readable: true,
            is_repository: false,
        };
        assert_eq!(decide(found, 0), Decision::Take);
    }
}
