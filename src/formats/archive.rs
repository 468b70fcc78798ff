//! tar archives: plain files, one after the other.
//!
//! Source: POSIX.1-2017, pax: the ustar interchange format, and its extended header for what that can't say.

use std::io::{self, Read, Write};

use sha2::{Digest, Sha256};

/// Archives consist of blocks of this size.
const BLOCK_BYTES: usize = 512;
/// The longest name that a header holds.
const NAME_BYTES: usize = 100;
/// The largest size that a header holds: eleven octal digits.
const SIZE_MAX: u64 = (1 << 33) - 1;

/// A file in an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Its path, with `/`.
    pub path: &'a str,
    /// Its size.
    pub size_bytes: u64,
    /// When it was last changed, in seconds since 1970.
    pub modified: u64,
}

/// Writes an archive, and the digest of each file at its end.
pub struct Archive<W> {
    out: W,
    sums: String,
}

impl<W: Write> Archive<W> {
    /// Will write to `out`.
    pub fn new(out: W) -> Self {
        Self {
            out,
            sums: String::new(),
        }
    }

    /// Adds a file, of exactly the size that was said.
    ///
    /// # Errors
    /// When there is less, or it can't be read or written.
    pub fn add(&mut self, entry: Entry<'_>, contents: &mut dyn Read) -> io::Result<()> {
        self.header(entry)?;
        let mut digest = Sha256::new();
        let mut buffer = vec![0; 64 * 1024];
        let mut left = entry.size_bytes;
        while left > 0 {
            let most = usize::try_from(left)
                .unwrap_or(usize::MAX)
                .min(buffer.len());
            let count = match contents.read(&mut buffer[..most]) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            digest.update(&buffer[..count]);
            self.out.write_all(&buffer[..count])?;
            left -= count as u64;
        }
        self.pad(entry.size_bytes)?;
        self.sums += &format!("{}  {}\n", hex::encode(digest.finalize()), entry.path);
        Ok(())
    }

    /// Adds the file with the digests of all, as sha256sum reads it, and ends the archive.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn finish(mut self, sums_path: &str, modified: u64) -> io::Result<()> {
        let sums = std::mem::take(&mut self.sums);
        let entry = Entry {
            path: sums_path,
            size_bytes: sums.len() as u64,
            modified,
        };
        self.add(entry, &mut sums.as_bytes())?;
        self.out.write_all(&[0; 2 * BLOCK_BYTES])?;
        self.out.flush()
    }

    fn header(&mut self, entry: Entry<'_>) -> io::Result<()> {
        let mut extended = String::new();
        if entry.path.len() > NAME_BYTES {
            extended += &extended_record("path", entry.path);
        }
        if entry.size_bytes > SIZE_MAX {
            extended += &extended_record("size", &entry.size_bytes.to_string());
        }
        if !extended.is_empty() {
            let about = Entry {
                path: "extended",
                size_bytes: extended.len() as u64,
                ..entry
            };
            self.out.write_all(&block(about, b'x'))?;
            self.out.write_all(extended.as_bytes())?;
            self.pad(about.size_bytes)?;
        }
        self.out.write_all(&block(entry, b'0'))
    }

    fn pad(&mut self, size_bytes: u64) -> io::Result<()> {
        let rest = usize::try_from(size_bytes % BLOCK_BYTES as u64).unwrap_or_default();
        let padding = [0; BLOCK_BYTES];
        self.out
            .write_all(&padding[..(BLOCK_BYTES - rest) % BLOCK_BYTES])
    }
}

/// A record of an extended header, which begins with its own length.
fn extended_record(name: &str, value: &str) -> String {
    let rest = name.len() + value.len() + " =\n".len();
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    format!("{length} {name}={value}\n")
}

/// The header of an entry of this kind.
fn block(entry: Entry<'_>, kind: u8) -> [u8; BLOCK_BYTES] {
    let mut block = [0; BLOCK_BYTES];
    let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
    // What is cut here stands in the extended header.
    put(
        0,
        &entry.path.as_bytes()[..entry.path.len().min(NAME_BYTES)],
    );
    put(100, b"0000600\0");
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(
        124,
        format!("{:011o}\0", entry.size_bytes.min(SIZE_MAX)).as_bytes(),
    );
    put(
        136,
        format!("{:011o}\0", entry.modified.min(SIZE_MAX)).as_bytes(),
    );
    // The sum counts its own field as blanks.
    put(148, b"        ");
    put(156, &[kind]);
    put(257, b"ustar\x0000");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_extended_record_counts_its_own_length() {
        assert_eq!(extended_record("path", "a"), "9 path=a\n");
        for length in 80..110 {
            let record = extended_record("path", &"x".repeat(length));
            let told: usize = record.split(' ').next().unwrap().parse().unwrap();
            assert_eq!(told, record.len());
        }
    }

    #[test]
    fn an_archive_consists_of_blocks_and_ends_with_the_digests() {
        let mut out = Vec::new();
        let mut archive = Archive::new(&mut out);
        let path = format!("{}/a", "d".repeat(120));
        for (path, contents) in [("a", &b"one"[..]), (&path, &[7; 512])] {
            let entry = Entry {
                path,
                size_bytes: contents.len() as u64,
                modified: 0,
            };
            archive.add(entry, &mut &contents[..]).unwrap();
        }
        archive.finish("SHA256SUMS", 0).unwrap();
        assert_eq!(out.len() % BLOCK_BYTES, 0);
        let text = String::from_utf8_lossy(&out);
        assert!(
            text.contains("7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed  a\n")
        );
        assert!(text.contains(&format!("path={path}\n")));
        let short = Entry {
            path: "a",
            size_bytes: 4,
            modified: 0,
        };
        assert!(
            Archive::new(io::sink())
                .add(short, &mut &b"one"[..])
                .is_err()
        );
    }
}
