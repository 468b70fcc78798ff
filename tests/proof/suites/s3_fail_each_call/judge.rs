//! What a run in which a system call failed may look like.

use super::{ERRORS, OUTPUT};
use crate::running::{HUNG, Output, contains};
use crate::sessions::Session;
use crate::suites::aftermath::CODE;
use crate::trace::Hit;

/// A run in which a call failed.
pub(super) struct Ran {
    /// The calls that failed.
    pub(super) hits: Vec<Hit>,
    /// Whether they failed because of a signal.
    pub(super) is_interruption: bool,
    pub(super) output: Output,
    /// The recording: none, or what is wrong with it.
    pub(super) record: Result<Option<Session>, String>,
    /// Whether the command ran.
    pub(super) has_started: bool,
}

/// What it is.
pub(super) enum Judged {
    /// The run made no such call this time.
    NotReached,
    /// What hit it can't happen.
    LeftOut,
    /// As if nothing had happened.
    Perfect,
    /// All right but for the recording, and said so.
    Warned,
    /// Not started, and said so.
    Refused,
    /// What should not be.
    Wrong(String),
}

/// What no kernel does: fail to read a PTY's master with data pending, or to close it; fail with a
/// pipe of aido's own; want a descriptor to tell the flags of another.
pub(super) fn cannot_happen(line: &str) -> bool {
    let call = line.split('(').next().unwrap_or_default();
    let target = line.split([',', ')']).next().unwrap_or_default();
    let of_master = target.ends_with("</dev/ptmx>");
    let of_pipe = target.contains("<pipe:[") && !is_delivery(line);
    match call {
        "read" | "write" => of_master || of_pipe,
        "close" => of_master,
        "fcntl" => !line.contains("F_DUPFD"),
        _ => false,
    }
}

/// Whether a fault kept aido from handing output over.
fn is_delivery(line: &str) -> bool {
    let mut calls = ["write(1<", "write(2<"].into_iter();
    calls.any(|call| line.starts_with(call))
}

/// Judges a run in which a call failed.
pub(super) fn judge(ran: &Ran) -> Judged {
    let Ran {
        hits,
        is_interruption,
        output: run,
        record,
        has_started,
    } = ran;
    let line = &hits[0].line;
    let wrong = |what: &str| Judged::Wrong(format!("{what}: {line}: {}", run.describe()));
    if run.code() == HUNG {
        return wrong("hangs");
    }
    if run.has_panic() {
        return wrong("panics");
    }
    let record = match record {
        Ok(record) => record,
        // A sidecar that isn't true is the worst of all.
        Err(fault) => return wrong(fault),
    };
    let lacks_nothing = record.as_ref().is_some_and(|session| {
        session.exit_code() == Some(i64::from(CODE))
            && session.output.len() == OUTPUT.len() + ERRORS.len()
            && session.meta["dropped_bytes"] == 0
            && session.events_fault.is_none()
    });
    let is_said = run.has_notice();
    if !*has_started {
        let is_claimed = record
            .as_ref()
            .is_some_and(|session| session.meta["status"] != "not_started");
        let is_refused = [125, 126, 127].contains(&run.code()) && is_said && run.stdout.is_empty();
        // Only what is needed to run a command at all may keep it from running.
        return match (
            is_refused && !is_claimed,
            may_refuse(hits),
            *is_interruption,
        ) {
            (true, true, false) => Judged::Refused,
            (true, _, _) => wrong("refused"),
            _ => wrong("not started"),
        };
    }
    let is_delivered = run.stdout == OUTPUT && contains_errors(run);
    if run.code() != CODE {
        return wrong("not the command's code");
    }
    if !is_delivered && (*is_interruption || !hits.iter().any(|hit| is_delivery(&hit.line))) {
        return wrong("output is missing");
    }
    if !lacks_nothing && !is_said {
        return wrong("the record suffered in silence");
    }
    if is_delivered && lacks_nothing && !is_said {
        Judged::Perfect
    } else if *is_interruption {
        wrong("an interruption shows")
    } else if !is_said && !hits.iter().any(|hit| hit.line.starts_with("write(2<")) {
        wrong("not delivered in silence")
    } else {
        Judged::Warned
    }
}

/// The command's standard error, whatever aido said besides.
fn contains_errors(run: &Output) -> bool {
    contains(&run.stderr, ERRORS)
}

/// Whether a fault may keep the command from being started: a process or a stream for it can't be had.
fn may_refuse(hits: &[Hit]) -> bool {
    const NEEDED: [&str; 9] = [
        "clone",
        "fork",
        "vfork",
        "pipe2(",
        "dup2(",
        "setpgid(",
        "ioctl(",
        "/dev/ptmx",
        "/dev/pts/",
    ];
    hits.iter().any(|hit| {
        let is_needed = NEEDED
            .iter()
            .any(|call| hit.line.starts_with(call) || hit.line.contains(call));
        is_needed || !hit.by_recorder
    })
}
