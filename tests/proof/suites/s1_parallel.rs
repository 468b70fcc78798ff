//! S1: many recorders at once in one store. Each session prints a token of its own and ends with a code
//! of its own, and all of them are looked for afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::Bench;
use crate::crowd::crowd;
use crate::dice::Dice;
use crate::place::{Kept, Place};
use crate::sessions;
use crate::verdict::Verdict;
use crate::words;

/// How often the reader that runs beside looks.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

pub(crate) fn run(bench: &Bench) -> anyhow::Result<Verdict> {
    let mut verdict = Verdict::new();
    let (count, recorders) = bench.pick((400, 16), (10_000, 64));
    let fast = level(bench, "fast", count, recorders, &mut verdict)?;
    verdict.figure(format!(
        "{count} sessions from {recorders} recorders, {fast:.0}/s at fast"
    ));
    for name in ["normal", "full"] {
        let count = bench.pick(80, 2_000);
        let rate = level(bench, name, count, recorders, &mut verdict)?;
        verdict.figure(format!("{:.2} of that at {name}", rate / fast));
    }
    let place = Place::new(bench, "S1-bare", Kept::InRepository)?;
    let count = bench.pick(200, 2_000);
    let started = Instant::now();
    let codes = crowd(recorders, count, |_| {
        let run = place.program("sh").arguments(["-c", "echo; exit 7"]);
        run.output().is_ok_and(|output| output.code() == 7)
    });
    anyhow::ensure!(
        codes.into_iter().all(|is_right| is_right),
        "the control doesn't run"
    );
    let bare = count as f64 / started.elapsed().as_secs_f64();
    verdict.figure(format!("{bare:.0}/s without aido"));
    Ok(verdict)
}

/// Runs so many sessions at a durability level and judges the store; the rate in sessions a second.
fn level(
    bench: &Bench,
    durability: &str,
    count: usize,
    recorders: usize,
    verdict: &mut Verdict,
) -> anyhow::Result<f64> {
    let place = Place::new(bench, &format!("S1-{durability}"), Kept::InRepository)?;
    let mut dice = Dice::new(bench.seed, 1);
    let expected: BTreeMap<String, i32> = (0..count)
        .map(|number| (format!("{:016x}", dice.number()), i32::from(number as u8)))
        .collect();
    let tokens: Vec<(&String, &i32)> = expected.iter().collect();
    let over = AtomicBool::new(false);
    let started = Instant::now();
    let (faults, torn, seconds) = thread::scope(|scope| {
        let reader = scope.spawn(|| read_meanwhile(&place, &over));
        let faults = crowd(recorders, count, |number| {
            let (token, code) = tokens[number];
            one(&place, durability, token, *code)
        });
        let seconds = started.elapsed().as_secs_f64();
        over.store(true, Ordering::Relaxed);
        let torn = reader
            .join()
            .unwrap_or_else(|_| vec!["the reader panicked".to_owned()]);
        (faults, torn, seconds)
    });
    verdict.faults(faults.into_iter().flatten());
    verdict.faults(torn);
    judge(&place, &expected, verdict)?;
    Ok(count as f64 / seconds)
}

/// One session; what its caller didn't get.
fn one(place: &Place, durability: &str, token: &str, code: i32) -> Option<String> {
    let line = format!("echo {token}; exit {code}");
    let run = place
        .aido(["--durability", durability, "sh", "-c", &line])
        .output();
    match run {
        Ok(run) => {
            let is_right = run.code() == code
                && run.stdout == format!("{token}\n").as_bytes()
                && run.stderr.is_empty();
            (!is_right).then(|| format!("expected {token}, exit {code}: {}", run.describe()))
        }
        Err(error) => Some(error.to_string()),
    }
}

/// Reads each sidecar as soon as it is there: none may be half-written, or ahead of its transcript.
fn read_meanwhile(place: &Place, over: &AtomicBool) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut faults = Vec::new();
    while !over.load(Ordering::Relaxed) {
        for entry in fs::read_dir(place.sessions())
            .into_iter()
            .flatten()
            .flatten()
        {
            let name = entry.file_name().to_string_lossy().into_owned();
            if let Some(id) = name.strip_suffix(".meta.json")
                && seen.insert(id.to_owned())
            {
                let session = sessions::read(&place.sessions(), id);
                faults.extend(session.err().map(|fault| format!("meanwhile: {fault}")));
            }
        }
        thread::sleep(LOOK_AGAIN);
    }
    faults
}

fn judge(
    place: &Place,
    expected: &BTreeMap<String, i32>,
    verdict: &mut Verdict,
) -> anyhow::Result<()> {
    let listing = sessions::list(place)?;
    verdict.faults(
        listing
            .unfinished
            .iter()
            .map(|id| format!("without a sidecar: {id}")),
    );
    verdict.faults(
        listing
            .temporary
            .iter()
            .map(|path| format!("left: {}", path.display())),
    );
    let mut found = BTreeMap::new();
    for id in &listing.finished {
        match sessions::read(&place.sessions(), id) {
            Ok(session) => {
                let token = String::from_utf8_lossy(session.output.trim_ascii_end()).into_owned();
                let right = expected.get(&token).map(|code| i64::from(*code));
                verdict.check(right.is_some() && session.exit_code() == right, || {
                    format!(
                        "{id}: {token} with {:?} instead of {right:?}",
                        session.exit_code()
                    )
                });
                let twice = found.insert(token, id.clone());
                verdict.check(twice.is_none(), || {
                    format!("recorded twice: {id}, {twice:?}")
                });
            }
            Err(fault) => verdict.fault(fault),
        }
    }
    let lost = expected.keys().filter(|token| !found.contains_key(*token));
    verdict.faults(lost.map(|token| format!("lost: {token}")));
    match sessions::indexed(&place.sessions()) {
        Ok(ids) => {
            let distinct: BTreeSet<String> = ids.iter().cloned().collect();
            verdict.check(
                ids.len() == distinct.len() && distinct == listing.finished,
                || {
                    format!(
                        "the index has {} lines for {} sessions",
                        ids.len(),
                        distinct.len()
                    )
                },
            );
        }
        Err(fault) => verdict.fault(fault),
    }
    let verified = words::verify(place)?;
    let statuses = verified.statuses.values();
    let fine = statuses.filter(|status| *status == "OK").count();
    verdict.check(verified.all_fine && fine == expected.len(), || {
        format!("verify says OK to {fine} of {} only", expected.len())
    });
    Ok(())
}
