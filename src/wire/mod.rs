//! BETWEEN A DETACHED SESSION AND WHOEVER COMES TO IT: where they meet, and what they say.
//!
//! Invariants: a frame has its length first and a bound; what one side doesn't know it ignores or
//! answers as unsupported, so that versions can differ; nobody waits here without a time.

pub mod client;
pub mod frame;
pub mod keys;
pub mod message;
pub mod place;

pub use client::{Client, Incoming};
pub use frame::{Frame, Frames};
pub use message::{Condition, Input, Refusal, Reply, Request, Sending, Waiting};

/// The version of what is said. It only ever grows: fields and kinds are added, none changed.
pub const PROTOCOL: u32 = 1;
