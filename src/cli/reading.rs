//! What the reading words share: the store to read, and sessions as they are shown.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use super::error::{CliError, Kind};
use super::progress::StoreProgress;
use super::word::StoreArguments;
use crate::config::layer::Given;
use crate::config::{self, Layer, Settings, Source};
use crate::egress;
use crate::environment::Environment;
use crate::place::{Place, find_root};
use crate::redact::{Overlay, Redactor};
use crate::session::entry::TEXT_CHARACTERS;
use crate::session::quote::whole_words;
use crate::session::{Metadata, SessionId, Timestamp};
use crate::store::fs::FileStore;
use crate::store::key;
use crate::store::signature::{self, Key};
use crate::store::{Found, Recorded, State, Store, StoreError, parse_sidecar};
use crate::sys::terminal;
use crate::transcript::record;
use crate::view::session::Shown;

/// The terminal's width, where standard output is one.
#[must_use]
pub fn width() -> Option<usize> {
    let stdout = std::io::stdout();
    let size = stdout.is_terminal().then(|| terminal::size(&stdout))??;
    Some(usize::from(size.columns))
}

/// The roots of the repositories that a store and its reader are in, each once.
fn repositories(store: &Path, here: Option<PathBuf>) -> Vec<PathBuf> {
    let whole = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let of_store = find_root(&whole(store));
    let mut roots: Vec<PathBuf> = Vec::new();
    for root in of_store.into_iter().chain(here) {
        let root = whole(&root);
        if !roots.contains(&root) {
            roots.push(root);
        }
    }
    roots
}

/// A store to read.
pub struct Reader {
    /// The store.
    pub store: FileStore,
    /// Every setting.
    pub settings: Settings,
    /// The roots of the repositories that matter here: the one that the store is in, and the one that the
    /// caller stands in.
    pub repositories: Vec<PathBuf>,
    key: io::Result<Key>,
    /// Takes secrets out of what is read, for agents.
    guard: Option<Redactor>,
}

impl Reader {
    /// Opens the store that the arguments and settings name.
    ///
    /// # Errors
    /// Settings that can't be taken, or no place to look.
    pub fn open(arguments: &StoreArguments, flags: Layer) -> Result<Self, CliError> {
        let environment = Environment::of_process();
        let place = Place::find(std::env::current_dir().ok(), &environment);
        let mut own = Layer::default();
        if let Some(directory) = &arguments.session_dir {
            own.set("session_dir", &Given::Text(directory), &Source::Flag)
                .map_err(|error| CliError::new(Kind::Usage, error.to_string()))?;
        }
        let resolved = config::resolve(own.or(flags), &environment, &place);
        // One of aido's own words, so not the code of a command that aido could not run.
        let resolved = resolved.map_err(|error| CliError::new(Kind::Usage, error.to_string()))?;
        let mut settings = resolved.settings;
        if let Some(directory) = &mut settings.session_dir {
            // It stays the same one where a session is run again in its own directory.
            *directory = std::path::absolute(&*directory)?;
        }
        let location = place.location(settings.session_dir.as_deref());
        let location = location.ok_or_else(|| {
            CliError::new(
                Kind::NotFound,
                "there is no repository and no home directory",
            )
            .with_hint("name the session directory with --session-dir")
        })?;
        let state = place.state.as_deref();
        let key = state.map_or_else(|| Err(io::ErrorKind::NotFound.into()), key::load);
        let mut store = FileStore::new(location, place.state, place.current);
        if let Some(observer) = StoreProgress::watched() {
            store = store.observed_by(observer);
        }
        Ok(Self {
            key,
            guard: None,
            repositories: repositories(&store.path(), place.root),
            store,
            settings,
        })
    }

    /// From here on, secrets are taken out of what is read.
    pub fn set_guard(&mut self, guard: Redactor) {
        self.guard = Some(guard);
    }

    /// Whether secrets are taken out of what is read.
    #[must_use]
    pub fn is_guarded(&self) -> bool {
        self.guard.is_some()
    }

    /// What takes secrets out, if anything does.
    #[must_use]
    pub fn guard(&self) -> Option<&Redactor> {
        self.guard.as_ref()
    }

    /// A command line as it may be shown.
    #[must_use]
    pub fn leaving(&self, command: &str) -> String {
        match &self.guard {
            Some(guard) => guard.shell_line(command).0,
            None => command.to_owned(),
        }
    }

    /// The beginning of a command line, as the index has it, as it may be shown: half a secret is not
    /// known as one, so a word that may have been cut goes.
    #[must_use]
    pub fn leaving_beginning(&self, command: &str) -> String {
        match &self.guard {
            Some(guard) if command.chars().count() >= TEXT_CHARACTERS => {
                self.leaving(guard.without_cut_secret(whole_words(command).trim_end()))
            }
            _ => self.leaving(command),
        }
    }

    /// The beginning of a session's command as it may be shown: with what is marked in its sidecar. Where
    /// that can't be read, the first word: the rest might be a secret.
    #[must_use]
    pub fn leaving_command(&self, id: &SessionId, beginning: &str) -> String {
        if self.guard.is_none() {
            return beginning.to_owned();
        }
        match self.read(id) {
            Ok(session) => {
                let command = session.metadata.command.chars();
                command.take(TEXT_CHARACTERS).collect()
            }
            Err(_) => self.leaving(beginning.split_whitespace().next().unwrap_or_default()),
        }
    }

    /// Any other text as it may be shown.
    #[must_use]
    pub fn leaving_text(&self, text: &str) -> String {
        match &self.guard {
            Some(guard) => guard.text(text).0,
            None => text.to_owned(),
        }
    }

    /// The sidecar of a finished session as it may be shown.
    ///
    /// # Errors
    /// When there is none, or it is no valid one.
    pub fn metadata(&self, id: &SessionId) -> Result<Metadata, StoreError> {
        let mut metadata = self.store.metadata(id)?;
        if let Some(guard) = &self.guard {
            egress::clean(&mut metadata, guard);
        }
        Ok(metadata)
    }

    /// A session's transcript as it may be shown. `columns` is the width of its terminal.
    ///
    /// # Errors
    /// When there is none, or it can't be searched for secrets.
    pub fn transcript(
        &self,
        id: &SessionId,
        columns: Option<u16>,
    ) -> Result<Box<dyn Recorded>, StoreError> {
        let transcript = self.store.transcript(id)?;
        let Some(guard) = &self.guard else {
            return Ok(transcript);
        };
        let overlay = guard.overlay(transcript, columns);
        Ok(Box::new(
            overlay.map_err(StoreError::file("the transcript"))?,
        ))
    }

    /// The same, if it is guarded and can be read.
    #[must_use]
    pub fn overlay(
        &self,
        id: &SessionId,
        columns: Option<u16>,
    ) -> Option<Overlay<Box<dyn Recorded>>> {
        let transcript = self.store.transcript(id).ok()?;
        self.guard.as_ref()?.overlay(transcript, columns).ok()
    }

    /// Finishes small sessions that a killed recorder left, as far as that is quickly done.
    pub fn recover_in_passing(&self, now: Timestamp) {
        self.store.recover_in_passing(self.key.as_ref().ok(), now);
    }

    /// The user's key, or why there is none.
    ///
    /// # Errors
    /// As [`key::load`].
    pub fn key(&self) -> Result<&Key, &io::Error> {
        self.key.as_ref()
    }

    /// A session that was found; none if it went away since.
    ///
    /// # Errors
    /// When its files can't be read as what they should be.
    pub fn read_found(&self, found: &Found) -> Result<Option<Shown>, StoreError> {
        let Some(id) = found.entry.id() else {
            return Ok(None);
        };
        let read = self.read_in(&id, found.state);
        let Err(StoreError::File { source, .. }) = &read else {
            return read.map(Some);
        };
        if source.kind() != io::ErrorKind::NotFound {
            return read.map(Some);
        }
        // It may have ended, or have been removed, just now.
        match self.store.state(&id) {
            Ok(state) if state != found.state => self.read_in(&id, state).map(Some),
            Ok(_) => read.map(Some),
            Err(StoreError::NoSession(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A session as it is shown, whatever state it is in.
    ///
    /// # Errors
    /// When its files can't be read as what they should be.
    pub fn read(&self, id: &SessionId) -> Result<Shown, StoreError> {
        self.read_in(id, self.store.state(id)?)
    }

    fn read_in(&self, id: &SessionId, state: State) -> Result<Shown, StoreError> {
        let mut shown = self.read_raw(id, state)?;
        if let Some(guard) = &self.guard {
            egress::clean(&mut shown.metadata, guard);
        }
        Ok(shown)
    }

    fn read_raw(&self, id: &SessionId, state: State) -> Result<Shown, StoreError> {
        if state == State::Finished {
            let bytes = self.store.sidecar(id)?;
            let metadata = parse_sidecar(id, &bytes)?;
            let signature = signature::check(&bytes, &metadata, self.key.as_ref().ok());
            return Ok(Shown {
                metadata,
                state,
                signature: Some(signature),
            });
        }
        let known = self.store.start_record(id)?;
        let metadata = record::interrupted(&known).filter(|metadata| metadata.session_id == *id);
        let metadata = metadata.ok_or_else(|| StoreError::InvalidSidecar {
            id: id.clone(),
            reason: "its start record is not one".to_owned(),
        })?;
        Ok(Shown {
            metadata,
            state,
            signature: None,
        })
    }
}
