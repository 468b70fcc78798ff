//! A client's end of a connection.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};
use serde::Serialize;

use super::frame::{self, FRAME_BYTES, Frame, Frames};
use super::message::{Reply, Request};
use super::{PROTOCOL, place};
use crate::clock::Stopwatch;
use crate::session::SessionId;
use crate::sys::file::Directory;
use crate::sys::link::{Link, Taken};
use crate::sys::{door, link, socket};

/// How long a supervisor may take for what it does at once.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// How much is read at once.
const READ_BYTES: usize = 64 * 1024;

/// What came from a supervisor.
#[derive(Debug)]
pub enum Incoming {
    /// It said this.
    Reply(Reply),
    /// This is to be drawn.
    Draw(Vec<u8>),
    /// Nothing yet.
    Nothing,
    /// It is gone.
    Gone,
}

/// A connection to a session's supervisor.
#[derive(Debug)]
pub struct Client {
    link: Link,
    frames: Frames,
}

impl Client {
    /// Connects to a session, whose socket and door are in this directory.
    ///
    /// # Errors
    /// When nobody listens there, or it is not allowed.
    pub fn connect(directory: &Path, id: &SessionId) -> io::Result<Self> {
        let directory = Directory::open_itself(directory)?;
        // Where sockets are forbidden, on whichever side, there is the door.
        let link = match socket::connect(&directory, &place::socket_name(id)) {
            Ok(socket) => Link::Socket(socket),
            Err(error) => {
                let knocked = door::knock(&directory, &place::stem(id), PATIENCE);
                knocked.map_err(|at_door| match link::is_nobody(&at_door) {
                    true => error,
                    false => at_door,
                })?
            }
        };
        let mut client = Self {
            link,
            frames: Frames::default(),
        };
        client.request(&Request::Hello {
            protocol: PROTOCOL,
            aido: env!("CARGO_PKG_VERSION").to_owned(),
        })?;
        Ok(client)
    }

    /// Tells a session something that wants no answer, without waiting.
    ///
    /// # Errors
    /// As [`Client::connect`]; also when it can't be sent at once.
    pub fn tell(directory: &Path, id: &SessionId, request: &Request) -> io::Result<()> {
        let directory = Directory::open_itself(directory)?;
        let sent = match socket::connect(&directory, &place::socket_name(id)) {
            Ok(socket) => Link::Socket(socket).send(&frame::message(request)),
            Err(_) => {
                let json = serde_json::to_vec(request)?;
                return door::leave_message(&directory, &place::stem(id), &json);
            }
        };
        match sent {
            Some(0) | None => Err(io::ErrorKind::BrokenPipe.into()),
            Some(_) => Ok(()),
        }
    }

    /// Asks for something.
    ///
    /// # Errors
    /// When it can't be sent.
    pub fn request(&mut self, request: &impl Serialize) -> io::Result<()> {
        self.send(&frame::message(request))
    }

    /// Passes on what was typed.
    ///
    /// # Errors
    /// When it can't be sent.
    pub fn type_bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.send(&frame::bytes(bytes))
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let began = Stopwatch::start();
        let mut rest = bytes;
        while !rest.is_empty() {
            match self.link.send(rest) {
                None => return Err(io::ErrorKind::BrokenPipe.into()),
                Some(0) if began.elapsed() > PATIENCE => {
                    return Err(io::ErrorKind::TimedOut.into());
                }
                Some(0) => {
                    let writer = self.link.writer();
                    let mut polled = [PollFd::from_borrowed_fd(writer, PollFlags::OUT)];
                    let _ = rustix::event::poll(&mut polled, Some(&timespec(PATIENCE)));
                }
                Some(count) => rest = &rest[count..],
            }
        }
        Ok(())
    }

    /// Waits for the next thing that comes. Without a time for ever; a signal that is caught ends the
    /// wait.
    pub fn receive(&mut self, time: Option<Duration>) -> Incoming {
        let began = Stopwatch::start();
        loop {
            let incoming = self.take();
            if !matches!(incoming, Incoming::Nothing) {
                return incoming;
            }
            let left = time.map(|time| time.saturating_sub(began.elapsed()));
            let mut polled = [PollFd::from_borrowed_fd(self.link.reader(), PollFlags::IN)];
            match rustix::event::poll(&mut polled, left.map(timespec).as_ref()) {
                Ok(0) | Err(_) => return Incoming::Nothing,
                Ok(_) => {}
            }
        }
    }

    /// What came, without waiting.
    pub fn take(&mut self) -> Incoming {
        loop {
            match self.frames.next_frame(FRAME_BYTES) {
                Ok(Some(Frame::Bytes(bytes))) => return Incoming::Draw(bytes),
                Ok(Some(Frame::Message(json))) => match serde_json::from_slice(&json) {
                    Ok(Reply::Hello { .. } | Reply::Unknown) | Err(_) => continue,
                    Ok(reply) => return Incoming::Reply(reply),
                },
                Ok(Some(Frame::Unknown)) => continue,
                Ok(None) => {}
                Err(_) => return Incoming::Gone,
            }
            let mut piece = Vec::with_capacity(READ_BYTES);
            match self.link.take(&mut piece) {
                Taken::Some => self.frames.push(&piece),
                Taken::Nothing => return Incoming::Nothing,
                Taken::End => return Incoming::Gone,
            }
        }
    }
}

impl AsFd for Client {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.link.reader()
    }
}

fn timespec(time: Duration) -> Timespec {
    Timespec::try_from(time).unwrap_or(Timespec {
        tv_sec: i64::from(i32::MAX),
        tv_nsec: 0,
    })
}
