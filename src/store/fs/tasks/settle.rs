//! Decides what a task's records should be, from what they are and what the store has.

use std::collections::HashSet;

use crate::session::{SessionId, TaskSession};

/// A record that was found: its number, and what it says; nothing if it is damaged.
pub(super) struct FoundRecord {
    pub(super) number: u64,
    pub(super) session: Option<TaskSession>,
}

/// What the records should be.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Settled {
    /// All sessions, by their numbers.
    pub(super) sessions: Vec<TaskSession>,
    /// The numbers of those whose record is to be written.
    pub(super) changed: Vec<u64>,
    /// The numbers of records that are to be put aside.
    pub(super) aside: Vec<u64>,
    /// The highest number that was ever given.
    pub(super) last_number: u64,
}

/// Settles a task's records. `present` are the task's sessions that the store has; none where that
/// isn't known. `missing` are those of them that have no record and whose recorder won't make one, in
/// the order of their ends: numbers whose record is damaged or gone are given to them first. Those of
/// records that were put aside, `taken`, are not given again.
pub(super) fn settle(
    mut found: Vec<FoundRecord>,
    present: Option<&HashSet<SessionId>>,
    missing: Vec<TaskSession>,
    taken: &HashSet<u64>,
) -> Settled {
    found.sort_by_key(|record| record.number);
    let mut settled = Settled::default();
    let (mut used, mut torn) = (taken.clone(), Vec::new());
    let mut seen = HashSet::new();
    settled.last_number = taken.iter().copied().max().unwrap_or(0);
    for FoundRecord { number, session } in found {
        settled.last_number = settled.last_number.max(number);
        // A session that has a record by a lower number needs no other.
        let session = session.filter(|session| seen.insert(session.session_id.clone()));
        let Some(mut session) = session else {
            torn.push(number);
            continue;
        };
        used.insert(number);
        let is_gone = present.is_some_and(|present| !present.contains(&session.session_id));
        if present.is_some() && session.pruned != is_gone {
            session.pruned = is_gone;
            settled.changed.push(number);
        }
        settled.sessions.push(session);
    }
    let mut next = 1;
    for mut session in missing {
        if !seen.insert(session.session_id.clone()) {
            continue;
        }
        while used.contains(&next) {
            next += 1;
        }
        session.number = next;
        used.insert(next);
        settled.last_number = settled.last_number.max(next);
        settled.changed.push(next);
        settled.sessions.push(session);
    }
    torn.retain(|number| !used.contains(number));
    settled.aside = torn;
    settled.sessions.sort_by_key(|session| session.number);
    settled
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::session::task::tests::session;

    fn found(number: u64, session: Option<TaskSession>) -> FoundRecord {
        FoundRecord { number, session }
    }

    fn numbers(settled: &Settled) -> Vec<(u64, String)> {
        let sessions = settled.sessions.iter();
        sessions
            .map(|session| (session.number, session.session_id.hex().to_owned()))
            .collect()
    }

    fn present(numbers: &[u64]) -> HashSet<SessionId> {
        numbers
            .iter()
            .map(|number| session(*number, 0).session_id)
            .collect()
    }

    #[test]
    fn a_damaged_record_is_written_again_with_its_number() {
        let records = vec![
            found(1, Some(session(1, 0))),
            found(2, None),
            found(3, Some(session(3, 0))),
        ];
        let settled = settle(
            records,
            Some(&present(&[1, 2, 3])),
            vec![session(2, 0)],
            &HashSet::new(),
        );
        let expected = [1, 2, 3].map(|number: u64| (number, format!("{number:08x}")));
        assert_eq!(numbers(&settled), expected);
        assert_eq!((settled.changed, settled.aside), (vec![2], vec![]));
    }

    #[test]
    fn a_number_whose_record_is_gone_is_given_again_but_not_one_that_was_put_aside() {
        let records = vec![found(4, Some(session(4, 0)))];
        let missing = vec![session(1, 0), session(3, 0), session(5, 0)];
        let settled = settle(
            records,
            Some(&present(&[1, 3, 4, 5])),
            missing,
            &HashSet::from([2]),
        );
        let expected = [1, 3, 4, 5].map(|number: u64| (number, format!("{number:08x}")));
        assert_eq!(numbers(&settled), expected);
    }

    #[test]
    fn a_damaged_record_of_a_removed_session_is_put_aside_and_its_number_stays_taken() {
        let settled = settle(
            vec![found(7, None)],
            Some(&present(&[])),
            Vec::new(),
            &HashSet::new(),
        );
        assert_eq!(
            (settled.aside.as_slice(), settled.last_number),
            (&[7][..], 7)
        );
    }

    #[test]
    fn a_removed_session_is_marked_and_one_that_came_back_is_not() {
        let mut gone = session(2, 0);
        gone.pruned = true;
        let records = vec![found(1, Some(session(1, 0))), found(2, Some(gone))];
        let settled = settle(records, Some(&present(&[2])), Vec::new(), &HashSet::new());
        let pruned: Vec<bool> = settled.sessions.iter().map(|it| it.pruned).collect();
        assert_eq!((pruned, settled.changed), (vec![true, false], vec![1, 2]));
    }

    proptest! {
        /// Whatever was found: each session has one number, each number one session, and doing it
        /// again changes nothing.
        #[test]
        fn every_session_is_numbered_once(
            records in prop::collection::btree_map(1..12_u64, prop::option::of(1..8_u64), 0..12),
            there in prop::collection::hash_set(1..12_u64, 0..12),
            taken in prop::collection::hash_set(12..16_u64, 0..3),
        ) {
            let there: Vec<u64> = there.into_iter().collect();
            let present = present(&there);
            let recorded: HashSet<u64> = records.values().flatten().copied().collect();
            let missing: Vec<TaskSession> = there
                .iter()
                .filter(|number| !recorded.contains(*number))
                .map(|number| session(*number, 0))
                .collect();
            let records = records.into_iter().map(|(number, of)| {
                let session = of.map(|of| TaskSession { number, ..session(of, 0) });
                found(number, session)
            });
            let settled = settle(records.collect(), Some(&present), missing, &taken);
            let ids: HashSet<&SessionId> = settled.sessions.iter().map(|it| &it.session_id).collect();
            let given: HashSet<u64> = settled.sessions.iter().map(|it| it.number).collect();
            prop_assert_eq!(ids.len(), settled.sessions.len());
            prop_assert_eq!(given.len(), settled.sessions.len());
            prop_assert!(given.is_disjoint(&settled.aside.iter().copied().collect()));
            for session in &settled.sessions {
                prop_assert_eq!(session.pruned, !present.contains(&session.session_id));
                prop_assert!(session.number <= settled.last_number);
            }
            for id in &present {
                prop_assert!(ids.contains(id));
            }
            let again = settled.sessions.iter().map(|it| found(it.number, Some(it.clone())));
            let again = settle(again.collect(), Some(&present), Vec::new(), &taken);
            prop_assert_eq!(&again.sessions, &settled.sessions);
            prop_assert!(again.changed.is_empty() && again.aside.is_empty());
        }
    }
}
