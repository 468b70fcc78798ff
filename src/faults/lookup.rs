//! Under which name the failures of a command are found again: one small file a command.

use std::path::Path;

use sha2::{Digest, Sha256};

use super::command;
use super::outcome::hides_exit_code;
use super::shell::{Join, Simple};

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
/// `cargo build`, `sh -c 'cargo build'` and `cargo build 2>&1 | tail`, and another for each other word.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandKey(String);

impl CommandKey {
    /// The key of what was executed, or typed where a shell ran it; none of nothing.
    #[must_use]
    pub fn of(argv: &[String], shell_line: Option<&str>) -> Option<Self> {
        let mut parts = command::unpeeled(argv, shell_line);
        // What only shows less of it.
        while parts.len() > 1
            && parts
                .last()
                .is_some_and(|last| last.join == Join::Pipe && command::is_filter(&last.words))
        {
            parts.pop();
        }
        let mut digest = Sha256::new();
        digest.update(VERSION);
        let mut is_empty = true;
        for Simple { join, words } in &parts {
            digest.update([0, *join as u8, 0]);
            for word in words.iter().filter(|word| !is_redirection(word)) {
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

/// `2>&1`, `>file` and the like; a file named in a word of its own stays.
fn is_redirection(word: &str) -> bool {
    let rest = word.trim_start_matches(|character: char| character.is_ascii_digit());
    rest.starts_with(['>', '<']) || rest.starts_with("&>")
}

/// Whether a run that succeeded proves that its command did: its exit code is the command's own.
#[must_use]
pub fn proves_success(argv: &[String], shell_line: Option<&str>) -> bool {
    // What joins commands; mostly nothing does, which is told without reading them.
    let joins = |word: &str| word.contains(['|', ';', '&', '\n', '(', ')']);
    let has_join = shell_line.is_some_and(joins) || argv.iter().any(|word| joins(word));
    !has_join || !hides_exit_code(&command::parts(argv, shell_line))
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
            "cargo build 2>/dev/null",
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
        assert!(proves_success(&words("cargo build"), None));
        for (line, wanted) in [
            ("cargo build", true),
            ("cd a && cargo build", true),
            ("cargo build | tail", false),
            ("cargo build || true", false),
        ] {
            assert_eq!(proves_success(&[], Some(line)), wanted, "{line}");
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
