//! `aido verify --export`: where an export came from.

use std::io::Write;
use std::path::Path;

use serde_json::{Value, json};

use crate::cli::error::{CliError, Kind};
use crate::cli::export::record;
use crate::cli::io::Out;
use crate::cli::reading::Reader;
use crate::cli::redaction::Rules;
use crate::cli::{Answer, CliResult};
use crate::egress::{self, Claim, Proof};
use crate::store::verify::{self, Verdict};
use crate::store::{Store, StoreError};
use crate::sys::file::read_small;
use crate::view::sanitize;

/// The largest export that is read.
const EXPORT_MAX_BYTES: u64 = 256 * 1024 * 1024;
/// The version of the JSON's shape: MAJOR.MINOR.
const SCHEMA_VERSION: &str = "1.0";

/// Says of each record whether its session here gives the same, and is whole and unchanged itself.
pub(super) fn prove(reader: &Reader, file: &Path, as_json: bool) -> CliResult {
    let name = || sanitize::line(&file.to_string_lossy()).into_owned();
    let failed = |problem: String| {
        CliError::new(Kind::Failed, format!("{}: {problem}", name()))
            .with_hint("it takes what aido export --format json or ndjson wrote")
    };
    let bytes = read_small(file, EXPORT_MAX_BYTES)
        .map_err(|error| CliError::new(Kind::Failed, format!("{}: {error}", name())))?;
    let text = String::from_utf8(bytes).map_err(|_| failed("it is no UTF-8".to_owned()))?;
    let claims = egress::read(&text).map_err(|error| failed(error.to_string()))?;
    let mut out = Out::stdout();
    let (mut proved, mut records) = (0, Vec::new());
    for claim in &claims {
        let proof = weigh(reader, claim)?;
        let is_proved = proof.problems.is_empty();
        proved += usize::from(is_proved);
        let status = if is_proved { "PROVED" } else { "UNPROVED" };
        if as_json {
            let (id, problems) = (&claim.id, &proof.problems);
            records.push(json!({"session_id": id, "status": status, "problems": problems}));
        } else {
            for problem in &proof.problems {
                let line = format!("{}  {status}  {problem}", claim.id);
                writeln!(out, "{}", sanitize::line(&line))?;
            }
        }
    }
    let counts = (claims.len(), proved);
    if as_json {
        let document = document(records, counts).to_string();
        writeln!(out, "{}", sanitize::json(&document))?;
    } else {
        let noun = if counts.0 == 1 { "record" } else { "records" };
        let unproved = counts.0 - proved;
        writeln!(
            out,
            "{} {noun}: {proved} PROVED, {unproved} UNPROVED",
            counts.0
        )?;
    }
    out.flush()?;
    Ok(if proved == claims.len() {
        Answer::Yes
    } else {
        Answer::No
    })
}

fn document(records: Vec<Value>, (all, proved): (usize, usize)) -> Value {
    json!({
        "schema_version": SCHEMA_VERSION,
        "records": records,
        "counts": {"records": all, "proved": proved, "unproved": all - proved},
    })
}

fn weigh(reader: &Reader, claim: &Claim) -> Result<Proof, CliError> {
    let id = &claim.id;
    if let Err(StoreError::NoSession(_)) = reader.store.state(id) {
        let place = reader.store.path();
        let problem = format!("there is no such session in {}", place.display());
        let problems = vec![problem];
        return Ok(Proof { problems });
    }
    let rules = Rules::read(reader)?;
    let ruleset = rules.ruleset.clone();
    let redactor = rules.redactor(reader, claim.terms.depth)?;
    // The ruleset of a record is the one that it was made with; compared is what is found now.
    let mut terms = claim.terms.clone();
    terms.ruleset.clone_from(&ruleset);
    let (again, _) = record(reader, id, &terms, &redactor)?;
    let mut proof = egress::weigh(claim, again, &ruleset);
    let finding = verify::verify(&reader.store, id, reader.key().ok(), &mut |_| {});
    let whole = [
        Verdict::Ok,
        Verdict::Newer,
        Verdict::Live,
        Verdict::Interrupted,
    ];
    if let Some(finding) = finding.filter(|finding| !whole.contains(&finding.verdict)) {
        let defects = finding.defects.iter().map(|defect| &defect.message);
        proof
            .problems
            .extend(defects.map(|message| format!("the session itself: {message}")));
    }
    Ok(proof)
}
