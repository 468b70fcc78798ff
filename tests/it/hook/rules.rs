//! The rules of hosts, wherever they are.

use std::fs;

use super::host::HOSTS;
use super::{path, place};
use crate::support::TestEnv;

/// What a hook of this host answers before `build x` in this directory.
fn ask(env: &TestEnv, name: &str, cwd: &str, variables: &[(&str, &str)]) -> String {
    let cwd = env.path(cwd);
    let (words, payload) = match HOSTS.iter().find(|host| host.name == name) {
        Some(host) => {
            let payload = host.payload(
                host.before,
                "c",
                &cwd.display().to_string(),
                Some("build x"),
            );
            (
                vec!["hook", "--mode", "wrap", name, host.before],
                payload.to_string(),
            )
        }
        None => (
            vec!["hook", "--mode", "wrap", "rewrite", "build x"],
            String::new(),
        ),
    };
    let mut run = env
        .aido(words)
        .env("PATH", path(env))
        .current_dir(&cwd)
        .stdin(payload);
    for (variable, value) in variables {
        run = run.env(
            variable,
            value.replace('@', &env.path("").display().to_string()),
        );
    }
    let run = run.output();
    assert_eq!((run.code(), run.stderr_text().as_str()), (0, ""));
    run.stdout_text()
}

#[test]
fn rules_are_found_wherever_a_host_reads_them() {
    const DENIES: &str = r#"{"permissions": {"deny": ["Bash(build:*)", "Shell(build)"]}}"#;
    const GEMINI: &str = r#"{"excludeTools": ["run_shell_command(build)"]}"#;
    const GUARD: &str = r#"{"hooks": {"beforeShellExecution": [{"command": "./guard"}]}}"#;
    const AUTOMATIC: &str = r#"{"chat.tools.terminal.autoApprove": {"build": false}}"#;
    const OPENCODE: &str = r#"{"permission": {"bash": {"build *": "ask"}}}"#;
    for (name, file, text, variables) in [
        ("claude", "work/.claude/settings.json", DENIES, &[][..]),
        ("claude", ".claude/settings.json", DENIES, &[]),
        (
            "claude",
            "other/.claude/settings.local.json",
            DENIES,
            &[("CLAUDE_PROJECT_DIR", "@other/pkg")],
        ),
        (
            "gemini",
            "other/.gemini/settings.json",
            GEMINI,
            &[("GEMINI_PROJECT_DIR", "@other")],
        ),
        (
            "gemini",
            "other/x.json",
            GEMINI,
            &[("GEMINI_CLI_SYSTEM_SETTINGS_PATH", "@other/x.json")],
        ),
        (
            "gemini",
            "home/.gemini/extensions/x/gemini-extension.json",
            GEMINI,
            &[],
        ),
        (
            "gemini",
            "home/.gemini/extensions/x/policies/x.toml",
            "",
            &[],
        ),
        (
            "gemini",
            "work/.gemini/settings.json",
            r#"{"policyPaths": ["x"]}"#,
            &[],
        ),
        ("cursor", "home/.cursor/cli-config.json", DENIES, &[]),
        ("cursor", "work/.cursor/hooks.json", GUARD, &[]),
        ("copilot", "work/.vscode/settings.json", AUTOMATIC, &[]),
        ("opencode", "work/.opencode/opencode.jsonc", OPENCODE, &[]),
        ("opencode", "work/.opencode/agent/x.md", "x", &[]),
        (
            "opencode",
            "home/c/opencode/opencode.jsonc",
            OPENCODE,
            &[("XDG_CONFIG_HOME", "@home/c")],
        ),
        (
            "opencode",
            "other/x",
            OPENCODE,
            &[("OPENCODE_CONFIG", "@other/x")],
        ),
        ("opencode", "other/x", "", &[("OPENCODE_CONFIG", "x")]),
        (
            "opencode",
            "other/x",
            "",
            &[("OPENCODE_CONFIG_CONTENT", OPENCODE)],
        ),
        (
            "opencode",
            "other/x",
            "",
            &[("OPENCODE_PERMISSION", r#"{"bash": "ask"}"#)],
        ),
        (
            "opencode",
            "work/opencode.json",
            r#"{"tools": {"bash": false}}"#,
            &[],
        ),
    ] {
        let env = place();
        let before = ask(&env, name, "work", &[]);
        assert!(
            before.contains("aido --hooked -- build x"),
            "{name}: {before}"
        );
        env.write(file, text);
        let after = ask(&env, name, "work", variables);
        assert!(
            !after.contains("--hooked"),
            "{name}, {file}, {variables:?}: {after}"
        );
    }
}

#[test]
fn the_directory_that_a_host_was_started_in_has_rules_for_all_of_its_session() {
    let env = place();
    fs::create_dir_all(env.path("work/pkg")).unwrap();
    env.write(
        "other/.claude/settings.json",
        r#"{"permissions": {"ask": ["Bash(build:*)"]}}"#,
    );
    let claude = &HOSTS[0];
    let cwd = env.path("work/pkg").display().to_string();
    let payload = claude.payload("PreToolUse", "c", &cwd, Some("build x"));
    let answer = |started_in: &str| {
        let run = env
            .aido(["hook", "--mode", "wrap", "claude"])
            .env("PATH", path(&env))
            .current_dir(env.path(started_in))
            .stdin(payload.to_string());
        run.output().stdout_text()
    };
    assert!(answer("work").contains("--hooked"));
    assert_eq!(answer("other"), "");
}

#[test]
fn what_the_shell_would_run_in_a_programs_stead_is_left_alone() {
    let env = place();
    assert!(ask(&env, "claude", "work", &[]).contains("--hooked"));
    for variable in [
        ("BASH_FUNC_build%%", "() { echo; }"),
        ("BASH_FUNC_aido%%", "() { echo; }"),
        ("BASH_ENV", "/dev/null"),
        ("ARGV0", "x"),
        ("SHELLOPTS", "xtrace"),
    ] {
        assert_eq!(ask(&env, "claude", "work", &[variable]), "", "{variable:?}");
    }
}

#[test]
fn nothing_is_wrapped_where_there_are_no_sessions_yet() {
    let env = place();
    fs::remove_dir_all(env.path("work/nexus")).unwrap();
    assert_eq!(ask(&env, "claude", "work", &[]), "");
    assert_eq!(ask(&env, "opencode", "work", &[]), "");
    assert!(!env.path("work/nexus").exists());
    let run = env.aido(["init", "--agent", "claude", "--yes"]).output();
    assert_eq!(run.code(), 0, "{run:?}");
    assert!(ask(&env, "claude", "work", &[]).contains("--hooked"));
    let run = env.aido(["init", "--uninstall", "--yes"]).output();
    assert_eq!(run.code(), 0, "{run:?}");
    assert!(!env.path("work/nexus").exists());
}
