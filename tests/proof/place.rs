//! A hermetic place: a home, a work tree, a directory for temporary files, and nothing of the
//! caller's.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Bench;
use super::running::Run;

/// Where programs are looked for.
pub(crate) const SEARCH_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Where sessions are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// In the work tree's own `nexus`, and while they run in the state directory.
    InRepository,
    /// Where `AIDO_SESSION_DIR` says.
    ByName,
}

/// A directory with everything that a run of aido may touch.
pub(crate) struct Place {
    root: PathBuf,
    kept: Kept,
}

impl Place {
    /// Makes one below the bench's root.
    pub(crate) fn new(bench: &Bench, name: &str, kept: Kept) -> io::Result<Self> {
        Self::at(bench.root.join(name), kept)
    }

    /// Makes one in this directory, which may be there and empty.
    pub(crate) fn at(root: PathBuf, kept: Kept) -> io::Result<Self> {
        for name in ["home", "work/.git/refs/heads", "temporary"] {
            fs::create_dir_all(root.join(name))?;
        }
        let place = Self { root, kept };
        fs::write(place.path("work/.git/HEAD"), "ref: refs/heads/main\n")?;
        let commit = "0123456789abcdef0123456789abcdef01234567\n";
        fs::write(place.path("work/.git/refs/heads/main"), commit)?;
        Ok(place)
    }

    /// A path inside.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// The place itself.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The work tree.
    pub(crate) fn work(&self) -> PathBuf {
        self.path("work")
    }

    /// The user's state directory.
    pub(crate) fn state(&self) -> PathBuf {
        self.path("home/.local/state/aido")
    }

    /// Where sessions go that belong to no repository.
    pub(crate) fn user_sessions(&self) -> PathBuf {
        self.state().join(".aisessions")
    }

    /// The session directory.
    pub(crate) fn sessions(&self) -> PathBuf {
        match self.kept {
            Kept::InRepository => self.path("work/nexus/.aisessions"),
            Kept::ByName => self.path("sessions"),
        }
    }

    /// What a command of this place has in its environment, and nothing besides.
    pub(crate) fn environment(&self) -> Vec<(OsString, OsString)> {
        let mut pairs: Vec<(OsString, OsString)> = [
            ("PATH", SEARCH_PATH),
            ("LANG", "C.UTF-8"),
            ("TERM", "xterm-256color"),
            ("SHELL", "/bin/sh"),
            ("TZ", "UTC"),
        ]
        .map(|(name, value)| (name.into(), value.into()))
        .into();
        pairs.push(("HOME".into(), self.path("home").into()));
        pairs.push(("TMPDIR".into(), self.path("temporary").into()));
        if self.kept == Kept::ByName {
            pairs.push(("AIDO_SESSION_DIR".into(), self.sessions().into()));
        }
        pairs
    }

    /// A program that is to run here.
    pub(crate) fn program(&self, program: impl AsRef<OsStr>) -> Run {
        let mut command = Command::new(program);
        command.env_clear().envs(self.environment());
        command.current_dir(self.work());
        Run::new(command)
    }

    /// aido with these arguments.
    pub(crate) fn aido<I, S>(&self, arguments: I) -> Run
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        self.program(super::aido()).arguments(arguments)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::set_permissions(&self.root, fs::Permissions::from_mode(0o755));
        let _ = fs::remove_dir_all(&self.root);
    }
}

/// Where a program is on the search path.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let mut directories = SEARCH_PATH.split(':').map(Path::new);
    directories.find_map(|directory| Some(directory.join(program)).filter(|path| path.is_file()))
}
