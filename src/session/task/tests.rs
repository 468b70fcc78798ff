//! What is summed up of a task, by table and by property.

use proptest::prelude::*;

use super::*;
use crate::session::metadata::tests::minimal;

/// A session of the task `t`: its number, when it ended, and its exit code.
pub(crate) fn session(number: u64, exit_code: i32) -> TaskSession {
    let mut metadata = minimal(&format!("a-20260305_132522-1-{number:08x}"));
    metadata.task = Some("t".to_owned());
    metadata.exit_code = Some(exit_code);
    TaskSession::of(&Entry::of(&metadata, 0), number).unwrap()
}

#[test]
fn a_harmless_name_is_its_own_directory() {
    for name in ["parser", "PROJ-12", "v1.2_x", &"a".repeat(64)] {
        assert_eq!(directory_of(name), name);
    }
    for name in [
        "",
        ".",
        "..",
        "../../etc",
        "a/b",
        "-rf",
        ".hidden",
        "a b",
        "größer",
        "a~0123456789abcdef",
        "a\nb",
        "\u{202e}x",
        &"a".repeat(65),
    ] {
        let directory = directory_of(name);
        assert!(directory.contains(DIVIDER), "{name:?}: {directory}");
    }
    assert!(directory_of("../x y").starts_with("x-y~"));
}

#[test]
fn a_state_is_called_as_files_call_it() {
    for state in [TaskState::Open, TaskState::Done, TaskState::Failed] {
        let written = serde_json::to_value(state).unwrap();
        assert_eq!(written, state.name());
    }
}

#[test]
fn sums_are_those_of_the_sessions() {
    let mut other = session(2, 1);
    other.agent = "b".to_owned();
    other.duration_ms = Some(1500);
    other.ended_at = Some("2026-03-05T13:30:00.000Z".parse().unwrap());
    let mut gone = session(3, 0);
    gone.pruned = true;
    let sessions = [session(1, 0), other, gone];
    let status = TaskStatus::of("t", &sessions, &[], 0, 3);
    let counts = (
        status.sessions,
        status.succeeded,
        status.failed,
        status.pruned,
    );
    assert_eq!(counts, (3, 2, 1, 1));
    let agents: Vec<(&str, u64, u64)> = status
        .agents
        .iter()
        .map(|agent| (agent.agent.as_str(), agent.sessions, agent.failed))
        .collect();
    assert_eq!(agents, [("a", 2, 0), ("b", 1, 1)]);
    let end = |session: &Option<TaskSession>| session.as_ref().map(|it| it.number);
    assert_eq!((end(&status.first), end(&status.last)), (Some(1), Some(2)));
    let span = sessions[1].end().0 - sessions[0].timestamp.0;
    assert_eq!(
        i64::try_from(status.duration_ms).unwrap(),
        span.num_milliseconds()
    );
    let mut present = Present::default();
    present.flip(&sessions[0].session_id);
    present.flip(&sessions[1].session_id);
    assert_eq!(status.present, present.to_string());
}

#[test]
fn the_first_began_first_and_the_last_ended_last_in_whatever_order_they_come() {
    let at = |number, start: &str, end: &str| {
        let mut it = session(number, 0);
        it.timestamp = start.parse().unwrap();
        it.ended_at = Some(end.parse().unwrap());
        it
    };
    let middle = at(1, "2026-03-05T10:00:00Z", "2026-03-05T10:30:00Z");
    let late = at(2, "2026-03-05T11:00:00Z", "2026-03-05T11:00:30Z");
    let early = at(3, "2026-03-05T09:00:00Z", "2026-03-05T09:30:00Z");
    // Two that ended at once: the one that was counted later is the last.
    let equal = at(4, "2026-03-05T10:30:00Z", "2026-03-05T11:00:30Z");
    let ends = |sessions: &[&TaskSession]| {
        let sessions: Vec<_> = sessions.iter().copied().cloned().collect();
        let status = TaskStatus::of("t", &sessions, &[], 0, 0);
        let number = |it: Option<TaskSession>| it.map_or(0, |it| it.number);
        (
            number(status.first),
            number(status.last),
            status.duration_ms,
        )
    };
    let whole_ms = 2 * 3_600_000 + 30_000;
    assert_eq!(ends(&[&middle, &late, &early]), (3, 2, whole_ms));
    assert_eq!(ends(&[&early, &late, &middle]), (3, 2, whole_ms));
    assert_eq!(ends(&[&late, &equal]), (4, 4, 1_830_000));
    assert_eq!(ends(&[&equal, &late]), (4, 2, 1_830_000));
}

#[test]
fn a_set_of_sessions_has_one_number_in_any_order() {
    let set = |numbers: &[u64]| {
        let mut present = Present::default();
        for number in numbers {
            present.flip(&session(*number, 0).session_id);
        }
        present.to_string()
    };
    // Nothing, and what printf(1) and sha256sum(1) say of one id: the number stays in files.
    assert_eq!(set(&[]), "0000000000000000");
    assert_eq!(set(&[1]), "7147d0a12f89e4e6");
    assert_eq!(set(&[1, 2, 3]), set(&[3, 1, 2]));
    assert_eq!(set(&[1, 2, 3, 2]), set(&[1, 3]));
    assert_ne!(set(&[1, 2]), set(&[1, 3]));
    let read: Present = set(&[1, 2]).parse().unwrap();
    assert_eq!(read.to_string(), set(&[1, 2]));
}

#[test]
fn the_last_word_on_a_state_counts_and_notes_leave_it() {
    let note = |state, text: Option<&str>| TaskNote {
        at: "2026-03-05T13:30:00.000Z".parse().unwrap(),
        agent: "a".to_owned(),
        state,
        text: text.map(str::to_owned),
    };
    let notes = [
        note(Some(TaskState::Done), None),
        note(Some(TaskState::Failed), Some("no time")),
        note(None, Some("again tomorrow")),
        note(None, None),
    ];
    let mut status = TaskStatus::new("t");
    status.hear(&notes, 9);
    assert_eq!((status.state, status.notes), (TaskState::Failed, 2));
    let text = status.last_note.and_then(|note| note.text);
    assert_eq!(text.as_deref(), Some("again tomorrow"));
    status = TaskStatus::new("t");
    status.hear(&notes[..1], 9);
    assert_eq!(status.state, TaskState::Done);
    let mut ended = notes.to_vec();
    ended.push(note(Some(TaskState::Failed), None));
    status.hear(&ended, 9);
    // What was said before is no reason for the end; once it goes on, it is the last word again.
    assert_eq!((status.notes, status.last_note.clone()), (2, None));
    ended.push(note(Some(TaskState::Open), None));
    status.hear(&ended, 9);
    let text = status.last_note.clone().and_then(|note| note.text);
    assert_eq!(text.as_deref(), Some("again tomorrow"));
    status.hear(&[], 0);
    assert_eq!(status.state, TaskState::Open);
}

proptest! {
    #[test]
    fn any_name_has_a_harmless_directory_of_its_own(one in ".*", other in ".*") {
        let directory = directory_of(&one);
        prop_assert!(!directory.is_empty() && directory.len() <= PLAIN_MAX_BYTES);
        prop_assert!(!directory.starts_with(['.', '-']));
        prop_assert!(directory.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte)));
        prop_assert_eq!(directory == directory_of(&other), one == other);
    }

    #[test]
    fn adding_one_by_one_gives_the_sums_of_all(codes in prop::collection::vec(0..3_i32, 0..20)) {
        let numbers = 1_u64..;
        let sessions: Vec<TaskSession> = numbers.zip(codes).map(|(number, code)| session(number, code)).collect();
        let whole = TaskStatus::of("t", &sessions, &[], 0, 0);
        let mut one_by_one = TaskStatus::new("t");
        for session in &sessions {
            one_by_one.add(session);
        }
        prop_assert_eq!(&one_by_one, &whole);
        let json = serde_json::to_string(&whole).unwrap();
        prop_assert_eq!(serde_json::from_str::<TaskStatus>(&json).unwrap(), whole);
    }
}
