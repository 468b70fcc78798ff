//! The user's key for signing sidecars: 32 random bytes in a private file of the state directory,
//! made on first use. No key is no error: sidecars are then unsigned.

use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::path::Path;

use super::Key;
use super::signature::KEY_BYTES;
use crate::sys::file::Directory;
use crate::sys::random;

const FILE: &str = "key";

/// Reads the key, and makes one first if there is none.
///
/// # Errors
/// When it can't be read or made, or others could read it.
pub fn load_or_make(state: &Path) -> io::Result<Key> {
    match load(state) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(state),
        result => result,
    }
}

/// Reads the key.
///
/// # Errors
/// When there is none, or others could read it.
pub fn load(state: &Path) -> io::Result<Key> {
    let mut file = Directory::open(state)?.open_file(FILE)?;
    let status = rustix::fs::fstat(&file)?;
    if status.st_uid != rustix::process::geteuid().as_raw() || status.st_mode & 0o077 != 0 {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "the key is readable by others",
        ));
    }
    let mut bytes = [0; KEY_BYTES];
    file.read_exact(&mut bytes)?;
    Ok(Key::new(bytes))
}

/// Makes a key under another name and gives it its own in one step, so that of two recorders that
/// start at once one wins and both use its key.
fn make(state: &Path) -> io::Result<Key> {
    let (parent, name) = (state.parent(), state.file_name());
    let (Some(parent), Some(name)) = (parent, name) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let (parent, _) = Directory::open_or_make(parent)?;
    let (directory, _) = parent.open_or_make_child(OsStr::new(name))?;
    let bytes = random::bytes::<KEY_BYTES>()?;
    let new = format!(".{FILE}.{:08x}", random::number()?);
    let written = directory.create(&new).and_then(|mut file| {
        file.write_all(&bytes)?;
        // Losing the key in a power cut would turn every signed session into an altered one. Its
        // name is synced too: the sessions may be on another disk, whose syncs don't reach it.
        file.sync_all()?;
        directory.rename_new(&new, &directory, FILE)?;
        directory.sync()
    });
    match written {
        Ok(()) => Ok(Key::new(bytes)),
        Err(error) => {
            let _ = directory.remove(&new);
            if error.kind() == io::ErrorKind::AlreadyExists {
                load(state)
            } else {
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::metadata::tests::minimal;
    use crate::store::signature::{Signature, check, signed_json};
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_key_is_made_once_and_private() {
        let temporary = tempfile::tempdir().unwrap();
        let state = temporary.path().join("state/aido");
        assert!(load(&state).is_err());
        let first = load_or_make(&state).unwrap();
        let second = load_or_make(&state).unwrap();
        let mut metadata = minimal("a-20260305_132522-1-abcdef12");
        let text = signed_json(&mut metadata, Some(&first)).unwrap();
        let signature = check(text.as_bytes(), &metadata, Some(&second));
        assert_eq!(signature, Signature::Valid);
        let file = state.join(FILE);
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(load_or_make(&state).is_err(), "others can read it");
    }
}
