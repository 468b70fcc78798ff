//! Running git on aido's own directory: with a clean environment, without a terminal, within a time.
//!
//! Variables that git itself reads are not passed on, so neither a hook around aido nor a caller's settings
//! can lead it anywhere else, and git itself is none that stands in the work tree. The user's own configuration
//! file holds, because it says which files are ignored; what in it could run a program or change bytes is
//! overruled.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::home::{ALTERNATES, INDEX_FILE};
use super::repository::Repository;
use super::{Problem, program};
use crate::clock::Stopwatch;
use crate::environment::Environment;
use crate::sys::bounded::{self, Ended, Started};

/// What git is told each time, whatever the user's configuration says.
const OVERRULED: &[&str] = &[
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.attributesFile=/dev/null",
    "core.untrackedCache=false",
    "core.splitIndex=false",
    "core.preloadIndex=true",
    "core.fsync=none",
    "core.autocrlf=false",
    "core.safecrlf=false",
    "core.fileMode=true",
    "core.symlinks=true",
    "core.ignoreCase=false",
    "core.precomposeUnicode=false",
    "core.protectHFS=false",
    "core.protectNTFS=false",
    "core.trustctime=true",
    "core.checkStat=default",
    "core.quotePath=true",
    "core.sparseCheckout=true",
    "index.sparse=false",
    "index.skipHash=true",
    "commit.gpgSign=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "diff.external=",
    "diff.ignoreSubmodules=none",
    "diff.submodule=short",
    "color.ui=false",
    "safe.bareRepository=all",
    // Not every git knows the variable that keeps it from fetching.
    "protocol.allow=never",
];

/// git's own directory, work tree and index for one purpose, and how long it may take.
#[derive(Clone, Debug)]
pub struct Git {
    /// Where it is; none if it isn't anywhere.
    program: Option<PathBuf>,
    /// The variables that every call gets.
    variables: Vec<(OsString, OsString)>,
    /// What it is told besides what is always overruled.
    settings: Vec<OsString>,
    /// Whether only the user may read what it writes.
    is_private: bool,
    directory: PathBuf,
    limit: Duration,
    watch: Stopwatch,
}

impl Git {
    /// git on the directory `git_directory`, working in `current`; it is none of `repository`'s own.
    #[must_use]
    pub fn new(
        git_directory: &Path,
        current: &Path,
        repository: &Repository,
        environment: &Environment,
        limit: Duration,
    ) -> Self {
        let foreign = environment.all().iter();
        let foreign = foreign.filter(|(name, _)| !is_for_git(name));
        let mut git = Self {
            program: program::find(environment, repository),
            variables: foreign.cloned().collect(),
            settings: Vec::new(),
            is_private: false,
            directory: current.to_owned(),
            limit,
            watch: Stopwatch::start(),
        };
        for (name, value) in [
            ("GIT_DIR", git_directory.as_os_str()),
            ("GIT_OPTIONAL_LOCKS", OsStr::new("0")),
            ("GIT_TERMINAL_PROMPT", OsStr::new("0")),
            ("GIT_NO_REPLACE_OBJECTS", OsStr::new("1")),
            ("GIT_NO_LAZY_FETCH", OsStr::new("1")),
            ("GIT_LITERAL_PATHSPECS", OsStr::new("1")),
            ("LC_ALL", OsStr::new("C")),
        ] {
            git.set(name, value);
        }
        git
    }

    /// Sets a variable of all calls from here on.
    pub fn set(&mut self, name: &str, value: impl Into<OsString>) {
        self.variables.push((name.into(), value.into()));
    }

    /// Takes a variable from all calls from here on.
    pub fn unset(&mut self, name: &str) {
        self.variables.retain(|(known, _)| known != name);
    }

    /// Tells it a setting, `name=value`, in all calls from here on.
    pub fn tell(&mut self, setting: impl Into<OsString>) {
        self.settings.push(setting.into());
    }

    /// The same git that sees aido's own objects and no others, and writes what only the user may read.
    #[must_use]
    pub fn alone(&self) -> Self {
        let mut alone = self.private();
        alone.unset(ALTERNATES);
        alone
    }

    /// The same git that writes what only the user may read.
    #[must_use]
    pub fn private(&self) -> Self {
        let mut private = self.clone();
        private.is_private = true;
        private
    }

    /// The same git on another directory, without any index.
    #[must_use]
    pub fn of(&self, git_directory: &Path) -> Self {
        let mut other = self.clone();
        for name in [ALTERNATES, INDEX_FILE, "GIT_DIR"] {
            other.unset(name);
        }
        other.set("GIT_DIR", git_directory);
        other
    }

    /// The time that is left.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.limit.saturating_sub(self.watch.elapsed())
    }

    /// The time since it was made.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.watch.elapsed()
    }

    /// What git prints.
    ///
    /// # Errors
    /// When it fails, isn't there, or the time is over.
    pub fn print<A: AsRef<OsStr>>(
        &self,
        what: &'static str,
        arguments: &[A],
        input: &[u8],
    ) -> Result<Vec<u8>, Problem> {
        let mut printed = Vec::new();
        self.stream(what, arguments, input, &mut |bytes| {
            printed.extend_from_slice(bytes);
            Ok(())
        })?;
        Ok(printed)
    }

    /// The one word that git prints, such as an object's name.
    ///
    /// # Errors
    /// As [`Git::print`].
    pub fn word<A: AsRef<OsStr>>(
        &self,
        what: &'static str,
        arguments: &[A],
        input: &[u8],
    ) -> Result<String, Problem> {
        let printed = self.print(what, arguments, input)?;
        let word = String::from_utf8(printed).map_err(|_| Problem::Unreadable { what })?;
        Ok(word.trim().to_owned())
    }

    /// Hands over what git prints, piece by piece.
    ///
    /// # Errors
    /// As [`Git::print`]; and what `take` said.
    pub fn stream<A: AsRef<OsStr>>(
        &self,
        what: &'static str,
        arguments: &[A],
        input: &[u8],
        take: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<(), Problem> {
        let mut command = self.command(arguments)?;
        let ended = bounded::run(&mut command, input, &|| self.remaining(), take);
        self.judge(what, ended).map(drop)
    }

    /// Starts git beside whatever else is done, and doesn't wait; see [`Git::answer`].
    ///
    /// # Errors
    /// When it isn't there.
    pub fn ask<A: AsRef<OsStr>>(
        &self,
        what: &'static str,
        arguments: &[A],
    ) -> Result<Asked, Problem> {
        let started = bounded::start(&mut self.command(arguments)?);
        let started = started.map_err(|error| self.problem(what, &error))?;
        Ok(Asked { what, started })
    }

    /// What a git that was started prints, and what it complains of, once it has ended.
    ///
    /// # Errors
    /// As [`Git::print`].
    pub fn answer(&self, asked: Asked) -> Result<(Vec<u8>, Vec<u8>), Problem> {
        let finished = asked.started.finish(&|| self.remaining());
        let (ended, printed) = match finished {
            Ok((ended, printed)) => (Ok(ended), printed),
            Err(error) => (Err(error), Vec::new()),
        };
        let said = self.judge(asked.what, ended)?;
        Ok((printed, said))
    }

    fn command<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Result<Command, Problem> {
        let mut command = Command::new(self.program.as_ref().ok_or(Problem::NoGit)?);
        for setting in OVERRULED {
            command.args(["-c", setting]);
        }
        for setting in &self.settings {
            command.arg("-c").arg(setting);
        }
        if self.is_private {
            bounded::keep_private(&mut command);
        }
        let variables = self.variables.iter();
        command
            .args(arguments)
            .current_dir(&self.directory)
            .env_clear()
            .envs(variables.map(|(name, value)| (name, value)));
        Ok(command)
    }

    /// Why git, or what stands in for it, did not do what it was to do.
    pub(super) fn problem(&self, what: &'static str, error: &io::Error) -> Problem {
        match error.kind() {
            io::ErrorKind::TimedOut => Problem::TooLong(self.limit),
            io::ErrorKind::NotFound if self.directory.is_dir() => Problem::NoGit,
            _ => Problem::Git {
                what,
                said: error.to_string(),
            },
        }
    }

    fn judge(&self, what: &'static str, ended: io::Result<Ended>) -> Result<Vec<u8>, Problem> {
        let ended = ended.map_err(|error| self.problem(what, &error))?;
        if ended.is_success {
            return Ok(ended.said);
        }
        let said = String::from_utf8_lossy(&ended.said);
        let line = said.lines().find(|line| !line.trim().is_empty());
        Err(Problem::Git {
            what,
            said: line.unwrap_or("it failed").to_owned(),
        })
    }
}

/// A git that runs beside its caller.
#[derive(Debug)]
pub struct Asked {
    what: &'static str,
    started: Started,
}

/// Whether git reads a variable, or prints because of it.
fn is_for_git(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.starts_with(b"GIT_") || name == b"LC_ALL" || name == b"LANGUAGE"
}
