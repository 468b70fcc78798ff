//! Housekeeping: what a recorder does for the store after its own session, once an hour at most.

use std::fs::{self, File};

use rustix::fs::{FlockOperation, flock};
use serde_json::{Value, json};

use std::time::Duration;

use super::{plant, pruned};
use crate::support::{Run, TestEnv};

/// A store whose last housekeeping was more than an hour ago, with an old session and a new one.
fn due() -> (TestEnv, [String; 2]) {
    let env = TestEnv::new();
    let ids = [
        plant(&env, 1, 60, &json!({})),
        plant(&env, 2, 10, &json!({})),
    ];
    env.listed(&[]);
    env.write("sessions/.housekeeping", "");
    env.set_age(".housekeeping", 3700);
    (env, ids)
}

/// Records a session, with nothing to be noticed of anything else.
fn record(run: Run) {
    let run = run.output();
    assert!(run.code() == 0 && run.stderr.is_empty(), "{run:?}");
}

fn is_there(env: &TestEnv, id: &str) -> bool {
    env.file_of(id, "meta.json").exists()
}

#[test]
fn it_happens_hourly_and_not_the_first_time() {
    let env = TestEnv::new();
    let old = plant(&env, 1, 60, &json!({}));
    for _ in 0..2 {
        record(env.aido(["true"]));
        assert!(is_there(&env, &old), "the first time");
    }
    env.set_age(".housekeeping", 3500);
    record(env.aido(["true"]));
    assert!(is_there(&env, &old), "in the same hour");
    env.set_age(".housekeeping", 3700);
    record(env.aido(["true"]));
    assert!(!is_there(&env, &old), "after an hour");
    assert_eq!(pruned(&env), [(old, "housekeeping: age".to_owned())]);
    let other = plant(&env, 2, 60, &json!({}));
    record(env.aido(["true"]));
    assert!(is_there(&env, &other), "at once again");
    assert_eq!(env.listed(&["--since", "1h"]).len(), 5);
}

#[test]
fn it_can_be_switched_off_and_given_limits() {
    for (variable, value, is_left) in [
        ("AIDO_HOUSEKEEPING", "false", [true, true]),
        ("AIDO_KEEP_DAYS", "0", [true, true]),
        ("AIDO_KEEP_DAYS", "5", [false, false]),
        ("AIDO_KEEP_SESSIONS", "1", [false, false]),
        ("AIDO_NO_RECORD", "true", [true, true]),
    ] {
        let (env, ids) = due();
        record(env.aido(["true"]).env(variable, value));
        let left = ids.each_ref().map(|id| is_there(&env, id));
        assert_eq!(left, is_left, "{variable}={value}");
    }
    // A word that only reads keeps no house.
    let (env, ids) = due();
    env.read(&["list"]);
    assert!(is_there(&env, &ids[0]));
}

/// Another aido may hold a lock for long: it may be stopped. Nothing waits for it, and the next one
/// does what is to be done.
#[test]
fn it_waits_for_nobody() {
    for name in [".lock", ".housekeeping"] {
        let (env, ids) = due();
        let lock = File::options()
            .create(true)
            .append(true)
            .open(env.sessions().join(name))
            .unwrap();
        flock(&lock, FlockOperation::LockExclusive).unwrap();
        record(env.aido(["true"]).timeout(Duration::from_secs(8)));
        assert!(is_there(&env, &ids[0]), "{name}");
        drop(lock);
        record(env.aido(["true"]));
        assert!(!is_there(&env, &ids[0]), "{name}");
    }
}

/// The index may not know of a pin, and may know of what is gone.
#[test]
fn what_the_index_says_is_not_believed_where_it_matters() {
    let (env, ids) = due();
    let mut meta = env.meta(&ids[0]);
    meta["pinned"] = true.into();
    fs::write(env.file_of(&ids[0], "meta.json"), meta.to_string()).unwrap();
    let lines = fs::read_to_string(env.index()).unwrap();
    // One that is there is said to be huge, and one that isn't is huge.
    let lines = lines.replace("\"size_bytes\":", "\"size_bytes\":99");
    let mut ghost: Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
    ghost["session_id"] = "ai-agent-20260305_130000-3216-0000dead".into();
    ghost["size_bytes"] = (100_u64 << 30).into();
    fs::write(env.index(), format!("{lines}{ghost}\n")).unwrap();
    let limit = "100000";
    for housekeeper in ["true", "prune"] {
        let run = env.aido([housekeeper]).env("AIDO_KEEP_BYTES", limit);
        let run = run.env(
            "AIDO_KEEP_DAYS",
            if housekeeper == "true" { "30" } else { "0" },
        );
        run.output();
        assert!(is_there(&env, &ids[0]), "{housekeeper}: it is pinned");
        assert!(
            is_there(&env, &ids[1]),
            "{housekeeper}: it had to go for nothing"
        );
        assert_eq!(pruned(&env), [], "{housekeeper}");
    }
}

#[test]
fn it_finishes_what_was_killed_and_leaves_what_runs() {
    let (env, ids) = due();
    let running = env.aido(["sh", "-c", "echo READY; exec sleep 600"]).spawn();
    running.wait_for_stdout(b"READY");
    let killed = env.aido(["sh", "-c", "echo READY; exec sleep 600"]).spawn();
    killed.wait_for_stdout(b"READY");
    killed.kill();
    record(env.aido(["true"]).env("AIDO_KEEP_BYTES", "1"));
    assert!(!is_there(&env, &ids[0]) && !is_there(&env, &ids[1]));
    let states = env.read(&["list", "--fields", "state"]);
    assert_eq!(states, "running\n");
    running.signal(libc::SIGTERM);
    assert_eq!(running.wait().code(), 143);
    assert_eq!(env.only_session().output(), b"READY\n");
}
