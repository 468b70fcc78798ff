//! The typescript and timing of util-linux `script`, which its `scriptreplay` plays.
//!
//! Source: script(1) and scriptreplay(1) of util-linux 2.38, and what that script writes: a first line that
//! scriptreplay skips, the bytes, a last line; the classic timing has a line `SECONDS BYTES` for each
//! piece, with the time since the piece before.

use std::io::{self, Write};
use std::time::Duration;

use super::{Format, Head, shown_bytes};
use crate::session::Timestamp;
use crate::transcript::timeline::Moment;

/// Writes a typescript, and the timing beside it.
pub struct Script<T, U> {
    head: Head,
    typescript: T,
    timing: U,
    /// The time that was written last, in microseconds.
    written_us: u128,
    /// Bytes that are shown, kept for their memory.
    shown: Vec<u8>,
}

impl<T: Write, U: Write> Script<T, U> {
    /// Will write both.
    pub fn new(head: Head, typescript: T, timing: U) -> Self {
        Self {
            head,
            typescript,
            timing,
            written_us: 0,
            shown: Vec::new(),
        }
    }

    fn piece(&mut self, at: Duration) -> io::Result<()> {
        if self.shown.is_empty() {
            return Ok(());
        }
        self.typescript.write_all(&self.shown)?;
        let at_us = at.as_micros().max(self.written_us);
        let since_us = at_us - self.written_us;
        self.written_us = at_us;
        let (seconds, rest) = (since_us / 1_000_000, since_us % 1_000_000);
        writeln!(self.timing, "{seconds}.{rest:06} {}", self.shown.len())
    }
}

/// As script writes it: 2026-03-05 13:25:22+00:00.
fn moment_text(time: Timestamp) -> String {
    time.0.format("%Y-%m-%d %H:%M:%S+00:00").to_string()
}

/// A value that ends neither its quotes nor its line.
fn quoted(value: &str) -> String {
    value.replace(['"', '\n', '\r'], " ")
}

impl<T: Write, U: Write> Format for Script<T, U> {
    fn begin(&mut self) -> io::Result<()> {
        let head = &self.head;
        let (began, command) = (moment_text(head.began), quoted(&head.command));
        write!(
            self.typescript,
            "Script started on {began} [COMMAND=\"{command}\""
        )?;
        if let Some(terminal) = &head.terminal {
            write!(self.typescript, " TERM=\"{}\"", quoted(terminal))?;
        }
        let (columns, rows) = (head.size.columns, head.size.rows);
        writeln!(self.typescript, " COLUMNS=\"{columns}\" LINES=\"{rows}\"]")
    }

    fn moment(&mut self, moment: &Moment<'_>) -> io::Result<()> {
        shown_bytes(moment, self.head.line_feeds, &mut self.shown);
        self.piece(moment.at)
    }

    fn end(&mut self) -> io::Result<()> {
        let head = &self.head;
        let ended = moment_text(head.ended.unwrap_or(head.began));
        write!(self.typescript, "\nScript done on {ended}")?;
        match head.exit_code {
            Some(code) => writeln!(self.typescript, " [COMMAND_EXIT_CODE=\"{code}\"]")?,
            None => writeln!(self.typescript)?,
        }
        self.typescript.flush()?;
        self.timing.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::LineFeeds;
    use crate::formats::tests::{head, write};
    use crate::session::Stream;

    #[test]
    fn the_timing_accounts_for_every_byte_of_the_typescript() {
        let mut head = head();
        head.command = "say \"a\"".to_owned();
        head.line_feeds = LineFeeds::Bare;
        let (mut typescript, mut timing) = (Vec::new(), Vec::new());
        let mut script = Script::new(head, &mut typescript, &mut timing);
        let pieces: [(Stream, &[u8]); 3] = [
            (Stream::Stdout, b"a\nb"),
            (Stream::Stdout, b""),
            (Stream::Stderr, b"cd"),
        ];
        write(&mut script, &pieces);
        assert_eq!(
            String::from_utf8(typescript).unwrap(),
            "Script started on 1970-01-01 00:00:00+00:00 [COMMAND=\"say  a \" TERM=\"xterm\" \
             COLUMNS=\"80\" LINES=\"24\"]\na\r\nbcd\nScript done on 1970-01-01 00:00:00+00:00 \
             [COMMAND_EXIT_CODE=\"3\"]\n"
        );
        assert_eq!(timing, b"0.000000 4\n2.000000 2\n");
    }
}
