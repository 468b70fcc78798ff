//! What somebody who watches types.

use super::sequence::{Actor, Control, Sequences};

/// Ctrl-C, Ctrl-\ and Ctrl-Z as bytes: raw mode makes no signals of them.
const INTERRUPT: u8 = 0x03;
const QUIT: u8 = 0x1c;
const SUSPEND: u8 = 0x1a;

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// Pause, or go on.
    Pause,
    /// Pause, and show what comes next.
    Step,
    /// Twice as fast.
    Faster,
    /// Half as fast.
    Slower,
    /// No more.
    Quit,
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-Z.
    Suspend,
}

/// Reads typed bytes. A terminal's answers to questions in the recording come the same way: they are
/// sequences, and ask for nothing.
#[derive(Debug, Default)]
pub struct Keys {
    sequences: Sequences,
}

#[derive(Default)]
struct Pressed(Vec<Key>);

impl Keys {
    /// The keys in these bytes.
    #[must_use]
    pub fn read(&mut self, bytes: &[u8]) -> Vec<Key> {
        let mut pressed = Pressed::default();
        let is_typed = |byte: u8| bytes.contains(&byte);
        // Whatever state an answer that was cut short has left, these mean what they always do.
        if is_typed(INTERRUPT) || is_typed(QUIT) {
            self.sequences = Sequences::default();
            return vec![Key::Interrupt];
        }
        if is_typed(SUSPEND) {
            self.sequences = Sequences::default();
            return vec![Key::Suspend];
        }
        self.sequences.feed(bytes, &mut pressed);
        pressed.0
    }
}

impl Pressed {
    fn letter(&mut self, byte: u8) {
        match byte {
            b' ' => self.0.push(Key::Pause),
            b'.' => self.0.push(Key::Step),
            b'+' | b'=' => self.0.push(Key::Faster),
            b'-' | b'_' => self.0.push(Key::Slower),
            b'q' | b'Q' => self.0.push(Key::Quit),
            _ => {}
        }
    }
}

impl Actor for Pressed {
    fn text(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.letter(*byte));
    }

    fn control(&mut self, byte: u8) {
        // Return and Ctrl-D.
        match byte {
            b'\r' | b'\n' => self.0.push(Key::Step),
            0x04 => self.0.push(Key::Quit),
            _ => {}
        }
    }

    fn escape(&mut self, _intermediate: u8, last: u8) {
        // Escape typed before a key, or held with it.
        self.letter(last);
    }

    fn sequence(&mut self, control: Control<'_>) {
        // The right arrow.
        if (control.private, control.last, control.parameters.len()) == (0, b'C', 0) {
            self.0.push(Key::Step);
        }
    }

    fn string(&mut self, _introducer: u8, _beginning: &[u8]) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_from_a_terminals_answers() {
        let cases: &[(&[u8], &[Key])] = &[
            (b" ", &[Key::Pause]),
            (b".q", &[Key::Step, Key::Quit]),
            (b"\x1b[C", &[Key::Step]),
            (b"+-", &[Key::Faster, Key::Slower]),
            (b"\x1b[24;80R \x1b[?62;22c", &[Key::Pause]),
            (b"\x1b]11;rgb:00/00/00 q\x1b\\ ", &[Key::Pause]),
            (b"\x1bP>|term q\x1b\\", &[]),
            (b"\x1bq", &[Key::Quit]),
            (b"xyz", &[]),
            (b"\x1b]cut short\x03", &[Key::Interrupt]),
            (b"\x1a", &[Key::Suspend]),
        ];
        for (bytes, expected) in cases {
            let read = Keys::default().read(bytes);
            assert_eq!(read, *expected, "{}", bytes.escape_ascii());
        }
    }
}
