//! `aido check`

use std::ffi::OsString;
use std::io::Write;
use std::ops::ControlFlow;

use serde_json::{Value, json};

use super::error::{CliError, Kind};
use super::memory::Memory;
use super::reply::{Asking, Reply, TEXT};
use super::word::StoreArguments;
use super::{Answer, CliResult, io};
use crate::config::Layer;
use crate::faults::lesson::{Standing, Worked};
use crate::faults::record::RECORD_VERSION;
use crate::faults::{CommandKey, lookup};
use crate::memory::Known;
use crate::record::shell::Command;
use crate::session::Metadata;
use crate::session::query::{Query, TextTest, WantedOutcome};
use crate::session::quote::shell_line;
use crate::store::{Found, Store};
use crate::view::faults::Warning;
use crate::view::sanitize;
use crate::view::units;

/// `aido check`
#[derive(Debug, clap::Args)]
#[command(override_usage = "aido check [OPTIONS] -- COMMAND [ARG]...\n       \
                            aido check [OPTIONS] -c 'SHELL LINE'")]
pub struct Arguments {
    /// Which store, and how to print.
    #[command(flatten)]
    pub store: StoreArguments,
    /// A line of shell, instead of a command
    #[arg(
        short = 'c',
        value_name = "LINE",
        allow_hyphen_values = true,
        conflicts_with = "command"
    )]
    pub line: Option<OsString>,
    /// The command and its arguments
    #[arg(value_name = "COMMAND", last = true)]
    pub command: Vec<OsString>,
}

/// Says whether a command is known to fail here, why, and what worked instead: 1 if it is, 0 if nothing
/// is known.
///
/// # Errors
/// When there is no command, or no place to look.
pub fn check(arguments: &Arguments, flags: Layer) -> CliResult {
    let memory = Memory::open(&arguments.store, flags)?;
    let shell = memory.reader.settings.shell.as_deref();
    let command = match (&arguments.line, arguments.command.is_empty()) {
        (Some(line), _) => Command::of_line(line.clone(), Vec::new(), shell, &memory.environment),
        (None, false) => Command::of_words(arguments.command.clone(), shell, &memory.environment),
        (None, true) => return Err(no_command("aido check -- COMMAND [ARG]...")),
    };
    let checked = Checked::of(&command, &memory);
    let mut out = io::Out::stdout();
    if arguments.store.json {
        out.json(&checked.json())?;
        writeln!(out)?;
    } else {
        write!(out, "{}", checked.text())?;
    }
    out.flush()?;
    Ok(match checked.is_known() {
        true => Answer::No,
        false => Answer::Yes,
    })
}

/// The same of a line of shell, for an agent.
///
/// # Errors
/// When there is no command, or no place to look.
pub fn reply(line: &str, asking: &Asking) -> Result<Reply, CliError> {
    if line.trim().is_empty() {
        return Err(no_command("name the command that is to be run"));
    }
    let memory = asking.memory()?;
    let shell = memory.reader.settings.shell.as_deref();
    let command = Command::of_line(line.into(), Vec::new(), shell, &memory.environment);
    let checked = Checked::of(&command, &memory);
    let mut page = asking.page(TEXT)?;
    if checked.is_known() {
        let text = checked.text();
        page.write_all(sanitize::for_agent(&text).as_bytes())?;
    }
    let said = (NOTHING, "what else is known of it is left out");
    Ok(Reply::of_page(page.into_written(), said, checked.json()))
}

fn no_command(way: &str) -> CliError {
    CliError::new(Kind::Usage, "there is no command to check").with_hint(way)
}

/// What is said where nothing is known.
const NOTHING: &str = "nothing is known against it";

/// What is known of a command.
struct Checked<'m> {
    memory: &'m Memory,
    /// As it is shown.
    command: String,
    faults: Vec<Known>,
    last_worked: Option<Metadata>,
}

impl<'m> Checked<'m> {
    fn of(command: &Command, memory: &'m Memory) -> Self {
        let argv: Vec<String> = command
            .argv
            .iter()
            .map(|word| word.to_string_lossy().into_owned())
            .collect();
        let typed = command.shell_line.as_ref();
        let typed = typed.map(|line| line.to_string_lossy().into_owned());
        let shown = typed.clone().unwrap_or_else(|| shell_line(&command.argv));
        let key = CommandKey::of(&argv, typed.as_deref());
        let mut faults = key
            .as_ref()
            .map_or_else(Vec::new, |key| known_to_fail(memory, key));
        faults.retain(|known| !known.said().is_empty() || known.history.is_some());
        let last_worked = match faults.is_empty() {
            true => None,
            false => last_worked(memory, &shown),
        };
        Self {
            memory,
            command: shown,
            faults,
            last_worked,
        }
    }

    fn is_known(&self) -> bool {
        !self.faults.is_empty()
    }

    fn json(&self) -> Value {
        let memory = self.memory;
        let worked = self.last_worked.as_ref().map(|session| {
            json!({
                "session_id": session.session_id,
                "timestamp": session.timestamp,
                "commit": session.git.as_ref().and_then(|git| git.commit.as_ref()),
            })
        });
        let faults = self.faults.iter().map(|known| memory.fault_json(known));
        json!({
            "schema_version": RECORD_VERSION,
            "command": memory.reader.leaving(&self.command),
            "known": self.is_known(),
            "faults": faults.collect::<Vec<_>>(),
            "last_worked": worked,
        })
    }

    fn text(&self) -> String {
        let memory = self.memory;
        if !self.is_known() {
            return format!("{NOTHING}\n");
        }
        let last_worked = self.last_worked.as_ref();
        let warning = Warning {
            faults: &self.faults,
            last_worked: last_worked.map(|session| in_words(memory, session)),
            now: memory.now,
        };
        memory.leaving(&warning)
    }
}

/// What the command is known to fail with in this directory: here, or else elsewhere if somebody shared
/// what worked instead.
fn known_to_fail(memory: &Memory, key: &CommandKey) -> Vec<Known> {
    let current = std::env::current_dir().unwrap_or_default();
    let directory = lookup::directory(&current, memory.root.as_deref());
    let found = memory.faults.known_to_fail(key, &directory);
    if found.is_empty() {
        return shared(memory, key);
    }
    if memory.seek(&found) {
        return memory.faults.known_to_fail(key, &directory);
    }
    found
}

/// Failures that were never seen here, of which somebody else shared the cure.
fn shared(memory: &Memory, key: &CommandKey) -> Vec<Known> {
    let Ok(knowledge) = memory.faults.read() else {
        return Vec::new();
    };
    let is_of_key = |worked: &Worked| {
        // As it was typed: whether a shell ran it makes no difference to the key.
        worked.directory.is_none()
            && CommandKey::of(&[], Some(&worked.failed)).as_ref() == Some(key)
    };
    let mut faults = knowledge.faults;
    faults.retain(|known| {
        let mut lessons = known.lessons.iter();
        known.history.is_none()
            && lessons.any(|known| {
                known.standing != Standing::Retired
                    && known.lesson.worked.as_ref().is_some_and(is_of_key)
            })
    });
    let asked = |known: Known| known.asked_about(Some(key.clone()));
    faults.into_iter().map(asked).collect()
}

/// The last session of the very same line that succeeded in this directory.
fn last_worked(memory: &Memory, shown: &str) -> Option<Metadata> {
    let current = std::env::current_dir().ok()?;
    let wanted = shown.to_owned();
    let query = Query {
        outcome: Some(WantedOutcome::Succeeded),
        cwd: Some(current.to_string_lossy().into_owned()),
        text: Some(TextTest(Box::new(move |text| text == wanted))),
        ..Query::default()
    };
    let mut last = None;
    let store = &memory.reader.store;
    let mut take = |found: Found| {
        let metadata = found.entry.id().and_then(|id| store.metadata(&id).ok());
        let fits = |metadata: &Metadata| {
            metadata.command == shown
                && metadata.fault.is_none()
                && metadata.cwd.as_deref() == current.to_str()
        };
        last = metadata.filter(fits);
        if last.is_some() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    store.newest(&query, &mut take).ok()?;
    last
}

fn in_words(memory: &Memory, session: &Metadata) -> String {
    let age = units::age((memory.now.0 - session.timestamp.0).num_seconds());
    let commit = session.git.as_ref().and_then(|git| git.commit.as_deref());
    let commit = commit.map_or_else(String::new, |commit| {
        format!(" on commit {}", commit.get(..10).unwrap_or(commit))
    });
    format!(
        "the last time {age} ago{commit}: aido show {}",
        session.session_id.hex()
    )
}
