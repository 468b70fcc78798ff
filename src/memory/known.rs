//! What is known, read: failures with their histories and lessons. This is what other parts of aido ask.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::io;
use std::rc::Rc;

use super::files::{self, Found};
use super::lessons::{self, Detail, KnownLesson};
use super::notes::{file_name, read_history};
use super::{FaultStore, LOCAL, Opened};
use crate::faults::history::Failing;
use crate::faults::lesson::{Source, Standing, Worked};
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
    pub lessons: Vec<Rc<KnownLesson>>,
    /// The command that is asked about; where there is none, it is that of the last time.
    pub asked: Option<CommandKey>,
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

    /// What to say about it: what was said, else its exit code, which is all that is known then.
    #[must_use]
    pub fn why(&self) -> Cow<'_, str> {
        let code = self.history.as_ref().and_then(|it| it.last.exit_code);
        match (self.said(), code) {
            ("", Some(code)) => format!("exit {code}, without a word that tells why").into(),
            (said, _) => said.into(),
        }
    }

    /// What was said: in the words of its rule, else the line that was printed last, else its normal form;
    /// nothing where nothing was.
    #[must_use]
    pub fn said(&self) -> &str {
        let last = self.history.as_ref().map(|history| &history.last);
        let said = last.and_then(|last| last.message.as_deref());
        let line = last.map(|last| last.line.as_str());
        let said = said.or(line).filter(|text| !text.is_empty());
        said.unwrap_or(&self.text)
    }

    /// The same, asked about this command.
    #[must_use]
    pub fn asked_about(mut self, key: Option<CommandKey>) -> Self {
        self.asked = key.or(self.asked);
        self
    }

    /// Whether a cure is that of the command that is asked about, and not of one that failed alike with other
    /// operands.
    fn is_cure_of_asked(&self, worked: &Worked) -> bool {
        let last = self
            .history
            .as_ref()
            .map(|history| history.last.key.as_str());
        let asked = self.asked.as_ref().map(CommandKey::as_str).or(last);
        let cured = CommandKey::of(&[], Some(&worked.failed));
        asked.is_none_or(|asked| cured.is_some_and(|cured| cured.as_str() == asked))
    }

    /// What a cure says to whoever asks: another command's is never offered as if it were this one's.
    fn in_words(&self, cure: &KnownLesson) -> String {
        let lesson = &cure.lesson;
        match &lesson.worked {
            Some(worked) if !self.is_cure_of_asked(worked) => lesson.text_for_others(worked),
            _ => lesson.text.clone(),
        }
    }

    /// The lesson that says what worked instead: of the command that is asked about if there is one, and of
    /// several the best known.
    #[must_use]
    pub fn cure(&self) -> Option<&KnownLesson> {
        let cures = self.lessons.iter();
        let cures = cures.filter(|known| known.lesson.source == Source::Cure);
        let best = cures.max_by_key(|known| {
            let times = known
                .learned
                .as_ref()
                .map_or(0, |learned| learned.cured.len());
            let worked = known.lesson.worked.as_ref();
            let is_own = worked.is_some_and(|worked| self.is_cure_of_asked(worked));
            (is_own, known.standing == Standing::Active, times)
        });
        best.map(Rc::as_ref)
    }

    /// What to do about it, in sentences: what people and agents wrote of this very failure, what worked,
    /// what was written of all of its kind, and what its rule advised the last time. Each once.
    #[must_use]
    pub fn advice(&self) -> Vec<String> {
        let last = self.history.as_ref().map(|history| &history.last);
        self.advice_with(last.and_then(|last| last.advice.as_deref()))
    }

    /// The same with this as the advice of its rule.
    #[must_use]
    pub fn advice_with(&self, of_rule: Option<&str>) -> Vec<String> {
        let written = self.lessons.iter();
        let written = written.filter(|known| known.lesson.source == Source::Written);
        let is_own = |known: &&Rc<KnownLesson>| known.lesson.about.fault.is_some();
        let (own, general): (Vec<_>, Vec<_>) = written.partition(is_own);
        let texts = |known: Vec<&Rc<KnownLesson>>| -> Vec<String> {
            let texts = known.iter().map(|known| known.lesson.text.clone());
            texts.collect()
        };
        let mut advice = texts(own);
        advice.extend(self.cure().map(|cure| self.in_words(cure)));
        advice.extend(texts(general));
        advice.extend(of_rule.map(str::to_owned));
        let mut known = HashSet::new();
        advice.retain(|text| known.insert(text.clone()));
        advice
    }
}

/// Everything that is known.
#[derive(Debug, Default)]
pub struct Knowledge {
    /// Failures, the last seen first; those known from others only come last.
    pub faults: Vec<Known>,
    /// All lessons, retired ones too.
    pub lessons: Vec<Rc<KnownLesson>>,
    /// One line for each file that can't be used.
    pub problems: Vec<String>,
    /// Why nothing is known of what happened here, and nothing can be remembered.
    pub refused: Option<String>,
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
        let lessons = lessons::read_all(&opened, Detail::All, &mut problems);
        let mut stems = files::stems(&opened.faults, ".json", FAULTS_MAX)?;
        if let Some(local) = &opened.local {
            stems.extend(files::stems(local, ".json", FAULTS_MAX)?);
        }
        stems.sort_unstable();
        stems.dedup();
        let mut faults = Vec::new();
        let about = BySubject::of(&lessons);
        for stem in stems {
            match stem.parse::<FaultId>() {
                Ok(fault) => faults.extend(known(&opened, &fault, &about, &mut problems)),
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
            refused: opened.refused.map(|error| format!("{LOCAL}: {error}")),
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
            asked: None,
        };
        let Ok(Some(opened)) = self.open() else {
            return nothing;
        };
        let mut problems = Vec::new();
        let lessons = lessons::read_all(&opened, Detail::Standing, &mut problems);
        let about = BySubject::of(&lessons);
        let known = known(&opened, fault, &about, &mut problems);
        known.unwrap_or_else(|| Known {
            lessons: about.fitting(fault, class, program),
            ..nothing
        })
    }

    /// What is known of these failures, in their order.
    fn faults_of(&self, faults: &[FaultId]) -> Vec<Known> {
        let Ok(Some(opened)) = self.open() else {
            return Vec::new();
        };
        let mut problems = Vec::new();
        let lessons = lessons::read_all(&opened, Detail::All, &mut problems);
        let about = BySubject::of(&lessons);
        let found = faults.iter();
        found
            .filter_map(|fault| known(&opened, fault, &about, &mut problems))
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
        let asked = |known: Known| known.asked_about(Some(key.clone()));
        found.into_iter().map(asked).collect()
    }
}

fn known(
    opened: &Opened,
    fault: &FaultId,
    about: &BySubject<'_>,
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
        lessons: about.fitting(fault, &class, &program),
        class,
        program,
        text: record.map(|record| record.text).unwrap_or_default(),
        history,
        asked: None,
    })
}

/// What a lesson is about: failure, kind and command, each if it is named.
type About<'l> = (Option<&'l str>, Option<&'l str>, Option<&'l str>);

/// Lessons that still count, by what they are about, so that as many failures as lessons don't take the
/// square of that.
struct BySubject<'l>(HashMap<About<'l>, Vec<&'l Rc<KnownLesson>>>);

impl<'l> BySubject<'l> {
    fn of(lessons: &'l [Rc<KnownLesson>]) -> Self {
        let mut of: HashMap<About<'l>, Vec<&Rc<KnownLesson>>> = HashMap::new();
        let count = |known: &&Rc<KnownLesson>| known.standing != Standing::Retired;
        for known in lessons.iter().filter(count) {
            let about = &known.lesson.about;
            let about = (
                about.fault.as_ref().map(FaultId::as_str),
                about.class.as_deref(),
                about.command.as_deref(),
            );
            of.entry(about).or_default().push(known);
        }
        // What is about nothing is for the list only.
        of.remove(&(None, None, None));
        Self(of)
    }

    /// The lessons about a failure, in the order of their ids.
    fn fitting(&self, fault: &FaultId, class: &str, program: &str) -> Vec<Rc<KnownLesson>> {
        let mut found: Vec<Rc<KnownLesson>> = Vec::new();
        let mut groups = 0;
        for of_fault in [None, Some(fault.as_str())] {
            for of_class in [None, Some(class)] {
                for of_command in [None, Some(program)] {
                    let group = self.0.get(&(of_fault, of_class, of_command));
                    groups += usize::from(group.is_some());
                    found.extend(group.into_iter().flatten().copied().cloned());
                }
            }
        }
        // One group by itself is in order.
        if groups > 1 {
            found.sort_by(|one, other| one.lesson.lesson.cmp(&other.lesson.lesson));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::Lesson;
    use crate::faults::lesson::Subject;

    #[test]
    fn a_lesson_is_about_what_it_names() {
        let fault: FaultId = "1f0c22ab-cargo-usage".parse().unwrap();
        let subject =
            |fault: Option<&FaultId>, class: Option<&str>, command: Option<&str>| Subject {
                fault: fault.cloned(),
                class: class.map(str::to_owned),
                command: command.map(str::to_owned),
            };
        let other: FaultId = "2f0c22ab-cargo-usage".parse().unwrap();
        let mut lessons = Vec::new();
        let mut wanted = Vec::new();
        for (about, fits) in [
            (subject(None, None, None), false),
            (subject(Some(&fault), None, None), true),
            (subject(Some(&other), None, None), false),
            (subject(None, Some("usage"), None), true),
            (subject(None, Some("lint"), None), false),
            (subject(None, None, Some("cargo build")), true),
            (subject(None, Some("usage"), Some("cargo build")), true),
            (subject(None, Some("usage"), Some("cargo test")), false),
            (subject(Some(&fault), Some("usage"), None), true),
            (subject(Some(&fault), Some("lint"), None), false),
        ] {
            let known = |standing| KnownLesson {
                lesson: Lesson::written("x", about.clone()),
                standing,
                learned: None,
            };
            if fits {
                wanted.push(known(Standing::Active).lesson.lesson);
            }
            lessons.push(Rc::new(known(Standing::Active)));
            lessons.push(Rc::new(known(Standing::Retired)));
        }
        wanted.sort();
        let found = BySubject::of(&lessons).fitting(&fault, "usage", "cargo build");
        let found: Vec<_> = found
            .iter()
            .map(|known| known.lesson.lesson.clone())
            .collect();
        assert_eq!(found, wanted);
    }
}
