//! Lessons on disk: what they say, which never changes, and beside it who accepted or retired them.

use std::ffi::OsStr;
use std::io;

use super::files::{self, Found};
use super::{FaultStore, Opened};
use crate::faults::lesson::{Learned, Say, Standing};
use crate::faults::{Lesson, LessonId};
use crate::sys::file::Directory;

/// The directory of lessons, in the shared part and in `local`.
const LESSONS: &str = "lessons";
/// Its presence says that somebody accepted the lesson.
const ACCEPTED: &str = "accepted";
/// Its presence says that somebody retired it.
const RETIRED: &str = "retired";
/// How many lessons are read.
const LESSONS_MAX: usize = 5000;
/// How many cured sessions are remembered of a lesson.
const CURED_MAX: usize = 20;

/// A lesson and how much it counts.
#[derive(Clone, Debug)]
pub struct KnownLesson {
    /// What it says.
    pub lesson: Lesson,
    /// How much it counts.
    pub standing: Standing,
    /// Where it was learned, if that was here.
    pub learned: Option<Learned>,
}

impl FaultStore {
    /// Adds a lesson, or what was learned of one that is there: `learn` fills that in.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn add_lesson(
        &self,
        lesson: &Lesson,
        learn: &dyn Fn(&mut Learned),
    ) -> io::Result<KnownLesson> {
        let changing = self.change()?;
        let (shared, _) = changing.faults.open_or_make_child(OsStr::new(LESSONS))?;
        let (local, _) = changing.local.open_or_make_child(OsStr::new(LESSONS))?;
        let name = format!("{}.json", lesson.lesson);
        if files::read::<Lesson>(&shared, &name).value().is_none() {
            files::write(&shared, &name, lesson)?;
        }
        let mut learned = match files::read::<Learned>(&local, &name) {
            Found::Value(learned) => learned,
            Found::Nothing | Found::Broken(_) => Learned::default(),
            Found::Newer(problem) => return Err(io::Error::other(problem)),
        };
        learn(&mut learned);
        learned.cured.dedup();
        let surplus = learned.cured.len().saturating_sub(CURED_MAX);
        learned.cured.drain(..surplus);
        files::write(&local, &name, &learned)?;
        let say = say(&shared, &lesson.lesson, Some(&learned));
        Ok(KnownLesson {
            lesson: lesson.clone(),
            standing: say.standing(lesson.source),
            learned: Some(learned),
        })
    }

    /// Accepts or retires a lesson. Both are files of their own, so that two branches which do either are
    /// merged; who is retired stays so until it is accepted again.
    ///
    /// # Errors
    /// When there is no such lesson, or nothing can be written.
    pub fn judge_lesson(&self, id: &LessonId, standing: Standing) -> io::Result<()> {
        let changing = self.change()?;
        let shared = changing.faults.open_child(OsStr::new(LESSONS))?;
        if files::read::<Lesson>(&shared, &format!("{id}.json"))
            .value()
            .is_none()
        {
            return Err(io::ErrorKind::NotFound.into());
        }
        let (set, unset) = match standing {
            Standing::Retired => (RETIRED, ACCEPTED),
            Standing::Active | Standing::Suggested => (ACCEPTED, RETIRED),
        };
        files::put(
            &shared,
            &format!("{id}.{set}"),
            format!("{set}\n").as_bytes(),
        )?;
        match shared.remove(&format!("{id}.{unset}")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

fn say(shared: &Directory, id: &LessonId, learned: Option<&Learned>) -> Say {
    Say {
        is_accepted: shared.contains(&format!("{id}.{ACCEPTED}")),
        is_retired: shared.contains(&format!("{id}.{RETIRED}")),
        confirmations: learned.map_or(0, |learned| learned.cured.len()),
    }
}

/// All lessons, in the order of their ids. What can't be read is named in `problems`.
pub(super) fn read_all(opened: &Opened, problems: &mut Vec<String>) -> Vec<KnownLesson> {
    let Ok(shared) = opened.faults.open_child(OsStr::new(LESSONS)) else {
        return Vec::new();
    };
    let local = opened.local.as_ref();
    let local = local.and_then(|local| local.open_child(OsStr::new(LESSONS)).ok());
    let mut lessons = Vec::new();
    for stem in files::stems(&shared, ".json", LESSONS_MAX).unwrap_or_default() {
        let name = format!("{stem}.json");
        let mut problem = |text: String| problems.push(format!("{LESSONS}/{name}: {text}"));
        let lesson = match files::read::<Lesson>(&shared, &name) {
            Found::Value(lesson) if lesson.lesson.as_str() == stem => lesson,
            Found::Value(lesson) => {
                problem(format!("it says it is {}", lesson.lesson));
                continue;
            }
            Found::Nothing => continue,
            Found::Broken(text) | Found::Newer(text) => {
                problem(text);
                continue;
            }
        };
        let learned = local.as_ref();
        let learned = learned.and_then(|local| files::read::<Learned>(local, &name).value());
        let say = say(&shared, &lesson.lesson, learned.as_ref());
        lessons.push(KnownLesson {
            standing: say.standing(lesson.source),
            lesson,
            learned,
        });
    }
    lessons
}
