//! Finding the checkpoints of a session: the repository is that of the directory it ran in, else the
//! caller's. A session may be gone while its checkpoints are there: they stand elsewhere, so that a command
//! that removes everything removes no way back.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use crate::checkpoint::plan::is_wanted;
use crate::checkpoint::{Home, Limits, Named, Origin, Phase, Repository};
use crate::cli::error::{CliError, Kind};
use crate::cli::reading::Reader;
use crate::config::Settings;
use crate::environment::Environment;
use crate::place::Place;
use crate::session::{Metadata, Selector, SessionId};
use crate::store::Store;
use crate::store::resolve::resolve;
use crate::sys::birth::birth;
use crate::transcript::record;

/// A session's checkpoints.
pub(in crate::cli) struct Located {
    pub(in crate::cli) id: SessionId,
    pub(in crate::cli) home: Home,
    pub(in crate::cli) checkpoints: Vec<Named>,
}

/// Where the caller stands, also if that was removed.
fn standing(environment: &Environment) -> PathBuf {
    let current = std::env::current_dir().ok();
    let current = current.or_else(|| environment.absolute_path("PWD"));
    current.unwrap_or_else(|| PathBuf::from("/"))
}

/// aido's own git directory for the caller's repository; for the one that stood there, where there is none.
pub(in crate::cli) fn here(environment: &Environment) -> Result<Home, CliError> {
    let state = Place::find(None, environment).state;
    let current = standing(environment);
    let present = Repository::find(&current);
    let present = present.and_then(|repository| Home::of(repository, state.as_deref()));
    match present {
        Ok(home) if home.exists() => Ok(home),
        present => {
            let mut formerly = Home::formerly(&current, state.as_deref()).into_iter();
            Ok(formerly.next().map_or(present, Ok)?)
        }
    }
}

/// What a checkpoint that is taken for comparing, or before restoring, may cost: a person waits for it.
pub(in crate::cli) fn limits(settings: &Settings) -> Limits {
    Limits {
        time: settings
            .checkpoints
            .timeout
            .max(std::time::Duration::from_secs(600)),
        file_bytes: settings.checkpoints.max_file_bytes,
    }
}

/// aido's own git directories for the repositories around a directory, the nearest first, and for those that
/// stood there. The command may have made one in its own directory, or removed any.
fn around(current: &Path, state: Option<&Path>) -> Vec<Home> {
    let present = Repository::all_around(current);
    let present = present.filter_map(|repository| Home::of(repository, state).ok());
    let formerly = Home::formerly(current, state);
    present.chain(formerly).collect()
}

impl Located {
    /// Finds the checkpoints of the session that a selector means.
    pub(in crate::cli) fn find(
        reader: &Reader,
        selector: &str,
        environment: &Environment,
    ) -> Result<Self, CliError> {
        let resolved = resolve(&reader.store, selector);
        let id = match (&resolved, here(environment)) {
            (Err(_), Ok(home)) => match nameless(&home, selector)? {
                Some(id) => id,
                None => resolved?,
            },
            _ => resolved?,
        };
        let state = Place::find(None, environment).state;
        let ran_in = raw(reader, &id).and_then(|metadata| metadata.cwd);
        let ran_in = ran_in.map(PathBuf::from);
        let homes = [ran_in, Some(standing(environment))].into_iter().flatten();
        let homes = homes.flat_map(|current| around(&current, state.as_deref()));
        let mut found: Vec<Self> = Vec::new();
        for home in homes {
            let checkpoints = home.checkpoints_of(&id)?;
            let is_known = found.iter().any(|known| {
                let repository = &known.home.repository;
                known.home.path == home.path && *repository == home.repository
            });
            if !checkpoints.is_empty() && !is_known {
                let id = id.clone();
                found.push(Self {
                    id,
                    home,
                    checkpoints,
                });
            }
        }
        // Of several, such as the work trees of a repository, the one that it is of.
        if found.len() > 1
            && let Some(place) = found.iter().position(|located| located.fits(environment))
        {
            return Ok(found.swap_remove(place));
        }
        if let Some(first) = found.into_iter().next() {
            return Ok(first);
        }
        Err(
            CliError::new(Kind::NotFound, format!("{id} has no checkpoint")).with_hint(
                "aido --checkpoint both COMMAND takes one; aido checkpoint list shows those here",
            ),
        )
    }

    /// Whether they are of the work tree that was found.
    fn fits(&self, environment: &Environment) -> bool {
        let first = self.checkpoints.first();
        let first = first.and_then(|named| {
            let reading = self.home.read(environment);
            reading.checkpoint(&named.commit).ok()
        });
        let origin = first.and_then(|checkpoint| checkpoint.record.origin);
        let present = Origin::of(&self.home.repository);
        origin
            .zip(present)
            .is_some_and(|(one, other)| one.is(&other))
    }

    /// One of them.
    pub(in crate::cli) fn checkpoint(&self, phase: Phase) -> Result<&Named, CliError> {
        let found = self.checkpoints.iter().find(|named| named.phase == phase);
        found.ok_or_else(|| {
            let known = self.checkpoints.iter().map(|named| named.phase.to_string());
            let known: Vec<String> = known.collect();
            let message = format!("{} has no checkpoint {phase}", self.id);
            CliError::new(Kind::NotFound, message).with_hint(format!("it has {}", known.join(", ")))
        })
    }

    /// Whether the caller stands in the work tree that they were found for, and in no other one inside.
    pub(in crate::cli) fn is_here(&self, environment: &Environment) -> bool {
        let current = standing(environment);
        let root = birth(&self.home.repository.root).ok();
        let is_root = |path: &Path| root.is_some() && birth(path).ok() == root;
        match Repository::find(&current) {
            Ok(present) => is_root(&present.root),
            Err(_) => current.ancestors().any(is_root),
        }
    }

    /// Fails for a path that is neither in a checkpoint nor there.
    pub(in crate::cli) fn check_known(
        &self,
        environment: &Environment,
        commit: &str,
        wanted: &[Vec<u8>],
    ) -> Result<(), CliError> {
        let reading = self.home.read(environment);
        let checkpoint = reading.checkpoint(commit)?;
        let is_there = |path: &[u8]| {
            let path = self.home.repository.root.join(OsStr::from_bytes(path));
            path.symlink_metadata().is_ok()
        };
        let mut missing = wanted.iter().filter(|path| !is_there(path)).peekable();
        if missing.peek().is_none() {
            return Ok(());
        }
        let entries = reading.entries(&checkpoint.tree)?;
        let unknown = missing.find(|path| {
            let only = std::slice::from_ref(*path);
            !entries.iter().any(|entry| is_wanted(&entry.path, only))
        });
        unknown.map_or(Ok(()), |path| {
            let path = String::from_utf8_lossy(path);
            let message = format!("{path} is neither in the checkpoint nor in the work tree");
            Err(CliError::new(Kind::NotFound, message)
                .with_hint("a path is one file or directory; patterns are not expanded"))
        })
    }

    /// Paths as they were typed, relative to the work tree.
    pub(in crate::cli) fn wanted(&self, paths: &[PathBuf]) -> Result<Vec<Vec<u8>>, CliError> {
        let current = std::env::current_dir().unwrap_or_default();
        let root = &self.home.repository.root;
        let paths = paths.iter().map(|typed| {
            let path = straight(&current.join(typed));
            let below = path.strip_prefix(root).map_err(|_| {
                let (typed, root) = (typed.display(), root.display());
                CliError::new(Kind::Usage, format!("{typed} is not in {root}"))
            })?;
            Ok(below.as_os_str().as_encoded_bytes().to_vec())
        });
        // The work tree itself is everything.
        let paths: Result<Vec<Vec<u8>>, CliError> = paths.collect();
        Ok(match paths? {
            paths if paths.iter().any(Vec::is_empty) => Vec::new(),
            paths => paths,
        })
    }
}

/// A path without `.` and `..`, by its words alone: what it names may be gone.
pub(in crate::cli) fn straight(path: &Path) -> PathBuf {
    let mut straight = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => _ = straight.pop(),
            other => straight.push(other),
        }
    }
    straight
}

/// A session of which only checkpoints are left.
fn nameless(home: &Home, selector: &str) -> Result<Option<SessionId>, CliError> {
    let ids = home.sessions()?;
    let Ok(selector) = selector.parse::<Selector>();
    Ok(match selector {
        Selector::Last { back } => ids.into_iter().nth(back),
        Selector::Id(id) => ids.into_iter().find(|known| *known == id),
        Selector::Part(part) => {
            let mut fitting = ids.into_iter().filter(|id| {
                let id = id.as_str();
                id.starts_with(&part) || id.ends_with(&part)
            });
            fitting.next().filter(|_| fitting.next().is_none())
        }
        Selector::LastFailed | Selector::Agent(_) => None,
    })
}

/// What a session says of itself, whatever is secret in it: where it ran is not shown.
fn raw(reader: &Reader, id: &SessionId) -> Option<Metadata> {
    let finished = reader.store.metadata(id).ok();
    finished.or_else(|| record::interrupted(&reader.store.start_record(id).ok()?))
}
