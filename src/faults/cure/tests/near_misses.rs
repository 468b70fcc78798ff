//! More sequences: commands that look like a cure and did something else besides, or something else, each
//! beside one that is a cure.

use super::Sequence;

pub(super) const NEAR_MISSES: &[Sequence] = &[
    (
        "git push origin topic",
        1,
        " ! [rejected] topic -> topic (non-fast-forward)",
        &["+git push origin topic --force"],
        None,
    ),
    (
        "git push origin topic",
        1,
        " ! [rejected] topic -> topic (fetch first)",
        &["+git push origin topic main"],
        None,
    ),
    (
        "git push",
        128,
        "fatal: The current branch topic has no upstream branch.",
        &["+git push -u origin main"],
        None,
    ),
    (
        "cp notes.txt",
        1,
        "cp: missing destination file operand after 'notes.txt'",
        &["+cp notes.txt --help"],
        None,
    ),
    (
        "cp notes.txt",
        1,
        "cp: missing destination file operand after 'notes.txt'",
        &["+cp notes.txt -v old.txt"],
        None,
    ),
    (
        "cargo test --test",
        2,
        "error: a value is required for '--test' but none was supplied: '--test' requires a value",
        &["+cargo test --test it"],
        Some(0),
    ),
    (
        "mytool send now",
        2,
        "mytool: the following arguments are required: --to",
        &["+mytool send now --to me"],
        Some(0),
    ),
    (
        "mytool send now",
        2,
        "mytool: the following arguments are required: --to",
        &["+mytool send now later"],
        None,
    ),
    // Another page, another order, and more than was asked for.
    (
        "ls --colour-always",
        2,
        "ls: unrecognized option '--colour-always'",
        &["+ls --help", "+ls --version", "+ls -h"],
        None,
    ),
    (
        "sort --foo a -r b",
        2,
        "sort: unrecognized option '--foo'",
        &["+sort a -r b -o a"],
        None,
    ),
    (
        "sort --foo a -r b",
        2,
        "sort: unrecognized option '--foo'",
        &["+sort -r b a", "+sort a -r b"],
        Some(1),
    ),
    (
        "git log --onelin -3 -p",
        128,
        "fatal: unrecognized argument: --onelin",
        &["+git log -3 -p --stat"],
        None,
    ),
    (
        "git log --onelin -3 -p",
        128,
        "fatal: unrecognized argument: --onelin",
        &["+git log --oneline -3 -p"],
        Some(0),
    ),
    (
        "ls -lZya",
        2,
        "ls: invalid option -- 'y'",
        &["+ls -a", "+ls -lZa"],
        Some(1),
    ),
];
