//! The sessions that ended last, in a hurry: as the index has them, and no longer than asked for.

use std::cmp::Reverse;
use std::collections::HashSet;

use super::{FileStore, index};
use crate::session::{Entry, SessionId};
use crate::store::index::{Backwards, parse};
use crate::store::{Found, State, StoreError, layout};

/// How many running and interrupted sessions are looked at, at most: each costs a file.
const LIVE_MAX: usize = 50;
/// How many lines are read between two looks at the time.
const LINES_BETWEEN: usize = 32;

/// What was found in a hurry.
#[derive(Debug)]
pub struct Recent {
    /// The wanted sessions: those that aren't over first, then those that ended last.
    pub found: Vec<Found>,
    /// How far it came.
    pub reach: Reach,
}

/// How far a look at the newest sessions came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// There are no others.
    All,
    /// There may be more; as many were found as were asked for.
    Enough,
    /// There may be more; the time was over.
    Late,
    /// There is no index, and making one would take too long.
    NoIndex,
}

impl FileStore {
    /// Finds at most `limit` wanted sessions among those that ended last, and those that aren't over.
    /// None that ended before `since` is looked for. In a large store nothing is made or mended, so an
    /// index that is behind is read as it is. `may_go_on` is asked every few lines, and told how many
    /// were read.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn recent(
        &self,
        limit: usize,
        since: Option<&str>,
        wanted: &dyn Fn(&Entry<'_>, State) -> bool,
        may_go_on: &dyn Fn(usize) -> bool,
    ) -> Result<Recent, StoreError> {
        let mut recent = Recent {
            found: Vec::new(),
            reach: Reach::All,
        };
        let Some((session, counterpart)) = self.open_to_read()? else {
            return Ok(recent);
        };
        // Before the index: what finishes meanwhile is seen twice rather than never.
        let mut live = self.live_ids(&session, counterpart.as_ref());
        live.sort_by(|one, other| other.local_time().cmp(one.local_time()));
        live.truncate(LIVE_MAX);
        let live = self.unfinished_sessions(&session, counterpart.as_ref(), live);
        let mut seen: HashSet<String> = HashSet::new();
        for found in live {
            seen.insert(found.entry.session_id.to_string());
            if wanted(&found.entry, found.state) {
                recent.found.push(found);
            }
        }
        let Some(index) = index::open_in_a_hurry(&session).map_err(self.error())? else {
            recent.reach = Reach::NoIndex;
            return Ok(recent);
        };
        let unfinished = self.without_rests(&session, index.unfinished);
        let new = |id: &SessionId| !seen.contains(id.as_str());
        let unfinished: Vec<SessionId> =
            unfinished.into_iter().filter(new).take(LIVE_MAX).collect();
        for found in self.unfinished_sessions(&session, counterpart.as_ref(), unfinished) {
            seen.insert(found.entry.session_id.to_string());
            if wanted(&found.entry, found.state) {
                recent.found.push(found);
            }
        }
        let first_finished = recent.found.len();
        let mut lines = Backwards::new(&*index.lines).map_err(self.error())?;
        let mut read = 0_usize;
        while let Some((line, _)) = lines.line().map_err(self.error())? {
            read += 1;
            if recent.found.len() >= limit {
                recent.reach = Reach::Enough;
                break;
            }
            if read.is_multiple_of(LINES_BETWEEN) && !may_go_on(read) {
                recent.reach = Reach::Late;
                break;
            }
            // A torn line says nothing; what stands before it may be whole.
            let Some(entry) = parse(line) else { continue };
            if since.is_some_and(|since| entry.last_time() < since) {
                // All lines before it came earlier.
                break;
            }
            if !seen.insert(entry.session_id.to_string())
                || entry.pruned.is_some()
                || !wanted(&entry, State::Finished)
            {
                continue;
            }
            let id = entry.id();
            if id.is_some_and(|id| session.contains(&layout::sidecar(&id))) {
                recent.found.push(Found {
                    entry: entry.into_owned(),
                    state: State::Finished,
                });
            }
        }
        // A line of a session that was changed later stands later.
        recent.found[first_finished..].sort_by_cached_key(|found| {
            let entry = &found.entry;
            let end = entry.ended_at.as_deref().unwrap_or(&entry.timestamp);
            Reverse((end.to_owned(), entry.session_id.to_string()))
        });
        Ok(recent)
    }
}
