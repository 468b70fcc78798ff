use unicode_width::UnicodeWidthStr;

use super::*;
use crate::session::{Status, Timestamp};
use crate::stats::{Accumulator, Sample, program};

/// Sessions of ten days: builds that fail now and then, and a listing that doesn't.
fn stats(rows: usize) -> Stats {
    let mut accumulator = Accumulator::new(&|_| 0);
    for index in 0..40_u32 {
        let is_build = index % 2 == 0;
        let has_failed = is_build && index % 6 < 3;
        let command = match (is_build, index % 8) {
            (true, 0) => "cargo test \u{1b}[2J",
            (true, _) => "cargo build --release --all-targets --all-features",
            (false, _) => "ls",
        };
        let seconds = 1_772_000_000 + i64::from(index * index) * 540;
        accumulator.add(&Sample {
            started: Timestamp(chrono::DateTime::from_timestamp(seconds, 0).unwrap()),
            duration_ms: Some(if is_build { 60_000 } else { 10 }),
            agent: if index % 3 == 0 {
                "codex"
            } else {
                "claude-code"
            },
            program: program(command),
            command,
            directory: None,
            has_failed,
            exit_code: Some(if has_failed { 101 } else { 0 }),
            signal: None,
            status: Status::Exited,
            judgement: None,
            output_bytes: 1000,
        });
    }
    accumulator.finish(rows)
}

fn text(stats: &Stats, width: Option<usize>, colour: Palette) -> String {
    let overview = Overview {
        stats,
        width,
        palette: colour,
        checkpoints: None,
    };
    overview.to_string()
}

#[test]
fn sums_days_and_tables_are_shown() {
    let expected = "\
40 sessions, 20m00s, 39.0 KiB of output
14 failed (35%): 14m00s lost (70% of the time)
12 repeats of what had just failed, 6 failed again: 6m00s lost

2026-02-25 to 2026-03-06
sessions  █▄▃▃▂▂▁▂▁▁  at most 11 a day
failed    █▄▄▂▂▂▂ ▂▂  at most 4 a day

AGENT        SESSIONS  FAILED  AGAIN    TIME   LOST
claude-code        26       7      5  13m00s  7m00s  ▒▒▒▒▒▒▒████████████████████
codex              14       7      1   7m00s  7m00s  ▒▒▒▒▒▒▒▒███████

PROGRAM  SESSIONS  FAILED  AGAIN    TIME    LOST
cargo          20      14      6  20m00s  14m00s  ▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒█████████
ls             20       0      0   0.20s   0.00s  ██████████████████████████████

OUTCOME   SESSIONS  FAILED  AGAIN    TIME    LOST
exit 0          26       0      0   6m00s   0.00s  █████████████████████████████
exit 101        14      14      6  14m00s  14m00s  ▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒

REPEATED  AGAIN   LOST  COMMAND
       9      4  4m00s  cargo build --release --all-targets --all-features
       3      2  2m00s  cargo test ^[[2J
";
    assert_eq!(text(&stats(10), None, Palette::Plain), expected);
}

#[test]
fn no_sessions_are_one_line() {
    let none = Accumulator::new(&|_| 0).finish(10);
    assert_eq!(text(&none, Some(80), Palette::Coloured), "no sessions\n");
}

#[test]
fn what_is_not_in_the_rows_has_a_row_of_its_own() {
    let text = text(&stats(1), None, Palette::Plain);
    assert!(text.contains("\n(other) "), "{text}");
}

#[test]
fn every_width_is_kept() {
    for width in [1, 10, 30, 45, 60, 80, 120, 300] {
        for line in text(&stats(10), Some(width), Palette::Plain).lines() {
            assert!(line.width() <= width, "{width}: {line:?}");
        }
    }
}

#[test]
fn colour_changes_nothing_but_the_colour_of_what_failed() {
    let stats = stats(10);
    let plain = text(&stats, Some(100), Palette::Plain).replace('▒', "█");
    let coloured = text(&stats, Some(100), Palette::Coloured);
    assert!(coloured.contains("\u{1b}[31m█"), "{coloured}");
    let stripped = coloured.replace("\u{1b}[31m", "").replace("\u{1b}[0m", "");
    assert_eq!(stripped, plain);
}

#[test]
fn many_days_share_columns() {
    let mut stats = stats(10);
    let last = &mut stats.days.last_mut().unwrap().date;
    *last = *last + chrono::Days::new(1000);
    let text = text(&stats, Some(80), Palette::Plain);
    assert!(text.contains("in 23 days"), "{text}");
    stats.days.last_mut().unwrap().date = NaiveDate::MAX;
    stats.days.first_mut().unwrap().date = NaiveDate::MIN;
    stats.earlier.sessions = 1;
    let text = self::text(&stats, Some(80), Palette::Plain);
    assert!(text.contains("1 session before that"), "{text}");
}

#[test]
fn shares_are_rounded_but_never_to_nothing_or_all() {
    for (part, whole, text) in [
        (0, 0, "0%"),
        (0, 5, "0%"),
        (1, 1000, "<1%"),
        (1, 3, "33%"),
        (2, 3, "67%"),
        (999, 1000, ">99%"),
        (5, 5, "100%"),
        (u64::MAX, u64::MAX, "100%"),
    ] {
        assert_eq!(share(part, whole), text, "{part} of {whole}");
    }
}

#[test]
fn json_has_every_count() {
    let stats = stats(1);
    let json = serde_json::to_value(StatsJson::of(&stats, None)).unwrap();
    assert_eq!(json["schema_version"], "1.0");
    let total = serde_json::json!({
        "sessions": 40, "failed": 14, "repeats": 12, "failed_again": 6, "duration_ms": 1_200_200,
        "lost_ms": 840_000, "lost_again_ms": 360_000, "output_bytes": 40_000,
    });
    assert_eq!(json["total"], total);
    assert_eq!(json["days"][0]["date"], "2026-02-25");
    assert_eq!(json["agents"]["rows"][0]["name"], "claude-code");
    assert_eq!(json["agents"]["other"]["sessions"], 14);
    assert_eq!(json["agents"]["uncounted_max"], 0);
    let names: Vec<&str> = json
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let expected = [
        "agents",
        "checkpoints",
        "days",
        "earlier",
        "outcomes",
        "programs",
        "repeated",
        "schema_version",
        "total",
    ];
    assert_eq!(names, expected);
}
