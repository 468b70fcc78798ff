//! The benchmark's own directory on the disk, and the environment that its commands get.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The binary that is measured.
pub(crate) const AIDO: &str = env!("CARGO_BIN_EXE_aido");

const NAME: &str = "aido-compare-";

/// A directory that goes with this value.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// Makes it, with a small git repository in it, and removes those that killed runs left.
    pub(crate) fn make() -> io::Result<Self> {
        let parent = Path::new(env!("CARGO_TARGET_TMPDIR"));
        fs::create_dir_all(parent)?;
        for entry in fs::read_dir(parent)? {
            let entry = entry?;
            let name = entry.file_name();
            let process = name.to_str().and_then(|name| name.strip_prefix(NAME));
            if process.is_some_and(|process| !Path::new("/proc").join(process).exists()) {
                fs::remove_dir_all(entry.path())?;
            }
        }
        let scratch = Self(parent.join(format!("{NAME}{}", std::process::id())));
        for directory in ["home", "state", "sessions", "repository"] {
            fs::create_dir_all(scratch.path(directory))?;
        }
        for number in 0..20 {
            let text = format!("{number}\n").repeat(100);
            fs::write(scratch.path(&format!("repository/{number}.txt")), text)?;
        }
        for line in [
            &["init", "-q"][..],
            &["add", "."],
            &[
                "-c",
                "user.name=b",
                "-c",
                "user.email=b@b",
                "commit",
                "-qm",
                "first",
            ],
        ] {
            let _ = scratch.command("git").args(line).status();
        }
        Ok(scratch)
    }

    /// A path inside.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.0.join(relative)
    }

    /// The directory itself.
    pub(crate) fn root(&self) -> &Path {
        &self.0
    }

    /// A command in the repository with a small environment, nothing to read and nobody to read
    /// what it writes.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path("home"))
            .env("XDG_STATE_HOME", self.path("state"))
            .env("AIDO_SESSION_DIR", self.path("sessions"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("LANG", "C.UTF-8")
            .env("TERM", "dumb")
            .env("SHELL", "/bin/sh")
            .current_dir(self.path("repository"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    /// Removes what was recorded, where that is large.
    pub(crate) fn forget_sessions(&self) -> io::Result<()> {
        let sessions = self.path("sessions");
        fs::remove_dir_all(&sessions)?;
        fs::create_dir(&sessions)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Where a program is on PATH.
pub(crate) fn find(program: &str) -> Option<String> {
    let path = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&path)
        .map(|directory| directory.join(program))
        .find(|file| file.is_file())?;
    found.to_str().map(str::to_owned)
}

/// Where this program is, to be started as one of its own helpers.
pub(crate) fn own_path() -> io::Result<String> {
    let path = std::env::current_exe()?;
    let path = path.to_str().map(str::to_owned);
    path.ok_or_else(|| io::Error::other("the benchmark's path is no UTF-8"))
}
