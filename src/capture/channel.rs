//! One output channel: from the command's PTY or pipe to the caller's stream, with one buffer
//! between them.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::buffer::spare_capacity;
use rustix::fs::FileType;
use rustix::io::Errno;

use crate::session::{Signal, Stream};
use crate::sys::pty::Pty;
use crate::sys::{linger, stream};

/// Bytes a PTY's channel holds at most. The kernel hands them out in pieces of 4 KiB; gathering a
/// few saves writes, gathering more makes the command wait meanwhile (docs/performance.md).
const PTY_BUFFER_BYTES: usize = 32 * 1024;
/// Bytes a pipe's channel holds at most: what the pipe itself holds, so one read takes it all.
const PIPE_BUFFER_BYTES: usize = 64 * 1024;

/// What the kernel hands out of a PTY at once at the most. With less room than this a read takes
/// as long and brings less.
const READ_BYTES: usize = 4096;

/// The most that is written at once to what may be a pipe: after poll(2) says that it takes more,
/// this much is taken without blocking (PIPE_BUF on Linux).
const WRITE_BYTES: usize = 4096;

/// How to write to the caller's stream without ever waiting for it. `O_NONBLOCK` is no way: the
/// flag would be the caller's too.
enum Writing {
    /// A regular file never makes a writer wait for a reader.
    Directly,
    /// `RWF_NOWAIT` (pwritev2(2)) asks for one write not to wait.
    NoWait,
    /// Through an open file of aido's own, which doesn't block: for terminals.
    Reopened(OwnedFd),
    /// A piece that fits, after poll(2) said so: for whatever can't be had otherwise.
    InPieces,
}

/// Where a channel's bytes come from.
pub enum Source {
    /// The master side of a PTY.
    Pty(Pty),
    /// The read end of a pipe, non-blocking.
    Pipe(OwnedFd),
}

impl Source {
    fn buffer_bytes(&self) -> usize {
        match self {
            Self::Pty(_) => PTY_BUFFER_BYTES,
            Self::Pipe(_) => PIPE_BUFFER_BYTES,
        }
    }
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
    writing: Writing,
    /// Whether the caller's stream is a pipe or a socket, of which poll(2) tells that its reader is gone.
    has_reader: bool,
    /// False once the caller's stream has failed: bytes are recorded, not delivered.
    delivering: bool,
    /// What was read; the room beyond is never touched before it is needed.
    buffer: Vec<u8>,
    /// How much of it the caller has.
    start: usize,
}

impl Channel {
    /// A channel from `source` to the caller's stream `target`.
    #[must_use]
    pub fn new(stream: Stream, source: Source, target: BorrowedFd<'static>) -> Self {
        let kind = rustix::fs::fstat(target)
            .map(|status| FileType::from_raw_mode(status.st_mode))
            .unwrap_or(FileType::Unknown);
        let buffer = Vec::with_capacity(source.buffer_bytes());
        Self {
            stream,
            source: Some(source),
            target,
            writing: match kind {
                FileType::RegularFile => Writing::Directly,
                _ => Writing::NoWait,
            },
            has_reader: matches!(kind, FileType::Fifo | FileType::Socket),
            delivering: true,
            buffer,
            start: 0,
        }
    }

    /// The source, while it can be read and there is room for its bytes.
    #[must_use]
    pub fn wants_to_read(&self) -> Option<&Source> {
        self.source.as_ref().filter(|_| !self.is_waiting())
    }

    /// The caller's stream, where its reader's end is to be passed on at once: the command writes to a pipe
    /// too, and would else learn of it a write later than without aido.
    #[must_use]
    pub fn wants_reader(&self) -> Option<BorrowedFd<'static>> {
        let is_pipe = matches!(self.source, Some(Source::Pipe(_)));
        let is_watched = is_pipe && self.has_reader && self.delivering && !self.is_waiting();
        is_watched.then_some(self.target)
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
        self.start < self.buffer.len()
    }

    /// The caller's stream.
    #[must_use]
    pub fn target(&self) -> BorrowedFd<'static> {
        self.target
    }

    /// The bytes that wait.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// Reads what is there, up to one buffer. Only when nothing waits.
    pub fn fill(&mut self) -> Filled {
        let Some(source) = &self.source else {
            return Filled::Closed;
        };
        self.start = 0;
        self.buffer.clear();
        while self.buffer.len() + READ_BYTES <= self.buffer.capacity() {
            match rustix::io::read(source, spare_capacity(&mut self.buffer)) {
                Ok(0) => return self.closed(),
                Ok(_) => {}
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

    /// Stops reading here. Who still writes to a pipe was started by the command and outlives it: what it
    /// writes is handed on, and not recorded.
    pub fn let_go(&mut self) {
        if let Some(Source::Pipe(pipe)) = self.source.take()
            && self.delivering
        {
            linger::hand_on(pipe, self.target);
        }
    }

    /// Gives up on the bytes that wait, and on all that follow.
    pub fn stop_delivering(&mut self) {
        self.delivering = false;
        self.discard();
    }

    /// Writes some of the bytes that wait.
    fn write(&self) -> rustix::io::Result<usize> {
        let rest = &self.buffer[self.start..];
        match &self.writing {
            Writing::Directly => rustix::io::write(self.target, rest),
            Writing::NoWait => stream::write_no_wait(self.target, rest),
            Writing::Reopened(own) => rustix::io::write(own, rest),
            Writing::InPieces if stream::is_writable(self.target) => {
                rustix::io::write(self.target, &rest[..rest.len().min(WRITE_BYTES)])
            }
            Writing::InPieces => Err(Errno::AGAIN),
        }
    }

    fn discard(&mut self) {
        self.start = 0;
        self.buffer.clear();
    }

    /// Hands waiting bytes to the caller, as far as that goes without blocking.
    pub fn deliver(&mut self) -> Delivered {
        if !self.delivering {
            self.discard();
            return Delivered::All;
        }
        while self.is_waiting() {
            match self.write() {
                Ok(count) => self.start += count,
                Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL)
                    if matches!(self.writing, Writing::NoWait) =>
                {
                    let own = stream::reopen_to_write(self.target);
                    self.writing = own.map_or(Writing::InPieces, Writing::Reopened);
                }
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
