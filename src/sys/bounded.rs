//! Child processes that may take so long and no longer: no terminal, nothing to type at, and what they say
//! is collected.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::{MemfdFlags, Mode};
use rustix::io::{Errno, retry_on_intr};

/// How much is read at once.
const READ_BYTES: usize = 64 * 1024;
/// How much of what it says on standard error is kept.
pub const SAID_BYTES: usize = 64 * 1024;
/// How long to pause between two looks whether it has ended, once it has closed its output.
const PAUSE: Duration = Duration::from_micros(200);

/// How a child ended.
#[derive(Debug)]
pub struct Ended {
    /// Whether its exit code was 0.
    pub is_success: bool,
    /// The beginning of what it said on standard error.
    pub said: Vec<u8>,
}

/// Runs a command in a process group of its own, with `input` on standard input, and hands over what it
/// prints piece by piece. `remaining` tells how long it may still take; when that is nothing, or `take`
/// fails, the child is killed.
///
/// # Errors
/// [`io::ErrorKind::NotFound`] where there is no such program, [`io::ErrorKind::TimedOut`] where the time
/// was over, what `take` said, and whatever else the system refuses.
pub fn run(
    command: &mut Command,
    input: &[u8],
    remaining: &dyn Fn() -> Duration,
    take: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<Ended> {
    if remaining().is_zero() {
        return Err(io::ErrorKind::TimedOut.into());
    }
    let stdin = match input {
        [] => Stdio::null(),
        input => Stdio::from(file_of(input)?),
    };
    command
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    let mut child = command.spawn()?;
    let ended = collect(&mut child, remaining, take);
    if ended.is_err() {
        let _ = child.kill();
        let _ = child.wait();
    }
    ended
}

/// Lets nobody but the user read what a command writes, whatever the umask is.
#[expect(unsafe_code, reason = "what runs between fork and exec")]
pub fn keep_private(command: &mut Command) {
    let set = || {
        rustix::process::umask(Mode::RWXG | Mode::RWXO);
        Ok(())
    };
    // SAFETY: umask(2) is all that is called; it allocates nothing and takes no lock.
    unsafe { command.pre_exec(set) };
}

/// A child that runs beside its caller, which may do something else before it asks for the end. What it
/// prints is kept in memory. Dropped before its end, it is killed.
#[derive(Debug)]
pub struct Started {
    child: Child,
    printed: File,
    has_ended: bool,
}

/// Starts a command as [`run`] does, with nothing to read on standard input, and doesn't wait for it.
///
/// # Errors
/// As [`run`].
pub fn start(command: &mut Command) -> io::Result<Started> {
    let printed = file_of(b"")?;
    command
        .stdin(Stdio::null())
        .stdout(Stdio::from(printed.try_clone()?))
        .stderr(Stdio::piped())
        .process_group(0);
    Ok(Started {
        child: command.spawn()?,
        printed,
        has_ended: false,
    })
}

impl Started {
    /// Waits for its end, within what `remaining` tells; gives what it printed, too.
    ///
    /// # Errors
    /// As [`run`].
    pub fn finish(mut self, remaining: &dyn Fn() -> Duration) -> io::Result<(Ended, Vec<u8>)> {
        let ended = collect(&mut self.child, remaining, &mut |_| Ok(()))?;
        self.has_ended = true;
        let mut printed = Vec::new();
        self.printed.rewind()?;
        self.printed.read_to_end(&mut printed)?;
        Ok((ended, printed))
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        if !self.has_ended {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// A nameless file in memory: unlike a pipe it never makes anybody wait.
fn file_of(bytes: &[u8]) -> io::Result<File> {
    let mut file = File::from(rustix::fs::memfd_create("input", MemfdFlags::CLOEXEC)?);
    file.write_all(bytes)?;
    file.rewind()?;
    Ok(file)
}

fn collect(
    child: &mut Child,
    remaining: &dyn Fn() -> Duration,
    take: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<Ended> {
    let (mut stdout, mut stderr) = (child.stdout.take(), child.stderr.take());
    let mut said = Vec::new();
    let mut buffer = vec![0; READ_BYTES];
    while stdout.is_some() || stderr.is_some() {
        let (of_stdout, of_stderr) = wait(stdout.as_ref(), stderr.as_ref(), remaining())?;
        if of_stdout && let Some(stream) = &mut stdout {
            match read(stream, &mut buffer)? {
                0 => stdout = None,
                count => take(&buffer[..count])?,
            }
        }
        if of_stderr && let Some(stream) = &mut stderr {
            match read(stream, &mut buffer)? {
                0 => stderr = None,
                count => {
                    let room = SAID_BYTES.saturating_sub(said.len());
                    said.extend_from_slice(&buffer[..count.min(room)]);
                }
            }
        }
    }
    loop {
        if let Some(status) = child.try_wait()? {
            let is_success = status.success();
            return Ok(Ended { is_success, said });
        }
        if remaining().is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        std::thread::sleep(PAUSE);
    }
}

/// Waits until one of the two has something to say, or has ended; tells which.
fn wait(
    stdout: Option<&impl AsFd>,
    stderr: Option<&impl AsFd>,
    most: Duration,
) -> io::Result<(bool, bool)> {
    if most.is_zero() {
        return Err(io::ErrorKind::TimedOut.into());
    }
    let mut polled = Vec::with_capacity(2);
    polled.extend(stdout.map(|stream| PollFd::new(stream, PollFlags::IN)));
    polled.extend(stderr.map(|stream| PollFd::new(stream, PollFlags::IN)));
    let timeout = Timespec::try_from(most).map_err(|_| io::ErrorKind::InvalidInput)?;
    match rustix::event::poll(&mut polled, Some(&timeout)) {
        Ok(_) | Err(Errno::INTR) => {}
        Err(error) => return Err(error.into()),
    }
    let mut is_ready = polled.iter().map(|polled| !polled.revents().is_empty());
    let of_stdout = stdout.is_some() && is_ready.next().unwrap_or(false);
    let of_stderr = stderr.is_some() && is_ready.next().unwrap_or(false);
    Ok((of_stdout, of_stderr))
}

fn read(stream: &mut (impl Read + AsFd), buffer: &mut [u8]) -> io::Result<usize> {
    Ok(retry_on_intr(|| {
        rustix::io::read(stream.as_fd(), &mut *buffer)
    })?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    fn shell(line: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", line]);
        command
    }

    fn ample() -> Duration {
        Duration::from_secs(20)
    }

    #[test]
    fn what_a_child_prints_is_handed_over_and_what_it_says_is_kept() {
        let mut printed = Vec::new();
        let mut take = |bytes: &[u8]| {
            printed.extend_from_slice(bytes);
            Ok(())
        };
        let input = vec![b'x'; 300_000];
        let mut command = shell("cat; echo why >&2; exit 3");
        let ended = run(&mut command, &input, &ample, &mut take).unwrap();
        assert!(!ended.is_success);
        assert_eq!(ended.said, b"why\n");
        assert_eq!(printed, input);
    }

    #[test]
    fn a_child_beside_its_caller_gives_all_it_printed_at_its_end() {
        // More than any pipe holds.
        let line = "head -c 300000 /dev/zero; echo why >&2; exit 3";
        let started = start(&mut shell(line)).unwrap();
        let (ended, printed) = started.finish(&ample).unwrap();
        assert!(!ended.is_success);
        assert_eq!(
            (ended.said.as_slice(), printed.len()),
            (&b"why\n"[..], 300_000)
        );
        let started = start(&mut shell("exec sleep 600")).unwrap();
        let late = started.finish(&|| Duration::ZERO).unwrap_err();
        assert_eq!(late.kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn a_child_that_takes_too_long_is_killed() {
        // The first looks find time left, the later ones don't.
        let looks = Cell::new(0);
        let remaining = || {
            looks.set(looks.get() + 1);
            match looks.get() {
                1..=2 => Duration::from_millis(20),
                _ => Duration::ZERO,
            }
        };
        let mut command = shell("exec sleep 600");
        let error = run(&mut command, b"", &remaining, &mut |_| Ok(())).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn a_program_that_is_not_there_is_told_apart() {
        let mut command = Command::new("/nonexistent/program");
        let error = run(&mut command, b"", &ample, &mut |_| Ok(())).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn who_takes_no_more_ends_the_child() {
        let mut command = shell("while :; do echo more; done");
        let mut take = |_: &[u8]| Err(io::Error::other("enough"));
        let error = run(&mut command, b"", &ample, &mut take).unwrap_err();
        assert_eq!(error.to_string(), "enough");
    }
}
