//! `aido handoff`

use std::io::Write;
use std::time::Duration;

use super::error::CliError;
use super::filter::Filters;
use super::io::Out;
use super::reading::Reader;
use super::redaction::Rules;
use super::reply::{Asking, Reply};
use super::word::StoreArguments;
use super::{Answer, CliResult};
use crate::caller;
use crate::clock::{self, Stopwatch, Zone};
use crate::config::Layer;
use crate::config::units::parse_duration;
use crate::environment::Environment;
use crate::handoff::{Cleaner, Handoff, Kind, Request, Unknown, gather};
use crate::place::Place;
use crate::redact::Redactor;
use crate::session::quote::shell_line;
use crate::session::{AgentName, Query};
use crate::sys::random;
use crate::view::frame::Frame;
use crate::view::handoff::{LEAST, MOST, Shown, json, markdown};

/// The most characters, unless asked otherwise.
const BUDGET: usize = 2000;
/// What can't be read in this time is left out, unless asked otherwise.
const WITHIN: &str = "150ms";
/// What stands for every recorded text where the rules for secrets can't be read.
const LEFT_OUT: &str = "(left out: nexus/redact.toml can't be read)";

/// `aido handoff`
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Which store, and how to print.
    #[command(flatten)]
    pub store: StoreArguments,
    /// Who will read it: what others did since then is counted [default: who calls, where that is known]
    #[arg(long = "for", value_name = "AGENT")]
    pub reader: Option<String>,
    /// Only what started at this time or later: 2h, yesterday, 2026-03-05, 2026-03-05T13:25
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Only what belongs to this task
    #[arg(long, value_name = "NAME")]
    pub task: Option<String>,
    /// How to print: md or json
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "md",
        hide_possible_values = true
    )]
    pub format: Format,
    /// At most this many characters, from 800 to 50000
    #[arg(long, value_name = "COUNT", default_value_t = BUDGET, value_parser = budget)]
    pub budget: usize,
    /// Leave out what can't be read in this time
    #[arg(long, value_name = "DURATION", default_value = WITHIN, value_parser = duration)]
    pub within: Duration,
}

/// How a hand-off is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Markdown, framed as data.
    Md,
    /// JSON.
    Json,
}

impl Arguments {
    /// Whether JSON was asked for.
    #[must_use]
    pub fn wants_json(&self) -> bool {
        self.store.json || self.format == Format::Json
    }
}

fn budget(text: &str) -> Result<usize, String> {
    let number = text.parse().ok();
    let fits = |number: &usize| (LEAST..=MOST).contains(number);
    number
        .filter(fits)
        .ok_or_else(|| format!("a number from {LEAST} to {MOST}"))
}

fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).ok_or_else(|| "a duration such as 20ms or 2s".to_owned())
}

/// Prints what the next agent should know. What can't be read is left out, and said.
///
/// # Errors
/// Only wrong arguments, and standard output that can't be written to.
pub fn handoff(arguments: &Arguments, flags: Layer) -> CliResult {
    let text = told(arguments, flags, &|shown| {
        Ok(match arguments.wants_json() {
            true => json(shown),
            false => markdown(shown, &Frame::new(random::bytes()?)),
        })
    })?;
    let mut out = Out::stdout();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(Answer::Yes)
}

/// The same for an agent that asks.
///
/// # Errors
/// Only wrong arguments.
pub fn reply(arguments: &Arguments, asking: &Asking) -> Result<Reply, CliError> {
    told(arguments, asking.flags.clone(), &|shown| {
        let text = markdown(shown, &Frame::new(random::bytes()?));
        let json = serde_json::from_str(&json(shown))?;
        Ok(Reply::new(text, json))
    })
}

/// Gathers what the next agent should know, and makes something of it.
fn told<T>(
    arguments: &Arguments,
    flags: Layer,
    make: &dyn Fn(&Shown<'_>) -> Result<T, CliError>,
) -> Result<T, CliError> {
    let stopwatch = Stopwatch::start();
    let now = clock::now();
    let environment = Environment::of_process();
    let zone = Zone::of_variables(|name| environment.value(name));
    let filters = Filters {
        since: arguments.since.clone(),
        task: arguments.task.clone(),
        ..Filters::default()
    };
    let query = filters.query(now, zone)?;
    let place = Place::find(std::env::current_dir().ok(), &environment);
    let reader = Reader::open(&arguments.store, flags);
    let (redactor, bad_rules) = redactor(reader.as_ref().ok(), &place, &environment);
    let redact = |text: &str, kind| match &redactor {
        Some(redactor) => redact(redactor, text, kind),
        None => (LEFT_OUT.to_owned(), 0),
    };
    let cleaner = Cleaner::new(&redact);
    let asked = Asked {
        arguments,
        query: &query,
        place: &place,
        environment: &environment,
        cleaner: &cleaner,
        elapsed: &|| stopwatch.elapsed(),
    };
    let mut store_option = None;
    let mut handoff = match reader {
        Ok(reader) => {
            let named = reader.settings.session_dir.as_ref();
            store_option =
                named.map(|path| shell_line(&["--session-dir".into(), path.clone().into()]));
            asked.gather(&reader)
        }
        Err(error) => asked.without_a_store(&error),
    };
    if bad_rules > 0 {
        handoff.unknown.push(Unknown::Rules(bad_rules));
    }
    let store_option = store_option.map(|option| cleaner.take(&option, Kind::Text));
    make(&Shown {
        handoff: &handoff,
        now,
        budget: arguments.budget,
        store_option: store_option.as_ref().map(|option| option.as_str()),
    })
}

/// The same for an agent that starts, as Markdown of at most `budget` characters; none where nothing was
/// recorded that it could want to know, and where the store or the rules for secrets can't be read.
#[must_use]
pub fn for_agent(
    agent: &str,
    budget: usize,
    place: &Place,
    environment: &Environment,
    flags: Layer,
) -> Option<String> {
    let stopwatch = Stopwatch::start();
    let arguments = Arguments {
        store: StoreArguments::of(None),
        reader: Some(agent.to_owned()),
        since: None,
        task: None,
        format: Format::Md,
        budget,
        within: parse_duration(WITHIN)?,
    };
    let reader = Reader::open(&arguments.store, flags).ok()?;
    let redactor = redactor(Some(&reader), place, environment).0?;
    let redact = |text: &str, kind| redact(&redactor, text, kind);
    let cleaner = Cleaner::new(&redact);
    let asked = Asked {
        arguments: &arguments,
        query: &Query::default(),
        place,
        environment,
        cleaner: &cleaner,
        elapsed: &|| stopwatch.elapsed(),
    };
    let handoff = asked.gather(&reader);
    if !handoff.has_news() {
        return None;
    }
    let shown = Shown {
        handoff: &handoff,
        now: clock::now(),
        budget,
        store_option: None,
    };
    Some(markdown(&shown, &Frame::new(random::bytes().ok()?)))
}

/// What is asked for, and what is known without the store.
struct Asked<'a> {
    arguments: &'a Arguments,
    query: &'a Query,
    place: &'a Place,
    environment: &'a Environment,
    cleaner: &'a Cleaner<'a>,
    elapsed: &'a dyn Fn() -> Duration,
}

impl Asked<'_> {
    fn gather(&self, reader: &Reader) -> Handoff {
        let request = Request {
            reader: self.reader(reader.settings.agent.as_deref()),
            query: self.query,
            git: self.place.git(),
            operation: self.place.operation(),
            within: self.arguments.within,
            elapsed: self.elapsed,
            cleaner: self.cleaner,
        };
        gather(&request, &reader.store)
    }

    fn without_a_store(&self, error: &CliError) -> Handoff {
        let error = self.cleaner.take(error.message(), Kind::Text);
        Handoff {
            reader: self.reader(None),
            unknown: vec![Unknown::Settings(error)],
            ..Handoff::default()
        }
    }

    /// Who reads it, where that is known.
    fn reader(&self, configured: Option<&str>) -> Option<AgentName> {
        let named = self.arguments.reader.as_deref().map(AgentName::from_any);
        named.or_else(|| {
            let is_known = configured.is_some() || caller::is_agent(self.environment);
            is_known.then(|| caller::identify(configured, self.environment).agent)
        })
    }
}

/// A text without its secrets, and how many it had.
fn redact(redactor: &Redactor, text: &str, kind: Kind) -> (String, u64) {
    let (text, report) = match kind {
        Kind::Command => redactor.shell_line(text),
        Kind::Text => redactor.text(text),
    };
    (text, report.total())
}

/// What finds secrets: the built-in rules, those of the repositories, and the values of the caller's own
/// variables that hold one. Also how many rules can't be used. None where there are rules that can't be
/// read: nobody knows what they keep in.
fn redactor(
    reader: Option<&Reader>,
    place: &Place,
    environment: &Environment,
) -> (Option<Redactor>, usize) {
    let rules = match reader {
        Some(reader) => Rules::read(reader),
        None => Rules::of(place.root.as_slice()),
    };
    match rules {
        Ok(rules) => {
            let (redactor, bad_rules) = rules.redactor_for_handoff(environment);
            (Some(redactor), bad_rules)
        }
        Err(_) => (None, 1),
    }
}
