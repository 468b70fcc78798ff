//! The checkpoints that there are: a table, and the same as JSON.

use std::fmt;

use serde_json::{Value, json};

use super::columns::{self, Side};
use super::sanitize;
use super::text::Audience;
use super::units;
use crate::checkpoint::{Named, Record};
use crate::session::Timestamp;

/// A checkpoint in a list.
pub struct Row {
    /// Its session, and which of its checkpoints it is.
    pub named: Named,
    /// What it says of itself; none where it can't be read.
    pub record: Option<Record>,
    /// The session's command as it may be shown; none where the session is gone.
    pub command: Option<String>,
}

/// Checkpoints as a table.
pub struct Table<'a> {
    /// The checkpoints.
    pub rows: &'a [Row],
    /// The present time.
    pub now: Timestamp,
    /// The terminal's width in columns; none doesn't cut.
    pub width: Option<usize>,
    /// Who reads it.
    pub audience: Audience,
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = [
            ("ID", Side::Left),
            ("WHEN", Side::Left),
            ("AGE", Side::Right),
            ("LEFT OUT", Side::Right),
            ("COMMAND", Side::Left),
        ];
        let rows: Vec<[String; 5]> = self.rows.iter().map(|row| self.cells(row)).collect();
        columns::write(formatter, header, &rows, self.width)
    }
}

impl Table<'_> {
    fn cells(&self, row: &Row) -> [String; 5] {
        let unreadable = || "damaged".to_owned();
        let age = row.record.as_ref().map(|record| {
            let seconds = (self.now.0 - record.at.0).num_seconds();
            units::age(seconds)
        });
        let left_out = row
            .record
            .as_ref()
            .map(|record| match record.left_out.len() {
                0 => "-".to_owned(),
                count => count.to_string(),
            });
        let command = match &row.command {
            Some(command) => self.audience.line(command).into_owned(),
            None => "(the session is gone)".to_owned(),
        };
        [
            sanitize::line(row.named.id.hex()).into_owned(),
            row.named.phase.to_string(),
            age.unwrap_or_else(unreadable),
            left_out.unwrap_or_default(),
            command,
        ]
    }
}

/// A checkpoint as JSON; `path` gives a path as it may be shown.
#[must_use]
pub fn row_json(row: &Row, path: &super::changes::PathText<'_>) -> Value {
    let record = row.record.as_ref();
    let left_out = record.map(|record| {
        let paths = record.left_out.iter();
        let paths =
            paths.map(|(left, reason)| json!({"path": path(left), "reason": reason.name()}));
        paths.collect::<Vec<Value>>()
    });
    json!({
        "session_id": row.named.id,
        "phase": row.named.phase.to_string(),
        "commit": row.named.commit,
        "at": record.map(|record| record.at),
        "head": record.and_then(|record| record.head.clone()),
        "left_out": left_out,
        "command": row.command,
    })
}
