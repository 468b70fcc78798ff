//! Recorded bytes without what is more than text and colours: no cursor, no titles, no links, no
//! questions to the terminal, nothing invisible.

use super::sequence::{Actor, Control, Sequences};
use crate::view::sanitize;

/// The longest character in UTF-8.
const CHARACTER_BYTES: usize = 4;

/// Lets text and colours through.
#[derive(Debug, Default)]
pub struct Safe {
    sequences: Sequences,
    output: Output,
}

#[derive(Debug, Default)]
struct Output {
    ready: Vec<u8>,
    /// The beginning of a character whose end comes later.
    partial: Vec<u8>,
}

impl Safe {
    /// Takes bytes and gives what may be shown of them.
    #[must_use]
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.sequences.feed(bytes, &mut self.output);
        std::mem::take(&mut self.output.ready)
    }

    /// Gives what is shown of a character that has no end, and takes back the colours.
    #[must_use]
    pub fn finish(&mut self) -> Vec<u8> {
        self.output.end_character();
        self.output.ready.extend_from_slice(b"\x1b[0m");
        std::mem::take(&mut self.output.ready)
    }
}

impl Output {
    fn end_character(&mut self) {
        if !self.partial.is_empty() {
            self.partial.clear();
            self.show("\u{fffd}");
        }
    }

    fn show(&mut self, text: &str) {
        self.ready
            .extend_from_slice(sanitize::text(text).as_bytes());
    }
}

impl Actor for Output {
    fn text(&mut self, bytes: &[u8]) {
        let joined;
        let bytes = if self.partial.is_empty() {
            bytes
        } else {
            joined = [&std::mem::take(&mut self.partial)[..], bytes].concat();
            &joined[..]
        };
        let mut chunks = bytes.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            self.show(chunk.valid());
            let invalid = chunk.invalid();
            if invalid.is_empty() {
                continue;
            }
            // The last bytes may be the beginning of a character.
            let is_cut = chunks.peek().is_none()
                && invalid.len() < CHARACTER_BYTES
                && std::str::from_utf8(invalid).is_err_and(|error| error.error_len().is_none());
            if is_cut {
                self.partial.extend_from_slice(invalid);
            } else {
                self.show("\u{fffd}");
            }
        }
    }

    fn control(&mut self, byte: u8) {
        self.end_character();
        if matches!(byte, b'\n' | b'\r' | b'\t' | 0x08) {
            self.ready.push(byte);
        }
    }

    fn escape(&mut self, _intermediate: u8, _last: u8) {
        self.end_character();
    }

    fn sequence(&mut self, control: Control<'_>) {
        self.end_character();
        if (control.private, control.intermediate, control.last) == (0, 0, b'm') {
            let parameters = visible(control.parameters);
            if parameters.is_empty() && !control.parameters.is_empty() {
                return;
            }
            self.ready.extend_from_slice(b"\x1b[");
            self.ready.extend_from_slice(&parameters);
            self.ready.push(b'm');
        }
    }

    fn string(&mut self, _introducer: u8, _beginning: &[u8]) {
        self.end_character();
    }
}

/// The parameters of a colour sequence without the one that hides text (8).
fn visible(parameters: &[u8]) -> Vec<u8> {
    let all: Vec<&[u8]> = parameters.split(|byte| *byte == b';').collect();
    let mut kept: Vec<&[u8]> = Vec::with_capacity(all.len());
    let mut rest = &all[..];
    while let Some((first, others)) = rest.split_first() {
        // A colour's own numbers follow these: `38;5;N` and `38;2;R;G;B`.
        let takes = match (*first, others.first().copied()) {
            (b"38" | b"48" | b"58", Some(b"5")) => 3,
            (b"38" | b"48" | b"58", Some(b"2")) => 5,
            _ => 1,
        };
        let taken = takes.min(rest.len());
        if taken > 1 || !hides(first) {
            kept.extend_from_slice(&rest[..taken]);
        }
        rest = &rest[taken..];
    }
    kept.join(&b';')
}

fn hides(parameter: &[u8]) -> bool {
    let digits: Vec<u8> = parameter
        .iter()
        .copied()
        .skip_while(|byte| *byte == b'0')
        .take_while(u8::is_ascii_digit)
        .collect();
    digits == b"8"
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(pieces: &[&[u8]]) -> String {
        let mut safe = Safe::default();
        let mut shown: Vec<u8> = pieces.iter().flat_map(|piece| safe.feed(piece)).collect();
        shown.extend(safe.finish());
        let shown = String::from_utf8(shown).unwrap();
        shown.strip_suffix("\x1b[0m").unwrap().to_owned()
    }

    #[test]
    fn text_and_colours_pass_and_nothing_else() {
        let cases: &[(&[u8], &str)] = &[
            (b"a\tb\r\nc\x08", "a\tb\r\nc\x08"),
            (b"\x1b[1;31mred\x1b[0m", "\x1b[1;31mred\x1b[0m"),
            (b"\x1b[38;5;8mgrey", "\x1b[38;5;8mgrey"),
            (b"\x1b[38:2::1:2:3mx", "\x1b[38:2::1:2:3mx"),
            (b"\x1b[8mhidden\x1b[1;08mx", "hidden\x1b[1mx"),
            (b"\x1b[mx", "\x1b[mx"),
            (b"\x1b[2J\x1b[Hx", "x"),
            (b"\x1b]0;title\x07x", "x"),
            (b"\x1b]8;;http://evil\x1b\\x\x1b]8;;\x1b\\", "x"),
            (b"\x1b]52;c;ZXZpbA==\x07x", "x"),
            (b"\x1b[6n\x1b[c\x05x", "x"),
            (b"\x1b[?1049hx\x07", "x"),
            (b"\x1bPq#0\x1b\\x", "x"),
            (b"\x1b[>4;2mx", "x"),
            (b"\xff\xc3", "\u{fffd}\u{fffd}"),
            ("ab\u{202e}c".as_bytes(), "ab<U+202E>c"),
            ("\u{9b}31mx".as_bytes(), "<U+009B>31mx"),
        ];
        for (bytes, expected) in cases {
            assert_eq!(shown(&[bytes]), *expected, "{}", bytes.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn whatever_was_recorded_only_colours_begin_with_escape(
            bytes in prop::collection::vec(prop_oneof![
                4 => Just(0x1b_u8), 4 => Just(b'['), 2 => Just(b']'), 4 => any::<u8>(),
                2 => Just(b'm'), 2 => b'0'..=b'9', 1 => Just(b';'),
            ], 0..200),
            place in 0..200_usize,
        ) {
            let place = place.min(bytes.len());
            let text = shown(&[&bytes[..place], &bytes[place..]]);
            prop_assert_eq!(&text, &shown(&[&bytes]));
            for after in text.split('\x1b').skip(1) {
                let is_colour = after.strip_prefix('[').is_some_and(|rest| {
                    let end = rest.find(|character: char| !matches!(character, '0'..='9' | ';' | ':'));
                    end.is_some_and(|end| rest[end..].starts_with('m'))
                });
                prop_assert!(is_colour, "{:?}", text);
            }
            let acts = |character: char| character.is_control() && !matches!(character, '\n' | '\r' | '\t' | '\x08' | '\x1b');
            prop_assert!(!text.contains(acts));
        }
    }
}
