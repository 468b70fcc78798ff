//! What is remembered of a failure for everybody: the same bytes from whoever meets it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::classify::Cause;
use super::fingerprint::{FaultId, fault_id, fingerprint, telling};

/// The version of the records' format that this aido writes: MAJOR.MINOR.
pub const RECORD_VERSION: &str = "1.0";

/// A failure as its own file has it. Whatever is in here follows from the failure alone, not from who
/// met it or when: two branches that meet it write the same bytes, which git merges.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// MAJOR.MINOR of this format.
    pub schema_version: String,
    /// The id.
    pub fault: FaultId,
    /// What the id was made from, with its version in front.
    pub fingerprint: String,
    /// The kind of failure.
    pub class: String,
    /// Program and subcommand.
    pub command: String,
    /// What tells it from others of its kind, in its normal form.
    pub text: String,
    /// The exit code, where no text tells.
    pub exit_code: Option<i32>,

    /// Fields that this version does not know.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl Record {
    /// The record of a failure, whose texts hold nothing that must not be shared: in the normal form,
    /// all of it in lower case, a secret is no longer known as one.
    #[must_use]
    pub fn of(cause: &Cause) -> Self {
        let text = telling(cause);
        Self {
            schema_version: RECORD_VERSION.to_owned(),
            fault: fault_id(cause),
            fingerprint: fingerprint(cause),
            class: cause.class.clone(),
            command: cause.command_key.clone(),
            exit_code: text.is_empty().then_some(cause.code),
            text,
            other: Map::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_met_twice_has_one_record() {
        let cause = |line: &str, code| Cause {
            class: "no-such-file".to_owned(),
            rule: None,
            command_key: "cat".to_owned(),
            line: line.to_owned(),
            key: None,
            named: None,
            message: Some(line.to_owned()),
            lesson: Some(line.to_owned()),
            code,
        };
        let record = |line, code| Record::of(&cause(line, code));
        let one = record("cat: /home/a/x.txt: No such file or directory", 1);
        let other = record("cat: /srv/b/x.txt: No such file or directory", 2);
        assert_eq!(one, other);
        assert_eq!(one.exit_code, None);
        assert_eq!(record("", 3).exit_code, Some(3));
    }
}
