//! A table of running sessions: how each is.

use std::fmt;

use serde_json::Value;

use super::columns::{self, Side};
use super::text::Audience;
use super::units;
use crate::session::Timestamp;

use super::session::Shown;

/// A running session, and how it is.
#[derive(Clone, Debug)]
pub struct Running {
    /// What is known of it.
    pub shown: Shown,
    /// How it is, in capital words.
    pub flags: Vec<&'static str>,
    /// How long it has written nothing, in seconds, if that is known.
    pub quiet_seconds: Option<i64>,
}

impl Running {
    /// What is known of it, with `flags` and `quiet_seconds`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut json = self.shown.to_json();
        json["flags"] = self.flags.clone().into();
        json["quiet_seconds"] = self.quiet_seconds.into();
        json
    }
}

/// Running sessions as a table.
pub struct Table<'a> {
    /// What to show.
    pub sessions: &'a [Running],
    /// The present time, which ages are counted from.
    pub now: Timestamp,
    /// The terminal's width in columns; none doesn't cut.
    pub width: Option<usize>,
    /// Who reads it.
    pub audience: Audience,
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |running: &Running| {
            let metadata = &running.shown.metadata;
            let age = self.now.0.signed_duration_since(metadata.timestamp.0);
            let flags = match running.flags.is_empty() {
                true => "-".to_owned(),
                false => running.flags.join(","),
            };
            let name = metadata.name.as_deref().unwrap_or("-");
            [
                metadata.session_id.hex().to_owned(),
                self.audience.line(name).into_owned(),
                metadata.session_id.agent().to_owned(),
                units::age(age.num_seconds()),
                running.quiet_seconds.map_or("-".to_owned(), units::age),
                flags,
                self.audience.line(&metadata.command).into_owned(),
            ]
        };
        let rows: Vec<[String; 7]> = self.sessions.iter().map(row).collect();
        let header = ["ID", "NAME", "AGENT", "AGE", "QUIET", "FLAGS", "COMMAND"];
        columns::write(
            formatter,
            header.map(|name| (name, Side::Left)),
            &rows,
            self.width,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::metadata::tests::minimal;
    use crate::store::State;

    #[test]
    fn each_has_its_flags_and_nothing_acts_on_the_terminal() {
        let session = |id: &str, name: Option<&str>, flags: &[&'static str]| {
            let mut metadata = minimal(id);
            metadata.name = name.map(str::to_owned);
            metadata.command = "sh\x1b[2J".to_owned();
            let shown = Shown {
                metadata,
                state: State::Running,
                signature: None,
            };
            Running {
                shown,
                flags: flags.to_vec(),
                quiet_seconds: name.map(|_| 90),
            }
        };
        let sessions = [
            session(
                "a-20260305_132522-1-abcdef12",
                Some("gov"),
                &["BELL", "SILENT"],
            ),
            session("a-20260305_132522-1-abcdef13", None, &[]),
        ];
        let table = Table {
            sessions: &sessions,
            now: serde_json::from_str("\"2026-03-05T13:30:22.000Z\"").unwrap(),
            width: None,
            audience: Audience::People,
        };
        let expected = "\
ID        NAME  AGENT  AGE  QUIET  FLAGS        COMMAND
abcdef12  gov   a      5m   1m     BELL,SILENT  sh^[[2J
abcdef13  -     a      5m   -      -            sh^[[2J
";
        assert_eq!(table.to_string(), expected);
    }
}
