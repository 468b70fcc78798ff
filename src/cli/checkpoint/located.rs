//! Finding the checkpoints of a session: the repository is that of the directory it ran in, else the
//! caller's. A session may be gone while its checkpoints are there: they stand elsewhere, so that a command
//! that removes everything removes no way back.

use std::path::{Component, Path, PathBuf};

use crate::checkpoint::{Home, Limits, Named, Phase, Repository};
use crate::cli::error::{CliError, Kind};
use crate::cli::reading::Reader;
use crate::config::Settings;
use crate::environment::Environment;
use crate::place::Place;
use crate::session::{Metadata, Selector, SessionId};
use crate::store::Store;
use crate::store::resolve::resolve;
use crate::transcript::record;

/// A session's checkpoints.
pub(in crate::cli) struct Located {
    pub(in crate::cli) id: SessionId,
    pub(in crate::cli) home: Home,
    pub(in crate::cli) checkpoints: Vec<Named>,
}

/// aido's own git directory for the caller's repository.
pub(in crate::cli) fn here(environment: &Environment) -> Result<Home, CliError> {
    let place = Place::find(std::env::current_dir().ok(), environment);
    let current = place.current.as_deref().unwrap_or(Path::new("/"));
    let repository = Repository::find(current)?;
    Ok(Home::of(repository, place.state.as_deref())?)
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

/// aido's own git directory for the repository that a session ran in, if that is there.
fn of_session(metadata: &Metadata, state: Option<&Path>) -> Option<Home> {
    let ran_in = Path::new(metadata.cwd.as_deref()?);
    // The directory itself may have been removed by the command.
    let there = ran_in.ancestors().find(|path| path.is_dir())?;
    Home::of(Repository::find(there).ok()?, state).ok()
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
        let place = Place::find(None, environment);
        let metadata = raw(reader, &id);
        let of_session = metadata.and_then(|it| of_session(&it, place.state.as_deref()));
        let homes = [of_session, here(environment).ok()];
        for home in homes.into_iter().flatten() {
            let checkpoints = home.checkpoints_of(&id)?;
            if !checkpoints.is_empty() {
                return Ok(Self {
                    id,
                    home,
                    checkpoints,
                });
            }
        }
        Err(
            CliError::new(Kind::NotFound, format!("{id} has no checkpoint")).with_hint(
                "aido --checkpoint both COMMAND takes one; aido checkpoint list shows those here",
            ),
        )
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
