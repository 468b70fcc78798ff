//! What a command leaves running in the background: aido neither waits for it nor harms it.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::PathBuf;

use rustix::process::{Pid, Signal, kill_process};

use crate::support::pty::default_signals;
use crate::support::{TestEnv, contains, descendants, has_program, wait_until};

/// The modes in which a command has a terminal, or may have one.
const MODES: [&str; 2] = ["always", "auto"];

/// Lives until it is asked, and then says so; holds the command's output all the while.
const LIVES: &str = "(while [ ! -e ask ]; do sleep 0.02; done; echo alive >answer) &";

/// Asks after aido has ended, so an answer proves that the background process outlived it.
#[track_caller]
fn assert_it_lives(env: &TestEnv, what: &str) {
    assert!(
        !env.work().join("answer").exists(),
        "{what}: it was not asked yet"
    );
    env.write("work/ask", "");
    wait_until(
        &format!("{what}: an answer from the background process"),
        || fs::read(env.work().join("answer")).is_ok_and(|answer| answer == b"alive\n"),
    );
}

/// Runs a script without a terminal, output to a pipe; aido must end though the pipe is still held.
#[track_caller]
fn without_a_terminal(script: &str) {
    for mode in MODES {
        let env = TestEnv::new();
        let run = env
            .aido(["--tty", mode, "sh", "-c", script])
            .before_exec(default_signals);
        let output = run.output();
        assert_eq!(
            (output.code(), output.stdout_text().as_str()),
            (2, "hi\n"),
            "{mode}: {output:?}"
        );
        assert_it_lives(&env, mode);
    }
}

/// The same on a terminal, under a shell that stays: it is the leader, as a user's shell would be.
#[track_caller]
fn on_a_terminal(script: &str) {
    for mode in MODES {
        let env = TestEnv::new();
        env.write("work/script", script);
        let mut user = env.terminal().line(&format!(
            "aido --tty {mode} sh script; echo rc=$?; read end"
        ));
        user.wait_for("hi\r\n");
        user.wait_for("rc=2\r\n");
        user.assert_restored(mode);
        assert_it_lives(&env, mode);
        user.send("\n");
        assert_eq!(user.wait_code(), 0, "{mode}");
    }
}

// F01, F03
#[test]
fn a_background_process_that_holds_the_output_is_not_waited_for_and_lives_on() {
    without_a_terminal(&format!("{LIVES} echo hi; exit 2"));
}

// F01, F06
#[test]
fn a_background_process_lives_on_after_a_command_on_a_terminal() {
    on_a_terminal(&format!("{LIVES} echo hi; exit 2"));
}

// F07
#[test]
fn a_background_process_that_ignores_the_hang_up_is_not_waited_for() {
    without_a_terminal(&format!("trap '' HUP; {LIVES} echo hi; exit 2"));
}

// F07
#[test]
fn a_background_process_that_ignores_the_hang_up_is_not_waited_for_on_a_terminal() {
    on_a_terminal(&format!("trap '' HUP; {LIVES} echo hi; exit 2"));
}

/// Starts a daemon in a session of its own and ends when it runs.
fn daemon() -> String {
    let lives = LIVES.trim_end_matches('&');
    format!(
        "setsid sh -c 'touch started; {lives}' </dev/null >/dev/null 2>&1 &
        while [ ! -e started ]; do sleep 0.02; done; echo hi; exit 2"
    )
}

// F05
#[test]
fn a_daemon_lives_on() {
    if has_program("setsid", "a_daemon_lives_on") {
        without_a_terminal(&daemon());
    }
}

// F05
#[test]
fn a_daemon_that_was_started_on_a_terminal_lives_on() {
    if has_program("setsid", "a_daemon_that_was_started_on_a_terminal_lives_on") {
        on_a_terminal(&daemon());
    }
}

// F04: /dev/null, since without aido the flood would go on for ever
#[test]
fn a_background_process_that_never_stops_writing_is_not_waited_for() {
    for mode in MODES {
        let env = TestEnv::new();
        let script = "yes & echo $! >flood; echo hi; exit 2";
        let sink = File::options().write(true).open("/dev/null").unwrap();
        let run = env
            .aido(["--tty", mode, "sh", "-c", script])
            .stdout_file(sink);
        assert_eq!(
            run.before_exec(default_signals).output().code(),
            2,
            "{mode}"
        );
        let flood = fs::read_to_string(env.work().join("flood")).unwrap();
        // With a terminal it has ended already.
        let flood = Pid::from_raw(flood.trim().parse().unwrap()).unwrap();
        let _ = kill_process(flood, Signal::KILL);
    }
}

// F04
#[test]
fn a_background_process_that_keeps_writing_to_a_terminal_is_not_waited_for() {
    on_a_terminal(
        "(while :; do echo y; sleep 0.01; done) & \
        (while [ ! -e ask ]; do sleep 0.02; done; kill $!; echo alive >answer) & echo hi; exit 2",
    );
}

// F02: to a pipe it goes as it would without aido, and is no part of the session.
#[test]
fn what_the_background_says_later_still_reaches_a_pipe() {
    for mode in ["auto", "never"] {
        let env = TestEnv::new();
        let script =
            "(while [ ! -e ask ]; do sleep 0.02; done; echo late; echo alive >answer) & echo hi";
        let (mut reader, writer) = io::pipe().unwrap();
        let run = env.aido(["--tty", mode, "sh", "-c", script]);
        let output = run
            .stdout_file(writer)
            .before_exec(default_signals)
            .output();
        assert_eq!(output.code(), 0, "{mode}: {output:?}");
        // It is over: nothing holds its lock.
        let session = env.only_session();
        assert_eq!(session.output(), b"hi\n", "{mode}");
        assert_it_lives(&env, mode);
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "hi\nlate\n", "{mode}");
        let listed = env.aido(["list", "--running", "--json"]).output();
        assert!(
            !contains(&listed.stdout, session.id.as_bytes()),
            "{listed:?}"
        );
    }
}

/// What the descriptors of a process lead to.
fn open_files(process: i32) -> Vec<PathBuf> {
    let descriptors = fs::read_dir(format!("/proc/{process}/fd")).unwrap();
    let links = descriptors.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    links.collect()
}

#[test]
fn a_reader_that_went_away_is_missed_by_the_next_write() {
    let env = TestEnv::new();
    let script = "touch ready; while [ ! -e ask ]; do sleep 0.02; done; echo a; touch made";
    let (reader, writer) = io::pipe().unwrap();
    let run = env.aido(["--tty", "auto", "sh", "-c", script]);
    let run = run.stdout_file(writer).before_exec(default_signals).spawn();
    wait_until("the command runs", || env.work().join("ready").exists());
    let shell = descendants(run.pid()).into_iter().find(|process| {
        fs::read(format!("/proc/{process}/comm")).is_ok_and(|name| name == b"sh\n")
    });
    let pipe = fs::read_link(format!("/proc/{}/fd/1", shell.unwrap())).unwrap();
    drop(reader);
    wait_until("aido closes its end", || {
        !open_files(run.pid()).contains(&pipe)
    });
    env.write("work/ask", "");
    let output = run.wait();
    assert_eq!(output.signal(), Some(libc::SIGPIPE), "{output:?}");
    assert!(!env.work().join("made").exists());
}

// F02: what was there at the end is recorded; what comes later belongs to nobody.
#[test]
fn what_the_background_says_later_is_neither_waited_for_nor_recorded() {
    for mode in MODES {
        let env = TestEnv::new();
        let script =
            "(while [ ! -e ask ]; do sleep 0.02; done; echo alive >answer; echo late) & echo hi";
        let output = env.aido(["--tty", mode, "sh", "-c", script]).output();
        assert_eq!(
            (output.code(), output.stdout_text().as_str()),
            (0, "hi\n"),
            "{mode}"
        );
        let session = env.only_session();
        assert_it_lives(&env, mode);
        assert_eq!(session.output(), b"hi\n", "{mode}");
        assert!(!contains(&env.only_session().transcript, b"late"), "{mode}");
    }
}
