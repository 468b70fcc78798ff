//! What is to be done to an index, put together path by path.

use std::collections::HashSet;

use super::changes::{EXECUTABLE, LINK, REGULAR};
use super::survey::Known;
use crate::sys::tree::Entry;

/// What is to be done to an index.
#[derive(Debug)]
pub(super) struct Edits {
    /// The name of no object.
    nothing: String,
    /// What goes, as `update-index --index-info` reads it.
    gone: Vec<u8>,
    /// What is read.
    taken: Vec<Known>,
    /// All paths of either.
    done: HashSet<Vec<u8>>,
}

impl Edits {
    pub(super) fn new(nothing: String) -> Self {
        Self {
            nothing,
            gone: Vec::new(),
            taken: Vec::new(),
            done: HashSet::new(),
        }
    }

    pub(super) fn drop(&mut self, path: &[u8]) {
        self.gone
            .extend(format!("0 {}\t", self.nothing).into_bytes());
        self.gone.extend(path);
        self.gone.push(0);
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

    /// What goes, if anything does, as `update-index --index-info` reads it.
    pub(super) fn gone(&self) -> Option<&[u8]> {
        (!self.gone.is_empty()).then_some(&self.gone)
    }

    /// The paths of what is read, if anything is, each ended by a zero byte.
    pub(super) fn taken(&self) -> Option<Vec<u8>> {
        let paths = self
            .taken
            .iter()
            .flat_map(|file| [file.path.as_slice(), &b"\0"[..]]);
        (!self.taken.is_empty()).then(|| paths.flatten().copied().collect())
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
