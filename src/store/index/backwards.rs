//! Lines of a file, from its end.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// How much is read at once.
const CHUNK_BYTES: u64 = 64 * 1024;
/// The longest line that is read; what is longer is no line of an index.
pub(super) const LINE_MAX_BYTES: usize = 1024 * 1024;

/// Bytes that can be read at any place.
pub trait ReadAt {
    /// Fills the buffer from this place on.
    ///
    /// # Errors
    /// When there is less, or the disk fails.
    fn read_at(&self, buffer: &mut [u8], place: u64) -> io::Result<()>;

    /// How many there are.
    ///
    /// # Errors
    /// When the file system is gone.
    fn length(&self) -> io::Result<u64>;
}

impl ReadAt for File {
    fn read_at(&self, buffer: &mut [u8], place: u64) -> io::Result<()> {
        self.read_exact_at(buffer, place)
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }
}

impl ReadAt for Vec<u8> {
    fn read_at(&self, buffer: &mut [u8], place: u64) -> io::Result<()> {
        let from = usize::try_from(place).unwrap_or(usize::MAX);
        let rest = self.get(from..).unwrap_or_default();
        let Some(found) = rest.get(..buffer.len()) else {
            return Err(io::ErrorKind::UnexpectedEof.into());
        };
        buffer.copy_from_slice(found);
        Ok(())
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.len() as u64)
    }
}

/// Reads a file's lines from the last to the first. Memory is bounded by the longest line.
pub struct Backwards<'f> {
    file: &'f dyn ReadAt,
    /// Where the buffer begins in the file.
    place: u64,
    buffer: Vec<u8>,
    /// The part of the buffer that was not handed out.
    left: usize,
    done: bool,
}

impl<'f> Backwards<'f> {
    /// Begins at the end of what the file holds now.
    ///
    /// # Errors
    /// When its length can't be asked.
    pub fn new(file: &'f dyn ReadAt) -> io::Result<Self> {
        Ok(Self {
            file,
            place: file.length()?,
            buffer: Vec::new(),
            left: 0,
            done: false,
        })
    }

    /// The line before the last one that was handed out, and its place in the file. Empty lines are
    /// passed over.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn line(&mut self) -> io::Result<Option<(&[u8], u64)>> {
        loop {
            let newline = memchr::memrchr(b'\n', &self.buffer[..self.left]);
            let range = match newline {
                Some(newline) => newline + 1..std::mem::replace(&mut self.left, newline),
                None if self.place > 0 => {
                    self.fill()?;
                    continue;
                }
                None if self.done => return Ok(None),
                None => {
                    self.done = true;
                    0..std::mem::take(&mut self.left)
                }
            };
            if !range.is_empty() {
                let place = self.place + range.start as u64;
                return Ok(Some((&self.buffer[range], place)));
            }
        }
    }

    /// Reads the chunk before the buffer.
    fn fill(&mut self) -> io::Result<()> {
        let count = self.place.min(CHUNK_BYTES);
        // At most a chunk.
        let chunk = usize::try_from(count).unwrap_or_default();
        if self.left > LINE_MAX_BYTES {
            self.left = 0;
        }
        self.buffer.truncate(self.left);
        self.buffer.splice(..0, std::iter::repeat_n(0, chunk));
        let place = self.place - count;
        self.file.read_at(&mut self.buffer[..chunk], place)?;
        self.place = place;
        self.left += chunk;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(text: &[u8]) -> Vec<(Vec<u8>, u64)> {
        let file = text.to_vec();
        let mut lines = Backwards::new(&file).unwrap();
        let mut found = Vec::new();
        while let Some((line, place)) = lines.line().unwrap() {
            found.push((line.to_vec(), place));
        }
        found
    }

    #[test]
    fn lines_longer_than_a_chunk_come_whole() {
        let long = "x".repeat(200_000);
        let text = format!("first\n{long}\nlast");
        let found = all(text.as_bytes());
        let lines: Vec<&[u8]> = found.iter().map(|(line, _)| line.as_slice()).collect();
        assert_eq!(lines, [&b"last"[..], long.as_bytes(), b"first"]);
    }

    proptest! {
        #[test]
        fn it_is_the_forward_order_reversed(text in "[a\n]{0,400}", repeat in 1..400_usize) {
            let text = text.repeat(repeat);
            let mut wanted = Vec::new();
            let mut place = 0;
            for line in text.split('\n') {
                if !line.is_empty() {
                    wanted.push((line.as_bytes().to_vec(), place));
                }
                place += line.len() as u64 + 1;
            }
            wanted.reverse();
            prop_assert_eq!(all(text.as_bytes()), wanted);
        }
    }
}
