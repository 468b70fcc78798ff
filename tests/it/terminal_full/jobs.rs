//! Job control: aido as a job of an interactive shell, and such a shell inside aido.

use super::MODES;
use crate::signals::pids;
use crate::support::pty::{PROMPT, PtySession};
use crate::support::{TestEnv, has_program, processes_of, wait_until};

const CTRL_Z: &[u8] = b"\x1a";

/// Asks for two words on the terminal. The line that starts it shows none of its output.
const ASKS: &str = "echo READY; read a; echo \"first=$a\"; read b; echo \"second=$b\"; exit 6";

/// An interactive shell on a terminal, in a place that has the script `asks`.
fn shell(env: &TestEnv) -> Option<PtySession> {
    env.write("work/asks", ASKS);
    has_program("bash", "job control").then(|| env.terminal().shell())
}

/// Types a line at the prompt and waits until its echo has passed.
fn enter(user: &mut PtySession, line: &str) {
    user.send(format!("{line}\n"));
    user.wait_for(format!("{line}\r\n"));
}

/// Suspends the foreground job: the shell must be back, on a sane terminal, and know the job.
fn suspend(user: &mut PtySession, job: &str, what: &str) {
    user.send(CTRL_Z);
    user.wait_for("Stopped");
    user.wait_for(PROMPT);
    user.assert_restored(what);
    enter(user, "jobs; echo known-$((20+3))");
    user.wait_for("Stopped");
    user.wait_for(job);
    user.wait_for("known-23\r\n");
    user.wait_for(PROMPT);
}

/// Ends the shell; nothing may be left of it.
fn leave(mut user: PtySession, env: &TestEnv) {
    enter(&mut user, "exit 0");
    assert_eq!(user.wait_code(), 0);
    wait_until("nothing left running", || {
        processes_of(&env.home()).is_empty()
    });
}

// E09, twice in one run
#[test]
fn ctrl_z_suspends_to_the_shell_and_fg_resumes() {
    for mode in MODES {
        let env = TestEnv::new();
        let Some(mut user) = shell(&env) else { return };
        let job = format!("aido --tty {mode} sh asks");
        enter(&mut user, &job);
        user.wait_for("READY\r\n");
        suspend(&mut user, &job, mode);
        enter(&mut user, "fg");
        user.wait_for(&job);
        user.send("word\n");
        user.wait_for("first=word\r\n");
        suspend(&mut user, &job, mode);
        enter(&mut user, "fg");
        user.wait_for(&job);
        user.send("more\n");
        user.wait_for("second=more\r\n");
        user.wait_for(PROMPT);
        user.assert_restored(mode);
        enter(&mut user, "echo status-$?-");
        user.wait_for("status-6-\r\n");
        leave(user, &env);
    }
}

// E13
#[test]
fn a_background_job_is_not_stopped_and_leaves_the_terminal_alone() {
    for mode in MODES {
        let env = TestEnv::new();
        env.write(
            "work/says",
            "echo bg-$((40+2)); echo err-$((40+2)) >&2; exit 5",
        );
        let Some(mut user) = shell(&env) else { return };
        enter(
            &mut user,
            &format!("aido --tty {mode} sh says & wait $!; echo status-$?-"),
        );
        user.wait_for("status-5-\r\n");
        user.wait_for(PROMPT);
        user.assert_restored(mode);
        assert_eq!(
            (user.count("bg-42\r\n"), user.count("err-42\r\n")),
            (1, 1),
            "{mode}"
        );
        assert_eq!(user.count("\r\r\n"), 0, "{mode}: one CRLF each");
        enter(&mut user, "echo next-$((20+3))");
        user.wait_for("next-23\r\n");
        leave(user, &env);
    }
}

// E13, and then to the foreground; it reads when it is there, for without aido it would be stopped
#[test]
fn a_background_job_can_be_brought_to_the_foreground() {
    for mode in MODES {
        let env = TestEnv::new();
        let waits = "echo READY; while [ ! -e go ]; do sleep 0.02; done";
        env.write(
            "work/lingers",
            &format!("{waits}; read a; echo \"first=$a\""),
        );
        let Some(mut user) = shell(&env) else { return };
        let job = format!("aido --tty {mode} sh lingers");
        enter(&mut user, &format!("{job} & echo $! >job"));
        user.wait_for("READY\r\n");
        user.assert_restored(mode);
        let group = pids(&env, "job", 1)[0];
        enter(&mut user, "fg");
        user.wait_for(&job);
        wait_until("the job in the foreground", || {
            user.foreground_group() == group
        });
        env.write("work/go", "");
        user.send("word\n");
        user.wait_for("first=word\r\n");
        user.wait_for(PROMPT);
        user.assert_restored(mode);
        leave(user, &env);
    }
}

/// Started by a shell that edits lines, which has the terminal raw meanwhile.
#[test]
fn a_background_job_has_the_settings_of_the_terminal_once_it_is_in_front() {
    for mode in ["always", "auto"] {
        let env = TestEnv::new();
        if !has_program("bash", "a_background_job_has_the_settings_of_the_terminal") {
            return;
        }
        let asks = "while [ ! -e go ]; do sleep 0.02; done
            stty -a | grep -oE '[-]?(icanon|echo|icrnl)\\b' | tr '\\n' ' '; echo; read a; echo \"first=$a\"";
        env.write("work/lingers", asks);
        let starts =
            format!("while [ ! -e start ]; do sleep 0.02; done; exec aido --tty {mode} sh lingers");
        env.write("work/starts", &starts);
        let terminal = env
            .terminal()
            .env("PS1", std::str::from_utf8(PROMPT).unwrap());
        let terminal = terminal.env("INPUTRC", "/dev/null");
        let mut user = terminal.run(["bash", "--norc", "--noprofile", "-i"]);
        user.wait_for(PROMPT);
        user.send("sh starts & echo $! >job\r");
        user.wait_for(PROMPT);
        let group = pids(&env, "job", 1)[0];
        env.write("work/start", "");
        wait_until("it runs", || !env.transcripts().is_empty());
        user.send("fg\r");
        wait_until("the job in the foreground", || {
            user.foreground_group() == group
        });
        // The shell has put the terminal back by then, and aido changes it again.
        wait_until("the terminal is aido's", || {
            user.attributes() != *user.attributes_before()
        });
        env.write("work/go", "");
        user.wait_for("icrnl icanon echo \r\n");
        user.send("word\r");
        user.wait_for("word\r\nfirst=word\r\n");
        user.wait_for(PROMPT);
        user.send("exit 0\r");
        assert_eq!(user.wait_code(), 0, "{mode}");
    }
}

#[test]
fn what_a_command_prints_before_it_stops_is_shown_before_the_shells_prompt() {
    let tails = "for turn in 1 2 3 4 5; do
        head -c 30000 /dev/zero | tr '\\0' x; echo TAIL-$turn; kill -TSTP 0
    done";
    for mode in MODES {
        for before in ["", "echo | "] {
            let env = TestEnv::new();
            env.write("work/tails", tails);
            let Some(mut user) = shell(&env) else { return };
            let job = format!("{before}aido --tty {mode} sh tails");
            enter(&mut user, &job);
            for turn in 1..=5 {
                user.wait_for(format!("TAIL-{turn}\r\n"));
                user.wait_for("Stopped");
                user.wait_for(PROMPT);
                user.send("fg\n");
                user.wait_for("sh tails\r\n");
            }
            user.wait_for(PROMPT);
            leave(user, &env);
        }
    }
}

// E20
#[test]
fn a_shell_inside_aido_has_job_control_of_its_own() {
    for mode in MODES {
        let env = TestEnv::new();
        if !has_program("bash", "a_shell_inside_aido_has_job_control_of_its_own") {
            return;
        }
        env.write("work/asks", ASKS);
        let terminal = env
            .terminal()
            .env("PS1", std::str::from_utf8(PROMPT).unwrap());
        let inner = ["bash", "--norc", "--noprofile", "--noediting", "-i"];
        let mut user = terminal.aido(mode, inner);
        user.wait_for(PROMPT);
        assert_eq!(user.count("no job control"), 0, "{mode}");
        enter(&mut user, "sh asks");
        user.wait_for("READY\r\n");
        user.send(CTRL_Z);
        user.wait_for("Stopped");
        user.wait_for(PROMPT);
        enter(&mut user, "fg");
        user.wait_for("sh asks");
        user.send("word\n");
        user.wait_for("first=word\r\n");
        user.send("\x03");
        user.wait_for(PROMPT);
        enter(&mut user, "exit 5");
        assert_eq!(user.wait_code(), 5, "{mode}");
        user.assert_restored(mode);
    }
}

// E09 with line editing, where the shell itself changes the terminal at each prompt
#[test]
fn a_shell_with_line_editing_gets_its_terminal_back() {
    for mode in MODES {
        let env = TestEnv::new();
        if !has_program("bash", "a_shell_with_line_editing_gets_its_terminal_back") {
            return;
        }
        env.write("work/asks", ASKS);
        let terminal = env
            .terminal()
            .env("PS1", std::str::from_utf8(PROMPT).unwrap());
        let mut user =
            terminal
                .env("INPUTRC", "/dev/null")
                .run(["bash", "--norc", "--noprofile", "-i"]);
        user.wait_for(PROMPT);
        user.send(format!("aido --tty {mode} sh asks\r"));
        user.wait_for("READY\r\n");
        user.send(CTRL_Z);
        user.wait_for("Stopped");
        user.wait_for(PROMPT);
        user.send("echo edited-$((20+4\x7f3))\r");
        user.wait_for("edited-23\r\n");
        user.wait_for(PROMPT);
        user.send("fg\r");
        user.wait_for("sh asks\r\n");
        user.send("one\ntwo\n");
        user.wait_for("second=two\r\n");
        user.wait_for(PROMPT);
        user.send("exit 0\r");
        assert_eq!(user.wait_code(), 0, "{mode}");
    }
}
