//! What is marked when a session ends, and when something is said of it.

use std::fs;

use serde_json::{Value, json};

use super::OWN;
use super::made::{Lot, TOKENS};
use crate::support::{TestEnv, contains};

#[test]
fn a_session_with_a_secret_is_marked_and_shown_so_and_still_verifies() {
    let env = TestEnv::in_repository();
    let token = Lot::new(1).cook(TOKENS[0].1);
    env.aido(["echo", "nothing"]).output();
    env.aido(["echo", OWN]).env("DEPLOY_TOKEN", OWN).output();
    env.aido(["-c", &format!("echo {token} >/dev/null")])
        .output();
    env.write(
        "work/print",
        &format!("echo out {token}; echo err {token} >&2"),
    );
    env.aido(["--tty", "never", "sh", "print"]).output();
    let sessions = env.recorded();
    let marks: Vec<&Value> = sessions
        .iter()
        .map(|session| &session.meta["sensitive"])
        .collect();
    assert_eq!(marks, [false, true, true, true]);
    let [plain, own, line, printed] = &sessions[..] else {
        panic!("four sessions")
    };
    assert_eq!(plain.meta["redactions"], Value::Null);
    assert_eq!(
        own.meta["argv"],
        json!(["echo", OWN]),
        "it is for running again"
    );
    let leaving = own.meta["redactions"]["argv"][1].as_str().unwrap();
    assert!(
        leaving.starts_with("[REDACTED:env.DEPLOY_TOKEN:"),
        "{leaving}"
    );
    assert_eq!(own.meta["stdout_tail"], format!("{leaving}\n").trim_end());
    assert_eq!(
        own.meta["redactions"]["counts"],
        json!({"env.DEPLOY_TOKEN": 2})
    );
    let leaving = line.meta["redactions"]["shell_line"].as_str().unwrap();
    assert!(
        leaving.starts_with("echo [REDACTED:github-token:"),
        "{leaving}"
    );
    for field in ["stdout_tail", "stderr_head"] {
        let text = printed.meta[field].as_str().unwrap();
        assert!(
            text.contains("[REDACTED:github-token:") && !text.contains(&token),
            "{text}"
        );
    }
    let list = env.aido(["list"]).output().stdout_text();
    let locks: Vec<bool> = list
        .lines()
        .skip(1)
        .map(|line| line.contains('\u{1f512}'))
        .collect();
    assert_eq!(locks, [true, true, true, false], "{list}");
    let shown = env.aido(["show", "--meta"]).output().stdout_text();
    assert!(
        shown.contains("secrets   github-token 2; replaced in what leaves"),
        "{shown}"
    );
    let verified = env.aido(["verify"]).output();
    assert_eq!(verified.stdout_text(), "4 sessions: 4 OK; 4 VALID\n");
}

/// The caller's own secret is known only while the caller's environment is: in the note, the labels and
/// the task's name as in the arguments.
#[test]
fn what_is_said_of_a_session_is_marked_like_its_arguments() {
    let env = TestEnv::in_repository();
    let said = format!("see {OWN}");
    let options = ["--note", &said, "--tag", OWN, "--task", OWN];
    let run = env.aido([&options[..], &["echo", "one"]].concat());
    run.env("DEPLOY_TOKEN", OWN).output();
    let session = env.only_session();
    assert_eq!(session.meta["sensitive"], true);
    assert_eq!(session.meta["notes"], said, "it stays as it was said");
    let counts = |count: u64| json!({"env.DEPLOY_TOKEN": count});
    assert_eq!(session.meta["redactions"]["counts"], counts(3));
    let doors = [
        &["export"][..],
        &["export", "--profile", "full"],
        &["show", "--meta", "--json"],
        &["list", "--json"],
        &["search", "--in", "notes", "see"],
    ];
    // Nobody knows the variables any more.
    let other = "another fine secret 77";
    let assert_none_leaves = || {
        for words in doors {
            let run = env.aido(words).env("AI_AGENT", "tester").output();
            assert!(run.code() < 2, "{run:?}");
            for secret in [OWN, other] {
                assert!(
                    !contains(&run.stdout, secret.as_bytes()),
                    "{words:?}: {run:?}"
                );
            }
        }
    };
    assert_none_leaves();
    // What is added keeps what was marked, and adds to it.
    env.aido(["note", "last", "--append", "and more"]).output();
    let more = format!("and {other}");
    let run = env.aido(["note", "last", "--tag", other, "--append", &more]);
    run.env("OTHER_PASSWORD", other).output();
    let session = env.only_session();
    assert_eq!(session.meta["notes"], format!("{said}\nand more\n{more}"));
    let notes = session.meta["redactions"]["notes"].as_str().unwrap();
    assert!(
        notes.starts_with("see [REDACTED:env.DEPLOY_TOKEN:")
            && notes.contains("]\nand more\nand [REDACTED:env.OTHER_PASSWORD:"),
        "{notes}"
    );
    assert_eq!(
        session.meta["redactions"]["counts"],
        json!({"env.DEPLOY_TOKEN": 3, "env.OTHER_PASSWORD": 2})
    );
    assert_none_leaves();
    // Without them, only the name of the task is left to mark.
    let words = ["note", "last", "", "--untag", OWN, "--untag", other];
    env.aido(words).output();
    let session = env.only_session();
    assert_eq!(session.meta["redactions"]["counts"], counts(1));
    assert_eq!(env.aido(["verify"]).output().code(), 0);
}

#[test]
fn statistics_and_what_is_left_of_removed_sessions_hold_no_marked_secret() {
    let env = TestEnv::in_repository();
    for number in 0..2 {
        let long = "x".repeat(200);
        let script = format!("echo {OWN}; curl -u me:hunter{number} '{OWN} {long}'; exit 1");
        for _ in 0..2 {
            let run = env.aido(["bash", "-c", &script, "echo", OWN]);
            run.env("DEPLOY_TOKEN", OWN).output();
        }
    }
    let secrets = [OWN, "hunter0", "hunter1", "horse"];
    let told = |words: &[&str]| {
        let run = env.aido(words).env("AI_AGENT", "tester").output();
        assert!(run.code() < 2, "{run:?}");
        let text = run.stdout_text();
        let seen = secrets.iter().find(|secret| text.contains(**secret));
        assert_eq!(seen, None, "{words:?}: {text}");
        text
    };
    let stats = told(&["stats", "--json"]);
    assert!(stats.contains("echo [REDACTED:env.DEPLOY_TOKEN"), "{stats}");
    told(&["stats"]);
    env.aido(["prune", "--keep-sessions", "1", "-y"]).output();
    told(&["list", "--pruned"]);
    let removed = told(&["list", "--pruned", "--json"]);
    assert!(
        removed.contains("echo [REDACTED:env.DEPLOY_TOKEN"),
        "{removed}"
    );
}

/// A command in quotes that is longer than what the index has of it.
#[test]
fn a_secret_in_quotes_that_was_cut_does_not_come_out() {
    let env = TestEnv::in_repository();
    let secret = format!("hunter{}", "9z".repeat(40));
    for filler in (60..180).step_by(9) {
        let filler = "f".repeat(filler);
        let script = format!("echo {filler}; curl -u 'me:{secret}' x; exit 1");
        let line = format!("bash -c \"{script}\"");
        for _ in 0..2 {
            env.aido(["-c", &line]).output();
        }
    }
    let told = |words: &[&str]| {
        let run = env.aido(words).env("AI_AGENT", "tester").output();
        let text = run.stdout_text();
        assert!(text.contains("ffff") && !text.contains("hunter"), "{text}");
    };
    told(&["stats", "--json", "-n", "99"]);
    told(&["__complete", "--", "show", ""]);
    // Of these nothing but the beginning is left.
    env.aido(["prune", "--keep-sessions", "1", "-y"]).output();
    told(&["list", "--pruned", "--json"]);
}

/// What is recorded of the environment may hold a secret like anything else.
#[test]
fn a_secret_in_a_recorded_variable_is_marked_and_leaves_by_no_export() {
    let env = TestEnv::in_repository();
    let token = Lot::new(1).cook(TOKENS[0].1);
    let run = env.aido(["true"]).env("CI", &token).env("TZ", OWN);
    run.env("MY_TOKEN", OWN).output();
    let session = env.only_session();
    assert_eq!(session.meta["sensitive"], true);
    assert_eq!(session.meta["env"]["TZ"], OWN, "what is recorded stays");
    let known = &session.meta["redactions"];
    assert_eq!(
        known["counts"],
        json!({"env.MY_TOKEN": 1, "github-token": 1})
    );
    for words in [
        &["export"][..],
        &["export", "--profile", "full"],
        &["export", "--no-redact", "--yes"],
        &["export", "--format", "otlp"],
        &["export", "--format", "asciicast"],
        &["show", "--meta", "--json"],
        &["show", "--events", "--json"],
    ] {
        let run = env.aido(words).env("AI_AGENT", "tester").output();
        assert_eq!(run.code(), 0, "{run:?}");
        for secret in [OWN, &token] {
            let is_there = contains(&run.stdout, secret.as_bytes());
            assert!(!is_there, "{words:?}: {run:?}");
        }
    }
}

/// The caller's own secrets are known only while its environment is: to the recorder, from the start.
#[test]
fn a_session_that_runs_or_was_left_holds_no_secret_that_was_known_at_its_start() {
    let env = TestEnv::in_repository();
    let script = format!("echo 'it is {OWN}'; echo ready; exec sleep 1000");
    let options = ["--note", OWN, "--tag", OWN, "--task", OWN, "--", "sh", "-c"];
    let mut words = options.to_vec();
    let encoded = OWN.replace('-', "%2D");
    words.extend([script.as_str(), "sh", OWN, &encoded]);
    let run = env.aido(words).env("DEPLOY_TOKEN", OWN).env("TZ", OWN);
    let run = run.spawn();
    run.wait_for_stdout(b"ready");
    let doors = [
        &["export"][..],
        &["export", "--no-redact", "--yes"],
        &["list", "--json"],
        &["show", "--meta", "--json"],
        &["show", "--events", "--json"],
        &["handoff"],
        &["__complete", "--", "show", ""],
    ];
    let assert_none_leaves = || {
        for words in doors {
            let run = env.aido(words).env("AI_AGENT", "tester").output();
            assert_eq!(run.code(), 0, "{words:?}: {run:?}");
            // What --no-redact lets out is what was said, and nothing else.
            if words.contains(&"--no-redact") {
                let told: Value = serde_json::from_slice(&run.stdout).unwrap();
                for field in ["argv", "command", "env"] {
                    assert!(!told[0][field].to_string().contains(OWN), "{told}");
                }
                continue;
            }
            for secret in [OWN, &encoded] {
                let is_there = contains(&run.stdout, secret.as_bytes());
                assert!(!is_there, "{words:?}: {run:?}");
            }
        }
    };
    assert_none_leaves();
    run.kill();
    env.aido(["recover"]).output();
    let session = env.only_session();
    assert_eq!(session.meta["status"], "interrupted");
    let tail = session.meta["stdout_tail"].as_str().unwrap();
    assert!(tail.contains("it is [REDACTED:env.DEPLOY_TOKEN]"), "{tail}");
    assert_none_leaves();
}

/// What the sidecar has marked, in fields that other words show: nobody knows the variable any more.
#[test]
fn every_word_that_shows_a_field_shows_it_as_it_was_marked() {
    let env = TestEnv::in_repository();
    let place = format!("work/{OWN}");
    env.write(&format!("{place}/file"), "");
    let git = env.path("work/.git/HEAD");
    let head = fs::read_to_string(&git).unwrap();
    fs::write(&git, "ref: refs/heads/hunter2-horse-7\n").unwrap();
    for _ in 0..2 {
        let options = ["--note", OWN, "--tag", OWN, "--task", OWN];
        let words = ["sh", "-c", "echo 'error: it broke'; exit 3", OWN];
        let run = env
            .aido([&options[..], &words].concat())
            .current_dir(env.path(&place));
        let run = run.env("DEPLOY_TOKEN", OWN);
        run.env("BRANCH_SECRET", "hunter2-horse-7").output();
    }
    fs::write(&git, head).unwrap();
    for words in [
        &["show", "--events", "--json"][..],
        &["tasks"],
        &["tasks", "--json"],
        &["tasks", "show", OWN],
        &["tasks", "show", OWN, "--json"],
        &["__complete", "--", "show", ""],
        &["faults", "--json"],
        &["faults", "show", "last", "--json"],
        &["rerun", "--dry-run"],
        &["rerun", "--dry-run", "--json"],
        &["prune", "--dry-run", "--keep-sessions", "1"],
        &["prune", "--dry-run", "--keep-sessions", "1", "--json"],
        &["handoff"],
        &["handoff", "--json"],
        &["export"],
    ] {
        let run = env.aido(words).env("AI_AGENT", "tester").output();
        assert_eq!(run.code(), 0, "{words:?}: {run:?}");
        for secret in [OWN, "horse"] {
            let is_there = contains(&run.stdout, secret.as_bytes());
            assert!(!is_there, "{words:?}: {run:?}");
        }
    }
}
