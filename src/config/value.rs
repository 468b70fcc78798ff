//! A value as it was given, and what it is read as. An error says what is allowed.

use std::time::Duration;

use super::Report;
use super::units::{DURATION_FORMS, SIZE_FORMS, parse_duration, parse_size};
use crate::plan::TtyMode;
use crate::session::{Durability, Policy};

/// The words of `tty`.
pub(super) const TTY_MODES: &[(&str, TtyMode)] = &[
    ("always", TtyMode::Always),
    ("auto", TtyMode::Auto),
    ("never", TtyMode::Never),
];
/// The words of `durability`.
pub(super) const DURABILITIES: &[(&str, Durability)] = &[
    ("fast", Durability::Fast),
    ("normal", Durability::Normal),
    ("full", Durability::Full),
];
/// The words of `report`.
pub(super) const REPORTS: &[(&str, Report)] = &[
    ("never", Report::Never),
    ("failure", Report::Failure),
    ("always", Report::Always),
];

/// A value as it was given.
#[derive(Clone, Debug)]
pub enum Given<'a> {
    /// Text: from a flag, a variable, or a quoted value in a file.
    Text(&'a str),
    /// A number in a file.
    Number(i64),
    /// A flag that was given, or a boolean in a file.
    Switch(bool),
    /// A list in a file, or an option given more than once.
    List(Vec<String>),
    /// Something in a file that no setting takes, such as a table.
    Other(&'static str),
}

/// Text that is not empty.
pub(super) fn text(given: &Given<'_>) -> Result<String, String> {
    match given {
        Given::Text(text) if !text.is_empty() && !text.contains('\0') => Ok((*text).to_owned()),
        _ => Err("text that is not empty".to_owned()),
    }
}

/// Words, none of them empty, each once.
pub(super) fn list(given: &Given<'_>) -> Result<Vec<String>, String> {
    let items = match given {
        // A variable holds several, as in AIDO_TAG=ci,nightly.
        Given::Text(text) => text.split(',').map(|item| item.trim().to_owned()).collect(),
        Given::List(list) => list.clone(),
        _ => Vec::new(),
    };
    if items.is_empty() || items.iter().any(String::is_empty) {
        return Err("words, none of them empty".to_owned());
    }
    // Each once, in the order in which they came.
    let mut once: Vec<String> = Vec::with_capacity(items.len());
    for item in items {
        if !once.contains(&item) {
            once.push(item);
        }
    }
    Ok(once)
}

/// A duration; a number alone is seconds.
pub(super) fn duration(given: &Given<'_>) -> Result<Duration, String> {
    let parsed = match given {
        Given::Text(text) => parse_duration(text),
        Given::Number(seconds) => u64::try_from(*seconds).ok().map(Duration::from_secs),
        _ => None,
    };
    parsed.ok_or_else(|| DURATION_FORMS.to_owned())
}

/// A size; a number alone is bytes.
pub(super) fn size(given: &Given<'_>) -> Result<u64, String> {
    let parsed = match given {
        Given::Text(text) => parse_size(text),
        Given::Number(bytes) => u64::try_from(*bytes).ok(),
        _ => None,
    };
    parsed.ok_or_else(|| SIZE_FORMS.to_owned())
}

/// True or false, in any of their usual spellings.
pub(super) fn switch(given: &Given<'_>) -> Result<bool, String> {
    match given {
        Given::Switch(switch) => Ok(*switch),
        Given::Text("1" | "true" | "yes" | "on") | Given::Number(1) => Ok(true),
        Given::Text("0" | "false" | "no" | "off") | Given::Number(0) => Ok(false),
        _ => Err("true or false, also 1, yes, on, 0, no, off".to_owned()),
    }
}

/// One of these words.
pub(super) fn one_of<T: Copy>(given: &Given<'_>, words: &[(&str, T)]) -> Result<T, String> {
    let found = match given {
        Given::Text(text) => words.iter().find(|(word, _)| word == text),
        _ => None,
    };
    found.map(|(_, value)| *value).ok_or_else(|| {
        let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        words.join(", ")
    })
}

/// A number of days; `30d` is one too.
pub(super) fn days(given: &Given<'_>) -> Result<u64, String> {
    let parsed = match given {
        Given::Text(text) => whole(text.strip_suffix('d').unwrap_or(text)),
        given => number(given),
    };
    let is_a_duration = |days: &u64| days.checked_mul(Policy::DAY_SECONDS).is_some();
    parsed
        .filter(is_a_duration)
        .ok_or_else(|| "a number of days such as 30; 0 for no limit".to_owned())
}

/// A number of something.
pub(super) fn count(given: &Given<'_>) -> Result<u64, String> {
    number(given).ok_or_else(|| "a number such as 1000; 0 for no limit".to_owned())
}

fn number(given: &Given<'_>) -> Option<u64> {
    match given {
        Given::Text(text) => whole(text),
        Given::Number(number) => u64::try_from(*number).ok(),
        _ => None,
    }
}

/// A number of digits alone: a sign is no part of one.
fn whole(text: &str) -> Option<u64> {
    let text = text.trim();
    let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    is_digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_counts_are_whole_numbers() {
        for (given, expected) in [
            (Given::Text("30"), Some(30)),
            (Given::Text(" 30d"), Some(30)),
            (Given::Number(0), Some(0)),
            (Given::Number(-1), None),
            (Given::Text("-1"), None),
            (Given::Text("+1"), None),
            (Given::Text(""), None),
            (Given::Text("d"), None),
            (Given::Text("1.5"), None),
            (Given::Text("12h"), None),
            (Given::Text("30m"), None),
            (Given::Switch(true), None),
        ] {
            assert_eq!(days(&given).ok(), expected, "{given:?}");
        }
        assert!(days(&Given::Text("18446744073709551615")).is_err());
        assert_eq!(count(&Given::Text("18446744073709551615")), Ok(u64::MAX));
        assert_eq!(count(&Given::Number(1000)), Ok(1000));
        for given in [Given::Text("30d"), Given::Text("1K"), Given::Other("table")] {
            assert!(count(&given).is_err(), "{given:?}");
        }
    }
}
