//! `aido COMMAND`: from what was typed to an exit status.

use std::io::IsTerminal;
use std::mem::ManuallyDrop;
use std::os::fd::AsFd;
use std::path::Path;

use super::args::TypedRun;
use super::error::{self, CliError};
use super::io::{self, ExitCode};
use super::page::Form;
use crate::config::{self, Layer, Settings};
use crate::environment::Environment;
use crate::place::Place;
use crate::plan::{Caller, CallerStream};
use crate::record::notice::Notice;
use crate::record::shell::Command;
use crate::record::{self, Exit, Ran, Request};
use crate::rerun::RerunPlan;
use crate::session::SessionId;
use crate::sys::{signals, startup, terminal};
use crate::view::sanitize;

/// Runs it, and ends as the command did.
#[must_use]
pub fn run(typed: TypedRun) -> ExitCode {
    let TypedRun {
        flags,
        is_hooked,
        line,
        words,
    } = typed;
    let command = |shell: Option<&Path>, environment: &Environment| match line {
        Some(line) => Command::of_line(line, words, shell, environment),
        None => Command::of_words(words, shell, environment),
    };
    carry_out(match is_hooked {
        true => Ok(prepare_hooked(flags, command)),
        false => prepare(flags, None, command),
    })
}

/// Runs what a session ran, as a session that names it, in a window of the same size. `tell` is
/// given aido's own lines.
///
/// # Errors
/// Settings that can't be taken.
pub fn again(
    plan: RerunPlan,
    flags: Layer,
    parent: SessionId,
    tell: &mut dyn FnMut(String),
) -> Result<Ran, CliError> {
    let mut request = prepare(flags, Some(parent), |_, _| plan.command)?;
    request.caller.size = request.caller.size.or(plan.size);
    let mut tell = |notice: &Notice<'_>| tell(sanitize::line(&format!("aido: {notice}")).into());
    Ok(record::run(&request, &mut tell))
}

fn carry_out(prepared: Result<Request, CliError>) -> ExitCode {
    let request = match prepared {
        // Giving back all of its memory piece by piece just before the process ends is time lost.
        Ok(request) => ManuallyDrop::new(request),
        Err(error) => return error::report(&error, Form::Text),
    };
    let mut tell = |notice: &Notice<'_>| {
        let line = format!("aido: {notice}");
        io::say(&sanitize::line(&line));
    };
    end(record::run(&request, &mut tell).exit)
}

/// Ends as a command did, by its signal too; returns where that can only be said by a code.
#[must_use]
pub fn end(exit: Exit) -> ExitCode {
    match exit {
        Exit::Code(_) => {}
        Exit::Signal(signal) => signals::die_of(signal),
        Exit::GroupSignal(signal) => {
            signals::send_to_own_group(signal);
            signals::die_of(signal);
        }
    }
    code_of(exit)
}

/// The exit code as a shell would show it.
#[must_use]
pub fn code_of(exit: Exit) -> ExitCode {
    io::code(match exit {
        Exit::Code(code) => code,
        Exit::Signal(signal) | Exit::GroupSignal(signal) => 128 + signal.0,
    })
}

/// What is to be run: the settings of these flags and of all other places, and where the caller stands.
///
/// # Errors
/// Settings that can't be taken.
pub(super) fn prepare(
    flags: Layer,
    parent: Option<SessionId>,
    command: impl FnOnce(Option<&Path>, &Environment) -> Command,
) -> Result<Request, CliError> {
    let environment = Environment::of_process();
    let place = Place::find(std::env::current_dir().ok(), &environment);
    let resolved = config::resolve(flags, &environment, &place)?;
    for warning in &resolved.warnings {
        io::say(&format!("aido: warning: {}", sanitize::line(warning)));
    }
    let request = request(resolved.settings, place, environment, command);
    Ok(Request { parent, ..request })
}

/// The same for a command that a hook put under aido: settings that can't be taken are no reason to keep it
/// from running, nor to say anything.
fn prepare_hooked(
    flags: Layer,
    command: impl FnOnce(Option<&Path>, &Environment) -> Command,
) -> Request {
    let environment = Environment::of_process();
    let place = Place::find(std::env::current_dir().ok(), &environment);
    let settings = Settings::hooked(config::resolve(flags, &environment, &place));
    request(settings, place, environment, command)
}

fn request(
    settings: Settings,
    place: Place,
    environment: Environment,
    command: impl FnOnce(Option<&Path>, &Environment) -> Command,
) -> Request {
    let command = command(settings.shell.as_deref(), &environment);
    Request {
        command,
        settings,
        place,
        environment,
        caller: caller(),
        parent: None,
        detached: None,
    }
}

/// The caller's side, as it is now.
fn caller() -> Caller {
    let [stdin_closed, stdout_closed, stderr_closed] = startup::closed_standard_streams();
    let (stdin, stdout, stderr) = (std::io::stdin(), std::io::stdout(), std::io::stderr());
    let kind = |closed: bool, is_terminal: bool| match (closed, is_terminal) {
        (true, _) => CallerStream::Closed,
        (false, true) => CallerStream::Terminal,
        (false, false) => CallerStream::Other,
    };
    let descriptors = [stdout.as_fd(), stdin.as_fd(), stderr.as_fd()];
    let size = descriptors.iter().find_map(terminal::size);
    let controlling_terminal = terminal::has_controlling_terminal();
    Caller {
        stdin: kind(stdin_closed, stdin.is_terminal()),
        stdout: kind(stdout_closed, stdout.is_terminal()),
        stderr: kind(stderr_closed, stderr.is_terminal()),
        stderr_is_stdout: !stdout_closed && !stderr_closed && terminal::same_file(&stdout, &stderr),
        controlling_terminal,
        size: size.or_else(|| controlling_terminal.then(terminal::controlling_size)?),
    }
}
