//! What `git cat-file --batch` prints, taken apart as it comes: objects may be larger than memory.

/// The longest line before an object.
const HEADER_BYTES: usize = 4096;

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'b> {
    /// The next object begins.
    Begin,
    /// A part of its contents.
    Contents(&'b [u8]),
    /// It is complete.
    End,
    /// The next object isn't there.
    Missing,
}

#[derive(Debug)]
enum State {
    /// In the line before an object.
    Header(Vec<u8>),
    /// In its contents; so many bytes are still to come.
    Contents(u64),
    /// Before the line feed after them.
    LineFeed,
}

/// Takes apart what comes.
#[derive(Debug)]
pub struct Batch(State);

impl Default for Batch {
    fn default() -> Self {
        Self(State::Header(Vec::new()))
    }
}

impl Batch {
    /// Takes the next bytes, and hands over what they are. False if they are not what git prints.
    pub fn take<E>(
        &mut self,
        mut bytes: &[u8],
        hand_over: &mut dyn FnMut(Piece<'_>) -> Result<(), E>,
    ) -> Result<bool, E> {
        while let Some((&first, after_first)) = bytes.split_first() {
            match &mut self.0 {
                State::Header(line) => {
                    bytes = after_first;
                    if first != b'\n' {
                        line.push(first);
                        if line.len() > HEADER_BYTES {
                            return Ok(false);
                        }
                        continue;
                    }
                    let line = String::from_utf8_lossy(line).into_owned();
                    let words: Vec<&str> = line.split(' ').collect();
                    self.0 = match words[..] {
                        [_, "missing"] => {
                            hand_over(Piece::Missing)?;
                            State::Header(Vec::new())
                        }
                        [_, _, size] => match size.parse() {
                            Ok(size) => {
                                hand_over(Piece::Begin)?;
                                if size == 0 {
                                    hand_over(Piece::End)?;
                                }
                                match size {
                                    0 => State::LineFeed,
                                    size => State::Contents(size),
                                }
                            }
                            Err(_) => return Ok(false),
                        },
                        _ => return Ok(false),
                    };
                }
                State::Contents(left) => {
                    let count = usize::try_from(*left)
                        .unwrap_or(usize::MAX)
                        .min(bytes.len());
                    let (contents, rest) = bytes.split_at(count);
                    bytes = rest;
                    *left -= count as u64;
                    let is_whole = *left == 0;
                    hand_over(Piece::Contents(contents))?;
                    if is_whole {
                        self.0 = State::LineFeed;
                        hand_over(Piece::End)?;
                    }
                }
                State::LineFeed => {
                    if first != b'\n' {
                        return Ok(false);
                    }
                    bytes = after_first;
                    self.0 = State::Header(Vec::new());
                }
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::convert::Infallible;

    fn read(printed: &[u8], chunk: usize) -> (Vec<Option<Vec<u8>>>, bool) {
        let (mut found, mut open) = (Vec::new(), Vec::new());
        let mut batch = Batch::default();
        let mut is_read = true;
        for bytes in printed.chunks(chunk) {
            let mut take = |piece: Piece<'_>| {
                match piece {
                    Piece::Begin => open.clear(),
                    Piece::Contents(bytes) => open.extend_from_slice(bytes),
                    Piece::End => found.push(Some(std::mem::take(&mut open))),
                    Piece::Missing => found.push(None),
                }
                Ok::<(), Infallible>(())
            };
            is_read &= batch.take(bytes, &mut take).unwrap();
        }
        (found, is_read)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn objects_come_out_as_they_went_in_whatever_the_pieces(
            objects in prop::collection::vec(prop::option::of(prop::collection::vec(any::<u8>(), 0..40)), 0..6),
            chunk in 1_usize..50,
        ) {
            let mut printed = Vec::new();
            for object in &objects {
                match object {
                    None => printed.extend(b"ab12 missing\n"),
                    Some(contents) => {
                        printed.extend(format!("ab12 blob {}\n", contents.len()).into_bytes());
                        printed.extend(contents);
                        printed.push(b'\n');
                    }
                }
            }
            prop_assert_eq!(read(&printed, chunk), (objects, true));
        }

        #[test]
        fn nothing_makes_it_panic(printed in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = read(&printed, 7);
        }
    }
}
