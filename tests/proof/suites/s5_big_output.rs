//! S5: gigabytes of output through a recorder that may use 64 MiB of memory, page cache included.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::Bench;
use crate::memory_group::MemoryGroup;
use crate::place::{self, Kept, Place};
use crate::running::Run;
use crate::sessions;
use crate::verdict::Verdict;

const MIB: u64 = 1 << 20;
/// What the recorder and all it starts may use.
const LIMIT_BYTES: u64 = 64 * MIB;
/// What the recorder itself may use, besides the pages of its program.
const RESIDENT_KIB: u64 = 4 * 1024;
const LINE: &str = "0123456789 abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ\n";
const CODE: i32 = 7;
/// The longest that one of them may take.
const LIMIT: Duration = Duration::from_secs(1800);

pub(crate) fn run(bench: &Bench) -> anyhow::Result<Verdict> {
    let mut verdict = Verdict::new();
    let group = MemoryGroup::make(bench, LIMIT_BYTES);
    if let Err(reason) = &group {
        verdict.skip(format!(
            "the limit of 64 MiB: {reason}; resident memory is still measured"
        ));
    }
    let group = group.ok();
    let size = bench.pick(48 * MIB, 4096 * MIB);
    for tty in bench.pick(&["always"][..], &["always", "never"]) {
        let place = Place::new(bench, &format!("S5-{tty}"), Kept::ByName)?;
        let command = format!("yes '{}' | head -c {size}; exit {CODE}", LINE.trim_end());
        let arguments = ["--max-bytes", "0", "--tty", tty, "sh", "-c", &command];
        let run = match &group {
            Some(group) => group.run(&place, &arguments),
            None => place.aido(arguments),
        };
        let watched = watch(run)?;
        verdict.check(watched.code == CODE, || {
            format!("exit {}: {}", watched.code, watched.stderr)
        });
        verdict.check(watched.stderr.is_empty(), || watched.stderr.clone());
        verdict.check(watched.wrong_at.is_none() && watched.bytes == size, || {
            format!(
                "delivered {} bytes, wrong at {:?}",
                watched.bytes, watched.wrong_at
            )
        });
        verdict.check(watched.resident_kib < RESIDENT_KIB, || {
            format!("{} KiB resident", watched.resident_kib)
        });
        verdict.check(watched.resident_kib > 0, || {
            "no resident memory was measured".to_owned()
        });
        judge(&place, size, &mut verdict);
        let mut figure = format!(
            "{} MiB at {tty}: {:.1} MiB resident at most, {:.0} MB/s",
            size / MIB,
            watched.resident_kib as f64 / 1024.0,
            watched.rate(),
        );
        if let Some(group) = &group {
            figure.push_str(&format!(", limit of 64 MiB by {}", group.kind()));
        }
        if bench.size == crate::Size::Full && *tty == "always" {
            figure.push_str(&beside_script(&place, &command, watched.rate())?);
        }
        verdict.figure(figure);
    }
    Ok(verdict)
}

/// The recording holds the same bytes, and its digest is right.
fn judge(place: &Place, size: u64, verdict: &mut Verdict) {
    let directory = place.sessions();
    match sessions::finished_in(&directory).as_slice() {
        [id] => match sessions::digest_of_large(&directory, id) {
            Ok(large) => {
                let is_right = large.output_bytes == size
                    && large.is_digest_right
                    && large.exit_code == Some(i64::from(CODE));
                verdict.check(is_right, || format!("the recording: {large:?}"));
            }
            Err(fault) => verdict.fault(fault),
        },
        ids => verdict.fault(format!("{} sessions instead of one", ids.len())),
    }
}

/// The same output recorded by script(1), if that is here.
fn beside_script(place: &Place, command: &str, rate: f64) -> anyhow::Result<String> {
    if place::find("script").is_none() {
        return Ok(String::new());
    }
    let file = place.path("typescript");
    let run = place
        .program("script")
        .arguments(["-q", "-e", "-c", command]);
    let watched = watch(run.arguments([&file]))?;
    let _ = fs::remove_file(file);
    let times = rate / watched.rate();
    Ok(format!(", {times:.2} times as fast as script"))
}

/// What was seen of a run.
struct Watched {
    code: i32,
    stderr: String,
    bytes: u64,
    /// The first byte that differs from what the command printed.
    wrong_at: Option<u64>,
    /// The most that the recorder itself had in memory.
    resident_kib: u64,
    took: Duration,
}

impl Watched {
    /// Megabytes a second.
    fn rate(&self) -> f64 {
        self.bytes as f64 / 1e6 / self.took.as_secs_f64()
    }
}

fn watch(run: Run) -> anyhow::Result<Watched> {
    let (reader, writer) = std::io::pipe()?;
    let started = Instant::now();
    let running = run.limit(LIMIT).stdout(writer).spawn()?;
    let status = PathBuf::from(format!("/proc/{}/status", running.process()));
    let (read, resident_kib) = thread::scope(|scope| {
        let reading = scope.spawn(|| compare(reader));
        let mut most = 0;
        while !reading.is_finished() {
            most = resident(&status).max(most);
            thread::sleep(Duration::from_millis(5));
        }
        (reading.join(), most)
    });
    let (bytes, wrong_at) = read.map_err(|_| anyhow::anyhow!("the reader panicked"))??;
    let ended = running.wait()?;
    Ok(Watched {
        code: ended.code(),
        stderr: String::from_utf8_lossy(&ended.stderr).into_owned(),
        bytes,
        wrong_at,
        resident_kib,
        took: started.elapsed(),
    })
}

/// What a process has in memory of its own, in KiB: its program's pages are as many as that is large, and a
/// debug build's are many.
fn resident(status: &Path) -> u64 {
    let text = fs::read_to_string(status).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.unwrap_or(0)
}

/// Reads to the end and compares with what is printed; a PTY of script(1)'s adds carriage returns, which
/// are passed over.
fn compare(mut source: impl Read) -> std::io::Result<(u64, Option<u64>)> {
    let lines = LINE.repeat(4096);
    let mut expected = lines.as_bytes();
    let mut chunk = vec![0; 64 * 1024];
    let (mut count, mut wrong_at) = (0, None);
    loop {
        let read = source.read(&mut chunk)?;
        if read == 0 {
            return Ok((count, wrong_at));
        }
        let mut rest = &chunk[..read];
        while !rest.is_empty() {
            if expected.is_empty() {
                expected = lines.as_bytes();
            }
            let length = rest.len().min(expected.len());
            if wrong_at.is_none() && rest[..length] != expected[..length] {
                wrong_at = Some(count);
            }
            count += length as u64;
            (rest, expected) = (&rest[length..], &expected[length..]);
        }
    }
}
