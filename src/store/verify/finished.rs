//! A session with a sidecar.

use std::io;

use super::{Finding, Part, Verdict, events, original, sidecar, transcript};
use crate::session::metadata::Origin;
use crate::session::{Metadata, Status};
use crate::store::{Key, Store, StoreError};

/// Looks at all files of a finished session.
pub(super) fn look(
    store: &dyn Store,
    finding: &mut Finding,
    key: Option<&Key>,
    progress: &mut dyn FnMut(u64),
) {
    let bytes = match store.sidecar(&finding.id) {
        Ok(bytes) => bytes,
        Err(error) => return finding.unreadable(Part::Sidecar, "sidecar", &error),
    };
    if original::look(store, finding, &bytes, progress) {
        return;
    }
    let Some(sidecar) = sidecar::read(&bytes, key, finding) else {
        return;
    };
    let metadata = &sidecar.metadata;
    check_ending(metadata, finding);
    look_at_transcript(store, metadata, finding, progress);
    match store.events(&finding.id) {
        Ok(file) => events::compare(&events::add_up(file), &sidecar, finding),
        // Only a recorder writes events.
        Err(error) if metadata.origin != Origin::Recorded && is_not_there(&error) => {}
        Err(error) => finding.unreadable(Part::Events, "events file", &error),
    }
    if metadata.status == Status::Interrupted {
        finding.is(Verdict::Interrupted);
    }
    if metadata.dropped_bytes > 0 {
        let message = format!(
            "{} bytes of output were not recorded",
            metadata.dropped_bytes
        );
        finding.remark(Part::Dropped, message);
    }
    let origin = match metadata.origin {
        Origin::Recorded => return,
        Origin::Observed => "observed",
        Origin::Imported => "imported",
    };
    let message = format!("{origin}, not recorded by aido: its exit code is what was reported");
    finding.remark(Part::Origin, message);
}

/// An exit code is unknown where the recorder was killed, and only there.
fn check_ending(metadata: &Metadata, finding: &mut Finding) {
    let is_unknown = metadata.exit_code.is_none();
    let was_killed = metadata.status == Status::Interrupted;
    if metadata.origin == Origin::Recorded && is_unknown != was_killed {
        let message = "the sidecar's status and exit_code exclude each other";
        finding.defect(Verdict::Altered, Part::Sidecar, message);
    }
}

fn look_at_transcript(
    store: &dyn Store,
    metadata: &Metadata,
    finding: &mut Finding,
    progress: &mut dyn FnMut(u64),
) {
    let mut file = match store.transcript(&finding.id) {
        Ok(file) => file,
        Err(error)
            if metadata.origin != Origin::Recorded
                && metadata.sha256.is_none()
                && is_not_there(&error) =>
        {
            let message = "there is no transcript, and none was promised";
            return finding.remark(Part::Transcript, message);
        }
        Err(error) => return finding.unreadable(Part::Transcript, "transcript", &error),
    };
    match transcript::measure(&mut file, metadata.output_bytes, progress) {
        Ok(measured) => {
            transcript::compare(&measured, metadata, finding);
            finding.lookalikes(measured.lookalikes);
        }
        Err(error) => finding.unread(Part::Transcript, "transcript", &error),
    }
}

pub(super) fn is_not_there(error: &StoreError) -> bool {
    matches!(error, StoreError::File { source, .. } if source.kind() == io::ErrorKind::NotFound)
}
