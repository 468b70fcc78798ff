//! A way of recording whose system calls are tried one by one.

use super::aftermath::CODE;
use crate::Bench;
use crate::place::{Kept, Place};
use crate::trace::{self, Call};

/// Where and how a session is recorded.
#[derive(Debug)]
pub(super) struct Variant {
    pub(super) kept: Kept,
    pub(super) durability: &'static str,
    /// Whether it is the first one in its store, which makes directories and the key.
    pub(super) is_first: bool,
}

impl Variant {
    /// A place for one run.
    pub(super) fn place(&self, bench: &Bench, name: &str) -> anyhow::Result<Place> {
        let name = format!("{name}-{:?}-{}", self.kept, self.is_first);
        let place = Place::new(bench, &name, self.kept)?;
        if !self.is_first {
            let run = place.aido(["sh", "-c", "echo before; exit 7"]).output()?;
            anyhow::ensure!(run.code() == CODE, "before: {}", run.describe());
        }
        Ok(place)
    }

    /// aido's arguments for this command.
    pub(super) fn arguments(&self, command: [String; 3]) -> Vec<String> {
        let options = ["--durability", self.durability].map(str::to_owned);
        [&options[..], &command].concat()
    }

    /// The calls of a run in which nothing is broken.
    pub(super) fn calls(&self, place: &Place, arguments: &[String]) -> anyhow::Result<Vec<Call>> {
        let log = place.path("trace");
        let run = trace::traced(place, &log, &[], arguments).output()?;
        anyhow::ensure!(run.code() == CODE, "a traced run: {}", run.describe());
        trace::calls(&log)
    }
}
