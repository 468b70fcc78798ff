//! Marks: one small file a command that failed, so that looking a command up is opening one file.

use std::ffi::OsStr;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::files::{self, Found};
use super::{FaultStore, LOCAL};
use crate::faults::record::RECORD_VERSION;
use crate::faults::{CommandKey, FaultId};
use crate::sys::file::Directory;

/// The directory of marks in `local`.
pub(super) const MARKS: &str = "commands";
/// How many failures a command is marked with.
const FAULTS_MAX: usize = 20;

/// Which failures a command ran into. Whether it still does is for their histories to say.
#[derive(Serialize, Deserialize)]
struct Mark {
    schema_version: String,
    /// The command as one line, redacted: for people.
    command: String,
    /// The last one last.
    faults: Vec<FaultId>,
}

fn file_name(key: &str) -> String {
    format!("{key}.json")
}

impl FaultStore {
    /// The failures that a command has run into, the last first. Where it never failed that takes opening
    /// one file that isn't there.
    #[must_use]
    pub fn probe(&self, key: &CommandKey) -> Vec<FaultId> {
        let relative = self.relative;
        let path = format!("{relative}/{LOCAL}/{MARKS}/{}", file_name(key.as_str()));
        let opened = Directory::open(&self.base).and_then(|base| base.open_below(Path::new(&path)));
        let Ok(Ok(bytes)) = opened.map(files::read_all) else {
            return Vec::new();
        };
        let mark = files::parse::<Mark>(&bytes).value();
        let mut faults = mark.map_or_else(Vec::new, |mark| mark.faults);
        faults.truncate(FAULTS_MAX);
        faults.reverse();
        faults
    }
}

/// Remembers that a command ran into a failure.
pub(super) fn add(local: &Directory, key: &str, command: &str, fault: &FaultId) -> io::Result<()> {
    let (marks, _) = local.open_or_make_child(OsStr::new(MARKS))?;
    let name = file_name(key);
    let mut faults = match files::read::<Mark>(&marks, &name) {
        Found::Value(mark) => mark.faults,
        Found::Nothing | Found::Broken(_) => Vec::new(),
        Found::Newer(problem) => return Err(io::Error::other(problem)),
    };
    faults.retain(|known| known != fault);
    faults.push(fault.clone());
    let surplus = faults.len().saturating_sub(FAULTS_MAX);
    faults.drain(..surplus);
    let mark = Mark {
        schema_version: RECORD_VERSION.to_owned(),
        command: command.to_owned(),
        faults,
    };
    files::write(&marks, &name, &mark)
}

/// Leaves of a command's failures those that `is_still` holds of.
pub(super) fn retain(
    local: &Directory,
    key: &str,
    is_still: &mut dyn FnMut(&FaultId) -> bool,
) -> io::Result<()> {
    let marks = local.open_child(OsStr::new(MARKS))?;
    let name = file_name(key);
    let Found::Value(mut mark) = files::read::<Mark>(&marks, &name) else {
        return Ok(());
    };
    let before = mark.faults.len();
    mark.faults.retain(|fault| is_still(fault));
    if mark.faults.is_empty() {
        marks.remove(&name)
    } else if mark.faults.len() < before {
        files::write(&marks, &name, &mark)
    } else {
        Ok(())
    }
}
