//! Standard input and output are a terminal: aido must be a clear pane of glass in front of it.

use std::fs::{self, File};

use rustix::process::{Pid, Signal, kill_process};
use rustix::termios::{InputModes, SpecialCodeIndex};
use serde_json::Value;

use crate::signals::waiting;
use crate::support::pty::PtySession;
use crate::support::{TestEnv, contains, has_program, wait_until};

mod endings;
mod jobs;

/// In both modes the command has the caller's terminal.
const MODES: [&str; 2] = ["always", "auto"];

const CTRL_C: &[u8] = b"\x03";
const CTRL_D: &[u8] = b"\x04";
const CTRL_BACKSLASH: &[u8] = b"\x1c";

fn signal(session: &PtySession, signal: Signal) {
    kill_process(Pid::from_raw(session.pid()).unwrap(), signal).unwrap();
}

fn read(env: &TestEnv, name: &str) -> String {
    fs::read_to_string(env.work().join(name)).unwrap_or_default()
}

/// Whether each of these numbers is somewhere in a record.
fn has_numbers(record: &Value, numbers: &[u64]) -> bool {
    fn holds(record: &Value, number: u64) -> bool {
        match record {
            Value::Array(items) => items.iter().any(|item| holds(item, number)),
            Value::Object(fields) => fields.values().any(|field| holds(field, number)),
            other => other.as_u64() == Some(number),
        }
    }
    numbers.iter().all(|&number| holds(record, number))
}

// E01, and the sidecar
#[test]
fn the_command_has_the_size_of_the_window() {
    for mode in MODES {
        let env = TestEnv::new();
        let mut user = env.terminal().size(101, 33).aido(mode, ["stty", "size"]);
        assert_eq!(user.wait_code(), 0, "{mode}");
        assert_eq!(user.output_so_far(), b"33 101\r\n", "{mode}");
        let tty = &env.only_session().meta["tty"];
        assert!(has_numbers(tty, &[101, 33]), "{mode}: {tty}");
    }
}

// E02, and the events
#[test]
fn a_resize_reaches_the_command_and_the_recording() {
    for mode in MODES {
        let env = TestEnv::new();
        let script = waiting("trap 'stty size' WINCH; trap 'end 5' TERM");
        let mut user = env.terminal().aido(mode, ["sh", "-c", &script]);
        user.wait_for("READY\r\n");
        user.resize(132, 40);
        user.wait_for("40 132\r\n");
        user.resize(7, 3);
        user.wait_for("3 7\r\n");
        signal(&user, Signal::TERM);
        assert_eq!(user.wait_code(), 5, "{mode}");
        let events = env.only_session().events;
        for size in [[132, 40], [7, 3]] {
            let mut events = events.iter();
            let found =
                events.any(|it| it.to_string().contains("resize") && has_numbers(it, &size));
            assert!(found, "{mode}: no resize to {size:?}");
        }
    }
}

// E03
#[test]
fn the_terminal_is_raw_while_a_command_runs() {
    for mode in MODES {
        let env = TestEnv::new();
        let mut user = env
            .terminal()
            .aido(mode, ["sh", "-c", "echo READY; read x"]);
        user.wait_for("READY\r\n");
        wait_until(&format!("{mode}: a raw terminal"), || {
            user.attributes().is_raw()
        });
        user.send("\n");
        assert_eq!(user.wait_code(), 0, "{mode}");
        user.assert_restored(mode);
    }
}

// E06
#[test]
fn typing_is_echoed_once() {
    for mode in MODES {
        let env = TestEnv::new();
        let mut user = env
            .terminal()
            .aido(mode, ["sh", "-c", "echo READY; exec cat"]);
        user.wait_for("READY\r\n");
        user.send("hello\n");
        user.wait_for("hello\r\nhello\r\n");
        user.send(CTRL_D);
        assert_eq!(user.wait_code(), 0, "{mode}");
        assert_eq!(
            user.output_so_far(),
            b"READY\r\nhello\r\nhello\r\n",
            "{mode}"
        );
    }
}

// E07
#[test]
fn ctrl_c_reaches_the_command_once_and_its_status_counts() {
    for mode in MODES {
        let env = TestEnv::new();
        let script = waiting("trap 'echo INT >>diary' INT; trap 'echo QUIT >>diary; end 42' QUIT");
        let mut user = env.terminal().aido(mode, ["sh", "-c", &script]);
        user.wait_for("READY\r\n");
        for times in 1..=2 {
            user.send(CTRL_C);
            wait_until(&format!("{mode}: Ctrl-C"), || {
                read(&env, "diary").len() >= 4 * times
            });
        }
        user.send(CTRL_BACKSLASH);
        assert_eq!(user.wait_code(), 42, "{mode}");
        assert_eq!(read(&env, "diary"), "INT\nINT\nQUIT\n", "{mode}");
        user.assert_restored(mode);
    }
}

// E24
#[test]
fn ctrl_c_works_after_a_signal_that_was_ignored() {
    for mode in MODES {
        let env = TestEnv::new();
        let script = waiting("trap '' TERM; trap 'echo STILL-HERE' USR1; trap 'end 9' INT");
        let mut user = env.terminal().aido(mode, ["sh", "-c", &script]);
        user.wait_for("READY\r\n");
        signal(&user, Signal::TERM);
        signal(&user, Signal::USR1);
        user.wait_for("STILL-HERE\r\n");
        user.send(CTRL_C);
        assert_eq!(user.wait_code(), 9, "{mode}");
        user.assert_restored(mode);
    }
}

// E10
#[test]
fn every_byte_that_is_typed_reaches_a_raw_program() {
    for mode in MODES {
        let env = TestEnv::new();
        let script = "stty raw -echo; echo READY; head -c 256 >typed; stty sane; echo DONE";
        let mut user = env.terminal().aido(mode, ["sh", "-c", script]);
        user.wait_for("READY");
        let bytes: Vec<u8> = (0..=255).collect();
        user.send(&bytes);
        user.wait_for("DONE");
        assert_eq!(user.wait_code(), 0, "{mode}");
        assert_eq!(fs::read(env.work().join("typed")).unwrap(), bytes, "{mode}");
    }
}

// E11
#[test]
fn the_settings_of_the_terminal_are_copied() {
    for mode in MODES {
        let env = TestEnv::new();
        let terminal = env.terminal().settings(|settings| {
            settings.special_codes[SpecialCodeIndex::VERASE] = 8;
            settings.special_codes[SpecialCodeIndex::VINTR] = 5;
            settings.input_modes.insert(InputModes::IUTF8);
            settings.input_modes.remove(InputModes::IXON);
        });
        let mut user = terminal.aido(mode, ["stty", "-a"]);
        assert_eq!(user.wait_code(), 0, "{mode}");
        let shown = String::from_utf8(user.output_so_far()).unwrap();
        for setting in ["erase = ^H", "intr = ^E", " iutf8", "-ixon"] {
            assert!(shown.contains(setting), "{mode}: no {setting} in {shown}");
        }
        user.assert_restored(mode);
    }
}

// E12
#[test]
fn a_password_is_neither_shown_nor_recorded() {
    for mode in MODES {
        let env = TestEnv::new();
        let script = "stty -echo; printf 'PW: '; read word; stty echo; echo; echo \"len ${#word}\"";
        let mut user = env.terminal().aido(mode, ["sh", "-c", script]);
        user.wait_for("PW: ");
        user.send("s3cr3t-pw\n");
        user.wait_for("len 9\r\n");
        assert_eq!(user.wait_code(), 0, "{mode}");
        assert_eq!(user.output_so_far(), b"PW: \r\nlen 9\r\n", "{mode}");
        for file in crate::support::files_below(&env.path("")) {
            let holds_it = contains(&fs::read(&file).unwrap(), b"s3cr3t");
            assert!(!holds_it, "{mode}: the password is in {}", file.display());
        }
        user.assert_restored(mode);
    }
}

// E17
#[test]
fn lines_end_in_exactly_one_crlf() {
    for mode in MODES {
        let env = TestEnv::new();
        let mut user = env
            .terminal()
            .aido(mode, ["sh", "-c", "printf 'a\\nb\\n'; printf 'c\\nd' >&2"]);
        assert_eq!(user.wait_code(), 0, "{mode}");
        assert_eq!(user.output_so_far(), b"a\r\nb\r\nc\r\nd", "{mode}");
    }
}

// E18: typed before aido has even started, and again before the command reads
#[test]
fn what_is_typed_ahead_is_kept_in_order() {
    for mode in MODES {
        let env = TestEnv::new();
        let script = "echo READY; while [ ! -e go ]; do sleep 0.02; done
            read a; read b; read c; echo \"=$a-$b-$c=\"";
        let mut user = env.terminal().aido(mode, ["sh", "-c", script]);
        user.send("one\ntwo\n");
        user.wait_for("READY\r\n");
        user.send("three\n");
        env.write("work/go", "");
        user.wait_for("=one-two-three=\r\n");
        assert_eq!(user.wait_code(), 0, "{mode}");
    }
}

// E22
#[test]
fn an_editor_draws_writes_and_quits() {
    if !has_program("vim", "an_editor_draws_writes_and_quits") {
        return;
    }
    for mode in MODES {
        let env = TestEnv::new();
        env.write("work/file", "some text\n");
        let mut user = env
            .terminal()
            .size(90, 30)
            .aido(mode, ["vim", "-u", "NONE", "-N", "file"]);
        user.wait_for("some text");
        user.send(":set lines?\r");
        user.wait_for("lines=30");
        user.send(":set columns?\r");
        user.wait_for("columns=90");
        user.send("ggOedited\x1b:wq\r");
        assert_eq!(user.wait_code(), 0, "{mode}");
        assert_eq!(read(&env, "file"), "edited\nsome text\n", "{mode}");
        user.assert_restored(mode);
    }
}

// E25: timeout(1) makes itself, and so aido, a background process group
#[test]
fn under_timeout_aido_is_not_stopped() {
    if !has_program("timeout", "under_timeout_aido_is_not_stopped") {
        return;
    }
    for mode in MODES {
        let env = TestEnv::new();
        let command = format!("timeout 60 aido --tty {mode} sh -c 'echo hello; exit 4'");
        let mut user = env.terminal().line(&format!("{command}; echo rc=$?"));
        assert_eq!(user.wait_code(), 0, "{mode}");
        assert_eq!(user.output_so_far(), b"hello\r\nrc=4\r\n", "{mode}");
        user.assert_restored(mode);
    }
}

#[test]
fn the_terminal_keeps_its_name_and_programs_their_pagers() {
    for mode in MODES {
        let env = TestEnv::new();
        let script =
            "echo \"$TERM ${PAGER-unset} ${GIT_PAGER-unset} ${GIT_TERMINAL_PROMPT-unset}\"";
        let mut user = env.terminal().aido(mode, ["sh", "-c", script]);
        assert_eq!(user.wait_code(), 0, "{mode}");
        assert_eq!(
            user.output_so_far(),
            b"xterm-256color unset unset unset\r\n",
            "{mode}"
        );
    }
}

// C09 on a terminal
#[test]
fn standard_error_in_a_file_is_a_stream_of_its_own() {
    for mode in MODES {
        let env = TestEnv::new();
        let file = File::create(env.work().join("error")).unwrap();
        let script = "echo out; echo err >&2; echo more >&2";
        let mut user = env.terminal().stderr(file).aido(mode, ["sh", "-c", script]);
        assert_eq!(user.wait_code(), 0, "{mode}");
        assert_eq!(user.output_so_far(), b"out\r\n", "{mode}");
        assert_eq!(read(&env, "error"), "err\nmore\n", "{mode}");
        let meta = env.only_session().meta;
        assert_eq!(meta["streams"], "split", "{mode}");
        assert_eq!(
            meta["stderr_head"].as_str().map(str::trim_end),
            Some("err\nmore"),
            "{mode}"
        );
    }
}
