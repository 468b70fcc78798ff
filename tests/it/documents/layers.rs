//! Who may use whom: what the source says, against docs/architecture.md.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::source::{code, uses, without_tests};
use super::{ARCHITECTURE, project, quoted};
use crate::support::files_below;

/// The longest file in src, in lines.
const LINES_MAX: usize = 500;

/// Module by module at the crate's root: which others it may use.
const MAY_USE: &[(&str, &[&str])] = &[
    ("session", &[]),
    ("sys", &["session"]),
    ("plan", &["session"]),
    ("clock", &["session", "sys"]),
    ("stats", &["session"]),
    ("faults", &["session"]),
    ("memory", &["faults", "redact", "session", "store", "sys"]),
    ("redact", &[]),
    ("egress", &["redact", "session"]),
    ("transcript", &["session"]),
    ("capture", &["clock", "plan", "session", "sys"]),
    (
        "checkpoint",
        &["clock", "environment", "place", "session", "sys"],
    ),
    ("store", &["egress", "session", "sys", "transcript"]),
    ("environment", &[]),
    ("agents", &[]),
    ("rewrite", &[]),
    (
        "conversations",
        &["agents", "environment", "place", "session", "view"],
    ),
    (
        "hook",
        &[
            "agents",
            "clock",
            "config",
            "environment",
            "faults",
            "place",
            "plan",
            "record",
            "rewrite",
            "session",
            "store",
            "sys",
        ],
    ),
    (
        "install",
        &["agents", "config", "environment", "place", "store", "sys"],
    ),
    (
        "config",
        &["environment", "place", "plan", "session", "sys"],
    ),
    ("place", &["environment", "session", "sys"]),
    ("caller", &["environment", "session"]),
    (
        "record",
        &[
            "caller",
            "capture",
            "checkpoint",
            "clock",
            "config",
            "egress",
            "environment",
            "faults",
            "memory",
            "place",
            "plan",
            "redact",
            "session",
            "store",
            "sys",
            "transcript",
            "wire",
        ],
    ),
    ("formats", &["redact", "session", "transcript", "view"]),
    ("import", &["session", "transcript"]),
    ("screen", &["session"]),
    (
        "wire",
        &["clock", "environment", "screen", "session", "sys"],
    ),
    (
        "supervise",
        &["capture", "screen", "session", "sys", "wire"],
    ),
    ("replay", &["view"]),
    ("rerun", &["record", "session", "store"]),
    (
        "view",
        &[
            "checkpoint",
            "faults",
            "handoff",
            "memory",
            "search",
            "session",
            "stats",
            "store",
            "transcript",
        ],
    ),
    ("search", &["session", "store", "transcript"]),
    (
        "handoff",
        &[
            "egress",
            "faults",
            "memory",
            "session",
            "store",
            "transcript",
        ],
    ),
    (
        "cli",
        &[
            "agents",
            "caller",
            "checkpoint",
            "clock",
            "config",
            "conversations",
            "egress",
            "environment",
            "faults",
            "formats",
            "handoff",
            "hook",
            "import",
            "install",
            "memory",
            "place",
            "plan",
            "record",
            "redact",
            "replay",
            "rerun",
            "rewrite",
            "screen",
            "search",
            "session",
            "stats",
            "store",
            "supervise",
            "sys",
            "transcript",
            "view",
            "wire",
        ],
    ),
];

/// A file's module path: the folders and the name, without `mod`.
fn module(path: &Path) -> Vec<String> {
    let relative = path
        .strip_prefix(project("src"))
        .unwrap()
        .with_extension("");
    let names = relative
        .iter()
        .map(|name| name.to_str().unwrap().to_owned());
    names.filter(|name| name != "mod").collect()
}

fn sources() -> Vec<PathBuf> {
    let mut paths = files_below(&project("src"));
    paths.retain(|path| path.extension() == Some("rs".as_ref()));
    paths
}

/// Which modules at the root each of them uses, tests aside.
fn used() -> BTreeMap<String, BTreeSet<String>> {
    let texts: Vec<(Vec<String>, String)> = sources()
        .iter()
        .map(|path| (module(path), code(&fs::read_to_string(path).unwrap())))
        .collect();
    let mut only_in_tests = BTreeSet::new();
    for (module, text) in &texts {
        for name in without_tests(text).1 {
            only_in_tests.insert([&module[..], &[name]].concat());
        }
    }
    let mut used: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (module, text) in texts {
        if only_in_tests.contains(&module) || ["main", "lib"].contains(&module[0].as_str()) {
            continue;
        }
        let mut found = uses(&without_tests(&text).0, module.len());
        found.remove(&module[0]);
        used.entry(module[0].clone()).or_default().extend(found);
    }
    used
}

/// The same as a map, from the table in the code.
fn allowed() -> BTreeMap<String, BTreeSet<String>> {
    let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    MAY_USE
        .iter()
        .map(|(module, names)| ((*module).to_owned(), own(names)))
        .collect()
}

#[test]
fn every_module_uses_what_the_table_allows() {
    assert_eq!(used(), allowed(), "what the source uses, and what it may");
}

#[test]
fn the_table_of_places_says_who_uses_whom() {
    let (_, table) = ARCHITECTURE.split_once("## Places").unwrap();
    let table = table.split("\n## ").next().unwrap();
    let mut said = BTreeMap::new();
    for row in table.lines().filter(|line| line.starts_with("| `src/")) {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").collect();
        let place = quoted(cells[0])[0].trim_start_matches("src/");
        let place = place.trim_end_matches('/').trim_end_matches(".rs");
        if !["main", "lib"].contains(&place) {
            let names = quoted(cells[2]).into_iter().map(str::to_owned);
            said.insert(place.to_owned(), names.collect());
        }
    }
    assert_eq!(said, allowed(), "docs/architecture.md, and the table here");
}

#[test]
fn the_tour_leads_through_every_module() {
    let text = fs::read_to_string(project("src/lib.rs")).unwrap();
    let (tour, list) = text.split_once("\npub mod ").unwrap();
    let modules = format!("pub mod {list}");
    let modules = modules.lines();
    let modules = modules.filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    let mut count = 0;
    for module in modules {
        assert!(tour.contains(&format!("[`{module}`]")), "{module}");
        count += 1;
    }
    assert_eq!(count, MAY_USE.len());
}

#[test]
fn nothing_uses_a_front_door() {
    for (module, used) in used() {
        assert!(!used.contains("cli"), "{module} uses cli");
    }
}

#[test]
fn the_program_is_a_few_lines_and_no_file_is_long() {
    for path in sources() {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        let most = if path.ends_with("src/main.rs") {
            19
        } else {
            LINES_MAX
        };
        assert!(lines <= most, "{}: {lines} lines", path.display());
    }
}
