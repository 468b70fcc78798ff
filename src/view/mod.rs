//! HOW IT LOOKS: values that implement Display or become JSON. No I/O; width and now are passed in.
//!
//! Recorded text never acts on a terminal: everything that comes from a session goes through
//! [`sanitize`].

pub mod bounded;
pub mod changes;
pub mod chart;
pub mod checkpoints;
mod columns;
pub mod conversations;
pub mod diff;
pub mod events;
pub mod faults;
pub mod frame;
pub mod handoff;
pub mod list;
pub mod paint;
pub mod patch;
pub mod prune;
pub mod quote;
pub mod running;
pub mod sanitize;
pub mod search;
pub mod session;
pub mod stats;
pub mod tasks;
pub mod text;
pub mod units;
pub mod verify;
