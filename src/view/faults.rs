//! Failures and lessons for people, and as JSON.

use std::fmt;
use std::rc::Rc;

use serde_json::{Value, json};

use super::columns::{self, Side};
use super::paint::{Meaning, Palette};
use super::{sanitize, units};
use crate::faults::lesson::Standing;
use crate::faults::{History, Status};
use crate::memory::{Known, KnownLesson};
use crate::session::{SessionId, Timestamp};

/// A list of failures, a line each.
pub struct FaultTable<'a> {
    /// What to list.
    pub faults: &'a [Known],
    /// The present.
    pub now: Timestamp,
    /// The terminal's width in columns; none doesn't cut.
    pub width: Option<usize>,
}

impl fmt::Display for FaultTable<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = [
            ("FAULT", Side::Left),
            ("STATUS", Side::Left),
            ("SEEN", Side::Right),
            ("LAST", Side::Right),
            ("COMMAND", Side::Left),
            ("WHY", Side::Left),
        ];
        let row = |known: &Known, id: &str| {
            let history = known.history.as_ref();
            let command = history.map_or(known.program.as_str(), |history| &history.last.command);
            [
                id.to_owned(),
                status_of(known).to_owned(),
                history.map_or_else(String::new, |history| history.count.to_string()),
                history.map_or_else(String::new, |history| {
                    units::age_at(self.now, history.last_seen)
                }),
                sanitize::line(&short(command, 40)).into_owned(),
                sanitize::line(&known.why()).into_owned(),
            ]
        };
        let faults = self.faults.iter();
        let mut rows: Vec<[String; 6]> = faults.map(|it| row(it, it.fault.as_str())).collect();
        if columns::is_too_wide(header, &rows, self.width) {
            // The digits alone name a failure as well.
            let faults = self.faults.iter();
            rows = faults.map(|it| row(it, it.fault.digits())).collect();
        }
        columns::write_telling(formatter, header, &rows, self.width, &[2, 3, 4, 1])
    }
}

/// Everything about a failure.
pub struct FaultSummary<'a> {
    /// Which.
    pub known: &'a Known,
    /// The present.
    pub now: Timestamp,
    /// Its colours.
    pub palette: Palette,
}

impl fmt::Display for FaultSummary<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = self.known;
        let palette = self.palette;
        let mut line = |name: &str, text: &str| {
            let text = sanitize::line(text);
            writeln!(formatter, "{name:<10}{}", palette.paint(tone(name), &text))
        };
        line("fault", known.fault.as_str())?;
        line("class", &known.class)?;
        let Some(history) = &known.history else {
            line("status", "known from others, never seen here")?;
            line("program", &known.program)?;
            line("why", &known.why())?;
            return write_lessons(formatter, known);
        };
        line("status", &status_in_words(history, self.now))?;
        line("command", &history.last.command)?;
        if history.last.directory != "." {
            line("in", &history.last.directory)?;
        }
        line("why", &known.why())?;
        if !history.last.line.is_empty() && history.last.line != known.why() {
            line("said", &history.last.line)?;
        }
        line("seen", &seen(history, self.now))?;
        line("agents", &agents(history))?;
        let session = hex_of(&history.last.session);
        line("last", &format!("aido show {session}"))?;
        if let Some(session) = history.end.as_ref().and_then(|end| end.session.as_deref()) {
            line("worked", &format!("again: aido show {}", hex_of(session)))?;
        }
        write_lessons(formatter, known)
    }
}

fn write_lessons(formatter: &mut fmt::Formatter<'_>, known: &Known) -> fmt::Result {
    for advice in known.advice() {
        writeln!(formatter, "{:<10}{}", "try", sanitize::line(&advice))?;
    }
    Ok(())
}

fn tone(name: &str) -> Meaning {
    match name {
        "fault" => Meaning::Heading,
        "why" => Meaning::Failure,
        _ => Meaning::Place,
    }
}

/// What is known of a command that is to run.
pub struct Warning<'a> {
    /// What it is known to fail with, the last seen first.
    pub faults: &'a [Known],
    /// Where it last worked, in words.
    pub last_worked: Option<String>,
    /// The present.
    pub now: Timestamp,
}

impl fmt::Display for Warning<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for known in self.faults {
            let why = known.why();
            writeln!(formatter, "{}: {}", known.fault, sanitize::line(&why))?;
            if let Some(history) = &known.history {
                let seen = format!("{}, by {}", seen(history, self.now), agents(history));
                writeln!(formatter, "  seen     {}", sanitize::line(&seen))?;
                if history.status == Status::Flaky {
                    let flaky = "flaky: it works at times though nothing changed";
                    writeln!(formatter, "  status   {flaky}")?;
                }
                let session = hex_of(&history.last.session);
                writeln!(formatter, "  output   aido show {session}")?;
            }
            for advice in known.advice() {
                writeln!(formatter, "  try      {}", sanitize::line(&advice))?;
            }
        }
        if let Some(worked) = &self.last_worked {
            writeln!(formatter, "  worked   {}", sanitize::line(worked))?;
        }
        Ok(())
    }
}

/// A list of lessons, a line each.
pub struct LessonTable<'a> {
    /// What to list.
    pub lessons: &'a [Rc<KnownLesson>],
    /// The terminal's width in columns; none doesn't cut.
    pub width: Option<usize>,
}

impl fmt::Display for LessonTable<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = [
            ("LESSON", Side::Left),
            ("STANDING", Side::Left),
            ("CURED", Side::Right),
            ("ABOUT", Side::Left),
            ("TEXT", Side::Left),
        ];
        let row = |known: &Rc<KnownLesson>| {
            let cured = known
                .learned
                .as_ref()
                .map_or(0, |learned| learned.cured.len());
            [
                known.lesson.lesson.to_string(),
                known.standing.name().to_owned(),
                Some(cured)
                    .filter(|cured| *cured > 0)
                    .map_or_else(String::new, |cured| cured.to_string()),
                sanitize::line(&about(known)).into_owned(),
                sanitize::line(&known.lesson.text).into_owned(),
            ]
        };
        let rows: Vec<[String; 5]> = self.lessons.iter().map(row).collect();
        columns::write_telling(formatter, header, &rows, self.width, &[2, 3, 1])
    }
}

fn about(known: &KnownLesson) -> String {
    let about = &known.lesson.about;
    let fault = about.fault.as_ref().map(ToString::to_string);
    let parts = [fault, about.class.clone(), about.command.clone()];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() {
        "everything".to_owned()
    } else {
        parts.join(" ")
    }
}

/// A failure as JSON, on one level but for lists.
#[must_use]
pub fn fault_json(known: &Known) -> Value {
    let history = known.history.as_ref();
    let last = history.map(|history| &history.last);
    let end = history.and_then(|history| history.end.as_ref());
    let cure = known.cure();
    json!({
        "fault": known.fault,
        "class": known.class,
        "program": known.program,
        "status": history.map(|history| history.status),
        "count": history.map_or(0, |history| history.count),
        "in_a_row": history.map_or(0, |history| history.in_a_row),
        "reopened": history.map_or(0, |history| history.reopened),
        "first_seen": history.map(|history| history.first_seen),
        "last_seen": history.map(|history| history.last_seen),
        "agents": history.map(|history| &history.agents),
        "sessions": history.map_or(&[][..], |history| &history.sessions),
        "command": last.map(|last| &last.command),
        "directory": last.map(|last| &last.directory),
        "branch": last.and_then(|last| last.branch.as_ref()),
        "commit": last.and_then(|last| last.commit.as_ref()),
        "exit_code": last.and_then(|last| last.exit_code),
        "why": known.why(),
        "line": last.map(|last| &last.line),
        "text": known.text,
        "ended_at": end.map(|end| end.at),
        "ended_by": end.and_then(|end| end.session.as_ref()),
        "cure": cure.map(lesson_json),
        "lessons": known.lessons.iter().map(|known| lesson_json(known)).collect::<Vec<_>>(),
        "advice": known.advice(),
    })
}

/// A lesson as JSON.
#[must_use]
pub fn lesson_json(known: &KnownLesson) -> Value {
    let (lesson, learned) = (&known.lesson, known.learned.as_ref());
    let worked = lesson.worked.as_ref();
    json!({
        "lesson": lesson.lesson,
        "standing": known.standing,
        "source": lesson.source,
        "text": lesson.text,
        "fault": lesson.about.fault,
        "class": lesson.about.class,
        "program": lesson.about.command,
        "failed": worked.map(|worked| &worked.failed),
        "command": worked.map(|worked| &worked.command),
        "directory": worked.and_then(|worked| worked.directory.as_ref()),
        "agent": learned.map(|learned| &learned.agent),
        "at": learned.map(|learned| &learned.at),
        "cured": learned.map_or(&[][..], |learned| &learned.cured),
        "worked_in": learned.and_then(|learned| learned.worked_in.as_ref()),
    })
}

/// Whether a lesson is still to be offered.
#[must_use]
pub fn counts(known: &KnownLesson) -> bool {
    known.standing != Standing::Retired
}

fn status_of(known: &Known) -> &'static str {
    match &known.history {
        Some(history) => history.status.name(),
        None => "shared",
    }
}

fn status_in_words(history: &History, now: Timestamp) -> String {
    match (history.status, &history.end) {
        (Status::Resolved, Some(end)) => format!("resolved, {} ago", units::age_at(now, end.at)),
        (Status::Open, _) if history.reopened > 0 => {
            format!("open, came back {}", times(history.reopened))
        }
        (status, _) => status.name().to_owned(),
    }
}

fn seen(history: &History, now: Timestamp) -> String {
    let mut text = times(history.count);
    if history.in_a_row > 1 && history.in_a_row < history.count {
        text.push_str(&format!(" ({} in a row)", history.in_a_row));
    }
    text.push_str(&format!(
        ", last {} ago",
        units::age_at(now, history.last_seen)
    ));
    if history.count > 1 {
        text.push_str(&format!(
            ", first {} ago",
            units::age_at(now, history.first_seen)
        ));
    }
    text
}

fn times(count: u64) -> String {
    match count {
        1 => "once".to_owned(),
        count => format!("{count} times"),
    }
}

/// The agents that met it, the most frequent first.
fn agents(history: &History) -> String {
    let mut agents: Vec<(&String, &u64)> = history.agents.iter().collect();
    agents.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let names: Vec<&str> = agents.iter().map(|(name, _)| name.as_str()).collect();
    names.join(", ")
}

/// The hex ending of a session's id, which is enough to find it.
fn hex_of(session: &str) -> String {
    let id = session.parse::<SessionId>();
    id.map_or_else(|_| "?".to_owned(), |id| id.hex().to_owned())
}

/// The beginning of a text in characters.
fn short(text: &str, characters: usize) -> String {
    if text.chars().count() <= characters {
        return text.to_owned();
    }
    let kept: String = text.chars().take(characters - 1).collect();
    format!("{kept}…")
}
