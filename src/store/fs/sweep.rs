//! Every finished session of a directory, on as many threads as there are visitors. Memory doesn't
//! grow with the directory.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::session::SessionId;
use crate::store::layout::{self, Kind};
use crate::store::observer::{Observer, Task};
use crate::sys::file::{Directory, Names};
use crate::sys::stamp::stamp;

/// How many names a thread takes at once.
const NAMES: usize = 512;
/// What a directory of at most this size holds isn't worth a second thread.
const ALONE_BYTES: u64 = 192 * 1024;

/// What is done with each session.
pub(super) trait Visitor: Send {
    /// Visits a session that had a sidecar a moment ago.
    ///
    /// # Errors
    /// Those that end the sweep.
    fn visit(&mut self, id: &SessionId) -> io::Result<()>;
}

/// How many visitors a directory is worth.
pub(super) fn hands(session: &Directory) -> io::Result<usize> {
    Ok(match stamp(session)?.size_bytes {
        ..=ALONE_BYTES => 1,
        _ => 2,
    })
}

/// Shows each session that has a sidecar to one of the visitors, and gives them back.
///
/// # Errors
/// When the directory can't be read, and what a visitor says.
pub(super) fn sweep<V: Visitor>(
    session: &Directory,
    observer: Option<&dyn Observer>,
    task: Task,
    mut visitors: Vec<V>,
) -> io::Result<Vec<V>> {
    let total = match observer {
        Some(_) => count_sidecars(session)?,
        None => 0,
    };
    let progress = Progress {
        // Never held while a visitor is at work.
        names: Mutex::new(Some(session.names()?)),
        done: Mutex::new((0, Ok(()))),
        observer: observer.map(|observer| (observer, task, total)),
    };
    thread::scope(|scope| {
        let mut visitors = visitors.iter_mut();
        let own = visitors.next();
        for visitor in visitors {
            // Without a further thread it takes longer.
            let work = || progress.work(visitor);
            let _ = thread::Builder::new().spawn_scoped(scope, work);
        }
        if let Some(visitor) = own {
            progress.work(visitor);
        }
    });
    if let Some(observer) = observer {
        observer.ended();
    }
    let done = progress.done.into_inner();
    let (_, result) = done.unwrap_or_else(PoisonError::into_inner);
    result.map(|()| visitors)
}

/// What is left of a directory, and how far it is.
struct Progress<'a> {
    /// None once all are taken, or something failed.
    names: Mutex<Option<Names>>,
    /// Sessions that were visited, and what failed first.
    done: Mutex<(usize, io::Result<()>)>,
    observer: Option<(&'a dyn Observer, Task, usize)>,
}

impl Progress<'_> {
    fn work(&self, visitor: &mut dyn Visitor) {
        let mut ids = Vec::with_capacity(NAMES);
        loop {
            ids.clear();
            let visited = match self.take(&mut ids) {
                Ok(false) if ids.is_empty() => return,
                Ok(_) => ids.iter().try_for_each(|id| visitor.visit(id)),
                Err(error) => Err(error),
            };
            let mut done = locked(&self.done);
            done.0 += ids.len();
            if let Err(error) = visited {
                *locked(&self.names) = None;
                done.1 = Err(error);
            }
            if let Some((observer, task, total)) = self.observer {
                observer.reached(task, done.0, total.max(done.0));
            }
        }
    }

    /// The next sessions of the directory; false if there are no more.
    fn take(&self, ids: &mut Vec<SessionId>) -> io::Result<bool> {
        let mut names = locked(&self.names);
        let Some(open) = &mut *names else {
            return Ok(false);
        };
        let has_more = open.each(NAMES, &mut |name| {
            if let Some((id, Kind::Sidecar)) = layout::parse(name) {
                ids.push(id);
            }
        })?;
        if !has_more {
            *names = None;
        }
        Ok(has_more)
    }
}

fn count_sidecars(session: &Directory) -> io::Result<usize> {
    let ending = layout::SIDECAR.as_bytes();
    let mut count = 0;
    session.each_name(&mut |name: &OsStr| {
        count += usize::from(name.as_bytes().ends_with(ending));
    })?;
    Ok(count)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A thread that panicked is told by the scope; what it left is plain data.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Notes who was there, and fails at one of them.
    struct Notes {
        seen: BTreeSet<SessionId>,
        fails_at: Option<SessionId>,
    }

    impl Visitor for Notes {
        fn visit(&mut self, id: &SessionId) -> io::Result<()> {
            assert!(self.seen.insert(id.clone()), "{id} twice");
            match self.fails_at == Some(id.clone()) {
                true => Err(io::Error::other("this one")),
                false => Ok(()),
            }
        }
    }

    /// The last numbers that were told.
    #[derive(Debug, Default)]
    struct Told(Mutex<(usize, usize, bool)>);

    impl Observer for Told {
        fn reached(&self, task: Task, done: usize, total: usize) {
            assert_eq!(task, Task::Checking);
            let mut told = locked(&self.0);
            assert!(told.0 <= done && done <= total);
            (told.0, told.1) = (done, total);
        }

        fn ended(&self) {
            locked(&self.0).2 = true;
        }
    }

    fn directory_of(count: usize) -> (tempfile::TempDir, Directory, BTreeSet<SessionId>) {
        let temporary = tempfile::tempdir().unwrap();
        let directory = Directory::open(temporary.path()).unwrap();
        let mut ids = BTreeSet::new();
        for number in 0..count {
            let id: SessionId = format!("a-20260305_132522-1-{number:08x}").parse().unwrap();
            directory.create(&layout::sidecar(&id)).unwrap();
            directory.create(&layout::transcript(&id)).unwrap();
            ids.insert(id);
        }
        directory.create("x.meta.json").unwrap();
        (temporary, directory, ids)
    }

    fn notes(hands: usize, fails_at: Option<&SessionId>) -> Vec<Notes> {
        let one = |_| Notes {
            seen: BTreeSet::new(),
            fails_at: fails_at.cloned(),
        };
        (0..hands).map(one).collect()
    }

    #[test]
    fn every_session_is_visited_once_whoever_visits_it() {
        for (count, hands) in [(0, 1), (0, 2), (3, 1), (3 * NAMES, 1), (3 * NAMES, 3)] {
            let (_temporary, directory, ids) = directory_of(count);
            let told = Told::default();
            let notes = notes(hands, None);
            let visitors = sweep(&directory, Some(&told), Task::Checking, notes).unwrap();
            let seen: Vec<SessionId> = visitors.into_iter().flat_map(|notes| notes.seen).collect();
            assert_eq!(seen.len(), ids.len());
            assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), ids);
            // A name that holds no id counts among all, and is none.
            let told = locked(&told.0);
            assert_eq!((told.0, told.2), (count, true));
        }
    }

    #[test]
    fn an_error_ends_the_sweep_and_is_told() {
        let (_temporary, directory, ids) = directory_of(NAMES);
        for hands in [1, 2] {
            let notes = notes(hands, ids.first());
            let error = sweep(&directory, None, Task::Checking, notes).err();
            assert_eq!(error.unwrap().to_string(), "this one");
        }
    }
}
