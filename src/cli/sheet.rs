//! What is written, kept in memory up to a bound: for readers that take no stream.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether anybody still waits for an answer. Copies are the same one.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// From here on nobody does.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether nobody does.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// How much is kept, at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// So many bytes.
    pub size_bytes: usize,
    /// So many lines.
    pub lines: usize,
}

/// Text in memory, whole lines of it, as far as there is room.
#[derive(Debug)]
pub struct Sheet {
    text: Vec<u8>,
    lines: usize,
    room: Room,
    is_full: bool,
    stop: Stop,
}

impl Sheet {
    /// An empty one. It takes no more once `stop` says so.
    #[must_use]
    pub fn new(room: Room, stop: Stop) -> Self {
        Self {
            text: Vec::new(),
            lines: 0,
            room,
            is_full: false,
            stop,
        }
    }

    /// Takes what there is room for; the first line that there is none for ends it.
    pub fn write(&mut self, bytes: &[u8]) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            if self.is_full {
                return;
            }
            let is_too_long = self.text.len() + part.len() > self.room.size_bytes;
            if is_too_long || self.lines == self.room.lines {
                self.is_full = true;
                let whole = self.text.iter().rposition(|byte| *byte == b'\n');
                self.text.truncate(whole.map_or(0, |place| place + 1));
                return;
            }
            self.text.extend_from_slice(part);
            self.lines += usize::from(part.ends_with(b"\n"));
        }
    }

    /// Whether it takes no more.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.is_full || self.stop.is_stopped()
    }

    /// Whether there was more than it took.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.is_full
    }

    /// What it took.
    #[must_use]
    pub fn into_text(self) -> String {
        String::from_utf8(self.text)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet(size_bytes: usize, lines: usize) -> Sheet {
        Sheet::new(Room { size_bytes, lines }, Stop::default())
    }

    #[test]
    fn only_whole_lines_are_kept_and_nothing_after_one_that_is_left_out() {
        for (size_bytes, lines, expected) in [
            (100, 100, "one\ntwo\nthree"),
            (8, 100, "one\ntwo\n"),
            (9, 100, "one\ntwo\n"),
            (100, 1, "one\n"),
            (3, 100, ""),
        ] {
            let mut sheet = sheet(size_bytes, lines);
            for piece in ["o", "ne\ntw", "o\nth", "ree"] {
                sheet.write(piece.as_bytes());
            }
            sheet.write(b"");
            assert_eq!(sheet.is_cut(), expected.len() < 13, "{expected:?}");
            assert_eq!(sheet.into_text(), expected);
        }
    }

    #[test]
    fn nobody_who_waits_is_as_good_as_no_room() {
        let stop = Stop::default();
        let room = Room {
            size_bytes: 10,
            lines: 10,
        };
        let sheet = Sheet::new(room, stop.clone());
        assert!(!sheet.is_full());
        stop.stop();
        assert!(sheet.is_full() && !sheet.is_cut());
    }
}
