//! The terminal on which a recording is played: its modes, its keys, its size, and putting all of it back.

use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use super::{Freedom, Recording, bytes_of};
use crate::cli::io::{Out, say};
use crate::clock::Stopwatch;
use crate::replay::{Key, Keys, Player, Safe, Traces, Wait};
use crate::session::{Metadata, Signal, Size};
use crate::sys::signals::{self, Inbox};
use crate::sys::stream::wait_to_read;
use crate::sys::terminal::{self, RawMode};
use crate::transcript::timeline::What;

/// How long a terminal gets to take another size before the recording begins.
const RESIZE_PATIENCE: Duration = Duration::from_millis(200);

/// How a replay ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// With the recording.
    Recording,
    /// Somebody had seen enough.
    Quit,
    /// By a signal, or the key for it.
    Signal(Signal),
}

impl End {
    /// Ends this process likewise if a signal ended the replay, so that a script around it stops too.
    pub(super) fn follow(self) {
        if let Self::Signal(signal) = self {
            signals::die_of(signal);
        }
    }
}

/// What a wait came to.
enum Waited {
    Due,
    Ended(End),
}

/// Plays a recording on the terminal at standard output.
pub(super) fn play(
    mut recording: Recording,
    player: Player,
    metadata: &Metadata,
    freedom: Freedom,
) -> io::Result<End> {
    let mut inbox = Inbox::open(&[
        libc::SIGINT,
        libc::SIGTERM,
        libc::SIGHUP,
        libc::SIGQUIT,
        libc::SIGWINCH,
    ])?;
    let keyboard = terminal::controlling();
    let mut stage = Stage::set(keyboard.as_ref(), player, freedom);
    let mut early = None;
    if let (Some(recorded), Freedom::Acting) = (metadata.tty.size, freedom) {
        stage.resize(recorded);
        early = stage.wait_for_size(recorded, &mut inbox);
    }
    let returns = metadata.tty.bare_line_feeds;
    let played = match early {
        Some(end) => Ok(end),
        None => stage.play(&mut recording, returns, &mut inbox),
    };
    let is_smaller = stage.leave();
    if let (true, Some(size)) = (is_smaller, metadata.tty.size) {
        say(&format!(
            "aido: it was recorded in a window of {}x{}; in a smaller one lines break elsewhere",
            size.columns, size.rows
        ));
    }
    played
}

struct Stage<'a> {
    out: Out,
    keyboard: Option<BorrowedFd<'a>>,
    raw: Option<RawMode<'a>>,
    keys: Keys,
    player: Player,
    stopwatch: Stopwatch,
    safe: Option<Safe>,
    traces: Traces,
    /// The window's size at the beginning, if it is known and was asked to change.
    size_before: Option<Size>,
    /// The size that was asked for last.
    size_wanted: Option<Size>,
    title_is_kept: bool,
}

impl<'a> Stage<'a> {
    fn set(keyboard: Option<&'a OwnedFd>, player: Player, freedom: Freedom) -> Self {
        // In the background nobody types here, and the modes are somebody else's.
        let keyboard = keyboard
            .map(AsFd::as_fd)
            .filter(|terminal| terminal::in_foreground(terminal));
        Self {
            out: Out::stdout(),
            raw: keyboard.and_then(|terminal| RawMode::enter(terminal).ok()),
            keyboard,
            keys: Keys::default(),
            player,
            stopwatch: Stopwatch::start(),
            safe: (freedom == Freedom::TextOnly).then(Safe::default),
            traces: Traces::default(),
            size_before: None,
            size_wanted: None,
            title_is_kept: false,
        }
    }

    fn play(
        &mut self,
        recording: &mut Recording,
        returns: bool,
        inbox: &mut Inbox,
    ) -> io::Result<End> {
        let mut bytes = Vec::new();
        self.stopwatch = Stopwatch::start();
        while let Some(moment) = recording.next_moment()? {
            if !self.player.announce(moment.at) {
                return Ok(End::Recording);
            }
            if let Waited::Ended(end) = self.wait(inbox)? {
                return Ok(end);
            }
            if let (What::Resize(size), None) = (&moment.what, &self.safe) {
                self.resize(*size);
            }
            bytes_of(&moment.what, returns, &mut bytes);
            self.show(&bytes)?;
            if !self.out.is_read() {
                return Ok(End::Quit);
            }
            self.player.shown(self.stopwatch.elapsed());
        }
        Ok(End::Recording)
    }

    fn show(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Some(safe) = &mut self.safe {
            let shown = safe.feed(bytes);
            self.out.write_all(&shown)?;
        } else {
            self.traces.feed(bytes);
            if self.traces.has_title() && !self.title_is_kept {
                // XTWINOPS 22: the terminal keeps its title until 23.
                self.out.write_all(b"\x1b[22;0t")?;
                self.title_is_kept = true;
            }
            self.out.write_all(bytes)?;
        }
        self.out.flush()
    }

    /// Waits until what was announced is due; keys and signals come first.
    fn wait(&mut self, inbox: &mut Inbox) -> io::Result<Waited> {
        loop {
            let wait = self.player.wait(self.stopwatch.elapsed());
            let time = match wait {
                Wait::Done => Some(Duration::ZERO),
                Wait::For(left) => Some(left),
                // Without keys a pause would have no end.
                Wait::ForKey if self.raw.is_none() => Some(Duration::ZERO),
                Wait::ForKey => None,
            };
            let keyboard = self.raw.as_ref().and(self.keyboard);
            let [has_keys, has_signal] = match keyboard {
                Some(keyboard) => wait_to_read([keyboard, inbox.as_fd()], time),
                None => {
                    let [has_signal] = wait_to_read([inbox.as_fd()], time);
                    [false, has_signal]
                }
            };
            if has_signal && let Some(end) = arrived(inbox) {
                return Ok(Waited::Ended(end));
            }
            if has_keys && let Some(end) = self.take_keys()? {
                return Ok(Waited::Ended(end));
            }
            if !has_keys && !has_signal && matches!(wait, Wait::Done) {
                return Ok(Waited::Due);
            }
        }
    }

    fn take_keys(&mut self) -> io::Result<Option<End>> {
        let Some(keyboard) = self.keyboard else {
            return Ok(None);
        };
        let mut typed = [0; 512];
        let count = match rustix::io::read(keyboard, &mut typed) {
            Ok(0) => return Ok(Some(End::Signal(Signal(libc::SIGHUP)))),
            Ok(count) => count,
            Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => 0,
            Err(_) => return Ok(Some(End::Signal(Signal(libc::SIGHUP)))),
        };
        for key in self.keys.read(&typed[..count]) {
            match key {
                Key::Quit => return Ok(Some(End::Quit)),
                Key::Interrupt => return Ok(Some(End::Signal(Signal(libc::SIGINT)))),
                Key::Suspend => self.suspend()?,
                key => self.player.press(key, self.stopwatch.elapsed()),
            }
        }
        Ok(None)
    }

    /// Stops, as Ctrl-Z asks for, with the terminal as the shell knows it.
    fn suspend(&mut self) -> io::Result<()> {
        self.out.write_all(&self.traces.undo())?;
        self.out.flush()?;
        self.raw = None;
        let was_playing = !matches!(self.player.wait(self.stopwatch.elapsed()), Wait::ForKey);
        if was_playing {
            self.player.press(Key::Pause, self.stopwatch.elapsed());
        }
        signals::stop_own_group(Signal(libc::SIGTSTP));
        if was_playing {
            self.player.press(Key::Pause, self.stopwatch.elapsed());
        }
        let in_front = self
            .keyboard
            .filter(|terminal| terminal::in_foreground(terminal));
        self.raw = in_front.and_then(|terminal| RawMode::enter(terminal).ok());
        Ok(())
    }

    /// Asks the terminal for a window of this size, where it has another. Those that don't know the
    /// question, or don't want to, leave it as it is.
    fn resize(&mut self, wanted: Size) {
        let Some(size) = terminal::size(io::stdout()) else {
            return;
        };
        self.size_wanted = Some(wanted);
        if size == wanted {
            return;
        }
        self.size_before.get_or_insert(size);
        // XTWINOPS 8. A failure shows when the recording is written.
        let _ = write!(self.out, "\x1b[8;{};{}t", wanted.rows, wanted.columns);
        let _ = self.out.flush();
    }

    /// Gives the terminal a moment to take the size; returns the end that a signal asks for meanwhile.
    fn wait_for_size(&self, wanted: Size, inbox: &mut Inbox) -> Option<End> {
        let began = Stopwatch::start();
        while self.size_before.is_some() && terminal::size(io::stdout()) != Some(wanted) {
            let left = RESIZE_PATIENCE.saturating_sub(began.elapsed());
            let [has_signal] = wait_to_read([inbox.as_fd()], Some(left));
            if left.is_zero() {
                break;
            }
            if has_signal && let Some(end) = arrived(inbox) {
                return Some(end);
            }
        }
        None
    }

    /// Puts the terminal back; returns whether the window was smaller than the recording's.
    fn leave(mut self) -> bool {
        let size = terminal::size(io::stdout());
        let is_smaller = match (size, self.size_wanted) {
            (Some(size), Some(wanted)) => size.columns < wanted.columns || size.rows < wanted.rows,
            _ => false,
        };
        let mut last = self.safe.as_mut().map(Safe::finish).unwrap_or_default();
        last.extend(self.traces.undo());
        if self.title_is_kept {
            last.extend_from_slice(b"\x1b[23;0t");
        }
        if let Some(before) = self.size_before
            && size != Some(before)
        {
            last.extend(format!("\x1b[8;{};{}t", before.rows, before.columns).into_bytes());
        }
        // There is nobody to tell if the terminal is gone.
        let _ = self.out.write_all(&last);
        let _ = self.out.flush();
        if let Some(keyboard) = self.keyboard {
            // Answers to questions in the recording would be typed into the shell.
            terminal::forget_input(keyboard);
        }
        is_smaller
    }
}

/// The end that a signal asks for.
fn arrived(inbox: &mut Inbox) -> Option<End> {
    let arrival = inbox.next_arrival()?;
    (!matches!(arrival.signal.0, libc::SIGWINCH | libc::SIGCHLD))
        .then_some(End::Signal(arrival.signal))
}
