//! Permissions: git keeps only whether a file may be executed, and a file that only its owner could read
//! must not come back for everybody.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::changes::EXECUTABLE;
use super::listing::Listed;
use super::record::PathText;

/// What marks a regular file in a mode.
const REGULAR: u32 = 0o100_000;
/// The part of a mode that says what it is the mode of.
const KIND: u32 = 0o170_000;

/// The permissions of all files of a checkpoint: the two that are most common, and the others by path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Modes {
    files: u32,
    executables: u32,
    others: BTreeMap<Vec<u8>, u32>,
}

/// The same as JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModesText {
    files: u32,
    executables: u32,
    others: Vec<(PathText, u32)>,
}

impl Modes {
    /// The permissions of these files: path, mode as git has it, and permissions.
    #[must_use]
    pub fn of_files(files: &[(&[u8], u32, u32)]) -> Self {
        let most_common = |wanted: bool, default: u32| {
            let mut counts: HashMap<u32, usize> = HashMap::new();
            for (_, mode, permissions) in files {
                if (*mode == EXECUTABLE) == wanted {
                    *counts.entry(*permissions).or_default() += 1;
                }
            }
            let most = counts
                .into_iter()
                .max_by_key(|(mode, count)| (*count, *mode));
            most.map_or(default, |(mode, _)| mode)
        };
        let (files_mode, executables) = (most_common(false, 0o644), most_common(true, 0o755));
        let mut modes = Self {
            files: files_mode,
            executables,
            others: BTreeMap::new(),
        };
        for (path, mode, permissions) in files {
            if modes.usual(*mode) != *permissions {
                modes.others.insert(path.to_vec(), *permissions);
            }
        }
        modes
    }

    fn usual(&self, mode: u32) -> u32 {
        match mode {
            EXECUTABLE => self.executables,
            _ => self.files,
        }
    }

    /// The permissions of a file whose mode git has as this; none of what is no regular file.
    #[must_use]
    pub fn of(&self, path: &[u8], mode: u32) -> Option<u32> {
        (mode & KIND == REGULAR).then(|| match self.others.get(path) {
            Some(permissions) => *permissions,
            None => self.usual(mode),
        })
    }

    /// Whether the two most common permissions are the same, so that only paths that are named can differ.
    #[must_use]
    pub fn has_usual_of(&self, other: &Self) -> bool {
        (self.files, self.executables) == (other.files, other.executables)
    }

    /// The same permissions with every file of this list named, too.
    #[must_use]
    pub fn spelled_out(&self, entries: &[Listed]) -> Self {
        let named = entries.iter().filter_map(|entry| {
            let permissions = self.of(&entry.path, entry.mode)?;
            Some((entry.path.clone(), permissions))
        });
        let mut modes = self.clone();
        modes.others.extend(named);
        modes
    }

    /// The paths whose permissions are named on either side and are not the same: before and after. A
    /// side that doesn't name a path has the usual ones, told by the other's bits of execution.
    pub fn differing<'m>(&'m self, after: &'m Self) -> impl Iterator<Item = (&'m [u8], u32, u32)> {
        let named = self.others.keys().chain(
            after
                .others
                .keys()
                .filter(|path| !self.others.contains_key(*path)),
        );
        named.filter_map(|path| {
            let (old, new) = (self.others.get(path), after.others.get(path));
            let known = *old.or(new)?;
            // git's mode of both sides is the same, or git itself tells the difference.
            let mode = match known & 0o100 {
                0 => REGULAR | 0o644,
                _ => EXECUTABLE,
            };
            let old = old.copied().unwrap_or_else(|| self.usual(mode));
            let new = new.copied().unwrap_or_else(|| after.usual(mode));
            (old != new).then_some((path.as_slice(), old, new))
        })
    }
}

impl From<&Modes> for ModesText {
    fn from(modes: &Modes) -> Self {
        let others = modes.others.iter();
        Self {
            files: modes.files,
            executables: modes.executables,
            others: others
                .map(|(path, mode)| (PathText::from(path.as_slice()), *mode))
                .collect(),
        }
    }
}

impl From<ModesText> for Modes {
    fn from(text: ModesText) -> Self {
        let others = text.others.into_iter();
        Self {
            files: text.files,
            executables: text.executables,
            others: others
                .filter_map(|(path, mode)| Some((path.bytes()?, mode)))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: u32 = 0o100_644;

    #[test]
    fn only_what_is_unusual_is_named() {
        let files: [(&[u8], u32, u32); 5] = [
            (b"a", FILE, 0o664),
            (b"b", FILE, 0o664),
            (b"secret", FILE, 0o600),
            (b"run", EXECUTABLE, 0o775),
            (b"link", 0o120_000, 0o777),
        ];
        let modes = Modes::of_files(&files[..4]);
        assert_eq!(modes.others.len(), 1);
        for (path, mode, permissions) in &files[..4] {
            assert_eq!(modes.of(path, *mode), Some(*permissions));
        }
        assert_eq!(modes.of(b"link", 0o120_000), None);
        let text = ModesText::from(&modes);
        let json = serde_json::to_string(&text).unwrap();
        let read: ModesText = serde_json::from_str(&json).unwrap();
        assert_eq!(Modes::from(read), modes);
    }

    #[test]
    fn where_the_usual_permissions_differ_every_file_is_named() {
        let before = Modes::of_files(&[(b"a", FILE, 0o644), (b"x", FILE, 0o644)]);
        let after = Modes::of_files(&[(b"a", FILE, 0o600), (b"y", FILE, 0o600)]);
        assert!(!before.has_usual_of(&after));
        let both = [Listed {
            mode: FILE,
            object: "1".to_owned(),
            path: b"a".to_vec(),
        }];
        let (before, after) = (before.spelled_out(&both), after.spelled_out(&both));
        let found: Vec<(&[u8], u32, u32)> = before.differing(&after).collect();
        assert_eq!(found, [(&b"a"[..], 0o644, 0o600)]);
        // What stands on one side only has what was usual there.
        assert_eq!(before.of(b"x", FILE), Some(0o644));
        assert_eq!(after.of(b"y", FILE), Some(0o600));
    }

    #[test]
    fn permissions_that_changed_alone_are_found() {
        let before = Modes::of_files(&[
            (b"a", FILE, 0o644),
            (b"b", FILE, 0o644),
            (b"c", FILE, 0o600),
        ]);
        let after = Modes::of_files(&[
            (b"a", FILE, 0o600),
            (b"b", FILE, 0o644),
            (b"c", FILE, 0o644),
        ]);
        let found: Vec<(&[u8], u32, u32)> = before.differing(&after).collect();
        assert_eq!(found, [(&b"c"[..], 0o600, 0o644), (b"a", 0o644, 0o600)]);
    }
}
