//! The sidecar: everything that is known about a finished session.
//!
//! Field names and their order are the contract of docs/format.md. Fields that this version does
//! not know are kept, so that an older aido which rewrites a sidecar drops nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Checkpoint, Entry, Judgement, SessionId, Size, Status, Timestamp};

/// The version of the sidecar's format that this aido writes: MAJOR.MINOR.
pub const SCHEMA_VERSION: &str = "1.0";

/// The fields that the original wrote, in its order: every sidecar begins with them.
pub const ORIGINAL_FIELDS: [&str; 13] = [
    "session_id",
    "agent",
    "timestamp",
    "command",
    "exit_code",
    "typescript_file",
    "sha256",
    "stdout_tail",
    "stderr_head",
    "env",
    "notes",
    "fault",
    "lessons",
];

/// A finished session, as its `ID.meta.json` holds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Metadata {
    /// The session's id, `{AGENT}-{YYYYMMDD_HHMMSS}-{PID}-{HEXID}`.
    #[cfg_attr(test, schemars(with = "String"))]
    pub session_id: SessionId,
    /// The agent's name, as in the id.
    pub agent: String,
    /// When the session started: ISO 8601, UTC.
    #[cfg_attr(test, schemars(with = "String"))]
    pub timestamp: Timestamp,
    /// The command as one line that a POSIX shell parses back to `argv`; of a `-c` session, the
    /// line itself.
    pub command: String,
    /// The exit code as a shell would show it; null only where nobody can know.
    pub exit_code: Option<i32>,
    /// The transcript, relative to the session directory's parent. For people: readers derive it
    /// from the id.
    pub typescript_file: String,
    /// SHA-256 of the whole transcript, in lower-case hex; null where none could be written.
    pub sha256: Option<String>,
    /// The end of standard output as rendered plain text.
    pub stdout_tail: String,
    /// The beginning of standard error as rendered plain text; null where it was not separate.
    pub stderr_head: Option<String>,
    /// A short allow-list of the environment, never a secret.
    pub env: Map<String, Value>,
    /// A note by whoever ran the command, or later.
    pub notes: Option<String>,
    /// The id of the fault that this session ran into.
    pub fault: Option<String>,
    /// What was learned from it.
    pub lessons: Vec<String>,

    /// MAJOR.MINOR of this format; another major version is read but never rewritten.
    pub schema_version: String,
    /// How the session came into the store.
    pub origin: Origin,
    /// What was executed, argument by argument; bytes that are no UTF-8 are shown as U+FFFD.
    pub argv: Vec<String>,
    /// The exact bytes in hex of the arguments that are no UTF-8, null for the others; null as a
    /// whole where all are UTF-8.
    #[serde(default)]
    pub argv_hex: Option<Vec<Option<String>>>,
    /// What was typed, where a shell ran it.
    pub shell_line: Option<String>,
    /// The directory the command ran in.
    pub cwd: Option<String>,
    /// The exact bytes of its path in hex; only where they are no UTF-8, and `cwd` shows some as U+FFFD.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd_hex: Option<String>,
    /// When the command ended: ISO 8601, UTC.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub ended_at: Option<Timestamp>,
    /// From start to end, in milliseconds.
    pub duration_ms: Option<u64>,
    /// How the session ended.
    pub status: Status,
    /// The name of the signal that the command died of.
    pub signal: Option<String>,
    /// Why the command could not be started.
    #[serde(default)]
    pub start_error: Option<String>,
    /// What that end means; null where nobody judged it, as in sidecars of before and after a killed
    /// recorder.
    #[serde(default)]
    pub outcome: Option<Judgement>,
    /// Bytes of output in the transcript: the marker begins there.
    pub output_bytes: u64,
    /// Bytes of output that are not in the transcript.
    pub dropped_bytes: u64,
    /// Whether standard error was recorded apart.
    pub streams: Streams,
    /// The terminal that the command had.
    pub tty: Tty,
    /// The repository's state at the start.
    pub git: Option<Git>,
    /// The machine.
    pub host: Host,
    /// The version of aido that wrote this.
    pub aido_version: String,
    /// The session that this one reran.
    pub parent: Option<String>,
    /// The session that this one ran inside of.
    pub within: Option<String>,
    /// The task it belongs to.
    pub task: Option<String>,
    /// Labels, in the order given.
    pub tags: Vec<String>,
    /// Whether the session is to be kept when old ones go.
    #[serde(default)]
    pub pinned: bool,
    /// Whether transcript and sidecar were forced to the disk before they were published.
    pub durable: bool,
    /// The agent program and its conversation, where the environment tells.
    pub harness: Option<Harness>,
    /// Whether the session ran under a supervisor, detached from its starter.
    pub detached: bool,
    /// What people called it, where it was detached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether a secret was found in the command line or in what is quoted of the output; null where
    /// nobody looked.
    #[serde(default)]
    pub sensitive: Option<bool>,
    /// What of the command line may leave, and what was replaced; null where there is no secret.
    #[serde(default)]
    pub redactions: Option<Redactions>,
    /// The checkpoints around the command; left out where none was wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<Checkpoint>,
    /// HMAC-SHA256 in hex over the sidecar's bytes with these digits as zeros.
    #[serde(default)]
    pub mac: Option<String>,

    /// Fields that this version does not know.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// How a session came into the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// aido ran the command: evidence of its exit code.
    Recorded,
    /// Filed after the fact by a hook.
    Observed,
    /// Taken over from another tool's files.
    Imported,
}

/// Whether standard error was recorded as a stream of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Streams {
    /// One channel for both, in the order written.
    Merged,
    /// Two channels; the events tell which bytes came from which.
    Split,
}

/// The terminal that the command had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Tty {
    /// The `--tty` mode: `always`, `auto` or `never`.
    pub mode: String,
    /// `full`, `attached` or `detached`: the row of the terminal table that applied.
    pub situation: String,
    /// Whether standard input was a terminal for the command.
    pub stdin: bool,
    /// Whether standard output was a terminal for the command.
    pub stdout: bool,
    /// Whether standard error was a terminal for the command.
    pub stderr: bool,
    /// The window's size at the start; null without any terminal.
    pub size: Option<Size>,
    /// Whether a recorded line feed also returns to the first column: the PTY did no output
    /// post-processing.
    pub bare_line_feeds: bool,

    /// Fields that this version does not know.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// The repository's state at the start of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Git {
    /// The branch; null on a detached HEAD.
    pub branch: Option<String>,
    /// The commit; null before the first one.
    pub commit: Option<String>,

    /// Fields that this version does not know.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// The machine a session ran on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Host {
    /// The operating system, such as `linux`.
    pub os: String,
    /// The architecture, such as `x86_64`.
    pub arch: String,
    /// The host's name.
    pub hostname: String,

    /// Fields that this version does not know.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// The agent program that ran the command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Harness {
    /// The program, such as `claude-code`.
    pub name: String,
    /// Its own id of the conversation.
    pub conversation: Option<String>,
    /// Its log of the conversation.
    pub log_file: Option<String>,

    /// Fields that this version does not know.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// What was found to be secret when the session ended. The command line stays in its own fields as it
/// is, for running it again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Redactions {
    /// `command` with its secrets replaced; null where it has none.
    pub command: Option<String>,
    /// `argv` likewise.
    pub argv: Option<Vec<String>>,
    /// `shell_line` likewise.
    pub shell_line: Option<String>,
    /// `notes` likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
    /// `tags` likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// `task` likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// `cwd` likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    /// `git.branch` likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// The variables of `env` that have secrets, likewise.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// How often each rule replaced something: in the command line, in what is quoted of the output, in
    /// what was said of the session, and in where it ran.
    pub counts: BTreeMap<String, u64>,

    /// Fields that this version does not know.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl Metadata {
    /// The sidecar's text: pretty-printed, in a stable order, with one trailing newline.
    ///
    /// # Errors
    /// Never for values that this program makes; a map with keys that are no strings would be one.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        Ok(text)
    }

    /// What is known of a session of which nothing but its id is: everything else is empty.
    #[must_use]
    pub fn of_id(id: &SessionId, typescript_file: String) -> Self {
        let entry = Entry::unreadable(id);
        let start = chrono::DateTime::parse_from_rfc3339(&entry.timestamp);
        let start = start.map_or(chrono::DateTime::UNIX_EPOCH, |time| time.to_utc());
        Self {
            session_id: id.clone(),
            agent: id.agent().to_owned(),
            timestamp: Timestamp(start),
            command: String::new(),
            exit_code: None,
            typescript_file,
            sha256: None,
            stdout_tail: String::new(),
            stderr_head: None,
            env: Map::new(),
            notes: None,
            fault: None,
            lessons: Vec::new(),
            schema_version: SCHEMA_VERSION.to_owned(),
            origin: Origin::Recorded,
            argv: Vec::new(),
            argv_hex: None,
            shell_line: None,
            cwd: None,
            cwd_hex: None,
            ended_at: None,
            duration_ms: None,
            status: Status::Interrupted,
            signal: None,
            start_error: None,
            outcome: None,
            output_bytes: 0,
            dropped_bytes: 0,
            streams: Streams::Merged,
            tty: Tty {
                mode: String::new(),
                situation: String::new(),
                stdin: false,
                stdout: false,
                stderr: false,
                size: None,
                bare_line_feeds: true,
                other: Map::new(),
            },
            git: None,
            host: Host {
                os: String::new(),
                arch: String::new(),
                hostname: String::new(),
                other: Map::new(),
            },
            aido_version: env!("CARGO_PKG_VERSION").to_owned(),
            parent: None,
            within: None,
            task: None,
            tags: Vec::new(),
            pinned: false,
            durable: false,
            harness: None,
            detached: false,
            name: None,
            sensitive: None,
            redactions: None,
            checkpoint: None,
            mac: None,
            other: Map::new(),
        }
    }

    /// What its end means, as far as anybody knows.
    #[must_use]
    pub fn judgement(&self) -> Option<Judgement> {
        Judgement::of(self.outcome, self.exit_code, self.fault.as_deref())
    }

    /// Whether the session, which is over, counts as failed.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        Judgement::is_failure(self.judgement())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A session with every optional field empty.
    pub(crate) fn minimal(id: &str) -> Metadata {
        let id = id.parse().unwrap();
        let typescript_file = format!("./.aisessions/{id}.typescript");
        Metadata {
            agent: "ai-agent".to_owned(),
            timestamp: serde_json::from_str("\"2026-03-05T13:25:22.000Z\"").unwrap(),
            command: "true".to_owned(),
            exit_code: Some(0),
            sha256: Some("00".repeat(32)),
            argv: vec!["true".to_owned()],
            cwd: Some("/".to_owned()),
            duration_ms: Some(1),
            status: Status::Exited,
            tty: Tty {
                mode: "always".to_owned(),
                situation: "detached".to_owned(),
                stdin: false,
                stdout: true,
                stderr: true,
                size: None,
                bare_line_feeds: true,
                other: Map::new(),
            },
            host: Host {
                os: "linux".to_owned(),
                arch: "x86_64".to_owned(),
                hostname: "host".to_owned(),
                other: Map::new(),
            },
            aido_version: "0.1.0".to_owned(),
            ..Metadata::of_id(&id, typescript_file)
        }
    }

    #[test]
    fn unknown_fields_survive_a_rewrite() {
        let mut json: Value =
            serde_json::to_value(minimal("ai-agent-20260305_132522-3216-2f587606")).unwrap();
        json["from_the_future"] = serde_json::json!({"a": [1, 2]});
        let metadata: Metadata = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(serde_json::to_value(&metadata).unwrap(), json);
    }

    #[test]
    fn the_fields_of_the_original_come_first_and_the_text_ends_in_a_newline() {
        let text = minimal("ai-agent-20260305_132522-3216-2f587606")
            .to_json()
            .unwrap();
        assert!(text.starts_with("{\n  \"session_id\": "));
        assert!(text.ends_with("}\n"));
        assert!(text.contains("\"exit_code\": 0,"));
    }

    #[test]
    fn the_committed_schema_is_the_one_that_the_types_give() {
        let schema = schemars::schema_for!(Metadata);
        let mut generated = serde_json::to_string_pretty(&schema).unwrap();
        generated.push('\n');
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schema/session.schema.json");
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        if committed != generated {
            let fresh = std::env::temp_dir().join("aido-session.schema.json");
            std::io::Write::write_all(
                &mut std::fs::File::create(&fresh).unwrap(),
                generated.as_bytes(),
            )
            .unwrap();
            panic!("{path} is out of date: copy {} over it", fresh.display());
        }
    }
}
