//! The caller's terminal where the command stays in its session, and a PTY of aido's stands in for it
//! as standard output or error: `seq 100 | aido less`.
//!
//! Such a PTY has no keyboard. A program that wants single keys, or nothing echoed, sets that at the
//! terminal it has, which is the PTY; so what it sets there is set at the caller's terminal while it
//! stays so. The kernel then makes the same signals of the same keys, for the caller's whole group, as
//! without aido. Other keys are handed on to the PTY, unless the command has a way of its own to the
//! caller's terminal: then it reads them there.
//!
//! In any other case nobody's terminal is touched and no key is read: a key belongs to whoever reads
//! first, and that may be another part of the pipeline.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::process::Pid;
use rustix::termios::{InputModes, LocalModes, OutputModes, SpecialCodeIndex, Termios};

use super::channel::Channel;
use super::keys::{KeyBuffer, Keys};
use crate::plan::CallerStream;
use crate::session::Stream;
use crate::sys::process;
use crate::sys::pty::{CODES, Pty, is_alike};
use crate::sys::terminal::{self, RawMode};

/// What the caller's terminal is set to for the command's sake.
struct Held {
    guard: RawMode<'static>,
    /// The settings of the PTY that it was made from.
    seen: Termios,
    /// The caller's terminal, to read keys from; none where the command reads them itself.
    keyboard: Option<OwnedFd>,
}

/// A PTY that stands in for the caller's terminal.
pub struct StandIn {
    stream: Stream,
    /// The command may have children that are at the terminal in its place.
    command: Pid,
    /// Whether standard input, which the command inherits, is a terminal: it reads keys there.
    reads_stdin: bool,
    held: Option<Held>,
    keys: KeyBuffer,
}

impl StandIn {
    /// The PTY among these channels that stands in for the caller's controlling terminal, if one does.
    #[must_use]
    pub fn of(channels: &[Channel], command: Pid, stdin: CallerStream) -> Option<Self> {
        let mut ptys = channels.iter().filter(|channel| channel.pty().is_some());
        let found = ptys.find(|channel| terminal::is_controlling(channel.target()))?;
        Some(Self {
            stream: found.stream,
            command,
            reads_stdin: stdin == CallerStream::Terminal,
            held: None,
            keys: KeyBuffer::default(),
        })
    }

    fn channel<'c>(&self, channels: &'c [Channel]) -> Option<(&'c Pty, BorrowedFd<'static>)> {
        let found = channels.iter().find(|it| it.stream == self.stream)?;
        Some((found.pty()?, found.target()))
    }

    /// The PTY behind it, while it is open.
    #[must_use]
    pub fn pty<'c>(&self, channels: &'c [Channel]) -> Option<&'c Pty> {
        Some(self.channel(channels)?.0)
    }

    /// Whether the caller's terminal is set for the command.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.held.is_some()
    }

    /// Follows what the command set at its PTY.
    pub fn follow(&mut self, channels: &[Channel]) {
        let settings = self.channel(channels).and_then(|(pty, target)| {
            let settings = pty.settings().filter(wants_keys)?;
            terminal::is_held(target).then_some((pty.given(), settings, target))
        });
        let Some((given, settings, target)) = settings else {
            self.release();
            return;
        };
        if self.held.is_none() {
            self.held = RawMode::keep(target).ok().map(|guard| Held {
                guard,
                seen: given.clone(),
                keyboard: self.keyboard(target),
            });
        }
        let Some(held) = &mut self.held else { return };
        if !is_alike(&held.seen, &settings) {
            let before = held.guard.before();
            let wanted = match held.keyboard {
                Some(_) => handing_on(before, &given, &settings),
                None => merged(before, &given, &settings),
            };
            held.guard.change(wanted);
            held.seen = settings;
        }
    }

    /// Gives the caller's terminal back as it was found.
    pub fn release(&mut self) {
        self.held = None;
        self.keys.clear();
    }

    /// The caller's terminal, if the command has no way of its own to it.
    fn keyboard(&self, target: BorrowedFd<'_>) -> Option<OwnedFd> {
        let reads_itself = self.reads_stdin || process::has_opened_terminal(self.command, target);
        // Opened anew, so that O_NONBLOCK is on an open file of aido's own.
        (!reads_itself).then(terminal::keyboard).flatten()
    }

    /// Where to read keys, while some may be read.
    #[must_use]
    pub fn wants_keys(&self) -> Option<BorrowedFd<'_>> {
        let held = self.held.as_ref().filter(|_| !self.has_input())?;
        held.keyboard.as_ref().map(AsFd::as_fd)
    }

    /// Whether keys wait to be taken by the command.
    #[must_use]
    pub fn has_input(&self) -> bool {
        self.keys.is_waiting()
    }

    /// Reads keys, if the command still wants them, and hands them on.
    pub fn take_keys(&mut self, channels: &[Channel]) {
        self.follow(channels);
        let held = self.held.as_ref();
        let keyboard = held.and_then(|held| held.keyboard.as_ref());
        let Some(keyboard) = keyboard.filter(|_| !self.keys.is_waiting()) else {
            return;
        };
        if self.keys.read_from(keyboard.as_fd()) == Keys::HungUp {
            // The kernel tells the command of it.
            if let Some(held) = &mut self.held {
                held.keyboard = None;
            }
        }
        self.pass_keys(channels);
    }

    /// Passes keys on to the command, as far as its PTY takes them.
    pub fn pass_keys(&mut self, channels: &[Channel]) {
        if let Some(pty) = self.pty(channels).filter(|_| self.keys.is_waiting()) {
            self.keys.pass_to(pty);
        }
    }
}

/// Whether a program that set its terminal so waits for keys, or doesn't want them shown.
fn wants_keys(settings: &Termios) -> bool {
    let both = LocalModes::ICANON | LocalModes::ECHO;
    !settings.local_modes.contains(both)
}

/// The caller's settings with all that the command changed at its PTY.
fn merged(before: &Termios, given: &Termios, now: &Termios) -> Termios {
    let mut settings = before.clone();
    let changed = given.input_modes.symmetric_difference(now.input_modes);
    settings.input_modes =
        before.input_modes.difference(changed) | now.input_modes.intersection(changed);
    let changed = given.local_modes.symmetric_difference(now.local_modes);
    settings.local_modes =
        before.local_modes.difference(changed) | now.local_modes.intersection(changed);
    let changed = given.output_modes.symmetric_difference(now.output_modes);
    settings.output_modes =
        before.output_modes.difference(changed) | now.output_modes.intersection(changed);
    for code in CODES {
        if given.special_codes[code] != now.special_codes[code] {
            settings.special_codes[code] = now.special_codes[code];
        }
    }
    if is_printed_as_it_is(now) {
        settings.output_modes.remove(OutputModes::OPOST);
    }
    settings
}

/// Whether the caller's terminal has to leave the output alone. Either the PTY treats it already, or the
/// command wants nobody to; of the latter its PTY, which leaves output alone from the beginning, says
/// nothing, but programs that want it take every key as it is as well (cfmakeraw(3)).
fn is_printed_as_it_is(now: &Termios) -> bool {
    now.output_modes.contains(OutputModes::OPOST)
        || !(now.local_modes.contains(LocalModes::ISIG)
            || now.input_modes.contains(InputModes::ICRNL))
}

/// As [`merged`], for keys that are handed on: only signals and flow control are made of them outside,
/// and all else by the PTY, not twice.
fn handing_on(before: &Termios, given: &Termios, now: &Termios) -> Termios {
    let merged = merged(before, given, now);
    let mut settings = merged.clone();
    settings.make_raw();
    settings.output_modes = merged.output_modes;
    settings.control_modes = merged.control_modes;
    let signals = LocalModes::ISIG | LocalModes::NOFLSH;
    settings.local_modes |= merged.local_modes & signals;
    let flow = InputModes::IXON | InputModes::IXANY | InputModes::IXOFF;
    settings.input_modes |= merged.input_modes & flow;
    // A read returns as soon as there is one key.
    settings.special_codes[SpecialCodeIndex::VMIN] = 1;
    settings.special_codes[SpecialCodeIndex::VTIME] = 0;
    settings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::DEFAULT_SIZE;
    use crate::sys::pty::Processing;

    /// Settings of a PTY that passes output on as it is, and of one that treats it.
    fn settings() -> (Termios, Termios) {
        let (inner, _slave) = Pty::open(DEFAULT_SIZE, Processing::Off).unwrap();
        let (outer, _slave) = Pty::open(DEFAULT_SIZE, Processing::Usual).unwrap();
        (inner.given(), outer.given())
    }

    #[test]
    fn nothing_is_wanted_of_a_terminal_that_was_left_alone() {
        let (given, before) = settings();
        assert!(!wants_keys(&given));
        let same = merged(&before, &given, &given);
        assert!(is_alike(&same, &before));
    }

    #[test]
    fn what_the_command_changed_is_changed_outside_and_nothing_else() {
        let (given, mut before) = settings();
        before.special_codes[SpecialCodeIndex::VERASE] = 8;
        before.input_modes.remove(InputModes::IXON);
        let mut now = given.clone();
        now.local_modes
            .remove(LocalModes::ICANON | LocalModes::ECHO);
        now.special_codes[SpecialCodeIndex::VINTR] = 7;
        assert!(wants_keys(&now));
        let mut expected = before.clone();
        expected
            .local_modes
            .remove(LocalModes::ICANON | LocalModes::ECHO);
        expected.special_codes[SpecialCodeIndex::VINTR] = 7;
        assert!(is_alike(&merged(&before, &given, &now), &expected));
    }

    #[test]
    fn output_is_treated_once() {
        let (given, before) = settings();
        let treated = |now: &Termios| {
            let settings = merged(&before, &given, now);
            settings.output_modes.contains(OutputModes::OPOST)
        };
        let mut single_keys = given.clone();
        single_keys.local_modes.remove(LocalModes::ICANON);
        assert!(treated(&single_keys));
        let mut by_the_pty = single_keys.clone();
        by_the_pty.output_modes.insert(OutputModes::OPOST);
        assert!(!treated(&by_the_pty));
        let mut raw = given.clone();
        raw.make_raw();
        assert!(!treated(&raw));
    }

    #[test]
    fn keys_that_are_handed_on_become_signals_but_nothing_else() {
        let (given, before) = settings();
        let mut now = given.clone();
        now.local_modes.remove(LocalModes::ECHO);
        let settings = handing_on(&before, &given, &now);
        assert_eq!(
            settings.local_modes & (LocalModes::ISIG | LocalModes::ICANON | LocalModes::ECHO),
            LocalModes::ISIG
        );
        assert!(!settings.input_modes.contains(InputModes::ICRNL));
        assert!(settings.input_modes.contains(InputModes::IXON));
        now.make_raw();
        let settings = handing_on(&before, &given, &now);
        assert!(!settings.local_modes.contains(LocalModes::ISIG));
    }
}
