//! RUN A PLAN: starts the command, relays its bytes both ways, and tells the sinks what happens.
//!
//! Knows no store, no file format and no configuration. Invariants:
//! - What is shown has been handed to the sinks first.
//! - Memory is bounded: at most one buffer a channel waits for its consumer; while it waits, the
//!   channel is not read, so the kernel holds the command back.
//! - Nothing here blocks on anything but the one poll(2), except a write to a regular file, and for a
//!   quarter of a second a terminal that takes nothing when the command was stopped.
//! - A sink that fails is dropped and its error kept for whoever made the tee; the run goes on.

pub mod attendant;
pub mod channel;
pub mod driver;
pub mod keys;
pub mod outer;
pub mod stand_in;
pub mod start;
pub mod tee;

pub use attendant::{Attendant, Wish};
pub use driver::{Ended, Undelivered};
pub use start::{Running, StartError, inbox, open, start};
pub use tee::Tee;
