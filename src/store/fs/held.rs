//! A store that stays open for many reads.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde_json::{Map, Value};

use super::FileStore;
use crate::session::{Location, SessionId};
use crate::store::{SIDECAR_MAX_BYTES, StoreError, layout};
use crate::sys::file::Directory;
use crate::transcript::reader;

/// A store whose directories are open: reading a file is then one step, whereas [`FileStore`] walks
/// down to its directory for each. For words that read thousands of files; threads may share it.
#[derive(Debug)]
pub struct HeldStore {
    session: Directory,
    /// Where live files are kept out of the command's way.
    counterpart: Option<Directory>,
}

impl FileStore {
    /// Opens the store and holds it; none if there is none yet.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn hold(&self) -> Result<Option<HeldStore>, StoreError> {
        let opened = self.open_to_read()?;
        Ok(opened.map(|(session, counterpart)| HeldStore {
            session,
            counterpart,
        }))
    }

    /// Opens one of a session's files, wherever it stands.
    pub(super) fn open_file(&self, id: &SessionId, name: &str) -> Result<File, StoreError> {
        let held = self.hold()?;
        held.ok_or_else(|| StoreError::NoSession(id.clone()))?
            .open_file(name)
    }
}

impl HeldStore {
    /// A session's transcript.
    ///
    /// # Errors
    /// When there is none.
    pub fn transcript(&self, id: &SessionId) -> Result<File, StoreError> {
        self.open_file(&layout::transcript(id))
    }

    /// The same, and how many bytes it held when it was opened.
    ///
    /// # Errors
    /// Likewise.
    pub fn sized_transcript(&self, id: &SessionId) -> Result<(File, u64), StoreError> {
        self.open_sized(&layout::transcript(id))
    }

    /// Reads a finished session's sidecar into `bytes`, in place of what they held; false if there
    /// is none.
    ///
    /// # Errors
    /// When it is not a plain file of reasonable size.
    pub fn read_sidecar(&self, id: &SessionId, bytes: &mut Vec<u8>) -> Result<bool, StoreError> {
        let name = layout::sidecar(id);
        match read_sidecar(&self.session, &name, bytes) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                Err(StoreError::Oversized(id.clone()))
            }
            Err(error) => Err(StoreError::file(name)(error)),
        }
    }

    /// The start record of a session that was begun.
    ///
    /// # Errors
    /// When it is missing or torn.
    pub fn start_record(&self, id: &SessionId) -> Result<Map<String, Value>, StoreError> {
        let name = layout::events(id);
        let file = self.open_file(&name)?;
        reader::start_record(file).map_err(StoreError::file(name))
    }

    /// Whether any of a session's files is there.
    #[must_use]
    pub fn contains(&self, id: &SessionId) -> bool {
        let names = [
            layout::sidecar(id),
            layout::events(id),
            layout::transcript(id),
        ];
        let places = [Some(&self.session), self.counterpart.as_ref()];
        let mut places = places.into_iter().flatten();
        places.any(|place| names.iter().any(|name| place.contains(name)))
    }

    fn open_file(&self, name: &str) -> Result<File, StoreError> {
        self.open_sized(name).map(|(file, _)| file)
    }

    fn open_sized(&self, name: &str) -> Result<(File, u64), StoreError> {
        let found = match (self.session.open_sized(name), &self.counterpart) {
            (Err(error), Some(counterpart)) if error.kind() == io::ErrorKind::NotFound => {
                // It may have been put in place between the two looks.
                counterpart
                    .open_sized(name)
                    .or_else(|_| self.session.open_sized(name))
            }
            (found, _) => found,
        };
        found.map_err(StoreError::file(name.to_owned()))
    }
}

/// Whether the store in this directory has any of a session's files; also where that can't be told.
#[must_use]
pub fn has(directory: &Path, state: Option<&Path>, id: &SessionId) -> bool {
    let location = Location::Named(directory.to_owned());
    let store = FileStore::new(location, state.map(Path::to_owned), None);
    match store.hold() {
        Ok(held) => held.is_some_and(|held| held.contains(id)),
        Err(_) => true,
    }
}

/// Reads a sidecar into `bytes`, in place of what they held.
///
/// # Errors
/// When there is none, it is not a plain file, or one of more than [`SIDECAR_MAX_BYTES`].
pub(super) fn read_sidecar(session: &Directory, name: &str, bytes: &mut Vec<u8>) -> io::Result<()> {
    let (mut file, size_bytes) = session.open_sized(name)?;
    if size_bytes > SIDECAR_MAX_BYTES {
        let message = format!("it is larger than {SIDECAR_MAX_BYTES} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    // A sidecar is replaced in one step, so what was there a moment ago is all of it.
    bytes.resize(usize::try_from(size_bytes).unwrap_or_default(), 0);
    let mut filled = 0;
    while filled < bytes.len() {
        match file.read(&mut bytes[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(filled);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::session::{AgentName, Event, Location, Stream};
    use crate::store::{Draft, IdSeed, Store};

    fn begin(store: &FileStore) -> Box<dyn Draft> {
        let seed = IdSeed {
            agent: AgentName::from_any("a"),
            local_time: "20260305_132522".to_owned(),
            process: 1,
            random: None,
        };
        let line = |_: &SessionId| b"{\"type\":\"start\",\"pid\":1}\n".to_vec();
        let mut draft = store.begin(&seed, 0, &line).unwrap();
        let (stream, bytes) = (Stream::Stdout, &b"hello"[..]);
        let event = Event::Output { stream, bytes };
        draft.recorder().event(Duration::ZERO, &event).unwrap();
        draft
    }

    fn text(file: Result<File, StoreError>) -> String {
        let mut text = String::new();
        file.unwrap().read_to_string(&mut text).unwrap();
        text
    }

    fn reads_what_begins_later(store: &FileStore) {
        let _first = begin(store);
        let held = store.hold().unwrap().unwrap();
        let draft = begin(store);
        assert_eq!(text(held.transcript(draft.id())), "hello");
        assert_eq!(held.start_record(draft.id()).unwrap()["pid"], 1);
        assert!(held.contains(draft.id()));
        let mut bytes = b"before".to_vec();
        assert!(!held.read_sidecar(draft.id(), &mut bytes).unwrap());
        let unknown = "a-20260305_132522-1-abcdef12".parse().unwrap();
        assert!(!held.contains(&unknown) && held.transcript(&unknown).is_err());
    }

    #[test]
    fn a_held_store_sees_sessions_wherever_their_files_stand() {
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path().canonicalize().unwrap();
        let named = |name: &str| Location::Named(path.join(name));
        reads_what_begins_later(&FileStore::new(named("within"), None, None));
        let state = Some(path.join("state"));
        let below = FileStore::new(named("work/sessions"), state, Some(path.join("work")));
        reads_what_begins_later(&below);
        assert!(path.join("state/live").exists());
    }

    #[test]
    fn a_sidecar_of_any_size_within_reason_is_read_whole() {
        let temporary = tempfile::tempdir().unwrap();
        let directory = Location::Named(temporary.path().to_owned());
        let store = FileStore::new(directory, None, None);
        let held = store.hold().unwrap().unwrap();
        let id: SessionId = "a-20260305_132522-1-abcdef12".parse().unwrap();
        let path = temporary.path().join(layout::sidecar(&id));
        let limit = usize::try_from(SIDECAR_MAX_BYTES).unwrap();
        let mut read = Vec::new();
        for size in [0, 10, 4096, 4097, 100_000, limit] {
            let mut file = File::create(&path).unwrap();
            io::Write::write_all(&mut file, &vec![b'x'; size]).unwrap();
            assert!(held.read_sidecar(&id, &mut read).unwrap());
            assert_eq!(read.len(), size);
        }
        let file = File::options().write(true).open(&path).unwrap();
        file.set_len(SIDECAR_MAX_BYTES + 1).unwrap();
        assert!(held.read_sidecar(&id, &mut read).is_err());
        let missing = temporary.path().join("no");
        let missing = FileStore::new(Location::Named(missing), None, None);
        assert!(missing.hold().unwrap().is_none());
    }
}
