//! Which sessions have files in a directory.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::io;

use crate::session::SessionId;
use crate::store::layout::{self, Kind};
use crate::sys::file::Directory;

/// A directory's sessions, as digests of their ids: a million take 32 MB.
pub(super) struct Listing {
    hasher: RandomState,
    /// Those with a sidecar.
    present: HashSet<u64>,
    /// Those with another file.
    begun: HashSet<u64>,
}

impl Listing {
    pub(super) fn new(session: &Directory) -> io::Result<Self> {
        let mut listing = Self {
            hasher: RandomState::new(),
            present: HashSet::new(),
            begun: HashSet::new(),
        };
        session.each_name(&mut |name| {
            if let Some((id, kind)) = layout::parse(name) {
                let digest = listing.digest(id.as_str());
                match kind {
                    Kind::Sidecar => listing.present.insert(digest),
                    Kind::Transcript | Kind::Events => listing.begun.insert(digest),
                };
            }
        })?;
        Ok(listing)
    }

    pub(super) fn digest(&self, id: &str) -> u64 {
        self.hasher.hash_one(id)
    }

    /// Whether there is a sidecar of the session with this digest.
    pub(super) fn has_sidecar(&self, digest: u64) -> bool {
        self.present.contains(&digest)
    }

    /// How many sidecars there are.
    pub(super) fn sidecars(&self) -> usize {
        self.present.len()
    }

    /// The ids of sessions with files but without a sidecar. Reads the directory again if there are
    /// any.
    pub(super) fn unfinished(&self, session: &Directory) -> io::Result<Vec<SessionId>> {
        let unfinished: HashSet<&u64> = self.begun.difference(&self.present).collect();
        let mut ids = Vec::new();
        if !unfinished.is_empty() {
            session.each_name(&mut |name| {
                let id = layout::parse(name).map(|(id, _)| id);
                ids.extend(id.filter(|id| unfinished.contains(&self.digest(id.as_str()))));
            })?;
        }
        ids.sort_unstable();
        ids.dedup();
        Ok(ids)
    }
}
