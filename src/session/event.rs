//! What happens during a session.

use serde::{Deserialize, Serialize};

use super::{Outcome, Signal};

/// One of the command's two output streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    /// Standard output, or both where they share one channel.
    Stdout,
    /// Standard error with a channel of its own.
    Stderr,
}

/// The size of a terminal window, in character cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Size {
    /// Cells in a row.
    pub columns: u16,
    /// Rows.
    pub rows: u16,
}

/// Something that happened to a running command, as capture hands it to its sinks.
#[derive(Clone, Debug, PartialEq)]
pub enum Event<'a> {
    /// The command wrote these bytes.
    Output {
        /// Where it wrote them.
        stream: Stream,
        /// What it wrote, never empty.
        bytes: &'a [u8],
    },
    /// The window that the command sees has a new size.
    Resize(Size),
    /// aido passed a signal on to the command, or sent one itself.
    Signal(Signal),
    /// The command stopped (job control), or goes on after that.
    Stopped {
        /// The signal that stopped it; none when it goes on.
        by: Option<Signal>,
    },
    /// An agent that runs in the session said which conversation of its own it is in.
    Conversation {
        /// The agent program.
        agent: &'a str,
        /// Its own id of the conversation.
        id: &'a str,
    },
    /// The command ended, and all of its output has been handed over.
    Exit(&'a Outcome),
}
