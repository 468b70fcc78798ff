//! USE CASE: run a command and record it.
//!
//! Fails open: whatever goes wrong with the recording, the command runs, its output is delivered
//! and its status is returned; one warning says what is missing. `strict` refuses before the start.

mod arguments;
mod beginning;
mod checkpoint;
pub mod describe;
mod end;
mod nesting;
pub mod notice;
pub mod observation;
mod publishing;
mod remember;
pub mod secrets;
pub mod shell;
mod sweep;

use std::io;
use std::path::PathBuf;

use crate::capture::{self, Attendant, Ended, StartError, Tee};
use crate::clock::{self, Stopwatch};
use crate::config::{Report, Settings};
use crate::environment::Environment;
use crate::place::Place;
use crate::plan::{Caller, Front, RunPlan, TerminalPlan, TtyMode};
use crate::redact::OwnSecret;
use crate::session::outcome::AIDO_FAILED;
use crate::session::{Judgement, Metadata, SessionId, Signal, Sink, Size};
use crate::store::fs::FileStore;
use crate::store::{Draft, Key, StoreError, key};
use crate::sys::signals::Inbox;
use crate::transcript::Excerpt;
use beginning::{begin, store};
use checkpoint::PendingCheckpoints;
use end::{how_to_exit, not_started};
use notice::{DebugLog, Notice};
use publishing::finish;
pub use remember::KnownFailure;
use remember::Remember;

/// The variable that tells an aido inside a session which one it is in.
pub const SESSION_VARIABLE: &str = "AIDO_SESSION";

/// What to run, where, and how.
pub struct Request {
    /// What to execute.
    pub command: shell::Command,
    /// Every setting.
    pub settings: Settings,
    /// Where the caller stands.
    pub place: Place,
    /// The caller's environment.
    pub environment: Environment,
    /// The caller's streams.
    pub caller: Caller,
    /// The session that this one runs again.
    pub parent: Option<SessionId>,
    /// For a session without a caller at its terminal.
    pub detached: Option<Detached>,
}

/// What is special about a session without a caller at its terminal.
#[derive(Clone, Debug)]
pub struct Detached {
    /// What people call it.
    pub name: Option<String>,
    /// The directory of its socket.
    pub channel: Option<PathBuf>,
    /// The window's size.
    pub size: Size,
}

/// How aido itself is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// With this code.
    Code(i32),
    /// By the signal that the command died of.
    Signal(Signal),
    /// By it, and the caller's process group gets it too: it came from a key at the terminal.
    GroupSignal(Signal),
}

/// A command that was run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// How aido itself is to end.
    pub exit: Exit,
    /// The session, where there is a recording.
    pub id: Option<SessionId>,
}

/// Runs a command and records it. `tell` is called with everything that the caller should know.
pub fn run(request: &Request, tell: &mut dyn FnMut(&Notice)) -> Ran {
    run_attended(request, None, tell)
}

/// The same with an attendant in the caller's place, for a request that is detached.
pub fn run_attended(
    request: &Request,
    mut attendant: Option<&mut (dyn Attendant + 'static)>,
    tell: &mut dyn FnMut(&Notice),
) -> Ran {
    let unrecorded = |exit| Ran { exit, id: None };
    // Before signals are held back: who interrupts it doesn't want the command either.
    let checkpoints = match checkpoint::before(request, tell) {
        Ok(checkpoints) => checkpoints,
        Err(problem) => {
            tell(&Notice::RefusedUnsaved(problem));
            return unrecorded(Exit::Code(AIDO_FAILED));
        }
    };
    let stopwatch = Stopwatch::start();
    // Held to the end, so that no signal ends aido between the command's end and its sidecar.
    let mut inbox = match capture::inbox() {
        Ok(inbox) => inbox,
        Err(error) => {
            tell(&Notice::NotStarted(&format!(
                "cannot run commands: {error}"
            )));
            return unrecorded(Exit::Code(AIDO_FAILED));
        }
    };
    let settings = &request.settings;
    let store = store(request);
    let debug = DebugLog::open(settings, store.as_ref(), stopwatch, &mut |notice| {
        if !settings.is_hooked {
            tell(notice);
        }
    });
    // Of a hook's aido nobody knows; only that a command is not there would have been said without it, too.
    let tell: &mut dyn FnMut(&Notice) = match settings.is_hooked {
        true => &mut |notice: &Notice| match notice {
            Notice::NotStarted(_) => tell(notice),
            notice => debug.log(|| format!("not said: {notice}")),
        },
        false => tell,
    };
    let terminal = match &request.detached {
        Some(detached) => TerminalPlan::for_clients(detached.size),
        None => TerminalPlan::new(settings.tty, request.caller),
    };
    debug.log(|| format!("terminal: {terminal:?}"));

    let Some(recording) = begin(request, &terminal, (store, checkpoints), tell) else {
        return unrecorded(Exit::Code(AIDO_FAILED));
    };
    let id = recording.draft.as_ref().map(|draft| draft.id().clone());
    debug.log(|| match &id {
        Some(id) => format!("session: {id}"),
        None => "not recording".to_owned(),
    });
    if let Some(store) = &recording.store
        && let Some(known_failure) = Remember::new(request, store).look_up(&recording.known)
    {
        tell(&Notice::KnownToFail(&known_failure));
    }
    if let (Some(attendant), Some(id)) = (&mut attendant, &id) {
        attendant.begun(id);
    }
    if let (Some(checkpoints), Some(id)) = (&recording.checkpoints, &id) {
        checkpoints.name(id, recording.store.as_ref(), tell);
    }
    let plan = nesting::plan(request, terminal, id.as_ref());
    let watch = Watch {
        inbox: &mut inbox,
        stopwatch,
        attendant,
    };
    let exit = execute(plan, recording, request, watch, &debug, tell);
    debug.log(|| format!("exit: {exit:?}"));
    if matches!(exit, Exit::Code(_)) && request.parent.is_none() {
        // The process ends next (after a rerun there may be more to do), and takes what remains with it. An end by a signal needs the
        // handlers as they were.
        std::mem::forget(inbox);
    }
    Ran { exit, id }
}

/// What a run is watched with.
struct Watch<'i> {
    inbox: &'i mut Inbox,
    stopwatch: Stopwatch,
    attendant: Option<&'i mut (dyn Attendant + 'static)>,
}

/// The recorder's side of a run.
struct Recording {
    draft: Option<Box<dyn Draft>>,
    /// The sidecar as far as it is known.
    known: Metadata,
    store: Option<FileStore>,
    /// The caller's own secrets, which the sidecar must not quote.
    own: Vec<OwnSecret>,
    /// What the sidecar is signed with.
    key: Option<Key>,
    /// The checkpoints around the command.
    checkpoints: Option<PendingCheckpoints>,
}

/// Whether the command could not be started for want of descriptors, and the recording gave up its own.
fn gives_way(
    recording: &mut Recording,
    started: &Result<capture::Running<'_>, StartError>,
    tell: &mut dyn FnMut(&Notice),
) -> bool {
    let Err(StartError::Resources(error)) = started else {
        return false;
    };
    if !lacks_descriptors(error) || recording.draft.take().is_none() {
        return false;
    }
    // The recording has what the command needs, and the command comes first.
    tell(&Notice::NotRecorded(StoreError::File {
        what: "the session".to_owned(),
        source: io::Error::other(error.to_string()),
    }));
    true
}

fn lacks_descriptors(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE))
}

/// Starts the command, with pipes where there can be no PTY.
fn start<'i>(
    plan: &mut RunPlan,
    inbox: &'i mut Inbox,
    stopwatch: Stopwatch,
    tell: &mut dyn FnMut(&Notice),
) -> Result<capture::Running<'i>, StartError> {
    let opening = match capture::open(&plan.terminal) {
        // Detached, nobody could type to a command without a terminal.
        Err(error) if plan.terminal.has_pty() && plan.terminal.front == Front::Caller => {
            tell(&Notice::NoTerminal(error));
            plan.terminal = TerminalPlan::new(TtyMode::Never, plan.terminal.caller);
            capture::open(&plan.terminal)
        }
        result => result,
    };
    let opening = opening.map_err(StartError::Resources)?;
    capture::start(plan, opening, inbox, stopwatch)
}

fn execute(
    mut plan: RunPlan,
    mut recording: Recording,
    request: &Request,
    watch: Watch<'_>,
    debug: &DebugLog,
    tell: &mut dyn FnMut(&Notice),
) -> Exit {
    let mut excerpt = Excerpt::new();
    let Watch {
        inbox,
        stopwatch,
        attendant,
    } = watch;
    let mut started = start(&mut plan, inbox, stopwatch, tell);
    if gives_way(&mut recording, &started, tell) {
        drop(started);
        started = start(&mut plan, inbox, stopwatch, tell);
    }
    // While the command starts: what only its start needed is given back, and what its end needs is
    // fetched.
    plan.environment = Vec::new();
    nesting::tell_conversation(request, &recording.known);
    if recording.draft.is_some() {
        let state = request.place.state.as_deref();
        recording.key = state.and_then(|state| key::load_or_make(state).ok());
    }
    let ended = match started {
        Ok(running) => {
            debug.log(|| "started".to_owned());
            let mut sinks: Vec<&mut dyn Sink> = Vec::with_capacity(2);
            if let Some(draft) = &mut recording.draft {
                sinks.push(draft.recorder());
                sinks.push(&mut excerpt);
            }
            let mut tee = Tee::new(sinks);
            let ended = running.relay(&mut tee, attendant);
            for error in tee.into_lost() {
                debug.log(|| format!("not recorded to the end: {error}"));
            }
            ended
        }
        Err(error) => not_started(&error, request, stopwatch, tell),
    };
    debug.log(|| format!("ended: {ended:?}"));
    for lost in &ended.undelivered {
        tell(&Notice::Undelivered(lost));
    }
    // What ran may not be what was planned, if there was no PTY to be had.
    recording.known.tty = describe::tty(&plan.terminal);
    recording.known.tty.bare_line_feeds = ended.bare_line_feeds;
    let id = recording.draft.as_ref().map(|draft| draft.id().clone());
    let (store, key) = (recording.store.clone(), recording.key.clone());
    let finished = finish(recording, &plan, &ended, &excerpt, request, tell);
    let (judgement, failure) = finished.unwrap_or_default();
    if is_to_be_reported(
        request.settings.report,
        judgement,
        failure.is_some(),
        &ended,
    ) {
        tell(&Notice::Report {
            outcome: &ended.outcome,
            id: id.as_ref(),
            elsewhere: request.settings.session_dir.as_deref(),
            failure: failure.as_ref(),
        });
    }
    if let Some(store) = store.filter(|_| id.is_some() && request.settings.housekeeping) {
        keep_house(&store, key.as_ref(), request);
    }
    how_to_exit(&ended)
}

/// Whether the caller is told how the command ended.
fn is_to_be_reported(
    wanted: Report,
    judgement: Option<Judgement>,
    is_known: bool,
    ended: &Ended,
) -> bool {
    match wanted {
        Report::Never => false,
        Report::Failure => match judgement {
            // An exit code that is an answer is what was asked for.
            Some(Judgement::Ok | Judgement::Negative) => false,
            Some(Judgement::Fault | Judgement::Interrupted) => true,
            // Of one that nobody wants to hear of, the exit code says nothing either.
            Some(Judgement::Suspect) => is_known,
            None => !ended.outcome.is_success(),
        },
        Report::Always => true,
    }
}

/// Keeps the store within its limits, and lets go of the checkpoints of what went.
fn keep_house(store: &FileStore, key: Option<&Key>, request: &Request) {
    let watch = Stopwatch::start();
    let policy = &request.settings.keep;
    let gone = store.housekeep(policy, key, clock::now(), &|| watch.elapsed());
    if let Some(gone) = gone {
        sweep::housekeep(request, &gone);
    }
}
