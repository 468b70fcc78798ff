//! An index is compared with its directory, mended, or made anew.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::time::Duration;

use super::super::rebuild;
use super::listing::Listing;
use super::{Opened, lock};
use crate::session::{Entry, SessionId};
use crate::store::index::endings::for_each_line;
use crate::store::index::{self, ReadAt};
use crate::store::layout;
use crate::sys::file::{self, Directory};
use crate::sys::random;
use crate::sys::stamp::stamp;

/// So many lines of removed sessions, and of sessions that were changed later, cost nobody anything.
const USELESS_LINES: usize = 1000;

/// Compares the index with the directory, and mends it.
///
/// # Errors
/// When the directory can't be read.
pub(in crate::store::fs) fn reconcile(
    session: &Directory,
    file: File,
    patience: Duration,
) -> io::Result<Opened> {
    let compared = Comparison::new(Listing::new(session)?, &file)?;
    if compared.is_worn() {
        return remake(session, patience);
    }
    let unfinished = compared.listing.unfinished(session)?;
    let lines = if compared.is_whole() {
        Box::new(file)
    } else {
        let lock = lock(session, patience);
        compared.add_missing(session, file, lock.is_ok())?
    };
    Ok(Opened { lines, unfinished })
}

/// An index beside the directory that it is of.
struct Comparison {
    listing: Listing,
    indexed: HashSet<u64>,
    /// Those that have a line and no sidecar, and were not removed by aido.
    gone: HashSet<u64>,
    lines: usize,
    /// The last time that a line knows of.
    latest: String,
}

impl Comparison {
    fn new(listing: Listing, index: &dyn ReadAt) -> io::Result<Self> {
        let mut compared = Self {
            listing,
            indexed: HashSet::new(),
            gone: HashSet::new(),
            lines: 0,
            latest: String::new(),
        };
        for_each_line(index, 0, index.length()?, &mut |line, _| {
            if let Some(entry) = index::parse(line) {
                compared.take(&entry);
            }
        })?;
        Ok(compared)
    }

    fn take(&mut self, entry: &Entry<'_>) {
        self.lines += 1;
        let digest = self.listing.digest(&entry.session_id);
        if entry.pruned.is_some() {
            self.gone.remove(&digest);
            self.indexed.remove(&digest);
        } else if self.listing.has_sidecar(digest) {
            self.indexed.insert(digest);
        } else {
            self.gone.insert(digest);
        }
        let last = entry.last_time();
        if last > self.latest.as_str() && index::is_time(last) {
            last.clone_into(&mut self.latest);
        }
    }

    /// Whether most of it is of no use.
    fn is_worn(&self) -> bool {
        let useless = self.lines - self.indexed.len();
        self.gone.len() > self.indexed.len() || useless > self.indexed.len() + USELESS_LINES
    }

    fn is_whole(&self) -> bool {
        self.indexed.len() == self.listing.sidecars()
    }

    /// The index with lines for those that have none; they are added to the file where they may be.
    fn add_missing(
        self,
        session: &Directory,
        mut file: File,
        may_write: bool,
    ) -> io::Result<Box<dyn ReadAt>> {
        let digest = |id: &SessionId| self.listing.digest(id.as_str());
        let is_missing = |id: &SessionId| !self.indexed.contains(&digest(id));
        let mut unsorted = Vec::new();
        // These lines come late, and lines are in the order of their times.
        let sorting = rebuild::write_lines(session, &is_missing, &self.latest, &mut unsorted)?;
        let mut lines = Vec::new();
        sorting.write_sorted(&unsorted, &mut lines)?;
        if file::last_byte(&file).is_some_and(|byte| byte != b'\n') {
            lines.insert(0, b'\n');
        }
        let append = || -> io::Result<bool> {
            let mut named = session.append(OsStr::new(layout::INDEX))?;
            let is_same = stamp(&named)?.identity == stamp(&file)?.identity;
            if is_same {
                named.write_all(&lines)?;
            }
            Ok(is_same)
        };
        if may_write && append().unwrap_or(false) {
            return Ok(Box::new(file));
        }
        // A store that can't be written to is read all the same.
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(0))?;
        file.read_to_end(&mut bytes)?;
        bytes.append(&mut lines);
        Ok(Box::new(bytes))
    }
}

/// Makes the index anew from the sidecars.
///
/// # Errors
/// When the directory can't be read.
pub(in crate::store::fs) fn remake(session: &Directory, patience: Duration) -> io::Result<Opened> {
    let open = || session.open_file(layout::INDEX).ok();
    let identity = |file: &File| stamp(file).map(|stamp| stamp.identity).ok();
    // Held open, so that no other file gets its number.
    let before = open();
    let listed = |lines| {
        let unfinished = Listing::new(session)?.unfinished(session)?;
        Ok(Opened { lines, unfinished })
    };
    let Ok(_lock) = lock(session, patience) else {
        return listed(in_memory(session)?);
    };
    // Somebody else may have made it while this one waited.
    if let Some(file) = open()
        && before.as_ref().and_then(identity) != identity(&file)
        && file.length()? > 0
    {
        return listed(Box::new(file));
    }
    let Ok(file) = replace(session) else {
        return listed(in_memory(session)?);
    };
    // What was published while it was made.
    let compared = Comparison::new(Listing::new(session)?, &file)?;
    let unfinished = compared.listing.unfinished(session)?;
    let lines = if compared.is_whole() {
        Box::new(file)
    } else {
        compared.add_missing(session, file, true)?
    };
    Ok(Opened { lines, unfinished })
}

/// Puts a new index in the place of the old one. Gives it open, since somebody may delete it.
fn replace(session: &Directory) -> io::Result<File> {
    let unsorted_name = layout::replacement(layout::INDEX, random::number()?);
    let new_name = layout::replacement(layout::INDEX, random::number()?);
    let made = || {
        let unsorted = session.create(&unsorted_name)?;
        let mut writer = BufWriter::new(&unsorted);
        let sorting = rebuild::write_lines(session, &|_| true, "", &mut writer)?;
        writer.flush()?;
        drop(writer);
        let new = session.create(&new_name)?;
        let mut writer = BufWriter::new(&new);
        sorting.write_sorted(&unsorted, &mut writer)?;
        writer.flush()?;
        drop(writer);
        session.replace(&new_name, layout::INDEX)?;
        Ok(new)
    };
    let made = made();
    let _ = session.remove(&unsorted_name);
    if made.is_err() {
        let _ = session.remove(&new_name);
    }
    made
}

fn in_memory(session: &Directory) -> io::Result<Box<dyn ReadAt>> {
    let (mut unsorted, mut lines) = (Vec::new(), Vec::new());
    let sorting = rebuild::write_lines(session, &|_| true, "", &mut unsorted)?;
    sorting.write_sorted(&unsorted, &mut lines)?;
    Ok(Box::new(lines))
}
