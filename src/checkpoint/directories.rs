//! The permissions of directories, which git doesn't keep at all: a file that everybody may read was private
//! if nobody could get to it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Problem;
use super::changes::{Change, DIRECTORY, Kind};
use super::ignored::above;
use super::read::Reading;
use super::record::{PathText, Record};
use crate::sys::tree::Tree;

/// The bits that a file system gives on from the directory above: they are nobody's permissions.
const INHERITED: u32 = 0o6000;

/// The permissions of the directories around the files of a checkpoint: the most common ones, and the others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Directories {
    usual: u32,
    others: BTreeMap<Vec<u8>, u32>,
}

/// The same as JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct DirectoriesText {
    usual: u32,
    others: Vec<(PathText, u32)>,
}

impl Directories {
    /// Looks at all directories that these paths stand in.
    pub(super) fn of<'p>(tree: &mut Tree, paths: impl Iterator<Item = &'p [u8]>) -> Self {
        let mut found: HashMap<&[u8], u32> = HashMap::new();
        for path in paths {
            // From below: where one is known, those above it are.
            let mut end = path.len();
            while let Some(slash) = memchr::memrchr(b'/', &path[..end]) {
                end = slash;
                let directory = &path[..end];
                if found.contains_key(directory) {
                    break;
                }
                let mark = tree.mark(Path::new(OsStr::from_bytes(directory)));
                let mark = mark.ok().flatten().filter(|mark| mark.is_directory);
                if let Some(mark) = mark {
                    found.insert(directory, mark.permissions & !INHERITED);
                }
            }
        }
        let mut counts: HashMap<u32, usize> = HashMap::new();
        for permissions in found.values() {
            *counts.entry(*permissions).or_default() += 1;
        }
        let most = counts
            .into_iter()
            .max_by_key(|(mode, count)| (*count, *mode));
        let usual = most.map_or(0o755, |(mode, _)| mode);
        let others = found.into_iter().filter(|(_, mode)| *mode != usual);
        Self {
            usual,
            others: others.map(|(path, mode)| (path.to_vec(), mode)).collect(),
        }
    }

    /// The permissions of a directory that is in the checkpoint.
    #[must_use]
    pub fn permissions(&self, path: &[u8]) -> u32 {
        *self.others.get(path).unwrap_or(&self.usual)
    }
}

impl From<&Directories> for DirectoriesText {
    fn from(directories: &Directories) -> Self {
        let others = directories.others.iter();
        Self {
            usual: directories.usual,
            others: others
                .map(|(path, mode)| (PathText::from(path.as_slice()), *mode))
                .collect(),
        }
    }
}

impl From<DirectoriesText> for Directories {
    fn from(text: DirectoriesText) -> Self {
        let others = text.others.into_iter();
        Self {
            usual: text.usual,
            others: others
                .filter_map(|(path, mode)| Some((path.bytes()?, mode)))
                .collect(),
        }
    }
}

impl Reading {
    /// The directories of a checkpoint; none where it says nothing of them.
    ///
    /// # Errors
    /// When its objects are gone.
    pub(super) fn directories(
        &self,
        tree: &str,
        record: &Record,
    ) -> Result<BTreeSet<Vec<u8>>, Problem> {
        let Some(directories) = &record.directories else {
            return Ok(BTreeSet::new());
        };
        let entries = self.entries(tree)?;
        let found = entries.iter().flat_map(|entry| above(&entry.path));
        let mut found: BTreeSet<Vec<u8>> = found.map(<[u8]>::to_vec).collect();
        found.extend(directories.others.keys().cloned());
        Ok(found)
    }

    /// The directories whose permissions are different in two checkpoints.
    ///
    /// # Errors
    /// When objects of either are gone.
    pub(super) fn directory_changes(
        &self,
        before: (&str, &Record),
        after: (&str, &Record),
    ) -> Result<Vec<Change>, Problem> {
        let modes = before
            .1
            .directories
            .as_ref()
            .zip(after.1.directories.as_ref());
        let Some((old, new)) = modes.filter(|(old, new)| old != new) else {
            return Ok(Vec::new());
        };
        let there = self.directories(after.0, after.1)?;
        let both = self.directories(before.0, before.1)?;
        let both = both.into_iter().filter(|path| there.contains(path));
        let changed = both.filter_map(|path| {
            let permissions = (old.permissions(&path), new.permissions(&path));
            (permissions.0 != permissions.1).then_some(Change {
                kind: Kind::Changed,
                path,
                mode: DIRECTORY,
                permissions: Some(permissions),
                contents_differ: false,
            })
        });
        Ok(changed.collect())
    }
}
