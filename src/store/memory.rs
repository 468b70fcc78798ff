//! A store in memory: the strict twin of [`super::fs`], for tests and for embedding.
//!
//! Strict: what the file store tolerates (a draft sealed twice, a sidecar of another session)
//! panics here, since only a mistake of the program can cause it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};
use std::ops::ControlFlow;
use std::rc::Rc;
use std::time::Duration;

use serde_json::{Map, Value};

use super::signature::signed_json;
use super::{
    Draft, Found, IdSeed, Key, Published, Recorded, Recovery, State, Store, StoreError, edited,
    recover,
};
use crate::session::entry::Removal;
use crate::session::query::{self, Match};
use crate::session::{Durability, Entry, Metadata, Outcome, Query, SessionId, Sink, Timestamp};
use crate::sys::random;
use crate::transcript::writer::Medium;
use crate::transcript::{Sealed, Writer, reader, record};

/// Sessions in memory, and what is remembered of those that were removed.
#[derive(Clone, Default)]
pub struct MemoryStore(
    Rc<RefCell<BTreeMap<SessionId, Kept>>>,
    Rc<RefCell<Vec<Entry<'static>>>>,
);

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
    /// Puts other bytes in the place of one of a session's files.
    #[cfg(test)]
    pub(crate) fn put(&self, id: &SessionId, kind: super::layout::Kind, bytes: &[u8]) {
        use super::layout::Kind;
        let shared = || Shared(Rc::new(RefCell::new(Cursor::new(bytes.to_vec()))));
        let mut sessions = self.0.borrow_mut();
        let kept = sessions.get_mut(id).unwrap();
        match kind {
            Kind::Transcript => kept.transcript = shared(),
            Kind::Events => kept.events = shared(),
            Kind::Sidecar => kept.sidecar = Some(bytes.to_vec()),
        }
    }

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
        let random = seed.random.map_or_else(random::number, Ok);
        let random = random.map_err(StoreError::file("memory"))?;
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

    fn transcript(&self, id: &SessionId) -> Result<Box<dyn Recorded>, StoreError> {
        Ok(Box::new(Cursor::new(self.kept(id)?.transcript.contents())))
    }

    fn events(&self, id: &SessionId) -> Result<Box<dyn Recorded>, StoreError> {
        Ok(Box::new(Cursor::new(self.kept(id)?.events.contents())))
    }

    fn newest(
        &self,
        query: &Query,
        visit: &mut dyn FnMut(Found) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let mut found = Vec::new();
        for id in self.ids()? {
            let state = self.state(&id)?;
            let metadata = match state {
                State::Finished => self.metadata(&id).ok(),
                State::Running | State::Interrupted => {
                    record::interrupted(&self.start_record(&id)?)
                }
            };
            let entry = match &metadata {
                Some(metadata) => Entry::of(metadata, 0).into_owned(),
                None => Entry::unreadable(&id).into_owned(),
            };
            let texts_fit = |test: &query::TextTest| {
                metadata
                    .as_ref()
                    .is_some_and(|metadata| test.fits_metadata(metadata))
            };
            match (query.matches(&entry, state), &query.text) {
                (Match::No, _) => {}
                (Match::Unknown, Some(test)) if !texts_fit(test) => {}
                _ => found.push(Found { entry, state }),
            }
        }
        let key = |found: &Found| {
            (
                found.entry.timestamp.clone(),
                found.entry.session_id.clone(),
            )
        };
        found.sort_by_key(|found| std::cmp::Reverse(key(found)));
        for one in found {
            if visit(one).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn edit(
        &self,
        id: &SessionId,
        key: Option<&Key>,
        _now: Timestamp,
        change: &mut dyn FnMut(&mut Metadata),
    ) -> Result<Metadata, StoreError> {
        let (metadata, text) = edited(id, &self.sidecar(id)?, key, change)?;
        if let Some(kept) = self.0.borrow_mut().get_mut(id) {
            kept.sidecar = Some(text.into_bytes());
        }
        Ok(metadata)
    }

    fn remove(&self, id: &SessionId, now: Timestamp, reason: &str) -> Result<u64, StoreError> {
        let kept = self.kept(id)?;
        if kept.running {
            return Err(StoreError::Running(id.clone()));
        }
        let files = [kept.transcript.contents(), kept.events.contents()];
        let sizes = files.iter().chain(&kept.sidecar).map(Vec::len);
        let freed_bytes = sizes.sum::<usize>() as u64;
        let mut entry = match self.metadata(id) {
            Ok(metadata) => Entry::of(&metadata, freed_bytes).into_owned(),
            Err(_) => Entry::unreadable(id).into_owned(),
        };
        entry.pruned = Some(Removal {
            at: now.to_string().into(),
            reason: reason.to_owned().into(),
        });
        self.1.borrow_mut().push(entry);
        self.0.borrow_mut().remove(id);
        Ok(freed_bytes)
    }

    fn removed(
        &self,
        visit: &mut dyn FnMut(Entry<'static>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        for entry in self.1.borrow().iter().rev() {
            if visit(entry.clone()).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn recover(
        &self,
        id: &SessionId,
        key: Option<&Key>,
        _now: Timestamp,
    ) -> Result<Recovery, StoreError> {
        match self.state(id)? {
            State::Finished => return Ok(Recovery::Unneeded),
            State::Running => return Ok(Recovery::Running),
            State::Interrupted => {}
        }
        let known = record::interrupted(&self.start_record(id)?);
        let known = known.unwrap_or_else(|| Metadata::of_id(id, String::new()));
        let events = reader::Events::new(self.events(id)?);
        let memory = || StoreError::file("memory");
        let mut metadata =
            recover::finished(known, events, &mut self.transcript(id)?).map_err(memory())?;
        let text = signed_json(&mut metadata, key).map_err(|error| memory()(error.into()))?;
        if let Some(kept) = self.0.borrow_mut().get_mut(id) {
            kept.sidecar = Some(text.into_bytes());
        }
        Ok(Recovery::Finished(Box::new(metadata)))
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

    fn output_end(&mut self, output_bytes: u64, max_bytes: usize) -> Vec<u8> {
        let (transcript, _) = self.writer.media();
        let bytes = transcript.contents();
        let end = usize::try_from(output_bytes).unwrap_or(bytes.len());
        bytes[end.saturating_sub(max_bytes)..end].to_vec()
    }

    fn finish(
        self: Box<Self>,
        mut metadata: Metadata,
        _durability: Durability,
        key: Option<&Key>,
    ) -> Result<Published, StoreError> {
        assert!(self.sealed, "finished before it was sealed");
        assert_eq!(metadata.session_id, self.id, "another session's sidecar");
        metadata.durable = false;
        let text = signed_json(&mut metadata, key)
            .map_err(|error| StoreError::file("the sidecar")(error.into()))?;
        if let Some(kept) = self.store.0.borrow_mut().get_mut(&self.id) {
            kept.sidecar = Some(text.into_bytes());
        }
        Ok(Published::default())
    }
}

impl Drop for MemoryDraft {
    fn drop(&mut self) {
        if let Some(kept) = self.store.0.borrow_mut().get_mut(&self.id) {
            kept.running = false;
        }
    }
}
