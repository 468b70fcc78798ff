//! The end of a recording: its sidecar is completed, signed and published, and its failure remembered.

use std::path::PathBuf;
use std::time::Duration;

use super::notice::Notice;
use super::remember::{KnownFailure, Remember};
use super::{Recording, Request, describe, secrets};
use crate::capture::Ended;
use crate::egress;
use crate::plan::RunPlan;
use crate::session::{Durability, Judgement};
use crate::store::fs::FileStore;
use crate::transcript::Excerpt;

/// A command that ran longer than this is made durable by default: nobody notices it then.
const WORTH_SYNCING: Duration = Duration::from_secs(1);

/// Publishes the session, and remembers how it ended. Gives what that means, and what is known of its
/// failure, if it failed.
pub(super) fn finish(
    recording: Recording,
    plan: &RunPlan,
    ended: &Ended,
    excerpt: &Excerpt,
    request: &Request,
    tell: &mut dyn FnMut(&Notice),
) -> Option<(Option<Judgement>, Option<KnownFailure>)> {
    let mut draft = recording.draft?;
    let sealed = draft.seal(ended.duration, &ended.outcome);
    let mut metadata = recording.known;
    describe::complete(&mut metadata, ended, &sealed, excerpt, &plan.terminal);
    // The output was delivered, so nothing waits for this.
    let redactor = secrets::redactor(recording.own, recording.key.as_ref());
    if let Some(checkpoints) = recording.checkpoints {
        checkpoints.complete(&mut metadata, &request.environment, &redactor, tell);
    }
    egress::mark(&mut metadata, &redactor);
    let path = || -> PathBuf {
        let store = recording.store.as_ref();
        store.map(FileStore::path).unwrap_or_default()
    };
    // A cap that was asked for loses nothing that was wanted.
    if let Some(error) = sealed.errors.first() {
        tell(&Notice::Incomplete {
            dropped_bytes: sealed.dropped_bytes,
            place: path(),
            error,
        });
    }
    let durability = match request.settings.durability {
        Durability::Normal if ended.duration > WORTH_SYNCING => Durability::Full,
        level => level,
    };
    let remember = recording.store.as_ref();
    let remember = remember.map(|store| Remember::new(request, store));
    // The sidecar says what failed, and is signed with it.
    let judged = remember
        .as_ref()
        .map(|remember| remember.judge(&mut metadata, &ended.outcome, excerpt, &mut *draft));
    let judgement = metadata.outcome;
    let published = draft.finish(metadata, durability, recording.key.as_ref());
    match published {
        Ok(published) => {
            if let Some(error) = published.not_synced {
                tell(&Notice::NotSynced(error));
            }
            if let Some(error) = published.not_in_task {
                tell(&Notice::NotInTask(error));
            }
        }
        Err(error) => {
            tell(&Notice::NotPublished(error));
            return Some((judgement, None));
        }
    }
    let failure = remember.zip(judged);
    let failure = failure.and_then(|(remember, judged)| remember.keep(judged));
    Some((judgement, failure))
}
