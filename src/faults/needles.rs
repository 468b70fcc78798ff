//! What a text has to hold if a pattern is to match it: found without compiling the pattern, which takes
//! fifty times as long.

use memchr::memmem;
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};

/// The most needles of one pattern.
const NEEDLES_MAX: usize = 64;

/// Pieces of text in lower case; without one of them, a pattern doesn't match.
#[derive(Debug)]
pub(super) struct Needles(Option<Vec<Vec<u8>>>);

impl Needles {
    /// The needles of a pattern. Of one that can't be read, or has none, every text holds them.
    pub(super) fn of(pattern: &str) -> Self {
        let mut parser = ParserBuilder::new()
            .unicode(false)
            .utf8(false)
            .multi_line(true)
            .build();
        Self(parser.parse(pattern).ok().and_then(|hir| needles(&hir)))
    }

    /// Whether a text in lower case may match.
    pub(super) fn are_in(&self, lower: &[u8]) -> bool {
        let Some(needles) = &self.0 else { return true };
        needles
            .iter()
            .any(|needle| memmem::find(lower, needle).is_some())
    }
}

/// Texts of which one is in whatever matches.
fn needles(hir: &Hir) -> Option<Vec<Vec<u8>>> {
    match hir.kind() {
        HirKind::Concat(parts) => {
            let mut best: Option<Vec<Vec<u8>>> = None;
            let mut offer = |found: Vec<Vec<u8>>| {
                let worth = |needles: &[Vec<u8>]| needles.iter().map(Vec::len).min();
                if best.as_deref().and_then(worth) < worth(&found) {
                    best = Some(found);
                }
            };
            let mut run = Vec::new();
            for part in parts {
                if let Some(bytes) = exact(part) {
                    run.extend(bytes);
                    continue;
                }
                offer(vec![std::mem::take(&mut run)]);
                needles(part).map(&mut offer);
            }
            offer(vec![run]);
            best.filter(|needles| needles.iter().all(|needle| !needle.is_empty()))
        }
        HirKind::Alternation(branches) => {
            let mut all = Vec::new();
            for branch in branches {
                all.extend(needles(branch)?);
            }
            (all.len() <= NEEDLES_MAX).then_some(all)
        }
        HirKind::Capture(capture) => needles(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => needles(&repetition.sub),
        _ => {
            let bytes = exact(hir).filter(|bytes| !bytes.is_empty())?;
            Some(vec![bytes])
        }
    }
}

/// The one text that an expression matches, but for the case of its letters.
fn exact(hir: &Hir) -> Option<Vec<u8>> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Some(Vec::new()),
        HirKind::Literal(literal) => Some(literal.0.to_ascii_lowercase()),
        HirKind::Class(Class::Bytes(class)) => {
            let mut bytes = class.ranges().iter().map(|range| {
                let is_one = range.start() == range.end();
                is_one.then(|| range.start().to_ascii_lowercase())
            });
            let first = bytes.next()??;
            bytes.all(|byte| byte == Some(first)).then(|| vec![first])
        }
        HirKind::Capture(capture) => exact(&capture.sub),
        HirKind::Concat(parts) => {
            let parts: Option<Vec<Vec<u8>>> = parts.iter().map(exact).collect();
            Some(parts?.concat())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex::bytes::RegexBuilder;

    use super::*;

    #[test]
    fn needles_are_what_a_match_can_not_be_without() {
        for (pattern, wanted) in [
            ("Error: (.+)$", Some(&["error: "][..])),
            ("(?i)timed? ?out", Some(&["time"])),
            (
                r"^(\w+): not found|no (?:such|good) file",
                Some(&[": not found", " file"]),
            ),
            (r"(?:ab)+c?", Some(&["ab"])),
            (r"a{2,}b", Some(&["a"])),
            (r"\d+|x", None),
            ("x*", None),
            ("", None),
            ("(", None),
        ] {
            let found = Needles::of(pattern).0;
            let found = found.map(|needles| {
                let texts = needles
                    .into_iter()
                    .map(|needle| String::from_utf8(needle).unwrap());
                texts.collect::<Vec<_>>()
            });
            let wanted = wanted.map(|texts| texts.iter().map(|text| (*text).to_owned()).collect());
            assert_eq!(found, wanted, "{pattern}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn whatever_matches_has_a_needle(
            pattern in "(\\(\\?i\\))?(\\^|a|B|[ab]|\\(a\\|Bc\\)|b[+*?]|c\\{2\\}|\\(b\\|\\)|\\|){0,8}",
            text in "[abcABC\n]{0,12}",
        ) {
            let built = RegexBuilder::new(&pattern).unicode(false).multi_line(true).build();
            if built.is_ok_and(|regex| regex.is_match(text.as_bytes())) {
                let lower = text.to_ascii_lowercase();
                prop_assert!(Needles::of(&pattern).are_in(lower.as_bytes()), "{}", pattern);
            }
        }
    }
}
