//! Sessions in memory, whole and damaged.

use std::time::Duration;

use proptest::prelude::*;

use super::{Finding, Part, Verdict, verify};
use crate::session::metadata::tests::minimal;
use crate::session::{
    AgentName, Durability, Event, Metadata, Outcome, SessionId, Signal, Status, Stream,
};
use crate::store::layout::Kind;
use crate::store::memory::MemoryStore;
use crate::store::signature::{Signature, signed_json};
use crate::store::{Draft, IdSeed, Key, Store};
use crate::transcript::record::start_line;

mod states;

const KEY: [u8; 32] = [7; 32];
const OUTPUT: &[u8] = b"one\ntwo\n=== AI_EXIT_CODE: 0 ===\n";

fn key() -> Key {
    Key::new(KEY)
}

/// A recording that goes on.
fn begun(store: &MemoryStore) -> Box<dyn Draft> {
    let seed = IdSeed {
        agent: AgentName::from_any("ai-agent"),
        local_time: "20260305_132522".to_owned(),
        process: 3216,
        random: None,
    };
    let start = |id: &SessionId| start_line(&unended(id), 1, Some(2), None).unwrap();
    let mut draft = store.begin(&seed, 0, &start).unwrap();
    for bytes in OUTPUT.chunks(10) {
        let stream = Stream::Stdout;
        let event = Event::Output { stream, bytes };
        draft.recorder().event(Duration::ZERO, &event).unwrap();
    }
    draft
}

fn unended(id: &SessionId) -> Metadata {
    let mut metadata = minimal(id.as_str());
    metadata.exit_code = None;
    metadata.status = Status::Interrupted;
    metadata
}

/// The same, ended and published.
fn finished(outcome: &Outcome, key: Option<&Key>) -> (MemoryStore, SessionId) {
    let store = MemoryStore::default();
    let mut draft = begun(&store);
    let sealed = draft.seal(Duration::from_secs(1), outcome);
    let id = draft.id().clone();
    let mut metadata = unended(&id);
    metadata.exit_code = outcome.exit_code();
    metadata.status = outcome.status();
    metadata.signal = outcome.signal().map(|signal| signal.to_string());
    metadata.output_bytes = sealed.output_bytes;
    metadata.sha256 = sealed.sha256;
    draft.finish(metadata, Durability::Fast, key).unwrap();
    (store, id)
}

fn look(store: &MemoryStore, id: &SessionId) -> Finding {
    verify(store, id, Some(&key()), &mut |_| {}).unwrap()
}

fn contents(store: &MemoryStore, id: &SessionId, kind: Kind) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut reader = match kind {
        Kind::Sidecar => return store.sidecar(id).unwrap(),
        Kind::Transcript => store.transcript(id).unwrap(),
        Kind::Events => store.events(id).unwrap(),
    };
    reader.read_to_end(&mut bytes).unwrap();
    bytes
}

/// Changes what the sidecar says and signs it again, so that nothing but the change is wrong.
fn resign(store: &MemoryStore, id: &SessionId, change: impl FnOnce(&mut Metadata)) {
    let mut metadata = store.metadata(id).unwrap();
    change(&mut metadata);
    let text = signed_json(&mut metadata, Some(&key())).unwrap();
    store.put(id, Kind::Sidecar, text.as_bytes());
}

/// Replaces text in the events.
fn rewrite(store: &MemoryStore, id: &SessionId, from: &str, to: &str) {
    let text = String::from_utf8(contents(store, id, Kind::Events)).unwrap();
    assert!(text.contains(from), "{text}");
    store.put(id, Kind::Events, text.replace(from, to).as_bytes());
}

fn parts(finding: &Finding) -> Vec<(Verdict, Part)> {
    let defects = finding.defects.iter();
    defects
        .map(|defect| (defect.verdict, defect.part))
        .collect()
}

#[test]
fn what_was_recorded_is_in_order_whatever_its_end() {
    for (outcome, verdict) in [
        (Outcome::Exited(0), Verdict::Ok),
        (Outcome::Exited(255), Verdict::Ok),
        (Outcome::Signaled(Signal(15)), Verdict::Ok),
        (Outcome::TimedOut(Some(Signal(9))), Verdict::Ok),
        (Outcome::Interrupted, Verdict::Interrupted),
    ] {
        for (key, signature) in [(Some(key()), Signature::Valid), (None, Signature::Unsigned)] {
            let (store, id) = finished(&outcome, key.as_ref());
            let mut read = 0;
            let finding = verify(&store, &id, key.as_ref(), &mut |count| read += count).unwrap();
            assert_eq!(finding.defects, [], "{outcome:?}");
            assert_eq!(finding.verdict, verdict, "{outcome:?}");
            assert_eq!(finding.signature, Some(signature));
            assert_eq!(finding.lookalike_markers, 1);
            assert_eq!(read, contents(&store, &id, Kind::Transcript).len() as u64);
        }
    }
}

#[test]
fn every_flipped_bit_of_a_signed_session_is_noticed() {
    let (store, id) = finished(&Outcome::Exited(3), Some(&key()));
    for kind in [Kind::Transcript, Kind::Sidecar] {
        let intact = contents(&store, &id, kind);
        for bit in 0..intact.len() * 8 {
            let mut bytes = intact.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            store.put(&id, kind, &bytes);
            let finding = look(&store, &id);
            let is_noticed = finding.verdict.is_defect() && !finding.defects.is_empty();
            assert!(is_noticed, "{kind:?}, bit {bit}: {finding:?}");
        }
        store.put(&id, kind, &intact);
    }
    assert_eq!(look(&store, &id).verdict, Verdict::Ok);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn any_other_bytes_are_noticed_and_break_nothing(
        start in 0usize..2000,
        length in 0usize..200,
        bytes in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let (store, id) = finished(&Outcome::Exited(3), Some(&key()));
        for kind in [Kind::Transcript, Kind::Sidecar, Kind::Events] {
            let intact = contents(&store, &id, kind);
            let start = start.min(intact.len());
            let end = (start + length).min(intact.len());
            let changed = [&intact[..start], &bytes, &intact[end..]].concat();
            store.put(&id, kind, &changed);
            let finding = look(&store, &id);
            // Nothing signs the events, so a change that says the same is none.
            let must_be_noticed = changed != intact && kind != Kind::Events;
            prop_assert!(!must_be_noticed || finding.verdict.is_defect(), "{finding:?}");
            store.put(&id, kind, &intact);
        }
        prop_assert_eq!(look(&store, &id).verdict, Verdict::Ok);
    }
}

#[test]
fn a_file_cut_anywhere_is_noticed() {
    let (store, id) = finished(&Outcome::Exited(3), Some(&key()));
    for (kind, worst) in [
        (Kind::Transcript, Verdict::Truncated),
        (Kind::Sidecar, Verdict::Torn),
        (Kind::Events, Verdict::Torn),
    ] {
        let intact = contents(&store, &id, kind);
        for length in 0..intact.len() {
            // The newline behind the sidecar's last brace is signed, but not needed to read it.
            let is_readable = kind == Kind::Sidecar && length + 1 == intact.len();
            let expected = if is_readable { Verdict::Altered } else { worst };
            store.put(&id, kind, &intact[..length]);
            assert_eq!(look(&store, &id).verdict, expected, "{kind:?} {length}");
        }
        store.put(&id, kind, &intact);
    }
}

/// With a signature that fits, so that the mac doesn't answer for the rest.
#[test]
fn a_sidecar_that_says_something_else_than_its_files_is_noticed() {
    use Part::{Digest, Exit, Length, Marker, Output, Sidecar, Start};
    use Verdict::{Altered, Torn, Truncated};
    type Change = fn(&mut Metadata);
    let cases: [(Change, &[(Verdict, Part)]); 12] = [
        (
            |it| it.exit_code = Some(0),
            &[(Altered, Marker), (Altered, Exit)],
        ),
        (
            |it| it.exit_code = Some(30),
            &[(Altered, Marker), (Altered, Exit)],
        ),
        (
            |it| it.exit_code = None,
            &[(Altered, Sidecar), (Altered, Exit)],
        ),
        (|it| it.status = Status::Signaled, &[(Altered, Exit)]),
        (|it| it.status = Status::Interrupted, &[(Altered, Sidecar)]),
        (
            |it| it.signal = Some("SIGTERM".to_owned()),
            &[(Altered, Exit)],
        ),
        (|it| it.sha256 = Some("ab".repeat(32)), &[(Altered, Digest)]),
        (
            |it| it.output_bytes += 30,
            &[(Truncated, Length), (Altered, Exit), (Altered, Output)],
        ),
        (
            |it| it.output_bytes -= 8,
            &[(Altered, Length), (Altered, Exit), (Altered, Output)],
        ),
        (
            |it| it.output_bytes = u64::MAX,
            &[(Truncated, Length), (Altered, Exit), (Altered, Output)],
        ),
        (|it| it.argv = vec!["false".to_owned()], &[(Altered, Start)]),
        (|it| it.cwd = None, &[(Altered, Start)]),
    ];
    for (index, (change, expected)) in cases.into_iter().enumerate() {
        let (store, id) = finished(&Outcome::Exited(3), Some(&key()));
        resign(&store, &id, change);
        let finding = look(&store, &id);
        assert_eq!(finding.signature, Some(Signature::Valid));
        assert_eq!(parts(&finding), expected, "{index}: {finding:#?}");
    }
    let (store, id) = finished(&Outcome::Interrupted, Some(&key()));
    resign(&store, &id, |it| it.output_bytes -= 1);
    assert_eq!(
        parts(&look(&store, &id)),
        [(Altered, Length), (Torn, Output)]
    );
}

#[test]
fn a_note_added_later_is_no_defect() {
    let (store, id) = finished(&Outcome::Exited(3), Some(&key()));
    resign(&store, &id, |metadata| {
        metadata.notes = Some("why".to_owned());
        metadata.tags = vec!["flaky".to_owned()];
        metadata.lessons = vec!["look first".to_owned()];
    });
    assert_eq!(look(&store, &id).verdict, Verdict::Ok);
}

#[test]
fn events_that_say_something_else_are_noticed() {
    use Part::{Events, Exit, Output, Start};
    use Verdict::{Altered, Torn};
    let cases = [
        ("\"bytes\":32", "\"bytes\":31", (Altered, Output)),
        ("\"bytes\":32", "\"bytes\":33", (Altered, Output)),
        (
            "\"bytes\":32",
            "\"bytes\":18446744073709551615",
            (Altered, Output),
        ),
        ("\"type\":\"output\"", "\"type\":\"gap\"", (Altered, Output)),
        ("\"type\":\"exit\"", "\"type\":\"future\"", (Torn, Events)),
        (
            "\"status\":\"exited\"",
            "\"status\":\"signaled\"",
            (Altered, Exit),
        ),
        ("\"type\":\"output\"", "output", (Altered, Events)),
        ("\"type\":\"start\"", "\"type\":\"begin\"", (Altered, Start)),
        (
            "\"command\":\"true\"",
            "\"command\":\"false\"",
            (Altered, Start),
        ),
        (
            "{\"type\":\"start\"",
            "{\"type\":\"continued\",\"time\":0}\n{\"type\":\"start\"",
            (Altered, Start),
        ),
    ];
    for (from, to, expected) in cases {
        let (store, id) = finished(&Outcome::Exited(3), Some(&key()));
        rewrite(&store, &id, from, to);
        assert_eq!(parts(&look(&store, &id)), [expected], "{to}");
    }
    let (store, id) = finished(&Outcome::Exited(3), Some(&key()));
    let mut events = contents(&store, &id, Kind::Events);
    events.extend_from_slice(b"{\"type\":\"continued\",\"time\":2.0}\n");
    store.put(&id, Kind::Events, &events);
    assert_eq!(parts(&look(&store, &id)), [(Altered, Exit)]);
    store.put(&id, Kind::Events, b"");
    assert_eq!(parts(&look(&store, &id)), [(Torn, Start)]);
}

/// What the writer leaves when the disk refuses output and takes the marker only in its place.
#[test]
fn output_that_a_full_disk_refused_is_a_remark_and_no_defect() {
    let (store, id) = finished(&Outcome::Exited(3), Some(&key()));
    rewrite(&store, &id, "\"bytes\":32", "\"bytes\":4000");
    resign(&store, &id, |metadata| metadata.dropped_bytes = 5000);
    let finding = look(&store, &id);
    assert_eq!(finding.defects, []);
    let about: Vec<Part> = finding.remarks.iter().map(|remark| remark.part).collect();
    assert_eq!(about, [Part::Lookalikes, Part::Dropped]);
    // More than was refused, so more than is given back.
    rewrite(&store, &id, "\"bytes\":4000", "\"bytes\":5100");
    assert_eq!(
        parts(&look(&store, &id)),
        [(Verdict::Altered, Part::Output)]
    );
}

#[test]
fn a_session_without_a_digest_says_so() {
    let (store, id) = finished(&Outcome::Exited(3), Some(&key()));
    resign(&store, &id, |metadata| metadata.sha256 = None);
    let about = |finding: &Finding| {
        finding
            .remarks
            .iter()
            .any(|remark| remark.part == Part::Digest)
    };
    let finding = look(&store, &id);
    assert!(finding.defects.is_empty() && about(&finding), "{finding:?}");
    // The disk took none of the marker, or part of it.
    let transcript = contents(&store, &id, Kind::Transcript);
    for length in [OUTPUT.len(), OUTPUT.len() + 5] {
        store.put(&id, Kind::Transcript, &transcript[..length]);
        let finding = look(&store, &id);
        assert!(finding.defects.is_empty() && about(&finding), "{finding:?}");
    }
    store.put(&id, Kind::Transcript, &transcript[..OUTPUT.len() - 1]);
    assert_eq!(look(&store, &id).verdict, Verdict::Truncated);
}

#[test]
fn what_a_power_cut_leaves_is_torn_and_not_tampered_with() {
    let (store, id) = finished(&Outcome::Exited(3), Some(&key()));
    let mut transcript = contents(&store, &id, Kind::Transcript);
    let length = transcript.len();
    transcript[length - 40..].fill(0);
    store.put(&id, Kind::Transcript, &transcript);
    assert_eq!(parts(&look(&store, &id)), [(Verdict::Torn, Part::Length)]);
    // What was on the disk before the sidecar had its name can't go that way.
    resign(&store, &id, |metadata| metadata.durable = true);
    assert_eq!(look(&store, &id).verdict, Verdict::Altered);
    for sidecar in [&b""[..], &[0; 4096], b"{\n  \"session_id\": \"ai\0\0"] {
        store.put(&id, Kind::Sidecar, sidecar);
        assert_eq!(parts(&look(&store, &id)), [(Verdict::Torn, Part::Sidecar)]);
    }
}

#[test]
fn a_signature_is_not_lost_by_taking_its_name_away() {
    let (store, id) = finished(&Outcome::Exited(3), Some(&key()));
    let text = String::from_utf8(contents(&store, &id, Kind::Sidecar)).unwrap();
    store.put(
        &id,
        Kind::Sidecar,
        text.replace("\"mac\"", "\"mao\"").as_bytes(),
    );
    let finding = look(&store, &id);
    assert_eq!(finding.signature, Some(Signature::Unsigned));
    assert_eq!(parts(&finding), [(Verdict::Altered, Part::Sidecar)]);
}
