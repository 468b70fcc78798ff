//! A task's files are put right by what the store has.

use std::collections::HashSet;
use std::io;

use super::settle::{FoundRecord, Settled, settle};
use super::{PATIENCE, Sync, TaskDirectory};
use crate::session::{Query, SessionId, TaskSession, TaskStatus};
use crate::store::StoreError;
use crate::store::fs::FileStore;
use crate::store::fs::change::is_locked;
use crate::store::layout::{self, TaskFile};
use crate::sys::file::Directory;

/// A task as it is now.
pub(super) struct Mended {
    pub(super) status: TaskStatus,
    pub(super) sessions: Vec<TaskSession>,
}

impl TaskDirectory {
    /// The records that are there, and the numbers of those that were put aside.
    pub(super) fn records(&self) -> io::Result<(Vec<FoundRecord>, HashSet<u64>)> {
        let (mut numbers, mut aside) = (Vec::new(), HashSet::new());
        self.directory
            .each_name(&mut |name| match layout::parse_task_session(name) {
                Some((number, TaskFile::Record)) => numbers.push(number),
                Some((number, TaskFile::Torn)) => drop(aside.insert(number)),
                None => {}
            })?;
        let found = numbers.into_iter().map(|number| FoundRecord {
            number,
            session: self.session(number),
        });
        Ok((found.collect(), aside))
    }

    /// Puts the records and the sums right, where this user may write; else tells what they should be.
    pub(super) fn mend(&self, store: &FileStore) -> Result<Mended, StoreError> {
        // Before the records: a session that is published meanwhile is its recorder's to add.
        let lock = self.lock(PATIENCE);
        let present = store.sessions_of(&self.task)?;
        let file = || StoreError::file(format!("the task {:?}", self.task));
        let (found, aside) = self.records().map_err(file())?;
        let recorded: HashSet<&SessionId> = found
            .iter()
            .filter_map(|record| Some(&record.session.as_ref()?.session_id))
            .collect();
        let ids = present.iter().map(|session| session.session_id.clone());
        let ids: HashSet<SessionId> = ids.collect();
        let sessions = store.open_to_read()?.map(|(session, _)| session);
        let missing = present
            .into_iter()
            .filter(|session| !recorded.contains(&session.session_id))
            .filter(|session| !is_recorder_alive(sessions.as_ref(), &session.session_id))
            .collect();
        let settled = settle(found, Some(&ids), missing, &aside);
        let (notes, notes_bytes) = self.notes();
        let status = TaskStatus::of(
            &self.task,
            &settled.sessions,
            &notes,
            notes_bytes,
            settled.last_number,
        );
        if lock.is_ok() {
            // What can't be written is found again by the next reader.
            let _ = self.carry_out(&settled, &status);
        }
        Ok(Mended {
            status,
            sessions: settled.sessions,
        })
    }

    fn carry_out(&self, settled: &Settled, status: &TaskStatus) -> io::Result<()> {
        for number in &settled.aside {
            let name = layout::task_session(*number);
            self.directory
                .replace(&name, &layout::torn_task_session(*number))?;
        }
        for number in &settled.changed {
            let mut sessions = settled.sessions.iter();
            if let Some(session) = sessions.find(|session| session.number == *number) {
                self.write(&layout::task_session(*number), session, Sync::No)?;
            }
        }
        if self.status().as_ref() != Some(status) {
            self.write(layout::TASK_STATUS, status, Sync::No)?;
        }
        Ok(())
    }
}

impl FileStore {
    /// The finished sessions of a task that are there, in the order of their ends. They have no
    /// number yet.
    pub(super) fn sessions_of(&self, task: &str) -> Result<Vec<TaskSession>, StoreError> {
        let query = Query {
            task: Some(task.to_owned()),
            ..Query::default()
        };
        let mut sessions = Vec::new();
        self.oldest(&query, &mut |entry| {
            sessions.extend(TaskSession::of(entry, 0));
        })?;
        Ok(sessions)
    }
}

/// Whether a session's recorder still lives, and so adds it to its task itself.
fn is_recorder_alive(session: Option<&Directory>, id: &SessionId) -> bool {
    let is_locked = session.and_then(|session| is_locked(session, &layout::events(id)));
    is_locked.unwrap_or(false)
}
