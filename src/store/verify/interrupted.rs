//! A session without a sidecar whose recorder was killed: nothing is signed, but its files must fit
//! each other.

use std::io;

use super::{Finding, Part, Verdict, events, transcript};
use crate::store::{Store, StoreError};

/// Looks at what there is of an interrupted session.
pub(super) fn look(store: &dyn Store, finding: &mut Finding, progress: &mut dyn FnMut(u64)) {
    finding.is(Verdict::Interrupted);
    let tally = match store.events(&finding.id) {
        Ok(file) => events::add_up(file),
        Err(error) => return finding.unreadable(Part::Events, "events file", &error),
    };
    tally.check_start(finding);
    let mut file = match store.transcript(&finding.id) {
        Ok(file) => file,
        // The recorder makes the events first.
        Err(StoreError::File { source, .. })
            if source.kind() == io::ErrorKind::NotFound && tally.output_bytes == 0 =>
        {
            return;
        }
        Err(error) => return finding.unreadable(Part::Transcript, "transcript", &error),
    };
    // Nobody but an exit event knows whether there is a marker.
    let output_bytes = tally
        .exit
        .as_ref()
        .map_or(u64::MAX, |exit| exit.output_bytes);
    match transcript::measure(&mut file, output_bytes, progress) {
        Ok(measured) if measured.length < tally.output_bytes => {
            let message = format!(
                "the transcript has {} bytes, but the events tell of {} of output",
                measured.length, tally.output_bytes
            );
            finding.defect(Verdict::Torn, Part::Length, message);
        }
        Ok(measured) => finding.lookalikes(measured.lookalikes),
        Err(error) => finding.unread(Part::Transcript, "transcript", &error),
    }
}
