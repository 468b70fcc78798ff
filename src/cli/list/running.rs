//! Running sessions, as `aido list --running` has them.

use std::io::Write;
use std::ops::ControlFlow;

use serde_json::Value;

use super::{Arguments, answer, flags, is_table};
use crate::cli::page::Page;
use crate::cli::reading::{Reader, width};
use crate::cli::{CliResult, io};
use crate::session::{Query, Timestamp};
use crate::store::{Found, State, Store};
use crate::view::running;
use crate::view::sanitize;

/// Lists running sessions with how each is.
pub(super) fn running(
    arguments: &Arguments,
    reader: &Reader,
    query: &Query,
    (now, mut out): (Timestamp, Page),
) -> CliResult {
    let (mut sessions, mut is_cut) = (Vec::new(), false);
    reader.store.newest(query, &mut |found: Found| {
        if arguments.count > 0 && sessions.len() == arguments.count {
            is_cut = true;
            return ControlFlow::Break(());
        }
        match reader.read_found(&found) {
            Ok(session) => sessions.extend(session.filter(|shown| shown.state == State::Running)),
            Err(error) => io::say(&format!("aido: {}", sanitize::line(&error.to_string()))),
        }
        ControlFlow::Continue(())
    })?;
    let sessions = flags::look(reader, sessions, now);
    let all: Vec<Value> = sessions.iter().map(running::Running::to_json).collect();
    if arguments.store.json {
        out.json(&all)?;
        writeln!(out)?;
    } else if arguments.ndjson {
        for session in &all {
            out.json(session)?;
            writeln!(out)?;
        }
    } else if sessions.is_empty() {
        let place = reader.store.path();
        let line = format!("no sessions that fit in {}", place.display());
        writeln!(out, "{}", sanitize::line(&line))?;
    } else {
        let table = running::Table {
            sessions: &sessions,
            now,
            width: width(),
            audience: out.audience,
        };
        write!(out, "{table}")?;
    }
    out.close()?;
    if is_cut && is_table(arguments) {
        let listed = sessions.len();
        io::say(&format!(
            "aido: the newest {listed}; aido list -n 0 lists all"
        ));
    }
    Ok(answer(arguments, sessions.len()))
}
