//! The process between aido and a command that has a terminal of its own.
//!
//! It leads the session of that terminal, so that the command doesn't: a command that led it would
//! take its background processes down at its end (the kernel hangs up the foreground group of a
//! session whose leader ends), and could not be stopped with Ctrl-Z (its group would be orphaned).
//! It reports what happens to the command, and ends the command's group should aido be killed.
#![expect(unsafe_code, reason = "fork, setsid, TIOCSCTTY")]

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use rustix::pipe::PipeFlags;
use rustix::process::Pid;

use super::process::{self, Change};
use super::signals::{self, AllBlocked, Inheritance};
use super::spawn::{Command, Group, SpawnError};
use crate::session::Signal;

/// Bytes of one report: its kind and a number, native-endian.
const REPORT: usize = 8;
const STARTED: i32 = 1;
const FAILED: i32 = 2;
const STOPPED: i32 = 3;
const EXITED: i32 = 4;
const SIGNALED: i32 = 5;
const NO_PROCESS: i32 = 6;

/// A running monitor, seen from aido.
#[must_use]
pub struct Monitor {
    pid: Pid,
    reports: OwnedFd,
    /// The command's process group, which is also its process id.
    pub command: Pid,
}

impl Monitor {
    /// Starts a monitor that makes `terminal`, the slave of a PTY, its controlling terminal and
    /// runs `command` in the foreground of it.
    ///
    /// # Errors
    /// As [`Command::spawn`]; also when there can't be another process.
    pub fn start(
        mut command: Command,
        terminal: BorrowedFd<'_>,
        inheritance: &Inheritance,
    ) -> Result<Self, SpawnError> {
        let (reader, writer) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)
            .map_err(|errno| SpawnError::Process(errno.into()))?;
        command.group = Group::OwnInForeground(terminal.as_raw_fd());
        let blocked = AllBlocked::new();
        // SAFETY: aido has one thread, so the copy may go on as if nothing had happened.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            monitor(&command, terminal.as_raw_fd(), inheritance, &writer);
        }
        drop(blocked);
        drop(writer);
        let pid = process::made(pid).map_err(SpawnError::Process)?;
        let mut monitor = Self {
            pid,
            reports: reader,
            command: pid,
        };
        match monitor.read_report() {
            Some((STARTED, command)) => {
                monitor.command = Pid::from_raw(command).unwrap_or(pid);
                Ok(monitor)
            }
            Some((NO_PROCESS, errno)) => {
                process::reap(pid);
                let source = io::Error::from_raw_os_error(errno);
                Err(SpawnError::Process(source))
            }
            Some((FAILED, errno)) => {
                process::reap(pid);
                Err(SpawnError::Program(io::Error::from_raw_os_error(errno)))
            }
            _ => {
                process::reap(pid);
                Err(SpawnError::Process(io::Error::other(
                    "the monitor ended early",
                )))
            }
        }
    }

    /// The next thing that happened to the command; none when the monitor itself was killed.
    /// Waits: call it when [`AsFd`] is readable.
    pub fn next_change(&mut self) -> Option<Change> {
        match self.read_report()? {
            (STOPPED, number) => Some(Change::Stopped(Signal(number))),
            (EXITED, code) => Some(Change::Exited(code)),
            (SIGNALED, number) => Some(Change::Signaled(Signal(number))),
            _ => None,
        }
    }

    /// The monitor's own process.
    #[must_use]
    pub fn process(&self) -> Pid {
        self.pid
    }

    /// Waits for the monitor's end, which follows its last report.
    pub fn reap(self) {
        process::reap(self.pid);
    }

    fn read_report(&mut self) -> Option<(i32, i32)> {
        let mut bytes = [0_u8; REPORT];
        loop {
            match rustix::io::read(&self.reports, &mut bytes) {
                Ok(REPORT) => break,
                Err(rustix::io::Errno::INTR) => {}
                _ => return None,
            }
        }
        let [a, b, c, d, e, f, g, h] = bytes;
        Some((
            i32::from_ne_bytes([a, b, c, d]),
            i32::from_ne_bytes([e, f, g, h]),
        ))
    }
}

impl AsFd for Monitor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.reports.as_fd()
    }
}

/// The monitor's life. All signals are blocked throughout, so the terminal's keys and a `kill 0`
/// of the command don't touch it.
fn monitor(command: &Command, terminal: RawFd, inheritance: &Inheritance, reports: &OwnedFd) -> ! {
    let aido = rustix::process::getppid();
    // SAFETY: plain system calls of a process with one thread.
    unsafe {
        libc::setsid();
        libc::ioctl(terminal, libc::TIOCSCTTY as _, 0);
        #[cfg(any(target_os = "linux", target_os = "android"))]
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGHUP);
    }
    let spawned = command.spawn(inheritance);
    // Only now, since the command inherits an ignored SIGHUP (nohup); here it must arrive.
    signals::set_default(libc::SIGHUP);
    let code = match spawned {
        Ok(pid) => {
            send(reports, STARTED, pid.as_raw_nonzero().get());
            let reports = keep_only(terminal, reports);
            watch(pid, aido, &reports);
            0
        }
        Err(error) => {
            let (kind, source) = match &error {
                SpawnError::Program(source) => (FAILED, source),
                SpawnError::Process(source) => (NO_PROCESS, source),
            };
            send(reports, kind, source.raw_os_error().unwrap_or(libc::EAGAIN));
            1
        }
    };
    // SAFETY: ends this copy without running aido's exit handlers.
    unsafe { libc::_exit(code) }
}

/// Lets go of everything but the terminal (0 to 2) and the report pipe (3).
fn keep_only(terminal: RawFd, reports: &OwnedFd) -> OwnedFd {
    // SAFETY: the monitor uses no other descriptor from here on; 3 is the copy made here.
    unsafe {
        let spare = libc::fcntl(reports.as_raw_fd(), libc::F_DUPFD_CLOEXEC, 4);
        // Both are above 2: the standard descriptors are taken since before aido's main.
        for standard in 0..3 {
            libc::dup2(terminal, standard);
        }
        let spare = if spare == -1 {
            reports.as_raw_fd()
        } else {
            spare
        };
        libc::dup2(spare, 3);
        process::close_from(4);
        OwnedFd::from_raw_fd(3)
    }
}

fn watch(command: Pid, aido: Option<Pid>, reports: &OwnedFd) {
    loop {
        while let Some(change) = process::poll_change_or_stop(command) {
            match change {
                Change::Stopped(signal) => send(reports, STOPPED, signal.0),
                Change::Exited(code) => return finish(reports, EXITED, code),
                Change::Signaled(signal) => return finish(reports, SIGNALED, signal.0),
            }
        }
        let number = signals::wait_for(&[libc::SIGCHLD, libc::SIGHUP]);
        // A hang-up also comes when aido closed its side because the window is gone.
        if number == libc::SIGHUP && rustix::process::getppid() != aido {
            process::end_group(command);
            return;
        }
    }
}

/// Reports the end, after taking the terminal's foreground, so that this process's own end hangs
/// up nobody's background process.
fn finish(reports: &OwnedFd, kind: i32, number: i32) {
    // SAFETY: descriptor 0 is the terminal; SIGTTOU is blocked.
    unsafe { libc::tcsetpgrp(0, libc::getpgrp()) };
    send(reports, kind, number);
}

fn send(reports: &OwnedFd, kind: i32, number: i32) {
    let mut bytes = [0_u8; REPORT];
    bytes[..4].copy_from_slice(&kind.to_ne_bytes());
    bytes[4..].copy_from_slice(&number.to_ne_bytes());
    // A report that can't be sent has nobody to read it.
    let _ = rustix::io::write(reports, &bytes);
}
