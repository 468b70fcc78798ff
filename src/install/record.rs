//! What was installed where, so that it can be taken out again to the last byte: one small file a settings
//! file, in the user's state directory. It is the backup, too.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::sys::file::Directory;
use crate::sys::lock::wait_for_lock;

/// The directory's name in the state directory.
const NAME: &str = "installs";
/// What changes are made under.
const LOCK: &str = ".lock";
/// How long to wait for another init.
const PATIENCE: Duration = Duration::from_secs(10);
/// The version of these files' form.
const VERSION: u32 = 1;
/// The largest of them.
const RECORD_BYTES: u64 = 16 * 1024 * 1024;

/// What was done to a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installed {
    version: u32,
    /// The file, links followed.
    pub path: PathBuf,
    /// What it held before; none if it wasn't there.
    pub before: Option<String>,
    /// The digest of what was written.
    after_sha256: String,
    /// Directories that were made for it, the outermost first.
    pub made: Vec<PathBuf>,
}

impl Installed {
    /// What is remembered of a file that was written.
    pub fn new(path: &Path, before: Option<String>, after: &str, made: Vec<PathBuf>) -> Self {
        Self {
            version: VERSION,
            path: path.to_owned(),
            before,
            after_sha256: digest(after),
            made,
        }
    }

    /// Whether the file still holds what was written.
    #[must_use]
    pub fn is_unchanged(&self, text: &str) -> bool {
        self.after_sha256 == digest(text)
    }
}

fn digest(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

/// Everything that was installed.
pub struct Records {
    directory: Directory,
}

impl Records {
    /// Opens what there is; none if nothing was installed.
    ///
    /// # Errors
    /// When it is there and can't be opened.
    pub fn open(state: &Path) -> io::Result<Option<Self>> {
        let opened = Directory::open(state).and_then(|state| state.open_child(OsStr::new(NAME)));
        match opened {
            Ok(directory) => Ok(Some(Self { directory })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Opens them for a change, and waits until nobody else makes one. The lock goes with the file.
    ///
    /// # Errors
    /// When they can't be opened or made, or somebody else doesn't come to an end.
    pub fn change(state: &Path) -> io::Result<(Self, File)> {
        let (state, _) = Directory::open_or_make(state)?;
        let (directory, _) = state.open_or_make_child(OsStr::new(NAME))?;
        directory.check_private()?;
        let lock = directory.append(OsStr::new(LOCK))?;
        wait_for_lock(&lock, PATIENCE).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => io::Error::other("another aido is installing, still"),
            _ => error,
        })?;
        Ok((Self { directory }, lock))
    }

    /// What was done to this file; none where that isn't known.
    #[must_use]
    pub fn of(&self, path: &Path) -> Option<Installed> {
        let file = self.directory.open_file(&name(path)).ok()?;
        let mut text = String::new();
        file.take(RECORD_BYTES).read_to_string(&mut text).ok()?;
        let found: Installed = serde_json::from_str(&text).ok()?;
        (found.version == VERSION && found.path == path).then_some(found)
    }

    /// Remembers it, in one step.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn keep(&self, installed: &Installed) -> io::Result<()> {
        let name = name(&installed.path);
        let new = format!(".{name}.new");
        let _ = self.directory.remove(&new);
        let mut file = self.directory.create(&new)?;
        file.write_all(serde_json::to_string_pretty(installed)?.as_bytes())?;
        file.sync_all()?;
        self.directory.replace(&new, &name)
    }

    /// Forgets it.
    pub fn forget(&self, path: &Path) {
        // One that stays says of a file that it was changed since, which is true.
        let _ = self.directory.remove(&name(path));
    }
}

fn name(path: &Path) -> String {
    let digest = digest(&path.to_string_lossy());
    format!("{}.json", &digest[..32])
}
