//! One test for each bug that got as far as a working tree.

use std::fs;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::{Pid, Signal, geteuid, kill_process};
use rustix::termios::OutputModes;

use crate::recording::assert_sound;
use crate::signals::pids;
use crate::support::pty::{PROMPT, PtySession, default_signals};
use crate::support::{
    AIDO, FORKS, MODES, TestEnv, contains, descendants, has_program, process_is_alive,
    processes_of, recorded_in, skipped, wait_until,
};

/// The modes in which a command has the caller's terminal.
const AT_TERMINAL: [&str; 2] = ["always", "auto"];

const CTRL_C: &[u8] = b"\x03";

/// Whether a write would have to wait.
fn is_full(target: impl AsFd) -> bool {
    let target = target.as_fd();
    let mut polled = [PollFd::from_borrowed_fd(target, PollFlags::OUT)];
    let now = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    poll(&mut polled, Some(&now)).is_ok_and(|ready| ready == 0)
}

/// aido in front of a command that floods a terminal which takes no more.
fn stuck(env: &TestEnv, mode: &str, options: &[&str]) -> PtySession {
    let words = [options, &["sh", "-c", "echo READY; exec yes"]].concat();
    let mut user = env.terminal().aido(mode, words);
    user.wait_for("READY\r\n");
    user.stop_reading();
    user
}

/// Waits until nothing gets through any more.
fn wait_for_jam(env: &TestEnv) {
    let mut seen = (0, 0);
    wait_until("a terminal that is full", || {
        let recorded = env.transcripts();
        let length = recorded
            .first()
            .map_or(0, |path| fs::metadata(path).map_or(0, |it| it.len()));
        seen = match seen {
            (known, times) if known == length && length > 0 => (known, times + 1),
            _ => (length, 0),
        };
        seen.1 >= 40
    });
}

#[test]
fn a_key_ends_a_command_whose_terminal_takes_no_more() {
    for mode in AT_TERMINAL {
        let env = TestEnv::new();
        let mut user = stuck(&env, mode, &[]);
        wait_for_jam(&env);
        user.send(CTRL_C);
        let status = user.wait_exit();
        assert_eq!(status.signal(), Some(libc::SIGINT), "{mode}: {status}");
        assert_eq!(env.only_session().meta["signal"], "SIGINT", "{mode}");
        wait_until("nothing left running", || {
            processes_of(&env.home()).is_empty()
        });
    }
}

#[test]
fn a_signal_ends_a_command_whose_terminal_takes_no_more() {
    for mode in AT_TERMINAL {
        let env = TestEnv::new();
        let mut user = stuck(&env, mode, &[]);
        wait_for_jam(&env);
        kill_process(Pid::from_raw(user.pid()).unwrap(), Signal::TERM).unwrap();
        let status = user.wait_exit();
        assert_eq!(status.signal(), Some(libc::SIGTERM), "{mode}: {status}");
        wait_until("nothing left running", || {
            processes_of(&env.home()).is_empty()
        });
    }
}

#[test]
fn a_time_limit_ends_a_command_whose_terminal_takes_no_more() {
    for mode in AT_TERMINAL {
        let env = TestEnv::new();
        let mut user = stuck(&env, mode, &["--timeout", "1s"]);
        assert_eq!(user.wait_code(), 124, "{mode}");
        wait_until("nothing left running", || {
            processes_of(&env.home()).is_empty()
        });
    }
}

#[test]
fn a_terminal_that_vanishes_is_the_end_though_the_hang_up_is_ignored() {
    for mode in AT_TERMINAL {
        for line in ["exec AIDO cat", "AIDO cat; exit $?"] {
            let env = TestEnv::new();
            let line = line.replace("AIDO", &format!("aido --tty {mode}"));
            let line = format!("trap '' HUP; {line}");
            let mut user = env.terminal().run(["sh", "-c", &line]);
            user.send("hello\n");
            user.wait_for("hello\r\nhello\r\n");
            user.close_master();
            user.wait_exit();
            wait_until("nothing left running", || {
                processes_of(&env.home()).is_empty()
            });
        }
    }
}

/// Starts aido so that it leads no process group, as a script does: `"$@"` is aido's line.
const NO_LEADER: [&str; 4] = ["sh", "-c", "\"$@\"; exit $?", "sh"];

#[test]
fn a_command_whose_caller_leads_no_group_can_start_a_session() {
    let test = "a_command_whose_caller_leads_no_group_can_start_a_session";
    for (program, words, expected) in [
        (
            "setsid",
            &["setsid", "sh", "-c", "echo hi; exit 3"][..],
            (3, "hi\n"),
        ),
        (
            "python3",
            &["python3", "-c", "import os; os.setsid(); print('ok')"],
            (0, "ok\n"),
        ),
    ] {
        if !has_program(program, test) {
            continue;
        }
        for mode in MODES {
            let env = TestEnv::new();
            let aido = [AIDO, "--tty", mode];
            let run = env.bare([&NO_LEADER, &aido[..], words].concat()).output();
            let seen = (run.code(), run.stdout_text());
            assert_eq!(
                seen,
                (expected.0, expected.1.to_owned()),
                "{mode} {program}: {run:?}"
            );
            assert!(run.stderr.is_empty(), "{mode} {program}: {run:?}");
        }
    }
}

#[test]
fn a_signal_reaches_the_whole_group_of_a_command_whose_caller_leads_none() {
    for mode in MODES {
        let env = TestEnv::new();
        let script = "sleep 300 & echo $! $$ >pids; echo READY; wait; echo outlived";
        let outer = "\"$@\" & echo $! >aido; wait $!";
        let aido = [AIDO, "--tty", mode, "sh", "-c", script];
        let run = env
            .bare([&["sh", "-c", outer, "sh"], &aido[..]].concat())
            .before_exec(default_signals)
            .spawn();
        run.wait_for_stdout(b"READY\n");
        let (aido, command) = (pids(&env, "aido", 1)[0], pids(&env, "pids", 2));
        kill_process(Pid::from_raw(aido).unwrap(), Signal::TERM).unwrap();
        let output = run.wait();
        let seen = (output.code(), output.stdout_text());
        assert_eq!(seen, (143, "READY\n".to_owned()), "{mode}: {output:?}");
        wait_until(&format!("{mode}: {command:?} gone"), || {
            !command.iter().any(|&process| process_is_alive(process))
        });
    }
}

#[test]
fn an_ignore_file_that_ignores_nothing_is_replaced() {
    if !has_program("git", "an_ignore_file_that_ignores_nothing_is_replaced") {
        return;
    }
    let env = TestEnv::in_repository();
    fs::remove_dir_all(env.path("work/.git")).unwrap();
    let made = env.bare(["git", "init", "-q", "-b", "main"]).output();
    assert_eq!(made.code(), 0, "{made:?}");
    let ignore = env.sessions().join(".gitignore");
    let write = |text: &str| env.write("work/nexus/.aisessions/.gitignore", text);
    let cases: [(&str, &dyn Fn()); 3] = [
        ("empty", &|| write("")),
        ("another", &|| write("!*\n")),
        ("a dangling link", &|| {
            symlink(env.path("nowhere"), &ignore).unwrap();
        }),
    ];
    assert_eq!(env.aido(["true"]).output().code(), 0);
    for (what, spoil) in cases {
        fs::remove_file(&ignore).unwrap();
        spoil();
        let run = env.aido(["true"]).output();
        assert!(run.code() == 0 && run.stderr.is_empty(), "{what}: {run:?}");
        assert!(
            ignore.symlink_metadata().unwrap().is_file(),
            "{what}: still there"
        );
        assert_eq!(fs::read_to_string(&ignore).unwrap(), "*\n", "{what}");
        assert!(!env.path("nowhere").exists(), "{what}: followed");
        let status = env.bare(["git", "status", "--porcelain"]).output();
        assert_eq!(
            (status.code(), status.stdout_text().as_str()),
            (0, ""),
            "{what}: {status:?}"
        );
    }
    assert_eq!(env.recorded().len(), 4);
}

#[test]
fn a_store_of_somebody_else_leaves_the_users_own() {
    const USER: u32 = 12345;
    if !geteuid().is_root() {
        skipped(
            "a_store_of_somebody_else_leaves_the_users_own",
            "it takes two users",
        );
        return;
    }
    let env = TestEnv::in_repository();
    // Where the build's directory is, that user may not look.
    let aido = env.path("aido");
    let guard = FORKS.write().unwrap_or_else(PoisonError::into_inner);
    fs::copy(AIDO, &aido).unwrap();
    drop(guard);
    fs::create_dir_all(env.sessions()).unwrap();
    let private = fs::Permissions::from_mode(0o700);
    fs::set_permissions(env.sessions(), private).unwrap();
    for open in [env.path(""), aido.clone()] {
        fs::set_permissions(open, fs::Permissions::from_mode(0o755)).unwrap();
    }
    for own in [env.work(), env.home()] {
        chown(own, Some(USER), Some(USER)).unwrap();
    }
    for (number, mode) in MODES.into_iter().enumerate() {
        let words = ["--tty", mode, "sh", "-c", "id -u; exit 3"];
        let aido = aido.to_str().unwrap();
        let run = env.bare([&[aido][..], &words].concat()).before_exec(|| {
            // SAFETY: plain system calls, which allocate nothing.
            let failed = unsafe {
                libc::setgroups(0, std::ptr::null()) != 0
                    || libc::setgid(USER) != 0
                    || libc::setuid(USER) != 0
            };
            if failed {
                return Err(io::Error::last_os_error());
            }
            Ok(())
        });
        let run = run.output();
        assert_eq!(
            (run.code(), run.stdout_text().as_str()),
            (3, "12345\n"),
            "{mode}: {run:?}"
        );
        assert!(run.stderr.is_empty(), "{mode}: {run:?}");
        let state = env.home().join(".local/state/aido/.aisessions");
        assert_eq!(recorded_in(&state).len(), number + 1, "{mode}");
        assert!(env.recorded().is_empty(), "{mode}");
    }
}

#[test]
fn a_time_limit_does_not_wait_for_a_reader() {
    let mut started = Vec::new();
    for mode in MODES {
        for released in [false, true] {
            let env = TestEnv::new();
            let (reader, writer) = io::pipe().unwrap();
            let script = "echo $$ >pid; exec yes";
            let run = env
                .aido(["--tty", mode, "--timeout", "1s", "sh", "-c", script])
                .stdout_file(writer)
                .spawn();
            started.push((mode, released, env, reader, run));
        }
    }
    for (mode, released, env, mut reader, run) in started {
        let command = pids(&env, "pid", 1)[0];
        wait_until("the command gone", || !process_is_alive(command));
        if released {
            let mut rest = Vec::new();
            reader.read_to_end(&mut rest).unwrap();
            assert!(contains(&rest, b"y\n"), "{mode}");
        }
        let output = run.wait();
        assert_eq!(output.code(), 124, "{mode}, {released}: {output:?}");
        assert_eq!(env.only_session().meta["status"], "timed_out", "{mode}");
        drop(reader);
    }
}

/// The helper that aido puts beside a command which runs for a while.
fn has_watchdog(aido: i32) -> bool {
    let program = fs::read_link(format!("/proc/{aido}/exe")).unwrap();
    let is_aido = |process: i32| {
        fs::read_link(format!("/proc/{process}/exe")).is_ok_and(|other| other == program)
    };
    descendants(aido).into_iter().any(is_aido)
}

#[test]
fn an_aido_killed_after_its_command_has_ended_takes_nothing_along() {
    for mode in MODES {
        let env = TestEnv::new();
        let (reader, mut writer) = io::pipe().unwrap();
        while !is_full(&writer) {
            writer.write_all(&[b'.'; 4096]).unwrap();
        }
        let script = "
            (echo in >in; while [ ! -e ask ]; do sleep 0.02; done; echo alive >answer) &
            while [ ! -e go ]; do sleep 0.02; done
            echo hi";
        let run = env
            .aido(["--tty", mode, "sh", "-c", script])
            .before_exec(default_signals)
            .stdout_file(writer)
            .spawn();
        wait_until("both beside the command", || {
            has_watchdog(run.pid()) && env.work().join("in").exists()
        });
        env.write("work/go", "");
        // What is left has another parent by now, and the command is reaped.
        wait_until("the end of the command", || {
            descendants(run.pid()).is_empty()
        });
        run.signal(libc::SIGKILL);
        let output = run.wait();
        assert_eq!(output.signal(), Some(libc::SIGKILL), "{mode}: {output:?}");
        env.write("work/ask", "");
        wait_until(&format!("{mode}: an answer from the background"), || {
            fs::read(env.work().join("answer")).is_ok_and(|answer| answer == b"alive\n")
        });
        drop(reader);
    }
}

#[test]
fn a_key_after_ctrl_c_does_not_hide_it_from_the_script_around() {
    let test = "a_key_after_ctrl_c_does_not_hide_it_from_the_script_around";
    if !has_program("bash", test) {
        return;
    }
    for mode in MODES {
        let env = TestEnv::new();
        // Goes on only when the key after Ctrl-C has come.
        env.write(
            "work/waits",
            "trap 'echo CLEANS; read key; sleep 0.2; trap - INT; kill -INT $$' INT
            echo READY; while :; do sleep 0.02; done",
        );
        let script = format!("aido --tty {mode} sh waits; echo AFTER");
        let mut user = env.terminal().run(["bash", "-c", &script]);
        user.wait_for("READY\r\n");
        user.send(CTRL_C);
        user.wait_for("CLEANS\r\n");
        user.send("x\n");
        let status = user.wait_exit();
        assert_eq!(status.signal(), Some(libc::SIGINT), "{mode}: {status}");
        assert_eq!(user.count("AFTER"), 0, "{mode}");
        user.assert_restored(mode);
    }
}

#[test]
fn a_terminal_that_adds_no_returns_gets_none() {
    for mode in MODES {
        let env = TestEnv::new();
        let terminal = env.terminal().settings(|settings| {
            settings.output_modes.remove(OutputModes::OPOST);
        });
        let mut user = terminal.aido(mode, ["printf", "a\\nb\\n"]);
        assert_eq!(user.wait_code(), 0, "{mode}");
        assert_eq!(user.output_so_far(), b"a\nb\n", "{mode}");
        user.assert_restored(mode);
    }
    let env = TestEnv::new();
    let mut user = env
        .terminal()
        .line("stty -opost; aido printf 'a\\nb\\n'; stty opost");
    assert_eq!(user.wait_code(), 0);
    assert_eq!(user.output_so_far(), b"a\nb\n");
}

/// Makes a place, and says in which directory the command runs.
type Prepare = fn() -> (TestEnv, PathBuf);

/// Where a session's files are while it runs, as its command finds them.
fn places() -> [(&'static str, Prepare); 3] {
    [
        ("$HOME/.local/state/aido/live/*", || {
            let env = TestEnv::in_repository();
            let work = env.work();
            (env, work)
        }),
        ("../sessions", || {
            let env = TestEnv::new();
            let work = env.work();
            (env, work)
        }),
        ("../nexus/.aisessions", || {
            let env = TestEnv::in_repository();
            env.write("work/sub/file", "");
            let below = env.path("work/sub");
            (env, below)
        }),
    ]
}

#[test]
fn a_session_whose_files_the_command_removes_is_complete() {
    for (place, make) in places() {
        for removal in [
            "rm -f PLACE/*",
            "rm -f PLACE/live/* PLACE/../live/*/*",
            "rm -rf PLACE/live",
            "rm -rf PLACE/live PLACE/* PLACE/.g*",
            "rm -f PLACE/*.typescript",
            "rm -f PLACE/*.events.jsonl",
            "rm -rf PLACE",
        ] {
            for mode in MODES {
                let (env, directory) = make();
                let removal = removal.replace("PLACE", place);
                let script = format!(
                    "ls {place} >$HOME/listing; echo before; {removal} 2>/dev/null; echo after; exit 3"
                );
                let run = env
                    .aido_in(mode, ["sh", "-c", &script])
                    .current_dir(directory)
                    .output();
                let what = format!("{mode}: {removal}");
                assert_eq!(
                    (run.code(), run.stdout_text().as_str()),
                    (3, "before\nafter\n"),
                    "{what}: {run:?}"
                );
                assert!(run.stderr.is_empty(), "{what}: {run:?}");
                let listing = fs::read_to_string(env.home().join("listing")).unwrap();
                assert!(
                    listing.contains(".typescript"),
                    "{what}: not here: {listing}"
                );
                let session = env.only_session();
                assert_sound(&session);
                assert_eq!(session.meta["exit_code"], 3, "{what}");
                assert_eq!(session.output(), b"before\nafter\n", "{what}");
            }
        }
    }
}

fn make_fifo(path: &Path) {
    mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
}

#[test]
fn a_time_zone_that_is_a_fifo_does_not_hold_the_command() {
    for mode in MODES {
        let env = TestEnv::new();
        let fifo = env.path("zone");
        make_fifo(&fifo);
        let name = fifo.to_str().unwrap().to_owned();
        for zone in [name.clone(), format!(":{name}")] {
            let run = env
                .aido_in(mode, ["sh", "-c", "echo out; exit 3"])
                .env("TZ", &zone)
                .output();
            assert_eq!(
                (run.code(), run.stdout_text().as_str()),
                (3, "out\n"),
                "{mode} {zone}: {run:?}"
            );
            assert!(run.stderr.is_empty(), "{mode} {zone}: {run:?}");
        }
        // Found in a directory of zones: by its name, and where there is no name.
        make_fifo(&env.path("Universal"));
        for zone in ["zone", ""] {
            let run = env
                .aido_in(mode, ["sh", "-c", "echo out; exit 3"])
                .env("TZ", zone)
                .env("TZDIR", env.path(""))
                .output();
            assert_eq!(run.code(), 3, "{mode} {zone:?}: {run:?}");
        }
        assert_eq!(env.recorded().len(), 4, "{mode}");
    }
}

#[test]
fn ten_descriptors_are_enough_on_a_terminal() {
    for mode in MODES {
        // Each one may run out in another place.
        for limit in 10..=13 {
            let env = TestEnv::new();
            let command = "sh -c 'echo out-$((40+2)); exit 3'";
            let line = format!("ulimit -n {limit}; exec aido --tty {mode} {command}");
            let mut user = env.terminal().run(["sh", "-c", &line]);
            let code = user.wait_code();
            let shown = user.output_so_far().escape_ascii().to_string();
            assert_eq!(code, 3, "{mode}, {limit}: {shown}");
            assert_eq!(user.count("out-42\r\n"), 1, "{mode}, {limit}: {shown}");
            user.assert_restored(mode);
        }
    }
}

#[test]
fn what_a_background_job_printed_is_shown_line_by_line() {
    let test = "what_a_background_job_printed_is_shown_line_by_line";
    if !has_program("bash", test) {
        return;
    }
    for mode in MODES {
        let env = TestEnv::new();
        env.write("work/says", "printf 'a\\nb\\n'; exit 5");
        let mut user = env.terminal().shell();
        user.send(format!(
            "aido --tty {mode} sh says & wait $!; echo status-$?-\n"
        ));
        user.wait_for("status-5-\r\n");
        user.wait_for(PROMPT);
        user.send("exit 0\n");
        assert_eq!(user.wait_code(), 0, "{mode}");
        let shown = env.aido(["show"]).output();
        assert_eq!(shown.code(), 0, "{mode}: {shown:?}");
        let text = shown.stdout_text();
        assert!(text.ends_with("\na\nb\n"), "{mode}: {text}");
    }
}
