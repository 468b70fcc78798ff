//! The files of a session.

use std::io::{Cursor, Read};
use std::time::Duration;

use aido::session::{Metadata, SessionId};
use aido::store::parse_sidecar;
use aido::transcript::output::{Extent, Output};
use aido::transcript::reader::{Events, GrowingEvents, start_record};
use aido::transcript::record::{EventRecord, interrupted};
use aido::transcript::slices::{ErrorLines, Gaps, Slices, Wanted, Way};
use aido::transcript::timeline::{LATEST, Timeline, What};
use aido::view::sanitize;

use super::{pieces, two_files};

/// Events are read whole, again, and as they grow.
pub(super) fn events(input: &[u8]) {
    let mut whole = Events::new(Cursor::new(input));
    let read: Vec<EventRecord> = whole.by_ref().collect();
    assert!(whole.next().is_none(), "there was an end");
    whole.rewind().expect("bytes can be read again");
    // NaN is no JSON, so that equal events are equal.
    assert_eq!(whole.collect::<Vec<_>>(), read);

    let mut growing = GrowingEvents::new(Arriving::new(input));
    let mut grown = Vec::new();
    let mut waited = 0;
    while waited < 2 {
        match growing.next_event().expect("bytes can be read") {
            Some(event) => (waited, grown) = (0, [grown, vec![event]].concat()),
            None => waited += 1,
        }
        if grown.len() > read.len() {
            break;
        }
    }
    assert!(grown.starts_with(&read), "{grown:?} is not {read:?}");

    for event in &read {
        if *event == EventRecord::Unknown {
            continue;
        }
        let text = serde_json::to_string(event).expect("an event can be written");
        let again: EventRecord = serde_json::from_str(&text).expect("what was written is read");
        assert_eq!(again, *event);
    }
    if let Ok(start) = start_record(input)
        && let Some(metadata) = interrupted(&start)
    {
        check_metadata(&metadata);
    }
}

/// A transcript, after its events and a border.
pub(super) fn transcript(input: &[u8]) {
    let (events, bytes) = two_files(input);
    let extent = Extent::of(Events::new(events));
    for end in [None, extent.end, Some(bytes.len() as u64 / 2)] {
        let most = end.map_or(bytes.len(), |end| {
            usize::try_from(end).unwrap_or(usize::MAX).min(bytes.len())
        });
        let mut timeline = Timeline::new(Cursor::new(bytes), events, end);
        let (mut output, mut now) = (Vec::new(), Duration::ZERO);
        while let Some(moment) = timeline.next_moment().expect("bytes can be read") {
            assert!(now <= moment.at && moment.at <= LATEST, "time went back");
            now = moment.at;
            if let What::Output(_, piece) = moment.what {
                output.extend_from_slice(piece);
            }
        }
        assert_eq!(output, bytes[..output.len()], "bytes out of order");
        match end {
            Some(_) => assert_eq!(output.len(), most),
            None => assert!(output.len() <= most),
        }
    }
    let length = extent.end.unwrap_or(bytes.len() as u64);
    let mut output = Output::new(
        Cursor::new(bytes),
        length.min(bytes.len() as u64),
        &extent.gaps,
    );
    let mut whole = Vec::new();
    output.read_to_end(&mut whole).expect("bytes can be read");
    assert_eq!(whole.len() as u64, output.length());
    for place in [0, 1, whole.len() / 3, whole.len()] {
        output.go_to(place as u64);
        let mut rest = Vec::new();
        output.read_to_end(&mut rest).expect("bytes can be read");
        assert_eq!(rest, whole.get(place..).unwrap_or_default(), "from {place}");
    }
    for wanted in [Wanted::Both, Wanted::Only(aido::session::Stream::Stderr)] {
        let way = Way {
            wanted,
            error_lines: ErrorLines::AsRecorded,
            gaps: Gaps::Hidden,
        };
        let mut slices = Slices::new(Cursor::new(bytes), Cursor::new(events), way);
        let mut read = Vec::new();
        slices.read_to_end(&mut read).expect("bytes can be read");
        assert!(read.len() <= bytes.len());
        slices.rewind().expect("bytes can be read again");
        let mut again = Vec::new();
        slices.read_to_end(&mut again).expect("bytes can be read");
        assert_eq!(again, read);
    }
}

/// A sidecar, of the session that it says it is of.
pub(super) fn sidecar(input: &[u8]) {
    let id = serde_json::from_slice::<serde_json::Value>(input)
        .ok()
        .and_then(|value| value.get("session_id")?.as_str()?.parse().ok())
        .unwrap_or_else(known_id);
    if let Ok(metadata) = parse_sidecar(&id, input) {
        assert_eq!(metadata.session_id, id);
        check_metadata(&metadata);
    }
}

fn known_id() -> SessionId {
    let id = "agent-20260305_132522-3216-2f587606".parse();
    id.expect("this is an id")
}

fn check_metadata(metadata: &Metadata) {
    let id = metadata.session_id.as_str();
    let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    assert!(id.bytes().all(is_safe), "{id:?} is no name");
    let text = metadata.to_json().expect("what was read can be written");
    let again: Metadata = serde_json::from_str(&text).expect("what was written is read");
    assert_eq!(again, *metadata);
    assert_eq!(again.to_json().expect("it was before"), text);
    let shown = sanitize::json(&text);
    let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("it is JSON");
    assert_eq!(
        value(&shown),
        value(&text),
        "made harmless, it says something else"
    );
}

/// A file that has more each time that it was read to its end.
struct Arriving<'a> {
    pieces: Vec<&'a [u8]>,
}

impl<'a> Arriving<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        let mut pieces: Vec<&[u8]> = pieces(bytes).collect();
        pieces.reverse();
        Self { pieces }
    }
}

impl Read for Arriving<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let Some(mut piece) = self.pieces.pop() else {
            return Ok(0);
        };
        let count = piece.read(buffer)?;
        if !piece.is_empty() {
            self.pieces.push(piece);
        }
        Ok(count)
    }
}
