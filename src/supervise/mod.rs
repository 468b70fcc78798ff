//! THE SUPERVISOR of a detached session: holds its screen, answers whoever comes, types for them, and
//! ends it when told to. One a session; it is the process that records.
//!
//! Invariants: nothing here waits, so no client can slow the session or another client; what is typed
//! for one request is typed in one piece, and its conditions are looked at right before; what is
//! typed is kept nowhere.

mod connection;
mod ending;
mod entrance;
mod status;
mod typing;
mod waiting;

use std::cell::RefCell;
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use rustix::event::PollFd;
use rustix::process::Pid;

use crate::capture::{Attendant, Wish};
use crate::screen::{Screen, Snapshot};
use crate::session::{Outcome, SessionId, Size, Timestamp};
use crate::sys::door::Knock;
use crate::sys::link::Link;
use crate::sys::pty::{self, Pty};
use crate::wire::frame::Frame;
use crate::wire::{PROTOCOL, Refusal, Reply, Request, place};
use connection::{Connection, Role};
use ending::Ending;
use entrance::Entrance;
pub use status::Status;
use status::StatusFile;
use typing::Typing;
use waiting::{Waiter, Watch};

/// The longest name of an agent or of its conversation.
const NAME_BYTES: usize = 256;
/// The most clients at once.
const CONNECTIONS: usize = 128;

/// What a supervisor begins with.
pub struct Beginning {
    /// Where its socket goes.
    pub channel: Option<PathBuf>,
    /// The window's size.
    pub size: Size,
    /// The name, if it has one.
    pub name: Option<String>,
    /// The present time, which the session's times count from.
    pub now: Timestamp,
    /// Held until the session can be found by its name.
    pub name_lock: Option<File>,
    /// Where the starter waits for news.
    pub starter: Option<File>,
    /// What it should know, line by line.
    pub said: Rc<RefCell<Vec<String>>>,
}

/// A supervisor.
pub struct Supervisor {
    id: Option<SessionId>,
    entrance: Entrance,
    status: StatusFile,
    name_lock: Option<File>,
    starter: Option<File>,
    said: Rc<RefCell<Vec<String>>>,
    screen: Screen,
    connections: Vec<Connection>,
    /// The number of the next connection.
    next: u64,
    typing: Typing,
    watch: Watch,
    ending: Ending,
    outcome: Option<Outcome>,
    /// Who of the attached clients the window's size comes from.
    leader: Option<u64>,
    /// The conversation that was noted last.
    conversation: Option<String>,
    wishes: Vec<Wish>,
}

impl Supervisor {
    /// A supervisor without a session yet.
    #[must_use]
    pub fn new(beginning: Beginning) -> Self {
        Self {
            id: None,
            entrance: Entrance::new(beginning.channel),
            status: StatusFile::new(beginning.name, beginning.now),
            name_lock: beginning.name_lock,
            starter: beginning.starter,
            said: beginning.said,
            screen: Screen::new(beginning.size),
            connections: Vec::new(),
            next: 0,
            typing: Typing::default(),
            watch: Watch::default(),
            ending: Ending::default(),
            outcome: None,
            leader: None,
            conversation: None,
            wishes: Vec::new(),
        }
    }

    /// The starter, if it waits still: the command has not been started.
    #[must_use]
    pub fn starter(&mut self) -> Option<File> {
        self.starter.take()
    }

    fn accept(&mut self) {
        for arrival in self.entrance.arrivals() {
            match arrival {
                Knock::Client(link) => self.welcome(link),
                Knock::Message(json) => {
                    if let Ok(Request::Conversation { agent, id }) = serde_json::from_slice(&json) {
                        self.note_conversation(agent, id);
                    }
                }
            }
        }
    }

    fn welcome(&mut self, link: Link) {
        if self.connections.len() >= CONNECTIONS {
            return;
        }
        let mut connection = Connection::new(self.next, link);
        self.next += 1;
        connection.reply(&Reply::Hello {
            protocol: PROTOCOL,
            aido: env!("CARGO_PKG_VERSION").to_owned(),
        });
        self.connections.push(connection);
    }

    /// Reads what clients sent and does what they ask.
    fn serve(&mut self, now: Duration) {
        for index in 0..self.connections.len() {
            self.connections[index].read();
            while let Some(frame) = self.connections[index].next_frame() {
                match frame {
                    Frame::Message(json) => {
                        let request = serde_json::from_slice(&json).unwrap_or(Request::Unknown);
                        self.answer(index, request, now);
                    }
                    Frame::Bytes(bytes) => self.take_keys(index, bytes, now),
                    Frame::Unknown => self.connections[index].reply(&Reply::Unsupported),
                }
            }
        }
        for gone in self
            .connections
            .extract_if(.., |connection| connection.is_gone())
        {
            self.typing.forget(gone.id);
            if self.leader == Some(gone.id) {
                self.leader = None;
            }
        }
    }

    fn answer(&mut self, index: usize, request: Request, now: Duration) {
        let connection = &mut self.connections[index];
        match request {
            Request::Hello { .. } => {}
            Request::Send(_) if self.outcome.is_some() => {
                let (why, detail) = (Refusal::Over, "the command has ended".to_owned());
                connection.reply(&Reply::Refused { why, detail });
            }
            Request::Send(sending) => {
                if let Err((why, detail)) = self.typing.add(connection.id, sending) {
                    connection.reply(&Reply::Refused { why, detail });
                }
            }
            Request::Capture { scrollback } => {
                let snapshot = Snapshot::of(&self.screen, scrollback);
                connection.reply(&Reply::Screen(Box::new(snapshot)));
            }
            Request::Wait(waiting) => {
                let mark = self.typing.mark();
                match Waiter::new(waiting, mark) {
                    Ok(waiter) => connection.role = Role::Waiting(Box::new(waiter)),
                    Err(detail) => {
                        let why = Refusal::Invalid;
                        connection.reply(&Reply::Refused { why, detail });
                    }
                }
            }
            Request::Stop { grace_ms } => {
                connection.role = Role::Stopping;
                self.ending.begin(now, Duration::from_millis(grace_ms));
            }
            Request::Attach { size, read_only } => {
                connection.attach(size, read_only);
                if !read_only {
                    let id = connection.id;
                    self.lead(id, size);
                }
            }
            Request::Resize { size } => {
                let id = connection.id;
                connection.resize(size);
                if self.leader == Some(id) {
                    self.lead(id, size);
                }
            }
            Request::Conversation { agent, id } => self.note_conversation(agent, id),
            Request::Unknown => connection.reply(&Reply::Unsupported),
        }
    }

    /// Notes a conversation, if it is another than the last.
    fn note_conversation(&mut self, agent: String, id: String) {
        let is_name = |text: &str| !text.is_empty() && text.len() <= NAME_BYTES;
        if is_name(&agent) && is_name(&id) && self.conversation.as_deref() != Some(&id) {
            self.conversation = Some(id.clone());
            self.wishes.push(Wish::Conversation { agent, id });
        }
    }

    /// The window takes the size of this client's.
    fn lead(&mut self, id: u64, size: Size) {
        self.leader = Some(id);
        self.screen.resize(size);
        self.wishes.push(Wish::Resize(self.screen.size()));
    }

    fn take_keys(&mut self, index: usize, bytes: Vec<u8>, now: Duration) {
        let connection = &self.connections[index];
        let Some(size) = connection.typing_size() else {
            return;
        };
        let id = connection.id;
        if self.leader != Some(id) {
            self.lead(id, size);
        }
        self.typing.add_keys(id, bytes);
        self.status.typed_at_client(now);
    }

    /// Draws for those who are attached.
    fn draw(&mut self, now: Duration) {
        for connection in &mut self.connections {
            connection.draw(&self.screen, now);
        }
    }

    /// Tells those who wait for what is so by now.
    fn tell_waiters(&mut self, now: Duration) {
        for connection in &mut self.connections {
            let Role::Waiting(waiter) = &mut connection.role else {
                continue;
            };
            if let Some(condition) = waiter.look(&self.screen, &mut self.watch, now) {
                let sequence = self.screen.stamp();
                connection.reply(&Reply::Met {
                    condition,
                    sequence,
                });
                connection.role = Role::Asking;
            }
        }
    }

    fn has_waiter(&self, wants: impl Fn(&Waiter) -> bool) -> bool {
        let mut roles = self.connections.iter().map(|connection| &connection.role);
        roles.any(|role| matches!(role, Role::Waiting(waiter) if wants(waiter)))
    }

    fn flush(&mut self) {
        for connection in &mut self.connections {
            connection.flush();
        }
    }

    fn note_status(&mut self, now: Duration) {
        let attached = self.connections.iter();
        let attached = attached
            .filter(|connection| connection.is_attached())
            .count();
        self.status.note(&self.screen, attached, now);
    }

    /// Ends what is left of the session if it was told to stop, says to everybody that it is over, and
    /// goes. Its files are complete by now.
    pub fn farewell(mut self, finished: &dyn Fn() -> Duration) {
        let left = self.ending.finish(finished);
        self.accept();
        self.serve(finished());
        let outcome = self.outcome.take().unwrap_or(Outcome::Interrupted);
        let ended = Reply::Ended {
            exit_code: outcome.exit_code(),
            status: outcome.status(),
            left,
        };
        for connection in &mut self.connections {
            connection.reply(&ended);
        }
        connection::deliver_all(&mut self.connections);
        self.status.remove();
    }
}

impl Attendant for Supervisor {
    fn begun(&mut self, id: &SessionId) {
        self.id = Some(id.clone());
        self.name_lock = None;
        if let Some(directory) = self.entrance.open(id) {
            self.status.keep_in(directory, place::status_name(id));
        }
    }

    fn started(&mut self, monitor: Pid, command: Pid) {
        self.ending.watch_over(monitor, command);
        self.watch.look_at(command);
        self.status.started(command);
        if let (Some(mut starter), Some(id)) = (self.starter.take(), &self.id) {
            let channel = self.entrance.is_open();
            let lines = std::mem::take(&mut *self.said.borrow_mut());
            let news = serde_json::json!({"id": id.as_str(), "channel": channel, "lines": lines});
            // It may be gone; the session goes on.
            let _ = starter.write_all(news.to_string().as_bytes());
        }
        self.entrance.sweep();
    }

    fn interests(&self) -> Vec<PollFd<'_>> {
        let mut polls: Vec<PollFd<'_>> = self.entrance.interests().collect();
        polls.extend(self.connections.iter().flat_map(Connection::interests));
        polls
    }

    fn due(&self) -> Option<Duration> {
        let connections = self.connections.iter();
        let roles = connections
            .clone()
            .filter_map(|connection| match &connection.role {
                Role::Waiting(waiter) => waiter.due(&self.watch),
                _ => None,
            });
        let frames = connections.filter_map(|connection| connection.due(&self.screen));
        let others = [
            self.typing.due(),
            self.ending.due(),
            self.status.due(),
            self.entrance.due(),
        ];
        others
            .into_iter()
            .flatten()
            .chain(roles)
            .chain(frames)
            .min()
    }

    fn attend(&mut self, now: Duration, terminal: Option<&Pty>) -> Vec<Wish> {
        self.accept();
        self.serve(now);
        if let Some(terminal) = terminal {
            self.status.at_terminal(terminal);
            if self.has_waiter(Waiter::wants_input) {
                self.watch.at_terminal(pty::typing(terminal));
            }
            self.typing.answer(self.screen.take_replies());
            for (id, reply) in self
                .typing
                .go_on(terminal, &self.screen, &mut self.watch, now)
            {
                let mut all = self.connections.iter_mut();
                if let Some(connection) = all.find(|connection| connection.id == id) {
                    connection.reply(&reply);
                }
            }
            if let Some(at) = self.watch.typed_at() {
                self.status.typed(at, self.screen.bells());
            }
        }
        self.tell_waiters(now);
        self.draw(now);
        self.flush();
        self.note_status(now);
        if let Some(id) = &self.id
            && let Some(directory) = self.entrance.heal(id, now)
        {
            self.status.keep_in(directory, place::status_name(id));
        }
        let mut wishes = std::mem::take(&mut self.wishes);
        wishes.extend(self.ending.go_on(now).into_iter().map(Wish::Signal));
        wishes
    }

    fn output(&mut self, now: Duration, bytes: &[u8]) {
        if !self.has_waiter(Waiter::wants_text) {
            self.screen.feed_or_begin_anew(bytes);
            self.watch
                .output(&self.screen, now, self.has_waiter(Waiter::wants_stable));
        } else {
            // In pieces of which no line leaves what is kept before it was looked at.
            for piece in bytes.chunks(waiting::PIECE_BYTES) {
                self.screen.feed_or_begin_anew(piece);
                self.watch
                    .output(&self.screen, now, self.has_waiter(Waiter::wants_stable));
                self.tell_waiters(now);
            }
        }
        for connection in &mut self.connections {
            connection.changed(now);
        }
    }

    fn ended(&mut self, outcome: &Outcome) {
        self.outcome = Some(outcome.clone());
        self.draw(Duration::MAX);
        self.flush();
    }
}
