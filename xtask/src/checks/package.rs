//! The package that `cargo publish` would send.

use std::collections::BTreeSet;

use super::{Check, Size};
use crate::proof::Row;
use crate::shell::{self, cargo};

/// What a build, its tests and a reader need.
const NEEDED: &[&str] = &[
    "Cargo.toml",
    "Cargo.lock",
    "LICENSE",
    "README.md",
    "CHANGELOG.md",
    "SECURITY.md",
    "CONTRIBUTING.md",
    "build.rs",
    "link/first.txt",
    "src/main.rs",
    "src/lib.rs",
    "src/redact/rules.txt",
    "src/faults/rules.toml",
    "schema/session.schema.json",
    "man/aido.1",
    "docs/cli.md",
    "nexus/aido.toml",
    "tests/it/main.rs",
    "tests/proof/main.rs",
    "tests/proof/instructions.toml",
    "tests/fuzz/mod.rs",
];

/// Where everything else must be.
const PLACES: &[&str] = &[
    "benches/",
    "docs/",
    "link/",
    "man/",
    "nexus/aido.toml",
    "schema/",
    "src/",
    "tests/",
    ".cargo/config.toml",
    ".gitignore",
    "clippy.toml",
    "deny.toml",
    "Cargo.toml.orig",
    ".cargo_vcs_info.json",
];

/// What cargo says of a package that names no page of its own: the checklist of a release has it.
const WITHOUT_A_PAGE: &str = "manifest has no documentation, homepage or repository";

pub(super) fn contents(check: &Check, _: Size) -> anyhow::Result<Vec<Row>> {
    let listed = shell::succeed(&mut cargo([
        "package",
        "--list",
        "--allow-dirty",
        "--offline",
    ]))?;
    let files: BTreeSet<&str> = listed.lines().collect();
    let mut row = Row::of(check).figures(format!("{} files", files.len()));
    for name in NEEDED.iter().filter(|name| !files.contains(*name)) {
        row = row.failed(format!("{name} is missing"));
    }
    let is_in_place = |file: &str| {
        NEEDED.contains(&file)
            || PLACES
                .iter()
                .any(|place| file == *place || (place.ends_with('/') && file.starts_with(place)))
    };
    for name in files.iter().filter(|file| !is_in_place(file)) {
        row = row.failed(format!("{name} should not be in it"));
    }
    Ok(vec![row])
}

pub(super) fn builds(check: &Check, _: Size) -> anyhow::Result<Vec<Row>> {
    let output = shell::output(&mut cargo([
        "package",
        "--locked",
        "--allow-dirty",
        "--package",
        "aido",
    ]))?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let packed = said
        .lines()
        .find_map(|line| line.trim().strip_prefix("Packaged "));
    let row = Row::of(check).figures(packed.unwrap_or_default());
    let warnings: Vec<&str> = said
        .lines()
        .filter(|line| line.starts_with("warning") && !line.contains(WITHOUT_A_PAGE))
        .collect();
    Ok(vec![match (output.status.success(), warnings.first()) {
        (false, _) => row.failed(shell::complaint(&output)),
        (true, Some(warning)) => row.failed((*warning).to_owned()),
        (true, None) => row,
    }])
}
