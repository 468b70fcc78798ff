//! What the proof consists of.

use crate::proof::Row;

mod package;
mod suites;
mod tests;
mod tools;

/// How much is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    /// Under half an hour on two cores.
    Quick,
    /// Hours.
    Full,
}

/// A claim, and what shows it.
pub(crate) struct Check {
    pub(crate) name: &'static str,
    pub(crate) claim: &'static str,
    pub(crate) shown_by: &'static str,
    /// Whether it takes too long for the quick proof.
    pub(crate) only_full: bool,
    /// Whether it gives several rows, which know how long each took.
    pub(crate) is_many: bool,
    pub(crate) run: fn(&Check, Size) -> anyhow::Result<Vec<Row>>,
}

const fn check(
    name: &'static str,
    claim: &'static str,
    shown_by: &'static str,
    run: fn(&Check, Size) -> anyhow::Result<Vec<Row>>,
) -> Check {
    Check {
        name,
        claim,
        shown_by,
        only_full: false,
        is_many: false,
        run,
    }
}

/// All of them, in their order: what is cheap and likely to fail comes first.
pub(crate) const CHECKS: &[Check] = &[
    check(
        "format",
        "the source has one form",
        "cargo fmt --check",
        tools::format,
    ),
    check(
        "lints",
        "no lint objects",
        "cargo clippy on the workspace",
        tools::lints,
    ),
    check(
        "pages",
        "every public item is documented, every link leads somewhere",
        "cargo doc",
        tools::pages,
    ),
    check(
        "licences",
        "every dependency has a licence and a source that deny.toml allows",
        "cargo deny",
        tools::licences,
    ),
    check(
        "package",
        "the package holds what a build needs, and nothing else",
        "cargo package --list",
        package::contents,
    ),
    check(
        "packaged",
        "the package builds by itself",
        "cargo package",
        package::builds,
    ),
    check(
        "oldest",
        "the oldest compiler that Cargo.toml names builds it",
        "cargo check with that toolchain",
        tools::oldest,
    ),
    check(
        "unit",
        "every part does what its tests say, properties included",
        "cargo test --lib",
        tests::unit,
    ),
    Check {
        is_many: true,
        ..check(
            "program",
            "the program does so from outside",
            "cargo test --test it",
            tests::program,
        )
    },
    check(
        "examples",
        "the examples in the source run",
        "cargo test --doc",
        tests::examples,
    ),
    Check {
        is_many: true,
        ..check(
            "suites",
            "the suites of docs/reliability.md, with the release binary",
            "tests/proof",
            suites::run,
        )
    },
    Check {
        only_full: true,
        ..check(
            "fuzz",
            "ten minutes of fuzzing a parser find nothing",
            "cargo fuzz, nightly",
            tools::fuzz,
        )
    },
    Check {
        only_full: true,
        ..check(
            "mutants",
            "changed code is noticed by tests, or in docs/mutants.md",
            "cargo xtask mutants",
            tools::mutants,
        )
    },
];
