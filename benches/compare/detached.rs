//! Sessions without a caller: starting one, many that idle, much output, and a byte typed at one.

use std::fs;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};

use super::Effort;
use super::run::{Started, run};
use super::scratch::{AIDO, Scratch};
use super::table::{Table, Target, milliseconds, spread};
use super::terminal::{self, Controlled};

/// Passes bytes on as they come; the terminal itself repeats nothing.
const PROGRAM: &str = "stty raw -echo; printf ready; exec cat";
/// What is typed.
const LETTERS: &[u8] = b"abcdefgijknoprstuvwxyz";
/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// The kernel counts processor time in hundredths of a second.
const TICKS_A_SECOND: f64 = 100.0;

/// Measures and reports.
pub(crate) fn measure(scratch: &Scratch, effort: Effort) -> io::Result<String> {
    let (rounds, sessions, idle, mib, typed) = match effort {
        Effort::Quick => (10, 8, 2, 16, 100),
        Effort::Normal | Effort::Full => (100, 64, 20, 100, 1000),
    };
    let mut table = Table::new(&["", "figure", "reference", "ratio", "target"]);
    start(scratch, rounds, &mut table)?;
    idle_sessions(scratch, sessions, Duration::from_secs(idle), &mut table)?;
    output(scratch, mib, &mut table)?;
    echo(scratch, typed, &mut table)?;
    Ok(format!(
        "## Detached sessions\n\nMedians of {rounds} starts, in turn with `aido true`; {sessions} sessions of `cat` for \
         {idle} s; {mib} MiB of lines, against the same without `start`; {typed} bytes typed at `aido attach`, \
         against the terminal alone.\n\n{}",
        table.text()
    ))
}

fn begin(scratch: &Scratch, words: &[&str]) -> io::Result<String> {
    let mut command = scratch.command(AIDO);
    let output = command
        .args(["start", "--"])
        .args(words)
        .stdout(Stdio::piped())
        .output()?;
    let id = String::from_utf8_lossy(&output.stdout)
        .trim_end()
        .to_owned();
    match id.is_empty() {
        true => Err(io::Error::other("no session began")),
        false => Ok(id),
    }
}

fn stop(scratch: &Scratch, ids: &[String]) -> io::Result<()> {
    run(scratch.command(AIDO).args(["stop", "--kill"]).args(ids)).map(drop)
}

fn start(scratch: &Scratch, rounds: usize, table: &mut Table) -> io::Result<()> {
    let (mut own, mut reference) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        own.push(milliseconds(run(scratch
            .command(AIDO)
            .args(["start", "true"]))?));
        reference.push(milliseconds(run(scratch.command(AIDO).arg("true"))?));
    }
    let (own, reference) = (spread(own).median, spread(reference).median);
    let ratio = own / reference;
    table.row(&[
        "start returns, ms".to_owned(),
        format!("{own:.2}"),
        format!("{reference:.2}"),
        format!("{ratio:.2}"),
        Target::AtMost(3.0).check(ratio),
    ]);
    Ok(())
}

/// The supervisor of a session: the process that its id names.
fn supervisor(id: &str) -> String {
    id.rsplit('-').nth(1).unwrap_or_default().to_owned()
}

fn idle_sessions(
    scratch: &Scratch,
    count: usize,
    time: Duration,
    table: &mut Table,
) -> io::Result<()> {
    let ids: Vec<String> = (0..count)
        .map(|_| begin(scratch, &["cat"]))
        .collect::<io::Result<_>>()?;
    // What a beginning still has to do.
    std::thread::sleep(Duration::from_secs(2));
    let used = || -> io::Result<f64> {
        let ticks = ids.iter().map(|id| ticks(&supervisor(id)));
        Ok(ticks.sum::<io::Result<u64>>()? as f64 / TICKS_A_SECOND)
    };
    let before = used()?;
    std::thread::sleep(time);
    let share = (used()? - before) / time.as_secs_f64() * 100.0;
    let memory = ids.iter().map(|id| proportional_mb(&supervisor(id)));
    let memory = spread(memory.collect::<io::Result<Vec<f64>>>()?).max;
    stop(scratch, &ids)?;
    table.row(&[
        format!("{count} idle sessions, % of one processor"),
        format!("{share:.2}"),
        String::new(),
        String::new(),
        Target::AtMost(1.0).check(share),
    ]);
    table.row(&[
        "an idle supervisor's memory, MB at most".to_owned(),
        format!("{memory:.2}"),
        String::new(),
        String::new(),
        Target::AtMost(6.0).check(memory),
    ]);
    Ok(())
}

/// Processor time, in the kernel's ticks.
fn ticks(process: &str) -> io::Result<u64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let times = after_name.split_whitespace().skip(11).take(2);
    Ok(times.filter_map(|time| time.parse::<u64>().ok()).sum())
}

/// Resident memory, with what is shared counted in parts.
fn proportional_mb(process: &str) -> io::Result<f64> {
    let text = fs::read_to_string(format!("/proc/{process}/smaps_rollup"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    Ok(kib.unwrap_or(f64::NAN) * 1024.0 / 1e6)
}

fn output(scratch: &Scratch, mib: usize, table: &mut Table) -> io::Result<()> {
    let line = "an ordinary line of a build that says what it compiles, and where";
    let script = format!("yes '{line}' | head -c {}", mib * 1024 * 1024);
    let since = Instant::now();
    let id = begin(scratch, &["sh", "-c", &script])?;
    run(scratch.command(AIDO).args(["wait", &id]))?;
    let own = mib as f64 / since.elapsed().as_secs_f64();
    let bare = run(scratch.command(AIDO).args(["sh", "-c", &script]))?;
    let reference = mib as f64 / bare.as_secs_f64();
    scratch.forget_sessions()?;
    table.row(&[
        "output with a screen, MiB/s".to_owned(),
        format!("{own:.0}"),
        format!("{reference:.0}"),
        format!("{:.2}", own / reference),
        Target::AtLeast(0.5).check(own / reference),
    ]);
    Ok(())
}

fn echo(scratch: &Scratch, count: usize, table: &mut Table) -> io::Result<()> {
    let id = begin(scratch, &["sh", "-c", PROGRAM])?;
    let direct = typed(scratch, &["sh", "-c", PROGRAM], count)?;
    let attached = typed(scratch, &[AIDO, "attach", &id], count)?;
    stop(scratch, &[id])?;
    let more = (attached - direct) / 1e3;
    table.row(&[
        "a byte comes back attached, µs".to_owned(),
        format!("{attached:.0}"),
        format!("{direct:.0}"),
        String::new(),
        format!("2 ms more: {}", Target::AtMost(2.0).check(more)),
    ]);
    Ok(())
}

/// The median time that a byte takes to come back, in microseconds.
fn typed(scratch: &Scratch, argv: &[&str], count: usize) -> io::Result<f64> {
    let (master, slave) = terminal::open()?;
    let mut command = scratch.command(argv[0]);
    command
        .args(&argv[1..])
        .stdin(slave.try_clone()?)
        .stdout(slave.try_clone()?)
        .stderr(slave);
    terminal::in_new_session(&mut command, Controlled::ByStdin);
    let started = Started::start(&mut command)?;
    drop(command);
    wait_for(&master, b"ready")?;
    let mut times = Vec::with_capacity(count);
    for index in 0..count {
        // Another letter each time, and none that ends a control sequence of a frame.
        let letter = LETTERS[index % LETTERS.len()];
        let since = Instant::now();
        rustix::io::write(&master, &[letter])?;
        wait_for(&master, &[letter])?;
        times.push(since.elapsed().as_secs_f64() * 1e6);
        // Somebody types, and doesn't flood: frames are paced.
        std::thread::sleep(Duration::from_millis(20));
    }
    drop(master);
    started.kill();
    Ok(spread(times).median)
}

/// Reads until these bytes came.
fn wait_for(master: &OwnedFd, awaited: &[u8]) -> io::Result<()> {
    let patience = Timespec {
        tv_sec: PATIENCE.as_secs().try_into().unwrap_or(i64::MAX),
        tv_nsec: 0,
    };
    let mut seen = Vec::new();
    while !seen.windows(awaited.len()).any(|piece| piece == awaited) {
        let mut poll = [PollFd::from_borrowed_fd(master.as_fd(), PollFlags::IN)];
        if rustix::event::poll(&mut poll, Some(&patience))? == 0 {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "no answer"));
        }
        let mut buffer = [0; 4096];
        let count = fs::File::from(master.try_clone()?).read(&mut buffer)?;
        seen.extend_from_slice(&buffer[..count]);
    }
    Ok(())
}
