//! Sessions in other states, of other origins and of other versions.

use std::io::Write;
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{OUTPUT, begun, contents, finished, key, look, parts, resign, rewrite, unended};
use crate::session::metadata::Origin;
use crate::session::metadata::tests::minimal;
use crate::session::{Location, Outcome, SessionId};
use crate::store::fs::FileStore;
use crate::store::layout::{self, Kind};
use crate::store::memory::MemoryStore;
use crate::store::signature::{Signature, signed_json};
use crate::store::verify::{Finding, Part, Verdict, verify};
use crate::sys::file::Directory;

#[test]
fn a_sidecar_of_a_newer_format_is_reported_as_such() {
    let (store, id) = finished(&Outcome::Exited(3), Some(&key()));
    let newer = |mac: &str| {
        let mut value: Value = json!({"schema_version": "2.0", "whatever": [1, 2]});
        value["session"] = id.as_str().into();
        value["mac"] = mac.into();
        value.to_string().into_bytes()
    };
    store.put(&id, Kind::Sidecar, &newer(&"ab".repeat(32)));
    // Its mac is of another key, or it was changed: that can be said of any version.
    assert_eq!(look(&store, &id).verdict, Verdict::Altered);
    let unsigned = verify(&store, &id, None, &mut |_| {}).unwrap();
    assert_eq!(
        (unsigned.verdict, parts(&unsigned)),
        (Verdict::Newer, vec![])
    );
    assert_eq!(unsigned.remarks.len(), 1);
    let (store, id) = finished(&Outcome::Exited(3), Some(&key()));
    resign(&store, &id, |metadata| {
        metadata.schema_version = "2.7".to_owned()
    });
    let finding = look(&store, &id);
    assert_eq!(finding.verdict, Verdict::Newer);
    assert_eq!(finding.signature, Some(Signature::Valid));
    // A newer minor version is read as this one.
    resign(&store, &id, |metadata| {
        metadata.schema_version = "1.7".to_owned()
    });
    assert_eq!(look(&store, &id).verdict, Verdict::Ok);
}

/// What verify says of a session as the shell script left it that aido takes after, with changes.
fn of_the_original(change: fn(&mut Value), transcript: &str, events: Option<&str>) -> Finding {
    let id: SessionId = "ai-agent-20250305_132522-3216-2f587606".parse().unwrap();
    let filed = "Script started\none\n=== AI_EXIT_CODE: 3 ===\n";
    let mut sidecar = json!({
        "session_id": id.as_str(), "agent": "ai-agent", "timestamp": "2025-03-05T13:25:22Z",
        "command": "make", "exit_code": 3, "sha256": hex::encode(Sha256::digest(filed)),
        "typescript_file": "./.aisessions/x", "stdout_tail": "one", "stderr_head": null,
        "env": {}, "notes": null, "fault": null, "lessons": [],
    });
    change(&mut sidecar);
    let temporary = tempfile::tempdir().unwrap();
    let directory = Directory::open(temporary.path()).unwrap();
    let put = |name: String, text: &str| {
        let mut file = directory.create(&name).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    };
    put(layout::sidecar(&id), &sidecar.to_string());
    put(layout::transcript(&id), &format!("{filed}{transcript}"));
    if let Some(events) = events {
        put(layout::events(&id), events);
    }
    let location = Location::Named(temporary.path().to_owned());
    let store = FileStore::new(location, None, None);
    verify(&store, &id, Some(&key()), &mut |_| {}).unwrap()
}

#[test]
fn a_session_of_the_original_script_is_unsigned_and_no_defect() {
    let finding = of_the_original(|_| (), "", None);
    assert_eq!((finding.verdict, parts(&finding)), (Verdict::Ok, vec![]));
    assert_eq!(finding.signature, Some(Signature::Unsigned));
    assert!(finding.remarks[0].message.contains("original script"));
    let changed = of_the_original(|_| (), "more", None);
    assert_eq!(parts(&changed), [(Verdict::Altered, Part::Digest)]);
    // With a field or a file that only aido makes, it is a sidecar of aido's that lost its mac.
    for altered in [
        of_the_original(|sidecar| sidecar["status"] = "exited".into(), "", None),
        of_the_original(|sidecar| sidecar["sha256"] = Value::Null, "", None),
        of_the_original(|sidecar| sidecar["session_id"] = "x".into(), "", None),
        of_the_original(|_| (), "", Some("")),
    ] {
        assert_eq!(altered.verdict, Verdict::Altered);
    }
}

#[test]
fn sidecars_that_are_none_are_named_and_nothing_more() {
    let (store, id) = finished(&Outcome::Exited(3), Some(&key()));
    let other = minimal("ai-agent-20260305_132522-3216-00000000")
        .to_json()
        .unwrap();
    let deep = "[".repeat(100_000);
    for sidecar in [
        &b"null\n"[..],
        b"[]",
        b"{}",
        b"\xff\xfe",
        b"{\"schema_version\": 3}",
        deep.as_bytes(),
        other.as_bytes(),
    ] {
        store.put(&id, Kind::Sidecar, sidecar);
        let finding = look(&store, &id);
        assert_eq!(finding.verdict, Verdict::Altered, "{finding:?}");
        assert!(
            finding
                .defects
                .iter()
                .all(|defect| defect.part == Part::Sidecar)
        );
    }
}

#[test]
fn a_running_session_is_live_and_an_interrupted_one_proves_what_it_can() {
    let store = MemoryStore::default();
    let draft = begun(&store);
    let id = draft.id().clone();
    let finding = look(&store, &id);
    assert_eq!((finding.verdict, finding.signature), (Verdict::Live, None));
    drop(draft);
    let finding = look(&store, &id);
    assert_eq!(
        (finding.verdict, parts(&finding)),
        (Verdict::Interrupted, vec![])
    );
    // The last event of a killed recorder is often torn, and may be missing.
    let mut events = contents(&store, &id, Kind::Events);
    events.extend_from_slice(
        b"{\"type\":\"output\",\"time\":0.0,\"stream\":\"stdout\",\"bytes\":32}\n{\"ty",
    );
    store.put(&id, Kind::Events, &events);
    assert_eq!(look(&store, &id).verdict, Verdict::Interrupted);
    store.put(&id, Kind::Transcript, &OUTPUT[1..]);
    assert_eq!(parts(&look(&store, &id)), [(Verdict::Torn, Part::Length)]);
    store.put(&id, Kind::Transcript, OUTPUT);
    for (events, verdict) in [
        (&b""[..], Verdict::Torn),
        (b"{\"type\":\"sta", Verdict::Torn),
        (b"garbage\n", Verdict::Altered),
        (
            b"{\"type\":\"start\",\"session_id\":\"x\"}\n",
            Verdict::Altered,
        ),
    ] {
        store.put(&id, Kind::Events, events);
        assert_eq!(look(&store, &id).verdict, verdict);
    }
}

#[test]
fn a_recovered_session_is_interrupted_with_or_without_its_marker() {
    // Killed before its end, and killed between its end and its sidecar.
    for end in [None, Some(Outcome::Exited(3))] {
        let store = MemoryStore::default();
        let mut draft = begun(&store);
        let id = draft.id().clone();
        if let Some(outcome) = &end {
            draft.seal(Duration::from_secs(1), outcome);
        }
        drop(draft);
        assert_eq!(look(&store, &id).defects, []);
        let transcript = contents(&store, &id, Kind::Transcript);
        let mut metadata = unended(&id);
        metadata.output_bytes = OUTPUT.len() as u64;
        metadata.sha256 = Some(hex::encode(Sha256::digest(&transcript)));
        let text = signed_json(&mut metadata, Some(&key())).unwrap();
        store.put(&id, Kind::Sidecar, text.as_bytes());
        let finding = look(&store, &id);
        assert_eq!(
            (finding.verdict, parts(&finding)),
            (Verdict::Interrupted, vec![])
        );
        // What follows the output can only be a marker.
        store.put(&id, Kind::Transcript, &[&transcript, &b"x"[..]].concat());
        assert_eq!(look(&store, &id).verdict, Verdict::Altered);
    }
}

#[test]
fn of_an_observed_session_is_proved_what_can_be() {
    let (store, id) = finished(&Outcome::Exited(3), Some(&key()));
    rewrite(
        &store,
        &id,
        "\"origin\":\"recorded\"",
        "\"origin\":\"observed\"",
    );
    resign(&store, &id, |metadata| metadata.origin = Origin::Observed);
    let finding = look(&store, &id);
    assert_eq!(finding.verdict, Verdict::Ok, "{finding:?}");
    assert!(
        finding
            .remarks
            .iter()
            .any(|remark| remark.part == Part::Origin)
    );
    // Nobody promised a marker, but what there is has a digest.
    store.put(&id, Kind::Transcript, OUTPUT);
    assert_eq!(
        parts(&look(&store, &id)),
        [(Verdict::Altered, Part::Digest)]
    );
    resign(&store, &id, |metadata| {
        metadata.sha256 = Some(hex::encode(Sha256::digest(OUTPUT)));
        metadata.exit_code = None;
    });
    let finding = look(&store, &id);
    assert_eq!(
        parts(&finding),
        [(Verdict::Altered, Part::Exit)],
        "{finding:?}"
    );
}
