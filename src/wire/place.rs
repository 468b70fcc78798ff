//! Where a session's socket and door are: a private directory of the user's, outside any repository.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::environment::Environment;
use crate::session::SessionId;
use crate::sys::door;
use crate::sys::file::Directory;

/// Below the user's runtime directory, or below aido's own where there is none.
const BELOW_RUNTIME: &str = "aido";
const BELOW_STATE: &str = "run";
/// Where nothing else may be written to, as in a sandbox.
const TEMPORARY: &str = "/tmp";
/// How many names are looked at when a directory is swept.
const SWEPT_NAMES: usize = 4096;

/// The directory for sockets: the first that can be used. None without any.
#[must_use]
pub fn directory(environment: &Environment, state: Option<&Path>) -> Option<PathBuf> {
    let mut candidates = candidates(environment, state).into_iter();
    candidates.find(|path| is_usable(path))
}

/// Where it may be, the best place first: the user's runtime directory where there is one, aido's state
/// directory, and one of the user's own where temporary files go.
fn candidates(environment: &Environment, state: Option<&Path>) -> Vec<PathBuf> {
    let runtime = environment.absolute_path("XDG_RUNTIME_DIR");
    // After su it may be somebody else's.
    let is_own = |path: &PathBuf| Directory::open(path).is_ok_and(|it| it.check_own().is_ok());
    let runtime = runtime.filter(is_own);
    let temporary = environment.absolute_path("TMPDIR");
    let temporary = temporary.unwrap_or_else(|| TEMPORARY.into());
    let user = rustix::process::geteuid().as_raw();
    let all = [
        runtime.map(|path| path.join(BELOW_RUNTIME)),
        state.map(|path| path.join(BELOW_STATE)),
        Some(temporary.join(format!("aido-{user}"))),
    ];
    all.into_iter().flatten().collect()
}

/// Whether files can be made there. Tried, since a sandbox may forbid what the modes allow.
fn is_usable(path: &Path) -> bool {
    let name = format!(".{}~", std::process::id());
    let tried = open_or_make(path).and_then(|directory| {
        directory.create(&name)?;
        directory.remove(&name)
    });
    tried.is_ok()
}

/// Opens the directory, which must be private.
///
/// # Errors
/// When there is none, or it is not private.
pub fn open(path: &Path) -> io::Result<Directory> {
    let directory = Directory::open_itself(path)?;
    directory.check_private()?;
    Ok(directory)
}

/// Removes what supervisors left behind that were killed: those whose door nobody is behind.
pub fn sweep(directory: &Directory) {
    let mut left = Vec::new();
    let mut note = |name: &OsStr| {
        let name = name.to_str();
        if let Some(stem) = name.and_then(door::stem_of)
            && name.is_some_and(|name| door::is_abandoned(directory, name))
        {
            left.push(stem.to_owned());
        }
    };
    // What can't be read now is swept another time.
    let _ = directory
        .names()
        .and_then(|mut names| names.each(SWEPT_NAMES, &mut note));
    for stem in left {
        for name in [socket_of(&stem), status_of(&stem)] {
            let _ = directory.remove(&name);
        }
        door::clear(directory, &stem);
    }
}

/// Opens the directory, made private if there is none.
///
/// # Errors
/// When it can't be made, or is not private.
pub fn open_or_make(path: &Path) -> io::Result<Directory> {
    let (directory, _) = Directory::open_or_make(path)?;
    directory.check_private()?;
    Ok(directory)
}

/// The name of a session's socket: as short for any id.
#[must_use]
pub fn socket_name(id: &SessionId) -> String {
    socket_of(&stem(id))
}

/// The name of the file that says how a session is.
#[must_use]
pub fn status_name(id: &SessionId) -> String {
    status_of(&stem(id))
}

fn socket_of(stem: &str) -> String {
    format!("{stem}.s")
}

fn status_of(stem: &str) -> String {
    format!("{stem}.json")
}

/// What the names of all that belongs to a session begin with: of its door, too.
#[must_use]
pub fn stem(id: &SessionId) -> String {
    let digest = Sha256::digest(id.as_str().as_bytes());
    hex::encode(&digest[..8])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::door::Door;

    #[test]
    fn sockets_are_where_the_user_has_a_place_for_them() {
        let state = Path::new("/home/me/.local/state/aido");
        let own = format!("aido-{}", rustix::process::geteuid().as_raw());
        let temporary = Path::new("/tmp").join(&own);
        let none = Environment::default();
        let found = candidates(&none, Some(state));
        assert_eq!(found, [state.join("run"), temporary.clone()]);
        assert_eq!(candidates(&none, None), [temporary]);
        let gone = [("XDG_RUNTIME_DIR", "/proc/nonexistent")];
        assert_eq!(
            candidates(&Environment::from_pairs(gone), Some(state)),
            found
        );
        let place = tempfile::tempdir().unwrap();
        let runtime = place.path().to_str().unwrap();
        let there = [("XDG_RUNTIME_DIR", runtime), ("TMPDIR", "/var/tmp")];
        let below = Path::new("/var/tmp").join(own);
        let found = candidates(&Environment::from_pairs(there), None);
        assert_eq!(found, [place.path().join("aido"), below]);
    }

    #[test]
    fn the_first_place_that_can_be_written_to_is_taken() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().canonicalize().unwrap();
        Directory::open(&root).unwrap().create("file").unwrap();
        let temporary = root.to_str().unwrap();
        let environment = Environment::from_pairs([("TMPDIR", temporary)]);
        let state = root.join("state");
        assert_eq!(
            directory(&environment, Some(&state)),
            Some(state.join("run"))
        );
        // Nothing of the try is left.
        assert_eq!(std::fs::read_dir(state.join("run")).unwrap().count(), 0);
        let chosen = directory(&environment, Some(&root.join("file"))).unwrap();
        assert_eq!(chosen.parent(), Some(&*root));
        let nowhere = Environment::from_pairs([("TMPDIR", "/proc/nonexistent")]);
        assert_eq!(directory(&nowhere, None), None);
    }

    #[test]
    fn what_killed_supervisors_left_is_swept_and_nothing_else() {
        let place = tempfile::tempdir().unwrap();
        let directory = Directory::open(place.path()).unwrap();
        let open = || Door::open(directory.try_clone().unwrap(), "alive").unwrap();
        let _alive = open();
        std::mem::forget(Door::open(directory.try_clone().unwrap(), "held").unwrap());
        for name in [
            "dead.s",
            "dead.json",
            "dead.00.q",
            "alive.s",
            ".names",
            "old.s",
        ] {
            directory.create(name).unwrap();
        }
        let file_type = rustix::fs::FileType::Fifo;
        rustix::fs::mknodat(&directory, "dead.d", file_type, 0o600.into(), 0).unwrap();
        sweep(&directory);
        let mut names = Vec::new();
        let mut note = |name: &OsStr| names.push(name.to_str().unwrap().to_owned());
        directory.each_name(&mut note).unwrap();
        names.sort();
        assert_eq!(names, [".names", "alive.d", "alive.s", "held.d", "old.s"]);
    }

    #[test]
    fn names_are_short_and_differ() {
        let id: SessionId = "a-20260305_132522-1-abcdef12".parse().unwrap();
        let other: SessionId = "a-20260305_132522-1-abcdef13".parse().unwrap();
        assert_eq!(socket_name(&id).len(), 18);
        assert_ne!(socket_name(&id), socket_name(&other));
    }
}
