//! A session's events, as a table or as JSON.

use std::io::Write;

use serde_json::json;

use crate::cli::io::Out;
use crate::cli::page::{Page, PageArguments, Paging};
use crate::cli::reading::Reader;
use crate::cli::{Answer, CliResult};
use crate::egress;
use crate::environment::Environment;
use crate::store::Store;
use crate::transcript::EventRecord;
use crate::transcript::reader::Events;
use crate::view::events::{EventLine, HEADER};
use crate::view::sanitize;
use crate::view::session::Shown;

/// Prints them as a table.
pub(super) fn table(
    reader: &Reader,
    session: &Shown,
    arguments: PageArguments,
    environment: &Environment,
) -> CliResult {
    let events = Events::new(reader.store.events(&session.metadata.session_id)?);
    let mut page = Page::open(arguments, Paging::Allowed, environment)?;
    writeln!(page, "{HEADER}")?;
    let mut place = 0_u64;
    for event in events {
        writeln!(
            page,
            "{}",
            EventLine {
                event: &event,
                place
            }
        )?;
        if let EventRecord::Output { bytes, .. } = event {
            place = place.saturating_add(bytes);
        }
        if !page.is_read() {
            break;
        }
    }
    page.close()?;
    Ok(Answer::Yes)
}

/// Prints them as JSON, each as it is in the file.
pub(super) fn json(reader: &Reader, session: &Shown) -> CliResult {
    let id = &session.metadata.session_id;
    let mut events = Events::new(reader.store.events(id)?);
    let mut out = Out::stdout();
    let version = &session.metadata.schema_version;
    let known = json!({"schema_version": version, "session_id": id}).to_string();
    let fields = known.strip_suffix('}').unwrap_or(&known);
    write!(out, "{},\"events\":[", sanitize::json(fields))?;
    let mut separator = "";
    while let Some(event) = events.next_value()
        && out.is_read()
    {
        let mut event = event;
        if let Some(guard) = reader.guard() {
            // What is known since the session ended, where nothing was at its start.
            if event["type"] == "start" && event["redactions"].is_null() {
                event["redactions"] = json!(session.metadata.redactions);
            }
            egress::clean_event(&mut event, guard);
        }
        write!(out, "{separator}{}", sanitize::json(&event.to_string()))?;
        separator = ",";
    }
    writeln!(out, "]}}")?;
    out.flush()?;
    Ok(Answer::Yes)
}
