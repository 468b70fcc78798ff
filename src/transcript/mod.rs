//! BYTES ON DISK: what the command wrote, when it wrote it, and what a person would have read.
//!
//! Invariants:
//! - The transcript holds exactly the command's bytes in the order read, then the marker. The
//!   marker's place is `output_bytes`; nobody searches for it.
//! - Events never repeat output: an output event is a byte count, so the n-th one's text is a slice
//!   of the transcript.
//! - Readers stop before a torn last line and never panic on what a file holds.

pub mod excerpt;
pub mod reader;
pub mod record;
pub mod render;
pub mod writer;

pub use excerpt::Excerpt;
pub use record::EventRecord;
pub use writer::{Sealed, Writer};

/// The line at a transcript's end, with a newline before and after it.
#[must_use]
pub fn marker(exit_code: i32) -> String {
    format!("\n=== AI_EXIT_CODE: {exit_code} ===\n")
}
