//! Asking git whether it would see a file: the one question that only git itself can answer.

use std::path::Path;
use std::process::{Command, Stdio};

/// The line of which file hides a name in a directory from git, as `FILE:LINE:PATTERN`. None where nothing
/// does, and where there is no git or no repository to ask.
#[must_use]
pub(super) fn hidden_by(directory: &Path, name: &str) -> Option<String> {
    let asked = Command::new("git")
        .arg("-C")
        .arg(directory)
        .args(["check-ignore", "--verbose", "--", name])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let said = String::from_utf8_lossy(&asked.stdout);
    let line = said.lines().next().filter(|_| asked.status.success())?;
    let (source, _) = line.split_once('\t')?;
    Some(source.to_owned())
}
