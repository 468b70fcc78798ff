//! Writing to the disk without waiting for it.

use std::fs::File;

/// Starts writing a file's bytes to the disk without waiting for them. A strong hint, not a
/// promise: sync_file_range(2).
pub fn start_write_back(file: &File) {
    call::start(file);
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod call {
    #![expect(unsafe_code, reason = "sync_file_range has no safe wrapper")]
    use std::fs::File;
    use std::os::fd::AsRawFd;

    pub(super) fn start(file: &File) {
        // SAFETY: a valid descriptor and plain numbers; 0 bytes means to the end of the file.
        unsafe { libc::sync_file_range(file.as_raw_fd(), 0, 0, libc::SYNC_FILE_RANGE_WRITE) };
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod call {
    pub(super) fn start(_file: &std::fs::File) {}
}
