//! A seat at a session: its screen on this terminal, and this terminal's keys to it. Whatever happens,
//! the terminal is left as it was found.

use std::io::{self, Write};
use std::os::fd::AsFd;

use super::detach_key::DetachKey;
use crate::cli::io::Out;
use crate::screen::Painter;
use crate::session::{Signal, Size};
use crate::sys::signals::Inbox;
use crate::sys::stream::wait_to_read;
use crate::sys::terminal::{self, RawMode};
use crate::wire::{Client, Incoming, Reply, Request};

/// Keys that are read at once.
const KEYS_BYTES: usize = 4096;

/// How somebody left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Left {
    /// By the key for it.
    Detached,
    /// Because the session ended, with this exit code.
    Ended(Option<i32>),
    /// Because this process was told to end.
    Signal(Signal),
    /// Because the supervisor was gone.
    Gone,
}

/// A screen of its own on the caller's terminal, until it is dropped.
struct Stage<'a> {
    out: Out,
    _raw: RawMode<'a>,
}

impl Drop for Stage<'_> {
    fn drop(&mut self) {
        // There is nobody to tell if the terminal is gone.
        let _ = self.out.write_all(Painter::leave());
        let _ = self.out.write_all(b"\x1b[?1049l");
        let _ = self.out.flush();
    }
}

/// A seat.
pub(super) struct Seat<'a> {
    // Dropped in this order: the screen before the signals.
    stage: Stage<'a>,
    inbox: Inbox,
    keyboard: &'a io::Stdin,
    client: Client,
    key: DetachKey,
    size: Size,
}

impl<'a> Seat<'a> {
    /// Takes the terminal.
    ///
    /// # Errors
    /// When it is gone, or nobody's.
    pub(super) fn take(
        keyboard: &'a io::Stdin,
        client: Client,
        key: DetachKey,
        size: Size,
    ) -> io::Result<Self> {
        let inbox = Inbox::open(&[
            libc::SIGWINCH,
            libc::SIGTERM,
            libc::SIGHUP,
            libc::SIGINT,
            libc::SIGQUIT,
        ])?;
        let raw = RawMode::enter(keyboard.as_fd())?;
        let mut stage = Stage {
            out: Out::stdout(),
            _raw: raw,
        };
        stage.out.write("\x1b[?1049h\x1b[2J")?;
        Ok(Self {
            stage,
            inbox,
            keyboard,
            client,
            key,
            size,
        })
    }

    /// Stays until it is time to leave.
    pub(super) fn sit(mut self) -> io::Result<Left> {
        loop {
            let sources = [
                self.client.as_fd(),
                self.keyboard.as_fd(),
                self.inbox.as_fd(),
            ];
            let [_, has_keys, has_signals] = wait_to_read(sources, None);
            if has_signals && let Some(left) = self.take_signals()? {
                return Ok(left);
            }
            if has_keys && let Some(left) = self.take_keys()? {
                return Ok(left);
            }
            loop {
                match self.client.take() {
                    Incoming::Draw(bytes) => {
                        self.stage.out.write_all(&bytes)?;
                        self.stage.out.flush()?;
                    }
                    Incoming::Reply(Reply::Ended { exit_code, .. }) => {
                        return Ok(Left::Ended(exit_code));
                    }
                    Incoming::Reply(_) => {}
                    Incoming::Nothing => break,
                    Incoming::Gone => return Ok(Left::Gone),
                }
            }
        }
    }

    fn take_signals(&mut self) -> io::Result<Option<Left>> {
        while let Some(arrival) = self.inbox.next_arrival() {
            match arrival.signal.0 {
                libc::SIGCHLD => {}
                libc::SIGWINCH => {
                    let size = terminal::size(io::stdout()).unwrap_or(self.size);
                    self.size = size;
                    if self.client.request(&Request::Resize { size }).is_err() {
                        return Ok(Some(Left::Gone));
                    }
                }
                _ => return Ok(Some(Left::Signal(arrival.signal))),
            }
        }
        Ok(None)
    }

    fn take_keys(&mut self) -> io::Result<Option<Left>> {
        let mut typed = [0; KEYS_BYTES];
        let count = match rustix::io::read(self.keyboard, &mut typed) {
            Ok(0) | Err(rustix::io::Errno::IO) => {
                return Ok(Some(Left::Signal(Signal(libc::SIGHUP))));
            }
            Ok(count) => count,
            Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let typed = self.key.read(&typed[..count]);
        if !typed.bytes.is_empty() && self.client.type_bytes(&typed.bytes).is_err() {
            return Ok(Some(Left::Gone));
        }
        Ok(typed.leaves.then_some(Left::Detached))
    }
}
