//! What is about to be run, decided but not done: no side effects here.

use std::ffi::{OsStr, OsString};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::session::Size;

/// The window's size where no terminal tells one: wide, so that `ps aux` isn't cut.
pub const DEFAULT_SIZE: Size = Size {
    columns: 200,
    rows: 50,
};

/// Everything that capture needs to run a command.
#[derive(Clone, Debug)]
pub struct RunPlan {
    /// What to execute.
    pub argv: Vec<OsString>,
    /// The command's whole environment, in the caller's order.
    pub environment: Vec<(OsString, OsString)>,
    /// Which terminal it gets.
    pub terminal: TerminalPlan,
    /// When to end it, if ever.
    pub timeout: Option<Duration>,
}

/// `--tty`: when the command gets a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TtyMode {
    /// Always, as the terminal table has it.
    Always,
    /// Only where the caller has one, stream by stream.
    Auto,
    /// Never: pipes.
    Never,
}

impl TtyMode {
    /// The mode's name, as options and sidecars have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::Auto => "auto",
            Self::Never => "never",
        }
    }
}

/// What one of the caller's standard streams is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallerStream {
    /// Closed.
    Closed,
    /// A terminal.
    Terminal,
    /// A pipe, file, socket or device.
    Other,
}

/// The caller's side, as found at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Standard input.
    pub stdin: CallerStream,
    /// Standard output.
    pub stdout: CallerStream,
    /// Standard error.
    pub stderr: CallerStream,
    /// Whether standard output and error are the same file.
    pub stderr_is_stdout: bool,
    /// Whether there is a controlling terminal.
    pub controlling_terminal: bool,
    /// The size of the window, where a terminal tells one.
    pub size: Option<Size>,
}

/// The row of the terminal table that applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Situation {
    /// A terminal on standard input and output: one PTY as the command's controlling terminal.
    Full,
    /// A controlling terminal, but redirected streams: the command stays in the caller's session
    /// and process group.
    Attached,
    /// No controlling terminal: an agent, CI, cron. Sidecars call it `detached`, which is another thing than a
    /// detached session: that one has a terminal, its supervisor's.
    NoTerminal,
}

impl Situation {
    /// The situation's name, as sidecars have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Attached => "attached",
            Self::NoTerminal => "detached",
        }
    }
}

/// What carries one of the command's output streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// Nothing: the caller had it closed.
    Closed,
    /// A PTY.
    Pty,
    /// A pipe.
    Pipe,
}

/// Where the command's standard error goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorStream {
    /// Into the channel of standard output, so that their order is kept.
    WithOutput,
    /// Into a channel of its own.
    Own(Carrier),
}

/// Who sits at a terminal of the command's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Front {
    /// aido's caller, at its terminal.
    Caller,
    /// Whoever comes: the session is detached.
    Clients,
}

/// Which terminal the command gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TerminalPlan {
    /// Who sits at it, in [`Situation::Full`].
    pub front: Front,
    /// The mode asked for.
    pub mode: TtyMode,
    /// The row of the table.
    pub situation: Situation,
    /// The caller's side.
    pub caller: Caller,
    /// Standard output. Standard input is the same PTY in [`Situation::Full`], else inherited.
    pub stdout: Carrier,
    /// Standard error.
    pub stderr: ErrorStream,
    /// The window's size.
    pub size: Size,
}

/// Variables for a command whose output nobody pages through.
const PAGERS: [(&str, &str); 3] = [("PAGER", "cat"), ("GIT_PAGER", "cat"), ("MANPAGER", "cat")];

impl TerminalPlan {
    /// Decides, from the mode and the caller's side.
    #[must_use]
    pub fn new(mode: TtyMode, caller: Caller) -> Self {
        let both_terminals =
            caller.stdin == CallerStream::Terminal && caller.stdout == CallerStream::Terminal;
        let situation = match mode {
            TtyMode::Always | TtyMode::Auto if both_terminals => Situation::Full,
            _ if caller.controlling_terminal => Situation::Attached,
            _ => Situation::NoTerminal,
        };
        let carrier = |stream| match (stream, mode) {
            (CallerStream::Closed, _) => Carrier::Closed,
            (_, TtyMode::Always) | (CallerStream::Terminal, TtyMode::Auto) => Carrier::Pty,
            (_, TtyMode::Auto | TtyMode::Never) => Carrier::Pipe,
        };
        let stdout = carrier(caller.stdout);
        let stderr = if caller.stderr_is_stdout && stdout != Carrier::Closed {
            ErrorStream::WithOutput
        } else {
            ErrorStream::Own(carrier(caller.stderr))
        };
        Self {
            front: Front::Caller,
            mode,
            situation,
            caller,
            stdout,
            stderr,
            size: caller.size.unwrap_or(DEFAULT_SIZE),
        }
    }

    /// A terminal of the command's own, without a caller at it.
    #[must_use]
    pub fn for_clients(size: Size) -> Self {
        let caller = Caller {
            stdin: CallerStream::Terminal,
            stdout: CallerStream::Terminal,
            stderr: CallerStream::Terminal,
            stderr_is_stdout: true,
            controlling_terminal: false,
            size: Some(size),
        };
        Self {
            front: Front::Clients,
            ..Self::new(TtyMode::Always, caller)
        }
    }

    /// Whether a recorded line feed also returns to the first column, because the PTY of standard
    /// output does no post-processing or there is none.
    #[must_use]
    pub fn bare_line_feeds(&self) -> bool {
        self.situation != Situation::Full
    }

    /// Whether any of the command's streams is a PTY of aido's.
    #[must_use]
    pub fn has_pty(&self) -> bool {
        self.stdout == Carrier::Pty || self.stderr == ErrorStream::Own(Carrier::Pty)
    }

    /// Changes the environment to what fits the terminal: documented, and nothing in the modes
    /// that promise that every program behaves as if aido weren't there.
    pub fn adapt(&self, environment: &mut Vec<(OsString, OsString)>) {
        if self.mode != TtyMode::Always || self.situation == Situation::Full {
            return;
        }
        for (name, value) in PAGERS {
            set_if_unset(environment, name, value);
        }
        if self.situation == Situation::NoTerminal {
            set_if_unset(environment, "GIT_TERMINAL_PROMPT", "0");
            set(environment, "TERM", "dumb");
        }
    }
}

fn position(environment: &[(OsString, OsString)], name: &str) -> Option<usize> {
    environment
        .iter()
        .position(|(known, _)| known == OsStr::new(name))
}

fn set_if_unset(environment: &mut Vec<(OsString, OsString)>, name: &str, value: &str) {
    if position(environment, name).is_none() {
        environment.push((name.into(), value.into()));
    }
}

/// Sets a variable in an environment, in its place if it is there already.
pub fn set(environment: &mut Vec<(OsString, OsString)>, name: &str, value: &str) {
    match position(environment, name) {
        Some(index) => environment[index].1 = value.into(),
        None => environment.push((name.into(), value.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::CallerStream::{Closed, Other, Terminal};
    use super::*;

    fn caller(stdin: CallerStream, stdout: CallerStream, stderr: CallerStream) -> Caller {
        Caller {
            stdin,
            stdout,
            stderr,
            stderr_is_stdout: stdout == Terminal && stderr == Terminal,
            controlling_terminal: true,
            size: Some(Size {
                columns: 80,
                rows: 24,
            }),
        }
    }

    fn nobody(stdin: CallerStream, stdout: CallerStream, stderr: CallerStream) -> Caller {
        Caller {
            controlling_terminal: false,
            size: None,
            ..caller(stdin, stdout, stderr)
        }
    }

    #[test]
    fn the_terminal_table() {
        use ErrorStream::{Own, WithOutput};
        use Situation::{Attached, Full, NoTerminal};
        use TtyMode::{Always, Auto, Never};
        let on_terminal = caller(Terminal, Terminal, Terminal);
        let into_pipe = caller(Terminal, Other, Terminal);
        let from_pipe = caller(Other, Terminal, Terminal);
        let errors_apart = caller(Terminal, Terminal, Other);
        let agent = nobody(Other, Other, Other);
        for (mode, caller, situation, stdout, stderr) in [
            (Always, on_terminal, Full, Carrier::Pty, WithOutput),
            (Always, into_pipe, Attached, Carrier::Pty, Own(Carrier::Pty)),
            (Always, from_pipe, Attached, Carrier::Pty, WithOutput),
            (Always, errors_apart, Full, Carrier::Pty, Own(Carrier::Pty)),
            (Always, agent, NoTerminal, Carrier::Pty, Own(Carrier::Pty)),
            (Auto, on_terminal, Full, Carrier::Pty, WithOutput),
            (Auto, into_pipe, Attached, Carrier::Pipe, Own(Carrier::Pty)),
            (Auto, from_pipe, Attached, Carrier::Pty, WithOutput),
            (Auto, errors_apart, Full, Carrier::Pty, Own(Carrier::Pipe)),
            (Auto, agent, NoTerminal, Carrier::Pipe, Own(Carrier::Pipe)),
            (Never, on_terminal, Attached, Carrier::Pipe, WithOutput),
            (Never, agent, NoTerminal, Carrier::Pipe, Own(Carrier::Pipe)),
            (
                Always,
                nobody(Closed, Closed, Other),
                NoTerminal,
                Carrier::Closed,
                Own(Carrier::Pty),
            ),
        ] {
            let plan = TerminalPlan::new(mode, caller);
            assert_eq!(
                (plan.situation, plan.stdout, plan.stderr),
                (situation, stdout, stderr),
                "{mode:?} {caller:?}"
            );
        }
    }

    fn adapted(mode: TtyMode, caller: Caller, before: &[(&str, &str)]) -> Vec<(String, String)> {
        let mut environment: Vec<(OsString, OsString)> = before
            .iter()
            .map(|(name, value)| (OsString::from(name), OsString::from(value)))
            .collect();
        TerminalPlan::new(mode, caller).adapt(&mut environment);
        environment
            .into_iter()
            .map(|(name, value)| (name.into_string().unwrap(), value.into_string().unwrap()))
            .collect()
    }

    #[test]
    fn with_nobody_there_nothing_pages_prompts_or_colours() {
        let agent = nobody(Other, Other, Other);
        let before = [("TERM", "xterm"), ("PAGER", "less")];
        let after = adapted(TtyMode::Always, agent, &before);
        let expected = [
            ("TERM", "dumb"),
            ("PAGER", "less"),
            ("GIT_PAGER", "cat"),
            ("MANPAGER", "cat"),
            ("GIT_TERMINAL_PROMPT", "0"),
        ];
        assert_eq!(
            after,
            expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
    }

    #[test]
    fn the_environment_is_untouched_in_the_other_modes_and_on_a_terminal() {
        let agent = nobody(Other, Other, Other);
        assert_eq!(adapted(TtyMode::Auto, agent, &[]), []);
        assert_eq!(adapted(TtyMode::Never, agent, &[]), []);
        let on_terminal = caller(Terminal, Terminal, Terminal);
        assert_eq!(adapted(TtyMode::Always, on_terminal, &[]), []);
    }
}
