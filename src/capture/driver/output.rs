//! The command's output: read, told, handed on.

use std::io;

use super::{DRAIN_BYTES, Driver, Undelivered};
use crate::capture::channel::{BROKEN_PIPE, Delivered, Filled};
use crate::session::{Event, Stream};

impl Driver<'_, '_, '_> {
    /// Reads a channel, tells the sinks, hands it on.
    pub(super) fn pump(&mut self, index: usize) -> Filled {
        let now = self.now();
        let Some(channel) = self.running.channels.get_mut(index) else {
            return Filled::Closed;
        };
        if channel.wants_to_read().is_none() {
            return Filled::Empty;
        }
        let filled = channel.fill();
        let bytes = channel.bytes();
        if !bytes.is_empty() {
            self.output_bytes += bytes.len() as u64;
            if self.ended.is_some() {
                self.drained_bytes += bytes.len();
            }
            let stream = channel.stream;
            self.tee.send(now, &Event::Output { stream, bytes });
            if let Some(attendant) = &mut self.attendant {
                attendant.output(now, bytes);
            }
            self.deliver(index);
        }
        filled
    }

    pub(super) fn deliver(&mut self, index: usize) {
        let now = self.running.stopwatch.elapsed();
        let channel = &mut self.running.channels[index];
        let before = channel.bytes().len();
        let delivered = channel.deliver();
        if channel.bytes().len() < before {
            self.progress_at = now;
        }
        match delivered {
            Delivered::All | Delivered::Waiting => {}
            Delivered::NobodyReads => {
                // The next write of the command must fail as it would have without aido. A pipe
                // does that by itself; a PTY knows no broken pipe. The signal comes first, so
                // that the command finds it before the PTY's own error.
                if channel.pty().is_some() {
                    self.send_to_command(BROKEN_PIPE);
                }
                self.running.channels[index].hang_up();
            }
            Delivered::Failed(reason) => {
                let stream = channel.stream;
                let at_terminal = self.running.outer.is_some() && stream == Stream::Stdout;
                if !at_terminal {
                    self.undelivered.push(Undelivered { stream, reason });
                }
            }
        }
    }

    /// The reader of a pipe is gone: so is the pipe that the command writes to, but for what is in it.
    pub(super) fn lose_reader(&mut self, index: usize) {
        self.pump(index);
        if let Some(channel) = self.running.channels.get_mut(index) {
            channel.stop_delivering();
            channel.hang_up();
        }
    }

    /// After the command's end: what the kernel still holds, and no more than it can hold.
    pub(super) fn drain(&mut self) {
        for index in 0..self.running.channels.len() {
            let filled = self.pump(index);
            let channel = &mut self.running.channels[index];
            let over = self.drained_bytes >= DRAIN_BYTES;
            if channel.source().is_some()
                && !channel.is_waiting()
                && (filled != Filled::Full || over)
            {
                match self.told_to_end {
                    // Whoever ended aido wants an end.
                    true => channel.hang_up(),
                    false => channel.let_go(),
                }
            }
        }
    }

    /// The consumer takes nothing, the command is gone and aido was told to end: what is left is
    /// recorded and not delivered.
    pub(super) fn give_up_delivery(&mut self) {
        for channel in &mut self.running.channels {
            if channel.is_waiting() {
                channel.stop_delivering();
                self.undelivered.push(Undelivered {
                    stream: channel.stream,
                    reason: io::Error::from(io::ErrorKind::TimedOut),
                });
            }
        }
    }
}
