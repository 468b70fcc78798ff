//! S11: for long, commands are recorded with few file descriptors to be had, recorders are killed, and what
//! they leave is recovered, verified and pruned beside them.

use std::fs;
use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, Signal, setrlimit};

use crate::Bench;
use crate::dice::Dice;
use crate::place::{Kept, Place};
use crate::running::{Output, Run};
use crate::sessions;
use crate::verdict::Verdict;
use crate::words;

/// How many record at once.
const HANDS: usize = 4;
/// The most file descriptors that a process may have.
const DESCRIPTORS: u64 = 64;
/// The most sessions that pruning leaves.
const KEPT: usize = 100;
/// A command that lists its own file descriptors: the caller's, and none of aido's.
const LISTING: &str = "ls /proc/self/fd | tr '\\n' ' '";
/// How long the whole lasts at full size.
const HOUR: Duration = Duration::from_secs(3600);

/// What was done.
#[derive(Default)]
struct Done {
    recorded: AtomicUsize,
    killed: AtomicUsize,
    pruned: AtomicUsize,
    faults: Mutex<Vec<String>>,
}

impl Done {
    fn fault(&self, text: String) {
        let mut faults = self
            .faults
            .lock()
            .unwrap_or_else(|error| error.into_inner());
        faults.push(text);
    }
}

pub(crate) fn run(bench: &Bench) -> anyhow::Result<Verdict> {
    let mut verdict = Verdict::new();
    let place = Place::new(bench, "S11", Kept::InRepository)?;
    let (reader, writer) = io::pipe()?;
    let beside = place.aido(["sh", "-c", "echo living; cat >/dev/null; exit 7"]);
    let beside = scarce(beside).stdin(reader).limit(2 * HOUR);
    let mut beside = beside.spawn()?;
    anyhow::ensure!(
        beside.has_printed(b"living")?,
        "the session beside doesn't run"
    );
    let descriptors = || -> io::Result<usize> {
        Ok(fs::read_dir(format!("/proc/{}/fd", beside.process()))?.count())
    };
    let bare = place.program("sh").arguments(["-c", LISTING]).output()?;
    let bare = String::from_utf8_lossy(&bare.stdout).into_owned();
    // After a second it has begun to make durable what was printed.
    thread::sleep(Duration::from_secs(2));
    let at_first = descriptors()?;
    let until = Instant::now() + bench.pick(Duration::from_secs(4), HOUR);
    let (done, number) = (Done::default(), AtomicU64::new(0));
    thread::scope(|scope| {
        for _ in 0..HANDS {
            scope.spawn(|| {
                while Instant::now() < until {
                    let number = number.fetch_add(1, Ordering::Relaxed);
                    if let Err(error) = one(&place, bench.seed, number, &bare, &done) {
                        done.fault(format!("{error:#}"));
                        return;
                    }
                }
            });
        }
        scope.spawn(|| {
            while Instant::now() < until {
                if let Err(error) = clean_up(&place, &done) {
                    done.fault(format!("{error:#}"));
                    return;
                }
                thread::sleep(Duration::from_millis(200));
            }
        });
    });
    verdict.check(descriptors()? == at_first, || {
        "the session beside has other descriptors than at first".to_owned()
    });
    drop(writer);
    let ended = beside.wait()?;
    verdict.check(ended.code() == 7, || {
        format!("the session beside: {}", ended.describe())
    });
    verdict.faults(
        done.faults
            .into_inner()
            .unwrap_or_else(|error| error.into_inner()),
    );
    words::recover(&place)?;
    clean_up(&place, &Done::default())?;
    let left = sessions::list(&place)?;
    verdict.check(left.unfinished.is_empty(), || {
        format!("unfinished: {:?}", left.unfinished)
    });
    verdict.check(left.temporary.is_empty(), || {
        format!("left over: {:?}", left.temporary)
    });
    verdict.check(left.finished.len() <= KEPT, || {
        format!("{} sessions are left of {KEPT}", left.finished.len())
    });
    let (recorded, killed) = (done.recorded.into_inner(), done.killed.into_inner());
    verdict.check(recorded > 0 && killed > 0, || {
        format!("{recorded} were recorded and {killed} killed")
    });
    verdict.figure(format!(
        "{recorded} recorded, {killed} killed, {} times cleaned up, {at_first} descriptors from first to last",
        done.pruned.into_inner()
    ));
    Ok(verdict)
}

/// Takes most file descriptors away.
fn scarce(run: Run) -> Run {
    run.before_exec(|| {
        let limit = Rlimit {
            current: Some(DESCRIPTORS),
            maximum: Some(DESCRIPTORS),
        };
        Ok(setrlimit(Resource::Nofile, limit)?)
    })
}

/// One command, which every third time loses its recorder.
fn one(place: &Place, seed: u64, number: u64, bare: &str, done: &Done) -> anyhow::Result<()> {
    let mut dice = Dice::new(seed, 11_000 + number);
    let (token, code) = (format!("{:016x}", dice.number()), dice.below(100));
    let line = format!("echo {token}; {LISTING}; exit {code}");
    let tty = *dice.one_of(&["always", "auto", "never"]);
    let run = scarce(place.aido(["--tty", tty, "sh", "-c", &line]));
    if dice.below(3) > 0 {
        let output = run.output()?;
        judge(&output, &token, code, bare, done);
        done.recorded.fetch_add(1, Ordering::Relaxed);
        return Ok(());
    }
    let running = run.spawn()?;
    thread::sleep(Duration::from_millis(dice.number() % 15));
    // It may be over.
    let _ = running.signal(Signal::KILL);
    let output = running.wait()?;
    match output.signal() {
        Some(_) => drop(done.killed.fetch_add(1, Ordering::Relaxed)),
        None => judge(&output, &token, code, bare, done),
    }
    Ok(())
}

fn judge(output: &Output, token: &str, code: usize, bare: &str, done: &Done) {
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let is_right = output.code() == i32::try_from(code).unwrap_or(-1)
        && printed.starts_with(token)
        && printed.trim_end().ends_with(bare.trim_end())
        && output.stderr.is_empty();
    if !is_right {
        done.fault(format!("{token}, {code}: {}", output.describe()));
    }
}

/// Recovers, verifies and prunes, as one after the other would be run by hand.
fn clean_up(place: &Place, done: &Done) -> anyhow::Result<()> {
    words::recover(place)?;
    let kept = KEPT.to_string();
    let prune = place
        .aido(["prune", "--keep-sessions", &kept, "-y"])
        .output()?;
    if prune.code() != 0 {
        done.fault(format!("prune: {}", prune.describe()));
    }
    let verified = words::verify(place)?;
    for (id, status) in verified.statuses {
        // One that is pruned or begun meanwhile is neither.
        if !["OK", "LIVE", "INTERRUPTED", "MISSING"].contains(&status.as_str()) {
            done.fault(format!("{id}: {status}"));
        }
    }
    done.pruned.fetch_add(1, Ordering::Relaxed);
    Ok(())
}
