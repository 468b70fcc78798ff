//! The beginning of a recording: where its files go, and what its start record says.

use std::io;

use super::checkpoint::PendingCheckpoints;
use super::notice::Notice;
use super::{Recording, Request, describe, secrets};
use crate::plan::TerminalPlan;
use crate::redact::OwnSecret;
use crate::session::{AgentName, Metadata, SessionId};
use crate::store::fs::FileStore;
use crate::store::{Draft, IdSeed, Store, StoreError};
use crate::transcript::record as events;

/// Where the session's files go, if there is such a place.
pub(super) fn store(request: &Request) -> Option<FileStore> {
    let place = &request.place;
    let location = place.location(request.settings.session_dir.as_deref())?;
    Some(FileStore::new(
        location,
        place.state.clone(),
        place.current.clone(),
    ))
}

/// Begins the recording, as far as there is to be one and can be; none if the command is refused without one.
pub(super) fn begin(
    request: &Request,
    terminal: &TerminalPlan,
    (store, checkpoints): (Option<FileStore>, Option<PendingCheckpoints>),
    tell: &mut dyn FnMut(&Notice),
) -> Option<Recording> {
    let mut facts = describe::facts(request, terminal);
    facts.checkpoint = checkpoints.as_ref().map(PendingCheckpoints::at_start);
    let own = match request.settings.record {
        true => secrets::own(&request.environment),
        false => Vec::new(),
    };
    let (draft, known) = match begin_session(request, store.as_ref(), &facts, &own, None) {
        Ok(Some((draft, known))) => (Some(draft), known),
        Ok(None) => (None, facts),
        Err(error) if must_be_recorded(request) => {
            tell(&Notice::Refused(error));
            return None;
        }
        Err(error) => {
            tell(&Notice::NotRecorded(error));
            (None, facts)
        }
    };
    Some(Recording {
        draft,
        known,
        store,
        own,
        key: None,
        checkpoints,
    })
}

/// Whether the command is not to run without a recording: nothing else would be left of one without a caller.
fn must_be_recorded(request: &Request) -> bool {
    request.settings.strict || request.detached.is_some()
}

/// A session that was begun, and its sidecar as far as it is known.
type Begun = Option<(Box<dyn Draft>, Metadata)>;

/// Begins a session; none if nothing is to be recorded.
///
/// # Errors
/// When there is nowhere to keep it.
pub(super) fn begin_session(
    request: &Request,
    store: Option<&FileStore>,
    facts: &Metadata,
    own: &[OwnSecret],
    random: Option<u32>,
) -> Result<Begun, StoreError> {
    if !request.settings.record {
        return Ok(None);
    }
    // A hook's aido leaves no directory where there was none.
    if let Some(store) = store
        && request.settings.is_hooked
        && !store.is_there()
    {
        return Err(StoreError::File {
            what: "sessions".to_owned(),
            source: io::ErrorKind::NotFound.into(),
        });
    }
    let Some(store) = store else {
        let source = io::Error::other(
            "there is no repository and no home directory; name one with --session-dir",
        );
        return Err(StoreError::File {
            what: "sessions".to_owned(),
            source,
        });
    };
    if let (true, Some(task)) = (must_be_recorded(request), &facts.task) {
        store.check_task(task)?;
    }
    let seed = IdSeed {
        agent: AgentName::from_any(&facts.agent),
        local_time: facts.session_id.local_time().to_owned(),
        process: std::process::id(),
        random,
    };
    let with_id = |id: &SessionId| {
        let mut known = facts.clone();
        known.typescript_file = store.typescript_file(id);
        known.session_id = id.clone();
        known
    };
    let marks = secrets::marks_at_start(own, facts);
    let start_line = |id: &SessionId| {
        let start = crate::sys::process::start_time();
        // Serialising what this program made doesn't fail; an empty line would be a torn one.
        let channel = request.detached.as_ref();
        let channel = channel.and_then(|detached| detached.channel.as_deref());
        let mut known = with_id(id);
        if let Some((sensitive, redactions)) = &marks {
            (known.sensitive, known.redactions) = (*sensitive, redactions.clone());
        }
        events::start_line(&known, std::process::id(), start, channel).unwrap_or_default()
    };
    let draft = store.begin(&seed, request.settings.max_bytes, &start_line)?;
    let known = with_id(draft.id());
    Ok(Some((draft, known)))
}
