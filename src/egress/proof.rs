//! Whether an exported record is what the session gives on the same terms.

use serde_json::{Map, Value};

use super::Terms;
use super::record::digest;
use crate::session::SessionId;

/// An exported record, as it was read from a file.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The session that it says it came from.
    pub id: SessionId,
    /// The terms that it says it was made on.
    pub terms: Terms,
    record: Map<String, Value>,
}

/// What was found out about a record. It is proved where there is no problem.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    /// What speaks against it, in words.
    pub problems: Vec<String>,
}

/// Why a file holds no exported records.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// It is no JSON.
    #[error("it is no JSON: {0}")]
    NoJson(String),
    /// Something in it is no record of an export.
    #[error("record {0} is no export of aido's: {1} is missing, or not as it should be")]
    NoExport(usize, &'static str),
    /// There is nothing in it.
    #[error("there is no record in it")]
    Empty,
}

/// Reads what `aido export` wrote: an array, a record, or a record a line.
///
/// # Errors
/// When it is something else.
pub fn read(text: &str) -> Result<Vec<Claim>, ReadError> {
    let mut values = Vec::new();
    for value in serde_json::Deserializer::from_str(text).into_iter() {
        match value.map_err(|error| ReadError::NoJson(error.to_string()))? {
            Value::Array(records) => values.extend(records),
            value => values.push(value),
        }
    }
    if values.is_empty() {
        return Err(ReadError::Empty);
    }
    let claims = values.into_iter().enumerate();
    claims
        .map(|(index, value)| claim(index + 1, value))
        .collect()
}

fn claim(number: usize, value: Value) -> Result<Claim, ReadError> {
    let missing = |what| ReadError::NoExport(number, what);
    let Value::Object(record) = value else {
        return Err(missing("an object"));
    };
    let id = record.get("session_id").and_then(Value::as_str);
    let id = id.and_then(|id| id.parse().ok());
    let terms = record.get("export").and_then(Terms::of_json);
    Ok(Claim {
        id: id.ok_or(missing("session_id"))?,
        terms: terms.ok_or(missing("export"))?,
        record,
    })
}

/// Compares a record with the one that its session gives now, made on the same terms with the rules of
/// `ruleset`.
#[must_use]
pub fn weigh(claim: &Claim, again: Map<String, Value>, ruleset: &str) -> Proof {
    let mut problems = Vec::new();
    let said = claim
        .record
        .get("export")
        .and_then(|export| export.get("sha256"));
    let computed = digest(&mut claim.record.clone());
    if said.and_then(Value::as_str) != Some(&computed) {
        problems.push("the record was changed after it was exported".to_owned());
    }
    let different = different(&claim.record, &again);
    if !different.is_empty() {
        let fields = different.join(", ");
        problems.push(if claim.terms.ruleset == ruleset {
            format!("the session gives another {fields}")
        } else {
            format!(
                "the session gives another {fields}; it was exported with the rules {}, and here are {ruleset}",
                claim.terms.ruleset
            )
        });
    }
    Proof { problems }
}

/// The names of the fields that differ; of the export's own, those that say what was done.
fn different(record: &Map<String, Value>, again: &Map<String, Value>) -> Vec<String> {
    let names = record
        .keys()
        .chain(again.keys().filter(|name| !record.contains_key(*name)));
    let mut different = Vec::new();
    for name in names.filter(|name| record.get(*name) != again.get(*name)) {
        if name == "export" {
            let counts = |record: &Map<String, Value>| record.get(name)?.get("counts").cloned();
            if counts(record) == counts(again) {
                continue;
            }
        }
        different.push(name.clone());
    }
    different
}
