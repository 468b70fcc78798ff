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
//! It takes O(n log n) time and about 40 bytes a candidate besides the candidates themselves;
//! where the limits hold, which is the common case, O(n) and nothing.

mod report;
#[cfg(test)]
mod tests;

pub use report::{Failure, Fate, PruneReport};

pub use crate::session::Policy;

use super::State;
use crate::session::{Entry, SessionId, Timestamp};

/// What the decision has to know of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its id.
    pub id: SessionId,
    /// When it started.
    pub started: Timestamp,
    /// When it ended; none where that is unknown.
    pub ended: Option<Timestamp>,
    /// What all its files take on the disk, in bytes.
    pub size_bytes: u64,
    /// Whether it failed.
    pub has_failed: bool,
    /// Whether the user pinned it.
    pub is_pinned: bool,
    /// The task that it belongs to.
    pub task: Option<Box<str>>,
    /// The fault that refers to it, if that is open.
    pub fault: Option<Box<str>>,
    /// Whether it is over.
    pub state: State,
}

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
    /// A session of which these few words are known; none where they don't say when it started.
    #[must_use]
    pub fn of(entry: &Entry<'_>, state: State) -> Option<Self> {
        Some(Self {
            id: entry.id()?,
            started: entry.timestamp.parse().ok()?,
            ended: entry.ended_at.as_ref().and_then(|end| end.parse().ok()),
            size_bytes: entry.size_bytes,
            has_failed: entry.has_failed(),
            is_pinned: entry.pinned,
            task: entry.task.as_deref().map(Box::from),
            fault: entry.fault.as_deref().map(Box::from),
            state,
        })
    }

    /// What its age is counted from: its end, as far as that is known, else its start.
    #[must_use]
    pub fn dated(&self) -> Timestamp {
        self.ended.unwrap_or(self.started)
    }

    /// Its age in milliseconds. Where the clock went backwards since, it has none.
    #[must_use]
    pub fn age_ms(&self, now: Timestamp) -> u64 {
        let age = now.0.signed_duration_since(self.dated().0);
        u64::try_from(age.num_milliseconds()).unwrap_or(0)
    }

    /// What speaks for it.
    pub fn held_by(&self) -> impl Iterator<Item = Hold> {
        let has_failed = self.has_failed || self.state == State::Interrupted;
        let holds = [
            (has_failed, Hold::Failed),
            (self.fault.is_some(), Hold::Fault),
            (self.task.is_some(), Hold::Task),
            (self.is_pinned, Hold::Pin),
        ];
        let speaking = holds.into_iter().filter(|(speaks, _)| *speaks);
        speaking.map(|(_, hold)| hold)
    }

    fn is_held(&self) -> bool {
        self.held_by().next().is_some()
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
        !candidate.is_pinned
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
    let mut order: Vec<Place<'a>> = candidates
        .iter()
        .filter(|candidate| !is_running(candidate) && (is_too_much || is_old(candidate)))
        .map(Place::of)
        .collect();
    order.sort_unstable_by(|one, other| one.key().cmp(&other.key()));
    let mut removals = Vec::new();
    for Place { candidate, .. } in order {
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

/// Where a session stands in the order of going. It holds what is compared, since following a
/// pointer for each comparison is what would make a sort of a million slow.
struct Place<'a> {
    is_held: bool,
    dated_ms: i64,
    candidate: &'a Candidate,
}

impl<'a> Place<'a> {
    fn of(candidate: &'a Candidate) -> Self {
        Self {
            is_held: candidate.is_held(),
            dated_ms: candidate.dated().0.timestamp_millis(),
            candidate,
        }
    }

    /// The id makes the order the same for everybody.
    fn key(&self) -> (bool, i64, &SessionId) {
        (self.is_held, self.dated_ms, &self.candidate.id)
    }
}
