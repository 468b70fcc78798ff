//! Starts commands and measures them; none runs for longer than its limit.

use std::io::{self, Read};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};

/// The longest that a command may take.
const LIMIT: Duration = Duration::from_secs(300);

/// The wait status of a word that looked and found nothing, which is measured like any other.
const NOTHING_FOUND: i32 = 0x100;

/// The commands that run now, and since when.
static RUNNING: Mutex<Vec<(Pid, Instant)>> = Mutex::new(Vec::new());

/// Begins to end commands that exceed the limit.
pub(crate) fn watch() {
    thread::spawn(|| {
        loop {
            thread::sleep(Duration::from_secs(1));
            let running = RUNNING.lock().unwrap_or_else(|error| error.into_inner());
            for (process, since) in running.iter() {
                if since.elapsed() > LIMIT {
                    let _ = rustix::process::kill_process(*process, Signal::KILL);
                }
            }
        }
    });
}

/// A command that was started.
pub(crate) struct Started {
    child: Child,
    process: Pid,
    since: Instant,
}

impl Started {
    /// Starts a command.
    pub(crate) fn start(command: &mut Command) -> io::Result<Self> {
        let since = Instant::now();
        let child = command.spawn()?;
        let process = Pid::from_child(&child);
        lock().push((process, since));
        Ok(Self {
            child,
            process,
            since,
        })
    }

    /// The child's own streams.
    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Ends it.
    pub(crate) fn kill(self) {
        let _ = rustix::process::kill_process(self.process, Signal::KILL);
        let _ = self.wait();
    }

    /// Waits for its end, which must be a success or nothing found, and tells the time since before its start.
    pub(crate) fn wait(self) -> io::Result<Duration> {
        Ok(wait_for(self.process, self.since)?.0)
    }
}

/// Waits for a process that is watched; tells its time and its peak memory in KiB.
fn wait_for(process: Pid, since: Instant) -> io::Result<(Duration, i64)> {
    // Its number stays taken until `reap`, so the watch can't hit another process.
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    let ended = loop {
        match rustix::process::waitid(WaitId::Pid(process), options) {
            Err(rustix::io::Errno::INTR) => {}
            result => break result.map(drop),
        }
    };
    let wall = since.elapsed();
    lock().retain(|(running, _)| *running != process);
    ended?;
    match reap(process)? {
        (0 | NOTHING_FOUND, peak) => Ok((wall, peak)),
        (status, _) => Err(failed(status)),
    }
}

fn failed(status: i32) -> io::Error {
    io::Error::other(format!("a command ended with wait status {status:#x}"))
}

fn lock() -> std::sync::MutexGuard<'static, Vec<(Pid, Instant)>> {
    RUNNING.lock().unwrap_or_else(|error| error.into_inner())
}

#[expect(
    unsafe_code,
    reason = "wait4 has no safe wrapper that tells the peak memory"
)]
fn reap(process: Pid) -> io::Result<(i32, i64)> {
    let mut status = 0;
    // SAFETY: an all-zero rusage is a valid place for the kernel to write to.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    let raw = process.as_raw_nonzero().get();
    // SAFETY: both places live across the call; the process is a child that nobody else reaps.
    let result = unsafe { libc::wait4(raw, &raw mut status, 0, &raw mut usage) };
    if result == raw {
        Ok((status, usage.ru_maxrss))
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Runs a command to its end and tells the most memory, in KiB, that it or a process that it waited
/// for had.
///
/// The kernel counts what a process was before it became the command, so one that the benchmark
/// started would begin with the benchmark's own memory. A shell starts it instead, ends at once,
/// and leaves it to the benchmark to be waited for.
pub(crate) fn peak_rss_kib(command: &Command, starter: &mut Command) -> io::Result<i64> {
    let own = rustix::process::getpid();
    // The shell becomes another program at once, lest it wait for the command itself.
    let line = r#""$@" <&0 >/dev/null & exec echo $!"#;
    starter
        .args(["-c", line, "sh"])
        .arg(command.get_program())
        .args(command.get_args())
        .stdout(Stdio::piped());
    rustix::process::set_child_subreaper(Some(own))?;
    let mut started = Started::start(starter)?;
    let mut text = String::new();
    if let Some(mut stdout) = started.child().stdout.take() {
        stdout.read_to_string(&mut text)?;
    }
    started.wait()?;
    rustix::process::set_child_subreaper(None)?;
    let process = text.trim().parse().ok().and_then(Pid::from_raw);
    let process = process.ok_or_else(|| io::Error::other("the shell started nothing"))?;
    let since = Instant::now();
    lock().push((process, since));
    Ok(wait_for(process, since)?.1)
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command) -> io::Result<Duration> {
    Started::start(command)?.wait()
}

/// One way of doing what others do too. It runs once each time it is called.
pub(crate) struct Variant<'a> {
    /// Its name in the table.
    pub(crate) name: String,
    /// One run.
    pub(crate) once: Box<dyn FnMut() -> io::Result<Duration> + 'a>,
}

impl<'a> Variant<'a> {
    /// A variant.
    pub(crate) fn new(
        name: impl Into<String>,
        once: impl FnMut() -> io::Result<Duration> + 'a,
    ) -> Self {
        Self {
            name: name.into(),
            once: Box::new(once),
        }
    }
}

/// Runs all variants in turn, round by round, after some rounds that don't count. One that fails
/// is told with its error and has no samples.
pub(crate) fn interleave(
    variants: &mut [Variant<'_>],
    warm_up: usize,
    rounds: usize,
) -> Vec<io::Result<Vec<Duration>>> {
    let mut samples: Vec<io::Result<Vec<Duration>>> = Vec::with_capacity(variants.len());
    samples.resize_with(variants.len(), || Ok(Vec::with_capacity(rounds)));
    for round in 0..warm_up + rounds {
        for (variant, result) in variants.iter_mut().zip(&mut samples) {
            let Ok(taken) = result else { continue };
            match (variant.once)() {
                Ok(one) if round >= warm_up => taken.push(one),
                Ok(_) => {}
                Err(error) => *result = Err(error),
            }
        }
    }
    samples
}
