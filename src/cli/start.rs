//! `aido start`

use std::cell::RefCell;
use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use serde_json::{Value, json};

use super::error::{CliError, Kind};
use super::page::Form;
use super::target::{size_of, time_of};
use super::word::StoreArguments;
use super::{Answer, CliResult, io, run};
use crate::clock::{self, Stopwatch};
use crate::config::layer::Given;
use crate::config::{Layer, Source};
use crate::record::notice::Notice;
use crate::record::shell::Command;
use crate::record::{self, Detached, Exit, Request};
use crate::session::metadata::SCHEMA_VERSION;
use crate::session::name::SessionName;
use crate::session::outcome::AIDO_FAILED;
use crate::session::{SessionId, Size};
use crate::store::Store;
use crate::store::fs::FileStore;
use crate::supervise::{Beginning, Supervisor};
use crate::sys::daemon::{self, Side};
use crate::sys::{lock, process};
use crate::view::sanitize;
use crate::wire::place;

/// The window that a session without a caller has.
const SIZE: Size = Size {
    columns: 120,
    rows: 40,
};
/// How long others may take to start a session with a name.
const NAME_PATIENCE: Duration = Duration::from_secs(5);
/// Held while a name is looked for and taken.
const NAMES: &str = ".names";

/// `aido start`
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The session goes on when its caller ends. It has a terminal of its own and is recorded like any other.

Exit status: 0 once it runs; 125 aido failed, or the name is taken; 126 not executable, 127 not found.")]
pub struct Arguments {
    /// Which store, and how to print.
    #[command(flatten)]
    pub store: StoreArguments,
    /// A name for the session, by which other words find it; no other running one here may have it
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// The window's size, such as 80x24 [default: 120x40]
    #[arg(long, value_name = "COLUMNSxROWS")]
    pub size: Option<String>,
    /// Run it there, as if aido had been called there
    #[arg(long, value_name = "DIR")]
    pub cwd: Option<PathBuf>,
    /// Set a variable; may be given more than once
    #[arg(long, value_name = "NAME=VALUE")]
    pub env: Vec<String>,
    /// End the session after this time, such as 90s or 10m
    #[arg(long, value_name = "DUR")]
    pub ttl: Option<String>,
    /// The command and its arguments
    #[arg(required = true, trailing_var_arg = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

/// Starts a command in a session without a caller, and prints the session's id once it runs.
///
/// # Errors
/// When the command can't be started, or not be recorded.
pub fn start(arguments: &Arguments, flags: Layer) -> CliResult {
    let request = prepare(arguments, flags)?;
    let side = daemon::detach().map_err(|error| {
        CliError::new(
            Kind::Run,
            format!("there can be no process for it: {error}"),
        )
    })?;
    match side {
        Side::Starter(news) => {
            let mut told = Vec::new();
            // What is cut short says nothing, which is an answer.
            let _ = File::from(news).read_to_end(&mut told);
            report(&told, arguments.store.form())
        }
        Side::Supervisor(starter) => {
            supervise(&request, File::from(starter));
            Ok(Answer::Yes)
        }
    }
}

/// What is to be run, as everything else that aido runs; and where its socket goes.
fn prepare(arguments: &Arguments, flags: Layer) -> Result<Request, CliError> {
    let name = arguments
        .name
        .as_deref()
        .map(str::parse::<SessionName>)
        .transpose();
    let name = name.map_err(|error| {
        let refused = CliError::new(Kind::Usage, error.to_string());
        match error.suggestion() {
            Some(name) => refused.with_hint(format!("--name {name} would do")),
            None => refused,
        }
    })?;
    let size = arguments
        .size
        .as_deref()
        .map(size_of)
        .transpose()?
        .unwrap_or(SIZE);
    let ttl = arguments
        .ttl
        .as_deref()
        .map(|text| time_of("--ttl", text))
        .transpose()?;
    let mut variables: Vec<(OsString, Option<OsString>)> = vec![
        // What the screen understands, whatever the caller's terminal is.
        ("TERM".into(), Some("xterm-256color".into())),
        ("COLORTERM".into(), Some("truecolor".into())),
        ("COLUMNS".into(), None),
        ("LINES".into(), None),
    ];
    for pair in &arguments.env {
        let Some((name, value)) = pair.split_once('=').filter(|(name, _)| !name.is_empty()) else {
            let message = format!("--env {pair:?}: not NAME=VALUE");
            return Err(CliError::new(Kind::Usage, message));
        };
        variables.push((name.into(), Some(value.into())));
    }
    if let Some(directory) = &arguments.cwd {
        std::env::set_current_dir(directory).map_err(|error| {
            let message = format!("{}: {error}", directory.display());
            CliError::new(Kind::Run, message)
        })?;
    }
    let mut own = Layer::default();
    if let Some(directory) = &arguments.store.session_dir {
        own.set("session_dir", &Given::Text(directory), &Source::Flag)?;
    }
    let words = arguments.command.clone();
    let mut request = run::prepare(own.or(flags), None, |shell, environment| {
        Command::of_words(words, shell, environment)
    })?;
    if !request.settings.record {
        let message = "a session without a caller can't go unrecorded: nothing would be left of it";
        return Err(CliError::new(Kind::Usage, message));
    }
    request.settings.timeout = ttl.or(request.settings.timeout);
    for (name, value) in variables {
        request.environment.set(name, value);
    }
    request.detached = Some(Detached {
        name: name.map(String::from),
        channel: place::directory(&request.environment, request.place.state.as_deref()),
        size,
    });
    Ok(request)
}

/// The supervisor's life.
fn supervise(request: &Request, starter: File) {
    let Some(detached) = &request.detached else {
        return;
    };
    let stopwatch = Stopwatch::start();
    let said: Rc<RefCell<Vec<String>>> = Rc::default();
    let mut starter = starter;
    let name_lock = match &detached.name {
        Some(name) => match take_name(request, name) {
            Ok(lock) => lock,
            Err(reason) => return refuse(&mut starter, AIDO_FAILED, &[reason], None),
        },
        None => None,
    };
    let mut supervisor = Supervisor::new(Beginning {
        channel: detached.channel.clone(),
        size: detached.size,
        name: detached.name.clone(),
        now: clock::now(),
        name_lock,
        starter: Some(starter),
        said: Rc::clone(&said),
    });
    let mut tell = |notice: &Notice<'_>| said.borrow_mut().push(notice.to_string());
    let ran = record::run_attended(request, Some(&mut supervisor), &mut tell);
    match supervisor.starter() {
        // It waits still, so the command was not started.
        Some(mut starter) => {
            let code = match ran.exit {
                Exit::Code(code) => code,
                Exit::Signal(_) | Exit::GroupSignal(_) => AIDO_FAILED,
            };
            refuse(&mut starter, code, &said.borrow(), ran.id.as_ref());
        }
        None => supervisor.farewell(&|| stopwatch.elapsed()),
    }
}

/// Makes sure that no other running session has the name, until this one can be found.
fn take_name(request: &Request, name: &str) -> Result<Option<File>, String> {
    let detached = request.detached.as_ref();
    let channel = detached.and_then(|detached| detached.channel.as_deref());
    let lock = |channel: &Path| -> std::io::Result<File> {
        let file = place::open_or_make(channel)?.append(NAMES.as_ref())?;
        lock::wait_for_lock(&file, NAME_PATIENCE)?;
        Ok(file)
    };
    // Where no lock can be had the name is looked for all the same.
    let held = channel.and_then(|channel| lock(channel).ok());
    let location = request
        .place
        .location(request.settings.session_dir.as_deref());
    let place = &request.place;
    let store = location
        .map(|location| FileStore::new(location, place.state.clone(), place.current.clone()));
    let taken = store.map(|store| store.running_named(name)).transpose();
    match taken.map_err(|error| error.to_string())?.flatten() {
        Some(id) => Err(format!("{id} runs under the name {name}")),
        None => Ok(held),
    }
}

/// Tells the starter why the command doesn't run.
fn refuse(starter: &mut File, code: i32, lines: &[String], id: Option<&SessionId>) {
    let news = json!({"code": code, "lines": lines, "id": id.map(SessionId::as_str)});
    let _ = starter.write_all(news.to_string().as_bytes());
}

/// Says what became of it.
fn report(told: &[u8], form: Form) -> CliResult {
    let Ok(news) = serde_json::from_slice::<Value>(told) else {
        return Err(CliError::new(
            Kind::Run,
            "the supervisor ended before the command ran",
        ));
    };
    let lines = news["lines"].as_array().into_iter().flatten();
    let lines: Vec<&str> = lines.filter_map(Value::as_str).collect();
    let id = news["id"].as_str();
    if let Some(code) = news["code"].as_i64() {
        for line in lines {
            io::say(&sanitize::line(&format!("aido: {line}")));
        }
        let code = i32::try_from(code).unwrap_or(AIDO_FAILED);
        return Ok(Answer::Ended(io::code(code)));
    }
    for line in lines {
        io::say(&sanitize::line(&format!("aido: {line}")));
    }
    if news["channel"] != true {
        io::say(
            "aido: warning: there is nowhere for a socket or a pipe: only list, show, capture, stop and wait for \
             its end reach it",
        );
    }
    let survives = survives_starter();
    if !survives {
        io::say(
            "aido: warning: this sandbox ends all of its processes with the first, this session too",
        );
    }
    let id = id.unwrap_or_default();
    let mut out = io::Out::stdout();
    if form == Form::Json {
        out.json(&json!({
            "schema_version": SCHEMA_VERSION,
            "session_id": id,
            "channel": news["channel"] == true,
            "survives_starter": survives,
        }))?;
        out.write("\n")?;
    } else {
        out.write(&format!("{id}\n"))?;
    }
    Ok(Answer::Yes)
}

/// Whether a session outlives whoever started it: a sandbox with processes of its own ends them all.
fn survives_starter() -> bool {
    const SANDBOXES: &[&str] = &["bwrap", "codex-linux-san", "srt", "firejail"];
    let first = process::name(1);
    first.is_none_or(|name| !SANDBOXES.contains(&name.as_str()))
}
