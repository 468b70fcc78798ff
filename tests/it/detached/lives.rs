//! How long a session lives, what it holds on to, and how its end is told.

use std::fs;

use rustix::process::geteuid;

use super::*;
use crate::support::{AIDO, skipped};

#[test]
fn a_session_holds_nothing_of_its_starters() {
    let env = place();
    // A shell that takes what is printed waits for whoever holds the pipe.
    let line = format!("out=$({AIDO} start --name on -- cat 2>&1); echo \"got $out\"");
    let run = env.bare(["sh", "-c", &line]).output();
    let said = run.stdout_text();
    let id = said
        .trim_end()
        .strip_prefix("got ")
        .unwrap_or_else(|| panic!("{run:?}"));
    let supervisor = ends::supervisor(id);
    let held = fs::read_dir(format!("/proc/{supervisor}/fd")).unwrap();
    let mut held: Vec<(i32, String)> = held
        .map(|entry| {
            let path = entry.unwrap().path();
            let number = path.file_name().unwrap().to_str().unwrap().parse().unwrap();
            let target = fs::read_link(&path).unwrap_or_default();
            (number, target.to_string_lossy().into_owned())
        })
        .collect();
    held.sort();
    for (number, target) in &held[..3] {
        assert_eq!(target, "/dev/null", "{number}");
    }
    let root = env.path("");
    for (number, target) in &held[3..] {
        let is_own = target.starts_with(root.to_str().unwrap())
            || target.ends_with("/ptmx")
            || target.starts_with("socket:")
            || target.starts_with("pipe:")
            || target.starts_with("anon_inode:");
        assert!(is_own, "{number}: {target}");
    }
    done(&env, &["stop", "on"]);
}

#[test]
fn ends_of_every_kind_are_told() {
    let env = place();
    for (script, code) in [
        ("exit 0", 0),
        ("exit 1", 1),
        ("exit 255", 255),
        ("kill -KILL $$", 137),
        ("ulimit -c 0; kill -SEGV $$", 139),
        // More than a terminal holds is still to be read.
        ("seq 20000; exit 7", 7),
        // Somebody in the background has the terminal open still.
        ("sleep 600 & exit 3", 3),
    ] {
        let run = aido(&env, &["start", "--", "sh", "-c", script]);
        assert_eq!(run.code(), 0, "{script}: {run:?}");
        let id = run.stdout_text().trim_end().to_owned();
        let waited = aido(&env, &["wait", &id, "--timeout", "15s"]);
        assert_eq!(waited.code(), code, "{script}: {waited:?}");
        let all = env.recorded();
        let session = all.iter().find(|session| session.id == id).unwrap();
        assert_eq!(session.meta["exit_code"], code, "{script}");
        if script.starts_with("seq") {
            assert!(contains(session.output(), b"\n20000\r\n"));
        }
    }
}

#[test]
fn who_closes_its_terminal_has_not_ended() {
    let env = place();
    let script = "echo gone; exec <&- >&- 2>&-; while ! test -e go; do sleep 0.05; done; exit 9";
    start(&env, "mute", &["sh", "-c", script]);
    wait_for(&env, "mute", "^gone");
    let waited = aido(&env, &["wait", "mute", "--timeout", "500ms"]);
    assert_eq!(waited.code(), 124, "{waited:?}");
    assert!(done(&env, &["list", "--running"]).contains("mute"));
    env.write("work/go", "");
    let waited = aido(&env, &["wait", "mute", "--timeout", "15s"]);
    assert_eq!(waited.code(), 9, "{waited:?}");
}

#[test]
fn a_session_outlives_the_file_of_its_program() {
    let env = place();
    let program = fs::read(AIDO).unwrap();
    env.script("work/aido", "");
    {
        let _guard = crate::support::FORKS.write().unwrap();
        fs::write(env.path("work/aido"), program).unwrap();
    }
    let run = env
        .bare(["./aido", "start", "--name", "on", "--", "cat"])
        .output();
    assert_eq!(run.code(), 0, "{run:?}");
    fs::remove_file(env.path("work/aido")).unwrap();
    env.script("work/aido", "#!/bin/false\n");
    done(&env, &["send", "on", "still here", "-e"]);
    wait_for(&env, "on", "^still here");
    done(&env, &["stop", "on"]);
    assert!(done(&env, &["verify", "on"]).contains("VALID"));
}

#[test]
fn a_sandbox_that_ends_takes_the_session_along_and_that_is_said() {
    let test = "a_sandbox_that_ends_takes_the_session_along_and_that_is_said";
    let env = place();
    // As bubblewrap does it: the first process of a namespace, and all end with it.
    let unshare = ["unshare", "--pid", "--fork", "--mount-proc"];
    let probe = env.bare([&unshare[..], &["true"]].concat()).output();
    if !geteuid().is_root() || probe.code() != 0 {
        return skipped(test, "a namespace of processes needs root");
    }
    let shell = fs::read("/bin/sh").unwrap();
    env.script("work/bwrap", "");
    {
        let _guard = crate::support::FORKS.write().unwrap();
        fs::write(env.path("work/bwrap"), shell).unwrap();
    }
    let line = format!(
        "{AIDO} start --name in -- sh -c 'echo ready; cat'; {AIDO} wait in --text ready --timeout 15s"
    );
    let run = env
        .bare([&unshare[..], &["./bwrap", "-c", &line]].concat())
        .output();
    assert_eq!(run.code(), 0, "{run:?}");
    assert!(run.stderr_text().contains("this session too"), "{run:?}");
    let waited = aido(&env, &["wait", "in", "--timeout", "15s"]);
    assert_eq!(waited.code(), 125, "{waited:?}");
    assert!(done(&env, &["list"]).contains("interrupted"));
}

#[test]
fn what_a_session_finds_in_its_environment_passes_filters_of_secrets() {
    let env = place();
    let id = start(
        &env,
        "in",
        &[
            "sh",
            "-c",
            "env | grep ^AIDO_ | cut -d= -f1; echo over; cat",
        ],
    );
    wait_for(&env, "in", "^over");
    let shown = done(&env, &["capture", &id]);
    for wanted in ["AIDO_SESSION", "AIDO_CHANNEL"] {
        assert!(shown.lines().any(|line| line == wanted), "{shown}");
    }
    // Agents' programs take variables away whose names say that they hold a secret.
    for name in shown.lines() {
        assert!(
            !["KEY", "SECRET", "TOKEN"]
                .iter()
                .any(|word| name.contains(word)),
            "{name}"
        );
    }
}
