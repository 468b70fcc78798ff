//! One session: its summary, and its JSON.

use std::fmt;

use serde_json::Value;

use super::paint::{Meaning, Palette};
use super::sanitize;
use super::text::Audience;
use super::units;
use crate::session::checkpoint::Moment;
use crate::session::{Checkpoint, Judgement, Metadata, Status};
use crate::store::State;
use crate::store::signature::Signature;

/// A session as it is shown. Of one that is not finished, the metadata is what its start record
/// knew.
#[derive(Clone, Debug)]
pub struct Shown {
    /// What is known.
    pub metadata: Metadata,
    /// Whether it is over.
    pub state: State,
    /// What its mac says; none where there is no sidecar yet.
    pub signature: Option<Signature>,
}

impl Shown {
    /// The names of the fields of [`Shown::to_json`], in their order.
    pub const FIELDS: &[&str] = &[
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
        "schema_version",
        "origin",
        "argv",
        "argv_hex",
        "shell_line",
        "cwd",
        "cwd_hex",
        "ended_at",
        "duration_ms",
        "status",
        "signal",
        "start_error",
        "outcome",
        "output_bytes",
        "dropped_bytes",
        "streams",
        "tty",
        "git",
        "host",
        "aido_version",
        "parent",
        "within",
        "task",
        "tags",
        "pinned",
        "durable",
        "harness",
        "detached",
        "name",
        "sensitive",
        "redactions",
        "checkpoint",
        "mac",
        "state",
        "signature",
    ];

    /// The state's name. A session that was finished after its recorder was killed was interrupted
    /// all the same.
    #[must_use]
    pub fn state_name(&self) -> &'static str {
        match (self.state, self.metadata.status) {
            (State::Finished, Status::Interrupted) | (State::Interrupted, _) => "interrupted",
            (State::Finished, _) => "finished",
            (State::Running, _) => "running",
        }
    }

    /// The same for people, with what there is to say of an end besides its exit code.
    #[must_use]
    pub fn standing(&self) -> &'static str {
        let state = self.state_name();
        let remark = self.metadata.judgement().and_then(Judgement::remark);
        remark.filter(|_| state == "finished").unwrap_or(state)
    }

    /// The sidecar's fields, with `state` and `signature`. What is running has no `status` yet: that of
    /// its start record is for the case that its recorder is killed.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut json = serde_json::to_value(&self.metadata).unwrap_or_default();
        if let Value::Object(fields) = &mut json {
            if self.state == State::Running {
                fields.insert("status".to_owned(), Value::Null);
            }
            fields.insert("state".to_owned(), self.state_name().into());
            let signature = self.signature.map(Signature::name);
            fields.insert("signature".to_owned(), signature.into());
        }
        json
    }

    /// How it ended and what that is called, on one harmless line.
    #[must_use]
    pub fn outcome(&self) -> String {
        let status = serde_json::to_value(self.metadata.status).unwrap_or_default();
        let outcome = match self.state {
            State::Running => self.ending(),
            State::Interrupted => format!("{}, {}", self.ending(), self.state_name()),
            State::Finished => {
                let status = status.as_str().unwrap_or_default().replace('_', " ");
                let meant = match self.metadata.judgement() {
                    Some(Judgement::Negative) => "; an answer, no failure",
                    Some(Judgement::Interrupted) => "; somebody stopped it",
                    Some(Judgement::Suspect) => "; suspect: its output says that it failed",
                    Some(Judgement::Ok | Judgement::Fault) | None => "",
                };
                format!("{}, {status}{meant}", self.ending())
            }
        };
        sanitize::line(&outcome).into_owned()
    }

    /// What its outcome means.
    #[must_use]
    pub fn meaning(&self) -> Meaning {
        let is_known = self.state == State::Finished && self.metadata.exit_code.is_some();
        match self.metadata.judgement().filter(|_| is_known) {
            Some(Judgement::Ok) => Meaning::Success,
            Some(Judgement::Negative | Judgement::Interrupted) => Meaning::Open,
            _ if is_known => Meaning::Failure,
            _ => Meaning::Open,
        }
    }

    /// How it ended, in a few words.
    #[must_use]
    pub fn ending(&self) -> String {
        let metadata = &self.metadata;
        match (self.state, metadata.exit_code, &metadata.signal) {
            (State::Running, ..) => "running".to_owned(),
            (State::Interrupted, ..) | (State::Finished, None, _) => "unknown".to_owned(),
            (State::Finished, Some(code), None) => format!("exit {code}"),
            (State::Finished, Some(code), Some(signal)) => format!("exit {code} ({signal})"),
        }
    }
}

/// The summary of a session, a line a fact.
pub struct Summary<'a> {
    /// The session.
    pub shown: &'a Shown,
    /// The colours.
    pub palette: Palette,
    /// Who reads it.
    pub audience: Audience,
}

impl fmt::Display for Summary<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.shown;
        let metadata = &shown.metadata;
        let audience = self.audience;
        let mut line =
            |name: &str, value: &str| writeln!(formatter, "{name:<10}{}", audience.line(value));
        line("session", metadata.session_id.as_str())?;
        line("command", &metadata.command)?;
        let outcome = self
            .palette
            .paint(shown.meaning(), &shown.outcome())
            .to_string();
        writeln!(formatter, "{:<10}{outcome}", "outcome")?;
        let mut line =
            |name: &str, value: &str| writeln!(formatter, "{name:<10}{}", audience.line(value));
        if let Some(error) = &metadata.start_error {
            line("error", error)?;
        }
        let mut when = metadata.timestamp.to_string();
        if let Some(milliseconds) = metadata.duration_ms {
            when.push_str(&format!(", for {}", units::duration(milliseconds)));
        }
        line("started", &when)?;
        line("agent", &metadata.agent)?;
        if let Some(cwd) = &metadata.cwd {
            line("directory", cwd)?;
        }
        if let Some(git) = &metadata.git {
            let branch = git.branch.as_deref().unwrap_or("detached");
            let commit = match &git.commit {
                Some(commit) => format!("at {}", commit.get(..12).unwrap_or(commit)),
                None => "without a commit yet".to_owned(),
            };
            line("git", &format!("{branch} {commit}"))?;
        }
        for (name, value) in [("task", &metadata.task), ("note", &metadata.notes)] {
            if let Some(value) = value {
                line(name, value)?;
            }
        }
        if !metadata.tags.is_empty() {
            line("tags", &metadata.tags.join(", "))?;
        }
        if let Some(fault) = &metadata.fault {
            line("fault", fault)?;
        }
        for lesson in &metadata.lessons {
            line("lesson", lesson)?;
        }
        if metadata.sensitive == Some(true) {
            line("secrets", &secrets(metadata))?;
        }
        if metadata.pinned {
            line("pinned", "kept when old sessions go")?;
        }
        if let Some(parent) = &metadata.parent {
            line("rerun of", parent)?;
        }
        if let Some(checkpoint) = &metadata.checkpoint {
            line("saved", &saved(checkpoint))?;
            if let Some(changes) = checkpoint.changes {
                line("changes", &changes.to_string())?;
            }
        }
        if shown.state == State::Finished {
            let mut output = units::size(metadata.output_bytes);
            if metadata.dropped_bytes > 0 {
                let dropped = units::size(metadata.dropped_bytes);
                output.push_str(&format!(", {dropped} not recorded"));
            }
            line("output", &output)?;
        }
        if let Some(signature) = shown.signature {
            line("signature", signature.name())?;
        }
        Ok(())
    }
}

/// Which checkpoints there are, and what they lack.
fn saved(checkpoint: &Checkpoint) -> String {
    let moment = |name: &str, moment: &Moment| match (&moment.problem, moment.left_out_count) {
        (Some(problem), _) => format!("not {name} it: {problem}"),
        (None, 0) => format!("{name} it"),
        (None, 1) => format!("{name} it, without 1 path"),
        (None, count) => format!("{name} it, without {count} paths"),
    };
    let before = moment("before", &checkpoint.before);
    match &checkpoint.after {
        Some(after) => format!("{before}; {}", moment("after", after)),
        None => before,
    }
}

/// Which secrets were found when the session ended.
fn secrets(metadata: &Metadata) -> String {
    let counts = metadata.redactions.iter().flat_map(|known| &known.counts);
    let counts: Vec<String> = counts
        .map(|(rule, count)| format!("{rule} {count}"))
        .collect();
    format!("{}; replaced in what leaves", counts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::metadata::ORIGINAL_FIELDS;
    use crate::session::metadata::tests::minimal;

    #[test]
    fn a_running_session_has_no_status_yet() {
        let mut metadata = minimal("a-20260305_132522-1-abcdef12");
        metadata.status = Status::Interrupted;
        metadata.exit_code = None;
        for (state, named, status) in [
            (State::Running, "running", Value::Null),
            (State::Interrupted, "interrupted", "interrupted".into()),
            (State::Finished, "interrupted", "interrupted".into()),
        ] {
            let metadata = metadata.clone();
            let shown = Shown {
                metadata,
                state,
                signature: None,
            };
            let json = shown.to_json();
            assert_eq!((&json["state"], &json["status"]), (&named.into(), &status));
        }
    }

    #[test]
    fn the_fields_of_the_original_come_first() {
        assert!(Shown::FIELDS.starts_with(&ORIGINAL_FIELDS));
    }

    #[test]
    fn every_field_has_its_name() {
        let mut metadata = minimal("a-20260305_132522-1-abcdef12");
        metadata.name = Some("gov".to_owned());
        metadata.checkpoint = Some(Checkpoint::default());
        metadata.cwd_hex = Some("2fff".to_owned());
        let shown = Shown {
            metadata,
            state: State::Finished,
            signature: None,
        };
        let json = shown.to_json();
        let mut names: Vec<&str> = json
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        let mut known = Shown::FIELDS.to_vec();
        names.sort_unstable();
        known.sort_unstable();
        assert_eq!(names, known);
    }
}
