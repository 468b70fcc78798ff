//! Where texts come from: sessions, as far as a search asks about them.

use std::borrow::Cow;
use std::io::Read;

use serde::Deserialize;

use crate::session::SessionId;
use crate::store::fs::HeldStore;
use crate::store::{StoreError, layout};

/// What a search asks a sidecar or a start record for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The command line.
    pub command: String,
    /// The note.
    pub notes: Option<String>,
    /// Where the output ends in the transcript; none as long as the session isn't finished.
    pub output_bytes: Option<u64>,
}

/// Sessions that can be searched, by two threads at a time.
pub trait Sessions: Sync {
    /// The facts about a session. `bytes` is there to be used again from session to session.
    ///
    /// # Errors
    /// When they can't be read.
    fn facts(&self, id: &SessionId, bytes: &mut Vec<u8>) -> Result<Facts, StoreError>;

    /// A session's transcript, and its size in bytes as it is opened, if that is known: more is not
    /// asked for.
    ///
    /// # Errors
    /// When there is none.
    fn transcript(&self, id: &SessionId) -> Result<(Box<dyn Read>, Option<u64>), StoreError>;

    /// Whether a session is there at all; it may have been removed just now.
    fn contains(&self, id: &SessionId) -> bool;
}

/// The few fields of a sidecar that matter here: reading only them takes a third of the time.
#[derive(Deserialize)]
struct Sidecar<'a> {
    #[serde(borrow)]
    session_id: Cow<'a, str>,
    command: String,
    notes: Option<String>,
    output_bytes: u64,
}

impl Sessions for HeldStore {
    fn facts(&self, id: &SessionId, bytes: &mut Vec<u8>) -> Result<Facts, StoreError> {
        if self.read_sidecar(id, bytes)? {
            return of_sidecar(id, bytes);
        }
        let known = self.start_record(id)?;
        // It may have finished between the two looks.
        if self.read_sidecar(id, bytes)? {
            return of_sidecar(id, bytes);
        }
        let text = |name: &str| known.get(name).and_then(|value| value.as_str());
        Ok(Facts {
            command: text("command").unwrap_or_default().to_owned(),
            notes: text("notes").map(str::to_owned),
            output_bytes: None,
        })
    }

    fn transcript(&self, id: &SessionId) -> Result<(Box<dyn Read>, Option<u64>), StoreError> {
        let (file, size_bytes) = self.sized_transcript(id)?;
        Ok((Box::new(file), Some(size_bytes)))
    }

    fn contains(&self, id: &SessionId) -> bool {
        HeldStore::contains(self, id)
    }
}

fn of_sidecar(id: &SessionId, bytes: &[u8]) -> Result<Facts, StoreError> {
    let invalid = |reason: String| StoreError::InvalidSidecar {
        id: id.clone(),
        reason,
    };
    let read: Sidecar<'_> =
        serde_json::from_slice(bytes).map_err(|error| invalid(error.to_string()))?;
    if read.session_id != id.as_str() {
        return Err(invalid(format!("it says it is {}", read.session_id)));
    }
    Ok(Facts {
        command: read.command,
        notes: read.notes,
        output_bytes: Some(read.output_bytes),
    })
}

/// Says of an error while reading a transcript whose it is.
pub(super) fn transcript_error(id: &SessionId, error: std::io::Error) -> StoreError {
    StoreError::file(layout::transcript(id))(error)
}
