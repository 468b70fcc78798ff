//! `aido report`: one page about many sessions.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::TestEnv;

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
