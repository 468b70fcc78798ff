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
        "{\"role\":\"user\",\"message\":{\"content\":\"secret words\"}}\n",
        5,
    );
    env.write(
        &format!("{cursor}/.workspace-trusted"),
        &format!("{{\"trustedAt\":\"x\",\"workspacePath\":\"{work}\"}}"),
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
    let session = env.only_session();
    let hex = &session.id[session.id.len() - 8..];
    assert_eq!(
        agents,
        [
            "AGENT",
            "claude-code",
            hex,
            "codex",
            "gemini",
            "claude-code",
            "cursor",
            "aider",
            "not",
            "not"
        ],
        "{text}"
    );
    assert_eq!(rows[1][1], "1m");
    assert_eq!(rows[2][1..], ["ok:", "true"]);
    assert!(
        !text.contains("secret words") && text.contains("not understood: github-copilot: "),
        "{text}"
    );
    assert!(
        text.contains("projects: 1 of 4 logs are of a form that isn't known\n"),
        "{text}"
    );
    let json = env.aido(["conversations", "--json"]).output();
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    let first = &json["conversations"][0];
    assert_eq!(first["conversation"], "aaaa-1");
    assert_eq!(first["sessions"][0], env.only_session().id);
    assert_eq!(first["commands"][0]["command"], "true");
    assert_eq!(first["commands"][0]["exit_code"], 0);
    assert_eq!(
        first["resume"],
        format!("cd {} && claude --resume aaaa-1", env.work().display())
    );
    // The session leads back.
    let harness = &env.only_session().meta["harness"];
    assert_eq!(harness["conversation"], "aaaa-1");
    assert_eq!(json["not_understood"][1]["agent"], "github-copilot");
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

/// Another directory may have the same name for a program, and a log may say anything in its depth.
#[test]
fn no_conversation_is_taken_for_one_of_another_directory() {
    let env = TestEnv::in_repository();
    let work = env.work().display().to_string();
    let name = dashed(&work).trim_start_matches('-').to_owned();
    let transcript = "{\"role\":\"user\",\"message\":{}}\n";
    // Of the same name, and held elsewhere; of the same name, and nobody knows where.
    let cursor = "home/.cursor/projects";
    log(
        &env,
        &format!("{cursor}/{name}/agent-transcripts/a/a.jsonl"),
        transcript,
        1,
    );
    env.write(
        &format!("{cursor}/{name}/.workspace-trusted"),
        "{\"workspacePath\":\"/c/my/repo\"}",
    );
    let run = env.aido(["conversations"]).output();
    assert_eq!(
        run.stdout_text(),
        "no conversations about this repository were found\n"
    );
    fs::remove_file(env.path(&format!("{cursor}/{name}/.workspace-trusted"))).unwrap();
    let run = env.aido(["conversations"]).output();
    assert!(
        run.stdout_text().contains("\nnot understood: cursor: "),
        "{run:?}"
    );
    // Held here, and no conversation.
    env.write(
        &format!("{cursor}/other/.workspace-trusted"),
        &format!("{{\"workspacePath\":\"{work}\"}}"),
    );
    log(
        &env,
        &format!("{cursor}/other/agent-transcripts/b/b.jsonl"),
        "garbage\n",
        1,
    );
    let run = env.aido(["conversations"]).output();
    assert!(
        run.code() == 1 && run.stdout_text().contains("not understood: cursor: "),
        "{run:?}"
    );
    // A log's own id, and not one of something in it.
    let digest = hex::encode(Sha256::digest(&work));
    let text = "{\"messages\":[{\"sessionId\":\"other-id\"}],\"sessionId\":\"real-id\"}";
    log(
        &env,
        &format!("home/.gemini/tmp/{digest}/chats/session-1.json"),
        text,
        1,
    );
    let run = env.aido(["conversations", "resume", "other"]).output();
    assert_eq!(run.code(), 1, "{run:?}");
    let run = env.aido(["conversations", "resume", "real"]).output();
    assert!(
        run.stdout_text().ends_with("gemini --resume real-id\n"),
        "{run:?}"
    );
    // A way up out of the repository.
    let line = |cwd: &str| {
        format!("{{\"type\":\"session_meta\",\"payload\":{{\"id\":\"up-1\",\"cwd\":\"{cwd}\"}}}}\n")
    };
    let rollout = "home/.codex/sessions/2026/03/05/rollout-a.jsonl";
    log(&env, rollout, &line(&format!("{work}/../../../../etc")), 1);
    let run = env.aido(["conversations", "resume", "up-1"]).output();
    assert_eq!(run.code(), 1, "{run:?}");
}

#[test]
fn the_directories_of_gemini_are_known_by_what_they_say() {
    let env = TestEnv::in_repository();
    let work = env.work().display().to_string();
    let digest = hex::encode(Sha256::digest(&work));
    let chat = |slug: &str| format!("home/.gemini/tmp/{slug}/chats/session-1.jsonl");
    let of = |id: &str, digest: &str| {
        format!(
            "{{\"sessionId\":\"{id}\",\"projectHash\":\"{digest}\",\"startTime\":\"x\"}}\n{{}}\n"
        )
    };
    log(&env, &chat("work"), &of("g-1", "slug"), 1);
    env.write("home/.gemini/tmp/work/.project_root", &work);
    log(&env, &chat("work-2"), &of("g-2", &digest), 2);
    log(&env, &chat("elsewhere"), &of("g-3", &digest), 3);
    env.write("home/.gemini/tmp/elsewhere/.project_root", "/elsewhere\n");
    log(&env, &chat("work-3"), &of("g-4", "another"), 4);
    let ids = || {
        let json = env.aido(["conversations", "--json"]).output();
        let json: Value = serde_json::from_slice(&json.stdout).unwrap();
        let list = json["conversations"].as_array().unwrap().clone();
        let ids: Vec<String> = list
            .iter()
            .map(|it| it["conversation"].as_str().unwrap().to_owned())
            .collect();
        (ids, json["not_understood"].clone())
    };
    let (found, unread) = ids();
    assert_eq!(
        (found, unread),
        (
            vec!["g-1".to_owned(), "g-2".to_owned()],
            serde_json::json!([])
        )
    );
    // One that says neither is named.
    log(&env, &chat("work-4"), "{\"sessionId\":\"g-5\"}\n", 4);
    let (found, unread) = ids();
    assert_eq!(found.len(), 2);
    assert_eq!(unread[0]["agent"], "gemini", "{unread}");
}

#[test]
fn every_store_of_another_form_is_named() {
    let env = TestEnv::in_repository();
    let work = env.work().display().to_string();
    let rollout = "home/.codex/sessions/2026/03/05/rollout-a.jsonl";
    log(&env, rollout, "{\"conversation\":7}\n", 1);
    for store in ["home/.cursor/chats", "data/opencode", "data/goose"] {
        fs::create_dir_all(env.path(store)).unwrap();
    }
    let run = env
        .aido(["conversations"])
        .env("XDG_DATA_HOME", env.path("data"))
        .output();
    let text = run.stdout_text();
    for agent in ["codex", "cursor", "opencode", "goose"] {
        assert!(
            text.contains(&format!("\nnot understood: {agent}: ")),
            "{text}"
        );
    }
    // A first line may be longer than what is read of it.
    let long = format!(
        "{{\"type\":\"session_meta\",\"payload\":{{\"id\":\"0199-a\",\"cwd\":\"{work}\",\"instructions\":\"{}\"}}}}\n",
        "x".repeat(100_000)
    );
    log(&env, rollout, &long, 1);
    let run = env.aido(["conversations", "resume", "0199"]).output();
    assert!(
        run.stdout_text().ends_with("codex resume 0199-a\n"),
        "{run:?}"
    );
}

/// What is printed is run as it stands.
#[test]
fn the_command_that_resumes_works_for_a_directory_of_any_name() {
    for name in [
        "new\nline",
        "es\u{1b}[31mc",
        "it's",
        "a b\\c",
        "tab\t$x",
        "é\u{202e}x",
    ] {
        let env = TestEnv::in_repository();
        let repository = env.path("work").join(name);
        fs::create_dir_all(repository.join(".git/objects")).unwrap();
        fs::write(repository.join(".git/HEAD"), "ref: refs/heads/main\n").unwrap();
        let payload = serde_json::json!({
            "type": "session_meta",
            "payload": {"id": "0199-a", "cwd": repository},
        });
        let rollout = "home/.codex/sessions/2026/03/05/rollout-a.jsonl";
        log(&env, rollout, &format!("{payload}\n"), 1);
        let run = env
            .aido(["conversations", "resume", "0199"])
            .current_dir(&repository)
            .output();
        let line = run.stdout_text();
        assert_eq!((run.code(), line.lines().count()), (0, 1), "{run:?}");
        assert!(!line.trim_end().chars().any(char::is_control), "{line:?}");
        env.script("bin/codex", "#!/bin/sh\npwd\necho \"$@\"\n");
        let ran = env
            .bare(["bash", "-c", &line])
            .env(
                "PATH",
                format!("{}:/usr/bin:/bin", env.path("bin").display()),
            )
            .output();
        let expected = format!("{}\nresume 0199-a\n", repository.display());
        assert_eq!(ran.stdout_text(), expected, "{line}");
    }
}

#[test]
fn logs_that_were_not_looked_at_are_told_and_all_are_looked_at_if_asked_for() {
    let env = TestEnv::in_repository();
    let work = env.work().display().to_string();
    let line = |id: u32, cwd: &str| {
        format!(
            "{{\"type\":\"session_meta\",\"payload\":{{\"id\":\"id-{id}\",\"cwd\":\"{cwd}\"}}}}\n"
        )
    };
    // The only one of here is older than a thousand others.
    env.write(
        "home/.codex/sessions/2025/01/01/rollout-0.jsonl",
        &line(0, &work),
    );
    for number in 1..=1000 {
        let path = format!("home/.codex/sessions/2026/01/01/rollout-{number:04}.jsonl");
        env.write(&path, &line(number, "/elsewhere"));
    }
    let run = env.aido(["conversations"]).output();
    assert_eq!(
        (run.code(), run.stderr_text().as_str()),
        (
            1,
            "aido: only the newest 1000 logs of codex were looked at; -n 0 looks at all\n"
        )
    );
    let json = env.aido(["conversations", "--json"]).output();
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["only_newest_of"], serde_json::json!(["codex"]));
    let all = env.aido(["conversations", "-n", "0"]).output();
    assert_eq!((all.code(), all.stderr_text().as_str()), (0, ""));
    assert!(all.stdout_text().contains("codex resume id-0"), "{all:?}");
    let one = env.aido(["conversations", "resume", "id-0"]).output();
    assert_eq!(one.code(), 0, "{one:?}");
}

#[test]
fn a_repository_is_the_same_whatever_link_leads_to_it() {
    let env = TestEnv::in_repository();
    std::os::unix::fs::symlink(env.work(), env.path("link")).unwrap();
    let link = env.path("link").display().to_string();
    let claude = format!("home/.claude/projects/{}", dashed(&link));
    let text = format!("{{\"sessionId\":\"x\",\"cwd\":\"{link}\"}}\n");
    log(&env, &format!("{claude}/by-link.jsonl"), &text, 1);
    let digest = hex::encode(Sha256::digest(&link));
    log(
        &env,
        &format!("home/.gemini/tmp/{digest}/chats/session-1.json"),
        "{\"sessionId\": \"g-link\"}",
        1,
    );
    // From where it is, and as a shell that came by the link has it.
    let run = env.aido(["conversations", "resume", "by-link"]).output();
    assert_eq!(
        run.stdout_text(),
        format!("cd {link} && claude --resume by-link\n")
    );
    for id in ["by-link", "g-link"] {
        let run = env
            .aido(["conversations", "resume", id])
            .env("PWD", &link)
            .output();
        assert_eq!(run.code(), 0, "{id}: {run:?}");
    }
}

#[test]
fn what_a_conversation_ran_is_told_to_agents_without_secrets() {
    let env = place();
    let secret = "correct horse battery staple 9";
    for script in [&format!("exit 3; echo {secret}"), "true", "true", "true"] {
        env.aido(["sh", "-c", script])
            .env("CLAUDECODE", "1")
            .env("CLAUDE_CODE_SESSION_ID", "aaaa-1")
            .env("DEPLOY_TOKEN", secret)
            .output();
    }
    for words in [&["conversations"][..], &["conversations", "--json"]] {
        let run = env
            .aido(words)
            .env("AI_AGENT", "tester")
            .env("DEPLOY_TOKEN", secret)
            .output();
        let text = run.stdout_text();
        assert!(
            text.contains("sh -c") && !text.contains("battery"),
            "{text}"
        );
        let is_cut = words.len() == 1;
        assert_eq!(
            text.contains("and 1 more (--json has all)"),
            is_cut,
            "{text}"
        );
        assert_eq!(text.contains("\"exit_code\":3"), !is_cut, "{text}");
    }
}
