//! `aido checkpoint`

mod comparison;
mod located;
mod restore;

use std::io::Write;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::error::{CliError, Kind};
use super::page::{Form, Page, PageArguments, Paging};
use super::reading::{Reader, width};
use super::word::StoreArguments;
use super::{Answer, CliResult, redaction};
use crate::checkpoint::{Named, Phase};
use crate::clock;
use crate::config::Layer;
use crate::environment::Environment;
use crate::session::SessionId;
use crate::session::metadata::SCHEMA_VERSION;
use crate::view::checkpoints::{Row, Table, row_json};

pub(super) use comparison::{Manner, Subject, path_text, show_changes};
pub(super) use located::{Located, here, limits, straight};

/// `aido checkpoint`
#[derive(Debug, clap::Args)]
#[command(
    disable_help_subcommand = true,
    subcommand_help_heading = "What may be done with them"
)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub action: Action,
}

/// What may be done with checkpoints.
#[derive(Debug, clap::Subcommand)]
pub enum Action {
    /// List the checkpoints of this repository, or those of a session
    List(ListArguments),
    /// Show what is different now from a checkpoint
    Diff(DiffArguments),
    /// Put files back as they were in a checkpoint
    Restore(restore::Arguments),
}

/// `aido checkpoint list`
#[derive(Debug, clap::Args)]
pub struct ListArguments {
    /// Which store, and how to print.
    #[command(flatten)]
    pub store: StoreArguments,
    /// last, last~2, last:failed, @agent, an id, or the beginning or end of one [default: all]
    #[arg(value_name = "SESSION")]
    pub selector: Option<String>,
}

/// `aido checkpoint diff`
#[derive(Debug, clap::Args)]
pub struct DiffArguments {
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
    pub from: Phase,
    /// How to print.
    #[command(flatten)]
    pub page: PageArguments,
}

impl Arguments {
    /// Whether JSON was asked for, so that errors are JSON too.
    #[must_use]
    pub fn wants_json(&self) -> bool {
        match &self.action {
            Action::List(arguments) => arguments.store.json,
            Action::Diff(arguments) => arguments.store.json,
            Action::Restore(arguments) => arguments.store.json,
        }
    }
}

/// Lists checkpoints, shows what is different from one, or restores one.
///
/// # Errors
/// When there is none, or it can't be read or restored.
pub fn checkpoint(arguments: &Arguments, flags: Layer) -> CliResult {
    match &arguments.action {
        Action::List(arguments) => list(arguments, flags),
        Action::Diff(arguments) => diff(arguments, flags),
        Action::Restore(arguments) => restore::restore(arguments, flags),
    }
}

fn list(arguments: &ListArguments, flags: Layer) -> CliResult {
    let mut reader = Reader::open(&arguments.store, flags)?;
    let environment = Environment::of_process();
    redaction::guard(&mut reader, None, &environment)?;
    let (home, ids) = match &arguments.selector {
        Some(selector) => {
            let located = Located::find(&reader, selector, &environment)?;
            (located.home, vec![located.id])
        }
        None => {
            let home = here(&environment)?;
            let ids = home.sessions()?;
            (home, ids)
        }
    };
    let mut names: Vec<Named> = Vec::new();
    for id in &ids {
        names.extend(home.checkpoints_of(id)?);
    }
    let commits: Vec<&str> = names.iter().map(|named| named.commit.as_str()).collect();
    let read = match commits.is_empty() {
        true => Vec::new(),
        false => home.read(&environment).checkpoints(&commits)?,
    };
    let mut last: Option<(SessionId, Option<String>)> = None;
    let rows = names.into_iter().zip(read).map(|(named, read)| {
        let command = match &last {
            Some((id, command)) if *id == named.id => command.clone(),
            _ => reader.read(&named.id).ok().map(|it| it.metadata.command),
        };
        last = Some((named.id.clone(), command.clone()));
        Row {
            named,
            record: read.map(|read| read.record),
            command,
        }
    });
    let rows: Vec<Row> = rows.collect();
    let mut page = Page::of_word(arguments.store.form(), &environment)?;
    if arguments.store.form() == Form::Json {
        let path = path_text(&reader);
        let rows: Vec<Value> = rows.iter().map(|row| row_json(row, &path)).collect();
        page.json(&json!({
            "schema_version": SCHEMA_VERSION,
            "repository": reader.leaving_text(&home.repository.root.to_string_lossy()),
            "size_bytes": home.size_bytes(),
            "checkpoints": rows,
        }))?;
        writeln!(page)?;
    } else if rows.is_empty() {
        writeln!(page, "no checkpoints")?;
    } else {
        let table = Table {
            rows: &rows,
            now: clock::now(),
            width: width(),
            audience: page.audience,
        };
        write!(page, "{table}")?;
    }
    page.close()?;
    Ok(match rows.is_empty() {
        true => Answer::No,
        false => Answer::Yes,
    })
}

fn diff(arguments: &DiffArguments, flags: Layer) -> CliResult {
    let mut reader = Reader::open(&arguments.store, flags)?;
    let environment = Environment::of_process();
    redaction::guard(&mut reader, arguments.page.framing.for_agent, &environment)?;
    let located = Located::find(&reader, &arguments.selector, &environment)?;
    let wanted = located.wanted(&arguments.paths)?;
    let named = located.checkpoint(arguments.from)?;
    located.check_known(&environment, &named.commit, &wanted)?;
    let subject = Subject {
        home: &located.home,
        id: &located.id,
        from: named,
        to: None,
        limits: limits(&reader.settings),
        wanted: &wanted,
    };
    let form = Manner {
        as_patch: !arguments.store.json,
        form: arguments.store.form(),
    };
    let mut page = match form.form {
        Form::Json => Page::of_word(Form::Json, &environment)?,
        Form::Text => Page::open(arguments.page, Paging::Allowed, &environment)?,
    };
    let found = show_changes(&reader, &subject, form, &mut page, &environment)?;
    page.close()?;
    Ok(match found {
        0 => Answer::Yes,
        _ => Answer::No,
    })
}

impl From<crate::checkpoint::Problem> for CliError {
    fn from(problem: crate::checkpoint::Problem) -> Self {
        use crate::checkpoint::Problem;
        let kind = match problem {
            Problem::NoRepository => Kind::NotFound,
            _ => Kind::Failed,
        };
        let hint = match &problem {
            Problem::Elsewhere { origin, .. } => format!(
                "aido checkpoint diff shows what is different; aido rerun SESSION --worktree DIR makes a work tree of it; from within {}, if it is there, it can be restored",
                origin.display()
            ),
            _ => return Self::new(kind, problem.to_string()),
        };
        Self::new(kind, problem.to_string()).with_hint(hint)
    }
}
