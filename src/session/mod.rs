//! The vocabulary: what a session is, as plain data.
//!
//! Everything here can be constructed by a test, compared and serialised; nothing here touches the
//! system. Other modules decide with these values, carry them out, or show them.

pub mod checkpoint;
pub mod entry;
pub mod event;
pub mod id;
pub mod judgement;
pub mod keeping;
pub mod metadata;
pub mod name;
pub mod outcome;
pub mod query;
pub mod quote;
pub mod selector;
pub mod signal;
pub mod sink;
pub mod state;
pub mod task;
pub mod time;

pub use checkpoint::Checkpoint;
pub use entry::Entry;
pub use event::{Event, Size, Stream};
pub use id::{AgentName, SessionId};
pub use judgement::Judgement;
pub use keeping::{Durability, Location, Policy};
pub use metadata::Metadata;
pub use outcome::{Outcome, Status};
pub use query::Query;
pub use selector::Selector;
pub use signal::Signal;
pub use sink::Sink;
pub use state::State;
pub use task::{TaskNote, TaskSession, TaskState, TaskStatus};
pub use time::Timestamp;
