//! Agents' conversations as a table.

use std::fmt;

use super::columns::{self, Side};
use super::{sanitize, units};
use crate::session::{SessionId, Timestamp};

/// A conversation, and what it ran.
#[derive(Clone, Debug)]
pub struct Conversation {
    /// The agent.
    pub agent: &'static str,
    /// Its id; none where the program has one for all.
    pub id: Option<String>,
    /// Its log.
    pub log_file: String,
    /// When something was last added to the log.
    pub at: Timestamp,
    /// The log's size.
    pub size_bytes: u64,
    /// The sessions that it ran, as far as they say so, the newest first.
    pub sessions: Vec<SessionId>,
    /// The line of shell that resumes it.
    pub resume: String,
}

/// Conversations as a table: a line each, cut to the width where there is one.
pub struct Table<'a> {
    /// What to show.
    pub conversations: &'a [Conversation],
    /// The present time, which ages are counted from.
    pub now: Timestamp,
    /// The terminal's width in columns; none doesn't cut.
    pub width: Option<usize>,
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = [
            ("AGENT", Side::Left),
            ("LAST", Side::Right),
            ("SIZE", Side::Right),
            ("COMMANDS", Side::Right),
            ("RESUME", Side::Left),
        ];
        let row = |conversation: &Conversation| {
            let age = self.now.0.signed_duration_since(conversation.at.0);
            [
                conversation.agent.to_owned(),
                units::age(age.num_seconds()),
                units::size(conversation.size_bytes),
                conversation.sessions.len().to_string(),
                sanitize::line(&conversation.resume).into_owned(),
            ]
        };
        let rows: Vec<[String; 5]> = self.conversations.iter().map(row).collect();
        columns::write(formatter, header, &rows, self.width)
    }
}
