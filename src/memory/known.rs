//! What is known, read: failures with their histories and lessons. This is what other parts of aido ask.

use std::io;

use super::files::{self, Found};
use super::lessons::{self, KnownLesson};
use super::notes::{file_name, read_history};
use super::{FaultStore, Opened};
use crate::faults::history::Failing;
use crate::faults::lesson::{Source, Standing};
use crate::faults::{CommandKey, FaultId, History, Record, Status};
use crate::session::Timestamp;

/// How many failures are read.
const FAULTS_MAX: usize = 20_000;

/// What is known of one failure. Its texts are redacted, but not made harmless for a terminal.
#[derive(Clone, Debug)]
pub struct Known {
    /// The id.
    pub fault: FaultId,
    /// The kind of failure.
    pub class: String,
    /// Program and subcommand.
    pub program: String,
    /// What tells it from others, in its normal form; what was printed is in the history.
    pub text: String,
    /// What happened here; none where it is only known from others.
    pub history: Option<History>,
    /// What was learned: of those that count no more, none.
    pub lessons: Vec<KnownLesson>,
}

impl Known {
    /// How it stands; what is known from others only is not open here.
    #[must_use]
    pub fn status(&self) -> Status {
        let history = self.history.as_ref();
        history.map_or(Status::Resolved, |history| history.status)
    }

    /// When it was last seen here.
    #[must_use]
    pub fn last_seen(&self) -> Option<Timestamp> {
        self.history.as_ref().map(|history| history.last_seen)
    }

    /// What to say about it: in the words of its rule, else the line that was printed last, else its
    /// normal form.
    #[must_use]
    pub fn why(&self) -> &str {
        let last = self.history.as_ref().map(|history| &history.last);
        let said = last.and_then(|last| last.message.as_deref());
        let line = last.map(|last| last.line.as_str());
        let said = said.or(line).filter(|text| !text.is_empty());
        said.unwrap_or(&self.text)
    }

    /// The lesson that says what worked instead, the best known first.
    #[must_use]
    pub fn cure(&self) -> Option<&KnownLesson> {
        let cures = self.lessons.iter();
        let cures = cures.filter(|known| known.lesson.source == Source::Cure);
        cures.max_by_key(|known| {
            let times = known
                .learned
                .as_ref()
                .map_or(0, |learned| learned.cured.len());
            (known.standing == Standing::Active, times)
        })
    }

    /// What to do about it, in sentences: what worked, what people and agents wrote, and what its rule
    /// advised the last time. Each once.
    #[must_use]
    pub fn advice(&self) -> Vec<String> {
        let last = self.history.as_ref().map(|history| &history.last);
        self.advice_with(last.and_then(|last| last.advice.as_deref()))
    }

    /// The same with this as the advice of its rule.
    #[must_use]
    pub fn advice_with(&self, of_rule: Option<&str>) -> Vec<String> {
        let cure = self.cure();
        let mut texts: Vec<&str> = cure
            .map(|cure| cure.lesson.text.as_str())
            .into_iter()
            .collect();
        let written = self.lessons.iter();
        let written = written.filter(|known| known.lesson.source == Source::Written);
        texts.extend(written.map(|known| known.lesson.text.as_str()));
        texts.extend(of_rule);
        let mut once: Vec<String> = Vec::new();
        for text in texts {
            if !once.iter().any(|known| known == text) {
                once.push(text.to_owned());
            }
        }
        once
    }
}

/// Everything that is known.
#[derive(Debug, Default)]
pub struct Knowledge {
    /// Failures, the last seen first; those known from others only come last.
    pub faults: Vec<Known>,
    /// All lessons, retired ones too.
    pub lessons: Vec<KnownLesson>,
    /// One line for each file that can't be used.
    pub problems: Vec<String>,
}

impl FaultStore {
    /// Reads everything.
    ///
    /// # Errors
    /// When the directory can't be read; one that isn't there is empty.
    pub fn read(&self) -> io::Result<Knowledge> {
        let Some(opened) = self.open()? else {
            return Ok(Knowledge::default());
        };
        let mut problems = Vec::new();
        let lessons = lessons::read_all(&opened, &mut problems);
        let mut stems = files::stems(&opened.faults, ".json", FAULTS_MAX)?;
        if let Some(local) = &opened.local {
            stems.extend(files::stems(local, ".json", FAULTS_MAX)?);
        }
        stems.sort_unstable();
        stems.dedup();
        let mut faults = Vec::new();
        for stem in stems {
            match stem.parse::<FaultId>() {
                Ok(fault) => faults.extend(known(&opened, &fault, &lessons, &mut problems)),
                Err(_) => problems.push(format!("{stem}.json: it has no fault's name")),
            }
        }
        faults.sort_by(|one, other| {
            let times = other.last_seen().cmp(&one.last_seen());
            times.then_with(|| one.fault.cmp(&other.fault))
        });
        Ok(Knowledge {
            faults,
            lessons,
            problems,
        })
    }

    /// What is known of one failure; none if nothing is.
    #[must_use]
    pub fn fault(&self, fault: &FaultId) -> Option<Known> {
        self.faults_of(std::slice::from_ref(fault)).pop()
    }

    /// What is known of a failure that was just met: its history, if it has one, and the lessons that fit.
    #[must_use]
    pub fn about(&self, fault: &FaultId, class: &str, program: &str) -> Known {
        let nothing = Known {
            fault: fault.clone(),
            class: class.to_owned(),
            program: program.to_owned(),
            text: String::new(),
            history: None,
            lessons: Vec::new(),
        };
        let Ok(Some(opened)) = self.open() else {
            return nothing;
        };
        let mut problems = Vec::new();
        let lessons = lessons::read_all(&opened, &mut problems);
        let known = known(&opened, fault, &lessons, &mut problems);
        known.unwrap_or_else(|| Known {
            lessons: fitting(&lessons, fault, class, program),
            ..nothing
        })
    }

    /// What is known of these failures, in their order.
    #[must_use]
    pub fn faults_of(&self, faults: &[FaultId]) -> Vec<Known> {
        let Ok(Some(opened)) = self.open() else {
            return Vec::new();
        };
        let mut problems = Vec::new();
        let lessons = lessons::read_all(&opened, &mut problems);
        let found = faults.iter();
        found
            .filter_map(|fault| known(&opened, fault, &lessons, &mut problems))
            .collect()
    }

    /// The failures that a command is known to run into in this directory, the last seen first. Where it
    /// never failed that takes opening one file that isn't there.
    #[must_use]
    pub fn known_to_fail(&self, key: &CommandKey, directory: &str) -> Vec<Known> {
        let marked = self.probe(key);
        if marked.is_empty() {
            return Vec::new();
        }
        let here = Failing {
            key: key.as_str().to_owned(),
            directory: directory.to_owned(),
        };
        let mut found = self.faults_of(&marked);
        found.retain(|known| {
            let history = known.history.as_ref();
            history.is_some_and(|history| history.is_known_to_fail(&here))
        });
        found.sort_by_key(|known| std::cmp::Reverse(known.last_seen()));
        found
    }

    /// The open and the flaky failures with what was learned of them, the last seen first, at most
    /// `limit`: for a hand-off.
    #[must_use]
    pub fn open_faults(&self, limit: usize) -> Vec<Known> {
        let mut faults = self.read().unwrap_or_default().faults;
        faults.retain(|known| matches!(known.status(), Status::Open | Status::Flaky));
        faults.truncate(limit);
        faults
    }
}

fn known(
    opened: &Opened,
    fault: &FaultId,
    lessons: &[KnownLesson],
    problems: &mut Vec<String>,
) -> Option<Known> {
    let name = file_name(fault);
    let record = match files::read::<Record>(&opened.faults, &name) {
        Found::Value(record) if record.fault == *fault => Some(record),
        Found::Value(record) => {
            problems.push(format!("{name}: it says it is {}", record.fault));
            None
        }
        Found::Nothing => None,
        Found::Broken(problem) | Found::Newer(problem) => {
            problems.push(format!("{name}: {problem}"));
            None
        }
    };
    let history = match opened
        .local
        .as_ref()
        .map(|local| read_history(local, fault))
    {
        Some(Found::Value(history)) => Some(history),
        Some(Found::Broken(problem) | Found::Newer(problem)) => {
            problems.push(format!("local/{name}: {problem}"));
            None
        }
        Some(Found::Nothing) | None => None,
    };
    let (class, program) = match (&record, &history) {
        (Some(record), _) => (record.class.clone(), record.command.clone()),
        (None, Some(history)) => (history.class.clone(), history.program.clone()),
        (None, None) => return None,
    };
    Some(Known {
        fault: fault.clone(),
        lessons: fitting(lessons, fault, &class, &program),
        class,
        program,
        text: record.map(|record| record.text).unwrap_or_default(),
        history,
    })
}

/// The lessons about a failure that still count.
fn fitting(
    lessons: &[KnownLesson],
    fault: &FaultId,
    class: &str,
    program: &str,
) -> Vec<KnownLesson> {
    let fits = |known: &&KnownLesson| {
        known.standing != Standing::Retired && known.lesson.fits(fault, class, program)
    };
    lessons.iter().filter(fits).cloned().collect()
}
