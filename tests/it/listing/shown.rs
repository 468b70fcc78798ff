//! What `aido list` prints, to the byte: into a pipe, onto a terminal, as JSON.

use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr;

use crate::support::{TestEnv, ago, planted_id, sidecar};

/// What a stranger may have put into a sidecar.
const HOSTILE: &str =
    "echo \u{1b}]0;title\u{7}\u{1b}[2J\u{9b}31m\r\n\t\u{202e}gnp\u{200b}.exe \u{e0041} 日本語";
const TAMED: &str =
    "echo ^[]0;title^G^[[2J<U+009B>31m^M^J^I<U+202E>gnp<U+200B>.exe <U+E0041> 日本語";

/// Four sessions; their ids and fields, the newest first.
fn with_four() -> (TestEnv, Vec<(String, Value)>) {
    let env = TestEnv::new();
    let half_past = |hours: i64| ago(hours * 3600 + 1800);
    let sessions = [
        (
            "codex",
            0x2f58_7606,
            json!({"timestamp": half_past(0), "command": HOSTILE}),
        ),
        (
            "ai-agent",
            2,
            json!({"timestamp": half_past(1), "exit_code": 101, "duration_ms": 61_000,
                   "command": "cargo test --workspace"}),
        ),
        (
            "ai-agent",
            3,
            json!({"timestamp": half_past(2), "exit_code": null, "duration_ms": null,
                   "status": "interrupted", "command": "make 'all of it'", "mac": "00"}),
        ),
        (
            "ai-agent",
            4,
            json!({"timestamp": half_past(24 * 400), "duration_ms": 90_000_000}),
        ),
    ];
    let planted = sessions.map(|(agent, number, fields)| {
        let id = env.plant(agent, number, &fields);
        (id, fields)
    });
    (env, planted.into())
}

const TABLE: &str = "\
ID        STATE        EXIT  AGENT     AGE   TIME   SIGNED    COMMAND
2f587606  finished     0     codex     30m   0.00s  UNSIGNED  TAMED
00000002  finished     101   ai-agent  1h    1m01s  UNSIGNED  cargo test --workspace
00000003  interrupted  -     ai-agent  2h    -      UNSIGNED  make 'all of it'
00000004  finished     0     ai-agent  400d  1d01h  UNSIGNED  true
";

#[test]
fn a_table_into_a_pipe_is_whole() {
    let (env, _) = with_four();
    assert_eq!(env.read(&["list"]), TABLE.replace("TAMED", TAMED));
}

#[test]
fn a_table_on_a_terminal_is_cut_to_its_width() {
    let (env, _) = with_four();
    let mut user = env.terminal().size(80, 24).aido("always", ["list"]);
    assert_eq!(user.wait_code(), 0);
    let shown = String::from_utf8(user.output_so_far()).unwrap();
    let wanted = "\
ID        STATE        EXIT  AGENT     AGE   TIME   COMMAND\r
2f587606  finished     0     codex     30m   0.00s  echo ^[]0;title^G^[[2J<U+00…\r
00000002  finished     101   ai-agent  1h    1m01s  cargo test --workspace\r
00000003  interrupted  -     ai-agent  2h    -      make 'all of it'\r
00000004  finished     0     ai-agent  400d  1d01h  true\r
";
    assert_eq!(shown, wanted);
}

#[test]
fn the_json_of_a_session_is_its_sidecar_with_state_and_signature() {
    let (env, sessions) = with_four();
    let expected: Vec<Value> = sessions
        .iter()
        .map(|(id, fields)| {
            let mut meta = sidecar(id, fields);
            let is_interrupted = meta["status"] == "interrupted";
            let state = if is_interrupted {
                "interrupted"
            } else {
                "finished"
            };
            meta["state"] = state.into();
            // One that has a mac, and no key here to check it with, is unsigned as well.
            meta["signature"] = "UNSIGNED".into();
            meta
        })
        .collect();
    assert_eq!(env.json(&["list", "--json"]), Value::Array(expected));
}

/// Everything that a terminal would obey, or that nobody would see, but for what makes lines and columns.
fn acts(text: &str) -> Vec<char> {
    let acting = |character: &char| {
        (character.is_control() && !matches!(character, '\r' | '\n' | '\t'))
            || matches!(u32::from(*character), 0x200b..=0x200f | 0x2028..=0x202e | 0xe0000..=0xe0fff)
    };
    text.chars().filter(acting).collect()
}

#[test]
fn nothing_recorded_acts_on_a_terminal_of_any_width() {
    let (env, _) = with_four();
    let tombstone = json!({
        "session_id": planted_id("gone", 6), "timestamp": HOSTILE, "status": "exited", "exit_code": 0,
        "duration_ms": 1, "branch": null, "task": HOSTILE, "command": HOSTILE,
        "pruned": {"at": HOSTILE, "reason": HOSTILE},
    });
    env.write("sessions/pruned.jsonl", &format!("{tombstone}\n"));
    // A name of a file that is no session's, and a sidecar that says it is another.
    env.write("sessions/x\u{1b}[2J\u{9b}.meta.json", "{}");
    let other = env.plant(
        "other",
        5,
        &json!({"session_id": HOSTILE, "command": HOSTILE}),
    );
    for (columns, words) in [
        (1, &["list"][..]),
        (7, &["list"]),
        (20, &["list"]),
        (63, &["list"]),
        (200, &["list"]),
        (20, &["list", "--pruned"]),
        (200, &["list", "--pruned"]),
        (80, &["list", "--pruned", "--json"]),
        (80, &["list", "--pruned", "--ndjson"]),
        (80, &["list", "--json"]),
        (80, &["list", "--ndjson"]),
        (80, &["list", "--fields", "command,session_id"]),
        (80, &["list", "--grep", "\u{1b}[2J("]),
        (80, &["list", "--session-dir", "no\u{1b}[2J\u{9b}such"]),
        (80, &["recover", "--json"]),
        (80, &["note", "codex", "\u{1b}[2J\u{9b}", "--json"]),
        (80, &["note", "codex", "\u{1b}[2J\u{9b}"]),
        (80, &["rerun", "codex", "--dry-run", "--trust"]),
        (80, &["rerun", "codex", "--dry-run", "--trust", "--json"]),
        (80, &["prune", "--dry-run", "--keep-sessions", "1"]),
        (
            80,
            &["prune", "--dry-run", "--keep-sessions", "1", "--json"],
        ),
    ] {
        let terminal = env.terminal().size(columns, 24).env("NO_COLOR", "1");
        let mut user = terminal.aido("always", words);
        user.wait_exit();
        let shown = String::from_utf8(user.output_so_far()).unwrap();
        assert!(shown.contains('\n'), "{words:?} printed nothing");
        assert_eq!(
            acts(&shown),
            [],
            "{words:?} on {columns} columns: {shown:?}"
        );
        if words == ["list"] {
            let table = shown.lines().filter(|line| !line.starts_with("aido: "));
            for line in table {
                assert!(line.width() <= usize::from(columns), "{columns}: {line:?}");
            }
            assert_eq!(shown.matches(other.as_str()).count(), 1, "{shown}");
        }
    }
}
