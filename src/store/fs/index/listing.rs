//! Which sessions have files in a directory, and which an index has.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::io;

use crate::session::SessionId;
use crate::store::layout::{self, Kind};
use crate::sys::file::Directory;

/// So many lines of removed sessions, and of sessions that were changed later, cost nobody anything.
const USELESS_LINES: usize = 1000;

/// What stands for an id. Of a million sessions two have the same once in a hundred thousand times,
/// and not in the next process, since the digests are drawn anew in each.
type Digest = [u8; 7];

/// It has a sidecar.
const SIDECAR: u8 = 1;
/// It has another file.
const BEGUN: u8 = 2;
/// It has a sidecar and a line.
const INDEXED: u8 = 4;
/// It has a line and no sidecar, and was not removed by aido.
const GONE: u8 = 8;

/// Sessions as digests of their ids, with what is known of each: a million take 19 MB.
pub(super) struct Listing {
    hasher: RandomState,
    known: HashMap<Digest, u8>,
}

impl Listing {
    pub(super) fn new(session: &Directory) -> io::Result<Self> {
        let mut listing = Self {
            hasher: RandomState::new(),
            known: HashMap::new(),
        };
        session.each_name(&mut |name| {
            if let Some((id, kind)) = layout::parse(name) {
                *listing.of(id.as_str()) |= match kind {
                    Kind::Sidecar => SIDECAR,
                    Kind::Transcript | Kind::Events => BEGUN,
                };
            }
        })?;
        Ok(listing)
    }

    fn digest(&self, id: &str) -> Digest {
        let [_, digest @ ..] = self.hasher.hash_one(id).to_le_bytes();
        digest
    }

    fn of(&mut self, id: &str) -> &mut u8 {
        let digest = self.digest(id);
        self.known.entry(digest).or_default()
    }

    /// Takes note that there is a line of this session.
    pub(super) fn add_line(&mut self, id: &str) {
        let known = self.of(id);
        *known |= match *known & SIDECAR {
            0 => GONE,
            _ => INDEXED,
        };
    }

    /// Takes note of a line that says that this session was removed.
    pub(super) fn add_removal(&mut self, id: &str) {
        *self.of(id) &= !(INDEXED | GONE);
    }

    /// Whether this session has no line.
    pub(super) fn lacks_line(&self, id: &str) -> bool {
        let known = self.known.get(&self.digest(id));
        known.is_none_or(|known| known & INDEXED == 0)
    }

    /// Whether every session with a sidecar has a line.
    pub(super) fn is_whole(&self) -> bool {
        let mut known = self.known.values();
        known.all(|known| known & (SIDECAR | INDEXED) != SIDECAR)
    }

    /// Whether most of an index of so many lines is of no use: lines of sessions that are gone, or many
    /// of removed sessions and of those that were changed later.
    pub(super) fn is_worn(&self, lines: usize) -> bool {
        let count = |flag| {
            self.known
                .values()
                .filter(|known| **known & flag != 0)
                .count()
        };
        let indexed = count(INDEXED);
        count(GONE) > indexed || lines.saturating_sub(indexed) > indexed + USELESS_LINES
    }

    /// The ids of sessions with files but without a sidecar. Reads the directory again if there are
    /// any.
    pub(super) fn unfinished(&self, session: &Directory) -> io::Result<Vec<SessionId>> {
        let is_unfinished = |known: &u8| known & (SIDECAR | BEGUN) == BEGUN;
        let mut ids = Vec::new();
        if self.known.values().any(is_unfinished) {
            session.each_name(&mut |name| {
                let id = layout::parse(name).map(|(id, _)| id);
                ids.extend(id.filter(|id| {
                    let known = self.known.get(&self.digest(id.as_str()));
                    known.is_some_and(is_unfinished)
                }));
            })?;
        }
        ids.sort_unstable();
        ids.dedup();
        Ok(ids)
    }
}
