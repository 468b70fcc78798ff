//! A store in memory: the strict twin of [`super::fs`], for tests and for embedding.
//!
//! Strict: what the file store tolerates (a draft sealed twice, a sidecar of another session)
//! panics here, since only a mistake of the program can cause it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};
use std::rc::Rc;
use std::time::Duration;

use serde_json::{Map, Value};

use super::signature::signed_json;
use super::{Draft, IdSeed, Key, State, Store, StoreError};
use crate::session::{Durability, Metadata, Outcome, SessionId, Sink};
use crate::sys::random;
use crate::transcript::writer::Medium;
use crate::transcript::{Sealed, Writer, reader};

/// Sessions in memory.
#[derive(Clone, Default)]
pub struct MemoryStore(Rc<RefCell<BTreeMap<SessionId, Kept>>>);

#[derive(Clone, Default)]
struct Kept {
    transcript: Shared,
    events: Shared,
    sidecar: Option<Vec<u8>>,
    running: bool,
}

/// A growing file that two parties hold.
#[derive(Clone, Default)]
struct Shared(Rc<RefCell<Cursor<Vec<u8>>>>);

impl Shared {
    fn contents(&self) -> Vec<u8> {
        self.0.borrow().get_ref().clone()
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for Shared {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.borrow_mut().read(buffer)
    }
}

impl Seek for Shared {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.borrow_mut().seek(to)
    }
}

impl Medium for Shared {
    fn truncate(&mut self, length: u64) -> io::Result<()> {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        self.0.borrow_mut().get_mut().truncate(length);
        Ok(())
    }
}

impl MemoryStore {
    fn kept(&self, id: &SessionId) -> Result<Kept, StoreError> {
        let kept = self.0.borrow().get(id).cloned();
        kept.ok_or_else(|| StoreError::NoSession(id.clone()))
    }
}

impl Store for MemoryStore {
    fn begin(
        &self,
        seed: &IdSeed,
        cap_bytes: u64,
        start_line: &dyn Fn(&SessionId) -> Vec<u8>,
    ) -> Result<Box<dyn Draft>, StoreError> {
        let random = random::number().map_err(StoreError::file("memory"))?;
        let id = SessionId::new(&seed.agent, &seed.local_time, seed.process, random);
        let mut kept = Kept {
            running: true,
            ..Kept::default()
        };
        kept.events
            .write_all(&start_line(&id))
            .map_err(StoreError::file("memory"))?;
        let writer = Writer::new(kept.transcript.clone(), kept.events.clone(), cap_bytes);
        let before = self.0.borrow_mut().insert(id.clone(), kept);
        assert!(before.is_none(), "the id {id} was drawn twice");
        Ok(Box::new(MemoryDraft {
            store: self.clone(),
            id,
            writer,
            sealed: false,
        }))
    }

    fn ids(&self) -> Result<Vec<SessionId>, StoreError> {
        Ok(self.0.borrow().keys().cloned().collect())
    }

    fn state(&self, id: &SessionId) -> Result<State, StoreError> {
        let kept = self.kept(id)?;
        Ok(match (kept.sidecar, kept.running) {
            (Some(_), _) => State::Finished,
            (None, true) => State::Running,
            (None, false) => State::Interrupted,
        })
    }

    fn sidecar(&self, id: &SessionId) -> Result<Vec<u8>, StoreError> {
        let missing = || StoreError::file("the sidecar")(io::ErrorKind::NotFound.into());
        self.kept(id)?.sidecar.ok_or_else(missing)
    }

    fn start_record(&self, id: &SessionId) -> Result<Map<String, Value>, StoreError> {
        let events = self.kept(id)?.events.contents();
        reader::start_record(events.as_slice()).map_err(StoreError::file("events"))
    }

    fn transcript(&self, id: &SessionId) -> Result<Box<dyn Read>, StoreError> {
        Ok(Box::new(Cursor::new(self.kept(id)?.transcript.contents())))
    }

    fn events(&self, id: &SessionId) -> Result<Box<dyn Read>, StoreError> {
        Ok(Box::new(Cursor::new(self.kept(id)?.events.contents())))
    }
}

struct MemoryDraft {
    store: MemoryStore,
    id: SessionId,
    writer: Writer<Shared, Shared>,
    sealed: bool,
}

impl Draft for MemoryDraft {
    fn id(&self) -> &SessionId {
        &self.id
    }

    fn recorder(&mut self) -> &mut dyn Sink {
        assert!(!self.sealed, "recording after the transcript was sealed");
        &mut self.writer
    }

    fn seal(&mut self, at: Duration, outcome: &Outcome) -> Sealed {
        assert!(!self.sealed, "sealed twice");
        self.sealed = true;
        self.writer.seal(at, outcome)
    }

    fn finish(
        self: Box<Self>,
        mut metadata: Metadata,
        _durability: Durability,
        key: Option<&Key>,
    ) -> Result<Option<io::Error>, StoreError> {
        assert!(self.sealed, "finished before it was sealed");
        assert_eq!(metadata.session_id, self.id, "another session's sidecar");
        metadata.durable = false;
        let text = signed_json(&mut metadata, key)
            .map_err(|error| StoreError::file("the sidecar")(error.into()))?;
        if let Some(kept) = self.store.0.borrow_mut().get_mut(&self.id) {
            kept.sidecar = Some(text.into_bytes());
        }
        Ok(None)
    }
}

impl Drop for MemoryDraft {
    fn drop(&mut self) {
        if let Some(kept) = self.store.0.borrow_mut().get_mut(&self.id) {
            kept.running = false;
        }
    }
}
