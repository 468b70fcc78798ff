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

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// The place from which the last lines of a text are rendered.
    fn place(text: &str, rows: u16, line_feed: LineFeed, line_ends: u64) -> usize {
        let bytes = text.as_bytes().to_vec();
        let length = bytes.len() as u64;
        let mut output = Output::new(Cursor::new(bytes), length, &[]);
        let form = Form {
            columns: 20,
            rows,
            line_feed,
        };
        let beginnings = Beginnings::find(&mut output, form).unwrap();
        let place = beginnings.before(line_ends, &mut output).unwrap();
        usize::try_from(place).unwrap()
    }

    /// Whatever begins earlier shows the same, but takes as long as the whole.
    #[test]
    fn no_more_is_rendered_than_the_last_lines_need() {
        let lines: String = (100..200)
            .map(|number| format!("line {number}\n"))
            .collect();
        let with_returns = lines.replace('\n', "\r\n");
        let end = |text: &str, from: &str| text.len() - text.find(from).unwrap();
        for count in [1, 2, 7, 99] {
            let first = format!("line {}\n", 200 - count + 1);
            let wanted = |text: &str| match count {
                1 => 0,
                _ => end(text, first.trim_end()),
            };
            let found = place(&lines, 5, LineFeed::WithReturn, count);
            assert_eq!(lines.len() - found, wanted(&lines), "{count}");
            let found = place(&with_returns, 5, LineFeed::Plain, count);
            assert_eq!(with_returns.len() - found, wanted(&with_returns), "{count}");
        }
        // Without the return each line begins where the one before ended, so all of them are needed.
        assert_eq!(place(&lines, 5, LineFeed::Plain, 3), 0);
        assert_eq!(place(&lines, 5, LineFeed::WithReturn, 101), 0);
        assert_eq!(place("", 5, LineFeed::WithReturn, 3), 0);
    }

    #[test]
    fn what_reaches_up_has_a_screen_of_lines_before_it() {
        let lines: String = (100..200)
            .map(|number| format!("line {number}\n"))
            .collect();
        for lasting in ["\x1b[2Aup\n", "\x1b[2A"] {
            let text = format!("{lines}{lasting}");
            // A screen of five rows, and one line more, before the sequence.
            let found = place(&text, 5, LineFeed::WithReturn, 1);
            assert_eq!(text[found..].lines().next(), Some("line 195"));
            let found = place(&text, 5, LineFeed::WithReturn, 20);
            assert_eq!(text[found..].lines().next(), Some("line 181"));
        }
        // Lines that print nothing are no place to begin: the last character may be asked for again.
        let blank = format!("{lines}{}\x1b[2A", "\n".repeat(40));
        let found = place(&blank, 5, LineFeed::WithReturn, 1);
        assert!(found > 0 && blank[found..].starts_with("line 1"), "{found}");
    }

    #[test]
    fn the_last_lines_are_kept_while_they_are_small_enough() {
        let kept = |count: u64, max_bytes: usize, lines: &[&str]| {
            let mut last = LastLines::new(count, max_bytes);
            lines.iter().for_each(|line| last.push(line));
            assert_eq!(last.seen(), lines.len() as u64);
            last.kept()
                .map(|kept| kept.iter().cloned().collect::<Vec<_>>())
        };
        let long = "x".repeat(5000);
        let strings = |lines: &[&str]| Some(lines.iter().map(|line| (*line).to_owned()).collect());
        assert_eq!(kept(2, 1000, &["a", "b", "c"]), strings(&["b", "c"]));
        assert_eq!(kept(5, 1000, &["a", "b"]), strings(&["a", "b"]));
        assert_eq!(kept(0, 1000, &["a", "b"]), strings(&[]));
        // Once too large, whatever comes after.
        assert_eq!(kept(2, 1000, &["a", &long, "b", "c", "d"]), None);
        // Many short ones count too, and those that were dropped don't any more.
        let many = vec!["a"; 500];
        assert_eq!(kept(500, 1000, &many), None);
        assert_eq!(kept(2, 1000, &many), strings(&["a", "a"]));
        // The room of a long one isn't kept for the short one that follows.
        let long = "y".repeat(700);
        let mut lines = vec![&*long];
        lines.extend(["a", "b", "c"]);
        assert_eq!(kept(1, 1000, &lines), strings(&["c"]));
    }
}
