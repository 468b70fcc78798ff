//! Giving back what nobody needs any more, in all of aido's own git directories: objects of checkpoints that
//! went, failed or were killed, checkpoints whose sessions are gone for long, and directories of repositories
//! that are.
//!
//! What is as young as an hour may belong to a checkpoint that has no name yet, and stays. A checkpoint whose
//! session was removed otherwise than by aido is the way back to that session, too: it stays as long as
//! sessions do.

use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::Problem;
use super::home::Home;
use super::listing::parts;
use super::refs::{NAMES, place_of};
use super::size::YOUNG;
use crate::clock::Stopwatch;
use crate::environment::Environment;
use crate::session::{SessionId, Timestamp};
use crate::sys::birth::birth;
use crate::sys::file::Directory;
use crate::sys::stamp::touch;

/// The file whose time is that of the last sweeping.
const SWEPT: &str = "aido.swept";
/// The directories of the stores that its sessions are in, each ended by a zero byte.
const STORES: &str = "aido.stores";
/// The most of that file that is read.
const STORES_BYTES: u64 = 1 << 20;
/// A directory for a moment that is older belongs to nobody any more.
const FORGOTTEN: Duration = Duration::from_secs(24 * 3600);

/// How it is done.
#[derive(Clone, Copy)]
pub struct Sweeping<'a> {
    /// For git.
    pub environment: &'a Environment,
    /// The present time.
    pub now: Timestamp,
    /// How long sessions are kept; none is for good.
    pub longest: Option<Duration>,
    /// Whether a store's directory has a session.
    pub has: &'a dyn Fn(&Path, &SessionId) -> bool,
    /// How long it may take in all.
    pub limit: Duration,
    /// A directory that was swept less long ago is left alone.
    pub pause: Duration,
    /// The most directories from which objects are removed.
    pub most: usize,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Swept {
    /// The sessions that were gone, and whose checkpoints went now.
    pub sessions: u64,
    /// How many bytes were given back.
    pub size_bytes: u64,
    /// Directories in which it failed, and why.
    pub problems: Vec<(PathBuf, Problem)>,
}

/// Sweeps all of aido's own git directories, those first that were not for the longest time.
pub fn sweep(state: &Path, sweeping: &Sweeping<'_>) -> Swept {
    let watch = Stopwatch::start();
    let mut swept = Swept::default();
    let mut homes = Home::all(state);
    homes.sort_by_cached_key(Home::swept_at);
    let mut left = sweeping.most;
    for home in homes {
        let remaining = sweeping.limit.saturating_sub(watch.elapsed());
        if left == 0 || remaining.is_zero() {
            break;
        }
        let before = home.size_bytes();
        swept.sessions += home.forget_orphans(sweeping);
        let done = match home.is_left(sweeping) {
            true => home.remove().map(|()| true),
            false => home.sweep_if_due(sweeping, remaining),
        };
        match done {
            Ok(true) => {
                left -= 1;
                swept.size_bytes += before.saturating_sub(home.size_bytes());
            }
            Ok(false) => {}
            Err(problem) => {
                left -= 1;
                swept.problems.push((home.path, problem));
            }
        }
    }
    swept
}

impl Home {
    /// Notes the directory of a store that has sessions with checkpoints here.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn note_store(&self, store: &Path) -> Result<(), Problem> {
        let note = || -> io::Result<()> {
            let store = std::path::absolute(store)?;
            if self.stores().contains(&store) {
                return Ok(());
            }
            let mut line = store.into_os_string().into_vec();
            line.push(0);
            let mut file = Directory::open(&self.path)?.append(OsStr::new(STORES))?;
            file.write_all(&line)
        };
        note().map_err(Problem::file(self.path.join(STORES)))
    }

    fn stores(&self) -> Vec<PathBuf> {
        let mut list = Vec::new();
        let file = Directory::open(&self.path).and_then(|home| home.open_file(STORES));
        let read = file.and_then(|file| file.take(STORES_BYTES).read_to_end(&mut list));
        match read {
            Ok(_) => parts(&list)
                .map(|path| PathBuf::from(OsStr::from_bytes(path)))
                .collect(),
            Err(_) => Vec::new(),
        }
    }

    fn swept_at(&self) -> Option<SystemTime> {
        modified(&self.path.join(SWEPT))
    }

    /// Forgets the checkpoints of sessions that are in no store any more and were named longer ago than
    /// sessions are kept; gives how many those were. Where the stores are not known, nothing is.
    fn forget_orphans(&self, sweeping: &Sweeping<'_>) -> u64 {
        let stores = self.stores();
        let Some(longest) = sweeping.longest.filter(|_| !stores.is_empty()) else {
            return 0;
        };
        let ids = self.sessions().unwrap_or_default().into_iter();
        let orphans = ids.filter(|id| {
            let is_old = modified(&self.path.join(place_of(id)))
                .is_some_and(|named| sweeping.age(named) > longest);
            is_old && !stores.iter().any(|store| (sweeping.has)(store, id))
        });
        orphans
            .filter(|id| self.forget(id).unwrap_or(false))
            .count() as u64
    }

    /// Whether the repository is gone for certain, and nothing of it is to be kept: it is not where it was,
    /// nor is another file system there, and nothing happened here for as long as sessions are kept.
    fn is_left(&self, sweeping: &Sweeping<'_>) -> bool {
        let common = &self.repository.common_directory;
        let has_names = self.sessions().is_ok_and(|ids| !ids.is_empty());
        let Some(longest) = sweeping.longest.filter(|_| !has_names) else {
            return false;
        };
        let is_missing = matches!(
            common.symlink_metadata(),
            Err(error) if error.kind() == io::ErrorKind::NotFound
        );
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let device = name.split('-').next();
        let device = device.and_then(|device| u64::from_str_radix(device, 16).ok());
        // Where a file system isn't mounted, what is below isn't gone.
        let around = common.ancestors().find_map(|path| birth(path).ok());
        let is_mounted = device.is_some() && around.map(|around| around.device) == device;
        let is_old = self
            .last_change()
            .is_some_and(|changed| sweeping.age(changed) > longest);
        is_missing && is_mounted && is_old
    }

    /// Removes the directory, unless a checkpoint is being taken.
    fn remove(&self) -> Result<(), Problem> {
        let _alone = self.own()?;
        std::fs::remove_dir_all(&self.path).map_err(Problem::file(self.path.as_path()))
    }

    /// Removes objects that nobody needs, if anything changed since that was done for the last time.
    fn sweep_if_due(&self, sweeping: &Sweeping<'_>, limit: Duration) -> Result<bool, Problem> {
        let Some(changed) = self.last_change() else {
            return Ok(false);
        };
        // What was too young then may be old enough now.
        let is_done = self
            .swept_at()
            .is_some_and(|swept| swept > changed + YOUNG || sweeping.age(swept) < sweeping.pause);
        if is_done {
            return Ok(false);
        }
        self.remove_forgotten(sweeping);
        // Also where it fails, so that others have their turn.
        let marked = Directory::open(&self.path).and_then(|home| home.append(OsStr::new(SWEPT)));
        marked
            .and_then(touch)
            .map_err(Problem::file(self.path.join(SWEPT)))?;
        self.sweep(sweeping.environment, limit).map(|()| true)
    }

    /// Removes directories that a killed aido needed for a moment.
    fn remove_forgotten(&self, sweeping: &Sweeping<'_>) {
        let entries = std::fs::read_dir(self.temporary());
        for entry in entries.into_iter().flatten().flatten() {
            let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
            let is_old = modified(&entry.path()).is_some_and(|at| sweeping.age(at) > FORGOTTEN);
            if is_directory && is_old {
                let _ = std::fs::remove_dir_all(entry.path());
            }
        }
    }

    /// When an object was last written or removed, or a name.
    fn last_change(&self) -> Option<SystemTime> {
        let objects = self.path.join("objects");
        let entries = std::fs::read_dir(&objects);
        let below = entries.into_iter().flatten().flatten();
        let below = below.map(|entry| entry.path());
        let places = below.chain([objects, self.path.join(NAMES)]);
        places.filter_map(|path| modified(&path)).max()
    }
}

impl Sweeping<'_> {
    /// How long ago something was; nothing of what is still to come.
    fn age(&self, at: SystemTime) -> Duration {
        let now_ms = u64::try_from(self.now.0.timestamp_millis()).unwrap_or_default();
        let now = SystemTime::UNIX_EPOCH + Duration::from_millis(now_ms);
        now.duration_since(at).unwrap_or_default()
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    path.symlink_metadata().ok()?.modified().ok()
}
