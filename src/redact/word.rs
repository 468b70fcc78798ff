//! A keyword: its text, what may stand before it, and what it belongs to.

use super::rules::Special;

/// The most of a keyword that the gate compares.
pub(super) const WORD_BYTES: usize = 32;

/// What a keyword belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// A rule of the table: where its line begins, and from where to where its form stands.
    Form { line: u16, from: u16, to: u16 },
    /// A rule of the table with a form of its own: where its line begins.
    Special { line: u16, special: Special },
    /// A form of a secret of the caller's own.
    Own { secret: u16, form: u16 },
    /// A rule of the user's.
    User(u16),
}

/// What may stand before a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edge {
    /// Anything: the keyword is long and strange enough.
    Free,
    /// No letter and no digit.
    Word,
    /// No letter, no digit, and no sign that would make it the end of a longer name.
    Alone,
    /// The same, and none that would make it a part of base64.
    Apart,
}

/// A text to look for: a keyword, or its beginning.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word {
    text: [u8; WORD_BYTES],
    length: u8,
    /// Whether capitals are taken for the small letters of the text.
    pub(super) is_folded: bool,
    /// What may stand before it.
    pub(super) edge: Edge,
    /// What it belongs to.
    pub(super) target: Target,
}

impl Word {
    /// No text yet.
    pub(super) const EMPTY: Self = Self {
        text: [0; WORD_BYTES],
        length: 0,
        is_folded: false,
        edge: Edge::Free,
        target: Target::User(0),
    };

    /// A word of some text, as far as it fits.
    pub(super) fn new(text: &[u8], is_folded: bool, target: Target) -> Self {
        let mut word = Self {
            is_folded,
            target,
            ..Self::EMPTY
        };
        text.iter()
            .take(WORD_BYTES)
            .for_each(|byte| word.push(*byte));
        word
    }

    /// Adds a byte. At compile time one too many is an error.
    pub(super) const fn push(&mut self, byte: u8) {
        self.text[self.length as usize] = byte;
        self.length += 1;
    }

    /// What may stand before it where nothing else is said. A keyword of five bytes or more that ends
    /// in a separator is strange enough to be taken anywhere, one that begins with a sign may follow
    /// anything, and one of three bytes occurs by chance inside of other names.
    pub(super) const fn natural_edge(&self) -> Edge {
        let (first, last) = (self.text[0], self.text[self.length as usize - 1]);
        let is_strange = self.length >= 5 && matches!(last, b'_' | b'-' | b'.');
        if is_strange || !first.is_ascii_alphanumeric() {
            Edge::Free
        } else if self.length < 4 {
            Edge::Alone
        } else {
            Edge::Word
        }
    }

    /// Its first three bytes, if it has them.
    pub(super) const fn first_three(&self) -> Option<[u8; 3]> {
        let text = &self.text;
        match self.length {
            0..3 => None,
            _ => Some([text[0], text[1], text[2]]),
        }
    }

    /// Whether there is no text yet.
    pub(super) const fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The text.
    pub(super) fn text(&self) -> &[u8] {
        self.text
            .get(..usize::from(self.length))
            .unwrap_or_default()
    }
}
