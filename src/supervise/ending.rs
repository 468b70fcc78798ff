//! Ending a session on request: kindly, then surely, and with everything that it started.

use std::time::Duration;

use rustix::process::Pid;

use crate::session::Signal;
use crate::sys::process::{self, Target};

/// From SIGTERM to SIGHUP: an interactive shell ignores the one and obeys the other.
const HANG_UP_AFTER: Duration = Duration::from_millis(500);
/// How long after SIGKILL a process may still be there.
const LAST_PATIENCE: Duration = Duration::from_secs(2);
/// How often it is looked whether all are gone.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// How far the end is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Asked,
    HungUp,
    Killed,
}

/// The end of a session, if it was asked for.
#[derive(Debug, Default)]
pub(super) struct Ending {
    monitor: Option<Pid>,
    command: Option<Pid>,
    /// When it was asked for first, and when patience is over.
    asked: Option<(Duration, Duration)>,
    done: Option<Stage>,
}

impl Ending {
    pub(super) fn watch_over(&mut self, monitor: Pid, command: Pid) {
        self.monitor = Some(monitor);
        self.command = Some(command);
    }

    /// Asks for it. Who asks later can only make it sooner.
    pub(super) fn begin(&mut self, now: Duration, grace: Duration) {
        let end = now + grace;
        self.asked = Some(match self.asked {
            None => (now, end),
            Some((asked, before)) => (asked, before.min(end)),
        });
    }

    /// The next stage and when it is due.
    fn next(&self) -> Option<(Stage, Duration)> {
        let (asked, end) = self.asked?;
        match self.done {
            _ if end <= asked && self.done < Some(Stage::Killed) => Some((Stage::Killed, end)),
            None => Some((Stage::Asked, asked)),
            Some(Stage::Asked) => Some((Stage::HungUp, (asked + HANG_UP_AFTER).min(end))),
            Some(Stage::HungUp) => Some((Stage::Killed, end)),
            Some(Stage::Killed) => None,
        }
    }

    pub(super) fn due(&self) -> Option<Duration> {
        self.next().map(|(_, due)| due)
    }

    /// Does what is due; returns what the command's group is to be sent.
    pub(super) fn go_on(&mut self, now: Duration) -> Vec<Signal> {
        let Some((stage, _)) = self.next().filter(|(_, due)| *due <= now) else {
            return Vec::new();
        };
        self.done = Some(stage);
        let signals: &[i32] = match stage {
            Stage::Asked => &[libc::SIGTERM, libc::SIGCONT],
            Stage::HungUp => &[libc::SIGHUP, libc::SIGCONT],
            Stage::Killed => &[libc::SIGKILL],
        };
        for process in self.others() {
            for signal in signals {
                Target::Process(process).send(Signal(*signal));
            }
        }
        signals.iter().map(|signal| Signal(*signal)).collect()
    }

    /// All that the session started but the monitor and the command.
    fn others(&self) -> Vec<Pid> {
        let own = rustix::process::getpid();
        let mut found = process::descendants(own);
        found.retain(|process| Some(*process) != self.monitor && Some(*process) != self.command);
        found
    }

    /// After the command's end: ends what it left, if the session was told to stop. Returns what could
    /// not be ended.
    pub(super) fn finish(&mut self, now: &dyn Fn() -> Duration) -> Vec<i32> {
        let Some((_, end)) = self.asked else {
            return Vec::new();
        };
        self.monitor = None;
        loop {
            process::reap_ended();
            let others = self.others();
            if others.is_empty() {
                return Vec::new();
            }
            let now = now();
            self.go_on(now);
            if self.done == Some(Stage::Killed) {
                for process in &others {
                    Target::Process(*process).send(Signal(libc::SIGKILL));
                }
            }
            if now > end + LAST_PATIENCE {
                let left = others.iter();
                return left.map(|process| process.as_raw_nonzero().get()).collect();
            }
            // They are not this process's own children, so nothing tells of their end.
            std::thread::sleep(LOOK_EVERY);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_comes_in_stages() {
        let mut ending = Ending::default();
        let second = Duration::from_secs(1);
        assert_eq!(ending.due(), None);
        ending.begin(second, 5 * second);
        assert_eq!(ending.due(), Some(second));
        ending.done = Some(Stage::Asked);
        assert_eq!(ending.due(), Some(second + HANG_UP_AFTER));
        ending.done = Some(Stage::HungUp);
        assert_eq!(ending.due(), Some(6 * second));
        ending.begin(2 * second, second);
        assert_eq!(ending.due(), Some(3 * second), "sooner");
        ending.begin(2 * second, 10 * second);
        assert_eq!(ending.due(), Some(3 * second), "never later");
        ending.done = Some(Stage::Killed);
        assert_eq!(ending.due(), None);
    }
}
