//! Which lines are shown, with their numbers: those that match and those around them.
//!
//! Works on blocks of whole lines, one after the other. Between two blocks it keeps the text of the
//! lines that may still be shown in front of a match, and nothing else.

use std::collections::VecDeque;

use memchr::{memchr, memrchr};

use super::bounds::Numbers;
use super::excerpt::Excerpt;
use super::line::{Limits, Line};
use super::pattern::{Pattern, Span};
use super::rows::{Part, RowKind, Rows};
use super::sequence::first_steering;

/// How many lines are shown around one that matches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// In front of it.
    pub before: usize,
    /// After it.
    pub after: usize,
}

/// The lines that are shown of one text.
#[derive(Debug)]
pub(super) struct Shown {
    context: Context,
    limits: Limits,
    part: Part,
    numbers: Numbers,
    /// Where the first line of the block begins that was not shown.
    shown_to: usize,
    /// Lines that are still to be shown after a match.
    after_left: usize,
    /// The last lines of earlier blocks, as far as they were not shown.
    kept: VecDeque<Excerpt>,
    excerpt: Excerpt,
    plain: Line,
}

impl Shown {
    pub(super) fn new(context: Context, limits: Limits) -> Self {
        Self {
            context,
            limits,
            part: Part::Transcript,
            numbers: Numbers::new(),
            shown_to: 0,
            after_left: 0,
            kept: VecDeque::new(),
            excerpt: Excerpt::default(),
            plain: Line::new(limits, true),
        }
    }

    /// Begins a text.
    pub(super) fn begin(&mut self, part: Part) {
        self.part = part;
        self.numbers = Numbers::new();
        self.shown_to = 0;
        self.after_left = 0;
        self.kept.clear();
    }

    /// Whether lines that follow are to be shown.
    pub(super) fn wants_after(&self) -> bool {
        self.context.after > 0
    }

    /// Whether lines after a match are still to be shown.
    pub(super) fn expects_more(&self) -> bool {
        self.after_left > 0
    }

    /// Shows a line of the block, whose text matches as it stands.
    pub(super) fn show_match(
        &mut self,
        block: &[u8],
        line: Span,
        pattern: &Pattern,
        rows: &mut Rows,
    ) {
        let text = without_return(&block[line.start..line.end]);
        if self.limits.marks == 0 && text.len() <= self.limits.text_bytes {
            let number = self.lead_to(block, line, rows);
            rows.push_whole(self.part, RowKind::Match, number, text);
            return;
        }
        let mut excerpt = std::mem::take(&mut self.excerpt);
        excerpt.take_match(pattern, text, 0, self.limits);
        self.show(block, line, &excerpt, rows);
        self.excerpt = excerpt;
    }

    /// Shows a line of the block with this text.
    pub(super) fn show(&mut self, block: &[u8], line: Span, excerpt: &Excerpt, rows: &mut Rows) {
        let number = self.lead_to(block, line, rows);
        rows.push(self.part, RowKind::Match, number, excerpt);
    }

    /// Shows what stands in front of a match, and gives its number; the match is shown next.
    fn lead_to(&mut self, block: &[u8], line: Span, rows: &mut Rows) -> u64 {
        self.show_after(block, line.start, rows);
        self.show_before(block, line.start, rows);
        self.after_left = self.context.after;
        self.shown_to = block.len().min(line.end + 1);
        self.numbers.at(block, line.start)
    }

    /// Ends a block: shows what is still to be shown of it, and keeps its last lines.
    pub(super) fn end_block(&mut self, block: &[u8], rows: &mut Rows) {
        self.show_after(block, block.len(), rows);
        if self.context.before > 0 {
            for start in self.starts_before(block, block.len()) {
                let mut excerpt = match self.kept.len() >= self.context.before {
                    true => self.kept.pop_front().unwrap_or_default(),
                    false => Excerpt::default(),
                };
                self.take_text(block, start, &mut excerpt);
                self.kept.push_back(excerpt);
            }
        }
        self.numbers.end_block(block);
        self.shown_to = 0;
    }

    /// Takes a line that was too long for a block, between two blocks.
    pub(super) fn long_line(&mut self, found: Option<&Excerpt>, last: &Excerpt, rows: &mut Rows) {
        if let Some(found) = found {
            self.show(b"", Span { start: 0, end: 0 }, found, rows);
        } else if self.after_left > 0 {
            self.after_left -= 1;
            rows.push(self.part, RowKind::Context, self.numbers.first(), last);
        } else if self.context.before > 0 {
            if self.kept.len() >= self.context.before {
                self.kept.pop_front();
            }
            self.kept.push_back(last.clone());
        }
        self.numbers.skip_line();
    }

    /// Shows the lines up to `until` that follow a match.
    fn show_after(&mut self, block: &[u8], until: usize, rows: &mut Rows) {
        while self.after_left > 0 && self.shown_to < until {
            self.after_left -= 1;
            self.show_context(block, self.shown_to, rows);
        }
    }

    /// Shows the lines in front of the one at `start` that were not shown yet.
    fn show_before(&mut self, block: &[u8], start: usize, rows: &mut Rows) {
        if self.context.before == 0 {
            return;
        }
        let starts = self.starts_before(block, start);
        if starts.first().is_none_or(|first| *first == 0) && self.shown_to == 0 {
            let missing = self.context.before - starts.len();
            let kept = self.kept.len();
            let first_line = self.numbers.first() - kept as u64;
            for (number, excerpt) in (first_line..)
                .zip(&self.kept)
                .skip(kept.saturating_sub(missing))
            {
                rows.push(self.part, RowKind::Context, number, excerpt);
            }
        }
        self.kept.clear();
        for start in starts {
            self.show_context(block, start, rows);
        }
    }

    fn show_context(&mut self, block: &[u8], start: usize, rows: &mut Rows) {
        let mut excerpt = std::mem::take(&mut self.excerpt);
        let end = self.take_text(block, start, &mut excerpt);
        let line = self.numbers.at(block, start);
        rows.push(self.part, RowKind::Context, line, &excerpt);
        self.excerpt = excerpt;
        self.shown_to = block.len().min(end + 1);
    }

    /// Where the lines begin, in order, that may be shown in front of the one at `start`.
    fn starts_before(&self, block: &[u8], start: usize) -> Vec<usize> {
        let mut starts = Vec::new();
        let mut at = start;
        while starts.len() < self.context.before && at > self.shown_to {
            // The line's own end, which the last line of a text may lack.
            let end = at - usize::from(block[at - 1] == b'\n');
            at = memrchr(b'\n', &block[..end]).map_or(0, |line_feed| line_feed + 1);
            starts.push(at);
        }
        starts.reverse();
        starts
    }

    /// Takes the text of the line at `start`, and tells where the line ends.
    fn take_text(&mut self, block: &[u8], start: usize, excerpt: &mut Excerpt) -> usize {
        let end = memchr(b'\n', &block[start..]).map_or(block.len(), |length| start + length);
        let line = without_return(&block[start..end]);
        if first_steering(line, 0).is_none() {
            excerpt.take_head(line, self.limits.text_bytes);
        } else {
            self.plain.feed(&block[start..end], None);
            self.plain.end(None);
            excerpt.clone_from(self.plain.last());
        }
        end
    }
}

/// A line without the carriage return of its CRLF.
pub(super) fn without_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}
