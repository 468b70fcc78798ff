//! One thing that was looked at.

use std::fmt;

use serde::Serialize;

use crate::view::sanitize;

/// How it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    /// As it should be.
    Fine,
    /// Worth knowing.
    Note,
    /// Something doesn't work.
    Problem,
}

/// One thing that was looked at, what was found, and how to mend it.
#[derive(Debug, Serialize)]
pub(super) struct Check {
    pub(super) name: &'static str,
    pub(super) verdict: Verdict,
    pub(super) found: String,
    pub(super) mend: Option<String>,
}

impl Check {
    pub(super) fn fine(name: &'static str, found: impl Into<String>) -> Self {
        Self {
            name,
            verdict: Verdict::Fine,
            found: found.into(),
            mend: None,
        }
    }

    pub(super) fn note(name: &'static str, found: impl Into<String>, mend: &str) -> Self {
        Self {
            verdict: Verdict::Note,
            mend: Some(mend.to_owned()),
            ..Self::fine(name, found)
        }
    }

    pub(super) fn problem(name: &'static str, found: impl Into<String>, mend: &str) -> Self {
        Self {
            verdict: Verdict::Problem,
            ..Self::note(name, found, mend)
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.verdict {
            Verdict::Fine => "ok",
            Verdict::Note => "note",
            Verdict::Problem => "PROBLEM",
        };
        let found = sanitize::line(&self.found);
        writeln!(formatter, "{:<10}{word:<9}{found}", self.name)?;
        match &self.mend {
            Some(mend) => writeln!(formatter, "{:<19}→ {}", "", sanitize::line(mend)),
            None => Ok(()),
        }
    }
}
