//! A session's file gets its place in the session directory: renamed, or copied where renaming can't
//! reach, as from another mount.

use std::fs::File;
use std::io::{self, Seek, SeekFrom};

use crate::store::layout;
use crate::sys::file::{self, Directory};
use crate::sys::random;

/// Gives the open file `name` of `from` the name `new_name` in `session`, which must not exist there. It
/// appears whole or not at all. Where it had to be copied, `file` is the copy.
pub(super) fn place(
    file: &mut File,
    (from, name): (&Directory, &str),
    (session, new_name): (&Directory, &str),
) -> io::Result<()> {
    match from.rename_new(name, session, new_name) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            place_copy(file, session, new_name)?;
            // What stays is taken for the rest of a session that is finished, and goes later.
            let _ = from.remove(name);
            Ok(())
        }
        result => result,
    }
}

/// Copies an open file into the session directory under `name`, and puts the copy in its place. The copy
/// is locked before it has its name, as the original may be: a session that is being published must not
/// look as if its recorder were dead.
pub(super) fn place_copy(file: &mut File, session: &Directory, name: &str) -> io::Result<()> {
    let new = layout::replacement(name, random::number()?);
    let mut copy = session.create(&new)?;
    let placed = file::lock(&copy)
        .and_then(|()| file.seek(SeekFrom::Start(0)))
        .and_then(|_| io::copy(file, &mut copy))
        // Else the original could be gone from the disk before the copy is on it.
        .and_then(|_| copy.sync_data())
        .and_then(|()| session.rename_new(&new, session, name));
    match placed {
        Ok(()) => {
            *file = copy;
            Ok(())
        }
        Err(error) => {
            let _ = session.remove(&new);
            Err(error)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::{Read, Write};
    use std::path::Path;

    use super::*;

    #[test]
    fn a_copy_takes_the_place_of_the_file_and_is_locked() {
        let directory = tempfile::tempdir().unwrap();
        let session = Directory::open(directory.path()).unwrap();
        let mut file = session.create("live").unwrap();
        file.write_all(b"recorded").unwrap();
        place_copy(&mut file, &session, "placed").unwrap();
        let mut text = String::new();
        file.seek(SeekFrom::Start(0)).unwrap();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text, "recorded");
        let other = File::open(directory.path().join("placed")).unwrap();
        assert!(file::is_locked(&other));
        assert_eq!(names(directory.path()), ["live", "placed"]);
    }

    #[test]
    fn what_is_there_is_not_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let session = Directory::open(directory.path()).unwrap();
        let mut file = session.create("live").unwrap();
        let mut older = session.create("placed").unwrap();
        older.write_all(b"older").unwrap();
        assert!(place_copy(&mut file, &session, "placed").is_err());
        let kept = fs::read_to_string(directory.path().join("placed")).unwrap();
        assert_eq!(kept, "older");
        assert_eq!(names(directory.path()), ["live", "placed"]);
    }

    fn names(directory: &Path) -> Vec<String> {
        let names = fs::read_dir(directory).unwrap();
        let mut names: Vec<String> = names
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}
