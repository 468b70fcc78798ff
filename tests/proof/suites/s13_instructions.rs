//! S13: how many instructions a start takes, counted by callgrind, which no noise changes. What was counted
//! last is in `tests/proof/instructions.toml`; more than that and a tolerance is a fault.

use std::fs;
use std::path::Path;

use anyhow::Context;

use crate::Bench;
use crate::place::{self, Kept, Place};
use crate::verdict::Verdict;

/// What is counted: a name in the file of budgets, and the arguments.
const COUNTED: &[(&str, &[&str])] = &[
    ("true", &["true"]),
    ("true_on_pipes", &["--tty", "auto", "true"]),
    ("list", &["list"]),
];

/// Sessions in the store of which `list` shows.
const SESSIONS: usize = 20;

/// How often each is counted. Process numbers and times in what is written differ a little.
const ROUNDS: usize = 2;

pub(crate) fn run(bench: &Bench) -> anyhow::Result<Verdict> {
    let mut verdict = Verdict::new();
    if place::find("valgrind").is_none() {
        verdict.skip("no valgrind here");
        return Ok(verdict);
    }
    let text = fs::read_to_string(file("tests/proof/instructions.toml"));
    let Ok(text) = text else {
        verdict.skip("the sources are not beside this binary");
        return Ok(verdict);
    };
    let budgets: toml::Table = text.parse()?;
    let section = crate::profile();
    let Some(budget) = budgets.get(section).and_then(toml::Value::as_table) else {
        verdict.skip(format!(
            "instructions.toml has no budget for a {section} binary"
        ));
        return Ok(verdict);
    };
    let tolerance = budgets
        .get("tolerance_percent")
        .and_then(toml::Value::as_integer);
    let tolerance = tolerance.context("instructions.toml: tolerance_percent")?;
    if std::env::consts::ARCH != "x86_64" {
        verdict.skip("the budget is one of x86_64");
        return Ok(verdict);
    }
    let place = Place::at(bench.root.join("S13"), Kept::ByName)?;
    for number in 0..SESSIONS {
        let line = format!("echo {number}; exit {}", number % 3);
        place.aido(["sh", "-c", &line]).output()?;
    }
    let mut counted = String::new();
    for (name, arguments) in COUNTED {
        let count = match count(&place, arguments) {
            Ok(count) => count,
            Err(error) => {
                verdict.skip(format!("callgrind can't run it here: {error:#}"));
                return Ok(verdict);
            }
        };
        counted += &format!("{name} = {count}; ");
        let allowed = budget.get(*name).and_then(toml::Value::as_integer);
        let allowed = allowed.with_context(|| format!("instructions.toml: no {section}.{name}"))?;
        let most = allowed + allowed * tolerance / 100;
        verdict.check(count <= most, || {
            format!(
                "aido {}: {count} instructions, the budget is {allowed} and {tolerance} %; \
                 where they are needed, write them to tests/proof/instructions.toml and say why",
                arguments.join(" ")
            )
        });
        // A budget that is far too large guards nothing.
        let least = allowed - allowed * 3 * tolerance / 100;
        verdict.check(count >= least, || {
            format!(
                "aido {}: {count} instructions, the budget of {allowed} is stale",
                arguments.join(" ")
            )
        });
    }
    verdict.figure(format!(
        "{section} binary: {}",
        counted.trim_end_matches("; ")
    ));
    Ok(verdict)
}

fn file(relative: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(relative)
}

/// The least of some counts of aido itself, from its start to its end. Helpers are not counted.
fn count(place: &Place, arguments: &[&str]) -> anyhow::Result<i64> {
    let mut least = None;
    for round in 0..ROUNDS {
        let out = place.path("callgrind");
        let _ = fs::remove_dir_all(&out);
        fs::create_dir(&out)?;
        let run = place
            .program("valgrind")
            .arguments(["--tool=callgrind", "--trace-children=no"])
            .arguments([format!("--callgrind-out-file={}/%p", out.display())])
            .arguments([format!(
                "--log-file={}/log.%p",
                place.path("temporary").display()
            )])
            .arguments([crate::aido()])
            .arguments(arguments)
            .spawn()?;
        let process = run.process();
        let ended = run.wait()?;
        anyhow::ensure!(ended.code() == 0, "round {round}: {}", ended.describe());
        let text = fs::read_to_string(out.join(process.to_string()))?;
        let total = text.lines().find_map(|line| {
            line.strip_prefix("summary: ")
                .or(line.strip_prefix("totals: "))
        });
        let total: i64 = total
            .context("callgrind wrote no summary")?
            .trim()
            .parse()?;
        least = Some(least.map_or(total, |least: i64| least.min(total)));
    }
    least.context("nothing was counted")
}
