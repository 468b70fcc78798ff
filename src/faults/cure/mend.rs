//! Whether a change of a command is one that its failure asks for: only what was wrong, and nothing besides.

use super::super::classify::Cause;
use super::super::command;
use super::{OF_PLACE, is_misspelling, is_slip};

/// Options that ask about a program instead of running it.
const ASKING: &[&str] = &["--help", "-h", "--version", "-V"];

/// What is different between two commands.
struct Difference {
    gone: Vec<String>,
    new: Vec<String>,
    /// Whether what both have stands in the same order.
    keeps_order: bool,
}

impl Difference {
    fn of(before: &[String], after: &[String]) -> Self {
        let (gone, kept) = apart(before, after);
        let (new, present) = apart(after, before);
        Self {
            gone,
            new,
            keeps_order: kept == present,
        }
    }
}

/// The words that another command doesn't have, or not so often, and the rest.
fn apart(words: &[String], other: &[String]) -> (Vec<String>, Vec<String>) {
    let mut left = other.to_vec();
    words.iter().cloned().partition(|word| {
        let found = left.iter().position(|there| there == word);
        found.map(|index| left.remove(index)).is_none()
    })
}

/// Whether a change is one that this kind of failure asks for.
pub(super) fn mends(cause: &Cause, before: &[String], after: &[String]) -> bool {
    let named = cause.named.as_deref().filter(|named| !named.is_empty());
    // What was named as wrong has to be gone.
    if let Some(named) = named {
        let is_named = |word: &String| word == named || word.split('=').next() == Some(named);
        if before.iter().any(is_named) && after.iter().any(is_named) {
            return false;
        }
    }
    let change = Difference::of(before, after);
    // Operands in another order are another task, and a page of help is none.
    let asks = change
        .new
        .iter()
        .any(|word| ASKING.contains(&word.as_str()));
    if !change.keeps_order || asks {
        return false;
    }
    match cause.class.as_str() {
        "usage-missing-arg" => adds_what_was_missing(cause, &change, after),
        "git-push-rejected" => names_the_upstream(cause, &change, before),
        class if OF_PLACE.contains(&class) => is_slip_of_named(cause, &change),
        _ => is_slip_of_named(cause, &change) || is_option_put_right(named, &change),
    }
}

/// Whether the word that was complained of is spelled otherwise. A word that nobody complained of may have
/// been meant.
fn is_slip_of_named(cause: &Cause, change: &Difference) -> bool {
    let is_other = |gone: &String, new: &String| {
        cause.named.as_deref() == Some(gone.as_str())
            && (is_misspelling(gone, new) || is_other_version(cause, gone, new))
    };
    !change.gone.is_empty()
        && change.gone.len() == change.new.len()
        && change
            .gone
            .iter()
            .zip(&change.new)
            .all(|(gone, new)| is_other(gone, new))
}

/// Whether a program that isn't there is one that is, but for the version in its name: `python` and
/// `python3`.
fn is_other_version(cause: &Cause, gone: &str, new: &str) -> bool {
    let name = |word: &str| command::program(&[word.to_owned()]).to_owned();
    cause.class == "command-not-found" && gone != new && name(gone) == name(new)
}

/// Whether the one option that is wrong is left out, or spelled otherwise; also behind `--`.
fn is_option_put_right(named: Option<&str>, change: &Difference) -> bool {
    let [gone] = change.gone.as_slice() else {
        return false;
    };
    let option = gone.split('=').next().unwrap_or_default();
    let bare = |word: &str| word.trim_matches(['-', '\'', '`']).to_owned();
    let is_it = named.is_none_or(|named| named == gone || bare(named) == bare(option));
    if !gone.starts_with('-') {
        return false;
    }
    let new: Vec<&str> = change.new.iter().map(String::as_str).collect();
    match new.as_slice() {
        [] => is_it,
        [new] | ["--", new] if new.starts_with('-') => {
            (is_it && is_near(gone, new)) || named.is_some_and(|named| is_without(gone, named, new))
        }
        _ => false,
    }
}

/// Whether two options are the same but for a slip and their signs: `--no-captrue`, `--nocapture`.
fn is_near(gone: &str, new: &str) -> bool {
    let letters = |word: &str| word.replace(|sign: char| !sign.is_alphanumeric(), "");
    let (one, other) = (letters(gone), letters(new));
    is_misspelling(gone, new) || (one.len() > 1 && is_slip(&one, &other))
}

/// Whether of several letters just the one is gone that was complained of: `-lZa` and `-la`.
fn is_without(gone: &str, letter: &str, new: &str) -> bool {
    letter.chars().count() == 1 && !gone.starts_with("--") && gone.replacen(letter, "", 1) == new
}

/// Whether what was said to be missing is there, and nothing besides: one operand where one was missing, the
/// value behind the option that has none, or the option that was named with its value.
fn adds_what_was_missing(cause: &Cause, change: &Difference, after: &[String]) -> bool {
    if !change.gone.is_empty() {
        return false;
    }
    let line = &cause.line;
    let is_said = |word: &str| {
        let mut words =
            line.split(|sign: char| sign.is_whitespace() || "'\"`=<>,:()".contains(sign));
        words.any(|said| said == word)
    };
    let new: Vec<&str> = change.new.iter().map(String::as_str).collect();
    match new.as_slice() {
        [option] | [option, _] if option.starts_with('-') => {
            let name = option.split('=').next().unwrap_or_default();
            is_said(name) && new.get(1).is_none_or(|value| !value.starts_with('-'))
        }
        [operand] => {
            let is_value = |pair: &[String]| {
                pair[1] == *operand && pair[0].starts_with('-') && is_said(&pair[0])
            };
            line.contains("operand") || after.windows(2).any(is_value)
        }
        _ => false,
    }
}

/// Whether a push says where its branch goes: that one, without force.
fn names_the_upstream(cause: &Cause, change: &Difference, before: &[String]) -> bool {
    let is_upstream = |word: &&String| *word == "-u" || word.starts_with("--set-upstream");
    let operands: Vec<&str> = change
        .new
        .iter()
        .filter(|word| !is_upstream(word))
        .map(String::as_str)
        .collect();
    let branch = cause
        .line
        .split_once("current branch ")
        .and_then(|(_, rest)| rest.split(' ').next());
    let had_place = before.iter().skip(2).any(|word| !word.starts_with('-'));
    let is_plain = match operands.as_slice() {
        [] => true,
        [remote, name] => {
            let is_it = branch.is_none_or(|branch| branch == *name) || *name == "HEAD";
            !had_place && !remote.starts_with('-') && !name.starts_with(['-', '+']) && is_it
        }
        _ => false,
    };
    change.gone.is_empty() && change.new.iter().any(|word| is_upstream(&word)) && is_plain
}
