//! Reading tasks: all of them, one with its sessions, or in a hurry.

use std::collections::{BTreeMap, HashSet};
use std::ffi::{OsStr, OsString};

use super::settle::settle;
use super::{Missing, TaskDirectory, read_status};
use crate::session::task::{Present, directory_of};
use crate::session::{Query, TaskNote, TaskSession, TaskStatus};
use crate::store::fs::FileStore;
use crate::store::{StoreError, layout};
use crate::sys::file::Directory;
use crate::sys::stamp::stamp_of;

/// A task with all that belongs to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// Its sums.
    pub status: TaskStatus,
    /// Its sessions, by their numbers.
    pub sessions: Vec<TaskSession>,
    /// What was said of it, the first first.
    pub notes: Vec<TaskNote>,
}

/// Tasks that were read in a hurry.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tasks {
    /// The sums as their files have them, the task that changed last first.
    pub statuses: Vec<TaskStatus>,
    /// How many tasks could not be read, or not in time.
    pub unread: usize,
}

impl FileStore {
    /// All tasks, the one that ended last first. Puts right what isn't.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn tasks(&self) -> Result<Vec<TaskStatus>, StoreError> {
        let mut known = self.tasks_of_sessions()?;
        let tasks = self.open_tasks(Missing::IsNone).map_err(self.error())?;
        if let Some(tasks) = &tasks {
            for name in names(tasks).map_err(self.error())? {
                if let Some(task) = task_in(tasks, &name) {
                    known.entry(task).or_default();
                }
            }
        }
        let mut statuses = Vec::new();
        for (task, (sessions, present)) in known {
            let directory = self.open_task(&task);
            let fresh = directory.as_ref().and_then(|directory| {
                let status = directory.status()?;
                let is_fresh = directory.is_current(&status)
                    && status.sessions - status.pruned == sessions
                    && status.present == present.to_string();
                is_fresh.then_some(status)
            });
            match fresh {
                Some(status) => statuses.push(status),
                None => statuses.extend(self.task(&task)?.map(|task| task.status)),
            }
        }
        let last = |status: &TaskStatus| {
            let last = status.last.as_ref();
            let end = last.map(|last| last.ended_at.unwrap_or(last.timestamp));
            end.max(status.last_note.as_ref().map(|note| note.at))
        };
        statuses.sort_by_key(|status| std::cmp::Reverse(last(status)));
        Ok(statuses)
    }

    /// One task, put right; none if there is none of this name.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn task(&self, task: &str) -> Result<Option<Task>, StoreError> {
        let mut opened = self.open_task(task);
        if opened.is_none() {
            if !self.has_sessions_of(task)? {
                return Ok(None);
            }
            // Where it can't be made, it is told without.
            let made = self.check_task(task);
            opened = made.ok().and_then(|()| self.open_task(task));
        }
        let Some(opened) = opened else {
            return self.without_records(task).map(Some);
        };
        let mended = opened.mend(self)?;
        let (notes, _) = opened.notes();
        if mended.sessions.is_empty() && notes.is_empty() {
            return Ok(None);
        }
        Ok(Some(Task {
            status: mended.status,
            sessions: mended.sessions,
            notes,
        }))
    }

    /// The sums of at most `limit` tasks, as their files have them: nothing is put right or compared.
    /// `may_go_on` is asked before each.
    #[must_use]
    pub fn tasks_in_a_hurry(&self, limit: usize, may_go_on: &dyn Fn() -> bool) -> Tasks {
        let mut found = Tasks::default();
        let opened = self.open_tasks(Missing::IsNone);
        let Ok(Some(tasks)) = opened else {
            found.unread = usize::from(opened.is_err());
            return found;
        };
        let mut known = Vec::new();
        for name in names(&tasks).unwrap_or_default() {
            // A status gets its name anew with each change, so the directory changes with it.
            let changed = name.to_str().and_then(|name| stamp_of(&tasks, name).ok());
            known.push((changed.map(|stamp| stamp.modified_ns), name));
            if !may_go_on() {
                break;
            }
        }
        known.sort_by(|one, other| other.cmp(one));
        for (_, name) in known {
            if found.statuses.len() >= limit || !may_go_on() {
                found.unread += 1;
                continue;
            }
            let directory = tasks.open_child(&name).ok();
            let status = directory.and_then(|directory| read_status(&directory));
            match status.filter(|status| *directory_of(&status.task) == *name) {
                Some(status) => found.statuses.push(status),
                None => found.unread += 1,
            }
        }
        found
    }

    /// The directory of all tasks and that of each, as far as they are the user's own.
    pub(in crate::store::fs) fn task_directories(&self) -> Vec<Directory> {
        let Ok(Some(tasks)) = self.open_tasks(Missing::IsNone) else {
            return Vec::new();
        };
        let names = names(&tasks).unwrap_or_default().into_iter();
        let mut directories: Vec<Directory> = names
            .filter_map(|name| tasks.open_child(&name).ok())
            .collect();
        directories.push(tasks);
        directories.retain(|directory| directory.check_private().is_ok());
        directories
    }

    fn open_task(&self, task: &str) -> Option<TaskDirectory> {
        let tasks = self.open_tasks(Missing::IsNone).ok()??;
        let directory = tasks.open_child(OsStr::new(&directory_of(task))).ok()?;
        let task = task.to_owned();
        Some(TaskDirectory { directory, task })
    }

    /// A task of which only the sessions are known.
    fn without_records(&self, task: &str) -> Result<Task, StoreError> {
        let missing = self.sessions_of(task)?;
        let settled = settle(Vec::new(), None, missing, &HashSet::new());
        let (sessions, last) = (settled.sessions, settled.last_number);
        Ok(Task {
            status: TaskStatus::of(task, &sessions, &[], 0, last),
            sessions,
            notes: Vec::new(),
        })
    }

    fn has_sessions_of(&self, task: &str) -> Result<bool, StoreError> {
        Ok(self.tasks_of_sessions()?.contains_key(task))
    }

    /// The tasks that finished sessions name, with how many of them there are and which.
    fn tasks_of_sessions(&self) -> Result<BTreeMap<String, (u64, Present)>, StoreError> {
        let query = Query {
            in_any_task: true,
            ..Query::default()
        };
        let mut known: BTreeMap<String, (u64, Present)> = BTreeMap::new();
        self.oldest(&query, &mut |entry| {
            let (Some(task), Some(id)) = (entry.task.as_deref(), entry.id()) else {
                return;
            };
            let (sessions, present) = match known.get_mut(task) {
                Some(found) => found,
                None => known.entry(task.to_owned()).or_default(),
            };
            *sessions += 1;
            present.flip(&id);
        })?;
        Ok(known)
    }
}

/// The names of the tasks' directories.
fn names(tasks: &Directory) -> std::io::Result<Vec<OsString>> {
    let mut names = Vec::new();
    tasks.each_name(&mut |name| {
        if name.to_str().is_some_and(|name| !name.starts_with('.')) {
            names.push(name.to_owned());
        }
    })?;
    Ok(names)
}

/// The task whose directory has this name, by what its files say.
fn task_in(tasks: &Directory, name: &OsStr) -> Option<String> {
    let directory = tasks.open_child(name).ok()?;
    let of_status = read_status(&directory).map(|status| status.task);
    let fits = |task: &String| *directory_of(task) == *name;
    of_status.filter(fits).or_else(|| {
        let mut numbers = Vec::new();
        let listed = directory.each_name(&mut |name| {
            numbers.extend(layout::parse_task_session(name).map(|(number, _)| number));
        });
        listed.ok()?;
        numbers.into_iter().find_map(|number| {
            let file = layout::task_session(number);
            let session: TaskSession = super::read_json(&directory, &file).ok()?;
            Some(session.task).filter(fits)
        })
    })
}
