//! Every file name of the store is computed here, from an id.

use std::ffi::OsStr;

use crate::session::SessionId;

/// The session directory's name below the user's state directory.
pub const IN_STATE: &str = ".aisessions";
/// Where each running session has one entry, named as its id, so that nobody has to read the whole
/// directory to find them. The entry is the sidecar in waiting: it holds its room on the disk, and
/// publishing the session renames it away.
pub const LIVE: &str = "live";

/// Keeps git from ever seeing a session.
pub const IGNORE: &str = ".gitignore";
/// One line a finished session; derived from the sidecars, so it may be deleted at any time.
pub const INDEX: &str = "index.jsonl";
/// The hex endings of the index's sessions, sorted; derived from the index.
pub const ENDINGS: &str = "index.endings";
/// One line a removed session: the only trace of it.
pub const PRUNED: &str = "pruned.jsonl";
/// Its time says when the store was last put in order.
pub const HOUSEKEEPING: &str = ".housekeeping";
/// What changes to finished sessions are made under, for milliseconds.
pub const LOCK: &str = ".lock";

const TRANSCRIPT: &str = ".typescript";
const EVENTS: &str = ".events.jsonl";
pub(super) const SIDECAR: &str = ".meta.json";
/// What the names of a session's files end with.
pub const SESSION_FILES: [&str; 3] = [TRANSCRIPT, EVENTS, SIDECAR];

/// The transcript.
#[must_use]
pub fn transcript(id: &SessionId) -> String {
    format!("{id}{TRANSCRIPT}")
}

/// The events.
#[must_use]
pub fn events(id: &SessionId) -> String {
    format!("{id}{EVENTS}")
}

/// The sidecar.
#[must_use]
pub fn sidecar(id: &SessionId) -> String {
    format!("{id}{SIDECAR}")
}

/// The events file before it is locked and has its start record.
#[must_use]
pub fn new_events(id: &SessionId) -> String {
    format!(".{id}.new")
}

/// A file that takes the place of another one in one step, made by this process.
#[must_use]
pub fn replacement(name: &str, random: u32) -> String {
    let maker = std::process::id();
    format!(".{name}.{maker}-{random:08x}.tmp")
}

/// The process that made a replacement; none of any other name.
#[must_use]
pub fn maker(name: &str) -> Option<u32> {
    let (rest, _) = name.strip_suffix(".tmp")?.rsplit_once('-')?;
    rest.rsplit('.').next()?.parse().ok()
}

/// Whether a name is one that a file has only until it gets its own.
#[must_use]
pub fn is_temporary(name: &str) -> bool {
    name.starts_with('.') && (name.ends_with(".new") || name.ends_with(".tmp"))
}

/// A damaged sidecar that was put aside.
#[must_use]
pub fn torn(id: &SessionId) -> String {
    format!("{id}{SIDECAR}.torn")
}

/// Which of a session's files a name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The transcript.
    Transcript,
    /// The events.
    Events,
    /// The sidecar.
    Sidecar,
}

/// Whose file a name is, and which; none for any other name.
#[must_use]
pub fn parse(name: &OsStr) -> Option<(SessionId, Kind)> {
    let name = name.to_str()?;
    let kinds = [
        (TRANSCRIPT, Kind::Transcript),
        (EVENTS, Kind::Events),
        (SIDECAR, Kind::Sidecar),
    ];
    kinds.into_iter().find_map(|(ending, kind)| {
        let id = name.strip_suffix(ending)?.parse().ok()?;
        Some((id, kind))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_back_to_its_session() {
        let id: SessionId = "a-20260305_132522-1-abcdef12".parse().unwrap();
        for (name, kind) in [
            (transcript(&id), Kind::Transcript),
            (events(&id), Kind::Events),
            (sidecar(&id), Kind::Sidecar),
        ] {
            assert_eq!(parse(OsStr::new(&name)), Some((id.clone(), kind)));
        }
        let temporary = [new_events(&id), replacement(&sidecar(&id), 7)];
        assert!(temporary.iter().all(|name| is_temporary(name)));
        assert_eq!(maker(&temporary[1]), Some(std::process::id()));
        assert_eq!(maker(&temporary[0]), None);
        let others = [id.to_string(), IGNORE.to_owned(), torn(&id)];
        assert!(others.iter().all(|name| !is_temporary(name)));
        for name in temporary.into_iter().chain(others) {
            assert_eq!(parse(OsStr::new(&name)), None, "{name}");
        }
    }
}
