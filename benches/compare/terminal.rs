//! Terminals: the benchmark leaves its own, and makes others.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use rustix::fs::{Mode, OFlags};
use rustix::process::Signal;
use rustix::pty::OpenptFlags;
use rustix::termios::{OptionalActions, OutputModes};

use super::scratch;

/// Opens a PTY whose output is not processed: its master and its slave.
pub(crate) fn open() -> io::Result<(OwnedFd, OwnedFd)> {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let master = rustix::pty::openpt(flags)?;
    rustix::pty::grantpt(&master)?;
    rustix::pty::unlockpt(&master)?;
    let slave = rustix::pty::ioctl_tiocgptpeer(&master, flags)?;
    let mut settings = rustix::termios::tcgetattr(&slave)?;
    settings.output_modes.remove(OutputModes::OPOST);
    rustix::termios::tcsetattr(&slave, OptionalActions::Now, &settings)?;
    Ok((master, slave))
}

/// Runs the benchmark again where there is no controlling terminal, if it has one now; returns the
/// code to end with then.
pub(crate) fn leave(arguments: &[String]) -> io::Result<Option<ExitCode>> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    if rustix::fs::open("/dev/tty", flags, Mode::empty()).is_err() {
        return Ok(None);
    }
    let mut again = Command::new(scratch::own_path()?);
    in_new_session(again.args(arguments), Controlled::ByNothing);
    let status = again.status()?;
    Ok(Some(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }))
}

/// What controls a new session.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Controlled {
    /// No terminal.
    ByNothing,
    /// The terminal on its standard input.
    ByStdin,
}

/// Makes a command start in a session of its own, and end with the benchmark.
#[expect(unsafe_code, reason = "pre_exec")]
pub(crate) fn in_new_session(command: &mut Command, controlled: Controlled) {
    let prepare = move || {
        rustix::process::setsid()?;
        if controlled == Controlled::ByStdin {
            rustix::process::ioctl_tiocsctty(rustix::stdio::stdin())?;
        }
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
        Ok(())
    };
    // SAFETY: three system calls, no allocation and no lock between fork and exec.
    unsafe { command.pre_exec(prepare) };
}
