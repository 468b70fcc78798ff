//! How often, how long, and how much of it for nothing: counts over many sessions. It looks at values
//! only; whoever reads sessions feeds them in, one at a time.
//!
//! What is counted:
//! - A session has *failed* where whoever feeds it in says so.
//! - A session is a *repeat* if the session before it of the very same command line, in the same
//!   directory as far as that is known, had failed. Whether anything else changed in between, nobody
//!   knows here.
//! - A repeat has *failed again* if it failed itself.
//! - The time *lost* is the duration of all that failed. A part of it was lost *again*: the duration
//!   of repeats that failed again. A repeat that succeeds is not lost, since the failure before it
//!   already is.
//!
//! Memory is bounded however many sessions there are: see [`tally`] for names, and [`DAYS_MAX`] and
//! [`FAILING_MAX`]. All totals are exact.

pub mod tally;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use chrono::{NaiveDate, TimeDelta};
use serde::{Serialize, Serializer};

use crate::session::{Judgement, Status, Timestamp};
use tally::Tally;
pub use tally::{Ranking, Row};

/// The most days that are counted one by one: ten years. Earlier ones are counted together.
pub const DAYS_MAX: usize = 3660;

/// A command line that failed last is remembered until at least this many others have failed since.
pub const FAILING_MAX: usize = 1 << 15;

/// What is counted of a session.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    /// When it started.
    pub started: Timestamp,
    /// How long it took, in milliseconds, where that is known.
    pub duration_ms: Option<u64>,
    /// The agent's name.
    pub agent: &'a str,
    /// What it is counted under, such as the name of its program; see [`program`].
    pub program: &'a str,
    /// The command line.
    pub command: &'a str,
    /// The directory it ran in, where that is known.
    pub directory: Option<&'a str>,
    /// Whether it counts as failed.
    pub has_failed: bool,
    /// The exit code, where there is one.
    pub exit_code: Option<i32>,
    /// The name of the signal that it died of.
    pub signal: Option<&'a str>,
    /// How it ended.
    pub status: Status,
    /// What that means, where anybody knows.
    pub judgement: Option<Judgement>,
    /// Bytes of recorded output.
    pub output_bytes: u64,
}

impl Sample<'_> {
    /// What its outcome is counted under.
    fn outcome(&self) -> String {
        match (self.status, self.signal, self.exit_code) {
            (Status::TimedOut, ..) => "timed out".to_owned(),
            (Status::NotStarted, ..) => "not started".to_owned(),
            (Status::Signaled, Some(signal), _) => signal.to_owned(),
            (Status::Exited | Status::Signaled, _, Some(code)) => {
                match self.judgement.and_then(Judgement::remark) {
                    Some(remark) => format!("exit {code}, {remark}"),
                    None => format!("exit {code}"),
                }
            }
            (Status::Exited | Status::Signaled | Status::Interrupted, ..) => "unknown".to_owned(),
        }
    }

    /// Tells a command line in its directory from others.
    fn line(&self) -> u64 {
        // Its keys are fixed, so that the same sessions always give the same counts.
        let mut hasher = DefaultHasher::new();
        (self.directory, self.command).hash(&mut hasher);
        hasher.finish()
    }
}

/// The name of the program that a command line begins with: without variables in front of it, and
/// without its directory. Quoting is not understood.
#[must_use]
pub fn program(command: &str) -> &str {
    let is_assignment = |word: &&str| {
        let name = word.split_once('=').map(|(name, _)| name);
        name.is_some_and(|name| {
            let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            !name.is_empty() && name.bytes().all(is_of_name)
        })
    };
    let word = command.split_whitespace().find(|word| !is_assignment(word));
    let word = word.unwrap_or(command).trim_end_matches('/');
    word.rsplit('/').next().unwrap_or(word)
}

/// Counts of some sessions. Sums that don't fit stay at their largest value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// All of them.
    pub sessions: u64,
    /// Those that failed.
    pub failed: u64,
    /// Those whose command line had failed the last time.
    pub repeats: u64,
    /// Those of the repeats that failed.
    pub failed_again: u64,
    /// How long they took together, in milliseconds.
    pub duration_ms: u64,
    /// How long those took that failed.
    pub lost_ms: u64,
    /// How long those took that failed again.
    pub lost_again_ms: u64,
    /// Bytes of recorded output.
    pub output_bytes: u64,
}

impl Counts {
    fn fields(&mut self) -> [&mut u64; 8] {
        [
            &mut self.sessions,
            &mut self.failed,
            &mut self.repeats,
            &mut self.failed_again,
            &mut self.duration_ms,
            &mut self.lost_ms,
            &mut self.lost_again_ms,
            &mut self.output_bytes,
        ]
    }

    fn of(sample: &Sample<'_>, is_repeat: bool) -> Self {
        let failed = sample.has_failed;
        let failed_again = failed && is_repeat;
        let duration_ms = sample.duration_ms.unwrap_or(0);
        let time = |counts: bool| if counts { duration_ms } else { 0 };
        Self {
            sessions: 1,
            failed: failed.into(),
            repeats: is_repeat.into(),
            failed_again: failed_again.into(),
            duration_ms,
            lost_ms: time(failed),
            lost_again_ms: time(failed_again),
            output_bytes: sample.output_bytes,
        }
    }

    /// Adds others.
    pub fn add(&mut self, mut other: Self) {
        for (own, other) in self.fields().into_iter().zip(other.fields()) {
            *own = own.saturating_add(*other);
        }
    }

    /// Takes others away, that were added before.
    fn without(mut self, mut other: Self) -> Self {
        for (own, other) in self.fields().into_iter().zip(other.fields()) {
            *own = own.saturating_sub(*other);
        }
        self
    }
}

/// The sessions that started on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Day {
    /// The day, in the local time that was asked for.
    #[serde(serialize_with = "as_text")]
    pub date: NaiveDate,
    /// Its sessions.
    #[serde(flatten)]
    pub counts: Counts,
}

fn as_text<S: Serializer>(date: &NaiveDate, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(date)
}

/// Counts of all sessions, and of parts of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// All sessions.
    pub total: Counts,
    /// The days on which any started, in their order; at most [`DAYS_MAX`], the last ones.
    pub days: Vec<Day>,
    /// What started before those days.
    pub earlier: Counts,
    /// By agent.
    pub agents: Ranking,
    /// By program.
    pub programs: Ranking,
    /// By outcome: `exit 0`, `exit 1, answer`, `exit 0, suspect`, `SIGKILL`, `timed out`, `not started`
    /// or `unknown`.
    pub outcomes: Ranking,
    /// By command line, those only that are repeats.
    pub repeated: Ranking,
}

/// Takes sessions in, and counts.
pub struct Accumulator<'a> {
    offset_seconds: &'a dyn Fn(Timestamp) -> i32,
    total: Counts,
    days: BTreeMap<NaiveDate, Counts>,
    earlier: Counts,
    agents: Tally,
    programs: Tally,
    outcomes: Tally,
    repeated: Tally,
    failing: Failing,
}

impl<'a> Accumulator<'a> {
    /// Nothing yet. `offset_seconds` says by how much local time is ahead of UTC at a time, in
    /// seconds.
    #[must_use]
    pub fn new(offset_seconds: &'a dyn Fn(Timestamp) -> i32) -> Self {
        Self {
            offset_seconds,
            total: Counts::default(),
            days: BTreeMap::new(),
            earlier: Counts::default(),
            agents: Tally::default(),
            programs: Tally::default(),
            outcomes: Tally::default(),
            repeated: Tally::default(),
            failing: Failing::default(),
        }
    }

    /// Takes a session in. What repeats what is told by the order, so the oldest comes first.
    pub fn add(&mut self, sample: &Sample<'_>) {
        let is_repeat = self.failing.note(sample.line(), sample.has_failed);
        let counts = Counts::of(sample, is_repeat);
        self.total.add(counts);
        self.agents.add(sample.agent, counts);
        self.programs.add(sample.program, counts);
        self.outcomes.add(&sample.outcome(), counts);
        if is_repeat {
            self.repeated.add(sample.command, counts);
        }
        self.days.entry(self.date(sample)).or_default().add(counts);
        if self.days.len() > DAYS_MAX {
            let earliest = self.days.pop_first();
            self.earlier.add(earliest.unwrap_or_default().1);
        }
    }

    fn date(&self, sample: &Sample<'_>) -> NaiveDate {
        let offset = (self.offset_seconds)(sample.started);
        let utc = sample.started.0;
        let local = utc.checked_add_signed(TimeDelta::seconds(offset.into()));
        local.unwrap_or(utc).date_naive()
    }

    /// The counts, with at most this many rows in each ranking.
    #[must_use]
    pub fn finish(self, rows: usize) -> Stats {
        let days = self.days.into_iter();
        Stats {
            total: self.total,
            days: days.map(|(date, counts)| Day { date, counts }).collect(),
            earlier: self.earlier,
            agents: self.agents.rank(rows),
            programs: self.programs.rank(rows),
            outcomes: self.outcomes.rank(rows),
            repeated: self.repeated.rank(rows),
        }
    }
}

/// The command lines whose last session failed. Two halves take turns, so that the oldest are
/// forgotten first.
#[derive(Default)]
struct Failing {
    recent: HashSet<u64>,
    before: HashSet<u64>,
}

impl Failing {
    /// Notes how a command line ended now, and tells whether it had failed the last time.
    fn note(&mut self, line: u64, has_failed: bool) -> bool {
        let had_failed = self.recent.remove(&line) | self.before.remove(&line);
        if has_failed {
            self.recent.insert(line);
        }
        if self.recent.len() >= FAILING_MAX {
            self.before = std::mem::take(&mut self.recent);
        }
        had_failed
    }
}
