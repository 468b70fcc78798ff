//! Many sessions on two threads.

use std::collections::HashMap;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;

use super::super::turns::{Receiver, search};
use super::super::{
    Case, Context, Facts, Marks, Part, Pattern, Plan, Rows, Sessions, Syntax, Wanted,
};
use crate::session::SessionId;
use crate::store::StoreError;

/// Sessions in memory.
#[derive(Default)]
struct Kept {
    sessions: HashMap<SessionId, Session>,
    opened: AtomicUsize,
}

#[derive(Clone, Default)]
struct Session {
    facts: Facts,
    transcript: Vec<u8>,
    is_damaged: bool,
    is_broken: bool,
}

impl Kept {
    fn session(&self, id: &SessionId) -> Result<&Session, StoreError> {
        let missing = || StoreError::NoSession(id.clone());
        self.sessions.get(id).ok_or_else(missing)
    }
}

impl Sessions for Kept {
    fn facts(&self, id: &SessionId, _bytes: &mut Vec<u8>) -> Result<Facts, StoreError> {
        Ok(self.session(id)?.facts.clone())
    }

    fn transcript(&self, id: &SessionId) -> Result<(Box<dyn Read>, Option<u64>), StoreError> {
        self.opened.fetch_add(1, Ordering::Relaxed);
        let session = self.session(id)?;
        assert!(!session.is_broken, "a mistake of the program");
        if session.is_damaged {
            let error = io::Error::other("a bad disk");
            return Err(StoreError::file("transcript")(error));
        }
        let size_bytes = session.transcript.len() as u64;
        Ok((
            Box::new(io::Cursor::new(session.transcript.clone())),
            Some(size_bytes),
        ))
    }

    fn contains(&self, id: &SessionId) -> bool {
        self.sessions.contains_key(id)
    }
}

/// Everything that was told, in order.
#[derive(Default)]
struct Told {
    lines: Vec<String>,
    stop_after: Option<usize>,
}

impl Told {
    fn tell(&mut self, line: String) -> ControlFlow<()> {
        self.lines.push(line);
        match self.stop_after.is_some_and(|most| self.lines.len() >= most) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }
}

impl Receiver for Told {
    fn rows(&mut self, id: &SessionId, rows: &Rows) -> ControlFlow<()> {
        for row in rows.iter() {
            let text = String::from_utf8_lossy(row.text);
            self.tell(format!("{} {:?} {} {text}", id.hex(), row.part, row.line))?;
        }
        ControlFlow::Continue(())
    }

    fn end(&mut self, id: &SessionId, matches: u64) -> ControlFlow<()> {
        self.tell(format!("{} {matches}", id.hex()))
    }

    fn unreadable(&mut self, id: &SessionId, error: &StoreError) -> ControlFlow<()> {
        self.tell(format!("{} {error}", id.hex()))
    }
}

fn id(number: usize) -> SessionId {
    format!("a-20260305_132522-1-{number:08x}").parse().unwrap()
}

fn plan(wanted: Wanted) -> Plan {
    Plan {
        pattern: Pattern::new("error", Syntax::Fixed, Case::Sensitive).unwrap(),
        parts: vec![Part::Command, Part::Notes, Part::Transcript],
        wanted,
        marks: Marks::Wanted,
        most: u64::MAX,
    }
}

fn transcript(text: &[u8]) -> Session {
    Session {
        facts: Facts {
            output_bytes: Some(text.len() as u64),
            ..Facts::default()
        },
        transcript: text.to_vec(),
        ..Session::default()
    }
}

fn kept(sessions: Vec<Session>) -> Kept {
    let sessions = sessions.into_iter().enumerate();
    Kept {
        sessions: sessions.map(|(number, kept)| (id(number), kept)).collect(),
        opened: AtomicUsize::new(0),
    }
}

/// Searches the first `count` sessions, whether they are there or not.
fn told(plan: &Plan, sessions: &Kept, count: usize, stop_after: Option<usize>) -> Vec<String> {
    let mut told = Told {
        stop_after,
        ..Told::default()
    };
    search(plan, sessions, (0..count).map(id), &mut told);
    told.lines
}

const ROWS: Wanted = Wanted::Rows(Context {
    before: 0,
    after: 0,
});

#[test]
fn every_part_is_searched_and_those_that_cannot_be_are_told() {
    let mut noted = transcript(b"fine\nan error\n\n=== AI_EXIT_CODE: error ===\n");
    noted.facts.output_bytes = Some(14);
    noted.facts.command = "error --now".to_owned();
    noted.facts.notes = Some("first\nerror again".to_owned());
    let mut damaged = noted.clone();
    damaged.is_damaged = true;
    let running = Session {
        transcript: b"still error".to_vec(),
        ..Session::default()
    };
    let sessions = kept(vec![noted, damaged, running, transcript(b"fine")]);
    assert_eq!(
        told(&plan(ROWS), &sessions, 6, None),
        [
            "00000000 Command 1 error --now",
            "00000000 Notes 2 error again",
            "00000000 Transcript 2 an error",
            "00000000 3",
            "00000001 Command 1 error --now",
            "00000001 Notes 2 error again",
            "00000001 transcript: a bad disk",
            "00000002 Transcript 1 still error",
            "00000002 1",
            "00000003 0",
            // Removed before they were reached.
            "00000004 0",
            "00000005 0",
        ]
    );
}

#[test]
fn at_most_so_many_lines_are_looked_for() {
    let mut session = transcript(&b"an error\n".repeat(100));
    session.facts.command = "error".to_owned();
    let sessions = kept(vec![session]);
    let count = |wanted, most| {
        let plan = Plan {
            most,
            ..plan(wanted)
        };
        told(&plan, &sessions, 1, None).pop().unwrap()
    };
    assert_eq!(count(Wanted::Count, u64::MAX), "00000000 101");
    assert_eq!(count(Wanted::Count, 7), "00000000 7");
    assert_eq!(count(ROWS, 3), "00000000 3");
    assert_eq!(count(Wanted::Any, 7), "00000000 1");
}

#[test]
fn a_search_that_is_told_to_stop_reads_no_more_than_what_is_ahead() {
    let sessions = kept(vec![transcript(b"an error\n"); 10_000]);
    let lines = told(&plan(ROWS), &sessions, 10_000, Some(3));
    assert_eq!(lines.len(), 3);
    assert!(sessions.opened.load(Ordering::Relaxed) < 5000);
}

#[test]
fn who_tells_to_stop_while_more_is_searched_is_told_nothing_more() {
    // More than a buffer each, so that results are handed on in the middle of a session.
    let sessions = kept(vec![transcript(&b"an error\n".repeat(20_000)); 4]);
    let all = told(&plan(ROWS), &sessions, 4, None);
    for most in [1, 20_001, 30_000] {
        let lines = told(&plan(ROWS), &sessions, 4, Some(most));
        assert_eq!(lines.len(), most);
        assert!(lines == all[..most], "{most} lines aren't the first ones");
    }
}

/// One thread's results are more than may wait, while the other searches in front of it.
#[test]
fn results_that_are_far_ahead_wait_for_their_turn() {
    let line = [&b"error "[..], &[b'x'; 2000], b"\n"].concat();
    let mut sessions = vec![transcript(&line.repeat(3000)); 5];
    sessions.insert(0, transcript(&[b'\n'; 1_000_000]));
    let sessions = kept(sessions);
    let lines = told(&plan(ROWS), &sessions, 6, None);
    let heads = lines.iter().map(|line| match line.split_once(" error") {
        Some((head, _)) => head.to_owned(),
        None => line.clone(),
    });
    let mut expected = vec!["00000000 0".to_owned()];
    for number in 1..=5 {
        expected.extend((1..=3000).map(|line| format!("{number:08x} Transcript {line}")));
        expected.push(format!("{number:08x} 3000"));
    }
    assert_eq!(heads.collect::<Vec<String>>(), expected);
}

#[test]
fn a_panic_on_either_thread_ends_the_search() {
    let mut sessions = vec![transcript(b"an error\n"); 2000];
    sessions[1000].is_broken = true;
    let sessions = kept(sessions);
    let search = || told(&plan(ROWS), &sessions, 2000, None);
    assert!(std::panic::catch_unwind(AssertUnwindSafe(search)).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn results_come_in_the_order_of_the_sessions(
        hits in prop::collection::vec(prop_oneof![3 => Just(0usize), 2 => 1usize..5, 1 => 200usize..1500], 0..300),
    ) {
        let session = |hits: &usize| transcript(&b"an error\n".repeat(*hits));
        let sessions = kept(hits.iter().map(session).collect());
        let lines = told(&plan(ROWS), &sessions, hits.len(), None);
        let mut expected = Vec::new();
        for (number, hits) in hits.iter().enumerate() {
            let hex = format!("{number:08x}");
            expected.extend((1..=*hits).map(|line| format!("{hex} Transcript {line} an error")));
            expected.push(format!("{hex} {hits}"));
        }
        prop_assert_eq!(lines, expected);
    }
}
