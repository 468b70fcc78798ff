//! Finding secrets: how fast, how many of those that were planted, and how much ordinary text is taken
//! for one. Ordinary text is what this machine has: this project and its history, the sources of its
//! dependencies, documentation, and logs and lock files that are made here.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use aido::redact::{Depth, Options, Redactor, Report, Style};

use super::Effort;
use super::scratch::Scratch;
use super::table::{Target, spread};

#[path = "../../src/redact/tests/logs.rs"]
mod logs;
/// Secrets that are made up here, kind by kind.
#[path = "../../src/redact/tests/made.rs"]
mod made;

use made::{IN_CONTEXT, Lot, TOKENS};

/// The least speed on clean text, in MB a second.
const LEAST_SPEED: f64 = 100.0;
/// The most false replacements in a megabyte.
const MOST_FALSE: f64 = 1.0;
/// The most of one kind of text.
const MOST_BYTES: usize = 32 << 20;
const MIB: usize = 1 << 20;

/// Measures and reports.
pub(crate) fn measure(_scratch: &Scratch, effort: Effort) -> io::Result<String> {
    let rounds = if effort == Effort::Quick { 3 } else { 9 };
    let mut text = format!(
        "## Finding secrets\n\n{}\n\nMedians of {rounds} rounds, one thread.\n\n\
         | text | MB | MB/s | slowest round | replaced | a MB |\n|---|--:|--:|--:|--:|--:|\n",
        recall()
    );
    let strict = Redactor::new(Options {
        depth: Depth::Strict,
        ..Options::default()
    });
    let mut notes = String::new();
    for (name, bytes) in corpora() {
        let redactor = Redactor::default();
        let (speed, report) = run(&redactor, &bytes, rounds);
        row(&mut text, &name, bytes.len(), speed, &report);
        let counts: Vec<String> = report
            .counts()
            .map(|(rule, count)| format!("{rule} {count}"))
            .collect();
        if !counts.is_empty() {
            // Writing to a string does not fail.
            let _ = writeln!(notes, "- {name}: {}", counts.join(", "));
        }
        if name == CLEAN {
            let (speed, report) = run(&strict, &bytes, rounds);
            row(
                &mut text,
                &format!("{name}, `--strict`"),
                bytes.len(),
                speed,
                &report,
            );
        }
    }
    let _ = writeln!(
        text,
        "\nReplaced (examples of secrets in sources and documents are no false ones):\n\n{notes}"
    );
    Ok(text)
}

/// The text that the target is about.
const CLEAN: &str = "logs, lock files, diffs (made)";

fn row(text: &mut String, name: &str, bytes: usize, speed: super::table::Spread, report: &Report) {
    let megabytes = bytes as f64 / 1e6;
    let per_megabyte = report.total() as f64 / megabytes;
    let (speed_target, false_target) = match name {
        CLEAN => (
            format!(" ({})", Target::AtLeast(LEAST_SPEED).check(speed.median)),
            format!(" ({})", Target::AtMost(MOST_FALSE).check(per_megabyte)),
        ),
        _ => Default::default(),
    };
    let _ = writeln!(
        text,
        "| {name} | {megabytes:.1} | {:.0}{speed_target} | {:.0} | {} | {per_megabyte:.2}{false_target} |",
        speed.median,
        speed.min,
        report.total(),
    );
}

/// Megabytes a second, and what was replaced.
fn run(redactor: &Redactor, bytes: &[u8], rounds: usize) -> (super::table::Spread, Report) {
    let mut report = Report::default();
    let mut shown = Vec::with_capacity(bytes.len() + MIB);
    let speeds: Vec<f64> = (0..rounds)
        .map(|_| {
            shown.clear();
            let start = Instant::now();
            let mut stream = redactor.stream(Style::Token);
            for piece in bytes.chunks(64 * 1024) {
                stream.push(piece, &mut shown);
            }
            report = stream.finish(&mut shown);
            bytes.len() as f64 / 1e6 / start.elapsed().as_secs_f64()
        })
        .collect();
    (spread(speeds), report)
}

/// How many planted secrets are found, form by form.
fn recall() -> String {
    let redactor = Redactor::default();
    let (mut planted, mut seen) = (0, 0);
    let mut try_one = |secret: &str, text: &str, shown_as: &str| {
        planted += 1;
        let (shown, _) = redactor.text(text);
        let shown = shown.replace("\x1b[31m", "").replace('\n', "");
        let end = &secret[secret.len().saturating_sub(8)..];
        let end = end.replace('\n', "");
        if shown.contains(&end) && !shown_as.contains(&end) {
            seen += 1;
        }
    };
    let border = "a line of a log\n".repeat(64 * 1024 / 16);
    for (index, (_, recipe)) in TOKENS.iter().enumerate() {
        let secret = Lot::new(index as u64 + 1).cook(recipe);
        let split: String = secret.chars().flat_map(|letter| ['\x1b', letter]).collect();
        let split = split.replace('\x1b', "\x1b[31m");
        let (before, _) = border.split_at(border.len() - secret.len() / 2 - 1);
        for text in [
            format!("it is {secret} here\n"),
            format!("{{\"a\":\"{secret}\",\"b\":1}}"),
            format!("https://example.com/?q={secret}&x=1"),
            format!("it is {split} here\n"),
            format!("{before}\n{secret}\nmore\n"),
        ] {
            try_one(&secret, &text, "");
        }
    }
    for (index, (_, before, recipe, after)) in IN_CONTEXT.iter().enumerate() {
        let secret = Lot::new(index as u64 + 1001).cook(recipe);
        let (before, after) = (before.replace('|', ""), after.replace('|', ""));
        let split = secret.replace('\n', "\n\x1b[31m");
        let (filler, _) = border.split_at(border.len() - secret.len() / 2 - before.len());
        for text in [
            format!("{before}{secret}{after}"),
            format!("{before}\x1b[31m{split}\x1b[31m{after}"),
            format!("{filler}\n{before}{secret}{after}"),
        ] {
            try_one(&secret, &text, &after);
        }
    }
    format!(
        "Planted: {} kinds of token (plain, in JSON, in a URL, a colour before each letter, across a border \
         of 64 KiB) and {} that only what stands around them gives away (plain, coloured, across a border): \
         {planted} in all, {seen} seen.",
        TOKENS.len(),
        IN_CONTEXT.len(),
    )
}

/// Ordinary text, by name.
fn corpora() -> Vec<(String, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut corpora = vec![(CLEAN.to_owned(), made_text())];
    let mut add = |name: &str, bytes: Vec<u8>| {
        if bytes.len() > MIB / 4 {
            corpora.push((name.to_owned(), bytes));
        }
    };
    let mut own = Vec::new();
    for name in ["src", "docs", "benches", "Cargo.lock", "README.md"] {
        // This place and its tests hold examples of secrets.
        let is_ordinary =
            |path: &Path| !path.starts_with(root.join("src/redact")) && !path.ends_with("tests.rs");
        collect(&root.join(name), &is_ordinary, &mut own);
    }
    add("this project", own);
    let log = Command::new("git")
        .args(["log", "-p", "--", ".", ":!src/redact", ":!tests"])
        .current_dir(root)
        .output();
    let mut log = log.map(|output| output.stdout).unwrap_or_default();
    log.truncate(MOST_BYTES);
    add("`git log -p` of it", log);
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
    for (name, path) in [
        (
            "sources of crates",
            home.map(|home| home.join("registry/src")),
        ),
        ("`/usr/share/doc`", Some("/usr/share/doc".into())),
        ("`/usr/lib/python3`", Some("/usr/lib/python3".into())),
        ("`/usr/share/perl`", Some("/usr/share/perl".into())),
    ] {
        let mut bytes = Vec::new();
        if let Some(path) = path {
            collect(&path, &|_| true, &mut bytes);
        }
        add(name, bytes);
    }
    corpora
}

/// The texts below a path, in the order of their names, as far as there is room.
fn collect(path: &Path, is_wanted: &dyn Fn(&Path) -> bool, bytes: &mut Vec<u8>) {
    if bytes.len() >= MOST_BYTES || !is_wanted(path) || path.is_symlink() {
        return;
    }
    if let Ok(entries) = fs::read_dir(path) {
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            collect(&path, is_wanted, bytes);
        }
    } else if let Ok(text) = fs::read_to_string(path) {
        bytes.extend_from_slice(text.as_bytes());
        bytes.push(b'\n');
        bytes.truncate(MOST_BYTES);
    }
}

/// What builds print: digests, ids, lock files, diffs, encoded images, minified code.
fn made_text() -> Vec<u8> {
    let mut lot = Lot::new(2026);
    let mut text = logs::ordinary(&mut lot, 16 * MIB);
    text.truncate(16 * MIB);
    text.into_bytes()
}
