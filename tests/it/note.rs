//! `aido note`: what people say about a session is changed, and nothing else of its sidecar.

use std::fs;
use std::thread;

use serde_json::{Value, json};

use crate::support::{Session, TestEnv, signed};

/// One session that was recorded.
fn recorded() -> (TestEnv, Session) {
    let env = TestEnv::new();
    let run = env.aido(["--note", "first", "--tag", "a", "true"]).output();
    assert_eq!(run.code(), 0, "{run:?}");
    let session = env.only_session();
    (env, session)
}

#[test]
fn a_label_or_a_lesson_that_says_nothing_is_refused() {
    let (env, session) = recorded();
    for words in [["--tag", ""], ["--tag", " "], ["--lesson", ""]] {
        let run = env.aido([&["note", "last"][..], &words].concat()).output();
        assert_eq!(run.code(), 2, "{words:?}: {run:?}");
        assert!(run.stderr_text().contains(words[0]), "{words:?}: {run:?}");
        assert_eq!(env.meta(&session.id), session.meta, "{words:?}");
    }
    let again = env.aido(["--tag", "x", "--tag", "y", "--tag", "x", "true"]);
    assert_eq!(again.output().code(), 0);
    let tags: Vec<Value> = env
        .recorded()
        .into_iter()
        .map(|it| it.meta["tags"].clone())
        .collect();
    assert!(tags.contains(&json!(["x", "y"])), "{tags:?}");
}

#[test]
fn each_option_changes_its_field_and_no_other() {
    let (env, session) = recorded();
    let mut expected = session.meta.clone();
    for (words, field, value) in [
        (&["why it broke"][..], "notes", json!("why it broke")),
        (
            &["--append", "and\nwhy not"],
            "notes",
            json!("why it broke\nand\nwhy not"),
        ),
        (
            &["-- looks like an option"],
            "notes",
            json!("-- looks like an option"),
        ),
        (&[""], "notes", Value::Null),
        (&["--append", "alone"], "notes", json!("alone")),
        (
            &["--tag", "b", "--tag", "a", "--tag", "b"],
            "tags",
            json!(["a", "b"]),
        ),
        (&["--untag", "a", "--untag", "x"], "tags", json!(["b"])),
        (&["--pin"], "pinned", json!(true)),
        (&["--pin"], "pinned", json!(true)),
        (&["--unpin"], "pinned", json!(false)),
        (&["--fault", "0a1b2c3d-x"], "fault", json!("0a1b2c3d-x")),
        (&["--fault", ""], "fault", Value::Null),
        (
            &["--lesson", "one", "--lesson", "two"],
            "lessons",
            json!(["one", "two"]),
        ),
        (&["--unlesson", "one"], "lessons", json!(["two"])),
    ] {
        let shown = env.json(&[&["note", "last", "--json"], words].concat());
        expected[field] = value;
        let mut found = env.meta(&session.id);
        assert_eq!(shown["signature"], "VALID", "{words:?}");
        expected["mac"] = found["mac"].clone();
        assert_eq!(found, expected, "{words:?}");
        // And it is found by it at once.
        found["state"] = "finished".into();
        found["signature"] = "VALID".into();
        assert_eq!(env.json(&["list", "--json"]), json!([found]), "{words:?}");
    }
    assert_eq!(env.listed(&["--tag", "b"]), [session.id.as_str()]);
    assert_eq!(env.listed(&["--tag", "a"]), [""; 0]);
    assert_eq!(env.listed(&["--grep", "alone"]), [session.id.as_str()]);
    assert_eq!(env.only_session().transcript, session.transcript);
}

#[test]
fn edits_at_the_same_time_lose_nothing() {
    let (env, session) = recorded();
    thread::scope(|scope| {
        for number in 0..16 {
            let (env, id) = (&env, &session.id);
            scope.spawn(move || {
                let (tag, line) = (format!("t{number}"), format!("line {number}"));
                let run = env
                    .aido(["note", id, "--append", &line, "--tag", &tag])
                    .output();
                assert!(run.code() == 0 && run.stderr.is_empty(), "{run:?}");
            });
        }
    });
    let meta = env.meta(&session.id);
    let mut tags: Vec<&str> = meta["tags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it.as_str().unwrap())
        .collect();
    let mut lines: Vec<&str> = meta["notes"].as_str().unwrap().lines().collect();
    assert_eq!((tags.remove(0), lines.remove(0)), ("a", "first"));
    // Each edit was whole: its line and its label came together.
    for (tag, line) in tags.iter().zip(&lines) {
        assert_eq!(tag[1..], line["line ".len()..]);
    }
    tags.sort_unstable();
    tags.dedup();
    assert_eq!((tags.len(), lines.len()), (16, 16));
    assert_eq!(env.signature(&session.id), "VALID");
    assert_eq!(env.listed(&["--grep", "line 7"]), [session.id.as_str()]);
}

/// What an older aido doesn't know is kept, in whatever part of the sidecar it is.
#[test]
fn fields_of_the_future_survive_an_edit() {
    let (env, session) = recorded();
    let mut meta = session.meta;
    meta["schema_version"] = "1.9".into();
    meta["weather"] = json!({"sky": ["grey", 7, null]});
    for part in ["tty", "host", "env"] {
        meta[part]["future"] = json!({"of": part});
    }
    meta["git"] = json!({"branch": "main", "commit": null, "future": [1]});
    meta["harness"] = json!({"name": "x", "conversation": null, "log_file": null, "future": 1.5});
    let sidecar = env.file_of(&session.id, "meta.json");
    fs::write(&sidecar, signed(&meta, &env.key())).unwrap();
    assert_eq!(env.signature(&session.id), "VALID");
    env.read(&["note", "last", "--append", "second", "--pin"]);
    meta["notes"] = "first\nsecond".into();
    meta["pinned"] = true.into();
    let mut found = env.meta(&session.id);
    assert_ne!(found["mac"].take(), Value::Null);
    meta["mac"] = Value::Null;
    assert_eq!(found, meta);
    assert_eq!(env.signature(&session.id), "VALID");
}

#[test]
fn a_signature_says_the_same_after_an_edit() {
    let (env, session) = recorded();
    let sidecar = env.file_of(&session.id, "meta.json");
    let mut altered = session.meta.clone();
    altered["exit_code"] = 1.into();
    let mut unsigned = session.meta.clone();
    unsigned["mac"] = Value::Null;
    let foreign = signed(&session.meta, b"another key of thirty-two bytes.");
    let pretty = |meta: &Value| serde_json::to_string_pretty(meta).unwrap() + "\n";
    for (text, signature) in [
        (signed(&session.meta, &env.key()), "VALID"),
        (pretty(&altered), "ALTERED"),
        (foreign, "ALTERED"),
        (pretty(&unsigned), "UNSIGNED"),
    ] {
        fs::write(&sidecar, text).unwrap();
        assert_eq!(env.signature(&session.id), signature);
        env.read(&["note", "last", "again", "--tag", "b"]);
        assert_eq!(env.signature(&session.id), signature);
        assert_eq!(env.meta(&session.id)["notes"], "again");
    }
    // Without the key nobody can tell, and what has no mac gets none.
    fs::remove_file(env.path("home/.local/state/aido/key")).unwrap();
    env.read(&["note", "last", "without"]);
    assert_eq!(env.meta(&session.id)["mac"], Value::Null);
    assert!(
        !env.path("home/.local/state/aido/key").exists(),
        "reading made a key"
    );
}

#[test]
fn what_must_not_be_rewritten_is_refused_and_untouched() {
    let (env, session) = recorded();
    let sidecar = env.file_of(&session.id, "meta.json");
    for (version, is_refused) in [
        ("1.99", false),
        ("2.0", true),
        ("17.1", true),
        ("new", true),
        ("", true),
    ] {
        let mut meta = session.meta.clone();
        meta["schema_version"] = version.into();
        let text = signed(&meta, &env.key());
        fs::write(&sidecar, &text).unwrap();
        let run = env.aido(["note", "last", "text"]).output();
        assert_eq!(run.code(), i32::from(is_refused), "{version:?}: {run:?}");
        let is_same = fs::read_to_string(&sidecar).unwrap() == text;
        assert_eq!(is_same, is_refused, "{version:?}");
        // It is read all the same.
        assert_eq!(env.listed(&[]), [session.id.as_str()], "{version:?}");
    }
    for text in ["", "{\"session_id\"", "null", "{}"] {
        fs::write(&sidecar, text).unwrap();
        let run = env.aido(["note", &session.id, "text"]).output();
        assert!(
            run.code() == 1 && run.stderr_text().contains(&session.id),
            "{text:?}: {run:?}"
        );
        assert_eq!(fs::read_to_string(&sidecar).unwrap(), text);
    }
}

#[test]
fn an_interrupted_session_is_finished_by_the_edit_and_a_running_one_refused() {
    let env = TestEnv::new();
    let run = env.aido(["sh", "-c", "echo READY; exec sleep 600"]).spawn();
    run.wait_for_stdout(b"READY");
    let refused = env.aido(["note", "last", "text"]).output();
    assert_eq!(refused.code(), 1, "{refused:?}");
    assert!(
        refused.stderr_text().contains("still running"),
        "{refused:?}"
    );
    run.kill();
    env.read(&["note", "last", "text"]);
    let meta = env.only_session().meta;
    assert_eq!(
        (&meta["status"], &meta["notes"]),
        (&json!("interrupted"), &json!("text"))
    );
    assert_eq!(meta["exit_code"], Value::Null);
}

#[test]
fn a_wrong_use_changes_nothing() {
    let (env, session) = recorded();
    let sidecar = env.file_of(&session.id, "meta.json");
    let before = fs::read(&sidecar).unwrap();
    for (words, code) in [
        (&["note"][..], 2),
        (&["note", "last"], 2),
        (&["note", "last", "--append"], 2),
        (&["note", "last", "--pin", "--unpin"], 2),
        (&["note", "last", "text", "more"], 2),
        (&["note", "no-such", "text"], 1),
        (&["note", "../../etc/passwd", "text"], 1),
        (&["note", "", "text"], 1),
    ] {
        let run = env.aido(words).output();
        assert!(
            run.code() == code && run.stdout.is_empty(),
            "{words:?}: {run:?}"
        );
        assert!(
            run.stderr_text().contains("hint") || code == 2,
            "{words:?}: {run:?}"
        );
    }
    assert_eq!(fs::read(&sidecar).unwrap(), before);
}
