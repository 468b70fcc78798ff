//! Responsible for reading recorded bytes as a terminal does: decodes UTF-8, finds control characters
//! and escape sequences, and tells the screen what they ask for. What has no effect on text (titles,
//! images, queries, and colours unless they are kept) is read and dropped. Not responsible for the effects.
//!
//! Invariant: the state after some bytes is the same however they were cut into chunks.

use super::Colours;
use super::lines::{Lines, Receiver};
use super::plain::printable_prefix;
use super::screen::Screen;

const ESCAPE: u8 = 0x1b;
const BELL: u8 = 0x07;
const CANCEL: u8 = 0x18;
const SUBSTITUTE: u8 = 0x1a;

/// Parameters of a sequence that are kept; no sequence that matters here has more.
const PARAMETERS: usize = 8;

/// Bytes of parameters that are kept for colours: both in their longest form and all marks fit.
const COLOUR_BYTES: usize = 96;

/// Longest possible character in UTF-8.
const CHARACTER_BYTES: usize = 4;

#[derive(Clone, Copy, Debug)]
enum State {
    Text,
    /// After ESC, with the intermediate byte if there was one.
    Escape {
        intermediate: u8,
    },
    /// In a control sequence.
    Control,
    /// In a string (title, image, query) that ends with ST or, for some, with BEL.
    String {
        ends_with_bell: bool,
    },
}

/// A control sequence that is being read.
#[derive(Clone, Copy, Debug)]
struct Sequence {
    parameters: [u16; PARAMETERS],
    current: usize,
    /// Whether a colon was seen: what follows up to the next parameter belongs to colours only.
    in_subparameter: bool,
    /// A byte of `<=>?` at the beginning, or zero.
    private: u8,
    /// The last byte of 0x20 to 0x2f, or zero.
    intermediate: u8,
    /// The parameters as they are, and how many bytes they have.
    bytes: [u8; COLOUR_BYTES],
    length: usize,
}

impl Default for Sequence {
    fn default() -> Self {
        Self {
            parameters: [0; PARAMETERS],
            current: 0,
            in_subparameter: false,
            private: 0,
            intermediate: 0,
            bytes: [0; COLOUR_BYTES],
            length: 0,
        }
    }
}

impl Sequence {
    fn push(&mut self, byte: u8) {
        if let Some(kept) = self.bytes.get_mut(self.length) {
            *kept = byte;
        }
        self.length += 1;
        match byte {
            b'0'..=b'9' if !self.in_subparameter => {
                if let Some(parameter) = self.parameters.get_mut(self.current) {
                    *parameter = parameter
                        .saturating_mul(10)
                        .saturating_add(u16::from(byte - b'0'));
                }
            }
            b':' => self.in_subparameter = true,
            b';' => {
                self.current = (self.current + 1).min(PARAMETERS);
                self.in_subparameter = false;
            }
            b'<'..=b'?' => self.private = byte,
            0x20..=0x2f => self.intermediate = byte,
            _ => {}
        }
    }

    /// The parameters as they are; nothing if there are more than anybody needs.
    fn bytes(&self) -> Option<&[u8]> {
        self.bytes.get(..self.length)
    }

    /// Gives a parameter, zero if it is absent.
    fn raw(&self, index: usize) -> usize {
        usize::from(self.parameters[index])
    }

    /// Gives a parameter for which absent and zero mean one.
    fn count(&self, index: usize) -> usize {
        self.raw(index).max(1)
    }
}

/// Reads bytes and drives a screen with them.
#[derive(Clone, Debug)]
pub(super) struct Terminal {
    screen: Screen,
    colours: Colours,
    state: State,
    sequence: Sequence,
    /// The beginning of a character whose end is in the next chunk.
    partial: [u8; CHARACTER_BYTES],
    partial_length: usize,
}

impl Terminal {
    pub(super) fn new(screen: Screen, colours: Colours) -> Self {
        Self {
            screen,
            colours,
            state: State::Text,
            sequence: Sequence::default(),
            partial: [0; CHARACTER_BYTES],
            partial_length: 0,
        }
    }

    /// Gives access to the screen, to print on it directly before the first byte is fed.
    pub(super) fn screen(&mut self) -> &mut Screen {
        &mut self.screen
    }

    /// Tells whether a full-screen program has the screen.
    pub(super) fn is_alternate(&self) -> bool {
        self.screen.is_alternate()
    }

    pub(super) fn feed(&mut self, bytes: &[u8], lines: &mut Lines, receiver: &mut Receiver<'_>) {
        let mut rest = bytes;
        while let Some(&byte) = rest.first() {
            let taken = match self.state {
                State::Text if self.partial_length > 0 => {
                    usize::from(self.complete(byte, lines, receiver))
                }
                State::Text => self.text(rest, lines, receiver),
                _ => {
                    self.sequence_byte(byte, lines, receiver);
                    1
                }
            };
            rest = &rest[taken..];
        }
    }

    /// Hands over what is shown; a character that was cut off becomes U+FFFD.
    pub(super) fn finish(mut self, lines: &mut Lines, receiver: &mut Receiver<'_>) {
        if self.partial_length > 0 {
            self.screen
                .print(char::REPLACEMENT_CHARACTER, lines, receiver);
        }
        self.screen.finish(lines, receiver);
    }

    /// Counts the bytes held, for tests of the memory bound.
    #[cfg(test)]
    pub(super) fn retained_bytes(&self) -> usize {
        self.screen.retained_bytes() + size_of::<Self>()
    }

    /// Takes a run of like bytes outside of any sequence and returns its length.
    fn text(&mut self, bytes: &[u8], lines: &mut Lines, receiver: &mut Receiver<'_>) -> usize {
        let printable = printable_prefix(bytes);
        if printable > 0 {
            self.screen
                .print_ascii(&bytes[..printable], lines, receiver);
            return printable;
        }
        if bytes[0].is_ascii() {
            self.control_character(bytes[0], lines, receiver);
            return 1;
        }
        let length = bytes.iter().position(u8::is_ascii).unwrap_or(bytes.len());
        let reaches_end = length == bytes.len();
        let mut chunks = bytes[..length].utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            for character in chunk.valid().chars() {
                self.screen.print(character, lines, receiver);
            }
            let invalid = chunk.invalid();
            if reaches_end && chunks.peek().is_none() && is_incomplete(invalid) {
                self.partial[..invalid.len()].copy_from_slice(invalid);
                self.partial_length = invalid.len();
            } else if !invalid.is_empty() {
                self.screen
                    .print(char::REPLACEMENT_CHARACTER, lines, receiver);
            }
        }
        length
    }

    /// Tries to go on with a character from the last chunk; returns whether the byte belongs to it.
    fn complete(&mut self, byte: u8, lines: &mut Lines, receiver: &mut Receiver<'_>) -> bool {
        let length = self.partial_length + 1;
        self.partial[length - 1] = byte;
        let candidate = self.partial;
        match str::from_utf8(&candidate[..length]) {
            Ok(character) => {
                self.partial_length = 0;
                for character in character.chars() {
                    self.screen.print(character, lines, receiver);
                }
                true
            }
            Err(error) if error.error_len().is_none() => {
                self.partial_length = length;
                true
            }
            Err(_) => {
                self.partial_length = 0;
                self.screen
                    .print(char::REPLACEMENT_CHARACTER, lines, receiver);
                false
            }
        }
    }

    fn control_character(&mut self, byte: u8, lines: &mut Lines, receiver: &mut Receiver<'_>) {
        match byte {
            0x08 => self.screen.backspace(),
            b'\t' => self.screen.tab(lines, receiver),
            b'\n' | 0x0b | 0x0c => self.screen.line_feed(lines, receiver),
            b'\r' => self.screen.carriage_return(),
            0x0e => self.screen.cursor().charset = 1,
            0x0f => self.screen.cursor().charset = 0,
            ESCAPE => self.state = State::Escape { intermediate: 0 },
            _ => {}
        }
    }

    /// Takes a byte inside an escape sequence.
    fn sequence_byte(&mut self, byte: u8, lines: &mut Lines, receiver: &mut Receiver<'_>) {
        match (self.state, byte) {
            (_, ESCAPE) => self.state = State::Escape { intermediate: 0 },
            (_, CANCEL | SUBSTITUTE) => self.state = State::Text,
            (
                State::String {
                    ends_with_bell: true,
                },
                BELL,
            ) => self.state = State::Text,
            (State::String { .. }, _) => {}
            (_, 0x00..=0x1f) => self.control_character(byte, lines, receiver),
            (_, 0x7f..) => {}
            (State::Escape { .. }, 0x20..=0x2f) => {
                self.state = State::Escape { intermediate: byte };
            }
            (State::Escape { intermediate: 0 }, b'[') => {
                self.sequence = Sequence::default();
                self.state = State::Control;
            }
            (State::Escape { intermediate: 0 }, b']' | b'P' | b'X' | b'^' | b'_') => {
                self.state = State::String {
                    ends_with_bell: byte == b']',
                };
            }
            (State::Escape { intermediate }, _) => {
                self.state = State::Text;
                self.escape(intermediate, byte, lines, receiver);
            }
            (State::Control, 0x40..) => {
                self.state = State::Text;
                self.control(byte, lines, receiver);
            }
            (State::Control | State::Text, _) => self.sequence.push(byte),
        }
    }

    /// Carries out a sequence of ESC and one byte.
    fn escape(
        &mut self,
        intermediate: u8,
        byte: u8,
        lines: &mut Lines,
        receiver: &mut Receiver<'_>,
    ) {
        let screen = &mut self.screen;
        match (intermediate, byte) {
            (b'(', _) => screen.cursor().graphics[0] = byte == b'0',
            (b')', _) => screen.cursor().graphics[1] = byte == b'0',
            (0, b'7') => screen.save_cursor(),
            (0, b'8') => screen.restore_cursor(),
            (0, b'D') => screen.index(lines, receiver),
            (0, b'E') => {
                screen.carriage_return();
                screen.index(lines, receiver);
            }
            (0, b'H') => screen.set_tab_stop(true),
            (0, b'M') => screen.reverse_index(),
            (0, b'c') => screen.reset(lines, receiver),
            _ => {}
        }
    }

    /// Carries out a control sequence.
    fn control(&mut self, last: u8, lines: &mut Lines, receiver: &mut Receiver<'_>) {
        let sequence = &self.sequence;
        let screen = &mut self.screen;
        match (sequence.private, sequence.intermediate) {
            (0, 0) => {}
            (b'?', 0) if matches!(last, b'h' | b'l') => return self.private_modes(last == b'h'),
            // Erasing what is not protected; nothing is, here.
            (b'?', 0) if matches!(last, b'J' | b'K') => {}
            (0, b'!') if last == b'p' => return screen.soft_reset(),
            _ => return,
        }
        let count = sequence.count(0);
        match last {
            b'@' => screen.insert_characters(count),
            b'A' => screen.move_up(count),
            b'B' | b'e' => screen.move_down(count),
            b'C' | b'a' => screen.move_right(count),
            b'D' => screen.move_left(count),
            b'E' => {
                screen.move_down(count);
                screen.carriage_return();
            }
            b'F' => {
                screen.move_up(count);
                screen.carriage_return();
            }
            b'G' | b'`' => screen.set_column(count - 1),
            b'H' | b'f' => {
                screen.set_row(count - 1);
                screen.set_column(sequence.count(1) - 1);
            }
            b'I' => screen.forward_tab(count),
            b'J' => match sequence.raw(0) {
                0 => screen.erase_after(),
                1 => screen.erase_before(),
                2 => screen.erase_all(lines, receiver),
                _ => {}
            },
            b'K' => match sequence.raw(0) {
                0 => screen.erase_row_after(),
                1 => screen.erase_row_before(),
                2 => screen.erase_row(),
                _ => {}
            },
            b'L' => screen.insert_rows(count),
            b'M' => screen.delete_rows(count),
            b'P' => screen.delete_characters(count),
            b'S' => screen.scroll_region_up(count, lines, receiver),
            b'T' => screen.scroll_region_down(count),
            b'X' => screen.erase_characters(count),
            b'Z' => screen.back_tab(count),
            b'b' => screen.repeat(count, lines, receiver),
            b'd' => screen.set_row(count - 1),
            b'g' if sequence.raw(0) == 0 => screen.set_tab_stop(false),
            b'g' if sequence.raw(0) == 3 => screen.clear_tab_stops(),
            b'h' | b'l' if sequence.raw(0) == 4 => screen.insert = last == b'h',
            b'm' if self.colours == Colours::Kept => {
                if let Some(parameters) = sequence.bytes() {
                    screen.cursor().pen.apply(parameters);
                }
            }
            b'r' => {
                let end = sequence.raw(1);
                screen.set_region(count - 1, if end == 0 { usize::MAX } else { end });
            }
            b's' => screen.save_cursor(),
            b'u' => screen.restore_cursor(),
            _ => {}
        }
    }

    fn private_modes(&mut self, set: bool) {
        let screen = &mut self.screen;
        let sequence = &self.sequence;
        for &mode in sequence.parameters.iter().take(sequence.current + 1) {
            match mode {
                6 if screen.cursor().origin != set => {
                    screen.cursor().origin = set;
                    screen.set_row(0);
                    screen.set_column(0);
                }
                7 => screen.autowrap = set,
                47 | 1047 => screen.use_alternate(set),
                1048 if set => screen.save_cursor(),
                1048 => screen.restore_cursor(),
                // Leaving what was never entered would move the cursor to where nothing was saved.
                1049 if set == screen.is_alternate() => {}
                1049 if set => {
                    screen.save_cursor();
                    screen.use_alternate(true);
                }
                1049 => {
                    screen.use_alternate(false);
                    screen.restore_cursor();
                }
                _ => {}
            }
        }
    }
}

/// Tells whether bytes are the beginning of a character.
fn is_incomplete(bytes: &[u8]) -> bool {
    matches!(str::from_utf8(bytes), Err(error) if error.error_len().is_none())
}
