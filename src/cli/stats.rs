//! `aido stats`

use std::io::Write;

use super::error::CliError;
use super::filter::Filters;
use super::page::Page;
use super::progress::Progress;
use super::reading::{Reader, width};
use super::word::StoreArguments;
use super::{Answer, CliResult, checkpoint, redaction};
use crate::clock::{self, Zone};
use crate::config::Layer;
use crate::environment::Environment;
use crate::session::entry::TEXT_CHARACTERS;
use crate::session::{Entry, Query, SessionId};
use crate::stats::{Accumulator, Sample, program};
use crate::view::stats::{Checkpoints, Overview, StatsJson};
use crate::view::text::Audience;

/// The rows of each table unless asked otherwise.
const ROWS: usize = 10;

/// Sessions that can't be read and are named.
const NAMED: usize = 10;

/// `aido stats`
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Which store, and how to print.
    #[command(flatten)]
    pub store: StoreArguments,
    /// At most this many rows in each table
    #[arg(short = 'n', value_name = "COUNT", default_value_t = ROWS)]
    pub count: usize,
    /// Which sessions.
    #[command(flatten)]
    pub filters: Filters,
}

/// Counts sessions by agent, program, outcome and day, and what was lost to failures and repeats.
///
/// # Errors
/// When the store can't be read.
pub fn stats(arguments: &Arguments, flags: Layer) -> CliResult {
    let mut reader = Reader::open(&arguments.store, flags)?;
    let now = clock::now();
    let environment = Environment::of_process();
    redaction::guard(&mut reader, None, &environment)?;
    let zone = Zone::of_variables(|name| environment.value(name));
    let query = arguments.filters.query(now, zone)?;
    reader.recover_in_passing(now);
    let offset = |time| clock::offset_seconds(time, zone);
    let mut counts = Accumulator::new(&offset);
    let (mut progress, mut read) = (Progress::start(), 0_u64);
    let mut named = Vec::new();
    let unreadable = reader.store.oldest(&query, &mut |entry| {
        read += 1;
        progress.show(|| format!("counting: {read} sessions"));
        if entry.status.is_none() && named.len() < NAMED {
            named.push(entry.session_id.to_string());
        }
        if let Some(sample) = sample(entry) {
            counts.add(&sample);
        }
    })?;
    drop(progress);
    let mut stats = counts.finish(arguments.count);
    let mut page = Page::of_word(arguments.store.form(), &environment)?;
    if reader.is_guarded() {
        let rows = stats.repeated.rows.iter_mut();
        hide_secrets(&reader, &query, rows.map(|row| &mut row.name).collect())?;
    }
    for row in &mut stats.repeated.rows {
        if page.audience == Audience::Agents {
            row.name = page.audience.line(&row.name).into_owned();
        }
    }
    let checkpoints = checkpoints(&environment);
    if arguments.store.json {
        page.json(&StatsJson::of(&stats, checkpoints))?;
        writeln!(page)?;
    } else {
        let overview = Overview {
            stats: &stats,
            width: width(),
            palette: page.palette,
            checkpoints,
        };
        write!(page, "{overview}")?;
    }
    if unreadable > 0 {
        let more = match unreadable - named.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let named = named.join(", ");
        page.note(format!(
            "{unreadable} sessions can't be read and are not counted: {named}{more}; aido verify says why"
        ));
    }
    page.close()?;
    Ok(Answer::Yes)
}

/// The checkpoints of this repository, if there are any.
fn checkpoints(environment: &Environment) -> Option<Checkpoints> {
    let home = checkpoint::here(environment).ok()?;
    let sessions = home.sessions().ok()?.len() as u64;
    home.exists().then(|| Checkpoints {
        sessions,
        size_bytes: home.size_bytes(),
    })
}

/// Takes secrets out of commands that are beginnings of whole ones: these are in the sidecars, with what
/// was marked in them. Where there is none any more, the beginning is all that is known.
fn hide_secrets(
    reader: &Reader,
    query: &Query,
    mut names: Vec<&mut String>,
) -> Result<(), CliError> {
    let mut ids: Vec<Option<SessionId>> = vec![None; names.len()];
    reader.store.oldest(query, &mut |entry| {
        let number = names.iter().position(|name| **name == entry.command);
        if let Some(id) = number.and_then(|number| ids.get_mut(number)) {
            *id = entry.id();
        }
    })?;
    for (name, id) in names.iter_mut().zip(ids) {
        let session = id.and_then(|id| reader.metadata(&id).ok());
        **name = match session {
            Some(session) => session.command.chars().take(TEXT_CHARACTERS).collect(),
            None => reader.leaving_beginning(name),
        };
    }
    Ok(())
}

fn sample<'e>(entry: &'e Entry<'_>) -> Option<Sample<'e>> {
    let id = &*entry.session_id;
    Some(Sample {
        started: entry.timestamp.parse().ok()?,
        duration_ms: entry.duration_ms,
        agent: id.rsplitn(4, '-').nth(3).unwrap_or(id),
        program: program(&entry.command),
        command: &entry.command,
        directory: entry.cwd.as_deref(),
        has_failed: entry.has_failed(),
        exit_code: entry.exit_code,
        signal: entry.signal.as_deref(),
        status: entry.status?,
        judgement: entry.judgement(),
        output_bytes: entry.output_bytes,
    })
}
