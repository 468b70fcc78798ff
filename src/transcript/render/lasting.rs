//! Responsible for telling how far recorded bytes are so simple that nothing outlasts a line: text,
//! tabs, carriage returns, backspaces, colours and erasing within the line. Up to there, rendering may
//! begin at any line and gives what it would have given from the beginning. Not responsible for
//! rendering.
//!
//! Why that holds: none of these moves the cursor up, sets a mode or changes another row, and a line
//! feed that ends in the first column leaves the state that an empty screen has, but for the rows above.

const ESCAPE: u8 = 0x1b;

/// Bytes that are compared at a time.
const BLOCK: usize = 64;

/// Looks for the first byte whose effect may outlast its line.
#[derive(Debug, Default)]
pub struct Lasting {
    /// Bytes that were looked at.
    position: u64,
    /// Where the sequence began that is being read, and how much of it was read.
    sequence: Option<(u64, Part)>,
}

#[derive(Clone, Copy, Debug)]
enum Part {
    Escape,
    Parameters,
}

impl Lasting {
    /// Looks at the next bytes; gives the place, counted from the first byte of all, of the first
    /// whose effect may last. Not to be called again then.
    pub fn find(&mut self, bytes: &[u8]) -> Option<u64> {
        let mut at = 0;
        while at < bytes.len() {
            let here = self.position + at as u64;
            let byte = bytes[at];
            match self.sequence {
                None => {
                    at += harmless_prefix(&bytes[at..]);
                    let Some(&byte) = bytes.get(at) else { break };
                    let here = self.position + at as u64;
                    if byte != ESCAPE {
                        return Some(here);
                    }
                    self.sequence = Some((here, Part::Escape));
                }
                Some((start, Part::Escape)) if byte == b'[' => {
                    self.sequence = Some((start, Part::Parameters));
                }
                Some((_, Part::Parameters)) if matches!(byte, b'0'..=b'9' | b';' | b':') => {}
                // Colours, and erasing in the line.
                Some((_, Part::Parameters)) if matches!(byte, b'm' | b'K') => self.sequence = None,
                Some((start, _)) => {
                    debug_assert!(start < here);
                    return Some(start);
                }
            }
            at += 1;
        }
        self.position += bytes.len() as u64;
        None
    }

    /// The place of a sequence that has not ended, once there are no more bytes.
    #[must_use]
    pub fn unfinished(&self) -> Option<u64> {
        self.sequence.map(|(start, _)| start)
    }
}

/// Counts the bytes before the first that begins a sequence, moves to another row otherwise than a
/// line feed does, or selects a character set.
fn harmless_prefix(bytes: &[u8]) -> usize {
    let lasts = |byte: u8| matches!(byte, 0x0b | 0x0c | 0x0e | 0x0f | ESCAPE);
    let mut length = 0;
    // Whole blocks without an early exit are compared many bytes at a time.
    for block in bytes.chunks_exact(BLOCK) {
        if block.iter().fold(false, |any, &byte| any | lasts(byte)) {
            break;
        }
        length += BLOCK;
    }
    let rest = &bytes[length..];
    length
        + rest
            .iter()
            .position(|&byte| lasts(byte))
            .unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(bytes: &[u8], chunk: usize) -> Option<u64> {
        let mut lasting = Lasting::default();
        let found = bytes.chunks(chunk).find_map(|chunk| lasting.find(chunk));
        found.or_else(|| lasting.unfinished())
    }

    #[test]
    fn what_outlasts_a_line_is_found_in_any_chunks() {
        let long = [&[b'x'; 300][..], b"\x1b[2J"].concat();
        for (bytes, place) in [
            (&b""[..], None),
            (b"plain\r\n\tmore\x08\x07\0\x7f \xc3\xa9 \xff\n", None),
            (b"\x1b[1;38:5:3mred\x1b[0m\x1b[K\x1b[2K\r\n", None),
            (b"ab\x1b[A", Some(2)),
            (b"ab\x1b[1m\x1b[?25l", Some(6)),
            (b"\x1b]0;title\x07", Some(0)),
            (b"a\x0b", Some(1)),
            (b"a\n\x0e", Some(2)),
            (b"a\x1b", Some(1)),
            (b"a\x1b[3", Some(1)),
            (b"a\x1b\x1b[m", Some(1)),
            (b"a\x1b[3\nm", Some(1)),
            (&long, Some(300)),
        ] {
            for chunk in [1, 2, 3, 1000] {
                assert_eq!(found(bytes, chunk), place, "{bytes:?} by {chunk}");
            }
        }
    }
}
