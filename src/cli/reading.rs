//! What the reading words share: the store to read, and sessions as they are shown.

use super::args::StoreArguments;
use super::error::{CliError, Kind};
use crate::config::layer::Given;
use crate::config::{self, Environment, Layer, Source};
use crate::place::Place;
use crate::session::SessionId;
use crate::store::fs::FileStore;
use crate::store::signature::{self, Key};
use crate::store::{State, Store, StoreError, parse_sidecar};
use crate::transcript::record;
use crate::user_key;
use crate::view::session::Shown;

/// A store to read.
pub struct Reader {
    /// The store.
    pub store: FileStore,
    key: Option<Key>,
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
            own.set("session_dir", &Given::Text(directory), &Source::Flag)?;
        }
        let settings = config::resolve(own.or(flags), &environment, &place)?.settings;
        let location = place.location(settings.session_dir.as_deref());
        let location = location.ok_or_else(|| {
            CliError::new(
                Kind::NotFound,
                "there is no repository and no home directory",
            )
            .with_hint("name the session directory with --session-dir")
        })?;
        let key = place.state.as_deref();
        Ok(Self {
            key: key.and_then(|state| user_key::load(state).ok()),
            store: FileStore::new(location, place.state, place.current),
        })
    }

    /// A session as it is shown, whatever state it is in.
    ///
    /// # Errors
    /// When its files can't be read as what they should be.
    pub fn read(&self, id: &SessionId) -> Result<Shown, StoreError> {
        let state = self.store.state(id)?;
        if state == State::Finished {
            let bytes = self.store.sidecar(id)?;
            let metadata = parse_sidecar(id, &bytes)?;
            let signature = signature::check(&bytes, &metadata, self.key.as_ref());
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
