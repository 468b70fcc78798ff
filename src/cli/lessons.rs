//! `aido lessons` and `aido lesson`

use std::collections::BTreeSet;
use std::io::Write;
use std::rc::Rc;

use clap::ValueEnum;
use serde_json::{Value, json};

use super::error::{CliError, Kind};
use super::faults::print_line;
use super::memory::{Memory, choose};
use super::reading::width;
use super::reply::{Asking, Reply, TEXT};
use super::word::StoreArguments;
use super::{Answer, CliResult, io};
use crate::caller;
use crate::config::Layer;
use crate::faults::classify::WITHOUT_RULE;
use crate::faults::command;
use crate::faults::lesson::{Learned, Lesson, LessonId, Standing, Subject};
use crate::faults::record::RECORD_VERSION;
use crate::memory::KnownLesson;
use crate::view::faults::{LessonTable, counts};
use crate::view::sanitize;

/// `aido lessons`
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Which store, and how to print.
    #[command(flatten)]
    pub store: StoreArguments,
    /// Print one JSON object a line
    #[arg(long, conflicts_with = "json")]
    pub ndjson: bool,
    /// List retired ones too
    #[arg(long)]
    pub all: bool,
}

/// Lists what was learned.
///
/// # Errors
/// When the directory can't be read.
pub fn lessons(arguments: &Arguments, flags: Layer) -> CliResult {
    let memory = Memory::open(&arguments.store, flags)?;
    let mut lessons = memory.read()?.lessons;
    lessons.retain(|known| arguments.all || counts(known));
    if arguments.ndjson {
        let mut out = io::Out::stdout();
        for known in &lessons {
            print_line(&mut out, memory.lesson_json(known))?;
        }
        out.flush()?;
        return Ok(Answer::Yes);
    }
    print(&arguments.store, &memory, &lessons)
}

fn print(store: &StoreArguments, memory: &Memory, lessons: &[Rc<KnownLesson>]) -> CliResult {
    let mut out = io::Out::stdout();
    if store.json {
        out.json(&as_json(memory, lessons))?;
        writeln!(out)?;
    } else if lessons.is_empty() {
        writeln!(out, "nothing was learned here yet")?;
    } else {
        let table = LessonTable {
            lessons,
            width: width(),
        };
        write!(out, "{}", memory.leaving(&table))?;
    }
    out.flush()?;
    Ok(Answer::Yes)
}

fn as_json(memory: &Memory, lessons: &[Rc<KnownLesson>]) -> Value {
    let lessons = lessons.iter().map(|known| memory.lesson_json(known));
    json!({"schema_version": RECORD_VERSION, "lessons": lessons.collect::<Vec<_>>()})
}

/// `aido lesson`
#[derive(Debug, clap::Args)]
pub struct ChangeArguments {
    /// Which store, and how to print.
    #[command(flatten)]
    pub store: StoreArguments,
    /// What to do
    #[arg(value_enum, value_name = "ACTION")]
    pub action: Action,
    /// The lesson's text, or the id of one that is there
    #[arg(value_name = "TEXT", required = true)]
    pub text: Vec<String>,
    /// It is about this fault
    #[arg(long, value_name = "FAULT")]
    pub fault: Option<String>,
    /// It is about this kind of failure, such as test-failure
    #[arg(long, value_name = "CLASS")]
    pub class: Option<String>,
    /// It is about failures of this command's program and subcommand
    #[arg(long, value_name = "COMMAND")]
    pub command: Option<String>,
}

/// What to do with a lesson.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Action {
    /// Write one down
    Add,
    /// Let a suggested one count, or a retired one again
    Accept,
    /// Let it count no more
    Retire,
}

/// Adds, accepts or retires a lesson.
///
/// # Errors
/// When there is no such lesson, or nothing can be written.
pub fn lesson(arguments: &ChangeArguments, flags: Layer) -> CliResult {
    let memory = Memory::open(&arguments.store, flags)?;
    let text = arguments.text.join(" ");
    let known = match arguments.action {
        Action::Add => add(&arguments.about(), &memory, &text)?,
        Action::Accept => judge(&memory, &text, Standing::Active)?,
        Action::Retire => judge(&memory, &text, Standing::Retired)?,
    };
    print(&arguments.store, &memory, std::slice::from_ref(&known))
}

/// What a lesson is about, as it was said.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// This failure: its id, the beginning of it, or `last`.
    pub fault: Option<String>,
    /// This kind of failure.
    pub class: Option<String>,
    /// Failures of this command.
    pub command: Option<String>,
}

impl ChangeArguments {
    fn about(&self) -> About {
        About {
            fault: self.fault.clone(),
            class: self.class.clone(),
            command: self.command.clone(),
        }
    }
}

/// Adds a lesson for an agent.
///
/// # Errors
/// When it says nothing, or is about something unknown, and when nothing can be written.
pub fn reply(about: &About, text: &str, asking: &Asking) -> Result<Reply, CliError> {
    let memory = asking.memory()?;
    let added = [add(about, &memory, text)?];
    let table = LessonTable {
        lessons: &added,
        width: None,
    };
    let mut page = asking.page(TEXT)?;
    let table = memory.leaving(&table);
    page.write_all(sanitize::for_agent(&table).as_bytes())?;
    let said = ("the lesson is kept", "the rest of the lesson is left out");
    let json = as_json(&memory, &added);
    Ok(Reply::of_page(page.into_written(), said, json))
}

fn add(about: &About, memory: &Memory, text: &str) -> Result<Rc<KnownLesson>, CliError> {
    if text.trim().is_empty() {
        return Err(CliError::new(Kind::Usage, "a lesson says something"));
    }
    let fault = match &about.fault {
        Some(which) => Some(choose(&memory.read()?.faults, which)?.fault.clone()),
        None => None,
    };
    let program = about.command.as_deref().map(|line| {
        let parts = command::parts(&[], Some(line));
        command::key(command::subject(&parts))
    });
    if let Some(class) = &about.class {
        let classes = classes(memory)?;
        if !classes.contains(class) {
            let message = format!("there is no kind of failure called {class:?}");
            let known: Vec<String> = classes.into_iter().collect();
            return Err(CliError::new(Kind::Usage, message)
                .with_hint(format!("one of {}", known.join(", "))));
        }
    }
    let subject = Subject {
        fault,
        class: about.class.clone(),
        command: program,
    };
    let lesson = Lesson::written(&memory.hide.text(text), subject);
    let agent = caller::identify(None, &memory.environment).agent;
    let learn = |learned: &mut Learned| {
        if learned.at.is_empty() {
            learned.at = memory.now.to_string();
            learned.agent = agent.to_string();
        }
    };
    let added = memory.faults.add_lesson(&lesson, &learn);
    added.map(Rc::new).map_err(|error| memory.failed(&error))
}

/// The kinds of failures that there are: by rules, and those that were seen.
fn classes(memory: &Memory) -> Result<BTreeSet<String>, CliError> {
    let rules = memory.faults.rules();
    let of_rules = rules.iter().map(|rule| rule.class().to_owned());
    let without_rule = WITHOUT_RULE.iter().map(|class| (*class).to_owned());
    let seen = memory
        .faults
        .read()
        .map_err(|error| memory.failed(&error))?;
    let seen = seen.faults.into_iter().map(|known| known.class);
    Ok(of_rules.chain(without_rule).chain(seen).collect())
}

fn judge(memory: &Memory, which: &str, standing: Standing) -> Result<Rc<KnownLesson>, CliError> {
    let missing = || {
        CliError::new(Kind::NotFound, format!("no lesson is called {which:?}"))
            .with_hint("aido lessons --all lists them")
    };
    let lessons = memory.read()?.lessons;
    let fits: Vec<&LessonId> = lessons
        .iter()
        .map(|known| &known.lesson.lesson)
        .filter(|id| !which.is_empty() && id.as_str().starts_with(which))
        .collect();
    let id = match fits.as_slice() {
        [id] => (*id).clone(),
        [] => return Err(missing()),
        several => {
            let names: Vec<&str> = several.iter().map(|id| id.as_str()).collect();
            return Err(
                CliError::new(Kind::Ambiguous, format!("{which:?} may be several"))
                    .with_hint(format!("one of: {}", names.join(", "))),
            );
        }
    };
    memory
        .faults
        .judge_lesson(&id, standing)
        .map_err(|error| memory.failed(&error))?;
    let lessons = memory.read()?.lessons;
    let changed = lessons.into_iter().find(|known| known.lesson.lesson == id);
    changed.ok_or_else(missing)
}
