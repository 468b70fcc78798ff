//! How a command ended.

use serde::{Deserialize, Serialize};

use super::Signal;

/// The exit code of aido when the command ran into its `--timeout`, as timeout(1) has it.
pub const TIMED_OUT: i32 = 124;
/// The exit code of aido when it failed itself, before the command started.
pub const AIDO_FAILED: i32 = 125;
/// The exit code for a command that was found but can't be executed, as shells have it.
pub const NOT_EXECUTABLE: i32 = 126;
/// The exit code for a command that was not found, as shells have it.
pub const NOT_FOUND: i32 = 127;

/// How a command ended, as far as anybody can know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It exited by itself with this code, 0 to 255.
    Exited(i32),
    /// A signal killed it.
    Signaled(Signal),
    /// aido ended it when its time was over; the signal is what it died of, if it died of one.
    TimedOut(Option<Signal>),
    /// It never ran.
    NotStarted {
        /// [`NOT_EXECUTABLE`], [`NOT_FOUND`], or [`AIDO_FAILED`] where aido had nothing to run it
        /// with.
        code: i32,
        /// Why, in one line for people.
        reason: String,
    },
    /// Nobody can know: what watched it was killed.
    Interrupted,
}

/// The kind of an [`Outcome`], as the sidecar's `status` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The command exited by itself.
    Exited,
    /// A signal killed the command.
    Signaled,
    /// The command ran into its `--timeout`.
    TimedOut,
    /// The command could not be started.
    NotStarted,
    /// The recorder was killed; the exit code is unknown.
    Interrupted,
}

impl Outcome {
    /// The exit code as a shell would show it (128+N for a signal); none where nobody can know.
    #[must_use]
    pub fn exit_code(&self) -> Option<i32> {
        match self {
            Self::Exited(code) | Self::NotStarted { code, .. } => Some(*code),
            Self::Signaled(signal) => Some(128 + signal.0),
            Self::TimedOut(_) => Some(TIMED_OUT),
            Self::Interrupted => None,
        }
    }

    /// The kind of this outcome.
    #[must_use]
    pub fn status(&self) -> Status {
        match self {
            Self::Exited(_) => Status::Exited,
            Self::Signaled(_) => Status::Signaled,
            Self::TimedOut(_) => Status::TimedOut,
            Self::NotStarted { .. } => Status::NotStarted,
            Self::Interrupted => Status::Interrupted,
        }
    }

    /// The signal that the command died of, if any.
    #[must_use]
    pub fn signal(&self) -> Option<Signal> {
        match self {
            Self::Signaled(signal) => Some(*signal),
            Self::TimedOut(signal) => *signal,
            _ => None,
        }
    }

    /// Whether the command died of a signal that keys of a terminal send.
    #[must_use]
    pub fn is_interrupt(&self) -> bool {
        // SIGINT and SIGQUIT have these numbers on every Unix.
        matches!(self, Self::Signaled(Signal(2 | 3)))
    }

    /// Whether the command exited by itself with 0.
    #[must_use]
    pub fn is_success(&self) -> bool {
        *self == Self::Exited(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_what_a_shell_shows() {
        for (outcome, code) in [
            (Outcome::Exited(3), Some(3)),
            (Outcome::Signaled(Signal(15)), Some(143)),
            (Outcome::TimedOut(Some(Signal(9))), Some(124)),
            (
                Outcome::NotStarted {
                    code: NOT_FOUND,
                    reason: String::new(),
                },
                Some(127),
            ),
            (Outcome::Interrupted, None),
        ] {
            assert_eq!(outcome.exit_code(), code, "{outcome:?}");
        }
    }

    #[test]
    fn what_ended_a_command_is_told_apart() {
        let cases = [
            (Outcome::Exited(0), None, false, true),
            (Outcome::Exited(1), None, false, false),
            (Outcome::Signaled(Signal(2)), Some(2), true, false),
            (Outcome::Signaled(Signal(3)), Some(3), true, false),
            (Outcome::Signaled(Signal(15)), Some(15), false, false),
            (Outcome::TimedOut(Some(Signal(2))), Some(2), false, false),
            (Outcome::TimedOut(None), None, false, false),
            (Outcome::Interrupted, None, false, false),
        ];
        for (outcome, signal, is_interrupt, is_success) in cases {
            assert_eq!(outcome.signal(), signal.map(Signal), "{outcome:?}");
            assert_eq!(outcome.is_interrupt(), is_interrupt, "{outcome:?}");
            assert_eq!(outcome.is_success(), is_success, "{outcome:?}");
        }
    }
}
