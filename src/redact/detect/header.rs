//! Headers of HTTP that carry credentials (RFC 9110, section 11.6; RFC 6265), as programs print them:
//! as a line, as an argument, in JSON, in source code.

use super::{Found, look};
use crate::redact::class::{CONTROL, Class, TOKEN};
use crate::redact::rule::Run;
use crate::redact::view::View;
use crate::redact::word::Edge;

/// Schemes whose credentials are several words: all to the end of the line is taken.
const LONG_SCHEMES: &[&[u8]] = &[
    b"aws4-hmac-sha256",
    b"digest",
    b"hawk",
    b"oauth",
    b"signature",
];

/// The longest name of a scheme.
const SCHEME_BYTES: usize = 24;
/// The least of credentials after `Bearer`.
const BEARER_BYTES: usize = 12;
/// How much of a value is judged.
const JUDGED_BYTES: usize = 512;
/// The longest value that is looked at.
const VALUE_BYTES: usize = 2 * crate::redact::AHEAD_BYTES;

const SCHEME: Class = Class::of("A-Za-z0-9-");
const VALUE_END: Class = Class::of("\"'` \t<>\\").or(CONTROL);
const COOKIE_NAME: Class = Class::of("A-Za-z0-9!#$%&*+.^_|~-");

/// Checks the header `Authorization` or `Proxy-Authorization`, whose last word stands from `at` to
/// `end`.
pub(in crate::redact) fn find_authorization(
    view: &View<'_>,
    at: usize,
    end: usize,
) -> Option<Found> {
    if !view.may_begin(at, Edge::Word) {
        return None;
    }
    let from = after_name(view, end)?;
    let line = view.slice(from, from + VALUE_BYTES);
    let scheme = line.iter().take_while(|byte| SCHEME.has(**byte)).count();
    let has_scheme = (2..=SCHEME_BYTES).contains(&scheme) && line.get(scheme) == Some(&b' ');
    let skipped = if has_scheme { scheme + 1 } else { 0 };
    let is_long = has_scheme && {
        let name = line[..scheme].to_ascii_lowercase();
        LONG_SCHEMES.contains(&name.as_slice())
    };
    let rest = &line[skipped..];
    let length = if is_long {
        length_to(rest, CONTROL)
    } else {
        length_to(rest, VALUE_END)
    };
    let value = rest[..length].trim_ascii_end();
    let judged = &value[..value.len().min(JUDGED_BYTES)];
    let ends = rest.get(length).is_none_or(|byte| *byte != b' ');
    let is_basic = has_scheme && line[..scheme].eq_ignore_ascii_case(b"basic");
    let is_likely =
        has_scheme && judged.iter().any(u8::is_ascii_digit) || is_basic && is_encoded_pair(judged);
    let is_one = value.len() >= 4
        && !look::is_placeholder(judged)
        && (is_likely || look::is_random(judged))
        && !look::contains(judged, b"://")
        && !look::is_path(judged)
        && (ends || look::is_random(judged) || replaced(judged))
        && !is_code(judged);
    let from = from + skipped;
    let class = if is_long { CONTROL } else { VALUE_END }.others();
    is_one.then(|| Found::reaching(view, from, from + value.len(), class))
}

/// Checks the credentials after `Bearer `, which ends at `end`.
pub(in crate::redact) fn find_bearer(view: &View<'_>, end: usize) -> Option<Found> {
    let ran = view.run(end, Run::many(TOKEN));
    let shown = view.slice(end, ran.end.min(end + JUDGED_BYTES));
    let value = super::token::without_line_ends(shown);
    // That it goes on in the next line is a guess, which must not hide what the first line alone shows.
    let first = &shown[..length_to(shown, CONTROL)];
    let is_secret = |value: &[u8]| !look::is_placeholder(value) && look::is_random(value);
    let is_first = first.len() >= BEARER_BYTES && is_secret(first);
    // With what was replaced behind it, it would have been judged, and was.
    let is_rest =
        view.byte(ran.end) == Some(b'*') || replaced(view.slice(ran.end, ran.end + JUDGED_BYTES));
    let is_one = ran.count >= BEARER_BYTES && !is_rest && (is_first || is_secret(&value));
    is_one.then_some(Found {
        from: end,
        to: ran.end,
        open: ran.is_open.then_some(TOKEN),
    })
}

/// Checks the header whose name, `Cookie` or `Set-Cookie`, ends at `end`; its last word begins at `at`.
pub(in crate::redact) fn find_cookie(view: &View<'_>, at: usize, end: usize) -> Option<Found> {
    let is_set = view
        .slice(at.saturating_sub(4), at)
        .eq_ignore_ascii_case(b"set-");
    if !view.may_begin(at, Edge::Word) {
        return None;
    }
    let from = after_name(view, end)?;
    let line = view.slice(from, from + VALUE_BYTES);
    let name = line
        .iter()
        .take_while(|byte| COOKIE_NAME.has(**byte))
        .count();
    if name == 0 || line.get(name) != Some(&b'=') {
        return None;
    }
    let ends = Class::of("\"'`\\").or(CONTROL);
    let ends = if is_set {
        ends.or(Class::of("; "))
    } else {
        ends
    };
    let skipped = if is_set { name + 1 } else { 0 };
    let length = length_to(&line[skipped..], ends);
    let value = line[skipped..skipped + length].trim_ascii_end();
    let judged = &value[..value.len().min(JUDGED_BYTES)];
    let is_one = !value.is_empty() && !look::is_placeholder(judged) && !replaced(value);
    let from = from + skipped;
    is_one.then(|| Found::reaching(view, from, from + value.len(), ends.others()))
}

/// Where a header's value begins: after the name's own quote, a colon or what stands for one, blanks,
/// and the value's quote.
fn after_name(view: &View<'_>, end: usize) -> Option<usize> {
    let at = super::pair::after_closing_quote(view, end);
    let at = match view.byte(at)? {
        b':' | b'=' => at + 1,
        b',' if at > end => at + 1,
        _ => return None,
    };
    let blanks = view.slice(at, at + 4).iter();
    let at = at + blanks.take_while(|byte| **byte == b' ').count();
    Some(super::pair::after_opening_quote(view, at))
}

/// Whether a value is base64 of `user:password` (RFC 7617).
fn is_encoded_pair(value: &[u8]) -> bool {
    let value = value.trim_ascii_end();
    let digits = value
        .iter()
        .position(|byte| *byte == b'=')
        .unwrap_or(value.len());
    let (mut held, mut bits, mut has_colon) = (0_u32, 0, false);
    for byte in &value[..digits] {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return false,
        };
        held = held << 6 & 0xffff | u32::from(six);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            let decoded = held >> bits & 0xff;
            if decoded < 0x20 {
                return false;
            }
            has_colon |= decoded == u32::from(b':');
        }
    }
    has_colon
}

fn length_to(text: &[u8], end: Class) -> usize {
    let end = text.iter().position(|byte| end.has(*byte));
    end.unwrap_or(text.len())
}

/// Whether a value begins with a replacement.
fn replaced(value: &[u8]) -> bool {
    look::replaced_length(value).is_some()
}

/// Whether a value is an expression of some language.
fn is_code(value: &[u8]) -> bool {
    value.contains(&b'(') || value.contains(&b'{')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_and_a_password_are_known_behind_base64() {
        for (value, is_pair) in [
            // RFC 7617's own.
            ("QWxhZGRpbjpvcGVuIHNlc2FtZQ==", true),
            ("dGVzdDoxMjPCow==", true),
            ("bWU6aHVudGVy", true),
            ("bWU6aHVudGVy  ", true),
            // The colon in each of its places, without padding, in either alphabet, with every digit.
            ("YTpi", true),
            ("YWI6Yw", true),
            ("OmFi", true),
            ("dTo+Pj4/Pz8", true),
            ("dTo-Pj4_Pz8", true),
            ("MDEyMzQ1Njc4OTphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5eg", true),
            ("QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo6fn59", true),
            // No colon, a character that nobody types, no base64.
            ("bWVodW50ZXI=", false),
            ("MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6", false),
            ("QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVp+fn0", false),
            ("bWU6aAp1bnRlcg", false),
            ("AW1lOmh1bnRlcg", false),
            ("bWU6aHVu.GVy", false),
            ("me:hunter", false),
            ("", false),
        ] {
            assert_eq!(is_encoded_pair(value.as_bytes()), is_pair, "{value}");
        }
    }
}
