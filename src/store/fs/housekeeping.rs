//! Housekeeping: what a recorder does for the store after its own session, now and then.
//!
//! At most once an hour, within a time budget, under locks that nobody waits for. What isn't done
//! in time is left for the next time, the oldest sessions first.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::io;
use std::time::Duration;

use super::rebuild::size_bytes;
use super::{FileStore, index};
use crate::session::{Policy, SessionId, State, Timestamp};
use crate::store::index::endings::for_each_line;
use crate::store::index::{ReadAt, parse};
use crate::store::retention::{Candidate, Limit, PruneReport, plan_prune};
use crate::store::{Key, StoreError, layout};
use crate::sys::file::{self, Directory};
use crate::sys::stamp::{Stamp, stamp, stamp_of, touch};

/// The least time between two times, in nanoseconds.
const PAUSE_NS: i128 = 3600 * 1_000_000_000;
/// How long it may keep a recorder from exiting.
const BUDGET: Duration = Duration::from_millis(100);
/// How much of that goes to reading, at most: what is left is for removing.
const READING_BUDGET: Duration = Duration::from_millis(60);
/// How many lines of the index, or names, are looked at between two looks at the time.
const LINES_BETWEEN: usize = 256;

impl FileStore {
    /// Keeps the store in order, and tells which sessions went; none if it was not time to. `elapsed` tells the time
    /// since it was called; what fails is left for `prune` and `recover` to say.
    pub fn housekeep(
        &self,
        policy: &Policy,
        key: Option<&Key>,
        now: Timestamp,
        elapsed: &dyn Fn() -> Duration,
    ) -> Option<Vec<SessionId>> {
        let Ok(Some((session, counterpart))) = self.open_to_read() else {
            return None;
        };
        let marked = stamp_of(&session, layout::HOUSEKEEPING);
        let is_first = marked.is_err();
        if marked.is_ok_and(|mark| !is_due(mark, now)) || session.check_private().is_err() {
            return None;
        }
        let Ok(mark) = session.append(OsStr::new(layout::HOUSEKEEPING)) else {
            return None;
        };
        if file::lock(&mark).is_err() {
            return None;
        }
        // Somebody else may have done it between the look and the lock.
        let is_still_due = is_first || stamp(&mark).is_ok_and(|mark| is_due(mark, now));
        // Somebody who holds this one may hold it for long: then it is for the next recorder.
        let is_free = index::lock(&session, Duration::ZERO).is_ok();
        if !is_still_due || !is_free || touch(&mark).is_err() || is_first {
            return None;
        }
        self.recover_in_passing(key, now);
        let may_read = || elapsed() < READING_BUDGET;
        let Ok((mut candidates, mut known)) = candidates(&session, policy, now, &may_read) else {
            return Some(Vec::new());
        };
        let ids = self.live_ids(&session, counterpart.as_ref());
        let live = self.unfinished_sessions(&session, counterpart.as_ref(), ids);
        for found in &live {
            let candidate = Candidate::of(&found.entry, found.state, known.len() as u64);
            if let (Some(id), Some(candidate)) = (found.entry.id(), candidate) {
                known.push(id);
                candidates.push(candidate);
            }
        }
        let id_of = |candidate: &Candidate| {
            let place = usize::try_from(candidate.place()).unwrap_or(usize::MAX);
            known.get(place).cloned()
        };
        let measured = self.measure(policy, &mut candidates, &id_of, now, &may_read);
        if !matches!(measured, Ok(true)) {
            retain_old(&mut candidates, policy, now);
        }
        let plan = plan_prune(policy, &candidates, now);
        let may_go_on = || elapsed() < BUDGET;
        let mut gone = Vec::new();
        PruneReport::carry_out(plan, may_go_on, |removal| {
            let reason = format!("housekeeping: {}", removal.limit.name());
            let Some(id) = id_of(removal.candidate) else {
                return Ok(());
            };
            self.remove_planned(&id, removal.candidate, now, &reason, Duration::ZERO)
                .map(|_| gone.push(id.clone()))
        });
        Some(gone)
    }
}

impl FileStore {
    /// Asks the files of each candidate for their size, if any would have to go for its bytes: an index
    /// may come with a repository, and what it says must not cost other sessions. `id_of` finds a
    /// candidate's id. False if `may_go_on` said so before it was done.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn measure(
        &self,
        policy: &Policy,
        candidates: &mut [Candidate],
        id_of: &dyn Fn(&Candidate) -> Option<SessionId>,
        now: Timestamp,
        may_go_on: &dyn Fn() -> bool,
    ) -> Result<bool, StoreError> {
        let plan = plan_prune(policy, candidates, now);
        let mut removals = plan.removals.iter();
        if !removals.any(|removal| removal.limit == Limit::Bytes) {
            return Ok(true);
        }
        let Some((session, counterpart)) = self.open_to_read()? else {
            return Ok(true);
        };
        for (count, candidate) in candidates.iter_mut().enumerate() {
            if count.is_multiple_of(LINES_BETWEEN) && !may_go_on() {
                return Ok(false);
            }
            let Some(id) = id_of(candidate) else {
                continue;
            };
            let directories = [Some(&session), counterpart.as_ref()].into_iter().flatten();
            candidate.size_bytes = directories.map(|it| size_bytes(it, &id)).sum();
        }
        Ok(true)
    }
}

/// Whether the last time is long enough ago. A clock that was set back must not stop it for good.
fn is_due(mark: Stamp, now: Timestamp) -> bool {
    let now_ns = i128::from(now.0.timestamp_millis()) * 1_000_000;
    (now_ns - mark.modified_ns).abs() >= PAUSE_NS
}

/// What the index says is there, and is, with the ids at their places. Where it is too long to be read in time, only what is too
/// old for certain: the index begins with the oldest.
fn candidates(
    session: &Directory,
    policy: &Policy,
    now: Timestamp,
    may_read: &dyn Fn() -> bool,
) -> io::Result<(Vec<Candidate>, Vec<SessionId>)> {
    let index = index::open(session, index::Manner::HASTY)?.lines;
    let (mut found, mut lines, mut is_late) = (HashMap::new(), 0_usize, false);
    for_each_line(&*index, 0, ReadAt::length(&*index)?, &mut |line, _| {
        lines += 1;
        is_late |= lines.is_multiple_of(LINES_BETWEEN) && !may_read();
        if is_late {
            return;
        }
        let Some(entry) = parse(line) else { return };
        let Some(id) = entry.id() else { return };
        // Its place among the lines, so that the order of going is that of the index.
        match Candidate::of(&entry, State::Finished, lines as u64) {
            Some(candidate) if entry.pruned.is_none() => drop(found.insert(id, candidate)),
            _ => drop(found.remove::<SessionId>(&id)),
        }
    })?;
    let mut found: Vec<(SessionId, Candidate)> = found.into_iter().collect();
    found.sort_unstable_by_key(|(_, candidate)| candidate.place());
    let (mut candidates, mut known) = (Vec::with_capacity(found.len()), Vec::new());
    for (count, (id, mut candidate)) in found.into_iter().enumerate() {
        is_late |= count.is_multiple_of(LINES_BETWEEN) && !may_read();
        // What somebody removed by hand takes no room, and nothing else has to go for it.
        if !is_late && !session.contains(&layout::sidecar(&id)) {
            continue;
        }
        if candidate.size_bytes == 0 {
            // An older aido didn't say.
            candidate.size_bytes = size_bytes(session, &id);
        }
        candidates.push(candidate.at(known.len() as u64));
        known.push(id);
    }
    if is_late {
        retain_old(&mut candidates, policy, now);
    }
    Ok((candidates, known))
}

/// Keeps those that are too old whatever else there is.
fn retain_old(candidates: &mut Vec<Candidate>, policy: &Policy, now: Timestamp) {
    let longest = policy.max_age;
    candidates.retain(|candidate| {
        let age_ms = u128::from(candidate.age_ms(now));
        !candidate.is_pinned() && longest.is_some_and(|longest| age_ms > longest.as_millis())
    });
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::path::Path;

    use super::*;
    use crate::session::metadata::tests::minimal;
    use crate::session::{Entry, Location};
    use crate::store::index::line;
    use crate::sys::stamp::set_modified;

    /// Makes a session that ended then; gives the line of its index.
    fn plant(directory: &Directory, id: &str, ended: &str) -> String {
        let mut metadata = minimal(id);
        metadata.timestamp = ended.parse().unwrap();
        metadata.ended_at = Some(metadata.timestamp);
        let name = layout::sidecar(&metadata.session_id);
        let text = metadata.to_json().unwrap();
        let mut file = directory.create(&name).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        line(&Entry::of(&metadata, 1000)).unwrap()
    }

    fn left(path: &Path, elapsed: &dyn Fn() -> Duration) -> usize {
        let directory = Directory::open(path).unwrap();
        let mark = directory.create(layout::HOUSEKEEPING).unwrap();
        set_modified(&mark, 0).unwrap();
        let old = plant(
            &directory,
            "a-20200101_000000-1-00000001",
            "2020-01-01T00:00:00.000Z",
        );
        let new = plant(
            &directory,
            "a-20260305_000000-1-00000002",
            "2026-03-05T00:00:00.000Z",
        );
        // One that was edited often, so that reading takes some looks at the time.
        let mut index = directory.create(layout::INDEX).unwrap();
        let lines = old.repeat(3 * LINES_BETWEEN) + &new;
        index.write_all(lines.as_bytes()).unwrap();
        drop(index);
        let store = FileStore::new(Location::Named(path.to_owned()), None, None);
        let policy = Policy {
            max_total_bytes: Some(1),
            ..Policy::default()
        };
        let now = "2026-03-06T00:00:00.000Z".parse().unwrap();
        store.housekeep(&policy, None, now, elapsed);
        let mut sidecars = 0;
        let mut count = |name: &OsStr| {
            sidecars += usize::from(matches!(
                layout::parse(name),
                Some((_, layout::Kind::Sidecar))
            ));
        };
        directory.each_name(&mut count).unwrap();
        sidecars
    }

    /// By what was read in time nobody can tell what is above the limits together; what is too old
    /// goes in the time that is left.
    #[test]
    fn where_reading_takes_too_long_only_what_is_too_old_goes() {
        for (elapsed_ms, sidecars) in [(0, 0), (80, 1), (200, 2)] {
            let temporary = tempfile::tempdir().unwrap();
            let elapsed = || Duration::from_millis(elapsed_ms);
            let left = left(temporary.path(), &elapsed);
            assert_eq!(left, sidecars, "after {elapsed_ms} ms");
        }
    }
}
