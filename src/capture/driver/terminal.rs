//! The caller's terminal: keys, size, job control, and its end.

use std::io::IsTerminal;
use std::time::Duration;

use super::{DRAIN_BYTES, Driver, PATIENCE};
use crate::capture::channel::{Channel, Filled};
use crate::capture::keys::Keys;
use crate::plan::Situation;
use crate::session::{Event, Signal, Size};
use crate::sys::pty::Processing;
use crate::sys::signals::{self, Arrival};
use crate::sys::{stream, terminal};

impl Driver<'_, '_, '_> {
    /// Does at the caller's terminal what the command did at the PTY in its place.
    pub(super) fn follow_stand_in(&mut self) {
        if let Some(stand_in) = &mut self.running.stand_in {
            match self.ended {
                None => stand_in.follow(&self.running.channels),
                Some(_) => stand_in.release(),
            }
        }
    }

    /// Shows what the command wrote before it stopped: the terminal is a shell's after that. One that
    /// takes nothing, because of Ctrl-S for one thing, is waited for a moment; who reads a pipe may have
    /// stopped as well and gets the rest later.
    fn catch_up(&mut self) {
        for index in 0..self.running.channels.len() {
            let mut left = DRAIN_BYTES as u64;
            while left > 0 {
                let Some(channel) = self.running.channels.get(index) else {
                    break;
                };
                if channel.is_waiting() {
                    let target = channel.target();
                    if !target.is_terminal() || !stream::becomes_writable(target, PATIENCE) {
                        break;
                    }
                    self.deliver(index);
                    continue;
                }
                let before = self.output_bytes;
                let filled = self.pump(index);
                left = left.saturating_sub(self.output_bytes - before);
                if filled != Filled::Full && self.output_bytes == before {
                    break;
                }
            }
        }
    }

    pub(super) fn follow_foreground(&mut self) {
        let inner = self.running.channels.first().and_then(Channel::pty);
        if let Some(outer) = &mut self.running.outer
            && !outer.is_raw()
        {
            outer.follow_foreground(inner);
        }
    }

    /// The command stopped, in the caller's group, because that group was told to: aido follows.
    /// Had it stopped first, a shell would take the terminal back while the command still reads
    /// from it, and the next key would be lost.
    pub(super) fn suspend_with(&mut self, signal: Signal) {
        self.suspending = false;
        self.stopped = None;
        self.catch_up();
        if let Some(stand_in) = &mut self.running.stand_in {
            stand_in.release();
        }
        let now = self.now();
        self.tee.send(now, &Event::Stopped { by: Some(signal) });
        self.tee.rest(Duration::MAX);
        signals::stop_self(signal);
        self.running.target.send(Signal(libc::SIGCONT));
        let now = self.now();
        self.tee.send(now, &Event::Stopped { by: None });
    }

    /// The command was stopped at its terminal: aido's group stops too, as it would have without
    /// aido, and both go on together.
    pub(super) fn suspend(&mut self, signal: Signal) {
        // Without a shell that does job control nobody would continue aido.
        let has_shell = rustix::process::getsid(None)
            .is_ok_and(|session| session != rustix::process::getpgrp());
        if !has_shell && signal.0 == libc::SIGSTOP {
            return;
        }
        self.catch_up();
        let Some(outer) = &mut self.running.outer else {
            return;
        };
        outer.restore();
        let now = self.running.stopwatch.elapsed();
        self.tee.send(now, &Event::Stopped { by: Some(signal) });
        self.tee.rest(Duration::MAX);
        if has_shell {
            signals::stop_own_group(signal);
        }
        let inner = self.running.channels.first().and_then(Channel::pty);
        outer.follow_foreground(inner);
        if !outer.is_raw()
            && let Some(inner) = inner
        {
            inner.set_post_processing(Processing::Off);
        }
        self.set_size(terminal::size(rustix::stdio::stdin()));
        self.running.target.send(Signal(libc::SIGCONT));
        let now = self.now();
        self.tee.send(now, &Event::Stopped { by: None });
    }

    pub(super) fn resize(&mut self, arrival: Arrival) {
        let standard = [
            rustix::stdio::stdout(),
            rustix::stdio::stdin(),
            rustix::stdio::stderr(),
        ];
        let size = standard.iter().find_map(terminal::size);
        self.set_size(size.or_else(terminal::controlling_size));
        match self.running.situation {
            // The PTY is the command's controlling terminal: the kernel tells its group.
            Situation::Full => {}
            // It has been told already, perhaps before its window had the new size.
            Situation::Attached => {
                self.running.target.send(arrival.signal);
            }
            Situation::NoTerminal if arrival.from_process => self.send_to_command(arrival.signal),
            Situation::NoTerminal => {}
        }
    }

    pub(super) fn set_size(&mut self, size: Option<Size>) {
        let Some(size) = size else { return };
        let mut changed = false;
        for pty in self.running.channels.iter().filter_map(Channel::pty) {
            if terminal::size(pty) != Some(size) {
                pty.resize(size);
                changed = true;
            }
        }
        if changed {
            let now = self.now();
            self.tee.send(now, &Event::Resize(size));
        }
    }

    pub(super) fn take_keys(&mut self) {
        if let Some(stand_in) = &mut self.running.stand_in {
            stand_in.take_keys(&self.running.channels);
        }
        let inner = self.running.channels.first().and_then(Channel::pty);
        let Some(outer) = &mut self.running.outer else {
            return;
        };
        match outer.read_keys(inner) {
            Keys::Taken => self.pass_keys(),
            Keys::HungUp => {
                self.send_to_command(Signal(libc::SIGHUP));
                self.hang_up_terminal();
            }
        }
    }

    pub(super) fn pass_keys(&mut self) {
        if let Some(stand_in) = &mut self.running.stand_in {
            stand_in.pass_keys(&self.running.channels);
        }
        let inner = self.running.channels.first().and_then(Channel::pty);
        if let (Some(outer), Some(inner)) = (&mut self.running.outer, inner)
            && outer.has_input()
        {
            outer.pass_keys(inner);
        }
    }

    /// The caller's terminal is gone: so is the command's, after what it wrote was recorded.
    pub(super) fn hang_up_terminal(&mut self) {
        let Some(outer) = &mut self.running.outer else {
            return;
        };
        outer.disconnect();
        self.told_to_end = true;
        self.running.target.send(Signal(libc::SIGCONT));
        if let Some(channel) = self.running.channels.first_mut() {
            channel.stop_delivering();
        }
        for _ in 0..DRAIN_BYTES / (64 * 1024) {
            if self.pump(0) != Filled::Full {
                break;
            }
        }
        if let Some(channel) = self.running.channels.first_mut() {
            channel.hang_up();
        }
    }
}
