//! Whether files that git tracks have changed, from its index and without starting it: the index names
//! them, and each one's own time tells.
//!
//! The format is that of git's documentation, gitformat-index(5), versions 2 to 4. Files that git doesn't
//! track yet are not seen.

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::session::Timestamp;
use crate::sys::file::read_small;

/// The largest index that is read.
const INDEX_BYTES: u64 = 8 * 1024 * 1024;
/// The most files that are asked: some 20 ms.
const FILES_MAX: usize = 20_000;
/// Times of files are those of the kernel's last tick, which may be this long ago, in milliseconds.
const TICK_MS: i64 = 20;

/// What stands before an entry's flags: ten numbers and a digest of 20 bytes.
const FIXED_BYTES: usize = 60;
/// In the flags: two more bytes of flags follow.
const EXTENDED: u16 = 0x4000;
/// In those: the file is left out of the work tree.
const SKIPPED: u16 = 0x4000;
/// The mode of a submodule.
const SUBMODULE: u32 = 0o160_000;

/// A file that git tracks.
struct Tracked {
    path: Vec<u8>,
    is_in_tree: bool,
}

/// Whether any tracked file has changed, appeared or gone since; none where that can't be told in good
/// time.
pub(super) fn changed_since(root: &Path, index: &Path, since: Timestamp) -> Option<bool> {
    let bytes = read_small(index, INDEX_BYTES).ok()?;
    let since_ms = since.0.timestamp_millis() - TICK_MS;
    let files = entries(&bytes)?;
    let mut files = files.iter().filter(|file| file.is_in_tree);
    Some(files.any(|file| {
        let path = root.join(Path::new(std::ffi::OsStr::from_bytes(&file.path)));
        let changed_ms = path
            .symlink_metadata()
            .map(|status| status.ctime() * 1000 + status.ctime_nsec() / 1_000_000);
        changed_ms.map_or(true, |changed_ms| changed_ms >= since_ms)
    }))
}

fn entries(bytes: &[u8]) -> Option<Vec<Tracked>> {
    let version = u32_at(bytes, 4).filter(|version| (2..=4).contains(version))?;
    let count = usize::try_from(u32_at(bytes, 8)?).ok()?;
    if !bytes.starts_with(b"DIRC") || count > FILES_MAX {
        return None;
    }
    let mut files: Vec<Tracked> = Vec::with_capacity(count);
    let mut at = 12;
    for _ in 0..count {
        let start = at;
        let mode = u32_at(bytes, start + 24)?;
        let flags = u16_at(bytes, start + FIXED_BYTES)?;
        at = start + FIXED_BYTES + 2;
        let mut more = 0;
        if version >= 3 && flags & EXTENDED != 0 {
            more = u16_at(bytes, at)?;
            at += 2;
        }
        let mut path = Vec::new();
        if version == 4 {
            let dropped = number(bytes, &mut at)?;
            let before = files.last().map_or(&[][..], |file| &file.path);
            path.extend_from_slice(before.get(..before.len().checked_sub(dropped)?)?);
        }
        let name = bytes.get(at..)?;
        let length = memchr::memchr(0, name)?;
        path.extend_from_slice(&name[..length]);
        at += length;
        at = if version == 4 {
            at + 1
        } else {
            // One to eight zeros, to a multiple of eight.
            start + (at - start + 8) / 8 * 8
        };
        files.push(Tracked {
            path,
            is_in_tree: mode != SUBMODULE && more & SKIPPED == 0,
        });
    }
    Some(files)
}

/// A number as offsets in packs are written.
fn number(bytes: &[u8], at: &mut usize) -> Option<usize> {
    let mut value = 0_usize;
    for _ in 0..5 {
        let byte = *bytes.get(*at)?;
        *at += 1;
        value = (value << 7) | usize::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some(value);
        }
        value += 1;
    }
    None
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let part = bytes.get(at..at.checked_add(4)?)?;
    part.try_into().ok().map(u32::from_be_bytes)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let part = bytes.get(at..at.checked_add(2)?)?;
    part.try_into().ok().map(u16::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An index of these paths, by the format's description.
    fn index(version: u32, paths: &[&str]) -> Vec<u8> {
        let mut bytes = b"DIRC".to_vec();
        bytes.extend(version.to_be_bytes());
        bytes.extend(u32::try_from(paths.len()).unwrap().to_be_bytes());
        let mut before = "";
        for path in paths {
            let start = bytes.len();
            bytes.extend([0; 24]);
            bytes.extend(0o100_644_u32.to_be_bytes());
            bytes.extend([0; FIXED_BYTES - 28]);
            bytes.extend(u16::try_from(path.len()).unwrap().to_be_bytes());
            if version == 4 {
                let shared = before.bytes().zip(path.bytes());
                let shared = shared.take_while(|(one, other)| one == other).count();
                bytes.push(u8::try_from(before.len() - shared).unwrap());
                bytes.extend(path[shared..].bytes());
                bytes.push(0);
                before = path;
            } else {
                bytes.extend(path.bytes());
                let length = bytes.len() - start;
                bytes.extend(std::iter::repeat_n(0, (length + 8) / 8 * 8 - length));
            }
        }
        bytes
    }

    #[test]
    fn every_version_names_its_files() {
        let paths = ["a", "src/lib.rs", "src/library/module.rs", "z"];
        for version in 2..=4 {
            let found = entries(&index(version, &paths)).unwrap();
            let found: Vec<&[u8]> = found.iter().map(|file| file.path.as_slice()).collect();
            assert_eq!(found, paths.map(str::as_bytes), "{version}");
        }
        assert!(entries(b"DIRC").is_none());
        assert!(entries(&index(5, &paths)).is_none());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_index_makes_the_reader_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..300), version in 2_u8..5) {
            if bytes.len() > 12 {
                bytes[..12].copy_from_slice(&[b'D', b'I', b'R', b'C', 0, 0, 0, version, 0, 0, 0, 3]);
            }
            let _ = entries(&bytes);
        }
    }
}
