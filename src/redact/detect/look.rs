//! What a value looks like: a place holder, words, or something that a machine drew.

use crate::redact::class::BASE64;

pub(in crate::redact) use super::words::is_wordy;

/// Words that stand where a secret would be, in small letters, parted by blanks.
const STAND_INS: &str = "auto bearer bool boolean bytes char default disabled empty enabled false hidden int invalid \
    key masked missing n/a nil no none not null number object off on optional pass passphrase \
    passwd password prompt pwd redacted required secret set static str string text the token \
    true undefined unknown unset user username value varchar void yes your";

/// Pieces that only place holders hold, in small letters, parted by blanks.
const TELLTALES: &str = "... changeme change-me change_me changeit dummy example fixme insert- insert_ my-secret \
    my_secret mysecret not-a- notasecret placeholder redacted replace todo xxxx your- your_ \
    yourpass yoursecret yourtoken \u{2026} **** \u{2022}\u{2022}";

/// Whether a value only stands for a secret: `<token>`, `${TOKEN}`, `****`, `changeme`.
pub(in crate::redact) fn is_placeholder(value: &[u8]) -> bool {
    let value = value.trim_ascii();
    let Some((first, rest)) = value.split_first() else {
        return true;
    };
    if rest.iter().all(|byte| byte == first) || is_replaced(value) {
        return true;
    }
    let last = rest.last().copied().unwrap_or_default();
    let is_bracketed = matches!(
        (*first, last),
        (b'<', b'>') | (b'{', b'}') | (b'[', b']') | (b'(', b')') | (b'%', b'%') | (b'@', b'@')
    );
    let is_variable = *first == b'$'
        && rest
            .first()
            .is_some_and(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'{' | b'('))
        && !is_drawn_with_signs(value);
    let is_format = *first == b'%' && rest.len() < 4 && last.is_ascii_alphabetic();
    let is_template = contains(value, b"{{") || contains(value, b"${") || contains(value, b"<%");
    if is_bracketed || is_variable || is_format || is_template {
        return true;
    }
    let small = value.to_ascii_lowercase();
    is_listed(STAND_INS, &small) || has_telltale(&small) || is_one_byte_mostly(value)
}

/// Whether a long value is drawn from letters and many signs, of which any may be the first.
fn is_drawn_with_signs(value: &[u8]) -> bool {
    let signs = value.iter().filter(|byte| b"!@#%^&*+=?~".contains(byte));
    value.len() >= 20 && signs.count() >= 3 && is_random(value)
}

/// Whether a value in small letters holds a piece that only place holders hold.
fn has_telltale(small: &[u8]) -> bool {
    let mut pieces = TELLTALES.as_bytes().split(|byte| *byte == b' ');
    pieces.any(|piece| {
        let mut starts = memchr::memchr_iter(piece[0], small);
        starts.any(|at| small[at..].starts_with(piece))
    })
}

/// Whether a word is in a list of words parted by blanks. Such a list needs no addresses, which every
/// start of the program would have to fill in.
pub(in crate::redact) fn is_listed(list: &str, word: &[u8]) -> bool {
    let Some((first, rest)) = word.split_first() else {
        return false;
    };
    // Preparing a search for a word costs more than looking for its first letter.
    let list = list.as_bytes();
    memchr::memchr_iter(*first, list).any(|at| {
        let is_blank = |at: usize| list.get(at).is_none_or(|byte| *byte == b' ');
        at.checked_sub(1).is_none_or(is_blank)
            && list[at + 1..].starts_with(rest)
            && is_blank(at + word.len())
    })
}

/// Whether a value is made of nothing but what a redaction leaves: tokens and asterisks.
fn is_replaced(mut value: &[u8]) -> bool {
    while let Some(first) = value.first() {
        value = if *first == b'*' {
            &value[1..]
        } else if let Some(length) = replaced_length(value) {
            &value[length..]
        } else {
            return false;
        };
    }
    true
}

/// The length of the replacement that begins here, if one does.
pub(in crate::redact) fn replaced_length(text: &[u8]) -> Option<usize> {
    let rest = text.strip_prefix(super::OPENING)?;
    let end = rest
        .iter()
        .take(super::REPLACEMENT_BYTES)
        .position(|byte| *byte == b']')?;
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.:".contains(byte);
    rest[..end]
        .iter()
        .all(is_plain)
        .then_some(super::OPENING.len() + end + 1)
}

/// Whether more than half of it is one and the same byte.
fn is_one_byte_mostly(value: &[u8]) -> bool {
    let mut counts = [0_usize; 256];
    for byte in value {
        counts[usize::from(*byte)] += 1;
    }
    counts.iter().any(|count| count * 2 > value.len())
}

/// Whether a value is the path of a file.
pub(in crate::redact) fn is_path(value: &[u8]) -> bool {
    let begins = matches!(value, [b'/' | b'~', ..] | [b'.', b'/' | b'.', ..])
        || matches!(value, [drive, b':', b'\\', ..] if drive.is_ascii_alphabetic());
    // Base64 may begin with a slash, too, and has a few more inside.
    let is_encoded = value.iter().all(|byte| BASE64.has(*byte))
        && is_random(value)
        && (value.len() >= 32 || value.contains(&b'+') || value.contains(&b'='));
    let has_more = value
        .iter()
        .skip(1)
        .any(|byte| *byte == b'/' || *byte == b'\\');
    begins && !is_encoded && (has_more || !is_random(value))
}

/// Whether one text is inside another.
pub(in crate::redact) fn contains(text: &[u8], piece: &[u8]) -> bool {
    memchr::memmem::find(text, piece).is_some()
}

/// Whether a value seems to be drawn by a machine: letters with digits or in both cases, several
/// different ones, and not made of words.
pub(in crate::redact) fn is_random(value: &[u8]) -> bool {
    let has = |is_one: fn(&u8) -> bool| value.iter().any(is_one);
    let is_mixed = has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic)
        || has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase);
    is_mixed
        && distinct(value) >= 6.min(value.len() / 2 + 1)
        && (is_number(value) || !is_wordy(value))
}

/// Whether a value is a long number in hexadecimal digits, in which `face` and `deed` are no words.
fn is_number(value: &[u8]) -> bool {
    value.len() >= 16
        && value
            .iter()
            .all(|byte| byte.is_ascii_hexdigit() || *byte == b'-')
}

/// How many different bytes there are.
fn distinct(value: &[u8]) -> usize {
    let mut seen = [false; 256];
    let mut count = 0;
    for byte in value {
        if !std::mem::replace(&mut seen[usize::from(*byte)], true) {
            count += 1;
        }
    }
    count
}

/// Shannon's entropy of the bytes, in bits for each.
pub(in crate::redact) fn entropy(value: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    let mut total = 0_u32;
    for byte in value {
        counts[usize::from(*byte)] += 1;
        total += 1;
    }
    let share = |count: &u32| f64::from(*count) / f64::from(total);
    let seen = counts.iter().filter(|count| **count > 0).map(share);
    -seen.map(|share| share * share.log2()).sum::<f64>()
}
