//! A session of the original, the shell script that aido takes after: its sidecars have no version, no
//! mac and no `output_bytes`, and there are no events. What can be told is whether the transcript is
//! still the one that was filed.

use serde_json::{Map, Value};

use super::finished::is_not_there;
use super::{Finding, Part, Verdict, transcript};
use crate::session::SessionId;
use crate::store::Store;
use crate::store::signature::Signature;

/// Fields that every sidecar of aido's has and none of the original's. One of them is enough to tell, so
/// that no change of one name makes a signed sidecar look like an old one.
const FIELDS_SINCE: [&str; 8] = [
    "schema_version",
    "mac",
    "origin",
    "argv",
    "status",
    "output_bytes",
    "streams",
    "aido_version",
];

/// Looks at a session that the original recorded; false if it isn't one.
pub(super) fn look(
    store: &dyn Store,
    finding: &mut Finding,
    bytes: &[u8],
    progress: &mut dyn FnMut(u64),
) -> bool {
    let named = |name: &&str| memchr::memmem::find(bytes, format!("\"{name}\"").as_bytes());
    if FIELDS_SINCE.iter().any(|name| named(name).is_some()) {
        return false;
    }
    let Ok(fields) = serde_json::from_slice::<Map<String, Value>>(bytes) else {
        return false;
    };
    let is_its_own = fields.get("session_id").and_then(Value::as_str) == Some(finding.id.as_str());
    let Some(digest) = fields.get("sha256").and_then(Value::as_str) else {
        return false;
    };
    let has_code = fields.get("exit_code").is_some_and(Value::is_i64);
    if !is_its_own || !has_code || !lacks_events(store, &finding.id) {
        return false;
    }
    finding.signature = Some(Signature::Unsigned);
    let message = "recorded by the original script, whose sidecars nobody signs: only the \
                   transcript's SHA-256 was checked";
    finding.remark(Part::Version, message);
    match store.transcript(&finding.id) {
        Ok(mut file) => match transcript::measure(&mut file, u64::MAX, progress) {
            Ok(measured) if measured.has_digest(digest) => {}
            Ok(_) => {
                let message = "the transcript's SHA-256 is not the recorded one";
                finding.defect(Verdict::Altered, Part::Digest, message);
            }
            Err(error) => finding.unread(Part::Transcript, "transcript", &error),
        },
        Err(error) => finding.unreadable(Part::Transcript, "transcript", &error),
    }
    true
}

fn lacks_events(store: &dyn Store, id: &SessionId) -> bool {
    store.events(id).is_err_and(|error| is_not_there(&error))
}
