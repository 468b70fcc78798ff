//! The index of the last checkpoint of a work tree, kept for the next one: it knows what files were like, so
//! that only those are read again that changed since.
//!
//! It saves time and nothing else. One that is missing, damaged, of another work tree or too old is none, and
//! the repository's own index is taken. It is one file that takes its place in one step, so that whoever is
//! killed, and however many there are at once, it is whole.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::home::{Home, Index};
use crate::sys::file::Directory;
use crate::sys::random;
use crate::sys::stamp::{set_modified, stamp};

/// The directory of all of them, one a work tree, in aido's own git directory.
pub(super) const KEPT: &str = "kept";
/// The version of this file. Trees of the first one stood in the repository, too.
const VERSION: u32 = 2;
/// The largest that is read: some two million files.
const MOST_BYTES: u64 = 256 * 1024 * 1024;
/// The digits of the digest that it begins with.
const DIGEST_DIGITS: usize = 64;

/// What an index that was kept is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    version: u32,
    /// The device and the inode of the work tree's root.
    root: (u64, u64),
    /// When git wrote the index, in nanoseconds since 1970: what changed later than a second before that is
    /// read again, whatever the index says.
    modified_ns: i64,
    /// The commit that HEAD led to: what the index has otherwise stands in aido's own objects.
    pub(super) head: Option<String>,
    /// The tree that was made of it.
    pub(super) tree: String,
}

impl Home {
    /// Puts the index that was kept at `index`, if there is one that can be used.
    pub(super) fn resume(&self, index: &Index) -> Option<Kept> {
        let (name, root) = self.kept_name().ok()?;
        let directory = Directory::open(&self.path)
            .ok()?
            .walk(Path::new(KEPT))
            .ok()?;
        let file = directory.open_file(&name).ok()?;
        let mut bytes = Vec::new();
        file.take(MOST_BYTES).read_to_end(&mut bytes).ok()?;
        let (kept, contents) = unpack(&bytes)?;
        if kept.root != root {
            return None;
        }
        let put = || -> io::Result<()> {
            let mut target = File::create_new(&index.path)?;
            target.write_all(contents)?;
            set_modified(&target, kept.modified_ns.into())
        };
        match put() {
            Ok(()) => Some(kept),
            Err(_) => {
                let _ = std::fs::remove_file(&index.path);
                None
            }
        }
    }

    /// Keeps an index of which `tree` was made.
    ///
    /// # Errors
    /// When it can't be read, or not be written: the last one stays.
    pub(super) fn keep(&self, index: &Index, head: Option<&str>, tree: &str) -> io::Result<()> {
        let (name, root) = self.kept_name()?;
        let mut source = File::open(&index.path)?;
        let mut contents = Vec::new();
        source.read_to_end(&mut contents)?;
        let too_far = |_| io::Error::from(io::ErrorKind::InvalidData);
        let kept = Kept {
            version: VERSION,
            root,
            modified_ns: stamp(&source)?.modified_ns.try_into().map_err(too_far)?,
            head: head.map(str::to_owned),
            tree: tree.to_owned(),
        };
        let bytes = pack(&kept, &contents)?;
        let (directory, _) = Directory::open(&self.path)?.walk_or_make(Path::new(KEPT))?;
        let new = format!(".{name}.{:08x}.new", random::number()?);
        let written = directory
            .create(&new)
            .and_then(|mut file| file.write_all(&bytes))
            .and_then(|()| directory.replace(&new, &name));
        if written.is_err() {
            let _ = directory.remove(&new);
        }
        written
    }

    /// Removes all of them: the objects that they name may go.
    ///
    /// # Errors
    /// When one stays.
    pub(super) fn forget_kept(&self) -> io::Result<()> {
        let opened = Directory::open(&self.path).and_then(|home| home.walk(Path::new(KEPT)));
        let directory = match opened {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            opened => opened?,
        };
        let mut names = Vec::new();
        directory.each_name(&mut |name| names.push(name.to_owned()))?;
        for name in names.iter().filter_map(|name| name.to_str()) {
            directory.remove(name)?;
        }
        Ok(())
    }

    /// Its name, by git's directory of the work tree, and the root of the work tree.
    fn kept_name(&self) -> io::Result<(String, (u64, u64))> {
        let of = |path: &Path| Directory::open(path)?.identity();
        let git = of(&self.repository.git_directory)?;
        let root = of(&self.repository.root)?;
        let name = format!("{:x}-{:x}", git.device, git.inode);
        Ok((name, (root.device, root.inode)))
    }
}

/// The digest of all that follows, a line of JSON, and the index.
fn pack(kept: &Kept, index: &[u8]) -> io::Result<Vec<u8>> {
    let mut rest = serde_json::to_vec(kept)?;
    rest.push(b'\n');
    rest.extend_from_slice(index);
    let mut bytes = hex::encode(Sha256::digest(&rest)).into_bytes();
    bytes.push(b'\n');
    bytes.append(&mut rest);
    Ok(bytes)
}

/// What [`pack`] made; none of anything else.
fn unpack(bytes: &[u8]) -> Option<(Kept, &[u8])> {
    let (digest, rest) = bytes.split_at_checked(DIGEST_DIGITS)?;
    let rest = rest.strip_prefix(b"\n")?;
    if hex::encode(Sha256::digest(rest)).as_bytes() != digest {
        return None;
    }
    let end = memchr::memchr(b'\n', rest)?;
    let kept: Kept = serde_json::from_slice(&rest[..end]).ok()?;
    (kept.version == VERSION).then(|| (kept, &rest[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn kept() -> Kept {
        Kept {
            version: VERSION,
            root: (1, u64::MAX),
            modified_ns: 1_772_717_122_123_456_789,
            head: Some("ab12".to_owned()),
            tree: "cd34".to_owned(),
        }
    }

    #[test]
    fn what_was_kept_is_read_again() {
        let bytes = pack(&kept(), b"DIRC\n\0\xff").unwrap();
        assert_eq!(unpack(&bytes), Some((kept(), &b"DIRC\n\0\xff"[..])));
        let other = Kept {
            version: VERSION + 1,
            ..kept()
        };
        assert_eq!(unpack(&pack(&other, b"DIRC").unwrap()), None);
        assert_eq!(unpack(b""), None);
    }

    proptest! {
        #[test]
        fn what_is_damaged_is_none(place in any::<prop::sample::Index>(), flip in 1_u8.., is_cut: bool) {
            let mut bytes = pack(&kept(), &[7; 100]).unwrap();
            let place = place.index(bytes.len());
            match is_cut {
                true => bytes.truncate(place),
                false => bytes[place] ^= flip,
            }
            prop_assert_eq!(unpack(&bytes), None);
        }
    }
}
