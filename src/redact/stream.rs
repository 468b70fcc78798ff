//! Writes what is kept, and something in the place of what isn't.

use unicode_width::UnicodeWidthChar;

use super::Redactor;
use super::finder::{Finder, Piece};
use super::report::Report;

/// What stands in a secret's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// A token that says what it was: `[REDACTED:github-token:3fa9]`.
    Token,
    /// As many asterisks as it had columns on a terminal, so that everything after it stays in its
    /// place.
    Mask,
}

/// Redacts bytes that arrive in pieces; what it writes is the same for any pieces.
///
/// It holds back up to 76 KiB.
pub struct Stream<'r> {
    redactor: &'r Redactor,
    finder: Finder<'r>,
    style: Style,
    report: Report,
}

impl<'r> Stream<'r> {
    pub(super) fn new(redactor: &'r Redactor, style: Style) -> Self {
        Self {
            redactor,
            finder: Finder::new(redactor),
            style,
            report: Report::default(),
        }
    }

    /// Takes bytes, and appends what is ready to `out`.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let (redactor, style, report) = (self.redactor, self.style, &mut self.report);
        self.finder.push(bytes, &mut |piece| {
            write(redactor, style, report, piece, out)
        });
    }

    /// Appends the rest to `out` and tells what was replaced.
    #[must_use]
    pub fn finish(mut self, out: &mut Vec<u8>) -> Report {
        let (redactor, style, report) = (self.redactor, self.style, &mut self.report);
        self.finder
            .finish(&mut |piece| write(redactor, style, report, piece, out));
        self.report
    }
}

fn write(
    redactor: &Redactor,
    style: Style,
    report: &mut Report,
    piece: Piece<'_>,
    out: &mut Vec<u8>,
) {
    match (piece, style) {
        (Piece::Kept(bytes), _) => out.extend_from_slice(bytes),
        (Piece::Secret { name, tag }, _) => {
            let rule = redactor.search.name(name);
            report.add(&rule);
            if style == Style::Token {
                out.extend_from_slice(super::replacement(&rule, tag).as_bytes());
            }
        }
        (Piece::Hidden(_), Style::Token) => {}
        (Piece::Hidden(bytes), Style::Mask) => mask(bytes, out),
    }
}

/// Writes an asterisk for each column, and line ends and tabs as they are.
fn mask(bytes: &[u8], out: &mut Vec<u8>) {
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\n' | '\r' | '\t' => out.push(character as u8),
                _ => stars(character.width().unwrap_or(0), out),
            }
        }
        // A terminal shows one replacement character for them.
        stars(usize::from(!chunk.invalid().is_empty()), out);
    }
}

fn stars(count: usize, out: &mut Vec<u8>) {
    out.extend(std::iter::repeat_n(b'*', count));
}
