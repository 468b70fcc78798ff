//! `aido stats`

use std::io::Write;

use super::color::{When, palette, stdout};
use super::filter::Filters;
use super::reading::{Reader, width};
use super::word::StoreArguments;
use super::{Answer, CliResult, io, redaction};
use crate::clock::{self, Zone};
use crate::config::Layer;
use crate::environment::Environment;
use crate::session::Entry;
use crate::stats::{Accumulator, Sample, program};
use crate::view::sanitize;
use crate::view::stats::{Overview, StatsJson};

/// The rows of each table unless asked otherwise.
const ROWS: usize = 10;

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
    let unreadable = reader.store.oldest(&query, &mut |entry| {
        if let Some(sample) = sample(entry) {
            counts.add(&sample);
        }
    })?;
    let mut stats = counts.finish(arguments.count);
    for row in &mut stats.repeated.rows {
        row.name = reader.leaving_beginning(&row.name);
    }
    let mut out = io::Out::stdout();
    if arguments.store.json {
        out.json(&StatsJson::of(&stats))?;
        writeln!(out)?;
    } else {
        let palette = palette(When::Auto, stdout(), &environment);
        let overview = Overview {
            stats: &stats,
            width: width(),
            palette,
        };
        write!(out, "{overview}")?;
    }
    out.flush()?;
    if unreadable > 0 {
        let line =
            format!("aido: {unreadable} sessions can't be read and are not counted: aido verify");
        io::say(&sanitize::line(&line));
    }
    Ok(Answer::Yes)
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
        output_bytes: entry.output_bytes,
    })
}
