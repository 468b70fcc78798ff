//! Where a session's socket is: a private directory of the user's, outside any repository.

use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::environment::Environment;
use crate::session::SessionId;
use crate::sys::file::Directory;

/// Below the user's runtime directory, or below aido's own where there is none.
const BELOW_RUNTIME: &str = "aido";
const BELOW_STATE: &str = "run";

/// The directory for sockets: in the user's runtime directory where there is one, else in aido's state
/// directory. None without either.
#[must_use]
pub fn directory(environment: &Environment, state: Option<&Path>) -> Option<PathBuf> {
    let runtime = environment.absolute_path("XDG_RUNTIME_DIR");
    let runtime = runtime.filter(|path| path.is_dir());
    let runtime = runtime.map(|path| path.join(BELOW_RUNTIME));
    runtime.or_else(|| Some(state?.join(BELOW_STATE)))
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
    format!("{}.s", name(id))
}

/// The name of the file that says how a session is.
#[must_use]
pub fn status_name(id: &SessionId) -> String {
    format!("{}.json", name(id))
}

fn name(id: &SessionId) -> String {
    let digest = Sha256::digest(id.as_str().as_bytes());
    hex::encode(&digest[..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_are_where_the_user_has_a_place_for_them() {
        let state = Path::new("/home/me/.local/state/aido");
        let none = Environment::default();
        let found = directory(&none, Some(state));
        assert_eq!(found, Some(state.join("run")));
        assert_eq!(directory(&none, None), None);
        let gone = Environment::from_pairs([("XDG_RUNTIME_DIR", "/proc/nonexistent")]);
        assert_eq!(directory(&gone, Some(state)), found);
        let there = Environment::from_pairs([("XDG_RUNTIME_DIR", "/")]);
        assert_eq!(directory(&there, None), Some("/aido".into()));
    }

    #[test]
    fn names_are_short_and_differ() {
        let id: SessionId = "a-20260305_132522-1-abcdef12".parse().unwrap();
        let other: SessionId = "a-20260305_132522-1-abcdef13".parse().unwrap();
        assert_eq!(socket_name(&id).len(), 18);
        assert_ne!(socket_name(&id), socket_name(&other));
    }
}
