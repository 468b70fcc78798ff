//! What one source says of checkpoints.

use std::time::Duration;

use super::value::{Given, duration, list, one_of, size};
use crate::session::checkpoint::Mode;

/// The names of the modes.
pub(super) const MODES: &[(&str, Mode)] = &[
    ("off", Mode::Off),
    ("before", Mode::Before),
    ("both", Mode::Both),
];
/// How long taking one may last.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The largest file that is kept.
const MAX_FILE: u64 = 100 << 20;

/// Everything that is set of checkpoints, decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoints {
    /// When they are taken; none where nobody said, and the command decides.
    pub mode: Option<Mode>,
    /// The commands for which they are taken then: the words that they begin with.
    pub commands: Vec<String>,
    /// How long taking one may last.
    pub timeout: Duration,
    /// The largest file that is kept, in bytes; 0 is no limit.
    pub max_file_bytes: u64,
}

/// The same as one source gives it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    mode: Option<Mode>,
    commands: Vec<String>,
    timeout: Option<Duration>,
    max_file_bytes: Option<u64>,
}

impl Said {
    pub(super) fn set_mode(&mut self, given: &Given<'_>) -> Result<(), String> {
        self.mode = Some(one_of(given, MODES)?);
        Ok(())
    }

    pub(super) fn set_commands(&mut self, given: &Given<'_>) -> Result<(), String> {
        self.commands = list(given)?;
        Ok(())
    }

    pub(super) fn set_timeout(&mut self, given: &Given<'_>) -> Result<(), String> {
        self.timeout = Some(duration(given)?);
        Ok(())
    }

    pub(super) fn set_max_file(&mut self, given: &Given<'_>) -> Result<(), String> {
        self.max_file_bytes = Some(size(given)?);
        Ok(())
    }

    /// These, and the others where these say nothing. Commands add up: a repository may name more of them,
    /// and takes none away.
    pub(super) fn or(mut self, other: Self) -> Self {
        self.commands.extend(other.commands);
        Self {
            mode: self.mode.or(other.mode),
            commands: self.commands,
            timeout: self.timeout.or(other.timeout),
            max_file_bytes: self.max_file_bytes.or(other.max_file_bytes),
        }
    }

    /// With defaults where nothing was said.
    pub(super) fn into_settings(self) -> Checkpoints {
        Checkpoints {
            mode: self.mode,
            commands: self.commands,
            timeout: self.timeout.filter(|it| !it.is_zero()).unwrap_or(TIMEOUT),
            max_file_bytes: self.max_file_bytes.unwrap_or(MAX_FILE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_add_up_and_everything_else_is_said_once() {
        let said = |mode, commands: &str| {
            let mut said = Said::default();
            said.set_mode(&Given::Text(mode)).unwrap();
            said.set_commands(&Given::Text(commands)).unwrap();
            said
        };
        let settings = said("off", "rm")
            .or(said("both", "git reset, git clean"))
            .into_settings();
        assert_eq!(settings.mode, Some(Mode::Off));
        assert_eq!(settings.commands, ["rm", "git reset", "git clean"]);
        let nothing = Said::default().into_settings();
        assert_eq!((nothing.mode, nothing.timeout), (None, TIMEOUT));
        assert!(Said::default().set_mode(&Given::Text("after")).is_err());
    }
}
