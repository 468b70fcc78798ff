//! Under which name the failures of a command are found again: one small file a command.

use std::path::Path;

use sha2::{Digest, Sha256};

use super::command::{self, program};
use super::hidden::hides_exit_code;
use super::shell::{Join, Simple, is_redirection};

/// What a key depends on: bumped when it changes.
const VERSION: &str = "v1";

/// Classes of failures that are the same in every directory: the words of the command are wrong, or the
/// program or the user lacks something.
const ANYWHERE: &[&str] = &[
    "command-not-found",
    "sudo-password",
    "usage",
    "usage-missing-arg",
    "usage-unknown",
];

/// The name under which a command's failures are found: 16 hex digits. The same for
/// `cargo build`, `sh -c 'cargo build'`, `cargo build 2>&1 | tail` and `cargo build; echo done`, and another
/// for each other word.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandKey(String);

impl CommandKey {
    /// The key of what was executed, or typed where a shell ran it; none of nothing.
    #[must_use]
    pub fn of(argv: &[String], shell_line: Option<&str>) -> Option<Self> {
        let parts = command::unpeeled(argv, shell_line);
        let (parts, _) = split(&parts);
        let parts = without_options_of_shell(parts);
        let mut digest = Sha256::new();
        digest.update(VERSION);
        let mut is_empty = true;
        for (index, Simple { join, words }) in parts.iter().enumerate() {
            let join = if index == 0 { Join::Then } else { *join };
            digest.update([0, join as u8, 0]);
            for word in command::undelayed(words)
                .iter()
                .filter(|word| !is_redirection(word))
            {
                is_empty = false;
                digest.update(word.as_bytes());
                digest.update([0]);
            }
        }
        (!is_empty).then(|| Self(hex::encode(digest.finalize())[..16].to_owned()))
    }

    /// The key as text, which is safe as the name of a file.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A line without `set -o pipefail` and its like in front, which say what becomes of exit codes.
fn without_options_of_shell(parts: &[Simple]) -> &[Simple] {
    let is_set = |part: &&Simple| program(&part.words) == "set";
    let front = parts.iter().take_while(is_set).count();
    &parts[if front < parts.len() { front } else { 0 }..]
}

/// A line without what only shows a part of its output or ends it, and that.
fn split(parts: &[Simple]) -> (&[Simple], &[Simple]) {
    let is_besides = |part: &Simple| match part.join {
        Join::Pipe => command::is_filter(&part.words),
        Join::Then | Join::And | Join::Or => command::is_closing(&part.words),
    };
    let besides = parts.iter().rev().take_while(|part| is_besides(part));
    let own = (parts.len() - besides.count()).max(1).min(parts.len());
    parts.split_at(own)
}

/// What shows that a run which ended well did what it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Its exit code, which is its command's own.
    ExitCode,
    /// Its output alone, of which it shows this: the exit code is that of a filter, or of `true`.
    Output(Shown),
}

/// What a line shows of its command's output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// All of it.
    All,
    /// So many lines of its end.
    Last(u64),
    /// What these words let through.
    Part(Vec<String>),
}

impl Proof {
    /// What shows that a run did what it should, if it ended well.
    #[must_use]
    pub fn of(argv: &[String], shell_line: Option<&str>) -> Self {
        // What joins commands; mostly nothing does, which is told without reading them.
        let joins = |word: &str| word.contains(['|', ';', '&', '\n', '(', ')']);
        let has_join = shell_line.is_some_and(joins) || argv.iter().any(|word| joins(word));
        if !has_join {
            return Self::ExitCode;
        }
        let parts = command::unpeeled(argv, shell_line);
        if hides_exit_code(&parts) {
            Self::Output(shown(&parts))
        } else {
            Self::ExitCode
        }
    }

    /// Whether it is enough against a failure of the same command when it was run as `before`. Where that
    /// failure was found in the output alone, output that shows as much and no failure is.
    #[must_use]
    pub fn refutes(&self, before: &str) -> bool {
        let Self::Output(now) = self else {
            return true;
        };
        match (Self::of(&[], Some(before)), now) {
            (Self::ExitCode, _) => false,
            (Self::Output(_), Shown::All) => true,
            (Self::Output(Shown::Last(before)), Shown::Last(now)) => before <= *now,
            (Self::Output(before), now) => before == *now,
        }
    }
}

fn shown(parts: &[Simple]) -> Shown {
    let elsewhere: Vec<&str> = parts.iter().flat_map(elsewhere).collect();
    let filters = split(parts).1.iter();
    let filters = filters.filter(|part| part.join == Join::Pipe);
    let hides = |words: &[String]| !["cat", "tee", "sort", "less", "nl"].contains(&program(words));
    let filters: Vec<&[String]> = filters
        .map(|part| part.words.as_slice())
        .filter(|words| hides(words))
        .collect();
    match filters.as_slice() {
        several if !elsewhere.is_empty() => {
            let elsewhere = elsewhere.into_iter().map(str::to_owned);
            Shown::Part(several.concat().into_iter().chain(elsewhere).collect())
        }
        [] => Shown::All,
        [tail] if program(tail) == "tail" && last_lines(tail).is_some() => {
            Shown::Last(last_lines(tail).unwrap_or_default())
        }
        several => Shown::Part(several.concat()),
    }
}

/// Where a command's output goes instead: `2>/dev/null`, `>log`; not `2>&1`.
fn elsewhere(part: &Simple) -> impl Iterator<Item = &str> {
    let words = part.words.iter().map(String::as_str);
    words.filter(|word| is_redirection(word) && word.contains('>') && !word.contains(">&"))
}

/// How many lines `tail` shows: `tail`, `tail -5`, `tail -n 5`, `tail -n5`, `tail --lines=5`.
fn last_lines(tail: &[String]) -> Option<u64> {
    let number = match tail.get(1..)? {
        [] => return Some(10),
        [option, number] if option == "-n" || option == "--lines" => number,
        [option] => ["--lines=", "-n", "-"]
            .iter()
            .find_map(|start| option.strip_prefix(start))?,
        _ => return None,
    };
    number.parse().ok()
}

/// Whether a kind of failure is the same wherever the command runs.
#[must_use]
pub fn is_the_same_anywhere(class: &str) -> bool {
    ANYWHERE.contains(&class)
}

/// A directory as failures remember it: below `root` relative to it, so that it is the same in another
/// checkout; else as it is.
#[must_use]
pub fn directory(current: &Path, root: Option<&Path>) -> String {
    let below = root.and_then(|root| current.strip_prefix(root).ok());
    let shown = below.unwrap_or(current).to_string_lossy();
    if shown.is_empty() {
        ".".to_owned()
    } else {
        shown.into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn a_command_is_found_however_its_output_was_shown() {
        let plain = CommandKey::of(&words("cargo build"), None).unwrap();
        assert_eq!(plain.as_str().len(), 16);
        let line = |line: &str| CommandKey::of(&[], Some(line)).unwrap();
        for same in [
            "cargo build",
            "  cargo   build",
            "cargo build 2>&1",
            "cargo build 2>&1 | tail -3",
            "cargo build |& grep error | head",
            "cargo build; exit $?",
            "cargo build; echo done",
            "cargo build 2>&1 | tail -3; echo \"exit ${PIPESTATUS[0]}\"",
            "cargo build || true",
            "cargo build 2>/dev/null",
            "cargo build > log 2>&1",
            "cargo build > /dev/null 2>&1",
            "cargo build &> log",
            "timeout 60 cargo build",
            "timeout -k 5 60s nice -n 5 cargo build",
            "time cargo build",
            "set -o pipefail; cargo build 2>&1 | tail",
            "set -e && cargo build",
            "'cargo' \"build\"",
        ] {
            assert_eq!(line(same), plain, "{same}");
        }
        let in_shell = ["bash", "-lc", "cargo build | tail"].map(str::to_owned);
        assert_eq!(CommandKey::of(&in_shell, None).unwrap(), plain);
        for other in [
            "cargo build -q",
            "cargobuild",
            "cargo 'build '",
            "A=b cargo build",
            "sudo cargo build",
            "cd x && cargo build",
            "cargo build; cargo build",
            "cargo && build",
        ] {
            assert_ne!(line(other), plain, "{other}");
        }
        assert_ne!(line("a && b"), line("a || b"));
        assert_eq!(CommandKey::of(&[], None), None);
        assert_eq!(CommandKey::of(&[], Some(" ; ")), None);
    }

    #[test]
    fn success_is_proved_by_the_commands_own_exit_code() {
        assert_eq!(Proof::of(&words("cargo build"), None), Proof::ExitCode);
        for (line, wanted) in [
            ("cargo build", true),
            ("cd a && cargo build", true),
            ("cargo build; exit $?", true),
            ("cargo build | tail", false),
            ("cargo build || true", false),
        ] {
            let is_own = Proof::of(&[], Some(line)) == Proof::ExitCode;
            assert_eq!(is_own, wanted, "{line}");
        }
    }

    #[test]
    fn what_was_found_in_the_output_alone_is_refuted_by_as_much_of_it() {
        for (before, now, wanted) in [
            ("make", "make", true),
            ("make | tail", "make", true),
            ("make", "make | tail", false),
            ("make | tail", "make | tail", true),
            ("make | tail -n 3", "make | tail -5; echo done", true),
            ("make | tail -5", "make | tail --lines=3", false),
            ("make | tail -5", "make | tee log", true),
            ("make || true", "make; true", true),
            ("make || true", "make | tail", false),
            ("make | grep error", "make | grep error", true),
            ("make | grep error", "make | grep warning", false),
            ("make | head", "make | tail", false),
            ("make | tail -c 5", "make | tail -n 50", false),
            // What isn't seen tells nothing.
            ("make | tail", "make >/dev/null 2>&1 || true", false),
            ("make | tail", "make 2> log | cat", false),
            ("make 2>/dev/null | tail", "make 2>/dev/null | tail", true),
            ("make 2>/dev/null | tail", "make 2>&1 | cat", true),
        ] {
            let proof = Proof::of(&[], Some(now));
            assert_eq!(proof.refutes(before), wanted, "{before}, then {now}");
        }
    }

    #[test]
    fn a_directory_is_the_same_in_another_checkout() {
        let path = Path::new;
        assert_eq!(directory(path("/a/b"), Some(path("/a/b"))), ".");
        assert_eq!(directory(path("/a/b/c"), Some(path("/a/b"))), "c");
        assert_eq!(directory(path("/x"), Some(path("/a/b"))), "/x");
        assert_eq!(directory(path("/x"), None), "/x");
    }
}
