//! Every way out: what ends a command on a terminal, and what is left afterwards.

use std::os::unix::process::ExitStatusExt;

use rustix::process::{Pid, Signal, kill_process};
use rustix::termios::{InputModes, SpecialCodeIndex};

use super::{CTRL_BACKSLASH, CTRL_C, MODES, read, signal};
use crate::signals::{pids, waiting};
use crate::support::pty::PtySession;
use crate::support::{TestEnv, contains, process_is_alive, processes_of, wait_until};

/// How a command ends, and what the shell then shows.
type WayOut = (
    &'static str,
    &'static [&'static str],
    fn(&mut PtySession),
    i32,
);

const SLEEPS: &[&str] = &["sh", "-c", "ulimit -c 0; echo READY; exec sleep 300"];

const WAYS_OUT: &[WayOut] = &[
    ("success", &["true"], |_| (), 0),
    ("failure", &["sh", "-c", "exit 3"], |_| (), 3),
    ("killed", &["sh", "-c", "kill -KILL $$"], |_| (), 137),
    ("not found", &["no-such-program-here"], |_| (), 127),
    ("not executable", &["/"], |_| (), 126),
    ("Ctrl-C", SLEEPS, |user| press(user, CTRL_C), 130),
    ("Ctrl-\\", SLEEPS, |user| press(user, CTRL_BACKSLASH), 131),
    ("TERM", SLEEPS, |user| strike(user, Signal::TERM), 143),
    ("INT", SLEEPS, |user| strike(user, Signal::INT), 130),
    ("HUP", SLEEPS, |user| strike(user, Signal::HUP), 129),
    ("QUIT", SLEEPS, |user| strike(user, Signal::QUIT), 131),
];

fn press(user: &mut PtySession, key: &[u8]) {
    user.wait_for("READY\r\n");
    user.send(key);
}

fn strike(user: &mut PtySession, number: Signal) {
    user.wait_for("READY\r\n");
    signal(user, number);
}

// E03, E04, E08
#[test]
fn the_terminal_is_restored_on_every_way_out() {
    for mode in MODES {
        for (name, words, end, code) in WAYS_OUT {
            let env = TestEnv::new();
            let terminal = env.terminal().settings(|settings| {
                settings.special_codes[SpecialCodeIndex::VERASE] = 8;
                settings
                    .input_modes
                    .toggle(InputModes::IXON | InputModes::IUTF8 | InputModes::IXANY);
            });
            let mut user = terminal.aido(mode, *words);
            end(&mut user);
            assert_eq!(user.wait_code(), *code, "{mode}, {name}");
            user.assert_restored(&format!("{mode}, {name}"));
            wait_until("nothing left running", || {
                processes_of(&env.home()).is_empty()
            });
        }
    }
}

// E16
#[test]
fn a_closed_window_ends_the_command_and_aido() {
    for mode in MODES {
        for traps in ["", "trap 'echo HUP >diary; end 1' HUP;"] {
            let env = TestEnv::new();
            let script = waiting(&format!("{traps} echo $$ >pid"));
            let mut user = env.terminal().aido(mode, ["sh", "-c", &script]);
            user.wait_for("READY\r\n");
            let command = read(&env, "pid").trim().parse().unwrap();
            user.close_master();
            user.wait_exit();
            assert!(!process_is_alive(command), "{mode}, {traps:?}");
            assert_eq!(
                read(&env, "diary"),
                if traps.is_empty() { "" } else { "HUP\n" },
                "{mode}"
            );
            assert!(
                contains(&env.only_session().transcript, b"READY"),
                "{mode}, {traps:?}"
            );
        }
    }
}

// D08 on a terminal: the shell that started it goes on, so no hang-up helps
#[test]
fn nothing_outlives_an_aido_that_was_killed_on_a_terminal() {
    for mode in MODES {
        let env = TestEnv::new();
        env.write(
            "work/victim",
            "sleep 300 & echo $! $$ >pids; sleep 0.3; echo READY; while :; do wait; done",
        );
        let mut user = env.terminal().line(&format!(
            "sh -c 'echo $$ >aido; exec aido --tty {mode} sh victim'; echo rc=$?; read end"
        ));
        user.wait_for("READY\r\n");
        let (aido, victims) = (pids(&env, "aido", 1)[0], pids(&env, "pids", 2));
        kill_process(Pid::from_raw(aido).unwrap(), Signal::KILL).unwrap();
        user.wait_for("rc=137");
        wait_until(&format!("{mode}: {victims:?} gone"), || {
            !victims.iter().any(|&victim| process_is_alive(victim))
        });
        assert!(env.recorded().is_empty(), "{mode}");
        user.send("\n");
        assert_eq!(user.wait_code(), 0, "{mode}");
    }
}

// E21
#[test]
fn ctrl_c_stops_the_script_that_runs_aido() {
    for mode in MODES {
        let env = TestEnv::new();
        let script = format!("aido --tty {mode} sh -c 'echo READY; exec sleep 20'; echo AFTER");
        let mut user = env.terminal().run(["bash", "-c", &script]);
        user.wait_for("READY\r\n");
        user.send(CTRL_C);
        let status = user.wait_exit();
        assert_eq!(status.signal(), Some(libc::SIGINT), "{mode}: {status}");
        assert_eq!(user.count("AFTER"), 0, "{mode}");
        user.assert_restored(mode);
    }
}
