//! What `prune` would remove, or has removed: a table for people, and the same as JSON.

mod json;
#[cfg(test)]
mod tests;

pub use json::PruningJson;

use std::{fmt, io};

use serde::Serialize;

use super::columns::{self, Side};
use super::{sanitize, units};
use crate::session::{Entry, Policy, SessionId};
use crate::store::retention::{Candidate, Fate, Hold, Limit, PruneReport, Removal, Sum};

/// What stands for what can't be read.
const UNKNOWN: &str = "-";
/// The most sessions that a list for people names.
pub const LISTED: usize = 20;

/// What becomes of checkpoints, which go with their sessions.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Freed {
    /// The sessions that had any.
    pub sessions: u64,
    /// What their objects took, and whatever else nothing needed any more, in bytes; none where nothing was
    /// removed.
    pub size_bytes: Option<u64>,
}

impl fmt::Display for Freed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sessions = units::count(self.sessions, "session");
        match self.size_bytes {
            None => write!(formatter, "with the checkpoints of {sessions}"),
            Some(bytes) if self.sessions == 0 => write!(
                formatter,
                "of checkpoints that nothing needed any more: {}",
                units::size(bytes)
            ),
            Some(bytes) => write!(
                formatter,
                "with the checkpoints of {sessions}, {}; what is younger than an hour stays until the next time",
                units::size(bytes)
            ),
        }
    }
}

/// A plan or a report for people.
pub struct Pruning<'a> {
    /// What to show.
    pub report: &'a PruneReport<'a>,
    /// The terminal's width in columns; none doesn't cut.
    pub width: Option<usize>,
    /// What is known of a session. Asked for those only that are listed.
    pub entry_of: &'a EntryOf<'a>,
    /// Looks up a session's command. Asked for those only that are listed.
    pub command_of: &'a dyn Fn(&SessionId) -> Option<String>,
}

/// Looks up what is known of a session besides what a plan needs.
pub type EntryOf<'a> = dyn Fn(&Candidate) -> io::Result<Entry<'static>> + 'a;

impl fmt::Display for Pruning<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_sums(formatter)?;
        self.write_gone(formatter)?;
        self.write_failed(formatter)?;
        self.write_spared(formatter)
    }
}

impl Pruning<'_> {
    /// What went, or would.
    fn gone(&self) -> impl Iterator<Item = &Removal<'_>> {
        let fates = self.report.fates();
        let gone = fates.filter(|(_, fate)| matches!(fate, Fate::Planned | Fate::Removed));
        gone.map(|(removal, _)| removal)
    }

    /// How much goes, and how much of it for which limit.
    fn write_sums(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plan = self.report.plan();
        if plan.removals.is_empty() {
            return writeln!(formatter, "nothing to remove of {}", Words(plan.total));
        }
        let verb = if self.report.is_dry_run() {
            "would remove"
        } else {
            "removed"
        };
        let gone = Sum::of(self.gone().map(|removal| removal.candidate));
        writeln!(formatter, "{verb} {} of {}", Words(gone), Words(plan.total))?;
        for limit in [Limit::Age, Limit::Bytes, Limit::Sessions] {
            let of_limit = self.gone().filter(|removal| removal.limit == limit);
            let sum = Sum::of(of_limit.map(|removal| removal.candidate));
            if sum.sessions > 0 {
                let why = in_words(limit, &plan.policy);
                writeln!(formatter, "  {}: {why}", Words(sum))?;
            }
        }
        let fates = self.report.fates();
        let left = fates.filter(|(_, fate)| *fate == Fate::Left).count();
        if left > 0 {
            writeln!(formatter, "  {left} more not tried: the time was over")?;
        }
        Ok(())
    }

    fn write_gone(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: Vec<[String; 7]> = self
            .gone()
            .take(LISTED)
            .map(|removal| self.row(removal))
            .collect();
        if rows.is_empty() {
            return Ok(());
        }
        let header = [
            ("ID", Side::Left),
            ("AGENT", Side::Left),
            ("AGE", Side::Right),
            ("SIZE", Side::Right),
            ("WHY", Side::Left),
            ("DESPITE", Side::Left),
            ("COMMAND", Side::Left),
        ];
        writeln!(formatter)?;
        columns::write(formatter, header, &rows, self.width)?;
        write_more(formatter, self.gone().count())
    }

    /// A session's id.
    fn name(&self, candidate: &Candidate) -> String {
        let id = (self.entry_of)(candidate).ok().and_then(|entry| entry.id());
        id.map_or_else(|| UNKNOWN.to_owned(), |id| id.to_string())
    }

    fn row(&self, removal: &Removal<'_>) -> [String; 7] {
        let candidate = removal.candidate;
        let age_ms = candidate.age_ms(self.report.plan().now);
        let entry = (self.entry_of)(candidate).ok();
        let holds: Vec<String> = candidate
            .held_by()
            .map(|hold| hold_in_words(hold, entry.as_ref()))
            .collect();
        let id = entry.as_ref().and_then(Entry::id);
        let command = id.as_ref().and_then(|id| (self.command_of)(id));
        let command = command.unwrap_or_default();
        [
            id.as_ref().map_or(UNKNOWN, SessionId::hex).to_owned(),
            id.as_ref().map_or(UNKNOWN, SessionId::agent).to_owned(),
            units::age(i64::try_from(age_ms / 1000).unwrap_or(i64::MAX)),
            units::size(candidate.size_bytes),
            removal.limit.name().to_owned(),
            sanitize::line(&holds.join(", ")).into_owned(),
            sanitize::line(&command).into_owned(),
        ]
    }

    fn write_failed(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.report.failures().len();
        if count == 0 {
            return Ok(());
        }
        writeln!(formatter, "\ncould not remove {count}:")?;
        let failed = self
            .report
            .fates()
            .filter_map(|(removal, fate)| match fate {
                Fate::Failed(error) => Some((removal.candidate, error)),
                _ => None,
            });
        for (candidate, error) in failed.take(LISTED) {
            let id = self.name(candidate);
            writeln!(formatter, "  {id}: {}", sanitize::line(error))?;
        }
        write_more(formatter, count)
    }

    fn write_spared(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plan = self.report.plan();
        if plan.spared.is_empty() {
            return Ok(());
        }
        let sum = Sum::of(plan.spared.iter().map(|spared| spared.candidate));
        writeln!(
            formatter,
            "\nkept although above a limit, because running: {}",
            Words(sum)
        )?;
        for spared in plan.spared.iter().take(LISTED) {
            let why = in_words(spared.limit, &plan.policy);
            writeln!(formatter, "  {}: {why}", self.name(spared.candidate))?;
        }
        write_more(formatter, plan.spared.len())
    }
}

/// Says how many there are besides those that are listed.
fn write_more(formatter: &mut fmt::Formatter<'_>, all: usize) -> fmt::Result {
    match all.saturating_sub(LISTED) {
        0 => Ok(()),
        more => writeln!(formatter, "… and {more} more; --json has all"),
    }
}

/// A sum in words: `3 sessions (1.5 MiB)`.
struct Words(Sum);

impl fmt::Display for Words {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Sum { sessions, .. } = self.0;
        let noun = if sessions == 1 { "session" } else { "sessions" };
        let size = units::size(bytes(self.0));
        write!(formatter, "{sessions} {noun} ({size})")
    }
}

/// A limit in words.
fn in_words(limit: Limit, policy: &Policy) -> String {
    match limit {
        Limit::Age => {
            let seconds = policy.max_age.unwrap_or_default().as_secs();
            let age = units::age(i64::try_from(seconds).unwrap_or(i64::MAX));
            format!("older than {age}")
        }
        Limit::Bytes => {
            let size = units::size(policy.max_total_bytes.unwrap_or_default());
            format!("above {size} in total")
        }
        Limit::Sessions => {
            let count = policy.max_sessions.unwrap_or_default();
            format!("more than {count} in number")
        }
    }
}

fn hold_in_words(hold: Hold, entry: Option<&Entry<'_>>) -> String {
    let name = match hold {
        Hold::Task => entry.and_then(|entry| entry.task.as_deref()),
        Hold::Fault => entry.and_then(|entry| entry.fault.as_deref()),
        Hold::Failed | Hold::Pin => None,
    };
    match name {
        Some(name) => format!("{} {name}", hold.name()),
        None => hold.name().to_owned(),
    }
}

fn bytes(sum: Sum) -> u64 {
    u64::try_from(sum.size_bytes).unwrap_or(u64::MAX)
}
