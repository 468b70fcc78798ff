//! Runs of bytes that look drawn by lot, whatever stands around them: for a strict search only.

use super::{Found, look};
use crate::redact::class::Class;
use crate::redact::rule::Run;
use crate::redact::view::View;

/// The least of a run.
const LEAST_BYTES: usize = 20;
/// How much of a long run is measured.
const MEASURED_BYTES: usize = 512;
/// More bits a byte than hexadecimal digits can have, so that digests stay.
const LEAST_BITS: f64 = 4.5;

/// Without the slash of base64, which would make runs of paths and addresses, and without the equals
/// sign, which would join names to values.
const RUN: Class = Class::of("A-Za-z0-9+_-");

/// Whether a run begins at this index.
pub(in crate::redact) fn begins(bytes: &[u8], at: usize) -> bool {
    let is_in_run = |at: usize| bytes.get(at).is_some_and(|byte| RUN.has(*byte));
    is_in_run(at) && !at.checked_sub(1).is_some_and(is_in_run)
}

/// Checks the run that begins at an index.
pub(in crate::redact) fn find(view: &View<'_>, at: usize) -> Option<Found> {
    let rest = view.slice(at, view.high);
    let length = rest.iter().take_while(|byte| RUN.has(**byte)).count();
    let run = &rest[..length];
    let measured = &run[..length.min(MEASURED_BYTES)];
    let is_one = length >= LEAST_BYTES
        && look::entropy(measured) > LEAST_BITS
        && !look::is_placeholder(measured)
        && !look::is_wordy(measured);
    let ran = is_one.then(|| view.run(at, Run::many(RUN)))?;
    Some(Found {
        from: at,
        to: ran.end,
        open: ran.is_open.then_some(RUN),
    })
}
