//! Recorded text on its way out.

use std::cell::Cell;

/// The most of a text that is looked at, in characters: much more than is shown, so that no secret is
/// missed because it is cut.
const TAKEN_CHARACTERS: usize = 4000;

/// Recorded text without its secrets. It may still hold anything else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recorded(String);

impl Recorded {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a recorded text is: a command's secrets can be told by their place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A command, as a line that a shell would take.
    Command,
    /// Anything else.
    Text,
}

/// Replaces a text's secrets; gives the result, and how many there were.
type Redact<'r> = dyn Fn(&str, Kind) -> (String, u64) + 'r;

/// Takes recorded text in: replaces its secrets, and counts them.
pub struct Cleaner<'r> {
    redact: &'r Redact<'r>,
    replaced: Cell<u64>,
}

impl<'r> Cleaner<'r> {
    /// One that replaces secrets so.
    #[must_use]
    pub fn new(redact: &'r Redact<'r>) -> Self {
        Self {
            redact,
            replaced: Cell::new(0),
        }
    }

    /// Takes in a text, or the beginning of a very long one.
    #[must_use]
    pub fn take(&self, text: &str, kind: Kind) -> Recorded {
        let end = text.char_indices().nth(TAKEN_CHARACTERS);
        let text = end.map_or(text, |(end, _)| {
            // Not in the middle of a word: half a secret is not known as one.
            let kept = &text[..end];
            kept.rsplit_once(char::is_whitespace)
                .map_or("", |(whole, _)| whole)
        });
        let (text, count) = (self.redact)(text, kind);
        self.replaced.set(self.replaced.get().saturating_add(count));
        Recorded(text)
    }

    /// How many secrets were replaced so far.
    #[must_use]
    pub fn replaced(&self) -> u64 {
        self.replaced.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_redacted_and_no_word_is_cut() {
        let redact = |text: &str, _: Kind| {
            let count = text.matches("secret").count() as u64;
            (text.replace("secret", "[gone]"), count)
        };
        let cleaner = Cleaner::new(&redact);
        assert_eq!(
            cleaner.take("a secret b", Kind::Text).as_str(),
            "a [gone] b"
        );
        let long = format!("{}secret", "x ".repeat(TAKEN_CHARACTERS / 2 - 2));
        assert!(!cleaner.take(&long, Kind::Text).as_str().contains("secr"));
        assert_eq!(
            cleaner
                .take(&"x".repeat(TAKEN_CHARACTERS + 1), Kind::Text)
                .as_str(),
            ""
        );
        assert_eq!(cleaner.replaced(), 1);
    }
}
