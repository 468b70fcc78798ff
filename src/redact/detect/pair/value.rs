//! Values that look like what their name says.

use super::{Form, Kind};
use crate::redact::detect::{Depth, look};

/// The least of a value, by what its name speaks of and how sure the form is.
const CHOSEN_BYTES: usize = 6;
const DRAWN_BYTES: usize = 12;
const DRAWN_LOOSE_BYTES: usize = 16;
const VARIABLE_BYTES: usize = 4;
const VARIABLE_TOKEN_BYTES: usize = 8;

/// Whether a value is a secret of this kind.
pub(super) fn is_secret(value: &[u8], kind: Kind, form: Form, depth: Depth) -> bool {
    value.len() >= VARIABLE_BYTES
        && (depth == Depth::Strict || is_likely(value, kind, form))
        && !is_elsewhere(value)
        && !look::is_placeholder(value)
}

/// Whether a value looks like a secret of this kind.
fn is_likely(value: &[u8], kind: Kind, form: Form) -> bool {
    let is_text = value.iter().any(u8::is_ascii_whitespace) && look::is_wordy(value);
    if is_text || is_dated(value) {
        return false;
    }
    match (kind, form) {
        (Kind::Password | Kind::Secret, Form::Variable) => true,
        (_, Form::Variable) => value.len() >= VARIABLE_TOKEN_BYTES && look::is_random(value),
        (Kind::Password, _) => is_chosen(value, form),
        (Kind::Secret, Form::Quoted | Form::Tight) => {
            value.len() >= CHOSEN_BYTES && is_chosen(value, form) && !is_identifier(value)
        }
        (_, Form::Quoted | Form::Tight) => {
            value.len() >= DRAWN_BYTES && look::is_random(value) && !is_code(value, form)
        }
        (_, Form::Loose) => {
            value.len() >= DRAWN_LOOSE_BYTES && look::is_random(value) && !is_code(value, form)
        }
    }
}

/// Whether a value may have been chosen by a person: a digit or a sign among letters.
fn is_chosen(value: &[u8], form: Form) -> bool {
    let has_digit = value.iter().any(u8::is_ascii_digit);
    let has_sign = value.iter().any(|byte| b"!@#$%^&*+=?~".contains(byte));
    let is_joined = value.iter().any(|byte| b"_-./:".contains(byte)) && look::is_wordy(value);
    value.len() >= CHOSEN_BYTES
        && (has_digit || has_sign || value.len() >= DRAWN_BYTES && look::is_random(value))
        && !is_number(value)
        && (form == Form::Quoted || !is_joined)
        && !is_code(value, form)
}

/// Whether a value is a version, an object identifier, or another row of numbers.
fn is_number(value: &[u8]) -> bool {
    value.contains(&b'.')
        && value
            .iter()
            .all(|byte| byte.is_ascii_digit() || *byte == b'.')
}

/// Whether a value is an expression of some language.
fn is_code(value: &[u8], form: Form) -> bool {
    let has = |piece: &[u8]| look::contains(value, piece);
    form != Form::Quoted
        && (value.iter().any(|byte| b"(){}[];,".contains(byte))
            || has(b"::")
            || has(b"->")
            || has(b"&&")
            || value[0] == b'&'
            || value[0] == b'*'
            || is_member(value))
}

/// Whether a value is a chain of names: `self.token2`, `config.password`.
fn is_member(value: &[u8]) -> bool {
    let mut parts = value.split(|byte| *byte == b'.');
    let is_name = |part: &[u8]| {
        part.first()
            .is_some_and(|first| first.is_ascii_alphabetic() || *first == b'_')
            && part
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
            && (part.len() < DRAWN_BYTES || !look::is_random(part))
    };
    value.contains(&b'.') && parts.all(is_name)
}

/// Whether a value is a name rather than what it names.
fn is_identifier(value: &[u8]) -> bool {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-./:".contains(byte);
    value.iter().all(is_part) && look::is_wordy(value)
}

/// Whether a value says where the secret is: an address, a file.
fn is_elsewhere(value: &[u8]) -> bool {
    look::contains(value, b"://") || look::is_path(value)
}

/// Whether a value begins with a date.
fn is_dated(value: &[u8]) -> bool {
    let is_digits = |from: usize, to: usize| {
        value
            .get(from..to)
            .is_some_and(|part| part.iter().all(u8::is_ascii_digit))
    };
    is_digits(0, 4) && value.get(4) == Some(&b'-') && is_digits(5, 7) && value.get(7) == Some(&b'-')
}
