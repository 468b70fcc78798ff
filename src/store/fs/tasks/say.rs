//! What people and agents say of a task.

use std::ffi::OsStr;
use std::io::{self, Write};

use super::{Missing, PATIENCE, Sync, TaskDirectory, about};
use crate::session::task::directory_of;
use crate::session::{TaskNote, TaskStatus};
use crate::store::fs::FileStore;
use crate::store::{StoreError, layout};
use crate::sys::file;

impl FileStore {
    /// Adds to what was said of a task, one at a time. None if there is no such task.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn say_of_task(
        &self,
        task: &str,
        note: &TaskNote,
    ) -> Result<Option<TaskStatus>, StoreError> {
        // Puts it right first, and makes it where only its sessions are there.
        if self.task(task)?.is_none() {
            return Ok(None);
        }
        let say = || -> io::Result<TaskStatus> {
            let tasks = self.open_tasks(Missing::IsMade)?;
            let tasks = tasks.ok_or(io::ErrorKind::NotFound)?;
            let (directory, _) = tasks.open_or_make_child(OsStr::new(&directory_of(task)))?;
            let task = task.to_owned();
            TaskDirectory { directory, task }.say(note)
        };
        say().map(Some).map_err(about(task))
    }
}

impl TaskDirectory {
    fn say(&self, note: &TaskNote) -> io::Result<TaskStatus> {
        let _lock = self.lock(PATIENCE)?;
        let mut line = serde_json::to_string(note)?;
        line.push('\n');
        let mut notes = self.directory.append(OsStr::new(layout::TASK_NOTES))?;
        // Somebody who was killed may have left half a line behind.
        if file::last_byte(&notes).is_some_and(|byte| byte != b'\n') {
            line.insert(0, '\n');
        }
        notes.write_all(line.as_bytes())?;
        notes.sync_data()?;
        let next = |status: &TaskStatus| layout::task_session(status.last_number + 1);
        let known = self.status();
        let known = known.filter(|status| !self.directory.contains(&next(status)));
        let mut status = known.map_or_else(|| self.sums(), Ok)?;
        let (notes, notes_bytes) = self.notes();
        status.hear(&notes, notes_bytes);
        self.write(layout::TASK_STATUS, &status, Sync::Yes)?;
        Ok(status)
    }
}
