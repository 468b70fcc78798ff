//! S2b: a recorder is killed at each of its system calls in turn.

use std::path::Path;

use super::aftermath::{self, CODE, Found, Told};
use super::variant::Variant;
use crate::Bench;
use crate::crowd::{crowd, processors};
use crate::place::{Kept, Place};
use crate::trace::{self, Call};
use crate::verdict::Verdict;

pub(crate) fn run(bench: &Bench) -> anyhow::Result<Verdict> {
    let mut verdict = Verdict::new();
    if let Some(reason) = trace::missing() {
        verdict.skip(reason);
        return Ok(verdict);
    }
    for (kept, durability, is_first) in [
        (Kept::InRepository, "normal", true),
        (Kept::InRepository, "full", false),
        (Kept::ByName, "full", true),
    ] {
        let variant = Variant {
            kept,
            durability,
            is_first,
        };
        let place = variant.place(bench, "S2b-whole")?;
        let calls = variant.calls(&place, &arguments(&variant, &place, "whole"))?;
        // Every one in full; else each fourth, starting elsewhere in each variant.
        let step = bench.pick(4, 1);
        let offset = if kept == Kept::ByName {
            1
        } else {
            usize::from(is_first) * 2
        };
        let chosen: Vec<&Call> = calls.iter().skip(offset % step).step_by(step).collect();
        let results = crowd(processors(), chosen.len(), |number| {
            kill_at(&variant, bench, number, chosen[number])
        });
        let (mut killed, mut recovered) = (0, 0);
        for (call, result) in chosen.iter().zip(results) {
            let (was_killed, found) = result?;
            killed += usize::from(was_killed);
            recovered += found.recovered;
            let at = |fault| format!("{} {}, {variant:?}: {fault}", call.name, call.occurrence);
            verdict.faults(found.faults.into_iter().map(at));
        }
        verdict.figure(format!(
            "{kept:?} {durability}: killed at {killed} of {} calls, {recovered} sessions recovered",
            calls.len()
        ));
        verdict.check(killed * 10 > chosen.len() * 8, || {
            format!("only {killed} of {} were killed", chosen.len())
        });
    }
    Ok(verdict)
}

/// A command that is told from others by its token.
fn arguments(variant: &Variant, place: &Place, token: &str) -> Vec<String> {
    variant.arguments(aftermath::command(place, token, 3))
}

/// Kills a run at this call, and judges what is left, and the next session.
fn kill_at(
    variant: &Variant,
    bench: &Bench,
    number: usize,
    call: &Call,
) -> anyhow::Result<(bool, Found)> {
    let place = variant.place(bench, &format!("S2b-{number}"))?;
    let expression = format!(
        "inject={}:signal=SIGKILL:when={}",
        call.name, call.occurrence
    );
    let log = Path::new("/dev/null");
    let run = trace::traced(
        &place,
        log,
        &[&expression],
        &arguments(variant, &place, "killed"),
    );
    let output = run.output()?;
    let was_killed = output.signal() == Some(libc::SIGKILL);
    let next = place.aido(arguments(variant, &place, "next")).output()?;
    let told = [("killed", output), ("next", next)].map(|(token, output)| Told {
        token: token.to_owned(),
        has_started: aftermath::has_started(&place, token),
        output,
    });
    let mut found = aftermath::judge(&place, &told, &[])?;
    let [_, next] = &told;
    if next.output.code() != CODE || !next.output.stderr.is_empty() {
        let what = format!("the next session: {}", next.output.describe());
        found.faults.push(what);
    }
    Ok((was_killed, found))
}
