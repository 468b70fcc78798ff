//! Bytes as a terminal reads them: text, control characters and sequences, found whatever pieces they
//! come in. Knows nothing of their effects.
//!
//! Invariants: memory is bounded whatever the input, and the same bytes mean the same however they
//! are cut.

/// Parameters of a sequence that are kept.
const PARAMETERS: usize = 32;
/// The most of a string (a title, a question) that is kept; a longer one has no effect.
const STRING_BYTES: usize = 2048;

/// A control sequence.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sequence {
    parameters: [u16; PARAMETERS],
    /// Whether a colon stands before the parameter.
    is_sub: [bool; PARAMETERS],
    count: usize,
    /// A byte of `<=>?` at the beginning, or zero.
    pub(super) private: u8,
    /// The last byte of 0x20 to 0x2f, or zero.
    pub(super) intermediate: u8,
}

impl Sequence {
    fn push(&mut self, byte: u8) {
        match byte {
            b'0'..=b'9' => {
                self.count = self.count.max(1);
                if let Some(value) = self.parameters.get_mut(self.count - 1) {
                    let digit = u16::from(byte - b'0');
                    *value = value.saturating_mul(10).saturating_add(digit);
                }
            }
            b';' | b':' => {
                self.count = (self.count.max(1) + 1).min(PARAMETERS + 1);
                if let Some(is_sub) = self.is_sub.get_mut(self.count - 1) {
                    *is_sub = byte == b':';
                }
            }
            b'<'..=b'?' => self.private = byte,
            0x20..=0x2f => self.intermediate = byte,
            _ => {}
        }
    }

    /// A parameter, zero if it is absent.
    #[must_use]
    pub(super) fn raw(&self, index: usize) -> u16 {
        self.parameters.get(index).copied().unwrap_or(0)
    }

    /// A parameter for which absent and zero mean one.
    #[must_use]
    pub(super) fn count(&self, index: usize) -> usize {
        usize::from(self.raw(index).max(1))
    }

    /// Each parameter with those that colons add to it; one that is zero where there is none.
    pub(super) fn groups(&self) -> impl Iterator<Item = &[u16]> {
        let end = self.count.clamp(1, PARAMETERS);
        let mut start = 0;
        std::iter::from_fn(move || {
            if start >= end {
                return None;
            }
            let mut next = start + 1;
            while next < end && self.is_sub[next] {
                next += 1;
            }
            let group = &self.parameters[start..next];
            start = next;
            Some(group)
        })
    }
}

/// What bytes mean.
pub(super) trait Receiver {
    /// Printable ASCII, never empty.
    fn ascii(&mut self, text: &[u8]);
    /// Any other character.
    fn character(&mut self, character: char);
    /// A control character below 0x20.
    fn control(&mut self, byte: u8);
    /// ESC, an intermediate byte or zero, and a last byte.
    fn escape(&mut self, intermediate: u8, last: u8);
    /// A control sequence with its last byte.
    fn sequence(&mut self, sequence: &Sequence, last: u8);
    /// A string after `ESC ]` (`]`) or `ESC P` (`P`).
    fn string(&mut self, kind: u8, text: &[u8]);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Text,
    Escape {
        intermediate: u8,
    },
    Control,
    String {
        kind: u8,
    },
    /// After an ESC in a string: its end, if a backslash follows.
    StringEscape {
        kind: u8,
    },
}

/// Reads bytes.
#[derive(Clone, Debug)]
pub(super) struct Parser {
    state: State,
    sequence: Sequence,
    string: Vec<u8>,
    /// The beginning of a character whose end is in the next piece.
    partial: [u8; 4],
    partial_length: usize,
}

impl Default for Parser {
    fn default() -> Self {
        Self {
            state: State::Text,
            sequence: Sequence::default(),
            string: Vec::new(),
            partial: [0; 4],
            partial_length: 0,
        }
    }
}

impl Parser {
    /// Whether the next byte is text or a control character of its own.
    #[must_use]
    pub(super) fn is_between(&self) -> bool {
        self.state == State::Text && self.partial_length == 0
    }

    /// Reads a piece.
    pub(super) fn feed(&mut self, bytes: &[u8], receiver: &mut impl Receiver) {
        let mut rest = bytes;
        while let Some(&byte) = rest.first() {
            if self.state == State::Text {
                let taken = self.text(rest, receiver);
                rest = &rest[taken..];
            } else {
                self.other(byte, receiver);
                rest = &rest[1..];
            }
        }
    }

    /// Reads what is text and returns how many bytes were; at least one.
    fn text(&mut self, bytes: &[u8], receiver: &mut impl Receiver) -> usize {
        if self.partial_length > 0 {
            return self.complete(bytes[0], receiver);
        }
        let run = bytes.iter().position(|byte| !(0x20..0x7f).contains(byte));
        match run.unwrap_or(bytes.len()) {
            0 => {}
            length => {
                receiver.ascii(&bytes[..length]);
                return length;
            }
        }
        match bytes[0] {
            0x1b => self.state = State::Escape { intermediate: 0 },
            0x7f => {}
            byte @ ..0x20 => receiver.control(byte),
            byte => return self.complete(byte, receiver),
        }
        1
    }

    /// Adds a byte to a character of several. Returns 0 if it doesn't belong to it.
    fn complete(&mut self, byte: u8, receiver: &mut impl Receiver) -> usize {
        self.partial[self.partial_length] = byte;
        match std::str::from_utf8(&self.partial[..=self.partial_length]) {
            Ok(text) => {
                let character = text.chars().next();
                self.partial_length = 0;
                // C1 controls, as every terminal in UTF-8 does, mean nothing.
                if let Some(character) = character.filter(|known| !known.is_control()) {
                    receiver.character(character);
                }
                1
            }
            Err(error) if error.error_len().is_none() => {
                self.partial_length += 1;
                1
            }
            Err(_) => {
                receiver.character(char::REPLACEMENT_CHARACTER);
                let began = std::mem::take(&mut self.partial_length) > 0;
                // What cut a character short stands for itself.
                usize::from(!began)
            }
        }
    }

    fn other(&mut self, byte: u8, receiver: &mut impl Receiver) {
        match (self.state, byte) {
            // CAN and SUB end everything.
            (_, 0x18 | 0x1a) => self.state = State::Text,
            (State::String { kind }, 0x1b) => self.state = State::StringEscape { kind },
            (State::StringEscape { kind }, b'\\') => self.end_string(kind, receiver),
            (State::StringEscape { .. }, _) => {
                self.string.clear();
                self.state = State::Escape { intermediate: 0 };
                self.other(byte, receiver);
            }
            (State::String { kind: b']' }, 0x07) => self.end_string(b']', receiver),
            (State::String { .. }, _) => {
                if self.string.len() <= STRING_BYTES {
                    self.string.push(byte);
                }
            }
            (_, 0x1b) => self.state = State::Escape { intermediate: 0 },
            (_, ..0x20) => receiver.control(byte),
            (State::Escape { intermediate: 0 }, b'[') => {
                self.sequence = Sequence::default();
                self.state = State::Control;
            }
            (State::Escape { intermediate: 0 }, b']' | b'P' | b'X' | b'^' | b'_') => {
                self.string.clear();
                self.state = State::String { kind: byte };
            }
            (State::Escape { .. }, 0x20..=0x2f) => {
                self.state = State::Escape { intermediate: byte };
            }
            (State::Escape { intermediate }, 0x30..=0x7e) => {
                self.state = State::Text;
                receiver.escape(intermediate, byte);
            }
            (State::Control, 0x40..=0x7e) => {
                self.state = State::Text;
                let sequence = self.sequence;
                receiver.sequence(&sequence, byte);
            }
            (State::Control, 0x20..=0x3f) => self.sequence.push(byte),
            (_, 0x7f) => {}
            _ => self.state = State::Text,
        }
    }

    fn end_string(&mut self, kind: u8, receiver: &mut impl Receiver) {
        self.state = State::Text;
        let string = std::mem::take(&mut self.string);
        if string.len() <= STRING_BYTES && matches!(kind, b']' | b'P') {
            receiver.string(kind, &string);
        }
    }
}
