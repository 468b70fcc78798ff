//! A process that hands on what background processes still write to a pipe after the command's end, until
//! they close it: without it their next write would kill them.
#![expect(unsafe_code, reason = "fork")]

use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;

use super::process;
use super::signals::AllBlocked;

/// What is read at once: what a pipe holds.
const PORTION_BYTES: usize = 64 * 1024;

/// Signals that end a command whose background processes may ignore them.
const IGNORED: [i32; 5] = [
    libc::SIGHUP,
    libc::SIGINT,
    libc::SIGQUIT,
    libc::SIGTERM,
    libc::SIGPIPE,
];

/// Hands on what comes out of a pipe, in a process of its own that has nothing else open, and that ends
/// with the last writer or the last reader. Where there can't be one, the pipe is closed.
pub fn hand_on(source: OwnedFd, target: BorrowedFd<'_>) {
    let blocked = AllBlocked::new();
    // SAFETY: aido has one thread, so the copy may go on as if nothing had happened.
    let between = unsafe { libc::fork() };
    if between == 0 {
        // SAFETY: as above. The process between ends at once, so that nobody has to wait for the other.
        unsafe {
            if libc::fork() == 0 {
                let (source, target) = (source.as_raw_fd(), target.as_raw_fd());
                only(source, target);
                relay();
            }
            libc::_exit(0);
        }
    }
    drop(blocked);
    if let Ok(between) = process::made(between) {
        process::reap(between);
    }
}

/// Keeps these two, as descriptors 0 and 1, and nothing else: no lock, no file of a recording, no stream on
/// which somebody waits for the end.
unsafe fn only(source: i32, target: i32) {
    // SAFETY: whoever owned one of the descriptors in this copy doesn't run again.
    unsafe {
        let high = [source, target].map(|number| libc::fcntl(number, libc::F_DUPFD, 10));
        libc::dup2(high[0], 0);
        libc::dup2(high[1], 1);
        process::close_from(2);
        for number in IGNORED {
            libc::signal(number, libc::SIG_IGN);
        }
        let mut none = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
        libc::chdir(c"/".as_ptr());
    }
}

/// Hands on until there is nobody to write, or nobody to read.
fn relay() {
    let (source, target) = (rustix::stdio::stdin(), rustix::stdio::stdout());
    let mut portion = vec![0; PORTION_BYTES];
    loop {
        if wait(source, PollFlags::IN, target) {
            return;
        }
        let count = match rustix::io::read(source, portion.as_mut_slice()) {
            Ok(0) => return,
            Ok(count) => count,
            Err(Errno::INTR | Errno::AGAIN) => continue,
            Err(_) => return,
        };
        let mut rest = &portion[..count];
        while !rest.is_empty() {
            match rustix::io::write(target, rest) {
                Ok(count) => rest = &rest[count..],
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    wait(target, PollFlags::OUT, target);
                }
                Err(_) => return,
            }
        }
    }
}

/// Waits for one descriptor, and tells whether the one that is written to has no reader any more, which
/// poll(2) says without being asked.
fn wait(awaited: BorrowedFd<'_>, ready: PollFlags, target: BorrowedFd<'_>) -> bool {
    let mut polled = [
        PollFd::from_borrowed_fd(awaited, ready),
        PollFd::from_borrowed_fd(target, PollFlags::empty()),
    ];
    let _ = rustix::event::poll(&mut polled, None);
    polled[1].revents().contains(PollFlags::ERR)
}
