//! The lines of `index.jsonl`: what a list shows of a finished session, so that a reader of many
//! needn't open every sidecar. Derived: deleting it loses nothing.

use std::io;

use serde::Serialize;

use crate::session::{Metadata, SessionId, Status, Timestamp};

/// The most of a command that an index line holds, in characters.
const COMMAND_CHARACTERS: usize = 200;

#[derive(Serialize)]
struct Line<'a> {
    session_id: &'a SessionId,
    timestamp: Timestamp,
    status: Status,
    exit_code: Option<i32>,
    duration_ms: Option<u64>,
    branch: Option<&'a str>,
    task: Option<&'a str>,
    command: &'a str,
}

/// The line of a finished session, with its newline.
///
/// # Errors
/// As [`serde_json::to_string`]; never for values that this program makes.
pub fn line(metadata: &Metadata) -> io::Result<String> {
    let command = &metadata.command;
    let end = command.char_indices().nth(COMMAND_CHARACTERS);
    let git = metadata.git.as_ref();
    let mut line = serde_json::to_string(&Line {
        session_id: &metadata.session_id,
        timestamp: metadata.timestamp,
        status: metadata.status,
        exit_code: metadata.exit_code,
        duration_ms: metadata.duration_ms,
        branch: git.and_then(|git| git.branch.as_deref()),
        task: metadata.task.as_deref(),
        command: end.map_or(command, |(end, _)| &command[..end]),
    })?;
    line.push('\n');
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::metadata::tests::minimal;

    #[test]
    fn a_line_is_one_line_whatever_the_command_is() {
        let mut metadata = minimal("a-20260305_132522-1-abcdef12");
        metadata.command = format!("echo 'a\nb' {}", "é".repeat(1000));
        let line = line(&metadata).unwrap();
        assert_eq!(line.matches('\n').count(), 1);
        assert!(line.ends_with("\n") && line.len() < 800, "{}", line.len());
    }
}
