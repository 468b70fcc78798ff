//! `attach`: somebody sits down at a session, and leaves again.

use super::*;
use crate::support::pty::PtySession;

fn attach(env: &TestEnv, options: &[&str]) -> PtySession {
    let words = [&[crate::support::AIDO, "attach"], options].concat();
    env.terminal().size(100, 20).run(words)
}

/// Ctrl-\ and d.
const LEAVE: &[u8] = b"\x1cd";

#[test]
fn a_session_is_attached_to_and_left_as_it_was() {
    let env = place();
    start(&env, "asking", &["sh", "-c", ASKING]);
    done(&env, &["send", "asking", "before", "-e"]);
    wait_for(&env, "asking", "^= before");
    let mut seat = attach(&env, &["asking"]);
    // What was there is there at once.
    seat.wait_for("= before");
    seat.send("typed\r");
    seat.wait_for("= typed");
    seat.send(LEAVE);
    seat.wait_for("detached");
    assert_eq!(seat.wait_code(), 0);
    seat.assert_restored("after detaching");
    let output = seat.output_so_far();
    assert!(
        contains(&output, b"\x1b[?1049l"),
        "the caller's own screen is back"
    );
    // The session goes on, at the size that it had then.
    wait_for(&env, "asking", ">>> $");
    done(&env, &["send", "asking", "after", "-e"]);
    wait_for(&env, "asking", "^= after");
    let shown: Value = serde_json::from_str(&done(&env, &["capture", "asking", "--json"])).unwrap();
    assert_eq!(
        shown["size"],
        serde_json::json!({"columns": 100, "rows": 20})
    );
    assert_eq!(shown["lines"][3]["text"], "= typed");
}

#[test]
fn who_is_attached_ends_as_the_session_does() {
    let env = place();
    start(&env, "ends", &["sh", "-c", "read x; exit 4"]);
    let mut seat = attach(&env, &["ends"]);
    seat.wait_for("\x1b[?25h");
    seat.send("now\r");
    assert_eq!(seat.wait_code(), 4);
    seat.assert_restored("after the session's end");
}

#[test]
fn a_signal_leaves_the_terminal_as_it_was() {
    let env = place();
    start(
        &env,
        "on",
        &[
            "sh",
            "-c",
            r"printf '\033[?1000h\033[?2004h\033[?25lready'; cat",
        ],
    );
    let mut seat = attach(&env, &["on"]);
    seat.wait_for("ready");
    let pid = rustix::process::Pid::from_raw(seat.pid()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(seat.wait_code(), 143);
    seat.assert_restored("after SIGTERM");
    let output = seat.output_so_far();
    for taken_back in ["\x1b[?1000l", "\x1b[?2004l", "\x1b[?25h"] {
        let last = output
            .windows(taken_back.len())
            .rposition(|piece| piece == taken_back.as_bytes());
        let set = taken_back.replace('l', "h");
        let set = if taken_back.ends_with('h') {
            taken_back.replace('h', "l")
        } else {
            set
        };
        let first = output
            .windows(set.len())
            .rposition(|piece| piece == set.as_bytes());
        assert!(last > first, "{taken_back:?}");
    }
    // Whoever comes next finds the session, and its modes.
    let mut next = attach(&env, &["on"]);
    next.wait_for("ready");
    next.wait_for("\x1b[?1000h");
}

#[test]
fn who_only_looks_types_nothing_and_changes_no_size() {
    let env = place();
    start(&env, "shared", &["sh", "-c", ASKING]);
    let mut watcher = attach(&env, &["shared", "--read-only"]);
    watcher.wait_for(">>>");
    watcher.send("nothing\r");
    let mut typist = env
        .terminal()
        .size(60, 12)
        .run([crate::support::AIDO, "attach", "shared"]);
    typist.wait_for(">>>");
    typist.send("something\r");
    typist.wait_for("= something");
    watcher.wait_for("= something");
    assert!(!contains(&watcher.output_so_far(), b"nothing"));
    let shown: Value = serde_json::from_str(&done(&env, &["capture", "shared", "--json"])).unwrap();
    assert_eq!(shown["size"]["columns"], 60);
    typist.resize(70, 14);
    wait_until("the window follows", || {
        let shown = done(&env, &["capture", "shared", "--json"]);
        shown.contains(r#""columns":70"#)
    });
    assert!(done(&env, &["list", "--running"]).contains("shared"));
}

#[test]
fn a_client_that_takes_nothing_slows_nobody() {
    let env = place();
    start(
        &env,
        "flood",
        &["sh", "-c", "read x; seq 300000; echo over; cat"],
    );
    let mut seat = attach(&env, &["flood"]);
    seat.wait_for("\x1b[?25h");
    seat.stop_reading();
    done(&env, &["send", "flood", "-e"]);
    wait_for(&env, "flood", "^over");
    done(&env, &["stop", "flood"]);
    assert!(contains(
        env.only_session().output(),
        b"\n300000\r\nover\r\n"
    ));
}

#[test]
fn a_session_does_not_show_itself() {
    let env = place();
    let line = format!("{} attach inner; echo code $?; cat", crate::support::AIDO);
    start(&env, "inner", &["sh", "-c", &line]);
    wait_for(&env, "inner", "code 1");
    assert!(done(&env, &["capture", "inner"]).contains("show itself"));
    let run = aido(&env, &["attach", "inner"]);
    assert_eq!(run.code(), 2, "{run:?}");
    assert!(run.stderr_text().contains("needs a terminal"), "{run:?}");
}

#[test]
fn a_client_that_is_killed_or_loses_its_window_costs_the_session_nothing() {
    let env = place();
    start(&env, "on", &["sh", "-c", ASKING]);
    let mut killed = attach(&env, &["on"]);
    killed.wait_for(">>>");
    let pid = rustix::process::Pid::from_raw(killed.pid()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    assert_eq!(killed.wait_code(), 137);
    let mut closed = attach(&env, &["on"]);
    closed.wait_for(">>>");
    closed.close_master();
    assert_eq!(closed.wait_code(), 129);
    done(&env, &["send", "on", "after", "-e"]);
    wait_for(&env, "on", "^= after");
    wait_until("nobody is attached", || {
        let run = env.home().join(".local/state/aido/run");
        let status = files_below(&run)
            .into_iter()
            .find(|path| path.extension() == Some("json".as_ref()));
        let status = fs::read(status.unwrap()).unwrap_or_default();
        contains(&status, br#""attached":0"#)
    });
}
