//! PLAYING A RECORDING AGAIN: when each piece is due, what keys ask for, what recorded bytes may do to a
//! terminal, and what has to be undone after them.
//!
//! Not responsible for reading the recording (see [`crate::transcript::timeline`]) nor for the terminal
//! itself, which `cli::replay` has. All of it decides from values: times, keys and bytes are handed in.
//!
//! Bytes flow `sequence` (what a terminal would take them for) → [`Safe`], which lets text and colours
//! through, or [`Traces`], which remembers what they switch on.

mod keys;
mod player;
mod safe;
mod sequence;
mod traces;

pub use keys::{Key, Keys};
pub use player::{Pace, Player, Wait};
pub use safe::Safe;
pub use traces::Traces;
