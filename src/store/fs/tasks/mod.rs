//! Tasks: which sessions belong together, beside the session directory in `.airuns/TASK/`.
//!
//! Each session of a task has a numbered record, made under the task's lock by the recorder once its
//! sidecar is there. `task.status.json` holds the sums and is derived from the records and from
//! `task.notes.jsonl`, so it may be deleted or torn. A recorder adds to it without reading the records;
//! whoever reads compares it with the index and puts it right: records that a killed recorder did not
//! make, sessions that were removed, files that are damaged.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::open::keep_from_git;
use super::{FileStore, index};
use crate::session::keeping::IN_REPOSITORY;
use crate::session::task::directory_of;
use crate::session::{Location, TaskNote, TaskSession, TaskStatus};
use crate::store::{StoreError, layout};
use crate::sys::file::Directory;
use crate::sys::random;

mod join;
mod mend;
mod read;
mod say;
mod settle;

pub use read::{Task, Tasks};

/// The largest record or status that is read.
const RECORD_MAX_BYTES: u64 = 1024 * 1024;
/// What is read of a task's notes, at most.
const NOTES_MAX_BYTES: u64 = 16 * 1024 * 1024;
/// How long to wait for somebody else who changes the same task.
const PATIENCE: Duration = Duration::from_secs(3);
/// The same where a command has ended, and its caller waits for aido to end.
const IN_PASSING: Duration = Duration::from_millis(50);

/// Whether a directory is made where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Missing {
    IsMade,
    IsNone,
}

impl FileStore {
    /// Opens the directory of all tasks; none if there isn't one.
    fn open_tasks(&self, missing: Missing) -> io::Result<Option<Directory>> {
        let opened = match &self.location {
            Location::Repository(root) => {
                let relative = Path::new(IN_REPOSITORY).with_file_name(layout::TASKS);
                let root = Directory::open(root)?;
                match missing {
                    Missing::IsMade => root.walk_or_make(&relative),
                    Missing::IsNone => root.walk(&relative).map(|tasks| (tasks, false)),
                }
            }
            Location::State(state) => open_or_make(&state.join(layout::TASKS), missing),
            Location::Named(path) => open_or_make(&beside(path)?, missing),
        };
        let (tasks, made) = match opened {
            Err(error) if error.kind() == io::ErrorKind::NotFound && missing == Missing::IsNone => {
                return Ok(None);
            }
            result => result?,
        };
        if missing == Missing::IsMade {
            if !made {
                tasks.check_private()?;
            }
            keep_from_git(&tasks)?;
        }
        Ok(Some(tasks))
    }

    /// Fails where a session could not be added to this task.
    ///
    /// # Errors
    /// Says why.
    pub fn check_task(&self, task: &str) -> Result<(), StoreError> {
        let open = || -> io::Result<()> {
            let tasks = self.open_tasks(Missing::IsMade)?;
            let tasks = tasks.ok_or(io::ErrorKind::NotFound)?;
            let (directory, _) = tasks.open_or_make_child(OsStr::new(&directory_of(task)))?;
            directory.check_private()
        };
        open().map_err(about(task))
    }
}

/// What an error about a task is said of. Its name may be anything, so it is quoted.
fn about(task: &str) -> impl FnOnce(io::Error) -> StoreError {
    StoreError::file(format!("the task {task:?}"))
}

/// The tasks' directory beside a session directory that the user named.
fn beside(path: &Path) -> io::Result<std::path::PathBuf> {
    match path.file_name() {
        Some(name) if name != layout::TASKS => Ok(path.with_file_name(layout::TASKS)),
        Some(_) => Err(io::Error::other(format!(
            "the session directory has the name {}, which is that of tasks",
            layout::TASKS
        ))),
        None => Err(io::Error::other(
            "there is no place beside the session directory",
        )),
    }
}

fn open_or_make(path: &Path, missing: Missing) -> io::Result<(Directory, bool)> {
    match missing {
        Missing::IsMade => Directory::open_or_make(path),
        Missing::IsNone => Directory::open_itself(path).map(|directory| (directory, false)),
    }
}

/// One task's directory.
struct TaskDirectory {
    directory: Directory,
    task: String,
}

impl TaskDirectory {
    /// Takes the lock on changes of this task.
    fn lock(&self, patience: Duration) -> io::Result<File> {
        index::lock(&self.directory, patience)
    }

    /// The sums, if they are this task's and can be read.
    fn status(&self) -> Option<TaskStatus> {
        read_status(&self.directory).filter(|status| status.task == self.task)
    }

    /// A record; none if it is damaged or another one's.
    fn session(&self, number: u64) -> Option<TaskSession> {
        let found: TaskSession = read_json(&self.directory, &layout::task_session(number)).ok()?;
        (found.number == number && found.task == self.task).then_some(found)
    }

    /// All that was said, and how long the file is.
    fn notes(&self) -> (Vec<TaskNote>, u64) {
        let Ok(file) = self.directory.open_file(layout::TASK_NOTES) else {
            return (Vec::new(), 0);
        };
        let mut text = Vec::new();
        let length = file.metadata().map_or(0, |status| status.len());
        // What can't be read says nothing.
        let _ = file.take(NOTES_MAX_BYTES).read_to_end(&mut text);
        let lines = text.split(|byte| *byte == b'\n');
        let notes = lines.filter_map(|line| serde_json::from_slice(line).ok());
        (notes.collect(), length)
    }

    fn notes_bytes(&self) -> u64 {
        let file = self.directory.open_file(layout::TASK_NOTES);
        let length = file.and_then(|file| file.metadata());
        length.map_or(0, |status| status.len())
    }

    /// Whether the sums take in every record and note, as far as that is told without reading them.
    fn is_current(&self, status: &TaskStatus) -> bool {
        let next = layout::task_session(status.last_number.saturating_add(1));
        status.notes_bytes == self.notes_bytes() && !self.directory.contains(&next)
    }

    /// Writes a file in one step, in the place of what has the name.
    fn write(&self, name: &str, value: &impl Serialize, sync: Sync) -> io::Result<()> {
        self.write_as(name, value, sync, |new| self.directory.replace(new, name))
    }

    /// Writes a file that must not be there yet.
    fn write_new(&self, name: &str, value: &impl Serialize) -> io::Result<()> {
        self.write_as(name, value, Sync::No, |new| {
            self.directory.rename_new(new, &self.directory, name)
        })
    }

    fn write_as(
        &self,
        name: &str,
        value: &impl Serialize,
        sync: Sync,
        place: impl FnOnce(&str) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut text = serde_json::to_string_pretty(value)?;
        text.push('\n');
        let new = layout::replacement(name, random::number()?);
        let written = self.directory.create(&new).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            if sync == Sync::Yes {
                file.sync_all()?;
            }
            place(&new)
        });
        if written.is_err() {
            let _ = self.directory.remove(&new);
        }
        written
    }
}

/// Whether a file is forced to the disk before it gets its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sync {
    Yes,
    No,
}

/// The sums of whichever task's directory this is; none if they are damaged or of another task.
fn read_status(directory: &Directory) -> Option<TaskStatus> {
    let status: TaskStatus = read_json(directory, layout::TASK_STATUS).ok()?;
    let is_sound = !crate::store::is_newer(&status.schema_version)
        && status.succeeded.saturating_add(status.failed) == status.sessions
        && status.pruned <= status.sessions;
    is_sound.then_some(status)
}

fn read_json<T: DeserializeOwned>(directory: &Directory, name: &str) -> io::Result<T> {
    let mut bytes = Vec::new();
    let file = directory.open_file(name)?;
    file.take(RECORD_MAX_BYTES).read_to_end(&mut bytes)?;
    Ok(serde_json::from_slice(&bytes)?)
}
