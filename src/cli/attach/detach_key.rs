//! The key that leaves a session, among those that are typed to it.

use std::str::FromStr;

use crate::cli::error::{CliError, Kind};
use crate::wire::keys::{CursorKeys, bytes_of};

/// What must follow.
const LEAVE: u8 = b'd';

/// Looks for the key and what follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DetachKey {
    key: u8,
    is_pressed: bool,
}

/// What was typed: this much is for the session, and then somebody may want to leave.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Typed {
    pub(super) bytes: Vec<u8>,
    pub(super) leaves: bool,
}

impl FromStr for DetachKey {
    type Err = CliError;

    fn from_str(text: &str) -> Result<Self, CliError> {
        match bytes_of(text, CursorKeys::Normal).as_deref() {
            Some(&[key]) => Ok(Self {
                key,
                is_pressed: false,
            }),
            _ => Err(
                CliError::new(Kind::Usage, format!("--detach-key {text:?} is no key"))
                    .with_hint("one that sends one byte, such as C-\\ or C-]"),
            ),
        }
    }
}

impl DetachKey {
    /// Reads what was typed. The key twice is itself once; followed by anything else it is both.
    pub(super) fn read(&mut self, typed: &[u8]) -> Typed {
        let mut bytes = Vec::with_capacity(typed.len() + 1);
        for byte in typed {
            let was_pressed = std::mem::take(&mut self.is_pressed);
            match (was_pressed, *byte) {
                (true, LEAVE) => {
                    return Typed {
                        bytes,
                        leaves: true,
                    };
                }
                (false, byte) if byte == self.key => self.is_pressed = true,
                (true, byte) if byte != self.key => bytes.extend([self.key, byte]),
                (_, byte) => bytes.push(byte),
            }
        }
        Typed {
            bytes,
            leaves: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_and_d_leave_and_all_else_is_typed() {
        let key = || r"C-\".parse::<DetachKey>().unwrap();
        for (typed, bytes, leaves) in [
            (&b"abc"[..], &b"abc"[..], false),
            (b"a\x1cdb", b"a", true),
            (b"\x1c\x1cd", b"\x1cd", false),
            (b"\x1cx", b"\x1cx", false),
            (b"\x1c", b"", false),
        ] {
            let bytes = bytes.to_vec();
            assert_eq!(key().read(typed), Typed { bytes, leaves }, "{typed:?}");
        }
        let mut key = key();
        assert!(!key.read(b"\x1c").leaves);
        assert!(key.read(b"d").leaves, "in two pieces");
        assert!("Up".parse::<DetachKey>().is_err());
    }
}
