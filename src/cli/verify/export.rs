//! `aido verify --export`: where an export came from.

use std::io::{Read, Write};
use std::path::Path;

use serde_json::{Value, json};

use crate::cli::error::{CliError, Kind};
use crate::cli::export::record;
use crate::cli::io::Out;
use crate::cli::page::Form;
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

/// Says of each record whether its session here gives the same, and is whole and unchanged itself. `-` is
/// standard input.
pub(super) fn prove(reader: &Reader, file: &Path, form: Form) -> CliResult {
    let is_stdin = file == Path::new("-");
    let name = || match is_stdin {
        true => "standard input".to_owned(),
        false => sanitize::line(&file.to_string_lossy()).into_owned(),
    };
    let failed = |problem: String| {
        CliError::new(Kind::Failed, format!("{}: {problem}", name()))
            .with_hint("it takes what aido export --format json or ndjson wrote")
    };
    let read = match is_stdin {
        true => read_stdin(),
        false => read_small(file, EXPORT_MAX_BYTES),
    };
    let bytes =
        read.map_err(|error| CliError::new(Kind::Failed, format!("{}: {error}", name())))?;
    let text = String::from_utf8(bytes).map_err(|_| failed("it is no UTF-8".to_owned()))?;
    let claims = egress::read(&text).map_err(|error| failed(error.to_string()))?;
    // One set of rules for all: what can't be used of them is no record's fault.
    let ruleset = Rules::read(reader)?.ruleset;
    let mut out = Out::stdout();
    let (mut proved, mut records) = (0, Vec::new());
    for (number, claim) in (1..).zip(&claims) {
        let (id, proof) = match claim {
            Ok(claim) => (Some(&claim.id), weigh(reader, claim, &ruleset)?),
            Err(error) => (None, unproved(error.to_string())),
        };
        let is_proved = proof.problems.is_empty();
        proved += usize::from(is_proved);
        let status = if is_proved { "PROVED" } else { "UNPROVED" };
        if form == Form::Json {
            let problems = &proof.problems;
            records.push(json!({"session_id": id, "status": status, "problems": problems}));
        } else {
            let name = id.map_or_else(|| format!("record {number}"), ToString::to_string);
            for problem in &proof.problems {
                let line = format!("{name}  {status}  {problem}");
                writeln!(out, "{}", sanitize::line(&line))?;
            }
        }
    }
    let counts = (claims.len(), proved);
    if form == Form::Json {
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

fn unproved(problem: String) -> Proof {
    let problems = vec![problem];
    Proof { problems }
}

fn read_stdin() -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let stdin = std::io::stdin().lock();
    stdin.take(EXPORT_MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > EXPORT_MAX_BYTES {
        let message = format!("it is larger than {EXPORT_MAX_BYTES} bytes");
        return Err(std::io::Error::other(message));
    }
    Ok(bytes)
}

/// What speaks against one record. A session that can't be read is one of these things.
fn weigh(reader: &Reader, claim: &Claim, ruleset: &str) -> Result<Proof, CliError> {
    let id = &claim.id;
    if let Err(StoreError::NoSession(_)) = reader.store.state(id) {
        let place = reader.store.path();
        return Ok(unproved(format!(
            "there is no such session in {}",
            place.display()
        )));
    }
    let redactor = Rules::read(reader)?.redactor(reader, claim.terms.depth)?;
    // The ruleset of a record is the one that it was made with; compared is what is found now.
    let mut terms = claim.terms.clone();
    ruleset.clone_into(&mut terms.ruleset);
    let mut proof = match record(reader, id, &terms, &redactor) {
        Ok((again, _)) => egress::weigh(claim, again, ruleset),
        Err(error) => unproved(format!("its session can't be read: {}", error.message())),
    };
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
