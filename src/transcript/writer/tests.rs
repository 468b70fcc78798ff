//! What the writer must leave on any disk, by table and by property.

use std::io::Cursor;

use proptest::prelude::*;

use super::*;

/// A medium that is full after so many bytes.
struct Disk {
    file: Cursor<Vec<u8>>,
    size: usize,
}

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let position = usize::try_from(self.file.position()).unwrap();
        let room = self.size.saturating_sub(position).min(bytes.len());
        if room == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.file.write(&bytes[..room])
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
impl Read for Disk {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer)
    }
}
impl Seek for Disk {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}
impl Medium for Disk {
    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.file
            .get_mut()
            .truncate(usize::try_from(length).unwrap());
        Ok(())
    }
}

fn record(
    chunks: &[(Stream, Vec<u8>)],
    cap: u64,
    disk: usize,
) -> (Vec<u8>, Vec<EventRecord>, Sealed) {
    let file = Cursor::new(Vec::new());
    let mut writer = Writer::new(Disk { file, size: disk }, Vec::new(), cap);
    for (index, (stream, bytes)) in chunks.iter().enumerate() {
        let at = Duration::from_millis(index as u64 * 7);
        let stream = *stream;
        writer.event(at, &Event::Output { stream, bytes }).unwrap();
    }
    let sealed = writer.seal(Duration::from_secs(9), &Outcome::Exited(3));
    let (transcript, events) = writer.media();
    let lines = events
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty());
    let events = lines
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    (transcript.file.get_ref().clone(), events, sealed)
}

fn output_bytes(events: &[EventRecord]) -> u64 {
    let counts = events.iter().map(|event| match event {
        EventRecord::Output { bytes, .. } => *bytes,
        _ => 0,
    });
    counts.sum()
}

#[test]
fn the_marker_follows_the_output_and_the_digest_covers_both() {
    let chunks = [(Stream::Stdout, b"hi\n".to_vec())];
    let (file, events, sealed) = record(&chunks, 0, 1000);
    assert_eq!(file, b"hi\n\n=== AI_EXIT_CODE: 3 ===\n");
    assert_eq!((sealed.output_bytes, sealed.dropped_bytes), (3, 0));
    assert_eq!(sealed.sha256, Some(hex::encode(Sha256::digest(&file))));
    assert!(matches!(
        events.last(),
        Some(EventRecord::Exit {
            output_bytes: 3,
            ..
        })
    ));
}

#[test]
fn beyond_the_cap_the_end_is_kept_and_the_gap_is_said() {
    let chunks: Vec<_> = (0..200_u8)
        .map(|value| (Stream::Stdout, vec![value; 1000]))
        .collect();
    let (file, events, sealed) = record(&chunks, 10_000, usize::MAX);
    assert_eq!(sealed.output_bytes, 10_000 + 65_536);
    assert_eq!(sealed.dropped_bytes, 200_000 - 75_536);
    assert_eq!(file[9_999], 9);
    assert_eq!(file[75_535], 199);
    let gap = events.iter().position(
        |event| matches!(event, EventRecord::Gap { bytes, .. } if *bytes == sealed.dropped_bytes),
    );
    assert!(gap.is_some());
    assert_eq!(output_bytes(&events), sealed.output_bytes);
}

#[test]
fn a_full_disk_keeps_the_beginning_and_still_gets_its_marker() {
    let chunks = [(Stream::Stdout, vec![b'x'; 9000])];
    let (file, _, sealed) = record(&chunks, 0, 8000);
    assert_eq!(sealed.output_bytes, 8000 - GIVE_BACK);
    assert_eq!(sealed.output_bytes + sealed.dropped_bytes, 9000);
    assert!(file.ends_with(b"x\n=== AI_EXIT_CODE: 3 ===\n"));
    assert_eq!(sealed.sha256, Some(hex::encode(Sha256::digest(&file))));
    assert_eq!(sealed.errors.len(), 1);
}

#[test]
fn a_full_disk_is_left_with_room_for_what_follows_the_transcript() {
    let chunks = [(Stream::Stdout, vec![b'x'; 300_000])];
    let (file, _, sealed) = record(&chunks, 0, 200_000);
    assert_eq!(sealed.output_bytes, 200_000 - GIVE_BACK_MOST);
    assert_eq!(sealed.output_bytes + sealed.dropped_bytes, 300_000);
    assert!(file.ends_with(b"x\n=== AI_EXIT_CODE: 3 ===\n"));
    assert_eq!(sealed.sha256, Some(hex::encode(Sha256::digest(&file))));
}

proptest! {
    #[test]
    fn any_output_in_any_chunks_comes_back_by_its_events(
        chunks in prop::collection::vec(
            (prop::bool::ANY, prop::collection::vec(any::<u8>(), 1..50)), 0..40),
        cap in 0u64..400,
    ) {
        let chunks: Vec<_> = chunks
            .into_iter()
            .map(|(err, bytes)| (if err { Stream::Stderr } else { Stream::Stdout }, bytes))
            .collect();
        let (file, events, sealed) = record(&chunks, cap, usize::MAX);
        let all: Vec<u8> = chunks.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
        prop_assert_eq!(sealed.output_bytes + sealed.dropped_bytes, all.len() as u64);
        // The cap's tail is larger than all of this, so nothing is lost and the order holds.
        prop_assert_eq!(&file[..all.len()], &all[..]);
        let mut slices = [Vec::new(), Vec::new()];
        let mut offset = 0;
        for event in &events {
            if let EventRecord::Output { stream, bytes, .. } = event {
                let end = offset + usize::try_from(*bytes).unwrap();
                slices[usize::from(*stream == Stream::Stderr)].extend_from_slice(&file[offset..end]);
                offset = end;
            }
        }
        for (index, stream) in [Stream::Stdout, Stream::Stderr].into_iter().enumerate() {
            let expected: Vec<u8> = chunks
                .iter()
                .filter(|(from, _)| *from == stream)
                .flat_map(|(_, bytes)| bytes.clone())
                .collect();
            prop_assert_eq!(&slices[index], &expected);
        }
    }
}
