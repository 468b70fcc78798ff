//! Housekeeping: what a recorder does for the store after its own session, now and then.
//!
//! At most once an hour, within a time budget, under a lock that nobody waits for. What isn't done
//! in time is left for the next time, the oldest sessions first.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::io;

use super::{FileStore, index};
use crate::session::{Policy, SessionId, State, Timestamp};
use crate::store::index::endings::for_each_line;
use crate::store::index::{ReadAt, parse};
use crate::store::retention::{Candidate, PruneReport, plan_prune};
use crate::store::{Key, Store, layout};
use crate::sys::file::{self, Directory};
use crate::sys::stamp::{stamp_of, touch};

/// The least time between two times, in nanoseconds.
const PAUSE_NS: i128 = 3600 * 1_000_000_000;
/// How many lines of the index are read between two looks at the time.
const LINES_BETWEEN: usize = 256;

impl FileStore {
    /// Keeps the store in order, if it is time to. `may_go_on` is asked again and again; what fails
    /// is left for `prune` and `recover` to say.
    pub fn housekeep(
        &self,
        policy: &Policy,
        key: Option<&Key>,
        now: Timestamp,
        may_go_on: &dyn Fn() -> bool,
    ) {
        let Ok(Some((session, _))) = self.open_to_read() else {
            return;
        };
        let now_ns = i128::from(now.0.timestamp_millis()) * 1_000_000;
        let is_due = || match stamp_of(&session, layout::HOUSEKEEPING) {
            // A clock that was set back must not stop it for good.
            Ok(stamp) => (now_ns - stamp.modified_ns).abs() >= PAUSE_NS,
            Err(_) => true,
        };
        if !is_due() || session.check_private().is_err() {
            return;
        }
        let is_first = !session.contains(layout::HOUSEKEEPING);
        let Ok(mark) = session.append(OsStr::new(layout::HOUSEKEEPING)) else {
            return;
        };
        if file::lock(&mark).is_err() || touch(&mark).is_err() || is_first {
            return;
        }
        self.recover_in_passing(key, now);
        let Ok(candidates) = candidates(&session, policy, now, may_go_on) else {
            return;
        };
        let plan = plan_prune(policy, &candidates, now);
        PruneReport::carry_out(plan, may_go_on, |removal| {
            let reason = format!("housekeeping: {}", removal.limit.name());
            self.remove(&removal.candidate.id, now, &reason).map(drop)
        });
    }
}

/// What the index says is there. Where it is too long to be read in time, only what is too old
/// for certain: the index begins with the oldest.
fn candidates(
    session: &Directory,
    policy: &Policy,
    now: Timestamp,
    may_go_on: &dyn Fn() -> bool,
) -> io::Result<Vec<Candidate>> {
    let index = index::open(session)?.lines;
    let (mut found, mut lines, mut is_late) = (HashMap::new(), 0_usize, false);
    for_each_line(&*index, 0, ReadAt::length(&*index)?, &mut |line, _| {
        lines += 1;
        is_late |= lines.is_multiple_of(LINES_BETWEEN) && !may_go_on();
        if is_late {
            return;
        }
        let Some(entry) = parse(line) else { return };
        let Some(id) = entry.id() else { return };
        match Candidate::of(&entry, State::Finished) {
            Some(candidate) if entry.pruned.is_none() => drop(found.insert(id, candidate)),
            _ => drop(found.remove::<SessionId>(&id)),
        }
    })?;
    let mut candidates: Vec<Candidate> = found.into_values().collect();
    if is_late {
        let longest = policy.max_age;
        candidates.retain(|candidate| {
            let age_ms = u128::from(candidate.age_ms(now));
            longest.is_some_and(|longest| age_ms > longest.as_millis())
        });
    }
    Ok(candidates)
}
