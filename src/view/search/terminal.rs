//! For a person: a heading for each session, and rows that fit the width, the match in colour.

use std::fmt::{self, Write};

use unicode_width::UnicodeWidthChar;

use super::{ELLIPSIS, Place, pieces, separator};
use crate::search::Row;
use crate::session::Timestamp;
use crate::store::State;
use crate::store::signature::Signature;
use crate::view::columns::fit;
use crate::view::paint::{Meaning, Palette};
use crate::view::session::Shown;
use crate::view::{sanitize, units};

/// Distance between two tab stops, in columns.
const TAB_COLUMNS: usize = 8;

/// What stands above a session's rows: the id's ending, how it ended, its age, its command.
pub struct Heading<'a> {
    /// The session.
    pub session: &'a Shown,
    /// The present time, which the age is counted from.
    pub now: Timestamp,
    /// The terminal's width in columns.
    pub width: usize,
    /// The colours.
    pub palette: Palette,
}

impl fmt::Display for Heading<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let metadata = &self.session.metadata;
        let ending = match self.session.state {
            State::Finished => self.session.ending(),
            State::Running | State::Interrupted => self.session.state_name().to_owned(),
        };
        // The usual is not said.
        let doubt = match self.session.signature {
            None | Some(Signature::Valid) => String::new(),
            Some(signature) => format!("  {}", signature.name()),
        };
        let age = self.now.0.signed_duration_since(metadata.timestamp.0);
        let line = format!(
            "{}  {ending}{doubt}  {} ago  {}",
            metadata.session_id.hex(),
            units::age(age.num_seconds()),
            sanitize::line(&metadata.command)
        );
        let line = fit(&line, Some(self.width));
        self.palette.paint(Meaning::Heading, &line).fmt(formatter)
    }
}

/// A row that fits the width, cut so that the first match can be seen.
pub struct TerminalRow<'a> {
    /// What.
    pub row: Row<'a>,
    /// The terminal's width in columns.
    pub width: usize,
    /// The colours.
    pub palette: Palette,
}

/// A character that is shown, and how.
#[derive(Clone, Copy)]
struct Cell {
    character: char,
    columns: usize,
    is_match: bool,
}

impl fmt::Display for TerminalRow<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (place, separator) = (Place(&self.row).to_string(), separator(&self.row));
        let painted = self.palette.paint(Meaning::Number, &place);
        write!(formatter, "{painted}{separator}")?;
        let cells = cells(&self.row);
        let room = self.width.saturating_sub(place.len() + 1);
        let is_cut_before = self.row.skipped_bytes > 0;
        let (start, end) = visible(&cells, room, is_cut_before, self.row.is_cut);
        if start > 0 || is_cut_before {
            formatter.write_char(ELLIPSIS)?;
        }
        for run in cells[start..end].chunk_by(|one, next| one.is_match == next.is_match) {
            let text: String = run.iter().map(|cell| cell.character).collect();
            match run.first().is_some_and(|cell| cell.is_match) {
                true => write!(formatter, "{}", self.palette.paint(Meaning::Match, &text))?,
                false => formatter.write_str(&text)?,
            }
        }
        if end < cells.len() || self.row.is_cut {
            formatter.write_char(ELLIPSIS)?;
        }
        Ok(())
    }
}

/// The row's text as it is shown, tabs as blanks.
fn cells(row: &Row<'_>) -> Vec<Cell> {
    let mut cells = Vec::with_capacity(row.text.len());
    let mut column = 0;
    for (piece, is_match) in pieces(row) {
        for character in sanitize::text(&piece).chars() {
            let (character, columns, count) = match character {
                '\t' => (' ', 1, TAB_COLUMNS - column % TAB_COLUMNS),
                character => (character, character.width().unwrap_or(0), 1),
            };
            let cell = Cell {
                character,
                columns,
                is_match,
            };
            cells.extend(std::iter::repeat_n(cell, count));
            column += columns * count;
        }
    }
    cells
}

/// Which cells are shown in so many columns, of which an ellipsis takes one where text is left out.
fn visible(cells: &[Cell], room: usize, is_cut_before: bool, is_cut_after: bool) -> (usize, usize) {
    let all: usize = cells.iter().map(|cell| cell.columns).sum();
    let marks = usize::from(is_cut_before) + usize::from(is_cut_after);
    if all + marks <= room {
        return (0, cells.len());
    }
    let first = cells.iter().position(|cell| cell.is_match).unwrap_or(0);
    // A third of the room before the match, unless the text from the beginning shows all of it.
    let matched = cells[first..].iter().take_while(|cell| cell.is_match);
    let match_end: usize = cells[..first]
        .iter()
        .chain(matched)
        .map(|cell| cell.columns)
        .sum();
    let mut start = 0;
    if match_end + 1 + usize::from(is_cut_before) > room {
        let mut lead = 0;
        start = first;
        while start > 0 && lead + cells[start - 1].columns <= room / 3 {
            start -= 1;
            lead += cells[start].columns;
        }
    }
    let mut used = usize::from(start > 0 || is_cut_before);
    let mut end = start;
    while let Some(cell) = cells.get(end) {
        let is_last = end + 1 == cells.len() && !is_cut_after;
        if used + cell.columns + usize::from(!is_last) > room {
            break;
        }
        used += cell.columns;
        end += 1;
    }
    (start, end)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unicode_width::UnicodeWidthStr;

    use super::super::tests::row;
    use super::*;
    use crate::search::Span;
    use crate::session::metadata::tests::minimal;

    fn shown(row: Row<'_>, width: usize, palette: Palette) -> String {
        TerminalRow {
            row,
            width,
            palette,
        }
        .to_string()
    }

    #[test]
    fn the_match_has_a_colour() {
        let row = row(12, b"an error here", &[Span { start: 3, end: 8 }]);
        assert_eq!(shown(row, 80, Palette::Plain), "12:an error here");
        assert_eq!(
            shown(row, 80, Palette::Coloured),
            "\x1b[32m12\x1b[0m:an \x1b[1;31merror\x1b[0m here"
        );
    }

    #[test]
    fn a_long_row_is_cut_with_the_match_in_sight() {
        let text = format!("{}error{}", "a".repeat(100), "b".repeat(100));
        let row = row(
            7,
            text.as_bytes(),
            &[Span {
                start: 100,
                end: 105,
            }],
        );
        assert_eq!(
            shown(row, 32, Palette::Plain),
            "7:…aaaaaaaaaaerrorbbbbbbbbbbbbb…"
        );
    }

    #[test]
    fn what_would_act_on_the_terminal_is_shown() {
        let row = row(1, b"a\tb\x07\xc2\x9b2J\xe2\x80\xae", &[]);
        assert_eq!(
            shown(row, 80, Palette::Plain),
            "1:a       b^G<U+009B>2J<U+202E>"
        );
    }

    #[test]
    fn a_heading_says_which_session_it_is() {
        let mut metadata = minimal("codex-20260305_132522-1-abcdef12");
        metadata.command = "echo \x1b[2J; exit 3".to_owned();
        metadata.exit_code = Some(3);
        let mut session = Shown {
            metadata,
            state: State::Finished,
            signature: None,
        };
        let heading = |session: &Shown, width, palette| {
            let now = serde_json::from_str("\"2026-03-05T13:30:22.000Z\"").unwrap();
            Heading {
                session,
                now,
                width,
                palette,
            }
            .to_string()
        };
        let line = "abcdef12  exit 3  5m ago  echo ^[[2J; exit 3";
        assert_eq!(heading(&session, 80, Palette::Plain), line);
        assert_eq!(
            heading(&session, 80, Palette::Coloured),
            format!("\x1b[1m{line}\x1b[0m")
        );
        assert_eq!(
            heading(&session, 20, Palette::Plain),
            "abcdef12  exit 3  5…"
        );
        session.signature = Some(Signature::Valid);
        assert_eq!(heading(&session, 80, Palette::Plain), line);
        session.signature = Some(Signature::Altered);
        let doubted = line.replace("exit 3  5m", "exit 3  ALTERED  5m");
        assert_eq!(heading(&session, 80, Palette::Plain), doubted);
    }

    proptest! {
        #[test]
        fn a_row_fits_and_shows_its_match(
            before in "[a-z日é\t\u{7}]{0,60}",
            matched in "[A-Z日]{1,9}",
            after in "[a-z日é]{0,60}",
            width in 12usize..60,
            is_cut in any::<bool>(),
        ) {
            let text = format!("{before}{matched}{after}");
            let spans = [(before.len()..before.len() + matched.len()).into()];
            let mut row = row(3, text.as_bytes(), &spans);
            row.is_cut = is_cut;
            let line = shown(row, width, Palette::Plain);
            prop_assert!(line.width() <= width, "{line:?}");
            let visible = shown(row, width, Palette::Coloured).split("\x1b[1;31m").nth(1).map(str::to_owned);
            let visible = visible.unwrap_or_default();
            prop_assert!(visible.starts_with(matched.chars().next().unwrap()), "{line:?}");
        }
    }
}
