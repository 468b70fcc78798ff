//! The lines of `ID.events.jsonl`.

use std::path::Path;
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
    /// An agent that runs in the session is in this conversation of its own now.
    Conversation {
        /// Seconds since the start.
        time: f64,
        /// The agent program.
        agent: String,
        /// Its own id of the conversation.
        conversation: String,
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

/// What the start record says besides the sidecar's fields.
const RECORDER_FIELDS: &[&str] = &["type", "pid", "process_start", CHANNEL];
/// The field with the directory of a detached session's socket.
pub const CHANNEL: &str = "channel";

#[derive(Serialize)]
struct Start<'a> {
    r#type: &'static str,
    pid: u32,
    process_start: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<&'a Path>,
    #[serde(flatten)]
    session: &'a Metadata,
}

/// The line of the start record: the sidecar as it would be if the recorder were killed right now,
/// the recorder's process, and the directory of the socket of a detached session.
///
/// # Errors
/// As [`serde_json::to_vec`]; never for values that this program makes.
pub fn start_line(
    session: &Metadata,
    pid: u32,
    process_start: Option<u64>,
    channel: Option<&Path>,
) -> Result<Vec<u8>, serde_json::Error> {
    let mut line = serde_json::to_vec(&Start {
        r#type: "start",
        pid,
        process_start,
        channel: channel.filter(|path| path.to_str().is_some()),
        session,
    })?;
    line.push(b'\n');
    Ok(line)
}

/// The sidecar of a session that nobody finished, as far as its start record knows it.
#[must_use]
pub fn interrupted(start: &Map<String, Value>) -> Option<Metadata> {
    let mut fields = start.clone();
    for name in RECORDER_FIELDS {
        fields.remove(*name);
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
        metadata.exit_code = None;
        metadata.status = Status::Interrupted;
        let line = start_line(&metadata, 1, Some(2), Some(Path::new("/run"))).unwrap();
        let Ok(EventRecord::Start(known)) = serde_json::from_slice(&line) else {
            panic!("a start record");
        };
        assert_eq!(
            (&known["pid"], &known["process_start"]),
            (&1.into(), &2.into())
        );
        assert_eq!(interrupted(&known), Some(metadata));
    }

    #[test]
    fn a_time_is_written_in_seconds_to_the_microsecond() {
        for (time, written) in [
            (Duration::ZERO, "0.0"),
            (Duration::from_nanos(1_999), "1e-6"),
            (Duration::from_millis(1_500), "1.5"),
            (Duration::from_micros(86_400_000_001), "86400.000001"),
        ] {
            assert_eq!(serde_json::to_string(&seconds(time)).unwrap(), written);
        }
    }

    #[test]
    fn a_kind_of_the_future_is_read_as_unknown() {
        let read: EventRecord =
            serde_json::from_str(r#"{"type":"mouse","time":1.5,"x":3}"#).unwrap();
        assert_eq!(read, EventRecord::Unknown);
    }
}
