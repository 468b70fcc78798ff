//! Keeping checkpoints in order, when the store is kept in order: now and then, after the output was
//! delivered, one repository's at a time, and not for long. `aido prune` does all of it.

use std::path::Path;
use std::time::Duration;

use super::Request;
use crate::checkpoint::{Sweeping, forget, sweep};
use crate::clock;
use crate::session::SessionId;
use crate::store::fs::has;

/// The longest that it may keep a recorder from exiting.
const LIMIT: Duration = Duration::from_secs(1);
/// A repository's are looked at once in this time.
const PAUSE: Duration = Duration::from_secs(24 * 3600);

/// Removes the checkpoints of sessions that went, and what nothing needs any more.
pub(super) fn housekeep(request: &Request, gone: &[SessionId]) {
    let Some(state) = request.place.state.as_deref() else {
        return;
    };
    if !gone.is_empty() {
        forget(state, gone);
    }
    let has = |directory: &Path, id: &SessionId| has(directory, Some(state), id);
    // What fails here, `aido prune` says.
    sweep(
        state,
        &Sweeping {
            environment: &request.environment,
            now: clock::now(),
            longest: request.settings.keep.max_age,
            has: &has,
            limit: LIMIT,
            pause: PAUSE,
            most: 1,
        },
    );
}
