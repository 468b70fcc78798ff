//! `aido checkpoint restore`

use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use serde_json::{Value, json};

use super::comparison::path_text;
use super::located::{Located, limits};
use crate::checkpoint::plan::Why;
use crate::checkpoint::select::Reason;
use crate::checkpoint::{Phase, Report, Restoring, Wanted, Way};
use crate::cli::error::{CliError, Kind};
use crate::cli::page::{Form, Page};
use crate::cli::reading::Reader;
use crate::cli::word::StoreArguments;
use crate::cli::{Answer, CliResult, io, redaction};
use crate::config::Layer;
use crate::environment::Environment;
use crate::session::metadata::SCHEMA_VERSION;
use crate::session::quote::shell_line;
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
    let commit = &located.checkpoint(arguments.to)?.commit;
    let paths = located.wanted(&arguments.paths)?;
    located.check_known(&environment, commit, &paths)?;
    let wanted = Wanted {
        paths: &paths,
        own: &[reader.store.path()],
    };
    let is_here = located.is_here(&environment);
    let is_named = arguments.paths.iter().any(|path| path.is_absolute());
    if arguments.yes && !arguments.dry_run && !is_here && !is_named {
        let root = reader.leaving_text(&located.home.repository.root.to_string_lossy());
        let message = format!("it is of the work tree {root}, which is not the one here");
        let words = [
            "aido",
            "checkpoint",
            "restore",
            located.id.hex(),
            "--yes",
            &root,
        ];
        let line = shell_line(&words.map(OsString::from));
        let hint = format!("go there, or name it: {line}");
        return Err(CliError::new(Kind::Failed, message).with_hint(hint));
    }
    let prepare = || -> Result<Restoring, CliError> {
        let home = located.home.clone();
        Ok(home.restoring(&environment, limits(&reader.settings), commit, &wanted)?)
    };
    let mut page = Page::of_word(arguments.store.form(), &environment)?;
    let mut show = |plan: &Restoring, report: Option<&Report>, state: State| {
        let outcome = Outcome {
            located: &located,
            plan,
            report,
            state,
            is_here,
        };
        print(&mut page, arguments, &reader, &outcome)?;
        page.flush()?;
        Ok::<(), CliError>(())
    };
    let mut plan = prepare()?;
    loop {
        if arguments.dry_run || !plan.is_needed() {
            let state = match plan.is_needed() {
                true => State::Planned,
                false => State::Unneeded,
            };
            show(&plan, None, state)?;
            page.close()?;
            let is_as_wanted = state == State::Planned || plan.impossible().next().is_none();
            return Ok(answer(is_as_wanted));
        }
        if arguments.yes {
            break;
        }
        let is_watched = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
        if !is_watched || arguments.store.json {
            let message = "restoring changes files, and nobody is there to be asked";
            return Err(CliError::new(Kind::Failed, message)
                .with_hint("--dry-run shows what it does; --yes does it"));
        }
        show(&plan, None, State::Planned)?;
        if !ask()? {
            return Ok(Answer::No);
        }
        // It may have been a while: what is done is what was shown.
        let shown = std::mem::replace(&mut plan, prepare()?);
        if shown.steps == plan.steps {
            break;
        }
        io::Out::stdout().write("Files changed meanwhile. Now this is what would be done:\n")?;
    }
    let report = plan.carry_out(&located.id)?;
    show(&plan, Some(&report), State::Done)?;
    page.close()?;
    let is_done = report.failures.is_empty() && plan.impossible().next().is_none();
    Ok(answer(is_done))
}

fn answer(is_as_wanted: bool) -> Answer {
    match is_as_wanted {
        true => Answer::Yes,
        false => Answer::No,
    }
}

fn ask() -> Result<bool, CliError> {
    io::Out::stdout().write("Restore this? [y/N] ")?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// What is printed.
struct Outcome<'a> {
    located: &'a Located,
    plan: &'a Restoring,
    report: Option<&'a Report>,
    state: State,
    /// Whether the caller stands in the work tree.
    is_here: bool,
}

fn print(
    page: &mut Page,
    arguments: &Arguments,
    reader: &Reader,
    outcome: &Outcome<'_>,
) -> Result<(), CliError> {
    let Outcome {
        located,
        plan,
        report,
        state,
        is_here,
    } = *outcome;
    let path = path_text(reader);
    let root = reader.leaving_text(&plan.root().to_string_lossy());
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
            "work_tree": root,
            "dry_run": state == State::Planned,
            "ignored": plan.ignored,
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
    let place = match is_here {
        true => String::new(),
        false => format!(" in {}", page.audience.line(&root)),
    };
    let Some(report) = report else {
        if !is_here {
            writeln!(page, "{}:", place.trim_start())?;
        }
        let steps = steps.to_string();
        page.write_all(steps.as_bytes())?;
        note_ignored(page, plan)?;
        match (state, plan.impossible().next()) {
            (State::Unneeded, None) => {
                writeln!(page, "nothing to restore: the files are as they were")?;
            }
            (State::Unneeded, Some(_)) => {
                writeln!(page, "nothing of this can be restored")?;
                note_unreadable(page, plan)?;
            }
            _ => {}
        }
        return Ok(());
    };
    let failures = report.failures.iter();
    let failures = failures.map(|(failed, why)| (failed, why.clone()));
    let impossible = plan
        .impossible()
        .map(|(step, why)| (&step.path, why.text()));
    for (failed, why) in failures.chain(impossible) {
        let line = format!("not restored: {}: {why}", path(failed));
        let line = page.audience.line(&line).into_owned();
        writeln!(page, "{line}")?;
    }
    for step in &plan.steps {
        if matches!(step.way, Way::Write { dropped, .. } if dropped != 0) {
            let line = format!(
                "no longer set-user-ID or set-group-ID, since whose it was is not known: {}",
                path(&step.path)
            );
            let line = page.audience.line(&line).into_owned();
            writeln!(page, "{line}")?;
        }
    }
    let left = plan.steps.iter().filter(|step| !step.way.acts()).count();
    let left = left - plan.impossible().count();
    let files = match report.done {
        1 => "1 file".to_owned(),
        count => format!("{count} files"),
    };
    writeln!(page, "restored {files}{place}")?;
    note_ignored(page, plan)?;
    if left > 0 {
        writeln!(page, "left alone: {left}; --dry-run says why")?;
    }
    note_unreadable(page, plan)?;
    let (hex, undo) = (located.id.hex(), report.undo);
    writeln!(page, "to undo: aido checkpoint restore {hex} --to {undo}")?;
    Ok(())
}

/// Says how files that could not be read are restored.
fn note_unreadable(page: &mut Page, plan: &Restoring) -> Result<(), CliError> {
    let unreadable = Why::NotSaved(Reason::Unreadable);
    if plan.impossible().any(|(_, why)| why == unreadable) {
        writeln!(
            page,
            "what can't be read is neither compared nor saved: make it readable (chmod u+rwX), and restore again"
        )?;
    }
    Ok(())
}

/// Says of files that stay because they were ignored.
fn note_ignored(page: &mut Page, plan: &Restoring) -> Result<(), CliError> {
    match plan.ignored {
        0 => {}
        1 => writeln!(page, "left alone: 1 file that was ignored then")?,
        count => writeln!(page, "left alone: {count} files that were ignored then")?,
    }
    Ok(())
}
