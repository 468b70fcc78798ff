//! What is remembered of removed sessions: the last ones, in a file of its own, since the index may be
//! made anew.

use std::io::{self, Read, Seek, SeekFrom, Write};

use super::{append, append_to};
use crate::session::Entry;
use crate::store::{index, layout};
use crate::sys::file::Directory;
use crate::sys::random;
use crate::sys::write_back::start_write_back;

/// The most that the file holds, and how much of its end is kept when it does: some ten thousand
/// removals.
const LIMITS: Limits = Limits {
    most_bytes: 8 * 1024 * 1024,
    kept_bytes: 4 * 1024 * 1024,
};

/// How large the file may be, and is made then.
struct Limits {
    most_bytes: u64,
    kept_bytes: u64,
}

/// Remembers a session that is about to be removed, also in the index. Under the store's lock, like all
/// changes.
///
/// # Errors
/// When it can't be written.
pub(in crate::store::fs) fn append_removal(
    session: &Directory,
    entry: &Entry<'_>,
) -> io::Result<()> {
    let line = index::line(entry)?;
    append_to(session, layout::PRUNED, &line, &|| true)?;
    append(session, entry);
    // A file that can't be shortened stays as it is until the next one.
    let _ = forget_oldest(session, &LIMITS);
    Ok(())
}

/// Puts the end of the file in its place, if it is too long.
fn forget_oldest(session: &Directory, limits: &Limits) -> io::Result<()> {
    let mut file = session.open_file(layout::PRUNED)?;
    let length = file.metadata()?.len();
    if length <= limits.most_bytes {
        return Ok(());
    }
    let mut kept = Vec::new();
    file.seek(SeekFrom::Start(length.saturating_sub(limits.kept_bytes)))?;
    file.take(limits.kept_bytes).read_to_end(&mut kept)?;
    // What is before the first newline is the end of a line.
    let start = memchr::memchr(b'\n', &kept).map_or(kept.len(), |newline| newline + 1);
    let new = layout::replacement(layout::PRUNED, random::number()?);
    let replaced = session.create(&new).and_then(|mut file| {
        file.write_all(&kept[start..])?;
        // Not waited for: the lock is held.
        start_write_back(&file);
        session.replace(&new, layout::PRUNED)
    });
    if replaced.is_err() {
        let _ = session.remove(&new);
    }
    replaced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_removals_are_kept_in_whole_lines() {
        let temporary = tempfile::tempdir().unwrap();
        let directory = Directory::open(temporary.path()).unwrap();
        let path = temporary.path().join(layout::PRUNED);
        let put = |text: &str| {
            let _ = directory.remove(layout::PRUNED);
            let mut file = directory.create(layout::PRUNED).unwrap();
            file.write_all(text.as_bytes()).unwrap();
        };
        let limits = Limits {
            most_bytes: 100,
            kept_bytes: 50,
        };
        let lines: String = (0..10).map(|number| format!("line {number}\n")).collect();
        for (repeated, expected) in [(1, lines.clone()), (2, lines[70 - 49..].to_owned())] {
            put(&lines.repeat(repeated));
            forget_oldest(&directory, &limits).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), expected);
            assert_eq!(std::fs::read_dir(&temporary).unwrap().count(), 1);
        }
        // One line that is longer than all that is kept is none.
        put(&"x".repeat(200));
        forget_oldest(&directory, &limits).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "");
    }
}
