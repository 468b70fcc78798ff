//! `aido list`: which sessions, in which order, how many, and what is said of a wrong use.

use std::os::unix::fs::symlink;

use serde_json::{Value, json};

use crate::support::{TestEnv, ago, moment};

mod shown;

/// Sessions of which each differs from a plain success in what one filter asks for.
fn with_differences() -> (TestEnv, Vec<String>) {
    let env = TestEnv::new();
    let different = [
        ("plain", json!({})),
        ("failed", json!({"exit_code": 3})),
        (
            "signaled",
            json!({"exit_code": 143, "status": "signaled", "signal": "SIGTERM"}),
        ),
        (
            "interrupted",
            json!({"exit_code": null, "status": "interrupted"}),
        ),
        ("task", json!({"task": "parser", "tags": ["ci", "slow"]})),
        (
            "branch",
            json!({"git": {"branch": "topic/x", "commit": null}}),
        ),
        ("cwd", json!({"cwd": env.path("work/deep/down")})),
        (
            "fault",
            json!({"fault": "0a1b2c3d-missing-crate", "pinned": true}),
        ),
        ("note", json!({"notes": "because the Parser broke"})),
        (
            "long",
            json!({"command": format!("echo {} needle", "x".repeat(500))}),
        ),
        ("late", json!({"timestamp": ago(3600), "ended_at": ago(60)})),
    ];
    let ids = different
        .iter()
        .zip(1..)
        .map(|((agent, fields), number)| env.plant(agent, number, fields));
    let ids = ids.collect();
    (env, ids)
}

#[test]
fn each_filter_lets_through_what_it_names() {
    let (env, ids) = with_differences();
    env.write("work/deep/down/file", "");
    symlink(env.path("work/deep"), env.path("work/link")).unwrap();
    let moments = [moment(3), moment(5)];
    let all: Vec<&str> = ids
        .iter()
        .map(|id| id.split('-').next().unwrap())
        .rev()
        .collect();
    #[rustfmt::skip]
    let table: &[(&[&str], &[&str])] = &[
        (&[], &all),
        (&["--failed"], &["fault", "interrupted", "signaled", "failed"]),
        (&["--outcome", "suspect"], &["fault"]),
        (&["--outcome", "negative"], &[]),
        (&["--outcome", "interrupted"], &[]),
        (&["--outcome", "stopped"], &[]),
        (&["--interrupted"], &["interrupted"]),
        (&["--interrupted", "--agent", "plain"], &[]),
        (&["--exit", "3"], &["failed"]),
        (&["--exit", "143"], &["signaled"]),
        (&["--exit", "9"], &[]),
        (&["--agent", "plain"], &["plain"]),
        (&["--agent", "Plain"], &["plain"]),
        (&["--agent", "pla"], &[]),
        (&["--agent", ""], &[]),
        (&["--since", "2h"], &["late"]),
        (&["--since", "2h ago"], &["late"]),
        (&["--since", "2026-03-05T13:00:03", "--until", &moments[1]], &["interrupted", "signaled"]),
        (&["--until", &moments[0]], &["failed", "plain"]),
        (&["--until", "2026-03-05"], &[]),
        (&["--task", "parser"], &["task"]),
        (&["--tag", "slow"], &["task"]),
        (&["--tag", "slo"], &[]),
        (&["--branch", "topic/x"], &["branch"]),
        (&["--cwd", "deep"], &["cwd"]),
        (&["--cwd", "link/down"], &["cwd"]),
        (&["--cwd", "dee"], &[]),
        (&["--cwd", "/", "--exit", "3"], &["failed"]),
        (&["--fault", "0a1b2c3d-missing-crate"], &["fault"]),
        (&["--pinned"], &["fault"]),
        (&["--running"], &[]),
        (&["--grep", "parser broke"], &["note"]),
        (&["--grep", "parser"], &["note"]),
        (&["--grep", "PARSER"], &[]),
        (&["--grep", "^ci$"], &["task"]),
        (&["--grep", "needle$"], &["long"]),
        (&["--failed", "--grep", "needle"], &[]),
    ];
    for (arguments, wanted) in table {
        let found = env.listed(arguments);
        let found: Vec<&str> = found
            .iter()
            .map(|id| id.split('-').next().unwrap())
            .collect();
        assert_eq!(found, *wanted, "{arguments:?}");
    }
}

#[test]
fn an_agent_is_found_by_the_name_that_it_gave() {
    let env = TestEnv::new();
    let run = env.aido(["--agent", "Claude Code", "true"]).output();
    assert_eq!(run.code(), 0, "{run:?}");
    let id = env.only_session().id;
    assert!(id.starts_with("claude-code-"), "{id}");
    assert_eq!(env.listed(&["--agent", "Claude Code"]), [id.as_str()]);
    assert_eq!(env.listed(&["--agent", "claude"]), [""; 0]);
}

/// Three ran at the same time. The index has them in the order in which they ended or came.
#[test]
fn sessions_are_listed_by_their_start_although_they_overlap() {
    let env = TestEnv::new();
    let session = |number: u32, start: i64, end: i64| {
        let fields = json!({"timestamp": moment(start), "ended_at": moment(end)});
        let id = env.plant("ai-agent", number, &fields);
        // Each is read on its own, so that the index has a line of it before the next one comes.
        env.listed(&[]);
        id
    };
    let quick = session(1, 50, 100);
    let copied = session(2, 0, 10);
    let long = session(3, 20, 200);
    let wanted = [quick, long, copied];
    assert_eq!(env.listed(&[]), wanted);
    assert_eq!(env.listed(&["-n", "1"])[..], wanted[..1]);
    std::fs::remove_file(env.index()).unwrap();
    assert_eq!(env.listed(&[]), wanted);
}

#[test]
fn a_session_that_runs_has_its_place_among_the_others() {
    let env = TestEnv::new();
    env.aido(["--agent", "before", "true"]).output();
    let running = env
        .aido(["--agent", "amid", "sh", "-c", "echo READY; exec sleep 600"])
        .spawn();
    running.wait_for_stdout(b"READY");
    env.aido(["--agent", "after", "true"]).output();
    let agents = |arguments: &[&str]| {
        let words = [&["list", "--fields", "agent,state,exit_code"], arguments].concat();
        let run = env.aido(words).output();
        let is_found = run.code() == 0;
        assert_eq!(is_found, !run.stdout.is_empty(), "{arguments:?}: {run:?}");
        run.stdout_text()
    };
    let status = || env.json(&["list", "--agent", "amid", "--json"])[0]["status"].clone();
    let all = "after\tfinished\t0\namid\trunning\t-\nbefore\tfinished\t0\n";
    assert_eq!(agents(&[]), all);
    assert_eq!(agents(&["--running"]), "amid\trunning\t-\n");
    assert_eq!(agents(&["--failed"]), "");
    assert_eq!(agents(&["--interrupted"]), "");
    assert_eq!(agents(&["-n", "2"]), all[..all.rfind("before").unwrap()]);
    assert_eq!(status(), Value::Null);
    running.kill();
    assert_eq!(status(), "interrupted");
    assert_eq!(agents(&["--interrupted"]), "amid\tinterrupted\t-\n");
    assert_eq!(agents(&["--failed"]), "amid\tinterrupted\t-\n");
    assert_eq!(agents(&["--running"]), "");
    assert_eq!(agents(&[]), all.replace("running", "interrupted"));
}

#[test]
fn as_many_are_listed_as_were_asked_for() {
    let env = TestEnv::new();
    let ids: Vec<String> = (1..=25)
        .map(|number| env.plant("ai-agent", number, &json!({})))
        .collect();
    let newest: Vec<&String> = ids.iter().rev().collect();
    for (arguments, count) in [(&[][..], 20), (&["-n", "3"], 3), (&["-n", "25"], 25)] {
        let run = env.aido([&["list"], arguments].concat()).output();
        let lines = run.stdout_text().lines().count();
        assert_eq!((run.code(), lines), (0, count + 1), "{arguments:?}");
        // The hint is for people, and only where there is more.
        let hint = run.stderr_text();
        let is_due = count < ids.len();
        assert_eq!(
            hint.lines().count(),
            usize::from(is_due),
            "{arguments:?}: {hint}"
        );
        assert!(!is_due || hint.contains("-n 0"), "{hint}");
        let json = env.json(&[&["list", "--json"], arguments].concat());
        let found = json.as_array().unwrap().iter();
        let found: Vec<&str> = found.map(|it| it["session_id"].as_str().unwrap()).collect();
        assert_eq!(found, newest[..count], "{arguments:?}");
    }
    assert_eq!(env.listed(&[]).len(), 25);
    assert_eq!(env.read(&["list", "-n", "0"]).lines().count(), 26);
    assert_eq!(
        env.read(&["list", "--ndjson", "-n", "2"]).lines().count(),
        2
    );
}

#[test]
fn fields_are_columns_or_the_keys_of_the_json() {
    let env = TestEnv::new();
    let fields = json!({"command": "a\tb\nc\u{1b}[2J", "exit_code": 3, "tags": ["x y"]});
    let id = env.plant("ai-agent", 1, &fields);
    let columns = env.read(&["list", "--fields", "session_id,exit_code,task,tags,command"]);
    assert_eq!(columns, format!("{id}\t3\t-\t[\"x y\"]\ta^Ib^Jc^[[2J\n"));
    let words = ["list", "--fields", "exit_code,command,exit_code"];
    let chosen = json!({"exit_code": 3, "command": fields["command"]});
    assert_eq!(
        env.json(&[&words[..], &["--json"]].concat()),
        json!([chosen])
    );
    assert_eq!(env.json(&[&words[..], &["--ndjson"]].concat()), chosen);
}

#[test]
fn each_line_of_ndjson_is_what_json_has() {
    let (env, ids) = with_differences();
    let all = env.json(&["list", "--json", "-n", "0"]);
    let lines = env.read(&["list", "--ndjson", "-n", "0"]);
    let lines: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(all, Value::Array(lines));
    assert_eq!(all.as_array().unwrap().len(), ids.len());
    for session in all.as_array().unwrap() {
        assert_eq!(session["schema_version"], "1.0");
        assert_eq!(session["signature"], "UNSIGNED");
    }
}

#[test]
fn an_empty_store_lists_as_nothing_in_each_form() {
    for env in [TestEnv::new(), TestEnv::in_repository()] {
        for (words, printed) in [
            (&["--json"][..], "[]\n"),
            (&["--ndjson"], ""),
            (&["--fields", "command"], ""),
            (&["--pruned"], "no session was removed\n"),
            (&["--pruned", "--json"], "[]\n"),
        ] {
            assert_eq!(env.read(&[&["list"], words].concat()), printed, "{words:?}");
        }
        let place = env.sessions().display().to_string();
        assert_eq!(env.read(&["list"]), format!("no sessions in {place}\n"));
        let filtered = env.aido(["list", "--failed"]).output();
        let said = format!("no sessions that fit in {place}\n");
        assert_eq!((filtered.code(), filtered.stdout_text()), (1, said));
        for words in [&["--json"][..], &["--running"], &["--pruned"]] {
            let words = [&["list", "--exit", "3"], words].concat();
            assert_eq!(env.aido(&words).output().code(), 1, "{words:?}");
        }
        assert!(!env.sessions().exists(), "reading made a store");
    }
}

#[test]
fn a_wrong_use_is_2_and_says_what_is_right() {
    let (env, ids) = with_differences();
    for (words, hint) in [
        (&["--fields", "exit_code,exitcode"][..], "exit_code"),
        (&["--fields", ""], "exit_code"),
        (&["--since", "soon"], "2026-03-05"),
        (&["--until", "2026-13-01"], "yesterday"),
        (&["--since", ""], "yesterday"),
        (&["--since=-5m"], "yesterday"),
        (&["--grep", "("], "("),
        (&["--exit", "x"], "--exit"),
        (&["--exit", "3", "--failed"], "--failed"),
        (&["--running", "--interrupted"], "--interrupted"),
        (&["--json", "--ndjson"], "--ndjson"),
        (&["-n=-1"], "-n"),
        (&["-n", "many"], "-n"),
        (&["--pruned", "--fields", "command"], "--fields"),
    ] {
        let run = env.aido([&["list"], words].concat()).output();
        let said = run.stderr_text();
        assert!(
            run.code() == 2 && run.stdout.is_empty() && said.contains(hint),
            "{words:?}: {run:?}"
        );
    }
    let run = env.aido(["list", "--json", "--since", "soon"]).output();
    let error: Value = serde_json::from_slice(&run.stderr).unwrap();
    assert_eq!((run.code(), &error["error"]["code"]), (2, &"usage".into()));
    // What the parser itself refuses is JSON too, its first paragraph apart from the advice.
    for words in [
        &["list", "--json", "--bogus"][..],
        &["list", "--ndjson", "--bogus"],
        &["show", "a", "b", "--json"],
        &["stats", "--json", "-n", "many"],
        &["tasks", "--json", "nosuch"],
    ] {
        let run = env.aido(words).output();
        let error: Value = serde_json::from_slice(&run.stderr).unwrap();
        let error = &error["error"];
        assert_eq!(
            (run.code(), &error["code"]),
            (2, &"usage".into()),
            "{words:?}"
        );
        let message = error["message"].as_str().unwrap();
        assert!(
            !message.contains('\n') && error["hint"].is_string(),
            "{error}"
        );
    }
    // What stands after the dashes is a command's.
    let run = env.aido(["check", "--bogus", "--", "x", "--json"]).output();
    assert!(run.stderr_text().starts_with("aido: "), "{run:?}");
    assert_eq!(env.recorded().len(), ids.len());
}

#[test]
fn a_sidecar_that_is_none_is_named_and_hides_no_other() {
    let env = TestEnv::new();
    let good = env.plant("good", 1, &json!({}));
    let mut bad = Vec::new();
    for (number, text) in [
        (2, ""),
        (3, "{\"session_id\": \"x"),
        (4, "null"),
        (5, "{}"),
        (6, "\0\0\0\0"),
        (7, &"[".repeat(100_000)),
    ] {
        let id = env.plant("bad", number, &json!({}));
        std::fs::write(env.file_of(&id, "meta.json"), text).unwrap();
        bad.push(id);
    }
    // One that says it is another session.
    let id = env.plant("bad", 8, &json!({"session_id": good}));
    bad.push(id);
    let run = env.aido(["list", "--fields", "session_id"]).output();
    assert_eq!((run.code(), run.stdout_text()), (0, format!("{good}\n")));
    let said = run.stderr_text();
    for id in &bad {
        assert_eq!(said.matches(id.as_str()).count(), 1, "{id}: {said}");
    }
}

#[test]
fn a_selector_that_fits_nothing_says_what_is_near() {
    let env = TestEnv::new();
    let ids = [("codex", 0x2f58_7606_u32), ("claude", 0xbeef_0001)]
        .map(|(agent, number)| env.plant(agent, number, &json!({"timestamp": moment(0)})));
    let ask = |selector: &str| {
        let run = env.aido(["show", selector]).output();
        assert_eq!(run.code(), 1, "{selector}: {run:?}");
        run.stderr_text()
    };
    for (selector, near) in [
        ("2f587605", vec![0]),
        ("7605", vec![0]),
        ("3216", vec![1, 0]),
        ("@cod", vec![0]),
        ("@CLAUD", vec![1]),
        ("zzzz", vec![]),
    ] {
        let said = ask(selector);
        for (place, id) in ids.iter().enumerate() {
            assert_eq!(
                said.contains(id),
                near.contains(&place),
                "{selector}: {said}"
            );
        }
        assert!(said.contains("hint"), "{selector}: {said}");
    }
    // What fits more than one is not guessed, and nothing fits everything.
    let said = ask("c");
    assert!(ids.iter().all(|id| said.contains(id)), "{said}");
    ask("");
    std::fs::remove_file(env.file_of(&ids[1], "meta.json")).unwrap();
    std::fs::remove_file(env.file_of(&ids[1], "events.jsonl")).unwrap();
    std::fs::remove_file(env.file_of(&ids[1], "typescript")).unwrap();
    ask("");
    assert!(env.read(&["show", "c"]).contains(&ids[0]));
}
