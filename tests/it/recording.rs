//! Group T and docs/format.md: what is kept of a command.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use rustix::fs::Mode;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::{
    AIDO, MODES, Session, TestEnv, files_below, has_program, process_is_alive, wait_until,
};

mod sidecar;

/// Asserts what holds for every finished session.
pub(crate) fn assert_sound(session: &Session) {
    let code = &session.meta["exit_code"];
    let marker = format!("\n=== AI_EXIT_CODE: {code} ===\n");
    let after = session.transcript[session.output().len()..]
        .escape_ascii()
        .to_string();
    assert_eq!(
        after,
        marker.as_bytes().escape_ascii().to_string(),
        "{}",
        session.id
    );
    let digest = hex::encode(Sha256::digest(&session.transcript));
    assert_eq!(session.meta["sha256"], digest.as_str(), "{}", session.id);
    assert_eq!(session.meta["session_id"], session.id.as_str());
    let (first, last) = (&session.events[0], session.events.last().unwrap());
    assert_eq!(first["type"], "start", "{first}");
    for known in ["argv", "cwd", "agent"] {
        assert_eq!(first[known], session.meta[known], "{known} in {first}");
    }
    assert!(first["pid"].is_u64(), "{first}");
    assert_eq!(last["type"], "exit", "{last}");
    for known in ["exit_code", "output_bytes"] {
        assert_eq!(last[known], session.meta[known], "{known} in {last}");
    }
    let output = session.output().len() as u64;
    assert_eq!(bytes_of(session, "output"), output, "{:?}", session.events);
    assert_eq!(
        json!(bytes_of(session, "gap")),
        session.meta["dropped_bytes"]
    );
}

/// The bytes that a session's events of one kind add up to.
fn bytes_of(session: &Session, kind: &str) -> u64 {
    let events = session.events.iter().filter(|event| event["type"] == kind);
    events.map(|event| event["bytes"].as_u64().unwrap()).sum()
}

// T01, T02, T03
#[test]
fn a_transcript_is_the_output_then_the_marker() {
    for mode in MODES {
        for (script, code, output) in [
            ("", 0, ""),
            ("echo line; exit 3", 3, "line\n"),
            ("printf unfinished; exit 255", 255, "unfinished"),
            ("printf '\\n\\n'", 0, "\n\n"),
            ("echo dies; kill -TERM $$", 143, "dies\n"),
            (
                "printf '\\n=== AI_EXIT_CODE: 0 ===\\n'; exit 9",
                9,
                "\n=== AI_EXIT_CODE: 0 ===\n",
            ),
        ] {
            let env = TestEnv::new();
            let run = env.aido_in(mode, ["sh", "-c", script]).output();
            assert!(
                run.code() == code && run.stdout_text() == output,
                "{mode} {script}: {run:?}"
            );
            let session = env.only_session();
            assert_sound(&session);
            assert_eq!(session.output(), output.as_bytes(), "{mode} {script}");
            assert_eq!(session.meta["exit_code"], code, "{mode} {script}");
        }
    }
}

// T05
#[test]
fn a_recording_is_finished_after_a_forwarded_signal() {
    for mode in MODES {
        let env = TestEnv::new();
        let script = "exec 2>/dev/null; trap 'echo bye; exit 9' TERM; echo READY; while :; do sleep 0.05; done";
        let run = env.aido_in(mode, ["sh", "-c", script]).spawn();
        run.wait_for_stdout(b"READY\n");
        run.signal(libc::SIGTERM);
        assert_eq!(run.wait().code(), 9, "{mode}");
        let session = env.only_session();
        assert_sound(&session);
        assert_eq!(
            (session.output(), &session.meta["status"]),
            (&b"READY\nbye\n"[..], &json!("exited"))
        );
    }
}

// T03, T06
#[test]
fn nothing_claims_to_be_complete_before_the_end_or_after_kill_9() {
    for mode in MODES {
        let env = TestEnv::new();
        let run = env
            .aido_in(mode, ["sh", "-c", "echo READY; exec sleep 600"])
            .spawn();
        run.wait_for_stdout(b"READY\n");
        assert!(env.recorded().is_empty(), "{mode}: a sidecar while it runs");
        run.signal(libc::SIGKILL);
        assert_eq!(run.wait().signal(), Some(libc::SIGKILL));
        assert!(env.recorded().is_empty(), "{mode}: a sidecar after kill -9");
        let transcripts = env.transcripts();
        assert_eq!(transcripts.len(), 1, "{mode}");
        assert_eq!(fs::read(&transcripts[0]).unwrap(), b"READY\n", "{mode}");
    }
}

// T04
#[test]
fn recordings_are_private_whatever_the_umask() {
    for umask in [0, 0o022, 0o077] {
        let env = TestEnv::in_repository();
        let hook = move || {
            rustix::process::umask(Mode::from_raw_mode(umask));
            Ok(())
        };
        let script = "echo secret; find ../home . -type f -name '*.typescript' -perm /077";
        let run = env.aido(["sh", "-c", script]).before_exec(hook).output();
        assert_eq!(
            run.stdout_text(),
            "secret\n",
            "a live transcript that others may read"
        );
        let mode =
            |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&env.sessions()), 0o700, "umask {umask:o}");
        for path in files_below(&env.sessions()) {
            if path.ends_with(".gitignore") {
                continue;
            }
            assert_eq!(mode(&path), 0o600, "umask {umask:o}: {}", path.display());
        }
        assert_eq!(
            fs::read_to_string(env.sessions().join(".gitignore")).unwrap(),
            "*\n"
        );
    }
}

#[test]
fn a_recording_never_dirties_the_work_tree() {
    if !has_program("git", "a_recording_never_dirties_the_work_tree") {
        return;
    }
    let env = TestEnv::in_repository();
    fs::remove_dir_all(env.path("work/.git")).unwrap();
    assert_eq!(
        env.bare(["git", "init", "-q", "-b", "main"])
            .output()
            .code(),
        0
    );
    for mode in MODES {
        let run = env.aido_in(mode, ["git", "status", "--porcelain"]).output();
        run.assert_same_as(&env.bare(["git", "status", "--porcelain"]).output(), mode);
        assert!(run.stdout.is_empty(), "{mode}: {run:?}");
    }
    assert_eq!(env.recorded().len(), MODES.len());
}

#[test]
fn the_index_has_a_line_for_every_finished_session() {
    let env = TestEnv::new();
    env.aido(["true"]).output();
    env.aido(["false"]).output();
    let index = fs::read_to_string(env.sessions().join("index.jsonl")).unwrap();
    assert_eq!(index.lines().count(), 2, "{index}");
    for (line, session) in index.lines().zip(env.recorded()) {
        let entry: Value = serde_json::from_str(line).unwrap();
        assert!(entry.to_string().contains(&session.id), "{line}");
    }
}

/// Entries that stand for running sessions.
fn live_entries(env: &TestEnv) -> Vec<std::path::PathBuf> {
    let mut files = files_below(&env.path(""));
    files.retain(|path| path.iter().any(|part| part == "live") && !path.ends_with(".gitignore"));
    files
}

#[test]
fn a_running_session_has_a_live_entry_and_a_finished_one_none() {
    for env in [TestEnv::new(), TestEnv::in_repository()] {
        let mut run = env
            .aido(["sh", "-c", "echo READY; read word"])
            .stdin_open()
            .spawn();
        run.wait_for_stdout(b"READY");
        assert!(!live_entries(&env).is_empty(), "no live entry");
        run.write_stdin(b"go\n");
        assert_eq!(run.wait().code(), 0);
        wait_until("nothing is live", || live_entries(&env).is_empty());
        assert_sound(&env.only_session());
    }
}

#[test]
fn a_command_that_reads_the_whole_tree_never_meets_its_own_recording() {
    for mode in MODES {
        for (command, printed) in [
            (&["grep", "-r", "NEEDLE", "."][..], "./hay:a NEEDLE in it\n"),
            (&["tar", "cf", "../all.tar", "."], ""),
            (
                &[
                    "sh",
                    "-c",
                    "find . -name '*.typescript' -o -name '*.events.jsonl'",
                ],
                "",
            ),
        ] {
            let env = TestEnv::in_repository();
            env.write("work/hay", "a NEEDLE in it\n");
            let run = env.aido_in(mode, command).output();
            assert_eq!(
                (run.code(), run.stdout_text().as_str()),
                (0, printed),
                "{mode}: {run:?}"
            );
            assert!(run.stderr.is_empty(), "{mode} {command:?}: {run:?}");
            assert_sound(&env.only_session());
        }
    }
}

#[test]
fn a_store_that_the_command_removes_still_gets_its_record() {
    for mode in MODES {
        let env = TestEnv::in_repository();
        for round in 0..2 {
            let run = env.aido_in(mode, ["rm", "-rf", "nexus"]).output();
            assert!(
                run.code() == 0 && run.stderr.is_empty(),
                "{mode} round {round}: {run:?}"
            );
            assert_sound(&env.only_session());
        }
    }
}

// H01
#[test]
fn a_nested_session_names_the_outer_one() {
    let env = TestEnv::new();
    let run = env
        .aido([
            "sh",
            "-c",
            "\"$0\" sh -c 'echo in $AIDO_SESSION'; echo out",
            AIDO,
        ])
        .output();
    let sessions = env.recorded();
    let (outer, inner) = match &sessions[..] {
        [one, other] if one.meta["within"].is_null() => (one, other),
        [one, other] => (other, one),
        _ => panic!("{} sessions", sessions.len()),
    };
    assert_eq!(inner.meta["within"], outer.id.as_str());
    assert!(
        run.stdout_text().starts_with("in ") && run.stdout_text().contains(&inner.id),
        "{run:?}"
    );
    assert_eq!(outer.output(), run.stdout);
    assert_sound(inner);
    assert_sound(outer);
}

#[test]
fn a_size_limit_keeps_the_beginning_and_the_end() {
    const CAP: usize = 200_000;
    const TAIL: usize = 64 << 10;
    let numbers: String = (0..150_000).map(|number| format!("{number}\n")).collect();
    for mode in MODES {
        for (length, cut) in [
            (900_000, true),
            (CAP + 1000, false),
            (CAP, false),
            (10, false),
        ] {
            let env = TestEnv::new();
            env.write("numbers", &numbers[..length]);
            let run = env
                .aido_in(mode, ["--max-bytes", "200000", "cat", "../numbers"])
                .output();
            assert_eq!((run.code(), run.stdout.len()), (0, length), "{mode}");
            assert!(
                run.stdout == numbers.as_bytes()[..length],
                "{mode}: what was delivered"
            );
            let session = env.only_session();
            assert_sound(&session);
            let (output, dropped) = (
                session.output(),
                session.meta["dropped_bytes"].as_u64().unwrap(),
            );
            assert_eq!(output.len() + dropped as usize, length, "{mode}");
            assert_eq!(dropped > 0, cut, "{mode} {length}: {dropped} dropped");
            let gaps = session
                .events
                .iter()
                .filter(|event| event["type"] == "gap")
                .count();
            assert_eq!(gaps, usize::from(cut), "{mode} {length}");
            if cut {
                assert_eq!(output.len(), CAP + TAIL, "{mode}");
                assert!(
                    output.starts_with(&numbers.as_bytes()[..CAP]),
                    "{mode}: the beginning"
                );
                let end = &numbers.as_bytes()[length - TAIL..length];
                assert!(output.ends_with(end), "{mode}: the end");
            }
        }
    }
}

#[test]
fn a_time_limit_ends_the_whole_group_with_124() {
    for mode in MODES {
        let env = TestEnv::new();
        for (script, printed) in [
            ("echo $$ >>pids; sleep 600 & echo $! >>pids; wait", ""),
            (
                "echo $$ >>pids; trap 'echo bye; exit 0' TERM; sleep 600 & echo $! >>pids; wait",
                "bye\n",
            ),
            (
                "echo $$ >>pids; trap '' TERM; sh -c 'echo $$ >>pids; while :; do sleep 1; done'",
                "",
            ),
        ] {
            let run = env
                .aido_in(mode, ["--timeout", "1s", "sh", "-c", script])
                .output();
            assert_eq!(
                (run.code(), run.stdout_text().as_str()),
                (124, printed),
                "{mode} {script}"
            );
            let session = env.recorded().pop().unwrap();
            assert_sound(&session);
            assert_eq!(session.meta["status"], "timed_out", "{mode} {script}");
            assert_eq!(session.meta["exit_code"], 124, "{mode} {script}");
            let pids = fs::read_to_string(env.path("work/pids")).unwrap();
            wait_until("the group has ended", || {
                !pids
                    .split_whitespace()
                    .any(|pid| process_is_alive(pid.parse().unwrap()))
            });
        }
        let run = env
            .aido_in(mode, ["--timeout", "60s", "sh", "-c", "exit 3"])
            .output();
        assert_eq!(run.code(), 3, "{mode}: a limit that was not reached");
    }
}

#[test]
fn without_recording_nothing_is_left() {
    for env in [TestEnv::new(), TestEnv::in_repository()] {
        let before = files_below(&env.path(""));
        for mode in MODES {
            let run = env
                .aido_in(mode, ["--no-record", "sh", "-c", "echo out; exit 3"])
                .output();
            assert_eq!(
                (run.code(), run.stdout_text().as_str()),
                (3, "out\n"),
                "{mode}"
            );
            assert!(run.stderr.is_empty(), "{mode}: {run:?}");
        }
        assert_eq!(files_below(&env.path("")), before);
    }
}
