//! `aido doctor`

mod check;
mod failures;
mod hooks;

use std::io::{IsTerminal, Write};

use check::{Check, Verdict};
use serde_json::json;

use super::reading::Reader;
use super::word::StoreArguments;
use super::{Answer, CliResult, io};
use crate::caller;
use crate::config::{self, Layer};
use crate::environment::Environment;
use crate::place::Place;
use crate::plan::DEFAULT_SIZE;
use crate::session::metadata::SCHEMA_VERSION;
use crate::store::fs::{FileStore, Health};
use crate::sys::pty::{Processing, Pty};
use crate::sys::terminal;
use crate::view::{sanitize, units};

/// Less room than this on the disk is a problem.
const LITTLE_ROOM_BYTES: u64 = 64 * 1024 * 1024;

/// `aido doctor`
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Which store, and how to print.
    #[command(flatten)]
    pub store: StoreArguments,
}

/// Says what is wrong with this store, terminal and install, and how to mend it.
///
/// # Errors
/// When it can't be said.
pub fn doctor(arguments: &Arguments, flags: Layer) -> CliResult {
    let environment = Environment::of_process();
    let place = Place::find(std::env::current_dir().ok(), &environment);
    let mut checks = vec![
        Check::fine("version", format!("aido {}", env!("CARGO_PKG_VERSION"))),
        installed(&environment),
    ];
    checks.extend(settings(&environment, &place));
    match Reader::open(&arguments.store, flags) {
        Err(error) => checks.push(Check::problem(
            "store",
            error.to_string(),
            "mend that first",
        )),
        Ok(reader) => {
            checks.extend(store(&reader, &place));
            checks.extend(failures::checks(&reader));
        }
    }
    checks.extend(terminal_checks(&environment));
    checks.extend(hooks::checks(&place, &environment));
    checks.push(agent(&environment));
    let mut out = io::Out::stdout();
    let has_problem = checks.iter().any(|check| check.verdict == Verdict::Problem);
    if arguments.store.json {
        out.json(&json!({"schema_version": SCHEMA_VERSION, "ok": !has_problem, "checks": checks}))?;
        writeln!(out)?;
    } else {
        for check in &checks {
            write!(out, "{check}")?;
        }
    }
    out.flush()?;
    Ok(if has_problem { Answer::No } else { Answer::Yes })
}

/// Whether the shell would find this very program.
fn installed(environment: &Environment) -> Check {
    let own = std::env::current_exe().ok();
    let path = environment.value("PATH").unwrap_or_default();
    let mut found = std::env::split_paths(path).map(|directory| directory.join("aido"));
    let found = found.find(|file| file.is_file());
    let same = |file: &std::path::PathBuf| file.canonicalize().ok() == own;
    match found {
        Some(file) if same(&file) => Check::fine("program", file.display().to_string()),
        Some(file) => {
            let what = format!("PATH has another one first: {}", file.display());
            Check::note("program", what, "remove it, or change the order in PATH")
        }
        None => {
            let own = own.map_or_else(String::new, |own| own.display().to_string());
            let mend = format!("copy {own} to a directory on PATH");
            Check::note("program", "aido is not on PATH", &mend)
        }
    }
}

/// Settings that can't be taken, and variables that mean nothing.
fn settings(environment: &Environment, place: &Place) -> Vec<Check> {
    let mut checks = Vec::new();
    match config::resolve(Layer::default(), environment, place) {
        Err(error) => checks.push(Check::problem(
            "settings",
            error.to_string(),
            "correct it: until then commands end with 125",
        )),
        Ok(resolved) if resolved.warnings.is_empty() => {
            let files = [
                place.root.as_ref().map(|root| root.join("nexus/aido.toml")),
                place.user_config.clone(),
            ];
            let there: Vec<String> = files
                .into_iter()
                .flatten()
                .filter(|file| file.exists())
                .map(|file| file.display().to_string())
                .collect();
            let what = if there.is_empty() {
                "no file; defaults".to_owned()
            } else {
                there.join(", ")
            };
            checks.push(Check::fine("settings", what));
        }
        Ok(resolved) => {
            let warnings = resolved.warnings.into_iter();
            checks.extend(warnings.map(|warning| {
                let mend = mend_of(&warning);
                Check::note("settings", warning, mend)
            }));
        }
    }
    let own = [
        crate::record::SESSION_VARIABLE,
        "AIDO_PAGER",
        super::hook::VARIABLE,
    ];
    for (name, _) in environment.all() {
        let name = name.to_string_lossy();
        if name.starts_with("AIDO_") && !own.contains(&&*name) && !config::layer::is_variable(&name)
        {
            let what = format!("the variable {name} means nothing to aido");
            checks.push(Check::note(
                "settings",
                what,
                "see the table of settings in docs/running.md",
            ));
        }
    }
    checks
}

/// The way out of a warning: of a file that the system refuses, and of a key that aido ignores.
fn mend_of(warning: &str) -> &'static str {
    match warning.contains(" is ignored: ") {
        true => "make the file readable for you, or move it away",
        false => "remove the key there",
    }
}

fn store(reader: &Reader, place: &Place) -> Vec<Check> {
    let path = reader.store.path().display().to_string();
    let mut checks = Vec::new();
    if let Some(root) = place
        .root
        .as_deref()
        .filter(|root| FileStore::stands_aside(root))
    {
        let what = format!("the store in {} belongs to another user", root.display());
        checks.push(Check::note(
            "store",
            what,
            "sessions go to your own instead; chown it to change that",
        ));
    }
    if reader.store.is_behind_a_link() {
        let what = format!("{path} is reached through a symbolic link, which is not followed");
        checks.push(Check::problem(
            "store",
            what,
            "put a directory in the link's place, or name one with AIDO_SESSION_DIR",
        ));
        return checks;
    }
    match reader.store.health() {
        Err(error) => checks.push(Check::problem(
            "store",
            error.to_string(),
            "make it a directory of your own",
        )),
        Ok(health) if !health.exists => {
            checks.push(Check::fine(
                "store",
                format!("{path}: nothing recorded yet"),
            ));
            checks.extend(health.unwritable.as_ref().map(unwritable));
        }
        Ok(health) => checks.extend(health_checks(&health, &path)),
    }
    checks.push(match reader.key() {
        Ok(_) => Check::fine("key", "there; sessions are signed"),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Check::note("key", "none yet", "the first recorded command makes it")
        }
        Err(error) => Check::problem("key", error.to_string(), "until it is mended sessions are UNSIGNED; make it 0600, or move it away to get a new one"),
    });
    checks
}

fn unwritable(error: &std::io::Error) -> Check {
    let mend = "commands run unrecorded until it can be written to";
    Check::problem("writing", error.to_string(), mend)
}

fn health_checks(health: &Health, path: &str) -> Vec<Check> {
    let mut checks = Vec::new();
    let sums = format!(
        "{path}: {}, {}",
        units::count(health.sessions as u64, "session"),
        units::size(health.total_bytes)
    );
    checks.push(Check::fine("store", sums));
    if let Some(error) = &health.exposed {
        checks.push(Check::problem(
            "privacy",
            error.to_string(),
            "chown and chmod 700 it; until then nothing is recorded",
        ));
    }
    if let Some(error) = &health.unwritable {
        checks.push(unwritable(error));
    } else if !health.has_locks {
        checks.push(Check::problem("locks", "the file system knows no locks", "running and interrupted sessions can't be told apart; name a local directory with AIDO_SESSION_DIR"));
    }
    if !health.ignored_by_git {
        checks.push(Check::problem(
            "git",
            "its .gitignore is missing",
            "the next recorded command makes it again",
        ));
    }
    if let Some(free_bytes) = health.free_bytes {
        let what = format!("{} left", units::size(free_bytes));
        checks.push(if free_bytes < LITTLE_ROOM_BYTES {
            Check::problem("disk", what, "aido prune --keep-bytes SIZE makes room")
        } else {
            Check::fine("disk", what)
        });
    }
    if health.interrupted > 0 {
        let what = units::count(health.interrupted as u64, "interrupted session");
        checks.push(Check::note("sessions", what, "aido recover finishes them"));
    }
    if health.unreadable > 0 {
        let count = units::count(health.unreadable as u64, "sidecar");
        let what = format!("{count} can't be read");
        checks.push(Check::problem(
            "sessions",
            what,
            "aido verify names them, aido recover makes torn ones again",
        ));
    }
    if health.torn_lines > 0 {
        let what = units::count(health.torn_lines as u64, "torn line");
        checks.push(Check::note(
            "index",
            what,
            "harmless; deleting index.jsonl makes it anew",
        ));
    }
    checks
}

fn terminal_checks(environment: &Environment) -> Vec<Check> {
    let mut checks = Vec::new();
    checks.push(match Pty::open(DEFAULT_SIZE, Processing::Off) {
        Ok(_) => Check::fine("terminals", "can be made"),
        Err(error) => Check::problem(
            "terminals",
            error.to_string(),
            "commands run with pipes instead; mount devpts on /dev/pts",
        ),
    });
    let streams = [
        std::io::stdin().is_terminal(),
        std::io::stdout().is_terminal(),
        std::io::stderr().is_terminal(),
    ];
    let name = environment.text("TERM").unwrap_or("not set");
    let what = match (streams, terminal::has_controlling_terminal()) {
        ([true, true, _], _) => "stdin and stdout are one: commands get one of their own",
        (_, true) => "there is one, but stdin or stdout is redirected",
        (_, false) => "there is none, as for agents and in CI",
    };
    checks.push(Check::fine(
        "terminal",
        format!("{what}; TERM is {}", sanitize::line(name)),
    ));
    checks
}

fn agent(environment: &Environment) -> Check {
    let identity = caller::identify(None, environment);
    let program = identity
        .harness
        .map_or("no agent program recognised".to_owned(), |harness| {
            harness.name
        });
    Check::fine("agent", format!("{} ({program})", identity.agent))
}
