//! What recorded bytes leave behind on a terminal, and the bytes that take it back.

use std::collections::BTreeSet;

use super::sequence::{Actor, Control, Sequences};

/// Private modes (DECSET) that are off on a terminal that waits for a shell's next line, in the order in
/// which they are switched off: the alternate screen first, because some belong to a screen. From xterm's
/// control sequences, with those of kitty, foot and others that have become common.
const OFF: &[u16] = &[
    1049, 1047, 47, 1, 3, 5, 6, 9, 66, 69, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1015,
    1016, 2004, 2026, 2031, 2048,
];

/// Private modes that are on.
const ON: &[u16] = &[7, 25];

/// Modes (SM) that are off: insert mode, and a return with each line feed.
const OFF_STANDARD: &[u16] = &[4, 20];

/// Kitty's keyboard modes that are taken back at most; a terminal keeps no more.
const KEYBOARDS_MAX: u8 = 16;

#[derive(Debug, Default)]
struct Left {
    /// Private modes that are not as they were.
    private: BTreeSet<u16>,
    standard: BTreeSet<u16>,
    has_title: bool,
    has_style: bool,
    has_margins: bool,
    has_cursor_shape: bool,
    has_keypad: bool,
    has_characters: bool,
    has_link: bool,
    has_modified_keys: bool,
    keyboards: u8,
    palette: BTreeSet<u16>,
}

/// Remembers what the bytes of a recording switch on.
#[derive(Debug, Default)]
pub struct Traces {
    sequences: Sequences,
    left: Left,
}

impl Traces {
    /// Takes the next bytes.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.sequences.feed(bytes, &mut self.left);
    }

    /// Whether the window has got another title.
    #[must_use]
    pub fn has_title(&self) -> bool {
        self.left.has_title
    }

    /// The bytes that take back what was left behind, if anything was.
    #[must_use]
    pub fn undo(&self) -> Vec<u8> {
        let left = &self.left;
        let mut undo = Vec::new();
        if self.sequences.is_inside() {
            // CAN ends a sequence or string that has no end.
            undo.push(0x18);
        }
        for mode in OFF.iter().filter(|mode| left.private.contains(mode)) {
            undo.extend_from_slice(format!("\x1b[?{mode}l").as_bytes());
        }
        for mode in ON.iter().filter(|mode| left.private.contains(mode)) {
            undo.extend_from_slice(format!("\x1b[?{mode}h").as_bytes());
        }
        for mode in &left.standard {
            undo.extend_from_slice(format!("\x1b[{mode}l").as_bytes());
        }
        let fixed: &[(bool, &[u8])] = &[
            // Setting margins moves the cursor, so it is put back.
            (left.has_margins, b"\x1b7\x1b[r\x1b8"),
            (left.has_characters, b"\x1b(B\x0f"),
            (left.has_keypad, b"\x1b>"),
            (left.has_cursor_shape, b"\x1b[0 q"),
            (left.has_modified_keys, b"\x1b[>4m"),
            (left.has_link, b"\x1b]8;;\x1b\\"),
            (left.has_style, b"\x1b[0m"),
        ];
        for (_, bytes) in fixed.iter().filter(|(is_left, _)| *is_left) {
            undo.extend_from_slice(bytes);
        }
        if left.keyboards > 0 {
            undo.extend_from_slice(format!("\x1b[<{}u", left.keyboards).as_bytes());
        }
        for number in &left.palette {
            undo.extend_from_slice(format!("\x1b]{number}\x1b\\").as_bytes());
        }
        undo
    }
}

impl Left {
    fn set_private(&mut self, mode: u16, is_on: bool) {
        let differs = (is_on && OFF.contains(&mode)) || (!is_on && ON.contains(&mode));
        if differs {
            self.private.insert(mode);
        } else {
            self.private.remove(&mode);
        }
    }
}

impl Actor for Left {
    fn text(&mut self, _bytes: &[u8]) {}

    fn control(&mut self, byte: u8) {
        // SO, which takes the second set of characters.
        if byte == 0x0e {
            self.has_characters = true;
        }
    }

    fn escape(&mut self, intermediate: u8, last: u8) {
        match (intermediate, last) {
            (b'(', b'B') => {}
            (b'(' | b')' | b'*' | b'+', _) => self.has_characters = true,
            (0, b'=') => self.has_keypad = true,
            (0, b'>') => self.has_keypad = false,
            // A full reset takes back everything but the title.
            (0, b'c') => {
                *self = Self {
                    has_title: self.has_title,
                    ..Self::default()
                };
            }
            _ => {}
        }
    }

    fn sequence(&mut self, control: Control<'_>) {
        match (control.private, control.intermediate, control.last) {
            (b'?', 0, b'h' | b'l') => {
                for mode in control.numbers() {
                    self.set_private(mode, control.last == b'h');
                }
            }
            (0, 0, b'h') => {
                let known = control.numbers().filter(|mode| OFF_STANDARD.contains(mode));
                self.standard.extend(known);
            }
            (0, 0, b'l') => {
                for mode in control.numbers() {
                    self.standard.remove(&mode);
                }
            }
            (0, 0, b'm') => {
                let last = control.numbers().last();
                self.has_style = last != Some(0);
            }
            (b'>', 0, b'm') => {
                let value = control.numbers().nth(1);
                self.has_modified_keys = value.is_some_and(|value| value != 0);
            }
            (0, 0, b'r') => self.has_margins = !control.parameters.is_empty(),
            (0, b' ', b'q') => self.has_cursor_shape = control.numbers().next() != Some(0),
            (b'>', 0, b'u') => self.keyboards = (self.keyboards + 1).min(KEYBOARDS_MAX),
            (b'<', 0, b'u') => {
                let popped = control.numbers().next().unwrap_or(1).clamp(1, 255);
                let popped = u8::try_from(popped).unwrap_or(u8::MAX);
                self.keyboards = self.keyboards.saturating_sub(popped);
            }
            _ => {}
        }
    }

    fn string(&mut self, introducer: u8, beginning: &[u8]) {
        if introducer == b'k' {
            self.has_title = true;
        }
        if introducer != b']' {
            return;
        }
        let digits = beginning.iter().take_while(|byte| byte.is_ascii_digit());
        let text: String = digits.map(|digit| char::from(*digit)).collect();
        let Ok(number) = text.parse::<u16>() else {
            return;
        };
        match number {
            0..=2 => self.has_title = true,
            // Colours have numbers to take them back that are higher by 100.
            4 | 5 | 10..=19 => {
                self.palette.insert(number + 100);
            }
            104 | 105 | 110..=119 => {
                self.palette.remove(&number);
            }
            // An address after the second semicolon begins a link, none ends it.
            8 => {
                let mut parts = beginning.splitn(3, |byte| *byte == b';');
                self.has_link = parts.nth(2).is_some_and(|address| !address.is_empty());
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn undo(bytes: &[u8]) -> String {
        let mut traces = Traces::default();
        traces.feed(bytes);
        traces.undo().escape_ascii().to_string()
    }

    #[test]
    fn what_was_switched_on_is_switched_off() {
        let cases: &[(&[u8], &str)] = &[
            (b"plain\r\n", ""),
            (b"\x1b[1;31mred", r"\x1b[0m"),
            (b"\x1b[1;31mred\x1b[0m", ""),
            (b"\x1b[31mred\x1b[m", ""),
            (
                b"\x1b[?1049h\x1b[?25l\x1b[?1006;1003h",
                r"\x1b[?1049l\x1b[?1003l\x1b[?1006l\x1b[?25h",
            ),
            (b"\x1b[?1049h\x1b[?1049l", ""),
            (b"\x1b[?25l\x1b[?25h\x1b[?7l", r"\x1b[?7h"),
            (b"\x1b[4h", r"\x1b[4l"),
            (b"\x1b[3;9r", r"\x1b7\x1b[r\x1b8"),
            (b"\x1b(0\x0e", r"\x1b(B\x0f"),
            (b"\x1b=", r"\x1b>"),
            (b"\x1b[5 q", r"\x1b[0 q"),
            (b"\x1b[>1u\x1b[>5u\x1b[<u", r"\x1b[<1u"),
            (b"\x1b]8;;http://x\x1b\\a", r"\x1b]8;;\x1b\\"),
            (b"\x1b]8;;http://x\x1b\\a\x1b]8;;\x1b\\", ""),
            (b"\x1b]11;#000\x07", r"\x1b]111\x1b\\"),
            (b"\x1b]0;title", r"\x18"),
            (b"\x1b[?1049h\x1b[1m\x1bc", ""),
        ];
        for (bytes, expected) in cases {
            assert_eq!(undo(bytes), *expected, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn a_title_is_noticed() {
        let mut traces = Traces::default();
        traces.feed(b"\x1b]2;vim\x07");
        assert!(traces.has_title());
        assert_eq!(traces.undo(), b"");
    }

    #[test]
    fn what_undoes_leaves_nothing_itself() {
        let mut traces = Traces::default();
        traces.feed(b"\x1b[?1049h\x1b[?25l\x1b[4h\x1b[2;3r\x1b(0\x1b=\x1b[5 q\x1b[>4;2m\x1b[>1u");
        traces.feed(b"\x1b]10;red\x07\x1b]8;;u\x07\x1b[7m");
        let undo = traces.undo();
        traces.feed(&undo);
        // What designates the characters can't be told from a program's own designation.
        assert_eq!(traces.undo().escape_ascii().to_string(), r"\x1b(B\x0f");
    }
}
