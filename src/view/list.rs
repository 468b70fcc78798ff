//! A table of sessions.

use std::fmt;

use super::columns::{self, Side};
use super::sanitize;
use super::session::Shown;
use super::units;
use crate::session::{Entry, Timestamp};
use crate::store::State;
use crate::store::signature::Signature;

/// Sessions as a table: one line each, cut to the width where there is one.
pub struct Table<'a> {
    /// What to show.
    pub sessions: &'a [Shown],
    /// The present time, which ages are counted from.
    pub now: Timestamp,
    /// The terminal's width in columns; none doesn't cut.
    pub width: Option<usize>,
}

const HEADER: [&str; 8] = [
    "ID", "STATE", "EXIT", "AGENT", "AGE", "TIME", "SIGNED", "COMMAND",
];

impl Table<'_> {
    fn row(&self, shown: &Shown) -> [String; 8] {
        let metadata = &shown.metadata;
        let age = self.now.0.signed_duration_since(metadata.timestamp.0);
        let exit = match (shown.state, metadata.exit_code) {
            (State::Finished, Some(code)) => code.to_string(),
            _ => "-".to_owned(),
        };
        [
            metadata.session_id.hex().to_owned(),
            shown.state_name().to_owned(),
            exit,
            metadata.session_id.agent().to_owned(),
            units::age(age.num_seconds()),
            metadata.duration_ms.map_or("-".to_owned(), units::duration),
            shown.signature.map_or("-", Signature::name).to_owned(),
            sanitize::line(&metadata.command).into_owned(),
        ]
    }
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: Vec<[String; 8]> = self.sessions.iter().map(|shown| self.row(shown)).collect();
        let header = HEADER.map(|name| (name, Side::Left));
        columns::write(formatter, header, &rows, self.width)
    }
}

/// Removed sessions as a table.
pub struct Removed<'a> {
    /// What to show.
    pub entries: &'a [Entry<'static>],
    /// The present time, which ages are counted from.
    pub now: Timestamp,
    /// The terminal's width in columns; none doesn't cut.
    pub width: Option<usize>,
}

impl fmt::Display for Removed<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.entries.is_empty() {
            return writeln!(formatter, "no session was removed");
        }
        let age = |time: &str| {
            let time: Timestamp = time.parse().ok()?;
            let age = self.now.0.signed_duration_since(time.0);
            Some(units::age(age.num_seconds()))
        };
        let age = |time: &str| age(time).unwrap_or_else(|| "-".to_owned());
        let row = |entry: &Entry<'_>| {
            let removal = entry.pruned.as_ref();
            let exit = entry
                .exit_code
                .map_or("-".to_owned(), |code| code.to_string());
            [
                sanitize::line(&entry.session_id).into_owned(),
                exit,
                age(&entry.timestamp),
                age(removal.map_or("", |removal| &removal.at)),
                sanitize::line(removal.map_or("", |removal| &removal.reason)).into_owned(),
                sanitize::line(&entry.command).into_owned(),
            ]
        };
        let header = ["ID", "EXIT", "AGE", "REMOVED", "WHY", "COMMAND"];
        let rows: Vec<[String; 6]> = self.entries.iter().map(row).collect();
        let header = header.map(|name| (name, Side::Left));
        columns::write(formatter, header, &rows, self.width)
    }
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::*;
    use crate::session::metadata::tests::minimal;

    fn shown(id: &str, command: &str) -> Shown {
        let mut metadata = minimal(id);
        metadata.command = command.to_owned();
        Shown {
            metadata,
            state: State::Finished,
            signature: None,
        }
    }

    fn table(width: Option<usize>) -> String {
        let sessions = [
            shown(
                "codex-20260305_132522-1-abcdef12",
                "echo 日本語 and more\x1b[2J",
            ),
            shown("ai-agent-20260305_132520-1-00000001", "true"),
        ];
        let now = serde_json::from_str("\"2026-03-05T13:30:22.000Z\"").unwrap();
        let sessions = &sessions;
        let table = Table {
            sessions,
            now,
            width,
        };
        table.to_string()
    }

    #[test]
    fn a_table_in_a_pipe_is_not_cut_and_shows_no_control_character() {
        let expected = "\
ID        STATE     EXIT  AGENT     AGE  TIME   SIGNED  COMMAND
abcdef12  finished  0     codex     5m   0.00s  -       echo 日本語 and more^[[2J
00000001  finished  0     ai-agent  5m   0.00s  -       true
";
        assert_eq!(table(None), expected);
    }

    #[test]
    fn a_table_fits_the_terminal() {
        for width in [1, 20, 55, 60, 200] {
            for line in table(Some(width)).lines() {
                assert!(line.width() <= width, "{width}: {line:?}");
            }
        }
    }
}
