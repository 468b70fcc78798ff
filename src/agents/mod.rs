//! AGENT PROGRAMS: what their hooks say and take, which rules of theirs a command falls under, and what is
//! put into their settings. Decides from values; reads nothing, writes nothing.
//!
//! The shapes are from the programs' own documentation and type definitions. What is unknown in a payload is
//! passed over, and echoed where a whole object has to be given back.

pub mod block;
pub mod conversation;
pub mod edit;
pub mod host;
pub mod json;
pub mod payload;
pub mod reply;
pub mod rules;
pub mod server;

pub use host::{Host, Mode};
pub use payload::{Call, Dialect, Moment};
