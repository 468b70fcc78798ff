//! `aido init`

mod wanted;

use std::io::{IsTerminal, Write};
use std::path::Path;

use serde_json::{Value, json};

use super::error::{CliError, Kind};
use super::{Answer, CliResult, io};
use crate::agents::host::Scope;
use crate::agents::{Host, Mode};
use crate::config::Layer;
use crate::environment::Environment;
use crate::install::{Change, Installed, Records, Site, Step, store};
use crate::place::Place;
use crate::record::secrets;
use crate::redact::{Options, Redactor};
use crate::session::metadata::SCHEMA_VERSION;
use crate::sys::replace::{make_directories, remove, replace};
use crate::view::patch::patch;
use crate::view::sanitize;
use crate::view::units::count;

/// `aido init`
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Only for these agents: claude, codex, gemini, cursor, copilot, opencode; or auto, for those that are used
    /// here [default: auto]
    #[arg(long = "agent", value_name = "NAME", value_delimiter = ',', value_parser = agent)]
    pub agents: Vec<Agent>,
    /// Whose settings: local (yours, in this repository), project (its own) or user (yours, everywhere)
    /// [default: local]
    #[arg(long, value_name = "SCOPE", value_parser = scope)]
    pub scope: Option<Scope>,
    /// What hooks do: observe (file finished calls) or wrap (have commands run under aido, too)
    /// [default: what they do; observe, if there are none]
    #[arg(long, value_name = "MODE", value_parser = mode)]
    pub mode: Option<Mode>,
    /// Also tell agents without hooks of aido, in AGENTS.md
    #[arg(long)]
    pub agents_md: bool,
    /// Also tell the agents' programs of `aido mcp`, by which they ask for sessions
    #[arg(long)]
    pub mcp: bool,
    /// Also install a skill, which agents read when they need it
    #[arg(long)]
    pub skill: bool,
    /// Take everything out again
    #[arg(long)]
    pub uninstall: bool,
    /// Show what would be written, and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Don't ask
    #[arg(long, short = 'y')]
    pub yes: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Whose settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agent {
    /// Those of all that are used here.
    Auto,
    /// One's.
    Named(Host),
}

fn agent(text: &str) -> Result<Agent, String> {
    if text == "auto" {
        return Ok(Agent::Auto);
    }
    Host::named(text).map(Agent::Named).ok_or_else(|| {
        let names: Vec<&str> = Host::ALL.iter().map(|host| host.name()).collect();
        format!("one of {}, auto", names.join(", "))
    })
}

impl Arguments {
    /// The hosts that are named.
    fn named(&self) -> Vec<Host> {
        let named = self.agents.iter().filter_map(|agent| match agent {
            Agent::Named(host) => Some(*host),
            Agent::Auto => None,
        });
        named.collect()
    }
}

fn scope(text: &str) -> Result<Scope, String> {
    match text {
        "local" => Ok(Scope::Local),
        "project" => Ok(Scope::Project),
        "user" => Ok(Scope::User),
        _ => Err("one of local, project, user".to_owned()),
    }
}

fn mode(text: &str) -> Result<Mode, String> {
    match text {
        "observe" => Ok(Mode::Observe),
        "wrap" => Ok(Mode::Wrap),
        _ => Err("one of observe, wrap".to_owned()),
    }
}

/// Puts hooks into the settings of agents' programs, or takes them out. Shows what changes, and asks.
///
/// # Errors
/// When there is nowhere to put them, or a file can't be written.
pub fn init(arguments: &Arguments, flags: Layer) -> CliResult {
    let environment = Environment::of_process();
    let place = Place::find(std::env::current_dir().ok(), &environment);
    let state = place.state.as_deref().ok_or_else(|| {
        CliError::new(
            Kind::Failed,
            "there is no home directory to remember changes in",
        )
        .with_hint("set HOME or XDG_STATE_HOME")
    })?;
    let site = Site {
        place: &place,
        environment: &environment,
    };
    let records = Records::open(state)?;
    let steps = match arguments.uninstall {
        true => wanted::to_uninstall(arguments, &site, records.as_ref())?,
        false => wanted::to_install(arguments, &site, records.as_ref())?,
    };
    let is_refused = steps
        .iter()
        .any(|step| matches!(step, Step::Refused { .. }));
    let changes: Vec<&Change> = steps
        .iter()
        .filter_map(|step| match step {
            Step::Change(change) => Some(change),
            Step::Done(_) | Step::Refused { .. } => None,
        })
        .collect();
    let mut out = io::Out::stdout();
    if !arguments.json {
        out.write_all(shown(&steps, &environment).as_bytes())?;
    }
    let may_write = may_write(arguments, &changes, &mut out)?;
    if may_write {
        let (records, _lock) = Records::change(state)?;
        // Taken out in the other order: a directory was made for the first file in it.
        let mut ordered = changes.clone();
        if arguments.uninstall {
            ordered.reverse();
        }
        for change in ordered {
            carry_out(change, &records, arguments.uninstall)?;
        }
    }
    if arguments.uninstall && may_write && arguments.agents.is_empty() {
        store::remove_unused(&place, &environment, flags);
    } else if !arguments.uninstall
        && arguments.scope != Some(Scope::User)
        && (may_write || changes.is_empty())
        && !arguments.dry_run
    {
        store::make(&place, &environment, flags);
    }
    if arguments.json {
        let steps: Vec<Value> = steps.iter().map(as_json).collect();
        let written = may_write && !changes.is_empty();
        out.json(&json!({"schema_version": SCHEMA_VERSION, "written": written, "files": steps}))?;
        writeln!(out)?;
    } else {
        let said = match (changes.len(), may_write) {
            (0, _) if is_refused => String::new(),
            (0, _) if arguments.uninstall => "nothing is installed here\n".to_owned(),
            (0, _) => "everything is in place\n".to_owned(),
            (count, true) if arguments.uninstall => format!("{} restored\n", files(count)),
            (count, true) => format!(
                "{} written; what was there is kept, and `aido init --uninstall` brings it back\n",
                files(count)
            ),
            (_, false) if arguments.dry_run => String::new(),
            (_, false) => "nothing was written; --yes writes it\n".to_owned(),
        };
        out.write_all(said.as_bytes())?;
    }
    out.flush()?;
    let is_left = !changes.is_empty() && !may_write && !arguments.dry_run;
    Ok(if is_refused || is_left {
        Answer::No
    } else {
        Answer::Yes
    })
}

fn files(number: usize) -> String {
    count(number as u64, "file")
}

/// The differences, without secrets: settings may hold some.
fn shown(steps: &[Step], environment: &Environment) -> String {
    let redactor = Redactor::new(Options {
        own: secrets::own(environment),
        ..Options::default()
    });
    let mut text = String::new();
    for step in steps {
        match step {
            Step::Done(shown) => {
                text += &format!("{}: in place\n", sanitize::line(&shown.to_string_lossy()));
            }
            Step::Refused {
                shown,
                why,
                snippet,
            } => {
                let name = shown.to_string_lossy();
                text += &format!(
                    "{}: left as it is: {}\n",
                    sanitize::line(&name),
                    sanitize::line(why)
                );
                if !snippet.is_empty() {
                    text += &format!("  what belongs into it:\n\n{snippet}\n");
                }
            }
            Step::Change(change) => {
                let name = change.name();
                let patch = patch(&name, change.before.as_deref(), change.after.as_deref());
                text += &redactor.text(&patch).0;
                text.push('\n');
            }
        }
    }
    text
}

fn as_json(step: &Step) -> Value {
    match step {
        Step::Done(shown) => {
            json!({"path": shown.to_string_lossy(), "action": "none", "why": null})
        }
        Step::Refused { shown, why, .. } => {
            json!({"path": shown.to_string_lossy(), "action": "refused", "why": why})
        }
        Step::Change(change) => {
            let action = match change.after {
                Some(_) => "write",
                None => "remove",
            };
            json!({"path": change.shown.to_string_lossy(), "action": action, "why": null})
        }
    }
}

/// Asks, if a person is there to answer; without one, nothing is written that nobody said yes to.
fn may_write(
    arguments: &Arguments,
    changes: &[&Change],
    out: &mut io::Out,
) -> Result<bool, CliError> {
    if arguments.dry_run || changes.is_empty() {
        return Ok(false);
    }
    let is_watched = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    if arguments.yes || !is_watched || arguments.json {
        return Ok(arguments.yes);
    }
    out.write(&format!("Write {}? [y/N] ", files(changes.len())))?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn carry_out(change: &Change, records: &Records, is_last: bool) -> Result<(), CliError> {
    let failed = |why: &dyn std::fmt::Display| {
        CliError::new(Kind::Failed, format!("{}: {why}", change.shown.display()))
    };
    let path = &change.path;
    let now = std::fs::read_to_string(path).ok();
    if now != change.before {
        return Err(failed(&"it was changed meanwhile").with_hint("run aido init again"));
    }
    let known = records.of(path);
    let mut made = known
        .as_ref()
        .map_or_else(Vec::new, |known| known.made.clone());
    let Some(after) = &change.after else {
        remove(path, &made).map_err(|error| failed(&error))?;
        records.forget(path);
        return Ok(());
    };
    if is_last {
        replace(path, after.as_bytes()).map_err(|error| failed(&error))?;
        records.forget(path);
        return Ok(());
    }
    let parent = path.parent().unwrap_or(Path::new("/"));
    made.extend(make_directories(parent).map_err(|error| failed(&error))?);
    // First what can undo it.
    let installed = Installed::new(path, change.without.clone(), after, made);
    records.keep(&installed).map_err(|error| failed(&error))?;
    replace(path, after.as_bytes()).map_err(|error| failed(&error))
}
