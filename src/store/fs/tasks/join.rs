//! A recorder adds its session to its task.

use std::ffi::OsStr;
use std::io;

use super::settle::settle;
use super::{IN_PASSING, Missing, Sync, TaskDirectory, about};
use crate::session::task::directory_of;
use crate::session::{Entry, TaskSession, TaskStatus};
use crate::store::fs::FileStore;
use crate::store::{StoreError, layout};

impl FileStore {
    /// Adds a session that has just got its sidecar to its task, if it has one, and if nobody holds the
    /// task's lock for long. Its recorder still holds its own lock, so no reader adds it meanwhile.
    ///
    /// # Errors
    /// When it can't be added; the next reader of the task does so then.
    pub(in crate::store::fs) fn join_task(&self, entry: &Entry<'_>) -> Result<(), StoreError> {
        let Some(task) = entry.task.as_deref() else {
            return Ok(());
        };
        let join = || -> io::Result<()> {
            let tasks = self.open_tasks(Missing::IsMade)?;
            let tasks = tasks.ok_or(io::ErrorKind::NotFound)?;
            let (directory, _) = tasks.open_or_make_child(OsStr::new(&directory_of(task)))?;
            let task = task.to_owned();
            TaskDirectory { directory, task }.join(entry)
        };
        join().map_err(about(task))
    }
}

impl TaskDirectory {
    fn join(&self, entry: &Entry<'_>) -> io::Result<()> {
        let _lock = match self.lock(IN_PASSING) {
            // Nobody is to wait for this: who reads the task adds what was not added in time.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            lock => lock?,
        };
        let status = self.status().filter(|status| self.is_current(status));
        let mut status = match status {
            Some(status) => status,
            None => self.sums()?,
        };
        let number = status.last_number + 1;
        let session = TaskSession::of(entry, number)
            .ok_or_else(|| io::Error::other("its session can't be read"))?;
        self.write_new(&layout::task_session(number), &session)?;
        status.add(&session);
        // Should this fail, the record that is one ahead tells the next one to add up anew.
        self.write(layout::TASK_STATUS, &status, Sync::No)
    }

    /// The sums, from the records and notes.
    pub(super) fn sums(&self) -> io::Result<TaskStatus> {
        let (found, aside) = self.records()?;
        let settled = settle(found, None, Vec::new(), &aside);
        let (notes, notes_bytes) = self.notes();
        Ok(TaskStatus::of(
            &self.task,
            &settled.sessions,
            &notes,
            notes_bytes,
            settled.last_number,
        ))
    }
}
