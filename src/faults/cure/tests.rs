//! Cures on a written-down set of sequences: how many of those that are offered are right, and how
//! many of those that exist are found.

mod near_misses;

use super::*;
use crate::faults::{Rules, Run, Verdict, classify};
use crate::session::Outcome;
use near_misses::NEAR_MISSES;

/// What failed, what it said, what came after (`+` succeeded, `-` failed, `@dir` elsewhere, `~` by
/// another caller, `…` an hour later), and which of them is the cure, if one is.
type Sequence = (
    &'static str,
    i32,
    &'static str,
    &'static [&'static str],
    Option<usize>,
);

const SEQUENCES: &[Sequence] = &[
    // Slips, and options that don't exist.
    (
        "cargo build --relase",
        1,
        "error: unexpected argument '--relase' found",
        &["+cargo build --release"],
        Some(0),
    ),
    (
        "cargo biuld",
        101,
        "error: no such command: `biuld`",
        &["+ls", "+cargo build"],
        Some(1),
    ),
    (
        "git statsu",
        1,
        "git: 'statsu' is not a git command. See 'git --help'.",
        &["+git status"],
        Some(0),
    ),
    (
        "gti status",
        127,
        "bash: gti: command not found",
        &["+git status"],
        Some(0),
    ),
    (
        "pyhton3 a.py",
        127,
        "sh: 1: pyhton3: not found",
        &["+python3 a.py"],
        Some(0),
    ),
    (
        "python a.py",
        127,
        "sh: 1: python: not found",
        &["+python3 a.py"],
        Some(0),
    ),
    (
        "python a.py",
        127,
        "sh: 1: python: not found",
        &["+python3 b.py"],
        None,
    ),
    (
        "python -m http.serve",
        1,
        "/usr/bin/python: No module named http.serve",
        &["+python -m http.server"],
        Some(0),
    ),
    (
        "ls --colour-always",
        2,
        "ls: unrecognized option '--colour-always'",
        &["+ls --color=always"],
        Some(0),
    ),
    (
        "npm run biuld",
        1,
        "npm error Missing script: \"biuld\"",
        &["+cat package.json", "+npm run build"],
        Some(1),
    ),
    (
        "npm run start-dev",
        1,
        "npm error Missing script: \"start-dev\"",
        &["+npm run", "+npm run lint"],
        None,
    ),
    (
        "git checkout mian",
        1,
        "error: pathspec 'mian' did not match any file(s) known to git",
        &["+git branch", "+git checkout main"],
        Some(1),
    ),
    (
        "git checkout topic",
        1,
        "error: pathspec 'topic' did not match any file(s) known to git",
        &["+git checkout main"],
        None,
    ),
    (
        "git checkout topic",
        1,
        "error: pathspec 'topic' did not match any file(s) known to git",
        &["+git checkout -b topic"],
        None,
    ),
    (
        "pip install --nosuchflag flask",
        2,
        "no such option: --nosuchflag",
        &["+pip install flask"],
        Some(0),
    ),
    (
        "pip install --nosuchflag flask",
        2,
        "no such option: --nosuchflag",
        &["+pip install requests"],
        None,
    ),
    (
        "docker rnu web",
        1,
        "docker: 'rnu' is not a docker command.",
        &["+docker ps", "+docker run web"],
        Some(1),
    ),
    (
        "cargo test --no-captrue",
        1,
        "error: unexpected argument '--no-captrue' found",
        &["-cargo test --nocapture", "+cargo test -- --nocapture"],
        Some(1),
    ),
    (
        "cargo fmt --chekc",
        1,
        "error: unexpected argument '--chekc' found",
        &["+cargo build", "+cargo fmt --check"],
        Some(1),
    ),
    // Missing arguments and what a program itself proposes.
    (
        "git push",
        128,
        "fatal: The current branch topic has no upstream branch.",
        &["+git push --set-upstream origin topic"],
        Some(0),
    ),
    (
        "git push origin topic",
        1,
        " ! [rejected] topic -> topic (fetch first)",
        &["+git pull --rebase", "+git push origin topic"],
        None,
    ),
    (
        "git push origin topic",
        1,
        " ! [rejected] topic -> topic (non-fast-forward)",
        &["+git push origin topic --force-with-lease"],
        None,
    ),
    (
        "cp notes.txt",
        1,
        "cp: missing destination file operand after 'notes.txt'",
        &["+cp notes.txt old.txt"],
        Some(0),
    ),
    (
        "cp notes.txt",
        1,
        "cp: missing destination file operand after 'notes.txt'",
        &["+cp other.txt old.txt"],
        None,
    ),
    // The wrong place.
    (
        "git log",
        128,
        "fatal: not a git repository (or any of the parent directories): .git",
        &["+ls", "+@/work git log"],
        Some(1),
    ),
    (
        "cargo build",
        101,
        "error: could not find `Cargo.toml` in `/` or any parent directory",
        &["+@/work cargo build"],
        Some(0),
    ),
    (
        "cat a.txt",
        1,
        "cat: a.txt: No such file or directory",
        &["+cat b.txt"],
        None,
    ),
    (
        "cat a.txt",
        1,
        "cat: a.txt: No such file or directory",
        &["+ls", "+cat src/a.txt"],
        Some(1),
    ),
    (
        "cat REDME.md",
        1,
        "cat: REDME.md: No such file or directory",
        &["+cat README.md"],
        Some(0),
    ),
    (
        "ls src",
        2,
        "ls: cannot access 'src': No such file or directory",
        &["+ls"],
        None,
    ),
    // Cured by an edit or by something else: no command line is the cure.
    (
        "cargo build",
        101,
        "error[E0308]: mismatched types",
        &["+cargo build --release"],
        None,
    ),
    (
        "cargo test",
        101,
        "test a ... FAILED",
        &["+cargo test -- --skip a"],
        None,
    ),
    (
        "cargo build",
        101,
        "error[E0308]: mismatched types",
        &["+cargo build"],
        None,
    ),
    (
        "npm test",
        1,
        "Error: Cannot find module 'x'",
        &["+npm ci", "+npm test"],
        None,
    ),
    (
        "curl http://localhost:80",
        7,
        "curl: (7) Failed to connect: Connection refused",
        &["+curl http://localhost:81"],
        None,
    ),
    (
        "make all",
        2,
        "make: *** [Makefile:2: all] Error 1",
        &["+make clean"],
        None,
    ),
    (
        "./run.sh",
        126,
        "bash: ./run.sh: Permission denied",
        &["+chmod +x run.sh", "+./run.sh"],
        None,
    ),
    (
        "git checkout topic-a",
        1,
        "error: pathspec 'topic-a' did not match any file(s) known to git",
        &["+git checkout topic-b"],
        None,
    ),
    (
        "cat notes-1.md",
        1,
        "cat: notes-1.md: No such file or directory",
        &["+cat notes-2.md"],
        None,
    ),
    (
        "npm run test",
        1,
        "npm error Missing script: \"test\"",
        &["+npm run lint"],
        None,
    ),
    (
        "apt-get install jqq",
        100,
        "E: Unable to locate package jqq",
        &["+apt-get install jq"],
        Some(0),
    ),
    (
        "apt-get install jqq",
        100,
        "E: Unable to locate package jqq",
        &["+apt-get install curl"],
        None,
    ),
    (
        "./bulid.sh",
        127,
        "bash: line 1: ./bulid.sh: No such file or directory",
        &["+./build.sh"],
        Some(0),
    ),
    (
        "sudo apt-get update",
        1,
        "sudo: a password is required",
        &["+apt-get update"],
        Some(0),
    ),
    (
        "cargo test --lib foo",
        101,
        "error: unexpected argument '--lib' found",
        &["+cargo test"],
        None,
    ),
    (
        "rg --typ rust x",
        2,
        "rg: unrecognized flag --typ",
        &["+rg --type rust x"],
        Some(0),
    ),
    (
        "rg --typ rust x",
        2,
        "rg: unrecognized flag --typ",
        &["+rg --type rust y"],
        None,
    ),
    // Doubtful for who, when and what stands beside it.
    (
        "git statsu",
        1,
        "git: 'statsu' is not a git command.",
        &["~git status"],
        None,
    ),
    (
        "git statsu",
        1,
        "git: 'statsu' is not a git command.",
        &["…git status"],
        None,
    ),
    (
        "git statsu",
        1,
        "git: 'statsu' is not a git command.",
        &["-git status"],
        None,
    ),
    (
        "git statsu",
        1,
        "git: 'statsu' is not a git command.",
        &["+a", "+b", "+c", "+d", "+e", "+git status"],
        None,
    ),
    (
        "cargo build && cargo tset",
        101,
        "error: no such command: `tset`",
        &["+cargo build"],
        None,
    ),
    (
        "cd x && cargo biuld 2>&1 | tail -3",
        101,
        "error: no such command: `biuld`",
        &["+cargo build"],
        Some(0),
    ),
    (
        "cd x && cargo biuld | tail -3",
        101,
        "error: no such command: `biuld`",
        &["+cargo build"],
        Some(0),
    ),
    (
        "head -n x a.txt",
        1,
        "head: invalid number of lines: 'x'",
        &["+head -n 5 a.txt"],
        Some(0),
    ),
    (
        "git commit -m 'one'",
        128,
        "error: unknown option `mm'",
        &["+git commit -m 'two'"],
        None,
    ),
    (
        "kubectl get pdos",
        1,
        "error: the server doesn't have a resource type \"pdos\"",
        &["+kubectl get pods"],
        Some(0),
    ),
];

#[test]
fn a_cure_that_is_offered_is_right() {
    let rules = Rules::built_in();
    let (mut right, mut wrong, mut missed) = (0, Vec::new(), Vec::new());
    let sequences: Vec<&Sequence> = SEQUENCES.iter().chain(NEAR_MISSES).collect();
    for (line, code, text, later, wanted) in &sequences {
        let outcome = Outcome::Exited(*code);
        let run = Run {
            argv: &[],
            shell_line: Some(line),
            outcome: &outcome,
            output: "",
            errors: text,
        };
        let Verdict::Fault(cause) = classify(&run, &rules) else {
            panic!("{line} is no failure");
        };
        let failed = attempt(line, "/", "me", 0, false);
        let attempts = (1_i64..).zip(later.iter()).map(|(at, said)| {
            let (kind, line) = said.split_at(said.chars().next().unwrap().len_utf8());
            let (place, line) = match line.strip_prefix('@') {
                Some(elsewhere) => elsewhere.split_once(' ').unwrap(),
                None => ("/", line),
            };
            let caller = if kind == "~" { "other" } else { "me" };
            let at = if kind == "…" { 3_600_000 } else { at * 1000 };
            attempt(line, place, caller, at, kind != "-")
        });
        match (
            find_cure(&failed, &cause, attempts).map(|cure| cure.index),
            wanted,
        ) {
            (Some(found), Some(wanted)) if found == *wanted => right += 1,
            (None, None) => {}
            (None, Some(_)) => missed.push(line),
            (Some(found), _) => wrong.push((line, cause.class, later[found])),
        }
    }
    let offered = right + wrong.len();
    let exist = sequences
        .iter()
        .filter(|sequence| sequence.4.is_some())
        .count();
    let said = format!(
        "{right} of {offered} cures that were offered are right, and {right} of {exist} that exist were found"
    );
    assert!(wrong.is_empty(), "wrong: {wrong:?}");
    let page = include_str!("../../../docs/design/faults.md").replace('\n', " ");
    let measured = format!("the {} written-down sequences", sequences.len());
    assert!(
        page.contains(&said) && page.contains(&measured),
        "docs/design/faults.md: {measured}: {said}; missed: {missed:#?}"
    );
}

fn attempt<'a>(
    line: &'a str,
    directory: &'a str,
    caller: &'a str,
    started_ms: i64,
    has_succeeded: bool,
) -> Attempt<'a> {
    Attempt {
        argv: &[],
        shell_line: Some(line),
        directory,
        caller,
        started_ms,
        has_succeeded,
    }
}
