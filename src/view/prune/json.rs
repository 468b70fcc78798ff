//! A plan or a report of `prune` as JSON.

use serde::ser::{Error, SerializeSeq};
use serde::{Serialize, Serializer};

use super::{EntryOf, Freed, bytes};
use crate::session::metadata::SCHEMA_VERSION;
use crate::session::{Entry, Timestamp};
use crate::store::retention::{Fate, Hold, PruneReport, Removal, Sum};

/// A plan or a report as JSON, written piece by piece: it may name a million sessions, and what is known
/// of each is looked up when it is written.
pub struct PruningJson<'a>(pub &'a PruneReport<'a>, pub &'a EntryOf<'a>, pub Freed);

#[derive(Serialize)]
struct ReportJson<'a> {
    schema_version: &'static str,
    dry_run: bool,
    /// The time that ages are counted to.
    now: Timestamp,
    limits: LimitsJson,
    total: SumJson,
    planned: SumJson,
    removed: SumJson,
    /// What stays; in a dry run, what would.
    kept: SumJson,
    /// What becomes of checkpoints.
    checkpoints: Freed,
    removals: RemovalsJson<'a>,
    spared: SparedJson<'a>,
}

#[derive(Serialize)]
struct LimitsJson {
    max_age_ms: Option<u64>,
    max_total_bytes: Option<u64>,
    max_sessions: Option<u64>,
}

#[derive(Serialize)]
struct SumJson {
    sessions: u64,
    size_bytes: u64,
}

impl From<Sum> for SumJson {
    fn from(sum: Sum) -> Self {
        Self {
            sessions: sum.sessions,
            size_bytes: bytes(sum),
        }
    }
}

#[derive(Serialize)]
struct SessionJson<'a> {
    session_id: &'a str,
    started: Option<Timestamp>,
    ended: Option<Timestamp>,
    size_bytes: u64,
    /// The limit that it goes for, or is above.
    limit: &'static str,
    /// What spoke for it.
    despite: Vec<&'static str>,
    task: Option<&'a str>,
    fault: Option<&'a str>,
    /// `planned`, `removed`, `failed`, `left`, or `running` where it stays for that.
    outcome: &'static str,
    error: Option<&'a str>,
}

impl<'a> SessionJson<'a> {
    fn of(
        removal: &Removal<'_>,
        entry: &'a Entry<'_>,
        outcome: &'static str,
        error: Option<&'a str>,
    ) -> Self {
        let candidate = removal.candidate;
        Self {
            session_id: &entry.session_id,
            started: entry.timestamp.parse().ok(),
            ended: entry.ended_at.as_ref().and_then(|end| end.parse().ok()),
            size_bytes: candidate.size_bytes,
            limit: removal.limit.name(),
            despite: candidate.held_by().map(Hold::name).collect(),
            task: entry.task.as_deref(),
            fault: entry.fault.as_deref(),
            outcome,
            error,
        }
    }
}

struct RemovalsJson<'a>(&'a PruneReport<'a>, &'a EntryOf<'a>);

impl Serialize for RemovalsJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.0.plan().removals.len()))?;
        for (removal, fate) in self.0.fates() {
            let (outcome, error) = match fate {
                Fate::Planned => ("planned", None),
                Fate::Removed => ("removed", None),
                Fate::Failed(error) => ("failed", Some(error)),
                Fate::Left => ("left", None),
            };
            let entry = (self.1)(removal.candidate).map_err(S::Error::custom)?;
            list.serialize_element(&SessionJson::of(removal, &entry, outcome, error))?;
        }
        list.end()
    }
}

struct SparedJson<'a>(&'a PruneReport<'a>, &'a EntryOf<'a>);

impl Serialize for SparedJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let spared = &self.0.plan().spared;
        let mut list = serializer.serialize_seq(Some(spared.len()))?;
        for spared in spared {
            let entry = (self.1)(spared.candidate).map_err(S::Error::custom)?;
            list.serialize_element(&SessionJson::of(spared, &entry, "running", None))?;
        }
        list.end()
    }
}

impl Serialize for PruningJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let report = self.0;
        let plan = report.plan();
        let max_age = plan.policy.max_age;
        let json = ReportJson {
            schema_version: SCHEMA_VERSION,
            dry_run: report.is_dry_run(),
            now: plan.now,
            limits: LimitsJson {
                max_age_ms: max_age.map(|age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX)),
                max_total_bytes: plan.policy.max_total_bytes,
                max_sessions: plan.policy.max_sessions,
            },
            total: plan.total.into(),
            planned: plan.removed.into(),
            removed: report.removed().into(),
            kept: report.kept().into(),
            checkpoints: self.2,
            removals: RemovalsJson(report, self.1),
            spared: SparedJson(report, self.1),
        };
        json.serialize(serializer)
    }
}
