//! Whether a session's files are still what was recorded.
//!
//! Everything is read through [`Store`], in pieces, and only read. The sidecar is the authority: its
//! mac proves it, it has the transcript's length, digest and exit code, and what the events say must
//! agree with it. No file's content makes this fail: what can't be read is a defect, with a name.

use super::signature::Key;
use super::{State, Store, StoreError};
use std::io;

use crate::session::SessionId;

mod events;
mod finding;
mod finished;
mod interrupted;
mod original;
mod sidecar;
mod strangers;
#[cfg(test)]
mod tests;
mod transcript;

pub use finding::{Counts, Defect, Finding, Part, Remark, Verdict};
pub use strangers::strangers;

/// Verifies one session; `progress` is told of each piece of transcript that was read, in bytes.
/// None where the session was removed in the meantime.
pub fn verify(
    store: &dyn Store,
    id: &SessionId,
    key: Option<&Key>,
    progress: &mut dyn FnMut(u64),
) -> Option<Finding> {
    // A neighbour may finish, recover or remove the session while it is looked at.
    const TRIES: usize = 3;
    let mut tries = 0;
    loop {
        tries += 1;
        let state = store.state(id);
        let finding = look(store, id, &state, key, progress);
        let is_missed = |defect: &Defect| defect.verdict == Verdict::Missing;
        if !finding.defects.iter().any(is_missed) {
            return Some(finding);
        }
        if is_gone(store, id) {
            return None;
        }
        if tries == TRIES || store.state(id).ok() == state.ok() {
            return Some(finding);
        }
    }
}

fn look(
    store: &dyn Store,
    id: &SessionId,
    state: &Result<State, StoreError>,
    key: Option<&Key>,
    progress: &mut dyn FnMut(u64),
) -> Finding {
    let mut finding = Finding::new(id);
    match state {
        Ok(State::Running) => finding.is(Verdict::Live),
        Ok(State::Interrupted) => interrupted::look(store, &mut finding, progress),
        Ok(State::Finished) => finished::look(store, &mut finding, key, progress),
        Err(StoreError::NoSession(_)) => {
            finding.unreadable(
                Part::Transcript,
                "transcript",
                &StoreError::NoSession(id.clone()),
            );
        }
        // What stands in the place of the events, or, without any, of the transcript.
        Err(error) if has_events(store, id) => {
            finding.unreadable(Part::Events, "events file", error);
        }
        Err(error) => finding.unreadable(Part::Transcript, "transcript", error),
    }
    finding
}

/// Whether there is something in the place of the events.
fn has_events(store: &dyn Store, id: &SessionId) -> bool {
    !matches!(
        store.events(id),
        Err(StoreError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound
    )
}

/// Whether nothing of a session is left.
fn is_gone(store: &dyn Store, id: &SessionId) -> bool {
    let is_listed = || store.ids().map_or(true, |ids| ids.contains(id));
    matches!(store.state(id), Err(StoreError::NoSession(_))) && !is_listed()
}
