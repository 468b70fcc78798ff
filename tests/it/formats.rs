//! `aido export --format`: recordings and pages for other programs, judged by those programs where they
//! are installed.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::{Session, TestEnv, contains, has_program, skipped};

/// Records a line on a terminal of its own.
fn recorded(env: &TestEnv, line: &str) -> Session {
    let run = env.aido_in("always", ["-c", line]).output();
    assert!(run.code() < 124, "{run:?}");
    env.recorded().pop().unwrap()
}

/// Says when each piece of the last session was printed. Nothing signs the events.
fn timed(env: &TestEnv, session: &Session, pieces: &[(f64, u64)]) {
    let mut lines = format!("{}\n", session.events[0]);
    for (time, bytes) in pieces {
        let event = json!({"type": "output", "time": time, "stream": "stdout", "bytes": bytes});
        lines += &format!("{event}\n");
    }
    let mut exit = session.events.last().unwrap().clone();
    exit["time"] = pieces.last().map_or(0.0, |(time, _)| time + 1.0).into();
    lines += &format!("{exit}\n");
    let name = format!("{}.events.jsonl", session.id);
    fs::write(env.sessions().join(name), lines).unwrap();
}

/// As a terminal gets it that adds nothing to a line feed.
fn on_terminal(output: &[u8]) -> Vec<u8> {
    let lines = output.split_inclusive(|byte| *byte == b'\n');
    let lines = lines.flat_map(|line| match line.split_last() {
        Some((b'\n', text)) => [text, b"\r\n"],
        _ => [line, b""],
    });
    lines.flatten().copied().collect()
}

/// A program of the caller's, which is not on the tests' own search path.
fn program(name: &str, test: &str) -> Option<PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default();
    let found = path
        .split(':')
        .map(|directory| PathBuf::from(directory).join(name));
    let found = found.into_iter().find(|path| path.exists());
    if found.is_none() {
        skipped(test, &format!("no {name} here"));
    }
    found
}

fn exported(env: &TestEnv, words: &[&str]) -> String {
    let run = env.aido([&["export", "--format"], words].concat()).output();
    assert_eq!(run.code(), 0, "{words:?}: {run:?}");
    run.stdout_text()
}

fn json_lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn an_asciicast_has_every_piece_at_its_time() {
    let env = TestEnv::new();
    let session = recorded(&env, "printf 'one\\n\\347\\210\\254two'; exit 3");
    // The second piece begins inside of a character.
    timed(&env, &session, &[(0.5, 6), (62.25, 5)]);
    let lines = json_lines(&exported(&env, &["asciicast"]));
    let head = &lines[0];
    assert_eq!(
        (&head["version"], &head["term"]["type"]),
        (&json!(3), &json!("xterm-256color"))
    );
    assert_eq!(head["term"]["cols"], session.meta["tty"]["size"]["columns"]);
    assert_eq!(head["command"], "printf 'one\\n\\347\\210\\254two'; exit 3");
    assert_eq!(head["title"], session.id);
    let events = [
        json!([0.5, "o", "one\r\n"]),
        json!([61.75, "o", "爬two"]),
        json!([1.0, "x", "3"]),
    ];
    assert_eq!(lines[1..], events);
    let lines = json_lines(&exported(&env, &["asciicast-v2"]));
    assert_eq!(
        (&lines[0]["version"], &lines[0]["env"]["SHELL"]),
        (&json!(2), &json!("/bin/sh"))
    );
    assert_eq!(lines[2], json!([62.25, "o", "爬two"]));
}

#[test]
fn asciinema_plays_what_was_exported() {
    let name = "asciinema_plays_what_was_exported";
    let Some(asciinema) = program("asciinema", name) else {
        return;
    };
    let env = TestEnv::new();
    let session = recorded(&env, "printf '\\033[31mred\\033[0m\\n'; seq 2000");
    let file = env.path("work/a.cast");
    exported(&env, &["asciicast-v2", "-o", "a.cast"]);
    let path = std::env::var("PATH").unwrap();
    let run = env
        .bare([asciinema.as_os_str(), "cat".as_ref(), file.as_os_str()])
        .env("PATH", &path)
        .output();
    assert_eq!(run.code(), 0, "{run:?}");
    assert_eq!(run.stdout, on_terminal(session.output()));
}

#[test]
fn scriptreplay_plays_what_was_exported() {
    if !has_program("scriptreplay", "scriptreplay_plays_what_was_exported") {
        return;
    }
    let env = TestEnv::new();
    let session = recorded(
        &env,
        "printf '\\033[31mred\\033[0m \\377\\n'; seq 2000; exit 3",
    );
    exported(&env, &["script", "-o", "out"]);
    let run = env
        .bare(["scriptreplay", "--divisor", "1000", "out.timing", "out"])
        .output();
    assert_eq!(run.code(), 0, "{run:?}");
    assert!(contains(&run.stdout, &on_terminal(session.output())));
    let typescript = fs::read(env.path("work/out")).unwrap();
    assert!(contains(&typescript, b"[COMMAND_EXIT_CODE=\"3\"]"));
}

#[test]
fn text_and_markdown_are_what_a_person_would_have_read() {
    let env = TestEnv::new();
    recorded(
        &env,
        "printf '50%%\\r100%%\\n```\\n\\033[1mbold\\033[0m\\n'; exit 3",
    );
    assert_eq!(exported(&env, &["text"]), "100%\n```\nbold\n");
    let markdown = exported(&env, &["markdown"]);
    assert!(
        markdown.contains("\n````text\n100%\n```\nbold\n````\n"),
        "{markdown}"
    );
    assert!(markdown.contains("\nexit 3"), "{markdown}");
    env.aido(["--tty", "never", "sh", "-c", "echo out; echo err >&2"])
        .output();
    let both = exported(&env, &["text", "last~1", "last"]);
    let sessions = env.recorded();
    assert!(
        both.starts_with(&format!("==> {}: ", sessions[0].id)),
        "{both}"
    );
    assert!(
        both.contains("out\n") && both.ends_with("err\n\n"),
        "{both}"
    );
}

#[test]
fn a_page_is_readable_by_itself_and_a_picture_is_well_formed() {
    let env = TestEnv::new();
    recorded(&env, "printf '\\033[1;31m<red>\\033[0m & \"more\"\\n'");
    recorded(&env, "echo '</title><script>alert(1)</script>'");
    let page = exported(&env, &["html", "last~1", "last"]);
    assert!(
        page.contains("<span class=\"f1 w\">&lt;red&gt;</span> &amp; &quot;more&quot;\n"),
        "{page}"
    );
    assert!(
        !page.contains("<script") && !page.contains("src="),
        "{page}"
    );
    for session in env.recorded() {
        assert!(page.contains(&format!("<section id=\"{}\">", session.id)));
        assert!(page.contains(&format!("<a href=\"#{}\">", session.id)));
    }
    exported(&env, &["svg", "-o", "pictures/", "last~1", "last"]);
    let pictures = fs::read_dir(env.path("work/pictures")).unwrap();
    let pictures: Vec<PathBuf> = pictures.map(|entry| entry.unwrap().path()).collect();
    assert_eq!(pictures.len(), 2);
    let Some(python) = program(
        "python3",
        "a_page_is_readable_by_itself_and_a_picture_is_well_formed",
    ) else {
        return;
    };
    for picture in pictures {
        let script =
            "import sys, xml.dom.minidom as m; print(m.parse(sys.argv[1]).documentElement.tagName)";
        let run = env
            .bare([
                python.as_os_str(),
                "-c".as_ref(),
                script.as_ref(),
                picture.as_os_str(),
            ])
            .env("PATH", std::env::var("PATH").unwrap())
            .output();
        assert_eq!(run.stdout_text(), "svg\n", "{run:?}");
    }
}

#[test]
fn a_secret_is_masked_in_its_cells_and_let_out_only_on_demand() {
    let env = TestEnv::new();
    let token = ["gh", "p_", "0Zk3vQ7xR2mN8bY5tL1wC6sD9fG4hJ0aE3uK"].concat();
    let (left, right) = token.split_at(20);
    env.write("work/secret", &format!("{left}\x1b[31m{right}\x1b[0m|\n"));
    let session = recorded(&env, "cat secret");
    for format in [
        "asciicast",
        "asciicast-v2",
        "text",
        "markdown",
        "html",
        "svg",
    ] {
        let run = env.aido(["export", "--format", format]).output();
        let text = run.stdout_text();
        assert!(
            !text.contains(&right[..8]) && text.contains("*******"),
            "{format}: {text}"
        );
        assert!(run.stderr_text().contains("masked"), "{run:?}");
    }
    let lines = json_lines(&exported(&env, &["asciicast"]));
    let shown: String = lines[1..]
        .iter()
        .filter_map(|event| match event[1] == "o" {
            true => event[2].as_str(),
            false => None,
        })
        .collect();
    assert_eq!(shown.len(), on_terminal(session.output()).len());
    assert!(
        shown.contains("\u{1b}[31m") && shown.ends_with("\u{1b}[0m|\r\n"),
        "{shown:?}"
    );
    let raw = exported(&env, &["text", "--no-redact", "--yes"]);
    assert!(raw.contains(&token), "{raw}");
    let run = env
        .aido(["export", "--format", "text", "--no-redact"])
        .output();
    assert_eq!((run.code(), run.stdout.len()), (2, 0));
}

#[test]
fn what_only_the_callers_environment_knew_is_not_let_out_without_it() {
    let env = TestEnv::new();
    let secret = "correct horse battery 9";
    env.aido(["sh", "-c", "echo it is $DEPLOY_TOKEN"])
        .env("DEPLOY_TOKEN", secret)
        .output();
    let run = env.aido(["export", "--format", "text"]).output();
    assert_eq!((run.code(), run.stdout.len()), (1, 0), "{run:?}");
    assert!(run.stderr_text().contains("DEPLOY_TOKEN"), "{run:?}");
    let run = env
        .aido(["export", "--format", "text"])
        .env("DEPLOY_TOKEN", secret)
        .output();
    let text = run.stdout_text();
    assert!(
        run.code() == 0 && text.starts_with("it is ******"),
        "{run:?}"
    );
    assert!(!text.contains("horse"), "{text}");
    // Another value tells nothing of the one that was printed.
    for value in ["other", "another horse battery 8"] {
        let run = env.aido(["export", "--format", "text"]);
        let run = run.env("DEPLOY_TOKEN", value).output();
        assert_eq!((run.code(), run.stdout.len()), (1, 0), "{run:?}");
    }
}

#[test]
fn a_secret_that_only_the_terminal_puts_together_leaves_in_no_format() {
    let env = TestEnv::new();
    let token = ["gh", "p_", "0Zk3vQ7xR2mN8bY5tL1wC6sD9fG4hJ0aE3uK"].concat();
    let (left, right) = token.split_at(20);
    let letters = token.chars().enumerate();
    let apart: String = letters
        .map(|(at, letter)| format!("\x1b[3;{}H{letter}", at + 1))
        .collect();
    for shown in [
        format!("tok {left}\x1b7 \x1b8{right}\r\n"),
        format!("{}{right}\rtok {left}\r\n", " ".repeat(24)),
        format!("tok {left}\n\x1b[A\x1b[24C{right}\r\n"),
        format!("\x1b[?1049h{apart}"),
    ] {
        env.write("work/shown", &shown);
        recorded(&env, "cat shown");
        for format in ["text", "markdown", "html", "svg"] {
            let run = env.aido(["export", "--format", format]).output();
            assert_eq!(run.code(), 0, "{format}: {shown:?}: {run:?}");
            let text = run.stdout_text();
            assert!(!text.contains(right), "{format}: {shown:?}: {text}");
            assert!(run.stderr_text().contains("masked"), "{shown:?}: {run:?}");
        }
        for words in [
            &["asciicast"][..],
            &["script", "-o", "out"],
            &["bundle", "-o", "out.tar"],
        ] {
            let run = env.aido([&["export", "--format"], words].concat()).output();
            let text = run.stdout_text();
            // Where it is in one piece, it is masked.
            let is_refused = (run.code(), text.as_str()) == (1, "");
            assert!(
                is_refused || run.stderr_text().contains("masked"),
                "{words:?}: {shown:?}: {run:?}"
            );
            assert!(!text.contains(right), "{words:?}: {shown:?}: {run:?}");
        }
    }
}

#[test]
fn files_are_private_and_appear_in_one_step_or_not_at_all() {
    let env = TestEnv::new();
    recorded(&env, "echo one");
    recorded(&env, "echo two");
    for words in [
        &["asciicast", "last", "last~1"][..],
        &["asciicast", "-o", "a.cast", "last", "last~1"],
        &["svg", "last", "last~1"],
        &["script"],
        &["script", "-o", "a", "last", "last~1"],
        &["text", "--profile", "full"],
    ] {
        let run = env.aido([&["export", "--format"], words].concat()).output();
        assert_eq!((run.code(), run.stdout.len()), (2, 0), "{words:?}: {run:?}");
    }
    assert_eq!(fs::read_dir(env.work()).unwrap().count(), 0);
    exported(&env, &["script", "-o", "out/", "last", "last~1"]);
    let sessions = env.recorded();
    for session in &sessions {
        for ending in ["typescript", "typescript.timing"] {
            let path = env
                .work()
                .join("out")
                .join(format!("{}.{ending}", session.id));
            let mode = fs::metadata(path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
    assert_eq!(fs::read_dir(env.work().join("out")).unwrap().count(), 4);
    exported(&env, &["html", "-o", "out/page.html"]);
    fs::remove_file(
        env.sessions()
            .join(format!("{}.events.jsonl", sessions[1].id)),
    )
    .unwrap();
    let run = env
        .aido(["export", "--format", "html", "-o", "out/page.html"])
        .output();
    assert_eq!(run.code(), 1, "{run:?}");
    let page = fs::read_to_string(env.work().join("out/page.html")).unwrap();
    assert!(page.ends_with("</html>\n"), "the one from before: {page}");
    assert_eq!(fs::read_dir(env.work().join("out")).unwrap().count(), 5);
}

#[test]
fn a_session_that_still_runs_is_exported_as_far_as_it_is() {
    let env = TestEnv::new();
    let running = env
        .aido_in("never", ["sh", "-c", "echo so far; read line"])
        .stdin_open()
        .spawn();
    crate::support::wait_until("the output is recorded", || {
        env.transcripts()
            .first()
            .is_some_and(|path| fs::read(path).is_ok_and(|bytes| bytes.starts_with(b"so far")))
    });
    let text = exported(&env, &["text"]);
    assert_eq!(text, "so far\n");
    drop(running);
}

#[test]
fn spans_hang_below_the_trace_that_the_environment_named() {
    let env = TestEnv::new();
    let (trace, parent) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");
    let inner = format!("{} sh -c 'exit 3'", crate::support::AIDO);
    let run = env
        .aido(["--agent", "tester", "sh", "-c", &inner])
        .env("TRACEPARENT", format!("00-{trace}-{parent}-01"))
        .output();
    assert_eq!(run.code(), 3, "{run:?}");
    let sessions = env.recorded();
    let (outer, inner) = match sessions[0].meta["within"].is_null() {
        true => (&sessions[0], &sessions[1]),
        false => (&sessions[1], &sessions[0]),
    };
    let text = exported(&env, &["otlp", &outer.id, &inner.id]);
    let request: Value = serde_json::from_str(&text).unwrap();
    let spans = &request["resourceSpans"][0]["scopeSpans"][0]["spans"];
    for span in [&spans[0], &spans[1]] {
        assert_eq!(
            (&span["traceId"], &span["name"]),
            (&json!(trace), &json!("sh"))
        );
        assert_eq!(span["status"]["code"], 2);
        let attributes = span["attributes"].as_array().unwrap();
        let code = json!({"key": "process.exit.code", "value": {"intValue": "3"}});
        let agent = json!({"key": "gen_ai.agent.name", "value": {"stringValue": "tester"}});
        assert!(attributes.contains(&code), "{span}");
        assert_eq!(attributes.contains(&agent), span == &spans[0], "{span}");
        let time = |name: &str| span[name].as_str().unwrap().parse::<u64>().unwrap();
        assert!(time("startTimeUnixNano") <= time("endTimeUnixNano"));
    }
    assert_eq!(spans[0]["parentSpanId"], parent);
    assert_eq!(spans[1]["parentSpanId"], spans[0]["spanId"]);
    assert_eq!(exported(&env, &["otlp", &outer.id, &inner.id]), text);
}

#[test]
fn a_bundle_is_evidence_or_holds_no_secret() {
    let name = "a_bundle_is_evidence_or_holds_no_secret";
    if !has_program("tar", name) || !has_program("sha256sum", name) {
        return;
    }
    let env = TestEnv::new();
    let token = ["gh", "p_", "0Zk3vQ7xR2mN8bY5tL1wC6sD9fG4hJ0aE3uK"].concat();
    env.write("work/secret", &format!("it is {token}\n"));
    env.aido(["--note", &token, "cat", "secret"]).output();
    env.aido(["echo", "two"]).output();
    let sessions = env.recorded();
    exported(
        &env,
        &[
            "bundle",
            "-o",
            "raw.tar",
            "--no-redact",
            "--yes",
            "last",
            "last~1",
        ],
    );
    let run = env
        .aido(["--debug-log", "debug.log", "export", "--format", "bundle"])
        .output();
    assert_eq!(run.code(), 0, "{run:?}");
    fs::write(env.path("work/clean.tar"), &run.stdout).unwrap();
    for (archive, directory) in [("raw.tar", "raw"), ("clean.tar", "clean")] {
        fs::create_dir(env.work().join(directory)).unwrap();
        let run = env.bare(["tar", "-xf", archive, "-C", directory]).output();
        assert_eq!((run.code(), run.stderr_text().as_str()), (0, ""), "{run:?}");
        let run = env
            .bare(["sha256sum", "--strict", "-c", "SHA256SUMS"])
            .current_dir(env.work().join(directory))
            .output();
        assert_eq!(run.code(), 0, "{run:?}");
    }
    for session in &sessions {
        for ending in ["typescript", "events.jsonl", "meta.json"] {
            let name = format!("{}.{ending}", session.id);
            let kept = fs::read(env.sessions().join(&name)).unwrap();
            let bundled = fs::read(env.work().join("raw").join(&session.id).join(&name)).unwrap();
            assert_eq!(kept, bundled, "{name}");
        }
    }
    assert!(!contains(&run.stdout, &token.as_bytes()[8..]));
    let clean = env.work().join("clean").join(&sessions[1].id);
    let record = fs::read(clean.join(format!("{}.record.json", sessions[1].id))).unwrap();
    let record: Value = serde_json::from_slice(&record).unwrap();
    assert_eq!(record["source"]["sha256"], sessions[1].meta["sha256"]);
    let run = env
        .aido(["export", "--format", "bundle", "last~1"])
        .output();
    assert!(
        run.code() == 0 && !contains(&run.stdout, &token.as_bytes()[8..]),
        "{}",
        run.stderr_text()
    );
    assert!(contains(&run.stdout, b"[REDACTED:github-token"));
}
