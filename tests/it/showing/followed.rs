//! `aido show --follow`.

use std::io;
use std::os::fd::OwnedFd;

use super::show;
use crate::support::{Run, TestEnv, wait_until};

/// A command that says one thing after another, each when the test lets it: it waits for a file.
fn scripted(env: &TestEnv, steps: &[&str]) -> Run {
    let mut script = String::new();
    for (index, step) in steps.iter().enumerate() {
        script.push_str(&format!(
            "while [ ! -e step{index} ]; do sleep 0.01; done; {step}; "
        ));
    }
    env.aido(["--agent", "followed", "sh", "-c", &script])
}

fn let_go(env: &TestEnv, step: usize) {
    env.write(&format!("work/step{step}"), "");
}

/// Waits until the session is there to be followed.
fn wait_for_session(env: &TestEnv) {
    wait_until("the session has begun", || {
        show(env, &["@followed", "--meta"]).code() == 0
    });
}

#[test]
fn what_a_running_session_prints_comes_until_it_ends() {
    let env = TestEnv::new();
    let steps = [
        "echo one",
        "echo two; echo problem >&2",
        "printf '10%%\\r'; printf '100%%\\n'; printf 'Go on? '",
        "echo yes; exit 4",
    ];
    let run = scripted(&env, &steps).spawn();
    wait_for_session(&env);
    let followed = |options: &[&str]| {
        let words = [&["show", "@followed", "--follow"], options].concat();
        env.aido(words).spawn()
    };
    let text = followed(&[]);
    text.wait_for_stdout(b"outcome   running\n");
    let_go(&env, 0);
    text.wait_for_stdout(b"\n\none\n");
    let raw = followed(&["--raw"]);
    let errors = followed(&["--stderr"]);
    let found = followed(&["--grep", "^t", "-n", "-C", "1"]);
    raw.wait_for_stdout(b"one\n");
    let_go(&env, 1);
    text.wait_for_stdout(b"two\n");
    errors.wait_for_stdout(b"problem\n");
    found.wait_for_stdout(b"2:two\n");
    let last = followed(&["--tail", "1"]);
    let_go(&env, 2);
    // A question shows before its line has ended.
    text.wait_for_stdout(b"100%\nGo on?");
    let_go(&env, 3);
    assert_eq!(run.wait().code(), 4);
    let text = text.wait();
    let shown = text.stdout_text();
    let (_, shown) = shown.split_once("\n\n").unwrap();
    let mut lines: Vec<&str> = shown.lines().collect();
    // Which stream came first is nobody's promise.
    lines[1..3].sort_unstable();
    assert_eq!(lines, ["one", "problem", "two", "100%", "Go on? yes"]);
    assert_eq!(
        text.stderr_text(),
        "aido: the session ended: exit 4, exited\n"
    );
    assert_eq!(text.code(), 0);
    let raw = raw.wait();
    assert_eq!(
        (raw.code(), &raw.stdout[..]),
        (0, env.only_session().output())
    );
    assert_eq!(errors.wait().stdout_text(), "problem\n");
    let found = found.wait().stdout_text();
    assert!(
        found.starts_with("1-one\n2:two\n3-") || found.starts_with("2-problem\n3:two"),
        "{found}"
    );
    let last = last.wait().stdout_text();
    assert!(
        last.ends_with("100%\nGo on? yes\n") && last.lines().count() <= 4,
        "{last}"
    );
    assert!(!shown.contains("AI_EXIT_CODE"), "{shown}");
}

#[test]
fn a_killed_recorder_ends_it_with_what_there_is() {
    let env = TestEnv::new();
    let run = scripted(&env, &["echo one", "echo never"]).spawn();
    wait_for_session(&env);
    let followed = env
        .aido(["show", "@followed", "--follow", "--for-agent"])
        .spawn();
    let_go(&env, 0);
    followed.wait_for_stdout(b"one\n");
    run.signal(libc::SIGKILL);
    run.wait();
    let followed = followed.wait();
    assert_eq!(followed.code(), 0);
    assert_eq!(
        followed.stderr_text(),
        "aido: the session ended: unknown, interrupted\n"
    );
    assert!(
        followed
            .stdout_text()
            .contains(": end of recorded output, "),
        "{followed:?}"
    );
}

#[test]
fn an_interrupt_ends_it_after_what_it_was_saying() {
    let env = TestEnv::new();
    let run = scripted(&env, &["printf 'Go on? '", "echo never"]).spawn();
    wait_for_session(&env);
    let followed = env
        .aido(["show", "@followed", "--follow", "--for-agent"])
        .spawn();
    let_go(&env, 0);
    followed.wait_for_stdout(b"\n\nGo on?");
    followed.signal(libc::SIGINT);
    let followed = followed.wait();
    assert_eq!(followed.signal(), Some(libc::SIGINT), "{followed:?}");
    let text = followed.stdout_text();
    assert!(
        text.contains("Go on?\n[aido ") && text.ends_with(" bytes]\n"),
        "{text}"
    );
    assert_eq!(followed.stderr_text(), "");
    drop(run);
}

#[test]
fn a_reader_that_goes_away_ends_it_though_nothing_comes() {
    let env = TestEnv::new();
    let run = scripted(&env, &["echo never"]).spawn();
    wait_for_session(&env);
    let (reader, writer) = io::pipe().unwrap();
    let followed = env
        .aido(["show", "@followed", "--follow", "--raw"])
        .stdout_file(OwnedFd::from(writer))
        .spawn();
    drop(reader);
    let followed = followed.wait();
    assert_eq!(
        (followed.code(), followed.stderr.len()),
        (0, 0),
        "{followed:?}"
    );
    drop(run);
}

#[test]
fn a_session_that_has_ended_is_shown_as_ever() {
    let env = TestEnv::new();
    env.aido(["sh", "-c", "echo one; exit 2"]).output();
    for options in [&[][..], &["--tail", "1"], &["--raw"]] {
        let plain = show(&env, options);
        let followed = show(&env, &[options, &["--follow"]].concat());
        followed.assert_same_as(&plain, "a session that has ended");
        assert_eq!(plain.code(), 0);
    }
}
