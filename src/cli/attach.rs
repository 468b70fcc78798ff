//! `aido attach`

mod detach_key;
mod seat;

use std::io::IsTerminal;

use serde_json::Value;

use super::error::{CliError, Kind};
use super::reading::Reader;
use super::target::{Contact, Target};
use super::word::StoreArguments;
use super::{Answer, CliResult, io};
use crate::config::Layer;
use crate::environment::Environment;
use crate::record::SESSION_VARIABLE;
use crate::session::Size;
use crate::session::outcome::AIDO_FAILED;
use crate::store::Store;
use crate::sys::{signals, terminal};
use crate::wire::Request;
use detach_key::DetachKey;
use seat::{Left, Seat};

/// The size of a terminal that doesn't tell its own.
const UNTOLD_SIZE: Size = Size {
    columns: 80,
    rows: 24,
};
/// How far the sessions around this one are looked at.
const WITHIN: usize = 32;

/// `aido attach`
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit status: the session's own if it ends meanwhile; 0 after detaching.")]
pub struct Arguments {
    /// Where sessions are kept
    #[arg(long, value_name = "DIR")]
    pub session_dir: Option<String>,
    /// A name, an id, or the beginning or end of one
    #[arg(value_name = "SESSION")]
    pub selector: String,
    /// Only look: nothing is typed, and the session's window keeps its size
    #[arg(long)]
    pub read_only: bool,
    /// The key that, followed by d, detaches; twice it is itself
    #[arg(long, value_name = "KEY", default_value = r"C-\")]
    pub detach_key: String,
}

/// Shows a session on this terminal and types to it, until it ends or is detached from.
///
/// # Errors
/// Without a terminal, or when the session can't be reached.
pub fn attach(arguments: &Arguments, flags: Layer) -> CliResult {
    let stdin = std::io::stdin();
    let stdout = std::io::stdout();
    let key: DetachKey = arguments.detach_key.parse()?;
    let size = terminal::size(&stdout).unwrap_or(UNTOLD_SIZE);
    if !stdin.is_terminal() || !stdout.is_terminal() {
        return Err(CliError::new(Kind::Usage, "attach needs a terminal")
            .with_hint("aido capture prints the screen, aido send types to it"));
    }
    let store = StoreArguments::of(arguments.session_dir.clone());
    let reader = Reader::open(&store, flags)?;
    let target = Target::find(&reader, &arguments.selector)?;
    refuse_own(&reader, &target)?;
    let mut client = target.live()?;
    client.request(&Request::Attach {
        size,
        read_only: arguments.read_only,
    })?;
    let seat = Seat::take(&stdin, client, key, size)?;
    let hex = target.id.hex();
    match seat.sit()? {
        Left::Detached => {
            io::say(&format!("aido: detached; aido attach {hex} comes back"));
            Ok(Answer::Yes)
        }
        Left::Ended(exit_code) => {
            let code = exit_code.unwrap_or(AIDO_FAILED);
            io::say(&format!("aido: {hex} ended: exit {code}"));
            Ok(Answer::Ended(io::code(code)))
        }
        Left::Signal(signal) => {
            signals::die_of(signal);
            Ok(Answer::Ended(io::code(128 + signal.0)))
        }
        Left::Gone => match target.contact()? {
            Contact::Over(metadata) => {
                let code = metadata.exit_code.unwrap_or(AIDO_FAILED);
                Ok(Answer::Ended(io::code(code)))
            }
            _ => Err(target.is_lost()),
        },
    }
}

/// A session that showed itself would never be done.
fn refuse_own(reader: &Reader, target: &Target<'_>) -> Result<(), CliError> {
    let environment = Environment::of_process();
    let mut around = environment.text(SESSION_VARIABLE).map(str::to_owned);
    for _ in 0..WITHIN {
        let Some(text) = around else { return Ok(()) };
        if text == target.id.as_str() {
            let message = format!("this terminal is in {text}: it would show itself");
            return Err(CliError::new(Kind::Failed, message));
        }
        let known = text
            .parse()
            .ok()
            .and_then(|id| reader.store.start_record(&id).ok());
        let within = known.as_ref().and_then(|known| known.get("within"));
        around = within.and_then(Value::as_str).map(str::to_owned);
    }
    Ok(())
}
