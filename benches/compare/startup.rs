//! What starting a command through something adds.

use std::fmt::Write;
use std::io;

use super::Effort;
use super::machine;
use super::run::{self, Variant};
use super::scratch::{self, AIDO, Scratch};
use super::table::{Spread, Table, Target, milliseconds, spread};

/// Commands, and how much of the bare command's time aido may take with a static binary or a
/// dynamic one. The dynamic limit is for `true` only.
const COMMANDS: [(&[&str], f64, Option<f64>); 2] = [
    (&["true"], 2.0, Some(3.2)),
    (&["git", "status"], 1.25, None),
];

/// How many times less than a neighbour aido adds to `true`.
const LESS_THAN: [(&str, f64); 2] = [("asciinema", 4.5), ("script", 20.0)];

/// Runs whose peak memory is looked at; it hardly varies.
const MEMORY_ROUNDS: usize = 5;

/// One way to start a command.
struct Way {
    name: String,
    argv: Vec<String>,
    /// Standard error to a file, so that it isn't standard output's twin and needs a PTY more.
    errors_apart: bool,
}

/// The C source of the least that a program with a PTY around a command does.
const FLOOR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/compare/floor.c");

/// Its name in the table.
const FLOOR_NAME: &str = "the least, in C";

/// Compiles it, statically, where a C compiler is.
fn floor(scratch: &Scratch) -> Option<String> {
    let compiler = scratch::find("cc")?;
    let program = scratch.path("floor");
    let mut command = scratch.command(&compiler);
    command
        .args(["-O2", "-static", "-o"])
        .arg(&program)
        .arg(FLOOR);
    let is_made = command.status().is_ok_and(|status| status.success());
    is_made
        .then(|| program.to_str().map(str::to_owned))
        .flatten()
}

fn ways(words: &[&str], floor: Option<&str>) -> Vec<Way> {
    let words: Vec<String> = words
        .iter()
        .enumerate()
        .map(|(index, word)| {
            // Found once, so that nobody searches along a long PATH.
            let found = (index == 0).then(|| scratch::find(word)).flatten();
            found.unwrap_or_else(|| (*word).to_owned())
        })
        .collect();
    let line = words.join(" ");
    let before = |start: &[&str]| -> Vec<String> {
        let start = start.iter().map(|word| (*word).to_owned());
        start.chain(words.iter().cloned()).collect()
    };
    let way = |name: &str, argv: Vec<String>| Way {
        name: name.to_owned(),
        argv,
        errors_apart: false,
    };
    let mut all = vec![
        way("direct", words.clone()),
        way("aido", before(&[AIDO])),
        Way {
            errors_apart: true,
            ..way("aido, stderr apart", before(&[AIDO]))
        },
        way("aido --tty auto", before(&[AIDO, "--tty", "auto"])),
        way("aido --no-record", before(&[AIDO, "--no-record"])),
    ];
    if let Some(floor) = floor {
        all.push(way(FLOOR_NAME, before(&[floor])));
    }
    if let Some(script) = scratch::find("script") {
        let argv = [&script, "-qec", &line, "/dev/null"];
        all.push(way("script -qec", argv.map(str::to_owned).to_vec()));
    }
    if let Some(unbuffer) = scratch::find("unbuffer") {
        all.push(way("unbuffer", before(&[&unbuffer])));
    }
    if let Some(asciinema) = scratch::find("asciinema") {
        let is_older = std::process::Command::new(&asciinema)
            .arg("--version")
            .output()
            .is_ok_and(|told| told.stdout.starts_with(b"asciinema 2."));
        let mut argv = vec![asciinema, "rec".to_owned()];
        if !is_older {
            argv.push("--headless".to_owned());
        }
        argv.extend(["-q", "--overwrite", "-c", &line].map(str::to_owned));
        argv.push("/dev/null".to_owned());
        all.push(way("asciinema rec", argv));
    }
    if let Some(faketty) = scratch::find("faketty") {
        all.push(way("faketty", before(&[&faketty])));
    }
    all
}

fn command(scratch: &Scratch, way: &Way) -> io::Result<std::process::Command> {
    let mut command = scratch.command(&way.argv[0]);
    command.args(&way.argv[1..]);
    if way.errors_apart {
        command.stderr(std::fs::File::create(scratch.path("errors"))?);
    }
    Ok(command)
}

/// Measures and reports.
pub(crate) fn measure(scratch: &Scratch, effort: Effort) -> io::Result<String> {
    let (warm_up, rounds) = match effort {
        Effort::Quick => (2, 8),
        Effort::Normal | Effort::Full => (10, 100),
    };
    let mut text = format!(
        "## Start-up\n\nMedians of {rounds} interleaved rounds; nothing on stdin, output to \
         /dev/null, records on the disk.\nPeak memory is that of the largest process involved.\n"
    );
    let floor = floor(scratch);
    for (words, for_static, for_dynamic) in COMMANDS {
        let ways = ways(words, floor.as_deref());
        let limit = if machine::is_static() {
            Some(for_static)
        } else {
            for_dynamic
        };
        let _ = write!(text, "\n### `{}`\n\n", words.join(" "));
        text.push_str(&table(
            scratch,
            &ways,
            warm_up,
            rounds,
            limit,
            words == ["true"],
        )?);
    }
    if let Some(hyperfine) = scratch::find("hyperfine") {
        let rounds = if effort == Effort::Quick { 10 } else { 100 };
        text.push_str(&by_hyperfine(scratch, &hyperfine, rounds)?);
    }
    Ok(text)
}

fn table(
    scratch: &Scratch,
    ways: &[Way],
    warm_up: usize,
    rounds: usize,
    limit: Option<f64>,
    compares_added: bool,
) -> io::Result<String> {
    let mut variants: Vec<Variant<'_>> = ways
        .iter()
        .map(|way| Variant::new(&way.name, || run::run(&mut command(scratch, way)?)))
        .collect();
    let samples = run::interleave(&mut variants, warm_up, rounds);
    let spreads: Vec<Option<Spread>> = samples
        .iter()
        .map(|samples| {
            let samples = samples.as_ref().ok()?;
            Some(spread(samples.iter().map(|taken| milliseconds(*taken))))
        })
        .collect();
    let (Some(Some(direct)), Some(Some(aido))) = (spreads.first(), spreads.get(1)) else {
        let first = samples.into_iter().find_map(Result::err);
        return Err(first.unwrap_or_else(|| io::ErrorKind::NotFound.into()));
    };
    let floor = ways.iter().zip(&spreads).find_map(|(way, spread)| {
        let own = spread.as_ref()?;
        (way.name == FLOOR_NAME).then_some(own.median)
    });
    let heads = [
        "",
        "median, ms",
        "min–max",
        "ratio",
        "to the least",
        "added, ms",
        "peak, MiB",
        "target",
    ];
    let mut table = Table::new(&heads);
    let mut failures = String::new();
    for ((way, spread), sample) in ways.iter().zip(&spreads).zip(&samples) {
        let Some(own) = spread else {
            if let Err(error) = sample {
                let _ = writeln!(failures, "{}: {error}", way.name);
            }
            continue;
        };
        let (ratio, added) = (own.median / direct.median, own.median - direct.median);
        let neighbour = LESS_THAN
            .iter()
            .find(|(name, _)| way.name.starts_with(name));
        let target = match (limit, neighbour) {
            (Some(limit), _) if way.name == "aido" => Target::AtMost(limit).check(ratio),
            (_, Some((_, times))) if compares_added => {
                let times_less = added / (aido.median - direct.median);
                let verdict = Target::AtLeast(*times).check(times_less);
                format!("adds {times_less:.1} × aido's {verdict}")
            }
            _ => String::new(),
        };
        table.row(&[
            way.name.clone(),
            format!("{:.2}", own.median),
            format!("{:.2}–{:.2}", own.min, own.max),
            format!("{ratio:.2}"),
            floor.map_or_else(String::new, |floor| format!("{:.2}", own.median / floor)),
            format!("{added:.2}"),
            format!("{:.1}", peak_mib(scratch, way)?),
            target,
        ]);
    }
    Ok(format!("{}{failures}", table.text()))
}

fn peak_mib(scratch: &Scratch, way: &Way) -> io::Result<f64> {
    let mut peaks = Vec::with_capacity(MEMORY_ROUNDS);
    for _ in 0..MEMORY_ROUNDS {
        let mut starter = scratch.command("sh");
        if way.errors_apart {
            starter.stderr(std::fs::File::create(scratch.path("errors"))?);
        }
        let kib = run::peak_rss_kib(&command(scratch, way)?, &mut starter)?;
        peaks.push(kib as f64 / 1024.0);
    }
    Ok(spread(peaks).median)
}

fn by_hyperfine(scratch: &Scratch, hyperfine: &str, rounds: usize) -> io::Result<String> {
    let export = scratch.path("hyperfine.md");
    let mut lines = vec!["true".to_owned(), format!("{AIDO} true")];
    if scratch::find("script").is_some() {
        lines.push("script -qec true /dev/null".to_owned());
    }
    let mut command = scratch.command(hyperfine);
    command
        .args([
            "-N",
            "-w",
            "20",
            "-r",
            &rounds.to_string(),
            "--export-markdown",
        ])
        .arg(&export)
        .args(&lines);
    run::run(&mut command)?;
    let table = std::fs::read_to_string(export)?;
    Ok(format!(
        "\n### The same with `hyperfine -N -w 20 -r {rounds}` (means, not interleaved)\n\n{}",
        table.replace(AIDO, "aido")
    ))
}
