//! One client: what it sent, what is sent to it, and what it came for.

use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};

use super::waiting::Waiter;
use crate::screen::{Painter, Screen};
use crate::session::Size;
use crate::sys::link::{Link, Taken};
use crate::wire::Reply;
use crate::wire::frame::{self, Frame, Frames};

/// The most that a client may send in one frame.
const REQUEST_BYTES: usize = 2 * 1024 * 1024;
/// How much is read of a client at once, so that none keeps the others waiting.
const READ_BYTES: usize = 64 * 1024;
/// The shortest time between two frames, but for the first after a pause.
const FRAME_EVERY: Duration = Duration::from_millis(16);
/// How long a frame that the program began is waited for (DECSET 2026).
const FRAME_PATIENCE: Duration = Duration::from_millis(150);
/// How long clients may take to hear that the session is over.
const FAREWELL: Duration = Duration::from_millis(500);

/// What a client came for.
pub(super) enum Role {
    /// Answers at once.
    Asking,
    /// Something that is not yet so.
    Waiting(Box<Waiter>),
    /// The session's end.
    Stopping,
    /// To see the screen.
    Attached(Box<Attached>),
}

/// A client that sees the screen.
pub(super) struct Attached {
    painter: Painter,
    read_only: bool,
    /// Something may have changed since the last frame.
    is_stale: bool,
    drawn_at: Option<Duration>,
    /// When the program wrote something that was not drawn yet, first.
    changed_at: Option<Duration>,
}

/// One client.
pub(super) struct Connection {
    pub(super) id: u64,
    pub(super) role: Role,
    link: Link,
    frames: Frames,
    out: Vec<u8>,
    sent: usize,
    is_gone: bool,
}

impl Connection {
    pub(super) fn new(id: u64, link: Link) -> Self {
        Self {
            id,
            role: Role::Asking,
            link,
            frames: Frames::default(),
            out: Vec::new(),
            sent: 0,
            is_gone: false,
        }
    }

    pub(super) fn is_gone(&self) -> bool {
        self.is_gone
    }

    fn is_behind(&self) -> bool {
        self.sent < self.out.len()
    }

    /// What to wait for: that it sends something, and, if it is behind, that it takes more.
    pub(super) fn interests(&self) -> impl Iterator<Item = PollFd<'_>> {
        let reader = PollFd::from_borrowed_fd(self.link.reader(), PollFlags::IN);
        let writer = PollFd::from_borrowed_fd(self.link.writer(), PollFlags::OUT);
        std::iter::once(reader).chain(self.is_behind().then_some(writer))
    }

    pub(super) fn read(&mut self) {
        let mut piece = Vec::with_capacity(READ_BYTES);
        match self.link.take(&mut piece) {
            Taken::Some => self.frames.push(&piece),
            Taken::Nothing => {}
            Taken::End => self.is_gone = true,
        }
    }

    pub(super) fn next_frame(&mut self) -> Option<Frame> {
        match self.frames.next_frame(REQUEST_BYTES) {
            Ok(frame) => frame,
            Err(_) => {
                self.is_gone = true;
                None
            }
        }
    }

    pub(super) fn reply(&mut self, reply: &Reply) {
        self.out.extend(frame::message(reply));
    }

    /// Sends what goes without waiting.
    pub(super) fn flush(&mut self) {
        while self.is_behind() && !self.is_gone {
            match self.link.send(&self.out[self.sent..]) {
                Some(0) => return,
                Some(count) => self.sent += count,
                None => self.is_gone = true,
            }
        }
        self.out.clear();
        self.sent = 0;
    }

    pub(super) fn is_attached(&self) -> bool {
        matches!(self.role, Role::Attached(_))
    }

    /// The window's size, of a client that may type.
    pub(super) fn typing_size(&self) -> Option<Size> {
        match &self.role {
            Role::Attached(attached) if !attached.read_only => Some(attached.painter.size()),
            _ => None,
        }
    }

    pub(super) fn attach(&mut self, size: Size, read_only: bool) {
        self.role = Role::Attached(Box::new(Attached {
            painter: Painter::new(size),
            read_only,
            is_stale: true,
            drawn_at: None,
            changed_at: None,
        }));
    }

    pub(super) fn resize(&mut self, size: Size) {
        if let Role::Attached(attached) = &mut self.role {
            attached.painter.resize(size);
            attached.is_stale = true;
        }
    }

    /// The screen changed.
    pub(super) fn changed(&mut self, now: Duration) {
        if let Role::Attached(attached) = &mut self.role {
            attached.is_stale = true;
            attached.changed_at.get_or_insert(now);
        }
    }

    /// When the next frame is to be drawn. One that can't be sent yet is not: while earlier bytes wait,
    /// frames are left out, and the client gets the newest then.
    pub(super) fn due(&self, screen: &Screen) -> Option<Duration> {
        match &self.role {
            Role::Attached(attached) if attached.is_stale && !self.is_behind() => {
                Some(attached.due(screen))
            }
            _ => None,
        }
    }

    pub(super) fn draw(&mut self, screen: &Screen, now: Duration) {
        if self.due(screen).is_none_or(|due| now < due) {
            return;
        }
        if let Role::Attached(attached) = &mut self.role {
            let drawn = attached.painter.frame(screen);
            attached.is_stale = false;
            attached.changed_at = None;
            attached.drawn_at = Some(now);
            if !drawn.is_empty() {
                self.out.extend(frame::bytes(&drawn));
            }
        }
    }
}

impl Attached {
    fn due(&self, screen: &Screen) -> Duration {
        let paced = self
            .drawn_at
            .map_or(Duration::ZERO, |drawn| drawn.saturating_add(FRAME_EVERY));
        match (screen.modes().in_frame, self.changed_at) {
            (true, Some(changed)) => paced.max(changed + FRAME_PATIENCE),
            _ => paced,
        }
    }
}

/// Sends what waits, to all who take it in good time.
pub(super) fn deliver_all(connections: &mut Vec<Connection>) {
    let tries = FAREWELL.as_millis() / 50;
    for _ in 0..tries {
        for connection in &mut *connections {
            connection.flush();
        }
        connections.retain(|connection| connection.is_behind() && !connection.is_gone);
        if connections.is_empty() {
            return;
        }
        let interests = connections.iter();
        let mut polled: Vec<PollFd<'_>> = interests
            .map(|connection| PollFd::from_borrowed_fd(connection.link.writer(), PollFlags::OUT))
            .collect();
        let time = Timespec {
            tv_sec: 0,
            tv_nsec: 50_000_000,
        };
        let _ = rustix::event::poll(&mut polled, Some(&time));
    }
}
