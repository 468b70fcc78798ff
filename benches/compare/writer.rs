//! The benchmark's helpers: programs that write a known amount in a known way.

use std::io::{self, Write};
use std::process::ExitCode;

use rustix::io::Errno;

/// How a writer writes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// 64 KiB at a time.
    Blocks,
    /// A line of 81 bytes at a time.
    Lines,
}

const LINE: usize = 81;
const BLOCK: usize = 64 * 1024;
const MIB: usize = 1024 * 1024;

impl Manner {
    fn name(self) -> &'static str {
        match self {
            Self::Blocks => "blocks",
            Self::Lines => "lines",
        }
    }

    /// The arguments of a helper that writes this much.
    pub(crate) fn arguments(self, mib: usize) -> [String; 3] {
        [
            super::HELPER.to_owned(),
            self.name().to_owned(),
            mib.to_string(),
        ]
    }
}

/// Does what a helper's arguments say.
pub(crate) fn help(arguments: &[String]) -> io::Result<ExitCode> {
    let [manner, mib] = arguments else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let mib: usize = mib.parse().map_err(io::Error::other)?;
    let manner = [Manner::Blocks, Manner::Lines]
        .into_iter()
        .find(|known| known.name() == manner)
        .ok_or(io::ErrorKind::InvalidInput)?;
    write(manner, mib * MIB)?;
    Ok(ExitCode::SUCCESS)
}

fn write(manner: Manner, bytes: usize) -> io::Result<()> {
    let text: Vec<u8> = (0..BLOCK)
        .map(|index| match index % LINE {
            80 => b'\n',
            column => b'!' + u8::try_from(column).unwrap_or(0),
        })
        .collect();
    let piece = match manner {
        Manner::Blocks => &text[..],
        Manner::Lines => &text[..LINE],
    };
    let mut left = bytes;
    while left > 0 {
        let piece = &piece[..piece.len().min(left)];
        Unbuffered.write_all(piece)?;
        left -= piece.len();
    }
    Ok(())
}

/// Standard output without the library's buffer.
struct Unbuffered;

impl Write for Unbuffered {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match rustix::io::write(rustix::stdio::stdout(), bytes) {
            Err(Errno::INTR) => Err(io::ErrorKind::Interrupted.into()),
            result => Ok(result?),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
