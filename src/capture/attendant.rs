//! Who takes a caller's place at a terminal where none sits: shows the command's output to whoever
//! comes, and types for them.

use std::time::Duration;

use rustix::event::PollFd;
use rustix::process::Pid;

use crate::session::{Outcome, SessionId, Signal, Size};
use crate::sys::pty::Pty;

/// What an attendant wants to have done, because others must know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// The window gets another size.
    Resize(Size),
    /// The command's group gets a signal.
    Signal(Signal),
    /// It is noted which conversation of its own an agent in the session is in.
    Conversation {
        /// The agent program.
        agent: String,
        /// Its own id of the conversation.
        id: String,
    },
}

/// Serves whoever comes to a session that has no caller. Never waits: everything it has to wait for
/// is in [`Attendant::interests`].
pub trait Attendant {
    /// The session has this id, and is recorded.
    fn begun(&mut self, id: &SessionId);

    /// The command runs below this process, the monitor.
    fn started(&mut self, monitor: Pid, command: Pid);

    /// What to wait for besides the command.
    fn interests(&self) -> Vec<PollFd<'_>>;

    /// When it wants to be called if nothing happens before.
    fn due(&self) -> Option<Duration>;

    /// Does what there is to do at the terminal, which is gone once the command has ended. `now` is
    /// counted from the session's start.
    fn attend(&mut self, now: Duration, terminal: Option<&Pty>) -> Vec<Wish>;

    /// The command wrote this.
    fn output(&mut self, now: Duration, bytes: &[u8]);

    /// The command has ended, and all of its output was shown.
    fn ended(&mut self, outcome: &Outcome);
}
