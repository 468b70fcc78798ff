//! The tests of `cargo test`, and the hard cases that they prove.

use std::collections::BTreeSet;
use std::fs;

use super::{Check, Size};
use crate::proof::Row;
use crate::shell::{self, cargo};

/// What a test binary of Rust's said.
struct Ran {
    passed: BTreeSet<String>,
    failed: Vec<String>,
    /// Lines that a test left because it could not run here.
    skipped: BTreeSet<String>,
    complaint: Option<String>,
}

fn run(arguments: &[&str]) -> anyhow::Result<Ran> {
    run_named(arguments, &[])
}

/// Runs those tests whose paths hold one of these names, or all if there is no name.
fn run_named(arguments: &[&str], names: &[&str]) -> anyhow::Result<Ran> {
    let mut command = cargo(["test", "--locked"]);
    command.args(arguments).args(["--", "--show-output"]);
    command.args(names);
    let output = shell::output(&mut command)?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    let mut ran = Ran {
        passed: BTreeSet::new(),
        failed: Vec::new(),
        skipped: BTreeSet::new(),
        complaint: (!output.status.success()).then(|| shell::complaint(&output)),
    };
    for line in text.lines().chain(errors.lines()) {
        if let Some(skipped) = line.strip_prefix("SKIPPED: ") {
            ran.skipped.insert(skipped.to_owned());
        }
        let Some((name, result)) = line
            .strip_prefix("test ")
            .and_then(|rest| rest.rsplit_once(" ... "))
        else {
            continue;
        };
        match result {
            "ok" => drop(ran.passed.insert(name.to_owned())),
            "FAILED" => ran.failed.push(name.to_owned()),
            _ => {}
        }
    }
    Ok(ran)
}

fn row(check: &Check, ran: &Ran) -> Row {
    let mut figures = format!("{} tests", ran.passed.len());
    if !ran.skipped.is_empty() {
        figures += &format!(", {} can't run here", ran.skipped.len());
    }
    let mut row = Row::of(check).figures(figures);
    row.remarks
        .extend(ran.skipped.iter().map(|line| format!("skipped: {line}")));
    match &ran.complaint {
        None if ran.passed.is_empty() => row.failed("no test ran"),
        None => row,
        Some(_) if !ran.failed.is_empty() => {
            row.failed(format!("failed: {}", ran.failed.join(", ")))
        }
        Some(complaint) => row.failed(complaint),
    }
}

pub(super) fn unit(check: &Check, _: Size) -> anyhow::Result<Vec<Row>> {
    Ok(vec![row(check, &run(&["--lib"])?)])
}

pub(super) fn examples(check: &Check, _: Size) -> anyhow::Result<Vec<Row>> {
    // A library without an example has nothing that could fail.
    let ran = run(&["--doc"])?;
    let found = row(check, &ran);
    let is_empty = ran.passed.is_empty() && ran.complaint.is_none();
    Ok(vec![match is_empty {
        true => Row::of(check).skipped("there are none"),
        false => found,
    }])
}

/// The tests from outside; and each hard case of docs/hard-cases.md by the tests that it cites.
pub(super) fn program(check: &Check, _: Size) -> anyhow::Result<Vec<Row>> {
    let started = std::time::Instant::now();
    let ran = run(&["--test", "it"])?;
    let mut all = row(check, &ran);
    all.seconds = started.elapsed().as_secs();
    Ok(vec![all, hard_cases(&ran)?])
}

fn hard_cases(ran: &Ran) -> anyhow::Result<Row> {
    let page = fs::read_to_string(shell::root().join("docs/hard-cases.md"))?;
    let mut row = Row::named(
        "hard-cases",
        "each hard case of wrapping a command has tests that pass, or is a stated limit",
        "docs/hard-cases.md and the tests that it cites",
    );
    let (mut cases, mut limits) = (0, 0);
    let mut cited: Vec<(&str, &str)> = Vec::new();
    for line in page.lines() {
        let Some((id, rest)) = line
            .strip_prefix("| ")
            .and_then(|line| line.split_once(" | "))
        else {
            continue;
        };
        if id.len() != 3 || !id[1..].bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        cases += 1;
        let is_name = |name: &&str| {
            name.contains('_')
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        };
        let names: Vec<&str> = rest.split('`').skip(1).step_by(2).filter(is_name).collect();
        if names.is_empty() {
            limits += 1;
        }
        cited.extend(names.into_iter().map(|name| (id, name)));
    }
    // A test's path ends with its name.
    let name_of = |path: &String| path.rsplit("::").next().unwrap_or(path).to_owned();
    let mut passed: BTreeSet<String> = ran.passed.iter().map(name_of).collect();
    // Some stand beside the code.
    let others = cited.iter().map(|(_, name)| *name);
    let others: BTreeSet<&str> = others.filter(|name| !passed.contains(*name)).collect();
    if !others.is_empty() {
        let others: Vec<&str> = others.into_iter().collect();
        let beside = run_named(&["--lib"], &others)?;
        passed.extend(beside.passed.iter().map(name_of));
    }
    for (id, name) in &cited {
        if !passed.contains(*name) {
            row = row.failed(format!("{id}: {name} did not pass"));
        }
    }
    if cases == 0 {
        row = row.failed("no case was found");
    }
    let tests: BTreeSet<&str> = cited.iter().map(|(_, name)| *name).collect();
    let tests = tests.len();
    Ok(row.figures(format!(
        "{cases} cases by {tests} tests, {limits} stated limits"
    )))
}
