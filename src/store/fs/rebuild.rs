//! Making the index's lines from the sidecars, in bounded memory.

use std::ffi::OsStr;
use std::io::{self, Read, Write};

use crate::session::{Entry, Metadata, SessionId};
use crate::store::SIDECAR_MAX_BYTES;
use crate::store::index::{self, ReadAt};
use crate::store::layout::{self, Kind};
use crate::sys::file::Directory;
use crate::sys::stamp::stamp_of;

/// The place of a line among others that are not sorted yet.
struct Place {
    /// The line's time, as a number that sorts as it does.
    time: u64,
    start: u64,
    bytes: u32,
}

/// Writes the lines of the sessions whose sidecars `wanted` names to `unsorted`, as they come; where
/// a session ended before the time `after`, its line says that it came then. Returns what sorts them.
pub(super) fn write_lines(
    session: &Directory,
    wanted: &dyn Fn(&SessionId) -> bool,
    after: &str,
    unsorted: &mut dyn Write,
) -> io::Result<Sorting> {
    let mut sorting = Sorting::default();
    let mut failed = None;
    session.each_name(&mut |name: &OsStr| {
        let Some((id, Kind::Sidecar)) = layout::parse(name) else {
            return;
        };
        if failed.is_none() && wanted(&id) {
            failed = sorting.add(session, &id, after, unsorted).err();
        }
    })?;
    failed.map_or(Ok(sorting), Err)
}

/// Where each line is, 24 bytes a session.
#[derive(Default)]
pub(super) struct Sorting {
    places: Vec<Place>,
    end: u64,
}

impl Sorting {
    fn add(
        &mut self,
        session: &Directory,
        id: &SessionId,
        after: &str,
        unsorted: &mut dyn Write,
    ) -> io::Result<()> {
        let metadata = read_metadata(session, id);
        let mut entry = match &metadata {
            Some(metadata) => Entry::of(metadata, size_bytes(session, id)),
            None => Entry::unreadable(id),
        };
        if entry.last_time() < after {
            entry.indexed_at = Some(after.into());
        }
        let line = index::line(&entry)?;
        unsorted.write_all(line.as_bytes())?;
        self.places.push(Place {
            time: number(entry.last_time()),
            start: self.end,
            bytes: u32::try_from(line.len()).unwrap_or(u32::MAX),
        });
        self.end += line.len() as u64;
        Ok(())
    }

    /// Copies the lines in the order of their times.
    pub(super) fn write_sorted(
        mut self,
        unsorted: &dyn ReadAt,
        sorted: &mut dyn Write,
    ) -> io::Result<()> {
        self.places
            .sort_unstable_by_key(|place| (place.time, place.start));
        let mut line = Vec::new();
        for place in &self.places {
            line.resize(place.bytes as usize, 0);
            unsorted.read_at(&mut line, place.start)?;
            sorted.write_all(&line)?;
        }
        Ok(())
    }
}

/// A time's digits as one number.
fn number(time: &str) -> u64 {
    let digits = time.bytes().filter(u8::is_ascii_digit).take(17);
    digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0'))
}

fn read_metadata(session: &Directory, id: &SessionId) -> Option<Metadata> {
    let file = session.open_file(&layout::sidecar(id)).ok()?;
    let mut bytes = Vec::new();
    let count = file
        .take(SIDECAR_MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .ok()?;
    if count as u64 > SIDECAR_MAX_BYTES {
        return None;
    }
    crate::store::parse_sidecar(id, &bytes).ok()
}

/// What a session's files hold.
pub(super) fn size_bytes(session: &Directory, id: &SessionId) -> u64 {
    let names = [
        layout::transcript(id),
        layout::events(id),
        layout::sidecar(id),
    ];
    let sizes = names.iter().filter_map(|name| stamp_of(session, name).ok());
    sizes.map(|stamp| stamp.size_bytes).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_sort_as_numbers_as_they_do_as_texts() {
        let times = [
            "2025-12-31T23:59:59.999Z",
            "2026-01-01T00:00:00.000Z",
            "2026-01-01T00:00:00.001Z",
        ];
        assert!(times.map(number).is_sorted());
        assert_eq!(number(times[2]), 20_260_101_000_000_001);
    }
}
