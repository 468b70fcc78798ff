//! THE OS: every system call that std does not offer safely, and the only `unsafe` of the project.
//!
//! Invariants that the rest of the program relies on:
//! - Nothing here prints, reads configuration or knows what a session is.
//! - Every descriptor opened here is close-on-exec: a command inherits what its caller gave it and
//!   nothing else.
//! - `O_NONBLOCK` is set on descriptors that aido opened itself, never on inherited ones: that flag
//!   sits on the open file, which the caller shares.
//! - Whatever is changed for a while (terminal modes, signal handlers) is changed back by a guard.

pub mod birth;
pub mod bounded;
pub mod daemon;
pub mod door;
pub mod file;
pub mod linger;
pub mod link;
pub mod lock;
#[cfg(target_env = "musl")]
mod memory;
pub mod monitor;
pub mod process;
pub mod pty;
pub mod random;
pub mod regular;
pub mod replace;
pub mod signals;
pub mod socket;
pub mod spawn;
pub mod stamp;
pub mod standing;
pub mod startup;
pub mod stream;
pub mod terminal;
pub mod tree;
pub mod unlisted;
pub mod unnamed;
pub mod waits;
pub mod watchdog;
pub mod write_back;
pub mod zone;
