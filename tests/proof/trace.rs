//! strace(1) as a tool that breaks system calls. With `-b execve` it lets go of the command, so that
//! only aido and its helpers are hit.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use super::place::{self, Place};
use super::running::Run;

/// A system call that aido made in a run where nothing was broken.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) name: String,
    /// Which one of that name, from 1.
    pub(crate) occurrence: usize,
    /// As strace shows it.
    pub(crate) line: String,
}

/// A system call that was made to fail.
#[derive(Clone, Debug)]
pub(crate) struct Hit {
    /// Whether aido itself made it, and not the child that was about to become the command.
    pub(crate) by_recorder: bool,
    pub(crate) line: String,
}

/// Why nothing can be traced here; none where it can.
pub(crate) fn missing() -> Option<String> {
    let Some(strace) = place::find("strace") else {
        return Some("no strace here".to_owned());
    };
    let mut probe = std::process::Command::new(strace);
    probe.args(["-f", "-b", "execve", "-o", "/dev/null", "/bin/true"]);
    probe.stdin(std::process::Stdio::null());
    match probe.output() {
        Ok(output) if output.status.success() => None,
        Ok(_) => Some("strace may not trace here".to_owned()),
        Err(error) => Some(format!("strace: {error}")),
    }
}

/// aido under strace, which writes to `log` and does what `expressions` say.
pub(crate) fn traced<S: AsRef<OsStr>>(
    place: &Place,
    log: &Path,
    expressions: &[&str],
    arguments: &[S],
) -> Run {
    let mut run = place
        .program("strace")
        .arguments(["-f", "-b", "execve", "-y", "-o"])
        .arguments([log]);
    for expression in expressions {
        run = run.arguments(["-e", expression]);
    }
    let run = run.arguments([OsStr::new("--"), super::aido().as_os_str()]);
    run.arguments(arguments)
}

/// The calls of aido itself, in order.
pub(crate) fn calls(log: &Path) -> anyhow::Result<Vec<Call>> {
    let text = String::from_utf8_lossy(&fs::read(log)?).into_owned();
    let recorder = recorder(&text);
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut calls = Vec::new();
    for line in text.lines().skip(1) {
        let Some((process, rest)) = line.split_once(' ') else {
            continue;
        };
        let name: String = rest
            .trim_start()
            .chars()
            .take_while(|letter| letter.is_ascii_alphanumeric() || *letter == '_')
            .collect();
        let is_call = rest.trim_start()[name.len()..].starts_with('(');
        if process != recorder || name.is_empty() || !is_call {
            continue;
        }
        let count = counts.entry(name.clone()).or_default();
        *count += 1;
        calls.push(Call {
            name,
            occurrence: *count,
            line: rest.trim_start().to_owned(),
        });
    }
    anyhow::ensure!(calls.len() > 20, "only {} calls were traced", calls.len());
    Ok(calls)
}

/// The calls that were made to fail.
pub(crate) fn hits(log: &Path) -> Vec<Hit> {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    let recorder = recorder(&text);
    let injected = text.lines().filter(|line| line.contains("(INJECTED)"));
    injected
        .filter_map(|line| {
            let (process, rest) = line.split_once(' ')?;
            Some(Hit {
                by_recorder: process == recorder,
                line: rest.trim_start().to_owned(),
            })
        })
        .collect()
}

/// The process in the first line, which is aido's own.
fn recorder(text: &str) -> String {
    text.split(' ').next().unwrap_or_default().to_owned()
}
