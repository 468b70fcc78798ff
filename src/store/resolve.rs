//! From a selector to the one session it means.

use std::cmp::Reverse;
use std::ops::ControlFlow;

use super::{Store, StoreError};
use crate::session::name::SessionName;
use crate::session::query::WantedOutcome;
use crate::session::{Query, Selector, SessionId};

/// Why a selector names no one session.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// Nothing fits.
    #[error("no session fits {selector:?}")]
    Nothing {
        /// What was asked for.
        selector: String,
        /// What is known of that.
        miss: Miss,
    },
    /// More than one fits.
    #[error("{selector:?} fits {} sessions", counted(.candidates))]
    Ambiguous {
        /// What was asked for.
        selector: String,
        /// All that fit, newest first, or some of them where there are many.
        candidates: Vec<SessionId>,
    },
    /// The store can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is known of something that isn't there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Miss {
    /// There is no session at all.
    Empty,
    /// There are not so many; this is how many there are.
    TooFarBack(usize),
    /// No session failed.
    NoneFailed,
    /// It was removed.
    Removed {
        /// Which.
        id: SessionId,
        /// When: ISO 8601, UTC.
        at: String,
        /// Why.
        reason: String,
    },
    /// It looks like this word.
    Word(&'static str),
    /// These are like it, newest first; or none is.
    Near(Vec<SessionId>),
}

/// The most candidates that are looked up.
const CANDIDATES: usize = 20;
/// How many of the newest sessions are looked at for what was meant.
const NEAR_AMONG: usize = 1000;
/// How many of them are named.
const NEAR: usize = 3;

/// The ids of all sessions, whatever state their files are in, newest first: by start, then by id,
/// so that the order is the same for everybody. Reads the whole directory.
///
/// # Errors
/// As [`Store::ids`].
pub fn all_newest_first(store: &dyn Store) -> Result<Vec<SessionId>, StoreError> {
    let mut ids = store.ids()?;
    ids.sort_by_cached_key(|id| Reverse((id.local_time().to_owned(), id.clone())));
    // Within a second only the sidecar knows the order.
    for second in ids.chunk_by_mut(|one, other| one.local_time() == other.local_time()) {
        if second.len() > 1 {
            second.sort_by_cached_key(|id| Reverse(started(store, id)));
        }
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

fn counted(candidates: &[SessionId]) -> String {
    match candidates.len() {
        CANDIDATES.. => format!("{CANDIDATES} or more"),
        count => count.to_string(),
    }
}

/// Finds the session that a selector means.
///
/// # Errors
/// [`ResolveError`].
pub fn resolve(store: &dyn Store, text: &str) -> Result<SessionId, ResolveError> {
    let Ok(selector) = text.parse::<Selector>();
    let found = match &selector {
        Selector::Last { back } => nth(store, &Query::default(), *back)?,
        Selector::LastFailed => {
            let outcome = Some(WantedOutcome::Failed);
            let query = Query {
                outcome,
                ..Query::default()
            };
            nth(store, &query, 0)?
        }
        Selector::Agent(agent) => {
            let agent = Some(agent.clone());
            let query = Query {
                agent,
                ..Query::default()
            };
            nth(store, &query, 0)?
        }
        Selector::Id(id) => store.state(id).is_ok().then(|| id.clone()),
        Selector::Part(part) if part.parse::<SessionName>().is_ok() => {
            match store.running_named(part)? {
                Some(id) => Some(id),
                None => by_part(store, part, text)?,
            }
        }
        Selector::Part(part) => by_part(store, part, text)?,
    };
    match found {
        Some(id) => Ok(id),
        None => Err(nothing(store, &selector, text)?),
    }
}

/// The session that begins or ends so; else the newest that had this for a name.
fn by_part(store: &dyn Store, part: &str, text: &str) -> Result<Option<SessionId>, ResolveError> {
    let mut candidates = store.find(part, CANDIDATES)?;
    if candidates.len() != 1 && part.parse::<SessionName>().is_ok() {
        let query = Query {
            name: Some(part.to_owned()),
            ..Query::default()
        };
        if let Some(id) = nth(store, &query, 0)? {
            return Ok(Some(id));
        }
    }
    candidates.sort_by_cached_key(|id| Reverse(id.local_time().to_owned()));
    if candidates.len() > 1 {
        return Err(ResolveError::Ambiguous {
            selector: text.to_owned(),
            candidates,
        });
    }
    Ok(candidates.pop())
}

fn nth(store: &dyn Store, query: &Query, back: usize) -> Result<Option<SessionId>, StoreError> {
    let (mut left, mut wanted) = (back, None);
    store.newest(query, &mut |found| {
        if left > 0 {
            left -= 1;
            return ControlFlow::Continue(());
        }
        wanted = found.entry.id();
        ControlFlow::Break(())
    })?;
    Ok(wanted)
}

/// Says what there is instead.
fn nothing(store: &dyn Store, selector: &Selector, text: &str) -> Result<ResolveError, StoreError> {
    let (mut count, mut near) = (0, Vec::new());
    // How many there are matters only to who went back too far.
    let is_counted = matches!(selector, Selector::Last { .. });
    store.newest(&Query::default(), &mut |found| {
        count += 1;
        if near.len() < NEAR {
            near.extend(found.entry.id().filter(|id| is_near(selector, id)));
        }
        if is_counted || count < NEAR_AMONG {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    })?;
    let miss = match selector {
        _ if count == 0 => removed(store, selector)?.unwrap_or(Miss::Empty),
        Selector::Last { .. } => Miss::TooFarBack(count),
        Selector::LastFailed => Miss::NoneFailed,
        _ => match removed(store, selector)? {
            Some(removed) => removed,
            None => match word_like(text).filter(|_| near.is_empty()) {
                Some(word) => Miss::Word(word),
                None => Miss::Near(near),
            },
        },
    };
    Ok(ResolveError::Nothing {
        selector: text.to_owned(),
        miss,
    })
}

/// What is remembered of a removed session that an id or a part of one names.
fn removed(store: &dyn Store, selector: &Selector) -> Result<Option<Miss>, StoreError> {
    let is_named = match selector {
        Selector::Id(_) => true,
        // Fewer digits are as likely a mistake.
        Selector::Part(part) => part.len() >= 4,
        Selector::Last { .. } | Selector::LastFailed | Selector::Agent(_) => false,
    };
    if !is_named {
        return Ok(None);
    }
    let mut miss = None;
    store.removed(&mut |entry| {
        let id = entry.id().filter(|id| selector.fits(id));
        let (Some(id), Some(removal)) = (id, entry.pruned) else {
            return ControlFlow::Continue(());
        };
        miss = Some(Miss::Removed {
            id,
            at: removal.at.into_owned(),
            reason: removal.reason.into_owned(),
        });
        ControlFlow::Break(())
    })?;
    Ok(miss)
}

/// The word that a text was meant to be: in capitals, cut short, or with another ending.
fn word_like(text: &str) -> Option<&'static str> {
    let text = text.to_ascii_lowercase();
    match text.split_once([':', '~', '-', '.', '@', '^']) {
        Some(("last", rest)) if rest.parse::<usize>().is_ok() => Some("last~N"),
        Some(("last", _)) if text.starts_with("last~") => Some("last~N"),
        Some(("last", _)) => Some("last:failed"),
        _ if matches!(
            &*text,
            "las" | "last" | "latest" | "lst" | "lats" | "newest"
        ) =>
        {
            Some("last")
        }
        _ if matches!(&*text, "failed" | "fail") => Some("last:failed"),
        _ => None,
    }
}

/// Whether a session may have been meant: one digit is wrong, or a piece from the middle was given.
fn is_near(selector: &Selector, id: &SessionId) -> bool {
    let part = match selector {
        Selector::Id(wanted) => wanted.as_str(),
        Selector::Part(part) => part,
        Selector::Agent(agent) => {
            let prefix = agent.get(..2).unwrap_or(agent);
            return id.agent().starts_with(prefix) || id.agent().contains(&**agent);
        }
        Selector::Last { .. } | Selector::LastFailed => return false,
    };
    if part.len() < 3 {
        return false;
    }
    let differs_in_one = |one: &str, other: &str| {
        let pairs = one.bytes().zip(other.bytes());
        one.len() == other.len() && pairs.filter(|(one, other)| one != other).count() == 1
    };
    let wanted = part.rsplit('-').next().unwrap_or(part);
    let end = id.hex().len().checked_sub(wanted.len());
    let ending = end.and_then(|start| id.hex().get(start..));
    id.as_str().contains(part) || ending.is_some_and(|ending| differs_in_one(ending, wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_was_nearly_typed_is_known() {
        for (text, word) in [
            ("LAST", Some("last")),
            ("las", Some("last")),
            ("last:fault", Some("last:failed")),
            ("last:bogus", Some("last:failed")),
            ("last-2", Some("last~N")),
            ("last~x", Some("last~N")),
            ("lasting", None),
            ("2f58", None),
        ] {
            assert_eq!(word_like(text), word, "{text}");
        }
    }

    #[test]
    fn a_session_is_near_if_one_digit_is_wrong() {
        let id: SessionId = "codex-20260305_132522-3216-2f587606".parse().unwrap();
        for (text, near) in [
            ("2f587605", true),
            ("7605", true),
            ("3216", true),
            ("20260305", true),
            ("codex-20260305_132522-3216-2f587605", true),
            ("@cod", true),
            ("@claude", false),
            ("beef", false),
            ("05", false),
            ("last", false),
        ] {
            let Ok(selector) = text.parse();
            assert_eq!(is_near(&selector, &id), near, "{text}");
        }
    }
}
