//! The caller's own secrets, which only the recorder sees: the values of its environment.

use serde_json::Value;

use crate::egress;
use crate::environment::Environment;
use crate::redact::{Options, OwnSecret, Redactor, Tags};
use crate::session::Metadata;
use crate::session::metadata::Redactions;
use crate::store::Key;

/// What the key for tags is derived for.
const TAG_PURPOSE: &[u8] = b"aido redaction tags 1";

/// The redactor for what a sidecar quotes and marks, knowing these of the caller's own.
#[must_use]
pub fn redactor(own: Vec<OwnSecret>, key: Option<&Key>) -> Redactor {
    Redactor::new(Options {
        tags: key.map_or(Tags::None, tags),
        own,
        ..Options::default()
    })
}

/// What the start record says of secrets, should the recorder be killed: `sensitive` and `redactions`.
/// None where none of the caller's own is in what is known before the command runs, as mostly.
#[must_use]
pub fn marks_at_start(
    own: &[OwnSecret],
    facts: &Metadata,
) -> Option<(Option<bool>, Option<Redactions>)> {
    if own.is_empty() {
        return None;
    }
    let text = texts(facts);
    if !own.iter().any(|secret| secret.is_in(&text)) {
        return None;
    }
    // The key is fetched while the command runs.
    let redactor = redactor(own.to_vec(), None);
    let marked = egress::marked_at_start(facts, &redactor)?;
    Some((marked.sensitive, marked.redactions))
}

/// What the start record says in words of the caller's.
fn texts(facts: &Metadata) -> String {
    let branch = facts.git.as_ref().and_then(|git| git.branch.as_ref());
    let single = [&facts.shell_line, &facts.notes, &facts.task, &facts.cwd];
    let single = single.into_iter().flatten().chain(branch);
    let all = facts.argv.iter().chain(&facts.tags).chain(single);
    let variables = facts.env.values().filter_map(Value::as_str);
    let mut texts = String::with_capacity(1024);
    for text in all.map(String::as_str).chain(variables) {
        texts.push_str(text);
        texts.push('\0');
    }
    texts
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
