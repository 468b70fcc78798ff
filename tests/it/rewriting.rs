//! `aido hook rewrite`: a rewritten line does what the line does. Each is run in each shell that is here, as
//! it is and rewritten, and what comes out is compared: both streams, the status, the shell's own directory,
//! variables and functions, and the files that are left.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use proptest::prelude::*;

use crate::support::{AIDO, TestEnv, files_below, has_program};

mod hooked;

const SHELLS: [&str; 3] = ["bash", "dash", "zsh"];

/// A place with programs of its own, of which `aido` is one.
fn place() -> TestEnv {
    let env = TestEnv::new();
    fs::create_dir(env.sessions()).unwrap();
    fs::set_permissions(env.sessions(), Permissions::from_mode(0o700)).unwrap();
    fs::create_dir(env.path("bin")).unwrap();
    std::os::unix::fs::symlink(AIDO, env.path("bin/aido")).unwrap();
    // Says what it was given, copies its input if asked to, and ends as it is told.
    env.script(
        "bin/tell",
        "#!/bin/sh\ncode=0\nfor word; do\n  case $word in\n    -in) cat ;;\n    -err) echo \"on stderr\" >&2 ;;\n    -code) code=next ;;\n    *) if [ \"$code\" = next ]; then code=$word; else printf '<%s>' \"$word\"; fi ;;\n  esac\ndone\necho \"$PWD|${A-unset}|${B-unset}\" | sed 's|.*/work|work|'\n[ -t 1 ] && echo 'a terminal'\nexit $code\n",
    );
    // Leaves a file that says how often it ran.
    env.script(
        "bin/leave",
        "#!/bin/sh\nprintf x >> \"$1\"\necho \"left $1\"\n",
    );
    // On PATH twice, in the places where a line can put another.
    fs::create_dir(env.path("bin1")).unwrap();
    env.script("bin/new", "#!/bin/sh\necho another tool\n");
    // The same by names that are known: after these a line may go on.
    for (name, known) in [("tell", "pytest"), ("leave", "mypy")] {
        std::os::unix::fs::symlink(name, env.path(&format!("bin/{known}"))).unwrap();
    }
    env
}

fn refill(env: &TestEnv) {
    env.script("bin/tool", "#!/bin/sh\necho the tool\n");
    let (work, first) = (env.work(), env.path("bin1"));
    let left = [&work, &first].map(|directory| fs::read_dir(directory).unwrap());
    for entry in left.into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            fs::remove_dir_all(path).unwrap();
        } else {
            fs::remove_file(path).unwrap();
        }
    }
    for (name, text) in [
        ("a.txt", "one\ntwo\n"),
        ("b b.txt", "three\n"),
        ("sub/c.txt", "four\n"),
    ] {
        env.write(&format!("work/{name}"), text);
    }
}

fn search_path(env: &TestEnv) -> String {
    let [first, second] = ["bin1", "bin"].map(|name| env.path(name).display().to_string());
    format!("{first}:{second}:/usr/bin:/bin")
}

/// Everything that a line does.
#[derive(Debug, PartialEq, Eq)]
struct Effects {
    stdout: String,
    stderr: String,
    status: i32,
    files: BTreeMap<String, Vec<u8>>,
}

/// What the calling shell says of itself afterwards, whatever the line did to it.
const AFTERWARDS: &str = "\nstatus=$?\nprintf '\\n-- %s|%s|%s|%s|' \"$status\" \"$PWD\" \"${A-unset}\" \"${B-unset}\"\numask\ntype f g 2>/dev/null | head -1\nexit $status\n";

fn run(env: &TestEnv, shell: &str, line: &str) -> Effects {
    refill(env);
    let script = format!("{line}{AFTERWARDS}");
    let words: &[&str] = match shell {
        "zsh" => &["zsh", "-f", "-c"],
        "bash" => &["bash", "--norc", "-c"],
        shell => &[shell, "-c"],
    };
    let words = [words, &[script.as_str()]].concat();
    let run = env
        .bare(words)
        .env("PATH", search_path(env))
        .env("A", "outer a")
        .stdin("from outside\n")
        .output();
    let work = env.work();
    let name = |path: &Path| path.strip_prefix(&work).unwrap().display().to_string();
    Effects {
        status: run.code(),
        stdout: run.stdout_text(),
        stderr: sorted(&run.stderr_text()),
        files: files_below(&work)
            .iter()
            .map(|path| (name(path), fs::read(path).unwrap()))
            .collect(),
    }
}

/// The commands of a pipeline say what they say in any order.
fn sorted(text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines.join("\n")
}

fn rewritten(env: &TestEnv, line: &str) -> Option<String> {
    let run = env
        .aido(["hook", "--mode", "wrap", "rewrite", line])
        .env("PATH", search_path(env))
        .output();
    assert_eq!((run.code(), run.stderr_text().as_str()), (0, ""), "{line}");
    let text = run.stdout_text();
    text.strip_suffix('\n').map(str::to_owned)
}

/// Compares the line in every shell; true if it was rewritten at all.
#[track_caller]
fn compare(env: &TestEnv, line: &str) -> bool {
    refill(env);
    let Some(other) = rewritten(env, line) else {
        return false;
    };
    assert!(other.contains("aido --hooked -- "), "{other}");
    for shell in SHELLS {
        if !Path::new("/usr/bin").join(shell).exists() && !Path::new("/bin").join(shell).exists() {
            continue;
        }
        let (plain, under) = (run(env, shell, line), run(env, shell, &other));
        assert_eq!(under, plain, "{shell}: {line:?} became {other:?}");
    }
    true
}

#[test]
fn lines_that_agents_write_do_the_same_when_they_are_rewritten() {
    for shell in SHELLS {
        has_program(
            shell,
            "lines_that_agents_write_do_the_same_when_they_are_rewritten",
        );
    }
    let env = place();
    for line in [
        "tell one two",
        "tell 'a  b' \"c $A d\" e\\ f '' \"\"",
        "tell -code 3",
        "tell -err -code 7 2>&1",
        "tell -err 2>/dev/null",
        "tell -err >/dev/null",
        "pytest -err -code 1 >/dev/null 2>&1 || echo failed",
        "B=inner pytest; echo \"${B}\"",
        "A= B='x y' tell",
        "cd sub && pytest",
        "cd sub; pytest -code 2 && echo not; pytest",
        "cd missing && pytest",
        "cd missing; pytest",
        "export A=new B; pytest",
        "umask 077; mypy made",
        "tell *.txt",
        "tell ?.txt [ab].txt sub/*",
        "tell nothing*.here",
        "tell ~ $HOME \"$HOME\" '$HOME' \\$HOME",
        "tell $A",
        "tell \"$A\"${A}",
        "tell {a,b}c",
        "pytest {} \\; x{}",
        "tell a#b 50% @x =x +x -x a=b",
        "tell \"it's\" 'say \"hi\"' \"\\\"x\\\" \\\\ \\$A\"",
        "tell \"$ 5\" \"a $. b\"",
        "tell -in",
        "tell -in < a.txt",
        "tell -in <'b b.txt' | wc -l",
        "tell -in < missing.txt",
        "cat a.txt | tell -in | tail -n 1",
        "tell -code 5 | cat",
        "cat a.txt | tell -in -code 4",
        "mypy one && mypy two || mypy three; mypy four",
        "pytest -code 1 || mypy only",
        "true && pytest; false || pytest",
        "test -f a.txt && pytest yes\n[ -f none ] || pytest no",
        "pytest a\ntell b\n\ntell c",
        "pytest a \\\n  b \\\n  c",
        "pytest a |\n  cat",
        "  tell   spaced\tout  ",
        "pytest;",
        "tell $? $$x | sed 's/[0-9]*x/x/'",
        "pytest -code 9; echo \"status $?\"",
        "yes | tell -in | head -n 1",
        "yes x | head -n 3 | sort | tell -in",
        "seq 1 20000 | sort -n | xargs -n 5000 tell | wc -c",
        "seq 1 100000 | tail -n 1; pytest -in </dev/null",
        "find . -name '*.txt' -exec wc -l {} \\; | sort",
        "sh -c 'echo out; echo err >&2; exit 6'",
        "sh -c 'kill -TERM $$' | cat",
        "awk 'BEGIN { print \"x\"; exit 3 }'",
        "printf '%s\\n' a b | xargs pytest",
        "bin=pytest; pytest",
        "python3 -c 'print(1)'",
        "printf 'a\\0b' | od -c",
        "touch made && pytest && mkdir -p d/e && touch d/e/f",
        "pytest 'multi\nline' \"and\nanother\"",
        "tell é ü \"ß\" '日本'",
        "true; mypy x; cd sub; mypy y; cd ..; mypy z",
        "pytest -err -code 2; pytest -err 1>&2",
        "nice tell",
        "timeout 5 tell -code 3",
        "sh -c export",
        "python3 -c 'import os; print(sorted(os.environ.items()))'",
        "pytest a; sh -c 'echo $_'",
        "pytest; pytest $_; echo $_",
        "printf '%s|%5s\\n' a b; pytest",
        "tool && cat a.txt",
        "tool; tool",
        "tool; cp ../bin/new ../bin1/tool; tool",
        "tool; cp ../bin/new ../bin1/tool; tool; rm ../bin1/tool; tool",
        "chmod -x ../bin/tool; tool",
        "rm ../bin/tool; tool; pytest",
        "cp ../bin/new ../bin1/aido; pytest",
        "printf -v PATH %s /usr/bin:/bin; uname",
        "printf 'abc%n' PATH; pytest",
        "printf %d UID=5; pytest",
        "test -v 'a[PATH=1]'; pytest",
        "ARGV0=foo sh -c 'echo $0'",
        "UID=5 pytest",
        "<1-5>/dev/null pytest",
        "pytest a<1-5>/dev/null",
        "pytest $BASH_COMMAND \"$BASH_EXECUTION_STRING$ZSH_EXECUTION_STRING\"",
        "sh -c 'echo x >/dev/stderr'",
        "pytest; find . | sort; ls -R",
        "leave one; git status --ignored",
    ] {
        compare(&env, line);
    }
    let sessions = env.recorded();
    assert!(sessions.len() > 150, "{} sessions", sessions.len());
}

#[test]
fn what_is_recorded_is_the_whole_of_what_the_program_printed() {
    let env = place();
    let line = rewritten(&env, "seq 1 500 2>&1 | tail -n 1").unwrap();
    assert_eq!(line, "aido --hooked -- seq 1 500 2>&1 | tail -n 1");
    let done = run(&env, "dash", &line);
    assert!(done.stdout.starts_with("500\n"), "{done:?}");
    let session = env.only_session();
    assert_eq!(session.meta["argv"], serde_json::json!(["seq", "1", "500"]));
    assert_eq!(
        session
            .output()
            .iter()
            .filter(|byte| **byte == b'\n')
            .count(),
        500
    );
}

#[test]
fn lines_that_change_the_shell_are_left_alone() {
    let env = place();
    for line in [
        "f() { tell; }; f",
        "set -e; tell",
        "alias tell=leave; tell",
        "eval tell",
        "exec tell",
        ". ./x; tell",
        "source x; tell",
        "trap 'tell' EXIT; tell",
        "unset A; tell",
        "tell &",
        "tell & wait",
        "x=1",
        "x=$(tell)",
        "(tell)",
        "{ tell; }",
        "for x in a; do tell; done",
        "if tell; then tell; fi",
        "cat <<EOF\nx\nEOF",
        "tell > out",
        "tell # x",
        "tell !$",
        "PATH=/x tell",
        "no-such-program-here; tell",
        "aido tell",
        "",
    ] {
        assert_eq!(rewritten(&env, line), None, "{line}");
    }
    let off = env
        .aido(["hook", "rewrite", "tell"])
        .env("AIDO_HOOK", "0")
        .output();
    assert_eq!((off.code(), off.stdout_text().as_str()), (0, ""));
    // Its rules are about the line as it is.
    env.write(
        "work/opencode.json",
        "{\"permission\": {\"bash\": {\"tell *\": \"ask\"}}}",
    );
    assert_eq!(rewritten(&env, "tell x"), None);
    assert!(rewritten(&env, "sh -c :").is_some());
    // Where a shell wouldn't find this aido, nothing may call it.
    let elsewhere = env.aido(["hook", "rewrite", "true x; sh -c :"]).output();
    assert_eq!(
        (elsewhere.code(), elsewhere.stdout_text().as_str()),
        (0, "")
    );
}

/// A word of a command line, in any of the ways in which agents write one.
fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,4}",
        "[a-z=+:,./%@_-]{1,5}".prop_map(|text| format!("x{text}")),
        "[a-z $*;|&<>()#!~{}?\"\\\\-]{0,6}".prop_map(|text| format!("'{text}'")),
        "[a-z ;|&<>()#'*?{}~-]{0,6}".prop_map(|text| format!("\"{text}\"")),
        Just("\"$A\"".to_owned()),
        Just("$A".to_owned()),
        Just("${B}".to_owned()),
        Just("pre\"$A\"'post'".to_owned()),
        Just("*.txt".to_owned()),
        Just("\\;".to_owned()),
        Just("a\\ b".to_owned()),
        Just("{a,b}".to_owned()),
        Just("-err".to_owned()),
        Just("-in".to_owned()),
        Just("-code 3".to_owned()),
    ]
}

fn simple() -> impl Strategy<Value = String> {
    let words = || prop::collection::vec(word(), 0..4);
    let redirection = prop_oneof![
        6 => Just(""),
        1 => Just(" 2>&1"),
        1 => Just(" 2>/dev/null"),
        1 => Just(" >/dev/null"),
        1 => Just(" < a.txt"),
        1 => Just(" 1>&2"),
    ];
    let assignment = prop_oneof![5 => Just(""), 1 => Just("B=set "), 1 => Just("A='x y' B=$A ")];
    // One of which it is known that others may come after it, and one of which it isn't.
    let name = prop_oneof![4 => Just("pytest"), 1 => Just("tell")];
    let program =
        (assignment, name, words(), redirection).prop_map(|(assignment, name, words, to)| {
            format!("{assignment}{name} {}{to}", words.join(" "))
        });
    prop_oneof![
        8 => program,
        1 => Just("cd sub".to_owned()),
        1 => Just("cd ..".to_owned()),
        1 => Just("export B=exported".to_owned()),
        1 => words().prop_map(|words| format!("echo {}", words.join(" "))),
        1 => Just("cat".to_owned()),
        1 => Just("mypy trace".to_owned()),
        1 => Just("tool".to_owned()),
        1 => Just("cp ../bin/new ../bin1/tool".to_owned()),
        1 => Just("chmod -x ../bin/tool".to_owned()),
        1 => Just("rm -f ../bin1/tool".to_owned()),
        1 => Just("mkdir -p d/e".to_owned()),
        1 => Just("printf '%s,' a b".to_owned()),
        1 => Just("false".to_owned()),
        1 => Just("umask 027".to_owned()),
    ]
}

/// One that reads to the end: who writes into a pipe that nobody reads from dies sooner or later.
fn reader() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("cat".to_owned()),
        Just("tail -n 1".to_owned()),
        prop::collection::vec(word(), 0..3)
            .prop_map(|words| format!("pytest -in {}", words.join(" "))),
    ]
}

fn line() -> impl Strategy<Value = String> {
    let join = || {
        prop_oneof![
            Just(" && "),
            Just(" || "),
            Just("; "),
            Just("\n"),
            Just(";")
        ]
    };
    let pipe = prop_oneof![Just(" | "), Just(" |\n ")];
    let rest = prop_oneof![
        3 => (join(), simple()).prop_map(|(join, command)| format!("{join}{command}")),
        1 => (pipe, reader()).prop_map(|(pipe, command)| format!("{pipe}{command}")),
    ];
    (simple(), prop::collection::vec(rest, 0..4)).prop_map(|(first, rest)| first + &rest.concat())
}

#[test]
fn generated_lines_do_the_same_when_they_are_rewritten() {
    let env = place();
    let cases = 60;
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases,
        failure_persistence: None,
        max_shrink_iters: 40,
        ..ProptestConfig::default()
    });
    let compared = std::cell::Cell::new(0);
    runner
        .run(&line(), |line| {
            if compare(&env, &line) {
                compared.set(compared.get() + 1);
            }
            Ok(())
        })
        .unwrap();
    // Much of the grammar is what the rewrite is for.
    assert!(compared.get() * 4 > cases, "{} of {cases}", compared.get());
}
