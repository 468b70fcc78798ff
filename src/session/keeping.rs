//! Where, how hard and how long sessions are kept.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The session directory, relative to a repository's root.
pub const IN_REPOSITORY: &str = "nexus/.aisessions";

/// Where a session directory is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// In the repository with this root.
    Repository(PathBuf),
    /// In the user's state directory, this one.
    State(PathBuf),
    /// Named by the user.
    Named(PathBuf),
}

/// How hard a session is forced to the disk before it is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// Not at all: survives a killed recorder, not a power cut.
    Fast,
    /// Write-back is started; a power cut may take the last seconds.
    Normal,
    /// Transcript, sidecar and directory are synced: nothing acknowledged is lost.
    Full,
}

/// How much is kept, and for how long. A limit that is none is off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The longest time since a session's end.
    pub max_age: Option<Duration>,
    /// The most that all sessions may take on the disk together, in bytes.
    pub max_total_bytes: Option<u64>,
    /// The largest number of sessions.
    pub max_sessions: Option<u64>,
}

impl Policy {
    /// No limit at all.
    #[cfg(test)]
    pub(crate) const KEEP_ALL: Self = Self {
        max_age: None,
        max_total_bytes: None,
        max_sessions: None,
    };

    /// A day, in seconds.
    pub const DAY_SECONDS: u64 = 24 * 60 * 60;
}

impl Default for Policy {
    /// 30 days, 5 GiB, any number.
    fn default() -> Self {
        Self {
            max_age: Some(Duration::from_secs(30 * Self::DAY_SECONDS)),
            max_total_bytes: Some(5 << 30),
            max_sessions: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirty_days_are_kept_by_default() {
        let policy = Policy::default();
        assert_eq!(policy.max_age, Some(Duration::from_secs(2_592_000)));
        assert_eq!(policy.max_total_bytes, Some(5_368_709_120));
    }
}
