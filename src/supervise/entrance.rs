//! Where clients come in: a socket, and a door of named pipes for those who may have no sockets.

use std::path::PathBuf;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags};

use crate::session::SessionId;
use crate::sys::door::{Door, Knock};
use crate::sys::file::Directory;
use crate::sys::link::Link;
use crate::sys::socket::Listener;
use crate::wire::place;

/// How often both are looked for: cleaners remove what looks old.
const HEAL_EVERY: Duration = Duration::from_secs(5);

/// Both ways in, as far as they can be had.
pub(super) struct Entrance {
    channel: Option<PathBuf>,
    listener: Option<Listener>,
    door: Option<Door>,
    healed_at: Duration,
}

impl Entrance {
    /// One in this directory, not open yet.
    pub(super) fn new(channel: Option<PathBuf>) -> Self {
        Self {
            channel,
            listener: None,
            door: None,
            healed_at: Duration::ZERO,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.listener.is_some() || self.door.is_some()
    }

    /// Opens what is not open, or can't be found any more. Returns the directory if something changed.
    pub(super) fn open(&mut self, id: &SessionId) -> Option<Directory> {
        let directory = place::open_or_make(self.channel.as_deref()?).ok()?;
        let mut is_new = false;
        // What is gone must not remove the name of what comes.
        if !self.listener.as_ref().is_some_and(Listener::is_found) {
            self.listener = None;
            let place = directory.try_clone();
            let bound = place.and_then(|place| Listener::bind(place, &place::socket_name(id)));
            self.listener = bound.ok();
            is_new |= self.listener.is_some();
        }
        if !self.door.as_ref().is_some_and(Door::is_found) {
            self.door = None;
            let place = directory.try_clone();
            let opened = place.and_then(|place| Door::open(place, &place::stem(id)));
            self.door = opened.ok();
            is_new |= self.door.is_some();
        }
        is_new.then_some(directory)
    }

    /// The same again, once enough time has gone by.
    pub(super) fn heal(&mut self, id: &SessionId, now: Duration) -> Option<Directory> {
        if now < self.healed_at + HEAL_EVERY {
            return None;
        }
        self.healed_at = now;
        let is_found = self.listener.as_ref().is_some_and(Listener::is_found)
            && self.door.as_ref().is_some_and(Door::is_found);
        if is_found { None } else { self.open(id) }
    }

    pub(super) fn due(&self) -> Option<Duration> {
        self.channel.as_ref().map(|_| self.healed_at + HEAL_EVERY)
    }

    /// What to wait for: that somebody comes.
    pub(super) fn interests(&self) -> impl Iterator<Item = PollFd<'_>> {
        let listener = self.listener.iter();
        let listener = listener.map(|listener| PollFd::new(listener, PollFlags::IN));
        let door = self.door.iter();
        listener.chain(door.map(|door| PollFd::new(door, PollFlags::IN)))
    }

    /// Who came since the last time.
    pub(super) fn arrivals(&mut self) -> Vec<Knock> {
        let sockets = std::iter::from_fn(|| self.listener.as_ref()?.accept());
        let mut arrivals: Vec<Knock> = sockets
            .map(|socket| Knock::Client(Link::Socket(socket)))
            .collect();
        arrivals.extend(self.door.as_mut().into_iter().flat_map(Door::knocks));
        arrivals
    }

    /// Removes what supervisors left here that were killed.
    pub(super) fn sweep(&self) {
        let directory = self.channel.as_deref().map(place::open);
        if let Some(Ok(directory)) = directory {
            place::sweep(&directory);
        }
    }
}
