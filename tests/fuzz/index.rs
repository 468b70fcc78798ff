//! The index, and the table of endings beside it.

use std::collections::HashSet;
use std::ops::ControlFlow;

use aido::store::index::{self, Backwards, Walked, endings, id_of, newest_first, parse};

use super::two_files;

/// An index; after a border, a table of endings that somebody made of it.
pub(super) fn index(input: &[u8]) {
    let (lines, table) = two_files(input);
    let file = lines.to_vec();
    let mut backwards = Backwards::new(&file).expect("bytes have a length");
    let mut found = Vec::new();
    while let Some((line, place)) = backwards.line().expect("bytes can be read") {
        let place = usize::try_from(place).expect("it is in memory");
        assert_eq!(line, &lines[place..place + line.len()], "a line's place");
        found.push(line.to_vec());
    }
    found.reverse();
    let forward: Vec<&[u8]> = lines.split(|byte| *byte == b'\n').collect();
    let forward: Vec<&[u8]> = forward
        .into_iter()
        .filter(|line| !line.is_empty())
        .collect();
    assert_eq!(
        found, forward,
        "lines from the end are not those from the beginning"
    );

    check_order(&file);
    let made = endings::build(&file).expect("bytes can be read");
    let endings = endings::Endings::open(&made, &file).expect("what was made fits");
    let mut read = 0;
    let covered = endings::for_each_line(&file, 0, file.len() as u64, &mut |line, place| {
        read += 1;
        let ending = id_of(line).and_then(|id| id.rsplit_once('-'));
        let Some((_, hex)) = ending.filter(|_| parse(line).is_some()) else {
            return;
        };
        let places = endings.find(hex, usize::MAX).expect("bytes can be read");
        assert!(places.contains(&place), "{hex} is not found");
    })
    .expect("bytes can be read");
    assert_eq!(endings.covered_bytes(), covered);
    assert!(read <= forward.len() + lines.iter().filter(|byte| **byte == b'\n').count());

    // A table that a stranger made is taken or not; what it says are only places.
    let table = table.to_vec();
    if let Some(endings) = endings::Endings::open(&table, &file) {
        let _ = endings.may_begin_with("agent");
        let _ = endings.find("2f58", 10);
    }
}

/// The walk shows each session once, newest first.
fn check_order(file: &Vec<u8>) {
    let mut lines = Backwards::new(file).expect("bytes have a length");
    let (mut seen, mut ids) = (Vec::new(), HashSet::new());
    let walked = newest_first(&mut lines, &mut |_| true, &mut |entry| {
        let line = index::line(&entry).expect("what was read can be written");
        let again = parse(line.trim_end().as_bytes()).expect("what was written is read");
        assert_eq!(again, entry);
        assert!(ids.insert(entry.session_id.to_string()), "a session twice");
        seen.push((entry.timestamp.to_string(), entry.last_time().to_owned()));
        ControlFlow::Continue(())
    });
    let walked = walked.expect("bytes can be read");
    assert_ne!(walked, Walked::Stopped);
    // Where clocks went on, and no session ended before it began, the order is that of starts.
    let ends_in_order = seen.iter().all(|(start, end)| start <= end)
        && is_sorted_by_end(file)
        && walked == Walked::Through;
    let is_ordered = seen.windows(2).all(|pair| pair[0].0 >= pair[1].0);
    assert!(is_ordered || !ends_in_order, "not newest first: {seen:?}");
}

fn is_sorted_by_end(file: &[u8]) -> bool {
    let lines = file.split(|byte| *byte == b'\n').filter_map(parse);
    let ends: Vec<String> = lines.map(|entry| entry.last_time().to_owned()).collect();
    ends.is_sorted()
}
