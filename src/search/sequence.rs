//! Responsible for telling text from what steers a terminal, byte by byte within one line: escape
//! sequences, backspaces and carriage returns become [`Act`]s. Not responsible for what they do to
//! the text (see `line`). It knows the same sequences as `transcript::render` does.
//!
//! Invariants: the acts are the same however the bytes are cut into chunks; nothing panics; nothing
//! is kept but the state.

use memchr::{memchr2, memchr3, memchr3_iter};

const ESCAPE: u8 = 0x1b;
const BACKSPACE: u8 = 0x08;
const RETURN: u8 = b'\r';
const BELL: u8 = 0x07;
const CANCEL: u8 = 0x18;
const SUBSTITUTE: u8 = 0x1a;

/// The most columns that one sequence moves the cursor by. Larger distances mean another place.
const COLUMNS_MAX: u16 = 256;

/// What some bytes of a line mean for its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act<'a> {
    /// Text, printed at the cursor.
    Print(&'a [u8]),
    /// The cursor goes back by this many characters.
    Back(u16),
    /// The cursor goes forward by this many columns.
    Forward(u16),
    /// What is right of the cursor goes.
    EraseRest,
    /// The cursor goes elsewhere, or the text is gone: what follows doesn't continue it.
    Leave,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    Text,
    /// After ESC, and whether an intermediate byte followed.
    Escape { is_plain: bool },
    /// In a control sequence.
    Control,
    /// In a string (title, image, query) that ends with ST or, for some, with BEL.
    String { ends_with_bell: bool },
}

/// The parameters of a control sequence, as far as they matter.
#[derive(Clone, Copy, Debug, Default)]
struct Parameters {
    first: Option<u16>,
    /// Whether another one has begun.
    is_over: bool,
    /// Whether it begins with one of `<=>?`.
    is_private: bool,
    /// Whether it has an intermediate byte, which makes it another sequence.
    is_other: bool,
}

/// Reads the bytes of a line.
#[derive(Debug, Default)]
pub(super) struct Sequences {
    state: State,
    parameters: Parameters,
}

impl Sequences {
    /// Reads the next bytes of the line, which hold no line feed.
    pub(super) fn feed<'a>(&mut self, bytes: &'a [u8], act: &mut impl FnMut(Act<'a>)) {
        let mut rest = bytes;
        while let Some(&byte) = rest.first() {
            let taken = match self.state {
                State::Text => match memchr3(ESCAPE, BACKSPACE, RETURN, rest) {
                    Some(0) => self.control_character(byte, act),
                    plain => {
                        let length = plain.unwrap_or(rest.len());
                        act(Act::Print(&rest[..length]));
                        length
                    }
                },
                State::String { .. } => self.string(rest),
                State::Escape { .. } | State::Control => self.sequence_byte(byte, act),
            };
            rest = &rest[taken..];
        }
    }

    /// Ends the line, and with it a sequence that has no end: what a line hides doesn't hide the
    /// next one.
    pub(super) fn end(&mut self) {
        *self = Self::default();
    }

    fn control_character<'a>(&mut self, byte: u8, act: &mut impl FnMut(Act<'a>)) -> usize {
        match byte {
            ESCAPE => self.state = State::Escape { is_plain: true },
            BACKSPACE => act(Act::Back(1)),
            RETURN => act(Act::Leave),
            _ => {}
        }
        1
    }

    /// Skips a string up to and with the byte that ends it.
    fn string(&mut self, bytes: &[u8]) -> usize {
        let State::String { ends_with_bell } = self.state else {
            return 0;
        };
        let end = bytes.iter().position(|byte| match *byte {
            ESCAPE | CANCEL | SUBSTITUTE => true,
            byte => byte == BELL && ends_with_bell,
        });
        let Some(end) = end else { return bytes.len() };
        self.state = match bytes[end] {
            ESCAPE => State::Escape { is_plain: true },
            _ => State::Text,
        };
        end + 1
    }

    /// Takes a byte inside a sequence that is no string.
    fn sequence_byte<'a>(&mut self, byte: u8, act: &mut impl FnMut(Act<'a>)) -> usize {
        match (self.state, byte) {
            (_, CANCEL | SUBSTITUTE) => self.state = State::Text,
            (_, 0x00..=0x1f) => _ = self.control_character(byte, act),
            (_, 0x7f..) => {}
            (State::Escape { .. }, 0x20..=0x2f) => self.state = State::Escape { is_plain: false },
            (State::Escape { is_plain: true }, b'[') => {
                self.parameters = Parameters::default();
                self.state = State::Control;
            }
            (State::Escape { is_plain: true }, b']' | b'P' | b'X' | b'^' | b'_') => {
                self.state = State::String {
                    ends_with_bell: byte == b']',
                };
            }
            (State::Escape { is_plain }, _) => {
                self.state = State::Text;
                // Restoring the cursor, moving it to another row, a full reset.
                if is_plain && b"8DEMc".contains(&byte) {
                    act(Act::Leave);
                }
            }
            (State::Control, 0x40..) => {
                self.state = State::Text;
                self.control(byte, act);
            }
            (_, _) => self.parameters.push(byte),
        }
        1
    }

    /// Carries out a control sequence that ends with this byte.
    fn control<'a>(&self, last: u8, act: &mut impl FnMut(Act<'a>)) {
        let Parameters {
            first,
            is_private,
            is_other,
            ..
        } = self.parameters;
        let count = first.unwrap_or(0).max(1);
        match (is_private, last) {
            _ if is_other => {}
            // The alternate screen.
            (true, b'h' | b'l') if matches!(first, Some(47 | 1047 | 1049)) => act(Act::Leave),
            (true, _) => {}
            (false, b'C' | b'a') if count <= COLUMNS_MAX => act(Act::Forward(count)),
            (false, b'D') => act(Act::Back(count)),
            (false, b'J' | b'K') if first.unwrap_or(0) == 0 => act(Act::EraseRest),
            // Moves to another place, and what is erased, inserted or deleted as a whole.
            (false, b'A'..=b'M' | b'Z' | b'`' | b'a' | b'd'..=b'f' | b'u') => act(Act::Leave),
            (false, _) => {}
        }
    }
}

impl Parameters {
    fn push(&mut self, byte: u8) {
        match byte {
            b'0'..=b'9' if !self.is_over => {
                let digit = u16::from(byte - b'0');
                let first = self.first.unwrap_or(0);
                self.first = Some(first.saturating_mul(10).saturating_add(digit));
            }
            b':' | b';' => self.is_over = true,
            b'<'..=b'?' => self.is_private = true,
            0x20..=0x2f => self.is_other = true,
            _ => {}
        }
    }
}

/// The first byte at `from` or later because of which a line's text isn't a part of its bytes: ESC or BS.
/// A carriage return only ends one state of a line and begins another.
pub(super) fn first_mixing(text: &[u8], from: usize) -> Option<usize> {
    Some(from + memchr2(ESCAPE, BACKSPACE, &text[from..])?)
}

/// The first byte at `from` or later because of which a line has to be read as a terminal would: ESC,
/// BS, or a carriage return that isn't the one of a CRLF.
pub(super) fn first_steering(text: &[u8], from: usize) -> Option<usize> {
    let mut found = memchr3_iter(ESCAPE, BACKSPACE, RETURN, &text[from..]).map(|at| from + at);
    found.find(|at| text[*at] != RETURN || text.get(at + 1) != Some(&b'\n'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_first_byte_that_steers_is_found_wherever_it_is(
            before in "[a-z\n]{0,300}(\r\n)?",
            steering in "\r|\r[a-z]|\u{8}\n|\u{1b}",
            after in "[a-z\n]{0,300}",
            from in 0usize..300,
        ) {
            prop_assume!(steering != "\r" || !after.starts_with('\n'));
            let text = format!("{before}{steering}{after}");
            let found = first_steering(text.as_bytes(), from.min(before.len()));
            prop_assert_eq!(found, Some(before.len()));
            let plain = format!("{before}{after}");
            prop_assert_eq!(first_steering(plain.as_bytes(), 0), None);
        }
    }
}
