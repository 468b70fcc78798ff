//! Sidecars of the original, the shell script that aido takes after. Many are no valid JSON: texts were put
//! between quotation marks as they were.
//!
//! What can't be read as JSON is taken apart at the names of the fields that the original wrote. A field
//! whose beginning or end could be in two places is not taken.

use serde_json::Value;

use super::Facts;
use crate::session::metadata::ORIGINAL_FIELDS;
use crate::session::{SessionId, Timestamp};

/// The longest text that is taken.
const TEXT_BYTES: usize = 64 * 1024;

/// A sidecar of the original's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sidecar {
    /// What it says of the recording.
    pub facts: Facts,
    /// The session's id.
    pub id: Option<SessionId>,
    /// Who ran it.
    pub agent: Option<String>,
    /// As a shell would show it.
    pub exit_code: Option<i32>,
    /// The transcript's SHA-256 in lower-case hex.
    pub sha256: Option<String>,
    /// A note.
    pub notes: Option<String>,
    /// What was learned.
    pub lessons: Vec<String>,
    /// What could not be read, in words.
    pub doubts: Vec<String>,
}

/// Whether this looks like a sidecar: the beginning of an object with an id.
#[must_use]
pub fn looks_like_one(beginning: &[u8]) -> bool {
    let text = String::from_utf8_lossy(beginning);
    text.trim_start().starts_with('{') && text.contains("\"session_id\"")
}

/// Reads a sidecar, valid or not.
#[must_use]
pub fn read(bytes: &[u8]) -> Sidecar {
    let text = String::from_utf8_lossy(bytes);
    let mut doubts = Vec::new();
    let fields: Vec<(&str, Option<Value>)> = match serde_json::from_str::<Value>(&text) {
        Ok(value) => ORIGINAL_FIELDS
            .map(|name| (name, value.get(name).cloned()))
            .to_vec(),
        Err(_) => {
            doubts.push("its sidecar is no valid JSON and was taken apart".to_owned());
            ORIGINAL_FIELDS
                .map(|name| (name, field(&text, name, &mut doubts)))
                .to_vec()
        }
    };
    let value = |name: &str| {
        let found = fields.iter().find(|(field, _)| *field == name);
        found
            .and_then(|(_, value)| value.as_ref())
            .filter(|value| !value.is_null())
    };
    let words = |name: &str| {
        let words = value(name)?.as_str()?;
        (!words.is_empty() && words.len() <= TEXT_BYTES).then(|| words.to_owned())
    };
    let variable = |name: &str| {
        let value = value("env")?.get(name)?.as_str()?;
        (value.len() <= TEXT_BYTES).then(|| value.to_owned())
    };
    let code = value("exit_code").and_then(|code| match code {
        Value::String(digits) => digits.parse().ok(),
        other => other.as_i64(),
    });
    let digest = words("sha256").filter(|digest| {
        let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        digest.len() == 64 && digest.bytes().all(is_hex)
    });
    let lessons = value("lessons")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let lessons = lessons
        .filter_map(Value::as_str)
        .filter(|lesson| lesson.len() <= TEXT_BYTES);
    Sidecar {
        facts: Facts {
            format: "original".to_owned(),
            title: words("session_id"),
            command: words("command"),
            began: words("timestamp").and_then(|time| time.parse::<Timestamp>().ok()),
            size: None,
            terminal: variable("TERM"),
            shell: variable("SHELL"),
        },
        id: words("session_id").and_then(|id| id.parse().ok()),
        agent: words("agent"),
        exit_code: code
            .and_then(|code| i32::try_from(code).ok())
            .filter(|code| (0..256).contains(code)),
        sha256: digest,
        notes: words("notes"),
        lessons: lessons.map(str::to_owned).collect(),
        doubts,
    }
}

/// Where a field's name stands, if that is one place: at the beginning of a line or of the object, or
/// after a comma.
fn place(text: &str, name: &str) -> Result<Option<(usize, usize)>, ()> {
    let quoted = format!("\"{name}\"");
    let mut places = text.match_indices(&quoted).filter_map(|(at, _)| {
        let before = text[..at].trim_end_matches([' ', '\t', '\r', '\n']);
        let rest = &text[at + quoted.len()..];
        let value = rest.trim_start().strip_prefix(':')?;
        (before.ends_with([',', '{'])).then_some((before.len(), text.len() - value.len()))
    });
    match (places.next(), places.next()) {
        (place, None) => Ok(place),
        _ => Err(()),
    }
}

/// The value of a field: what stands between its name and the next one's.
fn field(text: &str, name: &str, doubts: &mut Vec<String>) -> Option<Value> {
    let Ok(place_of) = place(text, name) else {
        doubts.push(format!(
            "its sidecar has {name} more than once, so it is not known"
        ));
        return None;
    };
    let (_, from) = place_of?;
    let mut end = text
        .trim_end()
        .strip_suffix('}')
        .map_or(text.len(), str::len);
    for other in ORIGINAL_FIELDS {
        match place(text, other) {
            Ok(Some((before, _))) if before >= from && before <= end => {
                // Without the comma.
                end = before.saturating_sub(1);
            }
            Ok(_) => {}
            // One of them may be what ends this one.
            Err(()) if follows(name, other) => {
                doubts.push(format!("where {name} ends in its sidecar is not known"));
                return None;
            }
            Err(()) => {}
        }
    }
    let raw = text.get(from..end)?.trim();
    if let Ok(value) = serde_json::from_str(raw) {
        return Some(value);
    }
    let inner = raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"'));
    let Some(inner) = inner else {
        doubts.push(format!("{name} in its sidecar can't be read"));
        return None;
    };
    // A JSON string inside of quotation marks.
    if let Ok(Value::String(words)) = serde_json::from_str(inner) {
        return Some(Value::String(words));
    }
    doubts.push(format!(
        "{name} in its sidecar is taken as it stands between its quotation marks"
    ));
    Some(Value::String(inner.to_owned()))
}

/// Whether the original wrote this field right after that one.
fn follows(name: &str, other: &str) -> bool {
    let place = |wanted: &str| ORIGINAL_FIELDS.iter().position(|field| *field == wanted);
    place(other) == place(name).map(|place| place + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BROKEN: &str = r#"{
  "session_id": "ai-agent-20260305_132522-3216-2f5876",
  "agent": "ai-agent",
  "timestamp": "2026-03-05T13:25:22Z",
  "command": "echo "hi, {you}"",
  "exit_code": 0,
  "typescript_file": "./.aisessions/x.typescript",
  "sha256": "0000000000000000000000000000000000000000000000000000000000000000",
  "stdout_tail": ""hi\n"",
  "stderr_head": "",
  "env": {"SHELL": "/bin/bash", "OS": "Linux"},
  "notes": "",
  "fault": null,
  "lessons": ["a"]
}
"#;

    #[test]
    fn a_sidecar_with_bare_quotation_marks_is_taken_apart() {
        let sidecar = read(BROKEN.as_bytes());
        assert_eq!(sidecar.facts.command.as_deref(), Some("echo \"hi, {you}\""));
        assert_eq!(sidecar.facts.shell.as_deref(), Some("/bin/bash"));
        assert_eq!(
            sidecar.facts.began,
            Some("2026-03-05T13:25:22.000Z".parse().unwrap())
        );
        assert_eq!((sidecar.exit_code, sidecar.notes), (Some(0), None));
        assert_eq!(sidecar.lessons, ["a"]);
        assert_eq!(sidecar.id.unwrap().hex(), "2f5876");
        assert_eq!(
            sidecar.doubts,
            [
                "its sidecar is no valid JSON and was taken apart",
                "command in its sidecar is taken as it stands between its quotation marks",
            ]
        );
    }

    #[test]
    fn a_valid_sidecar_is_read_as_json() {
        let valid = BROKEN
            .replace("\"hi, {you}\"", "x")
            .replace("\"\"hi\\n\"\"", "\"hi\\n\"");
        let sidecar = read(valid.as_bytes());
        assert_eq!((sidecar.doubts.len(), sidecar.exit_code), (0, Some(0)));
    }

    #[test]
    fn what_could_stand_in_two_places_is_not_taken() {
        let forged = BROKEN.replace("hi, {you}", "x\", \"exit_code\": 7, \"y");
        let sidecar = read(forged.as_bytes());
        assert_eq!((sidecar.exit_code, sidecar.facts.command), (None, None));
        assert!(
            sidecar
                .doubts
                .iter()
                .any(|doubt| doubt.contains("exit_code more than once"))
        );
        assert!(
            sidecar
                .doubts
                .iter()
                .any(|doubt| doubt.starts_with("where command ends"))
        );
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(cut in 0..600_usize, junk in "[\"{}:, \\\\a-z_é]{0,40}", at in 0..600_usize) {
            let mut text = BROKEN.to_owned();
            let at = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            text.insert_str(at, &junk);
            let cut = cut.min(text.len());
            let _ = read(&text.as_bytes()[..cut]);
            let _ = looks_like_one(text.as_bytes());
        }
    }
}
