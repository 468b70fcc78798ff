//! Sessions with those that ran them again below them.

use std::collections::HashMap;

use crate::cli::reading::Reader;
use crate::session::SessionId;
use crate::view::session::Shown;

/// The longest chain that is followed to its beginning.
const ANCESTORS: usize = 100;

/// Adds the sessions that those here were rerun of, as far as they are there.
pub(super) fn with_ancestors(reader: &Reader, sessions: &mut Vec<Shown>) {
    let mut known: HashMap<String, ()> = sessions
        .iter()
        .map(|session| (session.metadata.session_id.to_string(), ()))
        .collect();
    let mut wanted: Vec<(String, usize)> = sessions.iter().filter_map(|it| parent(it, 0)).collect();
    while let Some((id, depth)) = wanted.pop() {
        if depth > ANCESTORS || known.insert(id.clone(), ()).is_some() {
            continue;
        }
        let read = id.parse::<SessionId>().ok();
        if let Some(session) = read.and_then(|id| reader.read(&id).ok()) {
            wanted.extend(parent(&session, depth));
            sessions.push(session);
        }
    }
}

fn parent(session: &Shown, depth: usize) -> Option<(String, usize)> {
    Some((session.metadata.parent.clone()?, depth + 1))
}

/// The order in which sessions stand, given each one's id, start and parent: their places, and how deep
/// each stands. The newest beginning comes first, and what was run again comes below in the order of
/// time. A chain that leads back to itself, which no honest sidecar has, is opened somewhere.
pub(super) fn arranged(sessions: &[(String, String, Option<String>)]) -> Vec<(usize, usize)> {
    let places: HashMap<&str, usize> = sessions
        .iter()
        .enumerate()
        .map(|(place, (id, ..))| (id.as_str(), place))
        .collect();
    let mut children: HashMap<usize, Vec<usize>> = HashMap::new();
    let mut roots = Vec::new();
    for (place, (_, _, parent)) in sessions.iter().enumerate() {
        let parent = parent.as_deref().and_then(|parent| places.get(parent));
        match parent {
            Some(parent) if *parent != place => children.entry(*parent).or_default().push(place),
            _ => roots.push(place),
        }
    }
    let start = |place: &usize| &sessions[*place].1;
    roots.sort_by(|one, other| start(other).cmp(start(one)));
    for below in children.values_mut() {
        // Taken from the end of a stack: the last comes first.
        below.sort_by(|one, other| start(other).cmp(start(one)));
    }
    let mut order = Vec::with_capacity(sessions.len());
    let mut is_placed = vec![false; sessions.len()];
    // What is in a circle has no beginning, and comes last.
    for beginning in roots.into_iter().chain(0..sessions.len()) {
        let mut stack = vec![(beginning, 0)];
        while let Some((place, depth)) = stack.pop() {
            if std::mem::replace(&mut is_placed[place], true) {
                continue;
            }
            order.push((place, depth));
            let below = children.get(&place).into_iter().flatten();
            stack.extend(below.map(|child| (*child, depth + 1)));
        }
    }
    order
}

/// The deepest that commands are indented.
const DEEPEST: usize = 8;

/// What stands before the command of a session at this depth.
pub(super) fn indent(depth: usize) -> String {
    match depth {
        0 => String::new(),
        depth if depth <= DEEPEST => format!("{}└ ", "  ".repeat(depth - 1)),
        // So that there is room left for the command.
        depth => format!("{}└ ({depth}) ", "  ".repeat(DEEPEST - 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_of_any_length_leaves_room_for_the_command() {
        assert_eq!(indent(0), "");
        assert_eq!(indent(2), "  └ ");
        assert_eq!(indent(100), format!("{}└ (100) ", " ".repeat(14)));
    }

    fn order(sessions: &[(&str, &str, Option<&str>)]) -> Vec<(String, usize)> {
        let owned: Vec<(String, String, Option<String>)> = sessions
            .iter()
            .map(|(id, start, parent)| {
                let parent = parent.map(str::to_owned);
                ((*id).to_owned(), (*start).to_owned(), parent)
            })
            .collect();
        let order = arranged(&owned).into_iter();
        order
            .map(|(place, depth)| (owned[place].0.clone(), depth))
            .collect()
    }

    #[test]
    fn what_was_run_again_stands_below() {
        let sessions = [
            ("d", "4", Some("a")),
            ("c", "3", None),
            ("b", "2", Some("a")),
            ("e", "5", Some("b")),
            ("f", "6", Some("gone")),
            ("a", "1", None),
        ];
        let expected = [("f", 0), ("c", 0), ("a", 0), ("b", 1), ("e", 2), ("d", 1)];
        assert_eq!(
            order(&sessions),
            expected.map(|(id, depth)| (id.to_owned(), depth))
        );
    }

    #[test]
    fn every_session_stands_once_even_in_a_circle() {
        let sessions = [
            ("a", "1", Some("b")),
            ("b", "2", Some("a")),
            ("c", "3", Some("c")),
        ];
        let mut ids: Vec<String> = order(&sessions).into_iter().map(|(id, _)| id).collect();
        ids.sort();
        assert_eq!(ids, ["a", "b", "c"]);
    }
}
