//! Which lessons are told, by what was run last.

use std::cmp::Reverse;
use std::collections::HashSet;

use crate::faults::lesson::{Lesson, Source, Subject};
use crate::faults::{FaultId, command};

/// How many lessons are told.
const LESSONS: usize = 5;

/// What was run lately.
#[derive(Debug, Default)]
pub(super) struct Lately<'a> {
    /// Programs with their subcommands.
    programs: HashSet<String>,
    /// Failures.
    faults: HashSet<&'a str>,
}

impl<'a> Lately<'a> {
    /// Takes in a command and the failure that it ran into.
    pub(super) fn add(&mut self, line: &str, fault: Option<&'a str>) {
        let parts = command::parts(&[], Some(line));
        self.programs.insert(command::key(command::subject(&parts)));
        self.faults.extend(fault);
    }

    /// How much a lesson has to do with it: that of a failure that was met comes first, then what is about
    /// commands that were run, then what is about everything. The more a lesson says of what it is about, the
    /// more it counts, if all of it fits.
    fn score(&self, about: &Subject) -> u32 {
        let is_of = |class: &str| {
            let is_it = |fault: &&str| {
                fault
                    .strip_suffix(class)
                    .is_some_and(|it| it.ends_with('-'))
            };
            self.faults.iter().any(is_it)
        };
        let fault = about.fault.as_ref().map(FaultId::as_str);
        let fits = [
            (fault.map(|fault| self.faults.contains(fault)), 8),
            (about.class.as_deref().map(is_of), 4),
            (
                about.command.as_ref().map(|it| self.programs.contains(it)),
                2,
            ),
        ];
        if fits.iter().any(|(fits, _)| *fits == Some(false)) {
            return 0;
        }
        let sum: u32 = fits.iter().filter_map(|(fits, of)| fits.map(|_| of)).sum();
        sum.max(1)
    }
}

/// The texts of the lessons that are told, the most fitting first. What somebody wrote is told even if nothing
/// of late is like it; a command that once worked instead of another only where that one's failure was met.
/// Nothing is told of a failure that is ignored, and nothing that was said already.
pub(super) fn told<'l>(
    lessons: impl Iterator<Item = &'l Lesson>,
    lately: &Lately<'_>,
    is_ignored: &dyn Fn(&FaultId) -> bool,
    said: &[&str],
) -> Vec<String> {
    let scored = lessons.map(|lesson| (lately.score(&lesson.about), lesson));
    let is_told = |(score, lesson): &(u32, &Lesson)| *score > 0 || lesson.source == Source::Written;
    let mut told: Vec<(u32, &Lesson)> = scored.filter(is_told).collect();
    told.sort_by_key(|(score, lesson)| {
        (
            Reverse(*score),
            lesson.source == Source::Cure,
            &lesson.lesson,
        )
    });
    let mut known: HashSet<String> = said.iter().map(|text| (*text).to_owned()).collect();
    // Few are asked: each costs a look at the disk.
    let is_wanted =
        |(_, lesson): &(u32, &Lesson)| !lesson.about.fault.as_ref().is_some_and(is_ignored);
    let told = told.into_iter().filter(is_wanted);
    let texts = told.map(|(_, lesson)| match &lesson.worked {
        Some(worked) => lesson.text_for_others(worked),
        None => lesson.text.clone(),
    });
    texts
        .filter(|text| known.insert(text.clone()))
        .take(LESSONS)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::lesson::Worked;

    fn written(text: &str, fault: &str, class: &str, command: &str) -> Lesson {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let about = Subject {
            fault: some(fault).map(|fault| fault.parse().unwrap()),
            class: some(class),
            command: some(command),
        };
        Lesson::written(text, about)
    }

    #[test]
    fn what_fits_the_last_commands_best_comes_first_and_five_are_told() {
        let mut lately = Lately::default();
        lately.add(
            "cd web && cargo test --all 2>&1 | tail",
            Some("1f0c22ab-cargo-test-failed"),
        );
        lately.add("make x", None);
        let cure = |failed: &str, fault: &str| {
            let worked = Worked {
                failed: failed.to_owned(),
                command: "make ci".to_owned(),
                directory: None,
            };
            Lesson::cure(fault.parse().unwrap(), worked)
        };
        let lessons = [
            written("of npm", "", "", "npm install"),
            written("of everything", "", "", ""),
            written("of cargo build", "", "", "cargo build"),
            written("of cargo test", "", "", "cargo test"),
            written("of its kind", "", "test-failed", ""),
            written("of another kind", "", "failed-test", ""),
            written("of the failure", "1f0c22ab-cargo-test-failed", "", ""),
            cure("cargo test", "1f0c22ab-cargo-test-failed"),
            cure("npm test", "2f0c22ab-npm-usage"),
        ];
        let told = told(lessons.iter(), &lately, &|_| false, &[]);
        assert_eq!(
            told,
            [
                "of the failure",
                "for `cargo test`, `make ci` worked",
                "of its kind",
                "of cargo test",
                "of everything",
            ]
        );
        let rest = super::told(lessons.iter(), &lately, &|_| false, &["of the failure"]);
        assert_eq!(rest.len(), 5);
        assert!(!rest.contains(&"of the failure".to_owned()), "{rest:?}");
        // Where there is room, what somebody wrote of something else is told, too.
        let few = super::told(lessons[..1].iter(), &lately, &|_| true, &[]);
        assert_eq!(few, ["of npm"]);
        for ignored in [&lessons[6..7], &lessons[8..]] {
            assert_eq!(
                super::told(ignored.iter(), &lately, &|_| true, &[]),
                [""; 0]
            );
        }
        assert_eq!(
            super::told(lessons[8..].iter(), &lately, &|_| false, &[]),
            [""; 0]
        );
    }
}
