//! Lessons on disk: what they say, which never changes, and beside it who accepted or retired them.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::io;
use std::rc::Rc;

use super::files::{self, Found};
use super::{FaultStore, Opened};
use crate::faults::lesson::{Learned, Say, Source, Standing};
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
        let say = say(
            &|name| shared.contains(name),
            &lesson.lesson,
            Some(&learned),
        );
        Ok(KnownLesson {
            lesson: lesson.clone(),
            standing: say.standing(lesson.source),
            learned: Some(learned),
        })
    }

    /// The lessons that count, in the order of their ids; none where they can't be read.
    #[must_use]
    pub fn active_lessons(&self) -> Vec<Rc<KnownLesson>> {
        let Ok(Some(opened)) = self.open() else {
            return Vec::new();
        };
        let mut lessons = read_all(&opened, Detail::Standing, &mut Vec::new());
        lessons.retain(|known| known.standing == Standing::Active);
        lessons
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

/// What is said of a lesson, by the names that are there.
fn say(is_there: &dyn Fn(&str) -> bool, id: &LessonId, learned: Option<&Learned>) -> Say {
    Say {
        is_accepted: is_there(&format!("{id}.{ACCEPTED}")),
        is_retired: is_there(&format!("{id}.{RETIRED}")),
        confirmations: learned.map_or(0, |learned| learned.cured.len()),
    }
}

/// The names in a directory; none where it can't be read.
fn names(directory: &Directory) -> HashSet<String> {
    let mut names = HashSet::new();
    let listed = directory.each_name(&mut |name| {
        names.extend(name.to_str().map(str::to_owned));
    });
    listed.map_or_else(|_| HashSet::new(), |()| names)
}

/// How much of lessons is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Detail {
    /// What they say and how much they count.
    Standing,
    /// Also who wrote them, and when.
    All,
}

/// All lessons, in the order of their ids. What can't be read is named in `problems`.
pub(super) fn read_all(
    opened: &Opened,
    detail: Detail,
    problems: &mut Vec<String>,
) -> Vec<Rc<KnownLesson>> {
    let Ok(shared) = opened.faults.open_child(OsStr::new(LESSONS)) else {
        return Vec::new();
    };
    let local = opened.local.as_ref();
    let local = local.and_then(|local| local.open_child(OsStr::new(LESSONS)).ok());
    let (said, learned_here) = (
        names(&shared),
        local.as_ref().map(names).unwrap_or_default(),
    );
    let stems = said.iter().filter_map(|name| name.strip_suffix(".json"));
    let mut stems: Vec<&str> = stems.filter(|stem| !stem.starts_with('.')).collect();
    stems.sort_unstable();
    stems.truncate(LESSONS_MAX);
    let mut lessons = Vec::new();
    for stem in stems {
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
        // What somebody wrote counts whatever it cured.
        let counts_cured = detail == Detail::All || lesson.source == Source::Cure;
        let is_learned = counts_cured && learned_here.contains(&name);
        let learned = local.as_ref().filter(|_| is_learned);
        let learned = learned.and_then(|local| files::read::<Learned>(local, &name).value());
        let say = say(
            &|name| said.contains(name),
            &lesson.lesson,
            learned.as_ref(),
        );
        lessons.push(Rc::new(KnownLesson {
            standing: say.standing(lesson.source),
            lesson,
            learned,
        }));
    }
    lessons
}
