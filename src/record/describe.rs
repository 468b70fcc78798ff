//! The sidecar's facts: what is known before the command runs, and what its end adds.

use std::os::unix::ffi::OsStrExt;

use serde_json::{Map, Value};

use super::arguments::{self, Recorded};
use super::{Request, SESSION_VARIABLE};
use crate::caller;
use crate::capture::Ended;
use crate::clock::{self, Zone};
use crate::environment::Environment;
use crate::place::Place;
use crate::plan::{CallerStream, Carrier, ErrorStream, TerminalPlan};
use crate::session::metadata::{Host, Origin, SCHEMA_VERSION, Streams, Tty};
use crate::session::{Metadata, Outcome, SessionId, Status, Timestamp};
use crate::transcript::render::LineFeed;
use crate::transcript::{Excerpt, Sealed};

/// Variables whose values are recorded: none of them holds secrets.
const RECORDED_VARIABLES: &[&str] = &["SHELL", "TERM", "LANG", "LC_ALL", "TZ", "CI", "TRACEPARENT"];
/// A longer value is not recorded; no honest one is.
const VARIABLE_MAX_BYTES: usize = 4096;

/// Everything that is known before the command runs. The id is a placeholder until it is drawn.
#[must_use]
pub fn facts(request: &Request, terminal: &TerminalPlan) -> Metadata {
    let settings = &request.settings;
    let identity = caller::identify(settings.agent.as_deref(), &request.environment);
    let timestamp = clock::now();
    let zone = Zone::of_variables(|name| request.environment.value(name));
    let local_time = clock::local_stamp(timestamp, zone);
    let Recorded {
        command,
        argv,
        argv_hex,
        shell_line,
    } = arguments::recorded(&request.command);
    let within = request.environment.text(SESSION_VARIABLE);
    let within = within.filter(|id| id.parse::<SessionId>().is_ok());
    Metadata {
        session_id: SessionId::new(&identity.agent, &local_time, 0, 0),
        agent: identity.agent.to_string(),
        timestamp,
        command,
        exit_code: None,
        typescript_file: String::new(),
        sha256: None,
        stdout_tail: String::new(),
        stderr_head: None,
        env: recorded_environment(&request.environment, &request.place),
        notes: settings.note.clone(),
        fault: None,
        lessons: Vec::new(),
        schema_version: SCHEMA_VERSION.to_owned(),
        origin: Origin::Recorded,
        argv,
        argv_hex,
        shell_line,
        cwd: current_directory(&request.place),
        cwd_hex: exact_directory(&request.place),
        ended_at: None,
        duration_ms: None,
        status: Status::Interrupted,
        signal: None,
        start_error: None,
        outcome: None,
        output_bytes: 0,
        dropped_bytes: 0,
        streams: streams(terminal),
        tty: tty(terminal),
        git: request.place.git(),
        host: host(),
        aido_version: env!("CARGO_PKG_VERSION").to_owned(),
        parent: request.parent.as_ref().map(ToString::to_string),
        within: within.map(str::to_owned),
        task: settings.task.clone(),
        tags: settings.tags.clone(),
        pinned: false,
        durable: false,
        harness: identity.harness,
        detached: request.detached.is_some(),
        name: request
            .detached
            .as_ref()
            .and_then(|detached| detached.name.clone()),
        sensitive: None,
        redactions: None,
        checkpoint: None,
        mac: None,
        other: Map::new(),
    }
}

fn current_directory(place: &Place) -> Option<String> {
    let current = place.current.as_ref()?;
    Some(current.to_string_lossy().into_owned())
}

/// The bytes of a path that is no UTF-8.
fn exact_directory(place: &Place) -> Option<String> {
    let current = place.current.as_ref()?.as_os_str();
    let is_text = current.to_str().is_some();
    (!is_text).then(|| hex::encode(current.as_bytes()))
}

fn recorded_environment(environment: &Environment, place: &Place) -> Map<String, Value> {
    let mut recorded = Map::new();
    for name in RECORDED_VARIABLES {
        if let Some(value) = environment.text(name)
            && value.len() <= VARIABLE_MAX_BYTES
        {
            recorded.insert((*name).to_owned(), value.into());
        }
    }
    recorded.insert("OS".to_owned(), std::env::consts::OS.into());
    if let Some(root) = &place.root {
        let root = root.to_string_lossy().into_owned();
        recorded.insert("REPO_ROOT".to_owned(), root.into());
    }
    recorded
}

fn host() -> Host {
    let name = rustix::system::uname();
    Host {
        os: std::env::consts::OS.to_owned(),
        arch: std::env::consts::ARCH.to_owned(),
        hostname: name.nodename().to_string_lossy().into_owned(),
        other: Map::new(),
    }
}

fn streams(terminal: &TerminalPlan) -> Streams {
    match terminal.stderr {
        ErrorStream::WithOutput | ErrorStream::Own(Carrier::Closed) => Streams::Merged,
        ErrorStream::Own(_) => Streams::Split,
    }
}

/// The terminal that the command has.
#[must_use]
pub fn tty(terminal: &TerminalPlan) -> Tty {
    let stdout = terminal.stdout == Carrier::Pty;
    Tty {
        mode: terminal.mode.name().to_owned(),
        situation: terminal.situation.name().to_owned(),
        stdin: terminal.caller.stdin == CallerStream::Terminal,
        stdout,
        stderr: match terminal.stderr {
            ErrorStream::WithOutput => stdout,
            ErrorStream::Own(carrier) => carrier == Carrier::Pty,
        },
        size: terminal.has_pty().then_some(terminal.size),
        bare_line_feeds: terminal.bare_line_feeds(),
        other: Map::new(),
    }
}

/// Adds what the command's end tells.
pub fn complete(
    metadata: &mut Metadata,
    ended: &Ended,
    sealed: &Sealed,
    excerpt: &Excerpt,
    terminal: &TerminalPlan,
) {
    let outcome = &ended.outcome;
    metadata.exit_code = outcome.exit_code();
    metadata.status = outcome.status();
    metadata.signal = outcome.signal().map(|signal| signal.to_string());
    if let Outcome::NotStarted { reason, .. } = outcome {
        metadata.start_error = Some(reason.clone());
    }
    metadata.ended_at = chrono::Duration::from_std(ended.duration)
        .ok()
        .and_then(|duration| metadata.timestamp.0.checked_add_signed(duration))
        .map(Timestamp);
    metadata.duration_ms = u64::try_from(ended.duration.as_millis()).ok();
    metadata.output_bytes = sealed.output_bytes;
    metadata.dropped_bytes = sealed.dropped_bytes;
    metadata.sha256.clone_from(&sealed.sha256);
    metadata.streams = streams(terminal);
    let line_feed = if metadata.tty.bare_line_feeds {
        LineFeed::WithReturn
    } else {
        LineFeed::Plain
    };
    let size = terminal.size;
    metadata.stdout_tail = excerpt.quoted_tail(size, line_feed);
    metadata.stderr_head = (metadata.streams == Streams::Split).then(|| excerpt.quoted_head(size));
}
