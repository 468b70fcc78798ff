//! Small JSON files, read from anybody and replaced in one step.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::io::{self, Read, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::store::layout;
use crate::sys::file::Directory;
use crate::sys::random;

/// The largest file that is read.
pub(super) const FILE_BYTES: u64 = 64 * 1024;
/// The major version of the files that this aido knows.
const MAJOR: u64 = 1;

/// What a file says.
pub(super) enum Found<T> {
    /// This.
    Value(T),
    /// There is none.
    Nothing,
    /// Nothing that can be used.
    Broken(String),
    /// It is of a later format and must not be rewritten.
    Newer(String),
}

impl<T> Found<T> {
    /// What it says, if it says something.
    pub(super) fn value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            _ => None,
        }
    }
}

/// Reads a file as what it should be.
pub(super) fn read<T: DeserializeOwned>(directory: &Directory, name: &str) -> Found<T> {
    let file = match directory.open_file(name) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Found::Nothing,
        Err(error) => return Found::Broken(error.to_string()),
        Ok(file) => file,
    };
    match read_all(file) {
        Ok(bytes) => parse(&bytes),
        Err(error) => Found::Broken(error.to_string()),
    }
}

/// A small file's bytes.
pub(super) fn read_all(file: impl Read) -> io::Result<Vec<u8>> {
    // Nearly all are smaller: one read gets it all, and another finds the end.
    let mut bytes = Vec::with_capacity(2048);
    file.take(FILE_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_BYTES {
        return Err(io::Error::other(format!(
            "it is larger than {FILE_BYTES} bytes"
        )));
    }
    Ok(bytes)
}

pub(super) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Found<T> {
    // The version by itself: most files are of this one, and are read into what they are at once.
    let version = serde_json::from_slice::<Version<'_>>(bytes).ok();
    let version = version.and_then(|version| version.schema_version);
    let major = version.and_then(|version| version.split('.').next()?.parse::<u64>().ok());
    if major.is_some_and(|major| major > MAJOR) {
        return Found::Newer("it was written by a later aido".to_owned());
    }
    match serde_json::from_slice(bytes) {
        Ok(value) => Found::Value(value),
        Err(error) => Found::Broken(error.to_string()),
    }
}

/// What is read first of any file.
#[derive(Deserialize)]
struct Version<'a> {
    #[serde(borrow, default)]
    schema_version: Option<Cow<'a, str>>,
}

/// Puts a value in a file's place.
pub(super) fn write(directory: &Directory, name: &str, value: &impl Serialize) -> io::Result<()> {
    let mut text = serde_json::to_string_pretty(value)?;
    text.push('\n');
    put(directory, name, text.as_bytes())
}

/// Puts bytes in a file's place, in one step.
pub(super) fn put(directory: &Directory, name: &str, bytes: &[u8]) -> io::Result<()> {
    let new = layout::replacement(name, random::number()?);
    let written = directory
        .create(&new)
        .and_then(|mut file| file.write_all(bytes))
        .and_then(|()| directory.replace(&new, name));
    if written.is_err() {
        let _ = directory.remove(&new);
    }
    written
}

/// The stems of a directory's names with this ending, sorted, at most `limit` of them.
pub(super) fn stems(directory: &Directory, ending: &str, limit: usize) -> io::Result<Vec<String>> {
    let mut stems = Vec::new();
    directory.each_name(&mut |name: &OsStr| {
        let stem = name.to_str().and_then(|name| name.strip_suffix(ending));
        if let Some(stem) = stem.filter(|stem| !stem.starts_with('.')) {
            stems.push(stem.to_owned());
        }
    })?;
    stems.sort_unstable();
    stems.truncate(limit);
    Ok(stems)
}
