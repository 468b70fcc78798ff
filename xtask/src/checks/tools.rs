//! What cargo and its tools say.

use std::fs;
use std::process::Command;

use anyhow::Context;

use super::{Check, Size};
use crate::proof::Row;
use crate::shell::{self, cargo, cargo_of};

/// A row that passes if the command does.
fn by(check: &Check, command: &mut Command) -> anyhow::Result<Vec<Row>> {
    let output = shell::output(command)?;
    let row = Row::of(check);
    Ok(vec![match output.status.success() {
        true => row,
        false => row.failed(shell::complaint(&output)),
    }])
}

pub(super) fn format(check: &Check, _: Size) -> anyhow::Result<Vec<Row>> {
    by(check, &mut cargo(["fmt", "--all", "--check"]))
}

pub(super) fn lints(check: &Check, _: Size) -> anyhow::Result<Vec<Row>> {
    let words = [
        "clippy",
        "--locked",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ];
    by(check, &mut cargo(words))
}

pub(super) fn pages(check: &Check, _: Size) -> anyhow::Result<Vec<Row>> {
    let mut command = cargo(["doc", "--locked", "--no-deps", "--quiet"]);
    by(check, command.env("RUSTDOCFLAGS", "-D warnings"))
}

/// Advisories are another matter: their database comes over the network, so the release's checklist has them.
pub(super) fn licences(check: &Check, _: Size) -> anyhow::Result<Vec<Row>> {
    if !shell::has("cargo-deny") {
        return Ok(vec![
            Row::of(check).skipped("no cargo-deny here: cargo install --locked cargo-deny"),
        ]);
    }
    let words = [
        "deny",
        "--offline",
        "--locked",
        "check",
        "licenses",
        "bans",
        "sources",
    ];
    let mut rows = by(check, &mut cargo(words))?;
    let lock = fs::read_to_string(shell::root().join("Cargo.lock"))?;
    let count = lock.matches("[[package]]").count();
    rows[0].figures = format!("{count} packages in the lock file");
    Ok(rows)
}

/// `rust-version` of Cargo.toml.
fn oldest_version() -> anyhow::Result<String> {
    let manifest = fs::read_to_string(shell::root().join("Cargo.toml"))?;
    let line = manifest
        .lines()
        .find_map(|line| line.strip_prefix("rust-version = "));
    Ok(line
        .context("Cargo.toml has no rust-version")?
        .trim_matches('"')
        .to_owned())
}

pub(super) fn oldest(check: &Check, _: Size) -> anyhow::Result<Vec<Row>> {
    let version = oldest_version()?;
    let row = Row::of(check).figures(format!("Rust {version}"));
    let toolchain = cargo_of(&version, &["--version"]).output();
    if !toolchain.is_ok_and(|output| output.status.success()) {
        let how = format!("Rust {version} is not installed: rustup toolchain install {version}");
        return Ok(vec![row.skipped(how)]);
    }
    let mut command = cargo_of(&version, &["check", "--locked"]);
    command
        .arg("--target-dir")
        .arg(shell::target_directory()?.join("oldest"));
    let output = shell::output(&mut command)?;
    Ok(vec![match output.status.success() {
        true => row,
        false => row.failed(shell::complaint(&output)),
    }])
}

pub(super) fn fuzz(check: &Check, _: Size) -> anyhow::Result<Vec<Row>> {
    const SECONDS: u64 = 600;
    let row = Row::of(check);
    let has_nightly = cargo_of("nightly", &["--version"]).output();
    if !has_nightly.is_ok_and(|output| output.status.success()) || !shell::has("cargo-fuzz") {
        let how = "it needs a nightly toolchain and cargo-fuzz (cargo install --locked cargo-fuzz)";
        return Ok(vec![row.skipped(how)]);
    }
    let mut list = cargo_of("nightly", &["fuzz", "list"]);
    let targets = shell::succeed(&mut list)?;
    let (mut row, mut count) = (row, 0);
    for target in targets.lines() {
        count += 1;
        let output = shell::output(&mut fuzz_command(target, SECONDS)?)?;
        if !output.status.success() {
            row = row.failed(format!("{target}: {}", shell::complaint(&output)));
        }
    }
    Ok(vec![
        row.figures(format!("{count} parsers, {SECONDS} s each")),
    ])
}

/// What it finds new goes to fuzz/corpus, which is not kept; it begins with what is.
fn fuzz_command(target: &str, seconds: u64) -> anyhow::Result<Command> {
    let root = shell::root();
    let found = root.join("fuzz/corpus").join(target);
    fs::create_dir_all(&found)?;
    // Parsers have no unsafe code, which is what a sanitizer would look for at half the speed.
    let mut command = cargo_of("nightly", &["fuzz", "run", "--sanitizer", "none", target]);
    command
        .arg(found)
        .arg(root.join("tests/fuzz/corpus").join(target));
    command.args([
        "--",
        &format!("-max_total_time={seconds}"),
        "-timeout=30",
        "-rss_limit_mb=2048",
    ]);
    Ok(command)
}

pub(super) fn mutants(check: &Check, _: Size) -> anyhow::Result<Vec<Row>> {
    let row = Row::of(check);
    if !shell::has("cargo-mutants") {
        return Ok(vec![row.skipped(
            "no cargo-mutants here: cargo install --locked cargo-mutants",
        )]);
    }
    let survivors = crate::mutants::all()?;
    let figures = format!("{} tried, {} noticed", survivors.tried, survivors.noticed);
    let mut row = row.figures(figures);
    for survivor in survivors.unexplained {
        row = row.failed(survivor);
    }
    Ok(vec![row])
}
