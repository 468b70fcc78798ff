//! A name that somebody gave a running session.

use std::str::FromStr;

/// The longest name, in bytes.
const MAX_BYTES: usize = 64;
/// Begins a name that is suggested in place of one that can't be.
const BEGINNING: &str = "s-";

/// A session's name: letters, digits, `.`, `_` and `-`, beginning with a letter. None that is hex digits
/// only, or `last`: those select sessions already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionName(String);

/// Why a text is no name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no name for a session: {why}")]
pub struct InvalidName {
    text: String,
    why: Why,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Why {
    #[error("of hex digits only, it would be taken for a part of an id")]
    Id,
    #[error("it means the newest session")]
    Last,
    #[error("it doesn't begin with a letter")]
    Beginning,
    #[error("there may be only letters, digits, dots, dashes and underscores in it")]
    Character,
    #[error("it is longer than {MAX_BYTES} bytes")]
    Long,
}

fn is_part(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')
}

/// What is wrong with a text as a name.
fn fault(text: &str) -> Option<Why> {
    let begins = text.starts_with(|first: char| first.is_ascii_alphabetic());
    if !text.bytes().all(is_part) {
        Some(Why::Character)
    } else if text.len() > MAX_BYTES {
        Some(Why::Long)
    } else if text == "last" {
        Some(Why::Last)
    } else if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        Some(Why::Id)
    } else if !begins {
        Some(Why::Beginning)
    } else {
        None
    }
}

impl InvalidName {
    /// A name that is much like it and can be had.
    #[must_use]
    pub fn suggestion(&self) -> Option<String> {
        let fits = |character: char| u8::try_from(character).is_ok_and(is_part);
        let mut name = self.text.replace(|character| !fits(character), "-");
        if !matches!(self.why, Why::Long) && fault(&name).is_some() {
            name.insert_str(0, BEGINNING);
        }
        name.truncate(MAX_BYTES);
        fault(&name).is_none().then_some(name)
    }
}

impl FromStr for SessionName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let text = text.to_owned();
        match fault(&text) {
            None => Ok(Self(text)),
            Some(why) => Err(InvalidName { text, why }),
        }
    }
}

impl From<SessionName> for String {
    fn from(name: SessionName) -> Self {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_be_taken_for_nothing_else() {
        for name in ["gov", "dev-server", "a.b_c", "G"] {
            assert_eq!(
                name.parse::<SessionName>().map(String::from),
                Ok(name.to_owned())
            );
        }
        let long = "x".repeat(65);
        for (text, why, suggested) in [
            ("", Why::Beginning, "s-"),
            ("last", Why::Last, "s-last"),
            ("a", Why::Id, "s-a"),
            ("cafe", Why::Id, "s-cafe"),
            ("12", Why::Id, "s-12"),
            ("1st", Why::Beginning, "s-1st"),
            ("-x", Why::Beginning, "s--x"),
            ("a b", Why::Character, "a-b"),
            ("my/repl", Why::Character, "my-repl"),
            ("@codex", Why::Character, "s--codex"),
            ("é", Why::Character, "s--"),
            (&long, Why::Long, &long[1..]),
        ] {
            let error = text.parse::<SessionName>().unwrap_err();
            assert_eq!(error.why, why, "{text}");
            let suggestion = error.suggestion();
            assert_eq!(suggestion.as_deref(), Some(suggested), "{text}");
            assert!(suggestion.unwrap().parse::<SessionName>().is_ok(), "{text}");
        }
    }
}
