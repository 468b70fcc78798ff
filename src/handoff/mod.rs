//! USE CASE: hand work over. Gathers what the next agent should know, in a hurry.
//!
//! Never an error: what can't be read, or not in time, is left out, and [`Handoff::unknown`] says so.
//! Every recorded text is redacted as it is taken in: a [`Recorded`] can't be made otherwise. It is not
//! harmless yet; whoever shows it makes it so.

mod clean;
mod failures;
mod gather;
mod lessons;
mod turns;

pub use clean::{Cleaner, Kind, Recorded};
pub use gather::{Request, gather};

use crate::session::checkpoint::Counts;
use crate::session::id::DEFAULT_AGENT;
use crate::session::{AgentName, Entry, Judgement, SessionId, State, Status, TaskState, Timestamp};

/// What the next agent should know.
#[derive(Clone, Debug, Default)]
pub struct Handoff {
    /// Who it is for, where that is known.
    pub reader: Option<AgentName>,
    /// The repository.
    pub repository: Repository,
    /// The sessions that were looked at, in sum.
    pub sums: Sums,
    /// What failed and did not succeed since, the last first.
    pub failures: Vec<Failure>,
    /// What was learned, the most fitting first; not what is said of a failure above.
    pub lessons: Vec<Recorded>,
    /// The tasks that are neither done nor given up, the one that changed last first.
    pub tasks: Vec<Task>,
    /// Notes on sessions, the last first.
    pub notes: Vec<Note>,
    /// The last commands, those that aren't over first.
    pub commands: Vec<Ran>,
    /// Who ran commands, the last first.
    pub turns: Vec<Turn>,
    /// What could not be told, and why.
    pub unknown: Vec<Unknown>,
    /// How many secrets were replaced.
    pub redacted: u64,
}

impl Handoff {
    /// Whether it says something that its reader could want to know unasked. Commands that went well are
    /// something only as another agent's work; who isn't known to be an agent may be the reader's own hands.
    #[must_use]
    pub fn has_news(&self) -> bool {
        let is_other = |turn: &Turn| {
            self.reader.as_ref() != Some(&turn.agent) && turn.agent.as_str() != DEFAULT_AGENT
        };
        let is_unsure = |ran: &Ran| match ran.ending {
            Ending::Running => true,
            Ending::Over { exit_code, .. } => exit_code.is_none(),
        };
        !self.failures.is_empty()
            || !self.lessons.is_empty()
            || !self.tasks.is_empty()
            || !self.notes.is_empty()
            || self.repository.operation.is_some()
            || self.commands.iter().any(is_unsure)
            || self.turns.iter().any(is_other)
    }
}

/// What is known of the repository without asking git.
#[derive(Clone, Debug, Default)]
pub struct Repository {
    /// The branch; none on a detached HEAD, or where nothing is known.
    pub branch: Option<Recorded>,
    /// The commit.
    pub commit: Option<String>,
    /// What git is in the middle of, such as a merge.
    pub operation: Option<&'static str>,
}

/// The sessions that were looked at, in sum.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// How many.
    pub commands: u64,
    /// Those that failed: see [`Entry::has_failed`].
    pub failed: u64,
    /// Those that still run.
    pub running: u64,
    /// The start of the first.
    pub first: Option<Timestamp>,
    /// The end of the last.
    pub last: Option<Timestamp>,
    /// Whether there are none besides.
    pub are_all: bool,
    /// How many ended after the reader's own last one, by others; none if it has none.
    pub since_reader: Option<u64>,
}

/// How a session ended.
#[derive(Clone, Copy, Debug)]
pub enum Ending {
    /// It still runs.
    Running,
    /// It is over; none of the two where that isn't known.
    Over {
        /// How.
        status: Option<Status>,
        /// As a shell would show it.
        exit_code: Option<i32>,
        /// What that means, where anybody knows.
        judgement: Option<Judgement>,
    },
}

impl Ending {
    fn of(entry: &Entry<'_>, state: State) -> Self {
        match state {
            State::Running => Self::Running,
            State::Finished => Self::Over {
                status: entry.status,
                exit_code: entry.exit_code,
                judgement: entry.judgement(),
            },
            State::Interrupted => Self::Over {
                status: Some(Status::Interrupted),
                exit_code: None,
                judgement: None,
            },
        }
    }
}

/// A command that was run.
#[derive(Clone, Debug)]
pub struct Ran {
    /// Its session.
    pub id: SessionId,
    /// When it ended; when it started, if it still runs.
    pub at: Timestamp,
    /// How it ended.
    pub ending: Ending,
    /// The command.
    pub command: Recorded,
    /// How many files it changed, where checkpoints tell: then there is a way back, too.
    pub changes: Option<Counts>,
}

/// A command that failed, and did not succeed since.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The last time.
    pub ran: Ran,
    /// How often in a row.
    pub times: u64,
    /// The line of its output that tells.
    pub said: Option<Recorded>,
    /// The fault that it ran into.
    pub fault: Option<Recorded>,
    /// What was learned.
    pub lessons: Vec<Recorded>,
}

/// A note on a session.
#[derive(Clone, Debug)]
pub struct Note {
    /// The session.
    pub id: SessionId,
    /// When the session ended.
    pub at: Timestamp,
    /// The note.
    pub text: Recorded,
}

/// A task that is worked on.
#[derive(Clone, Debug)]
pub struct Task {
    /// Its name.
    pub name: Recorded,
    /// Where it stands.
    pub state: TaskState,
    /// How many sessions it has had.
    pub sessions: u64,
    /// Those that failed.
    pub failed: u64,
    /// Its last session, and when that ended.
    pub last: Option<(SessionId, Timestamp)>,
    /// The last note on it.
    pub note: Option<Recorded>,
}

/// Commands that one agent ran without a long pause.
#[derive(Clone, Debug)]
pub struct Turn {
    /// The agent's name.
    pub agent: AgentName,
    /// Its program's conversation.
    pub conversation: Option<Recorded>,
    /// How many commands.
    pub commands: u64,
    /// Those that failed.
    pub failed: u64,
    /// The start of the first.
    pub from: Timestamp,
    /// The end of the last.
    pub to: Timestamp,
    /// The last one's session.
    pub last: SessionId,
}

/// Something that could not be told.
#[derive(Clone, Debug)]
pub enum Unknown {
    /// Whether the work tree has changes: only git itself can tell.
    WorkTree,
    /// Sessions before those that were looked at, since the time was over.
    OlderSessions,
    /// All sessions, since the index has to be made first.
    NoIndex,
    /// All sessions, since they can't be read.
    Sessions(Recorded),
    /// Some tasks.
    Tasks(usize),
    /// Lessons, for lack of time.
    Lessons,
    /// What failures said, and lessons, of so many: the time was over, or they can't be read.
    Details(usize),
    /// The settings, and so the store.
    Settings(Recorded),
    /// So many of the user's rules for secrets: they can't be used as they are.
    Rules(usize),
}
