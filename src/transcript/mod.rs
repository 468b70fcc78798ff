//! BYTES ON DISK: what the command wrote, when it wrote it, and what a person would have read.
//!
//! Invariants:
//! - The transcript holds exactly the command's bytes in the order read, then the marker. The
//!   marker's place is `output_bytes`; nobody searches for it.
//! - Events never repeat output: an output event is a byte count, so the n-th one's text is a slice
//!   of the transcript.
//! - Readers stop before a torn last line and never panic on what a file holds.

pub mod excerpt;
pub mod lookalike;
pub mod output;
pub mod pick;
pub mod reader;
pub mod record;
pub mod render;
pub mod select;
pub mod slices;
pub mod tail;
pub mod text;
pub mod timeline;
pub mod writer;

pub use excerpt::Excerpt;
pub use lookalike::Lookalikes;
pub use record::EventRecord;
pub use writer::{Sealed, Writer};

/// What the marker's line begins with, before the exit code.
const MARKER_START: &str = "=== AI_EXIT_CODE: ";
/// What it ends with, after the exit code.
const MARKER_END: &str = " ===";
/// The longest that the marker is, in bytes, with the line feeds around it and any exit code of 32 bits.
pub const MARKER_MAX_BYTES: u64 =
    (MARKER_START.len() + "-2147483648".len() + MARKER_END.len() + 2) as u64;

/// The line at a transcript's end, with a newline before and after it.
#[must_use]
pub fn marker(exit_code: i32) -> String {
    format!("\n{MARKER_START}{exit_code}{MARKER_END}\n")
}
