//! USE CASE: file a call that the hook of an agent's program reported after the fact.
//!
//! The session says that it was observed: aido didn't run the command, so its output and its exit code are
//! what the program said. Each call is filed once, however often it is reported.

use std::path::Path;
use std::time::Duration;

use serde_json::Map;
use sha2::{Digest, Sha256};

use super::beginning::begin_session;
use super::publishing::finish;
use super::{Recording, Request, describe, secrets};
use crate::capture::Ended;
use crate::plan::{RunPlan, TerminalPlan, TtyMode};
use crate::session::metadata::{Harness, Origin};
use crate::session::{Event, Metadata, Outcome, SessionId, Sink, Stream, Timestamp};
use crate::store::fs::FileStore;
use crate::store::{Store, StoreError, key, layout};
use crate::sys::lock::wait_for_lock;
use crate::transcript::Excerpt;

/// How long to wait for another hook that files a call.
const PATIENCE: Duration = Duration::from_secs(2);
/// Reports of one call that have no id come this close together.
const SAME_CALL: chrono::TimeDelta = chrono::TimeDelta::seconds(2);
/// How many calls that look the same are told apart by their names.
const ALIKE_MAX: u32 = 8;

/// A call as it was reported.
#[derive(Clone, Debug)]
pub struct Report {
    /// The agent's program, its conversation and log.
    pub program: &'static str,
    /// Its id of the conversation.
    pub conversation: Option<String>,
    /// Its log of the conversation.
    pub log_file: Option<String>,
    /// Its id of the call.
    pub tool_call: Option<String>,
    /// What else it said of the call: names and values.
    pub facts: Vec<(&'static str, String)>,
    /// Standard output, or both where it doesn't tell them apart.
    pub stdout: String,
    /// Standard error.
    pub stderr: Option<String>,
    /// The exit code, where it said one.
    pub exit_code: Option<i32>,
    /// From start to end.
    pub duration: Option<Duration>,
}

/// What became of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filed {
    /// It is this session now.
    New(SessionId),
    /// It was this session before.
    Before(SessionId),
    /// Nothing is to be recorded.
    Unwanted,
}

/// Files a call. The request's command is the line, and its caller's streams are nothing.
///
/// # Errors
/// When it can't be recorded.
pub fn file(request: &Request, report: &Report, now: Timestamp) -> Result<Filed, StoreError> {
    let location = request
        .place
        .location(request.settings.session_dir.as_deref());
    let (Some(location), true) = (location, request.settings.record) else {
        return Ok(Filed::Unwanted);
    };
    let state = request.place.state.clone();
    let store = FileStore::new(location, state, request.place.current.clone());
    let locked = store
        .open_beside(Path::new(layout::OBSERVED_LOCK))
        .and_then(|lock| wait_for_lock(&lock, PATIENCE).map(|()| lock));
    let _lock = locked.map_err(StoreError::file(layout::OBSERVED_LOCK))?;
    let random = match name_of(report, &store, now)? {
        Name::Free(random) => random,
        Name::Taken(id) => return Ok(Filed::Before(id)),
    };
    record(request, report, store, random, now).map(Filed::New)
}

enum Name {
    /// The hex ending of a session that is not there; none where chance has to make one.
    Free(Option<u32>),
    /// The call was filed.
    Taken(SessionId),
}

/// The ending of a call's session is made of what is known of the call, so that it is found again.
fn name_of(report: &Report, store: &FileStore, now: Timestamp) -> Result<Name, StoreError> {
    for number in 0..ALIKE_MAX {
        let ending = ending(report, number);
        let Some(id) = store.find(&format!("{ending:08x}"), 1)?.pop() else {
            return Ok(Name::Free(Some(ending)));
        };
        // A call with an id is the same one whenever it is reported again.
        if report.tool_call.is_some() {
            return Ok(Name::Taken(id));
        }
        let ended = store.metadata(&id).ok().and_then(|known| known.ended_at);
        if ended.is_some_and(|ended| now.0.signed_duration_since(ended.0) < SAME_CALL) {
            return Ok(Name::Taken(id));
        }
    }
    Ok(Name::Free(None))
}

fn ending(report: &Report, number: u32) -> u32 {
    let mut digest = Sha256::new();
    let mut add = |part: &str| {
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part);
    };
    add(report.conversation.as_deref().unwrap_or_default());
    match &report.tool_call {
        Some(id) => add(id),
        None => {
            let facts = report.facts.iter();
            let line = facts.filter(|(name, _)| *name == "command");
            line.for_each(|(_, value)| add(value));
            add(&report.stdout);
            add(&number.to_string());
        }
    }
    let bytes = digest.finalize();
    u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

fn record(
    request: &Request,
    report: &Report,
    store: FileStore,
    random: Option<u32>,
    now: Timestamp,
) -> Result<SessionId, StoreError> {
    let terminal = TerminalPlan::new(TtyMode::Never, request.caller);
    let facts = facts(request, report, &terminal, now);
    let own = secrets::own(&request.environment);
    let Some((mut draft, known)) = begin_session(request, Some(&store), &facts, &own, random)?
    else {
        return Err(StoreError::File {
            what: "the session".to_owned(),
            source: std::io::ErrorKind::Unsupported.into(),
        });
    };
    let id = draft.id().clone();
    let mut excerpt = Excerpt::new();
    let streams = [
        (Stream::Stdout, Some(&report.stdout)),
        (Stream::Stderr, report.stderr.as_ref()),
    ];
    for (stream, text) in streams {
        let bytes = text.map_or(&[][..], |text| text.as_bytes());
        if !bytes.is_empty() {
            let event = Event::Output { stream, bytes };
            let taken = draft.recorder().event(Duration::ZERO, &event);
            taken.map_err(StoreError::file("the transcript"))?;
            excerpt
                .event(Duration::ZERO, &event)
                .map_err(StoreError::file("the excerpts"))?;
        }
    }
    let state = request.place.state.as_deref();
    let recording = Recording {
        draft: Some(draft),
        known,
        own,
        key: state.and_then(|state| key::load_or_make(state).ok()),
        store: Some(store),
        checkpoints: None,
    };
    let ended = Ended {
        // Where nobody said how it ended, nobody can know.
        outcome: report
            .exit_code
            .map_or(Outcome::Interrupted, Outcome::Exited),
        duration: report.duration.unwrap_or_default(),
        output_bytes: report.stdout.len() as u64,
        undelivered: Vec::new(),
        bare_line_feeds: true,
        interrupted_at_terminal: None,
    };
    let plan = RunPlan {
        argv: Vec::new(),
        environment: Vec::new(),
        terminal,
        timeout: None,
    };
    // What else goes wrong leaves an interrupted session, which recovers.
    let _ = finish(recording, &plan, &ended, &excerpt, request, &mut |_| {});
    Ok(id)
}

fn facts(request: &Request, report: &Report, terminal: &TerminalPlan, now: Timestamp) -> Metadata {
    let mut facts = describe::facts(request, terminal);
    facts.origin = Origin::Observed;
    let duration = report.duration.unwrap_or_default();
    let started = chrono::Duration::from_std(duration).ok();
    let started = started.and_then(|duration| now.0.checked_sub_signed(duration));
    facts.timestamp = started.map_or(now, Timestamp);
    // Nothing ran inside of another session: the hook did.
    facts.within = None;
    let mut other = Map::new();
    if let Some(tool_call) = &report.tool_call {
        other.insert("tool_call".to_owned(), tool_call.as_str().into());
    }
    for (name, value) in &report.facts {
        if *name != "command" {
            other.insert((*name).to_owned(), value.as_str().into());
        }
    }
    facts.harness = Some(Harness {
        name: report.program.to_owned(),
        conversation: report.conversation.clone(),
        log_file: report.log_file.clone(),
        other,
    });
    facts
}
