//! aido's own words that read or judge a store. Each is called in one place, here.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, bail};
use serde_json::Value;

use super::place::Place;

/// The words that read a store and change nothing, with what they can be asked without knowing it.
pub(crate) const READERS: &[&[&str]] = &[
    &["list"],
    &["list", "--json"],
    &["list", "-n", "0", "--ndjson"],
    &["list", "--pruned"],
    &["show"],
    &["show", "--json"],
    &["show", "--meta"],
    &["show", "--events"],
    &["show", "--for-agent=always"],
    &["search", "e"],
    &["search", "--json", "e"],
    &["rerun", "--dry-run", "--trust"],
    &["prune", "--dry-run"],
    &["verify"],
    &["verify", "--json"],
    &["stats"],
    &["doctor"],
];

/// What `aido verify --json` says.
pub(crate) struct Verified {
    /// Whether it found all in order, by its exit code.
    pub(crate) all_fine: bool,
    /// The status of each session.
    pub(crate) statuses: BTreeMap<String, String>,
    /// Each session as it is told.
    pub(crate) sessions: BTreeMap<String, Value>,
}

/// Verifies a place's sessions.
///
/// # Errors
/// An answer that is none.
pub(crate) fn verify(place: &Place) -> anyhow::Result<Verified> {
    verify_in(place, &place.sessions())
}

/// Verifies the sessions in another directory, as a place's user.
///
/// # Errors
/// As [`verify`].
pub(crate) fn verify_in(place: &Place, store: &Path) -> anyhow::Result<Verified> {
    let run = place.aido(["verify", "--json"]);
    // A repository's store is found, not named.
    let run = match store == place.sessions() {
        true => run,
        false => run.env("AIDO_SESSION_DIR", store),
    };
    let run = run.output()?;
    let all_fine = match run.code() {
        0 => true,
        1 => false,
        _ => bail!("verify: {}", run.describe()),
    };
    let told: Value = serde_json::from_slice(&run.stdout)
        .with_context(|| format!("verify: {}", run.describe()))?;
    let told = told["sessions"].as_array().cloned();
    let told = told.with_context(|| format!("verify without sessions: {}", run.describe()))?;
    let sessions = told.into_iter().filter_map(|session| {
        let id = session["session_id"].as_str()?.to_owned();
        Some((id, session))
    });
    let sessions: BTreeMap<String, Value> = sessions.collect();
    let statuses = sessions.iter().map(|(id, session)| {
        let status = session["status"].as_str().unwrap_or_default();
        (id.clone(), status.to_owned())
    });
    Ok(Verified {
        all_fine,
        statuses: statuses.collect(),
        sessions,
    })
}

/// Recovers a place's interrupted sessions.
///
/// # Errors
/// When it doesn't succeed.
pub(crate) fn recover(place: &Place) -> anyhow::Result<()> {
    let run = place.aido(["recover", "--json"]).output()?;
    let answer: Result<Value, _> = serde_json::from_slice(&run.stdout);
    if run.code() != 0 || answer.is_err() {
        bail!("recover: {}", run.describe());
    }
    Ok(())
}
