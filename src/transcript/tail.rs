//! The last lines of a long text, without rendering what comes before them where that provably makes
//! no difference, and without holding more than a bounded part of them.

use std::collections::VecDeque;
use std::io::{self, Read, Seek};

use super::output::Output;
use super::render::{Lasting, LineFeed};
use super::text::Form;

/// Shorter output is simply rendered. Tests take every path with little.
const WORTH_BYTES: u64 = if cfg!(test) { 1 } else { 1024 * 1024 };

/// Bytes that are read at a time.
const BLOCK_BYTES: u64 = if cfg!(test) { 11 } else { 64 * 1024 };

/// Places in recorded output from which rendering gives the same last lines as from the beginning.
///
/// Up to a certain byte nothing outlasts its line (see [`Lasting`]), so any line before it will do, if
/// the lines between fill the screen: what comes later can then reach nothing older.
#[derive(Debug)]
pub struct Beginnings {
    /// The first byte whose effect may last, or the end.
    lasting: u64,
    /// Line ends that must lie between the beginning and that byte.
    least: u64,
    line_feed: LineFeed,
}

impl Beginnings {
    /// Reads the output as far as it has to.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn find<T: Read + Seek>(output: &mut Output<T>, form: Form) -> io::Result<Self> {
        let line_feed = form.line_feed;
        let mut found = Self {
            lasting: 0,
            least: 0,
            line_feed,
        };
        if output.length() < WORTH_BYTES {
            return Ok(found);
        }
        let mut lasting = Lasting::default();
        let mut buffer = vec![0; usize::try_from(4 * BLOCK_BYTES).unwrap_or(usize::MAX)];
        let mut read = 0;
        output.go_to(0);
        found.lasting = loop {
            let count = output.read(&mut buffer)?;
            read += count as u64;
            if let Some(place) = lasting.find(&buffer[..count]) {
                break place;
            }
            if count == 0 {
                break lasting.unfinished().unwrap_or(read);
            }
        };
        if found.lasting < read {
            found.least = u64::from(form.rows) + 1;
        }
        Ok(found)
    }

    /// A place with at least so many line ends between it and the first byte whose effect may last;
    /// 0, the beginning, where there is none.
    ///
    /// # Errors
    /// When the output can't be read.
    pub fn before<T: Read + Seek>(
        &self,
        line_ends: u64,
        output: &mut Output<T>,
    ) -> io::Result<u64> {
        let mut wanted = line_ends.max(self.least);
        loop {
            let place = self.nth_line_before(wanted, output)?;
            // A sequence may ask for the last character again, so there must have been one.
            if place == 0 || self.least == 0 || self.prints_after(place, output)? {
                return Ok(place);
            }
            wanted = wanted.saturating_mul(4);
        }
    }

    /// The place after the n-th line end before the lasting byte.
    fn nth_line_before<T: Read + Seek>(&self, n: u64, output: &mut Output<T>) -> io::Result<u64> {
        let mut left = n;
        let mut end = self.lasting;
        while end > 0 {
            let start = end.saturating_sub(BLOCK_BYTES);
            // One byte more, to see what comes before a line feed.
            let from = start.saturating_sub(1);
            let block = read_part(output, from, end)?;
            let first = usize::from(start > from);
            for index in (first..block.len()).rev() {
                let returns = || index > 0 && block[index - 1] == b'\r';
                let ends_line =
                    block[index] == b'\n' && (self.line_feed == LineFeed::WithReturn || returns());
                if ends_line {
                    left = left.saturating_sub(1);
                    if left == 0 {
                        return Ok(from + index as u64 + 1);
                    }
                }
            }
            end = start;
        }
        Ok(0)
    }

    /// Whether a line soon after this place prints something and does nothing else.
    fn prints_after<T: Read + Seek>(&self, place: u64, output: &mut Output<T>) -> io::Result<bool> {
        let end = self.lasting.min(place.saturating_add(BLOCK_BYTES));
        let block = read_part(output, place, end)?;
        let mut lines = block.split(|byte| *byte == b'\n');
        Ok(lines.any(|line| !line.contains(&0x1b) && line.iter().any(u8::is_ascii_graphic)))
    }
}

/// Reads the bytes from one place to another, fewer at the end.
fn read_part<T: Read + Seek>(output: &mut Output<T>, from: u64, to: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    output.go_to(from);
    output.take(to - from).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The last lines seen so far.
#[derive(Debug)]
pub struct LastLines {
    count: u64,
    max_bytes: usize,
    kept: VecDeque<String>,
    kept_bytes: usize,
    seen: u64,
    is_too_large: bool,
}

impl LastLines {
    /// The last `count` lines, as long as they have at most `max_bytes` together.
    #[must_use]
    pub fn new(count: u64, max_bytes: usize) -> Self {
        Self {
            count,
            max_bytes,
            kept: VecDeque::new(),
            kept_bytes: 0,
            seen: 0,
            is_too_large: false,
        }
    }

    /// Takes the next line.
    pub fn push(&mut self, line: &str) {
        self.seen += 1;
        if self.is_too_large || self.count == 0 {
            return;
        }
        let mut entry = String::new();
        if self.kept.len() as u64 == self.count
            && let Some(oldest) = self.kept.pop_front()
        {
            self.kept_bytes -= cost(&oldest);
            entry = oldest;
            entry.clear();
        }
        entry.push_str(line);
        // What an old line leaves behind must not add up.
        if entry.capacity() > 2 * line.len() + 256 {
            entry.shrink_to_fit();
        }
        self.kept_bytes += cost(&entry);
        self.kept.push_back(entry);
        if self.kept_bytes > self.max_bytes {
            self.is_too_large = true;
            self.kept = VecDeque::new();
        }
    }

    /// How many lines were seen.
    #[must_use]
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// The lines, oldest first; none if they were too large to keep.
    #[must_use]
    pub fn kept(&self) -> Option<&VecDeque<String>> {
        (!self.is_too_large).then_some(&self.kept)
    }
}

/// What a line takes in memory.
fn cost(line: &String) -> usize {
    line.capacity() + size_of::<String>()
}
