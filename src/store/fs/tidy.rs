//! Clearing away what killed recorders and readers left, and putting damaged sidecars aside.

use std::ffi::OsStr;
use std::io;

use super::change::is_locked;
use super::{FileStore, PATIENCE, index};
use crate::session::{SessionId, Timestamp};
use crate::store::layout::{self, Kind};
use crate::store::{Store, StoreError};
use crate::sys::file::Directory;
use crate::sys::process;
use crate::sys::stamp::stamp_of;

/// A temporary file that was not changed for this long has lost its maker.
const GRACE_NS: i128 = 60_000_000_000;

impl FileStore {
    /// Removes what recorders and readers that were killed left besides sessions, puts damaged
    /// sidecars aside, so that their sessions are interrupted ones, and compares the index with the
    /// directory. Returns the ids of the damaged. Reads every sidecar.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn tidy(&self, now: Timestamp) -> Result<Vec<SessionId>, StoreError> {
        let Some((session, counterpart)) = self.open_to_read()? else {
            return Ok(Vec::new());
        };
        session.check_private().map_err(self.error())?;
        for directory in [Some(&session), counterpart.as_ref()].into_iter().flatten() {
            remove_temporaries(directory, now).map_err(self.error())?;
        }
        for directory in self.task_directories() {
            // What is in the way there is in nobody's way here.
            let _ = remove_temporaries(&directory, now);
        }
        self.remove_stale_entries(&session, counterpart.as_ref());
        let mut torn = Vec::new();
        for id in finished(&session).map_err(self.error())? {
            if self.is_torn(&id) && self.put_aside(&session, &id).unwrap_or(false) {
                torn.push(id);
            }
        }
        if let Ok(file) = session.open_file(layout::INDEX) {
            let _ = index::reconcile(&session, file, index::Manner::HASTY);
        }
        Ok(torn)
    }

    /// Publishing a session takes its entry away in the same step, where the file system can.
    fn remove_stale_entries(&self, session: &Directory, counterpart: Option<&Directory>) {
        let within = session.open_child(OsStr::new(layout::LIVE)).ok();
        for id in self.live_ids(session, counterpart) {
            if session.contains(&layout::sidecar(&id)) {
                for entries in [within.as_ref(), counterpart].into_iter().flatten() {
                    let _ = entries.remove(id.as_str());
                }
            }
        }
    }

    /// Whether a sidecar is none, or so large that none is. One that can't be opened, and one of another
    /// version, may be whole.
    fn is_torn(&self, id: &SessionId) -> bool {
        match self.sidecar(id) {
            Ok(bytes) => serde_json::from_slice::<serde_json::Value>(&bytes).is_err(),
            Err(error) => matches!(error, StoreError::Oversized(_)),
        }
    }

    /// Renames a sidecar that is none; true if it did.
    fn put_aside(&self, session: &Directory, id: &SessionId) -> io::Result<bool> {
        let _lock = index::lock(session, PATIENCE)?;
        // Somebody else may have put it aside, and a whole one in its place.
        let is_torn = self.is_torn(id);
        if is_torn {
            session.replace(&layout::sidecar(id), &layout::torn(id))?;
        }
        Ok(is_torn)
    }
}

/// The ids of all sessions that have a sidecar, in no order.
fn finished(session: &Directory) -> io::Result<Vec<SessionId>> {
    let mut ids = Vec::new();
    session.each_name(&mut |name| {
        if let Some((id, Kind::Sidecar)) = layout::parse(name) {
            ids.push(id);
        }
    })?;
    Ok(ids)
}

/// Removes temporary files that nobody holds, and whose maker is gone or that were left long ago.
fn remove_temporaries(directory: &Directory, now: Timestamp) -> io::Result<()> {
    let mut names = Vec::new();
    directory.each_name(&mut |name| {
        names.extend(
            name.to_str()
                .filter(|name| layout::is_temporary(name))
                .map(str::to_owned),
        );
    })?;
    let long_ago = i128::from(now.0.timestamp_millis()) * 1_000_000 - GRACE_NS;
    for name in names {
        let is_old = stamp_of(directory, &name).is_ok_and(|stamp| stamp.modified_ns < long_ago);
        let is_orphan = layout::maker(&name).is_some_and(|maker| !process::exists(maker));
        if (is_old || is_orphan) && is_locked(directory, &name) == Some(false) {
            let _ = directory.remove(&name);
        }
    }
    Ok(())
}
