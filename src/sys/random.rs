//! Chance from the operating system.

use std::io;

use rand::TryRng;
use rand::rngs::SysRng;

/// Random bytes.
///
/// # Errors
/// When the system has none to give (an empty root without a random device).
pub fn bytes<const COUNT: usize>() -> io::Result<[u8; COUNT]> {
    let mut bytes = [0; COUNT];
    // Asked directly first: a static program finds the C library's wrapper only by a detour over
    // /dev/urandom, which a small root doesn't have.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty()) == Ok(COUNT) {
        return Ok(bytes);
    }
    SysRng
        .try_fill_bytes(&mut bytes)
        .map_err(|error| io::Error::other(format!("no random numbers: {error}")))?;
    Ok(bytes)
}

/// A random number.
///
/// # Errors
/// As [`bytes`].
pub fn number() -> io::Result<u32> {
    bytes().map(u32::from_ne_bytes)
}
