//! How a session is, in a file beside its socket: for whoever lists sessions, and must not wait for
//! one that hangs. Times are of the wall clock.

use std::io::Write;
use std::time::Duration;

use rustix::process::Pid;
use serde::{Deserialize, Serialize};

use crate::screen::Screen;
use crate::session::Timestamp;
use crate::sys::file::Directory;
use crate::sys::pty::Pty;

/// The shortest time between two writes.
const WRITE_EVERY: Duration = Duration::from_secs(1);

/// How a session is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The session's name.
    #[serde(default)]
    pub name: Option<String>,
    /// The command's process.
    #[serde(default)]
    pub command: i32,
    /// The command's terminal, as a path.
    #[serde(default)]
    pub terminal: Option<String>,
    /// When it wrote something last, in milliseconds since 1970.
    #[serde(default)]
    pub output_at_ms: i64,
    /// When something was typed to it last.
    #[serde(default)]
    pub typed_at_ms: Option<i64>,
    /// When somebody who is attached typed last.
    #[serde(default)]
    pub client_typed_at_ms: Option<i64>,
    /// How many are attached.
    #[serde(default)]
    pub attached: usize,
    /// Whether it rang since something was typed last.
    #[serde(default)]
    pub bell: bool,
    /// Whether a full-screen program has the screen.
    #[serde(default)]
    pub alternate: bool,
    /// The window's title: not harmless.
    #[serde(default)]
    pub title: String,
}

/// The file, and what is to be in it.
pub(super) struct StatusFile {
    place: Option<(Directory, String)>,
    started: Timestamp,
    status: Status,
    written: Option<Status>,
    written_at: Option<Duration>,
    is_due: bool,
    /// How much output there was.
    stamp: u64,
    /// How often it had rung when something was typed last.
    heard: u64,
}

impl StatusFile {
    pub(super) fn new(name: Option<String>, started: Timestamp) -> Self {
        Self {
            place: None,
            started,
            status: Status {
                name,
                output_at_ms: started.0.timestamp_millis(),
                ..Status::default()
            },
            written: None,
            written_at: None,
            is_due: false,
            stamp: 0,
            heard: 0,
        }
    }

    /// Where it goes from now on.
    pub(super) fn keep_in(&mut self, directory: Directory, name: String) {
        self.place = Some((directory, name));
        self.written = None;
    }

    pub(super) fn started(&mut self, command: Pid) {
        self.status.command = command.as_raw_nonzero().get();
    }

    pub(super) fn at_terminal(&mut self, terminal: &Pty) {
        if self.status.terminal.is_none() {
            let name = rustix::pty::ptsname(terminal, Vec::new()).ok();
            self.status.terminal = name.and_then(|name| name.into_string().ok());
        }
    }

    fn wall(&self, at: Duration) -> i64 {
        let millis = i64::try_from(at.as_millis()).unwrap_or(i64::MAX);
        self.started.0.timestamp_millis().saturating_add(millis)
    }

    pub(super) fn typed_at_client(&mut self, now: Duration) {
        self.status.client_typed_at_ms = Some(self.wall(now));
    }

    /// Something was typed at this time, and whoever typed knows how often it had rung.
    pub(super) fn typed(&mut self, at: Duration, bells: u64) {
        let at = Some(self.wall(at));
        if self.status.typed_at_ms != at {
            self.status.typed_at_ms = at;
            self.heard = bells;
        }
    }

    /// Notes how it is, and writes that if it is new and the last time is long enough ago.
    pub(super) fn note(&mut self, screen: &Screen, attached: usize, now: Duration) {
        if screen.stamp() > self.stamp {
            self.stamp = screen.stamp();
            self.status.output_at_ms = self.wall(now);
        }
        self.status.attached = attached;
        self.status.bell = screen.bells() > self.heard;
        self.status.alternate = screen.is_alternate();
        if self.status.title != screen.title() {
            screen.title().clone_into(&mut self.status.title);
        }
        self.is_due = self.place.is_some() && self.written.as_ref() != Some(&self.status);
        let may_write = self
            .written_at
            .is_none_or(|written| now >= written + WRITE_EVERY);
        if self.is_due && may_write {
            self.written_at = Some(now);
            // Whether or not it could be written: a full disk is no reason to try all the time.
            self.written = Some(self.status.clone());
            self.is_due = false;
            self.write();
        }
    }

    pub(super) fn due(&self) -> Option<Duration> {
        let next = self.written_at.map(|written| written + WRITE_EVERY);
        self.is_due.then(|| next.unwrap_or_default())
    }

    fn write(&self) {
        let Some((directory, name)) = &self.place else {
            return;
        };
        let fresh = format!("{name}~");
        let _ = directory.remove(&fresh);
        let Ok(mut file) = directory.create(&fresh) else {
            return;
        };
        let json = serde_json::to_vec(&self.status).unwrap_or_default();
        if file.write_all(&json).is_ok() {
            let _ = directory.replace(&fresh, name);
        }
    }

    /// The session is over.
    pub(super) fn remove(&self) {
        if let Some((directory, name)) = &self.place {
            let _ = directory.remove(name);
        }
    }
}
