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
/// What a call is filed under that a host reported, so that it is filed once.
pub const OBSERVED_LOCK: &str = ".observed.lock";
/// What changes to finished sessions are made under, for milliseconds.
pub const LOCK: &str = ".lock";

/// Where tasks are kept, beside the session directory.
pub const TASKS: &str = ".airuns";
/// A task's sums; derived from the files beside it.
pub const TASK_STATUS: &str = "task.status.json";
/// What was said of a task, a line each.
pub const TASK_NOTES: &str = "task.notes.jsonl";
const TASK_SESSION: &str = "session-";
/// The most digits that a session's number within its task has.
const NUMBER_DIGITS: usize = 9;

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

/// A task's record of one of its sessions.
#[must_use]
pub fn task_session(number: u64) -> String {
    format!("{TASK_SESSION}{number}{SIDECAR}")
}

/// A damaged record of a task that was put aside.
#[must_use]
pub fn torn_task_session(number: u64) -> String {
    format!("{TASK_SESSION}{number}{SIDECAR}.torn")
}

/// The number of a task's record, or of one that was put aside; none for any other name.
#[must_use]
pub fn parse_task_session(name: &OsStr) -> Option<(u64, TaskFile)> {
    let rest = name.to_str()?.strip_prefix(TASK_SESSION)?;
    let (rest, file) = match rest.strip_suffix(".torn") {
        Some(rest) => (rest, TaskFile::Torn),
        None => (rest, TaskFile::Record),
    };
    let digits = rest.strip_suffix(SIDECAR)?;
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit())
        && !digits.starts_with('0')
        && digits.len() <= NUMBER_DIGITS;
    Some((digits.parse().ok().filter(|_| is_number)?, file))
}

/// Which of a task's numbered files a name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskFile {
    /// The record of a session.
    Record,
    /// One that was damaged.
    Torn,
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

    #[test]
    fn a_tasks_records_are_numbered_in_one_way_only() {
        for number in [1, 10, 999_999_999] {
            let names = [task_session(number), torn_task_session(number)];
            let files = [TaskFile::Record, TaskFile::Torn];
            for (name, file) in names.iter().zip(files) {
                assert_eq!(parse_task_session(OsStr::new(name)), Some((number, file)));
            }
        }
        for name in [
            "session-0.meta.json",
            "session-01.meta.json",
            "session-+1.meta.json",
            "session-.meta.json",
            "session-1000000000.meta.json",
            "session-1.meta.json.tmp",
            "session-1",
            TASK_STATUS,
        ] {
            assert_eq!(parse_task_session(OsStr::new(name)), None, "{name}");
        }
    }
}
