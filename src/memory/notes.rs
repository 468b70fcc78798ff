//! What a recorder notes: that a command failed, or works again.

use std::io;

use super::files::{self, Found};
use super::{Changing, FaultStore, marks};
use crate::faults::history::{End, Failing, Tree};
use crate::faults::{CommandKey, FaultId, History, Record, Sighting};
use crate::session::Timestamp;
use crate::sys::file::Directory;

/// A command that worked.
pub struct Success {
    /// The session.
    pub session: String,
    /// When it started.
    pub at: Timestamp,
    /// The commit it worked on.
    pub commit: Option<String>,
    /// The directory, as [`directory`](crate::faults::lookup::directory) shows it.
    pub directory: String,
}

/// The name of a failure's file.
pub(super) fn file_name(fault: &FaultId) -> String {
    format!("{fault}.json")
}

impl FaultStore {
    /// Notes a failure: its record, if there is none yet, its history, and a mark for its command. Gives
    /// the history as it is now. Where somebody holds the lock, that waits for whoever has it next.
    ///
    /// # Errors
    /// When it can't be written, or a later aido has written what is there.
    pub fn note_failure(&self, record: &Record, sighting: Sighting) -> io::Result<History> {
        match self.change() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.leave(record, sighting),
            changing => note(&changing?, record, sighting),
        }
    }

    /// Notes that a command worked that ran into these failures before. `tree` tells whether the tree is
    /// as it was at that time, `refutes` whether the run says anything about what was seen then.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn note_success(
        &self,
        key: &CommandKey,
        faults: &[FaultId],
        success: &Success,
        tree: &dyn Fn(&History) -> Tree,
        refutes: &dyn Fn(&History) -> bool,
    ) -> io::Result<()> {
        let here = Failing {
            key: key.as_str().to_owned(),
            directory: success.directory.clone(),
        };
        let changing = self.change()?;
        for fault in faults {
            let Found::Value(mut history) = read_history(&changing.local, fault) else {
                continue;
            };
            let found = history.failing_like(&here).cloned();
            // A run that started before the failure says nothing about it.
            let is_later = success.at > history.last_seen;
            let Some(failing) = found.filter(|_| is_later && refutes(&history)) else {
                continue;
            };
            let end = End {
                at: success.at,
                session: Some(success.session.clone()),
                commit: success.commit.clone(),
            };
            let tree = if history.may_be_flaky() {
                tree(&history)
            } else {
                Tree::Unknown
            };
            history.pass(&failing, end, tree);
            files::write(&changing.local, &file_name(fault), &history)?;
        }
        marks::retain(&changing.local, key.as_str(), &mut |fault| {
            let history = read_history(&changing.local, fault).value();
            history.is_some_and(|history| {
                let mut failing = history.failing.iter();
                failing.any(|failing| failing.key == key.as_str())
            })
        })
    }

    /// Changes the history of a failure, if it has one.
    ///
    /// # Errors
    /// When there is none, or it can't be written.
    pub fn change_history(
        &self,
        fault: &FaultId,
        change: &mut dyn FnMut(&mut History),
    ) -> io::Result<History> {
        let changing = self.change()?;
        let mut history = match read_history(&changing.local, fault) {
            Found::Value(history) => history,
            Found::Nothing => return Err(io::Error::other("it was never seen here")),
            Found::Broken(problem) | Found::Newer(problem) => {
                return Err(io::Error::other(problem));
            }
        };
        change(&mut history);
        files::write(&changing.local, &file_name(fault), &history)?;
        Ok(history)
    }
}

/// Notes a failure under the lock.
pub(super) fn note(
    changing: &Changing,
    record: &Record,
    sighting: Sighting,
) -> io::Result<History> {
    let name = file_name(&record.fault);
    match files::read::<Record>(&changing.faults, &name) {
        // What somebody else has written of it stays, and so does what a later aido has.
        Found::Value(_) | Found::Newer(_) => {}
        Found::Nothing => files::write(&changing.faults, &name, record)?,
        // A directory or a link in its place is not replaced, and costs the shared part only.
        Found::Broken(_) => drop(files::write(&changing.faults, &name, record)),
    }
    let (key, command) = (sighting.key.clone(), sighting.command.clone());
    let history = match read_history(&changing.local, &record.fault) {
        Found::Value(mut history) => {
            history.see(sighting);
            history
        }
        Found::Nothing | Found::Broken(_) => History::begin(
            record.fault.clone(),
            &record.class,
            &record.command,
            sighting,
        ),
        Found::Newer(problem) => return Err(io::Error::other(problem)),
    };
    files::write(&changing.local, &name, &history)?;
    if !key.is_empty() {
        marks::add(&changing.local, &key, &command, &record.fault)?;
    }
    Ok(history)
}

/// Reads a history, and checks that it is this failure's.
pub(super) fn read_history(local: &Directory, fault: &FaultId) -> Found<History> {
    match files::read::<History>(local, &file_name(fault)) {
        Found::Value(history) if history.fault != *fault => {
            Found::Broken(format!("it says it is {}", history.fault))
        }
        found => found,
    }
}
