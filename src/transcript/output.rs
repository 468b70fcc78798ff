//! The recorded output as one run of bytes: the transcript without its marker, with a line that says
//! so where output is missing. Not responsible for telling the streams apart (see
//! [`super::slices`]), nor for rendering.

use std::io::{self, Read, Seek, SeekFrom};

use super::EventRecord;

/// Most gaps that are shown; a recorder leaves one.
const GAPS_MAX: usize = 16;

/// What the events say about the whole of the output.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// Where output is missing: after so many bytes, how many.
    pub gaps: Vec<(u64, u64)>,
    /// Where the marker begins, if the command's end was recorded.
    pub end: Option<u64>,
}

impl Extent {
    /// Reads the events to their end.
    pub fn of(events: impl Iterator<Item = EventRecord>) -> Self {
        let mut extent = Self::default();
        let mut place = 0_u64;
        for event in events {
            match event {
                EventRecord::Output { bytes, .. } => place = place.saturating_add(bytes),
                EventRecord::Gap { bytes, .. } if extent.gaps.len() < GAPS_MAX => {
                    extent.gaps.push((place, bytes));
                }
                EventRecord::Exit { output_bytes, .. } => extent.end = Some(output_bytes),
                _ => {}
            }
        }
        extent
    }
}

/// The line that stands for missing output, on a line of its own whatever is around it.
///
/// It begins with CAN, which ends a sequence that the gap may have cut in two.
#[must_use]
pub fn gap_note(missing_bytes: u64) -> Vec<u8> {
    format!("\x18\r\n[aido: {missing_bytes} bytes of output are not recorded here]\r\n")
        .into_bytes()
}

#[derive(Debug)]
enum Part {
    /// These bytes of the transcript.
    Recorded {
        start: u64,
        end: u64,
    },
    Note(Vec<u8>),
}

impl Part {
    fn length(&self) -> u64 {
        match self {
            Self::Recorded { start, end } => end - start,
            Self::Note(note) => note.len() as u64,
        }
    }
}

/// The recorded output. Reads as one run of bytes and can be read again from any place.
#[derive(Debug)]
pub struct Output<T> {
    transcript: T,
    parts: Vec<Part>,
    /// Which part is read, and how much of it has been.
    part: usize,
    at: u64,
}

impl<T: Read + Seek> Output<T> {
    /// The first `length` bytes of a transcript, with its gaps shown.
    #[must_use]
    pub fn new(transcript: T, length: u64, gaps: &[(u64, u64)]) -> Self {
        let mut parts = Vec::with_capacity(2 * gaps.len() + 1);
        let mut start = 0;
        for (place, missing) in gaps {
            let end = (*place).clamp(start, length);
            parts.push(Part::Recorded { start, end });
            parts.push(Part::Note(gap_note(*missing)));
            start = end;
        }
        parts.push(Part::Recorded { start, end: length });
        Self {
            transcript,
            parts,
            part: 0,
            at: 0,
        }
    }

    /// How many bytes there are, notes included.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.parts.iter().map(Part::length).sum()
    }

    /// Goes to a place; after the end is the end.
    pub fn go_to(&mut self, place: u64) {
        let mut rest = place;
        for (index, part) in self.parts.iter().enumerate() {
            (self.part, self.at) = (index, rest.min(part.length()));
            if rest < part.length() {
                return;
            }
            rest -= part.length();
        }
    }
}

impl<T: Read + Seek> Read for Output<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(part) = self.parts.get(self.part) {
            let left = part.length().saturating_sub(self.at);
            if left == 0 {
                (self.part, self.at) = (self.part + 1, 0);
                continue;
            }
            let most = usize::try_from(left)
                .unwrap_or(usize::MAX)
                .min(buffer.len());
            let count = match part {
                Part::Note(note) => {
                    let from = note.len() - usize::try_from(left).unwrap_or(note.len());
                    buffer[..most].copy_from_slice(&note[from..from + most]);
                    most
                }
                Part::Recorded { start, .. } => {
                    self.transcript.seek(SeekFrom::Start(start + self.at))?;
                    self.transcript.read(&mut buffer[..most])?
                }
            };
            self.at += count as u64;
            return Ok(count);
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Stream;
    use std::io::Cursor;

    fn read(output: &mut Output<Cursor<&[u8]>>) -> String {
        let mut text = String::new();
        output.read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn a_gap_is_shown_where_it_is() {
        let recorded: &[u8] = b"beginend\n=== AI_EXIT_CODE: 0 ===\n";
        let mut output = Output::new(Cursor::new(recorded), 8, &[(5, 99)]);
        let whole = "begin\x18\r\n[aido: 99 bytes of output are not recorded here]\r\nend";
        assert_eq!(read(&mut output), whole);
        assert_eq!(output.length(), whole.len() as u64);
        for place in 0..whole.len() + 3 {
            output.go_to(place as u64);
            assert_eq!(
                read(&mut output),
                whole.get(place..).unwrap_or_default(),
                "{place}"
            );
        }
    }

    #[test]
    fn gaps_of_nonsense_and_short_files_are_no_error() {
        let mut output = Output::new(Cursor::new(&b"abc"[..]), 10, &[(u64::MAX, 1), (2, 1)]);
        assert!(read(&mut output).starts_with("abc"));
        let mut output = Output::new(Cursor::new(&b""[..]), 0, &[]);
        assert_eq!(read(&mut output), "");
    }

    #[test]
    fn a_recorder_that_lost_output_again_and_again_is_told_of_a_few_times() {
        let gap = r#"{"type":"gap","time":0,"bytes":1}"#;
        let exit = r#"{"type":"exit","time":1,"status":"exited","exit_code":0,"signal":null,"output_bytes":7}"#;
        let lines = std::iter::repeat_n(gap, GAPS_MAX + 9).chain([exit]);
        let extent = Extent::of(lines.map(|line| serde_json::from_str(line).unwrap()));
        assert_eq!((extent.gaps.len(), extent.end), (GAPS_MAX, Some(7)));
    }

    #[test]
    fn the_events_say_where_output_is_missing_and_ends() {
        let output = |bytes| EventRecord::Output {
            time: 0.0,
            stream: Stream::Stdout,
            bytes,
        };
        let gap = EventRecord::Gap {
            time: 1.0,
            bytes: 7,
        };
        let extent = Extent::of([output(3), output(u64::MAX), gap].into_iter());
        assert_eq!((extent.gaps, extent.end), (vec![(u64::MAX, 7)], None));
    }
}
