//! Secrets in a command line: where words are known, more can be said than of text.
//!
//! An option whose name says so has a secret as its value, whatever that looks like, and some programs
//! have options that only they use so. Every word is searched as text, too.

use std::ops::Range;

use super::detect::look;
use super::detect::pair::is_secret_name;
use super::{Redactor, Report, replacement};
pub(super) use words::next_quote;

mod programs;
mod stdin;
mod words;

/// The rule's name for a word that is secret by its place.
const RULE: &str = "argument";

/// First words of an option's name with which it takes no secret: `--with-token`, `--no-password`.
const SWITCHES: &str = "allow ask disable enable force has keep no prompt read require save show \
    skip use verify with without";

impl Redactor {
    /// Redacts a command's arguments, the program's name first. Each is judged by its place, by itself,
    /// and together with the one before it.
    #[must_use]
    pub fn argv(&self, argv: &[String]) -> (Vec<String>, Report) {
        let mut report = Report::default();
        let mut redacted: Vec<String> = Vec::with_capacity(argv.len());
        let secret = parts(argv);
        for (index, word) in argv.iter().enumerate() {
            let first = secret.partition_point(|(of, _)| *of < index);
            let ranges = secret[first..].iter().take_while(|(of, _)| *of == index);
            let ranges: Vec<Range<usize>> = ranges.map(|(_, range)| range.clone()).collect();
            let (mut text, mut found) = self.replace(word, &ranges);
            if found.is_clean()
                && let Some(before) = redacted.last()
                && let (Some(shown), also) = self.after(before, word)
            {
                (text, found) = (shown, also);
            }
            report.merge(&found);
            redacted.push(text);
        }
        (redacted, report)
    }

    /// Redacts a word that follows another, if that makes a difference: `password: x` is a pair, which
    /// `x` isn't.
    fn after(&self, before: &str, word: &str) -> (Option<String>, Report) {
        let before = format!("{before} ");
        let (shown, report) = self.text(&format!("{before}{word}"));
        let shown = shown.strip_prefix(&before).filter(|shown| *shown != word);
        (shown.map(str::to_owned), report)
    }

    /// Redacts a line of shell.
    #[must_use]
    pub fn shell_line(&self, line: &str) -> (String, Report) {
        self.replace(line, &parts_of_line(line))
    }

    /// Replaces these parts of a text, and what is found in the rest.
    fn replace(&self, text: &str, secret: &[Range<usize>]) -> (String, Report) {
        let mut replaced = String::with_capacity(text.len());
        let mut report = Report::default();
        let mut done = 0;
        for range in secret {
            let (Some(before), Some(value)) =
                (text.get(done..range.start), text.get(range.clone()))
            else {
                continue;
            };
            let (before, found) = self.text(before);
            report.merge(&found);
            replaced.push_str(&before);
            // A value that is known says more than its place.
            let (known, found) = self.text(value);
            if look::replaced_length(known.as_bytes()) == Some(known.len()) {
                report.merge(&found);
                replaced.push_str(&known);
            } else if self.is_allowed(value.as_bytes()) {
                replaced.push_str(value);
            } else {
                report.add(RULE);
                replaced.push_str(&replacement(RULE, self.tag(value.as_bytes())));
            }
            done = range.end;
        }
        let (rest, found) = self.text(&text[done..]);
        report.merge(&found);
        replaced.push_str(&rest);
        (replaced, report)
    }
}

/// The parts of words that are secret by their place: the word's number, and where in it.
fn parts(argv: &[String]) -> Vec<(usize, Range<usize>)> {
    let mut parts = by_place(argv);
    for (index, word) in argv.iter().enumerate().skip(1) {
        if is_line_option(&argv[index - 1]) {
            let inner = parts_of_line(word);
            parts.extend(inner.into_iter().map(|range| (index, range)));
        }
    }
    parts.sort_by_key(|(index, range)| (*index, range.start));
    parts.dedup_by(|later, earlier| later.0 == earlier.0 && later.1.start < earlier.1.end);
    parts
}

/// Whether an option is one with which shells take a line: `-c`, `-lc`. The same as in `session::quote`, which
/// this place doesn't use.
fn is_line_option(word: &str) -> bool {
    let letters = word
        .strip_prefix('-')
        .and_then(|word| word.strip_suffix('c'));
    letters.is_some_and(|letters| letters.bytes().all(|byte| byte.is_ascii_lowercase()))
}

/// The parts of a line of shell that are secret by their place.
fn parts_of_line(line: &str) -> Vec<Range<usize>> {
    parts_of(line, Reading::Known, INNER_LINES)
}

/// The same of a piece of any text that may be a line of shell: only what programs are known for, since an
/// option's name in a sentence says little.
pub(super) fn parts_of_text(line: &str, spelling: Spelling) -> Vec<Range<usize>> {
    parts_of_spelt(line, spelling, Reading::Supposed, 1)
}

/// How a text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spelling {
    /// As it is.
    Plain,
    /// As inside of double quotes, with backslashes before what means something there.
    Escaped,
}

/// How a line is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// It is a line of shell.
    Known,
    /// It may be one.
    Supposed,
}

/// How deep lines in lines are looked into.
const INNER_LINES: usize = 4;

fn parts_of(line: &str, reading: Reading, depth: usize) -> Vec<Range<usize>> {
    let commands = words::commands(line);
    let mut parts = stdin::parts(line, &commands);
    for command in &commands {
        let texts: Vec<&str> = command
            .words
            .iter()
            .map(|range| &line[range.clone()])
            .collect();
        let found = match reading {
            Reading::Known => by_place(&texts),
            Reading::Supposed => programs::parts(&texts),
        };
        for (index, range) in found {
            let start = command.words[index].start;
            parts.push(start + range.start..start + range.end);
        }
        for (index, word) in command.words.iter().enumerate().skip(1) {
            if depth > 0 && is_line_option(texts[index - 1]) {
                parts.extend(parts_inside(line, word, reading, depth - 1));
            }
        }
    }
    parts.sort_by_key(|range| range.start);
    parts
}

/// The parts of a line that is one word of another.
fn parts_inside(
    line: &str,
    word: &Range<usize>,
    reading: Reading,
    depth: usize,
) -> Vec<Range<usize>> {
    let before = word.start.checked_sub(1);
    let before = before.and_then(|at| line.as_bytes().get(at));
    let spelling = match before {
        Some(b'"') => Spelling::Escaped,
        _ => Spelling::Plain,
    };
    let found = parts_of_spelt(&line[word.clone()], spelling, reading, depth).into_iter();
    found
        .map(|range| word.start + range.start..word.start + range.end)
        .collect()
}

fn parts_of_spelt(
    text: &str,
    spelling: Spelling,
    reading: Reading,
    depth: usize,
) -> Vec<Range<usize>> {
    if spelling == Spelling::Plain || !text.contains('\\') {
        return parts_of(text, reading, depth);
    }
    let (plain, places) = words::unescaped(text);
    let found = parts_of(&plain, reading, depth).into_iter();
    found
        .map(|range| places[range.start]..places[range.end])
        .collect()
}

/// The parts of a command's words that are secret by their place.
fn by_place<W: AsRef<str>>(words: &[W]) -> Vec<(usize, Range<usize>)> {
    let word = |index: usize| words.get(index).map_or("", AsRef::as_ref);
    let mut parts = programs::parts(words);
    for index in 0..words.len() {
        let text = word(index);
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        let is_option = name.starts_with('-') && name.len() > 2;
        if !is_option && (value.is_none() || !is_variable(name)) {
            continue;
        }
        if !is_secret_name(name.as_bytes()) || is_switch(name) {
            continue;
        }
        match value {
            Some(value) if is_value(value) => {
                parts.push((index, name.len() + 1..text.len()));
            }
            None if is_value(word(index + 1)) => {
                parts.push((index + 1, 0..word(index + 1).len()));
            }
            _ => {}
        }
    }
    parts.sort_by_key(|(index, range)| (*index, range.start));
    parts
}

/// Whether a word before `=` is the name of a variable.
fn is_variable(name: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:-/".contains(&byte);
    !name.is_empty() && name.bytes().all(is_part)
}

/// Whether an option of this name is a switch.
fn is_switch(name: &str) -> bool {
    let first = name.trim_start_matches('-').split(['-', '_']).next();
    first.is_some_and(|first| look::is_listed(SWITCHES, first.as_bytes()))
}

/// Whether a word is a value, and itself the secret.
fn is_value(word: &str) -> bool {
    !word.starts_with('-')
        && !look::is_placeholder(word.as_bytes())
        && !word.starts_with('@')
        && !look::is_path(word.as_bytes())
}
