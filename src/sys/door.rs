//! Named pipes in a private directory, for where sockets are forbidden: a door that clients knock at,
//! and a pair of pipes for each who is let in.
//!
//! Invariants: a knock is one write of at most `PIPE_BUF` bytes, so it arrives whole or not at all; a
//! client has both of its pipes open before it knocks, so the door opens them without waiting or finds
//! nobody; every pipe is this user's own, and nobody else may open it; their names go as soon as both
//! sides have them open.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;

use super::file::Directory;
use super::link::Link;
use super::random;

/// Pipes are this user's.
const PRIVATE: Mode = Mode::RUSR.union(Mode::WUSR);
/// What a pipe takes in one piece (`PIPE_BUF`).
const KNOCK_BYTES: usize = 4096;
/// The bytes of a client's number.
const NUMBER_BYTES: usize = 8;
/// The most that is read of the door at once; what waits beyond is read next time.
const READ_BYTES: usize = 64 * 1024;
/// Begins a message that wants no answer.
const MESSAGE: u8 = b'!';
/// The endings of the door, and of a client's two pipes.
const DOOR: &str = "d";
const QUESTIONS: &str = "q";
const ANSWERS: &str = "a";

/// Who knocked.
#[derive(Debug)]
pub enum Knock {
    /// A client, and the way to it.
    Client(Link),
    /// Somebody who said this and left.
    Message(Vec<u8>),
}

/// A door. Dropping it removes its name, if that is still its own, and what clients left beside it.
#[derive(Debug)]
pub struct Door {
    pipe: OwnedFd,
    directory: Directory,
    stem: String,
    inode: u64,
    /// A knock that has not come whole.
    held: Vec<u8>,
}

fn door_name(stem: &str) -> String {
    format!("{stem}.{DOOR}")
}

fn pipe_name(stem: &str, number: &str, ending: &str) -> String {
    format!("{stem}.{number}.{ending}")
}

impl Door {
    /// Makes a door in a directory that must be this user's own.
    ///
    /// # Errors
    /// When there can be no pipe, or the directory is not private.
    pub fn open(directory: Directory, stem: &str) -> io::Result<Self> {
        directory.check_private()?;
        let (name, fresh) = (door_name(stem), format!("{stem}.{DOOR}~"));
        let _ = directory.remove(&fresh);
        make(&directory, &fresh)?;
        // For writing, too: so it never ends, however many come and go. Opened before it can be found.
        let pipe = open(&directory, &fresh, OFlags::RDWR)?;
        directory.replace(&fresh, &name)?;
        let inode = directory.inode_of(&name).ok_or(io::ErrorKind::NotFound)?;
        Ok(Self {
            pipe,
            directory,
            stem: stem.to_owned(),
            inode,
            held: Vec::new(),
        })
    }

    /// Whether its name still leads to it.
    #[must_use]
    pub fn is_found(&self) -> bool {
        self.directory.inode_of(&door_name(&self.stem)) == Some(self.inode)
    }

    /// Who knocked since the last time.
    pub fn knocks(&mut self) -> Vec<Knock> {
        let mut piece = Vec::with_capacity(READ_BYTES);
        if rustix::io::read(&self.pipe, spare_capacity(&mut piece)).is_err() {
            return Vec::new();
        }
        self.held.append(&mut piece);
        let whole = self.held.iter().rposition(|byte| *byte == b'\n');
        let Some(end) = whole else {
            // No knock is as long.
            if self.held.len() > KNOCK_BYTES {
                self.held.clear();
            }
            return Vec::new();
        };
        let rest = self.held.split_off(end + 1);
        let said = std::mem::replace(&mut self.held, rest);
        let lines = said.split(|byte| *byte == b'\n');
        lines.filter_map(|line| self.answer(line)).collect()
    }

    fn answer(&self, line: &[u8]) -> Option<Knock> {
        if let Some((&MESSAGE, message)) = line.split_first() {
            return Some(Knock::Message(message.to_vec()));
        }
        let number = std::str::from_utf8(line).ok()?;
        let is_number =
            number.len() == 2 * NUMBER_BYTES && number.bytes().all(|byte| byte.is_ascii_hexdigit());
        // Whoever is gone meanwhile is not let in.
        is_number
            .then(|| self.let_in(number).ok())?
            .map(Knock::Client)
    }

    fn let_in(&self, number: &str) -> io::Result<Link> {
        let names = [QUESTIONS, ANSWERS].map(|ending| pipe_name(&self.stem, number, ending));
        let from = open(&self.directory, &names[0], OFlags::RDONLY);
        let to = open(&self.directory, &names[1], OFlags::WRONLY);
        for name in &names {
            let _ = self.directory.remove(name);
        }
        Ok(Link::Pipes {
            from: from?,
            to: to?,
        })
    }
}

impl AsFd for Door {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pipe.as_fd()
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        if self.is_found() {
            let _ = self.directory.remove(&door_name(&self.stem));
        }
        remove_pipes(&self.directory, &self.stem);
    }
}

/// Removes the pipes of clients that ended before they were let in.
fn remove_pipes(directory: &Directory, stem: &str) {
    let mut left = Vec::new();
    let mut note = |name: &OsStr| {
        let name = name.to_string_lossy();
        let of_client = name
            .strip_prefix(stem)
            .and_then(|rest| rest.strip_prefix('.'));
        let mut parts = of_client.into_iter().flat_map(|rest| rest.split('.'));
        let (number, ending) = (parts.next(), parts.next());
        if number.is_some() && matches!(ending, Some(QUESTIONS | ANSWERS)) {
            left.push(name.into_owned());
        }
    };
    let _ = directory.each_name(&mut note);
    for name in left {
        let _ = directory.remove(&name);
    }
}

/// Knocks, and waits at most this long to be let in.
///
/// # Errors
/// When nobody is behind the door, or it is not this user's.
pub fn knock(directory: &Directory, stem: &str, patience: Duration) -> io::Result<Link> {
    let door = to_door(directory, stem)?;
    let number = hex::encode(random::bytes::<NUMBER_BYTES>()?);
    let pipes = Pipes::make(directory, stem, &number)?;
    let from = open(directory, &pipes.names[1], OFlags::RDONLY)?;
    // As if somebody read it already: without a reader it can't be opened for writing.
    let held = open(directory, &pipes.names[0], OFlags::RDWR)?;
    say(&door, format!("{number}\n").as_bytes())?;
    let mut polled = [PollFd::new(&from, PollFlags::IN)];
    let time = Timespec::try_from(patience).ok();
    match rustix::event::poll(&mut polled, time.as_ref()) {
        Ok(0) => Err(io::ErrorKind::TimedOut.into()),
        Ok(_) if !polled[0].revents().contains(PollFlags::IN) => {
            Err(io::ErrorKind::ConnectionRefused.into())
        }
        Ok(_) => {
            // The names may be gone, so by way of the descriptor that is there.
            // Without /proc it stays as it is: the other way tells when the door's side is gone.
            let to = super::stream::reopen_to_write(held.as_fd()).unwrap_or(held);
            Ok(Link::Pipes { from, to })
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether a door is there that nobody is behind any more.
#[must_use]
pub fn is_abandoned(directory: &Directory, name: &str) -> bool {
    let opened = open(directory, name, OFlags::WRONLY);
    opened.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}

/// The stem of a door, if a file's name is one's.
#[must_use]
pub fn stem_of(name: &str) -> Option<&str> {
    name.strip_suffix(DOOR)?.strip_suffix('.')
}

/// Removes a door, and the pipes of clients that ended before they were let in.
pub fn clear(directory: &Directory, stem: &str) {
    let _ = directory.remove(&door_name(stem));
    remove_pipes(directory, stem);
}

/// Says something at the door that wants no answer, and leaves.
///
/// # Errors
/// When nobody is behind the door, or it is not this user's; when it is too long for one knock.
pub fn leave_message(directory: &Directory, stem: &str, message: &[u8]) -> io::Result<()> {
    let mut line = vec![MESSAGE];
    line.extend_from_slice(message);
    line.push(b'\n');
    say(&to_door(directory, stem)?, &line)
}

fn to_door(directory: &Directory, stem: &str) -> io::Result<OwnedFd> {
    directory.check_private()?;
    open(directory, &door_name(stem), OFlags::WRONLY)
}

fn say(door: &OwnedFd, line: &[u8]) -> io::Result<()> {
    if line.len() > KNOCK_BYTES {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    // Whole or not at all.
    match rustix::io::write(door, line) {
        Ok(_) => Ok(()),
        Err(Errno::AGAIN) => Err(io::ErrorKind::TimedOut.into()),
        Err(error) => Err(error.into()),
    }
}

/// A client's pipes, whose names go with this.
struct Pipes<'d> {
    directory: &'d Directory,
    names: [String; 2],
}

impl<'d> Pipes<'d> {
    fn make(directory: &'d Directory, stem: &str, number: &str) -> io::Result<Self> {
        let names = [QUESTIONS, ANSWERS].map(|ending| pipe_name(stem, number, ending));
        let pipes = Self { directory, names };
        for name in &pipes.names {
            make(directory, name)?;
        }
        Ok(pipes)
    }
}

impl Drop for Pipes<'_> {
    fn drop(&mut self) {
        for name in &self.names {
            let _ = self.directory.remove(name);
        }
    }
}

fn make(directory: &Directory, name: &str) -> io::Result<()> {
    rustix::fs::mknodat(directory, name, FileType::Fifo, PRIVATE, 0)?;
    Ok(())
}

/// Opens a pipe without waiting; anything but a private pipe of this user's is refused. Without anybody
/// who reads it, it can't be opened to write only.
fn open(directory: &Directory, name: &str, way: OFlags) -> io::Result<OwnedFd> {
    let flags = way | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::NOCTTY | OFlags::CLOEXEC;
    let pipe = match rustix::fs::openat(directory, name, flags, Mode::empty()) {
        Ok(pipe) => pipe,
        Err(Errno::NXIO) => return Err(io::ErrorKind::ConnectionRefused.into()),
        Err(error) => return Err(error.into()),
    };
    let status = rustix::fs::fstat(&pipe)?;
    let is_own = FileType::from_raw_mode(status.st_mode) == FileType::Fifo
        && status.st_uid == rustix::process::geteuid().as_raw()
        && Mode::from_raw_mode(status.st_mode)
            .difference(PRIVATE)
            .is_empty();
    match is_own {
        true => Ok(pipe),
        false => Err(io::ErrorKind::PermissionDenied.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::link::Taken;

    fn place() -> (tempfile::TempDir, Directory) {
        let place = tempfile::tempdir().unwrap();
        let directory = Directory::open(place.path()).unwrap();
        (place, directory)
    }

    const PATIENCE: Duration = Duration::from_secs(20);

    fn client(knocks: Vec<Knock>) -> Link {
        match knocks.into_iter().next() {
            Some(Knock::Client(link)) => link,
            other => panic!("{other:?}"),
        }
    }

    fn names(place: &tempfile::TempDir) -> Vec<String> {
        let entries = std::fs::read_dir(place.path()).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    #[test]
    fn who_knocks_is_let_in_and_leaves_no_name() {
        let (place, directory) = place();
        let mut door = Door::open(directory.try_clone().unwrap(), "x").unwrap();
        let caller = std::thread::spawn(move || {
            let link = knock(&directory, "x", PATIENCE).unwrap();
            assert_eq!(link.send(b"question"), Some(8));
            let mut answer = Vec::with_capacity(20);
            while !answer.ends_with(b"answer") {
                let mut polled = [PollFd::from_borrowed_fd(link.reader(), PollFlags::IN)];
                rustix::event::poll(&mut polled, None).unwrap();
                assert_eq!(link.take(&mut answer), Taken::Some);
            }
        });
        let wait = |fd: BorrowedFd<'_>| {
            let mut polled = [PollFd::from_borrowed_fd(fd, PollFlags::IN)];
            rustix::event::poll(&mut polled, None).unwrap();
        };
        wait(door.as_fd());
        let link = client(door.knocks());
        assert_eq!(link.send(b"hello "), Some(6));
        wait(link.reader());
        let mut question = Vec::with_capacity(20);
        assert_eq!(link.take(&mut question), Taken::Some);
        assert_eq!(question, b"question");
        assert_eq!(link.send(b"answer"), Some(6));
        caller.join().unwrap();
        assert_eq!(link.take(&mut question), Taken::End, "the caller is gone");
        assert_eq!(link.send(b"more"), None);
        assert_eq!(names(&place), ["x.d"]);
        drop(door);
        assert_eq!(names(&place), [""; 0]);
    }

    #[test]
    fn nobody_behind_the_door_is_told_at_once() {
        let (_place, directory) = place();
        let refused = |directory: &Directory| knock(directory, "x", PATIENCE).unwrap_err().kind();
        assert_eq!(refused(&directory), io::ErrorKind::NotFound);
        make(&directory, "x.d").unwrap();
        assert_eq!(refused(&directory), io::ErrorKind::ConnectionRefused);
        directory.remove("x.d").unwrap();
        directory.create("x.d").unwrap();
        assert_eq!(refused(&directory), io::ErrorKind::PermissionDenied);
    }

    #[test]
    fn nonsense_at_the_door_lets_nobody_in() {
        let (place, directory) = place();
        let mut door = Door::open(directory.try_clone().unwrap(), "x").unwrap();
        let out = to_door(&directory, "x").unwrap();
        let said = b"\n../../etc/pass\n0123456789abcdef\n\xff\xff\n0123456789abcdeg\n!{\"a\":1}\n!";
        rustix::io::write(&out, said).unwrap();
        let knocks = door.knocks();
        assert_eq!(knocks.len(), 1, "{knocks:?}");
        assert!(matches!(&knocks[0], Knock::Message(message) if message == b"{\"a\":1}"));
        leave_message(&directory, "x", b"half").unwrap();
        // The rest of what came in two pieces.
        assert!(matches!(&door.knocks()[..], [Knock::Message(message)] if message == b"!half"));
        assert!(leave_message(&directory, "x", &[b'x'; KNOCK_BYTES]).is_err());
        // A pipe that others could open is none of a client's.
        let number = "0123456789abcdef";
        let pipes = Pipes::make(&directory, "x", number).unwrap();
        let path = place.path().join(&pipes.names[0]);
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o622)).unwrap();
        let _from = open(&directory, &pipes.names[1], OFlags::RDONLY).unwrap();
        rustix::io::write(&out, format!("{number}\n").as_bytes()).unwrap();
        assert!(door.knocks().is_empty());
    }
}
