//! Typed keys on their way from the caller's terminal to the command's.

use std::os::fd::BorrowedFd;

use rustix::io::Errno;

use crate::sys::pty::Pty;

/// Bytes of typed input on their way at most.
const INPUT_BYTES: usize = 4096;

/// What reading keys came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    /// Some arrived, or none did.
    Taken,
    /// The terminal is gone.
    HungUp,
}

/// Keys that were typed, as far as the command's terminal hasn't taken them.
#[derive(Default)]
pub struct KeyBuffer {
    bytes: Vec<u8>,
    sent: usize,
}

impl KeyBuffer {
    /// Whether keys wait to be taken.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.sent < self.bytes.len()
    }

    /// The keys that were read last.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Forgets them.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.sent = 0;
    }

    /// Reads keys. Only when none wait.
    pub fn read_from(&mut self, terminal: BorrowedFd<'_>) -> Keys {
        self.bytes.resize(INPUT_BYTES, 0);
        self.sent = 0;
        match rustix::io::read(terminal, self.bytes.as_mut_slice()) {
            Ok(count) if count > 0 => {
                self.bytes.truncate(count);
                Keys::Taken
            }
            Err(Errno::INTR | Errno::AGAIN) => {
                self.clear();
                Keys::Taken
            }
            _ => {
                self.clear();
                Keys::HungUp
            }
        }
    }

    /// Passes keys on to the command, as far as its terminal takes them.
    pub fn pass_to(&mut self, inner: &Pty) {
        match rustix::io::write(inner, &self.bytes[self.sent..]) {
            Ok(count) => self.sent += count,
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(_) => self.sent = self.bytes.len(),
        }
        if !self.is_waiting() {
            self.clear();
        }
    }
}
