//! A session in a few words: what lists, filters and statistics need to know of each.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize};

use super::metadata::Origin;
use super::{Judgement, Metadata, SessionId, Status};

mod sidecar;

/// The most of a command or of a note that an entry holds, in characters.
pub const TEXT_CHARACTERS: usize = 200;

/// A text that was cut, without the word that was: half a word can be anything.
#[must_use]
pub fn without_last_word(text: &str) -> &str {
    text.rsplit_once(char::is_whitespace)
        .map_or("", |(whole, _)| whole)
}

/// A session in a few words. Fields that most sessions don't have are left out of its JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry<'a> {
    /// The session's id, not checked yet: see [`Entry::id`].
    #[serde(borrow)]
    pub session_id: Cow<'a, str>,
    /// The start: ISO 8601, UTC, milliseconds. In this one form times compare as texts.
    #[serde(borrow)]
    pub timestamp: Cow<'a, str>,
    /// The end, likewise.
    #[serde(
        borrow,
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub ended_at: Option<Cow<'a, str>>,
    /// How it ended; none where the sidecar could not be read.
    pub status: Option<Status>,
    /// As a shell would show it.
    pub exit_code: Option<i32>,
    /// The signal that it died of.
    #[serde(
        borrow,
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub signal: Option<Cow<'a, str>>,
    /// What its end means, where exit code and fault don't tell: see [`Entry::judgement`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Judgement>,
    /// From start to end.
    pub duration_ms: Option<u64>,
    /// How it came into the store.
    #[serde(default = "recorded", skip_serializing_if = "is_recorded")]
    pub origin: Origin,
    /// The branch it ran on.
    #[serde(borrow, default, deserialize_with = "optional")]
    pub branch: Option<Cow<'a, str>>,
    /// The task it belongs to.
    #[serde(borrow, default, deserialize_with = "optional")]
    pub task: Option<Cow<'a, str>>,
    /// The directory it ran in.
    #[serde(
        borrow,
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub cwd: Option<Cow<'a, str>>,
    /// Labels.
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Cow<'a, str>>,
    /// Whether it is to be kept.
    #[serde(default, skip_serializing_if = "is_false")]
    pub pinned: bool,
    /// The fault that it ran into.
    #[serde(
        borrow,
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub fault: Option<Cow<'a, str>>,
    /// What it was called, where it was detached.
    #[serde(
        borrow,
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub name: Option<Cow<'a, str>>,
    /// Bytes of recorded output.
    #[serde(default)]
    pub output_bytes: u64,
    /// What its files hold, in bytes.
    #[serde(default)]
    pub size_bytes: u64,
    /// The beginning of the command.
    #[serde(borrow)]
    pub command: Cow<'a, str>,
    /// The beginning of the note.
    #[serde(
        borrow,
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub notes: Option<Cow<'a, str>>,
    /// Whether command or note are longer than what is here.
    #[serde(default, skip_serializing_if = "is_false")]
    pub cut: bool,
    /// When this line came into the index, where that was long after the session's end.
    #[serde(
        borrow,
        default,
        deserialize_with = "optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub indexed_at: Option<Cow<'a, str>>,
    /// That the session was removed; its files are gone.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub pruned: Option<Removal<'a>>,
}

/// When and why a session was removed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Removal<'a> {
    /// When: ISO 8601, UTC.
    #[serde(borrow)]
    pub at: Cow<'a, str>,
    /// Why, in words.
    #[serde(borrow)]
    pub reason: Cow<'a, str>,
}

/// A text that may be missing.
type Text<'a> = Option<Cow<'a, str>>;

/// Reads a text that may be missing without copying it: serde's own way copies what an [`Option`] holds.
fn optional<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Text<'a>, D::Error> {
    #[derive(Deserialize)]
    struct Borrowed<'a>(#[serde(borrow)] Cow<'a, str>);

    let text = Option::<Borrowed<'a>>::deserialize(deserializer)?;
    Ok(text.map(|text| text.0))
}

fn recorded() -> Origin {
    Origin::Recorded
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_recorded(origin: &Origin) -> bool {
    *origin == Origin::Recorded
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_false(flag: &bool) -> bool {
    !flag
}

impl<'a> Entry<'a> {
    /// The entry of a session whose files hold this much.
    #[must_use]
    pub fn of(metadata: &'a Metadata, size_bytes: u64) -> Self {
        let (command, command_cut) = beginning(&metadata.command);
        let notes = metadata.notes.as_deref().map(beginning);
        let branch = metadata.git.as_ref().and_then(|git| git.branch.as_deref());
        let tags = metadata.tags.iter();
        Self {
            session_id: metadata.session_id.as_str().into(),
            timestamp: metadata.timestamp.to_string().into(),
            ended_at: metadata.ended_at.map(|end| end.to_string().into()),
            status: Some(metadata.status),
            exit_code: metadata.exit_code,
            signal: metadata.signal.as_deref().map(Cow::from),
            outcome: Judgement::beyond(
                metadata.outcome,
                metadata.exit_code,
                metadata.fault.as_deref(),
            ),
            duration_ms: metadata.duration_ms,
            origin: metadata.origin,
            branch: branch.map(Cow::from),
            task: metadata.task.as_deref().map(Cow::from),
            cwd: metadata.cwd.as_deref().map(Cow::from),
            tags: tags.map(|tag| tag.as_str().into()).collect(),
            pinned: metadata.pinned,
            fault: metadata.fault.as_deref().map(Cow::from),
            name: metadata.name.as_deref().map(Cow::from),
            output_bytes: metadata.output_bytes,
            size_bytes,
            command: command.into(),
            cut: command_cut || notes.is_some_and(|(_, cut)| cut),
            notes: notes.map(|(text, _)| text.into()),
            indexed_at: None,
            pruned: None,
        }
    }

    /// The entry of a session of which only the id is known, since its sidecar can't be read.
    #[must_use]
    pub fn unreadable(id: &'a SessionId) -> Self {
        let time = id.local_time().as_bytes();
        let part = |from: usize, to: usize| String::from_utf8_lossy(&time[from..to]);
        // The recorder's local time taken for UTC: near enough to sort by.
        let timestamp = format!(
            "{}-{}-{}T{}:{}:{}.000Z",
            part(0, 4),
            part(4, 6),
            part(6, 8),
            part(9, 11),
            part(11, 13),
            part(13, 15)
        );
        Self {
            session_id: id.as_str().into(),
            timestamp: timestamp.into(),
            ended_at: None,
            status: None,
            exit_code: None,
            signal: None,
            outcome: None,
            duration_ms: None,
            origin: Origin::Recorded,
            branch: None,
            task: None,
            cwd: None,
            tags: Vec::new(),
            pinned: false,
            fault: None,
            name: None,
            output_bytes: 0,
            size_bytes: 0,
            command: "".into(),
            notes: None,
            cut: false,
            indexed_at: None,
            pruned: None,
        }
    }

    /// The id; none if it is not one.
    #[must_use]
    pub fn id(&self) -> Option<SessionId> {
        self.session_id.parse().ok()
    }

    /// The last time that this line knows of, which lines of the index are ordered by: never before
    /// the session's start.
    #[must_use]
    pub fn last_time(&self) -> &str {
        let pruned = self.pruned.as_ref().map(|removal| &*removal.at);
        let times = [pruned, self.indexed_at.as_deref(), self.ended_at.as_deref()];
        let latest = times.into_iter().flatten().max();
        latest.map_or(&*self.timestamp, |latest| latest.max(&self.timestamp))
    }

    /// What its end means, as far as anybody knows.
    #[must_use]
    pub fn judgement(&self) -> Option<Judgement> {
        Judgement::of(self.outcome, self.exit_code, self.fault.as_deref())
    }

    /// Whether it counts as failed, once it is over: it failed, its output says so, or nobody knows.
    /// Answers such as that of `grep`, and what somebody stopped, don't count.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        Judgement::is_failure(self.judgement())
    }

    /// The same, owning its texts.
    #[must_use]
    pub fn into_owned(self) -> Entry<'static> {
        let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        Entry {
            session_id: own(self.session_id),
            timestamp: own(self.timestamp),
            ended_at: self.ended_at.map(own),
            status: self.status,
            exit_code: self.exit_code,
            signal: self.signal.map(own),
            outcome: self.outcome,
            duration_ms: self.duration_ms,
            origin: self.origin,
            branch: self.branch.map(own),
            task: self.task.map(own),
            cwd: self.cwd.map(own),
            tags: self.tags.into_iter().map(own).collect(),
            pinned: self.pinned,
            fault: self.fault.map(own),
            name: self.name.map(own),
            output_bytes: self.output_bytes,
            size_bytes: self.size_bytes,
            command: own(self.command),
            notes: self.notes.map(own),
            cut: self.cut,
            indexed_at: self.indexed_at.map(own),
            pruned: self.pruned.map(|removal| Removal {
                at: own(removal.at),
                reason: own(removal.reason),
            }),
        }
    }
}

/// The beginning of a text, and whether there is more of it.
fn beginning(text: &str) -> (&str, bool) {
    match text.char_indices().nth(TEXT_CHARACTERS) {
        Some((end, _)) => (&text[..end], true),
        None => (text, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::metadata::tests::minimal;

    #[test]
    fn an_entry_survives_its_json_form() {
        let mut metadata = minimal("a-20260305_132522-1-abcdef12");
        metadata.command = format!("echo 'a\nb' {}", "é".repeat(1000));
        metadata.notes = Some("why".to_owned());
        metadata.tags = vec!["ci".to_owned()];
        metadata.pinned = true;
        let entry = Entry::of(&metadata, 7);
        assert!(entry.cut);
        let json = serde_json::to_string(&entry).unwrap();
        assert_eq!(serde_json::from_str::<Entry<'_>>(&json).unwrap(), entry);
    }

    #[test]
    fn an_unreadable_session_is_placed_by_its_id() {
        let id: SessionId = "a-20260305_132522-1-abcdef12".parse().unwrap();
        let entry = Entry::unreadable(&id);
        assert_eq!(entry.timestamp, "2026-03-05T13:25:22.000Z");
        assert_eq!(entry.id(), Some(id.clone()));
    }

    #[test]
    fn what_most_sessions_do_not_have_is_left_out() {
        let metadata = minimal("a-20260305_132522-1-abcdef12");
        let json = |metadata: &Metadata| serde_json::to_value(Entry::of(metadata, 0)).unwrap();
        let plain = json(&metadata);
        for name in ["origin", "pinned", "tags", "outcome", "signal"] {
            assert_eq!(plain.get(name), None, "{name}");
        }
        let mut other = metadata;
        other.origin = Origin::Imported;
        other.pinned = true;
        assert_eq!(json(&other)["origin"], "imported");
        assert_eq!(json(&other)["pinned"], true);
    }

    #[test]
    fn half_a_word_is_no_word() {
        for (text, whole) in [("one two thr", "one two"), ("one", ""), ("one\n", "one")] {
            assert_eq!(without_last_word(text), whole);
        }
    }

    #[test]
    fn a_line_is_ordered_by_the_latest_time_that_it_knows() {
        let mut metadata = minimal("a-20260305_132522-1-abcdef12");
        assert_eq!(
            Entry::of(&metadata, 0).last_time(),
            "2026-03-05T13:25:22.000Z"
        );
        for (ended, last) in [
            ("2026-03-05T13:25:30.000Z", "2026-03-05T13:25:30.000Z"),
            // The clock was set back.
            ("2026-03-05T13:25:00.000Z", "2026-03-05T13:25:22.000Z"),
        ] {
            metadata.ended_at = Some(ended.parse().unwrap());
            assert_eq!(Entry::of(&metadata, 0).last_time(), last);
        }
    }

    #[test]
    fn what_failed_is_what_somebody_has_to_look_at() {
        let mut metadata = minimal("a-20260305_132522-1-abcdef12");
        for (exit_code, outcome, failed) in [
            (Some(0), None, false),
            (Some(2), None, true),
            (None, None, true),
            (Some(1), Some(Judgement::Negative), false),
            (Some(130), Some(Judgement::Interrupted), false),
            (Some(0), Some(Judgement::Suspect), true),
        ] {
            (metadata.exit_code, metadata.outcome) = (exit_code, outcome);
            let entry = Entry::of(&metadata, 0);
            assert_eq!(entry.has_failed(), failed, "{exit_code:?} {outcome:?}");
            assert_eq!(metadata.has_failed(), failed, "{exit_code:?} {outcome:?}");
            assert_eq!(entry.judgement(), metadata.judgement());
        }
        (metadata.exit_code, metadata.outcome) = (Some(0), None);
        assert_eq!(metadata.judgement(), Some(Judgement::Ok));
    }
}
