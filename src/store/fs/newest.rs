//! Visiting sessions, the newest first: the live ones by their entries, the finished by the index.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::ops::ControlFlow;

use super::{FileStore, index};
use crate::session::query::{Match, Query};
use crate::session::{Entry, Selector, SessionId};
use crate::store::index::endings::for_each_line;
use crate::store::index::{Backwards, ReadAt, newest_first, parse};
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

    /// Those of these sessions that have no sidecar, the newest first.
    fn unfinished_sessions(&self, ids: Vec<SessionId>) -> Vec<Found> {
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
            let entry = match (&metadata, state) {
                (Some(metadata), _) => Entry::of(metadata, 0),
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

    pub(super) fn visit_newest(
        &self,
        query: &Query,
        visit: &mut dyn FnMut(Found) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let Some((session, counterpart)) = self.open_to_read()? else {
            return Ok(());
        };
        // Before the index: what finishes meanwhile is seen twice rather than never.
        let mut ids = self.live_ids(&session, counterpart.as_ref());
        let index = index::open(&session).map_err(self.error())?;
        ids.extend(index.unfinished);
        ids.sort_unstable();
        ids.dedup();
        let live = self.unfinished_sessions(ids);
        let live_ids: Vec<String> = live
            .iter()
            .map(|found| found.entry.session_id.to_string())
            .collect();
        let mut live = live
            .into_iter()
            .filter(|found| self.is_wanted(query, found))
            .peekable();
        let walk = || -> io::Result<ControlFlow<()>> {
            let mut lines = Backwards::new(&*index.lines)?;
            let mut wanted = |entry: &Entry<'_>| {
                entry.pruned.is_none()
                    && query.matches(entry, State::Finished) != Match::No
                    && !live_ids.iter().any(|id| *id == entry.session_id)
            };
            let mut flow = ControlFlow::Continue(());
            let mut show = |entry: Entry<'static>| {
                let found = Found {
                    entry,
                    state: State::Finished,
                };
                while let Some(newer) = live.next_if(|live| order(live) > order(&found)) {
                    visit(newer)?;
                }
                if self.is_there(&session, &found) && self.is_wanted(query, &found) {
                    visit(found)?;
                }
                ControlFlow::Continue(())
            };
            newest_first(&mut lines, &mut wanted, &mut |entry| {
                flow = show(entry);
                flow
            })?;
            Ok(flow)
        };
        let mut walk = walk;
        if walk().map_err(self.error())?.is_continue() {
            for found in live {
                if visit(found).is_break() {
                    break;
                }
            }
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
        let walk = || -> io::Result<()> {
            let index = index::open(&session)?.lines;
            let length = ReadAt::length(&*index)?;
            for_each_line(&*index, 0, length, &mut |line, _| {
                let Some(entry) = parse(line) else { return };
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
            Ok(())
        };
        let mut walk = walk;
        walk().map_err(self.error())?;
        Ok(unreadable)
    }

    pub(super) fn find_part(&self, part: &str, limit: usize) -> Result<Vec<SessionId>, StoreError> {
        let Some((session, counterpart)) = self.open_to_read()? else {
            return Ok(Vec::new());
        };
        let selector = Selector::Part(part.to_owned());
        let mut found = self.live_ids(&session, counterpart.as_ref());
        found.retain(|id| selector.fits(id) && self.state(id).is_ok());
        for id in index::find(&session, part, limit).map_err(self.error())? {
            if !found.contains(&id) && session.contains(&layout::sidecar(&id)) {
                found.push(id);
            }
        }
        found.truncate(limit);
        Ok(found)
    }

    /// Visits the removed sessions, the one that went last first.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn pruned(
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
        while let Some((line, _)) = lines.line().map_err(self.error())? {
            if let Some(entry) = parse(line)
                && visit(entry.into_owned()).is_break()
            {
                break;
            }
        }
        Ok(())
    }

    /// A line may be left of a session whose recorder was killed before it was published, or whose
    /// files somebody removed.
    fn is_there(&self, session: &Directory, found: &Found) -> bool {
        let id = found.entry.id();
        id.is_some_and(|id| session.contains(&layout::sidecar(&id)))
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

fn order(found: &Found) -> (String, String) {
    let entry = &found.entry;
    (entry.timestamp.to_string(), entry.session_id.to_string())
}
