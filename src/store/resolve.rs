//! From a selector to the one session it means.

use super::{State, Store, StoreError};
use crate::session::{Selector, SessionId};

/// Why a selector names no one session.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// Nothing fits.
    #[error("no session fits {selector:?}")]
    Nothing {
        /// What was asked for.
        selector: String,
        /// How many sessions there are.
        sessions: usize,
    },
    /// More than one fits.
    #[error("{selector:?} fits {} sessions", .candidates.len())]
    Ambiguous {
        /// What was asked for.
        selector: String,
        /// All that fit, newest first.
        candidates: Vec<SessionId>,
    },
    /// The store can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// All ids, newest first: by start, then by id, so that the order is the same for everybody.
///
/// # Errors
/// As [`Store::ids`].
pub fn newest_first(store: &dyn Store) -> Result<Vec<SessionId>, StoreError> {
    let mut ids = store.ids()?;
    ids.sort_by(|one, other| {
        let key = |id: &SessionId| (id.local_time().to_owned(), id.as_str().to_owned());
        key(other).cmp(&key(one))
    });
    // Within a second only the sidecar knows the order.
    let mut start = 0;
    while start < ids.len() {
        let second = ids[start].local_time().to_owned();
        let same = ids[start..]
            .iter()
            .take_while(|id| id.local_time() == second)
            .count();
        if same > 1 {
            ids[start..start + same].sort_by_cached_key(|id| std::cmp::Reverse(started(store, id)));
        }
        start += same;
    }
    Ok(ids)
}

fn started(store: &dyn Store, id: &SessionId) -> String {
    if let Ok(metadata) = store.metadata(id) {
        return metadata.timestamp.to_string();
    }
    let known = store.start_record(id).unwrap_or_default();
    let timestamp = known.get("timestamp").and_then(|value| value.as_str());
    timestamp.unwrap_or_default().to_owned()
}

/// Finds the session that a selector means.
///
/// # Errors
/// [`ResolveError`].
pub fn resolve(store: &dyn Store, text: &str) -> Result<SessionId, ResolveError> {
    let Ok(selector) = text.parse::<Selector>();
    let ids = newest_first(store)?;
    let nothing = || ResolveError::Nothing {
        selector: text.to_owned(),
        sessions: ids.len(),
    };
    match &selector {
        Selector::Last { back } => ids.get(*back).cloned().ok_or_else(nothing),
        Selector::LastFailed => {
            let failed = ids.iter().find(|id| has_failed(store, id));
            failed.cloned().ok_or_else(nothing)
        }
        Selector::Agent(_) => {
            let found = ids.iter().find(|id| selector.fits(id));
            found.cloned().ok_or_else(nothing)
        }
        Selector::Id(_) | Selector::Part(_) => {
            let mut found: Vec<SessionId> =
                ids.iter().filter(|id| selector.fits(id)).cloned().collect();
            match found.len() {
                0 => Err(nothing()),
                1 => Ok(found.remove(0)),
                _ => Err(ResolveError::Ambiguous {
                    selector: text.to_owned(),
                    candidates: found,
                }),
            }
        }
    }
}

fn has_failed(store: &dyn Store, id: &SessionId) -> bool {
    match store.state(id) {
        Ok(State::Finished) => store
            .metadata(id)
            .is_ok_and(|metadata| metadata.has_failed()),
        Ok(State::Interrupted) => true,
        _ => false,
    }
}
