//! The names of checkpoints: `refs/aido/checkpoints/ID/before` in aido's own git directory, `after` and
//! `restore-N` likewise. They are written by aido itself, one file each, as git's documentation of
//! repositories (gitrepository-layout(5)) has them.

use std::ffi::OsStr;
use std::fmt;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::Problem;
use super::home::Home;
use crate::session::SessionId;
use crate::sys::file::Directory;
use crate::sys::random;

/// The directory of all names.
pub(super) const NAMES: &str = "refs/aido/checkpoints";
/// More than the name of an object takes.
const OBJECT_BYTES: u64 = 256;

/// Which of a session's checkpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Before its command.
    Before,
    /// After it.
    After,
    /// Before something was restored, counted from 1.
    Restore(u32),
}

impl fmt::Display for Phase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Before => formatter.write_str("before"),
            Self::After => formatter.write_str("after"),
            Self::Restore(number) => write!(formatter, "restore-{number}"),
        }
    }
}

impl FromStr for Phase {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = || text.strip_prefix("restore-")?.parse().ok();
        match (text, number()) {
            ("before", _) => Ok(Self::Before),
            ("after", _) => Ok(Self::After),
            (_, Some(number)) => Ok(Self::Restore(number)),
            _ => Err("before, after, or restore-1 and so on".to_owned()),
        }
    }
}

/// A checkpoint that has a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The session.
    pub id: SessionId,
    /// Which of its checkpoints.
    pub phase: Phase,
    /// The commit.
    pub commit: String,
}

impl Home {
    /// Names a checkpoint.
    ///
    /// # Errors
    /// When the name can't be written.
    pub fn name(&self, id: &SessionId, phase: Phase, commit: &str) -> Result<(), Problem> {
        let path = place_of(id);
        let write = || -> io::Result<()> {
            let home = Directory::open(&self.path)?;
            let (directory, _) = home.walk_or_make(&path)?;
            let name = phase.to_string();
            // git takes no file for a name that ends so.
            let new = format!(".{name}.{:08x}.lock", random::number()?);
            let written = directory
                .create(&new)
                .and_then(|mut file| file.write_all(format!("{commit}\n").as_bytes()))
                .and_then(|()| match phase {
                    // Of two at once each gets a number of its own.
                    Phase::Restore(_) => directory.rename_new(&new, &directory, &name),
                    Phase::Before | Phase::After => directory.replace(&new, &name),
                });
            if written.is_err() {
                let _ = directory.remove(&new);
            }
            written
        };
        write().map_err(Problem::file(self.path.join(&path)))
    }

    /// Names what stood there before something is restored, by the next free number.
    ///
    /// # Errors
    /// When the name can't be written.
    pub fn name_restore(&self, id: &SessionId, commit: &str) -> Result<Phase, Problem> {
        let known = self.checkpoints_of(id)?;
        let numbers = known.iter().filter_map(|named| match named.phase {
            Phase::Restore(number) => Some(number),
            Phase::Before | Phase::After => None,
        });
        let mut number = numbers.max().unwrap_or(0);
        loop {
            number = number.saturating_add(1);
            let phase = Phase::Restore(number);
            match self.name(id, phase, commit) {
                Err(Problem::File { source, .. })
                    if source.kind() == io::ErrorKind::AlreadyExists && number < u32::MAX => {}
                named => return named.map(|()| phase),
            }
        }
    }

    /// The checkpoints of a session, in the order of [`Phase`].
    ///
    /// # Errors
    /// When the names can't be read.
    pub fn checkpoints_of(&self, id: &SessionId) -> Result<Vec<Named>, Problem> {
        let path = place_of(id);
        let read = || -> io::Result<Vec<Named>> {
            let directory = Directory::open(&self.path)?.walk(&path)?;
            let mut found = Vec::new();
            directory.each_name(&mut |name| {
                let phase = name.to_str().and_then(|name| name.parse().ok());
                let commit = phase.and_then(|_| object_in(&directory, name));
                if let (Some(phase), Some(commit)) = (phase, commit) {
                    let id = id.clone();
                    found.push(Named { id, phase, commit });
                }
            })?;
            found.sort_by_key(|named| named.phase);
            Ok(found)
        };
        none_is_empty(read()).map_err(Problem::file(self.path.join(&path)))
    }

    /// The sessions that have checkpoints, newest first by the time in their ids.
    ///
    /// # Errors
    /// When the names can't be read.
    pub fn sessions(&self) -> Result<Vec<SessionId>, Problem> {
        let read = || -> io::Result<Vec<SessionId>> {
            let directory = Directory::open(&self.path)?.walk(Path::new(NAMES))?;
            let mut found = Vec::new();
            directory.each_name(&mut |name| found.extend(id_of(name)))?;
            found.sort_by(|one: &SessionId, other| {
                let order = other.local_time().cmp(one.local_time());
                order.then_with(|| other.as_str().cmp(one.as_str()))
            });
            Ok(found)
        };
        none_is_empty(read()).map_err(Problem::file(self.path.join(NAMES)))
    }

    /// Takes the names of a session's checkpoints away; true if there were any.
    ///
    /// # Errors
    /// When they can't be removed.
    pub fn forget(&self, id: &SessionId) -> Result<bool, Problem> {
        let path = place_of(id);
        let remove = || -> io::Result<bool> {
            let directory = match Directory::open(&self.path).and_then(|home| home.walk(&path)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
                directory => directory?,
            };
            let mut names = Vec::new();
            directory.each_name(&mut |name| names.push(name.to_owned()))?;
            for name in names.iter().filter_map(|name| name.to_str()) {
                directory.remove(name)?;
            }
            std::fs::remove_dir(self.path.join(&path))?;
            Ok(true)
        };
        remove().map_err(Problem::file(self.path.join(&path)))
    }
}

fn none_is_empty<T>(read: io::Result<Vec<T>>) -> io::Result<Vec<T>> {
    match read {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        read => read,
    }
}

/// Where a session's names are. An id may hold two dots in a row, which no name of git's may.
pub(super) fn place_of(id: &SessionId) -> PathBuf {
    Path::new(NAMES).join(id.as_str().replace('.', "%2e"))
}

fn id_of(name: &OsStr) -> Option<SessionId> {
    name.to_str()?.replace("%2e", ".").parse().ok()
}

fn object_in(directory: &Directory, name: &OsStr) -> Option<String> {
    let mut text = String::new();
    let file = directory.open_file(name.to_str()?).ok()?;
    file.take(OBJECT_BYTES).read_to_string(&mut text).ok()?;
    let name = text.trim();
    let is_object =
        matches!(name.len(), 40 | 64) && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_object.then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_that_git_takes_and_leads_back() {
        let id: SessionId = "a..b.c-20260305_132522-1-abcdef12".parse().unwrap();
        let place = place_of(&id);
        assert!(!place.to_str().unwrap().contains(".."));
        assert_eq!(id_of(place.file_name().unwrap()), Some(id));
        for phase in [Phase::Before, Phase::After, Phase::Restore(12)] {
            assert_eq!(phase.to_string().parse(), Ok(phase));
        }
        assert!("restore-x".parse::<Phase>().is_err());
    }
}
