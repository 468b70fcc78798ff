//! The checkpoints of sessions that are removed go with them.

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use crate::checkpoint::{self, Home, Sweeping};
use crate::clock;
use crate::environment::Environment;
use crate::place::Place;
use crate::session::SessionId;
use crate::store::fs::has;
use crate::store::retention::{Candidate, Fate, PruneReport};
use crate::view::prune::Freed;

/// The longest that sweeping may take.
const LIMIT: Duration = Duration::from_secs(60);

/// The checkpoints that there are.
pub(super) struct Checkpoints {
    place: Place,
    ids: HashSet<SessionId>,
    has_any: bool,
}

impl Checkpoints {
    /// Looks which sessions have any, in whatever repository.
    pub(super) fn find(environment: &Environment) -> Self {
        let place = Place::find(std::env::current_dir().ok(), environment);
        let homes = place.state.as_deref().map(Home::all).unwrap_or_default();
        let ids = homes
            .iter()
            .flat_map(|home| home.sessions().unwrap_or_default());
        Self {
            ids: ids.collect(),
            has_any: !homes.is_empty(),
            place,
        }
    }

    /// Removes those of the sessions that went, and in all repositories what nothing needs any more; of a plan only
    /// says of how many sessions there are any. What can't be removed is noted.
    pub(super) fn go(
        &self,
        report: &PruneReport<'_>,
        id_of: &dyn Fn(&Candidate) -> Option<SessionId>,
        environment: &Environment,
        note: &mut dyn FnMut(String),
    ) -> Freed {
        let wanted = match report.is_dry_run() {
            true => Fate::Planned,
            false => Fate::Removed,
        };
        let fates = report.fates().filter(|(_, fate)| *fate == wanted);
        let ids = fates.filter_map(|(removal, _)| id_of(removal.candidate));
        let ids: Vec<SessionId> = ids.filter(|id| self.ids.contains(id)).collect();
        let freed = Freed {
            sessions: ids.len() as u64,
            size_bytes: None,
        };
        let (Some(state), false) = (self.place.state.as_deref(), report.is_dry_run()) else {
            return freed;
        };
        checkpoint::forget(state, &ids);
        let has = |directory: &Path, id: &SessionId| has(directory, Some(state), id);
        let swept = checkpoint::sweep(
            state,
            &Sweeping {
                environment,
                now: clock::now(),
                longest: report.plan().policy.max_age,
                has: &has,
                limit: LIMIT,
                pause: Duration::ZERO,
                most: usize::MAX,
            },
        );
        for (path, problem) in swept.problems {
            note(format!("{}: {problem}", path.display()));
        }
        Freed {
            sessions: freed.sessions + swept.sessions,
            size_bytes: (self.has_any).then_some(swept.size_bytes),
        }
    }
}
