//! Responsible for searching one text, from a reader, in bounded memory.
//!
//! As long as no byte of a buffer mixes text with what steers a terminal, the whole of it is searched at
//! once, and lines are only looked for around what is found. Lines in which something does, and those
//! that don't fit the buffer, go through [`Line`]. Both ways give the same rows.
//!
//! A carriage return within a line divides it into states, and the pattern takes it for the end of a
//! line: what it finds in the bytes is what it finds in a state. Only which state is shown, and whether
//! an empty one counts, [`Line`] has to say, of lines with a match.
//!
//! Where the text ends (a finished session's marker doesn't belong to it) is asked for only when
//! something is found so near to the end of the file that it may be the marker: reading the sidecar of
//! each session costs as much as searching its transcript.

use std::io::{self, Read};
use std::ops::ControlFlow;

use memchr::{memchr, memrchr};

use super::context::{Context, Shown};
use super::line::{Limits, Line};
use super::pattern::{Pattern, Span};
use super::rows::{Part, Rows};
use super::sequence::first_mixing;
use crate::store::StoreError;
use crate::transcript::MARKER_MAX_BYTES;

/// What is wanted of the matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Each as a row, with the lines around it.
    Rows(Context),
    /// Their number.
    Count,
    /// Whether there is any.
    Any,
}

/// Who takes what is found in a text.
pub(super) trait Taker {
    /// Where the text ends, in bytes from its beginning; asked at most once.
    fn end_bytes(&mut self) -> Result<u64, StoreError>;

    /// Where rows are put.
    fn rows(&mut self) -> &mut Rows;

    /// Called between two buffers of a text, with rows or without; may tell to stop.
    fn advance(&mut self) -> ControlFlow<()>;
}

/// Why a search ended early.
#[derive(Debug)]
pub(super) enum Halt {
    /// The text can't be read.
    Read(io::Error),
    /// The session can't be.
    Session(StoreError),
    /// It was told to.
    Told,
}

/// A text to search.
pub(super) struct Text<'a> {
    pub(super) source: &'a mut dyn Read,
    /// How many bytes are there, if that is known: reading on after them would tell nothing.
    pub(super) size_bytes: Option<u64>,
    /// Where the text ends, if that is known.
    pub(super) end_bytes: Option<u64>,
}

/// A thread's means to search one text after the other.
#[derive(Debug)]
pub(super) struct Scanner {
    pattern: Pattern,
    buffer: Vec<u8>,
    line: Line,
    shown: Option<Shown>,
}

impl Scanner {
    pub(super) fn new(pattern: Pattern, wanted: Wanted, limits: Limits) -> Self {
        let shown = match wanted {
            Wanted::Rows(context) => Some(Shown::new(context, limits)),
            Wanted::Count | Wanted::Any => None,
        };
        Self {
            pattern,
            buffer: vec![0; limits.buffer_bytes],
            line: Line::new(limits, shown.is_some()),
            shown,
        }
    }

    /// Searches a text and tells how many of its lines match, of which `most` are looked for.
    pub(super) fn scan(
        &mut self,
        part: Part,
        text: Text<'_>,
        most: u64,
        taker: &mut dyn Taker,
    ) -> Result<u64, Halt> {
        // The text before may have ended in the middle of a line, with an error.
        self.line.end(None);
        if let Some(shown) = &mut self.shown {
            shown.begin(part);
        }
        let mut scan = Scan {
            pattern: &self.pattern,
            line: &mut self.line,
            shown: self.shown.as_mut(),
            matches: 0,
            most,
        };
        let mut input = Input {
            source: text.source,
            size_bytes: text.size_bytes,
            buffer: &mut self.buffer,
            filled: 0,
            offset: 0,
            end_bytes: None,
            is_last: false,
        };
        if let Some(end) = text.end_bytes {
            input.end_at(end);
        }
        scan.run(&mut input, taker)?;
        Ok(scan.matches)
    }
}

/// The part of a text that is in memory.
struct Input<'a> {
    source: &'a mut dyn Read,
    size_bytes: Option<u64>,
    buffer: &'a mut [u8],
    filled: usize,
    /// The place of the buffer's first byte in the text.
    offset: u64,
    end_bytes: Option<u64>,
    /// Whether the text ends with the buffer.
    is_last: bool,
}

impl Input<'_> {
    /// Reads on.
    fn fill(&mut self) -> io::Result<()> {
        if self.is_last {
            return Ok(());
        }
        loop {
            match self.source.read(&mut self.buffer[self.filled..]) {
                Ok(count) => {
                    self.filled += count;
                    let read_bytes = self.offset + self.filled as u64;
                    self.is_last =
                        count == 0 || self.size_bytes.is_some_and(|size| read_bytes >= size);
                    break;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.clip();
        Ok(())
    }

    /// How many bytes in memory belong to the text for certain; all, once it is known where it ends. Of a text of known size only the marker
    /// doesn't, so that most matches needn't ask where it ends: asking opens another file.
    fn certain(&self) -> usize {
        if self.end_bytes.is_some() {
            return usize::MAX;
        }
        let certain = self
            .size_bytes
            .map_or(0, |size| size.saturating_sub(MARKER_MAX_BYTES));
        usize::try_from(certain.saturating_sub(self.offset)).unwrap_or(usize::MAX)
    }

    /// Says where the text ends.
    fn end_at(&mut self, end_bytes: u64) {
        self.end_bytes = Some(end_bytes);
        self.clip();
    }

    fn clip(&mut self) {
        let Some(end) = self.end_bytes else { return };
        let room = end.saturating_sub(self.offset);
        if self.filled as u64 >= room {
            self.filled = usize::try_from(room).unwrap_or(self.filled);
            self.is_last = true;
        }
    }

    /// Forgets the first bytes.
    fn forget(&mut self, count: usize) {
        self.buffer.copy_within(count..self.filled, 0);
        self.filled -= count;
        self.offset += count as u64;
    }

    /// Where the last whole line ends; at the end of the text, its last line is whole.
    fn block_end(&self) -> usize {
        if self.is_last {
            return self.filled;
        }
        memrchr(b'\n', &self.buffer[..self.filled]).map_or(0, |line_feed| line_feed + 1)
    }
}

/// How far a block was searched.
enum Step {
    /// To its end, or as far as matches are wanted.
    Done,
    /// To the line that begins here and matches, if the text doesn't end before.
    Asks(usize),
}

/// What came of reading a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    /// It is counted if it matches.
    Done,
    /// It matches, if the text doesn't end before.
    Uncertain,
}

/// A text that is being searched.
struct Scan<'a> {
    pattern: &'a Pattern,
    line: &'a mut Line,
    shown: Option<&'a mut Shown>,
    matches: u64,
    most: u64,
}

impl Scan<'_> {
    fn run(&mut self, input: &mut Input<'_>, taker: &mut dyn Taker) -> Result<(), Halt> {
        let mut is_in_long_line = false;
        let mut pause = input.buffer.len() as u64;
        loop {
            input.fill().map_err(Halt::Read)?;
            if is_in_long_line {
                is_in_long_line = self.long_line(input, taker);
            }
            if !is_in_long_line {
                self.block(input, taker)?;
                if input.filled == input.buffer.len() {
                    // Not a single line fits. To know where the text ends decides whether this one does.
                    self.ask(input, taker)?;
                    is_in_long_line = !input.is_last;
                    if is_in_long_line {
                        self.long_line(input, taker);
                    } else {
                        self.block(input, taker)?;
                    }
                }
            }
            if (input.is_last && input.filled == 0) || (self.is_full() && !self.expects_more()) {
                return Ok(());
            }
            if input.offset >= pause {
                pause = input.offset + input.buffer.len() as u64;
                if taker.advance().is_break() {
                    return Err(Halt::Told);
                }
            }
        }
    }

    fn expects_more(&self) -> bool {
        let shown = self.shown.as_ref();
        shown.is_some_and(|shown| shown.expects_more())
    }

    fn is_full(&self) -> bool {
        self.matches >= self.most
    }

    fn ask(&self, input: &mut Input<'_>, taker: &mut dyn Taker) -> Result<(), Halt> {
        if input.end_bytes.is_none() {
            input.end_at(taker.end_bytes().map_err(Halt::Session)?);
        }
        Ok(())
    }

    /// Searches the whole lines that are in memory, and forgets them.
    fn block(&mut self, input: &mut Input<'_>, taker: &mut dyn Taker) -> Result<(), Halt> {
        let mut from = 0;
        loop {
            let certain = match self.shown.as_ref().is_some_and(|shown| shown.wants_after()) {
                // The marker must not be among the lines after a match.
                true if input.end_bytes.is_none() => 0,
                _ => input.certain(),
            };
            let block = &input.buffer[..input.block_end()];
            match self.lines(block, from, certain, taker.rows()) {
                Step::Done => break,
                Step::Asks(start) => {
                    self.ask(input, taker)?;
                    from = start;
                }
            }
        }
        let end = input.block_end();
        if let Some(shown) = &mut self.shown {
            shown.end_block(&input.buffer[..end], taker.rows());
        }
        input.forget(end);
        Ok(())
    }

    /// Searches a block of whole lines from the line at `from` on. A match counts only where the text
    /// has not ended: in its first `certain` bytes.
    fn lines(&mut self, block: &[u8], from: usize, certain: usize, rows: &mut Rows) -> Step {
        let mut at = from;
        while at < block.len() && !self.is_full() {
            let plain_end = plain_end(block, at);
            while at < plain_end && !self.is_full() {
                let Some(found) = self.pattern.next_line(&block[..plain_end], at) else {
                    at = plain_end;
                    break;
                };
                let line = found.line;
                if line.end >= certain {
                    return Step::Asks(line.start);
                }
                at = line.end + 1;
                if found.has_states {
                    self.read_line(block, line, usize::MAX, rows);
                    continue;
                }
                self.matches += 1;
                if let Some(shown) = &mut self.shown {
                    shown.show_match(block, line, self.pattern, rows);
                }
            }
            if self.is_full() || at != plain_end || at == block.len() {
                continue;
            }
            let end = memchr(b'\n', &block[at..]).map_or(block.len(), |length| at + length);
            let line = Span { start: at, end };
            if self.read_line(block, line, certain, rows) == Reading::Uncertain {
                return Step::Asks(at);
            }
            at = end + 1;
        }
        Step::Done
    }

    /// Reads a line as a terminal would, and counts it if it matches before the text has ended for
    /// certain.
    fn read_line(&mut self, block: &[u8], line: Span, certain: usize, rows: &mut Rows) -> Reading {
        self.line
            .feed(&block[line.start..line.end], Some(self.pattern));
        if let Some(found) = self.line.end(Some(self.pattern)) {
            if line.end >= certain {
                return Reading::Uncertain;
            }
            self.matches += 1;
            if let Some(shown) = &mut self.shown {
                shown.show(block, line, found, rows);
            }
        }
        Reading::Done
    }

    /// Goes on with a line that doesn't fit the buffer; tells whether it goes on after it.
    fn long_line(&mut self, input: &mut Input<'_>, taker: &mut dyn Taker) -> bool {
        let line_feed = memchr(b'\n', &input.buffer[..input.filled]);
        let end = line_feed.unwrap_or(input.filled);
        let pattern = (self.matches < self.most).then_some(self.pattern);
        self.line.feed(&input.buffer[..end], pattern);
        let goes_on = line_feed.is_none() && !input.is_last;
        input.forget(end + usize::from(line_feed.is_some()));
        if !goes_on {
            let is_found = self.line.end(pattern);
            self.matches += u64::from(is_found.is_some());
            if let Some(shown) = &mut self.shown {
                let found = is_found.cloned();
                shown.long_line(found.as_ref(), self.line.last(), taker.rows());
            }
        }
        goes_on
    }
}

/// Where the first line at `from` or later begins whose text isn't a part of its bytes.
fn plain_end(block: &[u8], from: usize) -> usize {
    let Some(mixing) = first_mixing(block, from) else {
        return block.len();
    };
    memrchr(b'\n', &block[from..mixing]).map_or(from, |length| from + length + 1)
}
