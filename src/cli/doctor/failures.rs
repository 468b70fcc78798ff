//! What is wrong with failure memory.

use super::check::Check;
use crate::cli::reading::Reader;
use crate::faults::Status;
use crate::memory::{FaultStore, Sharing};

/// The most files that are named.
const NAMED_MAX: usize = 20;

/// Looks at the memory beside a store.
pub(super) fn checks(reader: &Reader) -> Vec<Check> {
    let faults = FaultStore::beside(&reader.store);
    let path = faults.path().display().to_string();
    let knowledge = match faults.read() {
        Ok(knowledge) => knowledge,
        Err(error) => {
            let what = format!("{path}: {error}");
            let mend = "put a directory of your own there; until then no failure is remembered";
            return vec![Check::note("failures", what, mend)];
        }
    };
    let is_open = |status| matches!(status, Status::Open | Status::Flaky);
    let known = knowledge.faults.iter();
    let open = known.filter(|known| is_open(known.status())).count();
    let shared = match faults.sharing() {
        Sharing::On => "; git sees them",
        Sharing::Off => "",
    };
    let sums = format!("{} known, {open} open{shared}", knowledge.faults.len());
    let mut checks = vec![Check::fine("failures", sums)];
    if let Some(refused) = &knowledge.refused {
        let what = format!("{path}/{refused}");
        let mend = format!(
            "chown it to yourself and chmod 700 {path}/local; until then no failure is remembered"
        );
        checks.push(Check::problem("failures", what, &mend));
    }
    for problem in knowledge.problems.iter().take(NAMED_MAX) {
        let what = format!("{path}/{problem}");
        checks.push(Check::note(
            "failures",
            what,
            "it is passed over; remove it",
        ));
    }
    for problem in faults.rules().problems().iter().take(NAMED_MAX) {
        let what = format!("{path}/{problem}");
        checks.push(Check::note(
            "rules",
            what,
            "correct it; the other rules count",
        ));
    }
    checks
}
