//! The caller's time zone, as the C library knows it.
#![expect(unsafe_code, reason = "localtime_r")]

/// Seconds by which local time is ahead of UTC at this point in time, given in seconds since 1970;
/// none for a time that has no year.
///
/// The C library reads the variable `TZ` for it, and the zone's file.
#[must_use]
pub fn seconds_east(unix_seconds: i64) -> Option<i32> {
    #[cfg_attr(
        target_env = "musl",
        expect(deprecated, reason = "its width is to change, which is fine here")
    )]
    let time: libc::time_t = unix_seconds;
    // SAFETY: a zeroed tm is a valid one to fill in, and both live across the call. Nothing in aido
    // changes the environment, which tzset and localtime_r read.
    unsafe {
        tzset();
        let mut local: libc::tm = std::mem::zeroed();
        let filled = libc::localtime_r(&raw const time, &raw mut local);
        (!filled.is_null()).then(|| i32::try_from(local.tm_gmtoff).ok())?
    }
}

unsafe extern "C" {
    /// POSIX; localtime_r(3) needn't do what it does.
    safe fn tzset();
}
