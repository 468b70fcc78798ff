//! Signals sent to aido, and to its process group, while it runs a command with no terminal about.

use std::fs;
use std::io::{self, Read};
use std::os::fd::AsFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::support::pty::default_signals;
use crate::support::{
    MODES, Output, Run, TestEnv, contains, process_is_alive, processes_of, wait_until,
};

/// A script that sets these traps, says READY and waits, in such a way that a trap runs at once;
/// `end CODE` ends it.
pub(crate) fn waiting(traps: &str) -> String {
    let sleep = "sleep 600 >/dev/null 2>&1 &";
    format!(
        "end() {{ kill -KILL $! 2>/dev/null; exit $1; }}
        {traps}
        {sleep}
        echo READY
        while :; do wait $!; kill -0 $! 2>/dev/null || {{ {sleep} }}; done"
    )
}

const SIGNALS: [(&str, i32); 5] = [
    ("TERM", libc::SIGTERM),
    ("INT", libc::SIGINT),
    ("HUP", libc::SIGHUP),
    ("QUIT", libc::SIGQUIT),
    ("USR1", libc::SIGUSR1),
];

mod killed;

const AIDO: &str = env!("CARGO_BIN_EXE_aido");

/// `aido --tty MODE sh -c SCRIPT`
fn shell(env: &TestEnv, mode: &str, script: &str) -> Run {
    env.aido(["--tty", mode, "sh", "-c", script])
        .before_exec(default_signals)
}

fn kill(pid: i32, signal: Signal) {
    kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
}

fn read(env: &TestEnv, name: &str) -> String {
    fs::read_to_string(env.work().join(name)).unwrap_or_default()
}

/// Waits for a file of this many process ids.
pub(crate) fn pids(env: &TestEnv, name: &str, count: usize) -> Vec<i32> {
    let parsed = || -> Vec<i32> {
        let text = read(env, name);
        let complete = &text[..text.rfind('\n').map_or(0, |end| end)];
        complete
            .split_whitespace()
            .map(|word| word.parse().unwrap())
            .collect()
    };
    wait_until(&format!("{count} process ids in {name}"), || {
        parsed().len() == count
    });
    parsed()
}

fn wait_for_state(pid: i32, wanted: &[char]) {
    wait_until(&format!("process {pid} in state {wanted:?}"), || {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let state = stat
            .rsplit_once(')')
            .and_then(|(_, rest)| rest.trim_start().chars().next());
        state.is_some_and(|state| wanted.contains(&state))
    });
}

// D01 to D05
#[test]
fn each_signal_reaches_the_command_exactly_once() {
    for mode in MODES {
        let env = TestEnv::new();
        let traps: String = SIGNALS
            .iter()
            .map(|(name, _)| format!("trap 'echo {name} >>diary' {name}\n"))
            .collect();
        let script = waiting(&format!("{traps} trap 'echo BYE; end 42' USR2"));
        let running = shell(&env, mode, &script).spawn();
        running.wait_for_stdout(b"READY\n");
        let mut expected = String::new();
        for (name, number) in SIGNALS {
            running.signal(number);
            expected.push_str(&format!("{name}\n"));
            wait_until(&format!("{mode}: {name} in the diary"), || {
                read(&env, "diary").len() >= expected.len()
            });
        }
        running.signal(libc::SIGUSR2);
        let output = running.wait();
        assert_eq!(read(&env, "diary"), expected, "{mode}");
        assert_eq!(
            (output.code(), output.stdout_text().as_str()),
            (42, "READY\nBYE\n"),
            "{mode}"
        );
    }
}

// D01 to D04
#[test]
fn what_a_command_says_and_returns_while_it_cleans_up_is_kept() {
    for mode in MODES {
        for (name, number) in &SIGNALS[..4] {
            let env = TestEnv::new();
            let clean_up = "echo one; sleep 0.1; echo two; sleep 0.1; echo BYE; touch cleaned";
            let script = waiting(&format!("trap '{clean_up}; end 42' {name}"));
            let running = shell(&env, mode, &script).spawn();
            running.wait_for_stdout(b"READY\n");
            running.signal(*number);
            let output = running.wait();
            let seen = (output.code(), output.stdout_text());
            assert_eq!(seen, (42, "READY\none\ntwo\nBYE\n".into()), "{mode} {name}");
            assert!(env.work().join("cleaned").exists(), "{mode} {name}");
        }
    }
}

// S9 and A02: dies of the signal as the command did, says so in the sidecar, leaves nothing.
#[test]
fn a_command_without_traps_dies_of_the_signal_and_so_does_aido() {
    for mode in MODES {
        for (name, number) in &SIGNALS[..4] {
            let env = TestEnv::new();
            let running = shell(&env, mode, "ulimit -c 0; echo READY; exec sleep 300").spawn();
            running.wait_for_stdout(b"READY\n");
            running.signal(*number);
            let output = running.wait();
            assert_eq!(output.signal(), Some(*number), "{mode} {name}: {output:?}");
            wait_until("nothing left running", || {
                processes_of(&env.home()).is_empty()
            });
            let meta = env.only_session().meta;
            assert_eq!(meta["status"], "signaled", "{mode} {name}");
            assert_eq!(meta["exit_code"], 128 + number, "{mode} {name}");
            let recorded = meta["signal"].as_str().unwrap_or_default();
            assert!(recorded.ends_with(name), "{mode} {name}: {recorded:?}");
        }
    }
}

// D06
#[test]
fn a_signal_ends_a_shell_and_its_foreground_child() {
    for mode in MODES {
        let env = TestEnv::new();
        let script = "sh -c 'echo $$ >inner; exec sleep 300'; echo outlived";
        let running = shell(&env, mode, script).spawn();
        let inner = pids(&env, "inner", 1)[0];
        running.signal(libc::SIGTERM);
        let output = running.wait();
        assert_eq!(output.signal(), Some(libc::SIGTERM), "{mode}: {output:?}");
        wait_until(&format!("{mode}: the child gone too"), || {
            !process_is_alive(inner)
        });
    }
}

// D07
#[test]
fn a_command_that_ignores_the_signal_is_waited_for() {
    for mode in MODES {
        let env = TestEnv::new();
        let script =
            waiting("trap '' TERM; trap 'echo STILL-HERE' USR1; trap 'echo END; end 7' USR2");
        let running = shell(&env, mode, &script).spawn();
        running.wait_for_stdout(b"READY\n");
        running.signal(libc::SIGTERM);
        running.signal(libc::SIGUSR1);
        running.wait_for_stdout(b"STILL-HERE\n");
        running.signal(libc::SIGTERM);
        running.signal(libc::SIGUSR2);
        let output = running.wait();
        assert_eq!(
            (output.code(), output.stdout_text().ends_with("END\n")),
            (7, true),
            "{mode}"
        );
        wait_until("nothing left running", || {
            processes_of(&env.home()).is_empty()
        });
    }
}

// D10
#[test]
fn an_interrupt_to_the_process_group_reaches_the_command_once() {
    for mode in MODES {
        let env = TestEnv::new();
        let script = waiting("trap 'echo INT >>diary' INT; trap 'echo TERM >>diary; end 42' TERM");
        let running = shell(&env, mode, &script).spawn();
        running.wait_for_stdout(b"READY\n");
        let group = Pid::from_raw(running.pid()).unwrap();
        for lines in 1..=3 {
            kill_process_group(group, Signal::INT).unwrap();
            wait_until(&format!("{mode}: interrupt {lines}"), || {
                read(&env, "diary").len() >= 4 * lines
            });
        }
        running.signal(libc::SIGTERM);
        assert_eq!(running.wait().code(), 42, "{mode}");
        assert_eq!(read(&env, "diary"), "INT\nINT\nINT\nTERM\n", "{mode}");
    }
}

const WAITS_FOR_GO: &str = "echo READY; while [ ! -e go ]; do sleep 0.02; done; seq 5; exit 8";
const WENT: (i32, &str) = (8, "READY\n1\n2\n3\n4\n5\n");

#[track_caller]
fn assert_went(mode: &str, output: &Output) {
    assert_eq!(
        (output.code(), output.stdout_text().as_str()),
        WENT,
        "{mode}"
    );
}

// D11
#[test]
fn a_run_that_was_stopped_and_continued_is_complete() {
    for mode in MODES {
        let env = TestEnv::new();
        let running = shell(&env, mode, WAITS_FOR_GO).spawn();
        running.wait_for_stdout(b"READY\n");
        running.signal(libc::SIGSTOP);
        wait_for_state(running.pid(), &['T']);
        env.write("work/go", "");
        running.signal(libc::SIGCONT);
        assert_went(mode, &running.wait());
    }
}

// D16: without a terminal nobody can tell what stops and what does not; in the end it must go on.
#[test]
fn a_terminal_stop_without_a_terminal_does_no_harm() {
    for mode in MODES {
        let env = TestEnv::new();
        let running = shell(&env, mode, WAITS_FOR_GO).spawn();
        running.wait_for_stdout(b"READY\n");
        for _ in 0..3 {
            running.signal(libc::SIGTSTP);
            running.signal(libc::SIGCONT);
        }
        env.write("work/go", "");
        assert_went(mode, &running.wait());
    }
}

// D13
#[test]
fn a_command_that_somebody_stopped_is_waited_for() {
    for mode in MODES {
        let env = TestEnv::new();
        let running = shell(&env, mode, &format!("echo $$ >pid; {WAITS_FOR_GO}")).spawn();
        running.wait_for_stdout(b"READY\n");
        let command = pids(&env, "pid", 1)[0];
        kill(command, Signal::STOP);
        wait_for_state(command, &['T']);
        env.write("work/go", "");
        kill(command, Signal::CONT);
        assert_went(mode, &running.wait());
    }
}

// D12
#[test]
fn children_that_aido_did_not_start_are_left_alone() {
    for mode in MODES {
        let env = TestEnv::new();
        let script = "
            (while [ ! -e first ]; do sleep 0.02; done; exit 9) >/dev/null 2>&1 & echo $! >pids
            (while [ ! -e last ]; do sleep 0.02; done; echo yes >answer) >/dev/null 2>&1 &
            exec \"$@\"";
        let inner = [
            "sh",
            "-c",
            script,
            "sh",
            AIDO,
            "--tty",
            mode,
            "sh",
            "-c",
            WAITS_FOR_GO,
        ];
        let running = env.bare(inner).before_exec(default_signals).spawn();
        running.wait_for_stdout(b"READY\n");
        let foreign = pids(&env, "pids", 1)[0];
        env.write("work/first", "");
        wait_until("one foreign child ended", || !process_is_alive(foreign));
        env.write("work/go", "");
        assert_went(mode, &running.wait());
        env.write("work/last", "");
        wait_until("the other one lives on", || read(&env, "answer") == "yes\n");
    }
}

// D15
#[test]
fn a_signal_acts_though_nobody_reads_the_output() {
    for mode in MODES {
        let env = TestEnv::new();
        let (mut reader, writer) = io::pipe().unwrap();
        let full = writer.try_clone().unwrap();
        let script = "echo $$ >pid; exec yes";
        let running = shell(&env, mode, script).stdout_file(writer).spawn();
        let command = pids(&env, "pid", 1)[0];
        wait_until("a full pipe", || {
            let mut polled = [PollFd::from_borrowed_fd(full.as_fd(), PollFlags::OUT)];
            poll(
                &mut polled,
                Some(&Timespec {
                    tv_sec: 0,
                    tv_nsec: 0,
                }),
            )
            .is_ok_and(|ready| ready == 0)
        });
        drop(full);
        running.signal(libc::SIGTERM);
        wait_until(&format!("{mode}: the command gone"), || {
            !process_is_alive(command)
        });
        // Whether aido ends before or after somebody reads what is left is its own affair.
        let mut rest = Vec::new();
        reader.read_to_end(&mut rest).unwrap();
        assert_eq!(running.wait().signal(), Some(libc::SIGTERM), "{mode}");
        assert!(contains(&rest, b"y\n"), "{mode}");
    }
}
