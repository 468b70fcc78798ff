//! What was learned: a text for whoever meets a failure, and the command that cured one.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::fingerprint::FaultId;
use super::record::RECORD_VERSION;

/// How many failures a cure has to have cured before it counts without anybody's word.
const CONFIRMATIONS: usize = 2;

/// The longest text of a lesson, in bytes.
pub const TEXT_BYTES: usize = 1000;

/// The name of a lesson: eight hex digits, made from all that it says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LessonId(String);

/// What isn't the id of a lesson.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no lesson's id, which has eight hex digits")]
pub struct NotALessonId;

impl LessonId {
    /// The id as text, which is safe as the name of a file.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for LessonId {
    type Err = NotALessonId;

    fn from_str(text: &str) -> Result<Self, NotALessonId> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() == 8 && text.bytes().all(is_digit) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotALessonId)
        }
    }
}

impl TryFrom<String> for LessonId {
    type Error = NotALessonId;

    fn try_from(text: String) -> Result<Self, NotALessonId> {
        text.parse()
    }
}

impl From<LessonId> for String {
    fn from(id: LessonId) -> Self {
        id.0
    }
}

impl fmt::Display for LessonId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Where a lesson comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// Somebody wrote it.
    Written,
    /// A command that worked after one that failed.
    Cure,
}

/// What a lesson is about. With nothing said, it is about everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// This failure.
    pub fault: Option<FaultId>,
    /// This kind of failure.
    pub class: Option<String>,
    /// Commands of this program and subcommand.
    pub command: Option<String>,
}

/// The command that worked instead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worked {
    /// What failed, as one line.
    pub failed: String,
    /// What worked, as one line.
    pub command: String,
    /// Where it worked, if the directory is all that was different.
    pub directory: Option<String>,
}

/// A lesson as its own file has it: the same bytes from whoever learned it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lesson {
    /// MAJOR.MINOR of this format.
    pub schema_version: String,
    /// The id.
    pub lesson: LessonId,
    /// Where it comes from.
    pub source: Source,
    /// What to do, for people and agents.
    pub text: String,
    /// What it is about.
    #[serde(flatten)]
    pub about: Subject,
    /// The cure, if it is one.
    pub worked: Option<Worked>,
}

impl Lesson {
    /// What somebody wrote, redacted already.
    #[must_use]
    pub fn written(text: &str, about: Subject) -> Self {
        let text = super::normal::head(text.trim(), TEXT_BYTES).to_owned();
        Self::new(Source::Written, text, about, None)
    }

    /// What worked, redacted already.
    #[must_use]
    pub fn cure(fault: FaultId, worked: Worked) -> Self {
        let text = match &worked.directory {
            Some(directory) => format!("`{}` works in {directory}", worked.command),
            None => format!("`{}` worked instead", worked.command),
        };
        let about = Subject {
            fault: Some(fault),
            ..Subject::default()
        };
        Self::new(Source::Cure, text, about, Some(worked))
    }

    /// A cure as somebody should hear of it whose command failed alike and has other operands: it names what
    /// it is for.
    #[must_use]
    pub fn text_for_others(&self, worked: &Worked) -> String {
        match &worked.directory {
            Some(directory) => format!("for `{}`, {directory} worked", worked.failed),
            None => format!("for `{}`, `{}` worked", worked.failed, worked.command),
        }
    }

    fn new(source: Source, text: String, about: Subject, worked: Option<Worked>) -> Self {
        let mut lesson = Self {
            schema_version: RECORD_VERSION.to_owned(),
            lesson: LessonId("00000000".to_owned()),
            source,
            text,
            about,
            worked,
        };
        // Serialising what this program made doesn't fail; texts alone would do as well.
        let said = serde_json::to_vec(&lesson).unwrap_or_else(|_| lesson.text.clone().into());
        lesson.lesson = LessonId(hex::encode(Sha256::digest(said))[..8].to_owned());
        lesson
    }
}

/// How much a lesson counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// Seen once and nobody's word yet: offered as what worked, not as advice.
    Suggested,
    /// It counts.
    Active,
    /// It doesn't any more.
    Retired,
}

impl Standing {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Suggested => "suggested",
            Self::Active => "active",
            Self::Retired => "retired",
        }
    }
}

/// What people and experience say of a lesson.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Say {
    /// Somebody accepted it.
    pub is_accepted: bool,
    /// Somebody retired it.
    pub is_retired: bool,
    /// How many failures it is known to have cured.
    pub confirmations: usize,
}

impl Say {
    /// What follows from it.
    #[must_use]
    pub fn standing(self, source: Source) -> Standing {
        if self.is_retired {
            Standing::Retired
        } else if self.is_accepted
            || source == Source::Written
            || self.confirmations >= CONFIRMATIONS
        {
            Standing::Active
        } else {
            Standing::Suggested
        }
    }
}

/// Where a lesson was learned: for this user only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Learned {
    /// When: ISO 8601, UTC.
    pub at: String,
    /// Who wrote it, or ran what worked.
    pub agent: String,
    /// Sessions that failed and were cured by it, at most 20.
    pub cured: Vec<String>,
    /// The session in which it worked last.
    pub worked_in: Option<String>,

    /// Fields that this version does not know.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_lesson_has_the_same_id_and_another_has_another() {
        let about = |class: &str| Subject {
            class: Some(class.to_owned()),
            ..Subject::default()
        };
        let one = Lesson::written(" use ci \n", about("lint"));
        assert_eq!(one, Lesson::written("use ci", about("lint")));
        assert_ne!(one.lesson, Lesson::written("use ci", about("usage")).lesson);
        assert_ne!(one.lesson, Lesson::written("use", about("lint")).lesson);
        assert!(one.lesson.as_str().parse::<LessonId>().is_ok());
        for text in ["", "1234567", "../../xx", "ABCDEF01"] {
            assert!(text.parse::<LessonId>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_cure_counts_after_two_confirmations_or_somebodys_word() {
        let say = |is_accepted, is_retired, confirmations| Say {
            is_accepted,
            is_retired,
            confirmations,
        };
        for (said, source, standing) in [
            (say(false, false, 1), Source::Cure, Standing::Suggested),
            (say(false, false, 2), Source::Cure, Standing::Active),
            (say(true, false, 1), Source::Cure, Standing::Active),
            (say(false, false, 0), Source::Written, Standing::Active),
            (say(true, true, 9), Source::Written, Standing::Retired),
        ] {
            assert_eq!(said.standing(source), standing, "{said:?}");
        }
    }
}
