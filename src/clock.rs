//! The only reader of time.
#![expect(clippy::disallowed_methods, reason = "this module is their home")]

use std::ffi::OsStr;
use std::path::{Component, Path};
use std::time::{Duration, Instant};

use chrono::{Local, NaiveDate, NaiveDateTime, Utc};

use crate::session::Timestamp;

/// Now, in UTC.
#[must_use]
pub fn now() -> Timestamp {
    Timestamp(Utc::now())
}

/// Which clock a local time is read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    /// The caller's.
    Local,
    /// UTC, because the caller's can't be read in good time.
    Utc,
}

/// The largest file of time zone data that is read; real ones have a few kilobytes.
const ZONE_MAX_BYTES: u64 = 64 * 1024;

impl Zone {
    /// The caller's zone, unless the variable `TZ` names what is no time zone file: reading a FIFO
    /// or an endless device would keep the command from starting.
    #[must_use]
    pub fn of_variable(variable: Option<&OsStr>) -> Self {
        let Some(name) = variable else {
            return Self::Local;
        };
        let name = name.to_string_lossy();
        let path = Path::new(name.strip_prefix(':').unwrap_or(&name));
        let is_named = path
            .components()
            .all(|component| matches!(component, Component::Normal(_)));
        let is_data = || {
            path.metadata()
                .is_ok_and(|status| status.is_file() && status.len() <= ZONE_MAX_BYTES)
        };
        if is_named || (path.is_absolute() && is_data()) {
            Self::Local
        } else {
            Self::Utc
        }
    }
}

/// A point in time as `YYYYMMDD_HHMMSS`, which is how a session id shows it.
#[must_use]
pub fn local_stamp(time: Timestamp, zone: Zone) -> String {
    const FORM: &str = "%Y%m%d_%H%M%S";
    match zone {
        Zone::Local => time.0.with_timezone(&Local).format(FORM).to_string(),
        Zone::Utc => time.0.format(FORM).to_string(),
    }
}

/// By how many seconds local time is ahead of UTC at a point in time.
#[must_use]
pub fn offset_seconds(time: Timestamp, zone: Zone) -> i32 {
    match zone {
        Zone::Local => time.0.with_timezone(&Local).offset().local_minus_utc(),
        Zone::Utc => 0,
    }
}

/// Which day a point in time falls on.
#[must_use]
pub fn local_day(time: Timestamp, zone: Zone) -> NaiveDate {
    match zone {
        Zone::Local => time.0.with_timezone(&Local).date_naive(),
        Zone::Utc => time.0.date_naive(),
    }
}

/// The point in time that a clock on the wall shows so. Where it was turned back and shows it
/// twice, the first; where it was turned forward and never shows it, none.
#[must_use]
pub fn of_local(time: NaiveDateTime, zone: Zone) -> Option<Timestamp> {
    let time = match zone {
        Zone::Local => time.and_local_timezone(Local).earliest()?.to_utc(),
        Zone::Utc => time.and_utc(),
    };
    Some(Timestamp(time))
}

/// Measures time since it was started; never goes backwards.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts one.
    #[must_use]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Time since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_time_zone_data_is_read_as_a_zone() {
        for (variable, zone) in [
            (None, Zone::Local),
            (Some("Europe/Berlin"), Zone::Local),
            (Some(":UTC"), Zone::Local),
            (Some("EST5EDT,M3.2.0,M11.1.0"), Zone::Local),
            (Some("/dev/zero"), Zone::Utc),
            (Some("../../../dev/zero"), Zone::Utc),
            (Some("/no/such/file"), Zone::Utc),
        ] {
            assert_eq!(
                Zone::of_variable(variable.map(OsStr::new)),
                zone,
                "{variable:?}"
            );
        }
    }
}
