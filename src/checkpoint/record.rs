//! What a checkpoint says of itself: the message of its commit, a line for people and JSON for aido.

use serde::{Deserialize, Serialize};

use super::directories::{Directories, DirectoriesText};
use super::modes::{Modes, ModesText};
use super::origin::{Origin, OriginText};
use super::select::Reason;
use crate::session::Timestamp;
use crate::session::checkpoint::{LeftOut, NAMED_MAX};

/// The version of this message.
const VERSION: u32 = 1;
/// The line for people.
const TITLE: &str = "aido checkpoint";

/// A path as JSON can hold it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PathText {
    /// One that is UTF-8.
    Text(String),
    /// Any other, in hex.
    Hex {
        /// Its bytes.
        hex: String,
    },
}

impl From<&[u8]> for PathText {
    fn from(path: &[u8]) -> Self {
        match std::str::from_utf8(path) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Hex {
                hex: hex::encode(path),
            },
        }
    }
}

impl PathText {
    /// The path; none of one that is damaged.
    #[must_use]
    pub fn bytes(self) -> Option<Vec<u8>> {
        match self {
            Self::Text(text) => Some(text.into_bytes()),
            Self::Hex { hex } => hex::decode(hex).ok(),
        }
    }
}

/// What a checkpoint says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// When it was taken.
    pub at: Timestamp,
    /// The commit that HEAD led to.
    pub head: Option<String>,
    /// Which work tree it is of; none in one of an aido that didn't say so.
    pub origin: Option<Origin>,
    /// The permissions of its files.
    pub modes: Modes,
    /// The permissions of the directories around them; none in one of an aido that didn't say so.
    pub directories: Option<Directories>,
    /// The paths that are not in it, and why.
    pub left_out: Vec<(Vec<u8>, Reason)>,
}

#[derive(Serialize, Deserialize)]
struct Text {
    version: u32,
    at: Timestamp,
    head: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    origin: Option<OriginText>,
    modes: ModesText,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    directories: Option<DirectoriesText>,
    left_out: Vec<(PathText, Reason)>,
}

impl Record {
    /// The commit's message.
    ///
    /// # Errors
    /// Never for values that this program makes.
    pub fn to_message(&self) -> Result<String, serde_json::Error> {
        let left_out = self.left_out.iter();
        let text = Text {
            version: VERSION,
            at: self.at,
            head: self.head.clone(),
            origin: self.origin.as_ref().map(OriginText::from),
            modes: ModesText::from(&self.modes),
            directories: self.directories.as_ref().map(DirectoriesText::from),
            left_out: left_out
                .map(|(path, reason)| (PathText::from(path.as_slice()), *reason))
                .collect(),
        };
        Ok(format!("{TITLE}\n\n{}\n", serde_json::to_string(&text)?))
    }

    /// Reads a commit as `git cat-file commit` prints it; none where that is no checkpoint.
    #[must_use]
    pub fn of_commit(commit: &[u8]) -> Option<(String, Self)> {
        let commit = std::str::from_utf8(commit).ok()?;
        let (header, message) = commit.split_once("\n\n")?;
        let tree = header.lines().next()?.strip_prefix("tree ")?;
        let text = message.strip_prefix(TITLE)?.trim();
        let text: Text = serde_json::from_str(text).ok()?;
        let left_out = text.left_out.into_iter();
        let record = Self {
            at: text.at,
            head: text.head,
            origin: text.origin.and_then(OriginText::read),
            modes: text.modes.into(),
            directories: text.directories.map(Directories::from),
            left_out: left_out
                .map(|(path, reason)| Some((path.bytes()?, reason)))
                .collect::<Option<_>>()?,
        };
        (text.version == VERSION).then(|| (tree.to_owned(), record))
    }

    /// Why a path is not in it, or a directory around that path; none if it would be.
    #[must_use]
    pub fn reason_for(&self, path: &[u8]) -> Option<Reason> {
        let is_it = |left: &[u8]| {
            let rest = path.strip_prefix(left);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
        };
        let found = self.left_out.iter().find(|(left, _)| is_it(left));
        found.map(|(_, reason)| *reason)
    }

    /// The first paths that are not in it, for a sidecar.
    #[must_use]
    pub fn named(&self) -> Vec<LeftOut> {
        let first = self.left_out.iter().take(NAMED_MAX);
        first
            .map(|(path, reason)| LeftOut {
                path: String::from_utf8_lossy(path).into_owned(),
                reason: reason.name().to_owned(),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::repository::Repository;
    use super::*;

    #[test]
    fn a_record_survives_its_commit() {
        let record = Record {
            at: "2026-03-05T13:25:22.123Z".parse().unwrap(),
            head: Some("ab12".to_owned()),
            origin: Origin::of(&Repository {
                root: "/".into(),
                git_directory: "/nonexistent".into(),
                common_directory: "/nonexistent".into(),
            }),
            modes: Modes::of_files(&[(b"a\n\xff", 0o100_644, 0o600), (b"b", 0o100_644, 0o644)]),
            directories: Some(Directories::default()),
            left_out: vec![(b"big\xfe".to_vec(), Reason::TooLarge)],
        };
        assert!(record.origin.is_some());
        let message = record.to_message().unwrap();
        let commit =
            format!("tree 1234\nauthor a <b> 1 +0000\ncommitter a <b> 1 +0000\n\n{message}");
        let read = Record::of_commit(commit.as_bytes()).unwrap();
        assert_eq!(read, ("1234".to_owned(), record));
        for other in [
            "",
            "tree 1\n\nsomething else\n",
            "tree 1\n\naido checkpoint\n\n{}",
        ] {
            assert_eq!(Record::of_commit(other.as_bytes()), None, "{other:?}");
        }
    }

    #[test]
    fn what_is_below_a_left_out_directory_is_left_out_too() {
        let record = Record {
            at: "2026-03-05T13:25:22.123Z".parse().unwrap(),
            head: None,
            origin: None,
            modes: Modes::default(),
            directories: None,
            left_out: vec![(b"sub".to_vec(), Reason::Repository)],
        };
        assert_eq!(record.reason_for(b"sub"), Some(Reason::Repository));
        assert_eq!(record.reason_for(b"sub/a"), Some(Reason::Repository));
        assert_eq!(record.reason_for(b"subway"), None);
    }
}
