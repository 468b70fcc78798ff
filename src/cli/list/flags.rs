//! How running sessions are: from what their supervisors write down and what the system tells. Nobody
//! is asked, so none that hangs is waited for.

use std::io::Read;
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::process::Pid;
use serde_json::Value;

use crate::cli::reading::Reader;
use crate::session::{SessionId, Timestamp};
use crate::store::Store;
use crate::supervise::Status;
use crate::sys::file::Directory;
use crate::sys::{process, pty, waits};
use crate::transcript::record::CHANNEL;
use crate::view::running::Running;
use crate::view::session::Shown;
use crate::wire::place;

/// The largest file that says how a session is.
const STATUS_BYTES: u64 = 64 * 1024;
/// Without output for this long a session is silent.
const SILENT_MS: i64 = 30_000;
/// Somebody who typed within this time is there.
const ACTIVE_MS: i64 = 60_000;

/// Tells of each how it is.
pub(super) fn look(reader: &Reader, sessions: Vec<Shown>, now: Timestamp) -> Vec<Running> {
    let status = |shown: &Shown| status(reader, &shown.metadata.session_id);
    let known: Vec<Option<Status>> = sessions.iter().map(status).collect();
    let typed = known.iter().flatten();
    let last = typed.filter_map(|status| status.typed_at_ms).max();
    let now_ms = now.0.timestamp_millis();
    let pairs = sessions.into_iter().zip(known);
    let running = pairs.map(|(shown, status)| Running {
        shown,
        quiet_seconds: status
            .as_ref()
            .map(|status| (now_ms - status.output_at_ms).max(0) / 1000),
        flags: status
            .map(|status| flags(&status, last, now_ms))
            .unwrap_or_default(),
    });
    running.collect()
}

fn status(reader: &Reader, id: &SessionId) -> Option<Status> {
    let known = reader.store.start_record(id).ok()?;
    let channel = known.get(CHANNEL).and_then(Value::as_str)?;
    let directory = Directory::open_itself(Path::new(channel)).ok()?;
    directory.check_private().ok()?;
    let file = directory.open_file(&place::status_name(id)).ok()?;
    let mut bytes = Vec::new();
    file.take(STATUS_BYTES).read_to_end(&mut bytes).ok()?;
    serde_json::from_slice(&bytes).ok()
}

fn flags(status: &Status, last: Option<i64>, now_ms: i64) -> Vec<&'static str> {
    let is_recent = |at: Option<i64>| at.is_some_and(|at| now_ms - at < ACTIVE_MS);
    let modes = status.terminal.as_deref().and_then(modes);
    let hides = modes.is_some_and(|modes| modes.by_line && !modes.echoes);
    [
        ("BELL", status.bell),
        ("SILENT", now_ms - status.output_at_ms >= SILENT_MS),
        (
            "ACTIVE",
            status.attached > 0 && is_recent(status.client_typed_at_ms),
        ),
        ("LAST", last.is_some() && status.typed_at_ms == last),
        ("PASSWORD", hides),
        ("INPUT", reads(status.command)),
    ]
    .into_iter()
    .filter(|(_, is_so)| *is_so)
    .map(|(name, _)| name)
    .collect()
}

/// What the terminal does with what is typed.
fn modes(terminal: &str) -> Option<pty::Typing> {
    let flags = OFlags::RDONLY | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let terminal = terminal.starts_with("/dev/pts/").then_some(terminal)?;
    pty::typing(rustix::fs::open(terminal, flags, Mode::empty()).ok()?)
}

/// Whether what is in the terminal's foreground waits for something to be typed.
fn reads(command: i32) -> bool {
    let group = process::foreground_group(command).and_then(Pid::from_raw);
    let members = group.map(process::members).unwrap_or_default();
    let mut reading = members.into_iter().map(waits::reads_terminal);
    reading.any(|reads| reads.is_some_and(waits::Reads::takes_keys))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_follow_from_times() {
        let status = Status {
            output_at_ms: 1_000,
            typed_at_ms: Some(5_000),
            client_typed_at_ms: Some(5_000),
            attached: 1,
            bell: true,
            ..Status::default()
        };
        let at = |now_ms: i64, last: i64| flags(&status, Some(last), now_ms);
        assert_eq!(at(6_000, 5_000), ["BELL", "ACTIVE", "LAST"]);
        assert_eq!(at(31_000, 6_000), ["BELL", "SILENT", "ACTIVE"]);
        assert_eq!(at(65_000, 6_000), ["BELL", "SILENT"]);
    }
}
