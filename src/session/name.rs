//! A name that somebody gave a running session.

use std::str::FromStr;

/// The longest name, in bytes.
const MAX_BYTES: usize = 64;

/// A session's name: letters, digits, `.`, `_` and `-`, beginning with a letter. None that is hex digits
/// only, or `last`: those select sessions already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionName(String);

/// Why a text is no name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no name for a session: at most {MAX_BYTES} letters, digits, dots, dashes and underscores, \
     beginning with a letter, and not `last` or hex digits only"
)]
pub struct InvalidName(String);

impl FromStr for SessionName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        let is_name = text.len() <= MAX_BYTES
            && text.starts_with(|first: char| first.is_ascii_alphabetic())
            && text.bytes().all(fits);
        let selects = text == "last" || text.bytes().all(|byte| byte.is_ascii_hexdigit());
        match is_name && !selects {
            true => Ok(Self(text.to_owned())),
            false => Err(InvalidName(text.to_owned())),
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
        for text in [
            "", "last", "cafe", "1st", "-x", "a b", "a/b", "@codex", "é", &long,
        ] {
            assert!(text.parse::<SessionName>().is_err(), "{text}");
        }
    }
}
