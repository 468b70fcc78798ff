//! Recorded bytes with their secrets overwritten, byte for byte: every line, column and offset stays
//! where it is, so that whatever reads recordings can read this instead.

use std::io::{self, Read, Seek, SeekFrom};

mod patches;

use patches::Patches;

use super::cells;
use super::finder::{Finder, Piece};
use super::{Redactor, replacement};

/// How much is read at a time.
const PORTION_BYTES: usize = 64 * 1024;

/// A reader that shows no secrets. Where there is room, a token says what it was; the rest is asterisks.
pub struct Overlay<R> {
    inner: R,
    patches: Patches,
    place: u64,
}

impl Redactor {
    /// Looks at everything once, and gives a reader of the same length without secrets, which stands
    /// at the beginning. `columns` is the width of the terminal that it was written to, if known.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn overlay<R: Read + Seek>(
        &self,
        mut inner: R,
        columns: Option<u16>,
    ) -> io::Result<Overlay<R>> {
        let mut patches = Patches::default();
        let (mut at, mut label) = (0, None);
        let mut receive = |piece: Piece<'_>| match piece {
            Piece::Kept(bytes) => at += bytes.len() as u64,
            Piece::Secret { name, tag } => label = Some((name, tag)),
            Piece::Hidden(bytes) => {
                let (from, to) = (at, at + bytes.len() as u64);
                at = to;
                if !bytes.is_ascii() {
                    patches.mask(from, &cells::mask(bytes));
                }
                let label = label.take().map(|(name, tag)| {
                    let name = self.search.name(name);
                    patches.label(&replacement(&name, tag), &replacement(&name, None))
                });
                patches.add(from, to, label);
            }
        };
        let mut finder = Finder::new(self);
        if columns.is_some() {
            finder.set_columns(columns);
        }
        let mut buffer = vec![0; PORTION_BYTES];
        inner.seek(SeekFrom::Start(0))?;
        loop {
            match inner.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => finder.push(&buffer[..count], &mut receive),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        finder.finish(&mut receive);
        inner.seek(SeekFrom::Start(0))?;
        Ok(Overlay {
            inner,
            patches,
            place: 0,
        })
    }
}

impl<R> Overlay<R> {
    /// Whether nothing is secret.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.patches.is_empty()
    }

    /// How many secrets there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.patches.count()
    }

    /// Whether something is secret between two places.
    #[must_use]
    pub fn touches(&self, from: u64, to: u64) -> bool {
        self.patches.touches(from, to)
    }
}

impl<R: Read> Read for Overlay<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.patches.cover(&mut buffer[..count], self.place);
        self.place += count as u64;
        Ok(count)
    }
}

impl<R: Seek> Seek for Overlay<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.place = self.inner.seek(to)?;
        Ok(self.place)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::redact::tests::made::{Lot, TOKENS};

    fn covered(text: &str, columns: Option<u16>) -> String {
        let redactor = Redactor::default();
        let mut overlay = redactor
            .overlay(Cursor::new(text.as_bytes()), columns)
            .unwrap();
        let mut shown = String::new();
        overlay.read_to_string(&mut shown).unwrap();
        shown
    }

    #[test]
    fn a_token_stands_where_the_secret_was_and_nothing_moves() {
        let secret = Lot::new(1).cook("gh|p_{a36}");
        let shown = covered(&format!("a {secret} b\nPASSWORD=letmein1\n"), None);
        let rest = "*".repeat(secret.len() - "[REDACTED:github-token]".len());
        let expected = format!("a [REDACTED:github-token]{rest} b\nPASSWORD=********\n");
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_secret_of_wide_letters_keeps_its_bytes_and_its_cells() {
        use unicode_width::UnicodeWidthStr as _;
        let text = "PASSWORD=пароль日本99é x\n";
        let shown = covered(text, None);
        assert_eq!(
            (shown.len(), shown.width()),
            (text.len(), text.width()),
            "{shown}"
        );
        assert!(
            shown.ends_with(" x\n") && !shown.contains('п') && !shown.contains('9'),
            "{shown}"
        );
    }

    #[test]
    fn any_part_is_read_as_in_the_whole() {
        let mut text = String::new();
        for (index, (_, recipe)) in TOKENS.iter().enumerate() {
            let secret = Lot::new(index as u64 + 5).cook(recipe);
            text.push_str(&format!("line {index} \x1b[1m{secret}\x1b[0m\r\n"));
        }
        let text = text.repeat(7);
        let whole = covered(&text, Some(80));
        assert_eq!(whole.len(), text.len());
        let ends = |text: &str| {
            text.match_indices('\n')
                .map(|(at, _)| at)
                .collect::<Vec<_>>()
        };
        assert_eq!(ends(&whole), ends(&text));
        let redactor = Redactor::default();
        let mut overlay = redactor
            .overlay(Cursor::new(text.as_bytes()), Some(80))
            .unwrap();
        let mut lot = Lot::new(3);
        for _ in 0..500 {
            let from = lot.below(text.len());
            let mut part = vec![0; lot.below(400)];
            overlay.seek(SeekFrom::Start(from as u64)).unwrap();
            let count = overlay.read(&mut part).unwrap();
            assert_eq!(part[..count], whole.as_bytes()[from..from + count]);
        }
    }
}
