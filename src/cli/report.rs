//! `aido report`

use std::io::{self, IsTerminal, Write};
use std::ops::ControlFlow;
use std::path::PathBuf;

use super::destination::{self, Destination, forgive};
use super::error::{CliError, Kind};
use super::export::subject::Subject;
use super::filter::Filters;
use super::io::say;
use super::reading::Reader;
use super::redaction::Rules;
use super::word::StoreArguments;
use super::{Answer, CliResult};
use crate::clock::{self, Zone};
use crate::config::Layer;
use crate::egress::Terms;
use crate::environment::Environment;
use crate::formats::{Format, Head, Html, html, report};
use crate::session::SessionId;
use crate::store::{Store, StoreError};
use crate::view::sanitize;

/// `aido report`
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The page needs no scripts and nothing from elsewhere. Secrets are replaced and masked as export does.")]
pub struct Arguments {
    /// Which store, and how to print.
    #[command(flatten)]
    pub store: StoreArguments,
    /// Write to this file, private and in one step
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// At most so many sessions, the newest
    #[arg(short = 'n', long, value_name = "COUNT", default_value = "100")]
    pub count: usize,
    /// The last lines of each session's output that are shown
    #[arg(long, value_name = "COUNT", default_value = "200")]
    pub lines: usize,
    /// Which sessions.
    #[command(flatten)]
    pub filters: Filters,
}

/// Writes one page about sessions.
///
/// # Errors
/// When there is no session, or they can't be read, or the page not be written.
pub fn report(arguments: &Arguments, flags: Layer) -> CliResult {
    if destination::named(arguments.output.as_ref()).is_none() && io::stdout().is_terminal() {
        let message = "a page is nothing for a terminal";
        return Err(CliError::new(Kind::Usage, message).with_hint("-o report.html"));
    }
    let reader = Reader::open(&arguments.store, flags)?;
    let ids = wanted(&reader, arguments)?;
    if ids.is_empty() {
        let message = "there is no such session";
        return Err(
            CliError::new(Kind::NotFound, message).with_hint("aido list shows what there is")
        );
    }
    let rules = Rules::read(&reader)?;
    let terms = Terms {
        ruleset: rules.ruleset.clone(),
        ..Terms::default()
    };
    let heads = ids.iter().map(|id| {
        let subject = Subject::read_fields(&reader, id, &rules, &terms)?;
        Ok(subject.head())
    });
    let heads: Vec<Head> = heads.collect::<Result<_, CliError>>()?;
    let title = match &arguments.filters.task {
        Some(task) => format!("Task {task}"),
        None => {
            let root = reader.repositories.first();
            let root = root.and_then(|root| root.file_name());
            let name = root.map(|name| name.to_string_lossy().into_owned());
            name.map_or_else(
                || "Sessions".to_owned(),
                |name| format!("Sessions of {name}"),
            )
        }
    };
    let redactor = rules.redactor(&reader, terms.depth)?;
    let title = redactor.text(&title).0;
    let mut destination = Destination::new(destination::named(arguments.output.as_ref()))?;
    forgive(html::page_start(&mut destination, &title, report::STYLE))?;
    forgive(report::overview(&mut destination, &title, &heads))?;
    let mut masked = 0;
    for (id, head) in ids.iter().zip(heads) {
        match Subject::read(&reader, id, &rules, &terms) {
            Ok(subject) => masked += section(&subject, head, arguments.lines, &mut destination)?,
            Err(error) => forgive(html::absent(&mut destination, &head, error.message()))?,
        }
    }
    forgive(html::page_end(&mut destination))?;
    destination.finish()?;
    if masked > 0 {
        say(&format!("aido: secrets were masked in {masked} places"));
    }
    Ok(Answer::Yes)
}

/// Writes a session's section, and gives how many secrets were masked in it.
fn section(
    subject: &Subject<'_>,
    head: Head,
    lines: usize,
    destination: &mut dyn Write,
) -> Result<usize, CliError> {
    let (mut recording, masked) = match subject.recording() {
        Ok(opened) => opened,
        Err(error) => {
            forgive(html::absent(destination, &head, error.message()))?;
            return Ok(0);
        }
    };
    let mut page = Html::new(head, subject.redactor(), destination).last_lines(lines);
    forgive(page.begin())?;
    while let Some(moment) = recording
        .next_moment()
        .map_err(StoreError::file("the transcript"))?
    {
        forgive(page.moment(&moment))?;
    }
    forgive(page.end())?;
    Ok(masked + page.masked())
}

/// The newest sessions that are wanted, the newest first.
fn wanted(reader: &Reader, arguments: &Arguments) -> Result<Vec<SessionId>, CliError> {
    let environment = Environment::of_process();
    let zone = Zone::of_variables(|name| environment.value(name));
    let query = arguments.filters.query(clock::now(), zone)?;
    let mut ids = Vec::new();
    reader.store.newest(&query, &mut |found| {
        match found.entry.id() {
            Some(id) if reader.read(&id).is_ok() => ids.push(id),
            Some(id) => say(&sanitize::line(&format!("aido: {id} can't be read"))),
            None => {}
        }
        match ids.len() >= arguments.count.max(1) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    })?;
    Ok(ids)
}
