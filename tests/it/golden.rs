//! What every reading word prints, to the byte: onto a terminal of 80 columns, into a pipe, as JSON.
//!
//! Each form is one file in `golden/`: a line `$ aido …`, what that prints, and its exit code if that is
//! not 0. What differs from run to run has a name instead. The escape character is shown as `␛`, standard
//! error into a pipe after `2> `.

use std::fs;
use std::path::Path;

use regex::Regex;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::{AIDO, TestEnv, ago, planted_id, sidecar, signed};

/// Each word in each of its forms. Those that change something come last.
const WORDS: &[&str] = &[
    "list",
    "list -n 2",
    "list --failed",
    "list --agent nobody",
    "list --fields session_id,exit_code",
    "list --pruned",
    "show 1",
    "show 1 --meta",
    "show 1 --head 2",
    "show 1 --tail 2 -n",
    "show 1 --lines 2:3",
    "show 1 --grep error -C 1",
    "show 1 --grep nowhere",
    "show 1 --events",
    "show 3 --diff 1",
    "show 2",
    "show 7",
    "search error",
    "search error -C 1",
    "search -l cargo",
    "search -c --in transcript e",
    "search nowhere",
    "stats",
    "doctor",
    "verify",
    "verify 1",
    "prune --dry-run --keep-sessions 2",
    "prune --dry-run",
    "rerun 3 --dry-run",
    "note 1 fixed --tag ci",
    "recover",
    "recover",
];
/// Those that have no JSON.
const WITHOUT_JSON: &[&str] = &["list --fields session_id,exit_code", "show 1 --tail 2 -n"];
/// Those that are for a pipe only.
const PIPE_ONLY: &[&str] = &["show 1 --raw", "list --ndjson", "search --ndjson error"];

/// Those that frame what they print for agents.
const FOR_AGENTS: &[&str] = &[
    "list",
    "list --agent nobody",
    "list --fields session_id",
    "list --pruned",
    "show 1",
    "show 2 --tail 1",
    "search error",
    "search -l error",
    "search nowhere",
    "stats",
    "stats --json",
    "prune --dry-run --keep-sessions 2",
    "note 1 fixed",
    "recover",
];

const OUTPUT: &str = "   Compiling demo v0.1.0\r\n\u{1b}[31merror\u{1b}[0m: \u{202e}日本語\u{1b}]0;title\u{7}\r\n 10%\r100%\r\nerror: could not compile\r\n";

/// Four days in the past, and one of long ago that was removed.
fn place() -> TestEnv {
    let env = TestEnv::new();
    // Makes the key.
    let other = env.path("other");
    env.aido(["--session-dir", other.to_str().unwrap(), "true"])
        .output();
    let failed = json!({
        "command": "cargo test --workspace", "argv": ["cargo", "test", "--workspace"], "exit_code": 101,
        "duration_ms": 61_000, "git": {"branch": "main", "commit": TestEnv::COMMIT},
        "cwd": "/usr", "tags": ["nightly"],
    });
    let mut last = failed.clone();
    (last["notes"], last["task"]) = ("look at \u{1b}[2Jthis".into(), "build".into());
    plant(&env, 1, 400, &last, OUTPUT);
    let hostile = "echo \u{1b}]0;title\u{7}\u{202e}gnp.exe 日本語";
    plant(&env, 2, 401, &json!({"command": hostile}), "gnp.exe\n");
    plant(&env, 3, 403, &failed, &OUTPUT.replace("100%", "99%"));
    interrupt(&env, 4, 402);
    let removed = json!({
        "session_id": planted_id("codex", 5), "timestamp": ago_days(500), "status": "exited",
        "exit_code": 0, "duration_ms": 5, "branch": null, "task": null, "command": "make",
        "pruned": {"at": ago_days(401), "reason": "age"},
    });
    env.write("sessions/pruned.jsonl", &format!("{removed}\n"));
    env
}

fn ago_days(days: i64) -> String {
    ago(days * 86_400 + 1800)
}

fn start(id: &str, meta: &Value) -> String {
    let mut start = meta.clone();
    (start["type"], start["pid"], start["process_start"]) = ("start".into(), 3216.into(), 1.into());
    start["session_id"] = id.into();
    format!("{start}\n")
}

/// A session as a recorder leaves it.
fn plant(env: &TestEnv, number: u32, days: i64, fields: &Value, output: &str) {
    let id = planted_id("codex", number);
    let mut meta = sidecar(&id, fields);
    let code = meta["exit_code"].clone();
    let transcript = format!("{output}\n=== AI_EXIT_CODE: {code} ===\n");
    for (name, value) in [
        ("timestamp", ago_days(days).into()),
        ("ended_at", ago_days(days).into()),
        ("output_bytes", output.len().into()),
        ("stdout_tail", "".into()),
        ("sha256", hex::encode(Sha256::digest(&transcript)).into()),
    ] {
        meta[name] = value;
    }
    let events = format!(
        "{}{}\n{}\n",
        start(&id, &meta),
        json!({"type": "output", "time": 0.25, "stream": "stdout", "bytes": output.len()}),
        json!({"type": "exit", "time": 61.0, "status": "exited", "exit_code": code, "signal": null,
               "output_bytes": output.len()}),
    );
    env.make_sessions();
    fs::write(env.file_of(&id, "typescript"), transcript).unwrap();
    fs::write(env.file_of(&id, "events.jsonl"), events).unwrap();
    fs::write(env.file_of(&id, "meta.json"), signed(&meta, &env.key())).unwrap();
}

/// A session as a recorder that was killed leaves it.
fn interrupt(env: &TestEnv, number: u32, days: i64) {
    let id = planted_id("codex", number);
    let fields = json!({
        "command": "sleep 600", "timestamp": ago_days(days), "ended_at": null, "status": "interrupted",
        "exit_code": null, "duration_ms": null, "sha256": null,
    });
    let meta = sidecar(&id, &fields);
    fs::write(env.file_of(&id, "typescript"), "begun\n").unwrap();
    fs::write(env.file_of(&id, "events.jsonl"), start(&id, &meta)).unwrap();
}

/// Gives what differs from run to run a name.
fn named(env: &TestEnv, text: &str) -> String {
    let bin = Path::new(AIDO).parent().unwrap().to_str().unwrap();
    let root = env.path("");
    let root = root.to_str().unwrap().trim_end_matches('/');
    let mut text = text.replace(bin, "/BIN").replace(root, "/ROOT");
    for (pattern, name) in [
        (r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME"),
        (r"\d{4}-\d\d-\d\d", "DATE"),
        (r"[\d.]+ ?[KMGT]?i?B left", "ROOM left"),
        (r"\b[0-9a-f]{16}([:\]])", "BOUNDARY$1"),
        (r#""mac":"[0-9a-f]{64}""#, r#""mac":"MAC""#),
        (r#""sha256":"[0-9a-f]{64}""#, r#""sha256":"DIGEST""#),
        (
            "there is one, but stdin or stdout is redirected|there is none, as for agents and in CI",
            "TERMINAL",
        ),
    ] {
        let pattern = Regex::new(pattern).unwrap();
        text = pattern.replace_all(&text, name).into_owned();
    }
    text.replace(concat!("aido ", env!("CARGO_PKG_VERSION")), "aido VERSION")
}

fn section(env: &TestEnv, line: &str, printed: &str, code: i32) -> String {
    let printed = named(env, printed);
    let mut text = format!("$ aido {line}\n{printed}");
    if !text.ends_with('\n') {
        text.push_str("\n(no line feed)\n");
    }
    if code != 0 {
        text.push_str(&format!("(exit {code})\n"));
    }
    text + "\n"
}

fn into_pipe(env: &TestEnv, line: &str) -> String {
    let run = env.aido(line.split(' ')).output();
    let said = run.stderr_text();
    let said: String = said.lines().map(|line| format!("2> {line}\n")).collect();
    let printed = run.stdout_text() + &said;
    assert!(
        !printed.contains('\u{1b}') || line.contains("--raw"),
        "{printed}"
    );
    let printed = printed.replace('\u{1b}', "␛").replace('\r', "␍");
    section(env, line, &printed, run.code())
}

fn for_agent(env: &TestEnv, line: &str) -> String {
    let run = env.aido(line.split(' ')).env("CLAUDECODE", "1").output();
    let printed = run.stdout_text() + &run.stderr_text();
    assert!(!printed.contains(['\u{1b}', '\u{202e}']), "{printed:?}");
    section(env, line, &printed, run.code())
}

fn onto_terminal(env: &TestEnv, line: &str) -> String {
    let terminal = env.terminal().size(80, 24).env("PAGER", "cat");
    let mut user = terminal.run(std::iter::once("aido").chain(line.split(' ')));
    let code = user.wait_code();
    let printed = String::from_utf8(user.output_so_far()).unwrap();
    let printed = printed.replace("\r\n", "\n");
    let printed = printed.replace('\u{1b}', "␛").replace('\r', "␍");
    section(env, line, &printed, code)
}

#[track_caller]
fn compare(name: &str, printed: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/it/golden")
        .join(name);
    let expected = fs::read_to_string(&path).unwrap_or_default();
    if expected == printed {
        return;
    }
    let fresh = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("golden-{name}"));
    fs::write(&fresh, printed).unwrap();
    let mut lines = expected.lines().zip(printed.lines());
    let differing = lines.find(|(expected, printed)| expected != printed);
    panic!(
        "{} has something else, first: {differing:?}. Where the change is meant, copy {} over it",
        path.display(),
        fresh.display()
    );
}

#[test]
fn into_a_pipe_every_reading_word_prints_what_it_should() {
    let env = place();
    let lines = PIPE_ONLY.iter().chain(WORDS);
    let printed: String = lines.map(|line| into_pipe(&env, line)).collect();
    compare("pipe.txt", &printed);
}

#[test]
fn onto_a_terminal_every_reading_word_prints_what_it_should() {
    let env = place();
    let printed: String = WORDS.iter().map(|line| onto_terminal(&env, line)).collect();
    compare("terminal.txt", &printed);
}

#[test]
fn as_json_every_reading_word_prints_what_it_should() {
    let env = place();
    let lines = WORDS.iter().filter(|line| !WITHOUT_JSON.contains(line));
    let printed: String = lines
        .map(|line| into_pipe(&env, &format!("{line} --json")))
        .collect();
    compare("json.txt", &printed);
}

#[test]
fn for_an_agent_recorded_text_is_framed_as_data() {
    let env = place();
    let printed: String = FOR_AGENTS
        .iter()
        .map(|line| for_agent(&env, line))
        .collect();
    compare("agent.txt", &printed);
}
