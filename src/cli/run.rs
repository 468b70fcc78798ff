//! `aido COMMAND`: from what was typed to an exit status.

use std::io::IsTerminal;
use std::mem::ManuallyDrop;
use std::os::fd::AsFd;
use std::path::Path;

use super::args::TypedRun;
use super::error::{self, CliError};
use super::io::{self, ExitCode};
use crate::config::{self, Layer};
use crate::environment::Environment;
use crate::place::Place;
use crate::plan::{Caller, CallerStream};
use crate::record::notice::Notice;
use crate::record::shell::Command;
use crate::record::{self, Exit, Request};
use crate::session::SessionId;
use crate::sys::{signals, startup, terminal};
use crate::view::sanitize;

/// Runs it, and ends as the command did.
#[must_use]
pub fn run(typed: TypedRun) -> ExitCode {
    let TypedRun { flags, line, words } = typed;
    let prepared = prepare(flags, None, |shell, environment| match line {
        Some(line) => Command::of_line(line, words, shell, environment),
        None => Command::of_words(words, shell, environment),
    });
    carry_out(prepared)
}

/// Runs what a session ran, as a session that names it.
#[must_use]
pub fn again(command: Command, flags: Layer, parent: SessionId) -> ExitCode {
    carry_out(prepare(flags, Some(parent), |_, _| command))
}

fn carry_out(prepared: Result<Request, CliError>) -> ExitCode {
    let request = match prepared {
        // Giving back all of its memory piece by piece just before the process ends is time lost.
        Ok(request) => ManuallyDrop::new(request),
        Err(error) => return error::report(&error, false),
    };
    let mut tell = |notice: &Notice<'_>| {
        let line = format!("aido: {notice}");
        io::say(&sanitize::line(&line));
    };
    match record::run(&request, &mut tell) {
        Exit::Code(code) => io::code(code),
        Exit::Signal(signal) => {
            signals::die_of(signal);
            io::code(128 + signal.0)
        }
        Exit::GroupSignal(signal) => {
            signals::send_to_own_group(signal);
            signals::die_of(signal);
            io::code(128 + signal.0)
        }
    }
}

fn prepare(
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
    let settings = resolved.settings;
    let command = command(settings.shell.as_deref(), &environment);
    Ok(Request {
        command,
        settings,
        place,
        environment,
        caller: caller(),
        parent,
    })
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
