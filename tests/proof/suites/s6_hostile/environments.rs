//! Environments: variables, limits and descriptors that a caller leaves in a bad state.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use rustix::process::{Resource, Rlimit};

use super::Case;

/// Variables with values that aido reads, or that a library could.
const VALUES: &[(&str, &[u8])] = &[
    ("HOME", b""),
    ("HOME", b"relative"),
    ("HOME", b"/dev/null"),
    ("HOME", b"/nonexistent/home"),
    ("HOME", b"\x1b[31m/\xff"),
    ("XDG_STATE_HOME", b"relative/state"),
    ("XDG_STATE_HOME", b"/dev/full"),
    ("XDG_CONFIG_HOME", b"/proc/self/fd"),
    ("TERM", b"\x1b[31m"),
    ("TERM", b"../../outside/file"),
    ("TZ", b":../../outside/file"),
    ("TZ", b"\x1b]0;title\x07"),
    ("TZ", b"UTC+999999999999"),
    ("COLUMNS", b"-1"),
    ("COLUMNS", b"99999999999999999999"),
    ("LINES", b"0"),
    ("LANG", b"\xff\xfe.UTF-8"),
    ("LC_ALL", b"../../outside"),
    ("SHELL", b"/outside/../../../file"),
    ("SHELL", b"\x1b[2J"),
    ("CI", b"\xc2\x9b31m"),
    ("PWD", b"/somewhere/else"),
    ("AIDO_SESSION", b"../../outside/file"),
    ("AIDO_SESSION", b"\x1b[31m-20260101_000000-1-abcdef12"),
    ("CLAUDECODE", b"\x1b[31m"),
    ("CLAUDE_CODE_SESSION_ID", b"\x1b]0;title\x07\xff"),
    ("AIDO_NOTE", b"\x1b[31m\xe2\x80\xae"),
    ("AIDO_TASK", b"../../outside/\x07"),
    ("AIDO_TAG", b"a,\x1b[31m,../b"),
];

/// Settings that can't be taken, which aido says instead of running the command.
const SETTINGS: &[(&str, &[u8])] = &[
    ("AIDO_MAX_BYTES", b"-1"),
    ("AIDO_TIMEOUT", b"\x1b[31m"),
    ("AIDO_DURABILITY", b"\xff"),
    ("AIDO_TTY", b"maybe\x07"),
    ("AIDO_STRICT", b"\x1b]0;x\x07"),
    ("AIDO_TAG", b",,\x1b[31m"),
];

pub(super) fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = VALUES.iter().map(|pair| variable(*pair)).collect();
    cases.extend(SETTINGS.iter().map(|pair| variable(*pair).may_refuse()));
    cases.push(
        Case::new("nothing but PATH")
            .changed(|_, run| run.env_clear().env("PATH", crate::place::SEARCH_PATH)),
    );
    cases.push(Case::new("a thousand variables").changed(|_, run| {
        let value = "x".repeat(100);
        (0..1000).fold(run, |run, number| {
            run.env(format!("VARIABLE_{number}"), &value)
        })
    }));
    cases.push(
        Case::new("a name with control characters")
            .changed(|_, run| run.env(OsString::from_vec(b"\x1b[31m\xff".to_vec()), "value")),
    );
    cases.push(Case::new("no file creation mask").changed(|_, run| {
        run.before_exec(|| {
            rustix::process::umask(rustix::fs::Mode::empty());
            Ok(())
        })
    }));
    cases.push(Case::new("a mask that takes all").changed(|_, run| {
        run.before_exec(|| {
            rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o777));
            Ok(())
        })
    }));
    cases.push(
        Case::new("few descriptors")
            .changed(|_, run| run.before_exec(|| limit(Resource::Nofile, 20))),
    );
    cases.push(Case::new("standard input closed").changed(|_, run| {
        run.before_exec(|| {
            // SAFETY: of the process that is about to become aido, which is to find it closed.
            unsafe { libc::close(0) };
            Ok(())
        })
    }));
    cases.push(Case::new("endless standard input").changed(|_, run| {
        match std::fs::File::open("/dev/zero") {
            Ok(zeros) => run.stdin(zeros),
            Err(_) => run,
        }
    }));
    cases
}

fn variable((name, value): (&'static str, &'static [u8])) -> Case {
    let value = OsString::from_vec(value.to_vec());
    let case = Case::new(format!("{name}={value:?}"));
    case.changed(move |_, run| run.env(name, &value))
}

fn limit(resource: Resource, value: u64) -> std::io::Result<()> {
    let limit = Rlimit {
        current: Some(value),
        maximum: Some(value),
    };
    Ok(rustix::process::setrlimit(resource, limit)?)
}
