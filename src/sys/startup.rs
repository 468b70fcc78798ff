//! What the caller handed over, read before Rust's runtime changes it.
//!
//! The runtime ignores SIGPIPE and opens /dev/null on closed standard descriptors before `main`.
//! The command must see neither, so both are noted by a function that the loader runs first.
#![expect(
    unsafe_code,
    reason = "runs before main, where only the C library exists"
)]

use std::sync::atomic::{AtomicU8, Ordering};

const SIGPIPE_IGNORED: u8 = 1 << 3;

/// Bits 0 to 2: that descriptor was closed. Bit 3: SIGPIPE was ignored.
static FOUND: AtomicU8 = AtomicU8::new(0);

extern "C" fn note_inheritance() {
    let mut found = 0;
    for descriptor in 0..3 {
        // SAFETY: fcntl with F_GETFD only looks.
        if unsafe { libc::fcntl(descriptor, libc::F_GETFD) } == -1 {
            found |= 1 << descriptor;
        }
    }
    // SAFETY: an all-zero sigaction is a valid place to write the present one to; nothing is set.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        if libc::sigaction(libc::SIGPIPE, std::ptr::null(), &raw mut action) == 0
            && action.sa_sigaction == libc::SIG_IGN
        {
            found |= SIGPIPE_IGNORED;
        }
    }
    FOUND.store(found, Ordering::Relaxed);
}

// SAFETY: the loader calls each pointer in this section once, before main, on the one thread that
// exists; the function takes no argument that it reads and returns nothing.
#[used]
#[cfg_attr(
    any(target_os = "linux", target_os = "android"),
    unsafe(link_section = ".init_array")
)]
#[cfg_attr(
    target_vendor = "apple",
    unsafe(link_section = "__DATA,__mod_init_func")
)]
static NOTE_INHERITANCE: extern "C" fn() = note_inheritance;

/// Which of standard input, output and error the caller had closed.
#[must_use]
pub fn closed_standard_streams() -> [bool; 3] {
    let found = FOUND.load(Ordering::Relaxed);
    [found & 1 != 0, found & 2 != 0, found & 4 != 0]
}

/// Whether the caller ignored SIGPIPE.
#[must_use]
pub fn sigpipe_was_ignored() -> bool {
    FOUND.load(Ordering::Relaxed) & SIGPIPE_IGNORED != 0
}
