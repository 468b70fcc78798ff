//! What lines are searched for.

use std::ops::Range;

use regex::{Regex, RegexBuilder};

use super::error::{CliError, Kind};

/// Whether a pattern is a regular expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// It is (that of the crate regex, which takes linear time on any text).
    Regular,
    /// It is text to be found as it is.
    Fixed,
}

/// Whether upper and lower case differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// They do.
    Sensitive,
    /// They don't.
    Ignored,
}

/// A pattern for lines.
#[derive(Clone, Debug)]
pub struct Pattern(Regex);

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// When it is no regular expression, or too large for one.
    pub fn new(text: &str, syntax: Syntax, case: Case) -> Result<Self, CliError> {
        let expression = match syntax {
            Syntax::Regular => text.to_owned(),
            Syntax::Fixed => regex::escape(text),
        };
        let built = RegexBuilder::new(&expression)
            .case_insensitive(case == Case::Ignored)
            .build();
        built.map(Self).map_err(|error| {
            CliError::new(Kind::Usage, error.to_string())
                .with_hint("-F searches for the text as it is")
        })
    }

    /// Whether a line matches.
    #[must_use]
    pub fn matches(&self, line: &str) -> bool {
        self.0.is_match(line)
    }

    /// What matches in a line, in order and without overlap.
    pub fn hits(&self, line: &str, hits: &mut Vec<Range<usize>>) {
        hits.clear();
        hits.extend(self.0.find_iter(line).map(|hit| hit.range()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_any_script_in_any_case() {
        let matches = |pattern, syntax, case, line| {
            Pattern::new(pattern, syntax, case).unwrap().matches(line)
        };
        let (regular, fixed) = (Syntax::Regular, Syntax::Fixed);
        assert!(matches("über", regular, Case::Ignored, "GRÜN ÜBER"));
        assert!(!matches("über", regular, Case::Sensitive, "ÜBER"));
        assert!(matches(r"^\w+\s\d+$", regular, Case::Sensitive, "naïve 12"));
        assert!(matches("a.c(", fixed, Case::Sensitive, "xa.c(y"));
        assert!(!matches("a.c", fixed, Case::Sensitive, "abc"));
        for pattern in ["(", "a{99999}{99999}"] {
            let error = Pattern::new(pattern, regular, Case::Sensitive);
            assert_eq!(error.map_err(|error| error.exit_code()).unwrap_err(), 2);
        }
    }
}
