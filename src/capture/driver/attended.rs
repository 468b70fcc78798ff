//! A command without a caller: what its attendant is told, and what it wants.

use super::Driver;
use crate::capture::attendant::Wish;
use crate::capture::channel::Channel;
use crate::capture::start::Child;
use crate::session::{Event, Signal};
use crate::sys::process;

impl Driver<'_, '_, '_> {
    pub(super) fn introduce(&mut self) {
        if let (Some(attendant), Child::Monitored(monitor)) =
            (&mut self.attendant, &self.running.child)
        {
            attendant.started(monitor.process(), monitor.command);
        }
    }

    pub(super) fn attend(&mut self) {
        let now = self.now();
        let Some(attendant) = &mut self.attendant else {
            return;
        };
        let terminal = self.running.channels.first().and_then(Channel::pty);
        let terminal = terminal.filter(|_| self.ended.is_none());
        for wish in attendant.attend(now, terminal) {
            match wish {
                Wish::Resize(size) => self.set_size(Some(size)),
                Wish::Signal(signal) => self.send_to_command(signal),
                Wish::Conversation { agent, id } => {
                    let (agent, id) = (agent.as_str(), id.as_str());
                    self.tee.send(now, &Event::Conversation { agent, id });
                }
            }
        }
    }

    /// Forgets orphans that have ended: they came to aido when what started them ended.
    pub(super) fn reap_orphans(&self) {
        if let (Some(_), Child::Monitored(monitor)) = (&self.attendant, &self.running.child) {
            process::reap_all_but(monitor.process());
        }
    }

    /// Nobody is there to continue a command that was stopped at its terminal, so it goes on.
    pub(super) fn go_on(&mut self, signal: Signal) {
        let now = self.now();
        self.tee.send(now, &Event::Stopped { by: Some(signal) });
        self.running.target.send(Signal(libc::SIGCONT));
        self.tee.send(now, &Event::Stopped { by: None });
    }
}
