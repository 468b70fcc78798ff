//! Names of keys, and the bytes that a terminal sends for them.

/// Keys that send one byte or a sequence, whatever the modes.
const PLAIN: &[(&str, &str)] = &[
    ("Enter", "\r"),
    ("Tab", "\t"),
    ("BTab", "\x1b[Z"),
    ("Escape", "\x1b"),
    ("Esc", "\x1b"),
    ("Space", " "),
    ("BSpace", "\x7f"),
    ("Backspace", "\x7f"),
    ("Insert", "\x1b[2~"),
    ("Delete", "\x1b[3~"),
    ("PageUp", "\x1b[5~"),
    ("PageDown", "\x1b[6~"),
    ("F1", "\x1bOP"),
    ("F2", "\x1bOQ"),
    ("F3", "\x1bOR"),
    ("F4", "\x1bOS"),
    ("F5", "\x1b[15~"),
    ("F6", "\x1b[17~"),
    ("F7", "\x1b[18~"),
    ("F8", "\x1b[19~"),
    ("F9", "\x1b[20~"),
    ("F10", "\x1b[21~"),
    ("F11", "\x1b[23~"),
    ("F12", "\x1b[24~"),
];

/// Keys whose sequence depends on DECCKM, and its last byte.
const CURSOR: &[(&str, char)] = &[
    ("Up", 'A'),
    ("Down", 'B'),
    ("Right", 'C'),
    ("Left", 'D'),
    ("Home", 'H'),
    ("End", 'F'),
];

/// What arrow keys send: DECSET 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CursorKeys {
    /// `ESC [`
    Normal,
    /// `ESC O`
    Application,
}

/// The bytes of a key: a name, one character, or either with `C-` (Ctrl) or `M-` (Alt) before it. None
/// if there is no such key.
#[must_use]
pub fn bytes_of(key: &str, cursor: CursorKeys) -> Option<Vec<u8>> {
    let named = |name: &str| name.eq_ignore_ascii_case(key);
    if let Some((_, bytes)) = PLAIN.iter().find(|(name, _)| named(name)) {
        return Some(bytes.as_bytes().to_vec());
    }
    if let Some((_, last)) = CURSOR.iter().find(|(name, _)| named(name)) {
        let first = match cursor {
            CursorKeys::Normal => '[',
            CursorKeys::Application => 'O',
        };
        return Some(format!("\x1b{first}{last}").into_bytes());
    }
    let mut characters = key.chars();
    let (first, second) = (characters.next()?, characters.next());
    match (first, second) {
        (first, None) => Some(first.to_string().into_bytes()),
        ('C' | 'c', Some('-')) => Some(vec![control(&key[2..])?]),
        ('^', Some(_)) => Some(vec![control(&key[1..])?]),
        ('M' | 'm', Some('-')) => {
            let mut bytes = vec![0x1b];
            bytes.extend(bytes_of(&key[2..], cursor)?);
            Some(bytes)
        }
        _ => None,
    }
}

/// What a character becomes with Ctrl.
fn control(rest: &str) -> Option<u8> {
    let &[byte] = rest.as_bytes() else {
        return rest.eq_ignore_ascii_case("space").then_some(0);
    };
    match byte.to_ascii_uppercase() {
        upper @ b'@'..=b'_' => Some(upper & 0x1f),
        b'?' => Some(0x7f),
        b' ' => Some(0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_names() {
        use CursorKeys::{Application, Normal};
        for (key, cursor, bytes) in [
            ("Enter", Normal, &b"\r"[..]),
            ("enter", Normal, b"\r"),
            ("C-c", Normal, b"\x03"),
            ("^C", Normal, b"\x03"),
            ("C-Space", Normal, b"\0"),
            ("C-?", Normal, b"\x7f"),
            ("M-x", Normal, b"\x1bx"),
            ("M-C-a", Normal, b"\x1b\x01"),
            ("Up", Normal, b"\x1b[A"),
            ("Up", Application, b"\x1bOA"),
            ("F5", Application, b"\x1b[15~"),
            ("q", Normal, b"q"),
            ("C", Normal, b"C"),
            ("^", Normal, b"^"),
            ("é", Normal, "é".as_bytes()),
        ] {
            assert_eq!(bytes_of(key, cursor).as_deref(), Some(bytes), "{key}");
        }
        for key in ["", "Entr", "C-", "C-é", "M-", "C-up", "ab"] {
            assert_eq!(bytes_of(key, Normal), None, "{key}");
        }
    }
}
