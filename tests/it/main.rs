//! The real binary, from outside: what a command notices of aido, and what aido keeps of a command.
#![expect(
    unsafe_code,
    reason = "what runs between fork and exec can't be said otherwise"
)]
#![expect(clippy::unwrap_used, reason = "a test's helper fails by panicking too")]
#![expect(
    clippy::disallowed_methods,
    reason = "tests make their own files and look at the clock"
)]
#![expect(clippy::print_stderr, reason = "a skipped test says so")]

mod background;
mod checkpoint;
mod completion;
mod conversations;
mod detached;
mod doctor;
mod documents;
mod faults;
mod formats;
mod golden;
mod handoff;
mod hook;
mod import;
mod index_healing;
mod init;
mod launch;
mod listing;
#[cfg(feature = "mcp")]
mod mcp;
mod mounts;
mod nobody_there;
mod note;
mod options;
mod output;
mod prune;
mod reading;
mod recording;
mod recover;
mod regression;
mod replay;
mod report;
mod rerun;
mod rewriting;
mod robustness;
mod search;
mod sharing;
mod showing;
mod signals;
mod stdin;
mod support;
mod tasks;
mod terminal_between;
mod terminal_full;
mod verify;
