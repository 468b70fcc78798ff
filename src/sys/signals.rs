//! Signals as data: caught ones arrive as records in a pipe, in order, with who sent them.
//!
//! A handler only writes one small record, so nothing runs at a bad moment. Signals that the caller
//! ignored stay ignored (nohup keeps its meaning); what the command must get back is in
//! [`Inheritance`].
#![expect(unsafe_code, reason = "sigaction and a signal handler")]

use std::io;
use std::mem;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pipe::PipeFlags;

use super::startup;
use crate::session::Signal;

/// The write end of the pipe that handlers write to; -1 while there is none.
static PIPE: AtomicI32 = AtomicI32::new(-1);

/// Bytes of one record: the signal's number and the `si_code`, native-endian.
const RECORD: usize = 8;

/// A signal that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Which one.
    pub signal: Signal,
    /// Whether a process sent it, rather than the kernel for a key, a child or a window.
    pub from_process: bool,
}

/// Signal settings that the command must find as aido found them.
#[derive(Clone)]
pub struct Inheritance {
    /// The mask at aido's start.
    mask: libc::sigset_t,
    /// Signals to set to their default action: aido catches them, or Rust ignores them.
    to_default: Vec<i32>,
    /// Signals to ignore again: the caller did, and aido has to catch them.
    to_ignore: Vec<i32>,
}

/// Catches signals until it is dropped; then everything is as before.
#[must_use]
pub struct Inbox {
    reader: OwnedFd,
    _writer: OwnedFd,
    previous: Vec<(i32, libc::sigaction)>,
    inheritance: Inheritance,
}

extern "C" fn record(number: libc::c_int, info: *mut libc::siginfo_t, _context: *mut libc::c_void) {
    // SAFETY: the kernel passes a valid siginfo to an SA_SIGINFO handler; write(2) is
    // async-signal-safe; errno is put back for the code that was interrupted.
    unsafe {
        let errno = errno_location();
        let saved = *errno;
        let code = (*info).si_code;
        let mut bytes = [0_u8; RECORD];
        bytes[..4].copy_from_slice(&number.to_ne_bytes());
        bytes[4..].copy_from_slice(&code.to_ne_bytes());
        let pipe = PIPE.load(Ordering::Relaxed);
        if pipe >= 0 {
            // A full pipe holds thousands of records; one more would say nothing new.
            libc::write(pipe, bytes.as_ptr().cast(), RECORD);
        }
        *errno = saved;
    }
}

unsafe fn errno_location() -> *mut libc::c_int {
    // SAFETY: both return the calling thread's errno, valid as long as the thread.
    unsafe {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        return libc::__errno_location();
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        return libc::__error();
    }
}

impl Inbox {
    /// Starts to catch `signals`, except those that the caller ignored. SIGCHLD is caught in any
    /// case: a caller's ignoring it would take the command's exit status away.
    ///
    /// # Errors
    /// When no pipe can be had.
    pub fn open(signals: &[i32]) -> io::Result<Self> {
        let (reader, writer) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        PIPE.store(std::os::fd::AsRawFd::as_raw_fd(&writer), Ordering::Relaxed);
        let mut inheritance = Inheritance {
            mask: empty_mask(),
            to_default: Vec::with_capacity(signals.len() + 1),
            to_ignore: Vec::new(),
        };
        if !startup::sigpipe_was_ignored() {
            inheritance.to_default.push(libc::SIGPIPE);
        }
        let mut inbox = Self {
            reader,
            _writer: writer,
            previous: Vec::with_capacity(signals.len() + 1),
            inheritance,
        };
        for &number in signals {
            inbox.catch(number);
        }
        // SAFETY: both masks are valid for the call; aido's own mask is explicit from here on.
        unsafe {
            let none = empty_mask();
            libc::sigprocmask(
                libc::SIG_SETMASK,
                &raw const none,
                &raw mut inbox.inheritance.mask,
            );
        }
        Ok(inbox)
    }

    /// Catches one more signal, unless the caller ignored it.
    pub fn catch(&mut self, number: i32) {
        // SAFETY: a zeroed sigaction is a valid value to fill in; the handler has the
        // signature that SA_SIGINFO asks for and stays for the program's life.
        unsafe {
            let mut action: libc::sigaction = mem::zeroed();
            let handler: extern "C" fn(i32, *mut libc::siginfo_t, *mut libc::c_void) = record;
            action.sa_sigaction = handler as libc::sighandler_t;
            action.sa_flags = libc::SA_SIGINFO;
            libc::sigemptyset(&raw mut action.sa_mask);
            let mut before: libc::sigaction = mem::zeroed();
            if libc::sigaction(number, &raw const action, &raw mut before) != 0 {
                return;
            }
            if before.sa_sigaction != libc::SIG_IGN {
                self.inheritance.to_default.push(number);
            } else if number == libc::SIGCHLD || number == libc::SIGXFSZ {
                self.inheritance.to_ignore.push(number);
            } else {
                libc::sigaction(number, &raw const before, std::ptr::null_mut());
                return;
            }
            self.previous.push((number, before));
        }
    }

    /// Waits until a signal arrives or the time is over; `false` if by then nobody can take what is
    /// written to `output` any more.
    #[must_use]
    pub fn wait_while_taken(&self, output: BorrowedFd<'_>, time: Duration) -> bool {
        let mut polled = [
            PollFd::new(self, PollFlags::IN),
            // Nothing to wait for but its end, which is always told.
            PollFd::from_borrowed_fd(output, PollFlags::empty()),
        ];
        let time = Timespec::try_from(time).unwrap_or_default();
        let _ = poll(&mut polled, Some(&time));
        let gone = PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL;
        !polled[1].revents().intersects(gone)
    }

    /// What the command must get back.
    #[must_use]
    pub fn inheritance(&self) -> &Inheritance {
        &self.inheritance
    }

    /// The next signal that arrived, if one did.
    pub fn next_arrival(&mut self) -> Option<Arrival> {
        let mut bytes = [0_u8; RECORD];
        // Records are written whole, so they are read whole.
        match rustix::io::read(&self.reader, &mut bytes) {
            Ok(RECORD) => {
                let [a, b, c, d, e, f, g, h] = bytes;
                Some(Arrival {
                    signal: Signal(i32::from_ne_bytes([a, b, c, d])),
                    from_process: i32::from_ne_bytes([e, f, g, h]) <= 0,
                })
            }
            _ => None,
        }
    }
}

impl AsFd for Inbox {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        PIPE.store(-1, Ordering::Relaxed);
        for (number, action) in &self.previous {
            // SAFETY: the action was read from the kernel by `open`.
            unsafe { libc::sigaction(*number, action, std::ptr::null_mut()) };
        }
    }
}

impl Inheritance {
    /// Forgets a SIGTSTP that waits for being unblocked, and says whether there was one. For the
    /// child between clone and exec, as [`Inheritance::restore_for_exec`], and before that.
    ///
    /// # Safety
    /// As there.
    #[must_use]
    pub unsafe fn drop_pending_stop(&self) -> bool {
        let mut set = empty_mask();
        // SAFETY: plain system calls on a set that outlives them. Ignoring a signal drops the one
        // that waits; `restore_for_exec` gives it the action again that the command must find.
        unsafe {
            libc::sigpending(&raw mut set);
            let waits = libc::sigismember(&raw const set, libc::SIGTSTP) == 1;
            if waits && self.to_default.contains(&libc::SIGTSTP) {
                libc::signal(libc::SIGTSTP, libc::SIG_IGN);
                return true;
            }
        }
        false
    }

    /// Gives the command the settings that aido found. For the child between clone and exec:
    /// async-signal-safe, and while every signal is blocked.
    ///
    /// # Safety
    /// Only in a process that is about to exec, since it undoes aido's own settings.
    pub unsafe fn restore_for_exec(&self) {
        // SAFETY: plain system calls on values that outlive the calls.
        unsafe {
            for &number in &self.to_default {
                libc::signal(number, libc::SIG_DFL);
            }
            for &number in &self.to_ignore {
                libc::signal(number, libc::SIG_IGN);
            }
            libc::sigprocmask(
                libc::SIG_SETMASK,
                &raw const self.mask,
                std::ptr::null_mut(),
            );
        }
    }
}

fn empty_mask() -> libc::sigset_t {
    // SAFETY: an all-zero set is valid on every supported system; sigemptyset makes it official.
    unsafe {
        let mut mask = mem::zeroed();
        libc::sigemptyset(&raw mut mask);
        mask
    }
}

/// Blocks every signal until dropped, so that none is handled between clone and exec.
#[must_use]
pub struct AllBlocked(libc::sigset_t);

impl AllBlocked {
    /// Blocks them.
    pub fn new() -> Self {
        let mut before = empty_mask();
        // SAFETY: both sets live across the call.
        unsafe {
            let mut all = empty_mask();
            libc::sigfillset(&raw mut all);
            libc::sigprocmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
        }
        Self(before)
    }
}

impl Default for AllBlocked {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for AllBlocked {
    fn drop(&mut self) {
        // SAFETY: the set was filled in by `new`.
        unsafe {
            libc::sigprocmask(libc::SIG_SETMASK, &raw const self.0, std::ptr::null_mut());
        }
    }
}

/// Ignores signals until dropped; then they are as before.
#[must_use]
pub struct Ignored(Vec<(i32, libc::sigaction)>);

impl Ignored {
    /// Ignores these.
    pub fn new(numbers: &[i32]) -> Self {
        let mut previous = Vec::with_capacity(numbers.len());
        for &number in numbers {
            // SAFETY: zeroed sigactions are valid values; ignoring installs no code.
            unsafe {
                let mut action: libc::sigaction = mem::zeroed();
                action.sa_sigaction = libc::SIG_IGN;
                let mut before: libc::sigaction = mem::zeroed();
                if libc::sigaction(number, &raw const action, &raw mut before) == 0 {
                    previous.push((number, before));
                }
            }
        }
        Self(previous)
    }
}

impl Drop for Ignored {
    fn drop(&mut self) {
        for (number, action) in &self.0 {
            // SAFETY: the action was read from the kernel by `new`.
            unsafe { libc::sigaction(*number, action, std::ptr::null_mut()) };
        }
    }
}

/// Which of these signals wait for being unblocked.
pub fn pending(numbers: &[i32]) -> impl Iterator<Item = Signal> + '_ {
    let mut set = empty_mask();
    // SAFETY: the set lives across the call, which only fills it in.
    unsafe { libc::sigpending(&raw mut set) };
    numbers.iter().copied().map(Signal).filter(move |signal| {
        // SAFETY: the set was filled in above.
        unsafe { libc::sigismember(&raw const set, signal.0) == 1 }
    })
}

/// Waits for one of `numbers`, all of which are blocked, and returns which came.
#[must_use]
pub fn wait_for(numbers: &[i32]) -> i32 {
    let mut set = empty_mask();
    let mut number = 0;
    // SAFETY: set and number live across the calls.
    unsafe {
        for wanted in numbers {
            libc::sigaddset(&raw mut set, *wanted);
        }
        libc::sigwait(&raw const set, &raw mut number);
    }
    number
}

/// Gives a signal its default action.
pub fn set_default(number: i32) {
    // SAFETY: SIG_DFL is valid for every signal; for those that can't be set nothing happens.
    unsafe { libc::signal(number, libc::SIG_DFL) };
}

/// Stops this process's group as the terminal would, with the signal's default action for aido
/// itself, and returns when it is continued (at once where the kernel drops the stop, as it does
/// in an orphaned group).
pub fn stop_own_group(signal: Signal) {
    stop(signal, 0);
}

/// As [`stop_own_group`], but for this process alone.
pub fn stop_self(signal: Signal) {
    stop(signal, std::process::id().try_into().unwrap_or(0));
}

fn stop(signal: Signal, whom: libc::pid_t) {
    // SAFETY: the previous action is put back; `whom` is this process or, with 0, its group.
    unsafe {
        let mut default: libc::sigaction = mem::zeroed();
        default.sa_sigaction = libc::SIG_DFL;
        let mut before: libc::sigaction = mem::zeroed();
        libc::sigaction(signal.0, &raw const default, &raw mut before);
        libc::kill(whom, signal.0);
        libc::sigaction(signal.0, &raw const before, std::ptr::null_mut());
    }
}

/// Sends a signal to this process's own group, itself included.
pub fn send_to_own_group(signal: Signal) {
    // SAFETY: kill(0) reaches this process's own group.
    unsafe { libc::kill(0, signal.0) };
}

/// Ends this process by the signal, so that its parent sees what it would have seen of the command.
/// No core is written: the command wrote its own. Returns only if the signal can't kill.
pub fn die_of(signal: Signal) {
    // SAFETY: plain system calls; the default action ends the process.
    unsafe {
        let no_core = libc::rlimit {
            rlim_cur: 0,
            rlim_max: 0,
        };
        libc::setrlimit(libc::RLIMIT_CORE, &raw const no_core);
        libc::signal(signal.0, libc::SIG_DFL);
        let mut only = empty_mask();
        libc::sigaddset(&raw mut only, signal.0);
        libc::sigprocmask(libc::SIG_UNBLOCK, &raw const only, std::ptr::null_mut());
        libc::raise(signal.0);
    }
}
