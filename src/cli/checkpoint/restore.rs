//! `aido checkpoint restore`

use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use serde_json::{Value, json};

use super::comparison::path_text;
use super::located::{Located, limits};
use crate::checkpoint::{Phase, Report, Restoring};
use crate::cli::error::{CliError, Kind};
use crate::cli::page::{Form, Page};
use crate::cli::reading::Reader;
use crate::cli::word::StoreArguments;
use crate::cli::{Answer, CliResult, io, redaction};
use crate::config::Layer;
use crate::environment::Environment;
use crate::session::metadata::SCHEMA_VERSION;
use crate::view::changes::{Steps, step_json};

/// The most lines that are shown of what would be done.
const LINES: usize = 200;

/// `aido checkpoint restore`
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Which store, and how to print.
    #[command(flatten)]
    pub store: StoreArguments,
    /// last, last~2, last:failed, @agent, an id, or the beginning or end of one
    #[arg(value_name = "SESSION")]
    pub selector: String,
    /// Only these files and directories [default: all]
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Which of its checkpoints: before, after, or restore-1 and so on
    #[arg(long, value_name = "WHEN", default_value = "before")]
    pub to: Phase,
    /// Show what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Don't ask
    #[arg(short, long)]
    pub yes: bool,
}

/// What came of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Planned,
    Unneeded,
    Done,
}

/// Puts files back as they were in a checkpoint, or shows what that would do.
pub(super) fn restore(arguments: &Arguments, flags: Layer) -> CliResult {
    let mut reader = Reader::open(&arguments.store, flags)?;
    let environment = Environment::of_process();
    redaction::guard(&mut reader, None, &environment)?;
    let located = Located::find(&reader, &arguments.selector, &environment)?;
    let wanted = located.wanted(&arguments.paths)?;
    let commit = &located.checkpoint(arguments.to)?.commit;
    let prepare = || -> Result<Restoring, CliError> {
        let home = located.home.clone();
        Ok(home.restoring(&environment, limits(&reader.settings), commit, &wanted)?)
    };
    let mut plan = prepare()?;
    let mut page = Page::of_word(arguments.store.form(), &environment)?;
    if arguments.dry_run || !plan.is_needed() {
        let state = match plan.is_needed() {
            true => State::Planned,
            false => State::Unneeded,
        };
        print(
            &mut page,
            arguments,
            &reader,
            (&located, &plan, None, state),
        )?;
        page.close()?;
        return Ok(Answer::Yes);
    }
    if !arguments.yes {
        let is_watched = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
        if !is_watched || arguments.store.json {
            let message = "restoring changes files, and nobody is there to be asked";
            return Err(CliError::new(Kind::Failed, message)
                .with_hint("--dry-run shows what it does; --yes does it"));
        }
        print(
            &mut page,
            arguments,
            &reader,
            (&located, &plan, None, State::Planned),
        )?;
        page.flush()?;
        if !ask()? {
            return Ok(Answer::No);
        }
        // It may have been a while.
        plan = prepare()?;
    }
    let report = plan.carry_out(&located.id)?;
    print(
        &mut page,
        arguments,
        &reader,
        (&located, &plan, Some(&report), State::Done),
    )?;
    page.close()?;
    Ok(match report.failures.is_empty() {
        true => Answer::Yes,
        false => Answer::No,
    })
}

fn ask() -> Result<bool, CliError> {
    io::Out::stdout().write("Restore this? [y/N] ")?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

type Outcome<'a> = (&'a Located, &'a Restoring, Option<&'a Report>, State);

fn print(
    page: &mut Page,
    arguments: &Arguments,
    reader: &Reader,
    (located, plan, report, state): Outcome<'_>,
) -> Result<(), CliError> {
    let path = path_text(reader);
    if arguments.store.form() == Form::Json {
        let failures = report.map(|report| {
            let failures = report.failures.iter();
            let failures =
                failures.map(|(failed, why)| json!({"path": path(failed), "error": why}));
            failures.collect::<Vec<Value>>()
        });
        page.json(&json!({
            "schema_version": SCHEMA_VERSION,
            "session_id": located.id,
            "checkpoint": arguments.to.to_string(),
            "dry_run": state == State::Planned,
            "steps": plan.steps.iter().map(|step| step_json(step, &path)).collect::<Vec<Value>>(),
            "restored": report.map(|report| report.done),
            "failures": failures,
            "undo": report.map(|report| report.undo.to_string()),
        }))?;
        writeln!(page)?;
        return Ok(());
    }
    let steps = Steps {
        steps: &plan.steps,
        most: LINES,
        path: &path,
        palette: page.palette,
        audience: page.audience,
    };
    match (state, report) {
        (State::Unneeded, _) => {
            let steps = steps.to_string();
            page.write_all(steps.as_bytes())?;
            writeln!(page, "nothing to restore: the files are as they were")?;
        }
        (_, None) => {
            let steps = steps.to_string();
            page.write_all(steps.as_bytes())?;
        }
        (_, Some(report)) => {
            for (failed, why) in &report.failures {
                let line = format!("not restored: {}: {why}", path(failed));
                let line = page.audience.line(&line).into_owned();
                writeln!(page, "{line}")?;
            }
            let left = plan.steps.len() - report.done - report.failures.len();
            let files = match report.done {
                1 => "1 file".to_owned(),
                count => format!("{count} files"),
            };
            writeln!(page, "restored {files}")?;
            if left > 0 {
                writeln!(page, "left alone: {left}; --dry-run says why")?;
            }
            let (hex, undo) = (located.id.hex(), report.undo);
            writeln!(page, "to undo: aido checkpoint restore {hex} --to {undo}")?;
        }
    }
    Ok(())
}
