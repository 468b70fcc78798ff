//! The redactor for what leaves: rules of the repository's own, and the user's key for tags.

use std::fmt::Display;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::color::When;
use super::error::{CliError, Kind};
use super::io::say;
use super::page;
use super::reading::Reader;
use crate::environment::Environment;
use crate::record::secrets;
use crate::redact::{
    Depth, IN_REPOSITORY, Options, OwnSecret, Redactor, RuleError, Tags, UserRules,
};
use crate::sys::file::read_small;
use crate::view::sanitize;

/// The largest file of rules.
const RULES_MAX_BYTES: u64 = 1024 * 1024;
/// How many digits of a file's digest say which rules they were.
const DIGEST_DIGITS: usize = 16;

/// The rules of repositories, as they were read.
pub struct Rules {
    rules: UserRules,
    problems: Vec<RuleError>,
    /// Which rules these are, those of this version of aido among them.
    pub ruleset: String,
}

impl Rules {
    /// Reads the rules of the repositories that the reader's store and the reader are in.
    ///
    /// # Errors
    /// When there is a file of them that can't be read as one, so that nobody knows what it keeps in.
    pub fn read(reader: &Reader) -> Result<Self, CliError> {
        Self::of(&reader.repositories)
    }

    /// Reads the rules of repositories with these roots; all of them count.
    ///
    /// # Errors
    /// As [`Rules::read`].
    pub fn of(roots: &[PathBuf]) -> Result<Self, CliError> {
        let mut read = Self {
            rules: UserRules::default(),
            problems: Vec::new(),
            ruleset: concat!("aido-", env!("CARGO_PKG_VERSION")).to_owned(),
        };
        for root in roots {
            let path = root.join(IN_REPOSITORY);
            // Where there are two, the name alone doesn't say which.
            let name = match roots {
                [_] => IN_REPOSITORY.to_owned(),
                _ => path.to_string_lossy().into_owned(),
            };
            read.add(&path, &name)?;
        }
        Ok(read)
    }

    fn add(&mut self, path: &Path, name: &str) -> Result<(), CliError> {
        let unreadable = |why: &dyn Display| {
            let message = sanitize::line(&format!("{name}: {why}")).into_owned();
            CliError::new(Kind::Failed, message).with_hint(
                "it says what else is secret, so nothing is shown without it; mend or remove it",
            )
        };
        let bytes = match read_small(path, RULES_MAX_BYTES) {
            // A link that leads nowhere was meant to lead to rules.
            Err(error)
                if error.kind() == ErrorKind::NotFound && path.symlink_metadata().is_err() =>
            {
                return Ok(());
            }
            read => read.map_err(|error| unreadable(&error))?,
        };
        // A rule with other bytes than were meant would find nothing.
        let text = std::str::from_utf8(&bytes).map_err(|error| unreadable(&error))?;
        let (rules, problems) = UserRules::parse(name, text);
        for problem in &problems {
            if let RuleError::NoToml { problem, .. } = problem {
                return Err(unreadable(problem));
            }
        }
        self.rules.merge(rules);
        self.problems.extend(problems);
        self.ruleset.push('+');
        let digest = hex::encode(Sha256::digest(&bytes));
        self.ruleset.push_str(&digest[..DIGEST_DIGITS]);
        Ok(())
    }

    /// For what leaves this machine: the same bytes for the same session, whoever asks.
    ///
    /// # Errors
    /// When a rule can't be used: what it should have kept here must not leave.
    pub fn redactor(&self, reader: &Reader, depth: Depth) -> Result<Redactor, CliError> {
        self.redactor_for(reader, depth, Vec::new())
    }

    /// The same for what was printed, where secrets are looked for that are known by themselves, too.
    ///
    /// # Errors
    /// As [`Rules::redactor`].
    pub fn redactor_for(
        &self,
        reader: &Reader,
        depth: Depth,
        own: Vec<OwnSecret>,
    ) -> Result<Redactor, CliError> {
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
            own,
            rules: self.rules.clone(),
            ..Options::default()
        }))
    }

    /// For a hand-off, which says itself that rules can't be used: also how many.
    #[must_use]
    pub fn redactor_for_handoff(self, environment: &Environment) -> (Redactor, usize) {
        let redactor = Redactor::new(Options {
            own: secrets::own(environment),
            rules: self.rules,
            ..Options::default()
        });
        (redactor, self.problems.len())
    }

    /// For an agent that reads here: the secrets of its own environment are looked for, too, and a rule
    /// that can't be used is named and left out.
    fn redactor_for_reading(self, reader: &Reader, environment: &Environment) -> Redactor {
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
