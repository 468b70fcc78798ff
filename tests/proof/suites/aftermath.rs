//! What must hold after recorders were killed, whenever that was.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::place::Place;
use crate::running::Output;
use crate::sessions::{self, Listing};
use crate::words;

/// The code with which every command here ends.
pub(super) const CODE: i32 = 7;

/// A run that may have been killed.
pub(super) struct Told {
    /// What tells its session from the others; the command prints it first.
    pub(super) token: String,
    /// Whether the command ran.
    pub(super) has_started: bool,
    /// What the caller had of it.
    pub(super) output: Output,
}

/// A command that says on the disk that it started, prints its token and so many lines more.
pub(super) fn command(place: &Place, token: &str, lines: usize) -> [String; 3] {
    let started = started(place, token);
    let line = format!(
        ": >{}; echo {token}; i=0; while [ $i -lt {lines} ]; do echo \"line $i of {token}\"; \
         i=$((i+1)); done; exit {CODE}",
        started.display()
    );
    ["sh".to_owned(), "-c".to_owned(), line]
}

/// Looks whether the command of this token started.
pub(super) fn has_started(place: &Place, token: &str) -> bool {
    started(place, token).exists()
}

fn started(place: &Place, token: &str) -> PathBuf {
    place.path("temporary").join(token)
}

/// What happened to the sessions.
#[derive(Default)]
pub(super) struct Found {
    /// Sessions that were interrupted, all of which have a sidecar now.
    pub(super) recovered: usize,
    /// What should not be.
    pub(super) faults: Vec<String>,
}

/// Judges a store in which nothing runs but the sessions of the tokens in `alive`.
pub(super) fn judge(place: &Place, told: &[Told], alive: &[&str]) -> anyhow::Result<Found> {
    let mut found = Found::default();
    let listing = sessions::list(place)?;
    let ids = ids_by_token(place, &listing);
    for run in told {
        found
            .faults
            .extend(judge_run(place, run, ids.get(&run.token), &listing));
    }
    let alive: BTreeSet<String> = alive
        .iter()
        .filter_map(|token| ids.get(*token).cloned())
        .collect();
    let mut recovered = 0;
    for id in &listing.finished {
        match sessions::read(&place.sessions(), id) {
            Ok(session) => recovered += usize::from(session.meta["status"] == "interrupted"),
            Err(fault) => found.faults.push(fault),
        }
    }
    found.recovered = recovered + listing.unfinished.difference(&alive).count();
    let before = files_of(place, &alive);
    words::recover(place)?;
    judge_recovered(place, &listing, &alive, &mut found.faults)?;
    let once = picture(place)?;
    words::recover(place)?;
    if once != picture(place)? {
        let what = "recovering again changed something";
        found.faults.push(what.to_owned());
    }
    if before != files_of(place, &alive) {
        let what = "recover touched a running session";
        found.faults.push(what.to_owned());
    }
    let verified = words::verify(place)?;
    if !verified.all_fine {
        let what = format!("verify: {:?}", verified.statuses);
        found.faults.push(what);
    }
    Ok(found)
}

/// What must hold of one run before anything is recovered.
fn judge_run(place: &Place, run: &Told, id: Option<&String>, listing: &Listing) -> Vec<String> {
    let mut faults = Vec::new();
    let mut fault =
        |what: &str| faults.push(format!("{}: {what}: {}", run.token, run.output.describe()));
    let was_killed = run.output.signal() == Some(libc::SIGKILL);
    if !was_killed && run.output.code() != CODE {
        fault("neither killed nor the command's code");
    }
    let Some(id) = id else {
        if run.has_started {
            fault("started and left no record");
        }
        return faults;
    };
    let Some(transcript) = sessions::transcript(place, id) else {
        if run.has_started {
            fault("started and has no transcript");
        }
        return faults;
    };
    // What the caller saw has been recorded before.
    if !transcript.starts_with(&run.output.stdout) {
        fault("was shown more than was recorded");
    }
    if !was_killed && !listing.finished.contains(id) {
        fault("ended by itself and has no sidecar");
    }
    faults
}

fn judge_recovered(
    place: &Place,
    before: &Listing,
    alive: &BTreeSet<String>,
    faults: &mut Vec<String>,
) -> anyhow::Result<()> {
    let after = sessions::list(place)?;
    if after.unfinished != *alive {
        faults.push(format!(
            "unfinished after recover: {:?} instead of {alive:?}",
            after.unfinished
        ));
    }
    if after.temporary.len() != alive.len() {
        let (count, expected) = (after.temporary.len(), alive.len());
        faults.push(format!(
            "{count} other files after recover instead of {expected}: {:?}",
            after.temporary
        ));
    }
    let gone = before.finished.union(&before.unfinished);
    let gone = gone.filter(|id| !after.finished.contains(*id) && !after.unfinished.contains(*id));
    faults.extend(gone.map(|id| format!("gone after recover: {id}")));
    for id in before.unfinished.difference(alive) {
        match sessions::read(&place.sessions(), id) {
            Ok(session) => {
                let is_right = session.meta["status"] == "interrupted"
                    && session.meta["exit_code"] == Value::Null;
                if !is_right {
                    faults.push(format!("recovered with a code: {id} {}", session.meta));
                }
            }
            Err(fault) => faults.push(fault),
        }
    }
    Ok(())
}

/// Which session is whose: the token is in the recorded command.
fn ids_by_token(place: &Place, listing: &Listing) -> BTreeMap<String, String> {
    let ids = listing.finished.union(&listing.unfinished);
    let token = |id: &String| {
        let record = sessions::start_record(place, id)?;
        let line = record["argv"].as_array()?.last()?.as_str()?.to_owned();
        let token = line.split("echo ").nth(1)?.split(';').next()?.to_owned();
        Some((token, id.clone()))
    };
    ids.filter_map(token).collect()
}

/// Names, lengths and numbers of the files of these sessions.
fn files_of(place: &Place, ids: &BTreeSet<String>) -> Vec<(PathBuf, u64)> {
    use std::os::unix::fs::MetadataExt;
    let mut directories = sessions::directories(place);
    directories.push(place.sessions().join("live"));
    let entries = directories
        .iter()
        .filter_map(|path| fs::read_dir(path).ok());
    let mut found: Vec<(PathBuf, u64)> = entries
        .flatten()
        .flatten()
        .filter(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            ids.iter().any(|id| name.starts_with(id.as_str()))
        })
        .filter_map(|entry| Some((entry.path(), entry.metadata().ok()?.ino())))
        .collect();
    found.sort();
    found
}

/// The store file by file, with digests, but for what the live sessions may have changed.
fn picture(place: &Place) -> anyhow::Result<Vec<(PathBuf, String)>> {
    let mut found = Vec::new();
    for directory in sessions::directories(place) {
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_file() && !path.to_string_lossy().contains("live") {
                let digest = hex::encode(Sha256::digest(fs::read(&path)?));
                found.push((path, digest));
            }
        }
    }
    found.sort();
    Ok(found)
}
