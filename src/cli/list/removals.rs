//! What was removed, as `aido list --pruned` has it.

use std::io::Write;
use std::ops::ControlFlow;

use serde_json::Value;

use super::{Arguments, answer};
use crate::cli::page::Page;
use crate::cli::reading::{Reader, width};
use crate::cli::{CliResult, io};
use crate::egress;
use crate::session::metadata::SCHEMA_VERSION;
use crate::session::query::Match;
use crate::session::{Entry, Query, Timestamp};
use crate::store::{State, Store};
use crate::view::list::Removed;

/// Lists what was removed, the last removal first. What is left of each are a few words, which is
/// also what filters look at.
pub(super) fn removed(
    arguments: &Arguments,
    reader: &Reader,
    query: &Query,
    (now, mut out): (Timestamp, Page),
) -> CliResult {
    let (mut entries, mut is_cut) = (Vec::new(), false);
    reader.store.removed(&mut |entry| {
        if query.matches(&entry, State::Finished) != Match::Yes {
            return ControlFlow::Continue(());
        }
        if arguments.count > 0 && entries.len() == arguments.count {
            is_cut = true;
            return ControlFlow::Break(());
        }
        let mut entry = entry;
        if reader.is_guarded() {
            entry.command = reader.leaving_beginning(&entry.command).into();
        }
        entries.push(entry);
        ControlFlow::Continue(())
    })?;
    if arguments.store.json {
        let json = entries.iter().map(|entry| removed_json(entry, reader));
        let json: Result<Vec<Value>, _> = json.collect();
        out.json(&json?)?;
        writeln!(out)?;
    } else if arguments.ndjson {
        for entry in &entries {
            out.json(&removed_json(entry, reader)?)?;
            writeln!(out)?;
        }
    } else {
        let table = Removed {
            entries: &entries,
            now,
            width: width(),
            audience: out.audience,
        };
        write!(out, "{table}")?;
    }
    out.close()?;
    if is_cut && !arguments.store.json && !arguments.ndjson {
        let listed = entries.len();
        io::say(&format!(
            "aido: the last {listed}; aido list --pruned -n 0 lists all"
        ));
    }
    Ok(answer(arguments, entries.len()))
}

fn removed_json(entry: &Entry<'_>, reader: &Reader) -> Result<Value, serde_json::Error> {
    let mut json = serde_json::to_value(entry)?;
    if let Some(guard) = reader.guard() {
        egress::clean_event(&mut json, guard);
    }
    json["schema_version"] = SCHEMA_VERSION.into();
    Ok(json)
}
