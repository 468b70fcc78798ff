//! Lines of a file of passwords, as PostgreSQL has it: `host:port:database:user:password`, where a
//! backslash escapes a colon.

use super::{Found, look};
use crate::redact::class::Class;
use crate::redact::view::View;

/// The longest line.
const LINE_BYTES: usize = 512;
/// What the first four fields are made of.
const FIELD: Class = Class::of("A-Za-z0-9_.*\\/$-");

/// Checks the line that has a port between two colons, or any port, from `at` to `end`.
pub(in crate::redact) fn find(view: &View<'_>, at: usize, end: usize) -> Option<Found> {
    let host = view.run_before(at, FIELD, LINE_BYTES);
    let from = at - host;
    // A line of its own, as far as that is in view.
    let is_start = from
        .checked_sub(1)
        .and_then(|before| view.byte(before))
        .is_none_or(|byte| matches!(byte, b'\n' | b'\r' | b' ' | b'"' | b'\''));
    if host == 0 || !is_start {
        return None;
    }
    let rest = view.slice(end, end + LINE_BYTES);
    let database = field(rest)?;
    let user = field(&rest[database + 1..])?;
    let start = end + database + user + 2;
    let rest = &rest[database + user + 2..];
    let is_end = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'');
    let length = rest.iter().position(is_end).unwrap_or(rest.len());
    let password = &rest[..length];
    let is_last = rest
        .get(length)
        .is_none_or(|byte| *byte != b' ' && *byte != b'\t');
    let is_one = length >= 4 && is_last && !look::is_placeholder(password);
    is_one.then(|| Found::whole(start, start + length))
}

/// The length of a field that a colon ends.
fn field(text: &[u8]) -> Option<usize> {
    let length = text.iter().take_while(|byte| FIELD.has(**byte)).count();
    (length > 0 && text.get(length) == Some(&b':')).then_some(length)
}
