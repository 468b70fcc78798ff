//! Sessions that nobody ran: files as docs/format.md has them, in the tests' own hand, which shares no
//! code with the product. And aido's own words, read as what they print.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::TestEnv;

/// A time as sidecars have it.
pub(crate) fn iso(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// This many seconds after a day in the past that every planted session is counted from.
pub(crate) fn moment(seconds: i64) -> String {
    let start: DateTime<Utc> = "2026-03-05T13:00:00Z".parse().unwrap();
    iso(start + TimeDelta::seconds(seconds))
}

/// This long ago.
pub(crate) fn ago(seconds: i64) -> String {
    iso(Utc::now() - TimeDelta::seconds(seconds))
}

/// The id of a planted session.
pub(crate) fn planted_id(agent: &str, number: u32) -> String {
    format!("{agent}-20260305_130000-3216-{number:08x}")
}

/// The sidecar of a `true` that succeeded, with these fields in the place of its own.
pub(crate) fn sidecar(id: &str, fields: &Value) -> Value {
    let output = b"\n=== AI_EXIT_CODE: 0 ===\n";
    let mut parts = id.rsplitn(4, '-');
    let number = i64::from_str_radix(parts.next().unwrap(), 16).unwrap();
    let mut meta = json!({
        "session_id": id,
        "agent": parts.nth(2).unwrap(),
        "timestamp": moment(number),
        "command": "true",
        "exit_code": 0,
        "typescript_file": format!("./.aisessions/{id}.typescript"),
        "sha256": hex::encode(Sha256::digest(output)),
        "stdout_tail": "",
        "stderr_head": null,
        "env": {"OS": "linux"},
        "notes": null,
        "fault": null,
        "lessons": [],
        "schema_version": "1.0",
        "origin": "recorded",
        "argv": ["true"],
        "argv_hex": null,
        "shell_line": null,
        "cwd": "/",
        "ended_at": moment(number),
        "duration_ms": 0,
        "status": "exited",
        "signal": null,
        "start_error": null,
        "outcome": null,
        "output_bytes": 0,
        "dropped_bytes": 0,
        "streams": "merged",
        "tty": {
            "mode": "always", "situation": "detached", "stdin": false, "stdout": true, "stderr": true,
            "size": {"columns": 200, "rows": 50}, "bare_line_feeds": true
        },
        "git": null,
        "host": {"os": "linux", "arch": "x86_64", "hostname": "demo"},
        "aido_version": "0.1.0",
        "parent": null,
        "within": null,
        "task": null,
        "tags": [],
        "pinned": false,
        "durable": false,
        "harness": null,
        "detached": false,
        "mac": null,
    });
    // One more would be too many for the macro.
    for name in ["sensitive", "redactions"] {
        meta[name] = Value::Null;
    }
    for (name, value) in fields.as_object().unwrap() {
        meta[name] = value.clone();
    }
    meta
}

/// The text of a sidecar, signed with this key as docs/format.md says.
pub(crate) fn signed(meta: &Value, key: &[u8]) -> String {
    const ZEROS: &str = "0000000000000000000000000000000000000000000000000000000000000000";
    let mut meta = meta.clone();
    meta["mac"] = ZEROS.into();
    let text = serde_json::to_string_pretty(&meta).unwrap() + "\n";
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    text.replace(ZEROS, &hex::encode(mac.finalize().into_bytes()))
}

impl TestEnv {
    /// The session directory, private as the first recorder would have made it.
    pub(crate) fn make_sessions(&self) -> PathBuf {
        let path = self.sessions();
        fs::create_dir_all(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        path
    }

    /// Where one of a session's files is.
    pub(crate) fn file_of(&self, id: &str, ending: &str) -> PathBuf {
        self.sessions().join(format!("{id}.{ending}"))
    }

    /// Writes a sidecar and nothing else.
    pub(crate) fn plant_sidecar(&self, id: &str, fields: &Value) {
        self.make_sessions();
        let text = serde_json::to_string_pretty(&sidecar(id, fields)).unwrap() + "\n";
        fs::write(self.file_of(id, "meta.json"), text).unwrap();
    }

    /// Writes a finished session; gives its id.
    pub(crate) fn plant(&self, agent: &str, number: u32, fields: &Value) -> String {
        let id = planted_id(agent, number);
        self.make_sessions();
        fs::write(
            self.file_of(&id, "typescript"),
            "\n=== AI_EXIT_CODE: 0 ===\n",
        )
        .unwrap();
        let mut start = sidecar(&id, fields);
        start["type"] = "start".into();
        fs::write(self.file_of(&id, "events.jsonl"), format!("{start}\n")).unwrap();
        self.plant_sidecar(&id, fields);
        id
    }

    /// The sidecar of a session as it is now.
    pub(crate) fn meta(&self, id: &str) -> Value {
        let text = fs::read_to_string(self.file_of(id, "meta.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    /// What one of aido's own words prints; it has to succeed and to say nothing besides.
    #[track_caller]
    pub(crate) fn read(&self, words: &[&str]) -> String {
        let run = self.aido(words).output();
        assert!(
            run.code() == 0 && run.stderr.is_empty(),
            "{words:?}: {run:?}"
        );
        run.stdout_text()
    }

    /// The same as JSON.
    #[track_caller]
    pub(crate) fn json(&self, words: &[&str]) -> Value {
        serde_json::from_str(&self.read(words)).unwrap()
    }

    /// The ids that `aido list` has with these arguments, in its order; all unless `-n` is among them.
    #[track_caller]
    pub(crate) fn listed(&self, arguments: &[&str]) -> Vec<String> {
        let mut words = [&["list", "--fields", "session_id"], arguments].concat();
        if !arguments.contains(&"-n") {
            words.extend(["-n", "0"]);
        }
        let run = self.aido(&words).output();
        let text = run.stdout_text();
        // Filters that leave nothing make it 1.
        let is_right = run.code() == 0 || run.code() == 1 && text.is_empty();
        assert!(is_right && run.stderr.is_empty(), "{words:?}: {run:?}");
        text.lines().map(str::to_owned).collect()
    }

    /// What `aido list` says of each session, as `SIGNATURE`.
    #[track_caller]
    pub(crate) fn signature(&self, id: &str) -> String {
        let shown = self.json(&["show", id, "--json"]);
        shown["signature"].as_str().unwrap_or("none").to_owned()
    }

    /// The key that signs this user's sidecars; there is one once something was recorded.
    pub(crate) fn key(&self) -> Vec<u8> {
        fs::read(self.path("home/.local/state/aido/key")).unwrap()
    }

    /// The index of the session directory.
    pub(crate) fn index(&self) -> PathBuf {
        self.sessions().join("index.jsonl")
    }

    /// Makes a file of the session directory look as if nobody had changed it for this long.
    pub(crate) fn set_age(&self, name: &str, seconds: u64) {
        let file = fs::File::options()
            .append(true)
            .open(self.sessions().join(name))
            .unwrap();
        let time = SystemTime::now() - Duration::from_secs(seconds);
        file.set_modified(time).unwrap();
    }
}
