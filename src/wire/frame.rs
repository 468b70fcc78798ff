//! Frames: a length, a kind, and so many bytes.

use serde::Serialize;

/// The most bytes of a frame's content. A screen with all of its scrollback fits.
pub const FRAME_BYTES: usize = 16 * 1024 * 1024;
/// Length (little-endian) and kind.
const HEAD_BYTES: usize = 5;

/// JSON: a request or a reply.
const MESSAGE: u8 = 1;
/// Bytes: what was typed, or what is to be drawn.
const BYTES: u8 = 2;

/// One frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A request or a reply, as JSON.
    Message(Vec<u8>),
    /// What was typed, or what is to be drawn.
    Bytes(Vec<u8>),
    /// A kind of a later version.
    Unknown,
}

/// The frame of a message.
#[must_use]
pub fn message(message: &impl Serialize) -> Vec<u8> {
    // What this program makes can be told in JSON; an empty message would be an unknown one.
    let json = serde_json::to_vec(message).unwrap_or_default();
    framed(MESSAGE, &json)
}

/// The frame of bytes.
#[must_use]
pub fn bytes(bytes: &[u8]) -> Vec<u8> {
    framed(BYTES, bytes)
}

fn framed(kind: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap_or(u32::MAX);
    let mut frame = Vec::with_capacity(HEAD_BYTES + content.len());
    frame.extend_from_slice(&length.to_le_bytes());
    frame.push(kind);
    frame.extend_from_slice(content);
    frame
}

/// A frame that is longer than any may be: the other side is none of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a frame of {0} bytes")]
pub struct TooLong(usize);

/// Frames that come in pieces.
#[derive(Debug, Default)]
pub struct Frames {
    held: Vec<u8>,
}

impl Frames {
    /// Takes a piece.
    pub fn push(&mut self, piece: &[u8]) {
        self.held.extend_from_slice(piece);
    }

    /// The next whole frame.
    ///
    /// # Errors
    /// When what comes can be no frame; nothing that follows can be read.
    pub fn next_frame(&mut self, most_bytes: usize) -> Result<Option<Frame>, TooLong> {
        let Some((head, rest)) = self.held.split_first_chunk::<HEAD_BYTES>() else {
            return Ok(None);
        };
        let [a, b, c, d, kind] = *head;
        let length = u32::from_le_bytes([a, b, c, d]) as usize;
        if length > most_bytes {
            return Err(TooLong(length));
        }
        let Some(content) = rest.get(..length) else {
            return Ok(None);
        };
        let content = content.to_vec();
        self.held.drain(..HEAD_BYTES + length);
        Ok(Some(match kind {
            MESSAGE => Frame::Message(content),
            BYTES => Frame::Bytes(content),
            _ => Frame::Unknown,
        }))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn frames_survive_any_cut(contents in prop::collection::vec(any::<Vec<u8>>(), 0..5), cut in 1..7_usize) {
            let sent: Vec<u8> = contents.iter().flat_map(|content| bytes(content)).collect();
            let (mut frames, mut received) = (Frames::default(), Vec::new());
            for piece in sent.chunks(cut) {
                frames.push(piece);
                while let Some(Frame::Bytes(content)) = frames.next_frame(FRAME_BYTES).unwrap() {
                    received.push(content);
                }
            }
            prop_assert_eq!(received, contents);
        }
    }

    #[test]
    fn a_kind_of_the_future_is_skipped_and_nonsense_is_refused() {
        let mut frames = Frames::default();
        frames.push(&framed(9, b"?"));
        frames.push(&message(&1));
        assert_eq!(frames.next_frame(10), Ok(Some(Frame::Unknown)));
        assert_eq!(
            frames.next_frame(10),
            Ok(Some(Frame::Message(b"1".to_vec())))
        );
        frames.push(b"GET / HTTP/1.1");
        assert!(frames.next_frame(FRAME_BYTES).is_err());
    }
}
