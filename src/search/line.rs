//! Responsible for one line that can't be searched as it stands: because something in it steers a
//! terminal, or because it is longer than a buffer. Keeps the text that is on the row, and searches
//! it when it is complete or gets long.
//!
//! The text of a line, decided:
//! - Escape sequences aren't text. Colours, titles and images leave no trace.
//! - A backspace goes back over a character, and what is printed then takes its place; but an
//!   underscore never takes the place of a character, so that underlined text stays readable. The
//!   cursor keys' sequences go back and forth likewise; going beyond the text leaves blanks.
//! - After a carriage return, or a sequence that moves the cursor anywhere else, a new state of the
//!   line begins. A progress bar is a line of many states; each was on the screen, and each is
//!   searched by itself. A line has at most one row: that of its last state that matches. As context
//!   it shows its last state. Empty states don't count, unless the line has no other.
//! - A state longer than [`Limits::window_bytes`] is searched in windows that overlap by
//!   [`Limits::overlap_bytes`]. A match in it that is longer than the overlap may go unnoticed.
//!
//! Invariants: the same bytes give the same result in any chunks; memory is bounded by a few windows.

use super::excerpt::Excerpt;
use super::pattern::Pattern;
use super::sequence::{Act, Sequences};

/// How much is held; smaller in tests.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// The buffer that transcripts are read into; no longer line is searched as it stands.
    pub(super) buffer_bytes: usize,
    /// Text that is searched at once, in a line that doesn't fit the buffer.
    pub(super) window_bytes: usize,
    /// What two neighbouring windows have in common.
    pub(super) overlap_bytes: usize,
    /// Text of a line that is shown.
    pub(super) text_bytes: usize,
    /// Matches in a line that are marked.
    pub(super) marks: usize,
}

/// The longest that `\b` and its like look around, in bytes: a character of UTF-8.
const LOOK_AROUND_BYTES: usize = 4;

/// A line that is being read.
#[derive(Debug)]
pub(super) struct Line {
    limits: Limits,
    /// Whether the last state is wanted, as context.
    keeps_last: bool,
    sequences: Sequences,
    /// The text before the cursor.
    text: Vec<u8>,
    /// The text after the cursor, back to front.
    after: Vec<u8>,
    /// Bytes of this state's text that were searched and let go.
    dropped_bytes: u64,
    /// Where in `text` matches may begin; what stands before was searched.
    from: usize,
    /// Whether this state has a match.
    has_match: bool,
    /// Whether there was a state that isn't empty.
    had_text: bool,
    is_found: bool,
    /// The row of the last state that matches.
    found: Excerpt,
    /// The beginning of this state.
    head: Option<Excerpt>,
    last: Excerpt,
}

impl Line {
    pub(super) fn new(limits: Limits, keeps_last: bool) -> Self {
        Self {
            limits,
            keeps_last,
            sequences: Sequences::default(),
            text: Vec::new(),
            after: Vec::new(),
            dropped_bytes: 0,
            from: 0,
            has_match: false,
            had_text: false,
            is_found: false,
            found: Excerpt::default(),
            head: None,
            last: Excerpt::default(),
        }
    }

    /// Reads the next bytes of the line, which hold no line feed. Without a pattern, the line is
    /// read only.
    pub(super) fn feed(&mut self, bytes: &[u8], pattern: Option<&Pattern>) {
        let mut sequences = std::mem::take(&mut self.sequences);
        sequences.feed(bytes, &mut |act| match act {
            Act::Print(text) => self.print(text, pattern),
            Act::Back(count) => self.back(count),
            Act::Forward(count) => self.forward(count, pattern),
            Act::EraseRest => self.after.clear(),
            Act::Leave => self.leave(pattern),
        });
        self.sequences = sequences;
    }

    /// Ends the line: the row that it has if it matches. Then another line may be read.
    pub(super) fn end(&mut self, pattern: Option<&Pattern>) -> Option<&Excerpt> {
        self.sequences.end();
        self.leave(pattern);
        if !self.had_text {
            self.last.clear();
            self.is_found = pattern.is_some_and(|pattern| pattern.first_end(b"", 0).is_some());
            self.found.clear();
        }
        self.had_text = false;
        std::mem::take(&mut self.is_found).then_some(&self.found)
    }

    /// The last state of the line that was ended last, if such are kept.
    pub(super) fn last(&self) -> &Excerpt {
        &self.last
    }

    fn print(&mut self, text: &[u8], pattern: Option<&Pattern>) {
        let mut rest = text;
        while let Some(&byte) = rest.first() {
            let taken = if self.after.is_empty() {
                let room = self.limits.window_bytes - self.text.len();
                rest.len().min(room)
            } else {
                1
            };
            if taken == 1 {
                self.print_byte(byte);
            } else {
                self.text.extend_from_slice(&rest[..taken]);
            }
            rest = &rest[taken..];
            self.let_go_if_long(pattern);
        }
    }

    /// Prints a byte in place of the character that is there. One that continues a character
    /// belongs to the byte before it.
    fn print_byte(&mut self, byte: u8) {
        if byte & 0xc0 != 0x80 && !self.after.is_empty() {
            let start = self.text.len();
            self.step_forward();
            if byte == b'_' && self.text[start..] != [b'_'] {
                return;
            }
            self.text.truncate(start);
        }
        self.text.push(byte);
    }

    fn back(&mut self, count: u16) {
        for _ in 0..count {
            if self.text.is_empty() {
                return;
            }
            let mut moved = 0;
            while let Some(byte) = self.text.pop() {
                self.after.push(byte);
                moved += 1;
                if byte & 0xc0 != 0x80 || moved == LOOK_AROUND_BYTES {
                    break;
                }
            }
        }
    }

    fn forward(&mut self, count: u16, pattern: Option<&Pattern>) {
        for _ in 0..count {
            if self.after.is_empty() {
                self.print(b" ", pattern);
            } else {
                self.step_forward();
                self.let_go_if_long(pattern);
            }
        }
    }

    /// Moves the cursor over the character that it is on.
    fn step_forward(&mut self) {
        let mut moved = 0;
        while let Some(&byte) = self.after.last() {
            if moved > 0 && (byte & 0xc0 != 0x80 || moved == LOOK_AROUND_BYTES) {
                return;
            }
            self.after.pop();
            self.text.push(byte);
            moved += 1;
        }
    }

    /// Ends a state of the line.
    fn leave(&mut self, pattern: Option<&Pattern>) {
        self.text.extend(self.after.drain(..).rev());
        if !self.text.is_empty() || self.dropped_bytes > 0 {
            self.had_text = true;
            self.search(pattern, self.text.len());
            self.is_found |= self.has_match;
            match self.head.take() {
                Some(head) => self.last = head,
                None if self.keeps_last => {
                    self.last.take_head(&self.text, self.limits.text_bytes);
                }
                None => {}
            }
        }
        self.text.clear();
        self.dropped_bytes = 0;
        self.from = 0;
        self.has_match = false;
    }

    /// Searches a window of a long state and keeps what the next one has in common with it.
    fn let_go_if_long(&mut self, pattern: Option<&Pattern>) {
        if self.text.len() < self.limits.window_bytes {
            return;
        }
        // A match that ends nearer to the border might be none if the text went on.
        self.search(pattern, self.text.len() - LOOK_AROUND_BYTES);
        let dropped = self.text.len() - self.limits.overlap_bytes;
        if self.keeps_last && self.head.is_none() {
            let mut head = Excerpt::default();
            head.take_head(&self.text, self.limits.text_bytes);
            head.is_cut = true;
            self.head = Some(head);
        }
        self.text.drain(..dropped);
        self.dropped_bytes += dropped as u64;
        // What stands before stays for `\b`, `^` and their like to look at.
        self.from = LOOK_AROUND_BYTES;
    }

    /// Looks for a match that ends at `latest_end` or before, if this state has none yet.
    fn search(&mut self, pattern: Option<&Pattern>, latest_end: usize) {
        let Some(pattern) = pattern.filter(|_| !self.has_match && self.from <= self.text.len())
        else {
            return;
        };
        let end = pattern.first_end(&self.text, self.from);
        self.has_match = end.is_some_and(|end| end <= latest_end);
        if self.has_match {
            let from = self.from;
            self.found
                .take_match(pattern, &self.text, from, self.limits);
            self.found.skipped_bytes += self.dropped_bytes;
            self.found.is_cut |= latest_end < self.text.len();
        }
    }
}
