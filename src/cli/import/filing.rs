//! Files a foreign recording as a session: the same files as one that was recorded, of another origin and
//! without a signature.

use std::time::Duration;

use serde_json::{Map, json};

use crate::cli::error::{CliError, Kind};
use crate::cli::reading::Reader;
use crate::clock::{self, Zone};
use crate::egress;
use crate::environment::Environment;
use crate::import::original::Sidecar;
use crate::import::{Facts, Recording};
use crate::plan::DEFAULT_SIZE;
use crate::record::secrets;
use crate::session::metadata::{Host, Origin, Tty};
use crate::session::{AgentName, Durability, Event, Metadata, Outcome, SessionId, Sink, Timestamp};
use crate::store::{Draft, IdSeed, Store};
use crate::sys::process;
use crate::transcript::render::LineFeed;
use crate::transcript::timeline::What;
use crate::transcript::{Excerpt, record};

/// Who ran what nobody is named for.
const AGENT: &str = "imported";
/// What is said of what is not known.
const UNKNOWN: &str = "unknown";
/// The shell of a recording that names none.
const SHELL: &str = "/bin/sh";
/// Most doubts that are kept.
const DOUBTS_MAX: usize = 64;

/// A file that a session was taken from.
pub(super) struct SourceFile {
    pub(super) name: String,
    pub(super) sha256: String,
}

/// What is filed.
pub(super) struct Subject {
    pub(super) facts: Facts,
    /// What the original's sidecar says; empty where there is none.
    pub(super) sidecar: Sidecar,
    pub(super) files: Vec<SourceFile>,
    /// When the file was last changed.
    pub(super) modified: Option<Timestamp>,
    pub(super) doubts: Vec<String>,
}

/// What was filed.
pub(super) struct Filed {
    pub(super) id: SessionId,
    pub(super) format: String,
    pub(super) doubts: Vec<String>,
}

/// Files a recording.
///
/// # Errors
/// When it can't be read, or not be written whole; no session is left then.
pub(super) fn file(
    reader: &Reader,
    mut subject: Subject,
    recording: &mut dyn Recording,
) -> Result<Filed, CliError> {
    let store = &reader.store;
    let mut doubts = std::mem::take(&mut subject.doubts);
    doubts.append(&mut subject.sidecar.doubts);
    let began = subject.facts.began.unwrap_or_else(|| {
        doubts.push("when it began is not known; the file's own time was taken".to_owned());
        subject.modified.unwrap_or_else(clock::now)
    });
    if subject.facts.command.is_none() {
        doubts.push("what was run is not known".to_owned());
    }
    let known = known(&subject, began);
    let seed = seed(&known, &subject);
    let with_id = |id: &SessionId| {
        let mut known = known.clone();
        known.typescript_file = store.typescript_file(id);
        known.session_id = id.clone();
        known
    };
    let start_line = |id: &SessionId| {
        // Serialising what this program made doesn't fail; an empty line would be a torn one.
        record::start_line(
            &with_id(id),
            std::process::id(),
            process::start_time(),
            None,
        )
        .unwrap_or_default()
    };
    let mut draft = store.begin(&seed, reader.settings.max_bytes, &start_line)?;
    let id = draft.id().clone();
    let filed = write(&mut *draft, recording).and_then(|written| {
        doubts.append(&mut recording.doubts());
        if written.outcome == Outcome::Interrupted {
            doubts.push("its exit code is not known".to_owned());
        }
        doubts.truncate(DOUBTS_MAX);
        let mut metadata = with_id(&id);
        complete(&mut metadata, &subject, &written, &doubts);
        let redactor =
            secrets::redactor(secrets::own(&Environment::of_process()), reader.key().ok());
        egress::mark(&mut metadata, &redactor);
        draft.finish(metadata, Durability::Full, None)?;
        Ok(())
    });
    if let Err(error) = filed {
        // It has no sidecar, so it would look like a session whose recorder was killed.
        let _ = store.remove(&id, clock::now(), "it could not be imported");
        return Err(error);
    }
    Ok(Filed {
        id,
        format: subject.facts.format,
        doubts,
    })
}

fn seed(known: &Metadata, subject: &Subject) -> IdSeed {
    let environment = Environment::of_process();
    let zone = Zone::of_variables(|name| environment.value(name));
    let before = subject.sidecar.id.as_ref().and_then(SessionId::process);
    IdSeed {
        agent: AgentName::from_any(&known.agent),
        local_time: clock::local_stamp(known.timestamp, zone),
        process: before.unwrap_or_else(std::process::id),
        random: None,
    }
}

/// What was written of a recording.
struct Written {
    outcome: Outcome,
    duration: Duration,
    sealed: crate::transcript::Sealed,
    excerpt: Excerpt,
}

fn write(draft: &mut dyn Draft, recording: &mut dyn Recording) -> Result<Written, CliError> {
    let mut excerpt = Excerpt::new();
    let (mut duration, mut outcome) = (Duration::ZERO, Outcome::Interrupted);
    while let Some(moment) = recording.next_moment()? {
        duration = moment.at;
        let event = match moment.what {
            What::Output(stream, bytes) if !bytes.is_empty() => Event::Output { stream, bytes },
            What::Resize(size) => Event::Resize(size),
            What::Exit { exit_code } => {
                outcome = exit_code.map_or(Outcome::Interrupted, Outcome::Exited);
                continue;
            }
            _ => continue,
        };
        draft.recorder().event(moment.at, &event)?;
        excerpt.event(moment.at, &event)?;
    }
    let sealed = draft.seal(duration, &outcome);
    if let Some(error) = sealed.errors.first() {
        return Err(CliError::new(Kind::Failed, error.to_string()));
    }
    Ok(Written {
        outcome,
        duration,
        sealed,
        excerpt,
    })
}

/// The sidecar as far as it is known before the recording is read.
fn known(subject: &Subject, began: Timestamp) -> Metadata {
    let (facts, sidecar) = (&subject.facts, &subject.sidecar);
    let titled = facts
        .title
        .as_ref()
        .and_then(|title| title.parse::<SessionId>().ok());
    let agent = sidecar.agent.clone();
    let agent = agent.or_else(|| titled.as_ref().map(|id| id.agent().to_owned()));
    let agent = AgentName::from_any(agent.as_deref().unwrap_or(AGENT));
    let mut env = Map::new();
    for (name, value) in [("SHELL", &facts.shell), ("TERM", &facts.terminal)] {
        if let Some(value) = value {
            env.insert(name.to_owned(), value.as_str().into());
        }
    }
    // Both programs hand the line to a shell.
    let shell = facts.shell.clone().unwrap_or_else(|| SHELL.to_owned());
    let line = facts.command.clone();
    let argv = line.clone().map(|line| vec![shell, "-c".to_owned(), line]);
    // The real id is drawn when it begins.
    let id = SessionId::new(&agent, "19700101_000000", 0, 0);
    Metadata {
        timestamp: began,
        command: line.clone().unwrap_or_default(),
        env,
        notes: sidecar.notes.clone(),
        lessons: sidecar.lessons.clone(),
        origin: Origin::Imported,
        argv: argv.unwrap_or_default(),
        shell_line: line,
        tty: Tty {
            mode: UNKNOWN.to_owned(),
            situation: UNKNOWN.to_owned(),
            stdin: true,
            stdout: true,
            stderr: true,
            size: facts.size,
            bare_line_feeds: false,
            other: Map::new(),
        },
        host: Host {
            os: UNKNOWN.to_owned(),
            arch: UNKNOWN.to_owned(),
            hostname: UNKNOWN.to_owned(),
            other: Map::new(),
        },
        ..Metadata::of_id(&id, String::new())
    }
}

/// Adds what the recording tells.
fn complete(metadata: &mut Metadata, subject: &Subject, written: &Written, doubts: &[String]) {
    let sealed = &written.sealed;
    metadata.exit_code = written.outcome.exit_code();
    metadata.status = written.outcome.status();
    // Without times, how long it took is not known either.
    if !written.duration.is_zero() {
        metadata.duration_ms = u64::try_from(written.duration.as_millis()).ok();
        metadata.ended_at = chrono::Duration::from_std(written.duration)
            .ok()
            .and_then(|duration| metadata.timestamp.0.checked_add_signed(duration))
            .map(Timestamp);
    }
    metadata.output_bytes = sealed.output_bytes;
    metadata.dropped_bytes = sealed.dropped_bytes;
    metadata.sha256.clone_from(&sealed.sha256);
    let size = metadata.tty.size.unwrap_or(DEFAULT_SIZE);
    metadata.stdout_tail = written.excerpt.quoted_tail(size, LineFeed::Plain);
    let files = subject.files.iter();
    let files = files.map(|file| json!({"name": file.name, "sha256": file.sha256}));
    let imported = json!({
        "format": subject.facts.format,
        "title": subject.facts.title,
        "files": files.collect::<Vec<_>>(),
        "doubts": doubts,
    });
    metadata.other.insert("imported".to_owned(), imported);
}
