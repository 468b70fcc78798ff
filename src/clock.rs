//! The only reader of time.
#![expect(clippy::disallowed_methods, reason = "this module is their home")]

use std::ffi::OsStr;
use std::io;
use std::path::{Component, Path};
use std::time::{Duration, Instant};

use chrono::{Datelike, FixedOffset, NaiveDate, NaiveDateTime, TimeDelta, Timelike, Utc};

use crate::session::Timestamp;
use crate::sys::zone;

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
    /// The caller's zone, unless the variables `TZ` and `TZDIR` name what is no time zone file: reading
    /// a FIFO or an endless device would keep the command from starting. `value` gives a variable's
    /// value, none where it is unset or empty.
    #[must_use]
    pub fn of_variables<'v>(value: impl Fn(&str) -> Option<&'v OsStr>) -> Self {
        let name = value("TZ").unwrap_or_default().to_string_lossy();
        let path = Path::new(name.strip_prefix(':').unwrap_or(&name));
        let is_below = || {
            path.components()
                .all(|component| matches!(component, Component::Normal(_)))
        };
        let is_readable = match value("TZDIR") {
            _ if path.is_absolute() => is_zone_data(path),
            _ if !is_below() => false,
            None => true,
            Some(directory) => in_its_place(path).all(|name| {
                let place = Path::new(directory).join(name);
                is_zone_data(&place) || is_missing(&place)
            }),
        };
        if is_readable { Self::Local } else { Self::Utc }
    }
}

/// The files that the C library (glibc 2.36, time/tzset.c) may look for in `TZDIR`: the zone's own, also
/// of one that turns out to be a rule; what stands for an empty name; and what completes a rule.
fn in_its_place(zone: &Path) -> impl Iterator<Item = &Path> {
    let zone = Some(zone).filter(|zone| !zone.as_os_str().is_empty());
    let others = ["Universal", "posixrules"].map(Path::new);
    zone.into_iter().chain(others)
}

fn is_zone_data(path: &Path) -> bool {
    let status = path.metadata();
    status.is_ok_and(|status| status.is_file() && status.len() <= ZONE_MAX_BYTES)
}

fn is_missing(path: &Path) -> bool {
    let status = path.metadata();
    status.is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

/// A point in time as `YYYYMMDD_HHMMSS`, which is how a session id shows it.
#[must_use]
pub fn local_stamp(time: Timestamp, zone: Zone) -> String {
    let local = local(time, zone);
    // chrono's own formats are interpreted, which costs more than all of the rest here.
    format!(
        "{:04}{:02}{:02}_{:02}{:02}{:02}",
        local.year(),
        local.month(),
        local.day(),
        local.hour(),
        local.minute(),
        local.second()
    )
}

/// By how many seconds local time is ahead of UTC at a point in time.
#[must_use]
pub fn offset_seconds(time: Timestamp, zone: Zone) -> i32 {
    match zone {
        Zone::Local => zone::seconds_east(time.0.timestamp()).unwrap_or(0),
        Zone::Utc => 0,
    }
}

fn local(time: Timestamp, zone: Zone) -> NaiveDateTime {
    match FixedOffset::east_opt(offset_seconds(time, zone)) {
        Some(offset) => time.0.with_timezone(&offset).naive_local(),
        None => time.0.naive_utc(),
    }
}

/// Which day a point in time falls on.
#[must_use]
pub fn local_day(time: Timestamp, zone: Zone) -> NaiveDate {
    local(time, zone).date()
}

/// The point in time that a clock on the wall shows so. Where it was turned back and shows it
/// twice, the first; where it was turned forward and never shows it, none.
#[must_use]
pub fn of_local(wanted: NaiveDateTime, zone: Zone) -> Option<Timestamp> {
    // A day before and after: what is in force on either side of a change.
    let offset = |shift: i64| {
        let near = wanted.and_utc() + TimeDelta::hours(shift);
        offset_seconds(Timestamp(near), zone)
    };
    let candidates = [offset(-24), offset(24)].map(|offset| {
        let time = wanted - TimeDelta::seconds(offset.into());
        Timestamp(time.and_utc())
    });
    let shows = |time: &Timestamp| local(*time, zone) == wanted;
    candidates.into_iter().filter(shows).min()
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
    fn a_local_stamp_is_the_time_of_the_zone() {
        let time: Timestamp = serde_json::from_str("\"2026-03-05T13:05:09.123Z\"").unwrap();
        assert_eq!(local_stamp(time, Zone::Utc), "20260305_130509");
        let moved = crate::sys::zone::seconds_east(time.0.timestamp()).unwrap();
        let there = time.0 + chrono::Duration::seconds(moved.into());
        let expected = there.format("%Y%m%d_%H%M%S").to_string();
        assert_eq!(local_stamp(time, Zone::Local), expected);
    }

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
                Zone::of_variables(|name| variable.filter(|_| name == "TZ").map(OsStr::new)),
                zone,
                "{variable:?}"
            );
        }
    }

    #[test]
    fn only_time_zone_data_is_read_in_a_directory_of_zones() {
        let temporary = tempfile::tempdir().unwrap();
        let zone = |variable: Option<&str>| {
            Zone::of_variables(|name| match name {
                "TZ" => variable.map(OsStr::new),
                _ => Some(temporary.path().as_os_str()),
            })
        };
        let make = |name: &str| std::fs::create_dir(temporary.path().join(name)).unwrap();
        std::fs::write(temporary.path().join("Here"), "TZif").unwrap();
        make("There");
        for (variable, expected) in [
            (None, Zone::Local),
            (Some("Here"), Zone::Local),
            (Some("CET-1CEST"), Zone::Local),
            (Some("There"), Zone::Utc),
            (Some(":There"), Zone::Utc),
        ] {
            assert_eq!(zone(variable), expected, "{variable:?}");
        }
        make("Universal");
        assert_eq!(zone(None), Zone::Utc);
        assert_eq!(zone(Some("CET-1CEST")), Zone::Utc);
    }
}
