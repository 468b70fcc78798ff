//! Secrets that one command prints for the next: `echo PASSWORD | sudo -S`, `gh auth login --with-token
//! <<< TOKEN`.

use std::ops::Range;

use super::programs::part;
use super::words::{Command, Joint};
use crate::redact::detect::look;

/// Options with which a program reads a secret from its standard input.
const OPTIONS: &str =
    "--password-stdin --with-token --stdin --passphrase-fd --pass-stdin --token-stdin";

/// Programs that read nothing else there.
const PROGRAMS: &str = "chpasswd cryptsetup kinit passwd smbpasswd";

/// The most words before a command: a prompt, `builtin`, `command`.
const PROMPT_WORDS: usize = 4;

/// The parts of a line that its commands hand on as secrets.
pub(super) fn parts(line: &str, commands: &[Command]) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    for pair in commands.windows(2) {
        let [one, other] = pair else { continue };
        match other.joint {
            Joint::Pipe if reads_secret(line, other) => parts.extend(printed(line, one)),
            Joint::HereString if reads_secret(line, one) => {
                parts.extend(other.words.first().and_then(|word| secret(line, word)));
            }
            _ => {}
        }
    }
    parts
}

/// Whether a command reads a secret from its standard input.
fn reads_secret(line: &str, command: &Command) -> bool {
    let mut words = command.words.iter().map(|word| &line[word.clone()]);
    let mut is_sudo = false;
    words.any(|word| {
        let program = word.rsplit('/').next().unwrap_or(word);
        if is_sudo && !word.starts_with('-') {
            is_sudo = false;
        }
        is_sudo |= program == "sudo";
        let has_letter = || {
            let letters = word.strip_prefix('-').unwrap_or_default();
            letters.contains('S') && letters.bytes().all(|byte| byte.is_ascii_alphabetic())
        };
        is_sudo && has_letter()
            || look::is_listed(OPTIONS, word.as_bytes())
            || look::is_listed(PROGRAMS, program.as_bytes())
    })
}

/// What a command prints, if it is one that prints its words.
fn printed(line: &str, command: &Command) -> Vec<Range<usize>> {
    // A prompt may stand before it.
    let is_program =
        |word: &Range<usize>| matches!(&line[word.clone()], "echo" | "printf" | "/bin/echo");
    let place = command.words.iter().take(PROMPT_WORDS).position(is_program);
    let rest = place.and_then(|place| command.words.get(place + 1..));
    let rest = rest.unwrap_or_default();
    let is_option = |word: &&Range<usize>| {
        let word = &line[(*word).clone()];
        word.starts_with('-') || word.contains('%')
    };
    let words = rest.iter().skip_while(is_option);
    words.filter_map(|word| secret(line, word)).collect()
}

/// The secret in a word, unless that stands for something else.
fn secret(line: &str, word: &Range<usize>) -> Option<Range<usize>> {
    let text = &line[word.clone()];
    let found = part(text, 0, super::programs::Part::Whole)?;
    Some(word.start + found.start..word.start + found.end)
}
