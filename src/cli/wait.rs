//! `aido wait`

use std::time::Duration;

use serde_json::{Value, json};

use super::reading::Reader;
use super::target::{Contact, Target, millis, pause, time_of};
use super::word::StoreArguments;
use super::{Answer, CliResult, io};
use crate::clock::Stopwatch;
use crate::config::Layer;
use crate::session::Status;
use crate::session::metadata::SCHEMA_VERSION;
use crate::session::outcome::{AIDO_FAILED, TIMED_OUT};
use crate::wire::{Condition, Incoming, Reply, Request, Waiting};

/// How often a session is looked at whose supervisor can't be reached.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// `aido wait`
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Of several conditions any will do; without one it waits for the session's end.

Exit status: the session's own, 128+N after a signal, 125 if its supervisor was killed; with a
condition 0, or 1 if the session ends first; 124 timed out.")]
pub struct Arguments {
    /// Which store, and how to print.
    #[command(flatten)]
    pub store: StoreArguments,
    /// A name, an id, or the beginning or end of one
    #[arg(value_name = "SESSION")]
    pub selector: String,
    /// Until a line matches this regular expression, with something new in it
    #[arg(long, value_name = "RE")]
    pub text: Option<String>,
    /// Until nothing was written or typed for this long
    #[arg(long, value_name = "DUR")]
    pub idle: Option<String>,
    /// Until the screen has shown the same text for this long
    #[arg(long, value_name = "DUR")]
    pub stable: Option<String>,
    /// Until it rings
    #[arg(long)]
    pub bell: bool,
    /// Until it reads from its terminal
    #[arg(long)]
    pub input: bool,
    /// New is what comes after so much output, as send printed it [default: since something was typed
    /// last]
    #[arg(long, value_name = "SEQUENCE")]
    pub after: Option<u64>,
    /// Give up after this time (exit 124)
    #[arg(long, value_name = "DUR")]
    pub timeout: Option<String>,
}

/// What waiting came to.
enum Waited {
    Met(Condition, u64),
    Ended(Option<i32>, Status),
    TimedOut,
}

/// Waits for the end of a session, and exits as it did; or for something to be so in it.
///
/// # Errors
/// When there is no such session, or it can't be waited for.
pub fn wait(arguments: &Arguments, flags: Layer) -> CliResult {
    let reader = Reader::open(&arguments.store, flags)?;
    let target = Target::find(&reader, &arguments.selector)?;
    let time = |option: &str, text: &Option<String>| {
        let time = text.as_deref().map(|text| time_of(option, text));
        time.transpose()
    };
    let waiting = Waiting {
        text: arguments.text.clone(),
        idle_ms: time("--idle", &arguments.idle)?.map(millis),
        stable_ms: time("--stable", &arguments.stable)?.map(millis),
        bell: arguments.bell,
        input: arguments.input,
        after: arguments.after,
    };
    let waits_for_end = waiting.is_for_end();
    let waited = look(&target, waiting, time("--timeout", &arguments.timeout)?)?;
    if arguments.store.json {
        let mut out = io::Out::stdout();
        out.json(&to_json(&target, &waited))?;
        out.write("\n")?;
    }
    Ok(match waited {
        Waited::Met(..) => Answer::Yes,
        Waited::TimedOut => Answer::Ended(io::code(TIMED_OUT)),
        Waited::Ended(exit_code, status) => {
            if exit_code.is_none() || status == Status::Interrupted {
                io::say(&format!("aido: {}", target.is_lost().message()));
            }
            if waits_for_end {
                Answer::Ended(io::code(exit_code.unwrap_or(AIDO_FAILED)))
            } else {
                io::say(&format!("aido: {} is over", target.id.hex()));
                Answer::No
            }
        }
    })
}

fn look(
    target: &Target<'_>,
    waiting: Waiting,
    timeout: Option<Duration>,
) -> Result<Waited, super::error::CliError> {
    let began = Stopwatch::start();
    let left = || timeout.map(|timeout| timeout.saturating_sub(began.elapsed()));
    let is_over = || left().is_some_and(|left| left.is_zero());
    loop {
        let mut client = match target.contact()? {
            Contact::Over(metadata) => {
                return Ok(Waited::Ended(metadata.exit_code, metadata.status));
            }
            Contact::Lost => return Ok(Waited::Ended(None, Status::Interrupted)),
            Contact::Silent(_) if waiting.is_for_end() && is_over() => return Ok(Waited::TimedOut),
            Contact::Silent(_) if waiting.is_for_end() => {
                pause(left().unwrap_or(LOOK_EVERY).min(LOOK_EVERY));
                continue;
            }
            Contact::Silent(error) => return Err(target.unreachable(&error)),
            Contact::Live(client) => client,
        };
        client.request(&Request::Wait(waiting.clone()))?;
        loop {
            match client.receive(left()) {
                Incoming::Reply(Reply::Met {
                    condition,
                    sequence,
                }) => return Ok(Waited::Met(condition, sequence)),
                Incoming::Reply(Reply::Ended {
                    exit_code, status, ..
                }) => return Ok(Waited::Ended(exit_code, status)),
                Incoming::Reply(Reply::Refused { detail, .. }) => {
                    let kind = super::error::Kind::Usage;
                    return Err(super::error::CliError::new(kind, detail));
                }
                Incoming::Reply(Reply::Unsupported) => return Err(target.unsupported()),
                Incoming::Reply(_) | Incoming::Draw(_) => {}
                // What became of the session is in its files.
                Incoming::Gone => break,
                Incoming::Nothing if is_over() => return Ok(Waited::TimedOut),
                Incoming::Nothing => {}
            }
        }
    }
}

fn to_json(target: &Target<'_>, waited: &Waited) -> Value {
    let (condition, sequence) = match waited {
        Waited::Met(condition, sequence) => (Some(condition), Some(sequence)),
        _ => (None, None),
    };
    let (exit_code, status) = match waited {
        Waited::Ended(exit_code, status) => (*exit_code, Some(status)),
        _ => (None, None),
    };
    json!({
        "schema_version": SCHEMA_VERSION,
        "session_id": target.id.as_str(),
        "condition": condition,
        "sequence": sequence,
        "ended": matches!(waited, Waited::Ended(..)),
        "timed_out": matches!(waited, Waited::TimedOut),
        "exit_code": exit_code,
        "status": status,
    })
}
