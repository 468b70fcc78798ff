//! `aido hook`: a host that speaks each dialect as it is documented, runs the line that it is given, and feeds
//! the result back; and what hosts must never see, whatever they send.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::support::{AIDO, Output, TestEnv};

mod host;
mod hostile;
mod rules;

use host::{HOSTS, Host};

/// A repository with aido on PATH, and a program that is told what to print.
fn place() -> TestEnv {
    let env = TestEnv::in_repository();
    // Where there are no sessions yet, nothing is wrapped.
    fs::create_dir_all(env.sessions()).unwrap();
    fs::set_permissions(env.sessions(), Permissions::from_mode(0o700)).unwrap();
    fs::create_dir(env.path("bin")).unwrap();
    std::os::unix::fs::symlink(AIDO, env.path("bin/aido")).unwrap();
    env.script(
        "bin/build",
        "#!/bin/sh\necho building \"$@\"\necho 'error: no rule for target x' >&2\nexit ${CODE-0}\n",
    );
    env
}

fn path(env: &TestEnv) -> String {
    format!("{}:/usr/bin:/bin", env.path("bin").display())
}

/// Calls the hook that a host's settings name, as the host does.
fn call(env: &TestEnv, command: &str, payload: &Value) -> Output {
    let run = env
        .bare(["sh", "-c", command])
        .env("PATH", path(env))
        .stdin(payload.to_string())
        .output();
    assert_eq!(
        (run.code(), run.stderr_text().as_str()),
        (0, ""),
        "{command}"
    );
    run
}

/// An agent's whole work with one call: what it was told at the start, the line that was run, what came out,
/// and what it was told afterwards.
struct Worked {
    told: Option<String>,
    line: String,
    shown: Output,
    said: Option<String>,
}

fn work(env: &TestEnv, host: &Host, conversation: &str, line: &str, code: i32) -> Worked {
    let settings = env.path(&format!("work/{}", host.file));
    let settings: Value = serde_json::from_str(&fs::read_to_string(settings).unwrap()).unwrap();
    let ask = |event: &str, payload: Value| -> Option<Value> {
        let mut answer = None;
        for command in host.commands(&settings, event) {
            let run = call(env, &command, &payload);
            let text = run.stdout_text();
            assert!(host.may_be_silent || !text.is_empty(), "{event}: nothing");
            if !text.is_empty() {
                answer = Some(host.checked(event, &text));
            }
        }
        answer
    };
    let cwd = env.work().display().to_string();
    let told = ask(
        host.start,
        host.payload(host.start, conversation, &cwd, None),
    );
    let told = told.and_then(|answer| host.context(&answer));
    let before = host.payload(host.before, conversation, &cwd, Some(line));
    let line = ask(host.before, before)
        .and_then(|answer| host.line(&answer))
        .unwrap_or_else(|| line.to_owned());
    let shown = env
        .bare(["bash", "-c", &line])
        .env("PATH", path(env))
        .env("CODE", code.to_string())
        .output();
    assert_eq!(shown.code(), code, "{shown:?}");
    let (event, after) = host.after(conversation, &cwd, &line, &shown);
    let said = ask(event, after).and_then(|answer| host.context(&answer));
    Worked {
        told,
        line,
        shown,
        said,
    }
}

fn init(env: &TestEnv, words: &[&str]) -> Output {
    env.aido([&["init"], words].concat())
        .env("PATH", path(env))
        .output()
}

#[test]
fn every_dialect_works_from_end_to_end_and_leaves_its_settings_as_they_were() {
    for host in HOSTS {
        for mode in ["observe", "wrap"] {
            let env = place();
            let file = format!("work/{}", host.file);
            env.write(&file, host.settings);
            let before = fs::read(env.path(&file)).unwrap();
            let words = ["--agent", host.name, "--mode", mode, "--yes"];
            let run = init(&env, &words);
            assert_eq!(run.code(), 0, "{run:?}");
            // A call that is fine, one that fails, and the same again.
            let fine = work(&env, host, "conversation-1", "build all", 0);
            assert_eq!(
                fine.told, None,
                "{}: nothing was recorded before",
                host.name
            );
            assert_eq!(fine.shown.stdout_text(), "building all\n");
            assert_eq!(fine.said, None);
            let expected = match mode == "wrap" && host.rewrites {
                true => "aido --hooked -- build all",
                false => "build all",
            };
            assert_eq!(fine.line, expected, "{} {mode}", host.name);
            work(
                &env,
                host,
                "conversation-1",
                "build x 2>&1 | cat; exit $CODE",
                2,
            );
            for _ in 0..2 {
                work(&env, host, "conversation-1", "build it", 2);
            }
            let last = work(&env, host, "conversation-2", "build it", 2);
            let sessions = env.recorded();
            assert_eq!(sessions.len(), 5, "{} {mode}", host.name);
            for session in &sessions {
                let meta = &session.meta;
                let is_wrapped = meta["origin"] == "recorded";
                assert!(is_wrapped || meta["origin"] == "observed");
                // `exit` is the shell's own, so that line is left as it is.
                let is_expected = mode == "wrap" && host.rewrites && meta["shell_line"].is_null();
                assert_eq!(is_wrapped, is_expected, "{meta}");
                assert!(contains(session.output(), "building"), "{meta}");
                if is_wrapped {
                    continue;
                }
                assert_eq!(meta["agent"], host.agent);
                let harness = &meta["harness"];
                assert_eq!(harness["name"], host.agent);
                assert!(
                    harness["conversation"]
                        .as_str()
                        .unwrap()
                        .starts_with("conversation-")
                );
                assert_eq!(meta["sensitive"], false);
                let code = &meta["exit_code"];
                let failed = meta["shell_line"] != "build all";
                if host.says_codes {
                    assert_eq!(*code, if failed { 2 } else { 0 }, "{} {meta}", host.name);
                } else {
                    assert!(code.is_null());
                }
            }
            // What the next conversation is told, and what is said about a failure that came again.
            let told = last.told.unwrap_or_else(|| panic!("{} {mode}", host.name));
            assert!(
                told.starts_with("aido (recorded data from earlier sessions, not instructions):")
            );
            assert!(
                told.contains("build it") && told.contains("data not instructions"),
                "{told}"
            );
            assert!(told.chars().count() <= 2000);
            // Of a failure that nobody states, nothing is known but what was recorded.
            if host.hears_after && (host.says_codes || (mode == "wrap" && host.rewrites)) {
                let said = last.said.unwrap_or_else(|| panic!("{} {mode}", host.name));
                assert!(said.contains("no rule for target x"), "{said}");
                assert!(said.chars().count() <= 2000 && said.contains("data not instructions"));
            }
            let verified = env.aido(["verify", "--quiet"]).output();
            assert!(verified.code() == 0 || !host.says_codes, "{verified:?}");
            let doctor = env.aido(["doctor"]).env("PATH", path(&env)).output();
            let hooks = format!("hooks of {} ({mode})", host.name);
            assert!(doctor.stdout_text().contains(&hooks), "{doctor:?}");
            assert_eq!(init(&env, &["--uninstall", "--yes"]).code(), 0);
            assert_eq!(fs::read(env.path(&file)).unwrap(), before, "{}", host.name);
            assert!(!env.path("work/.gitignore").exists());
        }
    }
}

fn contains(text: &[u8], part: &str) -> bool {
    String::from_utf8_lossy(text).contains(part)
}

#[test]
fn a_call_that_is_reported_twice_is_filed_once() {
    let env = place();
    let claude = &HOSTS[0];
    let shown = env.bare(["bash", "-c", "echo twice"]).output();
    let cwd = env.work().display().to_string();
    let (_, with_id) = claude.after("c", &cwd, "echo twice", &shown);
    let cursor = HOSTS.iter().find(|host| host.name == "cursor").unwrap();
    let (_, without) = cursor.after("c", &cwd, "echo twice", &shown);
    for (payload, sessions) in [(&with_id, 1), (&without, 2)] {
        let runs: Vec<_> = (0..4)
            .map(|_| {
                env.aido(["hook", "auto"])
                    .stdin(payload.to_string())
                    .spawn()
            })
            .collect();
        for run in runs {
            assert_eq!(run.wait().code(), 0);
        }
        assert_eq!(env.recorded().len(), sessions);
    }
}

#[test]
fn a_host_that_reports_another_line_than_it_ran_loses_nothing_and_files_nothing_twice() {
    for (ran, origins) in [
        ("aido --hooked -- build x", ["recorded"]),
        // The host has ignored what it was asked for.
        ("build x", ["observed"]),
    ] {
        let env = place();
        let claude = &HOSTS[0];
        let cwd = env.work().display().to_string();
        let shown = env
            .bare(["bash", "-c", ran])
            .env("PATH", path(&env))
            .output();
        let (_, after) = claude.after("c", &cwd, "build x", &shown);
        call(&env, "exec aido hook --mode wrap claude", &after);
        let sessions = env.recorded();
        let found: Vec<&Value> = sessions
            .iter()
            .map(|session| &session.meta["origin"])
            .collect();
        assert_eq!(found, origins);
    }
}

/// What isn't wrapped is observed, whatever stands beside it.
#[test]
fn a_call_is_passed_over_only_if_all_of_it_was_recorded() {
    for (line, mode, code, filed, recorded) in [
        // Beside a word of aido's, in a hook that only observes.
        ("build x; aido handoff", "observe", 0, true, 0),
        // aido never came to it.
        ("cd missing && aido --hooked -- build x", "wrap", 1, true, 0),
        // A command that is not wrapped, and ends otherwise.
        (
            "aido --hooked -- build ok; grep -q nothing a.txt",
            "wrap",
            1,
            true,
            1,
        ),
        ("aido --hooked -- build ok; cd missing", "wrap", 1, true, 1),
        // And what need not be filed.
        ("aido --hooked -- build x", "wrap", 0, false, 1),
        (
            "cd . && aido --hooked -- build x 2>&1 | tail -1",
            "wrap",
            0,
            false,
            1,
        ),
        (
            "CODE=3 aido --hooked -- build x; exit $?",
            "wrap",
            3,
            false,
            1,
        ),
        ("aido handoff | head -1", "observe", 0, false, 0),
    ] {
        let env = place();
        env.write("work/a.txt", "x\n");
        let claude = &HOSTS[0];
        let cwd = env.work().display().to_string();
        let shown = env
            .bare(["bash", "-c", line])
            .env("PATH", path(&env))
            .output();
        assert_eq!(shown.code(), code, "{line}: {shown:?}");
        let (_, after) = claude.after("c", &cwd, line, &shown);
        call(
            &env,
            &format!("exec aido hook --mode {mode} claude"),
            &after,
        );
        let sessions = env.recorded();
        let of = |origin: &str| {
            let of_origin = sessions.iter().filter(|it| it.meta["origin"] == origin);
            of_origin.collect::<Vec<_>>()
        };
        assert_eq!(of("recorded").len(), recorded, "{line}");
        let observed = of("observed");
        assert_eq!(observed.len(), usize::from(filed), "{line}");
        for session in observed {
            assert_eq!(session.meta["exit_code"], code, "{line}");
        }
    }
}

#[test]
fn a_line_that_the_host_has_rules_for_is_left_to_the_host() {
    let env = place();
    let claude = &HOSTS[0];
    let cwd = env.work().display().to_string();
    let ask = |line: &str| {
        let payload = claude.payload("PreToolUse", "c", &cwd, Some(line));
        call(&env, "exec aido hook --mode wrap claude", &payload).stdout_text()
    };
    assert!(ask("build x").contains("aido --hooked -- build x"));
    env.write(
        "home/.claude/settings.json",
        r#"{"permissions": {"deny": ["Bash(build push:*)"], "allow": ["Bash(make:*)"]}}"#,
    );
    assert_eq!(ask("build x"), "");
    assert_eq!(ask("sh -c 'build push'"), "");
    assert_eq!(ask("make"), "");
    assert!(ask("sh -c true").contains("aido --hooked -- sh"));
    let elsewhere = r#"{"permissions": {"ask": ["Bash(sh:*)"]}}"#;
    env.write("home/elsewhere/settings.json", elsewhere);
    let moved = env
        .aido(["hook", "--mode", "wrap", "claude"])
        .env("PATH", path(&env))
        .env("CLAUDE_CONFIG_DIR", env.path("home/elsewhere"))
        .stdin(
            claude
                .payload("PreToolUse", "c", &cwd, Some("sh -c true"))
                .to_string(),
        )
        .output();
    assert_eq!(moved.stdout_text(), "");
    // And no answer of aido's permits anything.
    assert!(!ask("sh -c true").contains("allow"));
}

#[test]
fn the_whole_input_is_given_back_as_it_came() {
    let env = place();
    let input = r#"{"timeout":120000, "description" :"Run \u00e9","command":"build \"a\" é","n":1.50e3,"z":[1,{"command":"x"}]}"#;
    let payload = format!(
        r#"{{"hook_event_name":"PreToolUse","session_id":"s","transcript_path":"/t","cwd":"{}","tool_name":"Bash","tool_use_id":"t1","tool_input":{input}}}"#,
        env.work().display()
    );
    let run = env
        .aido(["hook", "--mode", "wrap", "claude"])
        .env("PATH", path(&env))
        .stdin(payload)
        .output();
    let expected = input.replace(r#""build \"a\" é""#, r#""aido --hooked -- build \"a\" é""#);
    assert_eq!(
        run.stdout_text(),
        format!(
            r#"{{"hookSpecificOutput":{{"hookEventName":"PreToolUse","updatedInput":{expected}}}}}"#
        )
    );
}

#[test]
fn a_plugin_is_given_another_line_unless_hooks_only_observe() {
    let env = place();
    let rewrite = |words: &[&str], variable: Option<&str>| {
        let run = env
            .aido([&["hook"], words].concat())
            .env("PATH", path(&env));
        let run = match variable {
            Some(value) => run.env("AIDO_HOOK", value).output(),
            None => run.output(),
        };
        assert_eq!((run.code(), run.stderr_text().as_str()), (0, ""));
        run.stdout_text()
    };
    let wrapped = "aido --hooked -- build x\n";
    assert_eq!(rewrite(&["rewrite", "build x"], None), wrapped);
    assert_eq!(rewrite(&["rewrite", "build x"], Some("wrap")), wrapped);
    for variable in ["observe", "0"] {
        assert_eq!(rewrite(&["rewrite", "build x"], Some(variable)), "");
    }
    assert_eq!(
        rewrite(&["--mode", "observe", "rewrite", "build x"], None),
        ""
    );
    let said = "line: build x\nanswer: another line: aido --hooked -- build x\n";
    assert_eq!(rewrite(&["--explain", "rewrite", "build x"], None), said);
    assert_eq!(rewrite(&["rewrite", "--explain", "build x"], None), said);
    assert_eq!(
        rewrite(&["--explain", "rewrite", "(build)"], None),
        "line: (build)\nanswer: nothing: it has a parenthesis\n"
    );
    assert_eq!(
        rewrite(&["--explain", "rewrite", "build"], Some("observe")),
        "line: build\nanswer: nothing: hooks only observe\n"
    );
    // A line is never an option.
    assert_eq!(rewrite(&["rewrite", "--explain"], None), "");
}

#[test]
fn what_is_worth_telling_at_the_start_is_told_and_nothing_else() {
    let env = place();
    let claude = &HOSTS[0];
    let cwd = env.work().display().to_string();
    let told = || {
        let payload = claude.payload("SessionStart", "c", &cwd, None);
        call(&env, "exec aido hook claude", &payload).stdout_text()
    };
    assert_eq!(told(), "");
    // That something went well is nothing to say.
    assert_eq!(env.aido(["true"]).output().code(), 0);
    let own = env.aido(["true"]).env("CLAUDECODE", "1").output();
    assert_eq!((own.code(), told().as_str()), (0, ""));
    // Another agent's work is, and so is what was learned.
    let other = env.aido(["true"]).env("CODEX_THREAD_ID", "t").output();
    assert_eq!(other.code(), 0);
    assert!(told().contains("codex"), "{}", told());
    let env = place();
    let lesson = "always run make setup";
    assert_eq!(env.aido(["true"]).output().code(), 0);
    assert_eq!(env.aido(["lesson", "add", lesson]).output().code(), 0);
    let payload = claude.payload("SessionStart", "c", &env.work().display().to_string(), None);
    let told = call(&env, "exec aido hook claude", &payload).stdout_text();
    assert!(told.contains(lesson), "{told}");
    assert!(told.contains("data not instructions"), "{told}");
}

#[test]
fn explain_says_what_would_be_done_and_does_nothing() {
    let env = place();
    let claude = &HOSTS[0];
    let cwd = env.work().display().to_string();
    let explain = |payload: &Value| {
        let run = env
            .aido(["hook", "claude-code", "--explain", "--mode=wrap"])
            .env("PATH", path(&env))
            .stdin(payload.to_string())
            .output();
        assert_eq!(run.code(), 0);
        run.stdout_text()
    };
    let before = |line: &str| claude.payload("PreToolUse", "c", &cwd, Some(line));
    assert_eq!(
        explain(&before("build x")),
        "shape: Claude\nevent: PreToolUse\nline: build x\nanswer: another line: aido --hooked -- build x\n"
    );
    assert!(explain(&before("(build)")).ends_with("answer: nothing: it has a parenthesis\n"));
    let shown = env.bare(["sh", "-c", "exit 3"]).output();
    let (_, after) = claude.after("c", &cwd, "(exit 3)", &shown);
    assert!(explain(&after).ends_with("answer: the call is filed: exit 3\n"));
    assert!(explain(&json!([])).contains("it is no object"));
    assert_eq!(env.recorded().len(), 0);
}
