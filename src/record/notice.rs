//! What the caller is told: messages as values, and the debug log.

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::KnownFailure;
use crate::capture::Undelivered;
use crate::checkpoint::Problem;
use crate::clock::Stopwatch;
use crate::config::Settings;
use crate::faults::normal::head;
use crate::session::quote::shell_line;
use crate::session::time::age;
use crate::session::{Outcome, SessionId, Stream};
use crate::store::StoreError;
use crate::store::fs::FileStore;

/// Something the caller should know, said in one line on standard error.
#[derive(Debug)]
pub enum Notice<'a> {
    /// The command runs without a recording.
    NotRecorded(StoreError),
    /// The command was not started, because it could not have been recorded.
    Refused(StoreError),
    /// The command was not started, because its files could not be saved before it.
    RefusedUnsaved(Problem),
    /// The command got pipes, because there is no PTY.
    NoTerminal(io::Error),
    /// The debug log can't be opened, so standard error takes its lines.
    NoDebugLog(&'a Path, io::Error),
    /// The command could not be started.
    NotStarted(&'a str),
    /// Output that the caller didn't get.
    Undelivered(&'a Undelivered),
    /// The recording lacks something.
    Incomplete {
        /// Bytes of output that are missing.
        dropped_bytes: u64,
        /// The session directory.
        place: PathBuf,
        /// Why.
        error: &'a io::Error,
    },
    /// The recording is there, but a power cut may still take it.
    NotSynced(io::Error),
    /// The recording has no sidecar.
    NotPublished(StoreError),
    /// The recording is there, but its task doesn't know of it.
    NotInTask(StoreError),
    /// There is no checkpoint before the command, or after it.
    NoCheckpoint(&'a str, &'a Problem),
    /// How it went, where asked for.
    Report {
        /// The command's end.
        outcome: &'a Outcome,
        /// The recording.
        id: Option<&'a SessionId>,
        /// The session directory, where `aido show` wouldn't find it by itself.
        elsewhere: Option<&'a Path>,
        /// What is known of its failure.
        failure: Option<&'a KnownFailure>,
    },
    /// The command that is about to run has failed here before.
    KnownToFail(&'a KnownFailure),
}

impl fmt::Display for Notice<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRecorded(error) => write!(formatter, "warning: not recorded: {error}"),
            Self::Refused(error) => write!(
                formatter,
                "not started, since it can't be recorded (--strict): {error}"
            ),
            Self::RefusedUnsaved(problem) => write!(
                formatter,
                "not started, since there can be no checkpoint before it (--strict): {problem}"
            ),
            Self::NoTerminal(error) => write!(formatter, "warning: no terminal: {error}"),
            Self::NoDebugLog(path, error) => write!(
                formatter,
                "warning: the debug log {} can't be written, so its lines follow here: {error}",
                path.display()
            ),
            Self::NotStarted(reason) => formatter.write_str(reason),
            Self::Undelivered(Undelivered { stream, reason }) => {
                let name = match stream {
                    Stream::Stdout => "standard output",
                    Stream::Stderr => "standard error",
                };
                write!(
                    formatter,
                    "warning: {name} could not be delivered whole: {reason}"
                )
            }
            Self::Incomplete {
                dropped_bytes: 0,
                place,
                error,
            } => write!(
                formatter,
                "warning: the recording in {} is incomplete: {error}",
                place.display()
            ),
            Self::Incomplete {
                dropped_bytes,
                place,
                error,
            } => write!(
                formatter,
                "warning: the recording in {} lacks {dropped_bytes} bytes of output: {error}",
                place.display()
            ),
            Self::NotSynced(error) => write!(
                formatter,
                "warning: the recording could not be forced to the disk: {error}"
            ),
            Self::NotPublished(error) => {
                write!(formatter, "warning: the recording has no sidecar: {error}")
            }
            Self::NotInTask(error) => {
                write!(formatter, "warning: recorded, but not added to {error}")
            }
            Self::NoCheckpoint(when, problem) => write!(
                formatter,
                "warning: no checkpoint {when} the command: {problem}"
            ),
            Self::Report {
                outcome,
                id,
                elsewhere,
                failure,
            } => {
                say_outcome(formatter, outcome)?;
                if let Some(failure) = failure {
                    said_after(formatter, outcome, failure)?;
                }
                // Last, so that it can be copied to the line's end.
                say_place(formatter, *id, *elsewhere)
            }
            Self::KnownToFail(failure) => said_before(formatter, failure),
        }
    }
}

fn say_outcome(formatter: &mut fmt::Formatter<'_>, outcome: &Outcome) -> fmt::Result {
    match outcome {
        Outcome::Exited(code) => write!(formatter, "exit {code}"),
        Outcome::Signaled(signal) => write!(formatter, "killed by {signal}"),
        Outcome::TimedOut(_) => write!(formatter, "timed out"),
        Outcome::NotStarted { code, .. } => write!(formatter, "not started (exit {code})"),
        Outcome::Interrupted => write!(formatter, "interrupted"),
    }
}

fn say_place(
    formatter: &mut fmt::Formatter<'_>,
    id: Option<&SessionId>,
    elsewhere: Option<&Path>,
) -> fmt::Result {
    let Some(id) = id else {
        return write!(formatter, "; not recorded");
    };
    let mut words: Vec<OsString> = ["aido", "show", id.hex()].map(OsString::from).into();
    if let Some(directory) = elsewhere {
        words.extend(["--session-dir".into(), directory.into()]);
    }
    write!(formatter, "; full output: {}", shell_line(&words))
}

/// The longest piece of recorded text in a line.
const SAID_BYTES: usize = 160;

fn said_before(formatter: &mut fmt::Formatter<'_>, failure: &KnownFailure) -> fmt::Result {
    let KnownFailure {
        fault,
        command,
        times,
        is_flaky,
        age_seconds,
        why,
        advice,
    } = failure;
    let (command, why) = (head(command, SAID_BYTES), head(why, SAID_BYTES));
    let how = if *is_flaky { " at times" } else { "" };
    write!(
        formatter,
        "known to fail{how}: `{command}`: {why} ({fault}, seen "
    )?;
    times_seen(formatter, *times)?;
    if let Some(seconds) = age_seconds {
        write!(formatter, ", last {} ago", age(*seconds))?;
    }
    formatter.write_str(")")?;
    say_advice(formatter, advice.as_deref())
}

fn said_after(
    formatter: &mut fmt::Formatter<'_>,
    outcome: &Outcome,
    failure: &KnownFailure,
) -> fmt::Result {
    if outcome.is_success() {
        write!(formatter, "; it says that it failed")?;
    }
    write!(formatter, "; {}", failure.fault)?;
    if failure.times > 1 {
        formatter.write_str(", seen ")?;
        times_seen(formatter, failure.times)?;
    }
    if failure.is_flaky {
        formatter.write_str(", flaky: it works at times though nothing changed")?;
    }
    say_advice(formatter, failure.advice.as_deref())
}

fn times_seen(formatter: &mut fmt::Formatter<'_>, times: u64) -> fmt::Result {
    match times {
        1 => formatter.write_str("once"),
        times => write!(formatter, "{times} times"),
    }
}

fn say_advice(formatter: &mut fmt::Formatter<'_>, advice: Option<&str>) -> fmt::Result {
    match advice {
        Some(advice) => write!(formatter, "; {}", head(advice, SAID_BYTES)),
        None => Ok(()),
    }
}

/// What aido does, for whoever asked with `--debug` or `--debug-log`.
pub struct DebugLog {
    target: Option<Target>,
    stopwatch: Stopwatch,
}

enum Target {
    Stderr,
    File(File),
}

impl DebugLog {
    /// Opens the log that the settings ask for. A relative path is one beside the session's files.
    /// A log that can't be opened goes to standard error, except a hook's, after the caller was told why.
    #[must_use]
    pub fn open(
        settings: &Settings,
        store: Option<&FileStore>,
        stopwatch: Stopwatch,
        tell: &mut dyn FnMut(&Notice),
    ) -> Self {
        // A hook's aido makes no directory for it.
        let may_be = |path: &&PathBuf| {
            let is_beside = || store.is_some_and(FileStore::is_there);
            !settings.is_hooked || path.is_absolute() || is_beside()
        };
        let target = match settings.debug_log.as_ref().filter(may_be) {
            Some(path) => {
                let file = match store {
                    Some(store) if path.is_relative() => store.open_beside(path),
                    _ => crate::sys::file::append_private(path),
                };
                Some(file.map_or_else(
                    |error| {
                        tell(&Notice::NoDebugLog(path, error));
                        Target::Stderr
                    },
                    Target::File,
                ))
            }
            None => settings.debug.then_some(Target::Stderr),
        };
        let target =
            target.filter(|target| matches!(target, Target::File(_)) || !settings.is_hooked);
        Self { target, stopwatch }
    }

    /// Adds a line.
    pub fn log(&self, line: impl FnOnce() -> String) {
        let Some(target) = &self.target else {
            return;
        };
        let elapsed = self.stopwatch.elapsed().as_secs_f64();
        let line = format!("aido: debug: {elapsed:9.6} {}\n", line());
        match target {
            Target::Stderr => crate::sys::stream::say(&line),
            // A log that can't be written changes nothing.
            Target::File(file) => drop((&*file).write_all(line.as_bytes())),
        }
    }
}
