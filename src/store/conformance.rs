//! What every store does, run on both.

use std::io::Read;
use std::ops::ControlFlow;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::fs::FileStore;
use super::memory::MemoryStore;
use super::resolve::{Miss, ResolveError, resolve};
use super::signature::{self, Signature};
use super::{Draft, Found, IdSeed, Key, Recovery, State, Store, StoreError};
use crate::session::metadata::tests::minimal;
use crate::session::query::WantedOutcome;
use crate::session::{
    AgentName, Durability, Entry, Event, Location, Metadata, Outcome, Query, SessionId, Status,
    Stream,
};
use crate::transcript::record;

fn seed() -> IdSeed {
    IdSeed {
        agent: AgentName::from_any("codex"),
        local_time: "20260305_132522".to_owned(),
        process: 3216,
        random: None,
    }
}

fn begin(store: &dyn Store) -> Box<dyn Draft> {
    let start_line = |id: &SessionId| {
        let mut known = minimal(id.as_str());
        known.exit_code = None;
        known.status = Status::Interrupted;
        record::start_line(&known, 3216, None, None).unwrap()
    };
    store.begin(&seed(), 0, &start_line).unwrap()
}

fn write(draft: &mut dyn Draft, bytes: &[u8]) {
    let stream = Stream::Stdout;
    let event = Event::Output { stream, bytes };
    draft.recorder().event(Duration::ZERO, &event).unwrap();
}

fn finish(mut draft: Box<dyn Draft>, key: Option<&Key>) -> Metadata {
    let sealed = draft.seal(Duration::from_secs(1), &Outcome::Exited(0));
    let mut metadata = minimal(draft.id().as_str());
    metadata.output_bytes = sealed.output_bytes;
    metadata.sha256 = sealed.sha256;
    draft
        .finish(metadata.clone(), Durability::Normal, key)
        .unwrap();
    metadata
}

fn text(mut reader: Box<dyn Read>) -> String {
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    text
}

/// Every rule, on an empty store.
fn conforms(store: &dyn Store) {
    assert_eq!(store.ids().unwrap(), []);
    let unknown: SessionId = "a-20260305_132522-1-abcdef12".parse().unwrap();
    assert!(store.state(&unknown).is_err());
    assert!(store.metadata(&unknown).is_err());

    // A running session is there, without a sidecar, and its output can be read.
    let mut draft = begin(store);
    let id = draft.id().clone();
    write(draft.as_mut(), b"hello\n");
    assert_eq!(store.ids().unwrap(), std::slice::from_ref(&id));
    assert_eq!(store.state(&id).unwrap(), State::Running);
    assert!(store.metadata(&id).is_err());
    assert_eq!(text(store.transcript(&id).unwrap()), "hello\n");
    let known = store.start_record(&id).unwrap();
    assert_eq!(known["session_id"], id.as_str());

    // Finishing publishes a sidecar that fits the transcript, and is signed.
    let key = Key::new([3; 32]);
    let written = finish(draft, Some(&key));
    assert_eq!(store.state(&id).unwrap(), State::Finished);
    let read = store.metadata(&id).unwrap();
    assert_eq!(read.output_bytes, 6);
    let transcript = text(store.transcript(&id).unwrap());
    assert_eq!(transcript, "hello\n\n=== AI_EXIT_CODE: 0 ===\n");
    let digest = hex::encode(Sha256::digest(&transcript));
    assert_eq!(read.sha256.as_ref(), Some(&digest));
    assert_eq!(read.command, written.command);
    let sidecar = store.sidecar(&id).unwrap();
    let signature = signature::check(&sidecar, &read, Some(&key));
    assert_eq!(signature, Signature::Valid);

    // Without a key the sidecar is unsigned.
    let second = begin(store);
    let second_id = second.id().clone();
    finish(second, None);
    assert_eq!(store.metadata(&second_id).unwrap().mac, None);

    // A draft that is dropped is an interrupted session, and what it recorded stays.
    let mut dropped = begin(store);
    let dropped_id = dropped.id().clone();
    write(dropped.as_mut(), b"lost?");
    drop(dropped);
    let is_interrupted = || store.state(&dropped_id).unwrap() == State::Interrupted;
    assert!(crate::eventually(is_interrupted));
    assert_eq!(text(store.transcript(&dropped_id).unwrap()), "lost?");
    assert_eq!(store.ids().unwrap().len(), 3);

    // All are found, by what they are, the newest first.
    let failed = Query {
        outcome: Some(WantedOutcome::Failed),
        ..Query::default()
    };
    assert_eq!(newest(store, &Query::default()).len(), 3);
    assert_eq!(
        newest(store, &failed),
        [(dropped_id.clone(), State::Interrupted)]
    );
    assert_eq!(store.find(id.hex(), 9).unwrap(), std::slice::from_ref(&id));
    assert_eq!(store.find("codex", 9).unwrap().len(), 3);

    // Edits change the sidecar, and only what was valid before is signed again.
    let now = read.timestamp;
    let mut note = |metadata: &mut Metadata| metadata.notes = Some("why".to_owned());
    store.edit(&id, Some(&key), now, &mut note).unwrap();
    store.edit(&second_id, Some(&key), now, &mut note).unwrap();
    for (id, wanted) in [(&id, Signature::Valid), (&second_id, Signature::Unsigned)] {
        let sidecar = store.sidecar(id).unwrap();
        let metadata = store.metadata(id).unwrap();
        assert_eq!(metadata.notes.as_deref(), Some("why"));
        assert_eq!(signature::check(&sidecar, &metadata, Some(&key)), wanted);
    }
    let mut later = |metadata: &mut Metadata| metadata.schema_version = "99.0".to_owned();
    store.edit(&second_id, None, now, &mut later).unwrap();
    let refused = store.edit(&second_id, None, now, &mut note);
    assert!(matches!(refused, Err(StoreError::Newer { .. })));

    // A running session can be neither changed nor removed nor recovered.
    let running = begin(store);
    let running_id = running.id().clone();
    assert!(matches!(
        store.remove(&running_id, now, "test"),
        Err(StoreError::Running(_))
    ));
    assert!(store.edit(&running_id, None, now, &mut note).is_err());
    let recovery = store.recover(&running_id, None, now).unwrap();
    assert_eq!(recovery, Recovery::Running);
    finish(running, None);

    // An interrupted one is finished without an exit code, once.
    let Recovery::Finished(recovered) = store.recover(&dropped_id, Some(&key), now).unwrap() else {
        panic!("it was interrupted");
    };
    assert_eq!((recovered.exit_code, recovered.output_bytes), (None, 5));
    assert_eq!(recovered.sha256, Some(hex::encode(Sha256::digest("lost?"))));
    assert_eq!(store.state(&dropped_id).unwrap(), State::Finished);
    assert_eq!(store.metadata(&dropped_id).unwrap(), *recovered);
    let again = store.recover(&dropped_id, Some(&key), now).unwrap();
    assert_eq!(again, Recovery::Unneeded);
    assert_eq!(text(store.transcript(&dropped_id).unwrap()), "lost?");

    // What was removed is gone.
    assert!(store.remove(&id, now, "test").unwrap() > 0);
    let mut removed = Vec::new();
    let visit = &mut |entry: Entry<'static>| {
        let reason = entry.pruned.map(|removal| removal.reason.into_owned());
        removed.push((entry.session_id.into_owned(), reason));
        ControlFlow::Continue(())
    };
    store.removed(visit).unwrap();
    assert_eq!(removed, [(id.to_string(), Some("test".to_owned()))]);
    assert!(matches!(
        resolve(store, id.as_str()),
        Err(ResolveError::Nothing {
            miss: Miss::Removed { .. },
            ..
        })
    ));
    assert!(store.state(&id).is_err());
    assert!(
        newest(store, &Query::default())
            .iter()
            .all(|(found, _)| *found != id)
    );
    assert_eq!(store.find(id.hex(), 9).unwrap(), []);
}

fn newest(store: &dyn Store, query: &Query) -> Vec<(SessionId, State)> {
    let mut ids = Vec::new();
    let mut visit = |found: Found| {
        ids.push((found.entry.id().unwrap(), found.state));
        ControlFlow::Continue(())
    };
    store.newest(query, &mut visit).unwrap();
    ids
}

#[test]
fn the_memory_store_conforms() {
    conforms(&MemoryStore::default());
}

#[test]
fn the_file_store_conforms_with_live_files_in_the_session_directory() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = temporary.path().join("a/b/sessions");
    conforms(&FileStore::new(Location::Named(directory), None, None));
}

#[test]
fn the_file_store_conforms_with_live_files_out_of_the_commands_way() {
    let temporary = tempfile::tempdir().unwrap();
    let path = temporary.path().canonicalize().unwrap();
    let repository = path.join("repository");
    crate::sys::file::Directory::open_or_make(&repository).unwrap();
    let store = FileStore::new(
        Location::Repository(repository.clone()),
        Some(path.join("state")),
        Some(repository),
    );
    conforms(&store);
    assert!(path.join("state/live").exists());
}
