//! The process that stays behind: it runs the suites in a session of their own, without a terminal and
//! with default signals, and whatever becomes of them, ends what they started and removes what they
//! left.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};

use rustix::process::{Signal, set_child_subreaper, set_parent_process_death_signal};

use super::{memory_group, processes};

/// The first argument of the process that runs the suites; its directory follows.
const WORKER: &str = "--supervised-in";
const NAME: &str = "aido-proof-";
/// Signals that end the whole.
const ENDING: [i32; 3] = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP];

/// The directory that a supervisor gave, and the arguments for the proof itself.
pub(crate) fn told_by_supervisor(arguments: &[OsString]) -> (Option<PathBuf>, &[OsString]) {
    match arguments {
        [first, root, rest @ ..] if first == WORKER => (Some(root.into()), rest),
        all => (None, all),
    }
}

/// Runs the suites in another process and cleans up after it.
pub(crate) fn supervise(arguments: &[OsString]) -> anyhow::Result<ExitCode> {
    let parent = std::env::temp_dir().canonicalize()?;
    remove_leftovers(&parent)?;
    let root = parent.join(format!("{NAME}{}", std::process::id()));
    let awaited = Awaited::new();
    set_child_subreaper(Some(rustix::process::getpid()))?;
    make_directory(&root)?;
    let ended = start(&root, arguments).and_then(|worker| wait(worker, &awaited));
    processes::end_all(|| processes::descendants(std::process::id()));
    let removed = remove(&root);
    let code = match ended? {
        End::Worker(status) => status.code().unwrap_or(128 + status.signal().unwrap_or(0)),
        End::Told(signal) => 128 + signal,
    };
    removed?;
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX)))
}

/// Makes the directory, which must be new. Others may pass it: some suites run as another user.
fn make_directory(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().mode(0o755).create(path)
}

fn start(root: &Path, arguments: &[OsString]) -> io::Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(WORKER).arg(root).args(arguments);
    command.current_dir(root).stdin(Stdio::null());
    let prepare = || {
        for number in 1..32 {
            // SAFETY: setting a default disposition touches nothing of this process's.
            unsafe { libc::signal(number, libc::SIG_DFL) };
        }
        // What the supervisor holds back would be held back from everybody below.
        // SAFETY: an empty set is valid, and the mask is this process's own.
        unsafe {
            let mut none: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&raw mut none);
            libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
        }
        rustix::process::setsid()?;
        rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
        // No core files of the commands that are killed.
        let none = rustix::process::Rlimit {
            current: Some(0),
            maximum: Some(0),
        };
        rustix::process::setrlimit(rustix::process::Resource::Core, none)?;
        set_parent_process_death_signal(Some(Signal::KILL))?;
        Ok(())
    };
    // SAFETY: system calls only, no allocation and no lock between fork and exec.
    unsafe { command.pre_exec(prepare) };
    command.spawn()
}

enum End {
    Worker(ExitStatus),
    Told(i32),
}

fn wait(mut worker: Child, awaited: &Awaited) -> io::Result<End> {
    loop {
        if let Some(status) = worker.try_wait()? {
            return Ok(End::Worker(status));
        }
        let signal = awaited.next()?;
        if ENDING.contains(&signal) {
            let _ = worker.kill();
            worker.wait()?;
            return Ok(End::Told(signal));
        }
    }
}

/// Signals that are held back until they are asked for.
struct Awaited(libc::sigset_t);

impl Awaited {
    fn new() -> Self {
        // SAFETY: the set is initialised by sigemptyset before its first use, and all calls are
        // given valid places; there is one thread.
        unsafe {
            let mut set: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&raw mut set);
            for signal in ENDING.into_iter().chain([libc::SIGCHLD]) {
                libc::sigaddset(&raw mut set, signal);
            }
            libc::sigprocmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
            Self(set)
        }
    }

    fn next(&self) -> io::Result<i32> {
        loop {
            // SAFETY: the set was made by sigemptyset; nothing is to be told about the signal.
            let signal = unsafe { libc::sigwaitinfo(&raw const self.0, std::ptr::null_mut()) };
            if signal > 0 {
                return Ok(signal);
            }
            let error = io::Error::last_os_error();
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(error);
            }
        }
    }
}

/// Removes what a supervisor that was killed itself could not.
fn remove_leftovers(parent: &Path) -> io::Result<()> {
    let own = rustix::process::geteuid().as_raw();
    for entry in fs::read_dir(parent)? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(process) = name.to_str().and_then(|name| name.strip_prefix(NAME)) else {
            continue;
        };
        let status = entry.metadata();
        let is_own = status.is_ok_and(|status| status.is_dir() && status.uid() == own);
        if is_own && process.parse::<u32>().is_ok() && !Path::new("/proc").join(process).exists() {
            let path = entry.path();
            processes::end_all(|| processes::at_home_below(&path));
            remove(&path)?;
        }
    }
    Ok(())
}

/// Removes a directory, also where a suite took permissions away and was stopped.
fn remove(root: &Path) -> io::Result<()> {
    memory_group::remove(root.file_name().unwrap_or_default());
    if fs::remove_dir_all(root).is_ok() || !root.exists() {
        return Ok(());
    }
    let mut chmod = Command::new("chmod");
    chmod.args(["-R", "u+rwX"]).arg(root).stderr(Stdio::null());
    let _ = chmod.status();
    fs::remove_dir_all(root)
}
