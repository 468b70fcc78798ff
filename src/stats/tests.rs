use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp(chrono::DateTime::from_timestamp(seconds, 0).unwrap())
}

/// A success at the beginning of 1970 that took a second and printed 10 bytes.
fn sample(command: &str) -> Sample<'_> {
    Sample {
        started: at(0),
        duration_ms: Some(1000),
        agent: "codex",
        program: program(command),
        command,
        directory: None,
        has_failed: false,
        exit_code: Some(0),
        signal: None,
        status: Status::Exited,
        judgement: None,
        output_bytes: 10,
    }
}

fn failure(command: &str) -> Sample<'_> {
    Sample {
        has_failed: true,
        exit_code: Some(1),
        ..sample(command)
    }
}

fn count<'a>(samples: impl IntoIterator<Item = Sample<'a>>) -> Stats {
    let mut accumulator = Accumulator::new(&|_| 0);
    for sample in samples {
        accumulator.add(&sample);
    }
    accumulator.finish(10)
}

fn named(ranking: &Ranking) -> Vec<(&str, u64)> {
    let rows = ranking.rows.iter();
    rows.map(|row| (row.name.as_str(), row.counts.sessions))
        .collect()
}

#[test]
fn nothing_is_counted_of_nothing() {
    let stats = count([]);
    assert_eq!((stats.total, stats.days.len()), (Counts::default(), 0));
    assert_eq!(
        (named(&stats.agents), stats.agents.other),
        (vec![], Counts::default())
    );
}

#[test]
fn a_repeat_follows_a_failure_of_the_same_line() {
    for (samples, repeats, again, lost) in [
        (vec![failure("make")], 0, 0, 1000),
        (vec![failure("make"), failure("make")], 1, 1, 2000),
        (vec![failure("make"), sample("make")], 1, 0, 1000),
        (
            vec![failure("make"), sample("make"), sample("make")],
            1,
            0,
            1000,
        ),
        (vec![sample("make"), failure("make")], 0, 0, 1000),
        (vec![failure("make"), failure("make -k")], 0, 0, 2000),
        (
            vec![failure("make"), sample("ls"), failure("make")],
            1,
            1,
            2000,
        ),
    ] {
        let lines: Vec<_> = samples
            .iter()
            .map(|one| (one.command, one.has_failed))
            .collect();
        let total = count(samples.clone()).total;
        assert_eq!(
            (total.repeats, total.failed_again),
            (repeats, again),
            "{lines:?}"
        );
        assert_eq!(
            (total.lost_ms, total.lost_again_ms),
            (lost, again * 1000),
            "{lines:?}"
        );
    }
}

#[test]
fn the_same_line_in_another_directory_is_no_repeat() {
    let here = Sample {
        directory: Some("/here"),
        ..failure("make")
    };
    let there = Sample {
        directory: Some("/there"),
        ..failure("make")
    };
    assert_eq!(count([here, there]).total.repeats, 0);
    assert_eq!(count([here, there, here]).total.repeats, 1);
}

#[test]
fn a_repeat_by_another_agent_is_one_and_counts_for_that_agent() {
    let other = Sample {
        agent: "claude-code",
        ..failure("make")
    };
    let stats = count([failure("make"), other]);
    assert_eq!(named(&stats.repeated), [("make", 1)]);
    let again: Vec<_> = stats
        .agents
        .rows
        .iter()
        .map(|row| (row.name.as_str(), row.counts.failed_again))
        .collect();
    assert_eq!(again, [("claude-code", 1), ("codex", 0)]);
}

#[test]
fn outcomes_have_names() {
    let with = |status, exit_code, signal| Sample {
        status,
        exit_code,
        signal,
        ..failure("x")
    };
    for (sample, name) in [
        (sample("x"), "exit 0"),
        (with(Status::Exited, Some(101), None), "exit 101"),
        (
            with(Status::Signaled, Some(137), Some("SIGKILL")),
            "SIGKILL",
        ),
        (with(Status::Signaled, Some(137), None), "exit 137"),
        (
            with(Status::TimedOut, Some(124), Some("SIGTERM")),
            "timed out",
        ),
        (with(Status::NotStarted, Some(127), None), "not started"),
        (with(Status::Interrupted, None, None), "unknown"),
        (with(Status::Exited, None, None), "unknown"),
    ] {
        assert_eq!(named(&count([sample]).outcomes), [(name, 1)]);
    }
}

#[test]
fn a_program_is_named_without_variables_and_directory() {
    for (command, name) in [
        ("cargo test", "cargo"),
        ("/usr/bin/env python", "env"),
        ("RUST_LOG=debug A=b ./target/x --y=z", "x"),
        ("  ls", "ls"),
        ("=x", "=x"),
        ("A=b", "A=b"),
        ("'A=b' c", "'A=b'"),
        ("", ""),
        ("/", ""),
        ("dir/", "dir"),
    ] {
        assert_eq!(program(command), name, "{command:?}");
    }
}

#[test]
fn a_day_is_one_of_local_time() {
    let late = Sample {
        started: at(86_399),
        ..sample("x")
    };
    let date = |offset: i32| {
        let offset = move |_| offset;
        let mut accumulator = Accumulator::new(&offset);
        accumulator.add(&late);
        accumulator.finish(1).days[0].date.to_string()
    };
    assert_eq!(date(0), "1970-01-01");
    assert_eq!(date(1), "1970-01-02");
    assert_eq!(date(-86_400), "1969-12-31");
}

#[test]
fn a_time_at_the_end_of_the_calendar_is_a_day_too() {
    let last = Sample {
        started: Timestamp(chrono::DateTime::<chrono::Utc>::MAX_UTC),
        duration_ms: Some(u64::MAX),
        output_bytes: u64::MAX,
        ..failure("x")
    };
    let mut accumulator = Accumulator::new(&|_| i32::MAX);
    accumulator.add(&last);
    accumulator.add(&last);
    let stats = accumulator.finish(1);
    assert_eq!(stats.days.len(), 1);
    assert_eq!(
        (stats.total.lost_ms, stats.total.output_bytes),
        (u64::MAX, u64::MAX)
    );
}

#[test]
fn the_earliest_of_too_many_days_are_counted_together() {
    let days = DAYS_MAX as i64 + 5;
    // Backwards, so that the earliest come last.
    let samples = (0..days).rev().map(|day| Sample {
        started: at(day * 86_400),
        ..sample("x")
    });
    let stats = count(samples);
    assert_eq!(stats.days.len(), DAYS_MAX);
    assert_eq!(stats.earlier.sessions, 5);
    assert_eq!(stats.days[0].date.to_string(), "1970-01-06");
}

#[test]
fn a_failure_is_remembered_while_few_enough_others_fail() {
    let others: Vec<String> = (0..3 * FAILING_MAX)
        .map(|index| format!("c{index}"))
        .collect();
    let after = |count: usize| {
        let mut accumulator = Accumulator::new(&|_| 0);
        accumulator.add(&failure("make"));
        for other in &others[..count] {
            accumulator.add(&failure(other));
            let failing = &accumulator.failing;
            assert!(failing.recent.len() + failing.before.len() <= 2 * FAILING_MAX);
        }
        accumulator.add(&failure("make"));
        accumulator.finish(1).total.repeats
    };
    assert_eq!(after(FAILING_MAX), 1);
    assert_eq!(after(3 * FAILING_MAX), 0);
}

#[derive(Clone, Debug)]
struct Given {
    day: i64,
    agent: usize,
    command: usize,
    has_failed: bool,
    duration_ms: u64,
}

fn any_sessions() -> impl Strategy<Value = Vec<Given>> {
    let one = (0i64..40, 0usize..4, 0usize..6, any::<bool>(), 0u64..100_000);
    let one = one.prop_map(|(day, agent, command, has_failed, duration_ms)| Given {
        day,
        agent,
        command,
        has_failed,
        duration_ms,
    });
    prop::collection::vec(one, 0..80)
}

const AGENTS: [&str; 4] = ["codex", "claude-code", "gemini", "ai-agent"];
const COMMANDS: [&str; 6] = ["make", "make -k", "cargo test", "cargo run", "ls", "ls -l"];

fn sample_of(given: &Given) -> Sample<'static> {
    let base = if given.has_failed {
        failure(COMMANDS[given.command])
    } else {
        sample(COMMANDS[given.command])
    };
    Sample {
        started: at(given.day * 86_400),
        agent: AGENTS[given.agent],
        duration_ms: Some(given.duration_ms),
        ..base
    }
}

proptest! {
    #[test]
    fn every_part_adds_up_to_the_whole(sessions in any_sessions(), rows in 0usize..4) {
        let mut accumulator = Accumulator::new(&|_| 3600);
        for given in &sessions {
            accumulator.add(&sample_of(given));
        }
        let stats = accumulator.finish(rows);
        for ranking in [&stats.agents, &stats.programs, &stats.outcomes] {
            let mut sum = ranking.other;
            ranking.rows.iter().for_each(|row| sum.add(row.counts));
            prop_assert_eq!(sum, stats.total);
            prop_assert!(ranking.rows.len() <= rows);
        }
        let mut sum = stats.earlier;
        stats.days.iter().for_each(|day| sum.add(day.counts));
        prop_assert_eq!(sum, stats.total);
        prop_assert!(stats.days.is_sorted_by(|one, other| one.date < other.date));
        let mut repeated = stats.repeated.other;
        stats.repeated.rows.iter().for_each(|row| repeated.add(row.counts));
        prop_assert_eq!(repeated.sessions, stats.total.repeats);
        let total = stats.total;
        prop_assert!(total.failed_again <= total.repeats.min(total.failed));
        prop_assert!(total.lost_again_ms <= total.lost_ms);
        prop_assert!(total.lost_ms <= total.duration_ms);
    }

    #[test]
    fn counts_are_what_counting_by_hand_gives(sessions in any_sessions()) {
        let stats = count(sessions.iter().map(sample_of));
        let mut last: BTreeMap<&str, bool> = BTreeMap::new();
        let (mut repeats, mut lost_again) = (0, 0);
        for given in &sessions {
            let had_failed = last.insert(COMMANDS[given.command], given.has_failed);
            if had_failed == Some(true) {
                repeats += 1;
                lost_again += if given.has_failed { given.duration_ms } else { 0 };
            }
        }
        let failed = || sessions.iter().filter(|given| given.has_failed);
        let lost: u64 = failed().map(|given| given.duration_ms).sum();
        prop_assert_eq!(stats.total.sessions, sessions.len() as u64);
        prop_assert_eq!(stats.total.failed, failed().count() as u64);
        prop_assert_eq!(stats.total.repeats, repeats);
        prop_assert_eq!((stats.total.lost_ms, stats.total.lost_again_ms), (lost, lost_again));
        for row in &stats.agents.rows {
            let is_of_agent = |given: &&Given| AGENTS[given.agent] == row.name;
            let sessions = sessions.iter().filter(is_of_agent).count();
            prop_assert_eq!(row.counts.sessions, sessions as u64);
        }
    }
}
