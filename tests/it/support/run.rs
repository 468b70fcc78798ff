//! A command about to run, with or without aido in front.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::running::{Collected, Output, Running};
use super::{FORKS, TestEnv};

enum Input {
    Null,
    Bytes(Vec<u8>),
    Open,
    From(OwnedFd),
}

type Hook = Box<dyn FnMut() -> io::Result<()> + Send + Sync>;

/// A command about to run.
pub(crate) struct Run {
    program: OsString,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    directory: PathBuf,
    input: Input,
    stdout: Option<OwnedFd>,
    stderr: Option<OwnedFd>,
    merged: bool,
    hooks: Vec<Hook>,
    timeout: Duration,
}

impl Run {
    pub(super) fn prepare<I, S>(env: &TestEnv, program: &OsStr, arguments: I) -> Self
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        Run {
            program: program.to_owned(),
            arguments: arguments
                .into_iter()
                .map(|word| word.as_ref().to_owned())
                .collect(),
            environment: env.environment(),
            directory: env.work(),
            input: Input::Null,
            stdout: None,
            stderr: None,
            merged: false,
            hooks: Vec::new(),
            timeout: Duration::from_secs(20),
        }
    }

    pub(crate) fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self = self.env_remove(&name);
        self.environment
            .push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    pub(crate) fn env_remove(mut self, name: impl AsRef<OsStr>) -> Self {
        self.environment.retain(|(known, _)| known != name.as_ref());
        self
    }

    /// Starts with no variable at all (but what `env` adds afterwards).
    pub(crate) fn env_clear(mut self) -> Self {
        self.environment.clear();
        self
    }

    /// The bytes on standard input, then its end.
    pub(crate) fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = Input::Bytes(bytes.into());
        self
    }

    /// A pipe on standard input that stays open and says nothing.
    pub(crate) fn stdin_open(mut self) -> Self {
        self.input = Input::Open;
        self
    }

    pub(crate) fn stdin_file(mut self, file: impl Into<OwnedFd>) -> Self {
        self.input = Input::From(file.into());
        self
    }

    pub(crate) fn stdout_file(mut self, file: impl Into<OwnedFd>) -> Self {
        self.stdout = Some(file.into());
        self
    }

    pub(crate) fn stderr_file(mut self, file: impl Into<OwnedFd>) -> Self {
        self.stderr = Some(file.into());
        self
    }

    /// Standard error goes where standard output goes (`2>&1`).
    pub(crate) fn merged(mut self) -> Self {
        self.merged = true;
        self
    }

    pub(crate) fn current_dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.directory = path.into();
        self
    }

    /// Runs between fork and exec (after `setsid`): async-signal-safe calls only.
    pub(crate) fn before_exec(
        mut self,
        hook: impl FnMut() -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.hooks.push(Box::new(hook));
        self
    }

    pub(crate) fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = limit;
        self
    }

    /// Runs to the end.
    pub(crate) fn output(self) -> Output {
        self.spawn().wait()
    }

    pub(crate) fn spawn(self) -> Running {
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .current_dir(&self.directory)
            .env_clear();
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        let mut stdin = None;
        let mut bytes = None;
        match self.input {
            Input::Null => _ = command.stdin(Stdio::null()),
            Input::From(file) => _ = command.stdin(file),
            Input::Open | Input::Bytes(_) => {
                let (reader, writer) = io::pipe().unwrap();
                command.stdin(reader);
                stdin = Some(File::from(OwnedFd::from(writer)));
                if let Input::Bytes(given) = self.input {
                    bytes = Some(given);
                }
            }
        }
        let (wake_reader, wake) = io::pipe().unwrap();
        let wake_reader = Arc::new(OwnedFd::from(wake_reader));
        let collect = |target: Option<OwnedFd>| match target {
            Some(file) => (Collected::default(), file),
            None => {
                let (reader, writer) = io::pipe().unwrap();
                (
                    Collected::start(reader.into(), &wake_reader),
                    OwnedFd::from(writer),
                )
            }
        };
        let (stdout, target) = collect(self.stdout);
        let stderr = if self.merged {
            command.stderr(target.try_clone().unwrap());
            Collected::default()
        } else {
            let (stderr, target) = collect(self.stderr);
            command.stderr(target);
            stderr
        };
        command.stdout(target);
        let mut hooks = self.hooks;
        // SAFETY: signal and setsid are async-signal-safe, and so are the test's hooks by contract.
        unsafe {
            command.pre_exec(move || {
                // Whatever runs the tests may ignore signals, as a shell does for `cargo test &`.
                for number in 1..32 {
                    libc::signal(number, libc::SIG_DFL);
                }
                rustix::process::setsid()?;
                hooks.iter_mut().try_for_each(|hook| hook())
            });
        }
        let guard = FORKS.read().unwrap_or_else(PoisonError::into_inner);
        let child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{:?}: {error}", self.program));
        drop(guard);
        drop(command);
        if let Some(bytes) = bytes {
            let mut pipe = stdin.take().unwrap();
            thread::spawn(move || _ = pipe.write_all(&bytes));
        }
        Running {
            child,
            stdin,
            stdout,
            stderr,
            wake: Some(wake.into()),
            name: format!("{:?} {:?}", self.program, self.arguments),
            deadline: Instant::now() + self.timeout,
        }
    }
}
