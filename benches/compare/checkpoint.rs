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

/// What is done before a measured command, besides changing files.
#[derive(Clone, Copy, PartialEq)]
enum Before {
    /// Nothing.
    Nothing,
    /// What checkpoints left is removed: the next one is the first of its repository.
    Forget,
    /// The same, and the repository's index becomes as old as the oldest file: git reads all of them again,
    /// as right after cloning.
    ForgetAndAge,
    /// Only the latter.
    Age,
}

/// A command that is measured.
struct Variant {
    name: &'static str,
    program: &'static str,
    words: &'static [&'static str],
    before: Before,
    /// How many times `git status` of the same kind it may add at most; none of what is no checkpoint.
    limit: Option<f64>,
}

const ONE: &[&str] = &["--checkpoint", "before", "true"];
const TWO: &[&str] = &["--checkpoint", "both", "true"];
const STATUS: &[&str] = &["status", "--porcelain"];

const fn variant(
    name: &'static str,
    words: &'static [&'static str],
    before: Before,
    limit: f64,
) -> Variant {
    Variant {
        name,
        program: AIDO,
        words,
        before,
        limit: Some(limit),
    }
}

/// In the order in which they are run in each round.
const VARIANTS: [Variant; 8] = [
    Variant {
        program: "git",
        limit: None,
        ..variant("`git status`", STATUS, Before::Nothing, LIMIT)
    },
    Variant {
        limit: None,
        ..variant("`aido true`", &["true"], Before::Nothing, LIMIT)
    },
    variant("before, the first of all", ONE, Before::Forget, LIMIT),
    variant("before, a later one", ONE, Before::Nothing, LIMIT),
    variant("both, the first of all", TWO, Before::Forget, 2.0 * LIMIT),
    variant("both, later ones", TWO, Before::Nothing, 2.0 * LIMIT),
    Variant {
        program: "git",
        limit: None,
        ..variant(
            "`git status`, right after cloning",
            STATUS,
            Before::Age,
            LIMIT,
        )
    },
    variant(
        "before, the first of all, right after cloning",
        ONE,
        Before::ForgetAndAge,
        LIMIT,
    ),
];

/// Measures `git status`, `aido true`, and the same with one checkpoint and with two, in a tree in which the
/// same files change before each.
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
    let oldest = fs::metadata(place(0))?.modified()?;
    let within = |program: &str, words: &[&str]| {
        let mut command = scratch.command(program);
        command.current_dir(&tree).args(words);
        command
    };
    let identity = ["-c", "user.name=b", "-c", "user.email=b@b"];
    run::run(&mut within("git", &["init", "-q"]))?;
    run::run(&mut within("git", &["add", "."]))?;
    let commit = [&identity[..], &["commit", "-qam", "more"]].concat();
    run::run(&mut within("git", &commit))?;
    // Files that are as young as the index are read again by whoever looks first.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    run::run(&mut within("git", &["status"]))?;
    let mut times: Vec<Vec<f64>> = vec![Vec::new(); VARIANTS.len()];
    for round in 0..rounds {
        for (variant, times) in VARIANTS.iter().zip(&mut times) {
            if matches!(variant.before, Before::Forget | Before::ForgetAndAge) {
                fs::remove_dir_all(scratch.path("state/aido/checkpoints")).or_else(|error| {
                    match error.kind() {
                        io::ErrorKind::NotFound => Ok(()),
                        _ => Err(error),
                    }
                })?;
            }
            for file in 0..CHANGED {
                let path = place((round * 97 + file * 499) % FILES);
                let mut file = fs::OpenOptions::new().append(true).open(path)?;
                writeln!(file, "round {round} {}", variant.name)?;
            }
            if matches!(variant.before, Before::Age | Before::ForgetAndAge) {
                fs::File::options()
                    .append(true)
                    .open(tree.join(".git/index"))?
                    .set_modified(oldest)?;
            }
            times.push(milliseconds(run::run(&mut within(
                variant.program,
                variant.words,
            ))?));
        }
        // Each round begins with so many changed files, and no more.
        run::run(&mut within("git", &commit))?;
    }
    fs::remove_dir_all(&tree)?;
    Ok(format!(
        "## Checkpoints\n\n{FILES} files, {CHANGED} changed since the last commit and since the last checkpoint.\n\n{}",
        table(&times).text()
    ))
}

/// The medians, each checkpoint beside the `git status` of its kind.
fn table(times: &[Vec<f64>]) -> Table {
    let medians: Vec<f64> = times
        .iter()
        .map(|times| spread(times.iter().copied()).median)
        .collect();
    let plain = medians[1];
    let mut table = Table::new(&["", "ms", "added", "times `git status`", "target"]);
    for (variant, median) in VARIANTS.iter().zip(&medians) {
        let status = match variant.before {
            Before::Age | Before::ForgetAndAge => medians[6],
            Before::Nothing | Before::Forget => medians[0],
        };
        let added = median - plain;
        let ratio = added / status;
        let name = variant.name.to_owned();
        let median = format!("{median:.1}");
        match variant.limit {
            None => table.row(&[name, median, String::new(), String::new(), String::new()]),
            Some(limit) => table.row(&[
                name,
                median,
                format!("{added:.1}"),
                format!("{ratio:.2}"),
                Target::AtMost(limit).check(ratio),
            ]),
        }
    }
    table
}
