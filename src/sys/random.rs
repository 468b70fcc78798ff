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
