//! The end of a command that could not be started, and how aido itself ends.

use super::notice::Notice;
use super::{Exit, Request, shell};
use crate::capture::{Ended, StartError};
use crate::clock::Stopwatch;
use crate::session::Outcome;
use crate::session::outcome::{AIDO_FAILED, NOT_EXECUTABLE, NOT_FOUND};

/// What there is to say of a command that could not be started.
pub(super) fn not_started(
    error: &StartError,
    request: &Request,
    stopwatch: Stopwatch,
    tell: &mut dyn FnMut(&Notice),
) -> Ended {
    let (code, reason) = match error {
        StartError::Command(source) => {
            let problem = shell::explain(&request.command, source, &request.environment);
            (problem.code, problem.reason)
        }
        StartError::Resources(source) => (AIDO_FAILED, format!("cannot run commands: {source}")),
    };
    debug_assert!([NOT_FOUND, NOT_EXECUTABLE, AIDO_FAILED].contains(&code));
    tell(&Notice::NotStarted(&reason));
    Ended {
        outcome: Outcome::NotStarted { code, reason },
        duration: stopwatch.elapsed(),
        output_bytes: 0,
        undelivered: Vec::new(),
        bare_line_feeds: true,
        interrupted_at_terminal: None,
    }
}

/// How aido ends after a command that ended so.
pub(super) fn how_to_exit(ended: &Ended) -> Exit {
    match (&ended.outcome, ended.interrupted_at_terminal) {
        (_, Some(signal)) => Exit::GroupSignal(signal),
        (Outcome::Signaled(signal), None) => Exit::Signal(*signal),
        (outcome, None) => Exit::Code(outcome.exit_code().unwrap_or(AIDO_FAILED)),
    }
}
