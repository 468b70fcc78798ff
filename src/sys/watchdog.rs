//! Ends a command's group should aido be killed (SIGKILL), where no terminal's hang-up would.
//!
//! The command itself dies with aido by the kernel's parent-death signal from its first moment;
//! this helper reaches the processes that the command started. It is started only for commands
//! that run a little longer, so a short command doesn't pay for it.
#![expect(unsafe_code, reason = "fork")]

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use rustix::pipe::PipeFlags;
use rustix::process::Pid;

use super::process::{self, Target};
use super::signals::AllBlocked;
use crate::session::Signal;

/// A running watchdog; dropping it calls it off.
#[must_use]
pub struct Watchdog {
    pid: Pid,
    /// Held open as long as aido lives; its closing is the news of aido's end.
    _alive: OwnedFd,
}

impl Watchdog {
    /// Watches over the process group `group`.
    ///
    /// # Errors
    /// When there can't be another process or pipe.
    pub fn start(group: Pid) -> io::Result<Self> {
        let (reader, writer) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
        let blocked = AllBlocked::new();
        // SAFETY: aido has one thread, so the copy may go on as if nothing had happened.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            watch(group, &reader);
        }
        drop(blocked);
        let pid = process::made(pid)?;
        Ok(Self {
            pid,
            _alive: writer,
        })
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        Target::Process(self.pid).send(Signal(libc::SIGKILL));
        process::reap(self.pid);
    }
}

fn watch(group: Pid, alive: &OwnedFd) -> ! {
    // SAFETY: plain system calls of a process with one thread; descriptor 0 is the copy made here
    // and 1 and 2 are closed like all others, since nothing is ever printed.
    let alive = unsafe {
        libc::setpgid(0, 0);
        libc::dup2(alive.as_raw_fd(), 0);
        process::close_from(1);
        OwnedFd::from_raw_fd(0)
    };
    let mut nothing = [0_u8; 1];
    while let Err(rustix::io::Errno::INTR) = rustix::io::read(&alive, &mut nothing) {}
    process::end_group(group);
    // SAFETY: ends this copy without running aido's exit handlers.
    unsafe { libc::_exit(0) }
}
