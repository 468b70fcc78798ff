//! The event loop: one poll(2), one arm a source, until the command has ended and everything it
//! wrote is with its sinks and its caller.

use std::io;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};

use super::attendant::Attendant;
use super::outer::Outer;
use super::start::{Child, Running};
use super::tee::Tee;
use crate::plan::Situation;
use crate::session::{Event, Outcome, Signal, Stream};
use crate::sys::process::Target;
use crate::sys::watchdog::Watchdog;

mod attended;
mod output;
mod signals;
mod terminal;

/// How long a command may run before a watchdog is put beside it; most never get one.
const WATCHDOG_AFTER: Duration = Duration::from_millis(20);
/// From SIGTERM to SIGKILL when `--timeout` is over.
const KILL_AFTER: Duration = Duration::from_secs(2);
/// How often aido looks whether it was brought to the foreground, which no signal tells.
const FOREGROUND_INTERVAL: Duration = Duration::from_millis(300);
/// How often aido looks whether the command gave its keys back, which nothing tells either.
const KEYS_INTERVAL: Duration = Duration::from_millis(50);
/// How long a consumer that takes nothing is waited for once aido was told to end and the command
/// has ended.
const PATIENCE: Duration = Duration::from_millis(250);
/// The most that is read after the command's end: what the kernel can hold for it. More comes
/// only from background processes that still write.
const DRAIN_BYTES: usize = 1024 * 1024;

/// Output that could not be handed to the caller.
#[derive(Debug)]
pub struct Undelivered {
    /// Which stream.
    pub stream: Stream,
    /// Why.
    pub reason: io::Error,
}

/// How a run ended.
#[derive(Debug)]
pub struct Ended {
    /// The command's end.
    pub outcome: Outcome,
    /// From the session's start to the command's end.
    pub duration: Duration,
    /// All bytes that the command wrote.
    pub output_bytes: u64,
    /// Streams that the caller didn't get whole.
    pub undelivered: Vec<Undelivered>,
    /// Whether the PTY of standard output passed line feeds on as they were, at least for a while.
    pub bare_line_feeds: bool,
    /// The command died of a key typed at the terminal, so the caller's group gets it too.
    pub interrupted_at_terminal: Option<Signal>,
}

#[derive(Clone, Copy)]
enum Interest {
    Signals,
    Monitor,
    Keys,
    KeysOut,
    Attendant,
    Read(usize),
    Write(usize),
    /// The end of a channel's reader.
    Reader(usize),
}

/// Whether a watchdog stands beside the command.
enum Watching {
    /// Not yet.
    Due,
    /// It does, until this is dropped.
    On {
        /// Held for its end.
        _watchdog: Watchdog,
    },
    /// There could be none; the kernel still takes the command itself down with aido.
    Impossible,
}

struct Driver<'i, 't, 's> {
    running: Running<'i>,
    tee: &'t mut Tee<'s>,
    /// Who takes the caller's place, where there is none.
    attendant: Option<&'t mut (dyn Attendant + 'static)>,
    watchdog: Watching,
    ended: Option<(Outcome, Duration)>,
    /// When SIGKILL follows the SIGTERM of a timeout; set once the time is over.
    kill_at: Option<Duration>,
    killed: bool,
    told_to_end: bool,
    /// SIGTSTP came, and the command hasn't stopped yet.
    suspending: bool,
    /// The command stopped without SIGTSTP having come.
    stopped: Option<Signal>,
    /// When something last happened that patience is counted from.
    progress_at: Duration,
    output_bytes: u64,
    drained_bytes: usize,
    undelivered: Vec<Undelivered>,
}

impl Running<'_> {
    /// Relays until the command has ended, and tells the tee what happens. The attendant takes the
    /// caller's place where there is none.
    pub fn relay<'t>(
        self,
        tee: &'t mut Tee<'_>,
        attendant: Option<&'t mut (dyn Attendant + 'static)>,
    ) -> Ended {
        let mut driver = Driver {
            running: self,
            tee,
            attendant,
            watchdog: Watching::Due,
            ended: None,
            kill_at: None,
            killed: false,
            told_to_end: false,
            suspending: false,
            stopped: None,
            progress_at: Duration::ZERO,
            output_bytes: 0,
            drained_bytes: 0,
            undelivered: Vec::new(),
        };
        driver.introduce();
        driver.pass_early_signals();
        while !driver.is_finished() {
            driver.step();
        }
        driver.finish()
    }
}

impl Driver<'_, '_, '_> {
    fn now(&self) -> Duration {
        self.running.stopwatch.elapsed()
    }

    fn is_finished(&self) -> bool {
        let channels = &self.running.channels;
        self.ended.is_some()
            && channels
                .iter()
                .all(|channel| channel.source().is_none() && !channel.is_waiting())
    }

    fn step(&mut self) {
        for interest in self.wait() {
            match interest {
                Interest::Signals => self.take_signals(),
                Interest::Monitor => self.take_report(),
                Interest::Keys => self.take_keys(),
                Interest::KeysOut => self.pass_keys(),
                // It is asked in any case.
                Interest::Attendant => {}
                Interest::Read(index) => {
                    self.pump(index);
                }
                Interest::Write(index) => self.deliver(index),
                Interest::Reader(index) => self.lose_reader(index),
            }
        }
        self.attend();
        self.follow_stand_in();
        let now = self.now();
        self.keep_time(now);
        self.tee.rest(now);
        if self.ended.is_some() {
            self.drain();
        }
    }

    /// Waits for the next thing to do and says what is ready.
    fn wait(&self) -> Vec<Interest> {
        let running = &self.running;
        let mut interests = Vec::with_capacity(8);
        let mut descriptors = Vec::with_capacity(8);
        let mut add = |interest, descriptor| {
            interests.push(interest);
            descriptors.push(descriptor);
        };
        add(
            Interest::Signals,
            PollFd::new(&*running.inbox, PollFlags::IN),
        );
        if self.ended.is_none() {
            if let Child::Monitored(monitor) = &running.child {
                add(Interest::Monitor, PollFd::new(monitor, PollFlags::IN));
            }
            if let Some(outer) = &running.outer {
                if let Some(stdin) = outer.wants_keys() {
                    let poll = PollFd::from_borrowed_fd(stdin, PollFlags::IN);
                    add(Interest::Keys, poll);
                }
                if let Some(inner) = running.inner().filter(|_| outer.has_input()) {
                    add(Interest::KeysOut, PollFd::new(inner, PollFlags::OUT));
                }
            }
            if let Some(stand_in) = &running.stand_in {
                if let Some(keyboard) = stand_in.wants_keys() {
                    let poll = PollFd::from_borrowed_fd(keyboard, PollFlags::IN);
                    add(Interest::Keys, poll);
                }
                let pty = stand_in.pty(&running.channels);
                if let Some(pty) = pty.filter(|_| stand_in.has_input()) {
                    add(Interest::KeysOut, PollFd::new(pty, PollFlags::OUT));
                }
            }
        }
        if let Some(attendant) = &self.attendant {
            for poll in attendant.interests() {
                add(Interest::Attendant, poll);
            }
        }
        for (index, channel) in running.channels.iter().enumerate() {
            if channel.is_waiting() {
                let poll = PollFd::from_borrowed_fd(channel.target(), PollFlags::OUT);
                add(Interest::Write(index), poll);
            } else if let Some(source) = channel.wants_to_read() {
                add(Interest::Read(index), PollFd::new(source, PollFlags::IN));
            }
            if let Some(target) = channel.wants_reader() {
                // Errors are told without being asked for.
                let poll = PollFd::from_borrowed_fd(target, PollFlags::empty());
                add(Interest::Reader(index), poll);
            }
        }
        let timeout = self.next_deadline().map(|deadline| {
            let left = deadline.saturating_sub(self.now());
            Timespec {
                tv_sec: left.as_secs().try_into().unwrap_or(i64::MAX),
                tv_nsec: left.subsec_nanos().into(),
            }
        });
        if rustix::event::poll(&mut descriptors, timeout.as_ref()).is_err() {
            // A signal came in between; its record is in the inbox.
            return vec![Interest::Signals];
        }
        let ready = interests.into_iter().zip(&descriptors);
        ready
            .filter(|(_, poll)| !poll.revents().is_empty())
            .map(|(interest, _)| interest)
            .collect()
    }

    fn next_deadline(&self) -> Option<Duration> {
        let alive = self.ended.is_none();
        let timeout = match self.kill_at {
            Some(kill_at) => Some(kill_at).filter(|_| !self.killed),
            None => self.running.timeout,
        };
        let background = self.running.outer.as_ref();
        let background = background.filter(|outer| outer.is_connected() && !outer.is_raw());
        let look_again = self.running.stand_in.as_ref();
        let look_again = look_again.map(|stand_in| match stand_in.is_held() {
            true => KEYS_INTERVAL,
            false => FOREGROUND_INTERVAL,
        });
        [
            self.tee.rest_at(),
            self.attendant
                .as_ref()
                .and_then(|attendant| attendant.due()),
            timeout.filter(|_| alive),
            (alive && self.needs_watchdog()).then_some(WATCHDOG_AFTER),
            background
                .filter(|_| alive)
                .map(|_| self.now() + FOREGROUND_INTERVAL),
            look_again
                .filter(|_| alive)
                .map(|interval| self.now() + interval),
            (!alive && self.told_to_end).then_some(self.progress_at + PATIENCE),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    fn needs_watchdog(&self) -> bool {
        self.running.situation == Situation::NoTerminal && matches!(self.watchdog, Watching::Due)
    }

    /// Does what is due.
    fn keep_time(&mut self, now: Duration) {
        if self.ended.is_some() {
            if self.told_to_end && now >= self.progress_at + PATIENCE {
                self.give_up_delivery();
            }
            return;
        }
        if self.needs_watchdog()
            && now >= WATCHDOG_AFTER
            && let Target::Group(group) = self.running.target
        {
            self.watchdog = match Watchdog::start(group) {
                Ok(watchdog) => Watching::On {
                    _watchdog: watchdog,
                },
                Err(_) => Watching::Impossible,
            };
        }
        if let Some(timeout) = self.running.timeout
            && self.kill_at.is_none()
            && now >= timeout
        {
            self.kill_at = Some(now + KILL_AFTER);
            self.told_to_end = true;
            self.end_command(Signal(libc::SIGTERM));
            self.running.target.send(Signal(libc::SIGCONT));
        }
        if self.kill_at.is_some_and(|kill_at| now >= kill_at) && !self.killed {
            self.killed = true;
            self.end_command(Signal(libc::SIGKILL));
        }
        self.follow_foreground();
    }

    fn finish(mut self) -> Ended {
        self.watchdog = Watching::Impossible;
        self.running.stand_in = None;
        let typed = self
            .running
            .outer
            .as_ref()
            .is_some_and(Outer::typed_interrupt);
        let bare_line_feeds = match &mut self.running.outer {
            Some(outer) => {
                outer.restore();
                outer.was_in_background()
            }
            None => self.running.situation != Situation::Full,
        };
        let now = self.now();
        let (outcome, duration) = self.ended.unwrap_or((Outcome::Interrupted, now));
        self.tee.send(now, &Event::Exit(&outcome));
        if let Some(attendant) = &mut self.attendant {
            attendant.ended(&outcome);
        }
        self.running.channels.clear();
        if let Child::Monitored(monitor) = self.running.child {
            monitor.reap();
        }
        let interrupted = typed && outcome.is_interrupt();
        let interrupted_at_terminal = outcome.signal().filter(|_| interrupted);
        Ended {
            outcome,
            duration,
            output_bytes: self.output_bytes,
            undelivered: self.undelivered,
            bare_line_feeds,
            interrupted_at_terminal,
        }
    }
}

impl Running<'_> {
    /// The PTY that the keys go to.
    fn inner(&self) -> Option<&crate::sys::pty::Pty> {
        self.outer.as_ref()?;
        self.channels.first()?.pty()
    }
}
