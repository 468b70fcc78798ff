//! The directory of sessions: a hook never makes one, since the commands that it has recorded would see that.

use crate::config::{self, Layer};
use crate::environment::Environment;
use crate::place::Place;
use crate::store::fs::FileStore;

/// Makes it, if it isn't there. Where it can't be made nothing is wrapped, and `aido doctor` says why.
pub fn make(place: &Place, environment: &Environment, flags: Layer) {
    if let Some(store) = store(place, environment, flags) {
        let _ = store.make();
    }
}

/// Takes it away again, if nothing was ever put in it.
pub fn remove_unused(place: &Place, environment: &Environment, flags: Layer) {
    if let Some(store) = store(place, environment, flags) {
        store.remove_unused();
    }
}

fn store(place: &Place, environment: &Environment, flags: Layer) -> Option<FileStore> {
    let resolved = config::resolve(flags, environment, place).ok()?;
    let location = place.location(resolved.settings.session_dir.as_deref())?;
    Some(FileStore::new(
        location,
        place.state.clone(),
        place.current.clone(),
    ))
}
