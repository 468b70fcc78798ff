//! `aido init`: hooks go into settings and come out again, and everything else stays as it was.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use serde_json::Value;

use crate::support::{AIDO, Output, TestEnv, files_below};

fn place() -> TestEnv {
    let env = TestEnv::in_repository();
    fs::create_dir(env.path("bin")).unwrap();
    symlink(AIDO, env.path("bin/aido")).unwrap();
    env
}

fn init(env: &TestEnv, words: &[&str]) -> Output {
    let path = format!("{}:/usr/bin:/bin", env.path("bin").display());
    env.aido([&["init"], words].concat())
        .env("PATH", path)
        .output()
}

/// Every file of the work tree and its bytes, git's own aside.
fn tree(env: &TestEnv) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = files_below(&env.work());
    files.retain(|file| !file.starts_with(env.path("work/.git/")));
    files
        .into_iter()
        .map(|file| (file.clone(), fs::read(file).unwrap()))
        .collect()
}

#[test]
fn what_is_installed_comes_out_to_the_last_byte() {
    let env = place();
    env.write(
        "work/.claude/settings.local.json",
        "{\n\t\"x\": 1.0,\n\t\"hooks\": {}\n}",
    );
    env.write("work/.gemini/settings.json", "");
    env.write("work/.gitignore", "target");
    env.write("work/AGENTS.md", "# Mine\n");
    env.write("work/GEMINI.md", "x\n");
    let before = tree(&env);
    let all = "claude,codex,gemini,cursor,copilot,opencode";
    for mode in ["observe", "wrap"] {
        let words = [
            "--agent",
            all,
            "--mode",
            mode,
            "--agents-md",
            "--skill",
            "--yes",
        ];
        let run = init(&env, &words);
        assert_eq!(run.code(), 0, "{run:?}");
        let installed = tree(&env);
        for name in [
            ".claude/settings.local.json",
            ".codex/hooks.json",
            ".gemini/settings.json",
            ".cursor/hooks.json",
            ".github/hooks/aido.json",
            ".opencode/plugins/aido.ts",
            ".agents/skills/aido/SKILL.md",
            "AGENTS.md",
            ".gitignore",
        ] {
            let text = &installed[&env.path(&format!("work/{name}"))];
            let text = String::from_utf8_lossy(text);
            assert!(text.contains("aido"), "{name}: {text}");
            if name.ends_with(".json") {
                serde_json::from_str::<Value>(&text).unwrap();
            }
        }
        // Looking made the store's lock.
        let installed = tree(&env);
        let again = init(&env, &words);
        assert_eq!(again.code(), 0, "{again:?}");
        for (path, bytes) in tree(&env) {
            let text = String::from_utf8_lossy(&bytes);
            let before = installed
                .get(&path)
                .map(|before| String::from_utf8_lossy(before));
            assert_eq!(Some(text), before, "{path:?}");
        }
        assert!(
            again.stdout_text().ends_with("everything is in place\n"),
            "{again:?}"
        );
    }
    let run = init(&env, &["--uninstall", "--yes"]);
    assert_eq!(run.code(), 0, "{run:?}");
    assert_eq!(tree(&env), before);
    for gone in [".codex", ".cursor", ".github", ".opencode", ".agents"] {
        assert!(!env.path(&format!("work/{gone}")).exists(), "{gone}");
    }
    let run = init(&env, &["--uninstall", "--yes"]);
    assert_eq!(run.stdout_text(), "nothing is installed here\n");
}

/// Where `aido mcp` is registered for each program, and what there may be before.
#[cfg(feature = "mcp")]
const SERVERS: &[(&str, &str)] = &[
    (
        ".mcp.json",
        "{\n  \"mcpServers\": { \"x\": { \"command\": \"y\" } }\n}\n",
    ),
    (
        ".codex/config.toml",
        "model = \"m\" # mine\n\n[mcp_servers.x]\ncommand = \"y\"",
    ),
    (
        ".gemini/settings.json",
        "{\r\n\t\"mcpServers\": {},\r\n\t\"z\": 1.0e5\r\n}",
    ),
    (".cursor/mcp.json", "{}"),
    (".github/mcp.json", ""),
    (
        "opencode.json",
        "{\"$schema\": \"s\", \"mcp\": {\"x\": {}}}",
    ),
];

#[test]
#[cfg(feature = "mcp")]
fn the_server_is_registered_and_comes_out_to_the_last_byte() {
    for is_there in [true, false] {
        let env = place();
        for (name, text) in SERVERS {
            if is_there {
                env.write(&format!("work/{name}"), text);
            }
        }
        let before = tree(&env);
        let all = "claude,codex,gemini,cursor,copilot,opencode";
        let words = ["--agent", all, "--mcp", "--yes"];
        let run = init(&env, &words);
        assert_eq!(run.code(), 0, "{run:?}");
        let installed = tree(&env);
        for (name, text) in SERVERS {
            let now = &installed[&env.path(&format!("work/{name}"))];
            let now = String::from_utf8_lossy(now);
            let servers: Value = match name.ends_with(".toml") {
                true => {
                    assert!(now.starts_with(text) || !is_there, "{now}");
                    toml::from_str(&now).unwrap()
                }
                false => serde_json::from_str(&now).unwrap(),
            };
            let list = ["mcpServers", "mcp", "mcp_servers"];
            let list = list.iter().find_map(|list| servers.get(list)).unwrap();
            let words = list["aido"].to_string();
            assert!(
                words.contains("\"mcp\"") && words.contains("\"aido\""),
                "{words}"
            );
            let has_other = is_there && (text.contains("\"x\": {") || text.contains("s.x]"));
            assert_eq!(list.get("x").is_some(), has_other, "{name}");
        }
        let doctor = env.aido(["doctor"]).output().stdout_text();
        assert_eq!(
            doctor.matches("the MCP server").count(),
            SERVERS.len(),
            "{doctor}"
        );
        // Looking made the store's lock.
        let installed = tree(&env);
        let again = init(&env, &words);
        assert_eq!(again.code(), 0, "{again:?}");
        for (path, bytes) in tree(&env) {
            let text = String::from_utf8_lossy(&bytes);
            let before = installed
                .get(&path)
                .map(|before| String::from_utf8_lossy(before));
            assert_eq!(Some(text), before, "{path:?}");
        }
        // Without the option what is there stays.
        init(&env, &["--agent", all, "--yes"]);
        let run = init(&env, &["--uninstall", "--yes"]);
        assert_eq!((run.code(), tree(&env)), (0, before), "{run:?}");
        for made in [".codex", ".gemini", ".cursor", ".github", ".opencode"] {
            let is_made = env.path(&format!("work/{made}")).exists();
            assert_eq!(is_made, is_there && made != ".opencode", "{made}");
        }
    }
}

#[test]
#[cfg(feature = "mcp")]
fn lists_of_servers_that_are_not_understood_are_left_alone() {
    let env = place();
    for (name, text) in [
        (".mcp.json", "{ // mine\n}"),
        (
            ".codex/config.toml",
            "[mcp_servers.aido]\ncommand = \"other\"\n",
        ),
        (
            ".cursor/mcp.json",
            "{\"mcpServers\": {\"aido\": {\"command\": \"other\"}}}",
        ),
        ("opencode.json", "{\"mcp\": []}"),
    ] {
        env.write(&format!("work/{name}"), text);
    }
    let before = tree(&env);
    let run = init(
        &env,
        &["--agent", "claude,codex,cursor,opencode", "--mcp", "--yes"],
    );
    assert_eq!(run.code(), 1, "{run:?}");
    let said = run.stdout_text();
    assert_eq!(said.matches("left as it is").count(), 4, "{said}");
    assert!(
        said.contains("[mcp_servers.aido]") && said.contains("\"mcpServers\""),
        "{said}"
    );
    init(&env, &["--uninstall", "--yes"]);
    assert_eq!(tree(&env), before);
    // Claude Code's own file is written by itself all the time.
    let run = init(
        &env,
        &["--agent", "claude", "--scope", "user", "--mcp", "--yes"],
    );
    assert!(
        run.stdout_text()
            .contains("claude mcp add --scope user aido -- aido mcp")
    );
    assert!(!env.home().join(".claude.json").exists());
}

#[test]
#[cfg(not(feature = "mcp"))]
fn a_build_without_mcp_says_so_everywhere() {
    let env = place();
    for words in [
        &["mcp"][..],
        &["init", "--agent", "claude", "--mcp", "--yes"],
    ] {
        let run = env.aido(words).output();
        assert_eq!(run.code(), 1, "{run:?}");
        assert!(
            run.stderr_text().contains("was built without MCP"),
            "{run:?}"
        );
    }
    let registered = "{\"mcpServers\": {\"aido\": {\"command\": \"aido\", \"args\": [\"mcp\"]}}}";
    env.write("work/.mcp.json", registered);
    let doctor = env.aido(["doctor"]).output();
    assert_eq!(doctor.code(), 1);
    assert!(
        doctor.stdout_text().contains("built without it"),
        "{doctor:?}"
    );
}

#[test]
fn what_somebody_changed_since_stays() {
    let env = place();
    let file = "work/.claude/settings.local.json";
    init(&env, &["--agent", "claude", "--yes"]);
    let text = fs::read_to_string(env.path(file)).unwrap();
    env.write(file, &text.replacen('{', "{\n  \"mine\": [1, 2],", 1));
    let doctor = env.aido(["doctor"]).output().stdout_text();
    assert!(doctor.contains("the file was changed since"), "{doctor}");
    init(&env, &["--agent", "claude", "--mode", "wrap", "--yes"]);
    let text = fs::read_to_string(env.path(file)).unwrap();
    assert!(
        text.contains("\"mine\"") && text.contains("--mode wrap claude"),
        "{text}"
    );
    assert_eq!(init(&env, &["--uninstall", "--yes"]).code(), 0);
    let left: Value = serde_json::from_str(&fs::read_to_string(env.path(file)).unwrap()).unwrap();
    assert_eq!(left, serde_json::json!({"mine": [1, 2]}));
    // Without a memory of what was there, own entries are still known.
    init(&env, &["--agent", "claude", "--yes"]);
    fs::remove_dir_all(env.home().join(".local/state/aido")).unwrap();
    assert_eq!(init(&env, &["--uninstall", "--yes"]).code(), 0);
    let text = fs::read_to_string(env.path(file)).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), left);
}

#[test]
fn nothing_is_written_that_nobody_said_yes_to() {
    let env = place();
    env.write("work/.claude/settings.json", "{}");
    let before = tree(&env);
    let asked = init(&env, &[]);
    assert_eq!(asked.code(), 1, "{asked:?}");
    let text = asked.stdout_text();
    assert!(
        text.contains("+++ ") && text.contains("aido hook claude"),
        "{text}"
    );
    assert!(
        text.ends_with("nothing was written; --yes writes it\n"),
        "{text}"
    );
    let dry = init(&env, &["--dry-run"]);
    assert_eq!(dry.code(), 0);
    let json = init(&env, &["--json", "--dry-run"]);
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["written"], false);
    assert_eq!(json["files"][0]["action"], "write");
    assert_eq!(tree(&env), before);
    // Where no agent is used there is nothing to do, and it says how to go on.
    let other = place();
    let run = init(&other, &["--yes"]);
    assert!(
        run.code() == 1 && run.stderr_text().contains("--agent NAME"),
        "{run:?}"
    );
}

#[test]
fn files_that_are_not_understood_are_left_with_what_belongs_into_them() {
    for (text, why) in [
        ("{\n  // mine\n  \"a\": 1\n}\n", "comment"),
        ("{\"a\": 1, \"a\": 2}", "twice"),
        ("{\"hooks\": []}", "no object"),
        ("[1]", "no object"),
        ("{\"a\": 1", "ends"),
        ("{\"a\": 1,}", "comma"),
        ("\u{1}", "expected"),
    ] {
        let env = place();
        env.write("work/.gemini/settings.json", text);
        let run = init(&env, &["--agent", "gemini", "--yes"]);
        let said = run.stdout_text();
        assert_eq!(run.code(), 1, "{said}");
        assert!(
            said.contains("left as it is: ") && said.contains(why),
            "{why}: {said}"
        );
        assert!(said.contains("exec aido hook gemini"), "{said}");
        assert_eq!(
            fs::read_to_string(env.path("work/.gemini/settings.json")).unwrap(),
            text
        );
    }
    let env = place();
    env.write("work/.opencode/plugins/aido.ts", "// somebody's own\n");
    let run = init(&env, &["--agent", "opencode", "--yes"]);
    assert!(
        run.stdout_text().contains("not as aido writes it"),
        "{run:?}"
    );
    assert_eq!(init(&env, &["--uninstall", "--yes"]).code(), 0);
    assert!(env.path("work/.opencode/plugins/aido.ts").exists());
}

/// Whatever a user has of their own that looks like aido's, or is in its place.
#[test]
fn what_is_somebodys_own_is_never_written_over_or_taken_out() {
    let env = place();
    env.write(
        "work/.agents/skills/aido/SKILL.md",
        "---\nname: aido\ndescription: mine\n---\nMine.\n",
    );
    env.write(
        "work/.opencode/plugins/aido.ts",
        "// it calls: aido hook rewrite\nexport const Mine = 1\n",
    );
    let own = "{\"hooks\": {\"PostToolUse\": [{\"hooks\": [{\"type\": \"command\", \"command\": \"echo see aido hook docs >> log\"}]}], \"Stop\": [{\"hooks\": [{\"command\": \"AIDO_HOOK=observe aido hook codex\"}]}]}}\n";
    env.write("work/.claude/settings.local.json", own);
    env.write("work/.codex/hooks.json", own);
    let before = tree(&env);
    let run = init(
        &env,
        &["--agent", "claude,codex,opencode", "--skill", "--yes"],
    );
    let said = run.stdout_text();
    assert_eq!(run.code(), 1, "{said}");
    assert_eq!(said.matches("not as aido writes it").count(), 2, "{said}");
    let installed = tree(&env);
    for name in [".agents/skills/aido/SKILL.md", ".opencode/plugins/aido.ts"] {
        let file = env.path(&format!("work/{name}"));
        assert_eq!(installed[&file], before[&file], "{name}");
    }
    for name in [".claude/settings.local.json", ".codex/hooks.json"] {
        let text = fs::read_to_string(env.path(&format!("work/{name}"))).unwrap();
        assert!(text.contains("echo see aido hook docs >> log"), "{text}");
        assert!(text.contains("exec aido hook "), "{text}");
    }
    // Also where nobody remembers what was there.
    fs::remove_dir_all(env.home().join(".local/state/aido")).unwrap();
    assert_eq!(init(&env, &["--uninstall", "--yes"]).code(), 0);
    let mut after = tree(&env);
    // Nobody knows whether it was there, so it is left, without aido's lines.
    assert_eq!(after.remove(&env.path("work/.gitignore")), Some(Vec::new()));
    assert_eq!(after, before);
    let again = init(&env, &["--uninstall", "--yes"]);
    assert_eq!(again.stdout_text(), "nothing is installed here\n");
}

#[test]
fn lines_that_somebody_added_to_a_file_of_aidos_stay() {
    let env = place();
    let words = ["--agent", "opencode", "--mode", "wrap", "--skill", "--yes"];
    assert_eq!(init(&env, &words).code(), 0);
    let (skill, plugin) = (
        "work/.agents/skills/aido/SKILL.md",
        "work/.opencode/plugins/aido.ts",
    );
    let read = |name: &str| fs::read_to_string(env.path(name)).unwrap();
    let (was, added) = (read(skill), "- and this is mine\n");
    env.write(
        skill,
        &was.replacen("- `aido list", &format!("{added}- `aido list"), 1),
    );
    env.write(plugin, &format!("{}// mine\n", read(plugin)));
    // They are not written over either.
    let run = init(&env, &["--agent", "opencode", "--mode", "observe", "--yes"]);
    assert_eq!(run.code(), 1, "{run:?}");
    assert!(read(plugin).ends_with("// mine\n"));
    assert_eq!(init(&env, &["--uninstall", "--yes"]).code(), 0);
    assert_eq!(
        (read(skill).as_str(), read(plugin).as_str()),
        (added, "// mine\n")
    );
    // What was changed so that aido's part can't be told is left, and named.
    let env = place();
    assert_eq!(init(&env, &words).code(), 0);
    env.write(skill, "---\nname: aido\n---\nMine now.\n");
    let run = init(&env, &["--uninstall", "--yes"]);
    assert_eq!(run.code(), 1, "{run:?}");
    assert!(
        run.stdout_text().contains("isn't what aido wrote"),
        "{run:?}"
    );
    assert!(env.path(skill).exists() && !env.path(plugin).exists());
}

#[test]
fn without_a_home_nothing_is_said_to_be_in_place() {
    let env = place();
    for words in [
        &["init", "--agent", "claude", "--scope", "user", "--yes"][..],
        &["init", "--scope", "user", "--uninstall", "--yes"],
    ] {
        let run = env
            .aido(words)
            .env_remove("HOME")
            .env("XDG_STATE_HOME", env.path("state"))
            .output();
        assert_eq!((run.code(), run.stdout_text().as_str()), (1, ""), "{run:?}");
        assert!(run.stderr_text().contains("set HOME"), "{run:?}");
    }
}

/// Who made the repository may have made its links.
#[test]
fn a_link_that_leads_out_of_the_repository_is_not_written_through() {
    let env = place();
    for name in ["bashrc", "notes.md"] {
        env.write(&format!("home/{name}"), "mine\n");
    }
    symlink(env.path("home/bashrc"), env.path("work/.gitignore")).unwrap();
    symlink(env.path("home/notes.md"), env.path("work/AGENTS.md")).unwrap();
    symlink(env.home(), env.path("work/.agents")).unwrap();
    let words = ["--agent", "codex", "--skill", "--agents-md", "--yes"];
    let run = init(&env, &words);
    assert_eq!(run.code(), 1, "{run:?}");
    let said = run.stdout_text();
    assert_eq!(
        said.matches("a link that leads out of the repository")
            .count(),
        3,
        "{said}"
    );
    for name in ["bashrc", "notes.md"] {
        let text = fs::read_to_string(env.home().join(name)).unwrap();
        assert_eq!(text, "mine\n", "{name}");
    }
    assert!(!env.home().join("skills").exists());
    // Within the repository it leads where the repository says.
    let env = place();
    env.write("work/docs/agents.md", "# Mine\n");
    symlink("docs/agents.md", env.path("work/AGENTS.md")).unwrap();
    let run = init(&env, &["--agent", "codex", "--agents-md", "--yes"]);
    assert_eq!(run.code(), 0, "{run:?}");
    assert!(run.stdout_text().contains("work/AGENTS.md -> "), "{run:?}");
    init(&env, &["--uninstall", "--yes"]);
    let text = fs::read_to_string(env.path("work/docs/agents.md")).unwrap();
    assert_eq!(text, "# Mine\n");
}

#[test]
fn installing_again_changes_no_mode_that_nobody_named() {
    let env = place();
    fs::create_dir(env.path("work/.claude")).unwrap();
    let file = env.path("work/.claude/settings.local.json");
    let is_wrapping = || fs::read_to_string(&file).unwrap().contains("--mode wrap");
    assert_eq!(init(&env, &["--agent", "auto", "--yes"]).code(), 0);
    assert!(!is_wrapping());
    assert_eq!(init(&env, &["--mode", "wrap", "--yes"]).code(), 0);
    assert!(is_wrapping());
    let run = init(&env, &["--yes"]);
    assert!(
        run.stdout_text().ends_with("everything is in place\n") && is_wrapping(),
        "{run:?}"
    );
    assert_eq!(init(&env, &["--mode", "observe", "--yes"]).code(), 0);
    assert!(!is_wrapping());
}

#[test]
fn doctor_says_why_hooks_that_were_installed_are_not_run() {
    let env = place();
    let path = format!("{}:/usr/bin:/bin", env.path("bin").display());
    let doctor = |path: &str| {
        let run = env.aido(["doctor"]).env("PATH", path).output();
        (run.code(), run.stdout_text())
    };
    let file = "work/.claude/settings.local.json";
    assert_eq!(init(&env, &["--agent", "claude", "--yes"]).code(), 0);
    let installed = fs::read_to_string(env.path(file)).unwrap();
    let (_, said) = doctor(&path);
    assert!(
        !said.contains("missing") && !said.contains("gone"),
        "{said}"
    );
    let (code, said) = doctor("/usr/bin:/bin");
    assert!(code == 1 && said.contains("aido is not on PATH"), "{said}");
    // Switched off, there or in other settings of the same program.
    let off = installed.replacen('{', "{\n  \"disableAllHooks\": true,", 1);
    env.write(file, &off);
    let (code, said) = doctor(&path);
    assert!(code == 1 && said.contains("switch all hooks off"), "{said}");
    env.write(file, &installed);
    env.write("home/.claude/settings.json", "{\"disableAllHooks\": true}");
    let (code, said) = doctor(&path);
    assert!(code == 1 && said.contains("switch all hooks off"), "{said}");
    fs::remove_dir_all(env.path("home/.claude")).unwrap();
    // One taken out.
    let mut some: Value = serde_json::from_str(&installed).unwrap();
    some["hooks"]
        .as_object_mut()
        .unwrap()
        .remove("SessionStart");
    env.write(file, &some.to_string());
    let (code, said) = doctor(&path);
    assert!(
        code == 1 && said.contains("some of them are missing"),
        "{said}"
    );
    // All of them, and the file.
    env.write(file, "{}");
    assert!(doctor(&path).1.contains("and are gone"));
    fs::remove_file(env.path(file)).unwrap();
    let (_, said) = doctor(&path);
    assert!(said.contains("and are gone"), "{said}");
}

#[test]
fn links_are_followed_modes_kept_and_read_only_files_left_alone() {
    let env = place();
    let text = "{\"a\": 1}\n";
    env.write("home/dotfiles/claude.json", text);
    let target = env.path("home/dotfiles/claude.json");
    fs::set_permissions(&target, fs::Permissions::from_mode(0o600)).unwrap();
    fs::create_dir(env.path("work/.claude")).unwrap();
    let link = env.path("work/.claude/settings.local.json");
    symlink(&target, &link).unwrap();
    let run = init(&env, &["--agent", "claude", "--yes"]);
    assert_eq!(run.code(), 0, "{run:?}");
    assert_eq!(
        fs::read_link(&link).unwrap(),
        target,
        "the link is one still"
    );
    assert!(
        fs::read_to_string(&target)
            .unwrap()
            .contains("aido hook claude")
    );
    assert_eq!(
        target.metadata().unwrap().permissions().mode() & 0o777,
        0o600
    );
    init(&env, &["--uninstall", "--yes"]);
    assert_eq!(fs::read_to_string(&target).unwrap(), text);

    env.write("work/.codex/hooks.json", text);
    let file = env.path("work/.codex/hooks.json");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o444)).unwrap();
    let run = init(&env, &["--agent", "codex", "--yes"]);
    assert!(
        run.code() == 1 && run.stdout_text().contains("it is read-only"),
        "{run:?}"
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
    symlink("nowhere", env.path("work/.cursor")).unwrap();
    let run = init(&env, &["--agent", "cursor", "--yes"]);
    assert_eq!(run.code(), 1, "{run:?}");
}

#[test]
fn inits_at_once_leave_one_of_each_entry() {
    let env = place();
    env.write("work/.claude/settings.local.json", "{\"a\": 1}\n");
    let runs: Vec<_> = (0..6)
        .map(|_| env.aido(["init", "--agent", "claude", "--yes"]).spawn())
        .collect();
    let codes: Vec<i32> = runs.into_iter().map(|run| run.wait().code()).collect();
    // Who comes too late says that the file was changed meanwhile.
    assert!(codes.contains(&0), "{codes:?}");
    let text = fs::read_to_string(env.path("work/.claude/settings.local.json")).unwrap();
    assert_eq!(text.matches("aido hook claude").count(), 3, "{text}");
    init(&env, &["--uninstall", "--yes"]);
    let text = fs::read_to_string(env.path("work/.claude/settings.local.json")).unwrap();
    assert_eq!(text, "{\"a\": 1}\n");
}

#[test]
fn the_users_own_settings_are_another_scope() {
    let env = place();
    let run = init(
        &env,
        &["--agent", "claude,codex", "--scope", "user", "--yes"],
    );
    assert_eq!(run.code(), 0, "{run:?}");
    assert!(tree(&env).is_empty(), "nothing in the repository");
    for name in [".claude/settings.json", ".codex/hooks.json"] {
        let text = fs::read_to_string(env.home().join(name)).unwrap();
        assert!(text.contains("exec aido hook "), "{text}");
    }
    init(&env, &["--uninstall", "--yes"]);
    assert!(env.home().join(".codex/hooks.json").exists());
    init(&env, &["--uninstall", "--scope", "user", "--yes"]);
    assert!(!env.home().join(".codex").exists() && !env.home().join(".claude").exists());
}

#[test]
fn settings_with_secrets_are_shown_without_them() {
    let env = place();
    let secret = "correct horse battery staple 9";
    let text = format!("{{\n  \"env\": {{\n    \"DEPLOY_TOKEN\": \"{secret}\"\n  }}\n}}\n");
    env.write("work/.claude/settings.local.json", &text);
    let words = ["init", "--agent", "claude", "--dry-run"];
    let run = env.aido(words).env("DEPLOY_TOKEN", secret).output();
    assert!(run.stdout_text().contains("DEPLOY_TOKEN"), "{run:?}");
    assert!(!run.stdout_text().contains(secret), "{run:?}");
}

#[test]
fn a_person_is_asked_first() {
    for (answer, is_written) in [
        (&b"n\n"[..], false),
        (b"\n", false),
        (b"\x04", false),
        (b"y\n", true),
    ] {
        let env = place();
        let mut user = env.terminal().run(["aido", "init", "--agent", "claude"]);
        user.wait_for("Write 2 files? [y/N] ");
        assert!(!env.path("work/.claude").exists());
        user.send(answer);
        assert_eq!(
            user.wait_code(),
            i32::from(!is_written),
            "{}",
            answer.escape_ascii()
        );
        let file = env.path("work/.claude/settings.local.json");
        assert_eq!(file.exists(), is_written, "{}", answer.escape_ascii());
    }
}

#[test]
fn what_changes_while_a_person_thinks_is_not_written_over() {
    let env = place();
    let file = "work/.claude/settings.local.json";
    env.write(file, "{}");
    let mut user = env.terminal().run(["aido", "init", "--agent", "claude"]);
    user.wait_for("[y/N] ");
    env.write(file, "{\"mine\": 1}");
    user.send("y\n");
    assert_eq!(user.wait_code(), 1);
    user.wait_for("it was changed meanwhile");
    assert_eq!(fs::read_to_string(env.path(file)).unwrap(), "{\"mine\": 1}");
}
