//! Sessions that are not whole: running, interrupted, and with files that are missing or short.

use std::fs;

use serde_json::Value;

use super::{recorded, show, shown};
use crate::support::TestEnv;

#[test]
fn a_running_session_shows_what_there_is_and_an_interrupted_one_too() {
    let env = TestEnv::new();
    let script = "echo one; echo two >&2; echo READY; exec sleep 600";
    let run = env.aido(["sh", "-c", script]).spawn();
    run.wait_for_stdout(b"READY");
    let written = || {
        show(&env, &["--events"])
            .stdout_text()
            .matches("std")
            .count()
            >= 2
    };
    crate::support::wait_until("the events tell the streams apart", written);
    let text = shown(&env, &[]);
    assert!(text.contains("outcome   running\n"), "{text}");
    assert!(
        !text.contains("\noutput ") && text.contains("\none\n"),
        "{text}"
    );
    assert_eq!(shown(&env, &["--stderr"]), "two\n");
    assert_eq!(shown(&env, &["--grep", "READY"]), "READY\n");
    let json: Value = serde_json::from_str(&shown(&env, &["--json", "--tail", "9"])).unwrap();
    assert_eq!(
        (&json["state"], &json["signature"]),
        (&"running".into(), &Value::Null)
    );
    assert_eq!(json["line_count"], 3);
    run.signal(libc::SIGKILL);
    run.wait();
    let text = shown(&env, &[]);
    assert!(text.contains("outcome   unknown, interrupted\n"), "{text}");
    assert!(text.contains("\none\n"), "{text}");
    assert_eq!(shown(&env, &["--stderr"]), "two\n");
    assert_eq!(shown(&env, &["--follow", "--stdout"]), "one\nREADY\n");
    assert!(!shown(&env, &["--events"]).contains("exit"));
}

#[test]
fn a_missing_transcript_is_said_and_the_summary_shown() {
    let (env, session) = recorded();
    fs::remove_file(env.sessions().join(format!("{}.typescript", session.id))).unwrap();
    let run = show(&env, &[]);
    assert_eq!(run.code(), 1, "{run:?}");
    assert!(
        run.stdout_text().contains("outcome   exit 3, exited\n"),
        "{run:?}"
    );
    assert!(run.stderr_text().contains(".typescript"), "{run:?}");
    run.assert_one_warning("show");
    for options in [
        &["--tail", "1"][..],
        &["--raw"],
        &["--stderr"],
        &["--diff", "last"],
    ] {
        let run = show(&env, options);
        assert_eq!(
            (run.code(), run.stdout.len()),
            (1, 0),
            "{options:?}: {run:?}"
        );
        run.assert_one_warning("show");
    }
    let run = show(&env, &["--json", "--tail", "1"]);
    let json: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(
        (run.code(), &json["exit_code"], &json["lines"]),
        (1, &3.into(), &Value::Null)
    );
    let error: Value = serde_json::from_slice(&run.stderr).unwrap();
    assert_eq!(error["error"]["code"], "failed");
    assert!(shown(&env, &["--meta"]).contains("exit 3"));
    assert!(shown(&env, &["--events"]).contains("exit 3"));
}

#[test]
fn a_short_transcript_is_shown_as_far_as_it_goes() {
    let (env, session) = recorded();
    let path = env.sessions().join(format!("{}.typescript", session.id));
    fs::OpenOptions::new()
        .write(true)
        .open(&path)
        .unwrap()
        .set_len(14)
        .unwrap();
    for (options, text) in [
        (&["--head", "9"][..], "line 1\nline 2\n"),
        (&["--tail", "1"], "line 2\n"),
        (&["--stdout"], "line 1\nline 2\n"),
        (&["--raw"], "line 1\nline 2\n"),
    ] {
        let run = show(&env, options);
        assert_eq!(
            (run.code(), run.stdout_text().as_str()),
            (1, text),
            "{options:?}"
        );
        let message = format!(
            "aido: the transcript of {} is short: 84 of 98 bytes of output are missing\n",
            session.id
        );
        assert_eq!(run.stderr_text(), message, "{options:?}");
    }
    let run = show(&env, &[]);
    assert!(
        run.code() == 1 && run.stdout_text().ends_with("\nline 1\nline 2\n"),
        "{run:?}"
    );
}

#[test]
fn without_events_there_is_still_the_text() {
    let (env, session) = recorded();
    fs::remove_file(env.sessions().join(format!("{}.events.jsonl", session.id))).unwrap();
    assert_eq!(shown(&env, &["--tail", "1"]), "again\n");
    assert_eq!(shown(&env, &["--follow", "--tail", "1"]), "again\n");
    for options in [&["--stderr"][..], &["--events"], &["--events", "--json"]] {
        let run = show(&env, options);
        assert_eq!(
            (run.code(), run.stdout.len()),
            (1, 0),
            "{options:?}: {run:?}"
        );
    }
}
