//! The name of a failure: the same for the same failure from another directory, user, day, port or
//! run.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::classify::Cause;
use super::normal::{Numbers, normal};

/// The version of everything that a fingerprint depends on: bumped when the normal form changes,
/// since the same failure has another id then.
pub const VERSION: &str = "v1";

/// The longest slug, in bytes.
const SLUG_MAX: usize = 48;

/// The name of a failure: eight hex digits, and words for people, such as
/// `1f0c22ab-cargo-compile-error`. Nothing of the output is in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FaultId(String);

/// What isn't the id of a failure.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no fault's id: eight hex digits, a dash, then words joined by dashes")]
pub struct NotAFaultId(String);

impl FaultId {
    /// The id as text, which is safe as the name of a file.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The hex digits, which tell failures apart; the words don't.
    #[must_use]
    pub fn digits(&self) -> &str {
        &self.0[..8]
    }
}

impl FromStr for FaultId {
    type Err = NotAFaultId;

    fn from_str(text: &str) -> Result<Self, NotAFaultId> {
        let is_valid = text.split_once('-').is_some_and(|(digits, slug)| {
            let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
            digits.len() == 8 && digits.bytes().all(is_digit) && is_slug(slug)
        });
        if is_valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotAFaultId(super::normal::head(text, 80).to_owned()))
        }
    }
}

impl TryFrom<String> for FaultId {
    type Error = NotAFaultId;

    fn try_from(text: String) -> Result<Self, NotAFaultId> {
        text.parse()
    }
}

impl From<FaultId> for String {
    fn from(id: FaultId) -> Self {
        id.0
    }
}

impl fmt::Display for FaultId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

fn is_slug(text: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    text.len() <= SLUG_MAX && text.split('-').all(is_word)
}

/// What a failure is told apart by besides class and command, in its normal form; nothing where no line
/// tells.
#[must_use]
pub fn telling(cause: &Cause) -> String {
    match &cause.key {
        Some(key) => normal(key, Numbers::Kept),
        None => normal(&cause.line, Numbers::TakenOut),
    }
}

/// What a failure is told apart by, with the version in front: `v1:` and 16 hex digits.
#[must_use]
pub fn fingerprint(cause: &Cause) -> String {
    let telling = telling(cause);
    // Pipes, make and shells change the code on its way, so it counts only where nothing else does.
    let code = if telling.is_empty() {
        cause.code.to_string()
    } else {
        String::new()
    };
    let mut digest = Sha256::new();
    for part in [VERSION, &cause.class, &cause.command_key, &code, &telling] {
        digest.update(part.as_bytes());
        digest.update([0]);
    }
    let digest = hex::encode(digest.finalize());
    format!("{VERSION}:{}", &digest[..16])
}

/// The name of a failure.
#[must_use]
pub fn fault_id(cause: &Cause) -> FaultId {
    let fingerprint = fingerprint(cause);
    let digits = &fingerprint[VERSION.len() + 1..][..8];
    FaultId(format!(
        "{digits}-{}",
        slug(&cause.command_key, &cause.class)
    ))
}

/// Program and class in words of letters and digits.
fn slug(command_key: &str, class: &str) -> String {
    let program = command_key.split(' ').next().unwrap_or_default();
    let program = words(program, 24);
    let class = words(class, SLUG_MAX - 25);
    let parts = [program, class];
    let mut parts = parts.iter().filter(|part| !part.is_empty());
    let first = parts.next().map_or("fault", String::as_str);
    parts.fold(first.to_owned(), |slug, part| format!("{slug}-{part}"))
}

fn words(text: &str, bytes: usize) -> String {
    let mut made = String::new();
    for character in text.chars().map(|character| character.to_ascii_lowercase()) {
        if made.len() == bytes {
            break;
        }
        if character.is_ascii_alphanumeric() {
            made.push(character);
        } else if !made.is_empty() && !made.ends_with('-') {
            made.push('-');
        }
    }
    made.truncate(made.trim_end_matches('-').len());
    made
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::faults::{Rules, Run, Verdict, classify};
    use crate::session::Outcome;

    #[test]
    fn only_a_safe_name_is_an_id() {
        for text in ["1f0c22ab-cargo-compile-error", "00000000-x"] {
            assert_eq!(text.parse::<FaultId>().unwrap().as_str(), text);
        }
        let long = format!("00000000-{}", "x".repeat(SLUG_MAX + 1));
        for text in [
            "",
            "1f0c22ab",
            "1f0c22ab-",
            "1f0c22ab--x",
            "1F0c22ab-x",
            "1f0c22ab-../x",
            "1f0c22ab-x-",
            "1f0c22a-x",
            &long,
        ] {
            assert!(text.parse::<FaultId>().is_err(), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn any_run_is_judged_and_any_failure_has_a_safe_id(
            argv in proptest::collection::vec("\\PC{0,12}", 0..4),
            line in proptest::option::of("\\PC{0,40}"),
            output in "(\\PC|\n|\u{1b}\\[|error: ){0,80}",
            errors in "(\\PC|\n|fatal: | not found){0,80}",
            code in -1..300_i32,
        ) {
            let rules = built_in();
            let outcome = Outcome::Exited(code);
            let run = Run { argv: &argv, shell_line: line.as_deref(), outcome: &outcome, output: &output, errors: &errors };
            if let Verdict::Fault(cause) | Verdict::Suspect(cause) = classify(&run, &rules) {
                let id = fault_id(&cause);
                prop_assert_eq!(&id.as_str().parse::<FaultId>(), &Ok(id.clone()));
                let again = Cause { line: normal(&cause.line, Numbers::TakenOut), ..*cause.clone() };
                prop_assert_eq!(fault_id(&again), id);
            }
        }
    }

    fn built_in() -> std::rc::Rc<Rules> {
        thread_local!(static RULES: std::rc::Rc<Rules> = std::rc::Rc::new(Rules::built_in()));
        RULES.with(Clone::clone)
    }
}
