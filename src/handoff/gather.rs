//! Everything is gathered from the index, a few sidecars and the tasks' sums, as long as there is time.

use std::time::Duration;

use super::failures::{Open, id_of, open_failures};
use super::lessons::{Lately, told};
use super::turns::{Step, turns};
use super::{
    Cleaner, Ending, Failure, Handoff, Kind, Note, Ran, Recorded, Repository, Sums, Task, Turn,
    Unknown,
};
use crate::egress;
use crate::faults::{CommandKey, FaultId, Status, error_line};
use crate::memory::{FaultStore, Known};
use crate::session::entry::without_last_word;
use crate::session::metadata::Git;
use crate::session::quote::whole_words;
use crate::session::{
    AgentName, Entry, Metadata, Query, SessionId, State, TaskState, TaskStatus, Timestamp,
};
use crate::store::fs::{FileStore, HeldStore, Reach};
use crate::store::{Found, parse_sidecar};
use crate::transcript::record;

/// How many sessions are looked at, at most.
const SESSIONS: usize = 500;
/// So many lines of the index are read in any case, if there is time at all.
const LINES: usize = 2000;
/// How long more may be read for: a filter that little fits must not use up all the time.
const LOOKING: Duration = Duration::from_millis(8);
/// How many of each are gathered, at most.
const FAILURES: usize = 20;
const COMMANDS: usize = 60;
const NOTES: usize = 20;
const TURNS: usize = 20;
const TASKS: usize = 20;
/// How many lessons of one failure.
const LESSONS: usize = 3;

/// What is asked for, and by when.
pub struct Request<'r> {
    /// Who it is for, where that is known.
    pub reader: Option<AgentName>,
    /// Which sessions: by their start, and their task.
    pub query: &'r Query,
    /// What is known of the repository.
    pub git: Option<Git>,
    /// What git is in the middle of.
    pub operation: Option<&'static str>,
    /// What can't be read in this time is left out.
    pub within: Duration,
    /// The time since the request.
    pub elapsed: &'r dyn Fn() -> Duration,
    /// What recorded text goes through.
    pub cleaner: &'r Cleaner<'r>,
}

/// Gathers a hand-off. A store that isn't there yet has nothing to hand over.
#[must_use]
pub fn gather(request: &Request<'_>, store: &FileStore) -> Handoff {
    let clean = |text: &str| request.cleaner.take(text, Kind::Text);
    let mut handoff = Handoff {
        reader: request.reader.clone(),
        ..Handoff::default()
    };
    if let Some(git) = &request.git {
        handoff.unknown.push(Unknown::WorkTree);
        handoff.repository = Repository {
            branch: git.branch.as_deref().map(clean),
            commit: git.commit.clone(),
            operation: request.operation,
        };
    }
    let found = find(request, store, &mut handoff);
    let reading = Reading {
        request,
        held: store.hold().ok().flatten(),
        memory: FaultStore::beside(store),
    };
    // Before anything else is read of them: tasks are few and tell much.
    add_tasks(&reading, store, &mut handoff);
    handoff.sums = sums(&found, handoff.sums.are_all, request.reader.as_ref());
    handoff.turns = turns(found.iter().filter_map(step).collect());
    handoff.turns.truncate(TURNS);
    let mut unread = 0;
    for open in open_failures(&found).into_iter().take(FAILURES) {
        handoff
            .failures
            .extend(reading.failure(&found, &open, &mut unread));
    }
    reading.add_lessons(&found, &mut handoff);
    for found in found.iter().filter(|found| found.entry.notes.is_some()) {
        if handoff.notes.len() < NOTES {
            handoff.notes.extend(reading.note(found, &mut unread));
        }
    }
    let ran = found.iter().take(COMMANDS);
    let ran = ran.filter_map(|found| reading.ran(found, reading.finished(found).as_ref()));
    handoff.commands = ran.collect();
    for turn in &mut handoff.turns {
        turn.conversation = reading.conversation(turn);
    }
    if unread > 0 {
        handoff.unknown.push(Unknown::Details(unread));
    }
    handoff.redacted = request.cleaner.replaced();
    handoff
}

fn find(request: &Request<'_>, store: &FileStore, handoff: &mut Handoff) -> Vec<Found> {
    let wanted = |entry: &Entry<'_>, state: State| {
        // A sidecar that can't be read tells nothing worth handing over.
        let is_known = entry.status.is_some() || state != State::Finished;
        is_known && request.query.matches(entry, state) != crate::session::query::Match::No
    };
    let may_go_on = |lines: usize| {
        let elapsed = (request.elapsed)();
        elapsed < request.within && (lines < LINES || elapsed < LOOKING)
    };
    let since = request.query.since.as_deref();
    match store.recent(SESSIONS, since, &wanted, &may_go_on) {
        Ok(recent) => {
            handoff.sums.are_all = recent.reach == Reach::All;
            match recent.reach {
                Reach::All | Reach::Enough => {}
                Reach::Late => handoff.unknown.push(Unknown::OlderSessions),
                Reach::NoIndex => handoff.unknown.push(Unknown::NoIndex),
            }
            recent.found
        }
        Err(error) => {
            let error = request.cleaner.take(&error.to_string(), Kind::Text);
            handoff.unknown.push(Unknown::Sessions(error));
            Vec::new()
        }
    }
}

fn add_tasks(reading: &Reading<'_>, store: &FileStore, handoff: &mut Handoff) {
    let request = reading.request;
    let may_go_on = || (request.elapsed)() < request.within;
    let tasks = store.tasks_in_a_hurry(TASKS, &may_go_on);
    if tasks.unread > 0 {
        handoff.unknown.push(Unknown::Tasks(tasks.unread));
    }
    let wanted = |status: &&TaskStatus| {
        let is_wanted = request.query.task.as_ref();
        status.state == TaskState::Open && is_wanted.is_none_or(|wanted| *wanted == status.task)
    };
    let clean = |text: &str| request.cleaner.take(text, Kind::Text);
    let tasks = tasks.statuses.iter().filter(wanted).map(|status| {
        let note = status.last_note.as_ref();
        let note = note.and_then(|note| note.text.as_deref());
        let last = status.last.as_ref();
        Task {
            name: reading.task_name(status),
            state: status.state,
            sessions: status.sessions,
            failed: status.failed,
            last: last.map(|last| {
                let end = last.ended_at.unwrap_or(last.timestamp);
                (last.session_id.clone(), end)
            }),
            note: note.map(clean),
        }
    });
    handoff.tasks = tasks.collect();
}

fn sums(found: &[Found], are_all: bool, reader: Option<&AgentName>) -> Sums {
    let count = |test: &dyn Fn(&Found) -> bool| found.iter().filter(|it| test(it)).count() as u64;
    let is_own = |it: &Found| {
        let id = it.entry.id();
        id.zip(reader)
            .is_some_and(|(id, reader)| id.agent() == reader.as_str())
    };
    let last_own = found.iter().filter(|it| is_own(it)).map(end).max();
    let starts = found
        .iter()
        .filter_map(|it| it.entry.timestamp.parse().ok());
    Sums {
        commands: found.len() as u64,
        failed: count(&|it| it.state != State::Running && it.entry.has_failed()),
        running: count(&|it| it.state == State::Running),
        first: starts.min(),
        last: found.iter().filter_map(end).max(),
        are_all,
        since_reader: last_own.map(|last| count(&|it| !is_own(it) && end(it) > last)),
    }
}

/// The line of what a sidecar quotes that tells why the command failed.
fn quoted(metadata: &Metadata) -> &str {
    let errors = metadata.stderr_head.as_deref().unwrap_or_default();
    match &metadata.start_error {
        Some(error) => error,
        None => error_line::choose(&[errors, &metadata.stdout_tail]),
    }
}

/// When a session ended, or started where that isn't known.
fn end(found: &Found) -> Option<Timestamp> {
    let entry = &found.entry;
    let end = entry.ended_at.as_deref().and_then(|end| end.parse().ok());
    end.or_else(|| entry.timestamp.parse().ok())
}

fn step(found: &Found) -> Option<Step> {
    let started = found.entry.timestamp.parse().ok()?;
    Some(Step {
        id: id_of(found)?,
        started,
        ended: end(found)?.max(started),
        has_failed: found.state != State::Running && found.entry.has_failed(),
    })
}

/// Looks into sidecars, as long as there is time.
struct Reading<'r> {
    request: &'r Request<'r>,
    held: Option<HeldStore>,
    memory: FaultStore,
}

impl Reading<'_> {
    fn clean(&self, text: &str) -> Recorded {
        self.request.cleaner.take(text, Kind::Text)
    }

    /// A finished session's metadata; none if it can't be read, or not in time.
    fn metadata(&self, id: &SessionId) -> Option<Metadata> {
        if (self.request.elapsed)() >= self.request.within {
            return None;
        }
        let mut bytes = Vec::new();
        let is_there = self.held.as_ref()?.read_sidecar(id, &mut bytes);
        is_there.ok().filter(|is_there| *is_there)?;
        parse_sidecar(id, &bytes).ok()
    }

    /// What was known of a session that has not ended when it began.
    fn begun(&self, id: &SessionId) -> Option<Metadata> {
        if (self.request.elapsed)() >= self.request.within {
            return None;
        }
        let known = self.held.as_ref()?.start_record(id).ok()?;
        record::interrupted(&known).filter(|begun| begun.session_id == *id)
    }

    /// A task's name. What of it is secret is marked in its sessions.
    fn task_name(&self, status: &TaskStatus) -> Recorded {
        let sessions = [&status.last, &status.first].into_iter().flatten();
        let mut marks = sessions.filter_map(|session| {
            let id = &session.session_id;
            let metadata = self.metadata(id).or_else(|| self.begun(id))?;
            metadata.redactions?.task
        });
        self.clean(marks.next().as_ref().unwrap_or(&status.task))
    }

    /// The same of what was found, if it is finished.
    fn finished(&self, found: &Found) -> Option<Metadata> {
        let is_finished = found.state == State::Finished;
        is_finished.then(|| self.metadata(&id_of(found)?))?
    }

    /// A command, with what was replaced in it when it was recorded: the caller's own secrets are known
    /// then only. Where the sidecar can't be read, its first word: the rest might be a secret.
    fn command(&self, found: &Found, metadata: Option<&Metadata>) -> Recorded {
        let entry = &found.entry;
        let clean = |command: &str| self.request.cleaner.take(command, Kind::Command);
        if found.state != State::Finished {
            let begun = id_of(found).and_then(|id| self.begun(&id));
            let known = begun.and_then(|begun| begun.redactions?.command);
            return match known {
                Some(known) => clean(&known),
                None if entry.cut => clean(whole_words(&entry.command)),
                None => clean(&entry.command),
            };
        }
        match metadata {
            Some(metadata) => {
                let known = metadata.redactions.as_ref();
                let known = known.and_then(|known| known.command.as_ref());
                clean(known.unwrap_or(&metadata.command))
            }
            None => clean(entry.command.split_whitespace().next().unwrap_or_default()),
        }
    }

    /// What ran. `metadata` is that of a finished session, if it can be read.
    fn ran(&self, found: &Found, metadata: Option<&Metadata>) -> Option<Ran> {
        Some(Ran {
            at: end(found)?,
            ending: Ending::of(&found.entry, found.state),
            command: self.command(found, metadata),
            changes: metadata.and_then(|it| it.checkpoint.as_ref()?.changes),
            id: id_of(found)?,
        })
    }

    fn failure(&self, found: &[Found], open: &Open, unread: &mut usize) -> Option<Failure> {
        let found = found.get(open.index)?;
        let known = self.known(found);
        let history = known.as_ref().and_then(|known| known.history.as_ref());
        if history
            .is_some_and(|history| matches!(history.status, Status::Resolved | Status::Ignored))
        {
            return None;
        }
        let metadata = self.metadata(&id_of(found)?);
        let metadata = metadata.as_ref();
        let ran = self.ran(found, metadata)?;
        *unread += usize::from(metadata.is_none());
        // Failure memory saw more of the output than the sidecar quotes, and its rules tell more.
        let remembered = known.as_ref().filter(|known| known.history.is_some());
        let remembered = remembered.map(Known::said).filter(|said| !said.is_empty());
        let said = remembered.or_else(|| metadata.map(quoted));
        // What is known by now is more than what was known when it failed.
        let key = metadata.and_then(|it| CommandKey::of(&it.argv, it.shell_line.as_deref()));
        let asked = known.clone().map(|known| known.asked_about(key));
        let advice = asked.as_ref().map(Known::advice).unwrap_or_default();
        let recorded = metadata.map_or(&[][..], |metadata| &metadata.lessons);
        let lessons = if advice.is_empty() { recorded } else { &advice };
        Some(Failure {
            times: open.times,
            said: said
                .filter(|said| !said.is_empty())
                .map(|said| self.clean(said)),
            fault: found.entry.fault.as_deref().map(|fault| self.clean(fault)),
            lessons: lessons
                .iter()
                .take(LESSONS)
                .map(|text| self.clean(text))
                .collect(),
            ran,
        })
    }

    /// What was learned, as far as no failure says it already.
    fn add_lessons(&self, found: &[Found], handoff: &mut Handoff) {
        if (self.request.elapsed)() >= self.request.within {
            handoff.unknown.push(Unknown::Lessons);
            return;
        }
        let lessons = self.memory.active_lessons();
        if lessons.is_empty() {
            return;
        }
        let mut lately = Lately::default();
        for found in found.iter().take(COMMANDS) {
            lately.add(&found.entry.command, found.entry.fault.as_deref());
        }
        let said = handoff.failures.iter().flat_map(|it| &it.lessons);
        let said: Vec<&str> = said.map(Recorded::as_str).collect();
        let is_ignored = |fault: &FaultId| {
            let known = self.memory.fault(fault);
            known.is_some_and(|known| known.status() == Status::Ignored)
        };
        let lessons = lessons.iter().map(|known| &known.lesson);
        let told = told(lessons, &lately, &is_ignored, &said);
        handoff.lessons = told.iter().map(|text| self.clean(text)).collect();
    }

    /// What failure memory has of a session's fault, if there is time to look.
    fn known(&self, found: &Found) -> Option<Known> {
        let fault = found.entry.fault.as_deref()?.parse().ok()?;
        let has_time = (self.request.elapsed)() < self.request.within;
        has_time.then(|| self.memory.fault(&fault))?
    }

    fn note(&self, found: &Found, unread: &mut usize) -> Option<Note> {
        let id = id_of(found)?;
        let note = found.entry.notes.as_deref()?;
        let marked = match found.state {
            State::Finished => self.metadata(&id),
            _ => self.begun(&id),
        };
        let text = match marked {
            Some(mut metadata) => {
                egress::put_marks(&mut metadata);
                self.clean(metadata.notes.as_deref()?)
            }
            // What of it is secret nobody can tell.
            None if found.state == State::Finished => {
                *unread += 1;
                return None;
            }
            None if found.entry.cut => self.clean(without_last_word(note)),
            None => self.clean(note),
        };
        let at = end(found)?;
        Some(Note { id, at, text })
    }

    fn conversation(&self, turn: &Turn) -> Option<Recorded> {
        let harness = self.metadata(&turn.last)?.harness?;
        Some(self.clean(&harness.conversation?))
    }
}
