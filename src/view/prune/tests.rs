use std::time::Duration;

use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr;

use super::*;
use crate::session::Timestamp;
use crate::session::metadata::tests::minimal;
use crate::store::State;
use crate::store::retention::{PrunePlan, plan_prune};

const DAY: i64 = 86_400;

fn at(seconds: i64) -> Timestamp {
    Timestamp(chrono::DateTime::from_timestamp(1_772_000_000 + seconds, 0).unwrap())
}

/// A finished success of that day.
fn session(id: &str, day: i64, size_bytes: u64) -> Entry<'static> {
    let mut entry = Entry::of(&minimal(id), size_bytes).into_owned();
    let time = at(day * DAY).to_string();
    entry.timestamp = time.clone().into();
    entry.ended_at = Some(time.into());
    entry
}

/// Sessions, and what a plan knows of them.
struct Sessions {
    entries: Vec<Entry<'static>>,
    candidates: Vec<Candidate>,
}

impl Sessions {
    fn of(sessions: Vec<(Entry<'static>, State)>) -> Self {
        let candidates = (0..).zip(&sessions);
        let candidates =
            candidates.map(|(place, (entry, state))| Candidate::of(entry, *state, place).unwrap());
        Self {
            candidates: candidates.collect(),
            entries: sessions.into_iter().map(|(entry, _)| entry).collect(),
        }
    }

    fn entry(&self, candidate: &Candidate) -> Entry<'static> {
        self.entries[usize::try_from(candidate.place()).unwrap()].clone()
    }

    fn hex(&self, candidate: &Candidate) -> String {
        self.entry(candidate).id().unwrap().hex().to_owned()
    }

    fn json(&self, report: &PruneReport<'_>) -> Value {
        let entry_of = |candidate: &Candidate| Ok(self.entry(candidate));
        serde_json::to_value(PruningJson(report, &entry_of, Freed::default())).unwrap()
    }

    fn text(&self, report: &PruneReport<'_>, width: Option<usize>) -> String {
        let command_of = |id: &SessionId| match id.hex() {
            "00000001" => Some("cargo \x1b[2Jtest".to_owned()),
            "00000002" => Some("make".to_owned()),
            _ => None,
        };
        let pruning = Pruning {
            report,
            width,
            entry_of: &|candidate: &Candidate| Ok(self.entry(candidate)),
            command_of: &command_of,
        };
        pruning.to_string()
    }
}

fn sessions() -> Sessions {
    let mut failed = session("codex-20260305_132522-2-00000002", 1, 2 << 20);
    failed.exit_code = Some(1);
    failed.task = Some("par\x1bser".into());
    failed.fault = Some("f9e7c3d2-no-such-file".into());
    let mut running = session("server-20260305_132522-3-00000003", 0, 3 << 20);
    running.ended_at = None;
    let finished = |entry| (entry, State::Finished);
    Sessions::of(vec![
        finished(session("ai-agent-20260305_132522-1-00000001", 0, 1 << 20)),
        finished(failed),
        (running, State::Running),
        finished(session("ai-agent-20260305_132522-4-00000004", 30, 4 << 20)),
        finished(session("ai-agent-20260305_132522-5-00000005", 35, 5 << 20)),
        finished(session("ai-agent-20260305_132522-6-00000006", 40, 6 << 20)),
    ])
}

fn plan(sessions: &Sessions) -> PrunePlan<'_> {
    let policy = Policy {
        max_age: Some(Duration::from_secs(30 * Policy::DAY_SECONDS)),
        max_total_bytes: Some(14 << 20),
        max_sessions: Some(2),
    };
    plan_prune(&policy, &sessions.candidates, at(41 * DAY))
}

#[test]
fn a_dry_run_says_what_would_go_and_why() {
    let all = sessions();
    let expected = "\
would remove 4 sessions (12.0 MiB) of 6 sessions (21.0 MiB)
  2 sessions (3.0 MiB): older than 30d
  1 session (4.0 MiB): above 14.0 MiB in total
  1 session (5.0 MiB): more than 2 in number

ID        AGENT     AGE     SIZE  WHY       DESPITE                                             COMMAND
00000001  ai-agent  41d  1.0 MiB  age                                                           cargo ^[[2Jtest
00000004  ai-agent  11d  4.0 MiB  bytes
00000005  ai-agent   6d  5.0 MiB  sessions
00000002  codex     40d  2.0 MiB  age       failed, fault f9e7c3d2-no-such-file, task par^[ser  make

kept although above a limit, because running: 1 session (3.0 MiB)
  server-20260305_132522-3-00000003: older than 30d
";
    let report = PruneReport::of_dry_run(plan(&all));
    assert_eq!(all.text(&report, None), expected);
    for line in all.text(&report, Some(60)).lines().skip(5).take(5) {
        assert!(line.width() <= 60, "{line:?}");
    }
}

#[test]
fn a_report_says_what_went_what_failed_and_what_is_left() {
    let all = sessions();
    let mut budget = 3;
    let may_go_on = || {
        budget -= 1;
        budget >= 0
    };
    let report = PruneReport::carry_out(plan(&all), may_go_on, |removal| {
        match &*all.hex(removal.candidate) {
            "00000004" => Err("it \x07rings"),
            _ => Ok(()),
        }
    });
    let expected = "\
removed 2 sessions (6.0 MiB) of 6 sessions (21.0 MiB)
  1 session (1.0 MiB): older than 30d
  1 session (5.0 MiB): more than 2 in number
  1 more not tried: the time was over

ID        AGENT     AGE     SIZE  WHY       DESPITE  COMMAND
00000001  ai-agent  41d  1.0 MiB  age                cargo ^[[2Jtest
00000005  ai-agent   6d  5.0 MiB  sessions

could not remove 1:
  ai-agent-20260305_132522-4-00000004: it ^Grings

kept although above a limit, because running: 1 session (3.0 MiB)
  server-20260305_132522-3-00000003: older than 30d
";
    assert_eq!(all.text(&report, None), expected);
}

#[test]
fn where_nothing_goes_one_line_says_so() {
    let one = session("ai-agent-20260305_132522-1-00000001", 0, 100);
    let all = Sessions::of(vec![(one, State::Finished)]);
    let plan = plan_prune(&Policy::KEEP_ALL, &all.candidates, at(DAY));
    let report = PruneReport::of_dry_run(plan);
    assert_eq!(
        all.text(&report, None),
        "nothing to remove of 1 session (100 bytes)\n"
    );
}

#[test]
fn a_long_list_is_capped_and_the_command_of_what_is_not_listed_is_not_looked_up() {
    let session = |number| session(&format!("a-20260305_132522-1-{number:08x}"), 0, 1);
    let all = (0..1000).map(|number| (session(number), State::Finished));
    let all = Sessions::of(all.collect());
    let policy = Policy {
        max_sessions: Some(0),
        ..Policy::KEEP_ALL
    };
    let report = PruneReport::of_dry_run(plan_prune(&policy, &all.candidates, at(DAY)));
    let asked = std::cell::Cell::new(0);
    let command_of = |_: &SessionId| {
        asked.set(asked.get() + 1);
        None
    };
    let read = std::cell::Cell::new(0);
    let entry_of = |candidate: &Candidate| {
        read.set(read.get() + 1);
        Ok(all.entry(candidate))
    };
    let pruning = Pruning {
        report: &report,
        width: None,
        entry_of: &entry_of,
        command_of: &command_of,
    };
    let text = pruning.to_string();
    assert!(text.ends_with("… and 980 more; --json has all\n"), "{text}");
    assert_eq!((text.lines().count(), asked.get()), (25, 20));
    assert_eq!(read.get(), 20);
}

#[test]
fn a_dry_run_and_a_report_have_one_shape_in_json() {
    let all = sessions();
    let dry = PruneReport::of_dry_run(plan(&all));
    let dry = all.json(&dry);
    let keys =
        |value: &Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
    let removal = json!({
        "session_id": "codex-20260305_132522-2-00000002",
        "started": "2026-02-26T06:13:20.000Z",
        "ended": "2026-02-26T06:13:20.000Z",
        "size_bytes": 2 << 20,
        "limit": "age",
        "despite": ["failed", "fault", "task"],
        "task": "par\x1bser",
        "fault": "f9e7c3d2-no-such-file",
        "outcome": "planned",
        "error": null,
    });
    assert_eq!(dry["removals"][3], removal);
    let spared = json!({
        "session_id": "server-20260305_132522-3-00000003",
        "started": "2026-02-25T06:13:20.000Z",
        "ended": null,
        "size_bytes": 3 << 20,
        "limit": "age",
        "despite": [],
        "task": null,
        "fault": null,
        "outcome": "running",
        "error": null,
    });
    assert_eq!(dry["spared"], json!([spared]));
    let mut rest = dry.clone();
    rest["removals"] = json!([]);
    rest["spared"] = json!([]);
    let expected = json!({
        "schema_version": "1.0",
        "dry_run": true,
        "now": "2026-04-07T06:13:20.000Z",
        "limits": {"max_age_ms": 2_592_000_000_u64, "max_total_bytes": 14 << 20, "max_sessions": 2},
        "total": {"sessions": 6, "size_bytes": 21 << 20},
        "planned": {"sessions": 4, "size_bytes": 12 << 20},
        "removed": {"sessions": 0, "size_bytes": 0},
        "kept": {"sessions": 2, "size_bytes": 9 << 20},
        "checkpoints": {"sessions": 0, "size_bytes": null},
        "removals": [],
        "spared": [],
    });
    assert_eq!(rest, expected);

    let done = PruneReport::carry_out(
        plan(&all),
        || true,
        |removal| match &*all.hex(removal.candidate) {
            "00000004" => Err("no permission"),
            _ => Ok(()),
        },
    );
    let done = all.json(&done);
    assert_eq!(keys(&done), keys(&dry));
    assert_eq!(keys(&done["removals"][0]), keys(&dry["removals"][0]));
    assert_eq!(
        done["removed"],
        json!({"sessions": 3, "size_bytes": 8 << 20})
    );
    assert_eq!(done["kept"], json!({"sessions": 3, "size_bytes": 13 << 20}));
    let outcomes: Vec<&str> = done["removals"]
        .as_array()
        .unwrap()
        .iter()
        .map(|removal| removal["outcome"].as_str().unwrap())
        .collect();
    assert_eq!(outcomes, ["removed", "failed", "removed", "removed"]);
    assert_eq!(done["removals"][1]["error"], "no permission");
}
