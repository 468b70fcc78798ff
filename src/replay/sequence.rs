//! Recorded bytes as a terminal takes them: text, control characters, sequences and strings
//! (ECMA-48, and the states that xterm and the DEC terminals go through).
//!
//! Invariants: the acts are the same however the bytes are cut; what is kept is bounded; nothing
//! panics.

const ESCAPE: u8 = 0x1b;
const BELL: u8 = 0x07;
const CANCEL: u8 = 0x18;
const SUBSTITUTE: u8 = 0x1a;

/// The longest control sequence that is told whole; longer ones do nothing on any terminal.
const SEQUENCE_BYTES: usize = 128;

/// A control sequence (CSI).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Control<'a> {
    /// A byte of `<=>?` at the beginning, or zero.
    pub(super) private: u8,
    /// Digits, `;` and `:`.
    pub(super) parameters: &'a [u8],
    /// The last byte of 0x20 to 0x2f, or zero.
    pub(super) intermediate: u8,
    /// The byte that says what it does.
    pub(super) last: u8,
}

impl Control<'_> {
    /// Its parameters; an absent one is 0, and so is what follows a colon in one.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u16> {
        self.parameters.split(|byte| *byte == b';').map(number)
    }
}

/// A number of ASCII digits, as far as they go; too large is the largest.
fn number(digits: &[u8]) -> u16 {
    let digits = digits.iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(0, |number: u16, digit| {
        number
            .saturating_mul(10)
            .saturating_add(u16::from(digit - b'0'))
    })
}

/// Takes what the bytes mean.
pub(super) trait Actor {
    /// Printable bytes, as they were recorded.
    fn text(&mut self, bytes: &[u8]);
    /// A control character.
    fn control(&mut self, byte: u8);
    /// ESC, the intermediate byte or zero, and the last byte.
    fn escape(&mut self, intermediate: u8, last: u8);
    /// A control sequence.
    fn sequence(&mut self, control: Control<'_>);
    /// A string ended: the byte that introduced it (`]` of an operating system command), and what it
    /// begins with, at most [`SEQUENCE_BYTES`].
    fn string(&mut self, introducer: u8, beginning: &[u8]);
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Text,
    /// After ESC, with the intermediate byte or zero.
    Escape(u8),
    Control,
    /// In a string, by the byte that introduced it.
    String(u8),
    /// In a string, after ESC.
    StringEscape(u8),
}

/// Reads recorded bytes.
#[derive(Debug, Default)]
pub(super) struct Sequences {
    state: State,
    kept: Vec<u8>,
    is_too_long: bool,
}

impl Sequences {
    /// Reads the next bytes.
    pub(super) fn feed(&mut self, bytes: &[u8], actor: &mut impl Actor) {
        let mut rest = bytes;
        while let Some(&byte) = rest.first() {
            let mut taken = 1;
            match self.state {
                State::Text => {
                    let is_control = |byte: &u8| *byte < 0x20 || *byte == 0x7f;
                    let length = rest.iter().position(is_control).unwrap_or(rest.len());
                    if length > 0 {
                        actor.text(&rest[..length]);
                        taken = length;
                    } else {
                        self.control(byte, actor);
                    }
                }
                State::Escape(intermediate) => self.escape(intermediate, byte, actor),
                State::Control => self.parameter(byte, actor),
                State::String(introducer) => self.string(introducer, byte, actor),
                State::StringEscape(introducer) => {
                    // ESC ends a string; only with a backslash is that all it does.
                    self.end_string(introducer, actor);
                    if byte != b'\\' {
                        self.state = State::Escape(0);
                        taken = 0;
                    }
                }
            }
            rest = &rest[taken..];
        }
    }

    /// Whether the bytes so far end inside a sequence or string.
    pub(super) fn is_inside(&self) -> bool {
        self.state != State::Text
    }

    fn control(&mut self, byte: u8, actor: &mut impl Actor) {
        match byte {
            ESCAPE => self.state = State::Escape(0),
            _ => actor.control(byte),
        }
    }

    fn escape(&mut self, intermediate: u8, byte: u8, actor: &mut impl Actor) {
        match byte {
            CANCEL | SUBSTITUTE => self.state = State::Text,
            0x00..=0x1f => self.control(byte, actor),
            0x20..=0x2f => self.state = State::Escape(byte),
            b'[' if intermediate == 0 => self.begin(State::Control),
            b']' | b'P' | b'X' | b'^' | b'_' | b'k' if intermediate == 0 => {
                self.begin(State::String(byte));
            }
            _ => {
                self.state = State::Text;
                actor.escape(intermediate, byte);
            }
        }
    }

    fn begin(&mut self, state: State) {
        self.state = state;
        self.kept.clear();
        self.is_too_long = false;
    }

    fn keep(&mut self, byte: u8) {
        if self.kept.len() < SEQUENCE_BYTES {
            self.kept.push(byte);
        } else {
            self.is_too_long = true;
        }
    }

    fn parameter(&mut self, byte: u8, actor: &mut impl Actor) {
        match byte {
            CANCEL | SUBSTITUTE => self.state = State::Text,
            0x00..=0x1f => self.control(byte, actor),
            0x20..=0x3f => self.keep(byte),
            0x40..=0x7e => {
                self.state = State::Text;
                if !self.is_too_long {
                    actor.sequence(split(&self.kept, byte));
                }
            }
            0x7f.. => {}
        }
    }

    fn string(&mut self, introducer: u8, byte: u8, actor: &mut impl Actor) {
        match byte {
            // Only an operating system command may end with BEL, but terminals differ in that.
            BELL if matches!(introducer, b']' | b'k') => self.end_string(introducer, actor),
            CANCEL | SUBSTITUTE => self.state = State::Text,
            ESCAPE => self.state = State::StringEscape(introducer),
            _ => self.keep(byte),
        }
    }

    fn end_string(&mut self, introducer: u8, actor: &mut impl Actor) {
        self.state = State::Text;
        actor.string(introducer, &self.kept);
    }
}

fn split(kept: &[u8], last: u8) -> Control<'_> {
    let private = kept
        .first()
        .copied()
        .filter(|byte| (b'<'..=b'?').contains(byte));
    let rest = &kept[usize::from(private.is_some())..];
    let is_parameter = |byte: &u8| (b'0'..=b';').contains(byte);
    let length = rest.iter().take_while(|byte| is_parameter(byte)).count();
    let intermediate = rest[length..].iter().rev().find(|byte| **byte <= 0x2f);
    Control {
        private: private.unwrap_or(0),
        parameters: &rest[..length],
        intermediate: intermediate.copied().unwrap_or(0),
        last,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Default)]
    struct Log(Vec<String>);

    impl Actor for Log {
        fn text(&mut self, bytes: &[u8]) {
            let text = String::from_utf8_lossy(bytes).into_owned();
            match self.0.last_mut() {
                Some(last) if last.starts_with("text ") => last.push_str(&text),
                _ => self.0.push(format!("text {text}")),
            }
        }
        fn control(&mut self, byte: u8) {
            self.0.push(format!("control {byte:#04x}"));
        }
        fn escape(&mut self, intermediate: u8, last: u8) {
            self.0
                .push(format!("escape {intermediate} {}", char::from(last)));
        }
        fn sequence(&mut self, control: Control<'_>) {
            let numbers: Vec<u16> = control.numbers().collect();
            let (private, last) = (control.private, char::from(control.last));
            self.0.push(format!(
                "sequence {private} {numbers:?} {} {last}",
                control.intermediate
            ));
        }
        fn string(&mut self, introducer: u8, beginning: &[u8]) {
            let beginning = String::from_utf8_lossy(beginning);
            self.0
                .push(format!("string {} {beginning}", char::from(introducer)));
        }
    }

    fn log(pieces: &[&[u8]]) -> Vec<String> {
        let (mut sequences, mut log) = (Sequences::default(), Log::default());
        for piece in pieces {
            sequences.feed(piece, &mut log);
        }
        log.0
    }

    #[test]
    fn bytes_mean_what_a_terminal_takes_them_for() {
        let cases: &[(&[u8], &[&str])] = &[
            (
                b"a\r\nb",
                &["text a", "control 0x0d", "control 0x0a", "text b"],
            ),
            (b"\x1b[1;31mx", &["sequence 0 [1, 31] 0 m", "text x"]),
            (b"\x1b[?1049h", &["sequence 63 [1049] 0 h"]),
            (b"\x1b[2 q", &["sequence 0 [2] 32 q"]),
            (b"\x1b]0;t\x07x", &["string ] 0;t", "text x"]),
            (b"\x1b]0;t\x1b\\x", &["string ] 0;t", "text x"]),
            (
                b"\x1b]0;t\x1b[mx",
                &["string ] 0;t", "sequence 0 [0] 0 m", "text x"],
            ),
            (b"\x1b(Bx", &["escape 40 B", "text x"]),
            (b"\x1b[3\x18x", &["text x"]),
            (
                b"\x1b[\n1mx",
                &["control 0x0a", "sequence 0 [1] 0 m", "text x"],
            ),
            (b"\x1b[99999999m", &["sequence 0 [65535] 0 m"]),
            ("é".as_bytes(), &["text é"]),
        ];
        for (bytes, expected) in cases {
            assert_eq!(log(&[bytes]), *expected, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn what_is_too_long_for_any_terminal_does_nothing() {
        let long = [b"\x1b[", &[b'1'; 4000][..], b"mx"].concat();
        assert_eq!(log(&[&long]), ["text x"]);
        let title = [b"\x1b]0;", &[b't'; 4000][..], b"\x07x"].concat();
        assert_eq!(log(&[&title]).last().unwrap(), "text x");
    }

    const PIECES: &[&[u8]] = &[
        b"\x1b[", b"\x1b]", b"1;2", b"m", b"\x07", b"\x1b\\", b"ab", b"\n", b"\x18", b"\x1b",
    ];

    proptest! {
        #[test]
        fn cutting_the_bytes_changes_nothing(
            pieces in prop::collection::vec(prop::sample::select(PIECES), 0..20),
            place in 0..60_usize,
        ) {
            let all = pieces.concat();
            let place = place.min(all.len());
            prop_assert_eq!(log(&[&all]), log(&[&all[..place], &all[place..]]));
        }
    }
}
