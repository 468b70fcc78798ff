//! The newest sessions of an index, without reading all of it.

use std::cmp::Ordering;
use std::collections::hash_map::RandomState;
use std::collections::{BinaryHeap, HashSet};
use std::hash::BuildHasher;
use std::io;
use std::ops::ControlFlow;

use super::backwards::Backwards;
use super::parse;
use crate::session::Entry;

/// Visits the sessions of an index in the order of their starts, the newest first; those of which
/// `wanted` says no are passed over cheaply. Lines of removed sessions are shown to `wanted` too.
///
/// Lines stand in the order of ends. Read from the end, each line says that all before it ended, and
/// so started, no later than it did: a session that started after that has its place for certain.
/// What is held is as many sessions as ran at the same time, not more. Where a clock was set back the
/// order is as good as the clock was.
///
/// # Errors
/// When the disk fails.
pub fn newest_first(
    lines: &mut Backwards<'_>,
    wanted: &mut dyn FnMut(&Entry<'_>) -> bool,
    visit: &mut dyn FnMut(Entry<'static>) -> ControlFlow<()>,
) -> io::Result<Walked> {
    let hasher = RandomState::new();
    // Digests instead of ids: a million take 16 MB. Two sessions with one digest in one index are
    // less likely than a broken disk.
    let mut seen: HashSet<u64> = HashSet::new();
    let mut waiting: BinaryHeap<ByStart> = BinaryHeap::new();
    let mut bound = String::new();
    while let Some((line, _)) = lines.line()? {
        let Some(entry) = parse(line) else {
            return Ok(Walked::Damaged);
        };
        if !seen.insert(hasher.hash_one(&*entry.session_id)) {
            continue;
        }
        bound.clear();
        bound.push_str(entry.last_time());
        if wanted(&entry) {
            waiting.push(ByStart(Box::new(entry.into_owned())));
        }
        while waiting
            .peek()
            .is_some_and(|first| *first.0.timestamp > *bound)
        {
            if let Some(ByStart(first)) = waiting.pop()
                && visit(*first).is_break()
            {
                return Ok(Walked::Stopped);
            }
        }
    }
    while let Some(ByStart(first)) = waiting.pop() {
        if visit(*first).is_break() {
            return Ok(Walked::Stopped);
        }
    }
    Ok(Walked::Through)
}

/// How far a walk through an index came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Walked {
    /// To its beginning.
    Through,
    /// To a session at which the visitor had seen enough.
    Stopped,
    /// To a line that is none. What was there is not known, so nothing beyond it was visited.
    Damaged,
}

/// Ordered by start, then by id, so that the order is the same for everybody. It is small, since a heap
/// moves what it holds about.
pub(crate) struct ByStart(pub(crate) Box<Entry<'static>>);

impl Ord for ByStart {
    fn cmp(&self, other: &Self) -> Ordering {
        let times = self.0.timestamp.cmp(&other.0.timestamp);
        times.then_with(|| self.0.session_id.cmp(&other.0.session_id))
    }
}

impl PartialOrd for ByStart {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for ByStart {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for ByStart {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::metadata::tests::minimal;
    use crate::store::index::line;
    use proptest::prelude::*;

    fn stamp(seconds: u32) -> String {
        format!("2026-03-05T13:{:02}:{:02}.000Z", seconds / 60, seconds % 60)
    }

    /// The lines of sessions with these starts and durations, in the order of their ends.
    fn index(sessions: &[(u32, u32)]) -> Vec<u8> {
        let mut lines: Vec<(u32, String)> = Vec::new();
        for (number, (start, duration)) in sessions.iter().enumerate() {
            let metadata = minimal(&format!("a-20260305_132522-1-{number:08x}"));
            let mut entry = Entry::of(&metadata, 0);
            entry.timestamp = stamp(*start).into();
            entry.ended_at = Some(stamp(start + duration).into());
            lines.push((start + duration, line(&entry).unwrap()));
        }
        lines.sort_by_key(|(end, _)| *end);
        lines
            .into_iter()
            .map(|(_, line)| line)
            .collect::<String>()
            .into_bytes()
    }

    fn newest(index: &Vec<u8>, count: usize) -> (Vec<String>, usize) {
        let mut lines = Backwards::new(index).unwrap();
        let (mut found, mut read) = (Vec::new(), 0);
        let mut wanted = |_: &Entry<'_>| {
            read += 1;
            true
        };
        newest_first(&mut lines, &mut wanted, &mut |entry| {
            found.push(entry.timestamp.into_owned());
            if found.len() == count {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })
        .unwrap();
        (found, read)
    }

    #[test]
    fn few_lines_are_read_for_few_sessions() {
        let sessions: Vec<(u32, u32)> = (0..1000).map(|start| (start, 2)).collect();
        let (found, read) = newest(&index(&sessions), 3);
        assert_eq!(found, [stamp(999), stamp(998), stamp(997)]);
        assert!(read < 10, "{read}");
    }

    #[test]
    fn the_last_line_of_a_session_counts() {
        let metadata = minimal("a-20260305_132522-1-abcdef12");
        let mut entry = Entry::of(&metadata, 0);
        let first = line(&entry).unwrap();
        entry.notes = Some("changed".into());
        let text = first + &line(&entry).unwrap();
        let text = text.into_bytes();
        let mut lines = Backwards::new(&text).unwrap();
        let mut notes = Vec::new();
        newest_first(&mut lines, &mut |_| true, &mut |entry| {
            notes.push(entry.notes.unwrap_or_default().into_owned());
            ControlFlow::Continue(())
        })
        .unwrap();
        assert_eq!(notes, ["changed"]);
    }

    proptest! {
        #[test]
        fn the_order_is_that_of_the_starts(
            sessions in prop::collection::vec((0..600_u32, 0..600_u32), 0..60),
            count in 1..70_usize,
        ) {
            let (found, _) = newest(&index(&sessions), count);
            let mut wanted: Vec<String> = sessions.iter().map(|(start, _)| stamp(*start)).collect();
            wanted.sort_unstable();
            wanted.reverse();
            wanted.truncate(count);
            prop_assert_eq!(found, wanted);
        }
    }
}
