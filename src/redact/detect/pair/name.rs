//! Names that say that their value is secret.

use crate::redact::detect::look::is_listed;
use crate::redact::rules::{self, Special};
use crate::redact::word::{Target, Word};

/// What kind of secret a name speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::redact) enum Kind {
    /// What a person chose: may be short and a word.
    Password,
    /// What two programs share: mostly drawn by lot, but not always.
    Secret,
    /// What a program was given: long, and drawn by lot.
    Token,
}

/// Last words of a name that make it speak of something about a secret, in small letters.
const ABOUT: &str = "acl age alg algorithm aliases allowed arn attempts attr audience backend budget bytes \
    callback cache char chars check class count created date days def desc description dir \
    directory enabled encoding endpoint engine env error errors exists expired expires \
    expiration expiry field file filename flag folder for format generator group handler header \
    hint host icon id ids in index input issuer json kind label len length level limit lifetime \
    list location manager max message metadata method min missing mode module name names \
    namespace offset options page param parser path paths pattern per permissions placeholder \
    policy pool port pos position prefix prompt provider query rate ratio ref regex region required \
    reset rotation rule rules scanning schema scope scopes secs seconds selector separator \
    server service set size source span state stats status store strategy stream strength suffix \
    table template through thru time timeout tree ttl type types uri url urls usage used user username valid \
    validator values var variable vault vector version zone";

/// Words inside a name with which it speaks of no secret at all, in small letters.
const HARMLESS: &str = "by cancel cancellation continuation crate each eof first function keyword last lex lexer \
    multi next one opt optimization page pagination public render second shader single syntax third \
    two unexpected vocab";

/// Whether a name is secret by the word that it has from `at` to `end`.
pub(super) fn is_secret_with(name: &[u8], at: usize, end: usize) -> bool {
    let (before, word, after) = (&name[..at], &name[at..end], &name[end..]);
    // tokenizer, TOKENS, secretary: another word. tokenType: the next one.
    let joins = match (word.last(), after.first(), after.get(1)) {
        (Some(last), Some(first), _) if last.is_ascii_lowercase() => first.is_ascii_lowercase(),
        (Some(last), Some(first), second) if last.is_ascii_uppercase() => {
            first.is_ascii_lowercase()
                || first.is_ascii_uppercase() && second.is_none_or(u8::is_ascii_uppercase)
        }
        _ => false,
    };
    if joins {
        return false;
    }
    let is_about = words(after)
        .last()
        .is_some_and(|last| is_listed(ABOUT, &last.to_ascii_lowercase()));
    let is_harmless = words(before).any(|word| is_listed(HARMLESS, &word.to_ascii_lowercase()));
    !is_about && !is_harmless
}

/// Whether a whole name says that its value is secret.
pub(in crate::redact) fn is_secret_name(name: &[u8]) -> bool {
    let mut is_one = false;
    let gate = rules::gate();
    gate.visit(name, 0, name.len(), &mut |number, at| {
        let Some(word) = gate.word(number) else {
            return;
        };
        let end = at + word.text().len();
        // What an option called so takes is mostly the name of a method.
        let is_name = word.text() != b"auth" && is_name(word);
        is_one = is_one || end <= name.len() && is_name && is_secret_with(name, at, end);
    });
    is_one
}

/// Whether a keyword is part of names.
fn is_name(word: &Word) -> bool {
    let Target::Special { special, .. } = word.target else {
        return false;
    };
    matches!(special, Special::Pair(_))
}

/// The words of a name: parted by signs, or by a capital after a small letter.
fn words(name: &[u8]) -> impl Iterator<Item = &[u8]> {
    name.split(|byte| !byte.is_ascii_alphanumeric())
        .flat_map(|part| {
            part.chunk_by(|one, other| !(one.is_ascii_lowercase() && other.is_ascii_uppercase()))
        })
        .filter(|word| !word.is_empty())
}

/// Whether a name speaks of something about a secret: its file, its type, its age.
pub(in crate::redact) fn is_about(name: &[u8]) -> bool {
    words(name)
        .last()
        .is_some_and(|last| is_listed(ABOUT, &last.to_ascii_lowercase()))
}
