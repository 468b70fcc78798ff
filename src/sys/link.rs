//! A stream of bytes both ways between two processes: a socket, or a pair of named pipes.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::buffer::spare_capacity;
use rustix::io::Errno;

/// One end of it. Neither reading nor writing ever waits.
#[derive(Debug)]
pub enum Link {
    /// One descriptor for both ways.
    Socket(OwnedFd),
    /// One for each.
    Pipes {
        /// What the other side writes.
        from: OwnedFd,
        /// What it reads.
        to: OwnedFd,
    },
}

/// What a look at the other side's bytes came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// There were some.
    Some,
    /// There are none now.
    Nothing,
    /// The other side is gone.
    End,
}

impl Link {
    /// Where to wait for what the other side sends.
    #[must_use]
    pub fn reader(&self) -> BorrowedFd<'_> {
        match self {
            Self::Socket(both) | Self::Pipes { from: both, .. } => both.as_fd(),
        }
    }

    /// Where to wait until the other side takes more.
    #[must_use]
    pub fn writer(&self) -> BorrowedFd<'_> {
        match self {
            Self::Socket(both) | Self::Pipes { to: both, .. } => both.as_fd(),
        }
    }

    /// Reads what is there, as far as `piece` has room for it.
    pub fn take(&self, piece: &mut Vec<u8>) -> Taken {
        match rustix::io::read(self.reader(), spare_capacity(piece)) {
            Ok(0) => Taken::End,
            Ok(_) => Taken::Some,
            Err(Errno::AGAIN | Errno::INTR) => Taken::Nothing,
            Err(_) => Taken::End,
        }
    }

    /// Sends what goes without waiting; none when nobody reads any more. The process must ignore
    /// SIGPIPE, as [`super::startup`] makes it.
    #[must_use]
    pub fn send(&self, bytes: &[u8]) -> Option<usize> {
        use rustix::net::SendFlags;
        let sent = match self {
            Self::Socket(socket) => {
                rustix::net::send(socket, bytes, SendFlags::NOSIGNAL | SendFlags::DONTWAIT)
            }
            Self::Pipes { to, .. } => rustix::io::write(to, bytes),
        };
        match sent {
            Ok(count) => Some(count),
            Err(Errno::AGAIN | Errno::INTR) => Some(0),
            Err(_) => None,
        }
    }
}

/// Whether a failure to connect says that nobody listens, and not that it isn't allowed.
#[must_use]
pub fn is_nobody(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
    )
}
