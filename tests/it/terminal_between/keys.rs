//! Standard input is a pipe, and a program reads keys from the terminal that its output goes to, as `less`
//! does: `seq 100 | aido less`.

use std::os::unix::process::ExitStatusExt;

use rustix::process::{Pid, Signal, kill_process_group};

use super::{CTRL_C, CTRL_Z};
use crate::support::pty::{PROMPT, PtySession};
use crate::support::{TestEnv, has_program, processes_of, wait_until};

/// Those that give the command a terminal for its output.
const MODES: [&str; 2] = ["always", "auto"];

/// Takes one key as it is typed, from standard error, and shows what it was.
const ASKS: &str = "\
before=$(stty -g <&2); stty -icanon -echo min 1 time 0 <&2
echo READY; key=$(head -c 1 <&2); stty $before <&2
echo \"key=$key\"; cat; exit 4";

/// Waits until the terminal gives single keys, as the program wants them.
fn wait_for_single_keys(user: &PtySession, what: &str) {
    wait_until(&format!("single keys: {what}"), || {
        user.attributes() != *user.attributes_before()
    });
}

#[test]
fn a_key_reaches_a_program_that_reads_its_output_terminal() {
    for mode in MODES {
        let env = TestEnv::new();
        env.write("work/asks", ASKS);
        let line = format!("echo piped | aido --tty {mode} sh asks; echo rc=$?");
        let mut user = env.terminal().line(&line);
        user.wait_for("READY\r\n");
        wait_for_single_keys(&user, mode);
        user.send("k");
        user.wait_for("rc=4\r\n");
        assert_eq!(user.wait_code(), 0, "{mode}");
        let printed = String::from_utf8(user.output_so_far()).unwrap();
        assert_eq!(printed, "READY\r\nkey=k\r\npiped\r\nrc=4\r\n", "{mode}");
        user.assert_restored(mode);
        assert_eq!(env.only_session().output(), b"READY\nkey=k\npiped\n");
    }
}

#[test]
fn keys_are_given_back_when_the_program_wants_no_more() {
    for mode in MODES {
        let env = TestEnv::new();
        let rest = "; echo AGAIN; read line </dev/tty; echo line=$line";
        env.write("work/asks", &ASKS.replace("; cat; exit 4", rest));
        let line = format!("echo piped | aido --tty {mode} sh asks");
        let mut user = env.terminal().line(&line);
        user.wait_for("READY\r\n");
        wait_for_single_keys(&user, mode);
        user.send("k");
        user.wait_for("AGAIN\r\n");
        wait_until(&format!("{mode}: whole lines"), || {
            user.attributes() == *user.attributes_before()
        });
        user.send("word\n");
        user.wait_for("word\r\nline=word\r\n");
        assert_eq!(user.wait_code(), 0, "{mode}");
        user.assert_restored(mode);
    }
}

#[test]
fn a_program_that_opened_the_terminal_itself_reads_its_keys_there() {
    for mode in MODES {
        let env = TestEnv::new();
        let asks = ASKS.replace("head -c 1 <&2", "head -c 1 <&3");
        env.write("work/asks", &format!("exec 3</dev/tty\n{asks}"));
        let line = format!("echo piped | aido --tty {mode} sh asks; echo rc=$?");
        let mut user = env.terminal().line(&line);
        user.wait_for("READY\r\n");
        wait_for_single_keys(&user, mode);
        user.send("k");
        user.wait_for("key=k\r\n");
        user.wait_for("rc=4\r\n");
        assert_eq!(user.wait_code(), 0, "{mode}");
        user.assert_restored(mode);
    }
}

#[test]
fn ctrl_c_ends_such_a_program_and_the_script_around_it() {
    for mode in MODES {
        let env = TestEnv::new();
        env.write("work/asks", ASKS);
        let script = format!("echo piped | aido --tty {mode} sh asks; echo AFTER");
        let mut user = env.terminal().run(["bash", "-c", &script]);
        user.wait_for("READY\r\n");
        wait_for_single_keys(&user, mode);
        user.send(CTRL_C);
        let status = user.wait_exit();
        assert_eq!(status.signal(), Some(libc::SIGINT), "{mode}: {status}");
        assert_eq!(user.count("AFTER"), 0, "{mode}");
        user.assert_restored(mode);
        wait_until("nothing left running", || {
            processes_of(&env.home()).is_empty()
        });
    }
}

#[test]
fn ctrl_z_gives_the_terminal_to_the_shell_and_fg_back_to_such_a_program() {
    let test = "ctrl_z_gives_the_terminal_to_the_shell_and_fg_back_to_such_a_program";
    if !has_program("bash", test) {
        return;
    }
    for (mode, by_key) in [("always", true), ("auto", true), ("always", false)] {
        let env = TestEnv::new();
        env.write("work/asks", ASKS);
        let mut user = env.terminal().shell();
        let line = format!("echo piped | aido --tty {mode} sh asks");
        user.send(format!("{line}\n"));
        user.wait_for("READY\r\n");
        wait_for_single_keys(&user, mode);
        match by_key {
            true => user.send(CTRL_Z),
            // Nothing can do anything before it stops.
            false => {
                let group = Pid::from_raw(user.foreground_group()).unwrap();
                kill_process_group(group, Signal::STOP).unwrap();
            }
        }
        user.wait_for("Stopped");
        user.wait_for(PROMPT);
        user.assert_restored(mode);
        user.send("fg\n");
        user.wait_for("sh asks\r\n");
        wait_for_single_keys(&user, mode);
        user.send("k");
        user.wait_for("key=k\r\n");
        user.wait_for(PROMPT);
        user.assert_restored(mode);
        user.send("exit 0\n");
        assert_eq!(user.wait_code(), 0, "{mode}");
    }
}
