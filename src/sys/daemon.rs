//! A process of its own that outlives its starter: another session, no terminal, and none of the
//! starter's descriptors, so that nobody who waits for those waits for it.
#![expect(unsafe_code, reason = "fork, setsid, prctl")]

use std::io;
use std::os::fd::{FromRawFd, IntoRawFd, OwnedFd};

use rustix::pipe::PipeFlags;

use super::process;
use super::signals::AllBlocked;

/// Which of the two this process is after [`detach`].
pub enum Side {
    /// The one that was there; the pipe brings what the other has to say, then its end.
    Starter(OwnedFd),
    /// The new one, and its end of the pipe.
    Supervisor(OwnedFd),
}

/// The lowest descriptor that the supervisor has besides the standard ones.
const KEPT: i32 = 3;

/// Makes the new process. Its standard streams are /dev/null and it has no other descriptor of the
/// starter's; descendants whose parents end become its children.
///
/// # Errors
/// When there can't be another process or pipe, or no /dev/null.
pub fn detach() -> io::Result<Side> {
    let (reader, writer) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
    let flags = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::CLOEXEC;
    let nowhere = rustix::fs::open("/dev/null", flags, rustix::fs::Mode::empty())?;
    let blocked = AllBlocked::new();
    // SAFETY: aido has one thread, so each copy may go on as if nothing had happened.
    let between = unsafe { libc::fork() };
    if between == 0 {
        // SAFETY: as above. The process between leads the new session and ends at once: what it
        // leaves leads nothing, so that no terminal it opens becomes its own.
        unsafe {
            libc::setsid();
            if libc::fork() != 0 {
                libc::_exit(0);
            }
        }
        drop(blocked);
        return Ok(Side::Supervisor(let_go(nowhere, writer, reader)));
    }
    drop(blocked);
    process::reap(process::made(between)?);
    Ok(Side::Starter(reader))
}

/// Lets go of everything of the starter's but its end of the pipe.
fn let_go(nowhere: OwnedFd, writer: OwnedFd, reader: OwnedFd) -> OwnedFd {
    // As numbers: what becomes of them is decided here, and none is closed twice.
    let [nowhere, writer, _] = [nowhere, writer, reader].map(IntoRawFd::into_raw_fd);
    // SAFETY: descriptors 0 to 3 are replaced and all above closed; whoever owned one of them in this
    // copy doesn't run again.
    unsafe {
        let high = libc::fcntl(writer, libc::F_DUPFD_CLOEXEC, 10);
        for standard in 0..KEPT {
            libc::dup2(nowhere, standard);
        }
        let from = if high == -1 { writer } else { high };
        // Where both are the same, it stays.
        libc::dup3(from, KEPT, libc::O_CLOEXEC);
        process::close_from(KEPT + 1);
        #[cfg(any(target_os = "linux", target_os = "android"))]
        libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1);
        OwnedFd::from_raw_fd(KEPT)
    }
}
