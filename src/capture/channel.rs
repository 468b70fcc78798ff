//! One output channel: from the command's PTY or pipe to the caller's stream, with one buffer
//! between them.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;

use crate::session::{Signal, Stream};
use crate::sys::pty::Pty;

/// Bytes a channel holds at most. The kernel hands out a PTY's bytes in pieces of 4 KiB; gathering
/// a few saves writes, and 64 KiB is what a pipe holds.
const BUFFER_BYTES: usize = 64 * 1024;

/// The most that is written at once to what may be a pipe: after poll(2) says that it takes more,
/// this much is taken without blocking (PIPE_BUF on Linux).
const WRITE_BYTES: usize = 4096;

/// Where a channel's bytes come from.
pub enum Source {
    /// The master side of a PTY.
    Pty(Pty),
    /// The read end of a pipe, non-blocking.
    Pipe(OwnedFd),
}

impl AsFd for Source {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Pty(pty) => pty.as_fd(),
            Self::Pipe(pipe) => pipe.as_fd(),
        }
    }
}

/// How far reading got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filled {
    /// There may be more.
    Full,
    /// Nothing more is there at the moment.
    Empty,
    /// Nothing will ever come again.
    Closed,
}

/// What became of the bytes that were to be delivered.
#[derive(Debug)]
pub enum Delivered {
    /// All are with the caller.
    All,
    /// The caller takes no more at the moment.
    Waiting,
    /// Nobody reads what the caller was given: the reader of a pipe is gone.
    NobodyReads,
    /// The caller's stream can't be written to; said once.
    Failed(io::Error),
}

/// One output channel.
pub struct Channel {
    /// Which of the command's streams it carries.
    pub stream: Stream,
    source: Option<Source>,
    target: BorrowedFd<'static>,
    target_may_block: bool,
    /// False once the caller's stream has failed: bytes are recorded, not delivered.
    delivering: bool,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl Channel {
    /// A channel from `source` to the caller's stream `target`.
    #[must_use]
    pub fn new(stream: Stream, source: Source, target: BorrowedFd<'static>) -> Self {
        let is_file = rustix::fs::fstat(target).is_ok_and(|status| {
            let kind = rustix::fs::FileType::from_raw_mode(status.st_mode);
            kind == rustix::fs::FileType::RegularFile
        });
        Self {
            stream,
            source: Some(source),
            target,
            target_may_block: !is_file,
            delivering: true,
            buffer: vec![0; BUFFER_BYTES],
            start: 0,
            end: 0,
        }
    }

    /// The source, while it can be read and there is room for its bytes.
    #[must_use]
    pub fn wants_to_read(&self) -> Option<&Source> {
        self.source.as_ref().filter(|_| !self.is_waiting())
    }

    /// The source, while it is open.
    #[must_use]
    pub fn source(&self) -> Option<&Source> {
        self.source.as_ref()
    }

    /// The PTY behind it, while it is open.
    #[must_use]
    pub fn pty(&self) -> Option<&Pty> {
        match &self.source {
            Some(Source::Pty(pty)) => Some(pty),
            _ => None,
        }
    }

    /// Whether bytes wait for the caller to take them.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.start < self.end
    }

    /// The caller's stream.
    #[must_use]
    pub fn target(&self) -> BorrowedFd<'static> {
        self.target
    }

    /// The bytes that wait.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Reads what is there, up to one buffer. Only when nothing waits.
    pub fn fill(&mut self) -> Filled {
        let Some(source) = &self.source else {
            return Filled::Closed;
        };
        (self.start, self.end) = (0, 0);
        while self.end < self.buffer.len() {
            match rustix::io::read(source, &mut self.buffer[self.end..]) {
                Ok(0) => return self.closed(),
                Ok(count) => self.end += count,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Filled::Empty,
                // The last descriptor of a PTY's slave is closed: EIO.
                Err(_) => return self.closed(),
            }
        }
        Filled::Full
    }

    fn closed(&mut self) -> Filled {
        self.source = None;
        Filled::Closed
    }

    /// Stops reading: the command's next write fails.
    pub fn hang_up(&mut self) {
        self.source = None;
    }

    /// Gives up on the bytes that wait, and on all that follow.
    pub fn stop_delivering(&mut self) {
        self.delivering = false;
        (self.start, self.end) = (0, 0);
    }

    /// Hands waiting bytes to the caller, as far as that goes without blocking.
    pub fn deliver(&mut self) -> Delivered {
        if !self.delivering {
            (self.start, self.end) = (0, 0);
            return Delivered::All;
        }
        while self.start < self.end {
            let mut piece = &self.buffer[self.start..self.end];
            if self.target_may_block {
                if !is_writable(self.target) {
                    return Delivered::Waiting;
                }
                piece = &piece[..piece.len().min(WRITE_BYTES)];
            }
            match rustix::io::write(self.target, piece) {
                Ok(count) => self.start += count,
                // Back to poll(2), which knows why.
                Err(Errno::INTR | Errno::AGAIN) => return Delivered::Waiting,
                Err(Errno::PIPE) => {
                    self.stop_delivering();
                    return Delivered::NobodyReads;
                }
                Err(error) => {
                    self.stop_delivering();
                    return Delivered::Failed(error.into());
                }
            }
        }
        Delivered::All
    }
}

fn is_writable(target: BorrowedFd<'_>) -> bool {
    let mut poll = [PollFd::from_borrowed_fd(target, PollFlags::OUT)];
    let now = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // An error on the descriptor counts as ready: the write then says what it is.
    matches!(rustix::event::poll(&mut poll, Some(&now)), Ok(1))
}

/// Says a line on standard error without ever blocking on it; lost if nobody takes it.
pub fn say(line: &str) {
    let stderr = rustix::stdio::stderr();
    if is_writable(stderr) {
        let _ = rustix::io::write(stderr, line.as_bytes());
    }
}

/// What a broken pipe means for the command: bare, its next write would have raised this.
pub const BROKEN_PIPE: Signal = Signal(libc::SIGPIPE);

/// Makes a pipe whose read end doesn't block and whose both ends close on exec.
///
/// # Errors
/// When there are no more descriptors.
pub fn pipe() -> io::Result<(OwnedFd, File)> {
    let (reader, writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    // Each end of a pipe has its own open file, so the command's end keeps blocking.
    rustix::io::ioctl_fionbio(&reader, true)?;
    Ok((reader, File::from(writer)))
}
