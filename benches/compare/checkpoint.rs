//! What a checkpoint costs, beside `git status` in the same tree.

use std::fs;
use std::io::{self, Write};

use super::Effort;
use super::run;
use super::scratch::{AIDO, Scratch};
use super::table::{Table, Target, milliseconds, spread};

/// How many files the tree has.
const FILES: usize = 10_000;
/// How many of them are changed in each round.
const CHANGED: usize = 20;
/// How many directories they stand in.
const DIRECTORIES: usize = 500;
/// What a checkpoint may cost at most, in times of `git status`.
const LIMIT: f64 = 3.0;

/// Measures `git status`, `aido true`, and the same with one checkpoint and with two, in a tree in which some
/// files change before each.
///
/// # Errors
/// When the tree can't be made or a command fails.
pub(crate) fn measure(scratch: &Scratch, effort: Effort) -> io::Result<String> {
    let rounds = match effort {
        Effort::Quick => 5,
        Effort::Normal | Effort::Full => 25,
    };
    let tree = scratch.path("checkpoint");
    let place = |number: usize| {
        let directory = number % DIRECTORIES;
        tree.join(format!(
            "d{}/e{directory}/file-{number}.txt",
            directory % 25
        ))
    };
    for number in 0..FILES {
        let path = place(number);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, format!("line of file {number}\n").repeat(20))?;
    }
    let within = |program: &str, words: &[&str]| {
        let mut command = scratch.command(program);
        command.current_dir(&tree).args(words);
        command
    };
    let identity = ["-c", "user.name=b", "-c", "user.email=b@b"];
    run::run(&mut within("git", &["init", "-q"]))?;
    run::run(&mut within("git", &["add", "."]))?;
    run::run(&mut within(
        "git",
        &[&identity[..], &["commit", "-qm", "first"]].concat(),
    ))?;
    // Files that are as old as the index are read again by whoever looks first.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    run::run(&mut within("git", &["status"]))?;
    let variants: [(&str, &str, &[&str]); 4] = [
        ("`git status`", "git", &["status", "--porcelain"]),
        ("`aido true`", AIDO, &["true"]),
        (
            "`aido --checkpoint before true`",
            AIDO,
            &["--checkpoint", "before", "true"],
        ),
        (
            "`aido --checkpoint both true`",
            AIDO,
            &["--checkpoint", "both", "true"],
        ),
    ];
    let mut times: Vec<Vec<f64>> = vec![Vec::new(); variants.len()];
    let mut first = 0.0;
    for round in 0..rounds {
        for (variant, ((_, program, words), times)) in variants.iter().zip(&mut times).enumerate() {
            for file in 0..CHANGED {
                let path = place((round * 97 + variant * 31 + file * 499) % FILES);
                let mut file = fs::OpenOptions::new().append(true).open(path)?;
                writeln!(file, "round {round} {variant}")?;
            }
            let time = milliseconds(run::run(&mut within(program, words))?);
            if round == 0 && variant == 2 {
                first = time;
            }
            times.push(time);
        }
        // Each round begins with so many changed files, and no more.
        run::run(&mut within(
            "git",
            &[&identity[..], &["commit", "-qam", "more"]].concat(),
        ))?;
    }
    let medians: Vec<f64> = times
        .into_iter()
        .map(|times| spread(times).median)
        .collect();
    let (status, plain) = (medians[0], medians[1]);
    let mut table = Table::new(&["", "ms", "added", "times `git status`", "target"]);
    for ((name, ..), median) in variants.iter().zip(&medians) {
        let added = median - plain;
        let is_checkpoint = name.contains("--checkpoint");
        let ratio = added / status;
        let most = if name.contains("both") {
            2.0 * LIMIT
        } else {
            LIMIT
        };
        let cell = |text: String| if is_checkpoint { text } else { String::new() };
        table.row(&[
            (*name).to_owned(),
            format!("{median:.1}"),
            cell(format!("{added:.1}")),
            cell(format!("{ratio:.2}")),
            cell(Target::AtMost(most).check(ratio)),
        ]);
    }
    fs::remove_dir_all(&tree)?;
    Ok(format!(
        "## Checkpoints\n\n{FILES} files, {CHANGED} or more changed since the last commit; the first of all took {first:.1} ms.\n\n{}",
        table.text()
    ))
}
