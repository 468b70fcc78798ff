//! Mounts that nobody else sees, and that go with the thread that made them.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::ptr;
use std::thread;
use std::time::{Duration, Instant};

use super::place;

/// Does this where mounting is allowed and private.
///
/// # Errors
/// The reason why it isn't possible here.
pub(crate) fn privately<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, String> {
    let own = || -> Result<T, String> {
        // SAFETY: plain numbers; a thread of its own may leave the process's mount namespace.
        if unsafe { libc::unshare(libc::CLONE_NEWNS) } != 0 {
            return Err(reason(&io::Error::last_os_error()));
        }
        let flags = libc::MS_REC | libc::MS_PRIVATE;
        // SAFETY: the paths are constant strings that end with a zero byte, the others may be null.
        let made_private =
            unsafe { libc::mount(ptr::null(), c"/".as_ptr(), ptr::null(), flags, ptr::null()) };
        if made_private != 0 {
            return Err(reason(&io::Error::last_os_error()));
        }
        Ok(work())
    };
    thread::scope(|scope| match scope.spawn(own).join() {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}

fn reason(error: &io::Error) -> String {
    format!("no mount namespace of its own: {error}")
}

/// A mounted file system. Dropping it unmounts it.
pub(crate) struct Mounted(PathBuf);

impl Mounted {
    /// Mounts with the arguments of mount(8); the last is the directory.
    pub(crate) fn new<S: AsRef<OsStr>>(arguments: &[S], directory: &Path) -> Result<Self, String> {
        fs::create_dir_all(directory).map_err(|error| error.to_string())?;
        let mut words: Vec<&OsStr> = arguments.iter().map(AsRef::as_ref).collect();
        words.push(directory.as_os_str());
        run("mount", &words)?;
        Ok(Self(directory.to_owned()))
    }

    /// A file system in memory.
    pub(crate) fn memory(options: &str, directory: &Path) -> Result<Self, String> {
        Self::new(&["-t", "tmpfs", "-o", options, "none"], directory)
    }

    /// The directory.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Cuts the power: from here on nothing reaches the disk, not even the journal.
    pub(crate) fn shut_down(&self) -> io::Result<()> {
        /// `_IOR('X', 125, __u32)` of linux/xfs_fs.h and ext4.h.
        const FS_IOC_SHUTDOWN: libc::c_ulong = 0x8004_587d;
        /// `FSOP_GOING_FLAGS_NOLOGFLUSH`.
        static WITHOUT_LOG: u32 = 2;
        let root = File::open(&self.0)?;
        // SAFETY: the descriptor is open, and the argument points to a number that lives long enough.
        let result = unsafe {
            libc::ioctl(
                root.as_raw_fd(),
                FS_IOC_SHUTDOWN as _,
                &raw const WITHOUT_LOG,
            )
        };
        if result == 0 {
            Ok(())
        } else {
            Err(io::Error::last_os_error())
        }
    }

    /// Unmounts it, and waits for those who still hold it.
    pub(crate) fn unmount(self) -> Result<(), String> {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            match run("umount", &[self.0.as_os_str()]) {
                Err(_) if Instant::now() < deadline => thread::sleep(Duration::from_millis(20)),
                result => {
                    std::mem::forget(self);
                    return result;
                }
            }
        }
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = run("umount", &[OsStr::new("-l"), self.0.as_os_str()]);
    }
}

/// Makes a file system in a file of this size.
///
/// # Errors
/// The reason why it isn't possible here.
pub(crate) fn make_image(
    image: &Path,
    kind: &str,
    megabytes: u64,
    options: &[&str],
) -> Result<(), String> {
    let program = format!("mkfs.{kind}");
    if place::find(&program).is_none() {
        return Err(format!("no {program} here"));
    }
    let made = File::create(image).and_then(|file| file.set_len(megabytes << 20));
    made.map_err(|error| error.to_string())?;
    let mut words: Vec<&OsStr> = vec![OsStr::new("-q")];
    words.extend(options.iter().map(OsStr::new));
    words.push(image.as_os_str());
    run(&program, &words)
}

/// Runs a program that must succeed.
pub(crate) fn run<S: AsRef<OsStr>>(program: &str, arguments: &[S]) -> Result<(), String> {
    let mut command = Command::new(program);
    command.args(arguments).env("PATH", place::SEARCH_PATH);
    command.stdin(Stdio::null());
    let output = command
        .output()
        .map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!(
        "{program}: {}",
        said.lines().next().unwrap_or("failed")
    ))
}
