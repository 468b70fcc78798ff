//! Whether an exported record is what the session gives on the same terms.

use serde_json::{Map, Value};

mod names;

use self::names::{Document, Named};
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
    /// A name that it, or an object in it, has twice.
    twice: Option<String>,
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

/// Reads what `aido export` wrote: an array, a record, or a record a line. What is none is told in its
/// place; after something that is no JSON, nothing more is read.
///
/// # Errors
/// When there is no record of an export at all.
pub fn read(text: &str) -> Result<Vec<Result<Claim, ReadError>>, ReadError> {
    let mut claims: Vec<Result<Claim, ReadError>> = Vec::new();
    for value in serde_json::Deserializer::from_str(text).into_iter() {
        let records = match value {
            Ok(Document::Array(records)) => records,
            Ok(Document::Other(record)) => vec![record],
            Err(error) => {
                claims.push(Err(ReadError::NoJson(error.to_string())));
                break;
            }
        };
        for record in records {
            claims.push(claim(claims.len() + 1, record));
        }
    }
    match claims.iter().any(Result::is_ok) {
        true => Ok(claims),
        false => Err(claims
            .into_iter()
            .find_map(Result::err)
            .unwrap_or(ReadError::Empty)),
    }
}

fn claim(number: usize, named: Named) -> Result<Claim, ReadError> {
    let missing = |what| ReadError::NoExport(number, what);
    let Value::Object(record) = named.value else {
        return Err(missing("an object"));
    };
    let id = record.get("session_id").and_then(Value::as_str);
    let id = id.and_then(|id| id.parse().ok());
    let terms = record.get("export").and_then(Terms::of_json);
    Ok(Claim {
        id: id.ok_or(missing("session_id"))?,
        terms: terms.ok_or(missing("export"))?,
        record,
        twice: named.twice,
    })
}

/// Compares a record with the one that its session gives now, made on the same terms with the rules of
/// `ruleset`.
#[must_use]
pub fn weigh(claim: &Claim, again: Map<String, Value>, ruleset: &str) -> Proof {
    let mut problems = Vec::new();
    if let Some(name) = &claim.twice {
        problems.push(format!(
            "it has the name {name:?} twice in one object, so that readers see different records"
        ));
    }
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
        problems.push(format!(
            "the session gives another {}",
            different.join(", ")
        ));
    }
    if claim.terms.ruleset != ruleset {
        problems.push(format!(
            "it was exported with the rules {}, and here are {ruleset}",
            claim.terms.ruleset
        ));
    }
    Proof { problems }
}

/// The names of the fields that differ. The export's own are named one by one; not among them are its
/// digest, which was weighed, and its rules, of which more can be said.
fn different(record: &Map<String, Value>, again: &Map<String, Value>) -> Vec<String> {
    let mut different = names_that_differ(record, again);
    if let Some(place) = different.iter().position(|name| name == "export") {
        let fields = |record: &Map<String, Value>| match record.get("export") {
            Some(Value::Object(fields)) => fields.clone(),
            _ => Map::new(),
        };
        let inner = names_that_differ(&fields(record), &fields(again)).into_iter();
        let inner = inner.filter(|name| !matches!(name.as_str(), "sha256" | "ruleset"));
        different.splice(place..=place, inner.map(|name| format!("export.{name}")));
    }
    different
}

fn names_that_differ(one: &Map<String, Value>, other: &Map<String, Value>) -> Vec<String> {
    let added = other.keys().filter(|name| !one.contains_key(*name));
    let names = one.keys().chain(added);
    let names = names.filter(|name| one.get(*name) != other.get(*name));
    names.cloned().collect()
}
