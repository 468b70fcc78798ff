//! What is done with aido's sources besides building them: `cargo xtask proof` shows that what is promised
//! holds, `cargo xtask dist` makes the files of a release, `cargo xtask mutants` tests the tests,
//! `cargo xtask layout` finds what the linker puts first.
//!
//! Needs a clean checkout and cargo. Whatever else a part wants (valgrind, strace, another compiler) is
//! looked for, and where it isn't there the part is skipped and says so.

#![expect(
    clippy::disallowed_methods,
    reason = "these are rules for aido, which this is not part of"
)]

mod checks;
mod dist;
mod layout;
mod mutants;
mod proof;
mod shell;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// What can be asked for.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Line {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Show that what is promised holds: a table of claims, figures and results
    Proof(proof::Arguments),
    /// Make the files of a release: an archive, a Debian package, checksums
    Dist(dist::Arguments),
    /// Change one of the modules that stand alone in many places, and see whether its tests notice
    Mutants(mutants::Arguments),
    /// Find which code a run reaches, and write link/first.txt
    Layout,
}

fn main() -> ExitCode {
    let result = match Line::parse().task {
        Task::Proof(arguments) => proof::run(&arguments),
        Task::Dist(arguments) => dist::run(&arguments).map(|()| ExitCode::SUCCESS),
        Task::Mutants(arguments) => mutants::run(&arguments),
        Task::Layout => layout::run().map(|()| ExitCode::SUCCESS),
    };
    result.unwrap_or_else(|error| {
        eprintln!("xtask: {error:#}");
        ExitCode::from(2)
    })
}
