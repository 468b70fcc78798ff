//! One source of settings, with every value checked; and the one table of what there is to set.

use std::path::PathBuf;
use std::time::Duration;

use super::checkpoint::{MODES as CHECKPOINT_MODES, Said};
use super::keep::Keep;
pub use super::value::Given;
use super::value::{
    DURABILITIES, REPORTS, TTY_MODES, count, days, duration, list, one_of, size, switch, text,
};
use super::{DEFAULT_MAX_BYTES, Report, Settings};
use crate::environment::Environment;
use crate::plan::TtyMode;
use crate::session::Durability;

/// Where a value was given, for messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// An option on the command line.
    Flag,
    /// An environment variable.
    Environment,
    /// A file, by its path.
    File(String),
}

/// A setting that can't be taken as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Nothing is called that.
    #[error("{file}: unknown key {key:?}; allowed keys: {allowed}")]
    UnknownKey {
        /// The file.
        file: String,
        /// The key.
        key: String,
        /// All keys.
        allowed: String,
    },
    /// The value doesn't fit.
    #[error("{place}: {value} is not allowed; allowed: {allowed}")]
    BadValue {
        /// The option, the variable, or the file with its key.
        place: String,
        /// What was given.
        value: String,
        /// What may be given.
        allowed: String,
    },
    /// The file can't be read as TOML.
    #[error("{file}: {problem}")]
    File {
        /// The file.
        file: String,
        /// What is wrong, and where.
        problem: String,
    },
}

/// Who may set a key in a repository's file, which may come from a stranger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Anybody: a mode, a limit, a report.
    Anybody,
    /// Anybody who wants to keep more than the user does: a limit of what is kept.
    KeepMore,
    /// Only the user: a path, a shell, a name, whether anything is recorded.
    UserOnly,
}

/// One thing to set.
pub struct Key {
    /// Its name in files; the option is the same with dashes.
    pub name: &'static str,
    /// The variable.
    pub variable: &'static str,
    /// Who may set it.
    pub trust: Trust,
    set: fn(&mut Layer, &Given<'_>) -> Result<(), String>,
}

/// Everything there is to set.
pub const KEYS: &[Key] = &[
    key("agent", "AIDO_AGENT", Trust::UserOnly, |layer, given| {
        // A name is made of anything, so an empty one is the default and not a mistake.
        layer.agent = match given {
            Given::Text("") => None,
            given => Some(text(given)?),
        };
        Ok(())
    }),
    key(
        "session_dir",
        "AIDO_SESSION_DIR",
        Trust::UserOnly,
        |layer, given| {
            layer.session_dir = Some(text(given)?.into());
            Ok(())
        },
    ),
    key("task", "AIDO_TASK", Trust::Anybody, |layer, given| {
        layer.task = Some(text(given)?);
        Ok(())
    }),
    key("note", "AIDO_NOTE", Trust::Anybody, |layer, given| {
        layer.note = Some(text(given)?);
        Ok(())
    }),
    key("tags", "AIDO_TAG", Trust::Anybody, |layer, given| {
        layer.tags = Some(list(given)?);
        Ok(())
    }),
    key("timeout", "AIDO_TIMEOUT", Trust::Anybody, |layer, given| {
        layer.timeout = Some(duration(given)?);
        Ok(())
    }),
    key("tty", "AIDO_TTY", Trust::Anybody, |layer, given| {
        layer.tty = Some(one_of(given, TTY_MODES)?);
        Ok(())
    }),
    key(
        "max_bytes",
        "AIDO_MAX_BYTES",
        Trust::Anybody,
        |layer, given| {
            layer.max_bytes = Some(size(given)?);
            Ok(())
        },
    ),
    key(
        "durability",
        "AIDO_DURABILITY",
        Trust::Anybody,
        |layer, given| {
            layer.durability = Some(one_of(given, DURABILITIES)?);
            Ok(())
        },
    ),
    key("shell", "AIDO_SHELL", Trust::UserOnly, |layer, given| {
        layer.shell = Some(text(given)?.into());
        Ok(())
    }),
    key("record", "AIDO_RECORD", Trust::UserOnly, |layer, given| {
        layer.record = Some(switch(given)?);
        Ok(())
    }),
    key(
        "no_record",
        "AIDO_NO_RECORD",
        Trust::UserOnly,
        |layer, given| {
            layer.record = Some(!switch(given)?);
            Ok(())
        },
    ),
    key("strict", "AIDO_STRICT", Trust::Anybody, |layer, given| {
        layer.strict = Some(switch(given)?);
        Ok(())
    }),
    key("report", "AIDO_REPORT", Trust::Anybody, |layer, given| {
        layer.report = Some(one_of(given, REPORTS)?);
        Ok(())
    }),
    key("debug", "AIDO_DEBUG", Trust::UserOnly, |layer, given| {
        layer.debug = Some(switch(given)?);
        Ok(())
    }),
    key(
        "debug_log",
        "AIDO_DEBUG_LOG",
        Trust::UserOnly,
        |layer, given| {
            layer.debug_log = Some(text(given)?.into());
            Ok(())
        },
    ),
    key(
        "keep_days",
        "AIDO_KEEP_DAYS",
        Trust::KeepMore,
        |layer, given| {
            layer.keep.days = Some(days(given)?);
            Ok(())
        },
    ),
    key(
        "keep_bytes",
        "AIDO_KEEP_BYTES",
        Trust::KeepMore,
        |layer, given| {
            layer.keep.bytes = Some(size(given)?);
            Ok(())
        },
    ),
    key(
        "keep_sessions",
        "AIDO_KEEP_SESSIONS",
        Trust::KeepMore,
        |layer, given| {
            layer.keep.sessions = Some(count(given)?);
            Ok(())
        },
    ),
    key(
        "housekeeping",
        "AIDO_HOUSEKEEPING",
        Trust::UserOnly,
        |layer, given| {
            layer.housekeeping = Some(switch(given)?);
            Ok(())
        },
    ),
    key(
        "checkpoint",
        "AIDO_CHECKPOINT",
        Trust::UserOnly,
        |layer, given| layer.checkpoints.set_mode(given),
    ),
    key(
        "checkpoint_commands",
        "AIDO_CHECKPOINT_COMMANDS",
        Trust::Anybody,
        |layer, given| layer.checkpoints.set_commands(given),
    ),
    key(
        "checkpoint_timeout",
        "AIDO_CHECKPOINT_TIMEOUT",
        Trust::UserOnly,
        |layer, given| layer.checkpoints.set_timeout(given),
    ),
    key(
        "checkpoint_max_file",
        "AIDO_CHECKPOINT_MAX_FILE",
        Trust::UserOnly,
        |layer, given| layer.checkpoints.set_max_file(given),
    ),
];

const fn key(
    name: &'static str,
    variable: &'static str,
    trust: Trust,
    set: fn(&mut Layer, &Given<'_>) -> Result<(), String>,
) -> Key {
    Key {
        name,
        variable,
        trust,
        set,
    }
}

/// What one source says; none where it says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layer {
    agent: Option<String>,
    session_dir: Option<PathBuf>,
    task: Option<String>,
    note: Option<String>,
    tags: Option<Vec<String>>,
    timeout: Option<Duration>,
    tty: Option<TtyMode>,
    max_bytes: Option<u64>,
    durability: Option<Durability>,
    shell: Option<PathBuf>,
    record: Option<bool>,
    strict: Option<bool>,
    report: Option<Report>,
    debug: Option<bool>,
    debug_log: Option<PathBuf>,
    keep: Keep,
    housekeeping: Option<bool>,
    checkpoints: Said,
}

impl Layer {
    /// Sets one key. The singular `tag` is accepted for `tags`.
    ///
    /// # Errors
    /// [`ConfigError::UnknownKey`], [`ConfigError::BadValue`].
    pub fn set(
        &mut self,
        name: &str,
        given: &Given<'_>,
        source: &Source,
    ) -> Result<(), ConfigError> {
        let key = find(name).ok_or_else(|| ConfigError::UnknownKey {
            file: match source {
                Source::File(file) => file.clone(),
                Source::Flag | Source::Environment => "aido".to_owned(),
            },
            key: name.to_owned(),
            allowed: KEYS
                .iter()
                .map(|key| key.name)
                .collect::<Vec<_>>()
                .join(", "),
        })?;
        (key.set)(self, given).map_err(|allowed| ConfigError::BadValue {
            place: match source {
                Source::Flag => {
                    let option = if key.name == "tags" { "tag" } else { key.name };
                    format!("--{}", option.replace('_', "-"))
                }
                Source::Environment => format!("environment variable {}", key.variable),
                Source::File(file) => format!("{file}: {}", key.name),
            },
            value: match given {
                Given::Text(text) => format!("{text:?}"),
                Given::Number(number) => number.to_string(),
                Given::Switch(switch) => switch.to_string(),
                Given::List(list) => format!("{list:?}"),
                Given::Other(kind) => format!("a {kind}"),
            },
            allowed,
        })
    }

    /// What the environment says.
    ///
    /// # Errors
    /// A bad value.
    pub fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        let mut layer = Self::default();
        for (name, value) in environment.all() {
            let Some(name) = name.to_str().filter(|name| name.starts_with("AIDO_")) else {
                continue;
            };
            let Some(key) = KEYS.iter().find(|key| key.variable == name) else {
                continue;
            };
            let value = value.to_string_lossy();
            if !value.is_empty() {
                layer.set(key.name, &Given::Text(&value), &Source::Environment)?;
            }
        }
        Ok(layer)
    }

    /// This layer, and the other where this one says nothing.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            agent: self.agent.or(other.agent),
            session_dir: self.session_dir.or(other.session_dir),
            task: self.task.or(other.task),
            note: self.note.or(other.note),
            tags: self.tags.or(other.tags),
            timeout: self.timeout.or(other.timeout),
            tty: self.tty.or(other.tty),
            max_bytes: self.max_bytes.or(other.max_bytes),
            durability: self.durability.or(other.durability),
            shell: self.shell.or(other.shell),
            record: self.record.or(other.record),
            strict: self.strict.or(other.strict),
            report: self.report.or(other.report),
            debug: self.debug.or(other.debug),
            debug_log: self.debug_log.or(other.debug_log),
            keep: self.keep.or(other.keep),
            housekeeping: self.housekeeping.or(other.housekeeping),
            checkpoints: self.checkpoints.or(other.checkpoints),
        }
    }

    /// Takes out each limit of what is kept that is stricter than the user's, and gives its name and
    /// value. It is for a repository's layer.
    pub(super) fn keep_no_less_than(&mut self, user: &Self) -> Vec<(&'static str, u64)> {
        self.keep.no_less_than(&user.keep)
    }

    /// The settings, with defaults where nothing was said.
    #[must_use]
    pub fn into_settings(self) -> Settings {
        Settings {
            agent: self.agent,
            session_dir: self.session_dir,
            task: self.task,
            note: self.note,
            tags: self.tags.unwrap_or_default(),
            timeout: self.timeout.filter(|timeout| !timeout.is_zero()),
            tty: self.tty.unwrap_or(TtyMode::Always),
            max_bytes: self.max_bytes.unwrap_or(DEFAULT_MAX_BYTES),
            durability: self.durability.unwrap_or(Durability::Normal),
            shell: self.shell,
            record: self.record.unwrap_or(true),
            strict: self.strict.unwrap_or(false),
            report: self.report.unwrap_or(Report::Never),
            debug: self.debug.unwrap_or(false),
            debug_log: self.debug_log,
            keep: self.keep.into_policy(),
            housekeeping: self.housekeeping.unwrap_or(true),
            checkpoints: self.checkpoints.into_settings(),
            is_hooked: false,
        }
    }
}

/// Whether a setting has this variable.
#[must_use]
pub fn is_variable(name: &str) -> bool {
    KEYS.iter().any(|key| key.variable == name)
}

/// The key with this name in files.
#[must_use]
pub fn find(name: &str) -> Option<&'static Key> {
    let name = if name == "tag" { "tags" } else { name };
    KEYS.iter().find(|key| key.name == name)
}

/// The words that a setting may be; none where it isn't one of some words.
#[must_use]
pub fn choices(name: &str) -> Vec<&'static str> {
    fn words<T>(table: &[(&'static str, T)]) -> Vec<&'static str> {
        table.iter().map(|(word, _)| *word).collect()
    }
    match name {
        "tty" => words(TTY_MODES),
        "durability" => words(DURABILITIES),
        "report" => words(REPORTS),
        "checkpoint" => words(CHECKPOINT_MODES),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_pairs(pairs: &[(&str, &str)]) -> Result<Layer, ConfigError> {
        Layer::from_environment(&Environment::from_pairs(pairs.iter().copied()))
    }

    #[test]
    fn a_bad_value_names_where_and_what_is_allowed() {
        let error = from_pairs(&[("AIDO_TTY", "sometimes")]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "environment variable AIDO_TTY: \"sometimes\" is not allowed; allowed: always, auto, never"
        );
    }

    #[test]
    fn an_unknown_key_names_the_file_and_all_keys() {
        let source = Source::File("nexus/aido.toml".to_owned());
        let given = Given::Switch(true);
        let error = Layer::default().set("ttty", &given, &source).unwrap_err();
        let message = error.to_string();
        assert!(
            message.starts_with("nexus/aido.toml: unknown key \"ttty\"; allowed keys: agent, ")
        );
    }

    #[test]
    fn what_is_said_first_wins() {
        let first = from_pairs(&[("AIDO_TTY", "auto"), ("AIDO_TAG", "a, b")]).unwrap();
        let second = from_pairs(&[("AIDO_TTY", "never"), ("AIDO_MAX_BYTES", "1K")]).unwrap();
        let settings = first.or(second).into_settings();
        assert_eq!(settings.tty, TtyMode::Auto);
        assert_eq!(settings.max_bytes, 1024);
        assert_eq!(settings.tags, ["a", "b"]);
        assert_eq!(settings.timeout, None);
    }

    #[test]
    fn every_choice_is_taken_and_every_setting_with_choices_has_them() {
        for key in KEYS {
            let set =
                |text: &str| Layer::default().set(key.name, &Given::Text(text), &Source::Flag);
            let choices = choices(key.name);
            for choice in &choices {
                assert!(set(choice).is_ok(), "{}: {choice}", key.name);
            }
            let Err(ConfigError::BadValue { allowed, .. }) = set("\0") else {
                continue;
            };
            let is_choice = |word: &str| !word.contains(' ') && set(word).is_ok();
            if allowed.split(", ").all(is_choice) {
                assert_eq!(choices.join(", "), allowed, "{}", key.name);
            } else {
                assert!(choices.is_empty(), "{}", key.name);
            }
        }
    }

    #[test]
    fn an_empty_variable_says_nothing() {
        assert_eq!(from_pairs(&[("AIDO_TTY", "")]).unwrap(), Layer::default());
    }
}
