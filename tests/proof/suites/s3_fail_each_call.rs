//! S3: each system call of a recorder fails in turn, with each error that it can have.
//!
//! Left out, since no kernel does it: `read` and `close` of a PTY's master that fail with data
//! pending. Memory calls are left out too: without memory nothing can be promised.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use crate::Bench;
use crate::crowd::{crowd, processors};
use crate::dice::Dice;
use crate::place::{Kept, Place};
use crate::running::{HUNG, Output};
use crate::sessions;
use crate::trace::{self, Call, Hit};
use crate::verdict::Verdict;

const CODE: i32 = 7;
const OUTPUT: &[u8] = b"out of the command\nmore of it\n";
const ERRORS: &[u8] = b"err of the command\n";

/// Calls, and the errors that their manual pages name; EINTR where a signal can end them.
const FAULTS: &[(&[&str], &[&str])] = &[
    (
        &["open", "openat"],
        &[
            "ENOSPC", "EIO", "EDQUOT", "EACCES", "EROFS", "EMFILE", "ENFILE", "ENOMEM", "EINTR",
        ],
    ),
    (&["write"], &["ENOSPC", "EIO", "EDQUOT", "EFBIG", "EINTR"]),
    (&["read", "pread64"], &["EIO", "EINTR"]),
    (
        &["fsync", "fdatasync", "sync_file_range"],
        &["EIO", "ENOSPC", "EDQUOT", "EROFS", "EINTR"],
    ),
    (
        &["renameat", "renameat2", "rename", "linkat"],
        &[
            "ENOSPC", "EIO", "EDQUOT", "EACCES", "EROFS", "EPERM", "EINVAL", "EINTR",
        ],
    ),
    (
        &["unlink", "unlinkat"],
        &["EIO", "EACCES", "EROFS", "EPERM", "EINTR"],
    ),
    (
        &["mkdir", "mkdirat"],
        &[
            "ENOSPC", "EIO", "EDQUOT", "EACCES", "EROFS", "EMLINK", "EINTR",
        ],
    ),
    (&["flock"], &["ENOLCK", "EINTR", "EIO"]),
    (&["close"], &["EIO", "ENOSPC", "EDQUOT", "EINTR"]),
    (
        &[
            "stat",
            "lstat",
            "fstat",
            "newfstatat",
            "statx",
            "access",
            "readlink",
            "getcwd",
        ],
        &["EIO", "EACCES", "ENOMEM"],
    ),
    (
        &["fallocate", "ftruncate"],
        &["ENOSPC", "EIO", "EDQUOT", "EOPNOTSUPP", "EINTR"],
    ),
    (&["lseek"], &["EIO"]),
    (&["fchmod"], &["EPERM", "EIO", "EROFS", "EINTR"]),
    (&["getdents64"], &["EIO"]),
    (&["getrandom"], &["EINTR", "ENOSYS"]),
    // The runtime asks for open descriptors with poll, and knows these errors only.
    (&["poll", "ppoll"], &["EINTR", "ENOMEM"]),
    (&["wait4", "waitid"], &["EINTR"]),
    (&["clone", "clone3", "fork", "vfork"], &["EAGAIN", "ENOMEM"]),
    (&["ioctl"], &["EIO", "ENOTTY", "ENOSPC"]),
    (&["pipe2"], &["EMFILE", "ENFILE"]),
    (&["fcntl"], &["EMFILE"]),
    (&["dup2"], &["EBUSY", "EINTR"]),
    (&["setpgid"], &["EPERM", "EACCES"]),
];

pub(crate) fn run(bench: &Bench) -> anyhow::Result<Verdict> {
    let mut verdict = Verdict::new();
    if let Some(reason) = trace::missing() {
        verdict.skip(reason);
        return Ok(verdict);
    }
    let mut sum = Counts::default();
    for (kept, durability, is_first) in [
        (Kept::InRepository, "full", false),
        (Kept::InRepository, "normal", true),
        (Kept::ByName, "full", true),
        (Kept::ByName, "normal", false),
    ] {
        let variant = Variant {
            kept,
            durability,
            is_first,
        };
        let calls = variant.calls(bench)?;
        let attempts = chosen(bench, &calls, &variant);
        let results = crowd(processors(), attempts.len(), |number| {
            variant.attempt(bench, number, &attempts[number])
        });
        for (attempt, result) in attempts.iter().zip(results) {
            match result? {
                Judged::NotReached => sum.not_reached += 1,
                Judged::LeftOut => sum.left_out += 1,
                Judged::Perfect => sum.perfect += 1,
                Judged::Warned => sum.warned += 1,
                Judged::Refused => sum.refused += 1,
                Judged::Wrong(what) => {
                    sum.wrong += 1;
                    let Attempt { call, error } = attempt;
                    verdict.fault(format!(
                        "{} {} {error}, {variant:?}: {what}",
                        call.name, call.occurrence
                    ));
                }
            }
        }
    }
    verdict.figure(format!(
        "{} faults: {} perfect, {} with a warning, {} refused loudly, {} wrong; {} not reached, {} \
         left out",
        sum.perfect + sum.warned + sum.refused + sum.wrong,
        sum.perfect,
        sum.warned,
        sum.refused,
        sum.wrong,
        sum.not_reached,
        sum.left_out
    ));
    verdict.check(sum.not_reached * 5 < sum.perfect + sum.warned, || {
        "too many of the calls were not made again".to_owned()
    });
    Ok(verdict)
}

#[derive(Default)]
struct Counts {
    perfect: usize,
    warned: usize,
    refused: usize,
    wrong: usize,
    not_reached: usize,
    left_out: usize,
}

struct Attempt {
    call: Call,
    error: &'static str,
}

/// Every call with every error in full; else a part of the calls, each with an error by chance.
fn chosen(bench: &Bench, calls: &[Call], variant: &Variant) -> Vec<Attempt> {
    let mut dice = Dice::new(
        bench.seed,
        3 + u64::from(variant.is_first) * 2 + variant.kept as u64,
    );
    let step = bench.pick(5, 1);
    let mut attempts = Vec::new();
    for call in calls.iter().filter(|call| !cannot_happen(&call.line)) {
        let errors = FAULTS
            .iter()
            .find(|(names, _)| names.contains(&call.name.as_str()));
        let Some((_, errors)) = errors else {
            continue;
        };
        if step == 1 {
            attempts.extend(errors.iter().map(|error| Attempt {
                call: call.clone(),
                error,
            }));
        } else if dice.below(step) == 0 {
            let error = dice.one_of(errors);
            attempts.push(Attempt {
                call: call.clone(),
                error,
            });
        }
    }
    attempts
}

enum Judged {
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

/// Where and how a session is recorded.
#[derive(Debug)]
struct Variant {
    kept: Kept,
    durability: &'static str,
    /// Whether it is the first one in its store, which makes directories and the key.
    is_first: bool,
}

impl Variant {
    fn place(&self, bench: &Bench, name: &str) -> anyhow::Result<Place> {
        let name = format!("S3-{:?}-{}-{name}", self.kept, self.is_first);
        let place = Place::new(bench, &name, self.kept)?;
        if !self.is_first {
            let run = place.aido(["sh", "-c", "echo before; exit 7"]).output()?;
            anyhow::ensure!(run.code() == CODE, "before: {}", run.describe());
        }
        Ok(place)
    }

    fn arguments(&self, place: &Place) -> [String; 5] {
        let started = place.path("temporary/started");
        // In two steps, so that there is something to relay while it runs.
        let line = format!(
            ": >{}; echo out of the command; echo err of the command >&2; sleep 0.03; \
             echo more of it; exit {CODE}",
            started.display()
        );
        let [option, level, shell, flag] =
            ["--durability", self.durability, "sh", "-c"].map(str::to_owned);
        [option, level, shell, flag, line]
    }

    fn calls(&self, bench: &Bench) -> anyhow::Result<Vec<Call>> {
        let place = self.place(bench, "whole")?;
        let log = place.path("trace");
        let run = trace::traced(&place, &log, &[], &self.arguments(&place)).output()?;
        anyhow::ensure!(run.code() == CODE, "a traced run: {}", run.describe());
        trace::calls(&log)
    }

    fn attempt(&self, bench: &Bench, number: usize, attempt: &Attempt) -> anyhow::Result<Judged> {
        let place = self.place(bench, &number.to_string())?;
        let before = sessions::list(&place)?.finished;
        let Attempt { call, error } = attempt;
        let trace = format!("trace={}", call.name);
        let inject = format!(
            "inject={}:error={error}:when={}",
            call.name, call.occurrence
        );
        let log = place.path("trace");
        let run = trace::traced(&place, &log, &[&trace, &inject], &self.arguments(&place));
        let run = run.limit(Duration::from_secs(15)).output()?;
        let hits = trace::hits(&log);
        if hits.is_empty() {
            return Ok(Judged::NotReached);
        }
        if hits.iter().any(|hit| cannot_happen(&hit.line)) {
            return Ok(Judged::LeftOut);
        }
        let record = new_record(&place, &before)?;
        let has_started = place.path("temporary/started").exists();
        let judged = judge(&hits, *error == "EINTR", &run, record, has_started);
        if !matches!(judged, Judged::Wrong(_))
            && let Some(fault) = self.next_is_wrong(&place)?
        {
            return Ok(Judged::Wrong(fault));
        }
        Ok(judged)
    }

    /// A fault that has passed must not be felt by the next session.
    fn next_is_wrong(&self, place: &Place) -> anyhow::Result<Option<String>> {
        let _ = fs::remove_file(place.path("temporary/started"));
        let before = sessions::list(place)?.finished.len();
        let run = place.aido(self.arguments(place)).output()?;
        let is_right = run.code() == CODE
            && run.stdout == OUTPUT
            && run.stderr == ERRORS
            && sessions::list(place)?.finished.len() == before + 1;
        Ok((!is_right).then(|| format!("the next session: {}", run.describe())))
    }
}

/// The session that was added to the store; or to the user's own, where the repository can't be found.
fn new_record(
    place: &Place,
    before: &BTreeSet<String>,
) -> anyhow::Result<Result<Option<sessions::Session>, String>> {
    let mut paths = Vec::new();
    for id in sessions::list(place)?.finished.difference(before) {
        paths.push((place.sessions(), id.clone()));
    }
    for id in sessions::finished_in(&place.user_sessions()) {
        paths.push((place.user_sessions(), id));
    }
    Ok(match paths.as_slice() {
        [] => Ok(None),
        [(directory, id)] => sessions::read_without_events(directory, id).map(Some),
        _ => Err(format!("more than one session: {paths:?}")),
    })
}

/// What no kernel does: fail to read a PTY's master with data pending, or to close it; fail with a
/// pipe of aido's own; want a descriptor to tell the flags of another.
fn cannot_happen(line: &str) -> bool {
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

fn judge(
    hits: &[Hit],
    is_interruption: bool,
    run: &Output,
    record: Result<Option<sessions::Session>, String>,
    has_started: bool,
) -> Judged {
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
        Err(fault) => return wrong(&fault),
    };
    let lacks_nothing = record.as_ref().is_some_and(|session| {
        session.exit_code() == Some(i64::from(CODE))
            && session.output.len() == OUTPUT.len() + ERRORS.len()
            && session.meta["dropped_bytes"] == 0
            && session.events_fault.is_none()
    });
    let is_said = run.has_notice();
    if !has_started {
        let is_claimed = record.is_some_and(|session| session.meta["status"] != "not_started");
        let is_refused = [125, 126, 127].contains(&run.code()) && is_said && run.stdout.is_empty();
        // Only what is needed to run a command at all may keep it from running.
        return match (is_refused && !is_claimed, may_refuse(hits), is_interruption) {
            (true, true, false) => Judged::Refused,
            (true, _, _) => wrong("refused"),
            _ => wrong("not started"),
        };
    }
    let is_delivered = run.stdout == OUTPUT && contains_errors(run);
    if run.code() != CODE {
        return wrong("not the command's code");
    }
    if !is_delivered && (is_interruption || !hits.iter().any(|hit| is_delivery(&hit.line))) {
        return wrong("output is missing");
    }
    if !lacks_nothing && !is_said {
        return wrong("the record suffered in silence");
    }
    if is_delivered && lacks_nothing && !is_said {
        Judged::Perfect
    } else if is_interruption {
        wrong("an interruption shows")
    } else if !is_said && !hits.iter().any(|hit| hit.line.starts_with("write(2<")) {
        wrong("not delivered in silence")
    } else {
        Judged::Warned
    }
}

/// The command's standard error, whatever aido said besides.
fn contains_errors(run: &Output) -> bool {
    crate::running::contains(&run.stderr, ERRORS)
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
