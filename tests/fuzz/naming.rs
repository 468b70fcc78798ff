//! What people type to name sessions, times and sizes.

use aido::config::units::{parse_duration, parse_size};
use aido::session::selector::Selector;
use aido::session::{AgentName, SessionId, Timestamp};
use aido::transcript::select::LineRange;
use aido::wire::frame::{Frame, Frames};
use aido::wire::keys::{CursorKeys, bytes_of};

use super::pieces;

/// A name of a session; and whatever else is read from an argument.
pub(super) fn selector(input: &[u8]) {
    frames(input);
    let text = String::from_utf8_lossy(input);
    let text = &*text;
    let Ok(selector) = text.parse::<Selector>();
    match text.parse::<SessionId>() {
        Ok(id) => {
            assert_eq!(id.as_str(), text);
            assert_eq!(selector, Selector::Id(id.clone()));
            assert!(selector.fits(&id));
            assert!(!text.contains(['/', '.', '\0']), "{text:?} leads elsewhere");
            let parts = [id.agent(), id.local_time(), id.hex()];
            assert!(parts.iter().all(|part| !part.is_empty()));
            assert!(text.starts_with(parts[0]) && text.ends_with(parts[2]));
            // What people type of it finds it.
            assert!(Selector::Part(id.hex().to_owned()).fits(&id));
        }
        Err(_) => assert!(!matches!(selector, Selector::Id(_))),
    }
    let name = AgentName::from_any(text);
    let made = SessionId::new(&name, "20260305_132522", 1, 0x2f58_7606);
    assert_eq!(made.as_str().parse::<SessionId>().as_ref(), Ok(&made));
    assert_eq!(made.agent(), name.as_str());

    let _ = text.parse::<LineRange>();
    let _ = parse_duration(text);
    let _ = parse_size(text);
    let _ = bytes_of(text, CursorKeys::Normal);
    if let Ok(time) = text.parse::<Timestamp>() {
        let shown = time.to_string();
        let again: Timestamp = shown.parse().expect("a time that was written is read");
        assert_eq!(again.to_string(), shown);
    }
}

/// What comes over a detached session's socket: the same frames however it is cut.
fn frames(input: &[u8]) {
    let read = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        let (mut frames, mut read) = (Frames::default(), Vec::new());
        for piece in pieces {
            frames.push(piece);
            loop {
                match frames.next_frame(4096) {
                    Ok(Some(frame)) => read.push(match frame {
                        Frame::Message(content) => (0, content),
                        Frame::Bytes(content) => (1, content),
                        Frame::Unknown => (2, Vec::new()),
                    }),
                    Ok(None) => break,
                    Err(_) => return read,
                }
            }
        }
        read
    };
    assert_eq!(read(&mut pieces(input)), read(&mut std::iter::once(input)));
}
