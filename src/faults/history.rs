//! What happened to a failure here: how often, to whom, and whether it is over. For this user only.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::fingerprint::FaultId;
use super::lesson::LessonId;
use super::record::RECORD_VERSION;
use crate::session::Timestamp;

/// How many sessions, and names of agents, are remembered of a failure.
const REMEMBERED: usize = 20;
/// How many commands are remembered as failing with it.
const FAILING_MAX: usize = 50;
/// How many times in a row a flaky command has to succeed before it counts as mended.
const STRAIGHT_PASSES: u32 = 5;
/// Failure and success of an unchanged tree that are further apart say nothing, in milliseconds: 14 days.
const FLAKY_WITHIN_MS: i64 = 14 * 24 * 3600 * 1000;

/// Kinds of failures that come and go by chance in a tree that doesn't change. The others depend on the
/// machine, the network, or what was typed.
const BY_CHANCE: &[&str] = &[
    "exception",
    "go-panic",
    "rust-panic",
    "segfault",
    "test-failure",
    "timeout",
];

/// How a failure stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// What failed still does, as far as is known.
    Open,
    /// It worked again, or somebody said so.
    Resolved,
    /// It fails and works by turns in a tree that is the same.
    Flaky,
    /// Somebody doesn't want to hear of it.
    Ignored,
}

impl Status {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Resolved => "resolved",
            Self::Flaky => "flaky",
            Self::Ignored => "ignored",
        }
    }
}

/// One time that a command failed. Its texts are redacted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    /// The session.
    pub session: String,
    /// When it started.
    pub at: Timestamp,
    /// The agent's name.
    pub agent: String,
    /// The agent's conversation, or its name where that is unknown.
    pub caller: String,
    /// The command as one line.
    pub command: String,
    /// The name under which the command's failures are found.
    pub key: String,
    /// The directory, relative to the repository's root where it is below that.
    pub directory: String,
    /// The branch.
    pub branch: Option<String>,
    /// The commit.
    pub commit: Option<String>,
    /// The exit code.
    pub exit_code: Option<i32>,
    /// The line of the output that tells.
    pub line: String,
    /// What to say about it, in the words of the rule that knows it.
    pub message: Option<String>,
    /// What usually helps.
    pub advice: Option<String>,
    /// What the output named as wrong.
    pub named: Option<String>,
}

/// A command that fails with it, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failing {
    /// The name under which the command's failures are found.
    pub key: String,
    /// The directory.
    pub directory: String,
}

/// Whether the tree is as it was when a command failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tree {
    /// The same commit, and no file of it changed since.
    Unchanged,
    /// Something is different.
    Changed,
    /// Nobody can tell in good time.
    Unknown,
}

/// How a failure ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// When.
    pub at: Timestamp,
    /// The session in which the command worked; none where somebody said that it is over.
    pub session: Option<String>,
    /// The commit on which it worked.
    pub commit: Option<String>,
}

/// Everything that is known of a failure here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// MAJOR.MINOR of this format.
    pub schema_version: String,
    /// The failure.
    pub fault: FaultId,
    /// The kind of failure.
    pub class: String,
    /// Program and subcommand.
    pub program: String,
    /// How it stands.
    pub status: Status,
    /// When it was first seen.
    pub first_seen: Timestamp,
    /// When it was last seen.
    pub last_seen: Timestamp,
    /// How often it was seen.
    pub count: u64,
    /// How often since it last ended.
    pub in_a_row: u64,
    /// How often it came back after its end.
    pub reopened: u64,
    /// How often each agent met it.
    pub agents: BTreeMap<String, u64>,
    /// The last sessions that met it, the newest last.
    pub sessions: Vec<String>,
    /// The commands that fail with it now.
    pub failing: Vec<Failing>,
    /// The last time.
    pub last: Sighting,
    /// How it ended last.
    pub end: Option<End>,
    /// How often a flaky command worked in a row.
    pub passes: u32,
    /// The lesson that cured it last.
    pub cure: Option<LessonId>,
    /// Whether all commands among which the cure of the last time may be have been looked at.
    pub is_cure_sought: bool,

    /// Fields that this version does not know.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl History {
    /// The history of a failure that was never seen before.
    #[must_use]
    pub fn begin(fault: FaultId, class: &str, program: &str, sighting: Sighting) -> Self {
        let mut history = Self {
            schema_version: RECORD_VERSION.to_owned(),
            fault,
            class: class.to_owned(),
            program: program.to_owned(),
            status: Status::Open,
            first_seen: sighting.at,
            last_seen: sighting.at,
            count: 0,
            in_a_row: 0,
            reopened: 0,
            agents: BTreeMap::new(),
            sessions: Vec::new(),
            failing: Vec::new(),
            last: sighting.clone(),
            end: None,
            passes: 0,
            cure: None,
            is_cure_sought: false,
            other: Map::new(),
        };
        history.see(sighting);
        history
    }

    /// A command failed with it.
    pub fn see(&mut self, sighting: Sighting) {
        self.count = self.count.saturating_add(1);
        self.in_a_row = self.in_a_row.saturating_add(1);
        self.passes = 0;
        if self.status == Status::Resolved {
            self.status = Status::Open;
            self.reopened = self.reopened.saturating_add(1);
        }
        let is_known = self.agents.contains_key(&sighting.agent) || self.agents.len() < REMEMBERED;
        if is_known {
            let agent = self.agents.entry(sighting.agent.clone()).or_default();
            *agent = agent.saturating_add(1);
        }
        self.sessions.retain(|session| *session != sighting.session);
        self.sessions.push(sighting.session.clone());
        let surplus = self.sessions.len().saturating_sub(REMEMBERED);
        self.sessions.drain(..surplus);
        let failing = Failing {
            key: sighting.key.clone(),
            directory: sighting.directory.clone(),
        };
        self.failing.retain(|known| *known != failing);
        self.failing.push(failing);
        let surplus = self.failing.len().saturating_sub(FAILING_MAX);
        self.failing.drain(..surplus);
        self.first_seen = self.first_seen.min(sighting.at);
        // Of two that end out of order, the later start is the last.
        if sighting.at >= self.last_seen || self.count == 1 {
            self.last_seen = sighting.at;
            self.last = sighting;
            self.is_cure_sought = false;
        }
    }

    /// Whether it makes a difference if the tree is as it was when a command works again.
    #[must_use]
    pub fn may_be_flaky(&self) -> bool {
        self.status == Status::Open && BY_CHANCE.contains(&self.class.as_str())
    }

    /// A command that failed with it worked.
    pub fn pass(&mut self, failing: &Failing, end: End, tree: Tree) {
        let apart_ms = end.at.0.timestamp_millis() - self.last_seen.0.timestamp_millis();
        match self.status {
            Status::Flaky => {
                self.passes += 1;
                if self.passes >= STRAIGHT_PASSES {
                    self.finish(end);
                }
            }
            Status::Open
                if tree == Tree::Unchanged
                    && self.may_be_flaky()
                    && (0..=FLAKY_WITHIN_MS).contains(&apart_ms) =>
            {
                self.status = Status::Flaky;
                self.in_a_row = 0;
                self.passes = 1;
            }
            Status::Open | Status::Ignored | Status::Resolved => {
                self.failing.retain(|known| known != failing);
                self.in_a_row = 0;
                if self.failing.is_empty() && self.status == Status::Open {
                    self.finish(end);
                }
            }
        }
    }

    /// Somebody said that it is over.
    pub fn resolve(&mut self, at: Timestamp) {
        self.finish(End {
            at,
            session: None,
            commit: None,
        });
    }

    fn finish(&mut self, end: End) {
        self.status = Status::Resolved;
        self.failing.clear();
        self.in_a_row = 0;
        self.passes = 0;
        self.end = Some(end);
    }

    /// What it remembers of a command in this directory, or in any where that makes no difference.
    #[must_use]
    pub fn failing_like(&self, failing: &Failing) -> Option<&Failing> {
        let anywhere = super::lookup::is_the_same_anywhere(&self.class);
        self.failing.iter().find(|known| {
            known.key == failing.key && (anywhere || known.directory == failing.directory)
        })
    }

    /// Whether a command is known to fail with it in this directory.
    #[must_use]
    pub fn is_known_to_fail(&self, failing: &Failing) -> bool {
        matches!(self.status, Status::Open | Status::Flaky) && self.failing_like(failing).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(minute: i64) -> Timestamp {
        let start: Timestamp = "2026-03-05T13:00:00Z".parse().unwrap();
        Timestamp(start.0 + chrono::TimeDelta::minutes(minute))
    }

    fn sighting(minute: i64, key: &str) -> Sighting {
        Sighting {
            session: format!("a-20260305_130000-1-{minute:08x}"),
            at: time(minute),
            agent: "a".to_owned(),
            caller: "a".to_owned(),
            command: "cargo test".to_owned(),
            key: key.to_owned(),
            directory: ".".to_owned(),
            branch: None,
            commit: None,
            exit_code: Some(1),
            line: "it failed".to_owned(),
            message: None,
            advice: None,
            named: None,
        }
    }

    fn begun(class: &str) -> History {
        let fault = "1f0c22ab-cargo-x".parse().unwrap();
        History::begin(fault, class, "cargo test", sighting(0, "k"))
    }

    fn failing(key: &str, directory: &str) -> Failing {
        Failing {
            key: key.to_owned(),
            directory: directory.to_owned(),
        }
    }

    fn end(minute: i64) -> End {
        End {
            at: time(minute),
            session: None,
            commit: None,
        }
    }

    #[test]
    fn it_is_over_when_every_command_that_failed_with_it_works() {
        let mut history = begun("compile-error");
        history.see(sighting(1, "other"));
        history.pass(&failing("k", "."), end(2), Tree::Changed);
        assert_eq!((history.status, history.failing.len()), (Status::Open, 1));
        history.pass(&failing("other", "."), end(3), Tree::Changed);
        assert_eq!(history.status, Status::Resolved);
        history.see(sighting(4, "k"));
        assert_eq!(
            (
                history.status,
                history.reopened,
                history.count,
                history.in_a_row
            ),
            (Status::Open, 1, 3, 1)
        );
    }

    #[test]
    fn what_works_without_a_change_is_flaky_until_it_worked_five_times() {
        let here = failing("k", ".");
        for (class, tree, minute, status) in [
            ("test-failure", Tree::Unchanged, 1, Status::Flaky),
            ("test-failure", Tree::Changed, 1, Status::Resolved),
            ("test-failure", Tree::Unknown, 1, Status::Resolved),
            (
                "test-failure",
                Tree::Unchanged,
                30 * 24 * 60,
                Status::Resolved,
            ),
            ("network-refused", Tree::Unchanged, 1, Status::Resolved),
        ] {
            let mut history = begun(class);
            history.pass(&here, end(minute), tree);
            assert_eq!(history.status, status, "{class} {tree:?} {minute}");
        }
        let mut history = begun("test-failure");
        history.pass(&here, end(1), Tree::Unchanged);
        for minute in 2..5 {
            history.pass(&here, end(minute), Tree::Changed);
        }
        assert_eq!(history.status, Status::Flaky);
        history.see(sighting(5, "k"));
        assert_eq!((history.status, history.passes), (Status::Flaky, 0));
        for minute in 6..11 {
            assert!(history.is_known_to_fail(&here));
            history.pass(&here, end(minute), Tree::Changed);
        }
        assert_eq!(history.status, Status::Resolved);
        assert!(!history.is_known_to_fail(&here));
    }

    #[test]
    fn a_command_is_known_to_fail_where_it_failed() {
        let history = begun("compile-error");
        assert!(history.is_known_to_fail(&failing("k", ".")));
        assert!(!history.is_known_to_fail(&failing("k", "src")));
        assert!(!history.is_known_to_fail(&failing("other", ".")));
        let anywhere = begun("usage-unknown");
        assert!(anywhere.is_known_to_fail(&failing("k", "src")));
        let mut ignored = begun("usage-unknown");
        ignored.status = Status::Ignored;
        ignored.see(sighting(1, "k"));
        assert_eq!(ignored.status, Status::Ignored);
        assert!(!ignored.is_known_to_fail(&failing("k", ".")));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut history = begun("test-failure");
        for minute in 1..200 {
            let mut next = sighting(minute, &format!("k{minute}"));
            next.agent = format!("agent-{minute}");
            history.see(next);
        }
        assert_eq!(history.count, 200);
        let lengths = (history.sessions.len(), history.agents.len());
        assert_eq!((lengths, history.failing.len()), ((20, 20), FAILING_MAX));
        assert_eq!(history.last_seen, time(199));
        // One that ends late started earlier.
        history.see(sighting(7, "late"));
        assert_eq!(history.last.at, time(199));
    }

    #[test]
    fn a_history_survives_its_json_form_and_keeps_what_it_does_not_know() {
        let mut json = serde_json::to_value(begun("lint")).unwrap();
        json["future"] = serde_json::json!([1]);
        let history: History = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(serde_json::to_value(&history).unwrap(), json);
    }
}
