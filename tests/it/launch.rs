//! Group A: how a command is started, who it is, and how its end is passed on.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

use rustix::fs::Mode;
use rustix::process::{Resource, Rlimit};

use crate::support::{AIDO, MODES, TestEnv, has_program};

mod words;

/// Prints every argument with a NUL behind it.
const PRINT_ARGUMENTS: &str = r#"for word; do printf '%s\0' "$word"; done"#;

// A01
#[test]
fn an_exit_code_passes_through_unchanged() {
    let env = TestEnv::new();
    for mode in MODES {
        for code in [0, 1, 2, 3, 77, 124, 125, 126, 127, 128, 130, 255] {
            let run = env
                .aido_in(mode, ["sh", "-c", &format!("exit {code}")])
                .output();
            assert_eq!(run.status.code(), Some(code), "{mode}: {run:?}");
            assert!(
                run.stdout.is_empty() && run.stderr.is_empty(),
                "{mode}: {run:?}"
            );
        }
    }
}

// A02
#[test]
fn aido_dies_of_the_signal_that_killed_the_command() {
    for mode in MODES {
        for (name, number) in [
            ("HUP", libc::SIGHUP),
            ("INT", libc::SIGINT),
            ("QUIT", libc::SIGQUIT),
            ("ABRT", libc::SIGABRT),
            ("KILL", libc::SIGKILL),
            ("USR1", libc::SIGUSR1),
            ("SEGV", libc::SIGSEGV),
            ("PIPE", libc::SIGPIPE),
            ("TERM", libc::SIGTERM),
        ] {
            let env = TestEnv::new();
            let run = env
                .aido_in(mode, ["sh", "-c", &format!("kill -{name} $$")])
                .output();
            assert_eq!(run.signal(), Some(number), "{mode} {name}: {run:?}");
            assert!(run.stderr.is_empty(), "{mode} {name}: {run:?}");
            let session = env.only_session();
            assert_eq!(session.meta["exit_code"], 128 + number, "{mode} {name}");
            assert_eq!(session.meta["status"], "signaled", "{mode} {name}");
        }
    }
}

// A02
#[test]
fn a_shell_around_aido_sees_128_and_the_signal() {
    let env = TestEnv::new();
    let line = r#""$0" sh -c 'kill -TERM $$' 2>/dev/null; echo "saw $?""#;
    let run = env.bare(["sh", "-c", line, AIDO]).output();
    assert_eq!(run.stdout_text(), "saw 143\n");
}

// A03, A04, A05
#[test]
fn a_command_that_cannot_start_is_126_or_127_with_one_line_and_a_record() {
    for mode in MODES {
        for (word, codes) in [
            ("no-such-program-at-all", &[127][..]),
            ("./no-such-file", &[127]),
            ("plain/below-a-file", &[126]),
            ("./plain", &[126]),
            ("./directory", &[126]),
            ("/", &[126]),
            ("./missing-interpreter", &[126, 127]),
        ] {
            let env = TestEnv::new();
            env.write("work/plain", "echo never\n");
            env.write("work/directory/file", "");
            env.script("work/missing-interpreter", "#!/no/such/interpreter\n");
            let run = env.aido_in(mode, [word, "argument"]).output();
            let code = run.status.code().unwrap_or(-1);
            assert!(codes.contains(&code), "{mode} {word}: {run:?}");
            assert!(run.stdout.is_empty(), "{mode} {word}: {run:?}");
            let message = run.stderr_text();
            assert!(message.starts_with("aido: "), "{mode} {word}: {message}");
            assert!(message.contains(word), "{mode} {word}: {message}");
            assert!(
                !message.contains("panicked") && !message.contains("fatal"),
                "{message}"
            );
            let session = env.only_session();
            assert_eq!(session.meta["exit_code"], code, "{mode} {word}");
            assert_eq!(session.meta["status"], "not_started", "{mode} {word}");
        }
    }
}

// A06
#[test]
fn an_executable_text_without_an_interpreter_line_runs_through_sh() {
    let env = TestEnv::new();
    env.script("work/bin/plain-script", "echo \"got $# $2\"\nexit 6\n");
    let path = format!("{}:/usr/bin:/bin", env.path("work/bin").display());
    for mode in MODES {
        for word in ["./bin/plain-script", "bin/plain-script", "plain-script"] {
            let run = env
                .aido_in(mode, [word, "a b", "c"])
                .env("PATH", &path)
                .output();
            assert_eq!(
                (run.code(), run.stdout_text().as_str()),
                (6, "got 2 c\n"),
                "{mode} {word}"
            );
        }
    }
}

// A07
#[test]
fn a_relative_path_with_a_slash_runs_and_keeps_its_name() {
    let env = TestEnv::new();
    env.script("work/sub/prog", "#!/bin/sh\necho \"$0\"\n");
    env.script("elsewhere/sub/prog", "#!/bin/sh\necho wrong\n");
    let path = format!("{}:/usr/bin:/bin", env.path("elsewhere").display());
    for mode in MODES {
        let run = env.aido_in(mode, ["sub/prog"]).env("PATH", &path).output();
        assert_eq!(
            (run.code(), run.stdout_text().as_str()),
            (0, "sub/prog\n"),
            "{mode}: {run:?}"
        );
    }
}

// A08
#[test]
fn the_command_runs_where_the_caller_is() {
    let env = TestEnv::new();
    fs::create_dir(env.path("work/deeper")).unwrap();
    for mode in MODES {
        let run = env
            .aido_in(mode, ["pwd", "-P"])
            .current_dir(env.path("work/deeper"))
            .output();
        assert_eq!(
            run.stdout_text(),
            format!("{}\n", env.path("work/deeper").display()),
            "{mode}"
        );
    }
}

// A09
#[test]
fn a_deleted_current_directory_stays_the_current_directory() {
    let env = TestEnv::new();
    for mode in MODES {
        fs::create_dir(env.path("work/gone")).unwrap();
        let line = r#"rmdir ../gone && exec "$@""#;
        let command = [
            "sh",
            "-c",
            line,
            "sh",
            AIDO,
            "--tty",
            mode,
            "readlink",
            "/proc/self/cwd",
        ];
        let run = env
            .bare(command)
            .current_dir(env.path("work/gone"))
            .output();
        let expected = format!("{} (deleted)\n", env.path("work/gone").display());
        assert_eq!(
            (run.code(), run.stdout_text()),
            (0, expected),
            "{mode}: {run:?}"
        );
    }
    assert_eq!(env.recorded().len(), MODES.len());
}

// A10
#[test]
fn arguments_arrive_byte_for_byte() {
    let words: [&[u8]; 16] = [
        b"",
        b" ",
        b"two words",
        b"new\nline",
        b"tab\t",
        b"'",
        b"\"",
        b"\\",
        b"$HOME",
        b"*",
        b"--",
        b"-c",
        b"\xff\xfe",
        "ü€".as_bytes(),
        b"\x01\x1b[0m",
        b"",
    ];
    let mut command: Vec<&OsStr> = ["sh", "-c", PRINT_ARGUMENTS, "sh"].map(OsStr::new).into();
    command.extend(words.map(OsStr::from_bytes));
    let expected: Vec<u8> = words
        .iter()
        .flat_map(|word| [word, &b"\0"[..]].concat())
        .collect();
    let env = TestEnv::new();
    for mode in MODES {
        let run = env.aido_in(mode, &command).output();
        assert_eq!(
            run.stdout.escape_ascii().to_string(),
            expected.escape_ascii().to_string()
        );
        assert_eq!(run.code(), 0, "{mode}: {run:?}");
    }
}

// A11
#[test]
fn the_command_is_called_what_was_typed() {
    let env = TestEnv::new();
    for mode in MODES {
        let run = env.aido_in(mode, ["cat", "/proc/self/cmdline"]).output();
        assert_eq!(run.stdout_text(), "cat\0/proc/self/cmdline\0", "{mode}");
    }
}

// A12
#[test]
fn huge_arguments_pass() {
    let env = TestEnv::new();
    let large = "x".repeat(120 * 1024);
    let script = r#"n=0; for word; do n=$((n + ${#word})); done; echo "$# $n""#;
    for count in [1, 14] {
        let mut command = vec!["sh", "-c", script, "sh"];
        command.extend(vec![large.as_str(); count]);
        let expected = format!("{count} {}\n", count * large.len());
        for mode in MODES {
            let run = env.aido_in(mode, &command).output();
            assert_eq!(
                (run.code(), run.stdout_text()),
                (0, expected.clone()),
                "{mode} {count}"
            );
        }
    }
}

// A13
#[test]
fn the_environment_is_the_callers_but_for_the_documented_additions() {
    for mode in MODES {
        let env = TestEnv::new();
        let variables = [
            (&b"BYTES"[..], &b"\xff\xfe=x\n"[..]),
            (b"EMPTY", b""),
            (b"odd name-1", b"kept"),
            (b"MANPAGER", b"mine"),
        ];
        let run = variables.iter().fold(
            env.aido_in(mode, ["cat", "/proc/self/environ"])
                .env_remove("SHELL"),
            |run, (name, value)| run.env(OsStr::from_bytes(name), OsStr::from_bytes(value)),
        );
        let mut expected: Vec<Vec<u8>> = env
            .environment()
            .iter()
            .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
            .filter(|(name, _)| *name != b"SHELL" && (*name != b"TERM" || mode != "always"))
            .chain(variables)
            .map(|(name, value)| [name, b"=", value].concat())
            .collect();
        if mode == "always" {
            let added = [
                "TERM=dumb",
                "PAGER=cat",
                "GIT_PAGER=cat",
                "GIT_TERMINAL_PROMPT=0",
            ];
            expected.extend(added.map(|pair| pair.as_bytes().to_vec()));
        }
        let output = run.output();
        let mut seen: Vec<Vec<u8>> = output
            .stdout
            .split(|&byte| byte == 0)
            .map(<[u8]>::to_vec)
            .collect();
        seen.retain(|pair| !pair.is_empty());
        let before = seen.len();
        seen.retain(|pair| !pair.starts_with(b"AIDO_SESSION="));
        assert_eq!(before - seen.len(), 1, "{mode}: AIDO_SESSION is set once");
        seen.sort();
        expected.sort();
        let shown =
            |pairs: &[Vec<u8>]| pairs.iter().map(|p| p.escape_ascii().to_string()).collect();
        let (seen, expected): (Vec<String>, Vec<String>) = (shown(&seen), shown(&expected));
        assert_eq!(seen, expected, "{mode}");
    }
}

// A14
#[test]
fn inherited_descriptors_reach_the_command() {
    let env = TestEnv::new();
    env.write("passed", "through descriptor\n");
    for mode in MODES {
        let file = OwnedFd::from(File::open(env.path("passed")).unwrap());
        let hook = move || {
            for number in [9, 77] {
                // SAFETY: dup2 and fcntl are async-signal-safe; the numbers are the child's own.
                unsafe {
                    libc::dup2(file.as_raw_fd(), number);
                    libc::fcntl(number, libc::F_SETFD, 0);
                }
            }
            Ok(())
        };
        let command = ["sh", "-c", "cat <&9; cat /proc/self/fd/77"];
        let run = env.aido_in(mode, command).before_exec(hook).output();
        assert_eq!(
            run.stdout_text(),
            "through descriptor\n".repeat(2),
            "{mode}: {run:?}"
        );
    }
}

/// Runs a line of shell in each mode and without aido; all have to agree.
fn assert_same_in_every_mode(hook: fn() -> std::io::Result<()>, command: &[&str]) -> String {
    let env = TestEnv::new();
    let bare = env.bare(command).before_exec(hook).output();
    for mode in MODES {
        let run = env.aido_in(mode, command).before_exec(hook).output();
        run.assert_same_as(&bare, mode);
    }
    bare.stdout_text()
}

// A15
#[test]
fn no_descriptor_of_aido_leaks() {
    let script = "for file in /proc/$$/fd/*; do echo ${file##*/}; done";
    assert_same_in_every_mode(|| Ok(()), &["sh", "-c", script]);
}

// A16
#[test]
fn signal_mask_and_dispositions_are_inherited() {
    let command = ["grep", "-E", "^Sig(Blk|Ign|Cgt):", "/proc/self/status"];
    assert_same_in_every_mode(|| Ok(()), &command);
    let changed = assert_same_in_every_mode(
        || {
            // SAFETY: signal, sigemptyset, sigaddset and sigprocmask are async-signal-safe.
            unsafe {
                for number in [libc::SIGPIPE, libc::SIGHUP, libc::SIGUSR1] {
                    libc::signal(number, libc::SIG_IGN);
                }
                let mut set = std::mem::zeroed();
                libc::sigemptyset(&mut set);
                libc::sigaddset(&mut set, libc::SIGUSR2);
                libc::sigaddset(&mut set, libc::SIGALRM);
                libc::sigprocmask(libc::SIG_BLOCK, &set, std::ptr::null_mut());
            }
            Ok(())
        },
        &command,
    );
    assert!(
        changed.contains("1201\nSigCgt"),
        "the hook had no effect: {changed}"
    );
}

// A17
#[test]
fn umask_limits_niceness_and_privileges_are_inherited() {
    let script = "umask; ulimit -a; nice; grep -E 'NoNewPrivs|Seccomp:' /proc/self/status";
    let seen = assert_same_in_every_mode(
        || {
            rustix::process::umask(Mode::from_raw_mode(0o027));
            let limit = |value| Rlimit {
                current: Some(value),
                maximum: Some(value),
            };
            rustix::process::setrlimit(Resource::Nofile, limit(99))?;
            rustix::process::setrlimit(Resource::Core, limit(0))?;
            rustix::process::nice(3)?;
            Ok(())
        },
        &["sh", "-c", script],
    );
    assert!(
        seen.starts_with("0027\n") && seen.contains("99\n"),
        "{seen}"
    );
}

// A18
#[test]
fn with_nobody_there_only_output_is_a_terminal_and_only_in_always() {
    let env = TestEnv::new();
    let script = "for n in 0 1 2; do [ -t $n ] && echo $n; done
        (: </dev/tty) 2>/dev/null && echo controlled; exit 0";
    for (mode, expected) in [("always", "1\n2\n"), ("auto", ""), ("never", "")] {
        let run = env.aido_in(mode, ["sh", "-c", script]).output();
        assert_eq!(run.stdout_text(), expected, "{mode}");
    }
}

// A19
#[test]
fn aido_adds_nothing_to_either_stream() {
    for env in [TestEnv::new(), TestEnv::in_repository()] {
        for mode in MODES {
            for command in ["true", "false"] {
                let run = env.aido_in(mode, [command]).output();
                assert_eq!(run.code(), i32::from(command == "false"));
                assert!(
                    run.stdout.is_empty() && run.stderr.is_empty(),
                    "{mode}: {run:?}"
                );
            }
        }
    }
}

// A20
#[test]
fn the_window_is_200_columns_wide_when_nobody_is_there() {
    let env = TestEnv::new();
    let script = "stty size <&1; echo \"${COLUMNS-unset} ${LINES-unset}\"";
    let run = env.aido(["sh", "-c", script]).output();
    let text = run.stdout_text();
    let (size, variables) = text.split_once('\n').unwrap();
    let (rows, columns) = size.split_once(' ').unwrap_or_else(|| panic!("{run:?}"));
    assert!(
        rows.parse::<u32>().unwrap() > 0 && columns == "200",
        "{size}"
    );
    assert_eq!(variables, "unset unset\n");
}

// A02, A13: what a debugger of build scripts would notice first
#[test]
fn make_sees_the_same_failure_as_without_aido() {
    if !has_program("make", "make_sees_the_same_failure_as_without_aido") {
        return;
    }
    let env = TestEnv::new();
    env.write("work/Makefile", "all:\n\t@echo one\n\t@exit 3\n");
    for mode in MODES {
        let run = env.aido_in(mode, ["make", "-s", "all"]).output();
        run.assert_same_as(&env.bare(["make", "-s", "all"]).output(), mode);
    }
}
