//! Whether letters are words or drawn by lot.
//!
//! Two measures must agree: how many letters stand in what could be spoken, and how many pairs of letters
//! are frequent ones. Each alone takes one random token in thirty for words; both together, one in
//! four hundred (for 16 letters and digits; fewer of longer ones).

/// The 120 most frequent pairs of letters in words of source code and of its documents, counted once a
/// word and weighted by the logarithm of its frequency. Seven of ten pairs in words are among them; of
/// pairs drawn by lot, fewer than two.
const PAIRS: &str = "ab ac ad ag ai al am an ap ar as at ba be bl ca ce ch ck co ct da de di do ea ec ed ee ef \
    el em en ep er es et ex fi fo ge ha he ib ic id ie ig il im in io ir is it ke la le li ll \
    lo ma me mi mo mp na nc nd ne ng ni no ns nt oc od ol om on op or os ot ou pa pe pl po pr \
    ra re ri ro rr rs rt sc se sh si so sp ss st su ta te th ti to tr ts tt ul un ur us ut ve";

/// For each letter a bit for each that often follows it.
const FREQUENT: [u32; 26] = frequent(PAIRS.as_bytes());

const fn frequent(pairs: &[u8]) -> [u32; 26] {
    let mut frequent = [0; 26];
    let mut at = 0;
    while at + 1 < pairs.len() {
        frequent[(pairs[at] - b'a') as usize] |= 1 << (pairs[at + 1] - b'a');
        at += 3;
    }
    frequent
}

/// Whether a value is made of words: two letters of five, or more, stand in groups of four or more
/// that can be spoken, and of the pairs of letters 45 in a hundred are frequent. Groups are parted by
/// anything but letters, before a capital after small letters, and before the last of several capitals.
pub(in crate::redact) fn is_wordy(value: &[u8]) -> bool {
    let mut count = Count::default();
    let (mut word, mut without_last) = (Word::default(), Word::default());
    for byte in value {
        let is_small = byte.is_ascii_lowercase();
        if !byte.is_ascii_alphabetic() || !is_small && word.has_small {
            count.add(&std::mem::take(&mut word));
        } else if is_small && !word.has_small && word.length > 1 {
            // The last capital begins the next word: RSAKey.
            count.add(&without_last);
            word = Word::of(word.last);
        }
        if byte.is_ascii_alphabetic() {
            without_last = word;
            word.add(*byte);
        }
    }
    count.add(&word);
    count.letters > 0
        && count.in_words * 5 >= count.letters * 2
        && count.frequent * 100 >= count.pairs * 45
}

/// What all words of a value add up to.
#[derive(Default)]
struct Count {
    letters: usize,
    in_words: usize,
    pairs: usize,
    frequent: usize,
}

impl Count {
    fn add(&mut self, word: &Word) {
        self.letters += word.length;
        self.pairs += word.length.saturating_sub(1);
        self.frequent += word.frequent;
        if word.can_be_spoken() {
            self.in_words += word.length;
        }
    }
}

/// Letters that stand together.
#[derive(Clone, Copy, Default)]
struct Word {
    length: usize,
    last: u8,
    frequent: usize,
    vowels: usize,
    consonants: usize,
    most_consonants: usize,
    has_small: bool,
}

impl Word {
    /// A word of one small letter, of which only the capital was seen.
    fn of(letter: u8) -> Self {
        let mut word = Self::default();
        word.add(letter.to_ascii_uppercase());
        word
    }

    fn add(&mut self, letter: u8) {
        let small = letter.to_ascii_lowercase();
        if self.length > 0 {
            let after = FREQUENT[usize::from(self.last - b'a')];
            self.frequent += usize::from(after >> (small - b'a') & 1 == 1);
        }
        self.last = small;
        self.has_small |= letter.is_ascii_lowercase();
        self.length += 1;
        if b"aeiouy".contains(&small) {
            self.vowels += 1;
            self.consonants = 0;
        } else {
            self.consonants += 1;
            self.most_consonants = self.most_consonants.max(self.consonants);
        }
    }

    fn can_be_spoken(&self) -> bool {
        self.length >= 4
            && self.vowels > 0
            && self.vowels * 5 >= self.length
            && self.vowels * 4 <= self.length * 3
            && self.most_consonants <= 4
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::tests::made::Lot;

    #[test]
    fn names_and_sentences_are_words() {
        for value in [
            "password",
            "Enter your password",
            "next_token",
            "getAccessTokenFromRequest",
            "rsa.RSAPrivateKey",
            "spring.datasource.password",
            "DATABASE_CONNECTION",
        ] {
            assert!(is_wordy(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn hardly_anything_drawn_by_lot_is_words() {
        let mut lot = Lot::new(11);
        for (recipe, most) in [
            ("{a16}", 15),
            ("{a32}", 4),
            ("{l32}", 30),
            ("{u20}", 60),
            ("{b40}", 3),
        ] {
            let wordy = (0..2000)
                .filter(|_| is_wordy(lot.cook(recipe).as_bytes()))
                .count();
            assert!(wordy <= most, "{recipe}: {wordy} of 2000");
        }
        assert!(!is_wordy(b"") && !is_wordy(b"1234-5678"));
    }
}
