//! What a search should find, worked out the slow and obvious way.

use regex::bytes::{Regex, RegexBuilder};

use super::super::context::Context;
use super::super::pattern::Span;

/// A row as the oracle has it: its line's number, whether it matches, its text and the spans.
pub(super) type Row = (u64, bool, Vec<u8>, Vec<Span>);

/// The pattern as it was typed; the texts that it is tried on hold no line ends.
pub(super) fn regex(pattern: &str) -> Regex {
    let mut builder = RegexBuilder::new(pattern);
    builder.multi_line(true).build().unwrap()
}

/// Every row of a text.
pub(super) fn rows(regex: &Regex, bytes: &[u8], context: Context) -> Vec<Row> {
    let mut lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    // After the last line feed there is no line.
    if lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    let lines: Vec<Vec<Vec<u8>>> = lines.into_iter().map(states).collect();
    let found: Vec<Option<&Vec<u8>>> = lines
        .iter()
        .map(|states| states.iter().rev().find(|state| regex.is_match(state)))
        .collect();
    let mut rows = Vec::new();
    for (index, states) in lines.iter().enumerate() {
        let number = index as u64 + 1;
        let from = index.saturating_sub(context.after);
        let until = (index + 1).saturating_add(context.before).min(lines.len());
        if let Some(state) = found[index] {
            let spans = regex.find_iter(state).map(|found| found.range());
            let spans = spans
                .filter(|span| !span.is_empty())
                .map(Span::from)
                .collect();
            rows.push((number, true, state.clone(), spans));
        } else if found[from..until].iter().any(Option::is_some) {
            let last = states.last().cloned().unwrap_or_default();
            rows.push((number, false, last, Vec::new()));
        }
    }
    rows
}

/// The states that a line was in, one after the other; one that is empty only if all are.
fn states(line: &[u8]) -> Vec<Vec<u8>> {
    let mut screen = Screen::default();
    let mut at = 0;
    while at < line.len() {
        at = match line[at] {
            0x1b => escape(line, at + 1, &mut screen),
            byte => {
                screen.byte(byte);
                at + 1
            }
        };
    }
    screen.leave();
    if screen.states.is_empty() {
        screen.states.push(Vec::new());
    }
    screen.states
}

/// Reads what follows an ESC and tells where it ends.
fn escape(line: &[u8], start: usize, screen: &mut Screen) -> usize {
    let mut is_plain = true;
    let mut at = start;
    while at < line.len() {
        let byte = line[at];
        at += 1;
        match byte {
            0x18 | 0x1a => return at,
            0x1b => is_plain = true,
            0x08 | b'\r' => screen.byte(byte),
            0x00..=0x1f | 0x7f.. => {}
            0x20..=0x2f => is_plain = false,
            b'[' if is_plain => return control(line, at, screen),
            b']' | b'P' | b'X' | b'^' | b'_' if is_plain => {
                return string(line, at, byte == b']', screen);
            }
            b'8' | b'D' | b'E' | b'M' | b'c' if is_plain => {
                screen.leave();
                return at;
            }
            _ => return at,
        }
    }
    at
}

fn string(line: &[u8], start: usize, bell_ends: bool, screen: &mut Screen) -> usize {
    for at in start..line.len() {
        match line[at] {
            0x1b => return escape(line, at + 1, screen),
            0x18 | 0x1a => return at + 1,
            0x07 if bell_ends => return at + 1,
            _ => {}
        }
    }
    line.len()
}

fn control(line: &[u8], start: usize, screen: &mut Screen) -> usize {
    let mut body = Vec::new();
    for at in start..line.len() {
        let byte = line[at];
        match byte {
            0x1b => return escape(line, at + 1, screen),
            0x18 | 0x1a => return at + 1,
            0x08 | b'\r' => screen.byte(byte),
            0x00..=0x1f | 0x7f.. => {}
            0x20..=0x3f => body.push(byte),
            0x40..=0x7e => {
                screen.control(&body, byte);
                return at + 1;
            }
        }
    }
    line.len()
}

/// One endless row, and what was on it before.
#[derive(Default)]
struct Screen {
    row: Vec<u8>,
    cursor: usize,
    states: Vec<Vec<u8>>,
}

impl Screen {
    fn byte(&mut self, byte: u8) {
        match byte {
            0x08 => self.back(),
            b'\r' => self.leave(),
            // The rest of a character that began before.
            0x80..=0xbf => {
                self.row.insert(self.cursor, byte);
                self.cursor += 1;
            }
            byte => {
                let end = self.next(self.cursor);
                let there = &self.row[self.cursor..end];
                if byte == b'_' && !there.is_empty() && there != b"_" {
                    self.cursor = end;
                } else {
                    self.row.splice(self.cursor..end, [byte]);
                    self.cursor += 1;
                }
            }
        }
    }

    fn is_continued(&self, at: usize) -> bool {
        (0x80..=0xbf).contains(&self.row[at])
    }

    fn next(&self, from: usize) -> usize {
        let mut at = from;
        while at < self.row.len() && at < from + 4 && (at == from || self.is_continued(at)) {
            at += 1;
        }
        at
    }

    fn back(&mut self) {
        let from = self.cursor;
        while self.cursor > 0 && from - self.cursor < 4 {
            self.cursor -= 1;
            if !self.is_continued(self.cursor) {
                return;
            }
        }
    }

    fn leave(&mut self) {
        if !self.row.is_empty() {
            self.states.push(std::mem::take(&mut self.row));
        }
        self.cursor = 0;
    }

    fn control(&mut self, body: &[u8], last: u8) {
        let is_private = body.iter().any(|byte| b"<=>?".contains(byte));
        if body.iter().any(|byte| (0x20..=0x2f).contains(byte)) {
            return;
        }
        let digits = body.iter().filter(|byte| !b"<=>?".contains(byte));
        let digits: Vec<u8> = digits.copied().take_while(u8::is_ascii_digit).collect();
        let first = String::from_utf8(digits).unwrap();
        let first = match first.as_str() {
            "" => 0,
            digits => digits.parse().unwrap_or(u128::MAX),
        };
        match last {
            b'h' | b'l' if is_private && [47, 1047, 1049].contains(&first) => self.leave(),
            _ if is_private => {}
            b'C' | b'a' if first <= 256 => {
                for _ in 0..first.max(1) {
                    if self.cursor == self.row.len() {
                        self.row.push(b' ');
                    }
                    self.cursor = self.next(self.cursor);
                }
            }
            b'D' => (0..first.clamp(1, 65535)).for_each(|_| self.back()),
            b'J' | b'K' if first == 0 => self.row.truncate(self.cursor),
            b'A'..=b'M' | b'Z' | b'`' | b'a' | b'd'..=b'f' | b'u' => self.leave(),
            _ => {}
        }
    }
}
