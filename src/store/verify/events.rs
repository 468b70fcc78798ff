//! What the events say, and whether the sidecar says the same.

use std::io::Read;

use serde_json::{Map, Value};

use super::sidecar::Sidecar;
use super::{Finding, Part, Verdict};
use crate::session::{Metadata, Status};
use crate::transcript::EventRecord;
use crate::transcript::reader::{End, Events};
use crate::transcript::writer::GIVE_BACK_MOST;

/// The sidecar's fields that are known before the command runs and that nothing changes later.
const UNCHANGING: &[&str] = &[
    "session_id",
    "agent",
    "timestamp",
    "command",
    "typescript_file",
    "env",
    "origin",
    "argv",
    "argv_hex",
    "shell_line",
    "cwd",
    "cwd_hex",
    "git",
    "host",
    "aido_version",
    "parent",
    "within",
    "harness",
    "detached",
    "name",
];

/// An events file, added up.
pub(super) struct Tally {
    /// The start record.
    pub(super) start: Option<Map<String, Value>>,
    /// Bytes of all output events.
    pub(super) output_bytes: u64,
    /// Bytes of all gap events.
    gap_bytes: u64,
    /// The exit event.
    pub(super) exit: Option<Exit>,
    /// Whether something follows the exit event.
    goes_on: bool,
    /// How many events there are.
    count: u64,
    end: End,
}

/// The exit event.
pub(super) struct Exit {
    status: Status,
    exit_code: Option<i32>,
    signal: Option<String>,
    pub(super) output_bytes: u64,
}

/// Reads an events file, in constant memory.
pub(super) fn add_up(file: impl Read) -> Tally {
    let mut tally = Tally {
        start: None,
        output_bytes: 0,
        gap_bytes: 0,
        exit: None,
        goes_on: false,
        count: 0,
        end: End::Whole,
    };
    let mut events = Events::new(file);
    for event in &mut events {
        tally.goes_on |= tally.exit.is_some();
        match event {
            EventRecord::Start(known) if tally.count == 0 => tally.start = Some(known),
            EventRecord::Output { bytes, .. } => {
                tally.output_bytes = tally.output_bytes.saturating_add(bytes);
            }
            EventRecord::Gap { bytes, .. } => {
                tally.gap_bytes = tally.gap_bytes.saturating_add(bytes);
            }
            EventRecord::Exit {
                status,
                exit_code,
                signal,
                output_bytes,
                ..
            } => {
                tally.exit = Some(Exit {
                    status,
                    exit_code,
                    signal,
                    output_bytes,
                });
            }
            _ => {}
        }
        tally.count += 1;
    }
    tally.end = events.into_end().unwrap_or(End::Whole);
    tally
}

impl Tally {
    /// Says what is wrong with the start record alone.
    pub(super) fn check_start(&self, finding: &mut Finding) {
        let Some(start) = &self.start else {
            let verdict = match &self.end {
                End::Failed(error) => return finding.unread(Part::Events, "events file", error),
                End::Whole | End::Torn if self.count == 0 => Verdict::Torn,
                _ => Verdict::Altered,
            };
            return finding.defect(verdict, Part::Start, "the events have no start record");
        };
        if start.get("session_id").and_then(Value::as_str) != Some(finding.id.as_str()) {
            let message = "the start record is another session's";
            finding.defect(Verdict::Altered, Part::Start, message);
        }
    }
}

/// Compares the events of a finished session with its sidecar.
pub(super) fn compare(tally: &Tally, sidecar: &Sidecar, finding: &mut Finding) {
    let metadata = &sidecar.metadata;
    if let Some(start) = &tally.start {
        let differs = |name: &&&str| start.get(**name) != sidecar.fields.get(**name);
        let different: Vec<&str> = UNCHANGING.iter().filter(differs).copied().collect();
        if !different.is_empty() {
            let message = format!("the start record has another {}", different.join(", "));
            finding.defect(Verdict::Altered, Part::Start, message);
        }
    } else {
        tally.check_start(finding);
    }
    // After a killed recorder, events that stop anywhere are no defect.
    let was_killed = metadata.status == Status::Interrupted;
    match &tally.end {
        _ if tally.count == 0 => {}
        End::Failed(error) => finding.unread(Part::Events, "events file", error),
        End::Foreign => {
            let message = format!("line {} of the events is no event", tally.count + 1);
            finding.defect(Verdict::Altered, Part::Events, message);
        }
        End::Torn if !was_killed => {
            let message = format!("the events end within line {}", tally.count + 1);
            finding.defect(Verdict::Torn, Part::Events, message);
        }
        End::Whole if tally.exit.is_none() && !was_killed => {
            let message = "the events end before the exit event";
            finding.defect(Verdict::Torn, Part::Events, message);
        }
        End::Torn | End::Whole => {}
    }
    if tally.goes_on {
        let message = "the events go on behind the exit event";
        finding.defect(Verdict::Altered, Part::Exit, message);
    }
    if was_killed {
        if tally.output_bytes > metadata.output_bytes {
            let message = format!(
                "the events tell of {} bytes of output, the sidecar of {}",
                tally.output_bytes, metadata.output_bytes
            );
            finding.defect(Verdict::Torn, Part::Output, message);
        }
    } else if let Some(exit) = &tally.exit {
        compare_exit(exit, metadata, finding);
        compare_output(tally, metadata, finding);
    }
}

fn compare_exit(exit: &Exit, metadata: &Metadata, finding: &mut Finding) {
    let mut different = Vec::new();
    let mut compare = |name, is_equal: bool| {
        if !is_equal {
            different.push(name);
        }
    };
    compare("status", exit.status == metadata.status);
    compare("exit_code", exit.exit_code == metadata.exit_code);
    compare("signal", exit.signal == metadata.signal);
    compare("output_bytes", exit.output_bytes == metadata.output_bytes);
    if !different.is_empty() {
        let message = format!("the exit event has another {}", different.join(", "));
        finding.defect(Verdict::Altered, Part::Exit, message);
    }
}

/// Bytes that a full disk refused have no event, and of those that were given back for the marker
/// the event is already written; the sidecar counts both as dropped.
fn compare_output(tally: &Tally, metadata: &Metadata, finding: &mut Finding) {
    let refused = metadata.dropped_bytes.checked_sub(tally.gap_bytes);
    let given_back = tally.output_bytes.checked_sub(metadata.output_bytes);
    let agrees = match (refused, given_back) {
        (Some(refused), Some(given_back)) => given_back <= refused.min(GIVE_BACK_MOST),
        _ => false,
    };
    if !agrees {
        let message = format!(
            "the events tell of {} bytes of output and {} dropped, the sidecar of {} and {}",
            tally.output_bytes, tally.gap_bytes, metadata.output_bytes, metadata.dropped_bytes
        );
        finding.defect(Verdict::Altered, Part::Output, message);
    }
}
