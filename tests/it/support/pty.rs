//! A person at a terminal: a PTY whose slave is the controlling terminal of what runs there, while the
//! test types, reads and resizes at its master. It knows nothing of aido but where the binary is.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{Mode, OFlags, open};
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{
    OptionalActions, Termios, Winsize, tcgetattr, tcgetpgrp, tcsetattr, tcsetwinsize,
};

use super::process::{describe_process, kill_processes_of, processes_of};
use super::{FORKS, TestEnv, wait_until};

mod settings;

use settings::Settings;

const PATIENCE: Duration = Duration::from_secs(15);

/// What the interactive shell of [`Terminal::shell`] says when it waits for a line.
pub(crate) const PROMPT: &[u8] = b"PROMPT> ";

/// A terminal that nothing runs on yet: 80 columns, 24 rows.
pub(crate) struct Terminal {
    master: OwnedFd,
    slave: OwnedFd,
    environment: Vec<(OsString, OsString)>,
    directory: PathBuf,
    home: PathBuf,
    stderr: Option<OwnedFd>,
    hook: Box<dyn FnMut() -> io::Result<()> + Send + Sync>,
}

impl TestEnv {
    /// Opens a terminal. On it, `aido` is on PATH, and TERM is `xterm-256color`.
    pub(crate) fn terminal(&self) -> Terminal {
        // No test may fork between the two: the copy would keep the window open.
        let guard = FORKS.write().unwrap_or_else(PoisonError::into_inner);
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        fcntl_setfd(&master, FdFlags::CLOEXEC).unwrap();
        drop(guard);
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let slave = open(name.as_c_str(), flags, Mode::empty()).unwrap();
        let mut environment = self.environment();
        for (variable, value) in &mut environment {
            if variable == "PATH" {
                let aido = Path::new(env!("CARGO_BIN_EXE_aido"));
                let mut path = aido.parent().unwrap().as_os_str().to_owned();
                path.push(":");
                path.push(&*value);
                *value = path;
            }
        }
        environment.retain(|(variable, _)| variable != "TERM");
        environment.push(("TERM".into(), "xterm-256color".into()));
        let terminal = Terminal {
            master,
            slave,
            environment,
            directory: self.work(),
            home: self.home(),
            stderr: None,
            hook: Box::new(|| Ok(())),
        };
        terminal.size(80, 24)
    }
}

impl Terminal {
    pub(crate) fn size(self, columns: u16, rows: u16) -> Self {
        tcsetwinsize(&self.master, window(columns, rows)).unwrap();
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Changes the terminal's settings before anything runs.
    pub(crate) fn settings(self, change: impl FnOnce(&mut Termios)) -> Self {
        let mut settings = tcgetattr(&self.slave).unwrap();
        change(&mut settings);
        tcsetattr(&self.slave, OptionalActions::Now, &settings).unwrap();
        self
    }

    /// Standard error goes elsewhere than to the terminal.
    pub(crate) fn stderr(mut self, target: impl Into<OwnedFd>) -> Self {
        self.stderr = Some(target.into());
        self
    }

    /// Runs between fork and exec: async-signal-safe calls only.
    pub(crate) fn before_exec(
        mut self,
        hook: impl FnMut() -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.hook = Box::new(hook);
        self
    }

    /// Runs aido in this mode with these arguments.
    pub(crate) fn aido<S: AsRef<OsStr>>(
        self,
        mode: &str,
        arguments: impl IntoIterator<Item = S>,
    ) -> PtySession {
        let mut words: Vec<OsString> = ["aido", "--tty", mode].map(Into::into).into();
        words.extend(arguments.into_iter().map(|word| word.as_ref().to_owned()));
        self.run(words)
    }

    /// Runs a shell line; the shell stays the leader of the terminal's session.
    pub(crate) fn line(self, line: &str) -> PtySession {
        self.run(["sh", "-c", &format!("{line}\nexit $?")])
    }

    /// Starts an interactive shell with job control and waits for its prompt.
    pub(crate) fn shell(self) -> PtySession {
        let terminal = self.env("PS1", std::str::from_utf8(PROMPT).unwrap());
        let mut session = terminal.run(["bash", "--norc", "--noprofile", "--noediting", "-i"]);
        session.wait_for(PROMPT);
        session
    }

    /// Runs a program as the leader of a new session that has this controlling terminal.
    pub(crate) fn run<S: AsRef<OsStr>>(self, words: impl IntoIterator<Item = S>) -> PtySession {
        let mut words = words.into_iter();
        let program = words.next().expect("a program to run").as_ref().to_owned();
        let mut command = Command::new(&program);
        command
            .args(words)
            .current_dir(&self.directory)
            .env_clear()
            .envs(self.environment);
        command.stdin(self.slave.try_clone().unwrap());
        command.stdout(self.slave.try_clone().unwrap());
        command.stderr(
            self.stderr
                .unwrap_or_else(|| self.slave.try_clone().unwrap()),
        );
        let before = Settings::of(&self.slave);
        let slave = self.slave.try_clone().unwrap();
        let mut hook = self.hook;
        // SAFETY: between fork and exec, the closure makes three kinds of system calls and allocates nothing; the test's hook likewise, by contract.
        unsafe {
            command.pre_exec(move || {
                rustix::process::setsid()?;
                rustix::process::ioctl_tiocsctty(&slave)?;
                default_signals()?;
                hook()
            });
        }
        let guard = FORKS.read().unwrap_or_else(PoisonError::into_inner);
        let child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{program:?}: {error}"));
        drop(guard);
        drop(command);
        let (wake_reader, wake) = io::pipe().unwrap();
        let screen = Arc::new(Screen::default());
        let (shared, source) = (Arc::clone(&screen), self.master.try_clone().unwrap());
        let reader = thread::spawn(move || shared.read(&source, &OwnedFd::from(wake_reader)));
        PtySession {
            child,
            master: Some(File::from(self.master)),
            slave: self.slave,
            before,
            screen,
            cursor: 0,
            reader: Some((reader, wake.into())),
            home: self.home,
        }
    }
}

/// Gives the signals that a shell's `&`, nohup or a test runner may have left ignored their default
/// action; for `before_exec`.
pub(crate) fn default_signals() -> io::Result<()> {
    for signal in [
        libc::SIGHUP,
        libc::SIGINT,
        libc::SIGQUIT,
        libc::SIGTERM,
        libc::SIGTSTP,
        libc::SIGTTIN,
        libc::SIGTTOU,
        libc::SIGCHLD,
    ] {
        // SAFETY: signal(2) with SIG_DFL installs no code and is async-signal-safe.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    Ok(())
}

fn window(columns: u16, rows: u16) -> Winsize {
    Winsize {
        ws_col: columns,
        ws_row: rows,
        ws_xpixel: 0,
        ws_ypixel: 0,
    }
}

/// What has appeared on the terminal.
#[derive(Default)]
struct Screen {
    bytes: Mutex<Vec<u8>>,
    arrived: Condvar,
}

impl Screen {
    /// Collects until the terminal is gone or `wake` hangs up. The lock is held from the read to the
    /// append, so that who holds it and finds the terminal empty has seen everything.
    fn read(&self, source: &OwnedFd, wake: &OwnedFd) {
        let mut chunk = vec![0; 65536];
        loop {
            let mut polled = [
                PollFd::from_borrowed_fd(source.as_fd(), PollFlags::IN),
                PollFd::from_borrowed_fd(wake.as_fd(), PollFlags::IN),
            ];
            if poll(&mut polled, None).is_err() {
                continue;
            }
            if !polled[1].revents().is_empty() {
                return;
            }
            let mut bytes = self.bytes.lock().unwrap();
            match rustix::io::read(source, &mut chunk[..]) {
                Ok(0) => return,
                Ok(length) => bytes.extend_from_slice(&chunk[..length]),
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return,
            }
            self.arrived.notify_all();
        }
    }
}

/// A program that runs on a terminal. Dropping it ends everything that was started there.
pub(crate) struct PtySession {
    child: Child,
    master: Option<File>,
    slave: OwnedFd,
    before: Settings,
    screen: Arc<Screen>,
    cursor: usize,
    reader: Option<(JoinHandle<()>, OwnedFd)>,
    home: PathBuf,
}

impl PtySession {
    pub(crate) fn pid(&self) -> i32 {
        self.child.id() as i32
    }

    /// Types these bytes.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let master = self.master.as_mut().expect("an open window");
        master.write_all(bytes.as_ref()).unwrap();
    }

    /// Waits until these bytes appear after the ones that were last waited for.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, awaited: impl AsRef<[u8]>) {
        let awaited = awaited.as_ref();
        let deadline = Instant::now() + PATIENCE;
        let mut bytes = self.screen.bytes.lock().unwrap();
        loop {
            let unseen = &bytes[self.cursor..];
            if let Some(at) = unseen
                .windows(awaited.len())
                .position(|window| window == awaited)
            {
                self.cursor += at + awaited.len();
                return;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                drop(bytes);
                self.give_up(&format!("no {:?}", awaited.escape_ascii().to_string()));
            }
            bytes = self.screen.arrived.wait_timeout(bytes, left).unwrap().0;
        }
    }

    pub(crate) fn output_so_far(&self) -> Vec<u8> {
        self.screen.bytes.lock().unwrap().clone()
    }

    /// How often these bytes have appeared.
    pub(crate) fn count(&self, text: &str) -> usize {
        let output = self.output_so_far();
        output
            .windows(text.len())
            .filter(|window| *window == text.as_bytes())
            .count()
    }

    /// The process group that the keys of the terminal act on.
    pub(crate) fn foreground_group(&self) -> i32 {
        let master = self.master.as_ref().expect("an open window");
        tcgetpgrp(master).map_or(0, |group| group.as_raw_nonzero().get())
    }

    /// Resizes the window, which tells the foreground process group.
    pub(crate) fn resize(&self, columns: u16, rows: u16) {
        tcsetwinsize(
            self.master.as_ref().expect("an open window"),
            window(columns, rows),
        )
        .unwrap();
    }

    pub(crate) fn attributes(&self) -> Settings {
        Settings::of(&self.slave)
    }

    /// What [`Self::attributes`] were before anything ran.
    pub(crate) fn attributes_before(&self) -> &Settings {
        &self.before
    }

    /// The terminal must be as it was before anything ran.
    #[track_caller]
    pub(crate) fn assert_restored(&self, what: &str) {
        assert_eq!(
            self.attributes(),
            *self.attributes_before(),
            "terminal settings: {what}"
        );
    }

    /// Waits until the program has ended and all that it wrote is here.
    #[track_caller]
    pub(crate) fn wait_exit(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if Instant::now() >= deadline {
                self.give_up("it did not end");
            }
            thread::sleep(Duration::from_millis(2));
        };
        if let Some(master) = self.master.as_ref().filter(|_| self.reader.is_some()) {
            wait_until("everything on the terminal is read", || {
                let _bytes = self.screen.bytes.lock().unwrap();
                let mut polled = [PollFd::from_borrowed_fd(master.as_fd(), PollFlags::IN)];
                let now = rustix::event::Timespec {
                    tv_sec: 0,
                    tv_nsec: 0,
                };
                poll(&mut polled, Some(&now)).is_ok_and(|ready| ready == 0)
            });
        }
        status
    }

    /// As [`Self::wait_exit`], told as a shell would: 128 and the number for a signal.
    #[track_caller]
    pub(crate) fn wait_code(&mut self) -> i32 {
        let status = self.wait_exit();
        status
            .code()
            .unwrap_or_else(|| 128 + status.signal().unwrap())
    }

    /// Closes the window: the terminal hangs up.
    pub(crate) fn close_master(&mut self) {
        self.stop_reading();
        self.master = None;
    }

    /// Takes no more output from the terminal, which soon is full.
    pub(crate) fn stop_reading(&mut self) {
        if let Some((reader, wake)) = self.reader.take() {
            drop(wake);
            let _ = reader.join();
        }
    }

    #[track_caller]
    fn give_up(&self, why: &str) -> ! {
        let alive: Vec<String> = processes_of(&self.home)
            .into_iter()
            .map(describe_process)
            .collect();
        let output = self.output_so_far();
        let (seen, unseen) = output.split_at(self.cursor);
        let tail = |bytes: &[u8]| {
            bytes[bytes.len().saturating_sub(1000)..]
                .escape_ascii()
                .to_string()
        };
        panic!(
            "{why}\nseen: {}\nsince: {}\nalive: {alive:#?}",
            tail(seen),
            tail(unseen)
        );
    }
}

impl Drop for PtySession {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|status| status.is_none()) {
            kill_processes_of(&self.home);
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        self.stop_reading();
    }
}
