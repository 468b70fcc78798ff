//! The reliability suites: each takes one promise and tries hard to break it, with the real binary.
//!
//! `cargo test --test proof` runs all of them in a small size, `cargo test --release --test proof --
//! full` in the size of which docs/reliability.md has the figures, and `-- S3 S8` some of them; `aido=PATH`
//! names another binary than the one that was built for the tests, and `json` is for `cargo xtask proof`. A line
//! a suite says what was tried and what came of it. There is no test harness underneath, because the
//! suites fill disks, mount file systems and use all processors: they run one after the other.
#![expect(
    unsafe_code,
    reason = "signals, mount namespaces and shutting a file system down can't be had otherwise"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "tests make their own files and look at the clock"
)]

mod arguments;
mod crowd;
mod dice;
mod machine;
mod memory_group;
mod mounts;
mod place;
mod processes;
mod running;
mod sessions;
mod suites;
mod supervisor;
mod trace;
mod verdict;
mod words;

use std::ffi::OsString;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::OnceLock;
use std::time::Instant;

use arguments::{Chosen, Form, Request};
use serde_json::json;
use suites::{SUITES, Suite};
use verdict::Verdict;

/// The binary under test, where another one than the tests' own was named.
static NAMED: OnceLock<PathBuf> = OnceLock::new();

/// The binary under test.
pub(crate) fn aido() -> &'static Path {
    NAMED
        .get()
        .map_or(Path::new(env!("CARGO_BIN_EXE_aido")), PathBuf::as_path)
}

/// How the binary under test was built; one that was named counts as a release.
pub(crate) fn profile() -> &'static str {
    match NAMED.get().is_none() && cfg!(debug_assertions) {
        true => "debug",
        false => "release",
    }
}

/// How much is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    /// With every `cargo test`.
    Quick,
    /// On request: takes tens of minutes.
    Full,
}

/// What every suite is given.
pub(crate) struct Bench {
    /// How much is to be tried.
    pub(crate) size: Size,
    /// Where chance begins.
    pub(crate) seed: u64,
    /// A directory that goes at the end, with whatever still runs in it.
    pub(crate) root: PathBuf,
}

impl Bench {
    /// One of two values, by size.
    pub(crate) fn pick<T>(&self, quick: T, full: T) -> T {
        match self.size {
            Size::Quick => quick,
            Size::Full => full,
        }
    }
}

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    match start(&arguments) {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(io::stderr(), "proof: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn start(arguments: &[OsString]) -> anyhow::Result<ExitCode> {
    let (root, words) = supervisor::told_by_supervisor(arguments);
    match arguments::parse(words)? {
        Request::Say(text) => {
            io::stdout().write_all(text.as_bytes())?;
            Ok(ExitCode::SUCCESS)
        }
        Request::Run(chosen) => match root {
            Some(root) => run(&chosen, root),
            None => supervisor::supervise(arguments),
        },
    }
}

fn run(chosen: &Chosen, root: PathBuf) -> anyhow::Result<ExitCode> {
    let bench = Bench {
        size: chosen.size,
        seed: chosen.seed,
        root,
    };
    if let Some(named) = &chosen.binary {
        NAMED.get_or_init(|| named.clone());
    }
    let mut out = io::stdout();
    match chosen.form {
        Form::Text => writeln!(out, "{}", machine::describe(&bench)?)?,
        Form::Json => writeln!(out, "{}", json!({"machine": machine::describe(&bench)?}))?,
    }
    let mut failed = Vec::new();
    for suite in SUITES.iter().filter(|suite| chosen.has(suite.name)) {
        let started = Instant::now();
        let mut verdict = attempt(suite, &bench);
        processes::none_left(&bench.root, &mut verdict);
        let seconds = started.elapsed().as_secs_f64();
        match chosen.form {
            Form::Text => writeln!(out, "{}", verdict.line(suite, seconds))?,
            Form::Json => writeln!(out, "{}", verdict.json(suite, seconds))?,
        }
        if verdict.is_bad() {
            failed.push(suite.name);
        }
    }
    if failed.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    if chosen.form == Form::Json {
        return Ok(ExitCode::FAILURE);
    }
    let names = failed.join(" ");
    writeln!(
        out,
        "FAILED: {names} (again, alone: cargo test --test proof -- seed={} {names})",
        bench.seed
    )?;
    Ok(ExitCode::FAILURE)
}

/// Runs a suite; one that can't go on, or panics, has failed.
fn attempt(suite: &Suite, bench: &Bench) -> Verdict {
    let result = catch_unwind(AssertUnwindSafe(|| (suite.run)(bench)));
    match result {
        Ok(Ok(verdict)) => verdict,
        Ok(Err(error)) => Verdict::of_failure(format!("could not go on: {error:#}")),
        Err(_) => Verdict::of_failure("panicked; the message is above".to_owned()),
    }
}
