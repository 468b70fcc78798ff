//! Where what is exported goes: standard output, or a private file that appears whole or not at all.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::error::{CliError, Kind};
use super::io::Out;
use crate::sys::file::Directory;
use crate::sys::{random, unnamed};

/// Bytes that are collected before they are written.
const BUFFER_BYTES: usize = 64 * 1024;

/// Somewhere to write to.
pub enum Destination {
    /// Standard output. A reader that goes away is [`io::ErrorKind::BrokenPipe`], so that whoever makes
    /// something large can stop.
    Stdout(Out),
    /// A file.
    File(PrivateFile),
}

impl Destination {
    /// Standard output, or a file at this path.
    ///
    /// # Errors
    /// When there can't be such a file.
    pub fn new(path: Option<&Path>) -> Result<Self, CliError> {
        match path {
            None => Ok(Self::Stdout(Out::stdout())),
            Some(path) => PrivateFile::create(path).map(Self::File),
        }
    }

    /// Ends what was written; a file gets its name.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn finish(self) -> Result<(), CliError> {
        match self {
            Self::Stdout(mut out) => Ok(out.flush()?),
            Self::File(file) => file.finish(),
        }
    }
}

impl Write for Destination {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(out) if !out.is_read() => Err(io::ErrorKind::BrokenPipe.into()),
            Self::Stdout(out) => Write::write(out, bytes),
            Self::File(file) => {
                let written = file.file.write(bytes);
                file.named(written)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(out) => out.flush(),
            Self::File(file) => {
                let written = file.file.flush();
                file.named(written)
            }
        }
    }
}

/// The file that `-o` names, if it does: `-` is standard output.
pub fn named(output: Option<&PathBuf>) -> Option<&Path> {
    output
        .map(PathBuf::as_path)
        .filter(|path| *path != Path::new("-"))
}

/// A reader that went away is no error.
///
/// # Errors
/// All others.
pub fn forgive(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// A file that has no name of its own until it is whole. Dropped before that, it leaves nothing; nor does it
/// when the program is killed, where the file system knows files without a name.
pub struct PrivateFile {
    path: PathBuf,
    directory: Directory,
    name: String,
    /// Its name until it is whole.
    temporary: String,
    /// Whether it has that.
    is_named: bool,
    file: BufWriter<File>,
}

impl PrivateFile {
    /// Begins a file.
    ///
    /// # Errors
    /// When there can't be one at this path.
    pub fn create(path: &Path) -> Result<Self, CliError> {
        let refused = |why: &str| {
            let message = format!("{} {why}", path.display());
            CliError::new(Kind::Usage, message)
                .with_hint("-o takes the name of a file; without it, standard output is written")
        };
        if path.exists() && !path.is_file() {
            return Err(refused("can't be replaced by a file"));
        }
        let Some(name) = path.file_name() else {
            return Err(refused("is no name of a file"));
        };
        let Some(name) = name.to_str() else {
            return Err(refused("is not UTF-8"));
        };
        let parent = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty());
        let begin = || {
            let directory = Directory::open(parent.unwrap_or(Path::new(".")))?;
            let temporary = format!(".{name}.{:08x}", random::number()?);
            let unnamed = unnamed::create(&directory)?;
            let is_named = unnamed.is_none();
            let file = unnamed.map_or_else(|| directory.create(&temporary), Ok)?;
            Ok((directory, temporary, is_named, file))
        };
        let (directory, temporary, is_named, file) =
            begin().map_err(|error| failed(path, &error))?;
        Ok(Self {
            path: path.to_owned(),
            directory,
            name: name.to_owned(),
            temporary,
            is_named,
            file: BufWriter::with_capacity(BUFFER_BYTES, file),
        })
    }

    /// Gives it its name, in place of a file that has it.
    ///
    /// # Errors
    /// When it can't be written; nothing is left then.
    pub fn finish(mut self) -> Result<(), CliError> {
        self.publish().map_err(|error| failed(&self.path, &error))
    }

    fn publish(&mut self) -> io::Result<()> {
        self.file.flush()?;
        if !self.is_named {
            // A link can't replace what has the name; a rename can.
            unnamed::name(self.file.get_ref(), &self.directory, &self.temporary)?;
            self.is_named = true;
        }
        self.directory.replace(&self.temporary, &self.name)?;
        self.is_named = false;
        Ok(())
    }

    /// The same error, with the file's name.
    fn named<T>(&self, written: io::Result<T>) -> io::Result<T> {
        written.map_err(|error| {
            let text = format!("{}: {error}", self.path.display());
            io::Error::new(error.kind(), text)
        })
    }
}

impl Drop for PrivateFile {
    fn drop(&mut self) {
        if self.is_named {
            let _ = self.directory.remove(&self.temporary);
        }
    }
}

fn failed(path: &Path, error: &io::Error) -> CliError {
    CliError::new(Kind::Failed, format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_file_appears_whole_and_private_or_not_at_all() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("out");
        fs::File::create(&path)
            .unwrap()
            .write_all(b"before")
            .unwrap();
        let names = || fs::read_dir(directory.path()).unwrap().count();
        let mut destination = Destination::new(Some(&path)).unwrap();
        destination.write_all(b"after").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"before");
        drop(destination);
        assert_eq!((fs::read(&path).unwrap(), names()), (b"before".to_vec(), 1));
        let mut destination = Destination::new(Some(&path)).unwrap();
        destination.write_all(b"after").unwrap();
        destination.finish().unwrap();
        assert_eq!((fs::read(&path).unwrap(), names()), (b"after".to_vec(), 1));
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(Destination::new(Some(directory.path())).is_err());
    }
}
