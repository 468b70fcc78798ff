//! Visiting sessions, the newest first: the live ones by their entries, the finished by the index.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::iter::Peekable;
use std::ops::ControlFlow;
use std::vec::IntoIter;

use super::rebuild::size_bytes;
use super::{FileStore, index};
use crate::session::query::{Match, Query};
use crate::session::{Entry, Selector, SessionId};
use crate::store::index::endings::for_each_line;
use crate::store::index::{Backwards, ReadAt, Walked, newest_first, parse};
use crate::store::{Found, State, Store, StoreError, layout};
use crate::sys::file::Directory;
use crate::transcript::record;

impl FileStore {
    /// The ids of sessions that have a live entry: running, interrupted, or beginning just now.
    pub(super) fn live_ids(
        &self,
        session: &Directory,
        counterpart: Option<&Directory>,
    ) -> Vec<SessionId> {
        let mut ids = Vec::new();
        let within = session.open_child(OsStr::new(layout::LIVE)).ok();
        for directory in [within.as_ref(), counterpart].into_iter().flatten() {
            let mut take = |name: &OsStr| {
                ids.extend(
                    name.to_str()
                        .and_then(|name| name.parse::<SessionId>().ok()),
                );
            };
            // What can't be read has nothing live for this user.
            let _ = directory.each_name(&mut take);
        }
        ids
    }

    /// The running session that was given this name.
    ///
    /// # Errors
    /// When the store can't be read.
    pub(super) fn find_running(&self, name: &str) -> Result<Option<SessionId>, StoreError> {
        let Some((session, counterpart)) = self.open_to_read()? else {
            return Ok(None);
        };
        let has_name = |id: &SessionId| {
            let known = self.start_record(id).ok();
            let found = known.as_ref().and_then(|known| known.get("name")?.as_str());
            found == Some(name) && matches!(self.state(id), Ok(State::Running))
        };
        let mut ids = self.live_ids(&session, counterpart.as_ref()).into_iter();
        Ok(ids.find(has_name))
    }

    /// Those of these sessions that are not finished, the newest first.
    pub(super) fn unfinished_sessions(
        &self,
        session: &Directory,
        counterpart: Option<&Directory>,
        ids: Vec<SessionId>,
    ) -> Vec<Found> {
        let found = ids.into_iter().filter_map(|id| {
            let state = match self.state(&id) {
                Ok(State::Finished) | Err(StoreError::NoSession(_)) => return None,
                Ok(state) => state,
                // Something else is in its files' place, which its reader will be told.
                Err(_) => State::Interrupted,
            };
            let known = self.start_record(&id).ok();
            let metadata = known.as_ref().and_then(record::interrupted);
            let metadata = metadata.filter(|metadata| metadata.session_id == id);
            let directories = [Some(session), counterpart].into_iter().flatten();
            let bytes = directories
                .map(|directory| size_bytes(directory, &id))
                .sum();
            let entry = match (&metadata, state) {
                (Some(metadata), _) => Entry::of(metadata, bytes),
                (None, State::Interrupted) => Entry::unreadable(&id),
                // Its recorder has just begun.
                (None, _) => return None,
            };
            let entry = entry.into_owned();
            Some(Found { entry, state })
        });
        let mut found: Vec<Found> = found.collect();
        found.sort_by_cached_key(|found| Reverse(order(found)));
        found
    }

    /// The index, and the sessions that are not finished, the newest first.
    ///
    /// # Errors
    /// When the store can't be read.
    pub(super) fn open_index(
        &self,
        session: &Directory,
        counterpart: Option<&Directory>,
    ) -> Result<(Box<dyn ReadAt>, Vec<Found>), StoreError> {
        // Before the index: what finishes meanwhile is seen twice rather than never.
        let mut ids = self.live_ids(session, counterpart);
        let index = index::open(session, self.manner()).map_err(self.error())?;
        ids.extend(self.without_rests(session, index.unfinished));
        ids.sort_unstable();
        ids.dedup();
        let live = self.unfinished_sessions(session, counterpart, ids);
        Ok((index.lines, live))
    }

    pub(super) fn visit_newest(
        &self,
        query: &Query,
        visit: &mut dyn FnMut(Found) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let Some((session, counterpart)) = self.open_to_read()? else {
            return Ok(());
        };
        let (lines, mut live) = self.open_index(&session, counterpart.as_ref())?;
        let hasher = RandomState::new();
        let digests = live
            .iter()
            .map(|found| hasher.hash_one(&*found.entry.session_id));
        let seen = digests.collect();
        live.retain(|found| self.is_wanted(query, found));
        let mut tour = Tour {
            store: self,
            session: &session,
            query,
            live: live.into_iter().peekable(),
            hasher,
            seen,
            visit,
        };
        let mut walked = tour.walk(&*lines).map_err(self.error())?;
        if walked == Walked::Damaged {
            let index = index::remake(&session, self.manner()).map_err(self.error())?;
            walked = tour.walk(&*index.lines).map_err(self.error())?;
        }
        if walked != Walked::Stopped {
            let _ = tour.live.try_for_each(tour.visit);
        }
        Ok(())
    }

    /// Visits the finished sessions that are wanted in the order of their ends, the first one first.
    /// Returns how many of them can't be read.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn oldest(
        &self,
        query: &Query,
        visit: &mut dyn FnMut(&Entry<'_>),
    ) -> Result<usize, StoreError> {
        let Some((session, _)) = self.open_to_read()? else {
            return Ok(0);
        };
        let hasher = RandomState::new();
        // The first line of a session has its place; those after it say what was changed since.
        let (mut seen, mut unreadable) = (HashSet::new(), 0);
        let mut walk = |index: &dyn ReadAt| -> io::Result<bool> {
            let mut is_damaged = false;
            for_each_line(index, 0, index.length()?, &mut |line, _| {
                let Some(entry) = parse(line) else {
                    is_damaged |= !line.is_empty();
                    return;
                };
                if entry.pruned.is_some() || query.matches(&entry, State::Finished) == Match::No {
                    return;
                }
                let id = entry
                    .id()
                    .filter(|id| session.contains(&layout::sidecar(id)));
                if id.is_none() || !seen.insert(hasher.hash_one(&*entry.session_id)) {
                    return;
                }
                unreadable += usize::from(entry.status.is_none());
                visit(&entry);
            })?;
            Ok(is_damaged)
        };
        let index = index::open(&session, self.manner()).map_err(self.error())?;
        if walk(&*index.lines).map_err(self.error())? {
            // Those that the damage hid come last.
            let index = index::remake(&session, self.manner()).map_err(self.error())?;
            walk(&*index.lines).map_err(self.error())?;
        }
        Ok(unreadable)
    }

    pub(super) fn find_part(&self, part: &str, limit: usize) -> Result<Vec<SessionId>, StoreError> {
        let Some((session, counterpart)) = self.open_to_read()? else {
            return Ok(Vec::new());
        };
        if part.is_empty() {
            return Ok(Vec::new());
        }
        let selector = Selector::Part(part.to_owned());
        let mut found = self.live_ids(&session, counterpart.as_ref());
        found.retain(|id| selector.fits(id) && self.state(id).is_ok());
        for id in index::find(&session, part, limit, self.manner()).map_err(self.error())? {
            if !found.contains(&id) {
                found.push(id);
            }
        }
        found.truncate(limit);
        Ok(found)
    }

    pub(super) fn visit_removed(
        &self,
        visit: &mut dyn FnMut(Entry<'static>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let Some((session, _)) = self.open_to_read()? else {
            return Ok(());
        };
        let file = match session.open_file(layout::PRUNED) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            result => result.map_err(self.error())?,
        };
        let mut lines = Backwards::new(&file).map_err(self.error())?;
        let mut seen: HashSet<String> = HashSet::new();
        while let Some((line, _)) = lines.line().map_err(self.error())? {
            let removal = parse(line).filter(|entry| entry.pruned.is_some());
            let Some(entry) = removal.and_then(|entry| {
                let is_there = session.contains(&layout::sidecar(&entry.id()?));
                (!is_there && seen.insert(entry.session_id.to_string())).then_some(entry)
            }) else {
                continue;
            };
            if visit(entry.into_owned()).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn is_wanted(&self, query: &Query, found: &Found) -> bool {
        match (query.matches(&found.entry, found.state), &query.text) {
            (Match::Yes, _) => true,
            (Match::No, _) => false,
            (Match::Unknown, None) => true,
            (Match::Unknown, Some(test)) => {
                let metadata = found.entry.id().and_then(|id| match found.state {
                    State::Finished => self.metadata(&id).ok(),
                    _ => record::interrupted(&self.start_record(&id).ok()?),
                });
                metadata.is_some_and(|metadata| test.fits_metadata(&metadata))
            }
        }
    }
}

/// A walk through the store, the newest sessions first.
struct Tour<'t> {
    store: &'t FileStore,
    session: &'t Directory,
    query: &'t Query,
    /// The unfinished ones that were not visited yet.
    live: Peekable<IntoIter<Found>>,
    hasher: RandomState,
    /// Digests of the ids of those that have had their turn.
    seen: HashSet<u64>,
    visit: &'t mut dyn FnMut(Found) -> ControlFlow<()>,
}

impl Tour<'_> {
    /// Visits the sessions of the index that were not visited yet, and unfinished ones between them.
    fn walk(&mut self, index: &dyn ReadAt) -> io::Result<Walked> {
        let (seen, hasher) = (self.seen.clone(), self.hasher.clone());
        let mut wanted = |entry: &Entry<'_>| {
            entry.pruned.is_none()
                && self.query.matches(entry, State::Finished) != Match::No
                && !seen.contains(&hasher.hash_one(&*entry.session_id))
        };
        let mut lines = Backwards::new(index)?;
        newest_first(&mut lines, &mut wanted, &mut |entry| self.show(entry))
    }

    fn show(&mut self, mut entry: Entry<'static>) -> ControlFlow<()> {
        let Some(id) = entry.id() else {
            return ControlFlow::Continue(());
        };
        // A line may be left of a session whose recorder was killed before it was published, or
        // whose files somebody removed.
        if !self.session.contains(&layout::sidecar(&id)) {
            return ControlFlow::Continue(());
        }
        if entry.size_bytes == 0 {
            // An older aido didn't say. Its sidecar takes room in any case.
            entry.size_bytes = size_bytes(self.session, &id);
        }
        let state = State::Finished;
        let found = Found { entry, state };
        while let Some(newer) = self.live.next_if(|live| order(live) > order(&found)) {
            (self.visit)(newer)?;
        }
        self.seen.insert(self.hasher.hash_one(id.as_str()));
        if self.store.is_wanted(self.query, &found) {
            (self.visit)(found)?;
        }
        ControlFlow::Continue(())
    }
}

fn order(found: &Found) -> (String, String) {
    let entry = &found.entry;
    (entry.timestamp.to_string(), entry.session_id.to_string())
}
