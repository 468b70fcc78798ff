//! Marks of commands that nobody runs any more, and what a killed aido left half written.

use std::ffi::OsStr;

use super::FaultStore;
use super::marks::MARKS;
use super::pending::PENDING;
use crate::session::Timestamp;
use crate::store::layout;
use crate::sys::file::Directory;
use crate::sys::stamp::{stamp, stamp_of, touch};

/// Its time says when the marks were last looked through.
const SWEPT: &str = ".swept";
/// The least time between two times: a day.
const PAUSE_NS: i128 = 24 * 3600 * 1_000_000_000;
/// A mark that is this old goes: 60 days. The failure itself stays known.
const OLD_NS: i128 = 60 * PAUSE_NS;
/// The most names that are looked at in one go.
const NAMES_MAX: usize = 2000;

impl FaultStore {
    /// Removes old marks and old temporary files, at most once a day. For a recorder that has just noted a
    /// failure; whatever goes wrong is left for the next day.
    pub fn sweep(&self, now: Timestamp) {
        let now_ns = i128::from(now.0.timestamp_millis()) * 1_000_000;
        let Ok(Some(opened)) = self.open() else {
            return;
        };
        let Some(local) = opened.local else {
            return;
        };
        let Ok(mark) = local.append(OsStr::new(SWEPT)) else {
            return;
        };
        let last_ns = stamp(&mark).map_or(now_ns, |stamp| stamp.modified_ns);
        if now_ns - last_ns < PAUSE_NS || touch(&mark).is_err() {
            return;
        }
        let marks = local.open_child(OsStr::new(MARKS));
        let marks = marks.as_ref().ok();
        if let Some(marks) = marks {
            remove_old(marks, now_ns, OLD_NS, &|_| true);
        }
        let pending = local.open_child(OsStr::new(PENDING));
        let pending = pending.as_ref().ok();
        for directory in [Some(&opened.faults), Some(&local), marks, pending] {
            let is_temporary = |name: &str| layout::is_temporary(name);
            directory.inspect(|directory| remove_old(directory, now_ns, PAUSE_NS, &is_temporary));
        }
    }
}

fn remove_old(directory: &Directory, now_ns: i128, age_ns: i128, fits: &dyn Fn(&str) -> bool) {
    let mut names = Vec::new();
    let read = directory.each_name(&mut |name| {
        let name = name.to_str().filter(|name| fits(name));
        names.extend(name.filter(|_| names.len() < NAMES_MAX).map(str::to_owned));
    });
    if read.is_err() {
        return;
    }
    for name in names {
        let changed = stamp_of(directory, &name).map(|stamp| stamp.modified_ns);
        if changed.is_ok_and(|changed| now_ns - changed > age_ns) {
            let _ = directory.remove(&name);
        }
    }
}
