//! What the bytes of a transcript are.

use std::io::{self, Read};

use sha2::{Digest, Sha256};

use super::{Finding, Part, Verdict};
use crate::session::Metadata;
use crate::session::metadata::Origin;
use crate::transcript::{Lookalikes, marker};

/// Bytes read at a time: large enough for full speed, small enough for the processor's cache.
const PIECE_BYTES: usize = 256 * 1024;
/// The most bytes that a marker has.
const MARKER_MAX_BYTES: u64 = 64;

/// A transcript that was read to its end, or until it was longer than it may be.
pub(super) struct Measured {
    pub(super) length: u64,
    /// There is more than was to be read; nothing below covers it.
    is_longer: bool,
    /// The bytes behind the output.
    ending: Vec<u8>,
    /// How many zero bytes the transcript ends in.
    zeros: u64,
    sha256: String,
    pub(super) lookalikes: u64,
}

impl Measured {
    /// Whether this is the digest of all of it.
    pub(super) fn has_digest(&self, sha256: &str) -> bool {
        self.sha256 == sha256
    }
}

/// Reads a transcript of which the first `output_bytes` are output; at most as much behind them as a
/// marker has. `progress` is told how many bytes came.
pub(super) fn measure(
    transcript: &mut dyn Read,
    output_bytes: u64,
    progress: &mut dyn FnMut(u64),
) -> io::Result<Measured> {
    let most = output_bytes.saturating_add(MARKER_MAX_BYTES);
    let mut measured = Measured {
        length: 0,
        is_longer: false,
        ending: Vec::new(),
        zeros: 0,
        sha256: String::new(),
        lookalikes: 0,
    };
    let mut digest = Sha256::new();
    let mut lookalikes = Lookalikes::new();
    let mut buffer = vec![0; PIECE_BYTES];
    loop {
        let count = match transcript.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let piece = &buffer[..count];
        let output = usize::try_from(output_bytes.saturating_sub(measured.length));
        let (output, ending) = piece.split_at(output.map_or(count, |output| output.min(count)));
        measured.length = measured.length.saturating_add(count as u64);
        if measured.length > most {
            measured.is_longer = true;
            break;
        }
        digest.update(piece);
        lookalikes.feed(output);
        measured.ending.extend_from_slice(ending);
        let zeros = piece.iter().rev().take_while(|byte| **byte == 0).count();
        let all_before = if zeros == count { measured.zeros } else { 0 };
        measured.zeros = all_before + zeros as u64;
        progress(count as u64);
    }
    measured.sha256 = hex::encode(digest.finalize());
    measured.lookalikes = lookalikes.count();
    Ok(measured)
}

/// Compares a transcript with what its sidecar says.
pub(super) fn compare(measured: &Measured, metadata: &Metadata, finding: &mut Finding) {
    let output_bytes = metadata.output_bytes;
    let marker = metadata.exit_code.map(marker).unwrap_or_default();
    let length = measured.length;
    if measured.is_longer {
        let message = format!(
            "the transcript is longer than the {output_bytes} bytes of output and the marker"
        );
        finding.defect(Verdict::Altered, Part::Length, message);
        return;
    }
    if length < output_bytes {
        let message = format!(
            "the transcript has {length} bytes, but {output_bytes} of output were recorded"
        );
        finding.defect(Verdict::Truncated, Part::Length, message);
        return;
    }
    let ending = measured.ending.as_slice();
    let is_zeroed = !ending.is_empty() && measured.zeros >= ending.len() as u64;
    if is_zeroed && !metadata.durable {
        let message = format!(
            "the transcript ends in {} zero bytes, which is what a power cut leaves of bytes that were not on the disk yet",
            measured.zeros
        );
        finding.defect(Verdict::Torn, Part::Length, message);
        return;
    }
    if !may_end_so(ending, &marker, metadata) {
        let whole = output_bytes.saturating_add(marker.len() as u64);
        if is_cut(ending, &marker) {
            let message =
                format!("the transcript has {length} of {whole} bytes: its marker is cut off");
            finding.defect(Verdict::Truncated, Part::Length, message);
            return;
        }
        if length > whole {
            let message = format!("the transcript has {length} bytes, but {whole} were recorded");
            finding.defect(Verdict::Altered, Part::Length, message);
            return;
        }
        // As long as it should be, or shorter, so there is an exit code.
        let code = metadata.exit_code.unwrap_or_default();
        let message = format!("behind the output is not the marker of exit code {code}");
        finding.defect(Verdict::Altered, Part::Marker, message);
    }
    match &metadata.sha256 {
        Some(digest) if *digest == measured.sha256 => {}
        Some(_) => {
            let message = "the transcript's SHA-256 is not the recorded one";
            finding.defect(Verdict::Altered, Part::Digest, message);
        }
        None => {
            let message = "no SHA-256 was recorded, so a changed byte of the output goes unnoticed";
            finding.remark(Part::Digest, message);
        }
    }
}

fn is_cut(ending: &[u8], marker: &str) -> bool {
    ending.len() < marker.len() && marker.as_bytes().starts_with(ending)
}

/// Whether a transcript with this sidecar can honestly end in these bytes.
fn may_end_so(ending: &[u8], marker: &str, metadata: &Metadata) -> bool {
    ending == marker.as_bytes()
        // Without a digest: the disk took no marker, or part of it.
        || (metadata.sha256.is_none() && is_cut(ending, marker))
        // Filed by somebody else, with or without a marker.
        || (metadata.origin != Origin::Recorded && ending.is_empty())
        // Recovered after the recorder had written the marker, and before it could publish.
        || (metadata.exit_code.is_none() && is_any_marker(ending))
}

fn is_any_marker(ending: &[u8]) -> bool {
    let code = std::str::from_utf8(ending).ok().and_then(|text| {
        let code = text.trim_matches(['\n', ' ', '=']);
        code.strip_prefix("AI_EXIT_CODE: ")?.parse().ok()
    });
    code.is_some_and(|code| marker(code).as_bytes() == ending)
}
