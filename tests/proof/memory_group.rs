//! A control group with a memory limit, of either version of the kernel's interface.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use super::Bench;
use super::place::Place;
use super::running::Run;

/// Where groups are made, the file with the limit, and whose interface that is.
const PLACES: [(&str, &str, &str); 2] = [
    (
        "/sys/fs/cgroup/memory",
        "memory.limit_in_bytes",
        "cgroup v1",
    ),
    ("/sys/fs/cgroup", "memory.max", "cgroup v2"),
];

/// A group. Dropping it removes it.
pub(crate) struct MemoryGroup {
    directory: PathBuf,
    kind: &'static str,
}

impl MemoryGroup {
    /// Makes one with this limit, page cache included.
    ///
    /// # Errors
    /// The reason why it isn't possible here.
    pub(crate) fn make(bench: &Bench, limit_bytes: u64) -> Result<Self, String> {
        let name = bench.root.file_name().unwrap_or_default();
        let mut reason = "no control groups".to_owned();
        for (parent, limit, kind) in PLACES {
            let directory = Path::new(parent).join(name);
            if let Err(error) = fs::create_dir(&directory) {
                reason = format!("{}: {error}", directory.display());
                continue;
            }
            let group = Self { directory, kind };
            match fs::write(group.directory.join(limit), limit_bytes.to_string()) {
                Ok(()) => return Ok(group),
                Err(error) => reason = format!("{limit}: {error}"),
            }
        }
        Err(reason)
    }

    /// Whose interface it is.
    pub(crate) fn kind(&self) -> &'static str {
        self.kind
    }

    /// aido, inside the group from its first moment.
    pub(crate) fn run(&self, place: &Place, arguments: &[&str]) -> Run {
        let line = format!(
            "echo $$ >{}/cgroup.procs && exec \"$@\"",
            self.directory.display()
        );
        let run = place.program("sh").arguments(["-c", &line, "sh"]);
        run.arguments([super::aido()]).arguments(arguments)
    }
}

impl Drop for MemoryGroup {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.directory);
    }
}

/// Removes the group of a bench that was stopped.
pub(crate) fn remove(name: &OsStr) {
    for (parent, ..) in PLACES {
        let _ = fs::remove_dir(Path::new(parent).join(name));
    }
}
