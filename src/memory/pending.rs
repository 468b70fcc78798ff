//! Failures that wait to be counted: a recorder that finds the lock held leaves a file, which whoever has the
//! lock next adds.

use std::ffi::OsStr;
use std::io;

use serde::{Deserialize, Serialize};

use super::files::{self, Found};
use super::notes::{note, read_history};
use super::{Changing, FaultStore};
use crate::faults::record::RECORD_VERSION;
use crate::faults::{History, Record, Sighting};

/// Their directory in `local`: a file a session.
pub(super) const PENDING: &str = "pending";
/// The most that are added in one go.
const PENDING_MAX: usize = 1000;

/// A failure as it waits.
#[derive(Serialize, Deserialize)]
struct Pending {
    schema_version: String,
    record: Record,
    sighting: Sighting,
}

impl FaultStore {
    /// Leaves a failure to whoever has the lock next. Gives its history as it will be then, as far as can be
    /// told without the lock.
    pub(super) fn leave(&self, record: &Record, sighting: Sighting) -> io::Result<History> {
        let (_, local) = self.directories()?;
        let (pending, _) = local.open_or_make_child(OsStr::new(PENDING))?;
        let name = format!("{}.json", sighting.session);
        let waiting = Pending {
            schema_version: RECORD_VERSION.to_owned(),
            record: record.clone(),
            sighting: sighting.clone(),
        };
        files::write(&pending, &name, &waiting)?;
        Ok(match read_history(&local, &record.fault).value() {
            Some(mut history) => {
                history.see(sighting);
                history
            }
            None => History::begin(
                record.fault.clone(),
                &record.class,
                &record.command,
                sighting,
            ),
        })
    }

    /// Adds what waits, if there is anything and nobody holds the lock: before somebody asks what is known.
    pub fn settle(&self) {
        let opened = self.open().ok().flatten();
        let local = opened.and_then(|opened| opened.local);
        let waits = local.is_some_and(|local| {
            let pending = local.open_child(OsStr::new(PENDING));
            let stems = pending.and_then(|pending| files::stems(&pending, ".json", 1));
            stems.is_ok_and(|stems| !stems.is_empty())
        });
        if waits {
            // Having the lock is all it takes.
            let _ = self.clone().in_passing().change();
        }
    }
}

/// Adds what waits, in the order in which it happened. What can't be read goes; what can't be written waits on.
pub(super) fn settle(changing: &Changing) {
    let Ok(pending) = changing.local.open_child(OsStr::new(PENDING)) else {
        return;
    };
    let mut waiting = Vec::new();
    for stem in files::stems(&pending, ".json", PENDING_MAX).unwrap_or_default() {
        let name = format!("{stem}.json");
        match files::read::<Pending>(&pending, &name) {
            Found::Value(found) => waiting.push((name, found)),
            Found::Newer(_) => {}
            Found::Nothing | Found::Broken(_) => drop(pending.remove(&name)),
        }
    }
    waiting.sort_by_key(|(_, found)| found.sighting.at);
    for (name, found) in waiting {
        let history = read_history(&changing.local, &found.record.fault).value();
        // Whoever was killed before the file was gone has counted it.
        let is_counted = history.is_some_and(|it| it.sessions.contains(&found.sighting.session));
        if is_counted || note(changing, &found.record, found.sighting).is_ok() {
            let _ = pending.remove(&name);
        }
    }
}
