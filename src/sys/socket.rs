//! Local sockets in a private directory: listening, connecting, and who is at the other end.
//!
//! A socket's path is at most 107 bytes long, so it is named below its open directory, by way of
//! /proc: any directory will do, and nobody can put another in its place meanwhile.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

use super::file::Directory;

/// Connections that wait to be taken.
const BACKLOG: i32 = 64;

fn address(directory: &Directory, name: &str) -> io::Result<SocketAddrUnix> {
    let number = directory.as_fd().as_raw_fd();
    Ok(SocketAddrUnix::new(format!(
        "/proc/self/fd/{number}/{name}"
    ))?)
}

fn socket() -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    Ok(rustix::net::socket_with(
        AddressFamily::UNIX,
        SocketType::STREAM,
        flags,
        None,
    )?)
}

/// A socket that listens. Dropping it removes its name, if that is still its own.
#[derive(Debug)]
pub struct Listener {
    socket: OwnedFd,
    directory: Directory,
    name: String,
    inode: u64,
}

impl Listener {
    /// Listens under this name in a directory that must be this user's own.
    ///
    /// # Errors
    /// When there can be no socket, or the directory is not private.
    pub fn bind(directory: Directory, name: &str) -> io::Result<Self> {
        directory.check_private()?;
        let socket = socket()?;
        // Under another name first: whoever finds the socket finds it listening.
        let fresh = format!("{name}~");
        let _ = directory.remove(&fresh);
        rustix::net::bind(&socket, &address(&directory, &fresh)?)?;
        rustix::net::listen(&socket, BACKLOG)?;
        directory.replace(&fresh, name)?;
        let inode = directory.inode_of(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(Self {
            socket,
            directory,
            name: name.to_owned(),
            inode,
        })
    }

    /// Whether its name still leads to it.
    #[must_use]
    pub fn is_found(&self) -> bool {
        self.directory.inode_of(&self.name) == Some(self.inode)
    }

    /// Takes the next connection of this user's, or of root's, if there is one; others are closed.
    #[must_use]
    pub fn accept(&self) -> Option<OwnedFd> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        loop {
            match rustix::net::accept_with(&self.socket, flags) {
                Ok(connection) if is_trusted(&connection) => return Some(connection),
                Ok(_) | Err(Errno::INTR | Errno::CONNABORTED) => {}
                Err(_) => return None,
            }
        }
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if self.is_found() {
            let _ = self.directory.remove(&self.name);
        }
    }
}

/// Whether the process at the other end is this user's, or root's.
fn is_trusted(connection: &OwnedFd) -> bool {
    let own = rustix::process::geteuid();
    rustix::net::sockopt::socket_peercred(connection)
        .is_ok_and(|peer| peer.uid == own || peer.uid.is_root())
}

/// Connects to a socket in a directory that must be this user's own.
///
/// # Errors
/// When nobody listens, it is not allowed, or somebody else is at the other end.
pub fn connect(directory: &Directory, name: &str) -> io::Result<OwnedFd> {
    directory.check_private()?;
    let socket = socket()?;
    rustix::net::connect(&socket, &address(directory, name)?)?;
    match is_trusted(&socket) {
        true => Ok(socket),
        false => Err(io::ErrorKind::PermissionDenied.into()),
    }
}
