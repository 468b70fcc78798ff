//! The lines of `ID.events.jsonl`.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::session::{Metadata, Status, Stream};

/// One line of the events file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum EventRecord {
    /// Line 1: everything that is known before the command runs.
    Start(Map<String, Value>),
    /// The next `bytes` of the transcript were written, the first of them at `time`.
    Output {
        /// Seconds since the start.
        time: f64,
        /// Which stream.
        stream: Stream,
        /// How many bytes.
        bytes: u64,
    },
    /// The window changed its size.
    Resize {
        /// Seconds since the start.
        time: f64,
        /// Cells in a row.
        columns: u16,
        /// Rows.
        rows: u16,
    },
    /// aido sent the command a signal.
    Signal {
        /// Seconds since the start.
        time: f64,
        /// Its name.
        signal: String,
    },
    /// The command was stopped by job control.
    Stopped {
        /// Seconds since the start.
        time: f64,
        /// By which signal.
        signal: String,
    },
    /// The command goes on.
    Continued {
        /// Seconds since the start.
        time: f64,
    },
    /// Output that is not in the transcript.
    Gap {
        /// Seconds since the start.
        time: f64,
        /// How many bytes are missing here.
        bytes: u64,
    },
    /// The command ended; the last line.
    Exit {
        /// Seconds since the start.
        time: f64,
        /// How.
        status: Status,
        /// As a shell would show it.
        exit_code: Option<i32>,
        /// The signal it died of.
        signal: Option<String>,
        /// Bytes of output in the transcript: the marker begins there.
        output_bytes: u64,
    },
    /// A kind that this version does not know.
    #[serde(other)]
    Unknown,
}

/// Seconds to the microsecond, as events have them.
#[must_use]
pub fn seconds(time: Duration) -> f64 {
    // Exact for some 285 years of microseconds.
    #[expect(clippy::cast_precision_loss, reason = "52 bits are enough")]
    let micros = time.as_micros() as f64;
    micros / 1e6
}

/// What a sidecar says that is not known before the command has ended.
const KNOWN_AFTERWARDS: &[&str] = &[
    "exit_code",
    "sha256",
    "stdout_tail",
    "stderr_head",
    "fault",
    "lessons",
    "ended_at",
    "duration_ms",
    "status",
    "signal",
    "start_error",
    "output_bytes",
    "dropped_bytes",
    "durable",
    "mac",
];

/// The start record: the sidecar as far as it is known, and the recorder's process.
///
/// # Errors
/// As [`serde_json::to_value`]; never for values that this program makes.
pub fn start(
    metadata: &Metadata,
    process: u32,
    process_start: Option<u64>,
) -> Result<EventRecord, serde_json::Error> {
    let mut known = match serde_json::to_value(metadata)? {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    for field in KNOWN_AFTERWARDS {
        known.remove(*field);
    }
    known.insert("pid".to_owned(), process.into());
    known.insert("process_start".to_owned(), process_start.into());
    Ok(EventRecord::Start(known))
}

/// The sidecar of a session that nobody finished, from its start record: what only the end would
/// have told is null or empty, and the status says `interrupted`.
#[must_use]
pub fn interrupted(start: &Map<String, Value>) -> Option<Metadata> {
    let mut fields = start.clone();
    for name in ["type", "pid", "process_start"] {
        fields.remove(name);
    }
    for name in KNOWN_AFTERWARDS {
        let unknown = match *name {
            "status" => Value::from("interrupted"),
            "stdout_tail" => Value::from(""),
            "lessons" => Value::Array(Vec::new()),
            "output_bytes" | "dropped_bytes" => Value::from(0),
            "durable" => Value::from(false),
            _ => Value::Null,
        };
        fields.insert((*name).to_owned(), unknown);
    }
    serde_json::from_value(Value::Object(fields)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::metadata::tests::minimal;

    #[test]
    fn an_interrupted_session_keeps_everything_that_its_start_record_knew() {
        let mut metadata = minimal("codex-20260305_132522-3216-2f587606");
        metadata.notes = Some("why".to_owned());
        let Ok(EventRecord::Start(known)) = start(&metadata, 1, Some(2)) else {
            panic!("a start record");
        };
        assert!(!known.contains_key("exit_code"));
        let read = interrupted(&known).unwrap();
        assert_eq!(read.exit_code, None);
        assert_eq!(read.status, Status::Interrupted);
        assert_eq!((read.notes, read.argv), (metadata.notes, metadata.argv));
    }

    #[test]
    fn a_kind_of_the_future_is_read_as_unknown() {
        let read: EventRecord =
            serde_json::from_str(r#"{"type":"mouse","time":1.5,"x":3}"#).unwrap();
        assert_eq!(read, EventRecord::Unknown);
    }
}
