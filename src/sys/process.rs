//! Processes that were started: how they end, and how they are reached.
#![expect(
    unsafe_code,
    reason = "waitid, asking a descriptor by its number, and closing a range of them in a forked helper"
)]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::path::{Path, PathBuf};

use rustix::process::{Pid, WaitOptions, WaitStatus};

use crate::session::{Outcome, Signal};

/// A change of a child's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It exited with this code.
    Exited(i32),
    /// This signal killed it.
    Signaled(Signal),
    /// This signal stopped it.
    Stopped(Signal),
}

impl Change {
    fn of(status: WaitStatus) -> Option<Self> {
        let exited = status.exit_status().map(Self::Exited);
        exited
            .or_else(|| Some(Self::Signaled(Signal(status.terminating_signal()?))))
            .or_else(|| Some(Self::Stopped(Signal(status.stopping_signal()?))))
    }

    /// The outcome, if this is an end.
    #[must_use]
    pub fn outcome(self) -> Option<Outcome> {
        match self {
            Self::Exited(code) => Some(Outcome::Exited(code)),
            Self::Signaled(signal) => Some(Outcome::Signaled(signal)),
            Self::Stopped(_) => None,
        }
    }
}

/// The process that fork(2) or clone(2) made, of what the call returned to the parent.
///
/// # Errors
/// When it returned no process; errno must still be the call's.
pub fn made(returned: libc::pid_t) -> io::Result<Pid> {
    // Asked first, since `Pid` takes no negative number.
    let process = (returned > 0).then(|| Pid::from_raw(returned)).flatten();
    process.ok_or_else(io::Error::last_os_error)
}

/// What happened to this child since the last call, without waiting.
#[must_use]
pub fn poll_change(child: Pid) -> Option<Change> {
    let waited = retry(|| rustix::process::waitpid(Some(child), WaitOptions::NOHANG));
    Change::of(waited.ok()??.1)
}

/// Waits without hanging for what happened to this child, its stopping included.
#[must_use]
pub fn poll_change_or_stop(child: Pid) -> Option<Change> {
    let options = WaitOptions::NOHANG | WaitOptions::UNTRACED;
    let waited = retry(|| rustix::process::waitpid(Some(child), options));
    Change::of(waited.ok()??.1)
}

/// Forgets every child that has ended.
pub fn reap_ended() {
    reap_until(0);
}

/// Forgets every child that has ended, up to this one, which somebody else waits for.
pub fn reap_all_but(child: Pid) {
    reap_until(child.as_raw_nonzero().get());
}

fn reap_until(child: libc::pid_t) {
    let options = libc::WEXITED | libc::WNOHANG;
    loop {
        // SAFETY: a zeroed siginfo is a valid value to fill in; without a child that has ended its
        // process id stays 0.
        let ended = unsafe {
            let mut info: libc::siginfo_t = std::mem::zeroed();
            let looked = libc::waitid(libc::P_ALL, 0, &raw mut info, options | libc::WNOWAIT);
            if looked == 0 { info.si_pid() } else { 0 }
        };
        if ended <= 0 || ended == child {
            return;
        }
        let Some(ended) = Pid::from_raw(ended) else {
            return;
        };
        reap(ended);
    }
}

/// The group in the foreground of a process's terminal (proc(5), field 8 of `stat`).
#[must_use]
pub fn foreground_group(process: i32) -> Option<i32> {
    let [_, foreground] = groups(process)?;
    Some(foreground)
}

/// Whether a process is in the foreground of its terminal.
#[must_use]
pub fn is_in_foreground(process: i32) -> bool {
    groups(process).is_some_and(|[own, foreground]| own == foreground)
}

/// A process's group, and the one in the foreground of its terminal (proc(5), fields 5 and 8 of `stat`).
fn groups(process: i32) -> Option<[i32; 2]> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let after_name = &stat[stat.rfind(')')? + 1..];
    let mut fields = after_name.split_ascii_whitespace().skip(2);
    let group = fields.next()?.parse().ok()?;
    Some([group, fields.nth(2)?.parse().ok()?])
}

/// A process's name, as the kernel shows it: at most 15 bytes.
#[must_use]
pub fn name(process: u32) -> Option<String> {
    let name = std::fs::read_to_string(format!("/proc/{process}/comm")).ok()?;
    Some(name.trim_end().to_owned())
}

/// The processes of a group, as /proc tells it now.
#[must_use]
pub fn members(group: Pid) -> Vec<i32> {
    let group = group.as_raw_nonzero().get();
    let all = all_processes().into_iter();
    let members = all.filter(|(_, _, of)| *of == group);
    members.map(|(process, ..)| process).collect()
}

/// Waits until a child has ended, and forgets it.
pub fn reap(child: Pid) {
    let _ = retry(|| rustix::process::waitpid(Some(child), WaitOptions::empty()));
}

fn retry<T>(mut call: impl FnMut() -> rustix::io::Result<T>) -> rustix::io::Result<T> {
    loop {
        match call() {
            Err(rustix::io::Errno::INTR) => {}
            result => return result,
        }
    }
}

/// Whom a signal is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// One process.
    Process(Pid),
    /// A whole process group.
    Group(Pid),
}

impl Target {
    /// Sends a signal; false when there is nobody, or it isn't allowed.
    pub fn send(self, signal: Signal) -> bool {
        let Some(signal) = rustix::process::Signal::from_named_raw(signal.0) else {
            return false;
        };
        match self {
            Self::Process(pid) => rustix::process::kill_process(pid, signal).is_ok(),
            Self::Group(pid) => rustix::process::kill_process_group(pid, signal).is_ok(),
        }
    }

    /// Whether anybody is there.
    #[must_use]
    pub fn exists(self) -> bool {
        let tested = match self {
            Self::Process(pid) => rustix::process::test_kill_process(pid),
            Self::Group(pid) => rustix::process::test_kill_process_group(pid),
        };
        tested != Err(rustix::io::Errno::SRCH)
    }
}

/// Whether there is a process with this number, of any user.
#[must_use]
pub fn exists(process: u32) -> bool {
    let process = i32::try_from(process).ok().and_then(Pid::from_raw);
    process.is_some_and(|process| Target::Process(process).exists())
}

/// When this process started, in the kernel's clock ticks since boot (proc(5), field 22 of `stat`);
/// with the process id it names this process for good. None where there is no /proc.
#[must_use]
pub fn start_time() -> Option<u64> {
    start_time_in("/proc/self/stat")
}

/// The same of another process.
#[must_use]
pub fn start_time_of(process: i32) -> Option<u64> {
    start_time_in(&format!("/proc/{process}/stat"))
}

fn start_time_in(path: &str) -> Option<u64> {
    let flags = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::CLOEXEC;
    let file = rustix::fs::open(path, flags, rustix::fs::Mode::empty()).ok()?;
    // The line is a few hundred bytes and comes in one piece.
    let mut bytes = [0_u8; 1024];
    let count = rustix::io::read(&file, &mut bytes).ok()?;
    let stat = std::str::from_utf8(&bytes[..count]).ok()?;
    // The second field is the program's name, which may hold anything, in parentheses.
    let after_name = &stat[stat.rfind(')')? + 1..];
    after_name.split_ascii_whitespace().nth(19)?.parse().ok()
}

/// A process as /proc shows it: its id, its parent's and its group's.
type Known = (i32, i32, i32);

/// All processes, as /proc tells it now; none where there is no /proc. One that has ended and waits for
/// its parent is not among them.
fn all_processes() -> Vec<Known> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let known = entries.filter_map(|entry| {
        let process = entry.file_name().to_str()?.parse().ok()?;
        let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
        let mut fields = stat[stat.rfind(')')? + 1..].split_ascii_whitespace();
        let is_over = matches!(fields.next()?, "Z" | "X");
        let parent = fields.next()?.parse().ok()?;
        let group = fields.next()?.parse().ok()?;
        (!is_over).then_some((process, parent, group))
    });
    known.collect()
}

/// The children of a process, theirs, and so on.
fn below(ancestor: Pid, all: &[Known]) -> Vec<i32> {
    let mut found = vec![ancestor.as_raw_nonzero().get()];
    let mut next = 0;
    while let Some(parent) = found.get(next).copied() {
        next += 1;
        let children = all.iter().filter(|(_, of, _)| *of == parent);
        found.extend(children.map(|(process, ..)| *process));
    }
    found.remove(0);
    found
}

/// The processes below `ancestor`, as /proc tells it now.
#[must_use]
pub fn descendants(ancestor: Pid) -> Vec<Pid> {
    let found = below(ancestor, &all_processes()).into_iter();
    found.filter_map(Pid::from_raw).collect()
}

/// The processes below `ancestor` that are in this process's own group, as /proc tells it now; none
/// where there is no /proc. For a group that may not be signalled as a whole.
#[must_use]
pub fn descendants_in_own_group(ancestor: Pid) -> Vec<Pid> {
    let own_group = rustix::process::getpgrp().as_raw_nonzero().get();
    let all = all_processes();
    let in_own_group = |process: &i32| {
        let mut known = all.iter();
        known.any(|(known, _, group)| known == process && *group == own_group)
    };
    let found = below(ancestor, &all).into_iter().filter(in_own_group);
    found.filter_map(Pid::from_raw).collect()
}

/// Whether a process or one below it opened a terminal itself, by the name that this one has or as
/// `/dev/tty`, as /proc tells it now. What this process has open too was inherited.
#[must_use]
pub fn has_opened_terminal(process: Pid, terminal: BorrowedFd<'_>) -> bool {
    let own = PathBuf::from(format!("/proc/self/fd/{}", terminal.as_raw_fd()));
    let name = std::fs::read_link(own).unwrap_or_default();
    let is_terminal = |path: &Path| path == Path::new("/dev/tty") || path == name;
    let open_in = |process: &str| -> Vec<RawFd> {
        let entries = std::fs::read_dir(format!("/proc/{process}/fd"));
        let found =
            entries.into_iter().flatten().flatten().filter(|entry| {
                std::fs::read_link(entry.path()).is_ok_and(|path| is_terminal(&path))
            });
        found
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .collect()
    };
    let mut inherited = open_in("self");
    inherited.retain(|number| is_handed_on(*number));
    let below = descendants(process).into_iter();
    std::iter::once(process).chain(below).any(|process| {
        let opened = open_in(&process.as_raw_nonzero().to_string());
        opened.iter().any(|number| !inherited.contains(number))
    })
}

/// Whether an open descriptor of this process stays open in what it executes.
fn is_handed_on(number: RawFd) -> bool {
    // SAFETY: asking for a descriptor's flags does nothing to it, whoever owns it, and is refused if it
    // was closed meanwhile.
    let flags = unsafe { libc::fcntl(number, libc::F_GETFD) };
    flags >= 0 && flags & libc::FD_CLOEXEC == 0
}

/// Signals every member of a group that has no recorder any more: asks, waits up to two seconds,
/// then kills. Sleeps; for a helper process that outlives aido.
pub fn end_group(group: Pid) {
    let target = Target::Group(group);
    for number in [libc::SIGHUP, libc::SIGTERM, libc::SIGCONT] {
        target.send(Signal(number));
    }
    for _ in 0..40 {
        if !target.exists() {
            return;
        }
        // Nothing can wake this helper earlier: the group's members are not its children.
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    target.send(Signal(libc::SIGKILL));
}

/// Closes every descriptor from `first` on. For a forked helper, which would otherwise keep the
/// caller's pipes open.
pub fn close_from(first: RawFd) {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        let from = u32::try_from(first).unwrap_or(3);
        // SAFETY: the helper owns its copies of these descriptors and uses none of them again.
        if unsafe { libc::syscall(libc::SYS_close_range, from, u32::MAX, 0_u32) } == 0 {
            return;
        }
    }
    for descriptor in first..1024 {
        // SAFETY: as above; closing what isn't open is harmless.
        unsafe { libc::close(descriptor) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_not_be_made_is_an_error_and_no_process() {
        assert!(made(-1).is_err());
        assert_eq!(made(1).ok(), Pid::from_raw(1));
    }
}
