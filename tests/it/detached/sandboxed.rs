//! Where sockets are forbidden: everything goes through named pipes in the same private directory.

use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::PathBuf;

use rustix::process::{Pid, Signal, kill_process};

use super::*;
use crate::support::sandbox::{NO_CONNECTIONS, NO_SOCKETS, forbid, has_filters};
use crate::support::{Run, skipped};

/// A command with these calls forbidden, to it and to all that it starts.
fn boxed(env: &TestEnv, calls: &'static [i64], words: &[&str]) -> Run {
    env.aido(words).before_exec(forbid(calls))
}

#[track_caller]
fn boxed_done(env: &TestEnv, calls: &'static [i64], words: &[&str]) -> String {
    let run = boxed(env, calls, words).output();
    assert_eq!(run.code(), 0, "{words:?}: {run:?}");
    run.stdout_text()
}

fn lacks_filters(test: &str) -> bool {
    if !has_filters() {
        skipped(test, "the kernel filters no system calls");
    }
    !has_filters()
}

/// What is in the directory for sockets and doors, besides the lock on names.
fn met_at(env: &TestEnv) -> Vec<PathBuf> {
    let mut found = files_below(&env.home().join(".local/state/aido/run"));
    found.retain(|path| !path.ends_with(".names"));
    found
}

#[test]
fn without_sockets_a_session_is_talked_to_through_pipes() {
    if lacks_filters("without_sockets_a_session_is_talked_to_through_pipes") {
        return;
    }
    for calls in [NO_SOCKETS, NO_CONNECTIONS] {
        let env = place();
        let words = ["start", "--name", "in", "--", "sh", "-c", ASKING];
        let started = boxed(&env, calls, &words).output();
        assert_eq!(started.code(), 0, "{started:?}");
        assert_eq!(
            started.stderr_text(),
            "",
            "all of it works, so nothing is said"
        );
        let met = met_at(&env);
        assert!(
            met.iter()
                .all(|path| path.extension() != Some("s".as_ref())),
            "{met:?}"
        );
        let boxed = |words: &[&str]| boxed_done(&env, calls, words);
        boxed(&["wait", "in", "--text", ">>> $", "--timeout", "15s"]);
        let sent = boxed(&["send", "in", "one", "-e"]);
        boxed(&[
            "wait",
            "in",
            "--text",
            "^= one",
            "--after",
            sent.trim(),
            "--timeout",
            "15s",
        ]);
        let shown: Value = serde_json::from_str(&boxed(&["capture", "in", "--json"])).unwrap();
        assert_eq!(
            (&shown["live"], &shown["lines"][1]["text"]),
            (&true.into(), &"= one".into())
        );
        // More than a pipe takes at once, from one side and to the other.
        let long = env
            .aido(["send", "in", "--stdin", "-e"])
            .before_exec(forbid(calls));
        let lines = "x".repeat(4000) + "\n";
        let sent = long.stdin(lines.repeat(25)).output();
        assert_eq!(sent.code(), 0, "{sent:?}");
        boxed(&["wait", "in", "--text", "^= x{4000}$", "--timeout", "15s"]);
        let all = boxed(&["capture", "in", "--scrollback", "--json"]);
        assert!(all.len() > 100_000, "{}", all.len());
        wait_until("the list says so", || {
            boxed(&["list", "--running"]).contains("LAST")
        });
        // Several wait at once; all hear of the end.
        let words: [&[&str]; 3] = [
            &["wait", "in"],
            &["wait", "in", "--text", "never"],
            &["wait", "in"],
        ];
        let waiting = words.map(|words| env.aido(words).before_exec(forbid(calls)).spawn());
        done(&env, &["wait", "in", "--idle", "100ms", "--timeout", "15s"]);
        boxed(&["stop", "in"]);
        let codes = waiting.map(|waiting| waiting.wait().code());
        assert!(
            codes[0] >= 128 && codes[1] == 1 && codes[2] == codes[0],
            "{codes:?}"
        );
        wait_until("nothing of it is left", || met_at(&env).is_empty());
    }
}

#[test]
fn one_side_may_have_sockets_and_the_other_none() {
    if lacks_filters("one_side_may_have_sockets_and_the_other_none") {
        return;
    }
    let env = place();
    start(&env, "out", &["sh", "-c", ASKING]);
    boxed_done(&env, NO_SOCKETS, &["send", "out", "from the box", "-e"]);
    boxed_done(
        &env,
        NO_CONNECTIONS,
        &[
            "wait",
            "out",
            "--text",
            "^= from the box",
            "--timeout",
            "15s",
        ],
    );
    boxed_done(
        &env,
        NO_SOCKETS,
        &["start", "--name", "in", "--", "sh", "-c", ASKING],
    );
    done(&env, &["send", "in", "into the box", "-e"]);
    wait_for(&env, "in", "^= into the box");
    for path in met_at(&env) {
        let kind = fs::symlink_metadata(&path).unwrap();
        let is_fifo = kind.file_type().is_fifo();
        assert!(
            !is_fifo || kind.permissions().mode() & 0o777 == 0o600,
            "{}",
            path.display()
        );
    }
    done(&env, &["stop", "in", "out"]);
}

#[test]
fn conditions_and_passwords_hold_through_pipes_too() {
    if lacks_filters("conditions_and_passwords_hold_through_pipes_too") {
        return;
    }
    let env = place();
    let script = "printf 'proceed? '; read x; echo \"got $x\"; stty -echo; printf 'Password: '; \
                  read word; stty echo; echo ${#word} letters; cat";
    boxed_done(
        &env,
        NO_SOCKETS,
        &["start", "--name", "in", "--", "sh", "-c", script],
    );
    let boxed = |words: &[&str]| boxed(&env, NO_SOCKETS, words).output();
    boxed_done(
        &env,
        NO_SOCKETS,
        &["wait", "in", "--text", "proceed", "--timeout", "15s"],
    );
    for condition in [["--if-screen", "delete"], ["--if-idle", "1h"]] {
        let run = boxed(&["send", "in", "y", "-e", condition[0], condition[1]]);
        assert_eq!(run.code(), 1, "{run:?}");
        assert!(run.stderr_text().contains("nothing was typed"), "{run:?}");
    }
    boxed_done(
        &env,
        NO_SOCKETS,
        &["send", "in", "yes", "-e", "--if-screen", "proceed"],
    );
    boxed_done(
        &env,
        NO_SOCKETS,
        &["wait", "in", "--text", "Password", "--timeout", "15s"],
    );
    let refused = boxed(&["send", "in", "hunter2x", "-e"]);
    assert_eq!(refused.code(), 1, "{refused:?}");
    boxed_done(
        &env,
        NO_SOCKETS,
        &["send", "in", "hunter2x", "-e", "--secret"],
    );
    boxed_done(
        &env,
        NO_SOCKETS,
        &["wait", "in", "--text", "8 letters", "--timeout", "15s"],
    );
    for file in files_below(&env.path("")) {
        // A pipe would keep who reads it waiting.
        if fs::symlink_metadata(&file).is_ok_and(|kind| kind.is_file()) {
            let bytes = fs::read(&file).unwrap_or_default();
            assert!(!contains(&bytes, b"hunter2x"), "{}", file.display());
        }
    }
    boxed_done(&env, NO_SOCKETS, &["stop", "in"]);
    assert!(contains(env.only_session().output(), b"got yes"));
}

#[test]
fn somebody_sits_down_at_a_session_through_pipes() {
    if lacks_filters("somebody_sits_down_at_a_session_through_pipes") {
        return;
    }
    let env = place();
    boxed_done(
        &env,
        NO_SOCKETS,
        &[
            "start",
            "--name",
            "in",
            "--",
            "sh",
            "-c",
            &format!("{ASKING}; exit 4"),
        ],
    );
    let terminal = env.terminal().size(100, 20).before_exec(forbid(NO_SOCKETS));
    let mut seat = terminal.run([crate::support::AIDO, "attach", "in"]);
    seat.wait_for(">>>");
    seat.send("typed\r");
    seat.wait_for("= typed");
    seat.resize(60, 12);
    wait_until("the window follows", || {
        done(&env, &["capture", "in", "--json"]).contains(r#""columns":60"#)
    });
    seat.send("\x04");
    assert_eq!(seat.wait_code(), 4);
    seat.assert_restored("after the session's end");
}

#[test]
fn a_request_whose_client_was_killed_is_never_done() {
    if lacks_filters("a_request_whose_client_was_killed_is_never_done") {
        return;
    }
    let env = place();
    let id = start(&env, "in", &["sh", "-c", ASKING]);
    wait_for(&env, "in", ">>> $");
    let supervisor = Pid::from_raw(id.rsplit('-').nth(1).unwrap().parse().unwrap()).unwrap();
    kill_process(supervisor, Signal::STOP).unwrap();
    let client = boxed(&env, NO_SOCKETS, &["send", "in", "too late", "-e"]).spawn();
    let has_pipes = |ending: &str| {
        met_at(&env)
            .iter()
            .any(|path| path.extension() == Some(ending.as_ref()))
    };
    wait_until("it knocks", || has_pipes("q") && has_pipes("a"));
    client.kill();
    kill_process(supervisor, Signal::CONT).unwrap();
    boxed_done(&env, NO_SOCKETS, &["send", "in", "in time", "-e"]);
    wait_for(&env, "in", "^= in time");
    assert!(!done(&env, &["capture", "in"]).contains("too late"));
    done(&env, &["stop", "in"]);
    wait_until("its pipes are gone", || met_at(&env).is_empty());
}

#[test]
fn what_a_killed_supervisor_leaves_is_told_and_swept() {
    if lacks_filters("what_a_killed_supervisor_leaves_is_told_and_swept") {
        return;
    }
    let env = place();
    let words = [
        "start",
        "--name",
        "lost",
        "--",
        "sh",
        "-c",
        "echo ready; sleep 600",
    ];
    let id = boxed_done(&env, NO_SOCKETS, &words).trim_end().to_owned();
    boxed_done(
        &env,
        NO_SOCKETS,
        &["wait", "lost", "--text", "ready", "--timeout", "15s"],
    );
    let waiter = boxed(&env, NO_SOCKETS, &["wait", "lost"]).spawn();
    let other = boxed(&env, NO_SOCKETS, &["wait", "lost", "--text", "never"]).spawn();
    boxed_done(&env, NO_SOCKETS, &["wait", "lost", "--idle", "100ms"]);
    let supervisor = Pid::from_raw(id.rsplit('-').nth(1).unwrap().parse().unwrap()).unwrap();
    kill_process(supervisor, Signal::KILL).unwrap();
    let waited = waiter.wait();
    assert_eq!(waited.code(), 125, "{waited:?}");
    assert!(waited.stderr_text().contains("was killed"), "{waited:?}");
    assert_eq!(other.wait().code(), 1);
    let sent = boxed(&env, NO_SOCKETS, &["send", &id, "x"]).output();
    assert_eq!(sent.code(), 1, "{sent:?}");
    assert!(sent.stderr_text().contains("was killed"), "{sent:?}");
    assert!(!met_at(&env).is_empty(), "the killed could not clean up");
    let next = start(&env, "next", &["cat"]);
    wait_until("the next one does", || {
        let met = met_at(&env);
        let stems = met.iter().filter_map(|path| path.file_stem()?.to_str());
        let mut stems: Vec<&str> = stems.collect();
        stems.dedup();
        stems.len() == 1
    });
    done(&env, &["send", &next, "on", "-e"]);
    wait_for(&env, "next", "^on");
}

#[test]
fn an_agent_in_a_box_is_known_by_its_conversation() {
    if lacks_filters("an_agent_in_a_box_is_known_by_its_conversation") {
        return;
    }
    let env = place();
    let script = format!(
        "CODEX_THREAD_ID=one {} true; echo done; cat",
        crate::support::AIDO
    );
    let id = boxed_done(
        &env,
        NO_SOCKETS,
        &["start", "--name", "in", "--", "sh", "-c", &script],
    );
    boxed_done(
        &env,
        NO_SOCKETS,
        &["wait", "in", "--text", "^done", "--timeout", "15s"],
    );
    boxed_done(&env, NO_SOCKETS, &["stop", "in"]);
    let all = env.recorded();
    let outer = all
        .iter()
        .find(|session| session.id == id.trim_end())
        .unwrap();
    let told = outer
        .events
        .iter()
        .filter(|event| event["type"] == "conversation");
    let told: Vec<&Value> = told.map(|event| &event["conversation"]).collect();
    assert_eq!(told, ["one"]);
}

#[test]
fn where_the_state_directory_can_not_be_had_there_is_another_place() {
    let env = place();
    env.write("home/.local/state/aido", "in the way");
    fs::create_dir(env.path("tmp")).unwrap();
    let with = |words: &[&str]| {
        let run = env.aido(words).env("TMPDIR", env.path("tmp")).output();
        assert_eq!(run.code(), 0, "{words:?}: {run:?}");
        run.stdout_text()
    };
    with(&["start", "--name", "on", "--", "cat"]);
    let place = fs::read_dir(env.path("tmp"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    assert_eq!(
        place.metadata().unwrap().permissions().mode() & 0o777,
        0o700
    );
    // The start record says where it is; whoever comes needs no variable.
    done(&env, &["send", "on", "found", "-e"]);
    wait_for(&env, "on", "^found");
    done(&env, &["stop", "on"]);
}
