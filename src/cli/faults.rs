//! `aido faults`

mod import;
mod share;

use std::io::Write;

use clap::ValueEnum;
use serde_json::{Value, json};

use super::color::{When, palette, stdout};
use super::error::{CliError, Kind};
use super::memory::{Memory, choose};
use super::reading::width;
use super::word::StoreArguments;
use super::{Answer, CliResult, io};
use crate::config::Layer;
use crate::faults::record::RECORD_VERSION;
use crate::faults::{History, Status};
use crate::memory::Known;
use crate::view::faults::{FaultSummary, FaultTable};

/// The failures that are listed unless asked otherwise.
const COUNT: usize = 20;

/// `aido faults`
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Which store, and how to print.
    #[command(flatten)]
    pub store: StoreArguments,
    /// What to do
    #[arg(value_enum, value_name = "ACTION", default_value = "list")]
    pub action: Action,
    /// The fault (its id, the beginning of it, or last), the text to look for, or the file to import
    #[arg(value_name = "WHICH")]
    pub which: Vec<String>,
    /// Print one JSON object a line
    #[arg(long, conflicts_with = "json")]
    pub ndjson: bool,
    /// List those too that are over, ignored, or known from others only
    #[arg(long)]
    pub all: bool,
    /// List at most this many; 0 lists all
    #[arg(short = 'n', value_name = "COUNT", default_value_t = COUNT)]
    pub count: usize,
    /// With share: close the directory for git again
    #[arg(long)]
    pub off: bool,
}

/// What to do with failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Action {
    /// Those that are open, the last seen first
    List,
    /// Everything about one
    Show,
    /// Those that hold a text; exits with 1 if there is none
    Like,
    /// Say that one is over
    Resolve,
    /// Don't mention one any more
    Ignore,
    /// Mention it again
    Reopen,
    /// Let git see what is remembered
    Share,
    /// Make rules of a file of GitHub's problem matchers
    ImportMatcher,
}

/// Lists failures, shows one, or changes what is said of it.
///
/// # Errors
/// When there is no such failure, or the directory can't be used.
pub fn faults(arguments: &Arguments, flags: Layer) -> CliResult {
    let memory = Memory::open(&arguments.store, flags)?;
    let text = arguments.which.join(" ");
    let wants_text = matches!(arguments.action, Action::Like | Action::ImportMatcher);
    let wants_one = matches!(
        arguments.action,
        Action::Show | Action::Resolve | Action::Ignore | Action::Reopen
    );
    if (wants_text || wants_one) == text.is_empty() {
        let message = if text.is_empty() {
            "which one?"
        } else {
            "that is one word too many"
        };
        return Err(CliError::new(Kind::Usage, message).with_hint(
            "aido faults show FAULT, aido faults like TEXT, aido faults resolve FAULT",
        ));
    }
    match arguments.action {
        Action::List => list(arguments, &memory, &|known| {
            arguments.all || matches!(known.status(), Status::Open | Status::Flaky)
        }),
        Action::Like => {
            let wanted = text.to_lowercase();
            list(arguments, &memory, &|known| holds(known, &wanted))
        }
        Action::Show => show(arguments, &memory, &text),
        Action::Share => share::share(arguments, &memory),
        Action::ImportMatcher => import::import_matcher(arguments, &memory, &text),
        Action::Resolve => change(arguments, &memory, &text, &|history| {
            history.resolve(memory.now);
        }),
        Action::Ignore => change(arguments, &memory, &text, &|history| {
            history.status = Status::Ignored;
        }),
        Action::Reopen => change(arguments, &memory, &text, &|history| {
            history.status = Status::Open;
        }),
    }
}

/// Whether any text of a failure holds this one, in any case.
fn holds(known: &Known, wanted: &str) -> bool {
    let last = known.history.as_ref().map(|history| &history.last);
    let texts = [
        Some(known.fault.as_str()),
        Some(known.class.as_str()),
        Some(known.program.as_str()),
        Some(known.text.as_str()),
        last.map(|last| last.command.as_str()),
        last.map(|last| last.line.as_str()),
        last.and_then(|last| last.message.as_deref()),
    ];
    let lessons = known.lessons.iter().map(|known| known.lesson.text.as_str());
    let mut texts = texts.into_iter().flatten().chain(lessons);
    texts.any(|text| text.to_lowercase().contains(wanted))
}

fn list(arguments: &Arguments, memory: &Memory, fits: &dyn Fn(&Known) -> bool) -> CliResult {
    let mut faults = memory.read()?.faults;
    faults.retain(|known| fits(known));
    let found = faults.len();
    if arguments.count > 0 {
        faults.truncate(arguments.count);
    }
    let mut out = io::Out::stdout();
    if arguments.store.json {
        let faults: Vec<_> = faults
            .iter()
            .map(|known| memory.fault_json(known))
            .collect();
        out.json(&json!({
            "schema_version": RECORD_VERSION,
            "faults": faults,
            "left_out": found - faults.len(),
        }))?;
        writeln!(out)?;
    } else if arguments.ndjson {
        for known in &faults {
            print_line(&mut out, memory.fault_json(known))?;
        }
    } else if found > 0 {
        let table = FaultTable {
            faults: &faults,
            now: memory.now,
            width: width(),
        };
        write!(out, "{}", memory.leaving(&table))?;
    } else if arguments.action == Action::List {
        let which = if arguments.all { "" } else { "open " };
        writeln!(out, "no {which}failures are known here")?;
    }
    out.flush()?;
    if faults.len() < found && !arguments.store.json {
        io::say(&format!(
            "aido: {} of {found}; aido faults -n 0 lists all",
            faults.len()
        ));
    }
    memory.say_problems_of_rules();
    Ok(if found == 0 && arguments.action == Action::Like {
        Answer::No
    } else {
        Answer::Yes
    })
}

/// One object on a line of its own.
pub(super) fn print_line(out: &mut io::Out, mut json: Value) -> Result<(), CliError> {
    json["schema_version"] = RECORD_VERSION.into();
    out.json(&json)?;
    writeln!(out)?;
    Ok(())
}

fn show(arguments: &Arguments, memory: &Memory, which: &str) -> CliResult {
    let knowledge = memory.read()?;
    print(arguments, memory, choose(&knowledge.faults, which)?)
}

fn print(arguments: &Arguments, memory: &Memory, known: &Known) -> CliResult {
    let mut out = io::Out::stdout();
    if arguments.store.json || arguments.ndjson {
        print_line(&mut out, memory.fault_json(known))?;
    } else {
        let summary = FaultSummary {
            known,
            now: memory.now,
            palette: palette(When::Auto, stdout(), &memory.environment),
        };
        write!(out, "{}", memory.leaving(&summary))?;
    }
    out.flush()?;
    Ok(Answer::Yes)
}

fn change(
    arguments: &Arguments,
    memory: &Memory,
    which: &str,
    change: &dyn Fn(&mut History),
) -> CliResult {
    let knowledge = memory.read()?;
    let fault = choose(&knowledge.faults, which)?.fault.clone();
    memory
        .faults
        .change_history(&fault, &mut |history| change(history))
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::WouldBlock => memory.failed(&error),
            _ => CliError::new(Kind::Failed, format!("{fault}: {error}")),
        })?;
    match memory.faults.fault(&fault) {
        Some(known) => print(arguments, memory, &known),
        None => Ok(Answer::Yes),
    }
}
