//! `aido rerun --diff`: what is different this time, instead of the output.

use serde_json::{Value, json};

use super::{last, refused};
use crate::support::TestEnv;

#[test]
fn the_same_output_prints_nothing_and_ends_as_the_command() {
    let env = TestEnv::new();
    for (script, code) in [("echo a; echo b >&2", 0), ("echo a; exit 7", 7)] {
        env.aido(["sh", "-c", script]).output();
        let first = last(&env);
        let run = env.aido(["rerun", "--diff"]).output();
        let text = run.stdout_text();
        let told: Vec<&str> = text
            .lines()
            .filter(|line| !line.contains("duration"))
            .collect();
        assert!(told.is_empty(), "{script}: {text}");
        assert_eq!((run.code(), run.stderr_text().as_str()), (code, ""));
        let again = last(&env);
        assert_ne!(again.id, first.id);
        assert_eq!(again.meta["parent"], first.id.as_str());
        assert_eq!(again.output(), first.output());
    }
}

#[test]
fn what_differs_is_printed_and_the_exit_code_is_the_new_one() {
    let env = TestEnv::new();
    let script = "echo a; cat state; test ! -e failing || exit 4";
    env.write("work/state", "before\n");
    env.aido(["sh", "-c", script]).output();
    let first = last(&env);
    env.write("work/state", "after\n");
    env.write("work/failing", "");
    let run = env.aido(["rerun", "--diff", "last"]).output();
    let again = last(&env);
    let text = run.stdout_text();
    let told: Vec<&str> = text
        .lines()
        .filter(|line| !line.contains("duration"))
        .collect();
    let (one, other) = (format!("--- {}", first.id), format!("+++ {}", again.id));
    let expected = [
        "-outcome   exit 0, exited",
        "+outcome   exit 4, exited",
        "",
        &one,
        &other,
        "@@ -1,2 +1,2 @@",
        " a",
        "-before",
        "+after",
    ];
    assert_eq!(told, expected);
    assert_eq!((run.code(), run.stderr_text().as_str()), (4, ""));
    env.write("work/state", "later\n");
    let run = env.aido(["rerun", &first.id, "--diff", "--json"]).output();
    let json: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(run.code(), 4);
    assert_eq!(
        (&json["same"], &json["left"], &json["right"]),
        (
            &false.into(),
            &first.id.as_str().into(),
            &last(&env).id.as_str().into()
        )
    );
    assert_eq!(
        json["differences"]["exit_code"],
        json!({"left": 0, "right": 4})
    );
    assert_eq!(
        json["text"]["hunks"][0]["lines"],
        json!([" a", "-before", "+later"])
    );
}

#[test]
fn a_signal_is_told_as_a_code_since_there_is_something_to_print() {
    let env = TestEnv::new();
    let script = "test -e calm || exit 0; kill -TERM $$";
    env.aido(["sh", "-c", script]).output();
    env.write("work/calm", "");
    let run = env.aido(["rerun", "--diff"]).output();
    assert_eq!(run.code(), 128 + libc::SIGTERM);
    let text = run.stdout_text();
    assert!(text.contains("+outcome   exit 143 (SIGTERM)"), "{text}");
}

#[test]
fn what_may_not_run_is_not_compared_either() {
    let env = TestEnv::new();
    env.aido(["sh", "-c", "test -e ran && touch RAN; touch ran"])
        .output();
    let session = last(&env);
    let path = env.file_of(&session.id, "meta.json");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("\"notes\": null", "\"notes\": \"x\"")).unwrap();
    let said = refused(&env, &["rerun", "--diff"]);
    assert!(said.contains("ALTERED"), "{said}");
    let run = env.aido(["rerun", "--diff", "--dry-run"]).output();
    assert_eq!((run.code(), run.stdout.len()), (2, 0), "{run:?}");
    assert_eq!(env.aido(["rerun", "--diff", "no-such"]).output().code(), 1);
    let run = env.aido(["rerun", "--diff", "--trust"]).output();
    assert_eq!(run.code(), 0, "{run:?}");
    assert!(env.work().join("RAN").exists());
}

/// There is nothing to compare with then, but what ran has run.
#[test]
fn without_a_recording_there_is_nothing_to_compare() {
    let env = TestEnv::new();
    env.aido(["sh", "-c", "touch ran"]).output();
    std::fs::remove_file(env.work().join("ran")).unwrap();
    let run = env.aido(["--no-record", "rerun", "--diff"]).output();
    assert!(env.work().join("ran").exists(), "{run:?}");
    assert!(run.stderr_text().contains("nothing to compare"), "{run:?}");
    assert!(run.code() != 0 && run.stdout.is_empty(), "{run:?}");
    assert_eq!(env.recorded().len(), 1);
}
