//! The pager: what a person at a terminal reads long output with.

use std::io;
use std::process::{Child, ChildStdin, Command, Stdio};

use crate::caller;
use crate::environment::Environment;
use crate::record::shell::is_on_path;
use crate::sys::signals::Ignored;

/// What is run where nobody said: quits if all fits on one screen, passes colours, leaves the screen.
const DEFAULT: &str = "less -FRX";

/// Characters that only a shell understands.
const SHELL_CHARACTERS: &[char] = &[
    '|', '&', ';', '<', '>', '(', ')', '$', '`', '\\', '"', '\'', '*', '?', '[', '#', '~', '=',
    '%', '\n',
];

/// The pager to use at a terminal, as a line for a shell; none if there should be none.
///
/// `AIDO_PAGER`, else `PAGER`, else less if it is there. Whoever names `cat` wants none, an agent
/// can't turn pages, and a dumb terminal has none.
#[must_use]
pub fn choose(environment: &Environment) -> Option<String> {
    if caller::is_agent(environment) || environment.text("TERM").is_none_or(|term| term == "dumb") {
        return None;
    }
    let named = environment
        .text("AIDO_PAGER")
        .or_else(|| environment.text("PAGER"));
    match named.map(str::trim) {
        Some("" | "cat") => None,
        Some(named) => Some(named.to_owned()),
        None => is_on_path("less", environment).then(|| DEFAULT.to_owned()),
    }
}

/// A pager that runs. Dropping it waits until its reader is done.
pub struct Pager {
    child: Child,
    /// Ctrl-C is for the pager: it means "stop searching" there.
    _ignored: Ignored,
}

impl Pager {
    /// Starts a pager and gives what to write to.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn start(line: &str, environment: &Environment) -> io::Result<(Self, ChildStdin)> {
        let mut command = if line.contains(SHELL_CHARACTERS) {
            let mut shell = Command::new("/bin/sh");
            shell.arg("-c").arg(line);
            shell
        } else {
            let mut words = line.split_whitespace();
            let mut command = Command::new(words.next().unwrap_or_default());
            command.args(words);
            command
        };
        // As git does: a bare `less` quits if all fits on one screen, and passes colours.
        if environment.value("LESS").is_none() {
            command.env("LESS", "FRX");
        }
        let mut child = command.stdin(Stdio::piped()).spawn()?;
        let Some(input) = child.stdin.take() else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let _ignored = Ignored::new(&[libc::SIGINT, libc::SIGQUIT]);
        Ok((Self { child, _ignored }, input))
    }
}

impl Drop for Pager {
    fn drop(&mut self) {
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pager_is_the_one_that_was_named() {
        let path = ("PATH", "/no/such/directory");
        for (variables, pager) in [
            (
                &[("TERM", "xterm"), ("PAGER", "most -s")][..],
                Some("most -s"),
            ),
            (
                &[("TERM", "xterm"), ("PAGER", "more"), ("AIDO_PAGER", "less")],
                Some("less"),
            ),
            (
                &[("TERM", "xterm"), ("PAGER", "more"), ("AIDO_PAGER", "cat")],
                None,
            ),
            (&[("TERM", "dumb"), ("PAGER", "more")], None),
            (&[("PAGER", "more")], None),
            (
                &[("TERM", "xterm"), ("PAGER", "more"), ("CLAUDECODE", "1")],
                None,
            ),
            (&[("TERM", "xterm"), path], None),
        ] {
            let environment = Environment::from_pairs(variables.iter().copied());
            assert_eq!(choose(&environment).as_deref(), pager, "{variables:?}");
        }
    }
}
