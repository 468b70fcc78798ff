//! Files without a name: what is written to one is gone with its last descriptor, however the program ends,
//! unless it gets a name before.
//!
//! Source: open(2), `O_TMPFILE`, and linkat(2), which says how such a file gets a name without a privilege.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd};

use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};

use super::file::Directory;

/// Makes a private file without a name in a directory's file system; none where that knows no such files.
///
/// # Errors
/// When it can't be made.
pub fn create(directory: &Directory) -> io::Result<Option<File>> {
    let flags = OFlags::RDWR | OFlags::TMPFILE | OFlags::CLOEXEC;
    let mode = Mode::RUSR | Mode::WUSR;
    match retry_on_intr(|| rustix::fs::openat(directory.as_fd(), c".", flags, mode)) {
        Ok(file) => {
            // Whatever the umask.
            rustix::fs::fchmod(&file, mode)?;
            Ok(Some(File::from(file)))
        }
        // Old kernels see a directory that is opened to be written to.
        Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Gives such a file a name that nothing has.
///
/// # Errors
/// When something has it, or there is no /proc.
pub fn name(file: &File, directory: &Directory, name: &str) -> io::Result<()> {
    let open = format!("/proc/self/fd/{}", file.as_raw_fd());
    let to = directory.as_fd();
    Ok(retry_on_intr(|| {
        rustix::fs::linkat(rustix::fs::CWD, &open, to, name, AtFlags::SYMLINK_FOLLOW)
    })?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_file_has_no_name_until_it_gets_one() {
        let temporary = tempfile::tempdir().unwrap();
        let directory = Directory::open(temporary.path()).unwrap();
        let count = || temporary.path().read_dir().unwrap().count();
        let Some(mut file) = create(&directory).unwrap() else {
            let why = "this file system knows no files without a name";
            writeln!(io::stderr(), "skipped: {why}").unwrap();
            return;
        };
        file.write_all(b"x").unwrap();
        assert_eq!(count(), 0);
        name(&file, &directory, "a").unwrap();
        assert!(name(&file, &directory, "a").is_err());
        let path = temporary.path().join("a");
        assert_eq!(std::fs::read(&path).unwrap(), b"x");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        drop(create(&directory).unwrap());
        assert_eq!(count(), 1);
    }
}
