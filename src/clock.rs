//! The only reader of time.
#![expect(clippy::disallowed_methods, reason = "this module is their home")]

use std::time::{Duration, Instant};

use chrono::{Local, Utc};

use crate::session::Timestamp;

/// Now, in UTC.
#[must_use]
pub fn now() -> Timestamp {
    Timestamp(Utc::now())
}

/// A point in time in local time as `YYYYMMDD_HHMMSS`, which is how a session id shows it.
#[must_use]
pub fn local_stamp(time: Timestamp) -> String {
    time.0
        .with_timezone(&Local)
        .format("%Y%m%d_%H%M%S")
        .to_string()
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
