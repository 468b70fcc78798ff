//! Codes of a few digits after a name that says so: `PIN=…`, `--otp …`.

use super::Found;
use super::pair::after_opening_quote;
use crate::redact::view::View;
use crate::redact::word::Edge;

/// How many digits a code has.
const DIGITS: std::ops::RangeInclusive<usize> = 4..=10;
/// The most blanks before it.
const BLANKS: usize = 4;

/// Checks the code after a name and the sign that follows it, which end at `end`.
pub(in crate::redact) fn find(view: &View<'_>, at: usize, end: usize) -> Option<Found> {
    if !view.may_begin(at, Edge::Word) {
        return None;
    }
    let blanks = |at: usize| {
        let rest = view.slice(at, at + BLANKS).iter();
        at + rest.take_while(|byte| **byte == b' ').count()
    };
    let mut start = end;
    if view.byte(end.checked_sub(1)?) == Some(b'"') {
        start = blanks(start);
        if !matches!(view.byte(start), Some(b':' | b'=')) {
            return None;
        }
        start += 1;
    }
    let start = after_opening_quote(view, blanks(start));
    let digits = view.slice(start, start + DIGITS.end() + 1);
    let count = digits
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let digits = &digits[..count.min(digits.len())];
    let is_date = count == 8 && (digits.starts_with(b"19") || digits.starts_with(b"20"));
    let is_same = digits.iter().all(|digit| Some(digit) == digits.first());
    // A version, a time, a number with a unit.
    let goes_on = match (view.byte(start + count), view.byte(start + count + 1)) {
        (Some(b'.' | b':' | b'-' | b','), Some(next)) => next.is_ascii_alphanumeric(),
        (Some(next), _) => next.is_ascii_alphanumeric() || next == b'_',
        (None, _) => false,
    };
    let is_one = DIGITS.contains(&count) && !is_date && !is_same && !goes_on;
    is_one.then(|| Found::whole(start, start + count))
}
