//! `aido __complete`: what may stand at the cursor of a command line, for the scripts of
//! [`super::completions`]. Whatever goes wrong, it prints less and never an error: a shell asks while
//! somebody types.
//!
//! The first line says what is wanted: `values` (one of the following lines), `files`, `directories`,
//! or `command N` (a command that begins after N words, with the completion that it has of its own;
//! the following lines may stand in its place). Each following line is a value, a tab and a
//! description.

mod line;

use std::ffi::OsString;
use std::io::Write;
use std::ops::ControlFlow;

use clap::CommandFactory;

use self::line::{Asked, Candidate, Recorded, Wanted};
use super::reading::Reader;
use super::word::{StoreArguments, WordLine};
use super::{Answer, CliResult, args, io, redaction};
use crate::config::Layer;
use crate::environment::Environment;
use crate::session::{Query, SessionId, State};
use crate::store::{Found, Store};
use crate::view::sanitize;

/// The most sessions that are offered.
const SESSIONS: usize = 100;
/// The most of anything else.
const VALUES: usize = 100;
/// How many of the newest are looked at for that.
const LOOKED_AT: usize = 500;

/// `aido __complete`
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The words after `aido`, up to the cursor; the last one is being typed
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub words: Vec<OsString>,
}

/// Prints what may stand at the cursor.
///
/// # Errors
/// When it can't be printed.
pub fn complete(arguments: &Arguments) -> CliResult {
    let words: Vec<String> = arguments
        .words
        .iter()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let asked = line::ask(args::command(), WordLine::command(), &words);
    let (kind, candidates) = match &asked.wanted {
        Wanted::Values(values) => ("values".to_owned(), values.clone()),
        Wanted::Sessions => ("values".to_owned(), sessions(&asked).unwrap_or_default()),
        Wanted::Recorded(what) => (
            "values".to_owned(),
            recorded(&asked, *what).unwrap_or_default(),
        ),
        Wanted::Files => ("files".to_owned(), Vec::new()),
        Wanted::Directories => ("directories".to_owned(), Vec::new()),
        Wanted::Command { offset, words } => (format!("command {offset}"), words.clone()),
    };
    let mut out = io::Out::stdout();
    writeln!(out, "{kind}")?;
    for Candidate { value, help } in candidates {
        if value.starts_with(&asked.typed) {
            let (prefix, help) = (&asked.prefix, sanitize::line(&help));
            writeln!(out, "{prefix}{value}\t{help}")?;
        }
    }
    out.flush()?;
    Ok(Answer::Yes)
}

/// The store that the line names.
fn open(asked: &Asked) -> Option<Reader> {
    let arguments = StoreArguments::of(asked.session_dir.clone());
    let mut reader = Reader::open(&arguments, Layer::default()).ok()?;
    redaction::guard(&mut reader, None, &Environment::of_process()).ok()?;
    Some(reader)
}

/// What the newest sessions were recorded with, each once; of tasks also older ones.
fn recorded(asked: &Asked, what: Recorded) -> Option<Vec<Candidate>> {
    let reader = open(asked)?;
    let mut found: Vec<Candidate> = Vec::new();
    let mut offer = |value: &str, help: &dyn Fn() -> String| {
        let is_new = found.iter().all(|known| known.value != value);
        if is_new && is_plain(value) && found.len() < VALUES {
            found.push(Candidate {
                value: value.to_owned(),
                help: help(),
            });
        }
    };
    let mut looked_at = 0;
    let looked = reader.store.newest(&Query::default(), &mut |session| {
        let entry = &session.entry;
        let Some(id) = entry.id() else {
            return ControlFlow::Continue(());
        };
        let help = || reader.leaving_command(&id, &entry.command);
        // The index doesn't know what is marked as secret.
        let guarded = reader.is_guarded().then(|| reader.read(&id).ok());
        match (what, &guarded) {
            (Recorded::Agent, _) => offer(id.agent(), &help),
            (_, Some(None)) => {}
            (_, Some(Some(shown))) => {
                let metadata = &shown.metadata;
                let branch = metadata.git.as_ref().and_then(|git| git.branch.as_deref());
                match what {
                    Recorded::Task => metadata.task.iter().for_each(|task| offer(task, &help)),
                    Recorded::Tag => metadata.tags.iter().for_each(|tag| offer(tag, &help)),
                    _ => branch.into_iter().for_each(|branch| offer(branch, &help)),
                }
            }
            (Recorded::Task, None) => entry.task.iter().for_each(|task| offer(task, &help)),
            (Recorded::Branch, None) => entry.branch.iter().for_each(|it| offer(it, &help)),
            (Recorded::Tag, None) => entry.tags.iter().for_each(|tag| offer(tag, &help)),
        }
        looked_at += 1;
        match looked_at < LOOKED_AT {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        }
    });
    looked.ok()?;
    if what == Recorded::Task && !reader.is_guarded() {
        let tasks = reader.store.tasks_in_a_hurry(VALUES, &|| true);
        for status in &tasks.statuses {
            offer(&status.task, &|| status.state.name().to_owned());
        }
    }
    Some(found)
}

/// Whether a value means itself to every shell. Whatever was recorded may hold what a shell would run,
/// and what is offered stands on a command line.
fn is_plain(value: &str) -> bool {
    let is_plain = |character: char| character.is_alphanumeric() || "-_./@+,".contains(character);
    !value.is_empty() && !value.starts_with('-') && value.chars().all(is_plain)
}

/// Names of sessions, the newest first.
fn sessions(asked: &Asked) -> Option<Vec<Candidate>> {
    let reader = open(asked)?;
    let mut recent = Vec::new();
    let looked = reader.store.newest(&Query::default(), &mut |session| {
        recent.extend(Recent::of(&session, &reader));
        if recent.len() < LOOKED_AT {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    });
    looked.ok()?;
    let mut found = named(&recent, &asked.typed);
    if found.is_empty() {
        let older = reader.store.find(&asked.typed, SESSIONS).ok()?;
        let older: Vec<Recent> = older.into_iter().map(Recent::unknown).collect();
        found = named(&older, &asked.typed);
    }
    Some(found)
}

/// What is said of a session that is offered.
struct Recent {
    id: SessionId,
    has_failed: bool,
    help: String,
}

impl Recent {
    fn of(session: &Found, reader: &Reader) -> Option<Self> {
        let entry = &session.entry;
        let id = entry.id()?;
        let ending = match (session.state, entry.exit_code) {
            (State::Running, _) => "running".to_owned(),
            (_, Some(code)) => format!("exit {code}"),
            (_, None) => "interrupted".to_owned(),
        };
        let command = reader.leaving_command(&id, &entry.command);
        Some(Self {
            id,
            has_failed: session.state != State::Running && entry.has_failed(),
            help: format!("{ending}: {command}"),
        })
    }

    fn unknown(id: SessionId) -> Self {
        let help = id.to_string();
        Self {
            id,
            has_failed: false,
            help,
        }
    }
}

/// The names of these sessions that begin with what was typed: words and agents, else hex endings,
/// else whole ids.
fn named(recent: &[Recent], typed: &str) -> Vec<Candidate> {
    let candidate = |value: &str, help: String| Candidate {
        value: value.to_owned(),
        help,
    };
    let mut found = Vec::new();
    if let Some(newest) = recent.first() {
        found.push(candidate("last", newest.help.clone()));
        let failed = recent.iter().find(|session| session.has_failed);
        found.extend(failed.map(|failed| candidate("last:failed", failed.help.clone())));
    }
    found.retain(|candidate| candidate.value.starts_with(typed));
    if typed.starts_with('@') {
        for session in recent {
            let agent = format!("@{}", session.id.agent());
            if found.iter().all(|known| known.value != agent) {
                found.push(candidate(&agent, session.help.clone()));
            }
        }
        return found;
    }
    let by_hex = recent
        .iter()
        .filter(|session| session.id.hex().starts_with(typed));
    let by_hex = by_hex.map(|session| candidate(session.id.hex(), session.help.clone()));
    found.extend(by_hex.take(SESSIONS));
    if found.is_empty() {
        let by_id = recent
            .iter()
            .filter(|session| session.id.as_str().starts_with(typed));
        let by_id = by_id.map(|session| candidate(session.id.as_str(), session.help.clone()));
        found.extend(by_id.take(SESSIONS));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recent(id: &str, has_failed: bool) -> Recent {
        let mut recent = Recent::unknown(id.parse().unwrap());
        recent.has_failed = has_failed;
        recent
    }

    #[test]
    fn what_a_shell_would_run_or_split_is_not_offered() {
        for plain in ["parser", "topic/x", "日本", "v1.2_3-a", "user@host"] {
            assert!(is_plain(plain), "{plain}");
        }
        for other in [
            "", "-x", "a b", "$(id)", "`id`", "a;b", "a'b", "a\"b", "~x", "a:b", "a=b",
        ] {
            assert!(!is_plain(other), "{other}");
        }
    }

    #[test]
    fn sessions_are_offered_by_the_name_that_was_begun() {
        let all = [
            recent("codex-20260305_132522-1-2f587606", false),
            recent("ai-agent-20260304_132522-1-2f000001", true),
            recent("codex-20260303_132522-1-0a000001", false),
        ];
        for (typed, expected) in [
            (
                "",
                &["last", "last:failed", "2f587606", "2f000001", "0a000001"][..],
            ),
            ("la", &["last", "last:failed"]),
            ("last:", &["last:failed"]),
            ("2f", &["2f587606", "2f000001"]),
            ("2f0", &["2f000001"]),
            ("@", &["@codex", "@ai-agent"]),
            (
                "codex",
                &[
                    "codex-20260305_132522-1-2f587606",
                    "codex-20260303_132522-1-0a000001",
                ],
            ),
            ("zzz", &[]),
        ] {
            let found = named(&all, typed);
            let values: Vec<&str> = found.iter().map(|one| one.value.as_str()).collect();
            assert_eq!(values, expected, "{typed:?}");
        }
        assert!(named(&[], "").is_empty());
    }
}
