//! Starts a program exactly as its caller would have: same word as `argv[0]`, same directory, same
//! inherited descriptors, same signal settings; and reports the real reason when it can't.
//!
//! On Linux the child borrows aido's memory until it execs (`CLONE_VM | CLONE_VFORK`, what
//! posix_spawn does inside), so the cost doesn't grow with aido's memory and an error is one store.
//! posix_spawn itself can't ignore a signal again, set a parent-death signal or move the terminal's
//! foreground group; docs/design/process.md has the comparison.
#![expect(unsafe_code, reason = "clone, and what runs between clone and exec")]

use std::ffi::{CStr, CString, OsStr, OsString};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::RawFd;
use std::os::unix::ffi::OsStrExt;
use std::ptr;

use rustix::process::Pid;

use super::process;
use super::signals::{AllBlocked, Inheritance};
use crate::session::Signal;

/// What the command finds as one of its standard streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChildStream {
    /// What aido was given.
    Inherit,
    /// Nothing: the caller had it closed.
    Closed,
    /// This descriptor of aido's, above 2.
    Use(RawFd),
}

/// Which process group the command runs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// aido's own, so that the caller's terminal does job control for both.
    Callers,
    /// One of its own, so that a signal to aido's group reaches it once, through aido.
    Own,
    /// This one, which has no other process; see [`EmptyGroup`].
    Join(Pid),
    /// One of its own in the foreground of the terminal behind this descriptor.
    OwnInForeground(RawFd),
}

/// A program to start, with everything prepared that needs memory.
pub struct Command {
    candidates: Vec<CString>,
    argv: Vec<CString>,
    environment: Vec<CString>,
    /// Standard input, output and error.
    pub streams: [ChildStream; 3],
    /// The process group.
    pub group: Group,
    /// Whether the kernel kills the command should aido be killed.
    pub dies_with_parent: bool,
}

/// A process group for a command that must not lead it: a leader can't call setsid(2), and a command
/// whose caller is no leader would be none without aido.
///
/// Its leader does nothing but end. The group exists as long as the leader isn't reaped, which
/// dropping this does, or another process is in it.
#[must_use]
pub struct EmptyGroup {
    leader: Pid,
    /// What the leader runs on until it is reaped.
    _stack: Stack,
}

impl EmptyGroup {
    /// Makes one, without waiting for its leader: made early, it costs little more than a call.
    ///
    /// # Errors
    /// When there can't be another process.
    pub fn make() -> io::Result<Self> {
        let stack = Stack::new(4 * 1024);
        let blocked = AllBlocked::new();
        let leader = start_leader(&stack);
        drop(blocked);
        let group = Self {
            leader: leader?,
            _stack: stack,
        };
        // It may have ended by now, which doesn't matter: it is there until it is reaped.
        rustix::process::setpgid(Some(group.leader), Some(group.leader))?;
        Ok(group)
    }

    /// The group's id.
    #[must_use]
    pub fn id(&self) -> Pid {
        self.leader
    }
}

impl Drop for EmptyGroup {
    fn drop(&mut self) {
        let leader = self.leader.as_raw_nonzero().get();
        // SAFETY: waits for a child of aido's. Its end sends no signal, so it is one that only
        // __WALL waits for; no handler interrupts this in vain.
        unsafe {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            let options = libc::__WALL;
            #[cfg(not(any(target_os = "linux", target_os = "android")))]
            let options = 0;
            while libc::waitpid(leader, ptr::null_mut(), options) == -1 && errno() == libc::EINTR {}
        }
    }
}

/// Starts a process that ends at once. It shares everything with aido, as a thread would, so that
/// nothing is copied for it; and nobody is told of its end.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn start_leader(stack: &Stack) -> io::Result<Pid> {
    // Returning ends it by exit(2). valgrind takes it for a thread, and _exit would end all threads.
    extern "C" fn end(_: *mut libc::c_void) -> libc::c_int {
        0
    }
    let flags = libc::CLONE_VM | libc::CLONE_FS | libc::CLONE_FILES | libc::CLONE_SIGHAND;
    // SAFETY: the process touches nothing but its stack, which is kept until it is reaped; all
    // signals are blocked, so that no handler runs on it.
    process::made(unsafe { libc::clone(end, stack.top(), flags, ptr::null_mut()) })
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn start_leader(_stack: &Stack) -> io::Result<Pid> {
    // SAFETY: aido has one thread here, and the copy ends at once.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        // SAFETY: ends the copy without running aido's exit handlers.
        unsafe { libc::_exit(0) };
    }
    process::made(pid)
}

/// Why a program could not be started.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// The system won't execute it: the reason of execve(2).
    #[error("{0}")]
    Program(#[source] io::Error),
    /// There is no process to execute it in.
    #[error("{0}")]
    Process(#[source] io::Error),
}

/// Where execvp(3) looks when PATH is not set.
const DEFAULT_PATH: &[u8] = b"/bin:/usr/bin";

impl Command {
    /// Prepares `argv` with this environment. `path` is the PATH to search, where set.
    ///
    /// # Errors
    /// When a word holds a NUL byte, which no program can be given.
    pub fn new(
        argv: &[OsString],
        environment: &[(OsString, OsString)],
        path: Option<&OsStr>,
    ) -> io::Result<Self> {
        let program = argv.first().map_or(OsStr::new(""), OsString::as_os_str);
        let mut words = Vec::with_capacity(argv.len());
        for word in argv {
            words.push(CString::new(word.as_bytes())?);
        }
        let mut variables = Vec::with_capacity(environment.len());
        for (name, value) in environment {
            // With room for the NUL byte.
            let mut bytes = Vec::with_capacity(name.len() + value.len() + 2);
            bytes.extend_from_slice(name.as_bytes());
            bytes.push(b'=');
            bytes.extend_from_slice(value.as_bytes());
            variables.push(CString::new(bytes)?);
        }
        Ok(Self {
            candidates: candidates(program, path)?,
            argv: words,
            environment: variables,
            streams: [ChildStream::Inherit; 3],
            group: Group::Callers,
            dies_with_parent: false,
        })
    }

    /// Starts it.
    ///
    /// # Errors
    /// The reason that execve(2) gave for the best candidate, as execvp(3) picks it.
    pub fn spawn(&self, inheritance: &Inheritance) -> Result<Pid, SpawnError> {
        let argv = pointers(&self.argv);
        let environment = pointers(&self.environment);
        // `sh FILE ARG…`, for a file without `#!`; the child fills in which file.
        let mut shell_argv = Vec::with_capacity(argv.len() + 2);
        shell_argv.push(c"sh".as_ptr());
        shell_argv.push(ptr::null());
        shell_argv.extend_from_slice(argv.get(1..).unwrap_or(&[ptr::null()]));
        let mut child = Child {
            command: self,
            inheritance,
            argv: argv.as_ptr(),
            environment: environment.as_ptr(),
            shell_argv: shell_argv.as_mut_ptr(),
            error: 0,
            stop_put_off: false,
        };
        let blocked = AllBlocked::new();
        let started = start(&mut child);
        drop(blocked);
        let pid = started.map_err(SpawnError::Process)?;
        if child.error == 0 {
            if child.stop_put_off {
                super::process::Target::Process(pid).send(Signal(libc::SIGTSTP));
            }
            return Ok(pid);
        }
        // The child has ended already; its status says nothing more.
        let _ = rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::empty());
        Err(SpawnError::Program(io::Error::from_raw_os_error(
            child.error,
        )))
    }
}

/// The files that `program` can mean, in the order of execvp(3): a name with a slash is a path,
/// any other is looked for along PATH, where an empty entry is the current directory.
fn candidates(program: &OsStr, path: Option<&OsStr>) -> io::Result<Vec<CString>> {
    let name = program.as_bytes();
    if name.is_empty() || name.contains(&b'/') {
        return Ok(vec![CString::new(name)?]);
    }
    let mut found = Vec::with_capacity(8);
    for directory in path
        .map_or(DEFAULT_PATH, OsStr::as_bytes)
        .split(|byte| *byte == b':')
    {
        let mut file = Vec::with_capacity(directory.len() + name.len() + 1);
        if !directory.is_empty() {
            file.extend_from_slice(directory);
            file.push(b'/');
        }
        file.extend_from_slice(name);
        found.push(CString::new(file)?);
    }
    Ok(found)
}

fn pointers(strings: &[CString]) -> Vec<*const libc::c_char> {
    let all = strings.iter().map(|string| string.as_ptr());
    all.chain(std::iter::once(ptr::null())).collect()
}

/// What the child works with: made by the parent, since the child must not allocate.
struct Child<'a> {
    command: &'a Command,
    inheritance: &'a Inheritance,
    argv: *const *const libc::c_char,
    environment: *const *const libc::c_char,
    shell_argv: *mut *const libc::c_char,
    /// The errno of the failure, written by the child.
    error: i32,
    /// A stop came before there was a command to be stopped.
    stop_put_off: bool,
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn start(child: &mut Child<'_>) -> io::Result<Pid> {
    extern "C" fn run(argument: *mut libc::c_void) -> libc::c_int {
        // SAFETY: `start` passes its own `Child` and, because of CLONE_VFORK, sleeps until this
        // process has exec'd or ended, so the borrow is exclusive.
        unsafe { exec(&mut *argument.cast::<Child<'_>>()) };
        127
    }
    in_child(run, ptr::from_mut(child).cast())
}

/// Runs a function in a child that borrows this process's memory, and waits until it has exec'd or
/// ended. All signals must be blocked, so that no handler of aido's runs in the shared memory.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn in_child(
    function: extern "C" fn(*mut libc::c_void) -> libc::c_int,
    argument: *mut libc::c_void,
) -> io::Result<Pid> {
    let stack = Stack::new(32 * 1024);
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
    // SAFETY: the stack outlives the child's use of it, because of CLONE_VFORK.
    process::made(unsafe { libc::clone(function, stack.top(), flags, argument) })
}

/// Memory for a child's few frames; touched only as far as it is used.
struct Stack(Box<[MaybeUninit<u8>]>);

impl Stack {
    fn new(bytes: usize) -> Self {
        Self(Box::new_uninit_slice(bytes))
    }

    /// Where it begins, since it grows down.
    fn top(&self) -> *mut libc::c_void {
        let end = self.0.as_ptr_range().end.cast_mut();
        // SAFETY: at most 15 bytes back into the memory, for the alignment that the machine asks for.
        unsafe { end.sub(end as usize % 16).cast() }
    }
}

/// As above, with a copy of the memory.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn in_child(
    function: extern "C" fn(*mut libc::c_void) -> libc::c_int,
    argument: *mut libc::c_void,
) -> io::Result<Pid> {
    // SAFETY: aido has one thread here, so the child may use what it finds.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        let code = function(argument);
        // SAFETY: ends the child without running the parent's exit handlers.
        unsafe { libc::_exit(code) };
    }
    process::made(pid)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn start(child: &mut Child<'_>) -> io::Result<Pid> {
    use std::io::{Read, Write};
    let (reader, writer) = rustix::pipe::pipe()?;
    for end in [&reader, &writer] {
        rustix::io::fcntl_setfd(end, rustix::io::FdFlags::CLOEXEC)?;
    }
    // SAFETY: aido has one thread here, so the child may use what it finds; it execs or ends.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        // SAFETY: this is the child, with its own copy of everything.
        unsafe { exec(child) };
        let _ = std::fs::File::from(writer).write_all(&child.error.to_ne_bytes());
        // SAFETY: ends the child without running the parent's exit handlers.
        unsafe { libc::_exit(127) };
    }
    let pid = process::made(pid)?;
    drop(writer);
    let mut errno = [0; 4];
    if std::fs::File::from(reader).read_exact(&mut errno).is_ok() {
        child.error = i32::from_ne_bytes(errno);
    }
    Ok(pid)
}

/// Turns this process into the command; returns only on failure, with the reason in `error`.
///
/// # Safety
/// Only in a fresh child with all signals blocked: async-signal-safe calls only, no allocation.
unsafe fn exec(child: &mut Child<'_>) {
    // SAFETY: system calls on prepared, NUL-terminated memory that outlives them.
    unsafe {
        match child.command.group {
            Group::Callers => {}
            Group::Own => {
                libc::setpgid(0, 0);
            }
            Group::Join(group) => {
                libc::setpgid(0, group.as_raw_nonzero().get());
            }
            Group::OwnInForeground(terminal) => {
                libc::setpgid(0, 0);
                // SIGTTOU is blocked, so the terminal obeys although this group is not in front.
                libc::tcsetpgrp(terminal, libc::getpid());
            }
        }
        #[cfg(any(target_os = "linux", target_os = "android"))]
        if child.command.dies_with_parent {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        }
        for (number, stream) in (0..).zip(child.command.streams) {
            match stream {
                ChildStream::Inherit => {}
                ChildStream::Closed => {
                    libc::close(number);
                }
                ChildStream::Use(descriptor) => {
                    if libc::dup2(descriptor, number) == -1 {
                        child.error = errno();
                        return;
                    }
                }
            }
        }
        // Stopped before its exec, the child would hold aido, which waits for that exec and could
        // not follow it into the stop. So the stop is put off until there is a command.
        child.stop_put_off = child.inheritance.drop_pending_stop();
        let mut restored = false;
        // Written only once nothing is left to try: the parent shares this memory, and after a
        // successful exec it must find no error.
        let mut best = libc::ENOENT;
        for candidate in &child.command.candidates {
            let last = child.command.candidates.len() == 1;
            if last || libc::access(candidate.as_ptr(), libc::F_OK) == 0 {
                // As late as can be: from here on a stop takes effect at once.
                if !restored {
                    child.inheritance.restore_for_exec();
                    restored = true;
                }
                libc::execve(candidate.as_ptr(), child.argv, child.environment);
            }
            match errno() {
                libc::ENOEXEC => {
                    run_by_shell(child, candidate);
                    best = errno();
                    break;
                }
                // Something was found that may not be run: remembered, in case nothing better is.
                libc::EACCES => best = libc::EACCES,
                // A path is what it is; along PATH the next directory may have it.
                libc::ENOENT | libc::ENOTDIR | libc::ESTALE | libc::ENODEV | libc::ETIMEDOUT
                    if child.command.candidates.len() > 1 => {}
                other => {
                    best = other;
                    break;
                }
            }
        }
        child.error = best;
    }
}

/// A file without `#!` is a shell script, as execvp(3) and every shell have it.
///
/// # Safety
/// As for [`exec`].
unsafe fn run_by_shell(child: &Child<'_>, file: &CStr) {
    // SAFETY: slot 1 was reserved for this by `spawn`.
    unsafe {
        *child.shell_argv.add(1) = file.as_ptr();
        libc::execve(c"/bin/sh".as_ptr(), child.shell_argv, child.environment);
    }
}

unsafe fn errno() -> i32 {
    // SAFETY: reads the calling thread's errno.
    io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_a_slash_is_never_searched_for() {
        let found = candidates(OsStr::new("sub/prog"), Some(OsStr::new("/bin"))).unwrap();
        assert_eq!(found, [c"sub/prog".to_owned()]);
    }

    #[test]
    fn an_empty_entry_of_path_is_the_current_directory() {
        let found = candidates(OsStr::new("x"), Some(OsStr::new("/a::/b"))).unwrap();
        assert_eq!(
            found,
            [c"/a/x".to_owned(), c"x".to_owned(), c"/b/x".to_owned()]
        );
    }
}
