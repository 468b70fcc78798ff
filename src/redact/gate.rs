//! Finds keywords: the one part that looks at every byte, so that everything else looks at few.
//!
//! Three bytes, capitals as small letters, are hashed to one bit of a table that fits in a processor's
//! nearest cache. Where the bit is set, which is one place in fifty of ordinary text, the keywords that
//! begin so are compared.
//!
//! On the same keywords this is half as fast again as an Aho-Corasick automaton. And it is made when
//! the program is compiled, where the automaton takes two milliseconds and a megabyte at run time
//! (docs/design/redaction.md), which matters to a command that takes one millisecond.

use super::class::Class;
use super::word::Word;

/// The least of a keyword, and so of a text that holds one.
pub(super) const LEAST_BYTES: usize = 3;
/// Bits in the table.
const SLOTS: usize = 1 << 16;
/// Chains of keywords.
const CHAINS: usize = 1 << 9;
/// The end of a chain.
const NONE: u16 = u16::MAX;
/// What can be on both sides of a line end that splits a keyword.
const GRAPHIC: Class = Class::of("!-~");

/// What the gate knows of `COUNT` keywords.
pub(super) struct Index<const COUNT: usize> {
    bits: [u64; SLOTS / 64],
    /// For each chain the number of its first keyword.
    heads: [u16; CHAINS],
    /// For each keyword the number of the next one in its chain.
    next: [u16; COUNT],
}

/// The same of any number of keywords.
#[derive(Debug)]
pub(super) struct Words {
    bits: Box<[u64; SLOTS / 64]>,
    heads: Box<[u16; CHAINS]>,
    next: Vec<u16>,
    words: Vec<Word>,
}

/// Texts to look for, all at once.
#[derive(Clone, Copy)]
pub(super) struct Gate<'a> {
    bits: &'a [u64; SLOTS / 64],
    heads: &'a [u16; CHAINS],
    next: &'a [u16],
    words: &'a [Word],
}

/// The slot of the first three of four bytes, the first one lowest.
const fn slot(bytes: u32) -> usize {
    // Fibonacci hashing (Knuth 6.4), of what makes capitals and small letters the same.
    let folded = (bytes | 0x0020_2020) & 0x007f_7f7f;
    (folded.wrapping_mul(0x9e37_79b1) >> 16) as usize
}

const fn bytes(one: u8, two: u8, three: u8) -> u32 {
    u32::from_le_bytes([one, two, three, 0])
}

/// Enters keywords; those of fewer than three bytes are left out.
const fn enter(
    words: &[Word],
    bits: &mut [u64; SLOTS / 64],
    heads: &mut [u16; CHAINS],
    next: &mut [u16],
) {
    // From the last to the first, so that chains have them in their order.
    let mut number = words.len();
    while number > 0 {
        number -= 1;
        if let Some([one, two, three]) = words[number].first_three() {
            let slot = slot(bytes(one, two, three));
            bits[slot >> 6] |= 1 << (slot & 63);
            next[number] = heads[slot % CHAINS];
            heads[slot % CHAINS] = number as u16;
        }
    }
}

impl<const COUNT: usize> Index<COUNT> {
    /// Makes the index of some keywords.
    pub(super) const fn of(words: &[Word; COUNT]) -> Self {
        let mut index = Self {
            bits: [0; SLOTS / 64],
            heads: [NONE; CHAINS],
            next: [NONE; COUNT],
        };
        enter(words, &mut index.bits, &mut index.heads, &mut index.next);
        index
    }

    /// The gate for these keywords, which must be those that the index was made of.
    pub(super) fn gate<'a>(&'a self, words: &'a [Word; COUNT]) -> Gate<'a> {
        Gate {
            bits: &self.bits,
            heads: &self.heads,
            next: &self.next,
            words,
        }
    }
}

impl Words {
    /// Makes a gate for some keywords. More than fit, 65,535, are left out.
    pub(super) fn new(mut words: Vec<Word>) -> Self {
        words.truncate(usize::from(NONE));
        let mut made = Self {
            bits: Box::new([0; SLOTS / 64]),
            heads: Box::new([NONE; CHAINS]),
            next: vec![NONE; words.len()],
            words,
        };
        enter(&made.words, &mut made.bits, &mut made.heads, &mut made.next);
        made
    }

    /// The gate for them.
    pub(super) fn gate(&self) -> Gate<'_> {
        Gate {
            bits: &self.bits,
            heads: &self.heads,
            next: &self.next,
            words: &self.words,
        }
    }
}

impl<'a> Gate<'a> {
    /// The keyword with this number.
    pub(super) fn word(&self, number: usize) -> Option<&'a Word> {
        self.words.get(number)
    }

    #[inline]
    fn has(&self, slot: usize) -> bool {
        self.bits[(slot >> 6) % (SLOTS / 64)] >> (slot & 63) & 1 == 1
    }

    /// Calls `hit` with the number of each keyword that may begin in a range of the text, and where.
    ///
    /// It begins there for certain unless a line end or the length of a [`Word`] splits it. It may be
    /// called twice for one place.
    pub(super) fn visit(
        &self,
        text: &[u8],
        from: usize,
        to: usize,
        hit: &mut dyn FnMut(usize, usize),
    ) {
        self.visit_places(text, from, to, hit);
        self.visit_line_ends(text, from, to, hit);
    }

    fn visit_places(&self, text: &[u8], from: usize, to: usize, hit: &mut dyn FnMut(usize, usize)) {
        let mut place = from;
        // Six places in eight bytes, and one branch for all of them.
        while place + 6 <= to
            && let Some(eight) = text.get(place..).and_then(<[u8]>::first_chunk::<8>)
        {
            let eight = u64::from_le_bytes(*eight);
            let slots: [usize; 6] =
                std::array::from_fn(|index| slot((eight >> (8 * index)) as u32));
            if slots.iter().fold(false, |any, slot| any | self.has(*slot)) {
                for (index, slot) in slots.into_iter().enumerate() {
                    if self.has(slot) {
                        self.follow(slot, text, place + index, hit);
                    }
                }
            }
            place += 6;
        }
        while place < to
            && let Some([one, two, three]) = text.get(place..).and_then(<[u8]>::first_chunk::<3>)
        {
            let slot = slot(bytes(*one, *two, *three));
            if self.has(slot) {
                self.follow(slot, text, place, hit);
            }
            place += 1;
        }
    }

    /// Keywords of which one or two bytes stand before a line end; the others are among all places.
    fn visit_line_ends(
        &self,
        text: &[u8],
        from: usize,
        to: usize,
        hit: &mut dyn FnMut(usize, usize),
    ) {
        let end = text.len().min(to.saturating_add(4));
        let window = text.get(from..end).unwrap_or_default();
        for found in memchr::memchr2_iter(b'\n', b'\r', window) {
            let at = from + found;
            let mut after = at + 1;
            let mut before = at;
            match (text.get(at), text.get(after)) {
                (Some(b'\r'), Some(b'\r')) if text.get(after + 1) == Some(&b'\n') => after += 2,
                (Some(b'\r'), Some(b'\n')) => after += 1,
                (Some(b'\r'), _) if at > 0 && text.get(at - 1) == Some(&b' ') => before -= 1,
                _ => {}
            }
            let is_graphic = |at: usize| text.get(at).is_some_and(|byte| GRAPHIC.has(*byte));
            if before == 0 || !is_graphic(before - 1) || !is_graphic(after) {
                continue;
            }
            for length in 1..=before.min(2) {
                let start = before - length;
                let joined = |index: usize| {
                    let at = if index < length {
                        start + index
                    } else {
                        after + index - length
                    };
                    text.get(at).copied().unwrap_or(0)
                };
                let slot = slot(bytes(joined(0), joined(1), joined(2)));
                if (from..to).contains(&start) && self.has(slot) {
                    self.follow(slot, text, start, hit);
                }
            }
        }
    }

    /// Calls `hit` for each keyword of a chain that may stand here.
    fn follow(&self, slot: usize, text: &[u8], at: usize, hit: &mut dyn FnMut(usize, usize)) {
        let mut number = usize::from(self.heads[slot % CHAINS]);
        while let Some(next) = self.next.get(number) {
            if self.may_begin(number, text, at) {
                hit(number, at);
            }
            number = usize::from(*next);
        }
    }

    /// Whether a keyword stands here, as far as the end of a line.
    fn may_begin(&self, number: usize, text: &[u8], at: usize) -> bool {
        let (Some(word), Some(text)) = (self.words.get(number), text.get(at..)) else {
            return false;
        };
        for (index, wanted) in word.text().iter().enumerate() {
            let Some(byte) = text.get(index) else {
                return false;
            };
            let is_same = byte == wanted || word.is_folded && byte.to_ascii_lowercase() == *wanted;
            if !is_same {
                return index > 0 && matches!(byte, b'\n' | b'\r' | b' ');
            }
        }
        true
    }
}
