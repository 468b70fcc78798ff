//! Signals that arrived, and what became of the command.

use rustix::process::Pid;

use super::{Driver, Watching};
use crate::capture::outer::Outer;
use crate::capture::start::Child;
use crate::plan::Situation;
use crate::session::{Event, Outcome, Signal};
use crate::sys::process::{self, Change, Target};
use crate::sys::signals::Arrival;

impl Driver<'_, '_, '_> {
    pub(super) fn pass_early_signals(&mut self) {
        for arrival in std::mem::take(&mut self.running.early) {
            let not_for_it = [libc::SIGCHLD, libc::SIGWINCH, libc::SIGXFSZ, libc::SIGCONT];
            if !not_for_it.contains(&arrival.signal.0) {
                self.pass_signal(Arrival {
                    from_process: true,
                    ..arrival
                });
            }
        }
    }

    pub(super) fn take_signals(&mut self) {
        while let Some(arrival) = self.running.inbox.next_arrival() {
            match arrival.signal.0 {
                libc::SIGCHLD => {
                    if let Child::Direct(pid) = self.running.child
                        && self.ended.is_none()
                        && let Some(change) = self.poll_child(pid)
                    {
                        self.note_change(change);
                    }
                    self.reap_orphans();
                }
                libc::SIGWINCH => self.resize(arrival),
                libc::SIGXFSZ => {}
                libc::SIGCONT => {
                    self.suspending = false;
                    self.stopped = None;
                    if let Some(outer) = &mut self.running.outer {
                        outer.assert_raw();
                    }
                    if let Some(stand_in) = &mut self.running.stand_in {
                        // A shell had the terminal meanwhile, and left it as it likes it.
                        stand_in.release();
                    }
                    self.follow_foreground();
                    if arrival.from_process && self.running.situation == Situation::NoTerminal {
                        self.running.target.send(arrival.signal);
                    }
                }
                _ => self.pass_signal(arrival),
            }
        }
    }

    pub(super) fn poll_child(&self, pid: Pid) -> Option<Change> {
        match self.running.situation {
            // With nobody there to continue it, a stopped command is just waited for.
            Situation::NoTerminal => process::poll_change(pid),
            Situation::Attached | Situation::Full => process::poll_change_or_stop(pid),
        }
    }

    pub(super) fn pass_signal(&mut self, arrival: Arrival) {
        let number = arrival.signal.0;
        if [libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGQUIT].contains(&number) {
            self.told_to_end = true;
            self.progress_at = self.now();
        }
        let has_caller = self.attendant.is_none();
        self.suspending = number == libc::SIGTSTP && self.running.outer.is_none() && has_caller;
        // In the caller's group the kernel has told the command already.
        if arrival.from_process || self.running.situation != Situation::Attached {
            self.send_to_command(arrival.signal);
        }
        // Of two signals at once the kernel delivers the one with the lower number first, so the news
        // of the command's stop may be here already.
        if self.suspending
            && let Some(signal) = self.stopped.take()
        {
            self.suspend_with(signal);
        }
        if number == libc::SIGHUP && !arrival.from_process {
            self.hang_up_terminal();
        }
    }

    pub(super) fn send_to_command(&mut self, signal: Signal) {
        if self.ended.is_none() && self.running.target.send(signal) {
            let now = self.now();
            self.tee.send(now, &Event::Signal(signal));
        }
    }

    /// Sends a signal to the command and to what it started. In the caller's group, which also has
    /// others in it, those are looked up.
    pub(super) fn end_command(&mut self, signal: Signal) {
        let below = match self.running.target {
            Target::Group(_) => Vec::new(),
            Target::Process(command) => process::descendants_in_own_group(command),
        };
        self.send_to_command(signal);
        for process in below {
            Target::Process(process).send(signal);
        }
    }

    pub(super) fn note_change(&mut self, change: Change) {
        let now = self.now();
        match (change, change.outcome()) {
            (_, Some(outcome)) => {
                let outcome = match (self.kill_at, &outcome) {
                    (Some(_), outcome) => Outcome::TimedOut(outcome.signal()),
                    _ => outcome,
                };
                let typed = self.running.outer.as_ref();
                let typed = typed.is_some_and(Outer::typed_interrupt);
                // A key is as good as a signal: whoever typed it doesn't want to wait.
                self.told_to_end |= typed && outcome.is_interrupt();
                self.progress_at = now;
                self.ended = Some((outcome, now));
                // What the command left running is not aido's to end.
                self.watchdog = Watching::Impossible;
            }
            (Change::Stopped(signal), None) if self.running.outer.is_some() => {
                self.suspend(signal);
            }
            (Change::Stopped(signal), None) if self.attendant.is_some() => self.go_on(signal),
            (Change::Stopped(signal), None) if self.suspending => self.suspend_with(signal),
            (Change::Stopped(signal), None) => self.stopped = Some(signal),
            _ => {}
        }
    }

    pub(super) fn take_report(&mut self) {
        let Child::Monitored(monitor) = &mut self.running.child else {
            return;
        };
        match monitor.next_change() {
            Some(change) => self.note_change(change),
            None => {
                // The monitor was killed; what it watched over goes with it.
                self.send_to_command(Signal(libc::SIGKILL));
                self.ended = Some((Outcome::Interrupted, self.now()));
            }
        }
    }
}
