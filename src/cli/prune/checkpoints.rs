//! The checkpoints of sessions that are removed go with them.

use std::collections::HashSet;

use crate::checkpoint::{self, Home};
use crate::environment::Environment;
use crate::place::Place;
use crate::session::SessionId;
use crate::store::retention::{Candidate, Fate, PruneReport};
use crate::view::prune::Freed;

/// The checkpoints that there are.
pub(super) struct Checkpoints {
    place: Place,
    ids: HashSet<SessionId>,
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
            place,
        }
    }

    /// Removes those of the sessions that went, and the objects that nothing needs any more; of a plan only
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
        if self.ids.is_empty() {
            return Freed::default();
        }
        let fates = report.fates().filter(|(_, fate)| *fate == wanted);
        let ids = fates.filter_map(|(removal, _)| id_of(removal.candidate));
        let ids: Vec<SessionId> = ids.filter(|id| self.ids.contains(id)).collect();
        let mut freed = Freed {
            sessions: ids.len() as u64,
            size_bytes: None,
        };
        let (Some(state), false) = (&self.place.state, report.is_dry_run()) else {
            return freed;
        };
        if ids.is_empty() {
            return freed;
        }
        let mut size_bytes = 0;
        for home in checkpoint::forget(state, &ids) {
            match home.sweep(environment) {
                Ok(bytes) => size_bytes += bytes,
                Err(problem) => note(format!("{}: {problem}", home.path.display())),
            }
        }
        freed.size_bytes = Some(size_bytes);
        freed
    }
}
