//! How fast text is found in what was recorded, next to ripgrep on the same bytes.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::Effort;
use super::run::{self, Variant};
use super::scratch::{self, AIDO, Scratch};
use super::table::{Table, Target, milliseconds, spread};

/// The most that a search may take, to ripgrep on the same bytes.
const LIMIT: f64 = 1.25;
/// The most memory, in MiB, whatever the store.
const LIMIT_MIB: f64 = 64.0;

/// What a line of the transcripts is made of.
const WORDS: [&str; 24] = [
    "compiling",
    "linking",
    "warning:",
    "unused",
    "variable",
    "src/main.rs",
    "test",
    "result:",
    "ok.",
    "passed;",
    "failed;",
    "ignored;",
    "finished",
    "target(s)",
    "running",
    "thread",
    "panicked",
    "assertion",
    "left",
    "right",
    "download",
    "fetch",
    "version",
    "lock",
];
/// One session in so many holds this line, once.
const NEEDLE: &str = "a needle in the haystack";
const NEEDLE_EVERY: usize = 100;

/// A store of its own.
struct Made {
    title: &'static str,
    path: PathBuf,
}

/// How lines end, and whether they hold escape sequences.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dress {
    Plain,
    Returns,
    Colours,
}

/// Measures and reports.
pub(crate) fn measure(scratch: &Scratch, effort: Effort) -> io::Result<String> {
    let (rounds, scale) = match effort {
        Effort::Quick => (3, 10),
        Effort::Normal | Effort::Full => (11, 1),
    };
    let rg = scratch::find("rg");
    let mut text = format!(
        "## Search\n\nMedians of {rounds} interleaved rounds, two threads each, output to a pipe that \
         nobody reads from. `rg -n -j2` gets the same files; \"both\" are transcripts and sidecars.\n"
    );
    if rg.is_none() {
        text.push_str("\nripgrep is not on PATH and not compared.\n");
    }
    let sidecar = record_one(scratch)?;
    let store = |title, sessions, bytes, dress| {
        let path = scratch.path(title);
        make(&path, &sidecar, sessions, bytes, dress)?;
        io::Result::Ok(Made { title, path })
    };
    let small = store("20,000 sessions", 20_000 / scale, 8 * 1024, Dress::Plain)?;
    let large = store("4 sessions of 100 MB", 4, 100_000_000 / scale, Dress::Plain)?;
    let returns = store("the same, CRLF", 4, 100_000_000 / scale, Dress::Returns)?;
    let colours = store(
        "the same, in colour",
        4,
        100_000_000 / scale,
        Dress::Colours,
    )?;
    for store in [&small, &large, &returns, &colours] {
        text.push_str(&table(scratch, store, rg.as_deref(), rounds)?);
    }
    for store in [&small, &large] {
        let mut command = search(scratch, store, &["--in", "transcript", "panicked"]);
        command.stdout(Stdio::null());
        let mut starter = scratch.command("sh");
        starter.env("AIDO_SESSION_DIR", &store.path);
        let mib = run::peak_rss_kib(&command, &mut starter)? as f64 / 1024.0;
        let target = Target::AtMost(LIMIT_MIB).check(mib);
        let _ = writeln!(
            text,
            "\nPeak memory, {}: {mib:.1} MiB ({target}).",
            store.title
        );
    }
    for store in [small, large, returns, colours] {
        fs::remove_dir_all(store.path)?;
    }
    Ok(text)
}

/// One table: each pattern, aido and ripgrep.
fn table(scratch: &Scratch, store: &Made, rg: Option<&str>, rounds: usize) -> io::Result<String> {
    let mut text = format!("\n### {}\n\n", store.title);
    let heads = ["", "aido, ms", "rg, ms", "ratio", "target"];
    let mut table = Table::new(&heads);
    let transcripts = ["--in", "transcript"];
    for (pattern, parts) in [
        ("needle", &transcripts[..]),
        ("no such thing", &transcripts),
        (r"n[aeiou]+dle\b", &transcripts),
        ("[a-z]+ haystack", &transcripts),
        ("needle|haystack", &transcripts),
        ("panicked", &transcripts),
        ("needle", &[]),
    ] {
        let mut variants = vec![Variant::new("aido", || {
            run_to_pipe(search(scratch, store, &[parts, &[pattern]].concat()))
        })];
        if let Some(rg) = rg {
            variants.push(Variant::new("rg", || {
                let mut command = scratch.command(rg);
                command.args(["-n", "-j2", "--hidden", "--no-ignore", "-g", "*.typescript"]);
                if parts.is_empty() {
                    command.args(["-g", "*.meta.json"]);
                }
                command.args(["-e", pattern]).arg(&store.path);
                run_to_pipe(command)
            }));
        }
        let samples = run::interleave(&mut variants, 1, rounds);
        let mut medians = Vec::new();
        for sample in samples {
            medians.push(spread(sample?.into_iter().map(milliseconds)).median);
        }
        let ratio = medians.get(1).map(|rg| medians[0] / rg);
        let shown = |figure: Option<f64>, digits| {
            figure.map_or_else(String::new, |figure| format!("{figure:.digits$}"))
        };
        let both = if parts.is_empty() { ", both" } else { "" };
        // ripgrep reads colours as text, so it finds less in the same time.
        let is_comparable = !store.title.ends_with("colour");
        let target = ratio.filter(|_| is_comparable);
        table.row(&[
            format!("`{pattern}`{both}"),
            shown(medians.first().copied(), 0),
            shown(medians.get(1).copied(), 0),
            shown(ratio, 2),
            target.map_or_else(String::new, |ratio| Target::AtMost(LIMIT).check(ratio)),
        ]);
    }
    text.push_str(table.text());
    Ok(text)
}

fn search(scratch: &Scratch, store: &Made, words: &[&str]) -> Command {
    let mut command = scratch.command(AIDO);
    command.env("AIDO_SESSION_DIR", &store.path);
    command.arg("search").args(words);
    command
}

/// Runs a search whose output goes through a pipe. Finding nothing is no failure.
fn run_to_pipe(command: Command) -> io::Result<Duration> {
    let mut shell = Command::new("sh");
    // /dev/null itself would be recognised, and the search made shorter.
    shell.args(["-c", r#""$@" | cat >/dev/null"#, "sh"]);
    shell.arg(command.get_program()).args(command.get_args());
    shell.env_clear();
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            shell.env(name, value);
        }
    }
    shell.stdin(Stdio::null()).stderr(Stdio::null());
    run::run(&mut shell)
}

/// Records a session and takes its sidecar as the pattern of all.
fn record_one(scratch: &Scratch) -> io::Result<serde_json::Value> {
    run::run(scratch.command(AIDO).arg("true"))?;
    let names = fs::read_dir(scratch.path("sessions"))?;
    let paths = names.filter_map(|entry| Some(entry.ok()?.path()));
    let mut sidecars = paths.filter(|path| path.to_string_lossy().ends_with(".meta.json"));
    let sidecar = sidecars.next().ok_or(io::ErrorKind::NotFound)?;
    let sidecar = serde_json::from_slice(&fs::read(sidecar)?)?;
    scratch.forget_sessions()?;
    Ok(sidecar)
}

/// Makes a store of sessions that end a second apart.
fn make(
    path: &Path,
    sidecar: &serde_json::Value,
    sessions: usize,
    bytes: usize,
    dress: Dress,
) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().mode(0o700).create(path)?;
    let mut chance = Chance(88_172_645_463_325_252);
    let filler = lines(&mut chance, 1 << 20, dress);
    for number in 0..sessions {
        let (hour, minute, second) = (number / 3600, number / 60 % 60, number % 60);
        let id = format!(
            "ai-agent-20260305_{hour:02}{minute:02}{second:02}-{}-{:08x}",
            1000 + number % 30_000,
            chance.next() as u32
        );
        let ending = match dress {
            Dress::Returns => "\r\n",
            Dress::Plain | Dress::Colours => "\n",
        };
        let mut output = Vec::with_capacity(bytes + filler.len());
        while output.len() < bytes {
            output.extend_from_slice(&filler);
        }
        let start = chance.next() as usize % (filler.len() - bytes.min(filler.len() / 2));
        let start = line_start(&output, start);
        let end = line_start(&output, (start + bytes).min(output.len() - 1));
        let mut output = output[start..end].to_vec();
        if number % NEEDLE_EVERY == 0 {
            let middle = line_start(&output, output.len() / 2);
            output.splice(middle..middle, format!("{NEEDLE}{ending}").into_bytes());
        }
        let output_bytes = output.len();
        let mut file = File::create(path.join(format!("{id}.typescript")))?;
        output.extend_from_slice(b"\n=== AI_EXIT_CODE: 0 ===\n");
        file.write_all(&output)?;
        let mut sidecar = sidecar.clone();
        sidecar["session_id"] = id.as_str().into();
        sidecar["output_bytes"] = output_bytes.into();
        for (field, milliseconds) in [("timestamp", 0), ("ended_at", 10)] {
            sidecar[field] =
                format!("2026-03-05T{hour:02}:{minute:02}:{second:02}.{milliseconds:03}Z").into();
        }
        let text = serde_json::to_vec_pretty(&sidecar)?;
        fs::write(path.join(format!("{id}.meta.json")), text)?;
    }
    Ok(())
}

/// Some text in lines.
fn lines(chance: &mut Chance, bytes: usize, dress: Dress) -> Vec<u8> {
    let mut text = Vec::with_capacity(bytes + 256);
    while text.len() < bytes {
        for number in 0..4 + chance.next() % 12 {
            let word = WORDS[chance.next() as usize % WORDS.len()];
            let space = if number == 0 { "" } else { " " };
            let word = match (dress, number) {
                (Dress::Colours, 0) => format!("{space}\x1b[1;32m{word}\x1b[0m"),
                _ => format!("{space}{word}"),
            };
            text.extend_from_slice(word.as_bytes());
        }
        text.extend_from_slice(match dress {
            Dress::Returns => b"\r\n",
            Dress::Plain | Dress::Colours => b"\n",
        });
    }
    text
}

/// Where the line begins that this place is in.
fn line_start(text: &[u8], at: usize) -> usize {
    let before = text[..at].iter().rposition(|byte| *byte == b'\n');
    before.map_or(0, |line_feed| line_feed + 1)
}

/// The same numbers in every run: xorshift.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}
