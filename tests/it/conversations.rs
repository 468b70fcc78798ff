//! `aido conversations`: the agents' own logs, as their programs leave them.

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::support::TestEnv;

/// Writes a log that was last changed so many minutes ago.
fn log(env: &TestEnv, path: &str, text: &str, minutes: u64) {
    env.write(path, text);
    let then = SystemTime::now() - Duration::from_secs(minutes * 60);
    let file = File::options().write(true).open(env.path(path)).unwrap();
    file.set_modified(then).unwrap();
}

fn dashed(path: &str) -> String {
    path.replace(|letter: char| !letter.is_ascii_alphanumeric(), "-")
}

/// A home with conversations of each kind, about this repository and about others.
fn place() -> TestEnv {
    let env = TestEnv::in_repository();
    let work = env.work().display().to_string();
    let claude = format!("home/.claude/projects/{}", dashed(&work));
    let line = |cwd: &str| {
        format!(
            "{{\"type\":\"summary\"}}\n{{\"sessionId\":\"x\",\"cwd\":\"{cwd}\",\"message\":\"secret words\"}}\n"
        )
    };
    log(&env, &format!("{claude}/aaaa-1.jsonl"), &line(&work), 1);
    log(
        &env,
        &format!("{claude}-sub/bbbb-2.jsonl"),
        &line(&format!("{work}/sub")),
        4,
    );
    // Another directory with the same name for Claude Code.
    log(
        &env,
        &format!("{claude}-sub/cccc-3.jsonl"),
        &line(&format!("{work}-sub")),
        2,
    );
    log(&env, &format!("{claude}/dddd-4.jsonl"), "no log\n", 2);
    let codex = |id: &str, cwd: &str| {
        format!("{{\"type\":\"session_meta\",\"payload\":{{\"id\":\"{id}\",\"cwd\":\"{cwd}\"}}}}\n")
    };
    log(
        &env,
        "home/.codex/sessions/2026/03/05/rollout-a-0199-a.jsonl",
        &codex("0199-a", &work),
        2,
    );
    log(
        &env,
        "home/.codex/sessions/2026/03/06/rollout-b-0199-b.jsonl",
        &codex("0199-b", "/elsewhere"),
        2,
    );
    let digest = hex::encode(Sha256::digest(&work));
    log(
        &env,
        &format!("home/.gemini/tmp/{digest}/chats/session-1-ab.json"),
        "{\n \"sessionId\": \"gemini-1\",\n",
        3,
    );
    let cursor = format!(
        "home/.cursor/projects/{}",
        dashed(&work).trim_start_matches('-')
    );
    log(
        &env,
        &format!("{cursor}/agent-transcripts/cu-1/cu-1.jsonl"),
        "{}\n",
        5,
    );
    log(&env, "work/.aider.chat.history.md", "# aider\n", 6);
    fs::create_dir_all(env.path("home/.copilot/session-state/x")).unwrap();
    env
}

#[test]
fn the_conversations_about_a_repository_are_listed_newest_first() {
    let env = place();
    let run = env
        .aido(["true"])
        .env("CLAUDECODE", "1")
        .env("CLAUDE_CODE_SESSION_ID", "aaaa-1")
        .output();
    assert_eq!(run.code(), 0);
    let run = env.aido(["conversations"]).output();
    let text = run.stdout_text();
    assert_eq!(run.code(), 0, "{run:?}");
    let rows: Vec<Vec<&str>> = text
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    let agents: Vec<&str> = rows.iter().map(|row| row[0]).collect();
    assert_eq!(
        agents,
        [
            "AGENT",
            "claude-code",
            "codex",
            "gemini",
            "claude-code",
            "cursor",
            "aider",
            "not"
        ],
        "{text}"
    );
    assert_eq!(rows[1][1], "1m");
    assert!(
        !text.contains("secret words") && text.contains("not understood: github-copilot: "),
        "{text}"
    );
    let json = env.aido(["conversations", "--json"]).output();
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    let first = &json["conversations"][0];
    assert_eq!(first["conversation"], "aaaa-1");
    assert_eq!(first["sessions"][0], env.only_session().id);
    assert_eq!(
        first["resume"],
        format!("cd {} && claude --resume aaaa-1", env.work().display())
    );
    // The session leads back.
    let harness = &env.only_session().meta["harness"];
    assert_eq!(harness["conversation"], "aaaa-1");
    assert_eq!(json["not_understood"][0]["agent"], "github-copilot");
    let one = env
        .aido(["conversations", "-n", "1", "--agent", "codex"])
        .output();
    assert!(one.stdout_text().contains("codex resume 0199-a"), "{one:?}");
}

#[test]
fn resume_prints_the_one_command() {
    let env = place();
    for (id, command) in [
        ("aaaa", "claude --resume aaaa-1"),
        ("0199-a", "codex resume 0199-a"),
        ("gem", "gemini --resume gemini-1"),
        ("cu-1", "cursor-agent --resume cu-1"),
        ("aider", "aider --restore-chat-history"),
    ] {
        let run = env.aido(["conversations", "resume", id]).output();
        let wanted = format!("cd {} && {command}\n", env.work().display());
        assert_eq!((run.code(), run.stdout_text()), (0, wanted), "{id}");
    }
    let missing = env.aido(["conversations", "resume", "zzz"]).output();
    assert!(
        missing.code() == 1 && missing.stderr_text().contains("zzz"),
        "{missing:?}"
    );
    assert_eq!(env.aido(["conversations", "resume"]).output().code(), 2);
}

#[test]
fn logs_of_a_form_that_moved_are_named_and_not_guessed() {
    let env = TestEnv::in_repository();
    let work = env.work().display().to_string();
    let path = format!("home/.claude/projects/{}/aaaa-1.jsonl", dashed(&work));
    log(
        &env,
        &path,
        "{\"conversation\": {\"at\": \"/elsewhere\"}}\n",
        1,
    );
    let run = env.aido(["conversations"]).output();
    assert_eq!(run.code(), 1);
    assert_eq!(
        run.stdout_text(),
        format!(
            "no conversations about this repository were found\nnot understood: claude-code: {}: its logs are of a form that isn't known\n",
            env.home().join(".claude/projects").display()
        )
    );
    let nothing = TestEnv::in_repository();
    let run = nothing.aido(["conversations"]).output();
    assert_eq!(
        (run.code(), run.stdout_text().as_str()),
        (1, "no conversations about this repository were found\n")
    );
}
