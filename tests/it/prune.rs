//! `aido prune`: what is above the limits goes, in the order that was shown, and is remembered.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::PathBuf;
use std::thread;

use rustix::process::geteuid;
use serde_json::{Value, json};

use crate::support::{TestEnv, ago, files_below};

mod cut_short;
mod housekeeping;

const DAY: i64 = 86_400;

/// Plants a session that ended so many days ago.
fn plant(env: &TestEnv, number: u32, days: i64, fields: &Value) -> String {
    let mut all = json!({"timestamp": ago(days * DAY + 60), "ended_at": ago(days * DAY)});
    for (name, value) in fields.as_object().unwrap() {
        all[name] = value.clone();
    }
    env.plant("ai-agent", number, &all)
}

/// Six sessions, the oldest first: a success, a failure, one of a task, one that is pinned, two successes.
fn with_six() -> (TestEnv, Vec<String>) {
    let env = TestEnv::new();
    let fields = [
        json!({}),
        json!({"exit_code": 1}),
        json!({"task": "parser"}),
        json!({"pinned": true}),
        json!({}),
        json!({}),
    ];
    let ids = fields
        .iter()
        .zip([(1, 60), (2, 50), (3, 40), (4, 35), (5, 20), (6, 10)])
        .map(|(fields, (number, days))| plant(&env, number, days, fields));
    let ids = ids.collect();
    (env, ids)
}

/// Every file of a session that there is.
fn files_of(env: &TestEnv, id: &str) -> Vec<PathBuf> {
    let mut files = files_below(&env.sessions());
    files.retain(|path| path.to_string_lossy().contains(id));
    files
}

fn ids(report: &Value, list: &str) -> Vec<String> {
    let sessions = report[list].as_array().unwrap().iter();
    let ids = sessions.map(|session| session["session_id"].as_str().unwrap().to_owned());
    ids.collect()
}

/// The ids in `list --pruned`, and why they went.
fn pruned(env: &TestEnv) -> Vec<(String, String)> {
    let all = env.json(&["list", "--pruned", "--json", "-n", "0"]);
    let all = all.as_array().unwrap().iter().map(|entry| {
        assert_eq!(entry["schema_version"], "1.0");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (text(&entry["session_id"]), text(&entry["pruned"]["reason"]))
    });
    all.collect()
}

/// What goes, by its place among the six, and why.
type Gone<'a> = &'a [(usize, &'a str)];

#[test]
fn a_dry_run_shows_what_then_goes() {
    let table: [(&[&str], Gone<'_>); 7] = [
        (&[], &[(0, "age"), (1, "age"), (2, "age")]),
        (&["--keep-days", "45"], &[(0, "age"), (1, "age")]),
        (&["--keep-days", "0"], &[]),
        (
            &["--keep-days", "0", "--keep-sessions", "4"],
            &[(0, "sessions"), (4, "sessions")],
        ),
        (
            &["--keep-days", "0", "--keep-sessions", "1"],
            &[
                (0, "sessions"),
                (4, "sessions"),
                (5, "sessions"),
                (1, "sessions"),
                (2, "sessions"),
            ],
        ),
        (
            &["--keep-sessions", "2"],
            &[(0, "age"), (4, "sessions"), (1, "age"), (2, "age")],
        ),
        (
            &["--keep-days", "0", "--keep-bytes", "1"],
            &[
                (0, "bytes"),
                (4, "bytes"),
                (5, "bytes"),
                (1, "bytes"),
                (2, "bytes"),
                (3, "bytes"),
            ],
        ),
    ];
    for (limits, gone) in table {
        let (env, all) = with_six();
        env.listed(&[]);
        let snapshot = || -> BTreeMap<PathBuf, Vec<u8>> {
            let files = files_below(&env.sessions()).into_iter();
            files
                .map(|path| (path.clone(), fs::read(path).unwrap()))
                .collect()
        };
        let before = snapshot();
        let words = [&["prune", "--json", "--dry-run"], limits].concat();
        let dry = env.json(&words);
        env.read(&[&["prune", "--dry-run"], limits].concat());
        assert!(snapshot() == before, "{limits:?}: a dry run changed files");
        let real = env.json(&[&["prune", "--json"], limits].concat());
        let wanted: Vec<String> = gone.iter().map(|(place, _)| all[*place].clone()).collect();
        assert_eq!(ids(&dry, "removals"), wanted, "{limits:?}");
        assert_eq!(ids(&real, "removals"), wanted, "{limits:?}");
        assert_eq!(
            (&dry["planned"], &dry["total"]),
            (&real["removed"], &real["total"])
        );
        let left = all.iter().rev().filter(|id| !wanted.contains(id));
        assert_eq!(env.listed(&[]), Vec::from_iter(left.cloned()), "{limits:?}");
        for id in &wanted {
            assert_eq!(files_of(&env, id), Vec::<PathBuf>::new(), "{limits:?}");
        }
        let mut remembered: Vec<(String, String)> = gone
            .iter()
            .map(|(place, why)| (all[*place].clone(), (*why).to_owned()))
            .collect();
        remembered.reverse();
        assert_eq!(pruned(&env), remembered, "{limits:?}");
        // Again there is nothing to do.
        let again = env.json(&[&["prune", "--json"], limits].concat());
        assert_eq!(ids(&again, "removals"), [""; 0], "{limits:?}");
    }
}

#[test]
fn a_limit_may_be_a_setting() {
    for limit in ["env", "user"] {
        let (env, all) = with_six();
        let run = env.aido(["prune", "--json"]);
        let run = if limit == "env" {
            run.env("AIDO_KEEP_DAYS", "0")
                .env("AIDO_KEEP_SESSIONS", "5")
        } else {
            env.write(
                "home/.config/aido/config.toml",
                "keep_days = 0\nkeep_sessions = 5\n",
            );
            run
        };
        let report: Value = serde_json::from_slice(&run.output().stdout).unwrap();
        assert_eq!(ids(&report, "removals"), all[..1], "{limit}");
    }
    for words in [
        ["--keep-days", "soon"],
        ["--keep-bytes", "x"],
        ["--keep-sessions", "1.5"],
    ] {
        let (env, _) = with_six();
        let run = env.aido([&["prune"], &words[..]].concat()).output();
        assert!(
            run.code() == 2 && run.stderr_text().contains(&words[0][2..6]),
            "{run:?}"
        );
        assert_eq!(env.listed(&[]).len(), 6);
    }
}

#[test]
fn a_session_that_runs_stays_and_counts() {
    let (env, all) = with_six();
    let mut running = env.aido(["cat"]).stdin_open().spawn();
    let long = "x".repeat(100_000) + "\n";
    running.write_stdin(long.as_bytes());
    running.wait_for_stdout(long.as_bytes());
    let report = env.json(&[
        "prune",
        "--json",
        "--keep-days",
        "0",
        "--keep-bytes",
        "50000",
    ]);
    assert_eq!(ids(&report, "removals").len(), all.len());
    let spared = ids(&report, "spared");
    assert_eq!(env.listed(&[]), spared);
    assert!(
        report["spared"][0]["size_bytes"].as_u64() >= Some(100_000),
        "{report}"
    );
    running.write_stdin(b"end\n");
    running.close_stdin();
    let run = running.wait();
    assert!(run.code() == 0 && run.stderr.is_empty(), "{run:?}");
    assert_eq!(env.only_session().output().len(), long.len() + 4);
}

#[test]
fn what_went_is_remembered_without_an_index_and_can_be_searched() {
    let (env, all) = with_six();
    env.read(&["prune", "--keep-days", "45"]);
    let remembered = pruned(&env);
    for _ in 0..2 {
        fs::remove_file(env.index()).unwrap();
        assert_eq!(env.listed(&[]).len(), 4);
        assert_eq!(pruned(&env), remembered);
    }
    let list = |words: &[&str]| {
        let words = [&["list", "--pruned", "--ndjson"], words].concat();
        let run = env.aido(words).output();
        let text = run.stdout_text();
        assert_eq!(run.code(), i32::from(text.is_empty()), "{run:?}");
        let found = text.lines().map(|line| {
            let entry: Value = serde_json::from_str(line).unwrap();
            entry["session_id"].as_str().unwrap().to_owned()
        });
        Vec::from_iter(found)
    };
    assert_eq!(list(&["--failed"]), all[1..2]);
    assert_eq!(list(&["--exit", "0"]), all[..1]);
    assert_eq!(list(&["--agent", "other"]), [""; 0]);
    assert_eq!(list(&["-n", "1"]), all[1..2]);
    let run = env.aido(["list", "--pruned", "-n", "1"]).output();
    assert!(
        run.code() == 0 && run.stderr_text().contains("-n 0"),
        "{run:?}"
    );
    let table = env.read(&["list", "--pruned"]);
    let words: Vec<Vec<&str>> = table
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(words[0], ["ID", "EXIT", "AGE", "REMOVED", "WHY", "COMMAND"]);
    assert_eq!(words[1], [&all[1], "1", "50d", words[1][3], "age", "true"]);
    assert_eq!(words.len(), 3);
    // What is gone is not found, and does not hide what is there.
    for number in 7..40 {
        plant(&env, number, 60, &json!({}));
    }
    env.read(&["prune", "--keep-days", "0", "--keep-sessions", "1"]);
    assert_eq!(
        env.json(&["show", "ai", "--json"])["session_id"],
        all[3].as_str()
    );
    assert_eq!(env.aido(["show", &all[0]]).output().code(), 1);
    assert_eq!(env.aido(["show", "00000001"]).output().code(), 1);
}

#[test]
fn a_person_is_asked_first() {
    for (answer, removed) in [
        (&b"n\n"[..], 0),
        (b"\n", 0),
        (b"nyet\n", 0),
        (b"\x04", 0),
        (b"y\n", 3),
        (b"yes\n", 3),
    ] {
        let (env, _) = with_six();
        let mut user = env.terminal().run(["aido", "prune"]);
        user.wait_for("would remove 3 sessions");
        user.wait_for("Remove them? [y/N] ");
        assert_eq!(env.listed(&[]).len(), 6);
        user.send(answer);
        assert_eq!(user.wait_code(), 0);
        assert_eq!(
            env.listed(&[]).len(),
            6 - removed,
            "{}",
            answer.escape_ascii()
        );
        let count = user.count("\nremoved 3 sessions");
        assert_eq!(count, removed / 3, "{}", answer.escape_ascii());
    }
    for words in [
        &["aido", "prune", "--yes"][..],
        &["aido", "prune", "--dry-run"],
    ] {
        let (env, _) = with_six();
        let mut user = env.terminal().run(words);
        assert_eq!(user.wait_code(), 0);
        assert_eq!(user.count("[y/N]"), 0, "{words:?}");
    }
}

/// A plan is a little older than the store, and a person may think for long.
#[test]
fn what_is_pinned_while_a_person_thinks_stays() {
    let (env, all) = with_six();
    let mut user = env.terminal().run(["aido", "prune"]);
    user.wait_for("[y/N] ");
    env.read(&["note", &all[0], "--pin"]);
    let removed = fs::remove_file(env.file_of(&all[2], "meta.json"));
    removed.unwrap();
    for ending in ["events.jsonl", "typescript"] {
        fs::remove_file(env.file_of(&all[2], ending)).unwrap();
    }
    user.send("y\n");
    // One could not be removed; that another one went already is what was wanted.
    assert_eq!(user.wait_code(), 1);
    assert_eq!(user.count("pinned meanwhile"), 1);
    assert_eq!(user.count("could not remove 1"), 1);
    let left = [&all[5], &all[4], &all[3], &all[0]].map(String::clone);
    assert_eq!(env.listed(&[]), left);
}

#[test]
fn two_at_once_remove_each_session_once() {
    let env = TestEnv::new();
    for number in 0..30 {
        plant(&env, number, 60, &json!({}));
    }
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let run = env.aido(["prune"]).output();
                assert!(run.code() == 0 && run.stderr.is_empty(), "{run:?}");
            });
        }
    });
    assert_eq!(env.listed(&[]), [""; 0]);
    assert_eq!(pruned(&env).len(), 30);
    let lines = fs::read_to_string(env.sessions().join("pruned.jsonl")).unwrap();
    assert_eq!(lines.lines().count(), 30, "one was removed twice");
}

#[test]
fn a_store_that_can_only_be_read_says_so() {
    let (env, _) = with_six();
    let message = if geteuid().is_root() {
        chown(env.sessions(), Some(12_345), None).unwrap();
        "another user"
    } else {
        fs::set_permissions(env.sessions(), fs::Permissions::from_mode(0o500)).unwrap();
        "ermission denied"
    };
    let run = env.aido(["prune"]).output();
    let said = run.stdout_text() + &run.stderr_text();
    assert!(run.code() == 1 && said.contains(message), "{run:?}");
    assert!(said.contains("could not remove 3"), "{run:?}");
    let dry = env.json(&["prune", "--json", "--dry-run"]);
    assert_eq!(ids(&dry, "removals").len(), 3);
    let run = env.aido(["recover"]).output();
    assert!(run.code() <= 1, "{run:?}");
    assert_eq!(env.listed(&[]).len(), 6);
    fs::set_permissions(env.sessions(), fs::Permissions::from_mode(0o700)).unwrap();
}
