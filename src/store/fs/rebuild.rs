//! Making the index's lines from the sidecars, in bounded memory.

use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use super::held::read_sidecar;
use super::sweep::{Visitor, hands, sweep};
use crate::session::{Entry, SessionId};
use crate::store::index::{self, ReadAt};
use crate::store::layout;
use crate::store::observer::{Observer, Task};
use crate::sys::file::Directory;
use crate::sys::stamp::stamp_of;

/// A thread hands its lines over when it has this much of them.
const BATCH_BYTES: usize = 64 * 1024;

/// The place of a line among others that are not sorted yet.
struct Place {
    /// The line's time, as a number that sorts as it does.
    time: u64,
    start: u64,
    bytes: u32,
}

/// Which lines are made.
pub(super) struct Wanted<'a> {
    /// Those of these sessions.
    pub(super) which: &'a (dyn Fn(&SessionId) -> bool + Sync),
    /// The line of a session that ended before this time says that it came then.
    pub(super) after: &'a str,
}

impl Wanted<'_> {
    /// Those of all sessions.
    pub(super) const ALL: Self = Wanted {
        which: &|_| true,
        after: "",
    };
}

/// Writes the lines of sessions to `unsorted`, as they come. Returns what sorts them.
pub(super) fn write_lines(
    session: &Directory,
    wanted: &Wanted<'_>,
    unsorted: &mut (dyn Write + Send),
    observer: Option<&dyn Observer>,
) -> io::Result<Sorting> {
    gather(session, wanted, unsorted, (hands(session)?, observer))
}

fn gather(
    session: &Directory,
    wanted: &Wanted<'_>,
    unsorted: &mut (dyn Write + Send),
    (hands, observer): (usize, Option<&dyn Observer>),
) -> io::Result<Sorting> {
    let sorting = Sorting::default();
    let gathered = Mutex::new(Gathered { unsorted, sorting });
    let maker = |_| LineMaker {
        session,
        wanted,
        gathered: &gathered,
        sidecar: Vec::new(),
        lines: Vec::new(),
        places: Vec::new(),
    };
    let makers = (0..hands).map(maker).collect();
    for mut maker in sweep(session, observer, Task::Indexing, makers)? {
        maker.hand_over()?;
    }
    let gathered = gathered.into_inner();
    Ok(gathered.unwrap_or_else(PoisonError::into_inner).sorting)
}

/// What all threads made.
struct Gathered<'a> {
    unsorted: &'a mut (dyn Write + Send),
    sorting: Sorting,
}

/// Makes lines from sidecars.
struct LineMaker<'a, 'g> {
    session: &'a Directory,
    wanted: &'a Wanted<'a>,
    gathered: &'a Mutex<Gathered<'g>>,
    /// The sidecar that is read.
    sidecar: Vec<u8>,
    /// What was not handed over yet; its places count from here.
    lines: Vec<u8>,
    places: Vec<Place>,
}

impl Visitor for LineMaker<'_, '_> {
    fn visit(&mut self, id: &SessionId) -> io::Result<()> {
        if !(self.wanted.which)(id) {
            return Ok(());
        }
        let read = read_sidecar(self.session, &layout::sidecar(id), &mut self.sidecar);
        let entry = read.ok().and_then(|()| {
            let output = [layout::transcript(id), layout::events(id)];
            let output = output.map(|name| file_bytes(self.session, &name));
            let size_bytes = self.sidecar.len() as u64 + output.iter().sum::<u64>();
            Entry::of_sidecar(id, &self.sidecar, size_bytes)
        });
        let mut entry = entry.unwrap_or_else(|| Entry::unreadable(id));
        if entry.last_time() < self.wanted.after {
            entry.indexed_at = Some(self.wanted.after.into());
        }
        let start = self.lines.len();
        index::write_line(&mut self.lines, &entry)?;
        self.places.push(Place {
            time: number(entry.last_time()),
            start: start as u64,
            bytes: u32::try_from(self.lines.len() - start).unwrap_or(u32::MAX),
        });
        match self.lines.len() {
            ..BATCH_BYTES => Ok(()),
            _ => self.hand_over(),
        }
    }
}

impl LineMaker<'_, '_> {
    fn hand_over(&mut self) -> io::Result<()> {
        let gathered = self.gathered.lock();
        let mut gathered = gathered.unwrap_or_else(PoisonError::into_inner);
        gathered.unsorted.write_all(&self.lines)?;
        let sorting = &mut gathered.sorting;
        let before = sorting.end;
        sorting
            .places
            .extend(self.places.drain(..).map(|place| Place {
                start: before + place.start,
                ..place
            }));
        sorting.end += self.lines.len() as u64;
        self.lines.clear();
        Ok(())
    }
}

/// Where each line is, 24 bytes a session.
#[derive(Default)]
pub(super) struct Sorting {
    places: Vec<Place>,
    end: u64,
}

impl Sorting {
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

/// What a session's files hold.
pub(super) fn size_bytes(session: &Directory, id: &SessionId) -> u64 {
    let names = [
        layout::transcript(id),
        layout::events(id),
        layout::sidecar(id),
    ];
    names.iter().map(|name| file_bytes(session, name)).sum()
}

/// What a file holds; nothing if there is none.
fn file_bytes(session: &Directory, name: &str) -> u64 {
    stamp_of(session, name).map_or(0, |stamp| stamp.size_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::metadata::tests::minimal;

    #[test]
    fn the_lines_are_the_same_however_many_hands_make_them() {
        let temporary = tempfile::tempdir().unwrap();
        let session = Directory::open(temporary.path()).unwrap();
        for number in 0..2000 {
            let mut metadata = minimal(&format!("a-20260305_132522-1-{number:08x}"));
            let (minute, second) = (number % 2000 / 60, number % 60);
            let time = format!("2026-03-05T13:{minute:02}:{second:02}.000Z");
            metadata.timestamp = time.parse().unwrap();
            let mut file = session
                .create(&layout::sidecar(&metadata.session_id))
                .unwrap();
            // Some can't be read, and have a line all the same.
            let text = metadata.to_json().unwrap();
            let length = if number % 7 == 0 { 40 } else { text.len() };
            file.write_all(&text.as_bytes()[..length]).unwrap();
        }
        let made = |hands| {
            let mut unsorted = Vec::new();
            let sorting = gather(&session, &Wanted::ALL, &mut unsorted, (hands, None)).unwrap();
            let mut sorted = Vec::new();
            sorting.write_sorted(&unsorted, &mut sorted).unwrap();
            let mut lines: Vec<String> = String::from_utf8(sorted)
                .unwrap()
                .lines()
                .map(str::to_owned)
                .collect();
            let times = lines.iter().map(|line| {
                let entry = index::parse(line.as_bytes()).unwrap();
                number(entry.last_time())
            });
            assert!(times.is_sorted());
            // Of those that began at once the order is open.
            lines.sort_unstable();
            lines
        };
        let alone = made(1);
        assert_eq!(alone.len(), 2000);
        assert_eq!(alone, made(3));
    }

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
