//! Which sessions go when there are too many: the decision, and nothing else. It looks at values,
//! asks no clock and touches no file; whoever carries a plan out has to take a session's lock
//! first, since a plan is a little older than the store.
//!
//! The rules, in this order:
//! 1. A running session is never removed. It counts for the limits, since it takes its room.
//! 2. What ended longer ago than the greatest age goes, unless it is pinned.
//! 3. While the rest is above a limit, in bytes or in number, the next goes: first those that
//!    nothing speaks for, then those that something does ([`Candidate::held_by`]), the oldest first.
//!
//! So a plan is the least that holds the limits in this order: without its last removal of rule 3
//! a limit would not hold. Planning again over what is left gives an empty plan. Where all limits
//! can't hold, only running sessions are left.
//!
//! It takes O(n log n) time and 20 bytes a candidate besides the candidates themselves, which are as
//! small; where the limits hold, which is the common case, O(n) and nothing.

mod report;
#[cfg(test)]
mod tests;

pub use report::{Failure, Fate, PruneReport};

pub use crate::session::Policy;

use super::State;
use crate::session::{Entry, Timestamp};

/// What the decision has to know of a session: 24 bytes, since there may be a million. What else there is
/// to say of it is looked up where it is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    dated_ms: i64,
    /// What all its files take on the disk, in bytes.
    pub size_bytes: u64,
    place: [u8; PLACE_BYTES],
    holds: u8,
    /// Whether it is over.
    pub state: State,
}

/// Enough for 256 TiB.
const PLACE_BYTES: usize = 6;

/// Something that speaks for a session, so that it goes after all that have nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// It failed, or nobody knows how it ended.
    Failed,
    /// An open fault refers to it.
    Fault,
    /// It belongs to a task.
    Task,
    /// The user pinned it.
    Pin,
}

impl Hold {
    fn bit(self) -> u8 {
        1 << self as u8
    }

    /// Its name in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Fault => "fault",
            Self::Task => "task",
            Self::Pin => "pin",
        }
    }
}

impl Candidate {
    /// A session that is dated so. By `place`, a number below 2^48 that no other one has, whoever planned
    /// finds it again.
    #[must_use]
    pub fn new(dated: Timestamp, size_bytes: u64, state: State, place: u64) -> Self {
        let candidate = Self {
            dated_ms: dated.0.timestamp_millis(),
            size_bytes,
            place: [0; PLACE_BYTES],
            holds: 0,
            state,
        };
        candidate.at(place)
    }

    /// The same at another place.
    #[must_use]
    pub fn at(mut self, place: u64) -> Self {
        self.place
            .copy_from_slice(&place.to_le_bytes()[..PLACE_BYTES]);
        self
    }

    /// The same, with something that speaks for it.
    #[must_use]
    pub fn with(mut self, hold: Hold) -> Self {
        self.holds |= hold.bit();
        self
    }

    /// A session of which these few words are known; none where they don't say when it started.
    #[must_use]
    pub fn of(entry: &Entry<'_>, state: State, place: u64) -> Option<Self> {
        let started: Timestamp = entry.timestamp.parse().ok()?;
        let ended = entry.ended_at.as_ref().and_then(|end| end.parse().ok());
        let candidate = Self::new(ended.unwrap_or(started), entry.size_bytes, state, place);
        let holds = [
            (entry.has_failed(), Hold::Failed),
            (entry.fault.is_some(), Hold::Fault),
            (entry.task.is_some(), Hold::Task),
            (entry.pinned, Hold::Pin),
        ];
        let speaking = holds.into_iter().filter(|(speaks, _)| *speaks);
        Some(speaking.fold(candidate, |candidate, (_, hold)| candidate.with(hold)))
    }

    /// By what whoever planned finds it again.
    #[must_use]
    pub fn place(&self) -> u64 {
        let mut bytes = [0; 8];
        bytes[..PLACE_BYTES].copy_from_slice(&self.place);
        u64::from_le_bytes(bytes)
    }

    /// Whether the user pinned it.
    #[must_use]
    pub fn is_pinned(&self) -> bool {
        self.holds & Hold::Pin.bit() != 0
    }

    /// Its age in milliseconds, counted from its end as far as that is known, else from its start. Where
    /// the clock went backwards since, it has none.
    #[must_use]
    pub fn age_ms(&self, now: Timestamp) -> u64 {
        let age_ms = now.0.timestamp_millis().saturating_sub(self.dated_ms);
        u64::try_from(age_ms).unwrap_or(0)
    }

    /// What speaks for it.
    pub fn held_by(&self) -> impl Iterator<Item = Hold> {
        let is_interrupted = self.state == State::Interrupted;
        let all = [Hold::Failed, Hold::Fault, Hold::Task, Hold::Pin].into_iter();
        let holds = self.holds;
        all.filter(move |hold| holds & hold.bit() != 0 || (is_interrupted && *hold == Hold::Failed))
    }

    fn is_held(&self) -> bool {
        self.held_by().next().is_some()
    }

    /// What the order of going is by. The place makes it the same for everybody who reads the same index.
    fn order(&self) -> (bool, i64, u64) {
        (self.is_held(), self.dated_ms, self.place())
    }
}

/// The limit of a [`Policy`] that a session has to go for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// It is too old.
    Age,
    /// All together take too much room.
    Bytes,
    /// There are too many.
    Sessions,
}

impl Limit {
    /// Its name in JSON and in the index.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Age => "age",
            Self::Bytes => "bytes",
            Self::Sessions => "sessions",
        }
    }
}

/// A session, and the limit that is the reason for what is said of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Removal<'a> {
    /// The session.
    pub candidate: &'a Candidate,
    /// The limit.
    pub limit: Limit,
}

/// A number of sessions, and what they take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// How many.
    pub sessions: u64,
    /// Their files, in bytes. Sizes can be nonsense, so that their sum needn't fit into 64 bits.
    pub size_bytes: u128,
}

impl Sum {
    fn add(&mut self, candidate: &Candidate) {
        self.sessions += 1;
        self.size_bytes += u128::from(candidate.size_bytes);
    }

    fn remove(&mut self, candidate: &Candidate) {
        self.sessions -= 1;
        self.size_bytes -= u128::from(candidate.size_bytes);
    }

    /// The sum of these.
    pub fn of<'a>(candidates: impl IntoIterator<Item = &'a Candidate>) -> Self {
        let mut sum = Self::default();
        candidates
            .into_iter()
            .for_each(|candidate| sum.add(candidate));
        sum
    }
}

/// What is to be removed, and what stays: decided, not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrunePlan<'a> {
    /// The limits.
    pub policy: Policy,
    /// The time that ages are counted to.
    pub now: Timestamp,
    /// What goes, in the order in which it goes: what is held last, the oldest first.
    pub removals: Vec<Removal<'a>>,
    /// What stays although a limit doesn't hold, because it runs; in the order of the candidates.
    pub spared: Vec<Removal<'a>>,
    /// All that there is.
    pub total: Sum,
    /// What goes, in sum.
    pub removed: Sum,
}

/// Decides which sessions go. `candidates` are all sessions, the running ones too.
#[must_use]
pub fn plan_prune<'a>(
    policy: &Policy,
    candidates: &'a [Candidate],
    now: Timestamp,
) -> PrunePlan<'a> {
    let is_running = |candidate: &Candidate| candidate.state == State::Running;
    let is_old = |candidate: &Candidate| {
        let age_ms = u128::from(candidate.age_ms(now));
        !candidate.is_pinned()
            && policy
                .max_age
                .is_some_and(|longest| age_ms > longest.as_millis())
    };
    let total = Sum::of(candidates);
    let mut kept = Sum::of(
        candidates
            .iter()
            .filter(|candidate| is_running(candidate) || !is_old(candidate)),
    );
    // Only what may go is sorted: the old ones, or all if that isn't enough.
    let is_too_much = exceeded(policy, kept).is_some();
    let may_go =
        |candidate: &&'a Candidate| !is_running(candidate) && (is_too_much || is_old(candidate));
    let order = in_order(candidates, may_go);
    // Not all may have to go: room that is not used takes no memory.
    let mut removals = Vec::with_capacity(order.len());
    for index in order {
        let candidate = &candidates[index as usize];
        let limit = if is_old(candidate) {
            Limit::Age
        } else if let Some(limit) = exceeded(policy, kept) {
            kept.remove(candidate);
            limit
        } else {
            continue;
        };
        removals.push(Removal { candidate, limit });
    }
    let above = exceeded(policy, kept);
    let spared = candidates.iter().filter(|candidate| is_running(candidate));
    let spared = spared.filter_map(|candidate| {
        let limit = is_old(candidate).then_some(Limit::Age).or(above)?;
        Some(Removal { candidate, limit })
    });
    PrunePlan {
        policy: *policy,
        now,
        spared: spared.collect(),
        total,
        removed: Sum {
            sessions: total.sessions - kept.sessions,
            size_bytes: total.size_bytes - kept.size_bytes,
        },
        removals,
    }
}

/// The limit, besides the age, that this is above.
fn exceeded(policy: &Policy, sum: Sum) -> Option<Limit> {
    let is_above = |limit: Option<u64>, value: u128| limit.is_some_and(|most| value > most.into());
    if is_above(policy.max_total_bytes, sum.size_bytes) {
        Some(Limit::Bytes)
    } else if is_above(policy.max_sessions, sum.sessions.into()) {
        Some(Limit::Sessions)
    } else {
        None
    }
}

/// The numbers of those that may go, in the order of going. What is read from the end of an index comes
/// against the order of ends: turned around, and those that are held apart, it is all but sorted, and
/// then a sort of a million by what is elsewhere in memory costs little.
fn in_order<'a>(candidates: &'a [Candidate], may_go: impl Fn(&&'a Candidate) -> bool) -> Vec<u32> {
    // More than 32 bits count don't fit into memory.
    let count = u32::try_from(candidates.len()).unwrap_or(u32::MAX);
    let candidate = |index: u32| &candidates[index as usize];
    let going = || (0..count).rev().filter(|index| may_go(&candidate(*index)));
    let mut order = Vec::with_capacity(going().count());
    for is_held in [false, true] {
        order.extend(going().filter(|index| candidate(*index).is_held() == is_held));
    }
    order.sort_by_key(|index| candidate(*index).order());
    order
}
