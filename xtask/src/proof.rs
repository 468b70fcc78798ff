//! The proof: every claim, how it is shown, the figures, and what came of it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::Instant;

use clap::Args;
use serde::Serialize;

use crate::checks::{CHECKS, Check, Size};

/// What is to be shown, and how it is told.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Also what takes hours: the suites at full size, a soak of an hour, fuzzing, mutation testing
    #[arg(long)]
    full: bool,
    /// Only this; may be given again
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Say what there is, and do nothing
    #[arg(long)]
    list: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What came of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    Pass,
    Fail,
    /// It could not be tried here.
    Skip,
}

/// A claim, and what was found.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) claim: String,
    pub(crate) shown_by: String,
    pub(crate) figures: String,
    pub(crate) result: Verdict,
    /// Faults, or why it was skipped.
    pub(crate) remarks: Vec<String>,
    pub(crate) seconds: u64,
}

impl Row {
    /// A row of a check, which passed unless something more is said.
    pub(crate) fn of(check: &Check) -> Self {
        Self::named(check.name, check.claim, check.shown_by)
    }

    /// A row that a check gives besides its own.
    pub(crate) fn named(name: &str, claim: &str, shown_by: &str) -> Self {
        Self {
            name: name.to_owned(),
            claim: claim.to_owned(),
            shown_by: shown_by.to_owned(),
            figures: String::new(),
            result: Verdict::Pass,
            remarks: Vec::new(),
            seconds: 0,
        }
    }

    pub(crate) fn figures(mut self, figures: impl Into<String>) -> Self {
        self.figures = figures.into();
        self
    }

    pub(crate) fn failed(mut self, why: impl Into<String>) -> Self {
        self.result = Verdict::Fail;
        self.remarks.push(why.into());
        self
    }

    pub(crate) fn skipped(mut self, why: impl Into<String>) -> Self {
        self.result = Verdict::Skip;
        self.remarks.push(why.into());
        self
    }
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let size = match arguments.full {
        true => Size::Full,
        false => Size::Quick,
    };
    let wanted: BTreeSet<&str> = arguments.only.iter().map(String::as_str).collect();
    let known: BTreeSet<&str> = CHECKS.iter().map(|check| check.name).collect();
    if let Some(name) = wanted.difference(&known).next() {
        let known: Vec<&str> = CHECKS.iter().map(|check| check.name).collect();
        anyhow::bail!("there is no {name}; there are {}", known.join(", "));
    }
    let chosen: Vec<&Check> = CHECKS
        .iter()
        .filter(|check| match wanted.is_empty() {
            true => size == Size::Full || !check.only_full,
            false => wanted.contains(check.name),
        })
        .collect();
    if arguments.list {
        for check in CHECKS {
            let when = if check.only_full { " (--full)" } else { "" };
            println!(
                "{:<12} {}{when}: {}",
                check.name, check.claim, check.shown_by
            );
        }
        return Ok(ExitCode::SUCCESS);
    }
    let started = Instant::now();
    let mut rows = Vec::new();
    for check in chosen {
        eprintln!("proof: {} ...", check.name);
        let begun = Instant::now();
        let mut found = (check.run)(check, size).unwrap_or_else(|error| {
            vec![Row::of(check).failed(format!("it could not go on: {error:#}"))]
        });
        let seconds = begun.elapsed().as_secs();
        for row in &mut found {
            // A row of several knows its own.
            row.seconds = row.seconds.max(if check.is_many { 0 } else { seconds });
        }
        rows.extend(found);
    }
    let minutes = started.elapsed().as_secs_f64() / 60.0;
    let failed = rows
        .iter()
        .filter(|row| row.result == Verdict::Fail)
        .count();
    if arguments.json {
        let report = serde_json::json!({
            "schema_version": "1.0",
            "minutes": minutes,
            "claims": rows,
        });
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{}", table(&rows));
        let skipped = rows
            .iter()
            .filter(|row| row.result == Verdict::Skip)
            .count();
        let passed = rows.len() - failed - skipped;
        println!("\n{passed} shown, {failed} failed, {skipped} skipped, in {minutes:.1} minutes");
    }
    Ok(ExitCode::from(u8::from(failed > 0)))
}

/// The table, for people and for a page of Markdown.
fn table(rows: &[Row]) -> String {
    let mut text =
        "| | claim | shown by | figures | result | s |\n|---|---|---|---|---|--:|\n".to_owned();
    for row in rows {
        let result = match row.result {
            Verdict::Pass => "pass",
            Verdict::Fail => "FAIL",
            Verdict::Skip => "skip",
        };
        let cell = |text: &str| text.replace('|', "\\|");
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {result} | {} |",
            row.name,
            cell(&row.claim),
            cell(&row.shown_by),
            cell(&row.figures),
            row.seconds,
        );
    }
    for row in rows.iter().filter(|row| !row.remarks.is_empty()) {
        let _ = writeln!(text, "\n{}:", row.name);
        for remark in &row.remarks {
            let _ = writeln!(text, "- {remark}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_claim_has_a_name_of_its_own_and_a_row() {
        let names: BTreeSet<&str> = CHECKS.iter().map(|check| check.name).collect();
        assert_eq!(names.len(), CHECKS.len());
        let rows: Vec<Row> = CHECKS.iter().map(Row::of).collect();
        for name in names {
            assert!(table(&rows).contains(&format!("\n| {name} | ")), "{name}");
        }
    }

    #[test]
    fn what_failed_and_what_was_skipped_is_said_below_the_table() {
        let failed = Row::named("one", "a | b", "c").failed("it broke");
        let skipped = Row::named("two", "d", "e").skipped("no tool here");
        let text = table(&[failed, skipped]);
        assert!(
            text.contains("| one | a \\| b | c |  | FAIL | 0 |\n"),
            "{text}"
        );
        assert!(text.contains("\none:\n- it broke\n"), "{text}");
        assert!(text.contains("\ntwo:\n- no tool here\n"), "{text}");
    }
}
