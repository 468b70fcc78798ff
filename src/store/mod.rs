//! MANY SESSIONS: where they are kept, and what may be done with them.
//!
//! Invariants:
//! - A session is complete when its sidecar exists; the sidecar appears by rename, last, in whole.
//! - A session is running while its recorder holds the lock on its events file; no process id is
//!   ever asked. Without lock and sidecar it was interrupted.
//! - Paths are computed from ids, and ids match one pattern first (see [`layout`]).
//! - Dropping a [`Draft`] leaves an interrupted session; it never deletes.
//! - Nothing here knows how a command is run.
//!
//! [`memory`] is a strict twin of [`fs`] for tests and embedding; both pass `conformance`.

use std::io::{self, Read, Seek};
use std::ops::ControlFlow;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::session::metadata::SCHEMA_VERSION;
use crate::session::{
    AgentName, Durability, Entry, Metadata, Outcome, Query, Selector, SessionId, Sink, Timestamp,
};
use crate::transcript::Sealed;

#[cfg(test)]
mod conformance;
pub mod fs;
pub mod index;
pub mod key;
pub mod layout;
pub mod memory;
pub mod observer;
pub mod recover;
pub mod resolve;
pub mod retention;
pub mod signature;
pub mod verify;

pub use crate::session::State;
pub use signature::Key;

/// The largest sidecar that is read, and written.
pub const SIDECAR_MAX_BYTES: u64 = SIDECAR_MAX_MIB * 1024 * 1024;
const SIDECAR_MAX_MIB: u64 = 4;

/// Why the store could not do something.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file or directory is not as needed.
    #[error("{what}: {source}")]
    File {
        /// Which, in words for people.
        what: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// There is no such session.
    #[error("no session {0}")]
    NoSession(SessionId),
    /// A sidecar that can't be read as one.
    #[error("the sidecar of {id} is not valid: {reason}")]
    InvalidSidecar {
        /// Whose.
        id: SessionId,
        /// Why.
        reason: String,
    },
    /// A sidecar that is larger than any that aido writes.
    #[error(
        "the sidecar of {0} is larger than {limit} MiB, which is not read (aido recover puts it aside)",
        limit = SIDECAR_MAX_MIB
    )]
    Oversized(SessionId),
    /// An edit that would make a sidecar too large to be read.
    #[error("the sidecar of {0} would be larger than {limit} MiB", limit = SIDECAR_MAX_MIB)]
    TooMuch(SessionId),
    /// A sidecar of a later format, which this version would damage by rewriting it.
    #[error("the sidecar of {id} has format {version}, which this aido only reads")]
    Newer {
        /// Whose.
        id: SessionId,
        /// Its version.
        version: String,
    },
    /// What may be done to a finished session only.
    #[error("{0} is still running")]
    Running(SessionId),
    /// Somebody pinned it after it was decided to remove it.
    #[error("{0} was pinned meanwhile")]
    Pinned(SessionId),
}

impl StoreError {
    /// Says what an I/O error was about.
    pub fn file(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::File { what, source }
    }
}

/// What a session's id is drawn from.
#[derive(Clone, Debug)]
pub struct IdSeed {
    /// The agent's name.
    pub agent: AgentName,
    /// The start in local time, `YYYYMMDD_HHMMSS`.
    pub local_time: String,
    /// The recorder's process id.
    pub process: u32,
    /// The id's hex ending, where it is made of something and not of chance.
    pub random: Option<u32>,
}

/// A session that was found, in few words.
#[derive(Clone, Debug)]
pub struct Found {
    /// What is known of it.
    pub entry: Entry<'static>,
    /// Whether it is over.
    pub state: State,
}

/// What became of an interrupted session.
#[derive(Clone, Debug, PartialEq)]
pub enum Recovery {
    /// It has a sidecar now.
    Finished(Box<Metadata>),
    /// There was nothing to do: it has a sidecar already.
    Unneeded,
    /// It is running.
    Running,
    /// Its recorder was killed before there was anything to keep; its traces are gone.
    NeverBegan,
}

/// A file of a session, open for reading from any place. Of a running session it still grows.
pub trait Recorded: Read + Seek {}

impl<T: Read + Seek> Recorded for T {}

/// Sessions, and a way to add one.
pub trait Store {
    /// Begins a session: draws an id, asks for its start record, and holds its lock.
    ///
    /// # Errors
    /// When nothing can be recorded; nothing is left behind then.
    fn begin(
        &self,
        seed: &IdSeed,
        cap_bytes: u64,
        start_line: &dyn Fn(&SessionId) -> Vec<u8>,
    ) -> Result<Box<dyn Draft>, StoreError>;

    /// The ids of all sessions, in no order.
    ///
    /// # Errors
    /// When the store can't be read; one that doesn't exist yet is empty.
    fn ids(&self) -> Result<Vec<SessionId>, StoreError>;

    /// Whether a session is over.
    ///
    /// # Errors
    /// [`StoreError::NoSession`].
    fn state(&self, id: &SessionId) -> Result<State, StoreError>;

    /// The sidecar of a finished session, byte for byte.
    ///
    /// # Errors
    /// When there is none, or it is not a plain file of reasonable size.
    fn sidecar(&self, id: &SessionId) -> Result<Vec<u8>, StoreError>;

    /// The start record of any session that was begun.
    ///
    /// # Errors
    /// When it is missing or torn.
    fn start_record(&self, id: &SessionId) -> Result<Map<String, Value>, StoreError>;

    /// The transcript, from its beginning.
    ///
    /// # Errors
    /// When there is none.
    fn transcript(&self, id: &SessionId) -> Result<Box<dyn Recorded>, StoreError>;

    /// The events file, from its beginning.
    ///
    /// # Errors
    /// When there is none.
    fn events(&self, id: &SessionId) -> Result<Box<dyn Recorded>, StoreError>;

    /// Visits the wanted sessions, the newest start first. A session whose sidecar can't be read is
    /// visited with an entry that has no status.
    ///
    /// # Errors
    /// When the store can't be read.
    fn newest(
        &self,
        query: &Query,
        visit: &mut dyn FnMut(Found) -> ControlFlow<()>,
    ) -> Result<(), StoreError>;

    /// The ids of sessions that begin so, or whose hex digits end so, in no order; at most `limit`.
    ///
    /// # Errors
    /// When the store can't be read.
    fn find(&self, part: &str, limit: usize) -> Result<Vec<SessionId>, StoreError> {
        let selector = Selector::Part(part.to_owned());
        let ids = self.ids()?.into_iter();
        Ok(ids.filter(|id| selector.fits(id)).take(limit).collect())
    }

    /// Visits what is remembered of removed sessions, each once, the one that went last first. One that
    /// was put back since is not among them.
    ///
    /// # Errors
    /// When the store can't be read.
    fn removed(
        &self,
        visit: &mut dyn FnMut(Entry<'static>) -> ControlFlow<()>,
    ) -> Result<(), StoreError>;

    /// The running session that was given this name.
    ///
    /// # Errors
    /// When the store can't be read.
    fn running_named(&self, name: &str) -> Result<Option<SessionId>, StoreError> {
        for id in self.ids()? {
            if self.state(&id)? == State::Running
                && let Ok(known) = self.start_record(&id)
                && known.get("name").and_then(Value::as_str) == Some(name)
            {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    /// Changes the sidecar of a finished session, one change at a time. What did not verify before
    /// is not signed: a changed or foreign sidecar stays one.
    ///
    /// # Errors
    /// When there is none, it is invalid or of a later format, or it can't be written.
    fn edit(
        &self,
        id: &SessionId,
        key: Option<&Key>,
        now: Timestamp,
        change: &mut dyn FnMut(&mut Metadata),
    ) -> Result<Metadata, StoreError>;

    /// Removes a session that is not running, and remembers that it was there and why it went.
    /// Returns how many bytes that freed.
    ///
    /// # Errors
    /// When it is running, or its files can't be removed.
    fn remove(&self, id: &SessionId, now: Timestamp, reason: &str) -> Result<u64, StoreError>;

    /// Finishes an interrupted session: its sidecar says what its remains prove, and no exit code.
    /// It is signed only if nobody else can have put the remains there. Harmless beside everything
    /// else, and when it is done again.
    ///
    /// # Errors
    /// When its remains can't be read or the sidecar can't be written.
    fn recover(
        &self,
        id: &SessionId,
        key: Option<&Key>,
        now: Timestamp,
    ) -> Result<Recovery, StoreError>;

    /// The metadata of a finished session.
    ///
    /// # Errors
    /// When there is none, or it is invalid.
    fn metadata(&self, id: &SessionId) -> Result<Metadata, StoreError> {
        parse_sidecar(id, &self.sidecar(id)?)
    }
}

/// A session being written. Dropping a draft leaves an interrupted session; it never deletes.
pub trait Draft {
    /// Its id.
    fn id(&self) -> &SessionId;

    /// Where output and events go.
    fn recorder(&mut self) -> &mut dyn Sink;

    /// Ends the transcript. Call it once, before [`Draft::finish`].
    fn seal(&mut self, at: Duration, outcome: &Outcome) -> Sealed;

    /// The last bytes of the recorded output, which is `output_bytes` long, at most `max_bytes` of them;
    /// nothing where they can't be read.
    fn output_end(&mut self, output_bytes: u64, max_bytes: usize) -> Vec<u8>;

    /// Publishes the session: syncs as asked, signs the metadata, puts the sidecar in place, and adds
    /// the session to its task. Its `durable` and `mac` are filled in here.
    ///
    /// # Errors
    /// When it can't be published; the session then stays interrupted.
    fn finish(
        self: Box<Self>,
        metadata: Metadata,
        durability: Durability,
        key: Option<&Key>,
    ) -> Result<Published, StoreError>;
}

/// A session that is there, and what it lacks.
#[derive(Debug, Default)]
pub struct Published {
    /// Why it could not be forced to the disk as asked.
    pub not_synced: Option<io::Error>,
    /// Why it could not be added to its task.
    pub not_in_task: Option<StoreError>,
}

/// Makes the text of a changed sidecar from its present bytes.
///
/// # Errors
/// When it is invalid, or of a later format.
fn edited(
    id: &SessionId,
    bytes: &[u8],
    key: Option<&Key>,
    change: &mut dyn FnMut(&mut Metadata),
) -> Result<(Metadata, String), StoreError> {
    let mut metadata = parse_sidecar(id, bytes)?;
    if is_newer(&metadata.schema_version) {
        return Err(StoreError::Newer {
            id: id.clone(),
            version: metadata.schema_version,
        });
    }
    let signature = signature::check(bytes, &metadata, key);
    change(&mut metadata);
    let text = match signature {
        signature::Signature::Valid => signature::signed_json(&mut metadata, key),
        _ => metadata.to_json(),
    };
    let text =
        text.map_err(|error| StoreError::file(format!("the sidecar of {id}"))(error.into()))?;
    if text.len() as u64 > SIDECAR_MAX_BYTES {
        return Err(StoreError::TooMuch(id.clone()));
    }
    Ok((metadata, text))
}

/// Whether a sidecar's format has a later major version than this aido's.
fn is_newer(version: &str) -> bool {
    let major = |version: &str| version.split('.').next()?.parse::<u64>().ok();
    match (major(version), major(SCHEMA_VERSION)) {
        (Some(found), Some(own)) => found > own,
        _ => true,
    }
}

/// Reads a sidecar's bytes, and checks that it is this session's.
///
/// # Errors
/// [`StoreError::InvalidSidecar`].
pub fn parse_sidecar(id: &SessionId, bytes: &[u8]) -> Result<Metadata, StoreError> {
    let invalid = |reason: String| StoreError::InvalidSidecar {
        id: id.clone(),
        reason,
    };
    let metadata: Metadata =
        serde_json::from_slice(bytes).map_err(|error| invalid(error.to_string()))?;
    if metadata.session_id == *id {
        Ok(metadata)
    } else {
        Err(invalid(format!("it says it is {}", metadata.session_id)))
    }
}
