//! Private keys as text (RFC 7468 and its relatives): what stands between the lines that frame them.

use super::{Found, look};
use crate::redact::class::{BASE64, Class};
use crate::redact::rule::Run;
use crate::redact::view::View;
use crate::redact::word::Edge;

/// The longest name of a kind of key, such as `RSA `, with the dashes before it.
const KIND_BYTES: usize = 48;
/// The least of a body: shorter ones are prose about keys.
const BODY_BYTES: usize = 40;
/// A line of a body has at least this much.
const LINE_BYTES: usize = 16;

/// A body from one line to the next, without the frames.
const BODY: Class = Class::of("A-Za-z0-9+/=\r\n");
/// What source code, YAML, diffs and comments put around the lines of a key.
const AROUND: Class = Class::of(" \t|>#*\"'+,;\\");

/// Checks the key whose first line has `PRIVATE KEY` from `at` to `end`.
pub(in crate::redact) fn find(view: &View<'_>, at: usize, end: usize) -> Option<Found> {
    let before = view.slice(at.saturating_sub(KIND_BYTES), at);
    let Some(begin) = memchr::memmem::rfind(before, b"BEGIN ") else {
        return find_before_end(view, at, before);
    };
    let is_kind = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b' ';
    if !before[begin..].iter().all(is_kind) || !before[..begin].trim_ascii_end().ends_with(b"----")
    {
        return None;
    }
    let end = view.literal(end, b" BLOCK").unwrap_or(end);
    let dashes = view.slice(end, end + 6);
    let dashes = dashes.iter().skip_while(|byte| **byte == b' ');
    let dashes = dashes.take_while(|byte| **byte == b'-').count();
    if dashes < 4 {
        return None;
    }
    body(view, end + dashes)
}

/// Checks the key of which only the end is there, up to the line that closes it: of an output that was
/// cut, the beginning is missing.
fn find_before_end(view: &View<'_>, at: usize, before: &[u8]) -> Option<Found> {
    let end = memchr::memmem::rfind(before, b"END ")?;
    let dashes = before[..end]
        .iter()
        .rev()
        .take_while(|byte| **byte == b'-')
        .count();
    if dashes < 4 || before[end..].contains(&b'\n') {
        return None;
    }
    let to = at - (before.len() - end) - dashes;
    let text = view.slice(view.low, to);
    let low = to - text.len();
    let (mut from, mut count) = (text.len(), 0);
    for line in text.split_inclusive(|byte| *byte == b'\n').rev() {
        let content = line.trim_ascii();
        let is_body = content.iter().all(|byte| BASE64.has(*byte));
        // The last line may be short.
        if !is_body || count > 0 && content.len() < LINE_BYTES {
            break;
        }
        from -= line.len();
        count += content.len();
    }
    let kept = text[from..].trim_ascii_end().len();
    let skipped = text[from..].len() - text[from..].trim_ascii_start().len();
    (count >= BODY_BYTES).then(|| Found::whole(low + from + skipped, low + from + kept))
}

/// Checks the key of a form that is announced by a line of its own, which ends at `end`.
pub(in crate::redact) fn find_after_line(view: &View<'_>, end: usize) -> Option<Found> {
    let rest = view.slice(end, end + 64);
    let line = rest.iter().position(|byte| *byte == b'\n')?;
    body(view, end + line)
}

/// Checks base64 of a whole key file, whose first bytes say `-----BEGIN `.
pub(in crate::redact) fn find_encoded(view: &View<'_>, at: usize) -> Option<Found> {
    if !view.may_begin(at, Edge::Word) {
        return None;
    }
    let ran = view.run(at, Run::many(BASE64));
    let start = super::token::without_line_ends(view.slice(at, (at + 120).min(ran.end)));
    // `PRIVATE` in base64, for each of the three places that it may begin at.
    let is_private = [&b"UFJJVkFUR"[..], b"BSSVZBVE", b"QUklWQVRF"];
    let is_one =
        ran.count > BODY_BYTES && is_private.iter().any(|word| look::contains(&start, word));
    is_one.then_some(Found {
        from: at,
        to: ran.end,
        open: ran.is_open.then_some(BASE64),
    })
}

/// The body that begins here, up to the closing frame or as far as lines look like one.
fn body(view: &View<'_>, start: usize) -> Option<Found> {
    let rest = view.slice(start, view.high);
    let next = memchr::memmem::find(rest, b"BEGIN ").unwrap_or(rest.len());
    let framed = memchr::memmem::find(&rest[..next], b"END ");
    let (length, is_open) = match framed {
        Some(end) => (rest[..end].trim_ascii_end().len(), false),
        None => {
            let length = lines_like_a_body(rest);
            (length, length == rest.len() && !view.ends)
        }
    };
    let body = &rest[..length];
    let skipped = skipped_at_start(body);
    let kept = kept_at_end(body);
    let body = body.get(skipped..kept)?;
    let mut runs = body.split(|byte| !BASE64.has(*byte));
    let is_one = body.iter().filter(|byte| BASE64.has(**byte)).count() >= BODY_BYTES
        && runs.any(|run| run.len() >= LINE_BYTES)
        && !look::contains(body, super::OPENING);
    is_one.then_some(Found {
        from: start + skipped,
        to: if is_open { view.high } else { start + kept },
        open: is_open.then_some(BODY),
    })
}

/// How much is skipped before a body: blanks, and line ends as they are or spelt out.
fn skipped_at_start(body: &[u8]) -> usize {
    let mut at = 0;
    loop {
        at += match &body[at..] {
            [b'\\', b'n' | b'r', ..] => 2,
            [byte, ..] if byte.is_ascii_whitespace() || AROUND.has(*byte) => 1,
            _ => return at,
        };
    }
}

/// Where a body ends: before the dashes of the frame, blanks, and line ends as they are or spelt out.
fn kept_at_end(body: &[u8]) -> usize {
    let mut end = body.len();
    loop {
        end -= match &body[..end] {
            [.., b'\\', b'n' | b'r'] => 2,
            [.., byte] if *byte == b'-' || byte.is_ascii_whitespace() || AROUND.has(*byte) => 1,
            _ => return end,
        };
    }
}

/// How far lines look like a body: base64, a header such as `Proc-Type`, or nothing.
fn lines_like_a_body(text: &[u8]) -> usize {
    let (mut length, mut has_begun) = (0, false);
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        if line.trim_ascii_start().starts_with(b"**") {
            // Masked before.
            return length;
        }
        let is_last = length + line.len() == text.len();
        let around = |byte: &&u8| AROUND.has(**byte) || byte.is_ascii_whitespace();
        let start = line.iter().take_while(around).count();
        let content = &line[start..];
        let encoded = content.iter().take_while(|byte| BASE64.has(**byte)).count();
        let is_header = !has_begun && look::contains(content, b": ");
        let rest = content[encoded..].iter().all(|byte| around(&byte));
        // A last line may be short, or cut by the end of what is in view.
        let is_body = content.is_empty() || is_header || rest && (encoded >= LINE_BYTES || is_last);
        let is_spelt_out = encoded >= LINE_BYTES && look::contains(content, b"\\n");
        if !is_body && !is_spelt_out {
            let is_end = encoded > 0 && rest;
            return if is_end { length + line.len() } else { length };
        }
        has_begun |= encoded >= LINE_BYTES && !is_header;
        length += line.len();
    }
    length
}
