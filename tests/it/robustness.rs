//! Group H: crowds, full disks, odd places and strange parents; the command always runs.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, geteuid};
use sha2::{Digest, Sha256};

use crate::support::{
    AIDO, MODES, Run, Session, TestEnv, descendants, files_below, processes_of, recorded_in,
    skipped,
};

const BOTH_STREAMS: [&str; 3] = ["sh", "-c", "echo out; echo err >&2; exit 3"];

pub(crate) fn limited(
    resource: Resource,
    value: u64,
) -> impl FnMut() -> io::Result<()> + Send + Sync + 'static {
    let limit = Rlimit {
        current: Some(value),
        maximum: Some(value),
    };
    move || Ok(rustix::process::setrlimit(resource, limit)?)
}

// H01
#[test]
fn aido_inside_aido_changes_nothing() {
    for mode in MODES {
        let env = TestEnv::new();
        let bare = env.bare(BOTH_STREAMS).output();
        let nested = [&[AIDO, "--tty", mode][..], &BOTH_STREAMS].concat();
        env.aido_in(mode, nested)
            .output()
            .assert_same_as(&bare, mode);
        let sessions = env.recorded();
        assert_eq!(sessions.len(), 2, "{mode}");
        for session in sessions {
            assert_eq!(session.meta["exit_code"], 3, "{mode}");
            assert_eq!(session.output().len(), "out\nerr\n".len(), "{mode}");
        }
        let killed = [AIDO, "--tty", mode, "sh", "-c", "kill -TERM $$"];
        assert_eq!(
            env.aido_in(mode, killed).output().signal(),
            Some(libc::SIGTERM),
            "{mode}"
        );
    }
}

// H03
#[test]
fn sixty_at_once_keep_their_statuses_and_recordings() {
    let env = TestEnv::new();
    let runs: Vec<_> = (0..60)
        .map(|number| {
            let script = format!("echo number {number}; echo err {number} >&2; exit {number}");
            let mode = MODES[number % MODES.len()];
            env.aido_in(mode, ["sh", "-c", &script])
                .timeout(Duration::from_secs(60))
                .spawn()
        })
        .collect();
    for (number, run) in runs.into_iter().enumerate() {
        let run = run.wait();
        assert_eq!(run.code(), number as i32, "{run:?}");
        assert_eq!(run.stdout_text(), format!("number {number}\n"));
        assert_eq!(run.stderr_text(), format!("err {number}\n"));
    }
    let mut seen: Vec<i64> = Vec::new();
    for session in env.recorded() {
        let number = session.meta["exit_code"].as_i64().unwrap();
        let length = format!("number {number}\nerr {number}\n").len();
        assert_eq!(session.output().len(), length, "{}", session.id);
        assert!(session.output().starts_with(b"number") || session.output().starts_with(b"err"));
        seen.push(number);
    }
    seen.sort_unstable();
    assert_eq!(seen, (0..60).collect::<Vec<_>>());
}

/// Ticks of processor time that a process and its descendants have used.
fn processor_ticks(pid: i32) -> u64 {
    let of = |pid: i32| -> u64 {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        fields
            .split_whitespace()
            .skip(11)
            .take(2)
            .map(|ticks| ticks.parse::<u64>().unwrap())
            .sum()
    };
    of(pid) + descendants(pid).into_iter().map(of).sum::<u64>()
}

// H05
#[test]
fn waiting_uses_no_processor_time() {
    let env = TestEnv::new();
    let command = ["sh", "-c", "sleep 1; echo READY; exec sleep 600"];
    for mode in MODES {
        let runs = [
            env.aido_in(mode, command).spawn(),
            env.aido_in(mode, command).stdin("").spawn(),
            env.aido_in(mode, command).stdin_open().spawn(),
        ];
        for run in runs {
            run.wait_for_stdout(b"READY");
            let ticks = processor_ticks(run.pid());
            assert!(ticks < 30, "{mode}: {ticks} ticks in one idle second");
        }
    }
}

fn assert_digest_agrees(session: &Session) {
    let digest = hex::encode(Sha256::digest(&session.transcript));
    assert_eq!(session.meta["sha256"], digest.as_str(), "{}", session.id);
}

// H06
#[test]
fn a_file_size_limit_costs_the_recording_but_not_the_command() {
    for mode in MODES {
        let env = TestEnv::new();
        let command = ["sh", "-c", "head -c 1000000 /dev/zero; echo END; exit 3"];
        let run = env
            .aido_in(mode, command)
            .before_exec(limited(Resource::Fsize, 65536))
            .output();
        assert_eq!(
            (run.code(), run.stdout.len()),
            (3, 1_000_004),
            "{mode}: {:?}",
            run.status
        );
        run.assert_one_warning(mode);
        for session in env.recorded() {
            assert!(
                session.meta["dropped_bytes"].as_u64() > Some(0),
                "{mode}: {}",
                session.meta
            );
            if !session.meta["sha256"].is_null() {
                assert_digest_agrees(&session);
            }
        }
    }
}

/// Runs a shell line that may mount things, then aido (`"$@"`); none where that isn't allowed.
pub(crate) fn with_mount(
    env: &TestEnv,
    test: &str,
    prepare: &str,
    arguments: &[&str],
) -> Option<Run> {
    let probe = "mount -t tmpfs none . && umount .";
    if !geteuid().is_root()
        || env
            .bare(["unshare", "-m", "sh", "-c", probe])
            .output()
            .code()
            != 0
    {
        skipped(test, "mounting needs root");
        return None;
    }
    fs::create_dir_all(env.sessions()).unwrap();
    let line = format!("{prepare} || exit 99; shift; exec \"$@\"");
    let sessions = env.sessions();
    let before = [
        "unshare",
        "-m",
        "sh",
        "-c",
        &line,
        "sh",
        sessions.to_str().unwrap(),
        AIDO,
    ];
    Some(env.bare([&before[..], arguments].concat()))
}

// H07
#[test]
fn a_full_disk_costs_the_recording_but_not_the_command() {
    let test = "a_full_disk_costs_the_recording_but_not_the_command";
    for mode in MODES {
        for prepare in [
            "mount -t tmpfs -o size=256k none \"$1\"",
            "mount -t tmpfs -o size=64k none \"$1\" && { cat /dev/zero >\"$1/filler\"; true; } 2>/dev/null",
            "mount -t tmpfs -o size=64k,nr_inodes=2 none \"$1\" && touch \"$1/filler\"",
        ] {
            let env = TestEnv::new();
            let command = [
                "--tty",
                mode,
                "sh",
                "-c",
                "head -c 1000000 /dev/zero; exit 3",
            ];
            let Some(run) = with_mount(&env, test, prepare, &command) else {
                return;
            };
            let run = run.output();
            assert_eq!(
                (run.code(), run.stdout.len()),
                (3, 1_000_000),
                "{mode}: {prepare}: {run:?}"
            );
            run.assert_one_warning(&format!("{mode}: {prepare}"));
        }
    }
}

// H08
#[test]
fn a_read_only_store_costs_the_recording_but_not_the_command() {
    let test = "a_read_only_store_costs_the_recording_but_not_the_command";
    for mode in MODES {
        let env = TestEnv::new();
        let prepare = "mount -t tmpfs -o ro none \"$1\"";
        let command = ["--tty", mode, "sh", "-c", "echo out; exit 3"];
        let Some(run) = with_mount(&env, test, prepare, &command) else {
            return;
        };
        let run = run.output();
        assert_eq!(
            (run.code(), run.stdout_text().as_str()),
            (3, "out\n"),
            "{mode}: {run:?}"
        );
        run.assert_one_warning(mode);
    }
}

/// Places where nothing can, or may, be recorded.
fn unusable_places() -> Vec<(&'static str, TestEnv)> {
    let outside = || {
        let env = TestEnv::new();
        fs::create_dir(env.path("target")).unwrap();
        env
    };
    let repository = || {
        let env = TestEnv::in_repository();
        fs::create_dir(env.path("target")).unwrap();
        env
    };
    let mut places = Vec::new();
    let env = outside();
    env.write("sessions", "a file\n");
    places.push(("the session directory is a file", env));
    let env = outside();
    symlink(env.path("target"), env.sessions()).unwrap();
    places.push(("the session directory is a link", env));
    let env = repository();
    symlink(env.path("target"), env.path("work/nexus")).unwrap();
    places.push(("nexus is a link", env));
    let env = repository();
    fs::create_dir(env.path("work/nexus")).unwrap();
    symlink(env.path("target"), env.path("work/nexus/.aisessions")).unwrap();
    places.push((".aisessions is a link", env));
    let env = repository();
    env.write("work/nexus/.aisessions", "a file\n");
    places.push((".aisessions is a file", env));
    if !geteuid().is_root() {
        let env = outside();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o555);
        fs::create_dir(env.sessions()).unwrap();
        fs::set_permissions(env.sessions(), mode).unwrap();
        places.push(("the session directory is read-only", env));
    }
    places
}

// H08
#[test]
fn where_nothing_can_be_recorded_the_command_runs_with_one_warning() {
    for (what, env) in unusable_places() {
        for mode in MODES {
            let run = env.aido_in(mode, ["sh", "-c", "echo out; exit 7"]).output();
            assert_eq!(
                (run.code(), run.stdout_text().as_str()),
                (7, "out\n"),
                "{what}: {run:?}"
            );
            run.assert_one_warning(what);
            assert!(
                files_below(&env.path("target")).is_empty(),
                "{what}: followed the link"
            );
        }
    }
}

// H08
#[test]
fn strict_refuses_before_the_command_starts() {
    for (what, env) in unusable_places() {
        let run = env.aido(["--strict", "touch", "started"]).output();
        assert_eq!(run.code(), 125, "{what}: {run:?}");
        assert!(
            run.stderr.starts_with(b"aido: ") && run.stdout.is_empty(),
            "{what}: {run:?}"
        );
        assert!(!env.path("work/started").exists(), "{what}");
    }
    let env = TestEnv::new();
    let run = env.aido(["--strict", "sh", "-c", "exit 3"]).output();
    assert!(run.code() == 3 && run.stderr.is_empty(), "{run:?}");
}

// H08: a directory that can't be made, whoever asks
#[test]
fn a_session_directory_that_cannot_be_made_is_a_warning() {
    let env = TestEnv::new();
    let run = env
        .aido(["--session-dir", "/proc/no-such-place", "echo", "out"])
        .output();
    assert_eq!((run.code(), run.stdout_text().as_str()), (0, "out\n"));
    run.assert_one_warning("/proc");
}

// H10
#[test]
fn sixteen_descriptors_are_enough() {
    for mode in MODES {
        let env = TestEnv::new();
        let bare = env
            .bare(BOTH_STREAMS)
            .before_exec(limited(Resource::Nofile, 16))
            .output();
        let run = env
            .aido_in(mode, BOTH_STREAMS)
            .before_exec(limited(Resource::Nofile, 16))
            .output();
        run.assert_same_as(&bare, mode);
        assert_eq!(env.only_session().output().len(), 8, "{mode}");
    }
}

// H10
#[test]
fn an_empty_environment_is_enough() {
    for mode in MODES {
        let env = TestEnv::in_repository();
        let command = ["/bin/sh", "-c", "echo out; exit 3"];
        let run = env.aido_in(mode, command).env_clear().output();
        assert_eq!(
            (run.code(), run.stdout_text().as_str()),
            (3, "out\n"),
            "{mode}: {run:?}"
        );
        assert!(run.stderr.is_empty(), "{mode}: {run:?}");
        assert_eq!(env.only_session().meta["exit_code"], 3, "{mode}");
    }
}

#[test]
fn no_home_is_no_reason_to_fail_or_to_complain() {
    for mode in MODES {
        let env = TestEnv::new();
        let run = env
            .aido_in(mode, ["sh", "-c", "exit 3"])
            .env_remove("HOME")
            .output();
        assert!(run.code() == 3 && run.stderr.is_empty(), "{mode}: {run:?}");
        assert_eq!(env.only_session().meta["exit_code"], 3, "{mode}");
    }
}

#[test]
fn outside_any_repository_sessions_go_to_the_state_directory() {
    let env = TestEnv::new();
    for (name, value, state) in [
        (
            "XDG_STATE_HOME",
            env.path("state"),
            env.path("state/aido/.aisessions"),
        ),
        (
            "UNRELATED",
            env.path(""),
            env.path("home/.local/state/aido/.aisessions"),
        ),
    ] {
        let run = env
            .aido(["true"])
            .env_remove("AIDO_SESSION_DIR")
            .env(name, value)
            .output();
        assert!(run.code() == 0 && run.stderr.is_empty(), "{run:?}");
        assert_eq!(recorded_in(&state).len(), 1, "{}", state.display());
    }
}

// H11
#[test]
fn nothing_is_left_running() {
    let env = TestEnv::new();
    for mode in MODES {
        assert_eq!(
            env.aido_in(mode, ["sh", "-c", "echo out; sleep 0"])
                .output()
                .code(),
            0
        );
        let left = processes_of(&env.home());
        assert!(left.is_empty(), "{mode}: {left:?}");
    }
}

// H13
#[test]
fn an_ignored_sigchld_does_not_cost_the_status() {
    let env = TestEnv::new();
    for mode in MODES {
        let hook = || {
            // SAFETY: signal is async-signal-safe.
            unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
            Ok(())
        };
        let run = env.aido_in(mode, BOTH_STREAMS).before_exec(hook).output();
        assert_eq!(
            (run.code(), run.stdout_text().as_str()),
            (3, "out\n"),
            "{mode}: {run:?}"
        );
        let run = env
            .aido_in(mode, ["sh", "-c", "kill -TERM $$"])
            .before_exec(hook)
            .output();
        assert_eq!(run.signal(), Some(libc::SIGTERM), "{mode}");
    }
}

// H14
#[test]
fn blocked_signals_block_nothing_and_are_passed_on() {
    let env = TestEnv::new();
    let hook = || {
        // SAFETY: sigemptyset, sigaddset and sigprocmask are async-signal-safe.
        unsafe {
            let mut set = std::mem::zeroed();
            libc::sigemptyset(&mut set);
            for number in [libc::SIGCHLD, libc::SIGTERM, libc::SIGWINCH] {
                libc::sigaddset(&mut set, number);
            }
            libc::sigprocmask(libc::SIG_BLOCK, &set, std::ptr::null_mut());
        }
        Ok(())
    };
    for command in [&BOTH_STREAMS[..], &["grep", "^SigBlk", "/proc/self/status"]] {
        let bare = env.bare(command).before_exec(hook).output();
        for mode in MODES {
            let run = env.aido_in(mode, command).before_exec(hook).output();
            run.assert_same_as(&bare, mode);
        }
    }
}
