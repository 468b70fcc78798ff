//! Files that pose as a session's.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::store::layout;
use crate::sys::file::Directory;

/// The names in a session directory that end as a session's files do, but hold no session id: they
/// belong to no session, and no reader sees them. Sorted.
///
/// # Errors
/// When the directory can't be read; one that doesn't exist is empty.
pub fn strangers(session_directory: &Path) -> io::Result<Vec<OsString>> {
    let directory = match Directory::open(session_directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        opened => opened?,
    };
    let poses = |name: &OsStr| {
        let bytes = name.as_bytes();
        layout::SESSION_FILES
            .iter()
            .any(|ending| bytes.ends_with(ending.as_bytes()))
    };
    let mut names = Vec::new();
    directory.each_name(&mut |name| {
        if poses(name) && layout::parse(name).is_none() {
            names.push(name.to_owned());
        }
    })?;
    names.sort_unstable();
    Ok(names)
}
