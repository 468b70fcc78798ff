//! aido's own terminal in the full situation: raw while in the foreground, put back on every way
//! out, and the keys on their way to the command.

use std::os::fd::BorrowedFd;

use rustix::termios::{LocalModes, SpecialCodeIndex};

use super::keys::{KeyBuffer, Keys};
use crate::sys::pty::{Processing, Pty};
use crate::sys::terminal::{Foreground, RawMode, foreground, in_foreground};

/// The caller's terminal.
pub struct Outer {
    stdin: BorrowedFd<'static>,
    /// Held while aido is in the foreground.
    raw: Option<RawMode<'static>>,
    input: KeyBuffer,
    /// False once the terminal is gone.
    connected: bool,
    /// Whether aido has ever been in the background.
    was_in_background: bool,
    /// Whether the keys held the terminal's interrupt or quit character.
    typed_interrupt: bool,
}

impl Outer {
    /// The terminal on standard input, still as it is.
    #[must_use]
    pub fn new() -> Self {
        Self {
            stdin: rustix::stdio::stdin(),
            raw: None,
            input: KeyBuffer::default(),
            connected: true,
            was_in_background: false,
            typed_interrupt: false,
        }
    }

    /// Whether aido has ever been in the background, where lines are finished by its own terminal.
    #[must_use]
    pub fn was_in_background(&self) -> bool {
        self.was_in_background
    }

    /// Follows the foreground: raw mode and no post-processing outside while aido is in front, the
    /// other way round while it isn't, so that lines end in one CRLF either way.
    ///
    /// What a terminal is set to belongs to whoever is in front: while aido isn't, that may be a shell's
    /// line editor. So the command's terminal gets the settings on coming to the front, each time, and
    /// keeps those that the command gave it itself.
    pub fn follow_foreground(&mut self, inner: Option<&Pty>) {
        let in_front = self.connected && in_foreground(self.stdin);
        self.was_in_background |= self.connected && !in_front;
        if in_front == self.raw.is_some() {
            return;
        }
        if in_front {
            self.raw = RawMode::enter(self.stdin).ok();
            let adopted = inner.zip(self.raw.as_ref());
            if adopted.is_some_and(|(inner, raw)| inner.adopt(raw.before())) {
                return;
            }
        } else {
            // Dropped without effect: the terminal belongs to another group now.
            self.raw = None;
        }
        if let Some(inner) = inner {
            let is_outside = self.raw.as_ref().is_some_and(RawMode::post_processed);
            inner.set_post_processing(match is_outside {
                true => Processing::Usual,
                false => Processing::Off,
            });
        }
    }

    /// Goes back to raw mode after aido itself was stopped, since a shell resets the terminal then.
    pub fn assert_raw(&mut self) {
        if let Some(raw) = &self.raw
            && in_foreground(self.stdin)
        {
            raw.assert();
        }
    }

    /// Puts the terminal back as it was found.
    pub fn restore(&mut self) {
        self.raw = None;
    }

    /// Whether aido has the terminal in raw mode.
    #[must_use]
    pub fn is_raw(&self) -> bool {
        self.raw.is_some()
    }

    /// Whether the terminal is still there.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.connected
    }

    /// Takes the terminal for gone.
    pub fn disconnect(&mut self) {
        self.connected = false;
        self.input.clear();
    }

    /// Standard input, while keys may be read from it.
    #[must_use]
    pub fn wants_keys(&self) -> Option<BorrowedFd<'static>> {
        (self.raw.is_some() && self.connected && !self.has_input()).then_some(self.stdin)
    }

    /// Whether keys wait to be taken by the command.
    #[must_use]
    pub fn has_input(&self) -> bool {
        self.input.is_waiting()
    }

    /// Whether an interrupt or quit character was typed, and the command's terminal made a signal
    /// of it.
    #[must_use]
    pub fn typed_interrupt(&self) -> bool {
        self.typed_interrupt
    }

    /// Reads keys.
    pub fn read_keys(&mut self, inner: Option<&Pty>) -> Keys {
        match foreground(self.stdin) {
            Foreground::Ours => {}
            Foreground::Others => return Keys::Taken,
            Foreground::Gone => {
                self.disconnect();
                return Keys::HungUp;
            }
        }
        let keys = self.input.read_from(self.stdin);
        match keys {
            Keys::Taken => {
                let typed = self.input.bytes();
                self.typed_interrupt |= inner.is_some_and(|inner| interrupts(inner, typed));
            }
            Keys::HungUp => self.disconnect(),
        }
        keys
    }

    /// Passes keys on to the command, as far as its terminal takes them.
    pub fn pass_keys(&mut self, inner: &Pty) {
        self.input.pass_to(inner);
    }
}

impl Default for Outer {
    fn default() -> Self {
        Self::new()
    }
}

/// Whether the command's terminal makes a signal out of one of these keys.
fn interrupts(inner: &Pty, keys: &[u8]) -> bool {
    inner.settings().is_some_and(|settings| {
        let codes = [SpecialCodeIndex::VINTR, SpecialCodeIndex::VQUIT];
        settings.local_modes.contains(LocalModes::ISIG)
            && codes
                .iter()
                .any(|code| keys.contains(&settings.special_codes[*code]))
    })
}
