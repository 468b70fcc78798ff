//! The caller's own secrets, which only the recorder sees: the values of its environment.

use crate::environment::Environment;
use crate::redact::{Options, OwnSecret, Redactor, Tags};
use crate::store::Key;

/// What the key for tags is derived for.
const TAG_PURPOSE: &[u8] = b"aido redaction tags 1";

/// The redactor for what a sidecar quotes and marks.
#[must_use]
pub fn redactor(environment: &Environment, key: Option<&Key>) -> Redactor {
    Redactor::new(Options {
        tags: key.map_or(Tags::None, tags),
        own: own(environment),
        ..Options::default()
    })
}

/// The secrets in an environment: values of variables whose names say so, and passwords in addresses.
#[must_use]
pub fn own(environment: &Environment) -> Vec<OwnSecret> {
    OwnSecret::of_environment(environment.texts())
}

/// Tags by the user's key: nobody else can try guesses, and the key can't be told from them.
#[must_use]
pub fn tags(key: &Key) -> Tags {
    key.derive(TAG_PURPOSE).map_or(Tags::None, Tags::Keyed)
}
