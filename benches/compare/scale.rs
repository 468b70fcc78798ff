//! Reading words on stores of many sessions, which are made here.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use serde_json::{Value, json};

use super::Effort;
use super::run;
use super::scratch::{AIDO, Scratch};
use super::table::{Table, Target, milliseconds, spread};

/// A session a minute, the last one at this time (seconds since 1970).
const NEWEST: i64 = 1_790_000_000;
/// One in so many failed.
const FAILED: usize = 20;
/// Peak memory that no reading word may exceed, in MiB.
const MEMORY_MIB: f64 = 64.0;

/// Measures the reading words at 100,000 sessions, with `full` at a million too.
///
/// # Errors
/// When a store can't be made or a command fails.
pub(crate) fn measure(scratch: &Scratch, effort: Effort) -> io::Result<String> {
    let sizes: &[usize] = match effort {
        Effort::Quick => &[10_000],
        Effort::Normal => &[100_000],
        Effort::Full => &[100_000, 1_000_000],
    };
    let mut text = String::from("## Many sessions\n");
    for size in sizes {
        let store = scratch.path(&format!("store-{size}"));
        make(scratch, &store, *size)?;
        text.push_str(&measure_store(scratch, &store, *size, effort)?);
        fs::remove_dir_all(&store)?;
    }
    Ok(text)
}

/// A row: what is run, how often, and its limit in milliseconds above a process that does nothing.
struct Row {
    name: &'static str,
    words: Vec<String>,
    rounds: usize,
    /// None where nothing is promised.
    limit_ms: Option<f64>,
    /// Whether the index is removed before each run.
    without_index: bool,
}

fn measure_store(
    scratch: &Scratch,
    store: &Path,
    size: usize,
    effort: Effort,
) -> io::Result<String> {
    // A round takes ten times as long at a million.
    let (few, fewer) = match (effort, size) {
        (Effort::Quick, _) => (3, 1),
        (_, ..=100_000) => (7, 3),
        _ => (3, 1),
    };
    let many = if effort == Effort::Quick { 10 } else { 40 };
    let share = size as f64 / 100_000.0;
    let row = |name, words: &[&str], rounds, limit_ms: Option<f64>| Row {
        name,
        words: words.iter().map(|word| (*word).to_owned()).collect(),
        rounds,
        limit_ms,
        without_index: false,
    };
    let ending = hex(size / 2);
    let mut rows = vec![
        row("list", &["list"], many, Some(4.0)),
        row("list --json", &["list", "--json"], many, Some(4.0)),
        row("list --failed", &["list", "--failed"], many, Some(4.0)),
        row("show last", &["show", "last"], many, Some(4.0)),
        row("show, by hex digits", &["show", &ending], many, Some(4.0)),
        row(
            "list, a filter that nothing fits",
            &["list", "--grep", "no such thing"],
            few,
            Some(100.0 * share),
        ),
        row(
            "prune --dry-run",
            &["prune", "--dry-run", "--keep-days", "0"],
            few,
            Some(1000.0 * share),
        ),
        row("stats", &["stats"], few, None),
        row("doctor", &["doctor"], fewer, None),
        row("list -n 0", &["list", "-n", "0"], fewer, None),
        row(
            "search, in commands",
            &["search", "-l", "--in", "command", "part-499"],
            fewer,
            None,
        ),
        row(
            "list, the index being made",
            &["list"],
            few,
            Some(2000.0 * share),
        ),
    ];
    if let Some(last) = rows.last_mut() {
        last.without_index = true;
    }
    let mut nothing = Vec::new();
    for _ in 0..many {
        nothing.push(milliseconds(run::run(&mut scratch.command("true"))?));
    }
    let nothing = spread(nothing).median;
    let mut table = Table::new(&["", "ms above `true`", "target", "peak MiB", "target"]);
    for row in rows {
        let mut command = scratch.command(AIDO);
        command.env("AIDO_SESSION_DIR", store).args(&row.words);
        let forget = || match row.without_index {
            true => fs::remove_file(store.join("index.jsonl")),
            false => Ok(()),
        };
        // The first run may make what the others find.
        forget()?;
        let mut starter = scratch.command("sh");
        starter.env("AIDO_SESSION_DIR", store);
        let peak = run::peak_rss_kib(&command, &mut starter)? as f64 / 1024.0;
        let mut times = Vec::new();
        for _ in 0..row.rounds {
            forget()?;
            times.push(milliseconds(run::run(&mut command)?) - nothing);
        }
        let time = spread(times).median;
        table.row(&[
            row.name.to_owned(),
            format!("{time:.2}"),
            row.limit_ms
                .map_or_else(String::new, |limit| Target::AtMost(limit).check(time)),
            format!("{peak:.1}"),
            Target::AtMost(MEMORY_MIB).check(peak),
        ]);
    }
    Ok(format!(
        "\n{size} sessions; `true` takes {nothing:.2} ms.\n\n{}",
        table.text()
    ))
}

/// The hex digits of a session: scattered, and different for each.
fn hex(number: usize) -> String {
    let number = u32::try_from(number).unwrap_or_default();
    format!("{:08x}", number.wrapping_mul(2_654_435_761))
}

/// Fills a store with sidecars after the pattern of a real one, each with a transcript if it is
/// among the newest.
pub(crate) fn make(scratch: &Scratch, store: &Path, size: usize) -> io::Result<()> {
    fs::create_dir_all(store)?;
    let mut command = scratch.command(AIDO);
    command.env("AIDO_SESSION_DIR", store);
    run::run(command.args(["--agent", "bench", "sh", "-c", "echo hello"]))?;
    let mut pattern = Value::Null;
    for entry in fs::read_dir(store)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.ends_with(".meta.json") {
            pattern = serde_json::from_slice(&fs::read(&path)?)?;
        }
        if name.starts_with("bench-") || name == "index.jsonl" {
            fs::remove_file(path)?;
        }
    }
    for number in 0..size {
        let time = chrono::DateTime::from_timestamp(NEWEST - 60 * (size - number) as i64, 0);
        let time = time.ok_or_else(|| io::Error::other("no such time"))?;
        let id = format!(
            "bench-{}-{}-{}",
            time.format("%Y%m%d_%H%M%S"),
            number % 30_000 + 1,
            hex(number)
        );
        let failed = number.is_multiple_of(FAILED);
        pattern["session_id"] = id.clone().into();
        pattern["timestamp"] = time.format("%Y-%m-%dT%H:%M:%S.000Z").to_string().into();
        pattern["ended_at"] = time.format("%Y-%m-%dT%H:%M:%S.500Z").to_string().into();
        pattern["exit_code"] = json!(i32::from(failed));
        pattern["command"] = format!("cargo test --package part-{}", number % 500).into();
        pattern["mac"] = Value::Null;
        let mut file = BufWriter::new(File::create(store.join(format!("{id}.meta.json")))?);
        serde_json::to_writer_pretty(&mut file, &pattern)?;
        file.write_all(b"\n")?;
        file.flush()?;
        if size - number <= 1000 || number == size / 2 {
            let text = "hello\n\n=== AI_EXIT_CODE: 0 ===\n";
            fs::write(store.join(format!("{id}.typescript")), text)?;
        }
    }
    Ok(())
}
