//! USE CASE: aido in the settings of agents' programs, and out of them again to the last byte.
//!
//! Decides what a file is to hold from what it holds, remembers what was done to it, and says what is installed.
//! Not responsible for asking, showing differences or carrying them out: the front door does.

pub mod plan;
pub mod record;
pub mod status;
pub mod store;
mod whole;

pub use plan::{Change, Piece, Site, Step};
pub use record::{Installed, Records};
pub use status::{Hindrance, Status, installed};
