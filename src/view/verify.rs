//! What was found out about sessions: a line for each thing, a summary, and JSON.

use std::ffi::{OsStr, OsString};
use std::fmt;

use serde_json::{Map, Value, json};

use super::sanitize;
use crate::store::signature::Signature;
use crate::store::verify::{Counts, Finding, Verdict};

/// The version of the JSON's shape: MAJOR.MINOR.
const SCHEMA_VERSION: &str = "1.0";

/// The defects of a session, a line each.
pub struct Defects<'a>(pub &'a Finding);

impl fmt::Display for Defects<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for defect in &self.0.defects {
            let (id, verdict) = (&self.0.id, defect.verdict.name());
            writeln!(
                formatter,
                "{id}  {verdict}  {}",
                sanitize::line(&defect.message)
            )?;
        }
        Ok(())
    }
}

/// What there is to know besides, a line each.
pub struct Remarks<'a>(pub &'a Finding);

impl fmt::Display for Remarks<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for remark in &self.0.remarks {
            let id = &self.0.id;
            writeln!(formatter, "{id}  note  {}", sanitize::line(&remark.message))?;
        }
        Ok(())
    }
}

/// A file that poses as a session's, in a line.
pub struct Stranger<'a>(pub &'a OsStr);

impl fmt::Display for Stranger<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.0.to_string_lossy();
        let name = sanitize::line(&name);
        writeln!(
            formatter,
            "{name}  note  belongs to no session: its name holds no session's id"
        )
    }
}

/// How many sessions there are of each kind, in a line.
pub struct Summary<'a>(pub &'a Counts);

impl fmt::Display for Summary<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.0;
        let noun = if counts.sessions == 1 {
            "session"
        } else {
            "sessions"
        };
        write!(formatter, "{} {noun}", counts.sessions)?;
        let verdicts = Verdict::ALL.map(|verdict| (counts.verdict(verdict), verdict.name()));
        write_counts(formatter, ": ", &verdicts)?;
        let signatures =
            Signature::ALL.map(|signature| (counts.signature(signature), signature.name()));
        write_counts(formatter, "; ", &signatures)?;
        writeln!(formatter)
    }
}

fn write_counts(
    formatter: &mut fmt::Formatter<'_>,
    before: &str,
    counts: &[(u64, &str)],
) -> fmt::Result {
    let mut before = before;
    for (count, name) in counts.iter().filter(|(count, _)| *count > 0) {
        write!(formatter, "{before}{count} {name}")?;
        before = ", ";
    }
    Ok(())
}

/// One session as JSON.
#[must_use]
pub fn to_json(finding: &Finding) -> Value {
    let defects = finding.defects.iter().map(|defect| {
        json!({
            "kind": defect.part.name(),
            "status": defect.verdict.name(),
            "message": defect.message,
        })
    });
    let remarks = finding.remarks.iter();
    let remarks =
        remarks.map(|remark| json!({"kind": remark.part.name(), "message": remark.message}));
    json!({
        "session_id": finding.id,
        "status": finding.verdict.name(),
        "signature": finding.signature.map(Signature::name),
        "defects": defects.collect::<Vec<Value>>(),
        "notes": remarks.collect::<Vec<Value>>(),
        "lookalike_markers": finding.lookalike_markers,
    })
}

/// Everything as JSON: the sessions as [`to_json`] makes them, the names of strangers, and counts.
#[must_use]
pub fn document(sessions: Vec<Value>, strangers: &[OsString], counts: &Counts) -> Value {
    let names = strangers.iter().map(|name| name.to_string_lossy());
    let lower = |name: &str| name.to_ascii_lowercase();
    let statuses =
        Verdict::ALL.map(|verdict| (lower(verdict.name()), counts.verdict(verdict).into()));
    let signatures = Signature::ALL
        .map(|signature| (lower(signature.name()), counts.signature(signature).into()));
    json!({
        "schema_version": SCHEMA_VERSION,
        "sessions": sessions,
        "strangers": names.collect::<Vec<_>>(),
        "counts": {
            "sessions": counts.sessions,
            "statuses": Map::from_iter(statuses),
            "signatures": Map::from_iter(signatures),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::verify::{Defect, Part, Remark};

    fn finding() -> Finding {
        Finding {
            id: "codex-20260305_132522-3216-2f587606".parse().unwrap(),
            verdict: Verdict::Altered,
            signature: Some(Signature::Valid),
            defects: vec![Defect {
                verdict: Verdict::Altered,
                part: Part::Sidecar,
                message: "not valid: \u{1b}[2J\nx".to_owned(),
            }],
            remarks: vec![Remark {
                part: Part::Dropped,
                message: "5 bytes of output were not recorded".to_owned(),
            }],
            lookalike_markers: 0,
        }
    }

    #[test]
    fn each_thing_is_one_line_that_acts_on_no_terminal() {
        let finding = finding();
        let lines = format!("{}{}", Defects(&finding), Remarks(&finding));
        let expected = "\
codex-20260305_132522-3216-2f587606  ALTERED  not valid: ^[[2J^Jx
codex-20260305_132522-3216-2f587606  note  5 bytes of output were not recorded
";
        assert_eq!(lines, expected);
        let stranger = Stranger(OsStr::new("a\u{7}.meta.json")).to_string();
        assert_eq!(
            stranger,
            "a^G.meta.json  note  belongs to no session: its name holds no session's id\n"
        );
    }

    #[test]
    fn the_summary_counts_what_there_is() {
        let mut counts = Counts::default();
        assert_eq!(Summary(&counts).to_string(), "0 sessions\n");
        let mut found = finding();
        counts.add(&found);
        assert_eq!(
            Summary(&counts).to_string(),
            "1 session: 1 ALTERED; 1 VALID\n"
        );
        found.verdict = Verdict::Ok;
        counts.add(&found);
        found.signature = Some(Signature::Unsigned);
        counts.add(&found);
        found.verdict = Verdict::Live;
        found.signature = None;
        counts.add(&found);
        assert_eq!(
            Summary(&counts).to_string(),
            "4 sessions: 2 OK, 1 LIVE, 1 ALTERED; 2 VALID, 1 UNSIGNED\n"
        );
    }

    #[test]
    fn json_names_everything_and_counts_zeros_too() {
        let finding = finding();
        let mut counts = Counts::default();
        counts.add(&finding);
        let strangers = [OsString::from("x.typescript")];
        let json = document(vec![to_json(&finding)], &strangers, &counts);
        let expected = json!({
            "schema_version": "1.0",
            "sessions": [{
                "session_id": "codex-20260305_132522-3216-2f587606",
                "status": "ALTERED",
                "signature": "VALID",
                "defects": [{
                    "kind": "sidecar",
                    "status": "ALTERED",
                    "message": "not valid: \u{1b}[2J\nx",
                }],
                "notes": [{
                    "kind": "dropped_bytes",
                    "message": "5 bytes of output were not recorded",
                }],
                "lookalike_markers": 0,
            }],
            "strangers": ["x.typescript"],
            "counts": {
                "sessions": 1,
                "statuses": {
                    "ok": 0, "newer": 0, "live": 0, "interrupted": 0,
                    "torn": 0, "truncated": 0, "missing": 0, "altered": 1,
                },
                "signatures": {"valid": 1, "altered": 0, "unsigned": 0},
            },
        });
        assert_eq!(json, expected);
    }
}
