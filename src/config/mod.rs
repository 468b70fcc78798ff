//! What the user wants: options, environment and configuration files, merged.
//!
//! Flag before environment before the repository's file before the user's file before the default.
//! The repository's file may come from a stranger, so it can't set paths, a shell, a name or
//! whether anything is recorded, nor have less kept than the user does; such keys are named in a
//! warning and ignored.

mod checkpoint;
pub mod file;
mod keep;
pub mod layer;
pub mod units;
mod value;

use std::path::PathBuf;
use std::time::Duration;

pub use checkpoint::Checkpoints;
pub use layer::{ConfigError, Layer, Source};

use crate::environment::Environment;
use crate::place::Place;
use crate::plan::TtyMode;
use crate::session::{Durability, Policy};

/// The default of `--max-bytes`.
pub const DEFAULT_MAX_BYTES: u64 = 1024 * 1024 * 1024;

/// When a line about the outcome is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    /// Never.
    Never,
    /// After a failure.
    Failure,
    /// After every command.
    Always,
}

/// Every setting of a run, decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The agent's name, where one was given.
    pub agent: Option<String>,
    /// The session directory, where one was named.
    pub session_dir: Option<PathBuf>,
    /// The task that the session belongs to.
    pub task: Option<String>,
    /// A note for the sidecar.
    pub note: Option<String>,
    /// Labels for the sidecar.
    pub tags: Vec<String>,
    /// When to end the command.
    pub timeout: Option<Duration>,
    /// When the command gets a terminal.
    pub tty: TtyMode,
    /// The most bytes of output recorded from the beginning; 0 is no limit.
    pub max_bytes: u64,
    /// How hard a session is forced to the disk.
    pub durability: Durability,
    /// The shell for `-c`.
    pub shell: Option<PathBuf>,
    /// Whether to record at all.
    pub record: bool,
    /// Whether to refuse to run what can't be recorded.
    pub strict: bool,
    /// When to print a line about the outcome.
    pub report: Report,
    /// Whether to say what aido does.
    pub debug: bool,
    /// Where to say it, if not on standard error.
    pub debug_log: Option<PathBuf>,
    /// How much is kept, and for how long.
    pub keep: Policy,
    /// Whether a run removes now and then what is above the limits.
    pub housekeeping: bool,
    /// When the work tree is saved around a command.
    pub checkpoints: Checkpoints,
    /// Whether a hook put aido before the command, so that nobody may notice.
    pub is_hooked: bool,
}

impl Settings {
    /// These for a command that a hook put under aido: whatever was set for those that are run under it on
    /// purpose, nothing is said, refused or ended, and each stream is what it would have been. Of settings that
    /// can't be taken nobody knows whether they forbid to record, so then nothing is recorded.
    #[must_use]
    pub fn hooked(resolved: Result<Resolved, ConfigError>) -> Self {
        let settings = resolved.map_or_else(
            |_| Self {
                record: false,
                ..Layer::default().into_settings()
            },
            |resolved| resolved.settings,
        );
        Self {
            timeout: None,
            tty: TtyMode::Auto,
            strict: false,
            report: Report::Never,
            debug: false,
            is_hooked: true,
            ..settings
        }
    }
}

/// Settings, and what was ignored on the way.
#[derive(Debug)]
pub struct Resolved {
    /// The settings.
    pub settings: Settings,
    /// One line for each key that was ignored.
    pub warnings: Vec<String>,
}

/// Merges everything that was said, from `flags` down.
///
/// # Errors
/// An unknown key or a bad value anywhere: naming where, which, and what is allowed.
pub fn resolve(
    flags: Layer,
    environment: &Environment,
    place: &Place,
) -> Result<Resolved, ConfigError> {
    let mut warnings = Vec::new();
    let merged = flags.or(Layer::from_environment(environment)?);
    let (mut repository, ignored) = match &place.root {
        Some(root) => file::read_repository(root)?,
        None => file::Read::default(),
    };
    warnings.extend(ignored);
    let (user, ignored) = match &place.user_config {
        Some(path) => file::read_user(path)?,
        None => file::Read::default(),
    };
    for (name, limit) in repository.keep_no_less_than(&user) {
        warnings.push(format!(
            "{}: {name} = {limit} is ignored here, since a repository may come from a stranger \
             and so only have more kept than you do; set it in your own configuration",
            file::IN_REPOSITORY
        ));
    }
    warnings.extend(ignored);
    Ok(Resolved {
        settings: merged.or(repository).or(user).into_settings(),
        warnings,
    })
}
