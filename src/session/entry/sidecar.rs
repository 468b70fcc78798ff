//! An entry straight from a sidecar's bytes: of its fifty fields only those that an entry has, none
//! of them copied that needn't be. For whoever reads a hundred thousand of them.

use std::borrow::Cow;

use serde::Deserialize;

use super::{Entry, Origin, Status, TEXT_CHARACTERS, Text, beginning, optional};
use crate::session::{Judgement, SessionId, Timestamp};

/// What an entry has of a sidecar. [`Metadata`](crate::session::Metadata) has all of it.
#[derive(Deserialize)]
struct Facts<'a> {
    #[serde(borrow)]
    session_id: Cow<'a, str>,
    #[serde(borrow)]
    timestamp: Cow<'a, str>,
    #[serde(borrow)]
    command: Cow<'a, str>,
    exit_code: Option<i32>,
    #[serde(borrow, default, deserialize_with = "optional")]
    notes: Text<'a>,
    #[serde(borrow, default, deserialize_with = "optional")]
    fault: Text<'a>,
    #[serde(borrow, default, deserialize_with = "optional")]
    name: Text<'a>,
    origin: Origin,
    #[serde(borrow, default, deserialize_with = "optional")]
    cwd: Text<'a>,
    #[serde(borrow, default, deserialize_with = "optional")]
    ended_at: Text<'a>,
    duration_ms: Option<u64>,
    status: Status,
    #[serde(borrow, default, deserialize_with = "optional")]
    signal: Text<'a>,
    #[serde(default)]
    outcome: Option<Judgement>,
    output_bytes: u64,
    #[serde(borrow)]
    git: Option<Git<'a>>,
    #[serde(borrow, default, deserialize_with = "optional")]
    task: Text<'a>,
    #[serde(borrow)]
    tags: Vec<Cow<'a, str>>,
    #[serde(default)]
    pinned: bool,
}

#[derive(Deserialize)]
struct Git<'a> {
    #[serde(borrow, default, deserialize_with = "optional")]
    branch: Text<'a>,
}

impl<'a> Entry<'a> {
    /// The entry of a session with this sidecar, whose files hold this much; none if the bytes are no
    /// sidecar of it. Whether the fields that an entry doesn't have are as they should be is not
    /// looked at.
    #[must_use]
    pub fn of_sidecar(id: &SessionId, sidecar: &'a [u8], size_bytes: u64) -> Option<Self> {
        let facts: Facts<'a> = serde_json::from_slice(sidecar).ok()?;
        if facts.session_id != id.as_str() {
            return None;
        }
        let (command, command_cut) = cut(facts.command);
        let (notes, notes_cut) = facts.notes.map(cut).unzip();
        Some(Self {
            session_id: facts.session_id,
            timestamp: canonical(facts.timestamp)?,
            ended_at: match facts.ended_at {
                Some(end) => Some(canonical(end)?),
                None => None,
            },
            status: Some(facts.status),
            exit_code: facts.exit_code,
            signal: facts.signal,
            outcome: Judgement::beyond(facts.outcome, facts.exit_code, facts.fault.as_deref()),
            duration_ms: facts.duration_ms,
            origin: facts.origin,
            branch: facts.git.and_then(|git| git.branch),
            task: facts.task,
            cwd: facts.cwd,
            tags: facts.tags,
            pinned: facts.pinned,
            fault: facts.fault,
            name: facts.name,
            output_bytes: facts.output_bytes,
            size_bytes,
            command,
            notes,
            cut: command_cut || notes_cut.unwrap_or(false),
            indexed_at: None,
            pruned: None,
        })
    }
}

/// The beginning of a text, and whether there is more of it.
fn cut(text: Cow<'_, str>) -> (Cow<'_, str>, bool) {
    if text.len() <= TEXT_CHARACTERS {
        return (text, false);
    }
    match text {
        Cow::Borrowed(text) => {
            let (text, is_cut) = beginning(text);
            (text.into(), is_cut)
        }
        Cow::Owned(mut text) => {
            let (kept, is_cut) = beginning(&text);
            let length = kept.len();
            text.truncate(length);
            (text.into(), is_cut)
        }
    }
}

/// A time in the form that times are compared in; none of what is no time.
fn canonical(text: Cow<'_, str>) -> Option<Cow<'_, str>> {
    let time: Timestamp = text.parse().ok()?;
    // What is a time, as long as this and ends in `Z`, has milliseconds.
    let is_canonical = text.len() == "0000-00-00T00:00:00.000Z".len()
        && text.as_bytes()[10] == b'T'
        && text.ends_with('Z');
    Some(match is_canonical {
        true => text,
        false => time.to_string().into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Metadata;
    use crate::session::metadata::Git as MetadataGit;
    use crate::session::metadata::tests::minimal;
    use proptest::prelude::*;

    const ID: &str = "a-20260305_132522-1-abcdef12";

    fn read(text: &str) -> Option<Entry<'_>> {
        Entry::of_sidecar(&ID.parse().unwrap(), text.as_bytes(), 7)
    }

    fn reads_alike(metadata: &Metadata) {
        let text = metadata.to_json().unwrap();
        assert_eq!(read(&text), Some(Entry::of(metadata, 7)));
    }

    #[test]
    fn a_sidecar_gives_the_entry_that_its_metadata_gives() {
        reads_alike(&minimal(ID));
        let mut full = minimal(ID);
        full.command = format!("echo 'a\nb\u{1b}' {}", "é\"".repeat(1000));
        full.notes = Some("x".repeat(TEXT_CHARACTERS + 1));
        full.tags = vec!["ci".to_owned(), "a\tb".to_owned()];
        full.signal = Some("SIGTERM".to_owned());
        full.ended_at = Some("2026-03-05T14:25:23+01:00".parse().unwrap());
        full.task = Some("t".to_owned());
        full.fault = Some("f\\".to_owned());
        full.outcome = Some(Judgement::Suspect);
        full.pinned = true;
        full.exit_code = None;
        full.git = Some(MetadataGit {
            branch: Some("main".to_owned()),
            commit: None,
            other: serde_json::Map::new(),
        });
        reads_alike(&full);
    }

    #[test]
    fn what_is_no_sidecar_of_the_session_gives_none() {
        let text = minimal(ID).to_json().unwrap();
        for (part, other) in [
            ("abcdef12", "abcdef13"),
            ("2026-03-05T13:25:22.000Z", "2026-13-05T13:25:22.000Z"),
            ("\"exited\"", "\"vanished\""),
            ("\"output_bytes\": 0", "\"output_bytes\": -1"),
            ("\"tags\": []", "\"tags\": null"),
        ] {
            assert!(read(&text).is_some() && text.contains(part), "{part}");
            assert!(read(&text.replace(part, other)).is_none(), "{part}");
        }
        assert!(read(&text[..text.len() - 3]).is_none());
    }

    #[test]
    fn a_time_of_another_form_is_the_same_instant_in_the_one_that_times_are_compared_in() {
        let text = minimal(ID).to_json().unwrap();
        for (written, canonical) in [
            ("2026-03-05T13:25:22.123Z", "2026-03-05T13:25:22.123Z"),
            ("2026-03-05t13:25:22.123Z", "2026-03-05T13:25:22.123Z"),
            ("2026-03-05 13:25:22.123Z", "2026-03-05T13:25:22.123Z"),
            ("2026-03-05T13:25:22.123z", "2026-03-05T13:25:22.123Z"),
            ("2026-03-05T13:25:22.5Z", "2026-03-05T13:25:22.500Z"),
            ("2026-03-05T13:25:22Z", "2026-03-05T13:25:22.000Z"),
            ("2026-03-05T13:25:22.123456Z", "2026-03-05T13:25:22.123Z"),
            ("2026-03-05T14:25:22+01:00", "2026-03-05T13:25:22.000Z"),
            ("2026-03-05T14:25:22.5+01:00", "2026-03-05T13:25:22.500Z"),
        ] {
            let sidecar = text.replace("2026-03-05T13:25:22.000Z", written);
            let entry = read(&sidecar).map(|entry| entry.timestamp.into_owned());
            assert_eq!(entry.as_deref(), Some(canonical), "{written}");
        }
    }

    proptest! {
        #[test]
        fn times_and_texts_of_any_form_are_read_as_the_metadata_has_them(
            seconds in -60_000_000_000_i64..250_000_000_000,
            nanoseconds in 0_u32..1_000_000_000,
            command in ".{0,300}",
            notes in proptest::option::of(".{0,300}"),
        ) {
            let time = chrono::DateTime::from_timestamp(seconds, nanoseconds).unwrap();
            let mut metadata = minimal(ID);
            metadata.timestamp = Timestamp(time);
            metadata.ended_at = Some(Timestamp(time));
            metadata.command = command;
            metadata.notes = notes;
            // What a sidecar can say: years of four digits.
            let text = metadata.to_json().unwrap();
            let known = serde_json::from_str::<Metadata>(&text).ok();
            prop_assert_eq!(read(&text), known.as_ref().map(|known| Entry::of(known, 7)));
        }
    }
}
