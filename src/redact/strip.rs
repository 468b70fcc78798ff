//! Terminal bytes as text for looking for secrets: what takes no room is left out, and the place of
//! each byte that stays is kept.
//!
//! Within a line, the text is what a person would have read in the end: letters that were rubbed out or
//! written over are gone from it, so that a secret with a corrected letter is one piece. The bytes of such
//! letters are kept with the place where they stood, and hidden with what took it. (What was on the screen
//! before is found in the input as it is.) This is no renderer: movements of the cursor that end where they
//! began take no room, and those to another line become a line end, over which a token may go on.

mod ignorable;
mod moves;

use ignorable::ignorable_length;
use moves::Moves;

/// The state of reading, kept from one stretch of input to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    step: Step,
    /// Where the cursor went since the last visible byte.
    moves: Moves,
}

/// What is being read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Step {
    #[default]
    Text,
    Escape,
    /// In an escape sequence with intermediate bytes.
    Intermediate,
    /// In a control sequence.
    Control(Parameter),
    /// In a string: a title, a link, an image.
    String,
    /// In a string, after an escape.
    StringEscape,
}

/// What a control sequence has between its beginning and its last byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Parameter {
    #[default]
    None,
    Number(i16),
    /// Several, or something that is no number.
    Other,
}

/// Visible text, and where its bytes come from.
#[derive(Debug, Default)]
pub(super) struct Visible {
    /// The text.
    pub(super) bytes: Vec<u8>,
    /// Stretches without anything between: (index in the text, offset in the input), both rising.
    pub(super) stretches: Vec<(usize, usize)>,
    /// Bytes that stood in the same place before or after: (index in the text, offset in the input), by
    /// their offsets.
    pub(super) echoes: Vec<(usize, usize)>,
    next: usize,
}

/// How far back in its line a letter is written over or taken away.
const CORRECTED_BYTES: usize = 256;

/// How many bytes are compared at a time.
const BLOCK_BYTES: usize = 256;

/// Whether a byte is anything but text, a line end or a tab.
fn is_control(byte: u8) -> bool {
    (byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r')) || byte == 0x7f
}

/// Whether bytes hold anything that isn't text, line ends or tabs.
pub(super) fn has_controls(bytes: &[u8]) -> bool {
    // Whole blocks without an early exit are compared many bytes at a time.
    let mut blocks = bytes.chunks(BLOCK_BYTES);
    blocks.any(|block| {
        block
            .iter()
            .fold(false, |any, byte| any | is_control(*byte))
    })
}

/// Whether bytes hold anything that takes no room: controls, or characters without width.
pub(super) fn has_invisible(bytes: &[u8]) -> bool {
    bytes
        .chunks(BLOCK_BYTES)
        .enumerate()
        .any(|(number, block)| {
            let (has_control, has_more) =
                block.iter().fold((false, false), |(one, other), byte| {
                    (one | is_control(*byte), other | (*byte >= 0x80))
                });
            has_control || has_more && ignorable::is_in(bytes, number * BLOCK_BYTES, block.len())
        })
}

/// The text in one line, without characters that have no width.
pub(super) fn in_one_line(text: &[u8]) -> Vec<u8> {
    let mut line = Vec::with_capacity(text.len());
    let mut index = 0;
    while let Some(byte) = text.get(index) {
        let skipped = match byte {
            b'\n' | b'\r' => 1,
            0x80.. => ignorable_length(&text[index..]),
            _ => 0,
        };
        if skipped == 0 {
            line.push(*byte);
        }
        index += skipped.max(1);
    }
    line
}

impl Visible {
    /// Forgets the text, to be filled again.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.stretches.clear();
        self.echoes.clear();
    }

    fn push(&mut self, byte: u8, offset: usize) {
        if self.stretches.is_empty() || offset != self.next {
            self.stretches.push((self.bytes.len(), offset));
        }
        self.bytes.push(byte);
        self.next = offset + 1;
    }

    /// Adds a line end that stands for a movement of the cursor, at the beginning of a stretch of its own.
    fn push_line_end(&mut self, offset: usize) {
        self.stretches.push((self.bytes.len(), offset));
        self.bytes.push(b'\n');
        self.next = offset + 1;
    }

    /// Takes the last bytes away.
    fn pop(&mut self, count: usize) {
        let length = self.bytes.len().saturating_sub(count);
        self.bytes.truncate(length);
        while self
            .stretches
            .last()
            .is_some_and(|(start, _)| *start >= length)
        {
            self.stretches.pop();
        }
        // What comes next doesn't follow the byte that is the last one now.
        self.next = usize::MAX;
    }

    /// The offset in the input of a byte that is there.
    fn offset(&self, index: usize) -> usize {
        let after = self.stretches.partition_point(|(start, _)| *start <= index);
        let stretch = after.checked_sub(1).and_then(|at| self.stretches.get(at));
        stretch.map_or(index, |(start, offset)| offset + (index - start))
    }

    /// The index that is so many letters before the end, if they stand in one line and can be corrected:
    /// each takes one byte and one column.
    fn correctable(&self, back: usize) -> Option<usize> {
        let start = self.bytes.len().checked_sub(back)?;
        let is_letter = |byte: &u8| matches!(byte, b' '..=b'~');
        (back <= CORRECTED_BYTES && self.bytes[start..].iter().all(is_letter)).then_some(start)
    }

    /// Takes away so many letters at the cursor, and moves what follows them there.
    fn delete(&mut self, moves: &mut Moves, count: usize) {
        let moves::Place::Back(back) = moves.place() else {
            return;
        };
        let Some(start) = self.correctable(back) else {
            return;
        };
        let count = count.min(back);
        let rest: Vec<(u8, usize)> = (start + count..self.bytes.len())
            .map(|index| (self.bytes[index], self.offset(index)))
            .collect();
        for (index, _) in self.echoes.iter_mut().rev().take(4 * CORRECTED_BYTES) {
            if *index > start {
                *index = start.max(index.saturating_sub(count));
            }
        }
        for index in start..start + count {
            let offset = self.offset(index);
            self.echoes.push((start, offset));
        }
        self.pop(back);
        for (byte, offset) in rest {
            self.push(byte, offset);
        }
        moves.shift(i16::try_from(count).unwrap_or(i16::MAX), 0);
    }

    /// Adds the visible part of bytes, the first of which has this offset in the input. They end where
    /// a character does.
    pub(super) fn add(&mut self, state: State, bytes: &[u8], offset: usize) -> State {
        let mut state = state;
        let mut index = 0;
        while let Some(byte) = bytes.get(index) {
            let skipped = match state.step {
                Step::Text if *byte >= 0x80 => ignorable_length(&bytes[index..]),
                _ => 0,
            };
            if skipped == 0 {
                state.step = self.step(state.step, &mut state.moves, *byte, offset + index);
            }
            index += skipped.max(1);
        }
        self.echoes.sort_by_key(|(_, offset)| *offset);
        state
    }

    fn step(&mut self, step: Step, moves: &mut Moves, byte: u8, offset: usize) -> Step {
        match (step, byte) {
            (Step::Text, 0x1b) => Step::Escape,
            (Step::Text, 0x08) => {
                moves.shift(-1, 0);
                Step::Text
            }
            // Bell, shifts of character sets, and what terminals ignore.
            (Step::Text, 0x00..=0x07 | 0x0e..=0x1a | 0x1c..=0x1f | 0x7f) => Step::Text,
            (Step::Text, _) => {
                self.show(moves, byte, offset);
                Step::Text
            }
            (Step::Escape, b'[') => Step::Control(Parameter::None),
            (Step::Escape, b']' | b'P' | b'X' | b'^' | b'_') => Step::String,
            (Step::Escape | Step::Intermediate, 0x20..=0x2f) => Step::Intermediate,
            (Step::Intermediate, 0x30..=0x7e) => Step::Text,
            (Step::Escape, 0x30..=0x7e) => {
                moves.escape(byte);
                Step::Text
            }
            (Step::Control(parameter), 0x20..=0x3f) => Step::Control(parameter.with(byte)),
            // Erases to the end of the line or of the screen, which is blank there already.
            (Step::Control(Parameter::None | Parameter::Number(0)), b'K' | b'J') => {
                self.delete(moves, usize::MAX);
                Step::Text
            }
            (Step::Control(parameter @ (Parameter::None | Parameter::Number(_))), b'P') => {
                let count = parameter.count().unwrap_or(1);
                self.delete(moves, usize::from(count.unsigned_abs()));
                Step::Text
            }
            (Step::Control(parameter), 0x40..=0x7e) => {
                moves.control(byte, parameter);
                Step::Text
            }
            (Step::String, 0x07) => Step::Text,
            (Step::String, 0x1b) => Step::StringEscape,
            (Step::StringEscape, b'\\') => Step::Text,
            (Step::StringEscape, _) => self.step(Step::Escape, moves, byte, offset),
            // A string that isn't closed on its line would hide everything after it.
            (Step::String, b'\n' | 0x18 | 0x1a) => self.step(Step::Text, moves, byte, offset),
            (Step::String, _) => Step::String,
            (Step::Escape | Step::Intermediate | Step::Control(_), 0x1b) => Step::Escape,
            // Not a sequence after all.
            (Step::Escape | Step::Intermediate | Step::Control(_), _) => {
                self.step(Step::Text, moves, byte, offset)
            }
        }
    }

    /// Adds a visible byte where the cursor is.
    fn show(&mut self, moves: &mut Moves, byte: u8, offset: usize) {
        let back = match std::mem::take(moves).place() {
            moves::Place::Same => 0,
            moves::Place::Back(count) => count,
            moves::Place::Elsewhere => usize::MAX,
        };
        let before = self.bytes.len().checked_sub(back);
        // Blanks may have been written over letters, which are kept with their place.
        let is_corrected = |start: usize| {
            let mut last = self.echoes.iter().rev().take(2 * CORRECTED_BYTES);
            last.any(|(index, _)| *index >= start)
        };
        match before.map(|start| &self.bytes[start..]) {
            Some([]) => {}
            // Written over blanks that hide nothing, or underlined.
            Some(blanks)
                if byte != b' '
                    && blanks.iter().all(|byte| *byte == b' ')
                    && !before.is_some_and(is_corrected) =>
            {
                self.pop(back);
            }
            Some([b'_']) if byte != b'_' => self.pop(back),
            // Written over a letter: the same, which makes it bold, or another.
            Some(_) if matches!(byte, b' '..=b'~') && self.correctable(back).is_some() => {
                let start = self.bytes.len() - back;
                self.bytes[start] = byte;
                self.echoes.push((start, offset));
                moves.shift(-i16::try_from(back - 1).unwrap_or(i16::MAX), 0);
                return;
            }
            _ if matches!(byte, b'\n' | b'\r') || offset == 0 => {}
            _ => self.push_line_end(offset - 1),
        }
        self.push(byte, offset);
    }
}

impl Parameter {
    /// How often, where that is told by one number.
    fn count(self) -> Option<i16> {
        match self {
            Self::None => Some(1),
            Self::Number(number) => Some(number.max(1)),
            Self::Other => None,
        }
    }

    fn with(self, byte: u8) -> Self {
        let digit = i16::from(byte.wrapping_sub(b'0'));
        match self {
            Self::None if digit < 10 => Self::Number(digit),
            Self::Number(number) if digit < 10 => {
                Self::Number(number.saturating_mul(10).saturating_add(digit))
            }
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let mut visible = Visible::default();
        visible.add(State::default(), text.as_bytes(), 0);
        for (index, byte) in visible.bytes.iter().enumerate() {
            let after = visible
                .stretches
                .partition_point(|(start, _)| *start <= index);
            let (start, offset) = visible.stretches[after - 1];
            let raw = text.as_bytes()[offset + index - start];
            let is_corrected = visible.echoes.iter().any(|(place, _)| *place == index);
            assert!(raw == *byte || *byte == b'\n' || is_corrected, "{text:?}");
        }
        assert!(
            visible
                .stretches
                .is_sorted_by(|one, other| one.0 < other.0 && one.1 < other.1)
        );
        String::from_utf8(visible.bytes).unwrap()
    }

    #[test]
    fn what_takes_no_room_is_left_out() {
        for (text, expected) in [
            ("a\x1b[31mb\x1b(Bc\x1b]0;title\x07d\0e\x07", "abcde"),
            // The cursor comes back to where it was.
            ("a\x1b[C\x1b[Db", "ab"),
            ("a\x1b[3C\x1b[2D\x1b[1m\x1b[Db", "ab"),
            ("a\x08\x1b[Cb", "ab"),
            ("a\x1b[A\x1b[2B\x1bMb", "ab"),
            ("a\x1b7\x1b[9;9H\x1b8b\x1b[s\x1b[Hx\x1b[uc", "ab\nx\nc"),
            ("a\x1b[s\x1b[9;9H\x1b[ub", "ab"),
            // Written over blanks, over itself, and underlined.
            ("a \x08b", "ab"),
            ("a   \x08\x08\x08b", "ab"),
            ("aa\x08ab\x08b", "aab"),
            ("abc\x08\x08bcd", "abcd"),
            ("_\x08a_\x08b", "ab"),
            // It goes elsewhere.
            ("a\x1b[Cb\x1b[2;3Hc\x1b[Ke\x1b[2Jf", "a\nb\nce\nf"),
            // Corrected.
            ("aq\x08bc", "abc"),
            ("aq\x08 \x08bc", "abc"),
            ("aqq\x08\x08  \x08\x08bc", "abc"),
            ("aqq\x08\x08\x1b[Kbc", "abc"),
            ("aq\x08\x1b[K\r\nb", "a\r\nb"),
            ("aqbc\x08\x08\x08\x1b[P\x1b[2Cd", "abcd"),
            ("aqqbc\x1b[4D\x1b[2P\x1b[2Cd", "abcd"),
            ("aqc\x08\x08b\x1b[Cd", "abcd"),
            ("ac\x08bc\x08\x08\x08xy", "xyc"),
            // Not in the line before.
            ("ab\n\x08c", "ab\n\nc"),
            ("a\x1b[C\r\nb", "a\r\nb"),
            ("\x08a", "\na"),
            // Characters without width.
            (
                "a\u{200b}b\u{200c}\u{200d}c\u{2060}d\u{feff}e\u{ad}f\u{202e}g\u{fe0f}",
                "abcdefg",
            ),
            ("\u{2500}é\u{2019}日", "\u{2500}é\u{2019}日"),
        ] {
            assert_eq!(shown(text), expected, "{text:?}");
        }
    }

    #[test]
    fn what_takes_no_room_is_told_from_text() {
        for text in ["a\x1b[mb", "a\x08", "\x7f", "a\u{200b}b", "\u{ad}"] {
            assert!(has_invisible(text.as_bytes()), "{text:?}");
            for before in 250..260 {
                let text = format!("{}{text}", "x".repeat(before));
                assert!(has_invisible(text.as_bytes()), "{text:?}");
            }
        }
        for text in ["", "a\tb\r\n", "日本é \u{2500}\u{2019}", "\u{a0}\u{b0}"] {
            assert!(!has_invisible(text.repeat(99).as_bytes()), "{text:?}");
        }
    }
}
