//! The options of a run: what they do, and what is said about a wrong one.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::Value;

use crate::support::{AIDO, Run, TestEnv, contains};

mod settings;

const REPOSITORY_FILE: &str = "work/nexus/aido.toml";
const USER_FILE: &str = "xdg/aido/config.toml";

fn meta(env: &TestEnv) -> Value {
    let newest = env.recorded().pop();
    newest.map_or(Value::Null, |session| session.meta)
}

#[test]
fn the_users_file_is_found_without_xdg_variables() {
    let env = TestEnv::in_repository();
    env.write("home/.config/aido/config.toml", "agent = \"from-home\"\n");
    assert_eq!(env.aido(["true"]).output().code(), 0);
    assert_eq!(meta(&env)["agent"], "from-home");
}

#[test]
fn tags_come_from_flags_and_files() {
    let env = TestEnv::in_repository();
    env.write(REPOSITORY_FILE, "tags = [\"from\", \"file\"]\n");
    env.aido(["true"]).output();
    assert_eq!(meta(&env)["tags"], serde_json::json!(["from", "file"]));
    env.aido(["--tag", "one", "--tag", "two", "true"]).output();
    let tags = meta(&env)["tags"].clone();
    assert!(
        tags.as_array().unwrap().iter().any(|tag| tag == "one"),
        "{tags}"
    );
    assert!(
        tags.as_array().unwrap().iter().any(|tag| tag == "two"),
        "{tags}"
    );
}

/// What is said about a mistake: 125, one place named, every hint given, the command not run.
fn assert_refused(env: &TestEnv, run: Run, hints: &[&str]) {
    let run = run.output();
    assert_eq!(run.code(), 125, "{hints:?}: {run:?}");
    let message = run.stderr_text();
    assert!(
        message.starts_with("aido: ") || message.starts_with("error: "),
        "{message}"
    );
    for hint in hints {
        assert!(message.contains(hint), "{hint} is not in: {message}");
    }
    assert!(
        run.stdout.is_empty() && !env.path("work/started").exists(),
        "{hints:?}: {run:?}"
    );
}

#[test]
fn a_wrong_setting_is_125_and_names_file_key_and_choice() {
    for (line, hints) in [
        (
            "tty = \"sometimes\"",
            &["tty", "always", "auto", "never"][..],
        ),
        (
            "durability = \"medium\"",
            &["durability", "fast", "normal", "full"],
        ),
        (
            "report = \"loudly\"",
            &["report", "never", "failure", "always"],
        ),
        ("timeout = \"soon\"", &["timeout"]),
        ("max_bytes = \"lots\"", &["max_bytes"]),
        ("strict = \"perhaps\"", &["strict"]),
        ("keep_days = \"12h\"", &["keep_days", "days"]),
        ("keep_days = -1", &["keep_days", "days"]),
        ("keep_bytes = \"lots\"", &["keep_bytes", "GiB"]),
        ("keep_sessions = \"few\"", &["keep_sessions", "number"]),
        ("no_such_key = 1", &["no_such_key"]),
        ("tty = ", &[]),
    ] {
        for (file, name) in [
            (REPOSITORY_FILE, "nexus/aido.toml"),
            (USER_FILE, "aido/config.toml"),
        ] {
            let env = TestEnv::in_repository();
            env.write(file, &format!("{line}\n"));
            let run = env
                .aido(["touch", "started"])
                .env("XDG_CONFIG_HOME", env.path("xdg"));
            assert_refused(&env, run, &[&[name], hints].concat());
        }
    }
    for (name, value, hints) in [
        ("AIDO_TTY", "sometimes", &["always", "auto", "never"][..]),
        ("AIDO_DURABILITY", "medium", &["fast", "normal", "full"]),
        ("AIDO_REPORT", "loudly", &["never", "failure", "always"]),
        ("AIDO_TIMEOUT", "soon", &[]),
        ("AIDO_MAX_BYTES", "lots", &[]),
        ("AIDO_STRICT", "perhaps", &[]),
        ("AIDO_KEEP_DAYS", "1w", &["days"]),
        ("AIDO_KEEP_BYTES", "lots", &[]),
        ("AIDO_KEEP_SESSIONS", "1K", &[]),
        ("AIDO_HOUSEKEEPING", "perhaps", &["true or false"]),
    ] {
        let env = TestEnv::new();
        let run = env.aido(["touch", "started"]).env(name, value);
        assert_refused(&env, run, &[&[name], hints].concat());
    }
}

#[test]
fn a_wrong_flag_is_125_before_the_command_starts() {
    for (flags, hints) in [
        (
            &["--tty", "sometimes"][..],
            &["always", "auto", "never"][..],
        ),
        (&["--durability", "medium"], &["fast", "normal", "full"]),
        (&["--report", "loudly"], &["never", "failure", "always"]),
        (&["--timeout", "soon"], &["soon"]),
        (&["--max-bytes", "lots"], &["lots"]),
        (&["--no-such-option"], &["--no-such-option"]),
    ] {
        let env = TestEnv::new();
        let run = env.aido([flags, &["touch", "started"]].concat());
        assert_refused(&env, run, hints);
    }
    for lonely in ["--tty", "-c", "--strict"] {
        let env = TestEnv::new();
        assert_eq!(
            env.aido([lonely]).output().code(),
            125,
            "{lonely} and nothing else"
        );
    }
}

/// The command that a report names: from `aido show` to the end of what can belong to it.
fn reported_command(message: &str) -> String {
    let start = message
        .find("aido show")
        .unwrap_or_else(|| panic!("{message}"));
    let end = |character: char| "`'\"()[],;|·—\n".contains(character);
    message[start..]
        .split(end)
        .next()
        .unwrap()
        .trim()
        .to_owned()
}

#[test]
fn a_report_is_one_line_with_a_command_that_works() {
    let failing = ["sh", "-c", "echo the output; exit 3"];
    for (report, command, lines) in [
        ("never", &failing[..], 0),
        ("failure", &failing, 1),
        ("always", &failing, 1),
        ("failure", &["true"], 0),
        ("always", &["true"], 1),
    ] {
        // A place of its own: of a failure that is known, a line says so before.
        let env = TestEnv::new();
        let run = env.aido([&["--report", report], command].concat()).output();
        let message = run.stderr_text();
        assert_eq!(
            message.lines().count(),
            lines,
            "{report} {command:?}: {message}"
        );
        assert_eq!(run.code(), if command == ["true"] { 0 } else { 3 });
        if lines == 1 && command != ["true"] {
            let line = reported_command(&message);
            let directory = Path::new(AIDO).parent().unwrap().display();
            let path = format!("{directory}:/usr/bin:/bin");
            let shown = env.bare(["sh", "-c", &line]).env("PATH", path).output();
            assert!(
                shown.code() == 0 && contains(&shown.stdout, b"the output"),
                "{line}: {shown:?}"
            );
        }
    }
}

#[test]
fn a_relative_debug_log_lands_beside_the_sessions_files() {
    let env = TestEnv::new();
    let run = env
        .aido(["--debug-log", "debug.log", "sh", "-c", "echo out; exit 3"])
        .output();
    assert_eq!(
        (run.code(), run.stdout_text().as_str()),
        (3, "out\n"),
        "{run:?}"
    );
    assert!(
        !env.path("work/debug.log").exists(),
        "it landed in the current directory"
    );
    assert!(
        !fs::read(env.sessions().join("debug.log"))
            .unwrap()
            .is_empty()
    );
}

#[test]
fn why_a_debug_log_can_not_be_opened_is_said_before_its_lines() {
    let env = TestEnv::new();
    let run = env
        .aido(["--debug-log", "/proc/no/such/log", "sh", "-c", "exit 3"])
        .output();
    assert_eq!(run.code(), 3, "{run:?}");
    let text = run.stderr_text();
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    assert!(
        first.contains("/proc/no/such/log") && first.contains("No such file"),
        "{text}"
    );
    assert!(
        lines.all(|line| line.starts_with("aido: debug: ")),
        "{text}"
    );
}

#[test]
fn an_agents_name_is_replaced_and_never_refused() {
    for name in [&b"\xff\xfe"[..], b"-x", b"a/b c"] {
        let env = TestEnv::new();
        let words: [&OsStr; 3] = ["--agent".as_ref(), OsStr::from_bytes(name), "true".as_ref()];
        let run = env.aido(words).output();
        assert_eq!((run.code(), run.stderr_text().as_str()), (0, ""), "{run:?}");
        let agent = env.only_session().meta["agent"].clone();
        let by_variable = TestEnv::new();
        let run = by_variable
            .aido(["true"])
            .env("AIDO_AGENT", words[1])
            .output();
        assert_eq!(run.code(), 0, "{run:?}");
        assert_eq!(by_variable.only_session().meta["agent"], agent);
    }
}

#[test]
fn debugging_leaves_the_commands_streams_and_status_alone() {
    for (flags, variable) in [(&["--debug"][..], None), (&[], Some("1"))] {
        let env = TestEnv::new();
        let mut run = env.aido([flags, &["sh", "-c", "echo out; exit 3"]].concat());
        if let Some(value) = variable {
            run = run.env("AIDO_DEBUG", value);
        }
        let run = run.output();
        assert_eq!(
            (run.code(), run.stdout_text().as_str()),
            (3, "out\n"),
            "{run:?}"
        );
        assert!(!run.stderr.is_empty(), "debugging says nothing");
    }
}

#[test]
fn settings_that_the_system_wont_give_dont_keep_a_command_from_running() {
    for file in [REPOSITORY_FILE, USER_FILE] {
        let env = TestEnv::in_repository();
        let path = env.path(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        // A link to itself: no I/O error is as easily had, and it is treated alike.
        symlink(&path, &path).unwrap();
        let run = env.aido(["sh", "-c", "echo out; exit 3"]);
        let run = run.env("XDG_CONFIG_HOME", env.path("xdg")).output();
        assert_eq!((run.code(), run.stdout_text().as_str()), (3, "out\n"));
        run.assert_one_warning(file);
        assert!(run.stderr_text().contains("is ignored"), "{run:?}");
    }
}

#[test]
fn any_agent_name_becomes_a_harmless_one() {
    let long = "x".repeat(300);
    for name in [
        "Claude Code/1.2 (β)",
        "../../etc/passwd",
        "-rf",
        ".hidden",
        "a\nb",
        "ÄÖ",
        "",
        &long,
    ] {
        let env = TestEnv::new();
        let run = env
            .aido([&format!("--agent={name}"), "sh", "-c", "exit 3"])
            .output();
        assert!(
            run.code() == 3 && run.stderr.is_empty(),
            "{name:?}: {run:?}"
        );
        let meta = meta(&env);
        let agent = meta["agent"].as_str().unwrap();
        let allowed = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '.' | '_' | '-');
        assert!(
            agent.chars().all(allowed) && (1..=64).contains(&agent.len()),
            "{name:?}: {agent}"
        );
        assert!(!agent.starts_with(['-', '.']), "{name:?}: {agent}");
        assert!(meta["session_id"].as_str().unwrap().starts_with(agent));
    }
}

#[test]
fn the_agent_is_known_by_its_variables() {
    for (variables, agent) in [
        (&[][..], "ai-agent"),
        (&[("CLAUDECODE", "1")], "claude-code"),
        (&[("CODEX_THREAD_ID", "thread-1")], "codex"),
        (&[("GEMINI_CLI", "1")], "gemini"),
        (
            &[("AI_AGENT", "from-standard"), ("CLAUDECODE", "1")],
            "from-standard",
        ),
        (
            &[("AIDO_AGENT", "from-aido"), ("AI_AGENT", "from-standard")],
            "from-aido",
        ),
    ] {
        let env = TestEnv::new();
        let run = variables
            .iter()
            .fold(env.aido(["true"]), |run, (name, value)| {
                run.env(name, value)
            });
        assert_eq!(run.output().code(), 0);
        assert_eq!(meta(&env)["agent"], agent, "{variables:?}");
    }
    let env = TestEnv::new();
    let run = env
        .aido(["true"])
        .env("CLAUDECODE", "1")
        .env("CLAUDE_CODE_SESSION_ID", "conversation-1");
    run.output();
    assert_eq!(meta(&env)["harness"]["name"], "claude-code");
    assert_eq!(meta(&env)["harness"]["conversation"], "conversation-1");
}
