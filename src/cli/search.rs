//! `aido search`

use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::sync::mpsc;
use std::thread;

use clap::ValueEnum;

use super::color::{self, When};
use super::error::{CliError, Kind};
use super::filter::Filters;
use super::page::{self, Framing, Page};
use super::reading::Reader;
use super::word::StoreArguments;
use super::{Answer, CliResult, io, redaction};
use crate::clock::{self, Zone};
use crate::config::Layer;
use crate::environment::Environment;
use crate::plan::DEFAULT_SIZE;
use crate::search::{
    self, Case, Context, Marks, Part, Pattern, PatternError, Plan, Syntax, Wanted,
};
use crate::session::{Query, SessionId};
use crate::store::fs::FileStore;
use crate::store::{Store, StoreError};
use crate::sys::terminal;
use crate::view::paint::Palette;
use crate::view::sanitize;
use guard::Guard;
use output::{Form, Output};

mod guard;
mod json;
mod output;
pub mod reply;

/// How many sessions are handed over at once, at most: each time may wake a thread.
const CHOSEN_AT_ONCE: usize = 128;
/// How many times that are chosen before they are searched.
const CHOSEN_AHEAD: usize = 32;
/// The most lines that are shown on either side of a match.
const CONTEXT_MAX: i64 = 1000;

/// `aido search`
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A pattern is looked for in each line as a terminal would have shown it: escape sequences and
overstriking are not in the way, and every state of a progress bar is searched. Lines are counted
as they are in the recorded bytes.

In a pipe, each match is a line ID:LINE:TEXT, with `command` or `notes` for LINE where it is not in
the output; lines of context have dashes for colons. Exit status: 0 found, 1 nothing found, 2 wrong use.")]
pub struct Arguments {
    /// Which store, and how to print.
    #[command(flatten)]
    pub store: StoreArguments,
    /// A regular expression; -- before one that begins with a dash
    #[arg(value_name = "PATTERN")]
    pub pattern: String,
    /// Take the pattern as it is, not as a regular expression
    #[arg(short = 'F', long)]
    pub fixed: bool,
    /// Find upper case and lower case alike
    #[arg(short, long)]
    pub ignore_case: bool,
    /// Search only the transcript, command or notes; may be given more than once
    #[arg(
        long = "in",
        value_name = "PART",
        value_enum,
        hide_possible_values = true
    )]
    pub parts: Vec<NamedPart>,
    /// Show this many lines after each match
    #[arg(short = 'A', long, value_name = "LINES", value_parser = context_parser())]
    pub after_context: Option<u16>,
    /// Show this many lines before each match
    #[arg(short = 'B', long, value_name = "LINES", value_parser = context_parser())]
    pub before_context: Option<u16>,
    /// Show this many lines around each match
    #[arg(short = 'C', long, value_name = "LINES", value_parser = context_parser())]
    pub context: Option<u16>,
    /// Print only the ids of sessions with a match
    #[arg(short = 'l', long, conflicts_with = "count")]
    pub sessions: bool,
    /// Print only how many lines of a session match
    #[arg(short, long)]
    pub count: bool,
    /// At most this many matching lines of a session
    #[arg(short, long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    pub max_count: Option<u64>,
    /// At most this many sessions with a match, the newest
    #[arg(short = 'n', value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    pub most_sessions: Option<u64>,
    /// Print one JSON object a line
    #[arg(long, conflicts_with = "json")]
    pub ndjson: bool,
    /// Use colours: auto, always or never
    #[arg(
        long,
        value_name = "WHEN",
        default_value = "auto",
        hide_possible_values = true
    )]
    pub color: When,
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

fn context_parser() -> clap::builder::RangedI64ValueParser<u16> {
    clap::value_parser!(u16).range(0..=CONTEXT_MAX)
}

/// A part of a session, as it is named here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum NamedPart {
    /// The output
    Transcript,
    /// The command line
    Command,
    /// The notes
    Notes,
}

/// Searches sessions, newest first. One that can't be read is named on standard error.
///
/// # Errors
/// When the pattern is none, or the store can't be read.
pub fn search(arguments: &Arguments, flags: Layer) -> CliResult {
    let environment = Environment::of_process();
    let palette = color::palette(arguments.color, color::stdout(), &environment);
    let plan = plan(arguments, palette)?;
    let mut reader = Reader::open(&arguments.store, flags)?;
    if !arguments.raw {
        redaction::guard(&mut reader, arguments.framing.for_agent, &environment)?;
    }
    let now = clock::now();
    let zone = Zone::of_variables(|name| environment.value(name));
    let query = arguments.filters.query(now, zone)?;
    reader.recover_in_passing(now);
    let page = page(arguments, &environment)?;
    let form = form(arguments, &reader, page.palette);
    let guard = reader.is_guarded().then(|| Guard::new(&reader));
    let mut output = Output::new(page, form, arguments.most_sessions, guard);
    output.start()?;
    let chosen = match reader.store.hold()? {
        Some(held) => search_chosen(&reader.store, &query, |ids| {
            search::search(&plan, &held, ids, &mut output);
        })?,
        None => 0,
    };
    let matched = output.finish()?;
    if chosen == 0 {
        let line = format!("aido: no sessions in {}", reader.store.path().display());
        io::say(&sanitize::line(&line));
    }
    match matched {
        0 => Ok(Answer::No),
        _ => Ok(Answer::Yes),
    }
}

/// Searches the sessions that fit while they are looked for, so that memory doesn't grow with their
/// number. Tells how many there were.
fn search_chosen(
    store: &FileStore,
    query: &Query,
    search: impl FnOnce(&mut (dyn Iterator<Item = SessionId> + Send)),
) -> Result<usize, StoreError> {
    thread::scope(|scope| {
        let (sender, receiver) = mpsc::sync_channel(CHOSEN_AHEAD);
        let choose = move || {
            // The first result is wanted soon.
            let (mut chosen, mut at_once) = (Vec::new(), 1);
            let count = choose(store, query, &mut |id| {
                chosen.push(id);
                if chosen.len() < at_once {
                    return true;
                }
                at_once = (at_once * 2).min(CHOSEN_AT_ONCE);
                sender.send(std::mem::take(&mut chosen)).is_ok()
            });
            // Nobody takes them where the search ended early.
            let _ = sender.send(chosen);
            count
        };
        let Ok(chooser) = thread::Builder::new().spawn_scoped(scope, choose) else {
            let mut ids = Vec::new();
            let count = self::choose(store, query, &mut |id| {
                ids.push(id);
                true
            })?;
            search(&mut ids.into_iter());
            return Ok(count);
        };
        // Takes the receiver along: a search that ends early ends the choosing.
        search(&mut receiver.into_iter().flatten());
        let chosen = chooser.join();
        chosen.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Hands over the sessions to search, the newest first, as long as they are taken. Tells how many.
/// The only place that chooses.
fn choose(
    store: &FileStore,
    query: &Query,
    take: &mut dyn FnMut(SessionId) -> bool,
) -> Result<usize, StoreError> {
    let mut count = 0;
    store.newest(query, &mut |found| {
        let Some(id) = found.entry.id() else {
            return ControlFlow::Continue(());
        };
        count += 1;
        match take(id) {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        }
    })?;
    Ok(count)
}

fn plan(arguments: &Arguments, palette: Palette) -> Result<Plan, CliError> {
    let syntax = match arguments.fixed {
        true => Syntax::Fixed,
        false => Syntax::Regex,
    };
    let case = match arguments.ignore_case {
        true => Case::Insensitive,
        false => Case::Sensitive,
    };
    let pattern = Pattern::new(&arguments.pattern, syntax, case).map_err(|error| {
        let hint = match error {
            PatternError::Syntax(_) => "-F looks for the text as it is",
            PatternError::Unusable(_) => "fewer or smaller repetitions may do",
            PatternError::LineFeed => "look for one line of it, and for the others with -A or -B",
        };
        CliError::new(Kind::Usage, error.to_string()).with_hint(hint)
    })?;
    let mut parts: Vec<Part> = arguments.parts.iter().map(|part| part.part()).collect();
    if parts.is_empty() {
        parts = vec![Part::Command, Part::Notes, Part::Transcript];
    }
    parts.sort_unstable();
    parts.dedup();
    let wanted = match (arguments.sessions, arguments.count) {
        (true, _) => Wanted::Any,
        (false, true) => Wanted::Count,
        (false, false) => Wanted::Rows(context(arguments)),
    };
    Ok(Plan {
        pattern,
        parts,
        wanted,
        marks: match Print::of(arguments) {
            Print::Plain if palette == Palette::Plain => Marks::Unwanted,
            _ => Marks::Wanted,
        },
        most: arguments.max_count.unwrap_or(u64::MAX),
    })
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Print {
    /// For a person.
    Terminal,
    /// For a pipe.
    Plain,
    /// One JSON document.
    Document,
    /// One JSON object a line.
    Lines,
}

impl Print {
    fn of(arguments: &Arguments) -> Self {
        match (arguments.store.json, arguments.ndjson) {
            (true, _) => Self::Document,
            (_, true) => Self::Lines,
            _ if std::io::stdout().is_terminal() => Self::Terminal,
            _ => Self::Plain,
        }
    }
}

impl NamedPart {
    fn part(self) -> Part {
        match self {
            Self::Transcript => Part::Transcript,
            Self::Command => Part::Command,
            Self::Notes => Part::Notes,
        }
    }
}

fn context(arguments: &Arguments) -> Context {
    let both = arguments.context.unwrap_or(0);
    Context {
        before: arguments.before_context.unwrap_or(both).into(),
        after: arguments.after_context.unwrap_or(both).into(),
    }
}

/// What the results are printed on. Lines of recorded text are framed for agents; ids, numbers and JSON
/// are for programs.
fn page(arguments: &Arguments, environment: &Environment) -> Result<Page, CliError> {
    let is_text = Print::of(arguments) == Print::Plain && !arguments.sessions && !arguments.count;
    let form = match is_text {
        true => page::Form::Text,
        false => page::Form::Json,
    };
    Page::unpaged(arguments.color, arguments.framing.of(form), environment)
}

/// What prints the results.
fn form<'a>(arguments: &Arguments, reader: &'a Reader, palette: Palette) -> Box<dyn Form + 'a> {
    let context = context(arguments);
    let print = Print::of(arguments);
    let is_by_session = arguments.sessions || arguments.count;
    match print {
        Print::Document | Print::Lines => {
            let is_document = print == Print::Document;
            match is_by_session {
                true => json::sessions(reader, is_document, arguments.count),
                false => json::matches(reader, is_document, context),
            }
        }
        Print::Terminal | Print::Plain if is_by_session => output::sessions(arguments.count),
        Print::Plain => output::plain(context, palette),
        Print::Terminal => {
            let size = terminal::size(std::io::stdout()).unwrap_or(DEFAULT_SIZE);
            let width = usize::from(size.columns);
            output::terminal(reader, width, palette, clock::now(), context)
        }
    }
}
