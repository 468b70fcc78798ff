//! Finding sessions by a part of their ids.

use std::io::{self, Write};

use super::{Manner, open, remake};
use crate::session::SessionId;
use crate::store::index::endings::{self, Endings, for_each_line};
use crate::store::index::{self, ReadAt};
use crate::store::layout;
use crate::sys::file::Directory;
use crate::sys::random;

/// More than an id takes at the beginning of a line.
const ID_BYTES: u64 = 256;
/// The most lines that are looked at where a table says so: of sessions that are gone, and of one
/// that was changed often, there are many.
const PLACES_MAX: usize = 4096;

/// The ids of finished sessions that end so or begin so, at most `limit`.
///
/// # Errors
/// When the index can't be read.
pub(in crate::store::fs) fn find(
    session: &Directory,
    part: &str,
    limit: usize,
    manner: Manner<'_>,
) -> io::Result<Vec<SessionId>> {
    let index = open(session, manner)?.lines;
    let mut search = Search {
        session,
        part,
        limit,
        found: Vec::new(),
        is_damaged: false,
    };
    search.quickly(&*index)?;
    if search.found.is_empty() {
        // The table of endings is derived, and may be of another index than it seems.
        search.is_damaged = false;
        search.everywhere(&*index)?;
        if search.is_damaged && search.found.is_empty() {
            search.everywhere(&*remake(session, manner)?.lines)?;
        }
    }
    Ok(search.found)
}

/// A search for a part of an id.
struct Search<'a> {
    session: &'a Directory,
    part: &'a str,
    limit: usize,
    found: Vec<SessionId>,
    /// Whether there was a line that is none.
    is_damaged: bool,
}

impl Search<'_> {
    fn look(&mut self, line: &[u8]) {
        let Some(text) = index::id_of(line) else {
            self.is_damaged |= !line.is_empty();
            return;
        };
        let hex = text.rsplit('-').next().unwrap_or_default();
        if (text.starts_with(self.part) || hex.ends_with(self.part))
            && self.found.len() < self.limit
            && self.found.iter().all(|id| id.as_str() != text)
            && let Ok(id) = text.parse()
            // The lines of those that are gone stay.
            && self.session.contains(&layout::sidecar(&id))
        {
            self.found.push(id);
        }
    }

    fn everywhere(&mut self, index: &dyn ReadAt) -> io::Result<()> {
        for_each_line(index, 0, index.length()?, &mut |line, _| self.look(line)).map(drop)
    }

    /// By the table of endings, and in what it doesn't cover. Makes it anew if that is much.
    fn quickly(&mut self, index: &dyn ReadAt) -> io::Result<()> {
        let session = self.session;
        let table = session.open_file(layout::ENDINGS).ok();
        let endings = table.as_ref().and_then(|file| Endings::open(file, index));
        let length = index.length()?;
        let covered = endings.as_ref().map_or(0, Endings::covered_bytes);
        let part = self.part;
        let mut look = |line: &[u8], _: u64| self.look(line);
        match &endings {
            Some(endings) if !endings.may_begin_with(part) => {
                for place in endings.find(part, PLACES_MAX)? {
                    let count = ID_BYTES.min(length.saturating_sub(place));
                    let mut line = vec![0; usize::try_from(count).unwrap_or_default()];
                    index.read_at(&mut line, place)?;
                    look(&line, place);
                }
            }
            Some(_) => drop(for_each_line(index, 0, covered, &mut look)?),
            None => {}
        }
        for_each_line(index, covered, length, &mut look)?;
        if length.saturating_sub(covered) > endings::UNCOVERED_MAX_BYTES
            && session.check_private().is_ok()
        {
            let _ = cover(session, index);
        }
        Ok(())
    }
}

/// Makes the table of endings anew.
fn cover(session: &Directory, index: &dyn ReadAt) -> io::Result<()> {
    let bytes = endings::build(index)?;
    let new = layout::replacement(layout::ENDINGS, random::number()?);
    let made = session.create(&new).and_then(|mut file| {
        file.write_all(&bytes)?;
        session.replace(&new, layout::ENDINGS)
    });
    if made.is_err() {
        let _ = session.remove(&new);
    }
    made
}
