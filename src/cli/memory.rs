//! What the words of failure memory share: the store to read, and looking for cures first.

use std::fmt::Display;
use std::path::PathBuf;

use serde_json::Value;

use super::color::When;
use super::error::{CliError, Kind};
use super::reading::Reader;
use super::word::StoreArguments;
use super::{io, redaction};
use crate::clock;
use crate::config::Layer;
use crate::egress::{self, Echoes};
use crate::environment::Environment;
use crate::faults::FaultId;
use crate::faults::cure::may_have_cure;
use crate::memory::{CureSeeker, FaultStore, Hide, Knowledge, Known, KnownLesson, Reach};
use crate::place::Place;
use crate::session::Timestamp;
use crate::store::Store;
use crate::view::faults::{fault_json, lesson_json};
use crate::view::sanitize;

/// The most failures whose cures are looked for at once.
const SEEK_MAX: usize = 20;

/// Failure memory, and the sessions beside it.
pub struct Memory {
    /// The sessions.
    pub reader: Reader,
    /// What is known of failures.
    pub faults: FaultStore,
    /// The caller's environment.
    pub environment: Environment,
    /// The repository's root.
    pub root: Option<PathBuf>,
    /// Takes out what must not be shared.
    pub hide: Hide,
    /// The present.
    pub now: Timestamp,
}

impl Memory {
    /// Opens the memory beside the store that the arguments and settings name.
    ///
    /// # Errors
    /// As [`Reader::open`], or when an agent reads and there are rules that can't be read.
    pub fn open(arguments: &StoreArguments, flags: Layer) -> Result<Self, CliError> {
        Self::open_for(arguments, flags, None)
    }

    /// The same; `for_agent` says whether an agent reads.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_for(
        arguments: &StoreArguments,
        flags: Layer,
        for_agent: Option<When>,
    ) -> Result<Self, CliError> {
        let mut reader = Reader::open(arguments, flags)?;
        let environment = Environment::of_process();
        redaction::guard(&mut reader, for_agent, &environment)?;
        let place = Place::find(std::env::current_dir().ok(), &environment);
        let faults = FaultStore::beside(&reader.store);
        faults.settle();
        Ok(Self {
            faults,
            reader,
            root: place.root,
            hide: Hide::new(environment.texts()),
            environment,
            now: clock::now(),
        })
    }

    /// Reads everything, after looking for the cures of the failures seen last, and says on standard
    /// error what can't be read.
    ///
    /// # Errors
    /// When the directory can't be read.
    pub fn read(&self) -> Result<Knowledge, CliError> {
        let mut knowledge = self.faults.read().map_err(|error| self.failed(&error))?;
        if self.seek(&knowledge.faults) {
            knowledge = self.faults.read().map_err(|error| self.failed(&error))?;
        }
        for problem in knowledge.refused.iter().chain(&knowledge.problems) {
            self.say(&format!("{}: {problem}", self.faults.path().display()));
        }
        Ok(knowledge)
    }

    /// Looks for the cures of these failures, the first ones only if there are many. True says that one
    /// was found.
    pub fn seek(&self, faults: &[Known]) -> bool {
        self.seek_up_to(SEEK_MAX, faults)
    }

    /// Looks for the cures of all failures, however long that takes.
    ///
    /// # Errors
    /// When the directory can't be read.
    pub fn seek_all(&self) -> Result<(), CliError> {
        let knowledge = self.faults.read().map_err(|error| self.failed(&error))?;
        self.seek_up_to(usize::MAX, &knowledge.faults);
        Ok(())
    }

    fn seek_up_to(&self, most: usize, faults: &[Known]) -> bool {
        let seeker = CureSeeker {
            faults: &self.faults,
            store: &self.reader.store,
            root: self.root.as_deref(),
            hide: &self.hide,
            now: self.now,
        };
        let histories = faults.iter().filter_map(|known| known.history.as_ref());
        let unsought =
            histories.filter(|history| !history.is_cure_sought && may_have_cure(&history.class));
        let found = unsought
            .take(most)
            .map(|history| seeker.seek(history, Reach::Any));
        // Each of them, and not only up to the first.
        found.fold(false, |any, one| any | one)
    }

    /// Names the rules that are left out.
    pub fn say_problems_of_rules(&self) {
        for problem in self.faults.rules().problems() {
            self.say(&format!("{}/{problem}", self.faults.path().display()));
        }
    }

    fn say(&self, problem: &str) {
        io::say(&sanitize::line(&format!("aido: {problem}")));
    }

    /// A failure as JSON, as it may be shown.
    #[must_use]
    pub fn fault_json(&self, known: &Known) -> Value {
        let mut json = fault_json(known);
        if !self.reader.is_guarded() {
            return json;
        }
        // Where it was is kept as it is, to be found again; its session says what of that is secret.
        let last = known.history.as_ref().map(|history| &history.last);
        let session = last.and_then(|last| last.session.parse().ok());
        let session = session.and_then(|id| self.reader.store.metadata(&id).ok());
        if let Some(metadata) = session {
            let echoes = Echoes::of(&metadata);
            for name in ["directory", "branch"] {
                if let Some(text) = json[name].as_str() {
                    json[name] = echoes.hide(text).into();
                }
            }
        }
        self.leaving_json(json)
    }

    /// A lesson as JSON, as it may be shown.
    #[must_use]
    pub fn lesson_json(&self, known: &KnownLesson) -> Value {
        self.leaving_json(lesson_json(known))
    }

    /// JSON as it may be shown.
    #[must_use]
    fn leaving_json(&self, mut json: Value) -> Value {
        if let Some(guard) = self.reader.guard() {
            egress::clean_event(&mut json, guard);
        }
        json
    }

    /// What is written for people, as it may be shown.
    #[must_use]
    pub fn leaving(&self, written: &dyn Display) -> String {
        self.reader.leaving_text(&written.to_string())
    }

    /// An error of the directory's.
    #[must_use]
    pub fn failed(&self, error: &std::io::Error) -> CliError {
        let path = self.faults.path();
        if error.kind() == std::io::ErrorKind::WouldBlock {
            let message = format!("{}: another aido is changing it", path.display());
            return CliError::new(Kind::Failed, message).with_hint(
                "try again; if that lasts, one hangs: fuser local/.lock there names it",
            );
        }
        CliError::new(Kind::Failed, format!("{}: {error}", path.display()))
    }
}

/// The failure that a text names: its id, or the beginning of it.
///
/// # Errors
/// When none or more than one does.
pub fn choose<'k>(faults: &'k [Known], text: &str) -> Result<&'k Known, CliError> {
    if let Ok(id) = text.parse::<FaultId>()
        && let Some(known) = faults.iter().find(|known| known.fault == id)
    {
        return Ok(known);
    }
    if text == "last" {
        let nothing = || {
            CliError::new(Kind::NotFound, "no failure is remembered here")
                .with_hint("aido COMMAND records one")
        };
        return faults.first().ok_or_else(nothing);
    }
    let fits: Vec<&Known> = faults
        .iter()
        .filter(|known| !text.is_empty() && known.fault.as_str().starts_with(text))
        .collect();
    match fits.as_slice() {
        [known] => Ok(known),
        [] => Err(
            CliError::new(Kind::NotFound, format!("no failure is called {text:?}"))
                .with_hint("aido faults --all lists them; aido faults like TEXT searches"),
        ),
        several => {
            let names: Vec<&str> = several
                .iter()
                .take(10)
                .map(|known| known.fault.as_str())
                .collect();
            Err(CliError::new(
                Kind::Ambiguous,
                format!("{} failures begin with {text:?}", several.len()),
            )
            .with_hint(format!("one of: {}", names.join(", "))))
        }
    }
}
