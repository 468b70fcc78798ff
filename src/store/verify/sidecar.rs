//! What the bytes of a sidecar are.

use serde_json::{Map, Value};

use super::{Finding, Part, Verdict};
use crate::session::Metadata;
use crate::session::metadata::SCHEMA_VERSION;
use crate::store::parse_sidecar;
use crate::store::signature::{self, Key, Signature};

/// A sidecar that can be compared with the other files.
pub(super) struct Sidecar {
    pub(super) metadata: Metadata,
    /// The same as plain JSON.
    pub(super) fields: Map<String, Value>,
}

/// Reads a sidecar's bytes; none where they can't be compared with anything, which the finding
/// then says.
pub(super) fn read(bytes: &[u8], key: Option<&Key>, finding: &mut Finding) -> Option<Sidecar> {
    let fields = read_fields(bytes, finding)?;
    let mac = fields.get("mac");
    let signature = signature::check_mac(bytes, mac.and_then(Value::as_str), key);
    finding.signature = Some(signature);
    if signature == Signature::Altered {
        let message = "the mac doesn't fit the sidecar: it was changed since it was signed, or \
                       signed with another key";
        finding.defect(Verdict::Altered, Part::Signature, message);
    }
    match version(&fields) {
        Some(version) if version.is_newer => {
            finding.is(Verdict::Newer);
            let message = format!(
                "its format {} is newer than this aido's {SCHEMA_VERSION}: only the mac was checked",
                version.text
            );
            finding.remark(Part::Version, message);
            return None;
        }
        Some(_) => {}
        None => {
            let message = "the sidecar has no schema_version that aido ever wrote";
            finding.defect(Verdict::Altered, Part::Sidecar, message);
        }
    }
    if mac.is_none() {
        // Else taking the name off the mac would turn a signed sidecar into one that never was.
        let message = "the sidecar has no mac, not even null";
        finding.defect(Verdict::Altered, Part::Sidecar, message);
    }
    match parse_sidecar(&finding.id, bytes) {
        Ok(metadata) => Some(Sidecar { metadata, fields }),
        Err(error) => {
            finding.unreadable(Part::Sidecar, "sidecar", &error);
            None
        }
    }
}

fn read_fields(bytes: &[u8], finding: &mut Finding) -> Option<Map<String, Value>> {
    let (verdict, message) = match serde_json::from_slice(bytes) {
        Ok(Value::Object(fields)) => return Some(fields),
        Ok(_) => (Verdict::Altered, "the sidecar is no JSON object".to_owned()),
        Err(_) if bytes.is_empty() => (Verdict::Torn, "the sidecar is empty".to_owned()),
        Err(_) if bytes.ends_with(&[0]) => (Verdict::Torn, "the sidecar ends in zeros".to_owned()),
        Err(error) if error.is_eof() => (Verdict::Torn, format!("the sidecar is cut off: {error}")),
        Err(error) => (
            Verdict::Altered,
            format!("the sidecar is not valid: {error}"),
        ),
    };
    finding.defect(verdict, Part::Sidecar, message);
    None
}

struct Version<'a> {
    text: &'a str,
    is_newer: bool,
}

/// The version that a sidecar says; none where it is none of this or a later aido.
fn version(fields: &Map<String, Value>) -> Option<Version<'_>> {
    let number = |text: &str| -> Option<u32> {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|_| is_number)
    };
    let major = |text: &str| {
        let (major, minor) = text.split_once('.')?;
        number(minor)?;
        number(major).filter(|major| *major > 0)
    };
    let text = fields.get("schema_version")?.as_str()?;
    let is_newer = major(text)? > major(SCHEMA_VERSION)?;
    Some(Version { text, is_newer })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_later_major_version_is_newer() {
        for (text, expected) in [
            ("1.0", Some(false)),
            ("1.99", Some(false)),
            ("2.0", Some(true)),
            ("10.3", Some(true)),
            ("0.9", None),
            ("1", None),
            ("+2.0", None),
            ("2.x", None),
            ("", None),
        ] {
            let mut fields = Map::new();
            fields.insert("schema_version".to_owned(), text.into());
            let found = version(&fields).map(|version| version.is_newer);
            assert_eq!(found, expected, "{text:?}");
        }
    }
}
