//! `aido show`: what it prints of a session into a pipe, in part and as JSON.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::support::{Output, Session, TestEnv};

mod damaged;
mod followed;
mod hostile;
mod missing;
mod terminal;

/// Runs a command whose text is long enough to choose from: stdout has `line 1` to `line 12`, then
/// stderr `oops` and `again`, and it exits with 3.
fn recorded() -> (TestEnv, Session) {
    let env = TestEnv::new();
    let script = "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo line $i; done; \
                  sleep 0.1; echo oops >&2; echo again >&2; exit 3";
    assert_eq!(env.aido(["sh", "-c", script]).output().code(), 3);
    let session = env.only_session();
    (env, session)
}

fn show(env: &TestEnv, options: &[&str]) -> Output {
    env.aido([&["show"], options].concat()).output()
}

/// What `show` prints with these options, which has to succeed silently.
#[track_caller]
fn shown(env: &TestEnv, options: &[&str]) -> String {
    let run = show(env, options);
    let silent = run.code() == 0 && run.stderr.is_empty();
    assert!(silent, "{options:?}: {run:?}");
    run.stdout_text()
}

/// The summary of a session of [`recorded`].
fn summary(env: &TestEnv, session: &Session) -> String {
    let (meta, text) = (&session.meta, |name: &str| {
        session.meta[name].as_str().unwrap()
    });
    let milliseconds = meta["duration_ms"].as_u64().unwrap();
    format!(
        "session   {}\n\
         command   {}\n\
         outcome   exit 3, exited\n\
         started   {}, for {}.{:02}s\n\
         agent     ai-agent\n\
         directory {}\n\
         fault     {}\n\
         output    98 bytes\n\
         signature VALID\n",
        session.id,
        text("command"),
        text("timestamp"),
        milliseconds / 1000,
        milliseconds % 1000 / 10,
        env.work().display(),
        text("fault"),
    )
}

fn lines(numbers: impl IntoIterator<Item = u32>) -> String {
    let line = |number| format!("line {number}\n");
    numbers.into_iter().map(line).collect()
}

#[test]
fn a_session_is_its_summary_and_its_text() {
    let (env, session) = recorded();
    let summary = summary(&env, &session);
    let whole = format!("{summary}\n{}oops\nagain\n", lines(1..=12));
    assert_eq!(shown(&env, &[]), whole);
    assert_eq!(shown(&env, &["--meta"]), summary);
    let numbered = shown(&env, &["-n"]);
    assert!(
        numbered.starts_with(&format!("{summary}\n1:line 1\n2:line 2\n")),
        "{numbered}"
    );
}

#[test]
fn a_part_of_the_text_comes_without_a_summary() {
    let (env, _) = recorded();
    for (options, text) in [
        (&["--head", "2"][..], lines(1..=2)),
        (&["--head", "0"], String::new()),
        (&["--tail", "3"], lines([12]) + "oops\nagain\n"),
        (&["--tail", "0"], String::new()),
        (&["--lines", "3:4"], lines(3..=4)),
        (&["--lines", "13:"], "oops\nagain\n".to_owned()),
        (&["--lines", ":2"], lines(1..=2)),
        (&["--lines", "5"], lines([5])),
        (&["--lines", "14:99"], "again\n".to_owned()),
        (&["--grep", "line .$", "-C", "1"], lines(1..=10)),
        (&["--grep", "1"], lines([1, 10, 11, 12])),
        (&["--grep", "LINE 7", "-i"], lines([7])),
        (
            &["--grep", "l.ne", "-F", "--stdout", "--lines", "1:"],
            String::new(),
        ),
        (&["--stderr"], "oops\nagain\n".to_owned()),
        (&["--stderr", "--head", "1"], "oops\n".to_owned()),
        (&["--stdout", "--tail", "1"], lines([12])),
        (&["--stderr", "--raw"], "oops\nagain\n".to_owned()),
        (&["--stdout", "--raw"], lines(1..=12)),
    ] {
        if options.contains(&"--grep") && options.contains(&"--lines") {
            continue;
        }
        assert_eq!(shown(&env, options), text, "{options:?}");
    }
}

#[test]
fn matches_are_grouped_and_numbered_as_grep_does() {
    let (env, _) = recorded();
    let text = shown(&env, &["--grep", "3|8", "-n", "-C", "1"]);
    let groups = "2-line 2\n3:line 3\n4-line 4\n--\n7-line 7\n8:line 8\n9-line 9\n";
    assert_eq!(text, groups);
    let text = shown(&env, &["--tail", "2", "-n"]);
    assert_eq!(text, "13:oops\n14:again\n");
}

#[test]
fn what_is_not_there_is_1() {
    let (env, _) = recorded();
    for (options, message) in [
        (&["--grep", "nowhere"][..], ""),
        (&["--grep", "l.ne", "-F"], ""),
        (
            &["--lines", "15:"],
            "aido: there is no such line; the text has 14\n",
        ),
    ] {
        let run = show(&env, options);
        assert_eq!(
            (run.code(), run.stdout_text()),
            (1, String::new()),
            "{options:?}"
        );
        assert_eq!(run.stderr_text(), message, "{options:?}");
    }
}

#[test]
fn options_that_contradict_each_other_are_named() {
    let (env, _) = recorded();
    for (options, one, other) in [
        (&["--head", "1", "--tail", "1"][..], "--head", "--tail"),
        (&["--lines", "1:", "--grep", "x"], "--lines", "--grep"),
        (&["--tail", "1", "--grep", "x"], "--tail", "--grep"),
        (&["--raw", "--head", "1"], "--raw", "--head"),
        (&["--raw", "--json"], "--raw", "--json"),
        (&["--raw", "--for-agent"], "--raw", "--for-agent"),
        (&["--meta", "--tail", "1"], "--meta", "--tail"),
        (&["--events", "--grep", "x"], "--events", "--grep"),
        (&["--follow", "--json"], "--follow", "--json"),
        (&["--follow", "--lines", "1:"], "--follow", "--lines"),
        (&["--stdout", "--stderr"], "--stdout", "--stderr"),
        (&["--diff", "last", "--tail", "1"], "--diff", "--tail"),
        (&["-C", "1"], "--grep", "--context"),
        (&["-i"], "--grep", "--ignore-case"),
    ] {
        let run = show(&env, options);
        assert_eq!(
            (run.code(), run.stdout_text()),
            (2, String::new()),
            "{options:?}"
        );
        let message = run.stderr_text();
        assert!(
            message.contains(one) && message.contains(other),
            "{message}"
        );
    }
    for (options, why) in [
        (&["--lines", "0:3"][..], "counted from 1"),
        (&["--lines", "4:2"], "ends before it begins"),
        (&["--lines", "-3"], "no range of lines"),
        (&["--grep", "("], "unclosed group"),
        (&["--color", "blue"], "--color"),
    ] {
        let run = show(&env, options);
        assert_eq!(run.code(), 2, "{options:?}: {run:?}");
        assert!(run.stderr_text().contains(why), "{options:?}: {run:?}");
    }
}

#[test]
fn streams_that_were_one_cannot_be_told_apart() {
    let env = TestEnv::new();
    env.aido(["sh", "-c", "echo out; echo err >&2"])
        .merged()
        .output();
    let run = show(&env, &["--stderr"]);
    assert_eq!((run.code(), run.stdout_text()), (1, String::new()));
    assert!(run.stderr_text().contains("not recorded apart"), "{run:?}");
    let run = show(&env, &["--stdout"]);
    assert_eq!((run.code(), run.stdout_text().as_str()), (0, "out\nerr\n"));
    assert!(run.stderr_text().contains("one stream"), "{run:?}");
}

#[test]
fn json_has_the_lines_that_were_chosen() {
    let (env, session) = recorded();
    let json = |options: &[&str]| -> Value {
        let text = shown(&env, &[&["--json"], options].concat());
        assert_eq!(text.lines().count(), 1, "{text}");
        serde_json::from_str(&text).unwrap()
    };
    let plain = json(&[]);
    assert!(plain.get("lines").is_none());
    for (field, value) in session.meta.as_object().unwrap() {
        assert_eq!(&plain[field], value, "{field}");
    }
    assert_eq!(
        (&plain["state"], &plain["signature"]),
        (&"finished".into(), &"VALID".into())
    );
    let tail = json(&["--tail", "2"]);
    assert_eq!(tail["session_id"], session.id.as_str());
    let expected = serde_json::json!([
        {"number": 13, "text": "oops"},
        {"number": 14, "text": "again"},
    ]);
    assert_eq!(
        (&tail["lines"], &tail["line_count"]),
        (&expected, &14.into())
    );
    let found = json(&["--grep", "12", "-C", "1", "--stdout"]);
    let expected = serde_json::json!([
        {"number": 11, "text": "line 11", "match": false},
        {"number": 12, "text": "line 12", "match": true},
    ]);
    assert_eq!(found["lines"], expected);
    assert_eq!(
        json(&["--lines", "1:"])["lines"].as_array().unwrap().len(),
        14
    );
    let run = show(&env, &["--json", "--grep", "nowhere"]);
    let none: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!((run.code(), &none["lines"]), (1, &serde_json::json!([])));
}

#[test]
fn events_are_a_table_or_json() {
    let (env, session) = recorded();
    let table = shown(&env, &["--events"]);
    let what: Vec<(&str, &str)> = table
        .lines()
        .map(|line| (line[10..21].trim(), &line[21.min(line.len())..]))
        .collect();
    let pid = session.events[0]["pid"].as_u64().unwrap();
    assert_eq!(what[0], ("EVENT", "WHAT"));
    assert_eq!(what[1], ("start", &*format!("recorder's process {pid}")));
    assert!(what.contains(&("stdout", "87 bytes at 0")), "{table}");
    assert!(table.contains("stderr"), "{table}");
    assert_eq!(
        what.last().unwrap(),
        &("exit", "exit 3, 98 bytes of output")
    );
    let json: Value = serde_json::from_str(&shown(&env, &["--events", "--json"])).unwrap();
    assert_eq!(json["session_id"], session.id.as_str());
    assert_eq!(json["schema_version"], session.meta["schema_version"]);
    assert_eq!(json["events"].as_array().unwrap(), &session.events);
}

#[test]
fn two_sessions_are_compared() {
    let env = TestEnv::new();
    let run = |script: &str| _ = env.aido(["sh", "-c", script]).output();
    run("echo a; echo b; exit 0");
    run("echo a; echo c; exit 4");
    run("echo b >&2; echo a; exit 0");
    let ids: Vec<String> = env
        .recorded()
        .into_iter()
        .map(|session| session.id)
        .collect();
    let compare = |options: &[&str]| show(&env, &[&[&*ids[0], "--diff"], options].concat());
    let run = compare(&[&ids[1]]);
    let text: Vec<String> = run.stdout_text().lines().map(str::to_owned).collect();
    let without_duration: Vec<&str> = text
        .iter()
        .map(String::as_str)
        .filter(|line| !line.contains("duration"))
        .collect();
    assert_eq!(
        without_duration,
        [
            "-command   sh -c 'echo a; echo b; exit 0'",
            "+command   sh -c 'echo a; echo c; exit 4'",
            "-outcome   exit 0, exited",
            "+outcome   exit 4, exited",
            "",
            &format!("--- {}", ids[0]),
            &format!("+++ {}", ids[1]),
            "@@ -1,2 +1,2 @@",
            " a",
            "-b",
            "+c",
        ]
    );
    assert_eq!((run.code(), run.stderr_text().as_str()), (1, ""));
    let run = compare(&[&ids[1], "--json"]);
    let json: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!((run.code(), &json["same"]), (1, &false.into()));
    assert_eq!(
        json["differences"]["exit_code"],
        serde_json::json!({"left": 0, "right": 4})
    );
    assert_eq!(
        json["text"]["hunks"][0]["lines"],
        serde_json::json!([" a", "-b", "+c"])
    );
    // The same text and exit code are the same, whatever else differs.
    let run = compare(&[&ids[0]]);
    assert_eq!((run.code(), run.stdout_text().as_str()), (0, ""));
    let run = show(&env, &[&ids[1], "--diff", &ids[2], "--stderr"]);
    assert_eq!(run.code(), 1);
    let run = show(&env, &[&ids[0], "--diff", "no-such-session"]);
    assert_eq!((run.code(), run.stdout.len()), (1, 0));
}

#[test]
fn where_output_is_missing_the_text_says_so() {
    let env = TestEnv::new();
    let script = "i=0; while [ $i -lt 9000 ]; do echo line $i; i=$((i+1)); done";
    env.aido(["--max-bytes", "70", "sh", "-c", script]).output();
    let session = env.only_session();
    let missing = session.meta["dropped_bytes"].as_u64().unwrap();
    assert!(missing > 0);
    let text = shown(&env, &["--lines", "1:12"]);
    let note = format!("[aido: {missing} bytes of output are not recorded here]");
    let place = text.lines().position(|line| line == note);
    assert!(place.is_some_and(|place| place > 8), "{text}");
    assert!(text.starts_with("line 0\nline 1\n"), "{text}");
    assert_eq!(shown(&env, &["--tail", "1"]), "line 8999\n");
    let raw = show(&env, &["--raw"]);
    assert_eq!(raw.stdout, session.output());
}

/// Standard error that went elsewhere than to the terminal has bare line feeds in a text where
/// standard output has CRLF.
#[test]
fn standard_error_makes_no_stairs_beside_a_terminal() {
    let env = TestEnv::new();
    let stderr = fs::File::create(env.path("stderr")).unwrap();
    let terminal = env.terminal().stderr(stderr);
    let script = "printf 'one\\ntwo\\n'; sleep 0.2; printf 'three\\nfour\\n' >&2; exit 0";
    let mut session = terminal.aido("always", ["sh", "-c", script]);
    assert_eq!(session.wait_code(), 0);
    assert_eq!(env.only_session().meta["streams"], "split");
    for (options, text) in [
        (&["--lines", "1:"][..], "one\ntwo\nthree\nfour\n"),
        (&["--stderr"], "three\nfour\n"),
        (&["--stdout"], "one\ntwo\n"),
        (&["--grep", "^four"], "four\n"),
    ] {
        assert_eq!(shown(&env, options), text, "{options:?}");
    }
}

/// Replaces the transcript of the only session by this output, as if it had been recorded.
fn replace_output(env: &TestEnv, output: &[u8]) -> Session {
    let session = env.only_session();
    let place = |ending: &str| env.sessions().join(format!("{}.{ending}", session.id));
    fs::write(
        place("typescript"),
        [output, b"\n=== AI_EXIT_CODE: 0 ===\n"].concat(),
    )
    .unwrap();
    let mut meta = session.meta.clone();
    meta["output_bytes"] = output.len().into();
    fs::write(place("meta.json"), meta.to_string()).unwrap();
    for ending in ["typescript", "meta.json"] {
        fs::set_permissions(place(ending), fs::Permissions::from_mode(0o600)).unwrap();
    }
    env.only_session()
}

/// More text than is kept or skipped at once, so that the shorter ways are taken, in less memory than
/// the text has.
#[test]
fn a_large_transcript_is_read_in_little_memory() {
    let env = TestEnv::new();
    env.aido(["true"]).output();
    let line = |number: u32| format!("{number:08} {}", "x".repeat(110));
    let output: String = (1..=300_000).map(|number| line(number) + "\r\n").collect();
    replace_output(&env, output.as_bytes());
    assert!(output.len() > 36_000_000);
    drop(output);
    let limited = |options: &[&str]| {
        let run = env.aido([&["show"], options].concat());
        let run = run.before_exec(|| {
            // Of what is allocated: the program's own size doesn't count.
            let bytes = 20 * 1024 * 1024;
            let limit = rustix::process::Rlimit {
                current: Some(bytes),
                maximum: Some(bytes),
            };
            rustix::process::setrlimit(rustix::process::Resource::Data, limit)?;
            Ok(())
        });
        let run = run.output();
        let silent = run.code() == 0 && run.stderr.is_empty();
        assert!(silent, "{options:?}: {run:?}");
        run.stdout_text()
    };
    let lines = |numbers: [u32; 2]| format!("{}\n{}\n", line(numbers[0]), line(numbers[1]));
    let last = lines([299_999, 300_000]);
    assert_eq!(limited(&["--tail", "2"]), last);
    assert_eq!(
        limited(&["--lines", "200000:200001"]),
        lines([200_000, 200_001])
    );
    assert_eq!(limited(&["--grep", "^0029999. "]).lines().count(), 10);
    // More than is kept, so that it is read twice.
    let many = limited(&["--tail", "200000", "-n"]);
    assert_eq!(many.lines().count(), 200_000);
    assert!(many.starts_with(&format!("100001:{}\n", line(100_001))));
    assert!(many.ends_with(&format!("\n300000:{}\n", line(300_000))));
}
