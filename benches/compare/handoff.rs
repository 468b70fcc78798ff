//! Handing work over from a store of many sessions, and what a task costs a run.

use std::fs;
use std::io;
use std::path::Path;

use super::Effort;
use super::run;
use super::scale;
use super::scratch::{AIDO, Scratch};
use super::table::{Table, Target, milliseconds, spread};

/// What `aido handoff` may take above a process that does nothing, in milliseconds.
const LIMIT_MS: f64 = 20.0;
/// Peak memory that no reading word may exceed, in MiB.
const MEMORY_MIB: f64 = 64.0;
/// How many tasks there are.
const TASKS: usize = 20;
/// How many sessions the task has that a run is timed with.
const SESSIONS: usize = 500;

/// Measures `aido handoff` at 100,000 sessions, and a run that belongs to a task beside one that
/// doesn't.
///
/// # Errors
/// When a store can't be made or a command fails.
pub(crate) fn measure(scratch: &Scratch, effort: Effort) -> io::Result<String> {
    let (size, rounds) = match effort {
        Effort::Quick => (10_000, 10),
        Effort::Normal => (100_000, 40),
        Effort::Full => (1_000_000, 40),
    };
    let store = scratch.path("handoff/store");
    scale::make(scratch, &store, size)?;
    let mut list = scratch.command(AIDO);
    run::run(list.env("AIDO_SESSION_DIR", &store).arg("list"))?;
    for number in 0..TASKS {
        let task = format!("task {number}");
        run::run(within(scratch, &store).args(["--task", &task, "true"]))?;
    }
    let handed_over = hand_over(scratch, &store, size, rounds)?;
    let joined = join(scratch, &store, rounds)?;
    fs::remove_dir_all(scratch.path("handoff"))?;
    Ok(format!("## Handing over\n{handed_over}\n{joined}"))
}

/// aido with this store.
fn within(scratch: &Scratch, store: &Path) -> std::process::Command {
    let mut command = scratch.command(AIDO);
    command.env("AIDO_SESSION_DIR", store);
    command
}

fn hand_over(scratch: &Scratch, store: &Path, size: usize, rounds: usize) -> io::Result<String> {
    let variants: [(&str, &[&str]); 5] = [
        ("handoff", &["handoff"]),
        ("handoff --json", &["handoff", "--json"]),
        ("handoff --budget 20000", &["handoff", "--budget", "20000"]),
        (
            "handoff --task, one that is there",
            &["handoff", "--task", "task 7"],
        ),
        (
            "handoff --task, one that isn't",
            &["handoff", "--task", "no such task"],
        ),
    ];
    let mut nothing = Vec::new();
    let mut times: Vec<Vec<f64>> = vec![Vec::new(); variants.len()];
    for _ in 0..rounds {
        nothing.push(milliseconds(run::run(&mut scratch.command("true"))?));
        for ((_, words), times) in variants.iter().zip(&mut times) {
            let mut command = within(scratch, store);
            times.push(milliseconds(run::run(command.args(*words))?));
        }
    }
    let nothing = spread(nothing).median;
    let mut table = Table::new(&["", "ms above `true`", "target", "peak MiB", "target"]);
    for ((name, words), times) in variants.iter().zip(times) {
        let time = spread(times).median - nothing;
        let mut command = within(scratch, store);
        command.args(*words);
        let mut starter = scratch.command("sh");
        starter.env("AIDO_SESSION_DIR", store);
        let peak = run::peak_rss_kib(&command, &mut starter)? as f64 / 1024.0;
        table.row(&[
            (*name).to_owned(),
            format!("{time:.2}"),
            Target::AtMost(LIMIT_MS).check(time),
            format!("{peak:.1}"),
            Target::AtMost(MEMORY_MIB).check(peak),
        ]);
    }
    Ok(format!(
        "\n{size} sessions, {TASKS} open tasks; `true` takes {nothing:.2} ms.\n\n{}",
        table.text()
    ))
}

fn join(scratch: &Scratch, store: &Path, rounds: usize) -> io::Result<String> {
    for _ in 0..SESSIONS {
        run::run(within(scratch, store).args(["--task", "long", "true"]))?;
    }
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        without.push(milliseconds(run::run(within(scratch, store).arg("true"))?));
        let mut joined = within(scratch, store);
        with.push(milliseconds(run::run(
            joined.args(["--task", "long", "true"]),
        )?));
    }
    let (without, with) = (spread(without).median, spread(with).median);
    let mut table = Table::new(&["", "ms"]);
    table.row(&["`aido true`".to_owned(), format!("{without:.2}")]);
    table.row(&[
        format!("`aido --task long true`, a task of {SESSIONS} sessions"),
        format!("{with:.2}"),
    ]);
    table.row(&[
        "what the task adds".to_owned(),
        format!("{:.2}", with - without),
    ]);
    Ok(table.text().to_owned())
}
