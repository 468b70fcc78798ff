//! What was replaced: rules and counts, never the secrets.

use std::collections::BTreeMap;

use serde::Serialize;

use super::detect::OPENING;
use super::detect::look::replaced_length;

/// How often each rule replaced something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Report {
    counts: BTreeMap<String, u64>,
}

impl Report {
    /// Counts one more replacement by a rule.
    pub(super) fn add(&mut self, rule: &str) {
        *self.counts.entry(rule.to_owned()).or_default() += 1;
    }

    /// Adds what another report counted.
    pub fn merge(&mut self, other: &Self) {
        for (rule, count) in &other.counts {
            *self.counts.entry(rule.clone()).or_default() += count;
        }
    }

    /// Rules and how often each replaced something, by name.
    pub fn counts(&self) -> impl Iterator<Item = (&str, u64)> {
        let counts = self.counts.iter();
        counts.map(|(rule, count)| (rule.as_str(), *count))
    }

    /// The counts by the rules' names.
    #[must_use]
    pub fn into_counts(self) -> BTreeMap<String, u64> {
        self.counts
    }

    /// Counts the replacements that stand in a text.
    pub fn count_in(&mut self, text: &str) {
        let mut rest = text.as_bytes();
        while let Some(at) = memchr::memmem::find(rest, OPENING) {
            rest = &rest[at..];
            let length = replaced_length(rest).unwrap_or(OPENING.len());
            let name = rest.get(OPENING.len()..length).unwrap_or_default();
            let name = name.split(|byte| matches!(byte, b':' | b']')).next();
            let name = String::from_utf8_lossy(name.unwrap_or_default());
            if !name.is_empty() {
                self.add(&name);
            }
            rest = &rest[length..];
        }
    }

    /// The number of all replacements.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.values().sum()
    }

    /// Whether nothing was replaced.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.counts.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_add_up_and_become_an_object() {
        let mut report = Report::default();
        assert!(report.is_clean());
        report.add("jwt");
        let mut other = Report::default();
        other.add("jwt");
        other.add("cookie-header");
        report.merge(&other);
        let json = serde_json::to_string(&report).unwrap();
        assert_eq!(json, "{\"cookie-header\":1,\"jwt\":2}");
        assert_eq!(report.total(), 3);
        assert!(!report.is_clean());
    }
}
