//! What is found out about sessions, as data.

use std::collections::BTreeMap;
use std::io;

use crate::session::SessionId;
use crate::store::StoreError;
use crate::store::signature::Signature;

/// What is to be said of a session in one word, from the best to the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Complete, and as recorded.
    Ok,
    /// Written by a newer aido in a form that this one doesn't know; no defect.
    Newer,
    /// Still running; no defect.
    Live,
    /// Its recorder was killed; what there is agrees. No defect.
    Interrupted,
    /// A crash of the machine or a full disk took the end of a file.
    Torn,
    /// The transcript is shorter than recorded.
    Truncated,
    /// A file isn't there, or can't be read.
    Missing,
    /// A file is not what was recorded.
    Altered,
}

impl Verdict {
    /// All of them, from the best to the worst.
    pub const ALL: [Self; 8] = [
        Self::Ok,
        Self::Newer,
        Self::Live,
        Self::Interrupted,
        Self::Torn,
        Self::Truncated,
        Self::Missing,
        Self::Altered,
    ];

    /// The word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Newer => "NEWER",
            Self::Live => "LIVE",
            Self::Interrupted => "INTERRUPTED",
            Self::Torn => "TORN",
            Self::Truncated => "TRUNCATED",
            Self::Missing => "MISSING",
            Self::Altered => "ALTERED",
        }
    }

    /// Whether something is wrong.
    #[must_use]
    pub fn is_defect(self) -> bool {
        self >= Self::Torn
    }
}

/// What was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The sidecar as a file and as JSON.
    Sidecar,
    /// The sidecar's mac.
    Signature,
    /// The transcript as a file.
    Transcript,
    /// The transcript's length.
    Length,
    /// The line with the exit code at the transcript's end.
    Marker,
    /// The transcript's SHA-256.
    Digest,
    /// The events as a file.
    Events,
    /// The start record, against the sidecar.
    Start,
    /// The output and gap events, against the sidecar.
    Output,
    /// The exit event, against the sidecar.
    Exit,
    /// The sidecar's version.
    Version,
    /// Lines of the output that look like the marker.
    Lookalikes,
    /// Output that was not recorded.
    Dropped,
    /// How the session came into the store.
    Origin,
}

impl Part {
    /// Its name in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sidecar => "sidecar",
            Self::Signature => "signature",
            Self::Transcript => "transcript",
            Self::Length => "length",
            Self::Marker => "marker",
            Self::Digest => "digest",
            Self::Events => "events",
            Self::Start => "start_record",
            Self::Output => "output_events",
            Self::Exit => "exit_event",
            Self::Version => "schema_version",
            Self::Lookalikes => "lookalike_markers",
            Self::Dropped => "dropped_bytes",
            Self::Origin => "origin",
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Defect {
    /// How bad.
    pub verdict: Verdict,
    /// With what.
    pub part: Part,
    /// What, in words for people; may quote what a file holds.
    pub message: String,
}

/// One thing to know that is no defect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// About what.
    pub part: Part,
    /// In words for people.
    pub message: String,
}

/// What was found out about a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which.
    pub id: SessionId,
    /// The worst that was found.
    pub verdict: Verdict,
    /// What its mac says; none where there is no sidecar, or none that can be read.
    pub signature: Option<Signature>,
    /// What is wrong.
    pub defects: Vec<Defect>,
    /// What there is to know besides.
    pub remarks: Vec<Remark>,
    /// How often the output says an exit code as the marker does.
    pub lookalike_markers: u64,
}

impl Finding {
    pub(super) fn new(id: &SessionId) -> Self {
        Self {
            id: id.clone(),
            verdict: Verdict::Ok,
            signature: None,
            defects: Vec::new(),
            remarks: Vec::new(),
            lookalike_markers: 0,
        }
    }

    pub(super) fn is(&mut self, verdict: Verdict) {
        self.verdict = self.verdict.max(verdict);
    }

    pub(super) fn defect(&mut self, verdict: Verdict, part: Part, message: impl Into<String>) {
        self.is(verdict);
        self.defects.push(Defect {
            verdict,
            part,
            message: message.into(),
        });
    }

    pub(super) fn remark(&mut self, part: Part, message: impl Into<String>) {
        let message = message.into();
        self.remarks.push(Remark { part, message });
    }

    /// Says why a file can't be looked into.
    pub(super) fn unreadable(&mut self, part: Part, name: &str, error: &StoreError) {
        match error {
            StoreError::File { source, .. } => self.unread(part, name, source),
            StoreError::NoSession(_) => {
                self.defect(Verdict::Missing, part, format!("the {name} is missing"));
            }
            StoreError::InvalidSidecar { reason, .. } => {
                let message = format!("the {name} is not valid: {reason}");
                self.defect(Verdict::Altered, part, message);
            }
            StoreError::Oversized(_) => {
                let message = format!("the {name} is larger than any that aido writes");
                self.defect(Verdict::Altered, part, message);
            }
            // Said by writers only.
            StoreError::Newer { .. }
            | StoreError::TooMuch(_)
            | StoreError::Running(_)
            | StoreError::Pinned(_) => {
                self.remark(part, error.to_string());
            }
        }
    }

    pub(super) fn unread(&mut self, part: Part, name: &str, error: &io::Error) {
        match error.kind() {
            io::ErrorKind::NotFound => {
                self.defect(Verdict::Missing, part, format!("the {name} is missing"));
            }
            // The store's own refusals: a link, a FIFO or a directory has taken the file's place.
            io::ErrorKind::Other => {
                let message = format!("the {name} is not read: {error}");
                self.defect(Verdict::Altered, part, message);
            }
            _ => {
                let message = format!("the {name} can't be read: {error}");
                self.defect(Verdict::Missing, part, message);
            }
        }
    }

    pub(super) fn lookalikes(&mut self, count: u64) {
        self.lookalike_markers = count;
        let message = match count {
            0 => return,
            1 => {
                "the output holds a look-alike of the marker, which proves no exit code".to_owned()
            }
            _ => format!(
                "the output holds {count} look-alikes of the marker, which prove no exit code"
            ),
        };
        self.remark(Part::Lookalikes, message);
    }
}

/// How many sessions there were of each kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All of them.
    pub sessions: u64,
    verdicts: BTreeMap<Verdict, u64>,
    signatures: BTreeMap<Signature, u64>,
}

impl Counts {
    /// Counts one more.
    pub fn add(&mut self, finding: &Finding) {
        self.sessions += 1;
        *self.verdicts.entry(finding.verdict).or_default() += 1;
        if let Some(signature) = finding.signature {
            *self.signatures.entry(signature).or_default() += 1;
        }
    }

    /// How many got this verdict.
    #[must_use]
    pub fn verdict(&self, verdict: Verdict) -> u64 {
        self.verdicts.get(&verdict).copied().unwrap_or_default()
    }

    /// How many have this signature.
    #[must_use]
    pub fn signature(&self, signature: Signature) -> u64 {
        self.signatures.get(&signature).copied().unwrap_or_default()
    }

    /// Whether anything is wrong with any.
    #[must_use]
    pub fn has_defects(&self) -> bool {
        self.verdicts.keys().any(|verdict| verdict.is_defect())
    }
}
