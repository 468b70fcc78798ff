//! Failure memory: what kind of end a command had, which failure it was, and what worked instead.
//!
//! Everything here decides from plain values and touches neither files nor the store. [`Run`] is
//! what is known of a finished command; [`first_look`] settles most of them in microseconds,
//! [`classify()`] the rest with [`Rules`], and [`fault_id`] names a failure so that it has the same
//! name tomorrow and elsewhere. [`cure`] finds the command that worked instead. [`Record`],
//! [`History`] and [`Lesson`] are what is remembered, and [`CommandKey`] under which name a command's
//! failures are found; src/memory keeps them in files.
//!
//! docs/design/faults.md has the reasons.

pub mod classify;
pub mod command;
pub mod cure;
pub mod error_line;
pub mod fingerprint;
pub mod hidden;
mod hint;
pub mod history;
pub mod lesson;
pub mod lookup;
pub mod matcher;
mod needles;
pub mod normal;
pub mod outcome;
pub mod record;
pub mod rules;
#[cfg(test)]
mod samples;
pub mod shell;
mod template;

pub use classify::{Cause, Verdict, classify};
pub use cure::{Attempt, Cure, find_cure};
pub use fingerprint::{FaultId, fault_id};
pub use history::{History, Sighting, Status};
pub use lesson::{Lesson, LessonId};
pub use lookup::CommandKey;
pub use outcome::{FirstLook, Run, first_look};
pub use record::Record;
pub use rules::Rules;
