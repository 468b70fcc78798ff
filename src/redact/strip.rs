//! Terminal bytes as text for looking for secrets: what takes no room is left out, and the place of
//! each byte that stays is kept.
//!
//! This is not the renderer: nothing is erased or overwritten, since what was on the screen for a
//! moment is in the recording as well. A sequence that moves the cursor becomes a line end, over which
//! a token may go on.

/// The state of reading, kept from one stretch of input to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum State {
    #[default]
    Text,
    /// After this byte and a backspace: the same byte once more is bold, and takes no room.
    Overstrike {
        last: u8,
    },
    Escape,
    /// In an escape sequence with intermediate bytes.
    Intermediate,
    /// In a control sequence.
    Control,
    /// In a string: a title, a link, an image.
    String,
    /// In a string, after an escape.
    StringEscape,
}

/// Visible text, and where its bytes come from.
#[derive(Debug, Default)]
pub(super) struct Visible {
    /// The text.
    pub(super) bytes: Vec<u8>,
    /// Stretches without anything between: (index in the text, offset in the input), both rising.
    pub(super) stretches: Vec<(usize, usize)>,
    next: usize,
}

/// Whether bytes hold anything that isn't text, line ends or tabs.
pub(super) fn has_controls(bytes: &[u8]) -> bool {
    let is_control =
        |byte: u8| (byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r')) || byte == 0x7f;
    // Whole blocks without an early exit are compared many bytes at a time.
    bytes.chunks(256).any(|block| {
        block
            .iter()
            .fold(false, |any, byte| any | is_control(*byte))
    })
}

impl Visible {
    /// Forgets the text, to be filled again.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.stretches.clear();
    }

    fn push(&mut self, byte: u8, offset: usize) {
        if self.stretches.is_empty() || offset != self.next {
            self.stretches.push((self.bytes.len(), offset));
        }
        self.bytes.push(byte);
        self.next = offset + 1;
    }

    /// Adds the visible part of bytes, the first of which has this offset in the input.
    pub(super) fn add(&mut self, state: State, bytes: &[u8], offset: usize) -> State {
        let mut state = state;
        for (index, byte) in bytes.iter().enumerate() {
            state = self.step(state, *byte, offset + index);
        }
        state
    }

    fn step(&mut self, state: State, byte: u8, offset: usize) -> State {
        match (state, byte) {
            (State::Text, 0x1b) => State::Escape,
            (State::Text, 0x08) => match self.bytes.last() {
                Some(last) => State::Overstrike { last: *last },
                None => State::Text,
            },
            // Bell, shifts of character sets, and what terminals ignore.
            (State::Text, 0x00..=0x07 | 0x0e..=0x1a | 0x1c..=0x1f | 0x7f) => State::Text,
            (State::Text, _) => {
                self.push(byte, offset);
                State::Text
            }
            (State::Overstrike { last }, _) if byte == last && byte.is_ascii_graphic() => {
                State::Text
            }
            (State::Overstrike { .. }, _) => {
                self.push(b'\n', offset.saturating_sub(1));
                self.step(State::Text, byte, offset)
            }
            (State::Escape, b'[') => State::Control,
            (State::Escape, b']' | b'P' | b'X' | b'^' | b'_') => State::String,
            (State::Escape | State::Intermediate, 0x20..=0x2f) => State::Intermediate,
            (State::Intermediate, 0x30..=0x7e) => State::Text,
            (State::Escape, b'8' | b'D' | b'E' | b'M' | b'c') => {
                self.push(b'\n', offset);
                State::Text
            }
            (State::Escape, 0x30..=0x7e) => State::Text,
            (State::Control, 0x20..=0x3f) => State::Control,
            // Colours, modes, erasing a line, queries.
            (State::Control, b'm' | b'h' | b'l' | b'K' | b'n' | b'p' | b'q' | b't' | b'c') => {
                State::Text
            }
            (State::Control, 0x40..=0x7e) => {
                self.push(b'\n', offset);
                State::Text
            }
            (State::String, 0x07) => State::Text,
            (State::String, 0x1b) => State::StringEscape,
            (State::StringEscape, b'\\') => State::Text,
            (State::StringEscape, _) => self.step(State::Escape, byte, offset),
            // A string that isn't closed on its line would hide everything after it.
            (State::String, b'\n' | 0x18 | 0x1a) => self.step(State::Text, byte, offset),
            (State::String, _) => State::String,
            (State::Escape | State::Intermediate | State::Control, 0x1b) => State::Escape,
            // Not a sequence after all.
            (State::Escape | State::Intermediate | State::Control, _) => {
                self.step(State::Text, byte, offset)
            }
        }
    }
}
