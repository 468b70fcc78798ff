//! aido's own words that read: `list`, `show` and `schema`.

use std::io;
use std::os::fd::OwnedFd;

use serde_json::Value;

use crate::support::{Session, TestEnv, contains};

/// Three sessions: a success, a failure and a success with escape sequences.
fn with_sessions() -> (TestEnv, Vec<Session>) {
    let env = TestEnv::in_repository();
    for (agent, script) in [
        ("first", "echo alpha"),
        ("second", "echo beta; exit 3"),
        ("third", "printf '\\033[31mgamma\\033[0m\\007\\n'"),
    ] {
        env.aido(["--agent", agent, "sh", "-c", script]).output();
    }
    let sessions = env.recorded();
    let agents: Vec<_> = sessions
        .iter()
        .map(|session| session.meta["agent"].as_str())
        .collect();
    assert_eq!(agents, [Some("first"), Some("second"), Some("third")]);
    (env, sessions)
}

/// Runs one of aido's own words, which has to succeed silently.
fn read(env: &TestEnv, words: &[&str]) -> String {
    let run = env.aido(words).output();
    assert!(
        run.code() == 0 && run.stderr.is_empty(),
        "{words:?}: {run:?}"
    );
    assert_eq!(env.recorded().len(), 3, "{words:?} was recorded");
    run.stdout_text()
}

#[test]
fn list_shows_the_newest_first() {
    let (env, sessions) = with_sessions();
    let text = read(&env, &["list"]);
    let places: Vec<usize> = ["third", "second", "first"]
        .iter()
        .map(|agent| text.find(agent).unwrap())
        .collect();
    assert!(places.is_sorted(), "{text}");
    assert!(!text.contains('\u{1b}'), "escape sequences in {text:?}");
    let json: Value = serde_json::from_str(&read(&env, &["list", "--json"])).unwrap();
    let text = json.to_string();
    assert!(text.contains("\"schema_version\""), "{text}");
    let place = |session: &Session| text.find(&session.id).unwrap_or_else(|| panic!("{text}"));
    let places: Vec<usize> = sessions.iter().rev().map(place).collect();
    assert!(places.is_sorted(), "{text}");
}

#[test]
fn list_is_the_same_from_anywhere_in_the_repository() {
    let (env, _) = with_sessions();
    env.write("work/deep/down/file", "");
    let json = |directory: &str| {
        let run = env
            .aido(["list", "--json"])
            .current_dir(env.path(directory))
            .output();
        assert_eq!(run.code(), 0, "{run:?}");
        run.stdout_text()
    };
    assert_eq!(json("work"), json("work/deep/down"));
}

#[test]
fn show_knows_a_session_by_each_of_its_names() {
    let (env, sessions) = with_sessions();
    let hexid = |session: &Session| session.id.rsplit('-').next().unwrap().to_owned();
    for (selector, session) in [
        (sessions[0].id.clone(), 0),
        (sessions[1].id.clone(), 1),
        ("first-2".to_owned(), 0),
        (hexid(&sessions[1]), 1),
        ("last".to_owned(), 2),
        ("last~1".to_owned(), 1),
        ("last~2".to_owned(), 0),
        ("last:failed".to_owned(), 1),
        ("@first".to_owned(), 0),
    ] {
        let json: Value =
            serde_json::from_str(&read(&env, &["show", &selector, "--json"])).unwrap();
        let found = json.to_string().contains(&sessions[session].id);
        assert!(
            found && json.to_string().contains("\"schema_version\""),
            "{selector}: {json}"
        );
        let text = read(&env, &["show", &selector]);
        let printed = ["alpha", "beta", "gamma"][session];
        assert!(text.contains(printed), "{selector}: {text}");
        let raw = read(&env, &["show", &selector, "--raw"]);
        let output = sessions[session].output();
        assert!(raw.as_bytes().starts_with(output), "{selector}: {raw:?}");
    }
}

#[test]
fn show_alone_means_the_last_and_prints_clean_text() {
    let (env, _) = with_sessions();
    let text = read(&env, &["show"]);
    assert!(text.contains("gamma"), "{text}");
    assert!(
        !text.contains(['\u{1b}', '\u{7}']),
        "control characters in {text:?}"
    );
    assert_eq!(text, read(&env, &["show", "last"]));
    assert!(read(&env, &["show", "--raw"]).starts_with("\u{1b}[31mgamma\u{1b}[0m\u{7}\n"));
}

#[test]
fn json_holds_nothing_that_a_terminal_obeys() {
    let env = TestEnv::new();
    let note = "\u{9b}2J\u{7f}\u{202e}\u{e0041}é";
    env.aido(["--note", note, "true"]).output();
    for words in [["list", "--json"], ["show", "--json"]] {
        let run = env.aido(words).output();
        let text = run.stdout_text() + &run.stderr_text();
        let is_tame = |character: char| character == '\n' || !character.is_control();
        assert!(text.chars().all(is_tame), "{words:?}: {text:?}");
        let json: Value = serde_json::from_str(&text).unwrap();
        assert!(json.to_string().contains(note), "{words:?}: {json}");
    }
}

#[test]
fn a_failure_is_shown_with_its_exit_code() {
    let (env, _) = with_sessions();
    let text = read(&env, &["show", "last:failed"]);
    assert!(text.contains('3') && text.contains("beta"), "{text}");
}

#[test]
fn schema_is_json() {
    let env = TestEnv::new();
    let run = env.aido(["schema"]).output();
    assert!(run.code() == 0 && run.stderr.is_empty(), "{run:?}");
    let schema: Value = serde_json::from_slice(&run.stdout).unwrap();
    let text = schema.to_string();
    for field in ["session_id", "exit_code", "output_bytes", "sha256", "argv"] {
        assert!(
            text.contains(&format!("\"{field}\"")),
            "{field} is not in the schema"
        );
    }
}

#[test]
fn an_unknown_session_is_1_with_a_hint() {
    let (env, _) = with_sessions();
    for selector in ["no-such-session", "last~99", "@nobody"] {
        let run = env.aido(["show", selector]).output();
        assert!(
            run.code() == 1 && run.stdout.is_empty(),
            "{selector}: {run:?}"
        );
        let message = run.stderr_text();
        assert!(message.starts_with("aido: "), "{message}");
        assert!(message.contains("aido: hint: "), "no hint in: {message}");
        let run = env.aido(["show", selector, "--json"]).output();
        assert_eq!(run.code(), 1, "{selector}: {run:?}");
        let error: Value =
            serde_json::from_slice(&run.stderr).unwrap_or_else(|_| panic!("{run:?}"));
        assert!(error.get("error").is_some(), "{error}");
    }
}

#[test]
fn an_empty_store_is_no_error_to_list_and_nothing_to_show() {
    for env in [TestEnv::new(), TestEnv::in_repository()] {
        let run = env.aido(["list"]).output();
        assert!([0, 1].contains(&run.code()), "{run:?}");
        let run = env.aido(["show"]).output();
        assert!(
            run.code() == 1 && run.stderr.starts_with(b"aido: "),
            "{run:?}"
        );
        assert!(!env.sessions().exists(), "reading made a store");
    }
}

#[test]
fn a_wrong_use_of_an_own_word_is_2() {
    let (env, _) = with_sessions();
    for words in [
        &["list", "--no-such"][..],
        &["show", "--no-such"],
        &["show", "a", "b", "c"],
    ] {
        let run = env.aido(words).output();
        assert!(
            run.code() == 2 && run.stdout.is_empty(),
            "{words:?}: {run:?}"
        );
        assert!(!run.stderr.is_empty(), "{words:?}");
    }
    assert_eq!(env.recorded().len(), 3);
}

#[test]
fn a_wrong_use_mentions_a_program_of_that_name() {
    let env = TestEnv::new();
    env.script("work/bin/list", "#!/bin/sh\necho mine\n");
    let path = format!("{}:/usr/bin:/bin", env.path("work/bin").display());
    let run = env.aido(["list", "--no-such"]).env("PATH", path).output();
    assert!(
        run.code() == 2 && contains(&run.stderr, b"aido -- list"),
        "{run:?}"
    );
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let (env, _) = with_sessions();
    for words in [
        &["list"][..],
        &["list", "--json"],
        &["show"],
        &["show", "--raw"],
        &["schema"],
    ] {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let run = env.aido(words).stdout_file(OwnedFd::from(writer)).output();
        assert!([0, 141].contains(&run.code()), "{words:?}: {run:?}");
        assert!(run.stderr.is_empty(), "{words:?}: {run:?}");
    }
}

#[test]
fn running_and_interrupted_sessions_are_listed_as_such() {
    let env = TestEnv::new();
    let run = env
        .aido([
            "--agent",
            "watched",
            "sh",
            "-c",
            "echo READY; exec sleep 600",
        ])
        .spawn();
    run.wait_for_stdout(b"READY");
    let listed = || env.aido(["list"]).output().stdout_text();
    let text = listed();
    assert!(
        text.contains("watched") && text.contains("running"),
        "{text}"
    );
    run.signal(libc::SIGKILL);
    run.wait();
    let text = listed();
    assert!(
        text.contains("watched") && text.contains("interrupted"),
        "{text}"
    );
}
