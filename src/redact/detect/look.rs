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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_stands_for_a_secret_is_told_from_one() {
        for (value, stands_in) in [
            ("", true),
            ("  ", true),
            ("7", true),
            ("********", true),
            ("[REDACTED:jwt]", true),
            ("***[REDACTED:jwt#ab12]", true),
            // Brackets of every kind, whole ones only.
            ("<Hunter7>", true),
            ("{Hunter7}", true),
            ("[Hunter7]", true),
            ("(Hunter7)", true),
            ("%Hunter7%", true),
            ("@Hunter7@", true),
            ("<Hunter7", false),
            ("Hunter7>", false),
            // Variables, and what only begins like one.
            ("$Hunter7", true),
            ("$_hunter7", true),
            ("${Hunter7:-}", true),
            ("$(hunter7 x)", true),
            ("$7hunter", false),
            ("$aB3!x9Q#e7T%k2Lw8Zp", false),
            ("$aB3!x9Q#e7T%k2Lw8Z", true),
            ("$aB3!x9Q#e7Tk2Lw8Zpq", true),
            ("$password+token+names", true),
            // Formats and templates.
            ("%s", true),
            ("%-9s", true),
            ("%-12s", false),
            ("%-97", false),
            ("hunter{{x}}7", true),
            ("hunter${x}7", true),
            ("hunter<%= x %>7", true),
            // Words, alone or in part.
            ("Password", true),
            ("passwordx7", false),
            ("my-changeme-7", true),
            ("Hunter\u{2026}", true),
            // More than half of it one byte.
            ("zzzzzab", true),
            ("zzzzabcd", false),
            ("hunter7", false),
        ] {
            assert_eq!(is_placeholder(value.as_bytes()), stands_in, "{value}");
        }
    }

    #[test]
    fn a_path_is_told_from_base64_that_begins_with_a_slash() {
        for (value, path) in [
            ("/tmp", true),
            ("/home/me/notes", true),
            ("~/notes", true),
            ("./notes", true),
            ("../notes", true),
            ("C:\\notes", true),
            ("notes/today", false),
            ("7:\\notes", false),
            // Short, or with what base64 doesn't have, it is a path however its names look.
            ("/srv/x9Qe7T/k2Lw8Zp", true),
            ("/srv/x9Qe7T-k2Lw8Zp_Bv4Nm6/Jh3Gf5Ds", true),
            ("/x9Qe7T/k2Lw8ZpBv4Nm6Jh3Gf5Ds1a", true),
            ("/x9Qe7T/k2Lw8ZpBv4Nm6Jh3Gf5Ds1aQ", false),
            ("/x9Qe7T/k2Lw8Z+Bv4", false),
            ("/x9Qe7T/k2Lw8ZBv4=", false),
            // One name alone that looks drawn is none.
            ("/x9Qe7Tk2Lw8Zp", false),
            ("~x9Qe7T\\k2Lw8Zp", true),
        ] {
            assert_eq!(is_path(value.as_bytes()), path, "{value}");
        }
    }

    #[test]
    fn what_a_machine_drew_has_several_bytes_of_several_kinds_and_no_words() {
        for (value, random) in [
            ("a1b2", true),
            ("a1a1", false),
            ("", false),
            ("73958264", false),
            ("xkqzvwpf", false),
            ("XKQZVWPF", false),
            ("xKqZvWpF", true),
            // Six different ones are enough for a value of any length, five are not.
            ("q1z2x3q1z2x3q1z2x3", true),
            ("q1z2xq1z2xq1z2xq1z", false),
            ("correctHorseBattery7", false),
            // `face`, `dead` and `beef` are no words where all is one number.
            ("facedeadbeefade1", true),
            ("face-deadbeef-ad1", true),
        ] {
            assert_eq!(is_random(value.as_bytes()), random, "{value}");
        }
        for (value, number) in [
            ("facedeadbeefade1", true),
            ("face-deadbeef-ad1", true),
            ("facedeadbeefad1", false),
            ("facedeadbeefadeg1", false),
        ] {
            assert_eq!(is_number(value.as_bytes()), number, "{value}");
        }
    }

    #[test]
    fn a_replacement_has_a_length_and_nothing_else_has() {
        for (text, length) in [
            ("[REDACTED:jwt] x", Some(14)),
            ("[REDACTED:my_rule-2#ab12]", None),
            ("[REDACTED:my_rule-2:ab.12]", Some(26)),
            ("[REDACTED:", None),
            ("[REDACTED:two words]", None),
            (" [REDACTED:jwt]", None),
        ] {
            assert_eq!(replaced_length(text.as_bytes()), length, "{text}");
        }
    }
}
