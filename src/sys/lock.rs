//! Locks that are held for milliseconds, and waiting for them.

use std::fs::File;
use std::io;
use std::time::Duration;

use rustix::fs::FlockOperation;
use rustix::io::{Errno, retry_on_intr};

/// How long to pause between two tries.
const PAUSE: Duration = Duration::from_millis(2);

/// Takes the lock on a file, and tries for this long if somebody holds it. It goes with the file's
/// last descriptor.
///
/// # Errors
/// [`io::ErrorKind::WouldBlock`] when it was not to be had in time; else when the file system knows
/// no locks.
pub fn wait_for_lock(file: &File, patience: Duration) -> io::Result<()> {
    wait(file, FlockOperation::NonBlockingLockExclusive, patience)
}

/// The same for a lock that several may hold together, and nobody alone meanwhile.
///
/// # Errors
/// Likewise.
pub fn wait_to_share(file: &File, patience: Duration) -> io::Result<()> {
    wait(file, FlockOperation::NonBlockingLockShared, patience)
}

fn wait(file: &File, operation: FlockOperation, patience: Duration) -> io::Result<()> {
    let mut tries = patience.as_millis() / PAUSE.as_millis() + 1;
    loop {
        let taken = retry_on_intr(|| rustix::fs::flock(file, operation));
        match taken {
            Ok(()) => return Ok(()),
            Err(Errno::WOULDBLOCK) if tries > 1 => tries -= 1,
            Err(error) => return Err(error.into()),
        }
        std::thread::sleep(PAUSE);
    }
}
