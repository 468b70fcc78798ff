//! S2: recorders are killed at random moments, four at a time, beside one that lives on.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rustix::process::Signal;

use super::aftermath::{self, CODE, Told};
use crate::Bench;
use crate::crowd::crowd;
use crate::dice::Dice;
use crate::place::{Kept, Place};
use crate::sessions;
use crate::verdict::Verdict;
use crate::words;

/// How many are at it at once.
const HANDS: usize = 4;
/// Lines that each command prints.
const LINES: usize = 300;
/// The token of the session that lives on.
const LIVING: &str = "living";

pub(crate) fn run(bench: &Bench) -> anyhow::Result<Verdict> {
    let mut verdict = Verdict::new();
    let count = bench.pick(60, 500);
    for kept in [Kept::InRepository, Kept::ByName] {
        let count = count / 2;
        let place = Place::new(bench, &format!("S2-{kept:?}"), kept)?;
        let mut dice = Dice::new(bench.seed, 2 + kept as u64);
        let seeds: Vec<(String, u64)> = (0..count)
            .map(|_| (format!("{:016x}", dice.number()), dice.number()))
            .collect();
        let line = format!("echo {LIVING}; read line; echo \"$line\"; exit {CODE}");
        let (reader, writer) = std::io::pipe()?;
        let beside = place.aido(["sh", "-c", &line]).stdin(reader);
        let mut beside = beside.limit(Duration::from_secs(600)).spawn()?;
        anyhow::ensure!(
            beside.has_printed(LIVING.as_bytes())?,
            "the session beside doesn't run"
        );
        let usual = whole_run(&place)?;
        let over = AtomicBool::new(false);
        let (told, recovers) = thread::scope(|scope| {
            let recoverer = scope.spawn(|| recover_meanwhile(&place, &over));
            let told = crowd(HANDS, count, |number| {
                let (token, chance) = &seeds[number];
                // Also a little after the end, so that the publishing is hit everywhere.
                let after = usual.mul_f64((chance % 1000) as f64 / 1000.0 * 1.3);
                kill_after(&place, token, after)
            });
            over.store(true, Ordering::Relaxed);
            let recovers = recoverer.join();
            (told, recovers)
        });
        let told: Result<Vec<Told>, std::io::Error> = told.into_iter().collect();
        let told = told?;
        let recovers = recovers.map_err(|_| anyhow::anyhow!("the recoverer panicked"))??;
        let killed = told
            .iter()
            .filter(|run| run.output.signal().is_some())
            .count();
        let started = told.iter().filter(|run| run.has_started).count();
        let found = aftermath::judge(&place, &told, &[LIVING])?;
        verdict.figure(format!(
            "{kept:?}: {killed} of {count} killed, {started} had started, {} sessions recovered, \
             {recovers} recoveries beside",
            found.recovered
        ));
        verdict.faults(found.faults);
        drop(writer);
        let ended = beside.wait()?;
        let is_right = ended.code() == CODE && ended.stderr.is_empty();
        verdict.check(is_right, || {
            format!("the session beside: {}", ended.describe())
        });
        let unfinished = sessions::list(&place)?.unfinished;
        verdict.check(unfinished.is_empty(), || {
            format!("the session beside has no sidecar: {unfinished:?}")
        });
    }
    Ok(verdict)
}

/// How long most runs take that nobody kills, beside as many others as there will be.
fn whole_run(place: &Place) -> anyhow::Result<Duration> {
    let runs = crowd(HANDS, 3 * HANDS, |number| {
        let command = aftermath::command(place, &format!("whole-{number}"), LINES);
        place.aido(command).output()
    });
    let mut times = Vec::new();
    for run in runs {
        let run = run?;
        anyhow::ensure!(run.code() == CODE, "a whole run: {}", run.describe());
        times.push(run.took);
    }
    times.sort_unstable();
    Ok(times[times.len() / 2])
}

fn kill_after(place: &Place, token: &str, delay: Duration) -> std::io::Result<Told> {
    let run = place
        .aido(aftermath::command(place, token, LINES))
        .spawn()?;
    thread::sleep(delay);
    // It may be over.
    let _ = run.signal(Signal::KILL);
    let output = run.wait()?;
    Ok(Told {
        has_started: aftermath::has_started(place, token),
        token: token.to_owned(),
        output,
    })
}

/// Recovers again and again; how often.
fn recover_meanwhile(place: &Place, over: &AtomicBool) -> anyhow::Result<usize> {
    let mut count = 0;
    while !over.load(Ordering::Relaxed) {
        words::recover(place)?;
        count += 1;
        thread::sleep(Duration::from_millis(50));
    }
    Ok(count)
}
