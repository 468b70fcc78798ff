//! What a suite found, and its line.

use std::fmt::Write;

use super::suites::Suite;

/// How many faults are told; the rest is counted.
const TOLD: usize = 8;
/// The longest fault that is told whole, in bytes.
const TOLD_BYTES: usize = 700;

/// What a suite found.
#[derive(Default)]
pub(crate) struct Verdict {
    figures: Vec<String>,
    faults: Vec<String>,
    fault_count: usize,
    skipped: Vec<String>,
}

impl Verdict {
    /// Nothing found yet.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// One that failed as a whole.
    pub(crate) fn of_failure(fault: String) -> Self {
        let mut verdict = Self::new();
        verdict.fault(fault);
        verdict
    }

    /// Adds what was counted or measured.
    pub(crate) fn figure(&mut self, text: impl Into<String>) {
        self.figures.push(text.into());
    }

    /// Adds something that should not be.
    pub(crate) fn fault(&mut self, text: impl AsRef<str>) {
        self.fault_count += 1;
        if self.faults.len() < TOLD {
            self.faults.push(harmless(text.as_ref()));
        }
    }

    /// Adds several of them.
    pub(crate) fn faults(&mut self, texts: impl IntoIterator<Item = String>) {
        for text in texts {
            self.fault(text);
        }
    }

    /// Adds a fault unless this holds.
    pub(crate) fn check(&mut self, holds: bool, otherwise: impl FnOnce() -> String) {
        if !holds {
            self.fault(otherwise());
        }
    }

    /// Says what could not be tried here, and why.
    pub(crate) fn skip(&mut self, reason: impl Into<String>) {
        self.skipped.push(reason.into());
    }

    /// Whether something should not be.
    pub(crate) fn is_bad(&self) -> bool {
        self.fault_count > 0
    }

    /// One word for what came of it.
    fn word(&self) -> &'static str {
        match (self.is_bad(), self.figures.is_empty()) {
            (true, _) => "FAILED",
            (false, true) => "skipped",
            (false, false) => "ok",
        }
    }

    /// The same as an object.
    pub(crate) fn json(&self, suite: &Suite, seconds: f64) -> serde_json::Value {
        serde_json::json!({
            "suite": suite.name,
            "claim": suite.claim,
            "result": self.word(),
            "figures": self.figures,
            "skipped": self.skipped,
            "faults": self.faults,
            "fault_count": self.fault_count,
            "seconds": seconds,
        })
    }

    /// The suite's line, with what was skipped and what was wrong below it.
    pub(crate) fn line(&self, suite: &Suite, seconds: f64) -> String {
        let word = self.word();
        let figures = self.figures.join(", ");
        let colon = if figures.is_empty() { "" } else { ": " };
        let mut text = format!(
            "{:<4} {word:<7} {}{colon}{figures} ({seconds:.1} s)",
            suite.name, suite.claim
        );
        for reason in &self.skipped {
            let _ = write!(text, "\n     skipped: {reason}");
        }
        for fault in &self.faults {
            let _ = write!(text, "\n     fault: {fault}");
        }
        if self.fault_count > self.faults.len() {
            let more = self.fault_count - self.faults.len();
            let _ = write!(text, "\n     and {more} more faults");
        }
        text
    }
}

/// What was found may hold what it was tried with, which must not act on the reader's terminal.
fn harmless(text: &str) -> String {
    let mut shown = String::new();
    for letter in text.chars() {
        if letter.is_ascii_graphic() || letter == ' ' {
            shown.push(letter);
        } else {
            shown.extend(letter.escape_default());
        }
        if shown.len() > TOLD_BYTES {
            shown.push_str(" [...]");
            break;
        }
    }
    shown
}
