//! Checkpoints around a session without a caller.

use serde_json::Value;

use super::{json, ok, patient, print_of, text, with_files};
use crate::support::{TestEnv, wait_until};

/// Starts a session, and waits until its sidecar is there.
#[track_caller]
fn run(env: &TestEnv, words: &[&str]) -> Value {
    let before = env.recorded().len();
    ok(env, words);
    wait_until("the session is over", || {
        let sessions = env.recorded();
        sessions.len() > before && sessions.iter().all(|it| it.meta.is_object())
    });
    env.recorded().pop().unwrap().meta
}

#[test]
fn what_a_detached_command_did_is_seen_and_undone() {
    let Some(env) = with_files("what_a_detached_command_did") else {
        return;
    };
    let before = print_of(&env.work());
    let line = "rm -rf src; echo new >new";
    let words = ["--checkpoint", "both", "start", "--", "sh", "-c", line];
    let meta = run(&env, &words);
    let checkpoint = &meta["checkpoint"];
    for moment in ["before", "after"] {
        assert!(checkpoint[moment]["commit"].is_string(), "{checkpoint}");
    }
    let counts = serde_json::json!({"added": 1, "changed": 0, "removed": 6});
    assert_eq!(checkpoint["changes"], counts, "{checkpoint}");
    let changes = text(&ok(&env, &["show", "last", "--changes"]));
    assert!(changes.contains("removed  src/main.rs\n"), "{changes}");
    let list = json(&ok(&env, &["checkpoint", "list", "--json"]));
    assert_eq!(list["checkpoints"].as_array().unwrap().len(), 2, "{list}");
    ok(&env, &["checkpoint", "restore", "last", "-y"]);
    let mut expected = before;
    expected.remove(&b"src/a.o"[..]);
    assert_eq!(print_of(&env.work()), expected);
}

#[test]
fn where_there_can_be_none_a_detached_command_runs_and_the_starter_says_so() {
    let Some(env) = with_files("where_there_can_be_none_a_detached") else {
        return;
    };
    let words = ["--checkpoint", "both", "start", "--cwd"];
    let home = env.home();
    let home = home.to_str().unwrap();
    let line = ["--", "touch", "was-run"];
    let started = patient(&env, &[&words[..], &[home], &line].concat()).output();
    assert_eq!(started.code(), 0, "{started:?}");
    let said = String::from_utf8_lossy(&started.stderr).into_owned();
    assert!(said.contains("no checkpoint before the command"), "{said}");
    wait_until("it runs", || env.path("home/was-run").exists());
    std::fs::remove_file(env.path("home/was-run")).unwrap();
    let strict = [&["--strict"], &words[..], &[home], &line].concat();
    let refused = patient(&env, &strict).output();
    assert_eq!(refused.code(), 125, "{refused:?}");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        said.contains("no checkpoint before it (--strict)"),
        "{said}"
    );
    assert!(!env.path("home/was-run").exists());
}
