//! `aido search`: what it finds, and what it prints for a terminal, a pipe and a program.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileExt, symlink};

use rustix::process::{Resource, Rlimit, setrlimit};
use serde_json::{Value, json};

use crate::support::{Output, TestEnv, contains};

/// Three sessions, of which the last two know of an error; the ids, oldest first.
fn with_sessions() -> (TestEnv, Vec<String>) {
    let env = TestEnv::in_repository();
    for (options, script) in [
        (&[][..], "echo alpha"),
        (
            &["--note", "a known error"],
            r"printf 'one\n\033[31merr\033[0mor: two\nthree\n'; exit 3",
        ),
        (
            &[],
            r"seq 1 3; printf ' 10%%\r 50%% error\r100%%\r\n'; printf '%s\n' 5 6 7 'error: last'",
        ),
    ] {
        env.write("work/command", script);
        env.aido([options, &["sh", "command"]].concat()).output();
    }
    let ids = env
        .recorded()
        .into_iter()
        .map(|session| session.id)
        .collect();
    (env, ids)
}

/// The text with the ids as `{0}`, `{1}` and so on, and their endings as `<0>`.
fn named(text: &str, ids: &[String]) -> String {
    let mut text = text.to_owned();
    for (number, id) in ids.iter().enumerate() {
        text = text.replace(id.as_str(), &format!("{{{number}}}"));
        text = text.replace(&id[id.len() - 8..], &format!("<{number}>"));
    }
    text
}

fn search(env: &TestEnv, words: &[&str]) -> Output {
    env.aido([&["search"], words].concat()).output()
}

/// What a search that finds something prints.
fn found(env: &TestEnv, words: &[&str]) -> String {
    let run = search(env, words);
    assert!(
        run.code() == 0 && run.stderr.is_empty(),
        "{words:?}: {run:?}"
    );
    run.stdout_text()
}

#[test]
fn in_a_pipe_each_match_is_a_line_as_grep_has_it() {
    let (env, ids) = with_sessions();
    let expected = "\
{2}:4: 50% error
{2}:8:error: last
{1}:notes:a known error
{1}:2:error: two
";
    assert_eq!(named(&found(&env, &["error"]), &ids), expected);
    assert_eq!(named(&found(&env, &["-F", "error"]), &ids), expected);
    assert_eq!(named(&found(&env, &["-i", "ERROR"]), &ids), expected);
    let expected = "\
{2}-3-3
{2}:4: 50% error
{2}-5-5
--
{2}-7-7
{2}:8:error: last
--
{1}-1-one
{1}:2:error: two
{1}-3-three
";
    let shown = found(&env, &["-C1", "--in", "transcript", "error"]);
    assert_eq!(named(&shown, &ids), expected);
    let shown = found(&env, &["-A1", "--in", "transcript", "^error:"]);
    assert_eq!(
        named(&shown, &ids),
        "{2}:8:error: last\n--\n{1}:2:error: two\n{1}-3-three\n"
    );
}

#[test]
fn the_parts_of_a_session_can_be_chosen() {
    let (env, ids) = with_sessions();
    let shown = found(&env, &["--in", "notes", "--in", "command", "error|^sh"]);
    assert_eq!(
        named(&shown, &ids),
        "{2}:command:sh command\n{1}:command:sh command\n{1}:notes:a known error\n{0}:command:sh command\n"
    );
    let run = search(&env, &["--in", "events", "error"]);
    assert!(
        run.code() == 2 && contains(&run.stderr, b"transcript"),
        "{run:?}"
    );
}

#[test]
fn ids_and_numbers_of_sessions_are_printed_alone() {
    let (env, ids) = with_sessions();
    for (words, shown) in [
        (&["-l", "error"][..], "{2}\n{1}\n"),
        (&["-c", "error"], "{2}:2\n{1}:2\n"),
        (&["-c", "-m", "1", "error"], "{2}:1\n{1}:1\n"),
        (&["-n", "1", "-l", "error"], "{2}\n"),
        (&["-n1", "-m1", "error"], "{2}:4: 50% error\n"),
        (&["-n1", "alpha"], "{0}:1:alpha\n"),
        (
            &["-m1", "-A1", "--in", "transcript", "error: t"],
            "{1}:2:error: two\n{1}-3-three\n",
        ),
    ] {
        assert_eq!(named(&found(&env, words), &ids), shown, "{words:?}");
    }
    let run = search(&env, &["-l", "-c", "error"]);
    assert_eq!(run.code(), 2, "{run:?}");
}

#[test]
fn json_tells_every_match_with_its_place() {
    let (env, ids) = with_sessions();
    let document: Value = serde_json::from_str(&found(&env, &["--json", "error"])).unwrap();
    let signatures = ids.iter().map(|id| env.signature(id));
    let signatures: Vec<String> = signatures.collect();
    let matching = |session: usize, part: &str, line: u64, text: &str, start: usize| {
        json!({
            "session_id": ids[session], "where": part, "line": line, "text": text,
            "spans": [[start, start + 5]], "skipped_bytes": 0, "is_cut": false, "signature": signatures[session],
        })
    };
    let mut matches = vec![
        matching(2, "transcript", 4, " 50% error", 5),
        matching(2, "transcript", 8, "error: last", 0),
        matching(1, "notes", 1, "a known error", 8),
        matching(1, "transcript", 2, "error: two", 0),
    ];
    assert_eq!(
        document,
        json!({"schema_version": "1.0", "matches": matches})
    );

    let lines = found(&env, &["--ndjson", "-C", "1", "error"]);
    let lines: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let line = |line: u64, text: &str| json!({"line": line, "text": text});
    let around = [
        (json!([line(3, "3")]), json!([line(5, "5")])),
        (json!([line(7, "7")]), json!([])),
        (json!([]), json!([])),
        (json!([line(1, "one")]), json!([line(3, "three")])),
    ];
    for (one, (before, after)) in matches.iter_mut().zip(around) {
        one["schema_version"] = "1.0".into();
        one["before"] = before;
        one["after"] = after;
    }
    assert_eq!(lines, matches);

    let counted: Value = serde_json::from_str(&found(&env, &["--json", "-c", "error"])).unwrap();
    let count = |session: usize| json!({"session_id": ids[session], "matches": 2, "signature": signatures[session]});
    let counts = json!([count(2), count(1)]);
    assert_eq!(
        counted,
        json!({"schema_version": "1.0", "sessions": counts})
    );
    let listed = found(&env, &["--ndjson", "-l", "alpha"]);
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(
        listed,
        json!({"schema_version": "1.0", "session_id": ids[0], "signature": signatures[0]})
    );
}

/// What a search shows on a terminal of this width, its ages left out.
fn on_terminal(
    env: &TestEnv,
    ids: &[String],
    columns: u16,
    no_color: &str,
    words: &[&str],
) -> String {
    let terminal = env.terminal().size(columns, 24).env("NO_COLOR", no_color);
    let mut user = terminal.run([&["aido", "search"], words].concat());
    assert_eq!(user.wait_code(), 0);
    let text = String::from_utf8(user.output_so_far()).unwrap();
    let lines = named(&text, ids).replace("\r\n", "\n");
    let lines = lines
        .split('\n')
        .map(|line| match line.split_once(" ago  ") {
            Some((before, after)) => {
                let (before, _age) = before.rsplit_once("  ").unwrap();
                format!("{before}  AGE  {after}")
            }
            None => line.to_owned(),
        });
    lines.collect::<Vec<String>>().join("\n")
}

#[test]
fn on_a_terminal_each_session_has_a_heading_and_matches_a_colour() {
    let (env, ids) = with_sessions();
    let plain = "\
<2>  exit 0  AGE  sh command
4: 50% error
8:error: last

<1>  exit 3  AGE  sh command
notes:a known error
2:error: two
";
    assert_eq!(on_terminal(&env, &ids, 80, "1", &["error"]), plain);
    let coloured = "\
\u{1b}[1m<1>  exit 3  AGE  sh command\u{1b}[0m
\u{1b}[32m1\u{1b}[0m-one
\u{1b}[32m2\u{1b}[0m:\u{1b}[1;31merror\u{1b}[0m: two
";
    let words = ["-B1", "--in", "transcript", "error: t", "-m1"];
    let shown = on_terminal(&env, &ids, 80, "", &words);
    let shown = shown.replace("error: t\u{1b}[0mwo", "error\u{1b}[0m: two");
    assert_eq!(shown, coloured);
    assert_eq!(
        on_terminal(&env, &ids, 80, "1", &["-l", "error"]),
        "{2}\n{1}\n"
    );
    let json = on_terminal(&env, &ids, 80, "", &["--ndjson", "alpha"]);
    assert!(json.starts_with("{\"schema_version\""), "{json}");
}

#[test]
fn on_a_terminal_a_long_line_is_cut_with_its_match_in_sight() {
    let env = TestEnv::in_repository();
    let line = format!("echo {}needle{}", "a".repeat(200), "b".repeat(200));
    env.write("work/command", &line);
    env.aido(["sh", "command"]).output();
    let ids = vec![env.only_session().id];
    assert_eq!(
        on_terminal(&env, &ids, 40, "1", &["needle"]),
        "<0>  exit 0  AGE  sh command\n1:…aaaaaaaaaaaaneedlebbbbbbbbbbbbbbbbbb…\n"
    );
}

#[test]
fn recorded_text_never_acts_on_the_readers_terminal() {
    let env = TestEnv::in_repository();
    let hostile = "x\u{1b}]0;title\u{7} \u{7}\u{9b}2J\u{202e}x";
    env.write("work/output", hostile);
    env.aido(["--note", hostile, "cat", "output"]).output();
    let ids = vec![env.only_session().id];
    for words in [&["x"][..], &["--json", "x"], &["-C1", "--ndjson", "x"]] {
        let shown = on_terminal(&env, &ids, 200, "1", words);
        let acts = |character: char| {
            (character.is_control() && character != '\n') || character == '\u{202e}'
        };
        assert!(
            shown.contains('x') && !shown.contains(acts),
            "{words:?}: {shown:?}"
        );
        let piped = found(&env, words);
        let acts = |character: char| acts(character) && character != '\t';
        assert!(!piped.contains(acts), "{words:?}: {piped:?}");
    }
}

#[test]
fn what_a_terminal_gets_is_searched_as_it_was_on_the_screen() {
    let env = TestEnv::new();
    let script = r"printf 'plain\n\033[1;32mok\033[m: \033[4mall\033[24m fine\nb\bbo\bol\bld\bd\n'";
    let mut user = env.terminal().aido("always", ["sh", "-c", script]);
    assert_eq!(user.wait_code(), 0);
    let session = env.only_session();
    assert!(contains(session.output(), b"plain\r\n"), "no CRLF");
    let ids = [session.id];
    for (pattern, shown) in [
        ("^plain$", "{0}:1:plain\n"),
        ("ok: all fine", "{0}:2:ok: all fine\n"),
        ("^bold$", "{0}:3:bold\n"),
    ] {
        let words = ["--in", "transcript", pattern];
        assert_eq!(named(&found(&env, &words), &ids), shown, "{pattern}");
    }
}

#[test]
fn the_marker_is_not_found_but_a_line_like_it_is() {
    let env = TestEnv::new();
    env.aido(["true"]).output();
    for words in [
        &["AI_EXIT_CODE"][..],
        &["--in", "transcript", ""],
        &["-c", "^$"],
    ] {
        let run = search(&env, words);
        assert!(
            run.code() == 1 && run.stdout.is_empty(),
            "{words:?}: {run:?}"
        );
    }
    env.write("work/command", "echo '=== AI_EXIT_CODE: 7 ==='");
    env.aido(["sh", "command"]).output();
    assert_eq!(found(&env, &["-c", "AI_EXIT"]).lines().count(), 1);
}

#[test]
fn running_and_interrupted_sessions_are_searched() {
    for env in [TestEnv::new(), TestEnv::in_repository()] {
        let words = [
            "--agent",
            "watched",
            "sh",
            "-c",
            "echo READY; exec sleep 600",
        ];
        let run = env.aido(words).spawn();
        run.wait_for_stdout(b"READY");
        let shown = found(&env, &["--in", "transcript", "^READY$"]);
        assert!(
            shown.starts_with("watched-") && shown.ends_with(":1:READY\n"),
            "{shown}"
        );
        assert!(found(&env, &["--in", "command", "sleep 600"]).contains(":command:sh -c"));
        run.signal(libc::SIGKILL);
        run.wait();
        assert_eq!(found(&env, &["READY"]).lines().count(), 2);
    }
}

#[test]
fn a_session_that_cannot_be_read_is_named_once_and_the_others_are_searched() {
    let (env, ids) = with_sessions();
    let file =
        |number: usize, ending: &str| env.sessions().join(format!("{}.{ending}", ids[number]));
    fs::remove_file(file(2, "typescript")).unwrap();
    symlink("/etc/passwd", file(2, "typescript")).unwrap();
    fs::write(file(0, "meta.json"), "{}").unwrap();
    let run = search(&env, &["error"]);
    assert_eq!(run.code(), 0, "{run:?}");
    let expected = "{1}:notes:a known error\n{1}:2:error: two\n";
    assert_eq!(named(&run.stdout_text(), &ids), expected);
    let said = named(&run.stderr_text(), &ids);
    let said: Vec<&str> = said.lines().collect();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(
        said[0].starts_with("aido: {2} can't be searched: "),
        "{said:?}"
    );
    assert!(
        said[1].starts_with("aido: {0} can't be searched: "),
        "{said:?}"
    );
    let run = search(&env, &["nothing"]);
    assert_eq!(
        (run.code(), run.stderr_text().lines().count()),
        (1, 2),
        "{run:?}"
    );
}

#[test]
fn nothing_found_is_1_and_a_bad_pattern_2() {
    let (env, _) = with_sessions();
    let run = search(&env, &["no such thing"]);
    assert!(
        run.code() == 1 && run.stdout.is_empty() && run.stderr.is_empty(),
        "{run:?}"
    );
    let run = search(&env, &["--json", "no such thing"]);
    let empty: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(
        (run.code(), empty),
        (1, json!({"schema_version": "1.0", "matches": []}))
    );
    for (pattern, message) in [
        ("(a", "unclosed group"),
        ("a\nb", "line feed"),
        ("(a{1000}){1000}", "size limit"),
    ] {
        let run = search(&env, &[pattern]);
        let said = run.stderr_text();
        assert!(
            run.code() == 2 && said.starts_with("aido: ") && said.contains(message),
            "{said}"
        );
        assert!(said.contains("aido: hint: "), "{said}");
        let run = search(&env, &["--ndjson", pattern]);
        let error: Value = serde_json::from_slice(&run.stderr).unwrap();
        assert_eq!((run.code(), &error["error"]["code"]), (2, &"usage".into()));
    }
    for words in [
        &[][..],
        &["-m0", "x"],
        &["-C1001", "x"],
        &["--json", "--ndjson", "x"],
        &["a", "b"],
    ] {
        let run = search(&env, words);
        assert!(
            run.code() == 2 && run.stdout.is_empty(),
            "{words:?}: {run:?}"
        );
    }
    assert_eq!(search(&env, &["--", "-dash"]).code(), 1);
    let empty = TestEnv::new();
    let run = search(&empty, &["x"]);
    assert!(
        run.code() == 1 && contains(&run.stderr, b"no sessions in"),
        "{run:?}"
    );
    assert!(!empty.sessions().exists(), "reading made a store");
}

#[test]
fn a_reader_that_goes_away_ends_a_search() {
    let (env, _) = with_sessions();
    for words in [&["error"][..], &["--json", "error"], &["-l", "error"]] {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let words = [&["search"], words].concat();
        let run = env.aido(words).stdout_file(OwnedFd::from(writer)).output();
        assert!(
            [0, 1].contains(&run.code()) && run.stderr.is_empty(),
            "{run:?}"
        );
    }
}

/// More than a pipe holds, so that the reader goes away in the middle of a session.
#[test]
fn what_was_found_before_the_reader_went_away_counts() {
    let env = TestEnv::new();
    env.aido(["seq", "100000"]).output();
    for words in [&["9"][..], &["--ndjson", "9"], &["-C1", "9"]] {
        let (reader, writer) = io::pipe().unwrap();
        let words = [&["search"], words].concat();
        let running = env.aido(&words).stdout_file(OwnedFd::from(writer)).spawn();
        let mut line = String::new();
        let mut lines = BufReader::with_capacity(1, reader);
        lines.read_line(&mut line).unwrap();
        drop(lines);
        let run = running.wait();
        assert!(
            !line.is_empty() && run.code() == 0 && run.stderr.is_empty(),
            "{words:?}: {run:?}"
        );
    }
}

/// 256 MiB on one line, and a few times less memory than that.
#[test]
fn a_line_without_an_end_takes_no_memory() {
    let env = TestEnv::new();
    env.aido(["true"]).output();
    let session = env.only_session();
    let beside = |ending: &str| env.sessions().join(format!("{}.{ending}", session.id));
    let length: u64 = 256 * 1024 * 1024;
    let transcript = File::options()
        .write(true)
        .open(beside("typescript"))
        .unwrap();
    transcript.set_len(0).unwrap();
    transcript.write_all_at(b"an error", length / 2).unwrap();
    transcript
        .write_all_at(b"\n=== AI_EXIT_CODE: 0 ===\n", length)
        .unwrap();
    let mut meta = session.meta.clone();
    meta["output_bytes"] = length.into();
    fs::write(beside("meta.json"), meta.to_string()).unwrap();
    let most = 96 * 1024 * 1024;
    let limit = Rlimit {
        current: Some(most),
        maximum: Some(most),
    };
    let run = env
        .aido(["search", "--ndjson", "an err"])
        .before_exec(move || Ok(setrlimit(Resource::As, limit)?))
        .output();
    assert_eq!(run.code(), 0, "{run:?}");
    let found: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(
        (&found["line"], &found["is_cut"]),
        (&1.into(), &true.into())
    );
    let start = found["skipped_bytes"].as_u64().unwrap() + found["spans"][0][0].as_u64().unwrap();
    assert_eq!(start, length / 2);
}
