//! `aido send`

use std::io::Read;

use serde_json::json;

use super::error::{CliError, Kind};
use super::reading::Reader;
use super::target::{Target, millis, time_of};
use super::word::StoreArguments;
use super::{Answer, CliResult, io};
use crate::config::Layer;
use crate::session::metadata::SCHEMA_VERSION;
use crate::wire::{Input, Reply, Request, Sending};

/// The most that is typed at once.
const TEXT_BYTES: u64 = 1024 * 1024;

/// `aido send`
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Prints how much output there was when the last of it was typed, in bytes: a number for wait --after.

Exit status: 0 typed; 1 nothing was typed, since a condition didn't hold, it asks for a password, a
line is longer than its terminal takes, the command reads nothing, or the session is over.")]
pub struct Arguments {
    /// Which store, and how to print.
    #[command(flatten)]
    pub store: StoreArguments,
    /// A name, an id, or the beginning or end of one
    #[arg(value_name = "SESSION")]
    pub selector: String,
    /// What to type; words are joined by spaces, and after -- they may begin with a dash
    #[arg(value_name = "TEXT")]
    pub text: Vec<String>,
    /// Then press Enter, by itself, once the program has taken what was before
    #[arg(short = 'e', long)]
    pub enter: bool,
    /// Press keys by their names, separated by spaces: Up, C-c, M-x, F5, Escape; after the text
    #[arg(long, value_name = "KEYS")]
    pub keys: Option<String>,
    /// Type it as something pasted
    #[arg(long)]
    pub paste: bool,
    /// Take the text from standard input; a line feed at its end goes
    #[arg(long, conflicts_with = "text")]
    pub stdin: bool,
    /// Only if a line on the screen matches this regular expression
    #[arg(long, value_name = "RE")]
    pub if_screen: Option<String>,
    /// Only if nothing was written or typed for this long
    #[arg(long, value_name = "DUR")]
    pub if_idle: Option<String>,
    /// Type it at a password prompt, too
    #[arg(long)]
    pub secret: bool,
}

/// Types something to a session, and prints how much output there was then: a number for wait --after.
///
/// # Errors
/// When it can't be typed as was asked for; nothing was typed then.
pub fn send(arguments: &Arguments, flags: Layer) -> CliResult {
    let reader = Reader::open(&arguments.store, flags)?;
    let mut input = Vec::new();
    let text = text(arguments)?;
    if !text.is_empty() {
        input.push(match arguments.paste {
            true => Input::Paste(text),
            false => Input::Text(text),
        });
    }
    if let Some(keys) = &arguments.keys {
        let keys = keys.split_whitespace().map(str::to_owned);
        input.push(Input::Keys(keys.collect()));
    }
    if arguments.enter {
        input.push(Input::Enter);
    }
    if input.is_empty() {
        return Err(CliError::new(Kind::Usage, "there is nothing to type")
            .with_hint("aido send SESSION TEXT --enter, --keys or --stdin"));
    }
    let if_idle = arguments
        .if_idle
        .as_deref()
        .map(|text| time_of("--if-idle", text));
    let target = Target::find(&reader, &arguments.selector)?;
    let reply = target.ask(&Request::Send(Sending {
        input,
        if_screen: arguments.if_screen.clone(),
        if_idle_ms: if_idle.transpose()?.map(millis),
        secret: arguments.secret,
    }))?;
    let Reply::Done { sequence } = reply else {
        return Err(target.unsupported());
    };
    let mut out = io::Out::stdout();
    if arguments.store.json {
        out.json(&json!({
            "schema_version": SCHEMA_VERSION,
            "session_id": target.id.as_str(),
            "sequence": sequence,
        }))?;
        out.write("\n")?;
    } else {
        out.write(&format!("{sequence}\n"))?;
    }
    Ok(Answer::Yes)
}

fn text(arguments: &Arguments) -> Result<String, CliError> {
    if !arguments.stdin {
        return Ok(arguments.text.join(" "));
    }
    let mut bytes = Vec::new();
    std::io::stdin()
        .take(TEXT_BYTES + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > TEXT_BYTES {
        return Err(CliError::new(
            Kind::Usage,
            "more than 1 MiB can't be typed at once",
        ));
    }
    let mut text = String::from_utf8(bytes)
        .map_err(|_| CliError::new(Kind::Usage, "standard input is no text in UTF-8"))?;
    if text.ends_with('\n') {
        text.pop();
    }
    Ok(text)
}
