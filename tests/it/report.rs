//! `aido report`: one page about many sessions.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{TestEnv, skipped};

#[test]
fn one_page_has_every_session_once_and_every_link_leads_somewhere() {
    let env = TestEnv::in_repository();
    for (agent, line) in [
        ("one", "echo first"),
        ("two", "printf '\\033[31mbroken\\033[0m\\n'; exit 3"),
        ("one", "echo first"),
        ("two", "seq 300"),
    ] {
        env.aido_in("always", ["--agent", agent, "--task", "a-task", "-c", line])
            .output();
    }
    env.aido(["echo", "no task"]).output();
    let run = env
        .aido([
            "report",
            "-o",
            "page.html",
            "--task",
            "a-task",
            "--lines",
            "100",
        ])
        .output();
    assert_eq!((run.code(), run.stdout_text().as_str()), (0, ""), "{run:?}");
    let path = env.path("work/page.html");
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let page = fs::read_to_string(&path).unwrap();
    assert!(
        page.starts_with("<!doctype html>") && page.ends_with("</html>\n"),
        "{page}"
    );
    assert!(!page.contains("<script") && !page.contains("http://") && !page.contains("https://"));
    assert!(
        page.contains("<h1>Task a-task</h1>") && page.contains("<b>4</b> sessions"),
        "{page}"
    );
    assert!(page.contains("<span class=\"f1\">broken</span>"), "{page}");
    assert!(
        page.contains("<i>200 lines before these are left out</i>\n201\n"),
        "{page}"
    );
    assert!(!page.contains("no task"), "{page}");
    let sections: Vec<&str> = page
        .split("<section id=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    assert_eq!(sections.len(), 4);
    for rest in page.split("href=\"").skip(1) {
        let target = rest.split('"').next().unwrap();
        assert!(
            sections.contains(&target.trim_start_matches('#')),
            "{target}"
        );
    }
    let (_, repeats) = page.split_once("<h2>Repeats</h2>").unwrap();
    assert!(
        repeats.contains("<td class=\"number\">2</td><td class=\"number\">0</td>"),
        "{repeats}"
    );
}

#[test]
fn what_may_not_be_shown_is_left_out_and_said() {
    let env = TestEnv::new();
    let run = env.aido(["report", "-o", "page.html"]).output();
    assert_eq!(run.code(), 1, "{run:?}");
    let secret = "correct horse battery 9";
    env.aido(["sh", "-c", "echo it is $DEPLOY_TOKEN"])
        .env("DEPLOY_TOKEN", secret)
        .output();
    env.aido(["echo", "shown"]).output();
    let run = env.aido(["report"]).output();
    assert_eq!(run.code(), 0, "{run:?}");
    let page = run.stdout_text();
    assert!(
        page.contains("\nshown\n") && !page.contains("horse"),
        "{page}"
    );
    assert!(
        page.contains("printed the value that DEPLOY_TOKEN had then"),
        "{page}"
    );
    let run = env.aido(["report"]).env("DEPLOY_TOKEN", secret).output();
    assert!(run.stdout_text().contains("it is *****"), "{run:?}");
}

/// Runs where node finds puppeteer-core and a browser (CONTRIBUTING.md says how).
#[test]
fn pages_fit_a_phone_and_a_desk_in_a_browser() {
    const NAME: &str = "pages_fit_a_phone_and_a_desk_in_a_browser";
    const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/report/browser.js");
    let node = |words: &[&str]| {
        let run = Command::new("node").args(words).output();
        run.ok().filter(|run| run.status.code() != Some(77))
    };
    let has_library = node(&["-e", "require.resolve('puppeteer-core')"]);
    if !has_library.is_some_and(|run| run.status.success()) {
        skipped(NAME, "node has no puppeteer-core here");
        return;
    }
    let env = TestEnv::in_repository();
    let long = format!(
        "printf '\\033[31m%s\\033[0m\\n' {}; exit 3",
        "x".repeat(300)
    );
    for line in [
        "echo first",
        &long,
        "seq 300",
        "printf '</pre><script>alert(1)</script>\\n'",
    ] {
        env.aido_in(
            "always",
            ["--agent", "a-rather-long-name-of-an-agent", "-c", line],
        )
        .output();
    }
    let (report, page) = (env.path("work/report.html"), env.path("work/page.html"));
    env.aido(["report", "-o", "report.html"]).output();
    env.aido([
        "export",
        "last",
        "last~1",
        "last~2",
        "--format",
        "html",
        "-o",
        "page.html",
    ])
    .output();
    let paths = [report.to_str().unwrap(), page.to_str().unwrap()];
    let Some(run) = node(&[SCRIPT, paths[0], paths[1]]) else {
        skipped(NAME, "no browser could be started here");
        return;
    };
    let seen: Vec<Value> = serde_json::from_slice(&run.stdout).expect("what the browser saw");
    assert_eq!(seen.len(), 4, "{run:?}");
    for one in seen {
        // Long lines scroll within their box, not the page.
        assert_eq!(one["width"], one["viewport"], "{one}");
        assert_eq!(
            (&one["dead"], &one["requests"]),
            (&json!(0), &json!(1)),
            "{one}"
        );
        assert_eq!(one["problems"], json!([]), "{one}");
        assert!(
            one["links"].as_u64() > Some(2) && one["text"].as_u64() > Some(300),
            "{one}"
        );
    }
}
