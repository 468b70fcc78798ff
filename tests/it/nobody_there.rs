//! Programs that would ask, page or draw, where nobody is there to answer: no controlling terminal.

use std::fs::File;

use crate::support::{Output, Run, TestEnv, contains, has_program};

/// `never` is left out: it gives no terminal at all, so nothing here could go wrong.
const MODES: [&str; 2] = ["always", "auto"];

/// Runs the words in each mode; `Run` has no controlling terminal and an empty standard input.
fn in_each_mode(env: &TestEnv, words: &[&str], mut judge: impl FnMut(&str, Output)) {
    for mode in MODES {
        judge(mode, env.aido([&["--tty", mode], words].concat()).output());
    }
}

/// aido's output in one mode, which must have ended with this code.
#[track_caller]
fn text(run: Run, code: i32) -> String {
    let output = run.output();
    assert_eq!(output.code(), code, "{output:?}");
    output.stdout_text()
}

/// A repository with this many commits.
fn repository(env: &TestEnv, commits: usize) {
    let mut stream = String::new();
    for number in 1..=commits {
        let message = format!("commit number {number}");
        let who = format!(
            "A U Thor <author@example.invalid> {} +0000",
            1_700_000_000 + number
        );
        stream += &format!(
            "commit refs/heads/main\ncommitter {who}\ndata {}\n{message}\n\n",
            message.len()
        );
    }
    text(env.bare(["git", "init", "-q", "-b", "main", "."]), 0);
    text(env.bare(["git", "fast-import", "--quiet"]).stdin(stream), 0);
}

// G01
#[test]
fn a_long_git_log_waits_in_no_pager() {
    if !has_program("git", "a_long_git_log_waits_in_no_pager") {
        return;
    }
    let env = TestEnv::new();
    repository(&env, 120);
    in_each_mode(&env, &["git", "log"], |mode, output| {
        let printed = output.stdout_text();
        assert_eq!(
            (output.code(), printed.matches("commit number").count()),
            (0, 120),
            "{mode}"
        );
        assert!(!printed.contains('\u{1b}'), "{mode}: no colours for nobody");
    });
}

#[test]
fn git_status_prints_what_it_prints_into_a_pipe() {
    if !has_program("git", "git_status_prints_what_it_prints_into_a_pipe") {
        return;
    }
    let env = TestEnv::new();
    repository(&env, 1);
    env.write("work/new", "");
    let bare = env.bare(["git", "status"]).output();
    assert!(contains(&bare.stdout, b"new"), "{bare:?}");
    in_each_mode(&env, &["git", "status"], |mode, output| {
        output.assert_same_as(&bare, mode)
    });
}

// G03
#[test]
fn a_manual_page_waits_in_no_pager() {
    if !has_program("man", "a_manual_page_waits_in_no_pager") {
        return;
    }
    let env = TestEnv::new();
    let paragraphs = "word word word\n.PP\n".repeat(200);
    env.write(
        "work/x.1",
        &format!(".TH X 1\n.SH NAME\nx - y\n.SH T\n{paragraphs}"),
    );
    let bare = env.bare(["man", "-l", "x.1"]).output();
    if bare.stdout_text().matches("word").count() != 600 {
        crate::support::skipped("a_manual_page_waits_in_no_pager", "man does not work here");
        return;
    }
    in_each_mode(&env, &["man", "-l", "x.1"], |mode, output| {
        let words = output.stdout_text().matches("word").count();
        assert_eq!((output.code(), words), (0, 600), "{mode}");
    });
}

// G04
#[test]
fn a_password_prompt_on_the_terminal_fails_at_once() {
    if !has_program("python3", "a_password_prompt_on_the_terminal_fails_at_once") {
        return;
    }
    let env = TestEnv::new();
    let asks = "import getpass; print('got', repr(getpass.getpass()))";
    in_each_mode(&env, &["python3", "-c", asks], |mode, output| {
        assert_eq!(
            (output.code(), output.stdout_text().contains("got")),
            (1, false),
            "{mode}"
        );
    });
}

// G05
#[test]
fn reading_from_dev_tty_fails_at_once() {
    let env = TestEnv::new();
    let script = "read x </dev/tty; echo \"rc=$? x=$x\"";
    let bare = text(env.bare(["sh", "-c", script]), 0);
    assert!(!bare.contains("rc=0"), "{bare}");
    in_each_mode(&env, &["sh", "-c", script], |mode, output| {
        assert_eq!(output.stdout_text(), bare, "{mode}: {output:?}");
    });
}

// G06
#[test]
fn a_prompt_on_an_empty_standard_input_gets_its_end() {
    let env = TestEnv::new();
    in_each_mode(
        &env,
        &["sh", "-c", "printf 'name? '; read x"],
        |mode, output| {
            assert_eq!(
                (output.code(), output.stdout_text().as_str()),
                (1, "name? "),
                "{mode}"
            );
        },
    );
}

// G07
#[test]
fn git_asks_nobody_for_a_user_name() {
    if !has_program("git", "git_asks_nobody_for_a_user_name") {
        return;
    }
    let env = TestEnv::new();
    for mode in MODES {
        let run = env.aido(["--tty", mode, "git", "credential", "fill"]);
        let output = run
            .stdin("protocol=https\nhost=example.invalid\n\n")
            .output();
        assert_eq!(output.code(), 128, "{mode}: {output:?}");
        assert!(
            output.stderr_text().contains("could not read Username"),
            "{mode}: {output:?}"
        );
    }
}

// G08
#[test]
fn ssh_keygen_asks_nobody_for_a_passphrase() {
    if !has_program("ssh-keygen", "ssh_keygen_asks_nobody_for_a_passphrase") {
        return;
    }
    let env = TestEnv::new();
    text(
        env.bare([
            "ssh-keygen",
            "-q",
            "-t",
            "ed25519",
            "-N",
            "sesame",
            "-f",
            "key",
        ]),
        0,
    );
    let bare = env.bare(["ssh-keygen", "-y", "-f", "key"]).output();
    in_each_mode(&env, &["ssh-keygen", "-y", "-f", "key"], |mode, output| {
        assert_eq!(output.code(), bare.code(), "{mode}: {output:?}");
        assert!(
            !contains(&output.stdout, b"ssh-ed25519"),
            "{mode}: {output:?}"
        );
    });
}

// G09
#[test]
fn top_sees_that_it_has_no_terminal() {
    if !has_program("top", "top_sees_that_it_has_no_terminal") {
        return;
    }
    let env = TestEnv::new();
    let bare = env.bare(["top"]).output();
    in_each_mode(&env, &["top"], |mode, output| {
        assert_eq!(output.code(), bare.code(), "{mode}: {output:?}");
    });
}

// G11
#[test]
fn an_interpreter_without_input_ends() {
    if !has_program("python3", "an_interpreter_without_input_ends") {
        return;
    }
    let env = TestEnv::new();
    in_each_mode(&env, &["python3", "-q"], |mode, output| {
        assert_eq!(output.code(), 0, "{mode}: {output:?}");
    });
}

const VARIABLES: &str =
    "for name in TERM PAGER GIT_PAGER MANPAGER GIT_TERMINAL_PROMPT COLUMNS LINES
    do eval \"echo $name=\\${$name-unset}\"; done";

#[test]
fn the_terminal_is_dumb_and_nothing_pages_or_prompts_in_always() {
    let env = TestEnv::new();
    let run = || env.aido(["--tty", "always", "sh", "-c", VARIABLES]);
    assert_eq!(
        text(run(), 0),
        "TERM=dumb\nPAGER=cat\nGIT_PAGER=cat\nMANPAGER=cat\nGIT_TERMINAL_PROMPT=0\n\
         COLUMNS=unset\nLINES=unset\n"
    );
    let chosen = run()
        .env("PAGER", "more")
        .env("GIT_PAGER", "")
        .env("MANPAGER", "most");
    let chosen = chosen
        .env("GIT_TERMINAL_PROMPT", "1")
        .env("COLUMNS", "99")
        .env("LINES", "9");
    assert_eq!(
        text(chosen, 0),
        "TERM=dumb\nPAGER=more\nGIT_PAGER=\nMANPAGER=most\nGIT_TERMINAL_PROMPT=1\n\
         COLUMNS=99\nLINES=9\n"
    );
}

#[test]
fn the_environment_is_untouched_in_auto() {
    let env = TestEnv::new();
    let bare = text(env.bare(["sh", "-c", VARIABLES]), 0);
    assert_eq!(
        text(env.aido(["--tty", "auto", "sh", "-c", VARIABLES]), 0),
        bare
    );
    let without = |run: Run| text(run.env_remove("TERM"), 0);
    let bare = without(env.bare(["sh", "-c", VARIABLES]));
    assert_eq!(
        without(env.aido(["--tty", "auto", "sh", "-c", VARIABLES])),
        bare
    );
}

const WHAT_IS_A_TERMINAL: &str =
    "for stream in 0 1 2; do [ -t $stream ] && printf 'terminal ' || printf 'other '; done";

#[test]
fn output_and_error_are_terminals_in_always_only() {
    let env = TestEnv::new();
    for (mode, expected) in [
        ("always", "other terminal terminal "),
        ("auto", "other other other "),
        ("never", "other other other "),
    ] {
        let run = || env.aido(["--tty", mode, "sh", "-c", WHAT_IS_A_TERMINAL]);
        assert_eq!(text(run(), 0), expected, "{mode}");
        assert_eq!(text(run().merged(), 0), expected, "{mode}, one channel");
        let file = File::create(env.work().join("error")).unwrap();
        assert_eq!(
            text(run().stderr_file(file), 0),
            expected,
            "{mode}, stderr in a file"
        );
    }
}

#[test]
fn the_window_of_nobody_is_wide() {
    let env = TestEnv::new();
    let size = text(
        env.aido(["--tty", "always", "sh", "-c", "stty size <&1"]),
        0,
    );
    let (rows, columns) = size.trim_end().split_once(' ').expect("rows and columns");
    assert_eq!(columns, "200");
    assert!(rows.parse::<u16>().unwrap() > 0);
}
