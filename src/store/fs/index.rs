//! The index file of a session directory: appended to by recorders, healed by readers.
//!
//! A recorder's line comes before its sidecar gets its name, so a session that is there has a line,
//! whenever its recorder was killed; a line without a sidecar is passed over by whoever reads. What
//! comes and goes by other hands is noticed by comparing the index with the directory: always where
//! that is small, else where the directory changed well after the index did.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, BufWriter, Read, Write};
use std::time::Duration;

use super::rebuild;
use crate::session::{Entry, SessionId};
use crate::store::index::endings::{self, Endings, for_each_line};
use crate::store::index::{self, ReadAt};
use crate::store::layout::{self, Kind};
use crate::sys::file::{self, Directory};
use crate::sys::lock::wait_for_lock;
use crate::sys::random;
use crate::sys::stamp::{stamp, stamp_of, touch};

/// A directory of at most this size is always compared with its index: some thousand sessions,
/// which take a millisecond.
const SMALL_DIRECTORY_BYTES: u64 = 192 * 1024;
/// A recorder publishes a session right after its line. A directory that changed this long after
/// its index was changed by somebody else.
const PUBLISHING_NS: i128 = 2_000_000_000;
/// How often a line is appended again because the index was replaced meanwhile.
const APPEND_TRIES: usize = 3;
/// How long to wait for somebody else who makes the index.
const PATIENCE: Duration = Duration::from_secs(30);
/// More than an id takes at the beginning of a line.
const ID_BYTES: u64 = 256;

/// Adds a line to the index, which is derived: a failure loses nothing, but makes the next reader
/// make it anew.
pub(super) fn append(session: &Directory, entry: &Entry<'_>) {
    if append_line(session, layout::INDEX, entry).is_err() {
        let _ = session.remove(layout::INDEX);
    }
}

/// Remembers a session that is about to be removed: in a file of its own, since the index may be
/// made anew, and in the index.
pub(super) fn append_removal(session: &Directory, entry: &Entry<'_>) -> io::Result<()> {
    append_line(session, layout::PRUNED, entry)?;
    append(session, entry);
    Ok(())
}

fn append_line(session: &Directory, name: &str, entry: &Entry<'_>) -> io::Result<()> {
    let line = index::line(entry)?;
    for _ in 0..APPEND_TRIES {
        let mut file = session.append(OsStr::new(name))?;
        // A recorder that was killed may have left half a line behind.
        if file::last_byte(&file).is_some_and(|byte| byte != b'\n') {
            file.write_all(format!("\n{line}").as_bytes())?;
        } else {
            file.write_all(line.as_bytes())?;
        }
        // A reader may have made the index anew between opening and writing.
        let own = stamp(&file)?.identity;
        if stamp_of(session, name).is_ok_and(|named| named.identity == own) {
            break;
        }
    }
    Ok(())
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
pub(super) fn open(session: &Directory) -> io::Result<Opened> {
    let Ok(file) = session.open_file(layout::INDEX) else {
        let lines = remake(session)?;
        let unfinished = unfinished(session)?;
        return Ok(Opened { lines, unfinished });
    };
    let (directory, index) = (stamp(session)?, stamp(&file)?);
    if directory.modified_ns > index.modified_ns + PUBLISHING_NS {
        let lines = reconcile(session, file)?;
        let unfinished = unfinished(session)?;
        if let Ok(file) = session.append(OsStr::new(layout::INDEX)) {
            let _ = touch(&file);
        }
        return Ok(Opened { lines, unfinished });
    }
    if directory.size_bytes <= SMALL_DIRECTORY_BYTES {
        let lines = reconcile(session, file)?;
        let unfinished = unfinished(session)?;
        return Ok(Opened { lines, unfinished });
    }
    Ok(Opened {
        lines: Box::new(file),
        unfinished: Vec::new(),
    })
}

/// Sessions that have files in the directory, but no sidecar.
fn unfinished(session: &Directory) -> io::Result<Vec<SessionId>> {
    let mut ids = Vec::new();
    let mut finished = HashSet::new();
    session.each_name(&mut |name| match layout::parse(name) {
        Some((id, Kind::Sidecar)) => drop(finished.insert(id)),
        Some((id, _)) => ids.push(id),
        None => {}
    })?;
    ids.retain(|id| !finished.contains(id));
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

/// Compares the index with the directory, and mends it.
///
/// # Errors
/// When the directory can't be read.
pub(super) fn reconcile(session: &Directory, file: File) -> io::Result<Box<dyn ReadAt>> {
    // Digests instead of ids: a million take 16 MB.
    let hasher = RandomState::new();
    let mut present = HashSet::new();
    session.each_name(&mut |name| {
        if let Some((id, Kind::Sidecar)) = layout::parse(name) {
            present.insert(hasher.hash_one(id.as_str()));
        }
    })?;
    let (mut indexed, mut gone) = (HashSet::new(), HashSet::new());
    for_each_line(&file, 0, file.length()?, &mut |line, _| {
        let Some(entry) = index::parse(line) else {
            return;
        };
        let digest = hasher.hash_one(&*entry.session_id);
        if entry.pruned.is_some() {
            gone.remove(&digest);
            indexed.remove(&digest);
        } else if present.contains(&digest) {
            indexed.insert(digest);
        } else {
            gone.insert(digest);
        }
    })?;
    if gone.len() > indexed.len() {
        return remake(session);
    }
    if indexed.len() == present.len() {
        return Ok(Box::new(file));
    }
    let is_missing = |id: &SessionId| !indexed.contains(&hasher.hash_one(id.as_str()));
    let mut unsorted = Vec::new();
    let sorting = rebuild::write_lines(session, &is_missing, &mut unsorted)?;
    let mut lines = Vec::new();
    sorting.write_sorted(&unsorted, &mut lines)?;
    if file::last_byte(&file).is_some_and(|byte| byte != b'\n') {
        lines.insert(0, b'\n');
    }
    let append = || session.append(OsStr::new(layout::INDEX))?.write_all(&lines);
    if append().is_ok() {
        return Ok(Box::new(session.open_file(layout::INDEX)?));
    }
    // A store that can't be written to is read all the same.
    let mut bytes = Vec::new();
    (&file).read_to_end(&mut bytes)?;
    bytes.append(&mut lines);
    Ok(Box::new(bytes))
}

/// Makes the index anew from the sidecars and from what is known of removed sessions.
///
/// # Errors
/// When the directory can't be read.
pub(super) fn remake(session: &Directory) -> io::Result<Box<dyn ReadAt>> {
    let identity = |file: &File| stamp(file).map(|stamp| stamp.identity).ok();
    let before = session.open_file(layout::INDEX).ok();
    let Ok(_lock) = lock(session, PATIENCE) else {
        return in_memory(session);
    };
    // Somebody else may have made it while this one waited.
    if let Ok(file) = session.open_file(layout::INDEX)
        && before.as_ref().and_then(identity) != identity(&file)
    {
        return Ok(Box::new(file));
    }
    let seen_bytes = before.as_ref().map_or(Ok(0), ReadAt::length)?;
    if replace(session).is_err() {
        return in_memory(session);
    }
    // What recorders appended to the old one while the new one was made. They look whether theirs
    // is still the index after they have written, so nothing comes later.
    if let Some(before) = before {
        let mut late = Vec::new();
        for_each_line(&before, seen_bytes, before.length()?, &mut |line, _| {
            late.extend_from_slice(line);
            late.push(b'\n');
        })?;
        if !late.is_empty() {
            session
                .append(OsStr::new(layout::INDEX))?
                .write_all(&late)?;
        }
    }
    Ok(Box::new(session.open_file(layout::INDEX)?))
}

/// Puts a new index in the place of the old one.
fn replace(session: &Directory) -> io::Result<()> {
    let unsorted_name = layout::replacement(layout::INDEX, random::number()?);
    let new_name = layout::replacement(layout::INDEX, random::number()?);
    let made = || {
        let unsorted = session.create(&unsorted_name)?;
        let mut writer = BufWriter::new(&unsorted);
        let sorting = rebuild::write_lines(session, &|_| true, &mut writer)?;
        writer.flush()?;
        drop(writer);
        let mut new = BufWriter::new(session.create(&new_name)?);
        copy_removals(session, &mut new)?;
        sorting.write_sorted(&unsorted, &mut new)?;
        new.flush()?;
        session.replace(&new_name, layout::INDEX)
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
    let sorting = rebuild::write_lines(session, &|_| true, &mut unsorted)?;
    copy_removals(session, &mut lines)?;
    sorting.write_sorted(&unsorted, &mut lines)?;
    Ok(Box::new(lines))
}

/// Copies what is known of removed sessions. It comes first: a session that was put back after it
/// was removed is there again.
fn copy_removals(session: &Directory, to: &mut dyn Write) -> io::Result<()> {
    if let Ok(mut pruned) = session.open_file(layout::PRUNED) {
        io::copy(&mut pruned, to)?;
        to.write_all(b"\n")?;
    }
    Ok(())
}

/// Takes the lock on changes of this directory's finished sessions.
///
/// # Errors
/// When it was not to be had in time, or the directory can't be written to.
pub(super) fn lock(session: &Directory, patience: Duration) -> io::Result<File> {
    let file = session.append(OsStr::new(layout::LOCK))?;
    wait_for_lock(&file, patience)?;
    Ok(file)
}

/// The ids of indexed sessions that end so or begin so, at most `limit`; some may be gone.
///
/// # Errors
/// When the index can't be read.
pub(super) fn find(session: &Directory, part: &str, limit: usize) -> io::Result<Vec<SessionId>> {
    let index = open(session)?.lines;
    let table = session.open_file(layout::ENDINGS).ok();
    let endings = table.as_ref().and_then(|file| Endings::open(file, &*index));
    let length = index.length()?;
    let covered = endings.as_ref().map_or(0, Endings::covered_bytes);
    let mut found: Vec<SessionId> = Vec::new();
    let mut look = |line: &[u8], _: u64| {
        let Some(text) = index::id_of(line) else {
            return;
        };
        let hex = text.rsplit('-').next().unwrap_or_default();
        if (text.starts_with(part) || hex.ends_with(part))
            && found.len() < limit
            && found.iter().all(|id| id.as_str() != text)
            && let Ok(id) = text.parse()
        {
            found.push(id);
        }
    };
    match &endings {
        Some(endings) if !endings.may_begin_with(part) => {
            for place in endings.find(part, limit)? {
                let count = ID_BYTES.min(length.saturating_sub(place));
                let mut line = vec![0; usize::try_from(count).unwrap_or_default()];
                index.read_at(&mut line, place)?;
                look(&line, place);
            }
        }
        Some(_) => drop(for_each_line(&*index, 0, covered, &mut look)?),
        None => {}
    }
    for_each_line(&*index, covered, length, &mut look)?;
    if length - covered > endings::UNCOVERED_MAX_BYTES {
        let _ = cover(session, &*index);
    }
    Ok(found)
}

/// Makes the table of endings anew.
fn cover(session: &Directory, index: &dyn ReadAt) -> io::Result<()> {
    let bytes = endings::build(index)?;
    let new = layout::replacement(layout::ENDINGS, random::number()?);
    let made = session.create(&new).and_then(|mut file| {
        file.write_all(&bytes)?;
        session.replace(&new, layout::ENDINGS)
    });
    if made.is_err() {
        let _ = session.remove(&new);
    }
    made
}
