//! `aido list`

mod flags;
mod removals;
pub mod reply;
mod running;
mod tree;

use std::io::Write;
use std::ops::ControlFlow;

use serde_json::{Map, Value};

use super::color::When;
use super::error::{CliError, Kind};
use super::filter::Filters;
use super::page::{self, Framing, Page};
use super::reading::{Reader, width};
use super::word::StoreArguments;
use super::{Answer, CliResult, io, redaction};
use crate::clock::{self, Zone};
use crate::config::Layer;
use crate::environment::Environment;
use crate::session::{Query, SessionId, Timestamp};
use crate::store::{Found, Store, StoreError};
use crate::view::list::Table;
use crate::view::sanitize;
use crate::view::session::Shown;

/// How many are listed unless asked otherwise.
const COUNT: usize = 20;

/// `aido list`
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Which store, and how to print.
    #[command(flatten)]
    pub store: StoreArguments,
    /// At most this many; 0 lists all
    #[arg(short = 'n', value_name = "COUNT", default_value_t = COUNT)]
    pub count: usize,
    /// Print one JSON object a line
    #[arg(long, conflicts_with = "json")]
    pub ndjson: bool,
    /// Only these fields of the JSON, separated by commas; without --json as columns divided by tabs
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub fields: Vec<String>,
    /// The sessions that were removed, and why
    #[arg(long, conflicts_with_all = ["fields", "running"])]
    pub pruned: bool,
    /// Sessions that ran others again below those
    #[arg(long, conflicts_with_all = ["json", "ndjson", "fields", "pruned", "running"])]
    pub tree: bool,
    /// For whom.
    #[command(flatten)]
    pub framing: Framing,
    /// Show an agent secrets, too
    #[arg(long)]
    pub raw: bool,
    /// Which sessions.
    #[command(flatten)]
    pub filters: Filters,
}

/// Lists sessions, newest first. One that can't be read is named on standard error. Where filters leave
/// none, the answer is no; a store without any session is in order.
///
/// # Errors
/// When the store can't be read.
pub fn list(arguments: &Arguments, flags: Layer) -> CliResult {
    let mut reader = Reader::open(&arguments.store, flags)?;
    let environment = Environment::of_process();
    if !arguments.raw {
        redaction::guard(&mut reader, arguments.framing.for_agent, &environment)?;
    }
    let now = clock::now();
    let zone = Zone::of_variables(|name| environment.value(name));
    let query = arguments.filters.query(now, zone)?;
    let mut out = page(arguments, &environment)?;
    if arguments.pruned {
        return removals::removed(arguments, &reader, &query, (now, out));
    }
    reader.recover_in_passing(now);
    if arguments.filters.running && arguments.fields.is_empty() {
        return running::running(arguments, &reader, &query, (now, out));
    }
    let mut lister = Lister::new(arguments, now, &mut out)?;
    let choice = Choice {
        query: &query,
        after: None,
        most: arguments.count,
    };
    let mut failed = None;
    let mut collected = Vec::new();
    let take = &mut |session| {
        match arguments.tree {
            true => collected.push(session),
            false => failed = lister.take(session).err(),
        }
        match failed.is_some() || !lister.out.is_read() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    };
    let Chosen {
        count: listed,
        is_cut,
        ..
    } = each(&reader, &choice, take)?;
    if let Some(error) = failed {
        return Err(error);
    }
    if arguments.tree {
        lister.take_tree(&reader, collected)?;
    }
    lister.finish()?;
    let is_table = matches!(lister.form, Form::Table);
    out.close()?;
    if listed == 0 && is_table {
        let which = if arguments.filters.is_empty() {
            "sessions"
        } else {
            "sessions that fit"
        };
        let place = reader.store.path();
        let line = format!("no {which} in {}", place.display());
        io::Out::stdout().write(&format!("{}\n", sanitize::line(&line)))?;
    }
    if is_cut && is_table {
        io::say(&format!(
            "aido: the newest {listed}; aido list -n 0 lists all"
        ));
    }
    Ok(answer(arguments, listed))
}

/// No where something was asked for and isn't there; a store in which nothing was recorded is in order.
fn answer(arguments: &Arguments, listed: usize) -> Answer {
    match listed {
        0 if !arguments.filters.is_empty() => Answer::No,
        _ => Answer::Yes,
    }
}

/// Which sessions are read.
pub(super) struct Choice<'a> {
    /// Those that fit.
    query: &'a Query,
    /// Only those that come after this one.
    after: Option<&'a SessionId>,
    /// At most so many; 0 reads all.
    most: usize,
}

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Chosen {
    /// So many sessions.
    count: usize,
    /// Whether there are more.
    is_cut: bool,
    /// Whether the one was seen that they come after.
    has_begun: bool,
}

/// Reads sessions, newest first, and hands them over. One that can't be read is named on standard error.
pub(super) fn each(
    reader: &Reader,
    choice: &Choice<'_>,
    take: &mut dyn FnMut(Shown) -> ControlFlow<()>,
) -> Result<Chosen, StoreError> {
    let mut chosen = Chosen {
        has_begun: choice.after.is_none(),
        ..Chosen::default()
    };
    reader.store.newest(choice.query, &mut |found: Found| {
        if !chosen.has_begun {
            let after = choice.after.map(SessionId::as_str);
            chosen.has_begun = after == Some(&found.entry.session_id);
            return ControlFlow::Continue(());
        }
        if choice.most > 0 && chosen.count == choice.most {
            chosen.is_cut = true;
            return ControlFlow::Break(());
        }
        match reader.read_found(&found) {
            Ok(None) => ControlFlow::Continue(()),
            Ok(Some(session)) => {
                chosen.count += 1;
                take(session)
            }
            Err(error) => {
                io::say(&format!("aido: {}", sanitize::line(&error.to_string())));
                ControlFlow::Continue(())
            }
        }
    })?;
    Ok(chosen)
}

fn is_table(arguments: &Arguments) -> bool {
    !arguments.store.json && !arguments.ndjson && arguments.fields.is_empty()
}

/// What is printed on. A table is framed for agents; the other forms are for programs.
fn page(arguments: &Arguments, environment: &Environment) -> Result<Page, CliError> {
    let is_table = is_table(arguments);
    let form = match is_table {
        true => page::Form::Text,
        false => page::Form::Json,
    };
    Page::unpaged(When::Never, arguments.framing.of(form), environment)
}

/// How sessions are printed.
enum Form {
    Table,
    Array,
    Lines,
    Columns,
}

struct Lister<'o> {
    form: Form,
    fields: Vec<String>,
    out: &'o mut Page,
    table: Table,
    printed: usize,
}

impl<'o> Lister<'o> {
    fn new(arguments: &Arguments, now: Timestamp, out: &'o mut Page) -> Result<Self, CliError> {
        let form = match (
            arguments.store.json,
            arguments.ndjson,
            arguments.fields.is_empty(),
        ) {
            (true, ..) => Form::Array,
            (false, true, _) => Form::Lines,
            (false, false, false) => Form::Columns,
            (false, false, true) => Form::Table,
        };
        for field in &arguments.fields {
            if !Shown::FIELDS.contains(&field.as_str()) {
                let known = Shown::FIELDS.join(", ");
                let message = format!("--fields: there is no field {field:?}");
                return Err(
                    CliError::new(Kind::Usage, message).with_hint(format!("one of {known}"))
                );
            }
        }
        Ok(Self {
            form,
            fields: arguments.fields.clone(),
            table: Table::new(now, width(), out.audience),
            out,
            printed: 0,
        })
    }

    fn take_tree(&mut self, reader: &Reader, mut sessions: Vec<Shown>) -> Result<(), CliError> {
        tree::with_ancestors(reader, &mut sessions);
        let known: Vec<(String, String, Option<String>)> = sessions
            .iter()
            .map(|session| {
                let metadata = &session.metadata;
                let (id, start) = (&metadata.session_id, metadata.timestamp);
                (id.to_string(), start.to_string(), metadata.parent.clone())
            })
            .collect();
        for (place, depth) in tree::arranged(&known) {
            let mut session = sessions[place].clone();
            session.metadata.command.insert_str(0, &tree::indent(depth));
            self.take(session)?;
        }
        Ok(())
    }

    fn take(&mut self, session: Shown) -> Result<(), CliError> {
        match self.form {
            Form::Table => {
                let lines = self.table.add(&session);
                self.out.write_all(lines.as_bytes())?;
            }
            Form::Array => {
                let before = if self.printed == 0 { "[" } else { ",\n" };
                self.out.write_all(before.as_bytes())?;
                self.out.json(&self.chosen(&session))?;
            }
            Form::Lines => {
                self.out.json(&self.chosen(&session))?;
                self.out.write_all(b"\n")?;
            }
            Form::Columns => {
                let json = session.to_json();
                let cells: Vec<String> = self
                    .fields
                    .iter()
                    .map(|field| cell(&json[field.as_str()]))
                    .collect();
                writeln!(self.out, "{}", cells.join("\t"))?;
            }
        }
        self.printed += 1;
        Ok(())
    }

    fn chosen(&self, session: &Shown) -> Value {
        match self.fields.is_empty() {
            true => session.to_json(),
            false => fields_of(session, self.fields.iter().map(String::as_str)),
        }
    }

    fn finish(&mut self) -> Result<(), CliError> {
        match self.form {
            Form::Array if self.printed == 0 => writeln!(self.out, "[]")?,
            Form::Array => writeln!(self.out, "]")?,
            Form::Table => self.out.write_all(self.table.lines().as_bytes())?,
            Form::Lines | Form::Columns => {}
        }
        Ok(())
    }
}

/// Some fields of a session's JSON.
fn fields_of<'f>(session: &Shown, fields: impl Iterator<Item = &'f str>) -> Value {
    let json = session.to_json();
    let mut chosen = Map::new();
    for field in fields {
        chosen.insert(field.to_owned(), json[field].clone());
    }
    Value::Object(chosen)
}

/// A value as a cell: one line, without tabs.
fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => return "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    sanitize::line(&text).into_owned()
}
