//! Finishing what a killed recorder left.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write};

use super::change::{is_locked, remove_files};
use super::open::{Live, Opened};
use super::placing;
use super::rebuild::size_bytes;
use super::{FileStore, index};
use crate::session::{Entry, Location, Metadata, SessionId, Timestamp};
use crate::store::signature::signed_json;
use crate::store::{Key, Recovery, State, Store, StoreError, layout, recover};
use crate::sys::file;
use crate::sys::process;
use crate::sys::write_back::start_write_back;
use crate::transcript::{reader, record};

/// What a reading word finishes in passing: so many sessions, of at most this size.
const PASSING_SESSIONS: usize = 8;
const PASSING_BYTES: u64 = 256 * 1024;

impl FileStore {
    /// The ids of all sessions without a sidecar that are or were live, in no order. Reads the whole
    /// directory, so that it also finds what has no live entry.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn unfinished(&self) -> Result<Vec<SessionId>, StoreError> {
        let Some((session, counterpart)) = self.open_to_read()? else {
            return Ok(Vec::new());
        };
        let mut ids = self.ids()?;
        ids.extend(self.live_ids(&session, counterpart.as_ref()));
        ids.sort_unstable();
        ids.dedup();
        ids.retain(|id| !session.contains(&layout::sidecar(id)));
        Ok(ids)
    }

    /// Finishes a few small interrupted sessions, as far as that is quickly done. What fails is left
    /// for [`Store::recover`] to say.
    pub fn recover_in_passing(&self, key: Option<&Key>, now: Timestamp) {
        let Ok(Some((session, counterpart))) = self.open_to_read() else {
            return;
        };
        if session.check_private().is_err() {
            return;
        }
        let ids = self.live_ids(&session, counterpart.as_ref());
        let interrupted = ids.into_iter().filter(|id| {
            let transcript = self.open_file(id, &layout::transcript(id));
            let length = transcript.and_then(|file| file.metadata().map_err(self.error()));
            length.is_ok_and(|status| status.len() <= PASSING_BYTES)
                && matches!(self.state(id), Ok(State::Interrupted))
        });
        for id in interrupted.take(PASSING_SESSIONS) {
            let _ = self.finish_interrupted(&id, key, now);
        }
    }

    pub(super) fn finish_interrupted(
        &self,
        id: &SessionId,
        key: Option<&Key>,
        now: Timestamp,
    ) -> Result<Recovery, StoreError> {
        let Some((session, counterpart)) = self.open_to_read()? else {
            return Err(StoreError::NoSession(id.clone()));
        };
        let error = || StoreError::file(format!("recovering {id}"));
        session.check_private().map_err(error())?;
        if session.contains(&layout::sidecar(id)) {
            return Ok(Recovery::Unneeded);
        }
        let names = [id.to_string(), layout::transcript(id), layout::events(id)];
        let live = match counterpart {
            Some(counterpart) if names.iter().any(|name| counterpart.contains(name)) => {
                Live::Counterpart(counterpart)
            }
            _ => Live::Within,
        };
        let opened = Opened { session, live };
        let events = match self.open_file(id, &layout::events(id)) {
            Ok(events) => Some(events),
            Err(StoreError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                None
            }
            Err(error) => return Err(error),
        };
        // Held until the session is published, so that of two only one does it.
        if let Some(events) = &events
            && file::lock(events).is_err()
        {
            return Ok(Recovery::Running);
        }
        if opened.session.contains(&layout::sidecar(id)) {
            return Ok(Recovery::Unneeded);
        }
        if matches!(opened.live, Live::Within)
            && self
                .without_rests(&opened.session, vec![id.clone()])
                .is_empty()
        {
            remove_files(&opened.session, id).map_err(error())?;
            return Ok(Recovery::NeverBegan);
        }
        if events.is_none() && self.open_file(id, &layout::transcript(id)).is_err() {
            return forget(&opened, id).map_err(error());
        }
        let metadata = self.metadata_of_remains(id, events.as_ref(), &opened)?;
        self.publish_remains(id, metadata, key, now, &opened)
            .map_err(error())
    }

    fn metadata_of_remains(
        &self,
        id: &SessionId,
        events: Option<&File>,
        opened: &Opened,
    ) -> Result<Metadata, StoreError> {
        let known = events.and_then(|file| reader::start_record(file).ok());
        let known = known.as_ref().and_then(record::interrupted);
        let known = known.filter(|known| known.session_id == *id);
        let known = known.unwrap_or_else(|| Metadata::of_id(id, self.typescript_file(id)));
        let name = layout::transcript(id);
        let mut transcript = match self.open_file(id, &name) {
            Err(StoreError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                // Killed before the command could start: it printed nothing.
                let files = opened.live.files(&opened.session);
                files
                    .create(&name)
                    .map_err(StoreError::file(name.clone()))?
            }
            result => result?,
        };
        // A second reader from the beginning; the one above has its place behind the first line.
        let events = self.events(id).ok();
        let events = events.into_iter().flat_map(reader::Events::new);
        recover::finished(known, events, &mut transcript).map_err(StoreError::file(name))
    }

    /// Whether nobody but this user can have put an unfinished session there. A repository can bring
    /// one along, which a signature would make the user's own, and `rerun` would run.
    fn is_own(&self, live: &Live) -> bool {
        matches!(live, Live::Counterpart(_)) || matches!(self.location, Location::State(_))
    }

    fn publish_remains(
        &self,
        id: &SessionId,
        mut metadata: Metadata,
        key: Option<&Key>,
        now: Timestamp,
        opened: &Opened,
    ) -> io::Result<Recovery> {
        let session = &opened.session;
        let name = layout::sidecar(id);
        let entries = opened.live.entries(session)?;
        // The entry has room on the disk for a sidecar, even on a full one.
        let mut sidecar = entries.append(OsStr::new(id.as_str()))?;
        // Again of two only one, where there are no events that could be locked.
        if file::lock(&sidecar).is_err() {
            return Ok(Recovery::Running);
        }
        if session.contains(&name) {
            let _ = entries.remove(id.as_str());
            return Ok(Recovery::Unneeded);
        }
        // Held until the session is published, as their originals are.
        let mut placed = Vec::new();
        if let Live::Counterpart(live) = &opened.live {
            for name in [layout::transcript(id), layout::events(id)] {
                match live.open_file(&name) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(error),
                    Ok(mut file) => {
                        placing::place(&mut file, (live, &name), (session, &name))?;
                        placed.push(file);
                    }
                }
            }
        }
        if sidecar.metadata()?.len() > 0 {
            sidecar.set_len(0)?;
        }
        let text = signed_json(&mut metadata, key.filter(|_| self.is_own(&opened.live)))?;
        sidecar.write_all(text.as_bytes())?;
        start_write_back(&sidecar);
        let size_bytes = size_bytes(session, id) + text.len() as u64;
        let mut entry = Entry::of(&metadata, size_bytes);
        entry.indexed_at = Some(now.to_string().into());
        let appended = index::append(session, &entry);
        placing::place(&mut sidecar, (&entries, id.as_str()), (session, &name))?;
        appended.keep(session, &entry);
        drop((entry, placed));
        Ok(Recovery::Finished(Box::new(metadata)))
    }
}

/// Removes the entry of a recorder that was killed before anything was begun.
fn forget(opened: &Opened, id: &SessionId) -> io::Result<Recovery> {
    let files = opened.live.files(&opened.session);
    let new = layout::new_events(id);
    if is_locked(files, &new) == Some(true) || id.process().is_some_and(process::exists) {
        return Ok(Recovery::Running);
    }
    let entries = opened.live.entries(&opened.session)?;
    for (directory, name) in [(files, new.as_str()), (&entries, id.as_str())] {
        match directory.remove(name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(Recovery::NeverBegan)
}
