//! USE CASE: run a command and record it.
//!
//! Fails open: whatever goes wrong with the recording, the command runs, its output is delivered
//! and its status is returned; one warning says what is missing. `strict` refuses before the start.

mod arguments;
mod around;
mod checkpoint;
pub mod describe;
mod end;
pub mod notice;
pub mod observed;
mod remember;
pub mod secrets;
pub mod shell;
mod sweep;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::capture::{self, Attendant, Ended, StartError, Tee};
use crate::clock::{self, Stopwatch};
use crate::config::{Report, Settings};
use crate::egress;
use crate::environment::Environment;
use crate::place::Place;
use crate::plan::{Caller, Front, RunPlan, TerminalPlan, TtyMode};
use crate::redact::OwnSecret;
use crate::session::outcome::AIDO_FAILED;
use crate::session::{AgentName, Durability, Judgement, Metadata, SessionId, Signal, Sink, Size};
use crate::store::fs::FileStore;
use crate::store::{Draft, IdSeed, Key, Store, StoreError, key};
use crate::sys::signals::Inbox;
use crate::transcript::{Excerpt, record as events};
use checkpoint::Around;
use end::{how_to_exit, not_started};
use notice::{DebugLog, Notice};
pub use remember::KnownFailure;
use remember::Remember;

/// The variable that tells an aido inside a session which one it is in.
pub const SESSION_VARIABLE: &str = "AIDO_SESSION";

/// A command that ran longer than this is made durable by default: nobody notices it then.
const WORTH_SYNCING: Duration = Duration::from_secs(1);

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
    let around = match checkpoint::before(request, tell) {
        Ok(around) => around,
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
    let store = request
        .place
        .location(settings.session_dir.as_deref())
        .map(|location| {
            let state = request.place.state.clone();
            FileStore::new(location, state, request.place.current.clone())
        });
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

    let mut facts = describe::facts(request, &terminal);
    facts.checkpoint = around.as_ref().map(Around::at_start);
    let own = match settings.record {
        true => secrets::own(&request.environment),
        false => Vec::new(),
    };
    let (draft, known) = match begin(request, store.as_ref(), &facts, &own, None) {
        Ok(Some((draft, known))) => (Some(draft), known),
        Ok(None) => (None, facts),
        Err(error) if must_be_recorded(request) => {
            tell(&Notice::Refused(error));
            return unrecorded(Exit::Code(AIDO_FAILED));
        }
        Err(error) => {
            tell(&Notice::NotRecorded(error));
            (None, facts)
        }
    };
    debug.log(|| match &draft {
        Some(draft) => format!("session: {}", draft.id()),
        None => "not recording".to_owned(),
    });
    if let Some(store) = &store
        && let Some(known_failure) = Remember::new(request, store).look_up(&known)
    {
        tell(&Notice::KnownToFail(&known_failure));
    }
    let id = draft.as_ref().map(|draft| draft.id().clone());
    if let (Some(attendant), Some(id)) = (&mut attendant, &id) {
        attendant.begun(id);
    }
    if let (Some(around), Some(id)) = (&around, &id) {
        around.name(id, store.as_ref(), tell);
    }
    let recording = Recording {
        draft,
        known,
        store,
        own,
        key: None,
        around,
    };
    let plan = around::plan(request, terminal, id.as_ref());
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
    around: Option<Around>,
}

/// Whether the command is not to run without a recording: nothing else would be left of one without a caller.
fn must_be_recorded(request: &Request) -> bool {
    request.settings.strict || request.detached.is_some()
}

type Begun = Option<(Box<dyn Draft>, Metadata)>;

fn begin(
    request: &Request,
    store: Option<&FileStore>,
    facts: &Metadata,
    own: &[OwnSecret],
    random: Option<u32>,
) -> Result<Begun, StoreError> {
    if !request.settings.record {
        return Ok(None);
    }
    // A hook's aido leaves no directory where there was none.
    if let Some(store) = store
        && request.settings.is_hooked
        && !store.is_there()
    {
        return Err(StoreError::File {
            what: "sessions".to_owned(),
            source: io::ErrorKind::NotFound.into(),
        });
    }
    let Some(store) = store else {
        let source = io::Error::other(
            "there is no repository and no home directory; name one with --session-dir",
        );
        return Err(StoreError::File {
            what: "sessions".to_owned(),
            source,
        });
    };
    if let (true, Some(task)) = (must_be_recorded(request), &facts.task) {
        store.check_task(task)?;
    }
    let seed = IdSeed {
        agent: AgentName::from_any(&facts.agent),
        local_time: facts.session_id.local_time().to_owned(),
        process: std::process::id(),
        random,
    };
    let with_id = |id: &SessionId| {
        let mut known = facts.clone();
        known.typescript_file = store.typescript_file(id);
        known.session_id = id.clone();
        known
    };
    let marks = secrets::marks_at_start(own, facts);
    let start_line = |id: &SessionId| {
        let start = crate::sys::process::start_time();
        // Serialising what this program made doesn't fail; an empty line would be a torn one.
        let channel = request.detached.as_ref();
        let channel = channel.and_then(|detached| detached.channel.as_deref());
        let mut known = with_id(id);
        if let Some((sensitive, redactions)) = &marks {
            (known.sensitive, known.redactions) = (*sensitive, redactions.clone());
        }
        events::start_line(&known, std::process::id(), start, channel).unwrap_or_default()
    };
    let draft = store.begin(&seed, request.settings.max_bytes, &start_line)?;
    let known = with_id(draft.id());
    Ok(Some((draft, known)))
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
    if let Err(StartError::Resources(error)) = &started
        && lacks_descriptors(error)
        && recording.draft.take().is_some()
    {
        // The recording has what the command needs, and the command comes first.
        tell(&Notice::NotRecorded(StoreError::File {
            what: "the session".to_owned(),
            source: io::Error::other(error.to_string()),
        }));
        drop(started);
        started = start(&mut plan, inbox, stopwatch, tell);
    }
    // While the command starts: what only its start needed is given back, and what its end needs is
    // fetched.
    plan.environment = Vec::new();
    around::tell_conversation(request, &recording.known);
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
            running.relay(&mut Tee::new(sinks), attendant)
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
    let report = match request.settings.report {
        Report::Never => false,
        Report::Failure => match judgement {
            // An exit code that is an answer is what was asked for.
            Some(Judgement::Ok | Judgement::Negative) => false,
            Some(Judgement::Fault | Judgement::Interrupted) => true,
            // Of one that nobody wants to hear of, the exit code says nothing either.
            Some(Judgement::Suspect) => failure.is_some(),
            None => !ended.outcome.is_success(),
        },
        Report::Always => true,
    };
    if report {
        tell(&Notice::Report {
            outcome: &ended.outcome,
            id: id.as_ref(),
            elsewhere: request.settings.session_dir.as_deref(),
            failure: failure.as_ref(),
        });
    }
    if let Some(store) = store.filter(|_| id.is_some() && request.settings.housekeeping) {
        let watch = Stopwatch::start();
        let policy = &request.settings.keep;
        let gone = store.housekeep(policy, key.as_ref(), clock::now(), &|| watch.elapsed());
        if let Some(gone) = gone {
            sweep::housekeep(request, &gone);
        }
    }
    how_to_exit(&ended)
}

/// Publishes the session, and remembers how it ended. Gives what that means, and what is known of its
/// failure, if it failed.
fn finish(
    recording: Recording,
    plan: &RunPlan,
    ended: &Ended,
    excerpt: &Excerpt,
    request: &Request,
    tell: &mut dyn FnMut(&Notice),
) -> Option<(Option<Judgement>, Option<KnownFailure>)> {
    let mut draft = recording.draft?;
    let sealed = draft.seal(ended.duration, &ended.outcome);
    let mut metadata = recording.known;
    describe::complete(&mut metadata, ended, &sealed, excerpt, &plan.terminal);
    // The output was delivered, so nothing waits for this.
    let redactor = secrets::redactor(recording.own, recording.key.as_ref());
    if let Some(around) = recording.around {
        around.complete(&mut metadata, &request.environment, &redactor, tell);
    }
    egress::mark(&mut metadata, &redactor);
    let path = || -> PathBuf {
        let store = recording.store.as_ref();
        store.map(FileStore::path).unwrap_or_default()
    };
    // A cap that was asked for loses nothing that was wanted.
    if let Some(error) = sealed.errors.first() {
        tell(&Notice::Incomplete {
            dropped_bytes: sealed.dropped_bytes,
            place: path(),
            error,
        });
    }
    let durability = match request.settings.durability {
        Durability::Normal if ended.duration > WORTH_SYNCING => Durability::Full,
        level => level,
    };
    let remember = recording.store.as_ref();
    let remember = remember.map(|store| Remember::new(request, store));
    // The sidecar says what failed, and is signed with it.
    let judged = remember
        .as_ref()
        .map(|remember| remember.judge(&mut metadata, &ended.outcome, excerpt, &mut *draft));
    let judgement = metadata.outcome;
    let published = draft.finish(metadata, durability, recording.key.as_ref());
    match published {
        Ok(published) => {
            if let Some(error) = published.not_synced {
                tell(&Notice::NotSynced(error));
            }
            if let Some(error) = published.not_in_task {
                tell(&Notice::NotInTask(error));
            }
        }
        Err(error) => {
            tell(&Notice::NotPublished(error));
            return Some((judgement, None));
        }
    }
    let failure = remember.zip(judged);
    let failure = failure.and_then(|(remember, judged)| remember.keep(judged));
    Some((judgement, failure))
}
