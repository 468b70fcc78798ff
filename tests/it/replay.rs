//! `aido replay`: a session as it happened, on a terminal that is left as it was.

use std::fs;
use std::os::unix::process::ExitStatusExt;

use serde_json::{Value, json};

use crate::support::{Session, TestEnv, contains};

/// Records a command on a terminal of its own and says when it printed what: pieces of these lengths, at
/// these times in seconds. Nothing signs the events.
fn recorded(env: &TestEnv, line: &str, pieces: &[(f64, u64)]) -> Session {
    let run = env.aido_in("always", ["-c", line]).output();
    assert_eq!(run.code(), 0, "{run:?}");
    let session = env.recorded().pop().unwrap();
    let (first, last) = (
        session.events[0].clone(),
        session.events.last().unwrap().clone(),
    );
    let mut events = vec![first];
    for (time, bytes) in pieces {
        events.push(json!({"type": "output", "time": time, "stream": "stdout", "bytes": bytes}));
    }
    events.push(last);
    let lines: String = events
        .iter()
        .map(|event: &Value| format!("{event}\n"))
        .collect();
    fs::write(
        env.sessions().join(format!("{}.events.jsonl", session.id)),
        lines,
    )
    .unwrap();
    session
}

#[test]
fn in_a_pipe_the_recorded_bytes_are_written_at_once() {
    let env = TestEnv::new();
    let session = recorded(
        &env,
        "printf 'one\\033[31m\\ntwo'",
        &[(3600.0, 3), (7200.0, 10)],
    );
    let run = env.aido(["replay"]).output();
    assert_eq!((run.code(), &run.stdout[..]), (0, session.output()));
    assert_eq!(run.stderr_text(), "");
}

#[test]
fn from_and_to_choose_what_is_written() {
    let env = TestEnv::new();
    recorded(&env, "printf abcdef", &[(1.0, 2), (60.0, 2), (3600.0, 2)]);
    for (options, expected) in [
        (&["--from", "30s"][..], "cdef"),
        (&["--to", "60"], "abcd"),
        (&["--from", "1m", "--to", "1h"], "cdef"),
        (&["--from", "2h"], ""),
    ] {
        let run = env.aido([&["replay"], options].concat()).output();
        assert_eq!(
            (run.code(), run.stdout_text()),
            (0, expected.to_owned()),
            "{options:?}"
        );
    }
}

#[test]
fn safe_leaves_text_and_colours() {
    let env = TestEnv::new();
    recorded(
        &env,
        "printf '\\033]0;t\\007\\033[2J\\033[31mred\\033[0m\\033[6n'",
        &[],
    );
    let run = env.aido(["replay", "--safe"]).output();
    assert_eq!(run.stdout_text(), "\x1b[31mred\x1b[0m\x1b[0m");
}

#[test]
fn a_wrong_number_is_refused_with_what_would_be_right() {
    let env = TestEnv::new();
    recorded(&env, "true", &[]);
    for (options, named) in [
        (&["--speed", "0"][..], "greater than 0"),
        (&["--speed", "fast"], "greater than 0"),
        (&["--idle-limit", "soon"], "90s"),
        (&["--from", "2", "--to", "1"], "--to is before --from"),
    ] {
        let run = env.aido([&["replay"], options].concat()).output();
        assert_eq!((run.code(), run.stdout.len()), (2, 0), "{options:?}");
        assert!(run.stderr_text().contains(named), "{options:?}: {run:?}");
    }
}

#[test]
fn on_a_terminal_pauses_are_waited_for_and_cut_short() {
    let env = TestEnv::new();
    recorded(
        &env,
        "printf abcdef",
        &[(3600.0, 2), (7200.0, 2), (7200.5, 2)],
    );
    for options in [
        &["--idle-limit", "1ms"][..],
        &["--speed", "1e9"],
        &["--from", "3h"],
    ] {
        let words = [&["aido", "replay"], options].concat();
        let mut session = env.terminal().run(words);
        session.wait_for("abcdef");
        session.wait_for("the end of");
        assert_eq!(session.wait_code(), 0, "{options:?}");
        session.assert_restored("after a replay");
    }
}

#[test]
fn space_pauses_dot_steps_and_q_ends() {
    let env = TestEnv::new();
    recorded(
        &env,
        "printf 'abcdef'",
        &[(3600.0, 1), (7200.0, 2), (9000.0, 3)],
    );
    let mut session = env.terminal().run(["aido", "replay"]);
    session.wait_for("q ends");
    session.send(".");
    session.wait_for("a");
    session.send("\x1b[C");
    session.wait_for("bc");
    // An answer of the terminal to a question in the recording is no key.
    session.send("\x1b[?62;q;.c \x1b]11;rgb:q. \x1b\\");
    session.send("q");
    assert_eq!(session.wait_code(), 0);
    session.assert_restored("after q");
    assert!(!contains(&session.output_so_far(), b"def"));
}

#[test]
fn ctrl_c_and_a_signal_end_it_as_they_end_any_program() {
    let env = TestEnv::new();
    recorded(
        &env,
        "printf '\\033[?1049h\\033[?25lab'",
        &[(0.0, 16), (7200.0, 2)],
    );
    let mut session = env.terminal().run(["aido", "replay"]);
    session.wait_for("\x1b[?25l");
    session.send("\x03");
    assert_eq!(session.wait_exit().signal(), Some(libc::SIGINT));
    session.assert_restored("after Ctrl-C");
    assert!(contains(&session.output_so_far(), b"\x1b[?1049l\x1b[?25h"));

    let mut session = env.terminal().run(["aido", "replay"]);
    session.wait_for("\x1b[?25l");
    // SAFETY: kill(2) takes no pointers; the process is this test's own child.
    unsafe { libc::kill(session.pid(), libc::SIGTERM) };
    assert_eq!(session.wait_exit().signal(), Some(libc::SIGTERM));
    session.assert_restored("after SIGTERM");
    assert!(contains(&session.output_so_far(), b"\x1b[?1049l\x1b[?25h"));
}

#[test]
fn what_the_recording_switched_on_is_switched_off() {
    let env = TestEnv::new();
    recorded(
        &env,
        "printf '\\033[?1049h\\033]0;title\\007\\033[?2004h\\033[1;31mx'",
        &[],
    );
    let mut session = env.terminal().run(["aido", "replay", "--speed", "1e9"]);
    // The title is kept before it is changed, and given back.
    session.wait_for("\x1b[22;0t");
    session.wait_for("\x1b]0;title\x07");
    session.wait_for("\x1b[?1049l\x1b[?2004l\x1b[0m\x1b[23;0t");
    session.wait_code();
}

#[test]
fn a_session_that_is_not_the_users_own_does_not_act() {
    let env = TestEnv::new();
    let session = recorded(&env, "printf '\\033]0;evil\\007text'", &[]);
    let sidecar = env.sessions().join(format!("{}.meta.json", session.id));
    let text = fs::read_to_string(&sidecar).unwrap();
    fs::write(&sidecar, text.replace("\"agent\": \"", "\"agent\":  \"")).unwrap();
    let mut shown = env.terminal().run(["aido", "replay", "--speed", "1e9"]);
    shown.wait_for("doesn't verify as your own");
    shown.wait_for("text");
    shown.wait_code();
    assert!(!contains(&shown.output_so_far(), b"evil"));
    let mut trusted = env
        .terminal()
        .run(["aido", "replay", "--speed", "1e9", "--trust"]);
    trusted.wait_for("\x1b]0;evil\x07");
    trusted.wait_code();
}

#[test]
fn a_line_feed_returns_where_it_did_when_it_was_recorded() {
    let env = TestEnv::new();
    let run = env.aido_in("never", ["-c", "printf 'a\\nb\\n'"]).output();
    assert_eq!(run.code(), 0);
    let mut session = env.terminal().run(["aido", "replay", "--speed", "1e9"]);
    session.wait_for("a\r\nb\r\n");
    session.wait_code();
}

#[test]
fn a_window_of_another_size_is_asked_to_change() {
    let env = TestEnv::new();
    let mut recorder = env
        .terminal()
        .size(100, 30)
        .aido("always", ["echo", "wide"]);
    recorder.wait_code();
    let mut session = env.terminal().run(["aido", "replay", "--speed", "1e9"]);
    session.wait_for("\x1b[8;30;100t");
    session.wait_for("wide");
    // This one doesn't.
    session.wait_for("recorded in a window of 100x30");
    session.wait_code();
}
