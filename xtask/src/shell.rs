//! Runs programs.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, bail};

/// The project's directory.
pub(crate) fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_owned()
}

/// cargo, by the name under which it called this program, in the project's directory.
pub(crate) fn cargo<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(arguments).current_dir(root());
    command.stdin(Stdio::null());
    command
}

/// cargo of another toolchain, through rustup. The one that runs this program has set variables that would
/// keep rustup from choosing.
pub(crate) fn cargo_of(toolchain: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.arg(format!("+{toolchain}")).args(arguments);
    command.current_dir(root()).stdin(Stdio::null());
    for name in ["CARGO", "RUSTC", "RUSTDOC", "RUSTUP_TOOLCHAIN"] {
        command.env_remove(name);
    }
    // Never downloads one by itself.
    command.env("RUSTUP_AUTO_INSTALL", "0");
    command
}

/// Where cargo builds.
///
/// # Errors
/// When cargo doesn't tell.
pub(crate) fn target_directory() -> anyhow::Result<PathBuf> {
    let mut metadata = cargo(["metadata", "--format-version", "1", "--no-deps"]);
    let output = metadata.output().context("cargo metadata")?;
    let told: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let path = told["target_directory"].as_str();
    Ok(path
        .context("cargo metadata tells no target directory")?
        .into())
}

/// Whether a program is on `PATH`.
pub(crate) fn has(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|directory| directory.join(program).is_file())
}

/// Runs a command to its end, and takes what it printed.
///
/// # Errors
/// When it can't be started.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<Output> {
    let name = command.get_program().to_string_lossy().into_owned();
    command.output().with_context(|| name)
}

/// Runs a command that must succeed.
///
/// # Errors
/// When it doesn't, with the end of what it said.
pub(crate) fn succeed(command: &mut Command) -> anyhow::Result<String> {
    let output = output(command)?;
    if !output.status.success() {
        bail!("{command:?}: {}", complaint(&output));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The end of what a command that failed said, as one line.
pub(crate) fn complaint(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    let all = [text(&output.stdout), text(&output.stderr)].join("\n");
    let lines: Vec<&str> = all.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = &lines[lines.len().saturating_sub(12)..];
    format!("{}: {}", output.status, last.join(" | "))
}
