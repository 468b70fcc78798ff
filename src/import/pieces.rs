//! The timing of a typescript: which of its bytes were printed when.
//!
//! Source: script(1) of util-linux 2.38. The classic form has a line `SECONDS BYTES` a piece, the advanced
//! one a letter first: `O` for output, `I` for input, `S` for a signal, `H` for a fact. Times are since
//! the line before.

use std::io::{self, BufRead};
use std::time::Duration;

use super::{Line, read_line, size_of};
use crate::session::Size;
use crate::transcript::timeline::LATEST;

/// The longest line that is read.
const LINE_BYTES: u64 = 64 * 1024;

/// What a line of timing says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// The next bytes of the typescript are output.
    Output(u64),
    /// So many bytes were typed.
    Input(u64),
    /// The window has a new size.
    Resize(Size),
    /// A fact: its name and value.
    Fact(String, String),
}

/// Reads timing.
pub struct Timing<R> {
    file: R,
    line: Vec<u8>,
    number: u64,
    now: Duration,
    doubt: Option<String>,
}

impl<R: BufRead> Timing<R> {
    /// Reads from the beginning.
    pub fn new(file: R) -> Self {
        Self {
            file,
            line: Vec::new(),
            number: 0,
            now: Duration::ZERO,
            doubt: None,
        }
    }

    /// The next entry and its time since the start; none at the end, or where lines make no sense.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn next_entry(&mut self) -> io::Result<Option<(Duration, Entry)>> {
        if self.doubt.is_some() {
            return Ok(None);
        }
        loop {
            let end = read_line(&mut self.file, LINE_BYTES, &mut self.line)?;
            self.number += 1;
            if end == Line::None {
                return Ok(None);
            }
            let line = String::from_utf8_lossy(&self.line);
            if line.trim().is_empty() {
                continue;
            }
            let Some((since, entry)) = parse(&line).filter(|_| end != Line::TooLong) else {
                let number = self.number;
                self.doubt = Some(format!(
                    "line {number} of the timing is none; when the rest was printed is not known"
                ));
                return Ok(None);
            };
            self.now = self.now.saturating_add(since).min(LATEST);
            if let Some(entry) = entry {
                return Ok(Some((self.now, entry)));
            }
        }
    }

    /// What made no sense.
    pub fn doubt(&mut self) -> Option<String> {
        // Kept: nothing is read after it.
        self.doubt.clone()
    }
}

/// The time since the line before, and what it says; of a signal that is no new size, only the time.
fn parse(line: &str) -> Option<(Duration, Option<Entry>)> {
    let (first, rest) = line.trim().split_once(' ')?;
    let kind = match first {
        "O" | "I" | "S" | "H" => first,
        // The classic form.
        _ => {
            return Some((
                duration(first)?,
                Some(Entry::Output(rest.trim().parse().ok()?)),
            ));
        }
    };
    let (time, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let time = duration(time)?;
    let entry = match kind {
        "O" => Some(Entry::Output(rest.trim().parse().ok()?)),
        "I" => Some(Entry::Input(rest.trim().parse().ok()?)),
        "H" => {
            let (name, value) = rest.split_once(' ').unwrap_or((rest, ""));
            Some(Entry::Fact(name.to_owned(), value.to_owned()))
        }
        _ => resize(rest).map(Entry::Resize),
    };
    Some((time, entry))
}

fn duration(seconds: &str) -> Option<Duration> {
    // Some locales write a comma.
    let seconds = seconds.replace(',', ".").parse::<f64>().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// `SIGWINCH ROWS=24 COLS=80`
fn resize(signal: &str) -> Option<Size> {
    let part = |name: &str| {
        let mut words = signal.split_whitespace();
        words.find_map(|word| word.strip_prefix(name)?.parse().ok())
    };
    size_of(part("COLS=")?, part("ROWS=")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<(u128, Entry)>, Option<String>) {
        let mut timing = Timing::new(text.as_bytes());
        let mut all = Vec::new();
        while let Some((at, entry)) = timing.next_entry().unwrap() {
            all.push((at.as_micros(), entry));
        }
        (all, timing.doubt())
    }

    #[test]
    fn both_forms_are_read() {
        let classic = read("0.500000 4\n\n0.250001 2\n").0;
        assert_eq!(
            classic,
            [(500_000, Entry::Output(4)), (750_001, Entry::Output(2))]
        );
        let size = Size {
            columns: 80,
            rows: 24,
        };
        let advanced = read(
            "H 0.000000 COMMAND ls -l\nO 0,5 4\nI 0.25 9\nS 0.25 SIGWINCH ROWS=24 COLS=80\n\
             S 1 SIGTSTP\nO 1.0 1\nH 0.0 EXIT_CODE 3\n",
        );
        let expected = [
            (0, Entry::Fact("COMMAND".to_owned(), "ls -l".to_owned())),
            (500_000, Entry::Output(4)),
            (750_000, Entry::Input(9)),
            (1_000_000, Entry::Resize(size)),
            (3_000_000, Entry::Output(1)),
            (
                3_000_000,
                Entry::Fact("EXIT_CODE".to_owned(), "3".to_owned()),
            ),
        ];
        assert_eq!(advanced, (expected.to_vec(), None));
    }

    #[test]
    fn reading_stops_at_a_line_that_is_none() {
        for line in [
            "x",
            "-1 5",
            "nan 5",
            "0.1 -5",
            "O 1",
            "O 0.1 99999999999999999999",
            "1e300 4",
        ] {
            let (all, doubt) = read(&format!("0.5 4\n{line}\n0.5 4\n"));
            assert_eq!(all.len(), 1, "{line}");
            assert!(doubt.unwrap().starts_with("line 2 of the timing"), "{line}");
        }
    }
}
