//! Directories that git could not list: what stands in them is in no checkpoint, and nobody knows it. git
//! only warns of them.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use super::Problem;
use super::git::Git;
use super::home::Home;
use super::select::Reason;
use crate::sys::bounded::SAID_BYTES;
use crate::sys::tree::{Entry, Tree};
use crate::sys::unlisted::{Obstacle, unlisted};

/// A path, and why it is left out.
pub(super) type LeftOut = (Vec<u8>, Reason);

/// How every warning begins.
const WARNING: &[u8] = b"warning: ";
/// What one of these says.
const WHAT: &[u8] = b"could not open directory '";
/// How it ends.
const WHY: &[u8] = b"': Permission denied";

/// The directories that git complained of. Where it isn't clear which they are, such as of names with line
/// feeds and of paths that are too long, all directories are looked at.
pub(super) fn closed(
    home: &Home,
    git: &Git,
    tree: &mut Tree,
    said: &[u8],
) -> Result<Vec<LeftOut>, Problem> {
    if said.is_empty() {
        return Ok(Vec::new());
    }
    let root = &home.repository.root;
    let told = (said.len() < SAID_BYTES)
        .then(|| told(tree, said))
        .flatten();
    let found = match told {
        Some(found) => found,
        None => {
            let found = unlisted(root, &|| git.remaining().is_zero());
            let found = found.map_err(|error| git.problem("ls-files", &error))?;
            let reason = |obstacle| match obstacle {
                Obstacle::Denied => Reason::Unreadable,
                Obstacle::TooLong => Reason::PathRefused,
            };
            let found = found.into_iter();
            found
                .map(|(path, obstacle)| (path.into_os_string().into_vec(), reason(obstacle)))
                .collect()
        }
    };
    match found.iter().any(|(path, _)| path == b".") {
        true => Err(Problem::file(root.as_path())(
            io::ErrorKind::PermissionDenied.into(),
        )),
        false => Ok(found),
    }
}

/// The directories that these lines name, if each of them is one that can't be listed.
fn told(tree: &mut Tree, said: &[u8]) -> Option<Vec<LeftOut>> {
    let mut found = Vec::new();
    let lines = said.split(|byte| *byte == b'\n');
    for line in lines.filter(|line| !line.is_empty()) {
        let warning = line.strip_prefix(WARNING)?;
        let Some(rest) = warning.strip_prefix(WHAT) else {
            continue;
        };
        let path = rest.strip_suffix(WHY)?;
        let path = path.strip_suffix(b"/").unwrap_or(path);
        let place = Path::new(OsStr::from_bytes(path));
        let is_directory = match tree.look(place) {
            Ok(entry) => entry == Entry::Directory,
            Err(error) => error.kind() == io::ErrorKind::PermissionDenied,
        };
        let is_closed = path == b"." || is_directory && !tree.is_readable(place);
        found.push((is_closed.then(|| path.to_owned())?, Reason::Unreadable));
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_clear_is_taken_from_warnings() {
        let temporary = tempfile::tempdir().unwrap();
        let mut tree = Tree::open(temporary.path()).unwrap();
        let mut told = |said: &str| told(&mut tree, said.as_bytes());
        let other = "warning: unable to access 'a/.gitignore': Permission denied\n";
        assert_eq!(told(other), Some(Vec::new()));
        let root = format!("{other}warning: could not open directory '.': Permission denied\n");
        assert_eq!(told(&root), Some(vec![(b".".to_vec(), Reason::Unreadable)]));
        for unclear in [
            "warning: could not open directory 'none/': Permission denied\n",
            "warning: could not open directory 'a",
            "warning: could not open directory 'a/': File name too long\n",
            "something else",
        ] {
            assert_eq!(told(unclear), None, "{unclear}");
        }
    }
}
