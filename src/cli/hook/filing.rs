//! Filing a call after it was made.

use std::time::Duration;

use super::Hooked;
use super::decide::{Decision, has_aido};
use crate::agents::Mode;
use crate::clock;
use crate::plan::{Caller, CallerStream};
use crate::record::Request;
use crate::record::observed::{self, Report};
use crate::record::shell::Command;
use crate::session::metadata::Origin;
use crate::session::{Entry, State, Timestamp};
use crate::store::fs::FileStore;

/// How much later than the end of a call its report may come.
const LATE: Duration = Duration::from_secs(5);
/// How long a call may have taken of which that isn't said.
const LONG_AGO: Duration = Duration::from_secs(600);

impl Hooked<'_> {
    /// Files the call, if it is to be filed. What goes wrong is dropped: nobody waits for it.
    pub(super) fn file(&self) {
        if let Ok(report) = self.report()
            && let Some(request) = self.request(&report)
        {
            let _ = observed::file(&request, &report, clock::now());
        }
    }

    /// What is filed of the call.
    ///
    /// # Errors
    /// Why nothing is.
    pub(super) fn report(&self) -> Result<Report, &'static str> {
        let call = self.call;
        if self.mode == Mode::Off {
            return Err("hooks are off");
        }
        let Some(command) = call.command.clone().filter(|line| !line.trim().is_empty()) else {
            return Err("it is no call of a shell");
        };
        if call.ending.is_running {
            return Err("it still runs");
        }
        if has_aido(&command) || self.ran_under_aido(&command) {
            return Err("it ran under aido, which recorded it");
        }
        let mut facts = vec![("command", command)];
        for (name, value) in [
            ("model", &call.model),
            ("permission_mode", &call.permission_mode),
        ] {
            if let Some(value) = value {
                facts.push((name, value.clone()));
            }
        }
        let ending = &call.ending;
        Ok(Report {
            program: call.dialect.agent(),
            conversation: call.conversation.clone(),
            log_file: call.log_file.clone(),
            tool_call: call.tool_call.clone(),
            facts,
            stdout: ending.stdout.clone(),
            stderr: ending.stderr.clone(),
            exit_code: ending.exit_code.filter(|_| !ending.is_cut_short),
            duration: ending.duration_ms.map(Duration::from_millis),
        })
    }

    /// Whether the line became another one that was recorded, though the host reports the one that it was
    /// given: a command of it was, since the call began.
    fn ran_under_aido(&self, line: &str) -> bool {
        if !matches!(self.decide(), Decision::Rewrite { .. }) {
            return false;
        }
        let (Some(settings), place) = (&self.settings, &self.place) else {
            return false;
        };
        let Some(location) = place.location(settings.session_dir.as_deref()) else {
            return false;
        };
        let store = FileStore::new(location, place.state.clone(), place.current.clone());
        let duration = self.call.ending.duration_ms.map(Duration::from_millis);
        let took = duration.unwrap_or(LONG_AGO) + LATE;
        let since = chrono::Duration::from_std(took).ok();
        let since = since.and_then(|took| clock::now().0.checked_sub_signed(took));
        let since = since.map(|since| Timestamp(since).to_string());
        let words: Vec<&str> = line.split_whitespace().collect();
        let is_of_it = |entry: &Entry<'_>, _: State| {
            let program = entry.command.split_whitespace().next();
            entry.origin == Origin::Recorded
                && program.is_some_and(|program| words.contains(&program))
        };
        let found = store.recent(1, since.as_deref(), &is_of_it, &|_| true);
        found.is_ok_and(|recent| !recent.found.is_empty())
    }

    fn request(&self, report: &Report) -> Option<Request> {
        let mut settings = self.settings.clone()?;
        settings
            .agent
            .get_or_insert_with(|| report.program.to_owned());
        let line = self.call.command.clone()?;
        let shell = settings.shell.as_deref();
        let command = Command::of_line(line.into(), Vec::new(), shell, &self.environment);
        Some(Request {
            command,
            settings,
            place: self.place.clone(),
            environment: self.environment.clone(),
            caller: Caller {
                stdin: CallerStream::Other,
                stdout: CallerStream::Other,
                stderr: CallerStream::Other,
                stderr_is_stdout: report.stderr.is_none(),
                controlling_terminal: false,
                size: None,
            },
            parent: None,
            detached: None,
        })
    }
}
