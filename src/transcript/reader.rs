//! Reads events back: tolerates a torn tail and what it does not know.

use std::io::{self, BufRead, BufReader, Read};

use serde_json::{Map, Value};

use super::record::EventRecord;

/// The longest line that is read: a start record with a huge argv fits, a hostile file doesn't.
const LINE_BYTES: u64 = 8 * 1024 * 1024;

/// The events of a file, in order; ends before a torn or foreign line.
pub struct Events<R>(BufReader<R>);

impl<R: Read> Events<R> {
    /// Reads from the beginning of an events file.
    pub fn new(file: R) -> Self {
        Self(BufReader::new(file))
    }
}

impl<R: Read> Iterator for Events<R> {
    type Item = EventRecord;

    fn next(&mut self) -> Option<EventRecord> {
        let mut line = Vec::new();
        let mut limited = self.0.by_ref().take(LINE_BYTES);
        limited.read_until(b'\n', &mut line).ok()?;
        if line.last() != Some(&b'\n') {
            return None;
        }
        serde_json::from_slice(&line).ok()
    }
}

/// The start record of an events file.
///
/// # Errors
/// When the first line is torn or something else.
pub fn start_record(file: impl Read) -> io::Result<Map<String, Value>> {
    match Events::new(file).next() {
        Some(EventRecord::Start(known)) => Ok(known),
        _ => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "the events file has no start record",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_stops_before_a_torn_line() {
        let text = concat!(
            "{\"type\":\"start\",\"pid\":1}\n",
            "{\"type\":\"output\",\"time\":0.5,\"stream\":\"stdout\",\"bytes\":3}\n",
            "{\"type\":\"output\",\"time\":0.7,\"str"
        );
        assert_eq!(Events::new(text.as_bytes()).count(), 2);
        assert_eq!(start_record(text.as_bytes()).unwrap()["pid"], 1);
    }

    #[test]
    fn a_file_without_a_start_record_says_so() {
        assert!(start_record(&b"garbage\n"[..]).is_err());
        assert!(start_record(&b""[..]).is_err());
    }
}
