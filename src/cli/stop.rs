//! `aido stop`

use std::time::Duration;

use rustix::process::Pid;
use serde_json::{Value, json};

use super::error::{CliError, Kind};
use super::reading::Reader;
use super::target::{Contact, Target, millis, pause, recorder, time_of};
use super::word::StoreArguments;
use super::{Answer, CliResult, io};
use crate::clock::Stopwatch;
use crate::config::Layer;
use crate::session::metadata::SCHEMA_VERSION;
use crate::session::{Signal, State};
use crate::store::Store;
use crate::sys::process::Target as Process;
use crate::wire::{Incoming, Reply, Request};

/// How long a session may take to end before it is killed.
const GRACE: Duration = Duration::from_secs(5);
/// How much longer the supervisor may take for the rest.
const REST: Duration = Duration::from_secs(15);

/// `aido stop`
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Which store, and how to print.
    #[command(flatten)]
    pub store: StoreArguments,
    /// How long each may take before it is killed [default: 5s]
    #[arg(long, value_name = "DUR", conflicts_with = "kill")]
    pub grace: Option<String>,
    /// Kill at once
    #[arg(long)]
    pub kill: bool,
    /// Names, ids, or the beginnings or ends of ids
    #[arg(required = true, value_name = "SESSION")]
    pub selectors: Vec<String>,
}

/// Ends sessions that aido start began, with everything that they started.
///
/// # Errors
/// When one isn't there, or something of it could not be ended.
pub fn stop(arguments: &Arguments, flags: Layer) -> CliResult {
    let reader = Reader::open(&arguments.store, flags)?;
    let grace = match (&arguments.grace, arguments.kill) {
        (_, true) => Duration::ZERO,
        (Some(text), false) => time_of("--grace", text)?,
        (None, false) => GRACE,
    };
    let targets = arguments.selectors.iter();
    let targets: Vec<Target<'_>> = targets
        .map(|selector| Target::find(&reader, selector))
        .collect::<Result<_, _>>()?;
    let mut all = Vec::new();
    let mut failed = None;
    for target in &targets {
        match stop_one(&reader, target, grace) {
            Ok(said) => all.push(said),
            Err(error) if targets.len() == 1 => return Err(error),
            Err(error) => {
                io::say(&format!("aido: {}: {}", target.id.hex(), error.message()));
                failed = Some(());
            }
        }
    }
    let mut out = io::Out::stdout();
    if arguments.store.json {
        out.json(&all)?;
        out.write("\n")?;
    }
    Ok(if failed.is_some() {
        Answer::No
    } else {
        Answer::Yes
    })
}

fn stop_one(reader: &Reader, target: &Target<'_>, grace: Duration) -> Result<Value, CliError> {
    let said = |was_running: bool, exit_code: Option<i32>| {
        json!({
            "schema_version": SCHEMA_VERSION,
            "session_id": target.id.as_str(),
            "was_running": was_running,
            "exit_code": exit_code,
        })
    };
    let mut client = match target.contact()? {
        Contact::Over(metadata) => {
            let line = format!("aido: {} was over already", target.id.hex());
            io::say(&line);
            return Ok(said(false, metadata.exit_code));
        }
        Contact::Lost => return Err(target.is_lost()),
        Contact::Silent(_) => {
            stop_by_signal(reader, target, grace)?;
            let metadata = reader.metadata(&target.id).ok();
            return Ok(said(true, metadata.and_then(|metadata| metadata.exit_code)));
        }
        Contact::Live(client) => client,
    };
    let grace_ms = millis(grace);
    client.request(&Request::Stop { grace_ms })?;
    let began = Stopwatch::start();
    loop {
        let left = (grace + REST).saturating_sub(began.elapsed());
        match client.receive(Some(left)) {
            Incoming::Reply(Reply::Ended { left, .. }) if !left.is_empty() => {
                let message = format!("processes of {} could not be ended: {left:?}", target.id);
                return Err(CliError::new(Kind::Failed, message));
            }
            Incoming::Reply(Reply::Ended { exit_code, .. }) => return Ok(said(true, exit_code)),
            Incoming::Reply(_) | Incoming::Draw(_) => {}
            Incoming::Gone => {
                return match target.contact()? {
                    Contact::Over(metadata) => Ok(said(true, metadata.exit_code)),
                    _ => Err(target.is_lost()),
                };
            }
            Incoming::Nothing if left.is_zero() => {
                let timed_out = std::io::ErrorKind::TimedOut.into();
                return Err(target.unreachable(&timed_out));
            }
            Incoming::Nothing => {}
        }
    }
}

/// Without a socket: the supervisor passes a signal on to its command, and ends with it.
fn stop_by_signal(reader: &Reader, target: &Target<'_>, grace: Duration) -> Result<(), CliError> {
    let process = recorder(&target.start_record()?).and_then(Pid::from_raw);
    let Some(process) = process.map(Process::Process) else {
        let message = format!("the supervisor of {} is nowhere to be found", target.id);
        return Err(CliError::new(Kind::Failed, message));
    };
    let began = Stopwatch::start();
    process.send(Signal(libc::SIGTERM));
    let mut is_killed = false;
    while reader.store.state(&target.id)? == State::Running {
        if began.elapsed() > grace + REST {
            let message = format!("{} can't be ended", target.id);
            return Err(CliError::new(Kind::Failed, message));
        }
        if began.elapsed() > grace && !is_killed {
            is_killed = true;
            // The monitor notices, and ends the command.
            process.send(Signal(libc::SIGKILL));
        }
        pause(Duration::from_millis(20));
    }
    Ok(())
}
