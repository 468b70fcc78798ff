//! What was asked for: a size, suites, a seed. `cargo test NAME` and its options arrive here too, and
//! are meant for the other test binaries.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::bail;

use super::Size;
use super::suites::SUITES;

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// Print this and do nothing else.
    Say(String),
    /// Run suites.
    Run(Chosen),
}

/// Which suites, and how.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Chosen {
    pub(crate) size: Size,
    pub(crate) seed: u64,
    /// Another binary than the one that was built for the tests.
    pub(crate) binary: Option<PathBuf>,
    pub(crate) form: Form,
    names: Vec<&'static str>,
}

/// How results are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A line a suite, for people.
    Text,
    /// An object a suite, a line each.
    Json,
}

impl Chosen {
    /// Whether a suite is to be run.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.names.contains(&name)
    }
}

/// Options of Rust's own test harness that change nothing here, and whether a value follows.
const TOLERATED: &[(&str, bool)] = &[
    ("--nocapture", false),
    ("--no-capture", false),
    ("--show-output", false),
    ("--quiet", false),
    ("-q", false),
    ("--exact", false),
    ("--include-ignored", false),
    ("--test", false),
    ("--report-time", false),
    ("--ensure-time", false),
    ("--shuffle", false),
    ("--force-run-in-process", false),
    ("--exclude-should-panic", false),
    ("--test-threads", true),
    ("--format", true),
    ("--color", true),
    ("--logfile", true),
    ("--shuffle-seed", true),
    ("-Z", true),
];

/// Reads the arguments.
///
/// # Errors
/// What is no word of the proof's and no option of a test harness.
pub(crate) fn parse(arguments: &[OsString]) -> anyhow::Result<Request> {
    let mut chosen = Chosen {
        size: Size::Quick,
        seed: 1,
        binary: None,
        form: Form::Text,
        names: Vec::new(),
    };
    let mut skipped = Vec::new();
    let mut unknown: Vec<&str> = Vec::new();
    let mut is_ours = false;
    let mut listed = false;
    let mut only_ignored = false;
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let Some(word) = argument.to_str() else {
            bail!("{} is no word of it; {}", argument.display(), allowed());
        };
        let option = word.split_once('=').map_or(word, |(name, _)| name);
        if let Some(name) = suite(word) {
            chosen.names.push(name);
        } else if word == "full" || word == "quick" {
            is_ours = true;
            chosen.size = if word == "full" {
                Size::Full
            } else {
                Size::Quick
            };
        } else if let Some(number) = word.strip_prefix("seed=") {
            is_ours = true;
            let Ok(seed) = number.parse() else {
                bail!(
                    "{number} is no seed, which is a whole number; {}",
                    allowed()
                );
            };
            chosen.seed = seed;
        } else if let Some(path) = word.strip_prefix("aido=") {
            is_ours = true;
            let path = PathBuf::from(path);
            if !path.is_absolute() || !path.is_file() {
                bail!("{} is no binary by an absolute path", path.display());
            }
            chosen.binary = Some(path);
        } else if word == "json" {
            is_ours = true;
            chosen.form = Form::Json;
        } else if word == "--list" {
            listed = true;
        } else if word == "--ignored" || word == "--bench" {
            only_ignored = true;
        } else if word == "-h" || word == "--help" {
            return Ok(Request::Say(format!("{}\n", allowed())));
        } else if option == "--skip" {
            let value = word.strip_prefix("--skip=").map(str::to_owned);
            let value = value.or_else(|| rest.next()?.to_str().map(str::to_owned));
            skipped.extend(value);
        } else if let Some((_, has_value)) = TOLERATED.iter().find(|(name, _)| *name == option) {
            if *has_value && option == word {
                rest.next();
            }
        } else if word.starts_with('-') {
            bail!("{word} is no option of it; {}", allowed());
        } else {
            unknown.push(word);
        }
    }
    if let Some(word) = unknown.first()
        && (is_ours || !chosen.names.is_empty())
    {
        bail!("there is no suite {word}; {}", allowed());
    }
    if only_ignored {
        return Ok(Request::Say(String::new()));
    }
    if let Some(word) = unknown.first() {
        // `cargo test NAME` for the sake of another binary.
        let text = format!(
            "proof: nothing run, no suite is called {word}; {}\n",
            allowed()
        );
        return Ok(Request::Say(if listed { String::new() } else { text }));
    }
    if chosen.names.is_empty() {
        chosen.names = SUITES.iter().map(|suite| suite.name).collect();
    }
    chosen
        .names
        .retain(|name| !skipped.iter().any(|skip| skip == name));
    if listed {
        let lines = chosen.names.iter().map(|name| format!("{name}: test\n"));
        return Ok(Request::Say(lines.collect()));
    }
    Ok(Request::Run(chosen))
}

fn suite(word: &str) -> Option<&'static str> {
    let found = SUITES
        .iter()
        .find(|suite| suite.name.eq_ignore_ascii_case(word));
    found.map(|suite| suite.name)
}

fn allowed() -> String {
    let names: Vec<&str> = SUITES.iter().map(|suite| suite.name).collect();
    format!(
        "there are: quick, full, seed=NUMBER, aido=PATH, json, {}",
        names.join(", ")
    )
}
