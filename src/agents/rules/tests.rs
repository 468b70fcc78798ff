use super::*;

fn rules(text: &str) -> Rules {
    let mut rules = Rules::default();
    rules.add(Form::Settings, Some(text));
    rules
}

#[track_caller]
fn about(text: &str, lines: &[&str]) {
    for line in lines {
        assert!(rules(text).may_be_about(line), "{text}: {line}");
    }
}

#[track_caller]
fn not_about(text: &str, lines: &[&str]) {
    for line in lines {
        assert!(!rules(text).may_be_about(line), "{text}: {line}");
    }
}

fn denied(pattern: &str) -> String {
    serde_json::json!({"permissions": {"deny": [pattern]}}).to_string()
}

fn allowed(pattern: &str) -> String {
    serde_json::json!({"permissions": {"allow": [pattern]}}).to_string()
}

#[test]
fn a_line_that_a_rule_may_be_about_is_left_to_the_host() {
    let claude = r#"{"permissions": {"allow": ["Bash(npm run test:*)", "Read(x)"],
        "deny": ["Bash(git push:*)", "Bash(/opt/x/deploy)", "mcp__x__*"], "ask": ["WebFetch"]}}"#;
    let lines = [
        "git push",
        "cd x && git status",
        "env git push",
        "npm ci",
        "./deploy now",
    ];
    about(claude, &lines);
    not_about(claude, &["cargo test", "make gitignore"]);
    not_about(
        r#"{"permissions": {"allow": ["Bash", "Bash(*)", "*"]}}"#,
        &["make"],
    );
    for text in [
        r#"{"permissions": {"deny": ["Bash"]}}"#,
        r#"{"permissions": {"ask": ["Bash(*)"]}}"#,
        r#"{"permissions": {"deny": ["Bash(* push)"]}}"#,
        r#"{"tools": {"core": ["run_shell_command(git)"]}}"#,
        r#"{"tools": {"confirmationRequired": ["run_shell_command"]}}"#,
        "{ // comment\n}",
    ] {
        about(text, &["make"]);
    }
    let gemini =
        r#"{"tools": {"exclude": ["run_shell_command(rm)"]}, "excludeTools": ["ShellTool(dd)"]}"#;
    about(gemini, &["rm x", "dd if=x", "rmx", "/bin/rm x"]);
    not_about(gemini, &["make"]);
    let mut there = Rules::default();
    there.add(Form::Anything, None);
    assert!(there.may_be_about("make"));
}

#[test]
fn a_wildcard_is_about_every_spelling_of_what_begins_so() {
    for (pattern, line) in [
        ("Bash(python*)", "python3 x.py"),
        ("Bash(python*)", "/usr/bin/python3 x.py"),
        ("Bash(m*)", "make"),
        ("Bash(ma?e)", "make"),
        ("Bash(git-*)", "git-shell"),
        ("Bash(g*push)", "git push"),
        ("Bash(/usr/bin/*)", "/usr/bin/make"),
        ("Bash(/usr/bin/ma*)", "make"),
        ("Bash(./scripts/*)", "./scripts/x.sh"),
        ("Bash(./scripts/*)", "scripts/x.sh"),
        ("Bash(scripts/**)", "./scripts/x.sh"),
        ("Bash(scripts/**)", "../a/scripts/x.sh"),
        ("Bash(*push*)", "make"),
        ("Bash(a*)", "make"),
    ] {
        about(&denied(pattern), &[line]);
        about(&allowed(pattern), &[line]);
    }
    not_about(&denied("Bash(python*)"), &["make"]);
    not_about(&allowed("Bash(./scripts/*)"), &["make x"]);
}

#[test]
fn a_rule_that_is_not_understood_is_about_everything_it_may_be_about() {
    for text in [
        denied("Bash(FORCE=1 make:*)"),
        denied("Bash(FORCE=*)"),
        denied("Bash(\"make\":*)"),
        denied("Bash(make(1):*)"),
        denied("B*"),
        denied("Ba*(x)"),
        denied("Bash(make"),
        denied("/^Bash/"),
        denied(""),
        r#"{"permissions": {"deny": "Bash(x)"}}"#.to_owned(),
        r#"{"permissions": {"deny": [{"tool": "Bash"}]}}"#.to_owned(),
        r#"{"permissions": "none"}"#.to_owned(),
        r#"{"policyPaths": ["x"]}"#.to_owned(),
    ] {
        let line = if text.contains("Ba*") {
            "x"
        } else {
            "FORCE=1 make deploy"
        };
        about(&text, &[line]);
    }
    // What is allowed without being understood is about its words.
    about(&allowed("Bash(FORCE=1 make:*)"), &["FORCE=1 x", "make"]);
    not_about(&allowed("Bash(FORCE=1 make:*)"), &["cargo test"]);
    not_about(
        r#"{"permissions": {"deny": ["Read(./.env)", "mcp__a__b"]}, "policyPaths": []}"#,
        &["make"],
    );
}

#[test]
fn a_rule_that_would_be_about_the_line_with_aido_in_it_is_about_every_line() {
    for text in [
        allowed("Bash(aido:*)"),
        allowed("Bash(aido --hooked -- make:*)"),
        allowed("Bash(/usr/bin/aido *)"),
        allowed("Bash(ai*)"),
        allowed("Bash(* make)"),
        allowed("Shell(aido)"),
        denied("Bash(aido:*)"),
        r#"{"tools": {"allowed": ["run_shell_command(aido)"]}}"#.to_owned(),
        r#"{"tools": {"allowed": ["run_shell_command(ai)"]}}"#.to_owned(),
        r#"{"permission": {"bash": {"aido *": "allow"}}}"#.to_owned(),
        r#"{"sandbox": {"excludedCommands": ["aido"]}}"#.to_owned(),
    ] {
        about(&text, &["make deploy"]);
    }
    about(r#"{"sandbox": {"excludedCommands": ["make"]}}"#, &["make"]);
    not_about(
        r#"{"sandbox": {"excludedCommands": ["make"]}}"#,
        &["cargo test"],
    );
}

#[test]
fn opencode_has_words_and_switches() {
    let text = r#"{"permission": {"bash": {"git push": "deny", "*": "allow"}, "edit": "ask"}}"#;
    about(text, &["git status"]);
    not_about(text, &["make"]);
    not_about(r#"{"tools": {"bash": true, "write": false}}"#, &["make"]);
    for text in [
        r#"{"permission": {"bash": "ask"}}"#,
        r#"{"permission": {"bash": {"*": "ask"}}}"#,
        r#"{"permission": {"bash": ["x"]}}"#,
        r#"{"permission": {"*": "ask", "bash": {"x": "allow"}}}"#,
        r#"{"permission": "ask"}"#,
        r#"{"agent": {"plan": {"permission": {"bash": "deny"}}}}"#,
        r#"{"agent": {"plan": {"tools": {"bash": false}}}}"#,
        r#"{"tools": {"bash": false}}"#,
        r#"{"tools": {"*": false}}"#,
    ] {
        about(text, &["make"]);
    }
    let mut alone = Rules::default();
    alone.add(Form::Permission, Some(r#"{"bash": {"make *": "ask"}}"#));
    assert!(alone.may_be_about("make") && !alone.may_be_about("cargo test"));
}

#[test]
fn a_guard_that_sees_the_line_as_it_is_run_is_about_every_line() {
    let command = format!("{}cursor", crate::agents::host::BEGINNING);
    let own = format!(r#"{{"command": "{command}", "matcher": "Shell"}}"#);
    let other = r#"{"command": "./guard", "matcher": "^make"}"#;
    for event in ["beforeShellExecution", "preToolUse", "BeforeTool"] {
        let hooks = |list: &str| format!(r#"{{"hooks": {{"{event}": [{list}]}}}}"#);
        not_about(&hooks(&own), &["make"]);
        about(&hooks(&format!("{own}, {other}")), &["make"]);
        let nested = format!(r#"{{"matcher": "x", "hooks": [{own}, {other}]}}"#);
        about(&hooks(&nested), &["make"]);
    }
    not_about(
        r#"{"hooks": {"PreToolUse": [{"command": "./guard"}]}}"#,
        &["make"],
    );
}

#[test]
fn an_editor_has_rules_if_it_names_some() {
    let form = sources(crate::agents::payload::Dialect::Copilot)
        .concat()
        .iter()
        .find(|source| source.path == ".vscode/settings.json")
        .unwrap()
        .form;
    for (text, expected) in [
        (
            r#"{"chat.tools.terminal.autoApprove": {"/.*/": true, "make": false}}"#,
            true,
        ),
        (
            "{ // comment\n \"github.copilot.chat.agent.terminal.denyList\": {}, }",
            true,
        ),
        ("{ // comment\n \"editor.tabSize\": 2, }", false),
    ] {
        let mut rules = Rules::default();
        rules.add(form, Some(text));
        assert_eq!(rules.may_be_about("make"), expected, "{text}");
    }
}
