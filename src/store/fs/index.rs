//! The index file of a session directory: recorders append to it, readers make and mend it.
//!
//! A recorder's line comes before its sidecar gets its name, so a session that is there has a line,
//! whenever its recorder was killed; a line without a sidecar is passed over by whoever reads. A
//! recorder that finds no index leaves it to readers to make one, since an index that begins with
//! the newest session would look like a whole one; only the first of a store begins it.
//!
//! A reader puts a new index in place whole, and then compares it with the directory; a recorder
//! looks, after its sidecar has its name, whether its line is in what is now the index. One of the
//! two comes last, so that nothing falls between. What comes and goes by other hands is noticed by
//! comparing index and directory: always where that is small, else where the directory changed well
//! after the index did. All changes but a recorder's line are made under the store's lock.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write};
use std::time::Duration;

use crate::session::{Entry, SessionId};
use crate::store::index::{self, ReadAt};
use crate::store::layout::{self, Kind};
use crate::store::observer::Observer;
use crate::sys::file::{self, Directory};
use crate::sys::lock::wait_for_lock;
use crate::sys::stamp::{set_modified, stamp, stamp_of};

mod find;
mod listing;
mod mend;
mod removals;

pub(super) use find::find;
pub(super) use mend::{reconcile, remake};
pub(super) use removals::append_removal;

/// A directory of at most this size is always compared with its index: some thousand sessions,
/// which take a millisecond.
const SMALL_DIRECTORY_BYTES: u64 = 192 * 1024;
/// A directory of at most this size is looked through by a recorder that finds no index.
const NEW_DIRECTORY_BYTES: u64 = 16 * 1024;
/// A recorder publishes a session right after its line. A directory that changed this long after
/// its index was changed by somebody else.
const PUBLISHING_NS: i128 = 2_000_000_000;
/// How often a line is appended again because the index was replaced meanwhile.
const APPEND_TRIES: usize = 3;
/// How long a reader waits for somebody else who changes the store.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);

/// The file that a line went to, held open, so that no other one gets its number; none where there
/// was no index.
pub(super) struct Appended(Option<File>);

/// Adds a line to the index, which is derived: a failure loses nothing, but makes the next reader
/// make it anew.
pub(super) fn append(session: &Directory, entry: &Entry<'_>) -> Appended {
    let appended = || {
        let line = index::line(entry)?;
        append_to(session, layout::INDEX, &line, &|| is_new(session))
    };
    Appended(appended().unwrap_or_else(|_| {
        let _ = session.remove(layout::INDEX);
        None
    }))
}

impl Appended {
    /// Called once the session has its sidecar: adds its line again if another index took the place
    /// of the one that has it. Whoever puts one there later sees the sidecar.
    pub(super) fn keep(self, session: &Directory, entry: &Entry<'_>) {
        let own = self.0.and_then(|file| stamp(&file).ok());
        if let Ok(named) = stamp_of(session, layout::INDEX)
            && own.is_none_or(|own| own.identity != named.identity)
        {
            append(session, entry);
        }
    }
}

/// Appends a line to a file that is there, or may be begun. Gives it; none if there is none.
fn append_to(
    session: &Directory,
    name: &str,
    line: &str,
    may_begin: &dyn Fn() -> bool,
) -> io::Result<Option<File>> {
    for _ in 0..APPEND_TRIES {
        let mut file = session.append(OsStr::new(name))?;
        match file::last_byte(&file) {
            Some(b'\n') => file.write_all(line.as_bytes())?,
            // A recorder that was killed may have left half a line behind.
            Some(_) => file.write_all(format!("\n{line}").as_bytes())?,
            None if may_begin() => file.write_all(line.as_bytes())?,
            None => return Ok(None),
        }
        // Another one may have been put in its place between opening and writing.
        let own = stamp(&file)?.identity;
        if stamp_of(session, name).is_ok_and(|named| named.identity == own) {
            return Ok(Some(file));
        }
    }
    Ok(None)
}

/// Whether nothing is finished here yet, as far as that is quickly told.
fn is_new(session: &Directory) -> bool {
    let mut is_new = stamp(session).is_ok_and(|stamp| stamp.size_bytes <= NEW_DIRECTORY_BYTES);
    if is_new {
        let looked = session.each_name(&mut |name| {
            is_new &= !matches!(layout::parse(name), Some((_, Kind::Sidecar)));
        });
        is_new &= looked.is_ok();
    }
    is_new
}

/// How an index is opened.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manner<'a> {
    /// How long to wait for somebody else who changes the store.
    pub(super) patience: Duration,
    /// Who is told how far the making of it is.
    pub(super) observer: Option<&'a dyn Observer>,
}

impl Manner<'_> {
    /// For whoever waits for nobody.
    pub(super) const HASTY: Self = Manner {
        patience: Duration::ZERO,
        observer: None,
    };
}

/// An index, and what was found on the way where the whole directory was read.
pub(super) struct Opened {
    pub(super) lines: Box<dyn ReadAt>,
    /// Sessions with files but without a sidecar.
    pub(super) unfinished: Vec<SessionId>,
}

/// The index, as far as it is right by what can be told cheaply; made or mended first if it isn't.
///
/// # Errors
/// When the directory can't be read.
pub(super) fn open(session: &Directory, manner: Manner<'_>) -> io::Result<Opened> {
    let directory = stamp(session)?;
    let is_small = directory.size_bytes <= SMALL_DIRECTORY_BYTES;
    let file = match session.open_file(layout::INDEX) {
        Ok(file) if is_small || file.length()? > 0 => file,
        _ => return remake(session, manner),
    };
    let is_old = directory.modified_ns > stamp(&file)?.modified_ns + PUBLISHING_NS;
    // The last line is torn: so may be what came after it.
    let is_torn = file::last_byte(&file).is_some_and(|byte| byte != b'\n');
    if !(is_small || is_old || is_torn) {
        let lines = Box::new(file);
        return Ok(Opened {
            lines,
            unfinished: Vec::new(),
        });
    }
    let mended = reconcile(session, file, manner)?;
    if is_old && session.check_private().is_ok() {
        let own = session.append(OsStr::new(layout::INDEX));
        // The directory as it was before it was compared: what changed since is for the next one.
        let _ = own.and_then(|file| set_modified(&file, directory.modified_ns));
    }
    Ok(mended)
}

/// The index as it is, for who has no time: only that of a small directory is compared and mended.
/// None where there is none and making it would take long.
///
/// # Errors
/// When the directory can't be read.
pub(super) fn open_in_a_hurry(session: &Directory) -> io::Result<Option<Opened>> {
    if stamp(session)?.size_bytes <= SMALL_DIRECTORY_BYTES {
        return open(session, Manner::HASTY).map(Some);
    }
    match session.open_file(layout::INDEX) {
        Ok(file) if file.length()? > 0 => Ok(Some(Opened {
            lines: Box::new(file),
            unfinished: Vec::new(),
        })),
        _ => Ok(None),
    }
}

/// Takes the lock on changes of this directory's finished sessions, which only its owner makes.
///
/// # Errors
/// When it was not to be had in time, or the directory can't be written to.
pub(super) fn lock(session: &Directory, patience: Duration) -> io::Result<File> {
    session.check_private()?;
    let named = |error: io::Error| {
        let message = match error.kind() {
            io::ErrorKind::WouldBlock => "another aido is changing sessions, still".to_owned(),
            _ => format!("{}: {error}", layout::LOCK),
        };
        io::Error::new(error.kind(), message)
    };
    let file = session.append(OsStr::new(layout::LOCK)).map_err(named)?;
    wait_for_lock(&file, patience).map_err(named)?;
    Ok(file)
}
