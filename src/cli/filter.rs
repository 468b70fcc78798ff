//! Filters that the reading words share: from what was typed to a [`Query`].

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime};
use clap::{Args, ValueEnum};
use regex::RegexBuilder;

use super::error::{CliError, Kind};
use crate::clock::{self, Zone};
use crate::config::units::parse_duration;
use crate::session::query::{Query, TextTest, WantedOutcome};
use crate::session::{AgentName, Judgement, State, Timestamp};

/// What a time may look like, for messages.
const TIME_FORMS: &str = "a time ago such as 2h, 30m or 7d; today or yesterday; a date such as \
                          2026-03-05, with a time such as 2026-03-05T13:25 if wanted";

/// Which sessions are wanted.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Filters")]
pub struct Filters {
    /// Those that failed, also behind an exit code of 0; not answers (grep with 1) and what was stopped
    #[arg(long, conflicts_with_all = ["exit", "outcome"])]
    pub failed: bool,
    /// Those with this outcome: ok, negative (an answer), interrupted (somebody stopped it), fault or suspect
    #[arg(
        long,
        value_name = "OUTCOME",
        conflicts_with = "exit",
        hide_possible_values = true
    )]
    pub outcome: Option<Outcome>,
    /// Those with this exit code
    #[arg(long, value_name = "CODE", allow_negative_numbers = true)]
    pub exit: Option<i32>,
    /// Those of this agent
    #[arg(long, value_name = "NAME")]
    pub agent: Option<String>,
    /// Those that started at this time or later: 2h, yesterday, 2026-03-05, 2026-03-05T13:25
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Those that started before this time
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Those of this task
    #[arg(long, value_name = "NAME")]
    pub task: Option<String>,
    /// Those on this branch
    #[arg(long, value_name = "NAME")]
    pub branch: Option<String>,
    /// Those that ran in this directory or below it
    #[arg(long, value_name = "DIR")]
    pub cwd: Option<String>,
    /// Those with this label
    #[arg(long, value_name = "TAG")]
    pub tag: Option<String>,
    /// Those that ran into this fault
    #[arg(long, value_name = "ID")]
    pub fault: Option<String>,
    /// Those that are pinned
    #[arg(long)]
    pub pinned: bool,
    /// Those that are still running
    #[arg(long)]
    pub running: bool,
    /// Those of which nobody knows the end: their recorder was killed
    #[arg(long, conflicts_with_all = ["running", "outcome", "exit"])]
    pub interrupted: bool,
    /// Those whose command, note or label matches this regular expression (any case, unless it has
    /// capital letters)
    #[arg(long, value_name = "RE")]
    pub grep: Option<String>,
}

/// What a command's end means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Outcome {
    /// It did what it should
    Ok,
    /// Its exit code is an answer
    Negative,
    /// Somebody stopped it
    #[value(alias = "stopped")]
    Interrupted,
    /// It failed
    Fault,
    /// It exited with 0, and its output says that it failed
    Suspect,
}

impl Outcome {
    fn judgement(self) -> Judgement {
        match self {
            Self::Ok => Judgement::Ok,
            Self::Negative => Judgement::Negative,
            Self::Interrupted => Judgement::Interrupted,
            Self::Fault => Judgement::Fault,
            Self::Suspect => Judgement::Suspect,
        }
    }
}

impl Filters {
    /// Whether they let everything through.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let texts = [
            &self.agent,
            &self.since,
            &self.until,
            &self.task,
            &self.branch,
            &self.cwd,
        ];
        let more = [&self.tag, &self.fault, &self.grep];
        let ends = [self.failed, self.exit.is_some(), self.outcome.is_some()];
        let flags = [self.pinned, self.running, self.interrupted];
        let is_given = ends.into_iter().chain(flags).any(|is_given| is_given);
        texts.into_iter().chain(more).all(Option::is_none) && !is_given
    }

    /// The query that they mean.
    ///
    /// # Errors
    /// Times, directories and patterns that are none.
    pub fn query(&self, now: Timestamp, zone: Zone) -> Result<Query, CliError> {
        let time = |name: &str, text: &Option<String>| match text {
            None => Ok(None),
            Some(text) => match parse_time(text, now, zone) {
                Some(time) => Ok(Some(time.to_string())),
                None => Err(
                    CliError::new(Kind::Usage, format!("{name}: {text:?} is no time"))
                        .with_hint(TIME_FORMS),
                ),
            },
        };
        let outcome = match (self.failed, self.exit, self.outcome) {
            (true, ..) => Some(WantedOutcome::Failed),
            (false, Some(code), _) => Some(WantedOutcome::Code(code)),
            (false, None, outcome) => outcome.map(|it| WantedOutcome::Judged(it.judgement())),
        };
        let state = match (self.running, self.interrupted) {
            (true, _) => Some(State::Running),
            (false, true) => Some(State::Interrupted),
            (false, false) => None,
        };
        Ok(Query {
            outcome,
            state,
            agent: self.agent.as_deref().map(agent_in_ids),
            since: time("--since", &self.since)?,
            until: time("--until", &self.until)?,
            task: self.task.clone(),
            in_any_task: false,
            branch: self.branch.clone(),
            cwd: self.cwd.as_deref().map(directory).transpose()?,
            tag: self.tag.clone(),
            fault: self.fault.clone(),
            name: None,
            pinned: self.pinned.then_some(true),
            text: self.grep.as_deref().map(text_test).transpose()?,
        })
    }
}

/// An agent's name as ids have it, whatever was typed.
fn agent_in_ids(name: &str) -> String {
    match name.trim() {
        // No agent's name: nothing fits it, rather than those who gave none.
        "" => String::new(),
        name => AgentName::from_any(name).to_string(),
    }
}

fn directory(path: &str) -> Result<String, CliError> {
    let absolute = std::path::absolute(path)
        .map_err(|error| CliError::new(Kind::Usage, format!("--cwd {path}: {error}")))?;
    // Where it exists, its real path is what sessions recorded.
    let path = absolute.canonicalize().unwrap_or(absolute);
    Ok(path.to_string_lossy().into_owned())
}

/// A test of texts by a regular expression: capital letters count where it has any.
///
/// # Errors
/// When it is none.
fn text_test(pattern: &str) -> Result<TextTest, CliError> {
    let ignores_case = !pattern.chars().any(char::is_uppercase);
    let pattern = RegexBuilder::new(pattern)
        .case_insensitive(ignores_case)
        .build()
        .map_err(|error| CliError::new(Kind::Usage, error.to_string()))?;
    Ok(TextTest(Box::new(move |text| pattern.is_match(text))))
}

/// Reads a time as people write it.
fn parse_time(text: &str, now: Timestamp, zone: Zone) -> Option<Timestamp> {
    let text = text.trim();
    let midnight = |day: NaiveDate| clock::of_local(day.and_time(NaiveTime::MIN), zone);
    let today = clock::local_day(now, zone);
    match text {
        "now" => return Some(now),
        "today" => return midnight(today),
        "yesterday" => return midnight(today.checked_sub_days(Days::new(1))?),
        _ => {}
    }
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return midnight(day);
    }
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(Timestamp(time.to_utc()));
    }
    let forms = [
        "%Y-%m-%dT%H:%M:%S",
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%dT%H:%M",
        "%Y-%m-%d %H:%M",
    ];
    for form in forms {
        if let Ok(time) = NaiveDateTime::parse_from_str(text, form) {
            return clock::of_local(time, zone);
        }
    }
    let ago = parse_duration(text.strip_suffix(" ago").unwrap_or(text))?;
    let ago = chrono::Duration::from_std(ago).ok()?;
    now.0.checked_sub_signed(ago).map(Timestamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        let now = serde_json::from_str("\"2026-03-05T13:25:22.000Z\"").unwrap();
        for (text, time) in [
            ("2h", "2026-03-05T11:25:22.000Z"),
            ("90m ago", "2026-03-05T11:55:22.000Z"),
            ("7d", "2026-02-26T13:25:22.000Z"),
            ("today", "2026-03-05T00:00:00.000Z"),
            ("yesterday", "2026-03-04T00:00:00.000Z"),
            ("2026-03-01", "2026-03-01T00:00:00.000Z"),
            ("2026-03-01T08:30", "2026-03-01T08:30:00.000Z"),
            ("2026-03-01 08:30:01", "2026-03-01T08:30:01.000Z"),
            ("2026-03-01T08:30:00+01:00", "2026-03-01T07:30:00.000Z"),
        ] {
            let read = parse_time(text, now, Zone::Utc);
            assert_eq!(
                read.map(|time| time.to_string()).as_deref(),
                Some(time),
                "{text}"
            );
        }
        for text in ["", "soon", "2026-13-01", "-1h", "1e400d"] {
            assert!(parse_time(text, now, Zone::Utc).is_none(), "{text}");
        }
    }

    #[test]
    fn a_pattern_with_capital_letters_tells_them_apart() {
        let fits = |pattern: &str, text: &str| (text_test(pattern).unwrap().0)(text);
        assert!(fits("cargo.*test", "CARGO TEST"));
        assert!(!fits("Cargo", "cargo test"));
        assert!(text_test("(").is_err());
    }
}
