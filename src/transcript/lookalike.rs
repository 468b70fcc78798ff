//! Counts what only looks like a marker: a command can print such a line itself, and a reader who
//! searches for the marker would believe it.

use memchr::memmem::Finder;

use super::{MARKER_END, MARKER_START};

/// The most characters that the exit code in a marker has: `-2147483648`.
const CODE_BYTES: usize = 11;
/// The longest look-alike.
const LONGEST: usize = MARKER_START.len() + CODE_BYTES + MARKER_END.len();

/// Counts look-alikes in output that comes in pieces of any size; keeps a few bytes of it.
pub struct Lookalikes {
    start: Finder<'static>,
    count: u64,
    /// The end of what came, which may be the beginning of one: always shorter than the longest.
    carried: Vec<u8>,
}

impl Default for Lookalikes {
    fn default() -> Self {
        Self {
            start: Finder::new(MARKER_START),
            count: 0,
            carried: Vec::with_capacity(2 * LONGEST),
        }
    }
}

impl Lookalikes {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Looks at the next piece of output.
    pub fn feed(&mut self, bytes: &[u8]) {
        // Those that begin in an earlier piece and end in this one; then those within this one.
        let before = self.carried.len();
        let joined = bytes.len().min(LONGEST - 1);
        self.carried.extend_from_slice(&bytes[..joined]);
        let across = self
            .found_in(&self.carried)
            .filter(|&(start, end)| start < before && end > before);
        let found = across.count() + self.found_in(bytes).count();
        self.count += found as u64;
        let kept = if bytes.len() > joined {
            bytes
        } else {
            &self.carried
        };
        let kept = kept[kept.len().saturating_sub(LONGEST - 1)..].to_vec();
        self.carried = kept;
    }

    /// How many there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Where each look-alike in these bytes begins and ends.
    fn found_in<'a>(&'a self, bytes: &'a [u8]) -> impl Iterator<Item = (usize, usize)> + 'a {
        self.start.find_iter(bytes).filter_map(|start| {
            let code = &bytes[start + MARKER_START.len()..];
            let length = code_length(code)?;
            let end = start + MARKER_START.len() + length + MARKER_END.len();
            code[length..]
                .starts_with(MARKER_END.as_bytes())
                .then_some((start, end))
        })
    }
}

/// The length of the number that these bytes begin with.
fn code_length(bytes: &[u8]) -> Option<usize> {
    let sign = usize::from(bytes.first() == Some(&b'-'));
    let digits = bytes[sign..]
        .iter()
        .take_while(|byte| byte.is_ascii_digit());
    let digits = digits.take(CODE_BYTES).count();
    (digits > 0 && sign + digits <= CODE_BYTES).then_some(sign + digits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::marker;
    use proptest::prelude::*;

    fn counted(pieces: &[&[u8]]) -> u64 {
        let mut lookalikes = Lookalikes::new();
        for piece in pieces {
            lookalikes.feed(piece);
        }
        lookalikes.count()
    }

    #[test]
    fn what_says_an_exit_code_as_the_marker_does_is_counted() {
        for (text, count) in [
            ("", 0),
            ("=== AI_EXIT_CODE: 0 ===", 1),
            (
                "x=== AI_EXIT_CODE: 143 ===\r\n=== AI_EXIT_CODE: -2147483648 ===",
                2,
            ),
            ("=== AI_EXIT_CODE: $code ===", 0),
            ("=== AI_EXIT_CODE:  0 ===", 0),
            ("=== AI_EXIT_CODE: 0 ==", 0),
            ("=== AI_EXIT_CODE: === AI_EXIT_CODE: 1 ===", 1),
            ("=== AI_EXIT_CODE: 123456789012 ===", 0),
        ] {
            assert_eq!(counted(&[text.as_bytes()]), count, "{text}");
        }
        for code in [0, 7, 255, i32::MIN] {
            assert_eq!(counted(&[marker(code).as_bytes()]), 1, "{code}");
        }
    }

    proptest! {
        #[test]
        fn any_chunking_counts_the_same(
            words in prop::collection::vec(prop::sample::select(vec![
                "=== AI_EXIT_CODE: ", "0", "-", "12", " ===", " === ", "=", "\n", "x",
                "=== AI_EXIT_CODE: 3 ===", "=== AI_EXIT_CODE: -2147483648 ===",
            ]), 0..40),
            cuts in prop::collection::vec(1usize..50, 1..60),
        ) {
            let text = words.concat();
            let mut rest = text.as_bytes();
            let mut pieces = Vec::new();
            for cut in cuts.iter().cycle() {
                let (piece, left) = rest.split_at((*cut).min(rest.len()));
                pieces.push(piece);
                rest = left;
                if rest.is_empty() {
                    break;
                }
            }
            prop_assert_eq!(counted(&pieces), counted(&[text.as_bytes()]));
        }
    }
}
