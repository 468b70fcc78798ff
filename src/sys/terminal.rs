//! aido's own terminal: what it is, its size, and raw mode with a guard that takes it back.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags};
use rustix::termios::{self, OptionalActions, OutputModes, QueueSelector, Termios};

use super::signals::AllBlocked;
use crate::session::Size;

/// Whether this process has a controlling terminal.
#[must_use]
pub fn has_controlling_terminal() -> bool {
    controlling().is_some()
}

/// The size of the window behind a descriptor; none if it is no terminal or says 0.
#[must_use]
pub fn size(terminal: impl AsFd) -> Option<Size> {
    let size = termios::tcgetwinsize(terminal).ok()?;
    (size.ws_col > 0 && size.ws_row > 0).then_some(Size {
        columns: size.ws_col,
        rows: size.ws_row,
    })
}

/// The controlling terminal, to read keys from.
#[must_use]
pub fn controlling() -> Option<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    rustix::fs::open("/dev/tty", flags, Mode::empty()).ok()
}

/// The size of the controlling terminal's window.
#[must_use]
pub fn controlling_size() -> Option<Size> {
    size(controlling()?)
}

/// Forgets what was typed and not read yet.
pub fn forget_input(terminal: impl AsFd) {
    // It fails where the terminal is gone, and with it what was typed.
    let _ = termios::tcflush(terminal, QueueSelector::IFlush);
}

/// Whether two descriptors are the same file.
#[must_use]
pub fn same_file(one: impl AsFd, other: impl AsFd) -> bool {
    match (rustix::fs::fstat(one), rustix::fs::fstat(other)) {
        (Ok(one), Ok(other)) => {
            (one.st_dev, one.st_ino, one.st_rdev) == (other.st_dev, other.st_ino, other.st_rdev)
        }
        _ => false,
    }
}

/// Who may use a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Foreground {
    /// This process's group: it is in the foreground, or the terminal controls nobody.
    Ours,
    /// Another group.
    Others,
    /// Nobody: the terminal is gone.
    Gone,
}

/// Who may use this terminal now.
#[must_use]
pub fn foreground(terminal: impl AsFd) -> Foreground {
    match termios::tcgetpgrp(terminal) {
        Ok(group) if group == rustix::process::getpgrp() => Foreground::Ours,
        Ok(_) => Foreground::Others,
        Err(rustix::io::Errno::NOTTY) => Foreground::Ours,
        Err(rustix::io::Errno::IO) => Foreground::Gone,
        Err(_) => Foreground::Others,
    }
}

/// Whether this process's group may use the terminal.
#[must_use]
pub fn in_foreground(terminal: impl AsFd) -> bool {
    foreground(terminal) == Foreground::Ours
}

/// Whether this is the process's controlling terminal.
#[must_use]
pub fn is_controlling(terminal: impl AsFd) -> bool {
    termios::tcgetpgrp(terminal).is_ok()
}

/// The controlling terminal, to read keys from as far as some are there.
#[must_use]
pub fn keyboard() -> Option<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    rustix::fs::open("/dev/tty", flags, Mode::empty()).ok()
}

/// Whether this is the process's controlling terminal, and its group may use it.
#[must_use]
pub fn is_held(terminal: impl AsFd) -> bool {
    termios::tcgetpgrp(terminal).is_ok_and(|group| group == rustix::process::getpgrp())
}

/// Raw mode, or something near it, on a terminal; dropping it restores what was found.
#[must_use]
pub struct RawMode<'a> {
    terminal: BorrowedFd<'a>,
    before: Termios,
    raw: Termios,
}

impl<'a> RawMode<'a> {
    /// Switches to raw mode. The terminal must be in the foreground of this process's group.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn enter(terminal: BorrowedFd<'a>) -> io::Result<Self> {
        let before = termios::tcgetattr(terminal)?;
        let mut raw = before.clone();
        raw.make_raw();
        termios::tcsetattr(terminal, OptionalActions::Now, &raw)?;
        Ok(Self {
            terminal,
            before,
            raw,
        })
    }

    /// Keeps the terminal's settings, to put them back after [`RawMode::change`] changed them.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn keep(terminal: BorrowedFd<'a>) -> io::Result<Self> {
        let before = termios::tcgetattr(terminal)?;
        Ok(Self {
            terminal,
            raw: before.clone(),
            before,
        })
    }

    /// Gives the terminal other settings until the guard is dropped. A terminal that another group got
    /// just now stops nobody.
    pub fn change(&mut self, settings: Termios) {
        let _blocked = AllBlocked::new();
        if in_foreground(self.terminal) {
            let _ = termios::tcsetattr(self.terminal, OptionalActions::Now, &settings);
        }
        self.raw = settings;
    }

    /// The settings that were found.
    #[must_use]
    pub fn before(&self) -> &Termios {
        &self.before
    }

    /// Whether the terminal did output post-processing before.
    #[must_use]
    pub fn post_processed(&self) -> bool {
        self.before.output_modes.contains(OutputModes::OPOST)
    }

    /// Sets raw mode again, after somebody else changed it. The foreground must be aido's.
    pub fn assert(&self) {
        let _ = termios::tcsetattr(self.terminal, OptionalActions::Now, &self.raw);
    }
}

impl Drop for RawMode<'_> {
    fn drop(&mut self) {
        // Not in the foreground any more: the settings are somebody else's by now.
        if in_foreground(self.terminal) {
            // Blocked, SIGTTOU can't stop aido should the foreground change just now.
            let _blocked = AllBlocked::new();
            let _ = termios::tcsetattr(self.terminal, OptionalActions::Now, &self.before);
        }
    }
}
