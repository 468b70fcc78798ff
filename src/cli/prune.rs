//! `aido prune`

mod checkpoints;

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::{IsTerminal, Write};

use super::error::{CliError, Kind};
use super::page::Page;
use super::progress::Progress;
use super::reading::{Reader, width};
use super::word::StoreArguments;
use super::{Answer, CliResult, io, redaction};
use crate::clock;
use crate::config::layer::Given;
use crate::config::{Layer, Source};
use crate::environment::Environment;
use crate::session::{Entry, SessionId, Timestamp};
use crate::store::StoreError;
use crate::store::fs::{Candidates, Origin, PATIENCE};
use crate::store::retention::{Candidate, PrunePlan, PruneReport, plan_prune};
use crate::view::prune::{EntryOf, LISTED, Pruning, PruningJson};
use crate::view::text::Audience;
use checkpoints::Checkpoints;

/// `aido prune`
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Which store, and how to print.
    #[command(flatten)]
    pub store: StoreArguments,
    /// Remove what ended longer ago than this many days; 0 is no limit [default: the setting, 30]
    #[arg(long, value_name = "DAYS")]
    pub keep_days: Option<String>,
    /// Remove the oldest while all take more than this; 0 is no limit [default: the setting, 5GiB]
    #[arg(long, value_name = "SIZE")]
    pub keep_bytes: Option<String>,
    /// Remove the oldest while there are more than this; 0 is no limit [default: the setting, 0]
    #[arg(long, value_name = "COUNT")]
    pub keep_sessions: Option<String>,
    /// Show what would go, and remove nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Don't ask
    #[arg(short, long)]
    pub yes: bool,
}

/// Removes what is above the limits, or shows what would go.
///
/// # Errors
/// When the store can't be read.
pub fn prune(arguments: &Arguments, flags: Layer) -> CliResult {
    let mut reader = Reader::open(&arguments.store, limits(arguments)?.or(flags))?;
    let environment = Environment::of_process();
    redaction::guard(&mut reader, None, &environment)?;
    let now = clock::now();
    let Candidates {
        all: mut candidates,
        origin,
    } = reader.store.candidates()?;
    let id_of = |candidate: &Candidate| origin.entry(candidate).ok()?.id();
    measure(&reader, &mut candidates, &id_of, now)?;
    let entry_of = |candidate: &Candidate| entry_of(&reader, &origin, candidate);
    let plan = plan_prune(&reader.settings.keep, &candidates, now);
    // Before anything goes, for those that can be listed at all.
    let commands = commands(&reader, &plan, &id_of);
    let kept = Checkpoints::find(&environment);
    let is_dry = arguments.dry_run || !may_remove(arguments, &plan, &entry_of, &commands)?;
    let report = match is_dry {
        true => PruneReport::of_dry_run(plan),
        false => carry_out(plan, &reader, &origin, now),
    };
    let mut page = Page::of_word(arguments.store.form(), &environment)?;
    let freed = kept.go(&report, &id_of, &environment, &mut |line| page.note(line));
    if arguments.store.json {
        page.json(&PruningJson(&report, &entry_of, freed))?;
        writeln!(page)?;
    } else if arguments.dry_run || !is_dry {
        let text = text_of(&report, &entry_of, &commands, page.audience);
        page.write_all(text.as_bytes())?;
        if freed.sessions > 0 || freed.size_bytes.is_some_and(|bytes| bytes > 0) {
            writeln!(page, "{freed}")?;
        }
    }
    let answer = match report.failures() {
        [] => Answer::Yes,
        _ => Answer::No,
    };
    page.close()?;
    Ok(answer)
}

/// The limits that were asked for here.
fn limits(arguments: &Arguments) -> Result<Layer, CliError> {
    let mut limits = Layer::default();
    let given = [
        ("keep_days", &arguments.keep_days),
        ("keep_bytes", &arguments.keep_bytes),
        ("keep_sessions", &arguments.keep_sessions),
    ];
    for (name, text) in given {
        if let Some(text) = text {
            let set = limits.set(name, &Given::Text(text), &Source::Flag);
            set.map_err(|error| CliError::new(Kind::Usage, error.to_string()))?;
        }
    }
    Ok(limits)
}

/// Which session a candidate is.
type IdOf<'a> = dyn Fn(&Candidate) -> Option<SessionId> + 'a;

/// Finds out how large sessions are, as far as the limits depend on it.
fn measure(
    reader: &Reader,
    candidates: &mut [Candidate],
    id_of: &IdOf<'_>,
    now: Timestamp,
) -> Result<(), CliError> {
    let measuring = RefCell::new(Progress::start());
    let is_wanted = || {
        let line = || "looking how large each session is".to_owned();
        measuring.borrow_mut().show(line);
        true
    };
    let policy = &reader.settings.keep;
    let measured = reader
        .store
        .measure(policy, candidates, id_of, now, &is_wanted);
    measured?;
    Ok(())
}

/// The commands of those that can be listed.
fn commands(reader: &Reader, plan: &PrunePlan<'_>, id_of: &IdOf<'_>) -> HashMap<SessionId, String> {
    let spared = plan.spared.iter().take(LISTED);
    let listed = plan.removals.iter().take(LISTED).chain(spared);
    let commands = listed.filter_map(|removal| {
        let id = id_of(removal.candidate)?;
        let command = reader.metadata(&id).ok()?.command;
        Some((id, command))
    });
    commands.collect()
}

/// Removes what is planned, and shows how far that is.
fn carry_out<'a>(
    plan: PrunePlan<'a>,
    reader: &Reader,
    origin: &Origin,
    now: Timestamp,
) -> PruneReport<'a> {
    let (total, mut tried) = (plan.removals.len(), 0);
    let mut progress = Progress::start();
    PruneReport::carry_out(
        plan,
        || true,
        |removal| {
            progress.show(|| format!("removing: {tried} of {total} sessions"));
            tried += 1;
            let (candidate, reason) = (removal.candidate, removal.limit.name());
            let entry = origin.entry(candidate);
            let entry = entry.map_err(StoreError::file("the index"))?;
            let Some(id) = entry.id() else { return Ok(()) };
            let store = &reader.store;
            match store.remove_planned(&id, candidate, now, reason, PATIENCE) {
                // Somebody else removed it meanwhile, which is what was wanted.
                Err(StoreError::NoSession(_)) => Ok(()),
                result => result.map(drop),
            }
        },
    )
}

/// What is known of a session, as it may be shown.
fn entry_of(
    reader: &Reader,
    origin: &Origin,
    candidate: &Candidate,
) -> std::io::Result<Entry<'static>> {
    let mut entry = origin.entry(candidate)?;
    if reader.is_guarded() && entry.task.is_some() {
        let marked = entry.id().and_then(|id| reader.read(&id).ok());
        // Of what can't be read nobody knows what is secret.
        let task = marked.and_then(|it| it.metadata.task);
        entry.task = Some(task.unwrap_or_default().into());
    }
    Ok(entry)
}

fn text_of(
    report: &PruneReport<'_>,
    entry_of: &EntryOf<'_>,
    commands: &HashMap<SessionId, String>,
    audience: Audience,
) -> String {
    let command_of = |id: &SessionId| Some(audience.line(commands.get(id)?).into_owned());
    let pruning = Pruning {
        report,
        width: width(),
        entry_of,
        command_of: &command_of,
    };
    pruning.to_string()
}

/// Asks, if a person is there to answer.
fn may_remove(
    arguments: &Arguments,
    plan: &PrunePlan<'_>,
    entry_of: &EntryOf<'_>,
    commands: &HashMap<SessionId, String>,
) -> Result<bool, CliError> {
    let is_watched = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    if arguments.yes || !is_watched || plan.removals.is_empty() {
        return Ok(true);
    }
    let mut out = io::Out::stdout();
    let report = PruneReport::of_dry_run(plan.clone());
    write!(
        out,
        "{}",
        text_of(&report, entry_of, commands, Audience::People)
    )?;
    out.write("Remove them? [y/N] ")?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
