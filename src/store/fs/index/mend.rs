//! An index is compared with its directory, mended, or made anew.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};

use super::super::rebuild::{self, Wanted};
use super::listing::Listing;
use super::{Manner, Opened, lock};
use crate::session::{Entry, SessionId};
use crate::store::index::endings::for_each_line;
use crate::store::index::{self, ReadAt};
use crate::store::layout;
use crate::sys::file::{self, Directory};
use crate::sys::random;
use crate::sys::stamp::stamp;

/// Compares the index with the directory, and mends it.
///
/// # Errors
/// When the directory can't be read.
pub(in crate::store::fs) fn reconcile(
    session: &Directory,
    file: File,
    manner: Manner<'_>,
) -> io::Result<Opened> {
    let compared = Comparison::new(Listing::new(session)?, &file)?;
    if compared.listing.is_worn(compared.lines) {
        return remake(session, manner);
    }
    let unfinished = compared.listing.unfinished(session)?;
    let lines = if compared.listing.is_whole() {
        Box::new(file)
    } else {
        let lock = lock(session, manner.patience);
        compared.add_missing(session, file, lock.is_ok(), manner)?
    };
    Ok(Opened { lines, unfinished })
}

/// An index beside the directory that it is of.
struct Comparison {
    listing: Listing,
    /// Lines that could be read.
    lines: usize,
    /// The last time that a line knows of.
    latest: String,
}

impl Comparison {
    fn new(listing: Listing, index: &dyn ReadAt) -> io::Result<Self> {
        let mut compared = Self {
            listing,
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
        match entry.pruned {
            Some(_) => self.listing.add_removal(&entry.session_id),
            None => self.listing.add_line(&entry.session_id),
        }
        let last = entry.last_time();
        if last > self.latest.as_str() && index::is_time(last) {
            last.clone_into(&mut self.latest);
        }
    }

    /// The index with lines for those that have none; they are added to the file where they may be.
    fn add_missing(
        self,
        session: &Directory,
        mut file: File,
        may_write: bool,
        manner: Manner<'_>,
    ) -> io::Result<Box<dyn ReadAt>> {
        let is_missing = |id: &SessionId| self.listing.lacks_line(id.as_str());
        let mut unsorted = Vec::new();
        // These lines come late, and lines are in the order of their times.
        let wanted = Wanted {
            which: &is_missing,
            after: &self.latest,
        };
        let sorting = rebuild::write_lines(session, &wanted, &mut unsorted, manner.observer)?;
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
pub(in crate::store::fs) fn remake(session: &Directory, manner: Manner<'_>) -> io::Result<Opened> {
    let open = || session.open_file(layout::INDEX).ok();
    let identity = |file: &File| stamp(file).map(|stamp| stamp.identity).ok();
    // Held open, so that no other file gets its number.
    let before = open();
    let listed = |lines| {
        let unfinished = Listing::new(session)?.unfinished(session)?;
        Ok(Opened { lines, unfinished })
    };
    let Ok(_lock) = lock(session, manner.patience) else {
        return listed(in_memory(session, manner)?);
    };
    // Somebody else may have made it while this one waited.
    if let Some(file) = open()
        && before.as_ref().and_then(identity) != identity(&file)
        && file.length()? > 0
    {
        return listed(Box::new(file));
    }
    let Ok(file) = replace(session, manner) else {
        return listed(in_memory(session, manner)?);
    };
    // What was published while it was made.
    let compared = Comparison::new(Listing::new(session)?, &file)?;
    let unfinished = compared.listing.unfinished(session)?;
    let lines = if compared.listing.is_whole() {
        Box::new(file)
    } else {
        compared.add_missing(session, file, true, manner)?
    };
    Ok(Opened { lines, unfinished })
}

/// Puts a new index in the place of the old one. Gives it open, since somebody may delete it.
fn replace(session: &Directory, manner: Manner<'_>) -> io::Result<File> {
    let unsorted_name = layout::replacement(layout::INDEX, random::number()?);
    let new_name = layout::replacement(layout::INDEX, random::number()?);
    let made = || {
        let unsorted = session.create(&unsorted_name)?;
        let mut writer = BufWriter::new(&unsorted);
        let sorting = rebuild::write_lines(session, &Wanted::ALL, &mut writer, manner.observer)?;
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

fn in_memory(session: &Directory, manner: Manner<'_>) -> io::Result<Box<dyn ReadAt>> {
    let (mut unsorted, mut lines) = (Vec::new(), Vec::new());
    let sorting = rebuild::write_lines(session, &Wanted::ALL, &mut unsorted, manner.observer)?;
    sorting.write_sorted(&unsorted, &mut lines)?;
    Ok(Box::new(lines))
}
