//! `aido tasks`

use std::io::Write;

use serde::Serialize;
use serde_json::json;

use super::error::{CliError, Kind};
use super::reading::{Reader, width};
use super::word::StoreArguments;
use super::{Answer, CliResult, io, redaction};
use crate::caller;
use crate::clock;
use crate::config::Layer;
use crate::environment::Environment;
use crate::session::metadata::SCHEMA_VERSION;
use crate::session::{TaskNote, TaskSession, TaskState, TaskStatus, Timestamp};
use crate::store::fs::Task;
use crate::view::sanitize;
use crate::view::tasks::{Detail, Table};

/// How many sessions of a task are shown unless asked otherwise.
const COUNT: usize = 20;

/// `aido tasks`
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true,
    subcommand_help_heading = "What may be done with one"
)]
pub struct Arguments {
    /// What to do with one.
    #[command(subcommand)]
    pub action: Option<Action>,
    /// Which store, and how to print.
    #[command(flatten)]
    pub store: StoreArguments,
    /// Print one JSON object a line
    #[arg(long, conflicts_with = "json")]
    pub ndjson: bool,
    /// Those that are neither done nor given up
    #[arg(long)]
    pub open: bool,
}

/// What may be done with one task.
#[derive(Debug, clap::Subcommand)]
pub enum Action {
    /// Show a task: its sums, its last sessions and its notes
    Show(ShowArguments),
    /// Say that a task is done
    Done(SayArguments),
    /// Say that a task was given up
    Fail(SayArguments),
    /// Say that a task is worked on again
    Reopen(SayArguments),
    /// Add a note to a task
    Note(NoteArguments),
}

/// `aido tasks show`
#[derive(Debug, clap::Args)]
pub struct ShowArguments {
    /// Which store, and how to print.
    #[command(flatten)]
    pub store: StoreArguments,
    /// The task's name
    #[arg(value_name = "TASK")]
    pub task: String,
    /// At most this many of its last sessions; 0 shows all
    #[arg(short = 'n', value_name = "COUNT", default_value_t = COUNT)]
    pub count: usize,
}

/// `aido tasks done`, `fail` and `reopen`
#[derive(Debug, clap::Args)]
pub struct SayArguments {
    /// Which store, and how to print.
    #[command(flatten)]
    pub store: StoreArguments,
    /// The task's name
    #[arg(value_name = "TASK")]
    pub task: String,
    /// Why, as a note
    #[arg(value_name = "TEXT")]
    pub text: Option<String>,
}

/// `aido tasks note`
#[derive(Debug, clap::Args)]
pub struct NoteArguments {
    /// Which store, and how to print.
    #[command(flatten)]
    pub store: StoreArguments,
    /// The task's name
    #[arg(value_name = "TASK")]
    pub task: String,
    /// The note
    #[arg(value_name = "TEXT", allow_hyphen_values = true)]
    pub text: String,
}

impl Arguments {
    /// Whether JSON was asked for, so that errors are JSON too.
    #[must_use]
    pub fn wants_json(&self) -> bool {
        match &self.action {
            None => self.store.json || self.ndjson,
            Some(Action::Show(arguments)) => arguments.store.json,
            Some(Action::Note(arguments)) => arguments.store.json,
            Some(Action::Done(arguments) | Action::Fail(arguments) | Action::Reopen(arguments)) => {
                arguments.store.json
            }
        }
    }
}

/// Lists tasks, the one that changed last first; shows one, or changes what is said of it.
///
/// # Errors
/// When the store can't be read, there is no such task, or it can't be written to.
pub fn tasks(arguments: &Arguments, flags: Layer) -> CliResult {
    let said = |arguments: &SayArguments, state, flags| {
        let text = arguments.text.clone().filter(|text| !text.is_empty());
        say(&arguments.store, &arguments.task, Some(state), text, flags)
    };
    match &arguments.action {
        None => list(arguments, flags),
        Some(Action::Show(arguments)) => show(arguments, flags),
        Some(Action::Done(arguments)) => said(arguments, TaskState::Done, flags),
        Some(Action::Fail(arguments)) => said(arguments, TaskState::Failed, flags),
        Some(Action::Reopen(arguments)) => said(arguments, TaskState::Open, flags),
        Some(Action::Note(arguments)) => {
            if arguments.text.is_empty() {
                return Err(CliError::new(Kind::Usage, "an empty note says nothing"));
            }
            let text = Some(arguments.text.clone());
            say(&arguments.store, &arguments.task, None, text, flags)
        }
    }
}

/// Opens a store; secrets are taken out of what an agent reads.
fn open(store: &StoreArguments, flags: Layer) -> Result<Reader, CliError> {
    let mut reader = Reader::open(store, flags)?;
    redaction::guard(&mut reader, None, &Environment::of_process())?;
    Ok(reader)
}

/// A task's sums as they may be shown.
fn clean_status(reader: &Reader, status: &mut TaskStatus) {
    let mut name = reader.leaving_text(&status.task);
    let sessions = [&mut status.first, &mut status.last];
    for session in sessions.into_iter().flatten() {
        clean_session(reader, session);
        // What of it is secret is marked in the sessions.
        if session.task != status.task {
            name.clone_from(&session.task);
        }
    }
    status.task = name;
    if let Some(note) = &mut status.last_note {
        clean_note(reader, note);
    }
}

fn clean_session(reader: &Reader, session: &mut TaskSession) {
    if !reader.is_guarded() {
        return;
    }
    let id = &session.session_id;
    session.command = reader.leaving_command(id, &session.command);
    let marked = reader.read(id).ok().map(|shown| shown.metadata);
    let marked = marked.as_ref().and_then(|it| it.redactions.as_ref());
    let clean = |text: &mut String, marked: Option<&String>| {
        *text = reader.leaving_text(marked.unwrap_or(text));
    };
    clean(&mut session.task, marked.and_then(|it| it.task.as_ref()));
    if let Some(branch) = &mut session.branch {
        clean(branch, marked.and_then(|it| it.branch.as_ref()));
    }
    if let Some(cwd) = &mut session.cwd {
        clean(cwd, marked.and_then(|it| it.cwd.as_ref()));
    }
}

fn clean_note(reader: &Reader, note: &mut TaskNote) {
    if let Some(text) = &mut note.text {
        *text = reader.leaving_text(text);
    }
}

fn list(arguments: &Arguments, flags: Layer) -> CliResult {
    let reader = open(&arguments.store, flags)?;
    let now = clock::now();
    reader.recover_in_passing(now);
    let mut statuses = reader.store.tasks()?;
    if arguments.open {
        statuses.retain(|status| status.state == TaskState::Open);
    }
    for status in &mut statuses {
        clean_status(&reader, status);
    }
    let mut out = io::Out::stdout();
    if arguments.store.json {
        print_json(&mut out, &statuses)?;
    } else if arguments.ndjson {
        for status in &statuses {
            print_json(&mut out, status)?;
        }
    } else if statuses.is_empty() {
        let line = format!("no tasks beside {}", reader.store.path().display());
        writeln!(out, "{}", sanitize::line(&line))?;
    } else {
        write!(out, "{}", table(&statuses, now))?;
    }
    out.flush()?;
    Ok(Answer::Yes)
}

fn table(statuses: &[TaskStatus], now: Timestamp) -> Table<'_> {
    Table {
        statuses,
        now,
        width: width(),
    }
}

fn print_json(out: &mut io::Out, value: &impl Serialize) -> Result<(), CliError> {
    out.json(value)?;
    writeln!(out)?;
    Ok(())
}

fn show(arguments: &ShowArguments, flags: Layer) -> CliResult {
    let reader = open(&arguments.store, flags)?;
    let now = clock::now();
    reader.recover_in_passing(now);
    let Some(mut task) = reader.store.task(&arguments.task)? else {
        return Err(unknown(&reader, &arguments.task));
    };
    let hidden = match arguments.count {
        0 => 0,
        count => task.sessions.len().saturating_sub(count),
    };
    task.sessions.drain(..hidden);
    clean_status(&reader, &mut task.status);
    for session in &mut task.sessions {
        clean_session(&reader, session);
    }
    for note in &mut task.notes {
        clean_note(&reader, note);
    }
    let mut out = io::Out::stdout();
    if arguments.store.json {
        print_json(&mut out, &to_json(&task))?;
    } else {
        let detail = Detail {
            status: &task.status,
            sessions: &task.sessions,
            notes: &task.notes,
            now,
            width: width(),
        };
        write!(out, "{detail}")?;
    }
    out.flush()?;
    if hidden > 0 && !arguments.store.json {
        let shown = task.sessions.len();
        io::say(&format!(
            "aido: the last {shown} sessions; aido tasks show -n 0 shows all"
        ));
    }
    Ok(Answer::Yes)
}

fn to_json(task: &Task) -> serde_json::Value {
    json!({
        "schema_version": SCHEMA_VERSION,
        "status": task.status,
        "sessions": task.sessions,
        "notes": task.notes,
    })
}

fn say(
    store: &StoreArguments,
    task: &str,
    state: Option<TaskState>,
    text: Option<String>,
    flags: Layer,
) -> CliResult {
    let reader = open(store, flags)?;
    let environment = Environment::of_process();
    let identity = caller::identify(reader.settings.agent.as_deref(), &environment);
    let now = clock::now();
    let note = TaskNote {
        at: now,
        agent: identity.agent.to_string(),
        state,
        text,
    };
    let Some(mut status) = reader.store.say_of_task(task, &note)? else {
        return Err(unknown(&reader, task));
    };
    clean_status(&reader, &mut status);
    let mut out = io::Out::stdout();
    if store.json {
        print_json(&mut out, &status)?;
    } else {
        write!(out, "{}", table(std::slice::from_ref(&status), now))?;
    }
    out.flush()?;
    Ok(Answer::Yes)
}

/// There is no such task; the error names those that there are.
fn unknown(reader: &Reader, task: &str) -> CliError {
    let mut known = reader.store.tasks().unwrap_or_default();
    known.truncate(10);
    for status in &mut known {
        clean_status(reader, status);
    }
    let known = known.iter().map(|status| status.task.as_str());
    let known: Vec<&str> = known.collect();
    let error = CliError::new(Kind::NotFound, format!("no task {task:?}"));
    if known.is_empty() {
        error.with_hint("aido --task NAME COMMAND begins one")
    } else {
        error.with_hint(format!("there is {}", known.join(", ")))
    }
}
