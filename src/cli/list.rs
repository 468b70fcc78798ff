//! `aido list`

use std::io::{IsTerminal, Write};

use serde_json::Value;

use super::reading::Reader;
use super::word::StoreArguments;
use super::{Answer, CliResult, io};
use crate::clock;
use crate::config::Layer;
use crate::store::resolve::newest_first;
use crate::sys::terminal;
use crate::view::list::Table;
use crate::view::sanitize;

/// `aido list`
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Which store, and how to print.
    #[command(flatten)]
    pub store: StoreArguments,
    /// At most this many
    #[arg(short = 'n', value_name = "COUNT")]
    pub count: Option<usize>,
}

/// Lists sessions, newest first. One that can't be read is named on standard error.
///
/// # Errors
/// When the store can't be read.
pub fn list(arguments: &Arguments, flags: Layer) -> CliResult {
    let reader = Reader::open(&arguments.store, flags)?;
    let ids = newest_first(&reader.store)?;
    let mut sessions = Vec::new();
    for id in ids.iter().take(arguments.count.unwrap_or(usize::MAX)) {
        match reader.read(id) {
            Ok(session) => sessions.push(session),
            Err(error) => io::say(&format!("aido: {}", sanitize::line(&error.to_string()))),
        }
    }
    let mut out = io::Out::stdout();
    if arguments.store.json {
        let sessions: Vec<Value> = sessions.iter().map(|session| session.to_json()).collect();
        writeln!(out, "{}", Value::Array(sessions))?;
    } else if ids.is_empty() {
        let place = reader.store.path();
        let line = format!("no sessions in {}", place.display());
        writeln!(out, "{}", sanitize::line(&line))?;
    } else {
        let width = std::io::stdout()
            .is_terminal()
            .then(|| terminal::size(std::io::stdout()))
            .flatten()
            .map(|size| usize::from(size.columns));
        let now = clock::now();
        write!(
            out,
            "{}",
            Table {
                sessions: &sessions,
                now,
                width
            }
        )?;
    }
    out.flush()?;
    Ok(Answer::Yes)
}
