//! `aido import`: recordings of other programs as sessions, as far as they prove what happened.

use std::fs;

use serde_json::{Value, json};

use crate::support::{Session, TestEnv, has_program};

fn imported(env: &TestEnv, words: &[&str]) -> (Session, String) {
    let run = env.aido([&["import"], words].concat()).output();
    assert_eq!(run.code(), 0, "{words:?}: {run:?}");
    let id = run.stdout_text().trim_end().to_owned();
    let mut sessions = env.recorded();
    let place = sessions
        .iter()
        .position(|session| session.id == id)
        .unwrap();
    (sessions.swap_remove(place), run.stderr_text())
}

/// Time in milliseconds and length of each piece of output.
fn pieces(session: &Session) -> Vec<(u64, u64)> {
    let outputs = session
        .events
        .iter()
        .filter(|event| event["type"] == "output");
    outputs
        .map(|event| {
            let us = (event["time"].as_f64().unwrap() * 1e6).round() as u64;
            (us / 1000, event["bytes"].as_u64().unwrap())
        })
        .collect()
}

/// The same as the timing of script says it, with pieces joined as a recorder joins them.
fn timed(timing: &str) -> Vec<(u64, u64)> {
    let (mut now_us, mut pieces) = (0, Vec::<(u64, u64)>::new());
    for line in timing.lines() {
        let words: Vec<&str> = line.split(' ').filter(|word| *word != "O").collect();
        let Some(Ok(bytes)) = words.get(1).map(|bytes| bytes.parse::<u64>()) else {
            continue;
        };
        now_us += (words[0].parse::<f64>().unwrap() * 1e6).round() as u64;
        match pieces.last_mut() {
            Some((since, length)) if now_us < *since + 20_000 => *length += bytes,
            _ => pieces.push((now_us, bytes)),
        }
    }
    pieces
        .into_iter()
        .map(|(us, bytes)| (us / 1000, bytes))
        .collect()
}

/// A session on a terminal whose pieces come apart.
fn recorded(env: &TestEnv) -> Session {
    let line = "printf 'one\\r\\n\\033[31mtwo'; sleep 0.05; printf '\\347\\210\\254\\r\\n'; sleep 0.05; seq -s ' ' 30 | tr -d '\\n'; exit 3";
    let run = env
        .aido_in("always", ["--agent", "tester", "-c", line])
        .output();
    assert_eq!(run.code(), 3, "{run:?}");
    env.recorded().pop().unwrap()
}

#[test]
fn what_was_exported_comes_back_the_same() {
    let env = TestEnv::new();
    let session = recorded(&env);
    for (format, file) in [
        ("asciicast", "3.cast"),
        ("asciicast-v2", "2.cast"),
        ("script", "typescript"),
    ] {
        let run = env
            .aido(["export", "--format", format, "-o", file, &session.id])
            .output();
        assert_eq!(run.code(), 0, "{run:?}");
        let (back, said) = imported(&env, &[file]);
        assert_eq!(said, "", "{format}");
        assert_eq!(back.output(), session.output(), "{format}");
        assert_eq!(pieces(&back), pieces(&session), "{format}");
        for field in ["exit_code", "command", "shell_line"] {
            assert_eq!(back.meta[field], session.meta[field], "{format}: {field}");
        }
        assert_eq!(
            back.meta["tty"]["size"], session.meta["tty"]["size"],
            "{format}"
        );
        let seconds =
            |session: &Session| session.meta["timestamp"].as_str().unwrap()[..19].to_owned();
        assert_eq!(seconds(&back), seconds(&session), "{format}");
        if format != "script" {
            assert_eq!(back.meta["agent"], "tester", "{format}");
        }
    }
}

#[test]
fn an_imported_session_is_whole_and_nobodys_own() {
    let env = TestEnv::new();
    recorded(&env);
    env.aido(["export", "--format", "asciicast", "-o", "a.cast"])
        .output();
    let (session, _) = imported(&env, &["a.cast"]);
    assert_eq!(
        (&session.meta["origin"], &session.meta["mac"]),
        (&json!("imported"), &Value::Null)
    );
    assert_eq!(session.meta["imported"]["format"], "asciicast 3");
    assert_eq!(session.meta["imported"]["files"][0]["name"], "a.cast");
    let run = env.aido(["verify", &session.id]).output();
    assert!(run.stdout_text().contains("UNSIGNED"), "{run:?}");
    assert!(!run.stdout_text().contains("ALTERED"), "{run:?}");
    let run = env.aido(["rerun", &session.id]).output();
    assert_eq!(run.code(), 125, "{run:?}");
    assert!(run.stderr_text().contains("--trust"), "{run:?}");
    let run = env.aido(["show", &session.id, "--head", "2"]).output();
    assert!(run.stdout_text().starts_with("one\ntwo爬"), "{run:?}");
    for words in [
        &["list", "--json"][..],
        &["search", "two"],
        &["replay", &session.id],
        &["stats"],
    ] {
        assert_eq!(env.aido(words).output().code(), 0, "{words:?}");
    }
}

#[test]
fn what_script_records_is_taken_with_either_timing() {
    if !has_program("script", "what_script_records_is_taken_with_either_timing") {
        return;
    }
    let env = TestEnv::new();
    let line = "printf 'one\\n'; sleep 0.05; printf 'two \\377\\n'; exit 3";
    for form in ["classic", "advanced"] {
        let run = env
            .bare([
                "script", "-q", "-e", "-c", line, "-m", form, "-T", "times", "-O", "out",
            ])
            .output();
        assert_eq!(run.code(), 3, "{run:?}");
        let (session, said) = imported(&env, &["out", "--timing", "times"]);
        assert_eq!(session.output(), b"one\r\ntwo \xff\r\n", "{form}");
        assert_eq!(session.meta["command"], line, "{form}: {said}");
        assert_eq!(session.meta["exit_code"], 3, "{form}: {said}");
        assert_eq!(
            pieces(&session),
            timed(&fs::read_to_string(env.path("work/times")).unwrap())
        );
        assert_eq!(said, "", "{form}");
    }
    let (session, said) = imported(&env, &["out"]);
    assert_eq!(session.output(), b"one\r\ntwo \xff\r\n");
    assert!(said.contains("out: there is no timing"), "{said}");
    assert_eq!(session.meta["duration_ms"], Value::Null);
}

#[test]
fn a_broken_session_of_the_original_gives_what_it_proves() {
    let env = TestEnv::new();
    let id = "claude-20260305_132522-3216-2f5876";
    let transcript = "Script started on 2026-03-05 13:25:22+00:00 [COMMAND=\"echo hi\" TERM=\"xterm\"]\n\
        hi\r\n\nScript done on 2026-03-05 13:25:23+00:00 [COMMAND_EXIT_CODE=\"0\"]\n";
    let sidecar = |code: u8| {
        format!(
            "{{\n  \"session_id\": \"{id}\",\n  \"agent\": \"claude\",\n  \"timestamp\": \"2026-03-05T13:25:22Z\",\n  \
             \"command\": \"echo \"hi\"\",\n  \"exit_code\": {code},\n  \"typescript_file\": \"../../../etc/passwd\",\n  \
             \"sha256\": \"{}\",\n  \"stdout_tail\": \"\"hi\\n\"\",\n  \"stderr_head\": \"\",\n  \
             \"env\": {{\"SHELL\": \"/bin/bash\"}},\n  \"notes\": \"why\",\n  \"fault\": null,\n  \"lessons\": []\n}}\n",
            "0".repeat(64)
        )
    };
    env.write(&format!("work/old/{id}.typescript"), transcript);
    env.write(&format!("work/old/{id}.meta.json"), &sidecar(0));
    let (session, said) = imported(&env, &[&format!("old/{id}.meta.json")]);
    assert_eq!(session.output(), b"hi\r\n");
    assert_eq!(session.meta["command"], "echo \"hi\"");
    assert_eq!(
        (&session.meta["exit_code"], &session.meta["notes"]),
        (&json!(0), &json!("why"))
    );
    assert_eq!(
        session.meta["argv"],
        json!(["/bin/bash", "-c", "echo \"hi\""])
    );
    assert!(
        session.id.starts_with("claude-20260305_132522-3216-"),
        "{}",
        session.id
    );
    for doubt in ["no valid JSON", "no timing", "has not the SHA-256"] {
        assert!(said.contains(doubt), "{said}");
    }
    env.write(&format!("work/old/{id}.meta.json"), &sidecar(1));
    let (session, said) = imported(&env, &[&format!("old/{id}.typescript")]);
    assert_eq!(session.meta["exit_code"], Value::Null);
    assert!(
        said.contains("script's last line says 0, the sidecar says 1"),
        "{said}"
    );
    let doubts = session.meta["imported"]["doubts"].to_string();
    assert!(doubts.contains("the sidecar says 1"), "{doubts}");
    let run = env.aido(["verify", &session.id]).output();
    assert!(!run.stdout_text().contains("ALTERED"), "{run:?}");
}

#[test]
fn what_is_no_recording_is_refused_and_leaves_nothing() {
    let env = TestEnv::new();
    env.write("work/text", "hello\n");
    env.write("work/object.json", "{\"a\": 1}\n");
    env.write("work/future.cast", "{\"version\": 9}\n");
    env.write("work/empty", "");
    env.write("work/x.meta.json", "{\"session_id\": 1}");
    for name in [
        "text",
        "object.json",
        "future.cast",
        "empty",
        "x.meta.json",
        "absent",
        ".",
    ] {
        let run = env.aido(["import", name]).output();
        assert_eq!((run.code(), run.stdout.len()), (1, 0), "{name}: {run:?}");
        let stem = name.split('.').next().unwrap();
        assert!(run.stderr_text().contains(stem), "{run:?}");
    }
    assert_eq!(env.recorded().len(), 0);
    env.aido(["true"]).output();
    let own = env.only_session();
    let path = env.sessions().join(format!("{}.meta.json", own.id));
    let run = env.aido(["import", path.to_str().unwrap()]).output();
    assert_eq!(run.code(), 1, "{run:?}");
    assert_eq!(env.recorded().len(), 1);
}

#[test]
fn several_files_are_imported_and_told_as_json() {
    let env = TestEnv::new();
    env.write(
        "work/a.cast",
        "{\"version\":2,\"width\":80,\"height\":24}\n[0.1,\"o\",\"a\\r\\n\"]\n[0.2,\"o",
    );
    env.write("work/b.cast", "{\"version\":1,\"stdout\":[[0.5,\"b\"]]}");
    let run = env.aido(["import", "--json", "a.cast", "b.cast"]).output();
    assert_eq!(run.code(), 0, "{run:?}");
    let told: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(
        (&told[0]["format"], &told[1]["format"]),
        (&json!("asciicast 2"), &json!("asciicast 1"))
    );
    assert!(
        told[0]["doubts"]
            .to_string()
            .contains("the file ends inside of line 3"),
        "{told}"
    );
    let sessions = env.recorded();
    assert_eq!(sessions.len(), 2);
    for session in sessions {
        assert_eq!(session.meta["status"], "interrupted");
        assert_eq!(session.meta["sha256"].as_str().map(str::len), Some(64));
        assert!(fs::metadata(env.sessions().join(format!("{}.events.jsonl", session.id))).is_ok());
    }
    let run = env.aido(["rerun", "--trust", "last"]).output();
    assert!(run.stderr_text().contains("were not recorded"), "{run:?}");
}
