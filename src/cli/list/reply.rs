//! Sessions as an answer to an agent.

use std::io::Write;
use std::ops::ControlFlow;

use serde_json::{Value, json};

use super::{Choice, each, fields_of};
use crate::cli::error::{CliError, Kind};
use crate::cli::filter::Filters;
use crate::cli::reading::Reader;
use crate::cli::reply::{Asking, Reply, TEXT};
use crate::clock::{self, Zone};
use crate::environment::Environment;
use crate::session::SessionId;
use crate::session::metadata::SCHEMA_VERSION;
use crate::view::list::Table;
use crate::view::session::Shown;
use crate::view::text::Audience;

/// The fields of a session that are given; the others are for whoever asks for the one session.
pub const FIELDS: [&str; 12] = [
    "session_id",
    "timestamp",
    "command",
    "exit_code",
    "status",
    "outcome",
    "duration_ms",
    "agent",
    "notes",
    "task",
    "tags",
    "fault",
];

/// What is asked for.
#[derive(Debug, Default)]
pub struct Question {
    /// Which sessions.
    pub filters: Filters,
    /// At most so many.
    pub most: usize,
    /// Only those that come after this one: the id of the last session of the answer before.
    pub after: Option<String>,
}

/// Lists sessions, newest first.
///
/// # Errors
/// Filters that are none, and a store that can't be read.
pub fn reply(question: &Question, asking: &Asking) -> Result<Reply, CliError> {
    let reader = asking.reader()?;
    let now = clock::now();
    let (sessions, next) = sessions(question, asking, &reader)?;
    let mut table = Table::new(now, None, Audience::Agents);
    let mut lines: String = sessions.iter().map(|session| table.add(session)).collect();
    lines.push_str(&table.lines());
    let mut page = asking.page(TEXT)?;
    page.write_all(lines.as_bytes())?;
    if let Some(next) = &next {
        page.note(format!("there are more: ask for those after {next}"));
    }
    let fields = sessions
        .iter()
        .map(|session| fields_of(session, FIELDS.into_iter()));
    let json = json!({
        "schema_version": SCHEMA_VERSION,
        "sessions": fields.collect::<Vec<Value>>(),
        "next": next,
    });
    let empty = match question.filters.is_empty() {
        true => "no sessions are recorded here",
        false => "no sessions fit",
    };
    let said = (empty, "the rest of the table is left out; ask for fewer");
    Ok(Reply::of_page(page.into_written(), said, json))
}

/// The sessions, and the id to go on after if there are more.
///
/// # Errors
/// As [`reply`].
pub fn sessions(
    question: &Question,
    asking: &Asking,
    reader: &Reader,
) -> Result<(Vec<Shown>, Option<SessionId>), CliError> {
    let environment = Environment::of_process();
    let zone = Zone::of_variables(|name| environment.value(name));
    let query = question.filters.query(clock::now(), zone)?;
    let unknown = |after: &str| {
        CliError::new(
            Kind::NotFound,
            format!("no session {after:?} to go on after"),
        )
        .with_hint("begin again without it")
    };
    let after = question.after.as_deref();
    let after: Option<SessionId> = after
        .map(|after| after.parse().map_err(|_| unknown(after)))
        .transpose()?;
    let choice = Choice {
        query: &query,
        after: after.as_ref(),
        most: question.most,
    };
    let mut sessions: Vec<Shown> = Vec::new();
    let chosen = each(reader, &choice, &mut |session| {
        sessions.push(session);
        match asking.stop.is_stopped() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    })?;
    if let (false, Some(after)) = (chosen.has_begun, &after) {
        return Err(unknown(after.as_str()));
    }
    let last = sessions.last().filter(|_| chosen.is_cut);
    let next = last.map(|session| session.metadata.session_id.clone());
    Ok((sessions, next))
}
