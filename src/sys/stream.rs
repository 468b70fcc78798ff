//! Writing to the caller's streams without waiting for whoever reads them.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::{FileType, Mode, OFlags};
#[cfg(not(any(target_os = "linux", target_os = "android")))]
use rustix::io::Errno;

/// Whether what is written goes to a file, or to a device that is no terminal: to nobody who looks at
/// the terminal now.
#[must_use]
pub fn is_file(target: impl AsFd) -> bool {
    let kind = rustix::fs::fstat(&target).map(|stat| FileType::from_raw_mode(stat.st_mode));
    match kind {
        Ok(FileType::RegularFile) => true,
        Ok(FileType::CharacterDevice) => !rustix::termios::isatty(&target),
        _ => false,
    }
}

/// Whether a write of a few kilobytes would not wait.
#[must_use]
pub fn is_writable(target: BorrowedFd<'_>) -> bool {
    becomes_writable(target, Duration::ZERO)
}

/// Whether a stream takes some bytes now or within this time; a signal that is caught ends the waiting.
#[must_use]
pub fn becomes_writable(target: BorrowedFd<'_>, within: Duration) -> bool {
    let mut poll = [PollFd::from_borrowed_fd(target, PollFlags::OUT)];
    let within = Timespec {
        tv_sec: within.as_secs().try_into().unwrap_or(i64::MAX),
        tv_nsec: within.subsec_nanos().into(),
    };
    // An error on the descriptor counts as ready: the write then says what it is.
    matches!(rustix::event::poll(&mut poll, Some(&within)), Ok(1))
}

/// Waits until one of the descriptors has something to read, or its end, or until the time is over;
/// returns which have. Without a time it waits for ever; a signal that is caught ends it early.
#[must_use]
pub fn wait_to_read<const COUNT: usize>(
    sources: [BorrowedFd<'_>; COUNT],
    time: Option<Duration>,
) -> [bool; COUNT] {
    let mut polled = sources.map(|source| PollFd::from_borrowed_fd(source, PollFlags::IN));
    // What is too long for the kernel is for ever.
    let time = time.and_then(|time| Timespec::try_from(time).ok());
    match rustix::event::poll(&mut polled, time.as_ref()) {
        Ok(_) => polled.map(|source| !source.revents().is_empty()),
        Err(_) => [false; COUNT],
    }
}

/// Writes what goes without waiting.
///
/// # Errors
/// `AGAIN` when nothing does; `OPNOTSUPP`, `INVAL` or `NOSYS` when this way of asking is unknown
/// for this stream (a terminal, an old kernel).
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn write_no_wait(target: BorrowedFd<'_>, bytes: &[u8]) -> rustix::io::Result<usize> {
    use rustix::io::{IoSlice, ReadWriteFlags, pwritev2};
    // The offset that stands for the file's own position.
    const AT_POSITION: u64 = u64::MAX;
    pwritev2(
        target,
        &[IoSlice::new(bytes)],
        AT_POSITION,
        ReadWriteFlags::NOWAIT,
    )
}

/// As above: there is no such call here.
///
/// # Errors
/// Always `NOSYS`.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub fn write_no_wait(_target: BorrowedFd<'_>, _bytes: &[u8]) -> rustix::io::Result<usize> {
    Err(Errno::NOSYS)
}

/// Opens the file behind a stream once more, so that `O_NONBLOCK` is on an open file of aido's own.
/// poll(2) doesn't promise that a terminal takes what a pipe would.
///
/// # Errors
/// When the file belongs to somebody else, or there is no /proc.
pub fn reopen_to_write(stream: BorrowedFd<'_>) -> std::io::Result<OwnedFd> {
    let path = format!("/proc/self/fd/{}", stream.as_raw_fd());
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty())?)
}

/// While it lives, this program's standard output and error go nowhere.
#[must_use]
#[derive(Debug)]
pub struct Silence {
    stdout: OwnedFd,
    stderr: OwnedFd,
}

impl Silence {
    /// Begins it.
    ///
    /// # Errors
    /// When there are no more descriptors, or no /dev/null.
    pub fn begin() -> std::io::Result<Self> {
        let kept = |stream| rustix::io::fcntl_dupfd_cloexec(stream, 3);
        let silence = Self {
            stdout: kept(rustix::stdio::stdout())?,
            stderr: kept(rustix::stdio::stderr())?,
        };
        let nowhere =
            rustix::fs::open("/dev/null", OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
        rustix::stdio::dup2_stdout(&nowhere)?;
        rustix::stdio::dup2_stderr(&nowhere)?;
        Ok(silence)
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        let _ = rustix::stdio::dup2_stdout(&self.stdout);
        let _ = rustix::stdio::dup2_stderr(&self.stderr);
    }
}

/// Says a line on standard error without ever waiting for it; lost if nobody takes it.
pub fn say(line: &str) {
    let stderr = rustix::stdio::stderr();
    if is_writable(stderr) {
        let _ = rustix::io::write(stderr, line.as_bytes());
    }
}

/// Reads what is there, at most as much as fits: none at the end. Waits if nothing is there.
///
/// # Errors
/// When it can't be read.
pub fn read_some(source: BorrowedFd<'_>, buffer: &mut [u8]) -> std::io::Result<usize> {
    Ok(rustix::io::retry_on_intr(|| {
        rustix::io::read(source, &mut *buffer)
    })?)
}
