//! What a plan of removals is made from: of each session only what decides, and the rest where it is
//! asked for. A million of them take some 50 MiB while they are gathered.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::io;

use super::rebuild::size_bytes;
use super::{FileStore, index};
use crate::session::{Entry, State};
use crate::store::index::{Backwards, ReadAt, Walked, parse};
use crate::store::retention::Candidate;
use crate::store::{Found, StoreError, layout};
use crate::sys::file::Directory;

/// A line of the index is hardly shorter; where it is, more room is found on the way.
const LINE_LEAST_BYTES: u64 = 128;
/// What is read of the index at once for one line, and for one that is longer.
const LINE_BYTES: [u64; 2] = [1024, 1024 * 1024];

/// Every session of a store, as far as a plan of removals needs it.
pub struct Candidates {
    /// The sessions, in no order.
    pub all: Vec<Candidate>,
    /// What else is known of them.
    pub origin: Origin,
}

/// Where candidates come from. It stays what it was, whatever is removed meanwhile.
#[derive(Default)]
pub struct Origin {
    index: Option<Box<dyn ReadAt>>,
    /// Those that are not finished.
    live: Vec<Entry<'static>>,
}

impl Origin {
    /// What the index says of a candidate that was gathered with it.
    ///
    /// # Errors
    /// When the index can't be read.
    pub fn entry(&self, candidate: &Candidate) -> io::Result<Entry<'static>> {
        let place = candidate.place();
        let found = match (&self.index, candidate.state) {
            (Some(index), State::Finished) => entry_at(&**index, place)?,
            _ => {
                let place = usize::try_from(place).unwrap_or(usize::MAX);
                self.live.get(place).cloned()
            }
        };
        found.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "a line is gone"))
    }
}

impl FileStore {
    /// Gathers every session.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn candidates(&self) -> Result<Candidates, StoreError> {
        let mut gathered = Candidates {
            all: Vec::new(),
            origin: Origin::default(),
        };
        let Some((session, counterpart)) = self.open_to_read()? else {
            return Ok(gathered);
        };
        let (mut index, live) = self.open_index(&session, counterpart.as_ref())?;
        let mut walk = |index: &dyn ReadAt| gather(index, &session, &live, &mut gathered.all);
        if walk(&*index).map_err(self.error())? == Walked::Damaged {
            index = index::remake(&session, self.manner())
                .map_err(self.error())?
                .lines;
            walk(&*index).map_err(self.error())?;
        }
        for (place, found) in (0..).zip(&live) {
            let candidate = Candidate::of(&found.entry, found.state, place);
            gathered.all.extend(candidate);
        }
        gathered.origin = Origin {
            index: Some(index),
            live: live.into_iter().map(|found| found.entry).collect(),
        };
        Ok(gathered)
    }
}

/// Gathers the finished sessions of an index: of each the last line, if its sidecar is there.
fn gather(
    index: &dyn ReadAt,
    session: &Directory,
    live: &[Found],
    all: &mut Vec<Candidate>,
) -> io::Result<Walked> {
    all.clear();
    // Without a copy of what was gathered before. What is not used takes no memory.
    let most = usize::try_from(index.length()? / LINE_LEAST_BYTES).unwrap_or(0);
    let _ = all.try_reserve_exact(most);
    let hasher = RandomState::new();
    let digests = live
        .iter()
        .map(|found| hasher.hash_one(&*found.entry.session_id));
    let mut seen: HashSet<u64> = digests.collect();
    let mut lines = Backwards::new(index)?;
    while let Some((line, place)) = lines.line()? {
        let Some(mut entry) = parse(line) else {
            return Ok(Walked::Damaged);
        };
        if !seen.insert(hasher.hash_one(&*entry.session_id)) || entry.pruned.is_some() {
            continue;
        }
        let Some(id) = entry.id() else { continue };
        if !session.contains(&layout::sidecar(&id)) {
            continue;
        }
        if entry.size_bytes == 0 {
            // An older aido didn't say. Its sidecar takes room in any case.
            entry.size_bytes = size_bytes(session, &id);
        }
        all.extend(Candidate::of(&entry, State::Finished, place));
    }
    Ok(Walked::Through)
}

/// The entry whose line begins at a place.
fn entry_at(index: &dyn ReadAt, place: u64) -> io::Result<Option<Entry<'static>>> {
    let rest = index.length()?.saturating_sub(place);
    for most in LINE_BYTES {
        let count = usize::try_from(rest.min(most)).unwrap_or(0);
        let mut bytes = vec![0; count];
        index.read_at(&mut bytes, place)?;
        let end = memchr::memchr(b'\n', &bytes);
        if end.is_some() || rest <= most {
            let line = &bytes[..end.unwrap_or(count)];
            return Ok(parse(line).map(Entry::into_owned));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::metadata::tests::minimal;
    use crate::store::index::line;

    #[test]
    fn an_entry_is_read_again_from_its_place_however_long_its_line_is() {
        let mut index = Vec::new();
        let mut places = Vec::new();
        for number in 0..4_usize {
            let mut metadata = minimal(&format!("a-20260305_132522-1-{number:08x}"));
            metadata.tags = vec!["x".repeat(1000 * number)];
            let entry = Entry::of(&metadata, 7);
            places.push((index.len() as u64, entry.session_id.clone().into_owned()));
            index.extend_from_slice(line(&entry).unwrap().as_bytes());
        }
        // The last one may lack its newline.
        index.pop();
        for (place, id) in places {
            let entry = entry_at(&index, place).unwrap().unwrap();
            assert_eq!((&*entry.session_id, entry.size_bytes), (&*id, 7));
        }
        assert!(entry_at(&index, 5).unwrap().is_none());
        assert!(entry_at(&index, 1 << 40).unwrap().is_none());
    }
}
