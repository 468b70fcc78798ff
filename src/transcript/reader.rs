//! Reads events back: tolerates a torn tail and what it does not know.

use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::record::EventRecord;

/// The longest line that is read: a start record with a huge argv fits, a hostile file doesn't.
const LINE_BYTES: u64 = 8 * 1024 * 1024;

/// How the reading of events ended.
#[derive(Debug)]
pub enum End {
    /// At the file's end, behind a whole line.
    Whole,
    /// In a line without a newline, which is what a crash leaves.
    Torn,
    /// Before a line that is no event.
    Foreign,
    /// The file could not be read further.
    Failed(io::Error),
}

/// The events of a file, in order; ends before a torn or foreign line.
pub struct Events<R> {
    lines: BufReader<R>,
    end: Option<End>,
}

impl<R: Read> Events<R> {
    /// Reads from the beginning of an events file.
    pub fn new(file: R) -> Self {
        Self {
            lines: BufReader::new(file),
            end: None,
        }
    }

    /// Why there are no more events; none while there may be some.
    pub fn into_end(self) -> Option<End> {
        self.end
    }

    fn read_as<T: DeserializeOwned>(&mut self) -> Result<T, End> {
        let mut line = Vec::new();
        let mut limited = self.lines.by_ref().take(LINE_BYTES);
        limited.read_until(b'\n', &mut line).map_err(End::Failed)?;
        match line.last() {
            None => Err(End::Whole),
            Some(b'\n') => serde_json::from_slice(&line).map_err(|_| End::Foreign),
            Some(_) if line.len() as u64 == LINE_BYTES => Err(End::Foreign),
            Some(_) => Err(End::Torn),
        }
    }

    /// The next event as it is in the file, with fields and kinds that this version does not know.
    pub fn next_value(&mut self) -> Option<Value> {
        if self.end.is_some() {
            return None;
        }
        match self.read_as() {
            Ok(value) => Some(value),
            Err(end) => {
                self.end = Some(end);
                None
            }
        }
    }
}

impl<R: Seek> Events<R> {
    /// Goes back to the beginning.
    ///
    /// # Errors
    /// When the file can't be read again.
    pub fn rewind(&mut self) -> io::Result<()> {
        self.end = None;
        self.lines.seek(SeekFrom::Start(0)).map(drop)
    }
}

impl<R: Read> Iterator for Events<R> {
    type Item = EventRecord;

    fn next(&mut self) -> Option<EventRecord> {
        if self.end.is_some() {
            return None;
        }
        match self.read_as() {
            Ok(event) => Some(event),
            Err(end) => {
                self.end = Some(end);
                None
            }
        }
    }
}

/// The events of a file that is still written.
pub struct GrowingEvents<R> {
    file: BufReader<R>,
    /// What is there of the next line.
    line: Vec<u8>,
}

impl<R: Read> GrowingEvents<R> {
    /// Reads from the beginning of an events file.
    pub fn new(file: R) -> Self {
        Self {
            file: BufReader::new(file),
            line: Vec::new(),
        }
    }

    /// The next event; none as long as its line is not whole. A line that is no event is an unknown
    /// one.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn next_event(&mut self) -> io::Result<Option<EventRecord>> {
        let room = LINE_BYTES.saturating_sub(self.line.len() as u64);
        self.file
            .by_ref()
            .take(room)
            .read_until(b'\n', &mut self.line)?;
        if self.line.last() != Some(&b'\n') {
            return Ok(None);
        }
        let event = serde_json::from_slice(&self.line).unwrap_or(EventRecord::Unknown);
        self.line.clear();
        Ok(Some(event))
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

    /// A file that another one still writes: what it has grows between reads.
    struct Growing<'a>(&'a std::cell::RefCell<Vec<u8>>, usize);

    impl Read for Growing<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let bytes = self.0.borrow();
            let count = (&bytes[self.1..]).read(buffer)?;
            self.1 += count;
            Ok(count)
        }
    }

    #[test]
    fn a_line_that_is_still_written_is_waited_for() {
        let line = b"{\"type\":\"gap\",\"time\":1.0,\"bytes\":3}\n";
        let (time, bytes) = (1.0, 3);
        for cut in 0..line.len() {
            let file = std::cell::RefCell::new(b"nonsense\n".to_vec());
            file.borrow_mut().extend(&line[..cut]);
            let mut events = GrowingEvents::new(Growing(&file, 0));
            assert_eq!(events.next_event().unwrap(), Some(EventRecord::Unknown));
            assert_eq!(events.next_event().unwrap(), None);
            file.borrow_mut().extend(&line[cut..]);
            let gap = EventRecord::Gap { time, bytes };
            assert_eq!(events.next_event().unwrap(), Some(gap), "{cut}");
            assert_eq!(events.next_event().unwrap(), None);
        }
    }

    #[test]
    fn the_end_tells_a_whole_file_from_a_torn_and_a_foreign_one() {
        let line = "{\"type\":\"continued\",\"time\":1.0}\n";
        for (rest, end) in [
            ("", "Whole"),
            ("{\"type\":", "Torn"),
            ("\0\0\0", "Torn"),
            ("garbage\n", "Foreign"),
            ("\n", "Foreign"),
        ] {
            let text = format!("{line}{rest}");
            let mut events = Events::new(text.as_bytes());
            assert_eq!(events.by_ref().count(), 1, "{rest:?}");
            assert_eq!(format!("{:?}", events.into_end().unwrap()), end);
        }
        let endless = "x".repeat(usize::try_from(LINE_BYTES).unwrap() + 1);
        let mut events = Events::new(endless.as_bytes());
        assert_eq!(events.next(), None);
        assert!(matches!(events.into_end(), Some(End::Foreign)));
    }

    #[test]
    fn a_file_without_a_start_record_says_so() {
        assert!(start_record(&b"garbage\n"[..]).is_err());
        assert!(start_record(&b""[..]).is_err());
    }
}
