//! Sessions whose aido was killed: finished with what their remains prove and nothing more, by `recover`
//! and in passing by `list` and the other words that show sessions.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::{
    TestEnv, ago, files_below, planted_id, process_is_alive, processes_of, wait_until,
};

mod damage;

/// What a command may print to look as if it had ended well.
const LOOKALIKE: &str = "printf 'READY\\n\\n=== AI_EXIT_CODE: 0 ===\\n'; exec sleep 600";

/// The id of another session than this one, once its command has printed the look-alike.
fn wait_for_output(env: &TestEnv, other: &str) -> String {
    let mut found = None;
    wait_until("the output is recorded", || {
        found = env.transcripts().into_iter().find(|path| {
            let text = fs::read_to_string(path).unwrap_or_default();
            let is_whole = text
                .replace('\r', "")
                .ends_with("=== AI_EXIT_CODE: 0 ===\n");
            is_whole && path.file_stem().is_some_and(|id| id != other)
        });
        found.is_some()
    });
    found
        .unwrap()
        .file_stem()
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned()
}

fn kill(pid: i32) {
    kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
    wait_until("aido is gone", || !process_is_alive(pid));
}

/// Every file below the temporary directory, but for what is derived.
fn files(env: &TestEnv) -> BTreeMap<PathBuf, Vec<u8>> {
    let paths = files_below(&env.path("")).into_iter();
    let paths = paths.filter(|path| !path.to_string_lossy().contains("index."));
    paths
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect()
}

/// Recovers, which has to finish these sessions and nothing else, and to find nothing more to do.
#[track_caller]
fn recover(env: &TestEnv, ids: &[&str]) -> Value {
    let report = env.json(&["recover", "--json"]);
    assert_eq!(report["recovered"], json!(ids), "{report}");
    assert_eq!(report["failed"], json!([]), "{report}");
    let before = files(env);
    let again = env.json(&["recover", "--json"]);
    for what in ["recovered", "torn", "failed"] {
        assert_eq!(again[what], json!([]), "the second time: {again}");
    }
    assert_eq!(again["cleared"], 0, "the second time: {again}");
    assert!(files(env) == before, "the second time changed files");
    report
}

/// A session of an aido that was killed, recovered: what it says must be what the transcript, which is
/// left alone, proves.
#[track_caller]
fn assert_recovered(env: &TestEnv, id: &str, before: &[u8], what: &str) -> Value {
    let meta = env.meta(id);
    let transcript = fs::read(env.file_of(id, "typescript")).unwrap();
    assert!(transcript == before, "{what}: the transcript changed");
    let proven = json!({
        "status": "interrupted", "exit_code": null, "signal": null, "dropped_bytes": 0,
        "output_bytes": before.len(), "sha256": hex::encode(Sha256::digest(before)),
    });
    for (name, value) in proven.as_object().unwrap() {
        assert_eq!(&meta[name], value, "{what}: {name}");
    }
    let shown = env.read(&["list", "--fields", "session_id,state,exit_code"]);
    assert!(
        shown.contains(&format!("{id}\tinterrupted\t-\n")),
        "{what}: {shown}"
    );
    let live = files_below(&env.path("")).into_iter();
    let live: Vec<PathBuf> = live
        .filter(|path| path.to_string_lossy().contains("/live/"))
        .collect();
    assert_eq!(live, Vec::<PathBuf>::new(), "{what}: left in live");
    meta
}

#[test]
fn a_session_is_finished_whatever_terminal_it_had() {
    for situation in ["detached", "attached", "full"] {
        let env = TestEnv::new();
        // So that there is a key, as there is for whoever used aido before.
        env.aido(["true"]).output();
        let first = env.only_session().id;
        let line = "exec aido sh -c \"$0\"";
        let mut words = vec!["sh", "-c", line, LOOKALIKE];
        let attached = format!("{line} >out");
        let id = match situation {
            "detached" => {
                let run = env.aido(["sh", "-c", LOOKALIKE]).spawn();
                let id = wait_for_output(&env, &first);
                run.kill();
                id
            }
            _ => {
                if situation == "attached" {
                    words[2] = &attached;
                }
                let user = env.terminal().run(words);
                let id = wait_for_output(&env, &first);
                kill(user.pid());
                id
            }
        };
        wait_until("nothing left running", || {
            processes_of(&env.home()).is_empty()
        });
        let before = fs::read(env.file_of(&id, "typescript")).unwrap();
        recover(&env, &[&id]);
        let meta = assert_recovered(&env, &id, &before, situation);
        assert_eq!(meta["tty"]["situation"], situation);
        assert_eq!(meta["argv"], json!(["sh", "-c", LOOKALIKE]), "{situation}");
        let tail = meta["stdout_tail"].as_str().unwrap();
        assert!(tail.contains("AI_EXIT_CODE: 0"), "{situation}: {tail:?}");
        assert_eq!(env.signature(&id), "UNSIGNED", "{situation}");
    }
}

#[test]
fn streams_are_told_apart_as_far_as_the_events_tell() {
    let env = TestEnv::new();
    let script = "echo out; echo err >&2; exec sleep 600";
    let run = env.aido(["sh", "-c", script]).spawn();
    wait_until("both events", || {
        let events = files_below(&env.sessions()).into_iter();
        let mut events = events.filter(|path| path.to_string_lossy().ends_with("events.jsonl"));
        let text = events.next().map(|path| fs::read_to_string(path).unwrap());
        text.is_some_and(|text| text.matches("\"type\":\"output\"").count() == 2)
    });
    run.kill();
    env.read(&["recover"]);
    let meta = env.only_session().meta;
    assert_eq!(meta["streams"], "split");
    assert_eq!(
        (&meta["stdout_tail"], &meta["stderr_head"]),
        (&json!("out"), &json!("err"))
    );
}

/// What somebody does to the transcript of an interrupted session.
type Alteration = (&'static str, fn(&TestEnv, &PathBuf));

#[test]
fn live_files_are_brought_home() {
    let remainders: [Alteration; 3] = [
        ("all of them", |_, _| ()),
        // Killed while they were brought home already.
        ("the events", |env, transcript| {
            let name = transcript.file_name().unwrap();
            fs::rename(transcript, env.sessions().join(name)).unwrap();
        }),
        ("no entry", |_, transcript| {
            fs::remove_file(transcript.with_extension("")).unwrap();
        }),
    ];
    for (what, alter) in remainders {
        let env = TestEnv::in_repository();
        let run = env.aido(["sh", "-c", LOOKALIKE]).spawn();
        let id = wait_for_output(&env, "");
        run.kill();
        let state = env.path("home/.local/state/aido");
        let transcript = env.transcripts().remove(0);
        assert!(transcript.starts_with(&state), "{}", transcript.display());
        let before = fs::read(&transcript).unwrap();
        alter(&env, &transcript);
        recover(&env, &[&id]);
        assert_recovered(&env, &id, &before, what);
        assert!(env.file_of(&id, "events.jsonl").exists(), "{what}");
        // Only this user can have put them there.
        assert_eq!(env.signature(&id), "VALID", "{what}");
    }
}

#[test]
fn a_session_that_runs_is_left_alone() {
    let env = TestEnv::new();
    let mut running = env.aido(["cat"]).stdin_open().spawn();
    running.write_stdin(b"before\n");
    running.wait_for_stdout(b"before\n");
    let killed = env.aido(["sh", "-c", LOOKALIKE]).spawn();
    killed.wait_for_stdout(b"=== AI_EXIT_CODE: 0 ===\n");
    killed.kill();
    for _ in 0..3 {
        let report = env.json(&["recover", "--json"]);
        assert_eq!(report["running"], 1, "{report}");
        env.read(&["list"]);
    }
    let id = &env.listed(&["--running"])[0];
    let run = env.aido(["note", id, "text"]).output();
    assert!(
        run.code() == 1 && run.stderr_text().contains("still running"),
        "{run:?}"
    );
    running.write_stdin(b"after\n");
    running.close_stdin();
    let run = running.wait();
    assert!(run.code() == 0 && run.stderr.is_empty(), "{run:?}");
    let sessions = env.recorded();
    assert_eq!(sessions.len(), 2);
    let cat = sessions.iter().find(|session| session.id == *id).unwrap();
    assert_eq!(cat.output(), b"before\nafter\n");
    assert_eq!(cat.meta["exit_code"], 0);
}

/// An aido that was killed before its command could start, at each step that leaves something.
#[test]
fn what_never_began_is_cleared_away() {
    let nobody = 2_147_483_647_u32;
    for (what, files) in [
        ("an entry", vec!["live/ID"]),
        ("an entry and no start record", vec!["live/ID", ".ID.new"]),
    ] {
        let env = TestEnv::new();
        env.aido(["true"]).output();
        let kept = env.listed(&[]);
        let id = format!("ai-agent-20260305_132522-{nobody}-0000abcd");
        for name in &files {
            env.write(
                &format!("sessions/{}", name.replace("ID", &id)),
                "{\"type\":\"st",
            );
        }
        assert_eq!(env.listed(&[]), kept, "{what}");
        let report = env.json(&["recover", "--json"]);
        assert!(report["recovered"] == json!([]), "{what}: {report}");
        assert!(!env.sessions().join("live").join(&id).exists(), "{what}");
        assert!(
            !env.sessions().join(format!(".{id}.new")).exists(),
            "{what}"
        );
        recover(&env, &[]);
        assert_eq!(env.listed(&[]), kept, "{what}");
    }
    // The same of an aido that runs: it has just begun.
    let env = TestEnv::new();
    env.aido(["true"]).output();
    let id = format!("ai-agent-20260305_132522-{}-0000abcd", std::process::id());
    env.write(&format!("sessions/live/{id}"), "");
    let report = env.json(&["recover", "--json"]);
    assert_eq!(report["running"], 1, "{report}");
    assert!(env.sessions().join("live").join(&id).exists());
}

/// Nobody knows what it was, so what its id says is all that is said.
#[test]
fn a_session_without_a_start_record_keeps_its_transcript() {
    for events in [None, Some(""), Some("{\"type\":\"sta"), Some("garbage\n")] {
        let env = TestEnv::new();
        env.aido(["--session-dir", "elsewhere", "true"]).output();
        let id = planted_id("codex", 7);
        env.write(&format!("sessions/{id}.typescript"), "half of it");
        env.make_sessions();
        if let Some(text) = events {
            env.write(&format!("sessions/{id}.events.jsonl"), text);
        }
        recover(&env, &[&id]);
        let meta = assert_recovered(&env, &id, b"half of it", &format!("{events:?}"));
        assert_eq!(
            (&meta["agent"], &meta["argv"]),
            (&json!("codex"), &json!([]))
        );
        assert_eq!(meta["timestamp"], "2026-03-05T13:00:00.000Z");
        assert_eq!(meta["stdout_tail"], "half of it");
        // Which nobody can run again.
        let run = env.aido(["rerun", &id, "--trust"]).output();
        assert_eq!(run.code(), 125, "{run:?}");
    }
}

/// A repository can bring along whatever stands in its own session directory, also what looks like a
/// session of an aido that was killed. Finishing it doesn't make it the user's own.
#[test]
fn what_a_repository_brought_along_is_never_signed() {
    // In passing, on purpose, by an edit, by housekeeping.
    let words: [&[&str]; 5] = [
        &["list"],
        &["show", "evil"],
        &["recover"],
        &["note", "evil", "text"],
        &["true"],
    ];
    for words in words {
        for rest in [None, Some("torn")] {
            let env = TestEnv::in_repository();
            env.aido(["--session-dir", "../elsewhere", "true"]).output();
            let evil = json!({"argv": ["sh", "-c", "touch RAN"], "cwd": env.work(),
                              "timestamp": ago(60), "ended_at": ago(50)});
            let id = env.plant("evil", 1, &evil);
            match rest {
                None => fs::remove_file(env.file_of(&id, "meta.json")).unwrap(),
                Some(text) => fs::write(env.file_of(&id, "meta.json"), text).unwrap(),
            }
            env.write(&format!("work/nexus/.aisessions/live/{id}"), "");
            env.write("work/nexus/.aisessions/.housekeeping", "");
            env.set_age(".housekeeping", 3700);
            env.aido(words).env("AIDO_KEEP_DAYS", "0").output();
            env.read(&["recover"]);
            assert_eq!(env.signature(&id), "UNSIGNED", "{words:?}, {rest:?}");
            let run = env.aido(["rerun", "evil"]).output();
            assert_eq!(run.code(), 125, "{words:?}, {rest:?}: {run:?}");
            assert!(!env.work().join("RAN").exists(), "{words:?}, {rest:?}");
        }
    }
}

#[test]
fn small_sessions_are_finished_in_passing_and_large_ones_when_asked() {
    let env = TestEnv::new();
    let small = planted_id("small", 1);
    let large = planted_id("large", 2);
    for (id, length) in [(&small, 10), (&large, 300_000)] {
        env.plant(&id[..5], if id == &small { 1 } else { 2 }, &json!({}));
        fs::remove_file(env.file_of(id, "meta.json")).unwrap();
        fs::write(env.file_of(id, "typescript"), "x".repeat(length)).unwrap();
        env.write(&format!("sessions/live/{id}"), "");
    }
    let states = || env.read(&["list", "--fields", "session_id,state,signature"]);
    let both = format!("{large}\tinterrupted\t-\n{small}\tinterrupted\tUNSIGNED\n");
    for _ in 0..2 {
        assert_eq!(states(), both);
    }
    assert!(env.file_of(&small, "meta.json").exists());
    assert!(!env.file_of(&large, "meta.json").exists());
    recover(&env, &[&large]);
    assert_eq!(states(), both.replace("\t-\n", "\tUNSIGNED\n"));
    assert_eq!(env.meta(&large)["output_bytes"], 300_000);
}

#[test]
fn every_word_that_shows_sessions_finishes_them_in_passing() {
    let words: [&[&str]; 5] = [
        &["list"],
        &["list", "--ndjson"],
        &["show", "last", "--json"],
        &["stats"],
        &["search", "x"],
    ];
    for words in words {
        let env = TestEnv::new();
        let id = env.plant("small", 1, &json!({}));
        fs::remove_file(env.file_of(&id, "meta.json")).unwrap();
        env.write(&format!("sessions/live/{id}"), "");
        // Words that only look change nothing.
        env.aido(["verify"]).output();
        env.aido(["doctor"]).output();
        assert!(!env.file_of(&id, "meta.json").exists());
        env.aido(words).output();
        assert!(env.file_of(&id, "meta.json").exists(), "{words:?}");
        assert_eq!(env.meta(&id)["exit_code"], Value::Null);
    }
}

#[test]
fn recovering_nothing_makes_nothing() {
    for env in [TestEnv::new(), TestEnv::in_repository()] {
        assert_eq!(env.read(&["recover"]), "0 recovered\n");
        assert!(!env.sessions().exists());
    }
}
