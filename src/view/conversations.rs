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
    /// What it ran, as far as the sessions say so, the newest first.
    pub ran: Vec<Ran>,
    /// The line of shell that resumes it.
    pub resume: String,
}

/// A command that a conversation ran.
#[derive(Clone, Debug)]
pub struct Ran {
    /// Its session.
    pub id: SessionId,
    /// The command, as it may be shown.
    pub command: String,
    /// As a shell would show it; none where nobody knows.
    pub exit_code: Option<i32>,
}

/// How many commands of a conversation are shown.
const COMMANDS: usize = 3;

/// Conversations as a table: a line each, and below it the last commands that it ran; cut to the width where
/// there is one.
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
                conversation.ran.len().to_string(),
                sanitize::line(&conversation.resume).into_owned(),
            ]
        };
        let rows: Vec<[String; 5]> = self.conversations.iter().map(row).collect();
        let mut lines = columns::lines(header, &rows).into_iter();
        let mut write = |line: &str| writeln!(formatter, "{}", columns::fit(line, self.width));
        if let Some(header) = lines.next() {
            write(header.trim_end())?;
        }
        for (line, conversation) in lines.zip(self.conversations) {
            write(line.trim_end())?;
            for ran in conversation.ran.iter().take(COMMANDS) {
                write(&format!("    {ran}"))?;
            }
            let more = conversation.ran.len().saturating_sub(COMMANDS);
            if more > 0 {
                write(&format!("    and {more} more (--json has all)"))?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Ran {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = match self.exit_code {
            Some(0) => "ok".to_owned(),
            Some(code) => format!("exit {code}"),
            None => "end unknown".to_owned(),
        };
        let command = sanitize::line(&self.command);
        write!(formatter, "{} {end}: {command}", self.id.hex())
    }
}
