//! A command that runs, and how it ended.

use std::fmt;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, Signal, kill_process};

use super::process::{descendants, describe_process, process_is_alive};
use super::{contains, wait_until};

/// What came through one pipe so far.
#[derive(Default)]
pub(super) struct Collected {
    bytes: Arc<(Mutex<Vec<u8>>, Condvar)>,
    thread: Option<JoinHandle<()>>,
}

impl Collected {
    /// Reads to the end, or, once `wake` hangs up, until nothing more is there.
    pub(super) fn start(source: OwnedFd, wake: &Arc<OwnedFd>) -> Self {
        let bytes = Arc::new((Mutex::new(Vec::new()), Condvar::new()));
        let (shared, wake) = (Arc::clone(&bytes), Arc::clone(wake));
        let thread = thread::spawn(move || {
            let mut source = File::from(source);
            let mut chunk = vec![0; 65536];
            loop {
                let mut polled = [
                    PollFd::from_borrowed_fd(source.as_fd(), PollFlags::IN),
                    PollFd::from_borrowed_fd(wake.as_fd(), PollFlags::IN),
                ];
                if poll(&mut polled, None).is_err() {
                    continue;
                }
                if polled[0].revents().is_empty() {
                    return;
                }
                match source.read(&mut chunk) {
                    Ok(0) | Err(_) => return,
                    Ok(length) => {
                        shared.0.lock().unwrap().extend_from_slice(&chunk[..length]);
                        shared.1.notify_all();
                    }
                }
            }
        });
        Collected {
            bytes,
            thread: Some(thread),
        }
    }

    fn so_far(&self) -> Vec<u8> {
        self.bytes.0.lock().unwrap().clone()
    }

    fn finish(&mut self) -> Vec<u8> {
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
        self.so_far()
    }
}

/// A command that runs. Dropping it ends it and its descendants.
pub(crate) struct Running {
    pub(super) child: Child,
    pub(super) stdin: Option<File>,
    pub(super) stdout: Collected,
    pub(super) stderr: Collected,
    /// Hung up when the command has ended: the readers then stop at an empty pipe.
    pub(super) wake: Option<OwnedFd>,
    pub(super) name: String,
    pub(super) deadline: Instant,
}

impl Running {
    pub(crate) fn pid(&self) -> i32 {
        self.child.id() as i32
    }

    /// Sends a signal to this one process.
    pub(crate) fn signal(&self, number: i32) {
        let signal = Signal::from_named_raw(number).expect("a signal's number");
        kill_process(Pid::from_raw(self.pid()).unwrap(), signal).unwrap();
    }

    /// Kills it as `kill -9` does, and waits until what it leaves behind to end its command is gone too.
    pub(crate) fn kill(self) {
        let family = descendants(self.pid());
        self.signal(libc::SIGKILL);
        let name = self.name.clone();
        self.wait();
        wait_until(&format!("{name} and its command are gone"), || {
            !family.iter().any(|pid| process_is_alive(*pid))
        });
    }

    /// Writes to the open standard input.
    pub(crate) fn write_stdin(&mut self, bytes: &[u8]) {
        self.stdin
            .as_mut()
            .expect("an open standard input")
            .write_all(bytes)
            .unwrap();
    }

    /// Ends the open standard input.
    pub(crate) fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Waits until these bytes have come on standard output.
    pub(crate) fn wait_for_stdout(&self, awaited: &[u8]) {
        let (bytes, arrived) = &*self.stdout.bytes;
        let mut seen = bytes.lock().unwrap();
        while !contains(&seen, awaited) {
            let over = self
                .stdout
                .thread
                .as_ref()
                .is_some_and(JoinHandle::is_finished);
            if over || Instant::now() >= self.deadline {
                drop(seen);
                let awaited = awaited.escape_ascii();
                self.give_up(&format!("never printed \"{awaited}\""));
            }
            seen = arrived
                .wait_timeout(seen, Duration::from_millis(50))
                .unwrap()
                .0;
        }
    }

    /// Waits until a whole line has come on standard output that fits, and gives it.
    #[cfg(feature = "mcp")]
    pub(crate) fn wait_for_line(&self, what: &str, fits: &dyn Fn(&[u8]) -> bool) -> Vec<u8> {
        let (bytes, arrived) = &*self.stdout.bytes;
        let mut seen = bytes.lock().unwrap();
        let mut looked_at = 0;
        loop {
            while let Some(length) = seen[looked_at..].iter().position(|byte| *byte == b'\n') {
                let line = &seen[looked_at..looked_at + length];
                if fits(line) {
                    return line.to_vec();
                }
                looked_at += length + 1;
            }
            let thread = self.stdout.thread.as_ref();
            let is_over = thread.is_some_and(JoinHandle::is_finished);
            if is_over || Instant::now() >= self.deadline {
                drop(seen);
                self.give_up(&format!("never printed {what}"));
            }
            let waited = arrived.wait_timeout(seen, Duration::from_millis(50));
            seen = waited.unwrap().0;
        }
    }

    /// Waits for the end; panics with what was seen when the time is up.
    pub(crate) fn wait(mut self) -> Output {
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if Instant::now() >= self.deadline {
                self.give_up("did not end in time");
            }
            thread::sleep(Duration::from_millis(2));
        };
        self.wake = None;
        Output {
            status,
            stdout: self.stdout.finish(),
            stderr: self.stderr.finish(),
        }
    }

    fn give_up(&self, why: &str) -> ! {
        let mut alive = descendants(self.pid());
        alive.push(self.pid());
        let alive: Vec<String> = alive.into_iter().map(describe_process).collect();
        let (stdout, stderr) = (self.stdout.so_far(), self.stderr.so_far());
        panic!(
            "{} {why}\nstdout: {}\nstderr: {}\nalive: {alive:#?}",
            self.name,
            stdout[..stdout.len().min(2000)].escape_ascii(),
            stderr[..stderr.len().min(2000)].escape_ascii(),
        );
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.wake = None;
        if self.child.try_wait().is_ok_and(|status| status.is_none()) {
            for pid in descendants(self.pid()) {
                let _ = kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL);
            }
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// How a command ended and what it printed.
pub(crate) struct Output {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
}

impl fmt::Debug for Output {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |bytes: &[u8]| bytes[..bytes.len().min(400)].escape_ascii().to_string();
        let (stdout, stderr) = (shown(&self.stdout), shown(&self.stderr));
        write!(
            formatter,
            "{}, stdout \"{stdout}\", stderr \"{stderr}\"",
            self.status
        )
    }
}

impl Output {
    /// The exit code as a shell shows it: 128 and the number for a signal.
    pub(crate) fn code(&self) -> i32 {
        self.status
            .code()
            .unwrap_or_else(|| 128 + self.status.signal().unwrap())
    }

    pub(crate) fn signal(&self) -> Option<i32> {
        self.status.signal()
    }

    pub(crate) fn stdout_text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    pub(crate) fn stderr_text(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// Asserts that standard error holds one line of aido's own and nothing else.
    #[track_caller]
    pub(crate) fn assert_one_warning(&self, what: &str) {
        let lines: Vec<_> = self.stderr.split_inclusive(|&byte| byte == b'\n').collect();
        let warned = lines.len() == 1 && lines[0].starts_with(b"aido: ");
        assert!(warned, "{what}: one warning is due: {self:?}");
    }

    /// Both must have ended alike and printed alike.
    #[track_caller]
    pub(crate) fn assert_same_as(&self, bare: &Output, what: &str) {
        let shown = |output: &Output| (output.status, output.stdout_text(), output.stderr_text());
        assert_eq!(
            shown(self),
            shown(bare),
            "aido (left) and the control (right): {what}"
        );
    }
}
