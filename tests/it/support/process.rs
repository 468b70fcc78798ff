//! Processes as /proc shows them.

use std::fs;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};

/// Whether a process runs (a zombie does not).
pub(crate) fn process_is_alive(pid: i32) -> bool {
    process_stat(pid).is_some_and(|(state, _)| state != 'Z' && state != 'X')
}

/// The state and the parent of a process.
fn process_stat(pid: i32) -> Option<(char, i32)> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let stat = String::from_utf8_lossy(&stat).into_owned();
    let mut fields = stat[stat.rfind(')')? + 1..].split_whitespace();
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

fn all_processes() -> Vec<i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

/// The children of a process, theirs, and so on.
pub(crate) fn descendants(pid: i32) -> Vec<i32> {
    let parents: Vec<(i32, i32)> = all_processes()
        .into_iter()
        .filter_map(|pid| Some((pid, process_stat(pid)?.1)))
        .collect();
    let mut found = vec![pid];
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        found.extend(
            parents
                .iter()
                .filter(|(_, of)| *of == parent)
                .map(|(pid, _)| *pid),
        );
        next += 1;
    }
    found.remove(0);
    found
}

pub(super) fn describe_process(pid: i32) -> String {
    let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    format!("{pid} {:?} {}", process_stat(pid), command.escape_ascii())
}

/// Every living process that was started with this home directory, whoever its parent is by now.
pub(crate) fn processes_of(home: &Path) -> Vec<i32> {
    let entry = [b"HOME=", home.as_os_str().as_encoded_bytes()].concat();
    let mut found = all_processes();
    found.retain(|&pid| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment
            .split(|&byte| byte == 0)
            .any(|pair| pair == entry)
            && process_is_alive(pid)
    });
    found
}

pub(super) fn kill_processes_of(home: &Path) {
    for pid in processes_of(home) {
        let _ = kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL);
    }
}
