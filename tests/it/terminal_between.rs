//! A controlling terminal is there, but standard input or output leads elsewhere: a part of a pipeline.
//! The command stays in the caller's session and process group, and the terminal is left as it is, but for
//! a program that asks for keys.

use std::fs;
use std::os::unix::process::ExitStatusExt;

use crate::signals::waiting;
use crate::support::pty::PROMPT;
use crate::support::{TestEnv, has_program, processes_of, wait_until};

mod keys;

const MODES: [&str; 3] = ["always", "auto", "never"];

const CTRL_C: &[u8] = b"\x03";
const CTRL_Z: &[u8] = b"\x1a";
const CTRL_BACKSLASH: &[u8] = b"\x1c";

fn read(env: &TestEnv, name: &str) -> String {
    fs::read_to_string(env.work().join(name)).unwrap_or_default()
}

/// A shell line, `AIDO` standing for aido in a mode, and all that must appear on the terminal.
type Line = (&'static str, &'static str);

const LINES: &[Line] = &[
    // E15
    ("AIDO printf 'l1\\nl2\\n' | cat -e", "l1$\r\nl2$\r\n"),
    // E14
    ("AIDO seq 1 3 | AIDO cat", "1\r\n2\r\n3\r\n"),
    (
        "AIDO sh -c 'seq 1 9000' | AIDO cat | AIDO tail -n 1",
        "9000\r\n",
    ),
    // E23
    ("AIDO printf 'a\\nb\\n' </dev/null", "a\r\nb\r\n"),
    (
        "AIDO sh -c 'echo a; echo b >&2; echo c' </dev/null",
        "a\r\nb\r\nc\r\n",
    ),
    // The rest of the table's middle row
    ("printf 'one\\ntwo' | AIDO cat", "one\r\ntwo"),
    (
        "printf 'one\\ntwo\\n' | AIDO cat | cat -e",
        "one$\r\ntwo$\r\n",
    ),
    ("AIDO printf 'x\\ny\\n' >file; cat -e file", "x$\r\ny$\r\n"),
    (
        "echo old >file; AIDO echo new >>file; cat -e file",
        "old$\r\nnew$\r\n",
    ),
    (
        "AIDO sh -c 'echo out; echo err >&2' 2>file | cat -e; cat -e file",
        "out$\r\nerr$\r\n",
    ),
    (
        "AIDO sh -c 'echo out; echo err >&2' 2>&1 | cat -e",
        "out$\r\nerr$\r\n",
    ),
    ("AIDO sh -c 'echo err >&2' >/dev/null", "err\r\n"),
    ("AIDO sh -c 'exit 3' </dev/null; echo $?", "3\r\n"),
    ("echo x | AIDO sh -c 'read a; exit 4'; echo $?", "4\r\n"),
    // B09: a loop's input is not aido's
    (
        "printf '1\\n2\\n' | while read x; do AIDO echo $x; done",
        "1\r\n2\r\n",
    ),
];

// E14, E15, E23
#[test]
fn pipelines_print_what_they_print_without_aido() {
    for mode in MODES {
        for (line, expected) in LINES {
            let env = TestEnv::new();
            let mut user = env
                .terminal()
                .line(&line.replace("AIDO", &format!("aido --tty {mode}")));
            assert_eq!(user.wait_code(), 0, "{mode}: {line}");
            let printed = String::from_utf8(user.output_so_far()).unwrap();
            assert_eq!(printed, *expected, "{mode}: {line}");
            user.assert_restored(line);
        }
    }
}

// E14, E15, E23: looked at while everything runs
#[test]
fn the_terminal_is_never_raw() {
    for mode in MODES {
        for line in [
            "AIDO sh wait | cat",
            "AIDO sh wait </dev/null",
            "AIDO cat | AIDO sh wait",
            "AIDO sh wait | AIDO cat",
        ] {
            let env = TestEnv::new();
            env.write(
                "work/wait",
                "echo READY >/dev/tty; while [ ! -e go ]; do sleep 0.02; done; echo END",
            );
            let mut user = env
                .terminal()
                .line(&line.replace("AIDO", &format!("aido --tty {mode}")));
            user.wait_for("READY\r\n");
            user.assert_restored(&format!("while it runs, {mode}: {line}"));
            env.write("work/go", "");
            user.wait_for("END\r\n");
            if line.starts_with("AIDO cat") {
                // It still waits for the end of what is typed.
                user.send("\x04");
            }
            assert_eq!(user.wait_code(), 0, "{mode}: {line}");
            user.assert_restored(&format!("in the end, {mode}: {line}"));
        }
    }
}

#[test]
fn the_command_stays_in_the_session_and_the_process_group_of_its_caller() {
    if !has_program(
        "ps",
        "the_command_stays_in_the_session_and_the_process_group_of_its_caller",
    ) {
        return;
    }
    for mode in MODES {
        for redirection in ["| cat", ">/dev/null", "</dev/null"] {
            let env = TestEnv::new();
            env.write("work/who", "ps -o sid= -o pgid= -o tty= -p $$ >$1");
            let mut user = env.terminal().line(&format!(
                "ps -o sid= -o pgid= -o tty= -p $$ >outer; aido --tty {mode} sh who inner {redirection}"
            ));
            assert_eq!(user.wait_code(), 0, "{mode} {redirection}");
            assert!(!read(&env, "outer").is_empty());
            assert_eq!(
                read(&env, "inner"),
                read(&env, "outer"),
                "{mode} {redirection}"
            );
        }
    }
}

#[test]
fn the_terminal_can_be_asked_by_its_name() {
    for mode in MODES {
        let env = TestEnv::new();
        env.write(
            "work/asks",
            "printf 'name? ' >/dev/tty; read x </dev/tty; echo \"got=$x\"",
        );
        let mut user = env
            .terminal()
            .line(&format!("aido --tty {mode} sh asks | cat -e"));
        user.wait_for("name? ");
        user.send("word\n");
        user.wait_for("got=word$\r\n");
        assert_eq!(user.wait_code(), 0, "{mode}");
        assert_eq!(
            user.output_so_far(),
            b"name? word\r\ngot=word$\r\n",
            "{mode}: echoed once"
        );
    }
}

#[test]
fn ctrl_c_stops_a_pipeline_and_the_script_around_it() {
    for mode in MODES {
        for line in [
            "AIDO sh sleeps | sh reads",
            "AIDO sh sleeps >file",
            "sh reads | AIDO sh sleeps",
            "AIDO sh sleeps | AIDO sh reads",
        ] {
            let env = TestEnv::new();
            env.write("work/sleeps", "echo READY >/dev/tty; exec sleep 300");
            env.write("work/reads", "echo READER >/dev/tty; exec cat");
            let script =
                format!("{line}; echo AFTER").replace("AIDO", &format!("aido --tty {mode}"));
            let mut user = env.terminal().run(["bash", "-c", &script]);
            // A key that comes before the shell has started the last of them stops only the others,
            // with aido or without.
            wait_until("all have started", || {
                user.count("READY") == 1 && user.count("READER") == line.matches("reads").count()
            });
            user.send(CTRL_C);
            let status = user.wait_exit();
            assert_eq!(
                status.signal(),
                Some(libc::SIGINT),
                "{mode}: {line}: {status}"
            );
            assert_eq!(user.count("AFTER"), 0, "{mode}: {line}");
            user.assert_restored(line);
            wait_until("nothing left running", || {
                processes_of(&env.home()).is_empty()
            });
        }
    }
}

// D10 on a terminal: the kernel has told the command already
#[test]
fn ctrl_c_reaches_the_command_once() {
    for mode in MODES {
        let env = TestEnv::new();
        env.write(
            "work/diary-keeper",
            &waiting("trap 'echo INT >>diary' INT; trap 'echo QUIT >>diary; end 42' QUIT")
                .replace("READY", "READY >/dev/tty"),
        );
        let line = format!("trap : INT QUIT; aido --tty {mode} sh diary-keeper >file; echo rc=$?");
        let mut user = env.terminal().line(&line);
        user.wait_for("READY\r\n");
        for times in 1..=2 {
            user.send(CTRL_C);
            wait_until(&format!("{mode}: Ctrl-C"), || {
                read(&env, "diary").len() >= 4 * times
            });
        }
        user.send(CTRL_BACKSLASH);
        user.wait_for("rc=42\r\n");
        assert_eq!(user.wait_code(), 0, "{mode}");
        assert_eq!(read(&env, "diary"), "INT\nINT\nQUIT\n", "{mode}");
    }
}

#[test]
fn ctrl_z_suspends_a_pipeline_and_fg_resumes_it() {
    if !has_program("bash", "ctrl_z_suspends_a_pipeline_and_fg_resumes_it") {
        return;
    }
    for mode in MODES {
        for line in [
            "AIDO sh asks | cat",
            "AIDO sh asks | AIDO cat",
            "echo | AIDO sh asks",
        ] {
            let env = TestEnv::new();
            env.write(
                "work/asks",
                "echo READY >/dev/tty; read x </dev/tty; echo \"got=$x\"; echo bye >/dev/tty",
            );
            let line = line.replace("AIDO", &format!("aido --tty {mode}"));
            let mut user = env.terminal().shell();
            user.send(format!("{line}\n"));
            user.wait_for("READY\r\n");
            user.send(CTRL_Z);
            user.wait_for("Stopped");
            user.wait_for(PROMPT);
            user.assert_restored(&line);
            user.send("jobs; echo known-$((20+3))\n");
            user.wait_for("Stopped");
            user.wait_for("known-23\r\n");
            user.wait_for(PROMPT);
            user.send("fg\n");
            user.wait_for(line.rsplit("| ").next().unwrap());
            user.send("word\n");
            user.wait_for("got=word\r\n");
            user.wait_for(PROMPT);
            assert_eq!(user.count("bye\r\n"), 1, "{line}");
            user.assert_restored(&line);
            user.send("exit 0\n");
            assert_eq!(user.wait_code(), 0, "{line}");
        }
    }
}

/// What a shell line prints on a terminal.
#[track_caller]
fn printed(env: &TestEnv, line: &str) -> String {
    let mut user = env.terminal().line(line);
    assert_eq!(user.wait_code(), 0, "{line}");
    String::from_utf8(user.output_so_far()).unwrap()
}

#[test]
fn the_terminal_keeps_its_name_and_pagers_are_cat_in_always() {
    let env = TestEnv::new();
    let variables = "TERM PAGER GIT_PAGER MANPAGER GIT_TERMINAL_PROMPT COLUMNS LINES";
    env.write(
        "work/tells",
        &format!("for name in {variables}; do eval \"echo \\${{$name-unset}}\"; done"),
    );
    let tells = |before: &str, mode: &str| {
        printed(
            &env,
            &format!("{before} aido --tty {mode} sh tells | tr '\\n' ' '"),
        )
    };
    assert_eq!(
        tells("", "always"),
        "xterm-256color cat cat cat unset unset unset "
    );
    assert_eq!(
        tells("PAGER=more", "always"),
        "xterm-256color more cat cat unset unset unset "
    );
    assert_eq!(
        tells("", "auto"),
        "xterm-256color unset unset unset unset unset unset "
    );
}

#[test]
fn auto_gives_a_terminal_only_where_the_caller_has_one() {
    let env = TestEnv::new();
    env.write(
        "work/tells",
        "for stream in 0 1 2; do
            if [ -t $stream ]; then set -- \"$@\" terminal; else set -- \"$@\" other; fi
        done; printf '%s\\n' \"$@\" >/dev/tty",
    );
    for (line, auto, always) in [
        (
            "AIDO sh tells | cat",
            [true, false, true],
            [true, true, true],
        ),
        (
            "AIDO sh tells >file",
            [true, false, true],
            [true, true, true],
        ),
        (
            "AIDO sh tells </dev/null",
            [false, true, true],
            [false, true, true],
        ),
        (
            "echo | AIDO sh tells",
            [false, true, true],
            [false, true, true],
        ),
        (
            "AIDO sh tells 2>file | cat",
            [true, false, false],
            [true, true, true],
        ),
        ("AIDO sh tells", [true, true, true], [true, true, true]),
        (
            "AIDO sh tells 2>file",
            [true, true, false],
            [true, true, true],
        ),
    ] {
        for (mode, expected) in [("auto", auto), ("always", always)] {
            let expected = expected
                .map(|is| if is { "terminal\r\n" } else { "other\r\n" })
                .concat();
            let line = line.replace("AIDO", &format!("aido --tty {mode}"));
            assert_eq!(printed(&env, &line), expected, "{line}");
        }
    }
}

#[test]
fn never_gives_pipes_even_on_a_terminal() {
    let env = TestEnv::new();
    let script = "[ -t 1 ] || echo pipe; [ -t 2 ] || echo pipe >&2";
    let mut user = env.terminal().aido("never", ["sh", "-c", script]);
    assert_eq!(user.wait_code(), 0);
    assert_eq!(user.output_so_far(), b"pipe\r\npipe\r\n");
    user.assert_restored("never");
}

#[test]
fn keys_work_in_never_on_a_terminal() {
    let env = TestEnv::new();
    let script = "echo READY; read x; echo got=$x; exec sleep 300";
    let mut user = env.terminal().aido("never", ["sh", "-c", script]);
    user.wait_for("READY\r\n");
    user.send("word\n");
    user.wait_for("got=word\r\n");
    user.send(CTRL_C);
    assert_eq!(user.wait_code(), 130);
    assert_eq!(user.output_so_far(), b"READY\r\nword\r\ngot=word\r\n^C");
    user.assert_restored("never");
}
