//! Filing a call after it was made.

use std::time::Duration;

use super::Hooked;
use super::coverage::Parts;
use super::decide::Decision;
use crate::agents::{Mode, Moment};
use crate::clock;
use crate::plan::{Caller, CallerStream};
use crate::record::Request;
use crate::record::observation::{self, Report};
use crate::record::shell::Command;
use crate::session::metadata::Origin;
use crate::session::{Entry, State, Timestamp};
use crate::store::fs::FileStore;

/// How much later than the end of a call its report may come.
const LATE: Duration = Duration::from_secs(5);
/// How long a call may have taken of which that isn't said.
const LONG_AGO: Duration = Duration::from_secs(600);
/// How many recorded sessions of a call are looked at.
const RECORDED_MAX: usize = 64;

impl Hooked<'_> {
    /// Files the call, if it is to be filed. What goes wrong is dropped: nobody waits for it.
    pub fn file(&self) {
        if let Ok(report) = self.report()
            && let Some(request) = self.request(&report)
        {
            let _ = observation::file(&request, &report, clock::now());
        }
    }

    /// What is filed of the call.
    ///
    /// # Errors
    /// Why nothing is.
    pub fn report(&self) -> Result<Report, &'static str> {
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
        if let Some(why) = self.reason_not_to_file(&command) {
            return Err(why);
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

    /// Why a call need not be filed: all of it was recorded as it ran, or there is nothing of it but aido.
    /// What nobody recorded is never passed over: a command beside, one that aido never came to, and a
    /// failure that no recorded session explains.
    fn reason_not_to_file(&self, line: &str) -> Option<&'static str> {
        let mut line = line.to_owned();
        if !Parts::of(&line, self.own_words).has_aido() {
            // The line became another one, though the host reports the one that it was given.
            match self.decide() {
                Decision::Rewrite { line: other, .. } => line = other,
                Decision::Leave(_) => return None,
            }
        }
        let parts = Parts::of(&line, self.own_words);
        if parts.others {
            return None;
        }
        if !parts.recorded {
            return Some("aido's own words are not recorded");
        }
        let ended = self.recorded_of(&line);
        let call = self.call;
        let is_explained = match call.ending.exit_code {
            Some(0) => true,
            Some(_) => parts.own || ended.contains(&call.ending.exit_code),
            None if call.moment == Moment::AfterFailure => {
                ended.iter().any(|code| *code != Some(0))
            }
            None => true,
        };
        (!ended.is_empty() && is_explained).then_some("it ran under aido, which recorded it")
    }

    /// How the last command of the call ended that was recorded as it ran, if any was.
    #[must_use]
    pub fn recorded_code(&self) -> Option<i32> {
        let line = self.call.command.as_deref()?;
        match Parts::of(line, self.own_words).recorded {
            true => self.recorded_of(line).first().copied().flatten(),
            false => None,
        }
    }

    /// How the commands of this line ended that were recorded since the call began, the last one first.
    fn recorded_of(&self, line: &str) -> Vec<Option<i32>> {
        let (Some(settings), place) = (&self.settings, &self.place) else {
            return Vec::new();
        };
        let Some(location) = place.location(settings.session_dir.as_deref()) else {
            return Vec::new();
        };
        let store = FileStore::new(location, place.state.clone(), place.current.clone());
        let duration = self.call.ending.duration_ms.map(Duration::from_millis);
        let took = duration.unwrap_or(LONG_AGO) + LATE;
        let since = chrono::Duration::from_std(took).ok();
        let since = since.and_then(|took| clock::now().0.checked_sub_signed(took));
        let since = since.map(|since| Timestamp(since).to_string());
        let is_between = |letter: char| letter.is_whitespace() || "'\"();|&".contains(letter);
        let words: Vec<&str> = line.split(is_between).collect();
        let is_of_it = |entry: &Entry<'_>, _: State| {
            let mut of_entry = entry.command.split(is_between);
            let program = of_entry.find(|word| !word.is_empty());
            entry.origin == Origin::Recorded
                && program.is_some_and(|program| words.contains(&program))
        };
        let found = store.recent(RECORDED_MAX, since.as_deref(), &is_of_it, &|_| true);
        let found = found.map(|recent| recent.found).unwrap_or_default();
        found.iter().map(|found| found.entry.exit_code).collect()
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
