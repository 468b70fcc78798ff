//! What is to be done to an index, put together path by path.

use std::collections::HashSet;

use super::changes::{EXECUTABLE, LINK, REGULAR, REPOSITORY};
use super::survey::Known;
use crate::sys::tree::Entry;

/// What is to be done to an index.
#[derive(Debug)]
pub(super) struct Edits {
    /// The name of no object.
    nothing: String,
    /// What goes, and what is only pointed at, as `update-index --index-info` reads it.
    named: Vec<u8>,
    /// What is read.
    taken: Vec<Known>,
    /// All paths of either.
    done: HashSet<Vec<u8>>,
}

impl Edits {
    pub(super) fn new(nothing: String) -> Self {
        Self {
            nothing,
            named: Vec::new(),
            taken: Vec::new(),
            done: HashSet::new(),
        }
    }

    pub(super) fn drop(&mut self, path: &[u8]) {
        let entry = format!("0 {}\t", self.nothing);
        self.name(&entry, path);
    }

    /// A submodule, at this commit.
    pub(super) fn point(&mut self, path: &[u8], commit: &str) {
        self.name(&format!("{REPOSITORY:o} {commit}\t"), path);
    }

    fn name(&mut self, entry: &str, path: &[u8]) {
        self.named.extend(entry.as_bytes());
        self.named.extend(path);
        self.named.push(0);
        self.done.insert(path.to_owned());
    }

    pub(super) fn take(&mut self, path: &[u8], entry: Entry) {
        let (mode, permissions) = match entry {
            Entry::File { permissions, .. } if permissions & 0o100 != 0 => {
                (EXECUTABLE, Some(permissions))
            }
            Entry::File { permissions, .. } => (REGULAR, Some(permissions)),
            _ => (LINK, None),
        };
        self.taken.push(Known {
            path: path.to_owned(),
            mode,
            permissions,
        });
        self.done.insert(path.to_owned());
    }

    /// What goes or is pointed at, if anything is, as `update-index --index-info` reads it.
    pub(super) fn named(&self) -> Option<&[u8]> {
        (!self.named.is_empty()).then_some(&self.named)
    }

    /// The paths of what is read, if anything is, each ended by a zero byte.
    pub(super) fn taken(&self) -> Option<Vec<u8>> {
        self.each_taken(b"", b"\0")
    }

    /// What `update-index --verbose` prints when all of them have been taken.
    pub(super) fn told(&self) -> Option<Vec<u8>> {
        self.each_taken(b"add '", b"'\n")
    }

    fn each_taken(&self, before: &[u8], after: &[u8]) -> Option<Vec<u8>> {
        let files = self.taken.iter();
        let paths = files.flat_map(|file| [before, file.path.as_slice(), after]);
        (!self.taken.is_empty()).then(|| paths.flatten().copied().collect())
    }

    /// Takes back what git refused; gives those paths.
    pub(super) fn refuse(&mut self, is_there: &dyn Fn(&[u8]) -> bool) -> Vec<Vec<u8>> {
        let refused = self.taken.extract_if(.., |file| !is_there(&file.path));
        refused.map(|file| file.path).collect()
    }

    /// What is read.
    pub(super) fn into_taken(self) -> Vec<Known> {
        self.taken
    }

    /// Whether the index stays as it is.
    pub(super) fn is_empty(&self) -> bool {
        self.done.is_empty()
    }

    pub(super) fn is_done(&self, path: &[u8]) -> bool {
        self.done.contains(path)
    }
}
