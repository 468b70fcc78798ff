//! asciicast, the format of asciinema: a header, then an event a line.
//!
//! Source: asciinema's documentation of the formats, version 2 (times since the start) and 3 (times since
//! the event before, `x` for the exit status).

use std::io::{self, Write};
use std::time::Duration;

use serde_json::json;

use super::{Format, Head, shown_bytes};
use crate::transcript::timeline::{Moment, What};
use crate::view::sanitize;

/// Which version of the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// 2, which most players read.
    Two,
    /// 3, of asciinema 3.
    Three,
}

/// Writes asciicast.
pub struct Asciicast<W> {
    head: Head,
    version: Version,
    out: W,
    /// The time that was written last, in milliseconds.
    written_ms: u128,
    /// The beginning of a character whose end comes later: every event is text.
    partial: Vec<u8>,
    /// Bytes that are shown, kept for their memory.
    shown: Vec<u8>,
}

impl<W: Write> Asciicast<W> {
    /// Will write to `out`.
    pub fn new(head: Head, version: Version, out: W) -> Self {
        Self {
            head,
            version,
            out,
            written_ms: 0,
            partial: Vec::new(),
            shown: Vec::new(),
        }
    }

    fn event(&mut self, at: Duration, code: &str, data: &str) -> io::Result<()> {
        let at_ms = at.as_millis().max(self.written_ms);
        let shown_ms = match self.version {
            Version::Two => at_ms,
            // The difference of rounded times, so that rounding does not add up.
            Version::Three => at_ms - self.written_ms,
        };
        self.written_ms = at_ms;
        let (seconds, rest) = (shown_ms / 1000, shown_ms % 1000);
        let data = serde_json::to_string(data)?;
        // Escaped, what would act on a terminal doesn't where the file itself is printed.
        let data = sanitize::json(&data);
        writeln!(self.out, "[{seconds}.{rest:03}, \"{code}\", {data}]")
    }

    /// Writes what is there of a character that has no end.
    fn end_character(&mut self, at: Duration) -> io::Result<()> {
        if std::mem::take(&mut self.partial).is_empty() {
            return Ok(());
        }
        self.event(at, "o", "\u{fffd}")
    }

    fn output(&mut self, at: Duration, bytes: &[u8]) -> io::Result<()> {
        let mut pending = std::mem::take(&mut self.partial);
        pending.extend_from_slice(bytes);
        let mut text = String::with_capacity(pending.len());
        let mut chunks = pending.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            text.push_str(chunk.valid());
            let invalid = chunk.invalid();
            if invalid.is_empty() {
                continue;
            }
            let is_cut = chunks.peek().is_none()
                && std::str::from_utf8(invalid).is_err_and(|error| error.error_len().is_none());
            if is_cut {
                self.partial.extend_from_slice(invalid);
            } else {
                text.push(char::REPLACEMENT_CHARACTER);
            }
        }
        if text.is_empty() {
            return Ok(());
        }
        self.event(at, "o", &text)
    }
}

impl<W: Write> Format for Asciicast<W> {
    fn begin(&mut self) -> io::Result<()> {
        let head = &self.head;
        let mut variables = serde_json::Map::new();
        let terminal = head.terminal.as_ref().map(|value| ("TERM", value));
        let shell = head.shell.as_ref().map(|value| ("SHELL", value));
        let in_head = matches!(self.version, Version::Three);
        for (name, value) in terminal.filter(|_| !in_head).into_iter().chain(shell) {
            variables.insert(name.to_owned(), value.as_str().into());
        }
        let mut header = match self.version {
            Version::Two => json!({
                "version": 2,
                "width": head.size.columns,
                "height": head.size.rows,
            }),
            Version::Three => {
                let mut term = json!({"cols": head.size.columns, "rows": head.size.rows});
                if let Some(terminal) = &head.terminal {
                    term["type"] = terminal.as_str().into();
                }
                json!({"version": 3, "term": term})
            }
        };
        header["timestamp"] = head.began.0.timestamp().into();
        header["command"] = head.command.as_str().into();
        header["title"] = head.title.as_str().into();
        if !variables.is_empty() {
            header["env"] = variables.into();
        }
        writeln!(self.out, "{}", sanitize::json(&header.to_string()))
    }

    fn moment(&mut self, moment: &Moment<'_>) -> io::Result<()> {
        let at = moment.at;
        match &moment.what {
            What::Output(..) | What::Gap(_) => {
                let mut shown = std::mem::take(&mut self.shown);
                shown_bytes(moment, self.head.line_feeds, &mut shown);
                let written = self.output(at, &shown);
                self.shown = shown;
                written
            }
            What::Resize(size) => self.event(at, "r", &format!("{}x{}", size.columns, size.rows)),
            What::Signal(signal) => self.event(at, "m", &format!("sent {signal}")),
            What::Stopped(signal) => self.event(at, "m", &format!("stopped by {signal}")),
            What::Continued => self.event(at, "m", "continued"),
            What::Exit { exit_code } => {
                self.end_character(at)?;
                match (self.version, exit_code) {
                    (Version::Three, Some(code)) => self.event(at, "x", &code.to_string()),
                    (Version::Two, Some(code)) => self.event(at, "m", &format!("exit {code}")),
                    (_, None) => Ok(()),
                }
            }
        }
    }

    fn end(&mut self) -> io::Result<()> {
        self.end_character(Duration::ZERO)?;
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::tests::head;
    use crate::session::{Size, Stream};
    use serde_json::Value;

    fn written(version: Version, moments: &[(u64, What<'_>)]) -> Vec<Value> {
        let mut bytes = Vec::new();
        let mut cast = Asciicast::new(head(), version, &mut bytes);
        cast.begin().unwrap();
        for (at, what) in moments {
            let what = what.clone();
            let at = Duration::from_micros(*at);
            cast.moment(&Moment { at, what }).unwrap();
        }
        cast.end().unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let acts = |character: char| character.is_control() && character != '\n';
        assert!(!text.contains(acts), "{text:?}");
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    const MOMENTS: &[(u64, What<'_>)] = &[
        (12_400, What::Output(Stream::Stdout, b"On \xe6\x97")),
        (20_000, What::Output(Stream::Stdout, b"\xa5\r\n")),
        (
            21_000,
            What::Resize(Size {
                columns: 100,
                rows: 30,
            }),
        ),
        (21_000, What::Output(Stream::Stderr, b"e\n\xff")),
        (1_500_000, What::Exit { exit_code: Some(3) }),
    ];

    #[test]
    fn version_two_has_times_since_the_start() {
        let lines = written(Version::Two, MOMENTS);
        assert_eq!(
            lines[0],
            json!({
                "version": 2, "width": 80, "height": 24, "timestamp": 0, "command": "git status",
                "title": "ai-agent-20260305_132522-3216-2f587606",
                "env": {"TERM": "xterm", "SHELL": "/bin/sh"},
            })
        );
        let expected = [
            json!([0.012, "o", "On "]),
            json!([0.02, "o", "日\r\n"]),
            json!([0.021, "r", "100x30"]),
            json!([0.021, "o", "e\r\n\u{fffd}"]),
            json!([1.5, "m", "exit 3"]),
        ];
        assert_eq!(lines[1..], expected);
    }

    #[test]
    fn version_three_has_times_since_the_event_before() {
        let lines = written(Version::Three, MOMENTS);
        assert_eq!(
            lines[0],
            json!({
                "version": 3, "term": {"cols": 80, "rows": 24, "type": "xterm"}, "timestamp": 0,
                "command": "git status", "title": "ai-agent-20260305_132522-3216-2f587606",
                "env": {"SHELL": "/bin/sh"},
            })
        );
        let expected = [
            json!([0.012, "o", "On "]),
            json!([0.008, "o", "日\r\n"]),
            json!([0.001, "r", "100x30"]),
            json!([0.0, "o", "e\r\n\u{fffd}"]),
            json!([1.479, "x", "3"]),
        ];
        assert_eq!(lines[1..], expected);
    }

    #[test]
    fn a_character_without_an_end_is_shown_as_one() {
        let lines = written(
            Version::Three,
            &[(0, What::Output(Stream::Stdout, b"\xc2\x9b31m\xe6\x97"))],
        );
        assert_eq!(
            lines[1..],
            [
                json!([0.0, "o", "\u{9b}31m"]),
                json!([0.0, "o", "\u{fffd}"])
            ]
        );
    }
}
