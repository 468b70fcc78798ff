//! The environment as a value: read once, passed on, made up in tests.
#![expect(clippy::disallowed_methods, reason = "this module is their home")]

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// Environment variables.
#[derive(Clone, Debug, Default)]
pub struct Environment(Vec<(OsString, OsString)>);

impl Environment {
    /// This process's environment.
    #[must_use]
    pub fn of_process() -> Self {
        Self(std::env::vars_os().collect())
    }

    /// An environment of these variables.
    #[cfg(test)]
    pub(crate) fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let pairs = pairs.into_iter();
        Self(
            pairs
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        )
    }

    /// A variable's value; one that is set but empty counts as unset, as for most programs.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&OsStr> {
        let found = self.0.iter().find(|(known, _)| known == OsStr::new(name));
        found
            .map(|(_, value)| value.as_os_str())
            .filter(|value| !value.is_empty())
    }

    /// A variable's value, if it is text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.value(name)?.to_str()
    }

    /// A variable's value, if it is an absolute path; the XDG specification ignores others.
    #[must_use]
    pub fn absolute_path(&self, name: &str) -> Option<PathBuf> {
        let path = PathBuf::from(self.value(name)?);
        path.is_absolute().then_some(path)
    }

    /// Sets a variable, in its place if it is there already, or removes it.
    pub fn set(&mut self, name: OsString, value: Option<OsString>) {
        let place = self.0.iter().position(|(known, _)| *known == name);
        match (place, value) {
            (Some(index), Some(value)) => self.0[index].1 = value,
            (Some(_), None) => self.0.retain(|(known, _)| *known != name),
            (None, Some(value)) => self.0.push((name, value)),
            (None, None) => {}
        }
    }

    /// All variables that are text, name and value, in the order in which they stand.
    pub fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.0.iter();
        pairs.filter_map(|(name, value)| Some((name.to_str()?, value.to_str()?)))
    }

    /// All variables, in the order in which they stand.
    #[must_use]
    pub fn all(&self) -> &[(OsString, OsString)] {
        &self.0
    }
}
