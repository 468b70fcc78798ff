//! The redactor for what leaves: rules of the repository's own, and the user's key for tags.

use std::fmt::Display;
use std::io::ErrorKind;

use sha2::{Digest, Sha256};

use super::color::When;
use super::error::{CliError, Kind};
use super::io::say;
use super::page;
use super::reading::Reader;
use crate::environment::Environment;
use crate::record::secrets;
use crate::redact::{Depth, IN_REPOSITORY, Options, Redactor, RuleError, Tags, UserRules};
use crate::sys::file::read_small;
use crate::view::sanitize;

/// The largest file of rules.
const RULES_MAX_BYTES: u64 = 1024 * 1024;
/// The repository's rules, as they were read.
pub struct Rules {
    rules: UserRules,
    problems: Vec<RuleError>,
    /// Which rules these are, those of this version of aido among them.
    pub ruleset: String,
}

impl Rules {
    /// Reads the rules of the repository that the reader's store belongs to.
    ///
    /// # Errors
    /// When there is a file of them that can't be read.
    pub fn read(reader: &Reader) -> Result<Self, CliError> {
        let own = concat!("aido-", env!("CARGO_PKG_VERSION"));
        let none = Self {
            rules: UserRules::default(),
            problems: Vec::new(),
            ruleset: own.to_owned(),
        };
        let Some(path) = reader.root.as_ref().map(|root| root.join(IN_REPOSITORY)) else {
            return Ok(none);
        };
        let unreadable = |why: &dyn Display| {
            CliError::new(Kind::Failed, format!("{IN_REPOSITORY}: {why}"))
                .with_hint("it says what else is secret, so nothing leaves without it")
        };
        let bytes = match read_small(&path, RULES_MAX_BYTES) {
            // A link that leads nowhere was meant to lead to rules.
            Err(error)
                if error.kind() == ErrorKind::NotFound && path.symlink_metadata().is_err() =>
            {
                return Ok(none);
            }
            read => read.map_err(|error| unreadable(&error))?,
        };
        // A rule with other bytes than were meant would find nothing.
        let text = std::str::from_utf8(&bytes).map_err(|error| unreadable(&error))?;
        let (rules, problems) = UserRules::parse(IN_REPOSITORY, text);
        let digest = hex::encode(Sha256::digest(&bytes));
        Ok(Self {
            rules,
            problems,
            ruleset: format!("{own}+{}", &digest[..16]),
        })
    }

    /// For what leaves this machine: the same bytes for the same session, whoever asks.
    ///
    /// # Errors
    /// When a rule can't be used: what it should have kept here must not leave.
    pub fn redactor(self, reader: &Reader, depth: Depth) -> Result<Redactor, CliError> {
        if let Some(first) = self.problems.first() {
            let more = match self.problems.len() - 1 {
                0 => String::new(),
                more => format!(" (and {more} more)"),
            };
            let message = format!("{first}{more}");
            return Err(CliError::new(Kind::Failed, message)
                .with_hint("nothing leaves while a rule can't be used; mend or remove it"));
        }
        Ok(Redactor::new(Options {
            depth,
            tags: reader.key().map_or(Tags::None, secrets::tags),
            rules: self.rules,
            ..Options::default()
        }))
    }

    /// For an agent that reads here: the secrets of its own environment are looked for, too, and a rule
    /// that can't be used is named and left out.
    #[must_use]
    pub fn redactor_for_reading(self, reader: &Reader, environment: &Environment) -> Redactor {
        for problem in &self.problems {
            say(&sanitize::line(&format!("aido: {problem}")));
        }
        Redactor::new(Options {
            tags: reader.key().map_or(Tags::None, secrets::tags),
            own: secrets::own(environment),
            rules: self.rules,
            ..Options::default()
        })
    }
}

/// Takes secrets out of what the reader reads, if an agent reads what is printed. `for_agent` is what
/// was asked for.
///
/// # Errors
/// When there are rules that can't be read.
pub fn guard(
    reader: &mut Reader,
    for_agent: Option<When>,
    environment: &Environment,
) -> Result<(), CliError> {
    if page::is_for_agent(for_agent, environment) {
        let rules = Rules::read(reader)?;
        let redactor = rules.redactor_for_reading(reader, environment);
        reader.set_guard(redactor);
    }
    Ok(())
}
