//! SIGKILL to aido: nothing can be passed on, and still nothing may be left running.

use std::fs;

use rustix::process::{Pid, Signal, kill_process_group};

use super::{AIDO, kill, pids, shell};
use crate::support::pty::default_signals;
use crate::support::{MODES, TestEnv, process_is_alive, wait_until};

/// Starts a command with a child in its group, lets `end` kill aido, and looks at what is left.
/// The command runs for a while first: a very short one need not be watched at any cost.
#[track_caller]
fn nothing_outlives(what: &str, prefix: &[&str], traps: &str, end: fn(i32)) {
    for mode in MODES {
        let env = TestEnv::new();
        let script = format!(
            "{traps} sleep 300 & echo $! $$ >pids; sleep 0.3; echo WROTE; while :; do wait; done"
        );
        let words = [prefix, &[AIDO, "--tty", mode, "sh", "-c", &script]].concat();
        let running = env.bare(words).before_exec(default_signals).spawn();
        running.wait_for_stdout(b"WROTE\n");
        let pids = pids(&env, "pids", 2);
        assert!(
            pids.iter().all(|&pid| process_is_alive(pid)),
            "{what}, {mode}"
        );
        end(running.pid());
        let output = running.wait();
        assert_eq!(output.signal(), Some(libc::SIGKILL), "{what}, {mode}");
        wait_until(
            &format!(
                "{what}, {mode}: command {} and child {} gone",
                pids[1], pids[0]
            ),
            || pids.iter().all(|&pid| !process_is_alive(pid)),
        );
        let transcripts = env.transcripts();
        assert!(!transcripts.is_empty(), "{what}, {mode}: no transcript");
        for transcript in transcripts {
            let recorded = fs::read(transcript).unwrap();
            assert_eq!(
                recorded.escape_ascii().to_string(),
                "WROTE\\n",
                "{what}, {mode}"
            );
        }
        assert!(
            env.recorded().is_empty(),
            "{what}, {mode}: nothing may claim to be complete"
        );
    }
}

// D08 and D09, from the command's first moment
#[test]
fn a_command_dies_with_an_aido_that_was_killed_at_once() {
    for mode in MODES {
        for end in [kill_aido, kill_group] {
            let env = TestEnv::new();
            let running = shell(&env, mode, "echo $$ >pid; exec sleep 300").spawn();
            let command = pids(&env, "pid", 1)[0];
            end(running.pid());
            assert_eq!(running.wait().signal(), Some(libc::SIGKILL), "{mode}");
            wait_until(&format!("{mode}: the command gone"), || {
                !process_is_alive(command)
            });
            assert!(
                env.recorded().is_empty(),
                "{mode}: nothing may claim to be complete"
            );
        }
    }
}

fn kill_aido(aido: i32) {
    kill(aido, Signal::KILL);
}

fn kill_group(aido: i32) {
    kill_process_group(Pid::from_raw(aido).unwrap(), Signal::KILL).unwrap();
}

const UNDER_NOHUP: [&str; 4] = ["sh", "-c", "trap '' HUP; exec \"$@\"", "sh"];

// D08, T06
#[test]
fn nothing_outlives_an_aido_that_was_killed() {
    nothing_outlives("kill -9", &[], "", kill_aido);
}

// D09
#[test]
fn nothing_outlives_a_process_group_that_was_killed() {
    nothing_outlives("kill -9 to the group", &[], "", kill_group);
}

// D14
#[test]
fn nothing_outlives_an_aido_that_was_killed_under_nohup() {
    nothing_outlives("kill -9 under nohup", &UNDER_NOHUP, "", kill_aido);
    nothing_outlives(
        "kill -9 to the group under nohup",
        &UNDER_NOHUP,
        "",
        kill_group,
    );
}

// D14, for a command that ignores every signal that can be ignored
#[test]
fn not_even_a_stubborn_command_outlives_an_aido_that_was_killed() {
    nothing_outlives(
        "kill -9, stubborn",
        &[],
        "trap '' HUP TERM INT QUIT;",
        kill_aido,
    );
}
