//! `aido rerun`

mod work_tree;

use std::io::Write;
use std::path::PathBuf;

use serde_json::json;

use super::error::{CliError, Kind};
use super::page::PageArguments;
use super::reading::Reader;
use super::word::StoreArguments;
use super::{Answer, CliResult, io, redaction, run, show};
use crate::config::Layer;
use crate::config::Source;
use crate::config::layer::Given;
use crate::egress;
use crate::environment::Environment;
use crate::rerun::{self, NoRerun, RerunPlan, Trust};
use crate::session::metadata::SCHEMA_VERSION;
use crate::session::quote::shell_line;
use crate::store::State;
use crate::store::resolve::resolve;
use crate::sys::stream::Silence;
use crate::view::sanitize;
use crate::view::session::Shown;
use work_tree::WorkTree;

/// `aido rerun`
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Which store, and how to print.
    #[command(flatten)]
    pub store: StoreArguments,
    /// last, last~2, last:failed, @agent, an id, or the beginning or end of one
    #[arg(value_name = "SESSION", default_value = "last")]
    pub selector: String,
    /// Show what would be run, and where, and run nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Run it although it doesn't verify as your own
    #[arg(long)]
    pub trust: bool,
    /// Run it in this new directory, a work tree of git's with the files as they stood before the session
    #[arg(long, value_name = "DIR")]
    pub worktree: Option<PathBuf>,
    /// Print how text and outcome differ from the first time, instead of the output
    #[arg(long, conflicts_with = "dry_run")]
    pub diff: bool,
    /// How to print.
    #[command(flatten)]
    pub page: PageArguments,
}

/// Runs a session's command again: the exact arguments in the recorded directory, with the present
/// environment.
///
/// # Errors
/// When there is no such session, or it can't be run again.
pub fn rerun(arguments: &Arguments, flags: Layer) -> CliResult {
    let mut reader = Reader::open(&arguments.store, flags.clone())?;
    let id = resolve(&reader.store, &arguments.selector)?;
    let session = reader.read(&id)?;
    if session.state == State::Running {
        return Err(refused(&format!("{id} is still running")));
    }
    let trust = if arguments.trust {
        Trust::Given
    } else {
        Trust::Verified
    };
    let mut plan = rerun::plan(&session.metadata, session.signature, trust).map_err(|why| {
        let error = refused(&format!("{id} can't be run again: {why}"));
        match why {
            NoRerun::NotTrusted(_) => error.with_hint(
                "see what it would run with --dry-run --trust; --trust runs it all the same",
            ),
            _ => error,
        }
    })?;
    let work_tree = match &arguments.worktree {
        Some(directory) => Some(WorkTree::plan(&reader, &id, directory, &mut plan)?),
        None => None,
    };
    if arguments.dry_run {
        redaction::guard(
            &mut reader,
            arguments.page.framing.for_agent,
            &Environment::of_process(),
        )?;
        return show_plan(arguments, &plan, &session, &reader);
    }
    if arguments.store.json && !arguments.diff {
        return Err(CliError::new(
            Kind::Usage,
            "--json is for --dry-run and --diff: here the command prints",
        )
        .with_hint(format!("aido rerun {id} and then aido show last --json")));
    }
    // The store that the session was found in, wherever it ran.
    let mut own = Layer::default();
    let mut directory = reader.settings.session_dir.clone();
    if let Some(work_tree) = &work_tree {
        work_tree.make(&plan)?;
        directory = directory.or(Some(std::path::absolute(reader.store.path())?));
    }
    if let Some(directory) = &directory {
        let directory = directory.to_string_lossy();
        own.set("session_dir", &Given::Text(&directory), &Source::Flag)?;
    }
    std::env::set_current_dir(&plan.cwd).map_err(|error| {
        let cwd = plan.cwd.display();
        refused(&format!(
            "{id} can't be run again: its directory {cwd}: {error}"
        ))
    })?;
    let flags = own.or(flags);
    if arguments.diff {
        return compare(arguments, plan, flags, &session, &mut reader);
    }
    let ran = run::again(plan, flags, id, &mut |line| io::say(&line))?;
    Ok(Answer::Ended(run::end(ran.exit)))
}

/// Runs it with nobody to read what it prints, and prints what is different. Ends with the command's
/// exit code.
fn compare(
    arguments: &Arguments,
    plan: RerunPlan,
    flags: Layer,
    before: &Shown,
    reader: &mut Reader,
) -> CliResult {
    let mut told = Vec::new();
    let silence = Silence::begin()?;
    let parent = before.metadata.session_id.clone();
    let ran = run::again(plan, flags, parent, &mut |line| told.push(line));
    drop(silence);
    told.iter().for_each(|line| io::say(line));
    let ran = ran?;
    let Some(id) = ran.id else {
        return Err(CliError::new(
            Kind::Failed,
            "it ran, but was not recorded, so there is nothing to compare",
        ));
    };
    let environment = Environment::of_process();
    redaction::guard(reader, arguments.page.framing.for_agent, &environment)?;
    let before = &reader.read(&before.metadata.session_id)?;
    let after = reader.read(&id)?;
    show::compare(
        reader,
        [before, &after],
        (&arguments.store, arguments.page),
        &environment,
    )?;
    Ok(Answer::Ended(run::code_of(ran.exit)))
}

fn refused(message: &str) -> CliError {
    CliError::new(Kind::Run, message)
}

fn show_plan(
    arguments: &Arguments,
    plan: &RerunPlan,
    session: &Shown,
    reader: &Reader,
) -> CliResult {
    let parent = session.metadata.session_id.as_str();
    let argv = plan.command.argv.iter();
    let argv: Vec<String> = argv
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let (mut argv, mut line) = (argv, shell_line(&plan.command.argv));
    let mut cwd = plan.cwd.to_string_lossy().into_owned();
    if let Some(guard) = reader.guard() {
        let mut shown = session.metadata.clone();
        egress::clean(&mut shown, guard);
        (argv, line) = (shown.argv, shown.command);
        cwd = match session.metadata.cwd.as_ref().zip(shown.cwd) {
            Some((recorded, leaving)) if *recorded == cwd => leaving,
            _ => guard.text(&cwd).0,
        };
    }
    let mut out = io::Out::stdout();
    if arguments.store.json {
        let plan = json!({
            "schema_version": SCHEMA_VERSION,
            "parent": parent,
            "argv": argv,
            "command": line,
            "cwd": cwd,
        });
        out.json(&plan)?;
        writeln!(out)?;
    } else {
        writeln!(out, "command   {}", sanitize::line(&line))?;
        writeln!(out, "directory {}", sanitize::line(&cwd))?;
    }
    out.flush()?;
    Ok(Answer::Yes)
}
