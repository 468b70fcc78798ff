//! A task: sessions that belong together, and what was said of it. Data, and how it adds up.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::metadata::SCHEMA_VERSION;
use super::{Entry, Judgement, SessionId, Status, Timestamp};

/// The longest task name that is its directory's name as it is, in bytes.
const PLAIN_MAX_BYTES: usize = 64;
/// What a made-up directory name keeps of a task's name, in characters.
const KEPT_CHARACTERS: usize = 40;
/// Divides what was kept from the digest; no plain name holds it.
const DIVIDER: char = '~';

/// The directory of a task: its name where that is harmless, else a part of it and 16 hex digits of
/// its SHA-256. No two tasks have the same one.
#[must_use]
pub fn directory_of(task: &str) -> String {
    let is_plain =
        |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.');
    if !task.is_empty()
        && task.len() <= PLAIN_MAX_BYTES
        && !task.starts_with(['-', '.'])
        && task.chars().all(is_plain)
    {
        return task.to_owned();
    }
    let kept = task.chars().take(KEPT_CHARACTERS);
    let kept = kept.map(|character| if is_plain(character) { character } else { '-' });
    let kept: String = kept.collect();
    let kept = kept.trim_start_matches(['-', '.']);
    let digest = hex::encode(&Sha256::digest(task.as_bytes())[..8]);
    format!("{kept}{DIVIDER}{digest}")
}

/// Where a task stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TaskState {
    /// It is worked on.
    #[default]
    Open,
    /// It is done.
    Done,
    /// It was given up.
    Failed,
}

impl TaskState {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

/// A session of a task, as its `session-N.meta.json` holds it: fields of the sidecar under the same
/// names, without its output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskSession {
    /// The session.
    pub session_id: SessionId,
    /// The agent's name.
    pub agent: String,
    /// The start.
    pub timestamp: Timestamp,
    /// The beginning of the command.
    pub command: String,
    /// As a shell would show it.
    pub exit_code: Option<i32>,
    /// How it ended; none where its sidecar could not be read.
    pub status: Option<Status>,
    /// The signal that it died of.
    #[serde(default)]
    pub signal: Option<String>,
    /// What its end means; none where nobody judged it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Judgement>,
    /// The end.
    pub ended_at: Option<Timestamp>,
    /// From start to end.
    pub duration_ms: Option<u64>,
    /// The branch it ran on.
    pub branch: Option<String>,
    /// The directory it ran in.
    pub cwd: Option<String>,
    /// The task's name.
    pub task: String,
    /// Which session of the task it is, from 1.
    pub number: u64,
    /// Whether the session itself was removed since.
    #[serde(default)]
    pub pruned: bool,
    /// MAJOR.MINOR of the format.
    pub schema_version: String,
}

impl TaskSession {
    /// The record of a session; none if the entry has no task, or no id and time that are ones.
    #[must_use]
    pub fn of(entry: &Entry<'_>, number: u64) -> Option<Self> {
        let own = |text: &Option<std::borrow::Cow<'_, str>>| text.as_deref().map(str::to_owned);
        let session_id = entry.id()?;
        Some(Self {
            agent: session_id.agent().to_owned(),
            session_id,
            timestamp: entry.timestamp.parse().ok()?,
            command: entry.command.clone().into_owned(),
            exit_code: entry.exit_code,
            status: entry.status,
            signal: own(&entry.signal),
            outcome: entry.judgement(),
            ended_at: entry.ended_at.as_ref().and_then(|end| end.parse().ok()),
            duration_ms: entry.duration_ms,
            branch: own(&entry.branch),
            cwd: own(&entry.cwd),
            task: entry.task.clone()?.into_owned(),
            number,
            pruned: false,
            schema_version: SCHEMA_VERSION.to_owned(),
        })
    }

    /// Whether it counts as failed: see [`Entry::has_failed`].
    #[must_use]
    pub fn has_failed(&self) -> bool {
        Judgement::is_failure(Judgement::of(self.outcome, self.exit_code, None))
    }

    fn end(&self) -> Timestamp {
        self.ended_at.unwrap_or(self.timestamp).max(self.timestamp)
    }
}

/// Something said of a task: a line of its `task.notes.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskNote {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub agent: String,
    /// Where the task stands since; none where it stays as it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<TaskState>,
    /// The note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// A task's sums, as its `task.status.json` holds them: derived from its records and notes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskStatus {
    /// MAJOR.MINOR of the format.
    pub schema_version: String,
    /// The task's name.
    pub task: String,
    /// Where it stands.
    pub state: TaskState,
    /// How many sessions it has had.
    pub sessions: u64,
    /// Those that did not fail: answers, and what somebody stopped, too.
    pub succeeded: u64,
    /// Those that failed.
    pub failed: u64,
    /// Those that were removed since; they are counted above too.
    pub pruned: u64,
    /// Who took part, in the order of their first sessions' numbers.
    pub agents: Vec<TaskAgent>,
    /// The session that started first.
    pub first: Option<TaskSession>,
    /// The session that ended last.
    pub last: Option<TaskSession>,
    /// From the start of the first to the end of the last, in milliseconds.
    pub duration_ms: u64,
    /// The durations of all sessions together, in milliseconds.
    pub commands_ms: u64,
    /// How many notes there are.
    pub notes: u64,
    /// The last one that has a text; none where the task was ended without one since.
    pub last_note: Option<TaskNote>,
    /// The highest number of a session.
    pub last_number: u64,
    /// How long the notes' file was, in bytes: tells whether one was added since.
    pub notes_bytes: u64,
    /// The sessions that are there, in one number: the first 8 bytes of the SHA-256 of each id,
    /// combined by exclusive or, in hex. Tells whether the store has the same ones.
    pub present: String,
}

/// What an agent did for a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskAgent {
    /// Its name.
    pub agent: String,
    /// How many sessions it ran.
    pub sessions: u64,
    /// Those that failed.
    pub failed: u64,
}

impl TaskStatus {
    /// A task that nothing is known of.
    #[must_use]
    pub fn new(task: &str) -> Self {
        Self {
            schema_version: SCHEMA_VERSION.to_owned(),
            task: task.to_owned(),
            state: TaskState::Open,
            sessions: 0,
            succeeded: 0,
            failed: 0,
            pruned: 0,
            agents: Vec::new(),
            first: None,
            last: None,
            duration_ms: 0,
            commands_ms: 0,
            notes: 0,
            last_note: None,
            last_number: 0,
            notes_bytes: 0,
            present: Present::default().to_string(),
        }
    }

    /// The sums of these sessions and notes. `last_number` is the highest number that was ever given,
    /// as far as that is known.
    #[must_use]
    pub fn of(
        task: &str,
        sessions: &[TaskSession],
        notes: &[TaskNote],
        notes_bytes: u64,
        last_number: u64,
    ) -> Self {
        let mut status = Self::new(task);
        status.last_number = last_number;
        for session in sessions {
            status.add(session);
        }
        status.hear(notes, notes_bytes);
        status
    }

    /// Counts one more session.
    pub fn add(&mut self, session: &TaskSession) {
        let failed = u64::from(session.has_failed());
        self.sessions = self.sessions.saturating_add(1);
        self.failed = self.failed.saturating_add(failed);
        self.succeeded = self.sessions.saturating_sub(self.failed);
        self.pruned = self.pruned.saturating_add(u64::from(session.pruned));
        self.last_number = self.last_number.max(session.number);
        self.commands_ms = self
            .commands_ms
            .saturating_add(session.duration_ms.unwrap_or(0));
        let known = self.agents.iter_mut();
        match known.into_iter().find(|known| known.agent == session.agent) {
            Some(agent) => {
                agent.sessions = agent.sessions.saturating_add(1);
                agent.failed = agent.failed.saturating_add(failed);
            }
            None => self.agents.push(TaskAgent {
                agent: session.agent.clone(),
                sessions: 1,
                failed,
            }),
        }
        let is_first = |first: &TaskSession| session.timestamp < first.timestamp;
        if self.first.as_ref().is_none_or(is_first) {
            self.first = Some(session.clone());
        }
        if self
            .last
            .as_ref()
            .is_none_or(|last| session.end() >= last.end())
        {
            self.last = Some(session.clone());
        }
        if let (Some(first), Some(last)) = (&self.first, &self.last) {
            let span = last.end().0.signed_duration_since(first.timestamp.0);
            self.duration_ms = u64::try_from(span.num_milliseconds()).unwrap_or(0);
        }
        if !session.pruned {
            let mut present: Present = self.present.parse().unwrap_or_default();
            present.flip(&session.session_id);
            self.present = present.to_string();
        }
    }

    /// Takes in all that was said of the task.
    pub fn hear(&mut self, notes: &[TaskNote], notes_bytes: u64) {
        let state = notes.iter().rev().find_map(|note| note.state);
        self.state = state.unwrap_or_default();
        self.notes = notes.iter().filter(|note| note.text.is_some()).count() as u64;
        // Whoever ends a task without a word doesn't take up what was said before.
        let is_over = self.state != TaskState::Open;
        let mut latest = notes.iter().rev();
        let latest = latest.find(|note| note.text.is_some() || (is_over && note.state.is_some()));
        self.last_note = latest.filter(|note| note.text.is_some()).cloned();
        self.notes_bytes = notes_bytes;
    }
}

/// A set of sessions in one number: the same sessions give the same number in any order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Present(u64);

impl Present {
    /// Adds a session, or takes it out again.
    pub fn flip(&mut self, id: &SessionId) {
        let digest = Sha256::digest(id.as_str().as_bytes());
        let (first, _) = digest.split_at(8);
        let bytes: [u8; 8] = first.try_into().unwrap_or_default();
        self.0 ^= u64::from_be_bytes(bytes);
    }
}

impl std::fmt::Display for Present {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{:016x}", self.0)
    }
}

impl std::str::FromStr for Present {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u64::from_str_radix(text, 16).map(Self)
    }
}

#[cfg(test)]
pub(crate) mod tests;
