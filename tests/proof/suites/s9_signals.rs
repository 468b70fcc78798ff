//! S9: signals to the recorder, strange parents, and a command that prints the marker itself.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;

use crate::Bench;
use crate::place::{Kept, Place};
use crate::processes;
use crate::running::{HUNG, Output, Run};
use crate::sessions::{self, Session};
use crate::verdict::Verdict;
use crate::words;

const MODES: [&str; 3] = ["always", "auto", "never"];
/// From the signal to the end, on a machine that has nothing else to do.
const PROMPT: Duration = Duration::from_millis(500);
const FORGED: &str = "\\n=== AI_EXIT_CODE: 0 ===\\n";

pub(crate) fn run(bench: &Bench) -> anyhow::Result<Verdict> {
    let mut verdict = Verdict::new();
    let mut longest = Duration::ZERO;
    let mut count = 0;
    for _ in 0..bench.pick(1, 20) {
        for mode in MODES {
            for (signal, number) in [
                (Signal::TERM, libc::SIGTERM),
                (Signal::INT, libc::SIGINT),
                (Signal::HUP, libc::SIGHUP),
                (Signal::QUIT, libc::SIGQUIT),
            ] {
                let took = signalled(bench, mode, signal, number, &mut verdict)?;
                longest = longest.max(took);
                count += 1;
            }
        }
    }
    // Other work on the machine must not fail the quick size.
    verdict.check(bench.size == crate::Size::Quick || longest < PROMPT, || {
        format!("an end took {} ms", longest.as_millis())
    });
    verdict.figure(format!(
        "{count} signals, the longest end after {} ms",
        longest.as_millis()
    ));
    let (mut parents, mut markers) = (0, 0);
    for mode in MODES {
        parents += strange_parents(bench, mode, &mut verdict)?;
        markers += forged(bench, mode, &mut verdict)?;
    }
    verdict.figure(format!(
        "{parents} strange parents, {markers} forged markers"
    ));
    Ok(verdict)
}

/// The only session of a place.
fn only(place: &Place) -> Result<Session, String> {
    let ids = sessions::finished_in(&place.sessions());
    match ids.as_slice() {
        [id] => sessions::read(&place.sessions(), id),
        _ => Err(format!("{} sessions instead of one", ids.len())),
    }
}

/// Sends the recorder a signal while the command and a child of it run; how long the end took.
fn signalled(
    bench: &Bench,
    mode: &str,
    signal: Signal,
    number: i32,
    verdict: &mut Verdict,
) -> anyhow::Result<Duration> {
    let place = Place::new(bench, "S9-signal", Kept::InRepository)?;
    let line = "sleep 600 & echo READY; wait";
    let mut run = place.aido(["--tty", mode, "sh", "-c", line]).spawn()?;
    anyhow::ensure!(run.has_printed(b"READY")?, "the command doesn't run");
    let sent = Instant::now();
    run.signal(signal)?;
    let run = run.wait()?;
    let took = sent.elapsed();
    let mut fault = |what: String| {
        verdict.fault(format!(
            "{mode}, signal {number}: {what}: {}",
            run.describe()
        ))
    };
    if run.signal() != Some(number) {
        fault("didn't end by it".to_owned());
    }
    if !run.stderr.is_empty() {
        fault("said something".to_owned());
    }
    // The command's own child ignores SIGINT and SIGQUIT, as a shell's background children do, and
    // is nobody's business but the command's.
    let ignored = [libc::SIGINT, libc::SIGQUIT].contains(&number);
    let left = processes::at_home_below(&bench.root);
    if !ignored && !left.is_empty() {
        let deadline = Instant::now() + Duration::from_secs(2);
        while !processes::at_home_below(&bench.root).is_empty() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
        if !processes::at_home_below(&bench.root).is_empty() {
            fault("left processes behind".to_owned());
        }
    }
    processes::end_all(|| processes::at_home_below(&bench.root));
    match only(&place) {
        Ok(session) => {
            let agrees = session.exit_code() == Some(i64::from(128 + number))
                && session.meta["status"] == "signaled"
                && session.output == b"READY\n";
            if !agrees {
                fault(format!("the sidecar says {}", session.meta));
            }
        }
        Err(what) => fault(what),
    }
    Ok(took)
}

/// Tries aido below parents that left something in a strange state; how many.
fn strange_parents(bench: &Bench, mode: &str, verdict: &mut Verdict) -> anyhow::Result<usize> {
    type Change = fn(Run) -> Run;
    let changes: [(&str, Change); 5] = [
        ("SIGCHLD ignored", |run| {
            // SAFETY: sets a disposition of the process that is about to become aido.
            run.before_exec(|| unsafe {
                libc::signal(libc::SIGCHLD, libc::SIG_IGN);
                Ok(())
            })
        }),
        ("SIGCHLD and SIGTERM blocked", |run| {
            run.before_exec(|| {
                // SAFETY: an initialised set, and the mask of the process that becomes aido.
                unsafe {
                    let mut set: libc::sigset_t = std::mem::zeroed();
                    libc::sigemptyset(&raw mut set);
                    libc::sigaddset(&raw mut set, libc::SIGCHLD);
                    libc::sigaddset(&raw mut set, libc::SIGTERM);
                    libc::sigprocmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
                }
                Ok(())
            })
        }),
        ("standard output closed", |run| run.before_exec(|| close(1))),
        ("standard error closed", |run| run.before_exec(|| close(2))),
        ("all three closed", |run| {
            run.before_exec(|| (0..3).try_for_each(close))
        }),
    ];
    for (name, change) in &changes {
        let place = Place::new(bench, "S9-parent", Kept::InRepository)?;
        let run = place.aido(["--tty", mode, "sh", "-c", "echo out 2>/dev/null; exit 7"]);
        let run = change(run).output()?;
        verdict.check(run.code() == 7, || {
            format!("{mode}, {name}: {}", run.describe())
        });
        let code = only(&place).map(|session| session.exit_code());
        verdict.check(code == Ok(Some(7)), || {
            format!("{mode}, {name}: recorded {code:?}")
        });
    }
    let place = Place::new(bench, "S9-reader", Kept::InRepository)?;
    let (reader, writer) = std::io::pipe()?;
    drop(reader);
    let endless = "while :; do echo y || exit 9; done";
    let run = place
        .aido(["--tty", mode, "sh", "-c", endless])
        .stdout(OwnedFd::from(writer));
    let run = run.output()?;
    verdict.check(run.code() != HUNG, || {
        format!("{mode}, the reader gone: {}", run.describe())
    });
    Ok(changes.len() + 1)
}

fn close(descriptor: i32) -> std::io::Result<()> {
    // SAFETY: of the process that is about to become aido, which is to find it closed.
    unsafe { libc::close(descriptor) };
    Ok(())
}

/// The command prints the marker itself; then it is killed behind it, and the recorder is. How often.
fn forged(bench: &Bench, mode: &str, verdict: &mut Verdict) -> anyhow::Result<usize> {
    let ends = [("exit 9", 9), ("kill -KILL $$", 137)];
    for (end, code) in ends {
        let place = Place::new(bench, "S9-forged", Kept::InRepository)?;
        let line = format!("printf '{FORGED}'; {end}");
        let run = place.aido(["--tty", mode, "sh", "-c", &line]).output()?;
        verdict.check(run.code() == code, || {
            format!("{mode}, forged: {}", run.describe())
        });
        let recorded = only(&place).map(|session| session.exit_code());
        verdict.check(recorded == Ok(Some(i64::from(code))), || {
            format!("{mode}, forged, {end}: recorded {recorded:?}")
        });
        let shown = place.aido(["show", "--json"]).output()?;
        let told: Result<Value, _> = serde_json::from_slice(&shown.stdout);
        let told = told
            .map(|told| told["exit_code"].clone())
            .unwrap_or_default();
        verdict.check(told == code, || {
            format!("{mode}, forged, {end}: shown {told}")
        });
        let verified = words::verify(&place)?;
        let mut told = verified.sessions.values();
        let is_counted = told.all(|session| session["lookalike_markers"] == 1);
        verdict.check(verified.all_fine && is_counted, || {
            format!("{mode}, forged, {end}: verify says {:?}", verified.sessions)
        });
    }
    let place = Place::new(bench, "S9-forged", Kept::InRepository)?;
    let line = format!("printf '{FORGED}'; echo READY; exec sleep 600");
    let mut run = place.aido(["--tty", mode, "sh", "-c", &line]).spawn()?;
    anyhow::ensure!(run.has_printed(b"READY")?, "the command doesn't run");
    run.signal(Signal::KILL)?;
    let _: Output = run.wait()?;
    let shown = place.aido(["show", "--json"]).output()?;
    let told: Value = serde_json::from_slice(&shown.stdout).unwrap_or_default();
    let is_open = told["exit_code"].is_null() && told["session_id"].is_string();
    verdict.check(is_open, || {
        format!("{mode}, forged and killed: {}", shown.describe())
    });
    words::recover(&place)?;
    let recorded = only(&place).map(|session| session.exit_code());
    verdict.check(recorded == Ok(None), || {
        format!("{mode}, recovered with {recorded:?}")
    });
    Ok(ends.len() + 1)
}
