//! Processes as /proc shows them.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::verdict::Verdict;

/// How long a suite's processes may take to end by themselves.
const ENDING: Duration = Duration::from_secs(5);

fn all() -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

/// State and parent of a process.
fn state(process: u32) -> Option<(char, u32)> {
    let stat = fs::read(format!("/proc/{process}/stat")).ok()?;
    let stat = String::from_utf8_lossy(&stat).into_owned();
    // The name before may hold spaces and parentheses.
    let mut fields = stat[stat.rfind(')')? + 1..].split_whitespace();
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

/// Whether it runs; a zombie doesn't.
pub(crate) fn is_alive(process: u32) -> bool {
    state(process).is_some_and(|(state, _)| state != 'Z' && state != 'X')
}

/// The living children of a process, theirs, and so on.
pub(crate) fn descendants(process: u32) -> Vec<u32> {
    let parents: Vec<(u32, u32)> = all()
        .into_iter()
        .filter_map(|process| Some((process, state(process)?.1)))
        .collect();
    let mut found = vec![process];
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        let children = parents.iter().filter(|(_, of)| *of == parent);
        found.extend(children.map(|(process, _)| *process));
        next += 1;
    }
    found.remove(0);
    found.retain(|process| is_alive(*process));
    found
}

/// The living processes whose home directory is below this one, whoever their parent is by now.
pub(crate) fn at_home_below(root: &Path) -> Vec<u32> {
    let beginning = [b"HOME=", root.as_os_str().as_encoded_bytes(), b"/"].concat();
    let mut found = all();
    found.retain(|process| {
        let environment = fs::read(format!("/proc/{process}/environ")).unwrap_or_default();
        let mut pairs = environment.split(|byte| *byte == 0);
        pairs.any(|pair| pair.starts_with(&beginning)) && is_alive(*process)
    });
    found
}

/// Ends processes and those that they start meanwhile.
pub(crate) fn end_all(find: impl Fn() -> Vec<u32>) {
    let deadline = Instant::now() + ENDING;
    loop {
        let found = find();
        if found.is_empty() || Instant::now() > deadline {
            return;
        }
        for process in found {
            kill(process);
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// Ends one process.
pub(crate) fn kill(process: u32) {
    let process = i32::try_from(process).ok().and_then(Pid::from_raw);
    if let Some(process) = process {
        let _ = kill_process(process, Signal::KILL);
    }
}

/// Adds a fault for each process that a suite left behind, and ends it.
pub(crate) fn none_left(root: &Path, verdict: &mut Verdict) {
    let deadline = Instant::now() + ENDING;
    let mut left = at_home_below(root);
    while !left.is_empty() && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(10));
        left = at_home_below(root);
    }
    for process in &left {
        let words = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
        verdict.fault(format!("left running: {process} {}", words.escape_ascii()));
    }
    end_all(|| at_home_below(root));
}
