//! Measures aido against the bare command and its neighbours; docs/performance.md has the targets.
//!
//! `cargo bench` measures everything; `cargo bench -- startup throughput memory echo scale search
//! handoff redact detached checkpoint` chooses, with `quick` for few rounds and `full` for 4 GiB instead of 1 GiB of output
//! and for a million sessions. Variants are interleaved (A B C A B C …), so that a slow moment of the
//! machine hits all of them, and every ratio is to a reference of the same run. About the same for start-up, with hyperfine from Debian:
//!
//! `hyperfine -N -w 20 -r 200 true 'aido true' 'script -qec true /dev/null'`
#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock, and its scratch files are its own"
)]

#[path = "compare/checkpoint.rs"]
mod checkpoint;
#[path = "compare/detached.rs"]
mod detached;
#[path = "compare/echo.rs"]
mod echo;
#[path = "compare/handoff.rs"]
mod handoff;
#[path = "compare/machine.rs"]
mod machine;
#[path = "compare/memory.rs"]
mod memory;
#[path = "compare/redact.rs"]
mod redact;
#[path = "compare/run.rs"]
mod run;
#[path = "compare/scale.rs"]
mod scale;
#[path = "compare/scratch.rs"]
mod scratch;
#[path = "compare/search.rs"]
mod search;
#[path = "compare/startup.rs"]
mod startup;
#[path = "compare/table.rs"]
mod table;
#[path = "compare/terminal.rs"]
mod terminal;
#[path = "compare/throughput.rs"]
mod throughput;
#[path = "compare/writer.rs"]
mod writer;

use std::io::{self, Write};
use std::process::ExitCode;

use scratch::Scratch;

/// The first argument of the benchmark's own helper processes.
const HELPER: &str = "--as";

/// How much is measured.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effort {
    /// Enough to see that all works.
    Quick,
    /// What docs/performance.md asks for.
    Normal,
    /// With the largest amounts.
    Full,
}

type Section = fn(&Scratch, Effort) -> io::Result<String>;

const SECTIONS: [(&str, Section); 10] = [
    ("startup", startup::measure),
    ("throughput", throughput::measure),
    ("memory", memory::measure),
    ("echo", echo::measure),
    ("scale", scale::measure),
    ("search", search::measure),
    ("handoff", handoff::measure),
    ("redact", redact::measure),
    ("detached", detached::measure),
    ("checkpoint", checkpoint::measure),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.first().map(String::as_str) {
        Some(HELPER) => writer::help(&arguments[1..]),
        _ => start(&arguments),
    };
    match done {
        Ok(code) => code,
        // Whoever read the helper's output, or the report, has gone.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "compare: {error}");
            ExitCode::FAILURE
        }
    }
}

fn start(arguments: &[String]) -> io::Result<ExitCode> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let is_known = |word: &str| {
        ["--bench", "quick", "full"].contains(&word)
            || SECTIONS.iter().any(|(name, _)| *name == word)
    };
    if let Some(unknown) = words.iter().find(|word| !is_known(word)) {
        return Err(io::Error::other(format!(
            "unknown word {unknown}; there are startup, throughput, memory, echo, scale, search, handoff, redact, detached, checkpoint, quick, full"
        )));
    }
    if words.is_empty() {
        // `cargo test --all-targets` runs benchmarks too, without this flag.
        writeln!(io::stdout(), "nothing measured: run cargo bench")?;
        return Ok(ExitCode::SUCCESS);
    }
    // Like an agent's commands, those of the benchmark have no controlling terminal.
    if let Some(code) = terminal::leave(arguments)? {
        return Ok(code);
    }
    let effort = match (words.contains(&"quick"), words.contains(&"full")) {
        (true, _) => Effort::Quick,
        (false, true) => Effort::Full,
        (false, false) => Effort::Normal,
    };
    let scratch = Scratch::make()?;
    run::watch();
    let mut out = io::stdout();
    writeln!(out, "{}", machine::describe(&scratch)?)?;
    let chosen = |name: &str| {
        let all = !SECTIONS.iter().any(|(name, _)| words.contains(name));
        all || words.contains(&name)
    };
    let mut code = ExitCode::SUCCESS;
    for (name, measure) in SECTIONS.iter().filter(|(name, _)| chosen(name)) {
        writeln!(io::stderr(), "measuring {name} …")?;
        match measure(&scratch, effort) {
            Ok(text) => writeln!(out, "{text}")?,
            Err(error) => {
                writeln!(out, "## {name}\n\nnot measured: {error}\n")?;
                code = ExitCode::FAILURE;
            }
        }
    }
    writeln!(out, "Load average at the end: {}.", machine::load()?)?;
    Ok(code)
}
