//! S3: each system call of a recorder fails in turn, with each error that it can have.
//!
//! Left out, since no kernel does it: `read` and `close` of a PTY's master that fail with data
//! pending. Memory calls are left out too: without memory nothing can be promised.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use super::aftermath::CODE;
use super::variant::Variant;
use crate::Bench;
use crate::crowd::{crowd, processors};
use crate::dice::Dice;
use crate::place::{Kept, Place};
use crate::sessions;
use crate::trace::{self, Call};
use crate::verdict::Verdict;

mod judge;

use judge::{Judged, Ran, cannot_happen, judge};

const OUTPUT: &[u8] = b"out of the command\nmore of it\n";
const ERRORS: &[u8] = b"err of the command\n";
/// The longest that a run may take.
const LIMIT: Duration = Duration::from_secs(15);

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
        let place = variant.place(bench, "S3-whole")?;
        let calls = variant.calls(&place, &arguments(&variant, &place))?;
        let attempts = chosen(bench, &calls, &variant);
        let results = crowd(processors(), attempts.len(), |number| {
            attempt(&variant, bench, number, &attempts[number])
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

fn arguments(variant: &Variant, place: &Place) -> Vec<String> {
    let started = place.path("temporary/started");
    // In two steps, so that there is something to relay while it runs.
    let line = format!(
        ": >{}; echo out of the command; echo err of the command >&2; sleep 0.03; \
         echo more of it; exit {CODE}",
        started.display()
    );
    variant.arguments(["sh".to_owned(), "-c".to_owned(), line])
}

/// Makes a call of a run fail, and judges the run, and the next one.
fn attempt(
    variant: &Variant,
    bench: &Bench,
    number: usize,
    attempt: &Attempt,
) -> anyhow::Result<Judged> {
    let place = variant.place(bench, &format!("S3-{number}"))?;
    let before = sessions::list(&place)?.finished;
    let Attempt { call, error } = attempt;
    let trace = format!("trace={}", call.name);
    let inject = format!(
        "inject={}:error={error}:when={}",
        call.name, call.occurrence
    );
    let log = place.path("trace");
    let run = trace::traced(
        &place,
        &log,
        &[&trace, &inject],
        &arguments(variant, &place),
    );
    let run = run.limit(LIMIT).output()?;
    let hits = trace::hits(&log);
    if hits.is_empty() {
        return Ok(Judged::NotReached);
    }
    if hits.iter().any(|hit| cannot_happen(&hit.line)) {
        return Ok(Judged::LeftOut);
    }
    let ran = Ran {
        hits,
        is_interruption: *error == "EINTR",
        record: new_record(&place, &before)?,
        has_started: place.path("temporary/started").exists(),
        output: run,
    };
    let judged = judge(&ran);
    if !matches!(judged, Judged::Wrong(_))
        && let Some(fault) = next_is_wrong(variant, &place)?
    {
        return Ok(Judged::Wrong(fault));
    }
    Ok(judged)
}

/// A fault that has passed must not be felt by the next session.
fn next_is_wrong(variant: &Variant, place: &Place) -> anyhow::Result<Option<String>> {
    let _ = fs::remove_file(place.path("temporary/started"));
    let before = sessions::list(place)?.finished.len();
    let run = place.aido(arguments(variant, place)).output()?;
    let is_right = run.code() == CODE
        && run.stdout == OUTPUT
        && run.stderr == ERRORS
        && sessions::list(place)?.finished.len() == before + 1;
    Ok((!is_right).then(|| format!("the next session: {}", run.describe())))
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
