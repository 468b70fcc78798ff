//! The program's beginning, in place of the one that Rust's runtime has.
//!
//! That one ignores SIGPIPE and opens /dev/null on closed standard descriptors; the command must see
//! neither, so both are done here, after noting what the caller handed over. It also sets up a stack
//! for a handler that reports overflows, which costs about as much as all of aido's own
//! preparations (docs/performance.md): an overflow is a plain SIGSEGV here.
#![expect(unsafe_code, reason = "runs where only the C library is there yet")]

use std::ffi::{CStr, OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::sync::atomic::{AtomicU8, Ordering};

const SIGPIPE_IGNORED: u8 = 1 << 3;

/// Bits 0 to 2: that descriptor was closed. Bit 3: SIGPIPE was ignored.
static FOUND: AtomicU8 = AtomicU8::new(0);

/// The exit code after a panic, which is Rust's own.
const PANICKED: i32 = 101;

/// Makes a function from the arguments to an exit code the program's `main`.
#[macro_export]
macro_rules! program {
    ($main:path) => {
        // SAFETY: this is the only `main`, of the type that C gives it.
        #[unsafe(no_mangle)]
        extern "C" fn main(
            count: ::core::ffi::c_int,
            words: *const *const ::core::ffi::c_char,
        ) -> ::core::ffi::c_int {
            // SAFETY: the C library passes `count` strings and calls this once, on the one thread.
            unsafe { $crate::sys::startup::begin(count, words, $main) }
        }
    };
}

/// Prepares the process, runs `main`, and ends the process with its exit code.
///
/// # Safety
/// Only as the beginning of the program, with the arguments that the C library passes.
pub unsafe fn begin(
    count: libc::c_int,
    words: *const *const libc::c_char,
    main: fn(Vec<OsString>) -> u8,
) -> ! {
    note_inheritance();
    let count = usize::try_from(count).unwrap_or(0);
    let arguments = (0..count)
        .map(|index| {
            // SAFETY: the caller passes this many strings that end in a NUL byte and stay.
            let word = unsafe { CStr::from_ptr(*words.add(index)) };
            OsStr::from_bytes(word.to_bytes()).to_owned()
        })
        .collect();
    // A panic runs the guards on its way here, and says itself what it is.
    let code = std::panic::catch_unwind(|| main(arguments));
    leave(code.map_or(PANICKED, i32::from))
}

#[expect(clippy::exit, reason = "there is no runtime to return to")]
fn leave(code: i32) -> ! {
    std::process::exit(code)
}

/// Notes what the caller handed over, then makes standard descriptors and SIGPIPE what the rest of
/// the program expects.
fn note_inheritance() {
    let mut found = 0;
    for descriptor in 0..3 {
        // SAFETY: fcntl with F_GETFD only looks; open gives the lowest number that is free, which
        // is this one, so that nothing that is opened later becomes a standard stream.
        unsafe {
            if libc::fcntl(descriptor, libc::F_GETFD) == -1 {
                found |= 1 << descriptor;
                libc::open(c"/dev/null".as_ptr(), libc::O_RDWR);
            }
        }
    }
    // SAFETY: no handler is installed, only "ignore"; the previous action is returned.
    if unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) } == libc::SIG_IGN {
        found |= SIGPIPE_IGNORED;
    }
    FOUND.store(found, Ordering::Relaxed);
}

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
