//! One exit for errors: the kind decides the exit code, and each is printed once.

use serde_json::{Value, json};

use super::io::{self, ExitCode};
use super::page::Form;
use crate::config::ConfigError;
use crate::session::outcome::AIDO_FAILED;
use crate::store::StoreError;
use crate::store::resolve::{Miss, ResolveError};
use crate::view::sanitize;

/// What kind of error it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// aido could not run the command: 125.
    Run,
    /// One of aido's own words was used wrongly: 2.
    Usage,
    /// There is nothing to show: 1.
    NotFound,
    /// More than one thing fits: 1.
    Ambiguous,
    /// Something failed: 1.
    Failed,
}

/// An error for people, with a way out.
#[derive(Debug)]
pub struct CliError {
    kind: Kind,
    message: String,
    hint: Option<String>,
    is_for_programs: bool,
}

impl CliError {
    /// An error.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            hint: None,
            is_for_programs: false,
        }
    }

    /// The same, printed as JSON: the arguments could not be understood, but asked for that.
    #[must_use]
    pub fn for_programs(mut self) -> Self {
        self.is_for_programs = true;
        self
    }

    /// The same, with a way out.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What went wrong, without the way out.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// aido's exit code for it.
    #[must_use]
    pub fn exit_code(&self) -> i32 {
        match self.kind {
            Kind::Run => AIDO_FAILED,
            Kind::Usage => 2,
            Kind::NotFound | Kind::Ambiguous | Kind::Failed => 1,
        }
    }

    /// The error and the way out, for programs.
    #[must_use]
    pub fn to_json(&self) -> Value {
        // Of clap's text the first paragraph says what is wrong, and the others what would be right.
        let (message, rest) = match self.message.split_once("\n\n") {
            Some((message, rest)) => (message, Some(rest)),
            None => (self.message.as_str(), None),
        };
        let hint = self.hint.as_deref().or(rest).map(str::trim);
        json!({"error": {"code": self.code(), "message": message, "hint": hint}})
    }

    /// The error and the way out, for an agent.
    #[must_use]
    pub fn in_words(&self) -> String {
        let hint = self.hint.iter().map(|hint| format!("\nhint: {hint}"));
        let text = format!("{}{}", self.message, hint.collect::<String>());
        sanitize::for_agent(&text).into_owned()
    }

    fn code(&self) -> &'static str {
        match self.kind {
            Kind::Run => "refused",
            Kind::Usage => "usage",
            Kind::NotFound => "not_found",
            Kind::Ambiguous => "ambiguous",
            Kind::Failed => "failed",
        }
    }
}

impl From<ConfigError> for CliError {
    fn from(error: ConfigError) -> Self {
        Self::new(Kind::Run, error.to_string())
    }
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> Self {
        let failed = Self::new(Kind::Failed, error.to_string());
        match error {
            StoreError::InvalidSidecar { id, .. } => failed.with_hint(format!(
                "aido verify {id} says more; aido recover puts a torn sidecar aside"
            )),
            _ => failed,
        }
    }
}

impl From<ResolveError> for CliError {
    fn from(error: ResolveError) -> Self {
        let message = error.to_string();
        match error {
            ResolveError::Nothing { miss, .. } => {
                let (known, hint) = of_miss(&miss);
                Self::new(Kind::NotFound, message + &known).with_hint(hint)
            }
            ResolveError::Ambiguous { candidates, .. } => {
                let shown: Vec<&str> = candidates.iter().take(10).map(|id| id.as_str()).collect();
                Self::new(Kind::Ambiguous, message)
                    .with_hint(format!("one of: {}", shown.join(", ")))
            }
            ResolveError::Store(error) => error.into(),
        }
    }
}

/// What is known of something that isn't there, and the way out.
fn of_miss(miss: &Miss) -> (String, String) {
    let hint = "aido list shows what there is";
    let (known, hint) = match miss {
        Miss::Empty => (
            ": none is recorded here",
            "aido list says where it looked; aido COMMAND records one",
        ),
        Miss::NoneFailed => (": none has failed", hint),
        Miss::Near(near) if near.is_empty() => ("", hint),
        Miss::Near(near) => {
            let near: Vec<&str> = near.iter().map(|id| id.as_str()).collect();
            return (String::new(), format!("near to it: {}", near.join(", ")));
        }
        Miss::TooFarBack(1) => (": there is one", "it is `last`"),
        Miss::TooFarBack(count) => {
            let oldest = format!("the oldest is last~{}", count - 1);
            return (format!(": there are {count}"), oldest);
        }
        Miss::Removed { id, at, reason } => {
            let known = format!(": {id} was removed at {at} ({reason})");
            let hint = "aido list --pruned shows what is remembered of removed sessions";
            return (known, hint.to_owned());
        }
        Miss::Word(word) => {
            let others = "last, last~N, last:failed and @AGENT are words for sessions";
            return (String::new(), format!("{word} may be meant; {others}"));
        }
    };
    (known.to_owned(), hint.to_owned())
}

impl From<serde_json::Error> for CliError {
    fn from(error: serde_json::Error) -> Self {
        Self::new(Kind::Failed, error.to_string())
    }
}

impl From<std::io::Error> for CliError {
    fn from(error: std::io::Error) -> Self {
        Self::new(Kind::Failed, error.to_string())
    }
}

impl std::fmt::Display for CliError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.message)
    }
}

/// Prints an error on standard error and gives its exit code.
#[must_use]
pub fn report(error: &CliError, form: Form) -> ExitCode {
    let text = if form == Form::Json || error.is_for_programs {
        sanitize::json(&error.to_json().to_string()).into_owned()
    } else {
        let mut text = format!("aido: {}", error.message);
        if let Some(hint) = &error.hint {
            text.push_str(&format!("\naido: hint: {hint}"));
        }
        sanitize::text(&text).into_owned()
    };
    io::say(&text);
    io::code(error.exit_code())
}
