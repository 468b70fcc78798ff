//! Addresses that carry credentials: `scheme://user:password@host` (RFC 3986, section 3.2.1).

use super::{Found, look};
use crate::redact::class::{CONTROL, Class};
use crate::redact::view::View;

/// The longest user and password that are looked at.
const USER_INFO_BYTES: usize = 2048;

/// From this length on a user name without a password may be a token.
const TOKEN_BYTES: usize = 16;

const SCHEME: Class = Class::of("A-Za-z0-9+.-");
/// What ends the part that may hold credentials. A well-formed one is shorter; passwords are not
/// always well-formed.
const AFTER: Class = Class::of("/?#\"'<>` \t\\^|,;()").or(CONTROL);

/// Checks the address whose `://` stands from `at` to `end`.
pub(in crate::redact) fn find(view: &View<'_>, at: usize, end: usize) -> Option<Found> {
    if view.run_before(at, SCHEME, 2) < 2 {
        return None;
    }
    let rest = view.slice(end, end + USER_INFO_BYTES);
    let rest = &rest[..rest
        .iter()
        .position(|byte| AFTER.has(*byte))
        .unwrap_or(rest.len())];
    let user_info = &rest[..memchr::memrchr(b'@', rest)?];
    let (user, password) = match memchr::memchr(b':', user_info) {
        Some(colon) => (&user_info[..colon], Some(&user_info[colon + 1..])),
        None => (user_info, None),
    };
    let is_token = || user.len() >= TOKEN_BYTES && look::is_random(user);
    match password {
        // GitHub and others take the token for the user.
        Some(b"" | b"x-oauth-basic") | None => {
            (is_token() && !look::is_placeholder(user)).then(|| Found::whole(end, end + user.len()))
        }
        Some(password) => (!look::is_placeholder(password)).then(|| {
            let from = end + user.len() + 1;
            Found::whole(from, from + password.len())
        }),
    }
}

/// What a database's user is called.
const USER: Class = Class::of("A-Za-z0-9_$#.-");
/// What ends a database's address.
const DATABASE_END: Class = Class::of("\"'<>` \t").or(CONTROL);

/// Checks the `user/password@database` that begins at `end`.
pub(in crate::redact) fn find_user(view: &View<'_>, end: usize) -> Option<Found> {
    let rest = view.slice(end, end + USER_INFO_BYTES);
    let user = rest.iter().take_while(|byte| USER.has(**byte)).count();
    let password = rest.get(user..)?.strip_prefix(b"/")?;
    let length = password.iter().position(|byte| DATABASE_END.has(*byte));
    let password = &password[..length.unwrap_or(password.len())];
    let password = &password[..memchr::memchr(b'@', password)?];
    let from = end + user + 1;
    (user > 0 && !look::is_placeholder(password)).then(|| Found::whole(from, from + password.len()))
}
