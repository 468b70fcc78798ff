//! Where and how hard sessions are kept.

use std::path::PathBuf;

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
