//! Recordings of other programs.

use std::io::{BufReader, Cursor};
use std::time::Duration;

use aido::import::asciicast::Cast;
use aido::import::{Facts, Recording, original, typescript};
use aido::transcript::timeline::{LATEST, What};

use super::two_files;

/// What came out of a recording.
struct Heard {
    bytes: Vec<u8>,
}

fn listen(recording: &mut dyn Recording, most_moments: usize) -> Heard {
    let (mut bytes, mut now, mut moments) = (Vec::new(), Duration::ZERO, 0);
    while let Some(moment) = recording.next_moment().expect("bytes can be read") {
        assert!(now <= moment.at && moment.at <= LATEST, "time went back");
        now = moment.at;
        if let What::Output(_, piece) = moment.what {
            bytes.extend_from_slice(piece);
        }
        moments += 1;
        assert!(
            moments <= most_moments,
            "more moments than the file has bytes"
        );
    }
    let doubts = recording.doubts();
    assert!(
        recording
            .next_moment()
            .expect("bytes can be read")
            .is_none()
    );
    assert!(doubts.iter().all(|doubt| !doubt.is_empty()));
    Heard { bytes }
}

fn check(facts: &Facts) {
    if let Some(size) = facts.size {
        assert!(size.columns > 0 && size.rows > 0);
    }
}

/// An asciicast of any version.
pub(super) fn asciicast(input: &[u8]) {
    let Ok((facts, mut cast)) = Cast::open(BufReader::new(input)) else {
        return;
    };
    check(&facts);
    let heard = listen(&mut cast, input.len() + 1);
    // One byte that is no character becomes one of three.
    assert!(heard.bytes.len() <= 3 * input.len());
}

/// A typescript, after its timing and a border; without a border there is no timing.
pub(super) fn typescript(input: &[u8]) {
    let (timing, file) = two_files(input);
    let (timing, file) = match file.is_empty() {
        true => (None, timing),
        false => (Some(timing), file),
    };
    let opened = typescript::open(
        BufReader::new(Cursor::new(file)),
        timing.map(BufReader::new),
        None,
    );
    let (facts, mut typescript) = opened.expect("bytes can be read");
    check(&facts);
    let heard = listen(&mut typescript, input.len() + 2);
    assert!(heard.bytes.len() <= file.len());
    if timing.is_none() {
        let is_part = heard.bytes.is_empty()
            || file
                .windows(heard.bytes.len())
                .any(|window| window == heard.bytes);
        assert!(is_part, "not what the file has");
    }
}

/// A sidecar of the shell script that aido takes after, valid JSON or not.
pub(super) fn original(input: &[u8]) {
    const TEXT_BYTES: usize = 64 * 1024;
    let _ = original::looks_like_one(input);
    let sidecar = original::read(input);
    check(&sidecar.facts);
    assert_eq!(original::read(input), sidecar);
    if let Some(digest) = &sidecar.sha256 {
        assert!(digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
    if let Some(id) = &sidecar.id {
        assert!(!id.as_str().contains(['/', '.']), "{id}");
    }
    let texts = [&sidecar.notes, &sidecar.agent, &sidecar.facts.command];
    for text in texts.into_iter().flatten() {
        assert!(text.len() <= TEXT_BYTES, "{} bytes", text.len());
    }
}
