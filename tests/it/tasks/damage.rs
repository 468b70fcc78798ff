//! Tasks whose files are damaged, or whose sessions came and went by other hands.

use std::fs;

use serde_json::{Value, json};

use super::{records, run, status, tasks};
use crate::support::TestEnv;

/// Three sessions of a task, the second of which failed, and a note.
fn recorded() -> (TestEnv, Value) {
    let env = TestEnv::in_repository();
    for code in [0, 1, 0] {
        run(
            &env,
            &["--task", "t", "sh", "-c", &format!("exit {code}")],
            code,
        );
    }
    env.read(&["tasks", "note", "t", "half of it"]);
    let before = status(&env, "t");
    (env, before)
}

/// Whatever is torn or gone of what can be told from the rest is as it was after the next reader, and
/// after the next recorder too.
#[test]
fn damaged_files_of_a_task_are_made_again() {
    for name in [
        "task.status.json",
        "session-2.meta.json",
        "session-3.meta.json",
    ] {
        for contents in [
            None,
            Some(""),
            Some("{\"task\": \"t\", \"sess"),
            Some("{}"),
            Some("[1]\n"),
        ] {
            let damage = |env: &TestEnv| {
                let path = tasks(env).join("t").join(name);
                match contents {
                    None => fs::remove_file(path).unwrap(),
                    Some(text) => fs::write(path, text).unwrap(),
                }
            };
            let (env, before) = recorded();
            let sessions = records(&env, "t");
            damage(&env);
            assert_eq!(
                env.json(&["tasks", "show", "t", "--json"])["status"],
                before,
                "{name}: {contents:?}"
            );
            assert_eq!(
                env.json(&["tasks", "--json"]),
                json!([before]),
                "{name}: {contents:?}"
            );
            assert_eq!(records(&env, "t"), sessions, "{name}: {contents:?}");
            assert_eq!(status(&env, "t"), before);
            damage(&env);
            run(&env, &["--task", "t", "true"], 0);
            let found = env.json(&["tasks", "show", "t", "--json"]);
            let counts =
                ["sessions", "failed", "notes"].map(|field| found["status"][field].clone());
            assert_eq!(counts, [4, 1, 1].map(Value::from), "{name}: {contents:?}");
            let ids: std::collections::BTreeSet<String> = records(&env, "t")
                .iter()
                .map(|it| it["session_id"].to_string())
                .collect();
            assert_eq!(ids.len(), 4, "{name}: {contents:?}");
        }
    }
}

#[test]
fn tasks_are_made_again_from_the_sessions_that_are_there() {
    let (env, mut before) = recorded();
    fs::remove_dir_all(tasks(&env)).unwrap();
    let shown = env.json(&["tasks", "--json"]);
    // What was said of it can't be told from them.
    for (field, value) in [
        ("notes", json!(0)),
        ("last_note", Value::Null),
        ("notes_bytes", json!(0)),
    ] {
        before[field] = value;
    }
    assert_eq!(shown, json!([before]));
    assert_eq!(status(&env, "t"), before);
}

#[test]
fn a_torn_line_of_what_was_said_costs_that_line() {
    let (env, _) = recorded();
    let path = tasks(&env).join("t/task.notes.jsonl");
    let mut text = fs::read_to_string(&path).unwrap();
    text.push_str("{\"at\": \"2026-");
    fs::write(&path, text).unwrap();
    env.read(&["tasks", "done", "t", "the rest"]);
    let shown = env.json(&["tasks", "show", "t", "--json"]);
    let texts: Vec<&str> = shown["notes"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|it| it["text"].as_str())
        .collect();
    assert_eq!(texts, ["half of it", "the rest"]);
    assert_eq!(shown["status"]["state"], "done");
}

#[test]
fn a_removed_session_stays_in_its_task_and_is_marked() {
    let (env, _) = recorded();
    let failed = env.recorded()[1].id.clone();
    env.read(&["prune", "--keep-sessions", "1"]);
    let there = env.recorded();
    let removed = 3 - there.len() as u64;
    assert!(removed > 0);
    let shown = env.json(&["tasks", "show", "t", "--json"]);
    let counts = ["sessions", "failed", "pruned"].map(|field| shown["status"][field].clone());
    assert_eq!(counts, [3, 1, removed].map(Value::from));
    for record in records(&env, "t") {
        let is_there = there.iter().any(|it| it.id == record["session_id"]);
        assert_eq!(record["pruned"], !is_there);
    }
    assert_eq!(records(&env, "t")[1]["session_id"], failed.as_str());
    assert_eq!(env.json(&["tasks", "--json"])[0], shown["status"]);
}

/// Its recorder was killed before it could add the session: who recovers it, or reads, does.
#[test]
fn a_session_whose_recorder_was_killed_is_in_its_task() {
    let env = TestEnv::in_repository();
    run(&env, &["--task", "t", "true"], 0);
    let killed = env
        .aido(["--task", "t", "sh", "-c", "echo READY; exec sleep 600"])
        .spawn();
    killed.wait_for_stdout(b"READY");
    assert_eq!(
        env.json(&["tasks", "--json"])[0]["sessions"],
        1,
        "it still runs"
    );
    killed.kill();
    env.read(&["recover"]);
    assert_eq!(status(&env, "t")["sessions"], 2);
    let records = records(&env, "t");
    assert_eq!(
        (&records[1]["status"], &records[1]["exit_code"]),
        (&json!("interrupted"), &Value::Null)
    );
    assert_eq!(env.json(&["tasks", "--json"])[0], status(&env, "t"));
}

/// What a killed recorder left half written goes with `aido recover`; what somebody writes stays.
#[test]
fn temporary_files_of_a_task_go_with_their_makers() {
    let (env, before) = recorded();
    let directory = tasks(&env).join("t");
    let dead = directory.join(".session-4.meta.json.999999999-0badcafe.tmp");
    let living = std::process::id();
    let living = directory.join(format!(".task.status.json.{living}-0badcafe.tmp"));
    for path in [&dead, &living] {
        fs::write(path, "{").unwrap();
    }
    env.read(&["recover"]);
    assert!(!dead.exists() && living.exists());
    assert_eq!(env.json(&["tasks", "--json"])[0], before);
}

/// Another task's files in this one's place count for nothing.
#[test]
fn files_of_another_task_are_strangers() {
    let (env, before) = recorded();
    run(&env, &["--task", "other", "true"], 0);
    let (own, other) = (tasks(&env).join("t"), tasks(&env).join("other"));
    for name in ["task.status.json", "session-1.meta.json"] {
        fs::copy(other.join(name), own.join(name)).unwrap();
    }
    let found = env.json(&["tasks", "--json"]);
    let found = found.as_array().unwrap();
    assert_eq!(found.len(), 2);
    let own = found.iter().find(|it| it["task"] == "t").unwrap();
    assert_eq!(own, &before);
}
