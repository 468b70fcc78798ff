//! Recordings as their files tell it. The product's own readers are under test, so nothing here uses
//! them.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::place::Place;

const TRANSCRIPT: &str = ".typescript";
const EVENTS: &str = ".events.jsonl";
const SIDECAR: &str = ".meta.json";
/// What else belongs in a session directory.
const KNOWN: [&str; 7] = [
    ".gitignore",
    ".housekeeping",
    ".lock",
    "index.endings",
    "index.jsonl",
    "live",
    "pruned.jsonl",
];

/// What is in a session directory, and in the places of its live files.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// Sessions with a sidecar.
    pub(crate) finished: BTreeSet<String>,
    /// Sessions with events or a transcript, and no sidecar.
    pub(crate) unfinished: BTreeSet<String>,
    /// Entries of running sessions, files in the making, and what nobody knows.
    pub(crate) temporary: Vec<PathBuf>,
}

/// The directories that hold a place's sessions: the session directory, and those of live files.
pub(crate) fn directories(place: &Place) -> Vec<PathBuf> {
    let mut found = vec![place.sessions()];
    let live = fs::read_dir(place.state().join("live"))
        .into_iter()
        .flatten()
        .flatten();
    found.extend(live.map(|entry| entry.path()));
    found
}

/// Lists what is there.
pub(crate) fn list(place: &Place) -> io::Result<Listing> {
    let mut listing = Listing::default();
    for directory in directories(place) {
        let entries = match fs::read_dir(&directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if let Some(id) = name.strip_suffix(SIDECAR) {
                listing.finished.insert(id.to_owned());
            } else if let Some(id) = session_of(&name) {
                listing.unfinished.insert(id.to_owned());
            } else if !KNOWN.contains(&name.as_str()) {
                listing.temporary.push(entry.path());
            }
        }
    }
    let entries = fs::read_dir(place.sessions().join("live"))
        .into_iter()
        .flatten()
        .flatten();
    listing.temporary.extend(entries.map(|entry| entry.path()));
    let finished = &listing.finished;
    listing.unfinished.retain(|id| !finished.contains(id));
    Ok(listing)
}

/// The finished sessions of a directory; none if there is no such directory.
pub(crate) fn finished_in(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            name.strip_suffix(SIDECAR).map(str::to_owned)
        })
        .collect()
}

fn session_of(name: &str) -> Option<&str> {
    let id = name
        .strip_suffix(TRANSCRIPT)
        .or_else(|| name.strip_suffix(EVENTS))?;
    (!id.starts_with('.')).then_some(id)
}

/// One of a session's files, wherever it stands.
fn file_of(place: &Place, id: &str, ending: &str) -> Option<PathBuf> {
    let mut paths = directories(place).into_iter();
    paths.find_map(|path| Some(path.join(format!("{id}{ending}"))).filter(|path| path.exists()))
}

/// The transcript of a session, finished or not.
pub(crate) fn transcript(place: &Place, id: &str) -> Option<Vec<u8>> {
    fs::read(file_of(place, id, TRANSCRIPT)?).ok()
}

/// The start record of a session, finished or not.
pub(crate) fn start_record(place: &Place, id: &str) -> Option<Value> {
    let text = fs::read_to_string(file_of(place, id, EVENTS)?).ok()?;
    serde_json::from_str(text.lines().next()?).ok()
}

/// A finished session whose files agree with each other.
pub(crate) struct Session {
    pub(crate) meta: Value,
    /// What the command printed.
    pub(crate) output: Vec<u8>,
    /// What is wrong with its events.
    pub(crate) events_fault: Option<String>,
}

impl Session {
    /// The exit code; none where nobody knows it.
    pub(crate) fn exit_code(&self) -> Option<i64> {
        self.meta["exit_code"].as_i64()
    }
}

/// Reads a finished session and compares its files with each other: digest, marker, counts, modes.
///
/// # Errors
/// What doesn't agree.
pub(crate) fn read(directory: &Path, id: &str) -> Result<Session, String> {
    let session = read_without_events(directory, id)?;
    match session.events_fault {
        Some(fault) => Err(format!("{id}: {fault}")),
        None => Ok(session),
    }
}

/// Reads a finished session whose events may have suffered.
///
/// # Errors
/// What doesn't agree in the sidecar and the transcript.
pub(crate) fn read_without_events(directory: &Path, id: &str) -> Result<Session, String> {
    let wrong = |what: &str| format!("{id}: {what}");
    let path = |ending: &str| directory.join(format!("{id}{ending}"));
    let bytes =
        |ending: &str| fs::read(path(ending)).map_err(|error| wrong(&format!("{ending}: {error}")));
    let meta: Value = serde_json::from_slice(&bytes(SIDECAR)?)
        .map_err(|error| wrong(&format!("half-written sidecar: {error}")))?;
    if meta["session_id"] != id {
        return Err(wrong("the sidecar is another session's"));
    }
    let transcript = bytes(TRANSCRIPT)?;
    let digest = hex::encode(Sha256::digest(&transcript));
    if meta["sha256"] != digest.as_str() {
        return Err(wrong("the digest is not the transcript's"));
    }
    let output_bytes = meta["output_bytes"]
        .as_u64()
        .and_then(|count| usize::try_from(count).ok());
    let split = output_bytes.and_then(|count| transcript.split_at_checked(count));
    let (output, marker) = split.ok_or_else(|| wrong("the transcript is shorter than said"))?;
    let is_marker = match &meta["exit_code"] {
        // A recorder that was killed leaves its transcript as it is, with the marker or without.
        Value::Null => {
            let text = String::from_utf8_lossy(marker);
            let is_whole = text.starts_with("\n=== AI_EXIT_CODE: ") && text.ends_with(" ===\n");
            marker.is_empty() || is_whole
        }
        code => marker == format!("\n=== AI_EXIT_CODE: {code} ===\n").as_bytes(),
    };
    if !is_marker {
        return Err(wrong("the marker is not where it should be"));
    }
    for ending in [SIDECAR, TRANSCRIPT, EVENTS] {
        let mode = fs::metadata(path(ending)).map(|status| status.permissions().mode() & 0o7777);
        if mode.is_ok_and(|mode| mode != 0o600) {
            return Err(wrong(&format!("{ending} is not private")));
        }
    }
    let events_fault = match meta["exit_code"].is_i64() {
        true => bytes(EVENTS)
            .and_then(|events| check_events(&events, &meta))
            .err(),
        false => None,
    };
    Ok(Session {
        output: output.to_vec(),
        meta,
        events_fault,
    })
}

/// The events of a session that ended by itself: a start, an end, and as many bytes as there are.
fn check_events(events: &[u8], meta: &Value) -> Result<(), String> {
    let lines: Result<Vec<Value>, _> = events
        .split_inclusive(|byte| *byte == b'\n')
        .map(serde_json::from_slice)
        .collect();
    let lines = lines.map_err(|error| format!("events: {error}"))?;
    let (Some(first), Some(last)) = (lines.first(), lines.last()) else {
        return Err("no events".to_owned());
    };
    let outputs = lines.iter().filter(|line| line["type"] == "output");
    let sum: u64 = outputs.filter_map(|line| line["bytes"].as_u64()).sum();
    let agree = first["type"] == "start"
        && first["argv"] == meta["argv"]
        && last["type"] == "exit"
        && last["exit_code"] == meta["exit_code"]
        && last["output_bytes"] == meta["output_bytes"]
        && meta["output_bytes"] == sum;
    agree
        .then_some(())
        .ok_or_else(|| "the events disagree with the sidecar".to_owned())
}

/// The ids in the index, in its order.
///
/// # Errors
/// A line that is none.
pub(crate) fn indexed(directory: &Path) -> Result<Vec<String>, String> {
    let text = fs::read_to_string(directory.join("index.jsonl"));
    let text = text.map_err(|error| format!("index: {error}"))?;
    let id = |line: &str| {
        let line: Value = serde_json::from_str(line).ok()?;
        Some(line["session_id"].as_str()?.to_owned())
    };
    // A line that another recorder is just writing looks like one that was cut off, behind which the
    // next begins a new one: that leaves an empty line, which readers pass over.
    text.lines()
        .filter(|line| !line.is_empty())
        .map(|line| id(line).ok_or_else(|| format!("index: half a line: {line}")))
        .collect()
}

/// What is said and what is so of a recording that is too large to be held in memory.
#[derive(Debug)]
pub(crate) struct Large {
    pub(crate) output_bytes: u64,
    pub(crate) exit_code: Option<i64>,
    pub(crate) is_digest_right: bool,
}

/// Reads a large recording piece by piece.
///
/// # Errors
/// What can't be read.
pub(crate) fn digest_of_large(directory: &Path, id: &str) -> Result<Large, String> {
    let path = |ending: &str| directory.join(format!("{id}{ending}"));
    let said = |error: io::Error| format!("{id}: {error}");
    let meta = fs::read(path(SIDECAR)).map_err(said)?;
    let meta: Value = serde_json::from_slice(&meta).map_err(|error| error.to_string())?;
    let mut file = fs::File::open(path(TRANSCRIPT)).map_err(said)?;
    let mut digest = Sha256::new();
    let mut chunk = vec![0; 1 << 20];
    loop {
        let count = io::Read::read(&mut file, &mut chunk).map_err(said)?;
        if count == 0 {
            break;
        }
        digest.update(&chunk[..count]);
    }
    Ok(Large {
        output_bytes: meta["output_bytes"].as_u64().unwrap_or(0),
        exit_code: meta["exit_code"].as_i64(),
        is_digest_right: meta["sha256"] == hex::encode(digest.finalize()).as_str(),
    })
}
