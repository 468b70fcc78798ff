//! The events of a session as a table.

use std::fmt;

use super::sanitize;
use super::units;
use crate::session::Stream;
use crate::transcript::EventRecord;

/// The line above the events.
pub const HEADER: &str = "    TIME  EVENT      WHAT";

/// One event as a line, without its newline.
pub struct EventLine<'a> {
    /// The event.
    pub event: &'a EventRecord,
    /// Where its output begins in the transcript.
    pub place: u64,
}

impl fmt::Display for EventLine<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.place;
        let (time, name, what) = match self.event {
            EventRecord::Start(known) => {
                let pid = known.get("pid").and_then(serde_json::Value::as_u64);
                let pid = pid.map_or("unknown".to_owned(), |pid| pid.to_string());
                (0.0, "start", format!("recorder's process {pid}"))
            }
            EventRecord::Output {
                time,
                stream,
                bytes,
            } => {
                let name = match stream {
                    Stream::Stdout => "stdout",
                    Stream::Stderr => "stderr",
                };
                (*time, name, format!("{} at {place}", units::size(*bytes)))
            }
            EventRecord::Resize {
                time,
                columns,
                rows,
            } => (*time, "resize", format!("{columns} columns, {rows} rows")),
            EventRecord::Signal { time, signal } => (*time, "signal", format!("{signal}, sent")),
            EventRecord::Stopped { time, signal } => (*time, "stopped", format!("by {signal}")),
            EventRecord::Continued { time } => (*time, "continued", String::new()),
            EventRecord::Conversation {
                time,
                agent,
                conversation,
            } => (*time, "talks", format!("{agent} in {conversation}")),
            EventRecord::Gap { time, bytes } => {
                let missing = units::size(*bytes);
                (*time, "gap", format!("{missing} not recorded at {place}"))
            }
            EventRecord::Exit {
                time,
                exit_code,
                signal,
                output_bytes,
                ..
            } => {
                let code =
                    exit_code.map_or("exit unknown".to_owned(), |code| format!("exit {code}"));
                let signal = signal.as_ref().map(|signal| format!(", by {signal}"));
                let signal = signal.unwrap_or_default();
                let output = units::size(*output_bytes);
                (*time, "exit", format!("{code}{signal}, {output} of output"))
            }
            EventRecord::Unknown => return write!(formatter, "{:>8}  unknown", "-"),
        };
        let line = format!("{time:>8.3}  {name:<9}  {what}");
        formatter.write_str(&sanitize::line(line.trim_end()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Status;
    use serde_json::{Map, json};

    #[test]
    fn every_event_is_a_line() {
        let mut known = Map::new();
        known.insert("pid".to_owned(), json!(42));
        let (time, bytes) = (1.25, 3);
        let signal = || "SIGTERM".to_owned();
        let lines: Vec<String> = [
            EventRecord::Start(known),
            EventRecord::Output {
                time,
                stream: Stream::Stderr,
                bytes,
            },
            EventRecord::Resize {
                time,
                columns: 80,
                rows: 24,
            },
            EventRecord::Signal {
                time,
                signal: "\x1b[2J".to_owned(),
            },
            EventRecord::Stopped {
                time,
                signal: signal(),
            },
            EventRecord::Continued { time },
            EventRecord::Conversation {
                time,
                agent: "codex".to_owned(),
                conversation: "c-1".to_owned(),
            },
            EventRecord::Gap { time, bytes },
            EventRecord::Exit {
                time: 12.5,
                status: Status::Signaled,
                exit_code: Some(143),
                signal: Some(signal()),
                output_bytes: 2048,
            },
            EventRecord::Unknown,
        ]
        .iter()
        .map(|event| EventLine { event, place: 9 }.to_string())
        .collect();
        assert_eq!(
            lines,
            [
                "   0.000  start      recorder's process 42",
                "   1.250  stderr     3 bytes at 9",
                "   1.250  resize     80 columns, 24 rows",
                "   1.250  signal     ^[[2J, sent",
                "   1.250  stopped    by SIGTERM",
                "   1.250  continued",
                "   1.250  talks      codex in c-1",
                "   1.250  gap        3 bytes not recorded at 9",
                "  12.500  exit       exit 143, by SIGTERM, 2.0 KiB of output",
                "       -  unknown",
            ]
        );
        assert_eq!(HEADER.find("EVENT"), lines[0].find("start"));
    }
}
