//! What every store does, run on both.

use std::io::Read;
use std::time::Duration;

use serde_json::Map;
use sha2::{Digest, Sha256};

use super::fs::FileStore;
use super::memory::MemoryStore;
use super::{Draft, IdSeed, Key, State, Store, signature};
use crate::session::metadata::tests::minimal;
use crate::session::{
    AgentName, Durability, Event, Location, Metadata, Outcome, SessionId, Stream,
};
use crate::transcript::EventRecord;

fn seed() -> IdSeed {
    IdSeed {
        agent: AgentName::from_any("codex"),
        local_time: "20260305_132522".to_owned(),
        process: 3216,
    }
}

fn begin(store: &dyn Store) -> Box<dyn Draft> {
    let start_line = |id: &SessionId| {
        let mut known = Map::new();
        known.insert("session_id".to_owned(), id.as_str().into());
        let mut line = serde_json::to_vec(&EventRecord::Start(known)).unwrap();
        line.push(b'\n');
        line
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
    assert_eq!(signature, signature::Signature::Valid);

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
