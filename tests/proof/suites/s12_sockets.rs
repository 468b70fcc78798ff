//! S12: every word of aido's is traced, with all processes that it starts; none makes a socket but a local
//! one. Netlink, packet and internet sockets are all the same here: forbidden.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::Bench;
use crate::place::{Kept, Place};
use crate::trace;
use crate::verdict::Verdict;

/// Lines of shell that together have every word, in one place and in this order. Each must end with 0, so
/// that a word that didn't do its work is no proof.
const LINES: &[&str] = &[
    "aido sh -c 'echo one; exit 3' || test $? = 3",
    "aido --tty auto --task t -- sh -c 'echo two'",
    "aido --no-record true",
    "aido start --name s -- sh && aido send s 'echo $((6 * 7))' --enter && \
     aido wait s --text 42 --timeout 20s && aido capture s && aido send s exit --enter && \
     aido wait s --timeout 20s",
    // attach needs a terminal, and a detached session has one.
    "aido start --name shown -- sh -c 'echo ready; read line' && \
     aido start --name outer -- sh -c 'aido attach shown; echo code=$?; read line' && \
     aido wait outer --text ready --timeout 20s && aido send shown x --enter && \
     aido wait outer --text code=0 --timeout 20s && aido send outer x --enter && \
     aido wait outer --timeout 20s",
    "aido start --name ended -- sh && aido stop ended",
    "aido list && aido list --json && aido list --failed; aido list --pruned || test $? = 1",
    "aido show && aido show last:failed --json && aido show --events",
    "aido search one && aido search --json one",
    "aido export last:failed --format ndjson -o one.ndjson && aido verify --export one.ndjson",
    "aido export last:failed --format asciicast -o one.cast && aido import one.cast",
    "aido export last:failed --format otlp",
    "aido note last 'a note' --pin && aido replay last:failed --idle-limit 0.1",
    "aido report -o report.html",
    "aido rerun last:failed --dry-run",
    "aido recover && aido prune --dry-run && aido prune -y && aido verify && aido stats",
    "aido tasks && aido tasks note t done && aido handoff",
    "aido faults && aido lesson add --command sh 'look first' && aido lessons",
    "aido check -- sh -c 'echo one; exit 3' || test $? = 1",
    "aido conversations || test $? = 1",
    "aido init --agent claude --dry-run",
    "echo '{\"hook_event_name\":\"SessionStart\",\"session_id\":\"c\",\"transcript_path\":\"x\"}' | aido hook claude",
    "aido --checkpoint both -- sh -c 'echo new >new'; aido checkpoint list || test $? = 1",
    "echo '{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}' | aido mcp",
    "aido doctor || test $? = 1",
    "aido schema && aido completions bash && aido __complete -- show ''",
];

pub(crate) fn run(bench: &Bench) -> anyhow::Result<Verdict> {
    let mut verdict = Verdict::new();
    let missing: Vec<&str> = aido::cli::word::NAMES
        .iter()
        .copied()
        .filter(|word| !LINES.iter().any(|line| has_word(line, word)))
        .collect();
    verdict.check(missing.is_empty(), || {
        format!(
            "not traced: {}; add a line to LINES in {}",
            missing.join(", "),
            file!()
        )
    });
    if let Some(reason) = trace::missing() {
        verdict.skip(reason);
        return Ok(verdict);
    }
    let place = Place::new(bench, "S12", Kept::InRepository)?;
    let programs = place.path("programs");
    fs::create_dir(&programs)?;
    std::os::unix::fs::symlink(crate::aido(), programs.join("aido"))?;
    let (mut local, mut processes, mut others) = (0, 0, 0);
    for (number, line) in LINES.iter().enumerate() {
        let log = place.path(&format!("log{number}"));
        let path = format!("{}:{}", programs.display(), crate::place::SEARCH_PATH);
        let run = place
            .program("strace")
            .arguments(["-f", "-e", "trace=network", "-o"])
            .arguments([&log])
            .arguments(["--", "sh", "-ec", line])
            .env("PATH", path)
            .output()?;
        verdict.check(run.code() == 0, || format!("{line}: {}", run.describe()));
        let seen = read(&log)?;
        local += seen.local;
        processes += seen.processes;
        others += seen.others.len();
        for call in seen.others {
            verdict.fault(format!("{line}: {call}"));
        }
    }
    // A trace that sees no socket at all would see no forbidden one either.
    verdict.check(local > 0, || {
        "no socket was seen, not even that of a detached session".to_owned()
    });
    verdict.figure(format!("{} words", aido::cli::word::NAMES.len()));
    verdict.figure(format!("{processes} processes"));
    verdict.figure(format!("{local} local sockets, {others} others"));
    Ok(verdict)
}

/// Whether a line runs `aido WORD`.
fn has_word(line: &str, word: &str) -> bool {
    let words: Vec<&str> = line.split([' ', '\'']).collect();
    words.windows(2).any(|pair| pair == ["aido", word])
}

struct Seen {
    local: usize,
    processes: usize,
    others: Vec<String>,
}

/// Reads what strace wrote: calls that make a socket, or name an address.
fn read(log: &Path) -> anyhow::Result<Seen> {
    let text = String::from_utf8_lossy(&fs::read(log)?).into_owned();
    let mut seen = Seen {
        local: 0,
        processes: 0,
        others: Vec::new(),
    };
    let mut processes = BTreeSet::new();
    for line in text.lines() {
        let (process, call) = line.split_once(' ').unwrap_or((line, ""));
        processes.insert(process.to_owned());
        let families = call.matches("AF_").count();
        let local = call.matches("AF_UNIX").count();
        let makes = call.trim_start().starts_with("socket");
        // What names a family that strace doesn't know has no AF_ at all.
        if families != local || (makes && call.contains('(') && local == 0) {
            seen.others.push(call.to_owned());
        } else if makes {
            seen.local += 1;
        }
    }
    seen.processes = processes.len();
    Ok(seen)
}
