//! S2b: a recorder is killed at each of its system calls in turn.

use std::path::Path;

use super::aftermath::{self, CODE, Found, Told};
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
        let calls = variant.calls(bench)?;
        // Every one in full; else each third, starting elsewhere in each variant.
        let step = bench.pick(3, 1);
        let offset = if kept == Kept::ByName {
            1
        } else {
            usize::from(is_first) * 2
        };
        let chosen: Vec<&Call> = calls.iter().skip(offset % step).step_by(step).collect();
        let results = crowd(processors(), chosen.len(), |number| {
            variant.kill_at(bench, number, chosen[number])
        });
        let (mut killed, mut interrupted) = (0, 0);
        for (call, result) in chosen.iter().zip(results) {
            let (was_killed, found) = result?;
            killed += usize::from(was_killed);
            interrupted += found.interrupted;
            let at = |fault| format!("{} {}, {variant:?}: {fault}", call.name, call.occurrence);
            verdict.faults(found.faults.into_iter().map(at));
        }
        verdict.figure(format!(
            "{kept:?} {durability}: killed at {killed} of {} calls, {interrupted} interrupted",
            calls.len()
        ));
        verdict.check(killed * 10 > chosen.len() * 8, || {
            format!("only {killed} of {} were killed", chosen.len())
        });
    }
    Ok(verdict)
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
        let name = format!("S2b-{:?}-{}-{name}", self.kept, self.is_first);
        let place = Place::new(bench, &name, self.kept)?;
        if !self.is_first {
            let run = place.aido(["sh", "-c", "echo before; exit 7"]).output()?;
            anyhow::ensure!(run.code() == CODE, "before: {}", run.describe());
        }
        Ok(place)
    }

    fn arguments(&self, place: &Place, token: &str) -> Vec<String> {
        let options = ["--durability", self.durability].map(str::to_owned);
        let command = aftermath::command(place, token, 3);
        [&options[..], &command].concat()
    }

    /// The calls of a run that nobody kills.
    fn calls(&self, bench: &Bench) -> anyhow::Result<Vec<Call>> {
        let place = self.place(bench, "whole")?;
        let log = place.path("trace");
        let run = trace::traced(&place, &log, &[], &self.arguments(&place, "whole")).output()?;
        anyhow::ensure!(run.code() == CODE, "a traced run: {}", run.describe());
        trace::calls(&log)
    }

    /// Kills a run at this call, and judges what is left, and the next session.
    fn kill_at(&self, bench: &Bench, number: usize, call: &Call) -> anyhow::Result<(bool, Found)> {
        let place = self.place(bench, &number.to_string())?;
        let expression = format!(
            "inject={}:signal=SIGKILL:when={}",
            call.name, call.occurrence
        );
        let arguments = self.arguments(&place, "killed");
        let log = Path::new("/dev/null");
        let output = trace::traced(&place, log, &[&expression], &arguments).output()?;
        let was_killed = output.signal() == Some(libc::SIGKILL);
        let next = place.aido(aftermath::command(&place, "next", 3)).output()?;
        let told = [("killed", output), ("next", next)].map(|(token, output)| Told {
            token: token.to_owned(),
            has_started: aftermath::has_started(&place, token),
            output,
        });
        let mut found = aftermath::judge(&place, &told, &[])?;
        let [_, next] = &told;
        if next.output.code() != CODE || !next.output.stderr.is_empty() {
            found
                .faults
                .push(format!("the next session: {}", next.output.describe()));
        }
        Ok((was_killed, found))
    }
}
