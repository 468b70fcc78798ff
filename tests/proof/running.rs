//! Runs a command, collects what it prints, and never waits longer than it may.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::process::{Pid, PidfdFlags, Signal};

use super::processes;

/// How long a command may take that nothing else is said of.
const LIMIT: Duration = Duration::from_secs(30);

/// A command about to run.
pub(crate) struct Run {
    command: Command,
    limit: Duration,
    collects_stdout: bool,
}

impl Run {
    /// A run of this command, as the leader of a process group, with nothing to read.
    pub(crate) fn new(mut command: Command) -> Self {
        command.stdin(Stdio::null()).process_group(0);
        Self {
            command,
            limit: LIMIT,
            collects_stdout: true,
        }
    }

    pub(crate) fn arguments<I, S>(mut self, arguments: I) -> Self
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        self.command.args(arguments);
        self
    }

    pub(crate) fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Takes away every variable.
    pub(crate) fn env_clear(mut self) -> Self {
        self.command.env_clear();
        self
    }

    pub(crate) fn current_dir(mut self, path: impl AsRef<Path>) -> Self {
        self.command.current_dir(path);
        self
    }

    /// How long it may take.
    pub(crate) fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Standard input comes from here.
    pub(crate) fn stdin(mut self, stdin: impl Into<Stdio>) -> Self {
        self.command.stdin(stdin);
        self
    }

    /// Standard output goes there and is not collected.
    pub(crate) fn stdout(mut self, stdout: impl Into<Stdio>) -> Self {
        self.command.stdout(stdout);
        self.collects_stdout = false;
        self
    }

    /// Runs between fork and exec: system calls only, no allocation and no lock.
    pub(crate) fn before_exec(
        mut self,
        hook: impl FnMut() -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        // SAFETY: the callers' contract, above.
        unsafe { self.command.pre_exec(hook) };
        self
    }

    /// Runs to the end.
    pub(crate) fn output(self) -> io::Result<Output> {
        self.spawn()?.wait()
    }

    /// Starts it.
    pub(crate) fn spawn(mut self) -> io::Result<Running> {
        let stdout = if self.collects_stdout {
            let (reader, writer) = pipe()?;
            self.command.stdout(writer);
            Some(reader)
        } else {
            None
        };
        let (stderr, writer) = pipe()?;
        self.command.stderr(writer);
        let started = Instant::now();
        let child = self.command.spawn()?;
        // The writers' ends go with it, so that the readers see the end.
        drop(self.command);
        let ended = rustix::process::pidfd_open(Pid::from_child(&child), PidfdFlags::empty())?;
        Ok(Running {
            child,
            ended,
            pipes: [stdout, Some(stderr)],
            read: [Vec::new(), Vec::new()],
            started,
            deadline: started + self.limit,
        })
    }
}

/// A pipe whose reading end doesn't wait.
fn pipe() -> io::Result<(File, io::PipeWriter)> {
    let (reader, writer) = io::pipe()?;
    rustix::io::ioctl_fionbio(&reader, true)?;
    Ok((File::from(OwnedFd::from(reader)), writer))
}

/// A command that runs. Dropping it ends it and its descendants.
pub(crate) struct Running {
    child: Child,
    /// Readable once it has ended.
    ended: OwnedFd,
    pipes: [Option<File>; 2],
    read: [Vec<u8>; 2],
    started: Instant,
    deadline: Instant,
}

impl Running {
    /// Its process.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Sends it, and only it, a signal.
    pub(crate) fn signal(&self, signal: Signal) -> io::Result<()> {
        Ok(rustix::process::pidfd_send_signal(&self.ended, signal)?)
    }

    /// Waits until standard output holds this; false if it ends before, or the time is over.
    pub(crate) fn has_printed(&mut self, awaited: &[u8]) -> io::Result<bool> {
        loop {
            if contains(&self.read[0], awaited) {
                return Ok(true);
            }
            if self.pipes[0].is_none() || !self.step()? {
                return Ok(contains(&self.read[0], awaited));
            }
        }
    }

    /// Waits for its end, and takes what is in the pipes then; who else holds them isn't waited for.
    pub(crate) fn wait(mut self) -> io::Result<Output> {
        while self.step()? {}
        let status = self.child.try_wait()?;
        if status.is_none() {
            self.end();
        }
        for index in 0..2 {
            self.take(index)?;
        }
        let [stdout, stderr] = std::mem::take(&mut self.read);
        Ok(Output {
            status,
            stdout,
            stderr,
            took: self.started.elapsed(),
        })
    }

    /// Waits for something to happen; false when it has ended or the time is over.
    fn step(&mut self) -> io::Result<bool> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        let mut descriptors = vec![PollFd::new(&self.ended, PollFlags::IN)];
        let open: Vec<usize> = (0..2)
            .filter(|index| self.pipes[*index].is_some())
            .collect();
        for pipe in self.pipes.iter().flatten() {
            descriptors.push(PollFd::from_borrowed_fd(pipe.as_fd(), PollFlags::IN));
        }
        let timeout = Timespec::try_from(left).ok();
        let ready = match rustix::event::poll(&mut descriptors, timeout.as_ref()) {
            Err(rustix::io::Errno::INTR) => return Ok(true),
            ready => ready?,
        };
        let has: Vec<bool> = descriptors
            .iter()
            .map(|poll| !poll.revents().is_empty())
            .collect();
        for (index, has) in open.into_iter().zip(&has[1..]) {
            if *has {
                self.take(index)?;
            }
        }
        Ok(ready > 0 && !has[0])
    }

    /// Takes what is in a pipe.
    fn take(&mut self, index: usize) -> io::Result<()> {
        let mut chunk = [0; 16 * 1024];
        while let Some(pipe) = &mut self.pipes[index] {
            match pipe.read(&mut chunk) {
                Ok(0) => self.pipes[index] = None,
                Ok(count) => self.read[index].extend_from_slice(&chunk[..count]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn end(&mut self) {
        for process in processes::descendants(self.child.id()) {
            processes::kill(process);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|status| status.is_none()) {
            self.end();
        }
    }
}

/// How a command ended and what it printed.
pub(crate) struct Output {
    /// None if its time was over.
    status: Option<ExitStatus>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    pub(crate) took: Duration,
}

/// The code of a command that was ended because its time was over.
pub(crate) const HUNG: i32 = -1;

impl Output {
    /// The exit code as a shell shows it: 128 and the number for a signal; [`HUNG`].
    pub(crate) fn code(&self) -> i32 {
        let Some(status) = self.status else {
            return HUNG;
        };
        let by_signal = || 128 + status.signal().unwrap_or(0);
        status.code().unwrap_or_else(by_signal)
    }

    /// The signal that ended it.
    pub(crate) fn signal(&self) -> Option<i32> {
        self.status?.signal()
    }

    /// Whether aido said something of its own on standard error.
    pub(crate) fn has_notice(&self) -> bool {
        let mut lines = self.stderr.split(|byte| *byte == b'\n');
        lines.any(|line| line.starts_with(b"aido: "))
    }

    /// Whether a Rust panic is told on standard error.
    pub(crate) fn has_panic(&self) -> bool {
        contains(&self.stderr, b"panicked at")
    }

    /// One line for people.
    pub(crate) fn describe(&self) -> String {
        let shown = |bytes: &[u8]| bytes[..bytes.len().min(300)].escape_ascii().to_string();
        let end = match self.code() {
            HUNG => "hung".to_owned(),
            code => format!("exit {code}"),
        };
        let (stdout, stderr) = (shown(&self.stdout), shown(&self.stderr));
        format!("{end}, stdout \"{stdout}\", stderr \"{stderr}\"")
    }
}

/// Whether bytes hold these.
pub(crate) fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    needle.is_empty()
        || haystack
            .windows(needle.len())
            .any(|window| window == needle)
}
