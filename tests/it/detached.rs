//! Sessions without a caller: `start`, `send`, `capture`, `wait`, `stop`, and what is left of them.

use std::fs;

use serde_json::Value;

use crate::support::{
    Output, TestEnv, contains, files_below, process_is_alive, processes_of, wait_until,
};

mod attached;
mod day;
mod ends;
mod hard;
mod inputs;
mod lives;
mod printed;
mod sandboxed;
mod typed;

/// A place whose sockets are in it, too.
fn place() -> TestEnv {
    TestEnv::new()
}

/// Starts a command under a name.
#[track_caller]
fn start(env: &TestEnv, name: &str, words: &[&str]) -> String {
    let options = ["start", "--name", name, "--"];
    let run = env.aido([&options[..], words].concat()).output();
    assert_eq!(run.code(), 0, "{run:?}");
    run.stdout_text().trim_end().to_owned()
}

fn aido(env: &TestEnv, words: &[&str]) -> Output {
    env.aido(words).output()
}

/// Runs a word that must succeed, and gives what it printed.
#[track_caller]
fn done(env: &TestEnv, words: &[&str]) -> String {
    let run = aido(env, words);
    assert_eq!(run.code(), 0, "{words:?}: {run:?}");
    run.stdout_text()
}

#[track_caller]
fn wait_for(env: &TestEnv, name: &str, text: &str) {
    done(env, &["wait", name, "--text", text, "--timeout", "15s"]);
}

/// A program that asks again and again.
const ASKING: &str = r#"while printf '>>> '; read line; do echo "= $line"; done"#;

#[test]
fn a_started_command_is_talked_to_and_recorded_like_any_other() {
    let env = place();
    // It returns although the session goes on: nobody holds the pipes that it was given.
    let id = start(&env, "asking", &["sh", "-c", &format!("{ASKING}; exit 3")]);
    wait_for(&env, "asking", ">>> $");
    done(&env, &["send", "asking", "one", "two", "-e"]);
    wait_for(&env, "asking", "^= one two");
    assert_eq!(
        done(&env, &["capture", "asking"]),
        ">>> one two\n= one two\n>>>\n"
    );
    // Control-D.
    done(&env, &["send", &id, "--keys", "C-d"]);
    let waited = aido(&env, &["wait", "asking"]);
    assert_eq!(waited.code(), 3, "{waited:?}");
    let session = env.only_session();
    assert_eq!(session.id, id);
    assert_eq!(
        (
            &session.meta["exit_code"],
            &session.meta["detached"],
            &session.meta["name"]
        ),
        (&3.into(), &true.into(), &"asking".into())
    );
    assert!(
        contains(session.output(), b"= one two\r\n"),
        "{:?}",
        session.output()
    );
    let verified = done(&env, &["verify", &id]);
    assert!(verified.contains("VALID"), "{verified}");
    // It is found by its name still, and nothing of it is left besides.
    assert!(done(&env, &["show", "asking"]).contains("outcome   exit 3"));
    assert_eq!(
        done(&env, &["capture", "asking"]).lines().nth(1),
        Some("= one two")
    );
    wait_until("the supervisor is gone", || {
        processes_of(&env.home()).is_empty()
    });
    let run = env.home().join(".local/state/aido/run");
    assert_eq!(
        files_below(&run).len(),
        1,
        "the lock on names: {:?}",
        files_below(&run)
    );
}

#[test]
fn a_command_that_can_not_be_started_says_why() {
    let env = place();
    env.write("work/plain", "no program");
    for (words, code, said) in [
        (&["start", "no-such-program"][..], 127, "not found"),
        (&["start", "--", "./plain"], 126, "plain"),
        (&["start", "--cwd", "nowhere", "true"], 125, "nowhere"),
        (&["start", "--name", "cafe", "true"], 2, "no name"),
        (&["start", "--size", "1x1", "true"], 2, "no size"),
        (&["start", "--env", "x", "true"], 2, "NAME=VALUE"),
        (&["start"], 2, "COMMAND"),
        (&["--no-record", "start", "true"], 2, "unrecorded"),
    ] {
        let run = aido(&env, words);
        assert_eq!(run.code(), code, "{words:?}: {run:?}");
        assert!(run.stderr_text().contains(said), "{words:?}: {run:?}");
        assert_eq!(run.stdout_text(), "", "{words:?}");
    }
    // What was tried is recorded.
    wait_until("the failures are recorded", || env.recorded().len() == 2);
    for session in env.recorded() {
        assert_eq!(session.meta["status"], "not_started");
    }
}

#[test]
fn it_gets_the_window_directory_and_variables_that_were_asked_for() {
    let env = place();
    fs::create_dir(env.path("work/below")).unwrap();
    let script = "stty size; pwd; echo $GREETING $TERM ${COLUMNS-none} $AIDO_SESSION; cat";
    let options = [
        "start",
        "--size",
        "90x30",
        "--cwd",
        "below",
        "--env",
        "GREETING=hello",
    ];
    let run = env
        .aido([&options[..], &["sh", "-c", script]].concat())
        .env("COLUMNS", "7")
        .output();
    let id = run.stdout_text().trim_end().to_owned();
    wait_for(&env, &id, "hello");
    let shown = done(&env, &["capture", &id]);
    let expected = format!(
        "30 90\n{}\nhello xterm-256color none {id}\n",
        env.path("work/below").display()
    );
    assert_eq!(shown, expected);
}

#[test]
fn a_name_is_given_once_at_a_time() {
    let env = place();
    start(&env, "dev", &["cat"]);
    let second = aido(&env, &["start", "--name", "dev", "cat"]);
    assert_eq!(second.code(), 125, "{second:?}");
    assert!(
        second.stderr_text().contains("under the name dev"),
        "{second:?}"
    );
    // Of many at once, one gets it.
    let starts: Vec<_> = (0..6)
        .map(|_| env.aido(["start", "--name", "race", "cat"]).spawn())
        .collect();
    let codes: Vec<i32> = starts
        .into_iter()
        .map(|start| start.wait().code())
        .collect();
    assert_eq!(
        codes.iter().filter(|code| **code == 0).count(),
        1,
        "{codes:?}"
    );
    done(&env, &["stop", "dev", "race"]);
    start(&env, "dev", &["cat"]);
}

#[test]
fn nothing_old_is_taken_for_an_answer() {
    let env = place();
    start(&env, "asking", &["sh", "-c", ASKING]);
    wait_for(&env, "asking", ">>> $");
    let soon = |words: &[&str]| {
        let words = [&["wait", "asking", "--timeout", "300ms"], words].concat();
        aido(&env, &words).code()
    };
    let sent = done(&env, &["send", "asking", "first", "-e"]);
    wait_for(&env, "asking", "^= first");
    assert_eq!(soon(&["--text", "^= first", "--after", sent.trim_end()]), 0);
    // The line that was typed is there, and the Enter that begins what is new is not.
    done(&env, &["send", "asking", "second"]);
    assert_eq!(soon(&["--text", "^= "]), 124);
    assert_eq!(soon(&["--bell"]), 124);
    done(&env, &["send", "asking", "-e"]);
    wait_for(&env, "asking", "^= second");
    assert_eq!(soon(&["--text", "^= first"]), 124);
    assert_eq!(soon(&["--idle", "10ms"]), 0);
    assert_eq!(soon(&["--stable", "10ms"]), 0);
    let waited = aido(&env, &["wait", "asking", "--text", "("]);
    assert_eq!(waited.code(), 2, "{waited:?}");
}

#[test]
fn what_reads_from_its_terminal_is_known() {
    let env = place();
    start(&env, "asking", &["sh", "-c", ASKING]);
    let waited = done(
        &env,
        &["wait", "asking", "--input", "--timeout", "15s", "--json"],
    );
    let waited: Value = serde_json::from_str(&waited).unwrap();
    assert_eq!(waited["condition"], "input");
    assert!(done(&env, &["list", "--running"]).contains("INPUT"));
    start(&env, "busy", &["sleep", "600"]);
    let waited = aido(&env, &["wait", "busy", "--input", "--timeout", "800ms"]);
    assert_eq!(waited.code(), 124, "{waited:?}");
}

#[test]
fn conditions_are_checked_before_anything_is_typed() {
    let env = place();
    start(&env, "asking", &["sh", "-c", ASKING]);
    wait_for(&env, "asking", ">>> $");
    for (words, said) in [
        (
            &["send", "asking", "x", "-e", "--if-screen", "proceed"][..],
            "no line",
        ),
        (&["send", "asking", "x", "-e", "--if-idle", "1h"], "ago"),
        (&["send", "asking", "--keys", "Entr"], "no key"),
        (&["send", "asking", "x", "--if-screen", "("], "regex"),
    ] {
        let run = aido(&env, words);
        assert_eq!(run.code(), 1, "{words:?}: {run:?}");
        assert!(run.stderr_text().contains("nothing was typed"), "{run:?}");
        assert!(run.stderr_text().contains(said), "{run:?}");
    }
    // A line that the terminal would cut without a word.
    let long = env
        .aido(["send", "asking", "--stdin"])
        .stdin("x".repeat(4096))
        .output();
    assert_eq!(long.code(), 1, "{long:?}");
    assert!(long.stderr_text().contains("longer than"), "{long:?}");
    done(&env, &["send", "asking", "y", "-e", "--if-screen", ">>>"]);
    wait_for(&env, "asking", "^= y$");
    let whole = env
        .aido(["send", "asking", "--stdin", "-e"])
        .stdin("z".repeat(4000))
        .output();
    assert_eq!(whole.code(), 0, "{whole:?}");
    wait_for(&env, "asking", "^= z{4000}$");
}

#[test]
fn a_password_is_typed_only_on_demand_and_kept_nowhere() {
    let env = place();
    let script =
        "stty -echo; printf 'Password: '; read word; stty echo; echo; echo ${#word} letters; cat";
    let id = start(&env, "login", &["sh", "-c", script]);
    wait_for(&env, "login", "Password: ");
    wait_until("the flag", || {
        done(&env, &["list", "--running"]).contains("PASSWORD")
    });
    let refused = aido(&env, &["send", "login", "hunter2x", "-e"]);
    assert_eq!(refused.code(), 1, "{refused:?}");
    assert!(refused.stderr_text().contains("--secret"), "{refused:?}");
    done(&env, &["send", "login", "hunter2x", "-e", "--secret"]);
    wait_for(&env, "login", "8 letters");
    done(&env, &["stop", &id]);
    for file in files_below(&env.path("")) {
        let bytes = fs::read(&file).unwrap_or_default();
        assert!(!contains(&bytes, b"hunter2x"), "{}", file.display());
    }
}

#[test]
fn the_screen_is_shown_with_its_colours_and_cursor() {
    let env = place();
    let script =
        r"printf '\033]2;a title\007\033[1;31mred\033[0m plain\r\n\033[?1049h\033[3;5Hfull'; cat";
    let id = start(&env, "full", &["sh", "-c", script]);
    wait_for(&env, "full", "full");
    let captured = |name: &str| -> Value {
        serde_json::from_str(&done(&env, &["capture", name, "--json"])).unwrap()
    };
    let shown = captured("full");
    assert_eq!(
        shown["cursor"],
        serde_json::json!({"row": 2, "column": 8, "visible": true})
    );
    assert_eq!(
        (&shown["alternate"], &shown["title"]),
        (&true.into(), &"a title".into())
    );
    assert_eq!(shown["lines"][2]["text"], "    full");
    done(&env, &["send", "full", "--keys", "Enter"]);
    done(&env, &["stop", "full"]);
    let after = captured(&id);
    assert_eq!(
        (&after["live"], &after["lines"][2]["text"]),
        (&false.into(), &"    full".into())
    );
    // Of any other session likewise, with colours; what looks the same is one piece.
    let run = aido(
        &env,
        &["sh", "-c", r"printf '\033[1;31mred\033[0m plain\n'"],
    );
    assert_eq!(run.code(), 0);
    assert_eq!(
        done(&env, &["capture", "--ansi"]),
        "\u{1b}[0;1;31mred\u{1b}[0m plain\n"
    );
    let runs = serde_json::json!([
        {"text": "red", "foreground": 1, "attributes": ["bold"]},
        {"text": " plain"},
    ]);
    assert_eq!(captured("last")["lines"][0]["runs"], runs);
}

#[test]
fn what_left_the_screen_can_be_had() {
    let env = place();
    start(&env, "long", &["sh", "-c", "seq 100; cat"]);
    wait_for(&env, "long", "^100$");
    let screen = done(&env, &["capture", "long"]);
    assert_eq!(screen.lines().next(), Some("62"));
    let more = done(&env, &["capture", "long", "--scrollback=3"]);
    assert_eq!(more.lines().next(), Some("59"));
    let all = done(&env, &["capture", "long", "--scrollback"]);
    assert_eq!((all.lines().next(), all.lines().count()), (Some("1"), 100));
}

#[test]
fn a_bell_is_known_until_somebody_answers() {
    let env = place();
    start(&env, "bell", &["sh", "-c", r"read x; printf '\a'; cat"]);
    start(&env, "other", &["cat"]);
    let line = |name: &str| {
        let listed = done(&env, &["list", "--running"]);
        let line = listed.lines().find(|line| line.contains(name));
        line.unwrap_or_default().to_owned()
    };
    assert!(!line("bell").contains("BELL"));
    done(&env, &["send", "bell", "-e"]);
    done(&env, &["wait", "bell", "--bell", "--timeout", "15s"]);
    wait_until("it is said", || line(" bell ").contains("BELL"));
    assert!(line(" bell ").contains("LAST") && !line("other").contains("LAST"));
    done(&env, &["send", "bell", "seen", "-e"]);
    wait_until("it is heard", || !line(" bell ").contains("BELL"));
    let listed = done(&env, &["list", "--running", "--json"]);
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed[1]["name"], "bell", "{listed}");
    assert!(
        listed[1]["flags"]
            .as_array()
            .unwrap()
            .contains(&"LAST".into()),
        "{listed}"
    );
}

#[test]
fn an_agents_conversations_are_noted_when_they_change() {
    let env = place();
    let script = format!(
        "for id in one one two; do CODEX_THREAD_ID=$id {} true; done; echo done; cat",
        crate::support::AIDO
    );
    let id = start(&env, "outer", &["sh", "-c", &script]);
    wait_for(&env, "outer", "^done");
    done(&env, &["stop", "outer"]);
    let session = env
        .recorded()
        .into_iter()
        .find(|session| session.id == id)
        .unwrap();
    let told = session
        .events
        .iter()
        .filter(|event| event["type"] == "conversation");
    let told: Vec<&Value> = told.map(|event| &event["conversation"]).collect();
    assert_eq!(told, ["one", "two"]);
    let inner = env
        .recorded()
        .into_iter()
        .filter(|session| session.meta["within"] == id.as_str());
    assert_eq!(inner.count(), 3);
    assert!(done(&env, &["verify", &id]).contains("VALID"));
    assert!(done(&env, &["show", &id, "--events"]).contains("codex in two"));
}
