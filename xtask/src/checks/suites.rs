//! The suites of tests/proof, run with the binary that is shipped.

use anyhow::Context;
use serde_json::Value;

use super::{Check, Size};
use crate::dist::release_binary;
use crate::proof::{Row, Verdict};
use crate::shell::{self, cargo};

pub(super) fn run(check: &Check, size: Size) -> anyhow::Result<Vec<Row>> {
    let binary = release_binary()?;
    let mut command = cargo([
        "test", "--locked", "--quiet", "--test", "proof", "--", "json",
    ]);
    command.arg(format!("aido={}", binary.display()));
    if size == Size::Full {
        command.arg("full");
    }
    let output = shell::output(&mut command)?;
    let mut rows = Vec::new();
    for line in output.stdout.split(|byte| *byte == b'\n') {
        let Ok(told) = serde_json::from_slice::<Value>(line) else {
            continue;
        };
        if told.get("suite").is_some() {
            rows.push(row(check, &told)?);
        }
    }
    if rows.is_empty() {
        rows.push(Row::of(check).failed(shell::complaint(&output)));
    }
    let has_failed = rows.iter().any(|row| row.result == Verdict::Fail);
    if !output.status.success() && !has_failed {
        // It ended before it was through.
        rows.push(Row::of(check).failed(shell::complaint(&output)));
    }
    Ok(rows)
}

fn row(check: &Check, told: &Value) -> anyhow::Result<Row> {
    let text = |name: &str| {
        told[name]
            .as_str()
            .with_context(|| format!("no {name}: {told}"))
    };
    let list = |name: &str| -> Vec<String> {
        let items = told[name].as_array().into_iter().flatten();
        items
            .filter_map(|item| item.as_str().map(str::to_owned))
            .collect()
    };
    let mut row = Row::of(check);
    row.name = text("suite")?.to_owned();
    row.claim = text("claim")?.to_owned();
    row.shown_by = format!("tests/proof, suite {}", row.name);
    row.figures = list("figures").join(", ");
    row.result = match text("result")? {
        "ok" => Verdict::Pass,
        "skipped" => Verdict::Skip,
        _ => Verdict::Fail,
    };
    row.remarks = list("skipped")
        .into_iter()
        .map(|why| format!("skipped: {why}"))
        .collect();
    row.remarks.extend(list("faults"));
    row.seconds = told["seconds"]
        .as_f64()
        .map_or(0, |seconds| seconds.round() as u64);
    Ok(row)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::CHECKS;

    #[test]
    fn a_suites_line_is_a_row() {
        let told = serde_json::json!({
            "suite": "S9", "claim": "c", "result": "FAILED", "figures": ["1 of 2", "3"],
            "skipped": ["no mount"], "faults": ["it hung"], "fault_count": 1, "seconds": 2.6,
        });
        let found = row(&CHECKS[0], &told).expect("it is a line of the proof");
        assert_eq!(
            (found.name.as_str(), found.figures.as_str()),
            ("S9", "1 of 2, 3")
        );
        assert_eq!((found.result, found.seconds), (Verdict::Fail, 3));
        assert_eq!(found.remarks, ["skipped: no mount", "it hung"]);
        assert!(row(&CHECKS[0], &serde_json::json!({"suite": "S9"})).is_err());
    }
}
