//! One pseudo-terminal: opened and resized by portable-pty, configured here.
//!
//! The command is not spawned by portable-pty: that always gives it the terminal as standard input
//! and error, closes inherited descriptors and hides the signal it died of.
#![expect(
    unsafe_code,
    reason = "borrowing the descriptor that portable-pty holds"
)]

use std::cell::RefCell;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use portable_pty::{MasterPty, PtySize, native_pty_system};
use rustix::termios::{
    self, InputModes, LocalModes, OptionalActions, OutputModes, SpecialCodeIndex, Termios,
};

use crate::session::Size;

/// The master side of a PTY.
pub struct Pty {
    master: Box<dyn MasterPty + Send>,
    /// The settings that aido gave it last.
    given: RefCell<Termios>,
}

/// How the terminal treats what the command writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Processing {
    /// Bytes pass as they are.
    Off,
    /// As a new terminal does, and an erased character is one in UTF-8.
    Usual,
}

/// What a terminal does with what is typed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Typing {
    /// The kernel gathers lines, which may be as long as [`LINE_MAX_BYTES`].
    pub by_line: bool,
    /// What is typed is shown.
    pub echoes: bool,
}

/// The longest line that a terminal takes before its end: what is beyond is lost without a word
/// (`N_TTY_BUF_SIZE` in the kernel's drivers/tty/n_tty.c, one of which is for the end).
pub const LINE_MAX_BYTES: usize = 4095;

fn pty_size(size: Size) -> PtySize {
    PtySize {
        rows: size.rows,
        cols: size.columns,
        pixel_width: 0,
        pixel_height: 0,
    }
}

impl Pty {
    /// Opens a PTY and returns it with its slave side, which doesn't become a controlling terminal.
    ///
    /// # Errors
    /// When the system has no more PTYs or descriptors.
    pub fn open(size: Size, processing: Processing) -> io::Result<(Self, OwnedFd)> {
        let open = || native_pty_system().openpty(pty_size(size));
        // A signal can end the opening, and portable-pty tells no error number: so once more.
        let pair = open()
            .or_else(|_| open())
            .map_err(|error| io::Error::other(format!("no pseudo-terminal: {error}")))?;
        let raw = pair.master.as_raw_fd();
        let raw = raw.ok_or_else(|| io::Error::other("a PTY without a descriptor"))?;
        // SAFETY: the master owns this descriptor and lives longer than the borrow.
        let master = unsafe { BorrowedFd::borrow_raw(raw) };
        // Either side has the settings of the terminal, which is the slave.
        let mut settings = termios::tcgetattr(master)?;
        match processing {
            Processing::Off => settings.output_modes.remove(OutputModes::OPOST),
            Processing::Usual => settings.input_modes.insert(InputModes::IUTF8),
        }
        termios::tcsetattr(master, OptionalActions::Now, &settings)?;
        let pty = Self {
            master: pair.master,
            given: RefCell::new(settings),
        };
        let slave = pty.open_slave()?;
        // The open file of the master is aido's alone, so the flag reaches nobody else.
        rustix::io::ioctl_fionbio(&pty, true)?;
        Ok((pty, slave))
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn open_slave(&self) -> io::Result<OwnedFd> {
        use rustix::pty::OpenptFlags;
        // By descriptor, not by name: right in any mount namespace or chroot.
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        Ok(rustix::pty::ioctl_tiocgptpeer(self, flags)?)
    }

    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    fn open_slave(&self) -> io::Result<OwnedFd> {
        use rustix::fs::{Mode, OFlags};
        let name = self.master.tty_name();
        let name = name.ok_or_else(|| io::Error::other("a PTY without a name"))?;
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        Ok(rustix::fs::open(name, flags, Mode::empty())?)
    }

    /// Gives the window a new size; the kernel tells the foreground group if this is a controlling
    /// terminal.
    pub fn resize(&self, size: Size) {
        // A terminal that is gone has no size.
        let _ = self.master.resize(pty_size(size));
    }

    /// Switches output post-processing, and that alone.
    pub fn set_post_processing(&self, processing: Processing) {
        let on = processing == Processing::Usual;
        let Ok(mut settings) = termios::tcgetattr(self) else {
            return;
        };
        settings.output_modes.set(OutputModes::OPOST, on);
        let _ = termios::tcsetattr(self, OptionalActions::Now, &settings);
        let mut given = self.given.borrow_mut();
        given.output_modes.set(OutputModes::OPOST, on);
    }

    /// Gives the terminal the settings of another one, unless the command has changed some since aido
    /// gave it its own. False if so.
    pub fn adopt(&self, outer: &Termios) -> bool {
        let Ok(mut settings) = termios::tcgetattr(self) else {
            return false;
        };
        let mut given = self.given.borrow_mut();
        if !is_alike(&settings, &given) {
            return false;
        }
        settings.input_modes = outer.input_modes;
        settings.output_modes = outer.output_modes;
        settings.local_modes = outer.local_modes;
        settings.special_codes = outer.special_codes.clone();
        let _ = termios::tcsetattr(self, OptionalActions::Now, &settings);
        *given = settings;
        true
    }

    /// The settings that aido gave the terminal last.
    #[must_use]
    pub fn given(&self) -> Termios {
        self.given.borrow().clone()
    }

    /// The terminal's present settings, as the command left them.
    #[must_use]
    pub fn settings(&self) -> Option<Termios> {
        termios::tcgetattr(self).ok()
    }
}

/// The characters that a terminal acts on, and how it hands out what is typed.
pub const CODES: [SpecialCodeIndex; 16] = [
    SpecialCodeIndex::VINTR,
    SpecialCodeIndex::VQUIT,
    SpecialCodeIndex::VERASE,
    SpecialCodeIndex::VKILL,
    SpecialCodeIndex::VEOF,
    SpecialCodeIndex::VTIME,
    SpecialCodeIndex::VMIN,
    SpecialCodeIndex::VSTART,
    SpecialCodeIndex::VSTOP,
    SpecialCodeIndex::VSUSP,
    SpecialCodeIndex::VEOL,
    SpecialCodeIndex::VREPRINT,
    SpecialCodeIndex::VDISCARD,
    SpecialCodeIndex::VWERASE,
    SpecialCodeIndex::VLNEXT,
    SpecialCodeIndex::VEOL2,
];

/// Whether two terminals treat what is typed and what is printed in the same way.
#[must_use]
pub fn is_alike(one: &Termios, other: &Termios) -> bool {
    one.input_modes == other.input_modes
        && one.output_modes == other.output_modes
        && one.local_modes == other.local_modes
        && CODES
            .iter()
            .all(|code| one.special_codes[*code] == other.special_codes[*code])
}

/// What a terminal does with what is typed, as the command left it.
#[must_use]
pub fn typing(terminal: impl AsFd) -> Option<Typing> {
    let modes = termios::tcgetattr(terminal).ok()?.local_modes;
    Some(Typing {
        by_line: modes.contains(LocalModes::ICANON),
        echoes: modes.contains(LocalModes::ECHO),
    })
}

impl AsFd for Pty {
    fn as_fd(&self) -> BorrowedFd<'_> {
        let raw = self.master.as_raw_fd().unwrap_or(0);
        // SAFETY: the master owns this descriptor and outlives the borrow. portable-pty's Unix
        // master always has one; 0 would be standard input, which is open too.
        unsafe { BorrowedFd::borrow_raw(raw) }
    }
}
