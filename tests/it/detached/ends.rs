//! How sessions without a caller end, and what their clients are told.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;

/// The supervisor of a session: the process that its id names.
pub(super) fn supervisor(id: &str) -> i32 {
    let parts: Vec<&str> = id.rsplit('-').collect();
    parts[1].parse().unwrap()
}

#[test]
fn stop_ends_everything_that_was_started() {
    let env = place();
    // A group of its own, a session of its own, and all of them stubborn.
    let script = "trap '' HUP TERM; setsid sh -c 'trap \"\" HUP TERM; sleep 600; sleep 600' & \
                  sleep 600 & echo ready; sleep 600; sleep 600";
    start(&env, "tree", &["sh", "-c", script]);
    wait_for(&env, "tree", "ready");
    let stopped = done(&env, &["stop", "tree", "--grace", "700ms", "--json"]);
    let stopped: Value = serde_json::from_str(&stopped).unwrap();
    assert_eq!(stopped[0]["exit_code"], 137, "{stopped}");
    wait_until("all are gone", || processes_of(&env.home()).is_empty());
    assert_eq!(env.only_session().meta["signal"], "SIGKILL");
    // Stopping what is over is no mistake.
    let again = aido(&env, &["stop", "tree"]);
    assert_eq!(again.code(), 0, "{again:?}");
    assert!(again.stderr_text().contains("over already"), "{again:?}");
}

#[test]
fn a_command_may_end_in_its_own_way() {
    let env = place();
    let script = "trap 'echo told; exit 7' TERM; echo ready; while :; do sleep 0.01; done";
    start(&env, "kind", &["sh", "-c", script]);
    wait_for(&env, "kind", "ready");
    done(&env, &["stop", "kind"]);
    let session = env.only_session();
    assert_eq!(session.meta["exit_code"], 7);
    assert!(contains(session.output(), b"told"));
}

#[test]
fn who_waits_for_a_session_whose_supervisor_is_killed_is_told_the_truth() {
    let env = place();
    let id = start(&env, "lost", &["sh", "-c", "echo ready; sleep 600"]);
    wait_for(&env, "lost", "ready");
    let waiter = env.aido(["wait", "lost"]).spawn();
    let other = env.aido(["wait", "lost", "--text", "never"]).spawn();
    // Both are connected when they have said what they want, which nobody can see but the supervisor.
    done(&env, &["wait", "lost", "--idle", "100ms"]);
    let killed = rustix::process::Pid::from_raw(supervisor(&id)).unwrap();
    rustix::process::kill_process(killed, rustix::process::Signal::KILL).unwrap();
    let waited = waiter.wait();
    assert_eq!(waited.code(), 125, "{waited:?}");
    assert!(waited.stderr_text().contains("was killed"), "{waited:?}");
    assert_eq!(other.wait().code(), 1);
    wait_until("the command is gone", || {
        processes_of(&env.home()).is_empty()
    });
    assert!(done(&env, &["capture", &id]).contains("ready"));
    let sent = aido(&env, &["send", &id, "x"]);
    assert_eq!(sent.code(), 1, "{sent:?}");
    assert!(done(&env, &["list"]).contains("interrupted"));
}

#[test]
fn a_starter_that_is_killed_with_its_group_leaves_the_session() {
    let env = place();
    let line = format!("{} start --name on -- cat; sleep 600", crate::support::AIDO);
    let starter = env.bare(["sh", "-c", &line]).spawn();
    wait_until("it runs", || {
        let listed = aido(&env, &["list", "--running"]);
        listed.stdout_text().contains(" on ")
    });
    let group = rustix::process::Pid::from_raw(starter.pid()).unwrap();
    rustix::process::kill_process_group(group, rustix::process::Signal::KILL).unwrap();
    starter.wait();
    done(&env, &["send", "on", "still here", "-e"]);
    wait_for(&env, "on", "^still here");
}

#[test]
fn a_socket_that_was_cleaned_away_comes_back() {
    let env = place();
    start(&env, "healed", &["cat"]);
    let run = env.home().join(".local/state/aido/run");
    let sockets = || -> Vec<_> {
        let mut found = files_below(&run);
        found.retain(|path| path.extension() == Some("s".as_ref()));
        found
    };
    let before = sockets();
    assert_eq!(before.len(), 1, "{before:?}");
    for path in [&run, &before[0]] {
        let mode = fs::symlink_metadata(path).unwrap().permissions().mode();
        let is_private = path.is_dir();
        assert!(
            !is_private || mode & 0o077 == 0,
            "{}: {mode:o}",
            path.display()
        );
    }
    fs::remove_dir_all(&run).unwrap();
    wait_until("it is back", || sockets().len() == 1);
    done(&env, &["send", "healed", "back", "-e"]);
    wait_for(&env, "healed", "^back");
}

#[test]
fn a_session_that_can_not_be_reached_is_waited_for_and_stopped() {
    let env = place();
    // Something else is in the way of every directory.
    env.write("home/.local/state/aido/run", "");
    let words = [
        "start",
        "--name",
        "bare",
        "--",
        "sh",
        "-c",
        "echo ready; cat",
    ];
    let run = env.aido(words).env("TMPDIR", "/proc/nonexistent").output();
    assert_eq!(run.code(), 0, "{run:?}");
    assert!(
        run.stderr_text().contains("nowhere for a socket"),
        "{run:?}"
    );
    let id = run.stdout_text().trim_end().to_owned();
    wait_until("it prints", || {
        done(&env, &["capture", &id]).contains("ready")
    });
    let sent = aido(&env, &["send", &id, "x"]);
    assert_eq!(sent.code(), 1, "{sent:?}");
    let waited = aido(&env, &["wait", &id, "--timeout", "10ms"]);
    assert_eq!(waited.code(), 124, "{waited:?}");
    done(&env, &["stop", &id]);
    assert_eq!(aido(&env, &["wait", &id]).code(), 143);
    assert!(!process_is_alive(supervisor(&id)));
}

#[test]
fn its_time_is_limited_on_request() {
    let env = place();
    let run = aido(&env, &["start", "--ttl", "300ms", "--name", "short", "cat"]);
    assert_eq!(run.code(), 0, "{run:?}");
    assert_eq!(aido(&env, &["wait", "short"]).code(), 124);
    assert_eq!(env.only_session().meta["status"], "timed_out");
}

#[test]
fn what_ends_at_once_is_waited_for_all_the_same() {
    let env = place();
    for code in [0, 5] {
        let run = aido(
            &env,
            &["start", "--", "sh", "-c", &format!("echo bye; exit {code}")],
        );
        let id = run.stdout_text().trim_end().to_owned();
        assert_eq!(aido(&env, &["wait", &id]).code(), code);
        assert!(done(&env, &["capture", &id]).contains("bye"));
        let met = aido(&env, &["wait", &id, "--text", "x", "--timeout", "15s"]);
        assert_eq!(met.code(), 1, "{met:?}");
    }
}
