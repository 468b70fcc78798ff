//! What programs print.

use aido::replay::Safe;
use aido::screen::{self, Painter, SCROLLBACK_ROWS, Screen, Snapshot};
use aido::session::Size;
use aido::transcript::render::{LineFeed, Renderer, head, plain_text, tail};
use aido::view::sanitize;

use super::pieces;

/// A size, from the first two bytes of an input.
fn sized(input: &[u8]) -> (Size, &[u8]) {
    match input {
        [columns, rows, rest @ ..] => {
            let size = Size {
                columns: u16::from(*columns).max(1),
                rows: u16::from(*rows % 60).max(1),
            };
            (size, rest)
        }
        short => {
            let size = Size {
                columns: 80,
                rows: 24,
            };
            (size, short)
        }
    }
}

/// Recorded bytes as lines of text.
pub(super) fn renderer(input: &[u8]) {
    let (size, bytes) = sized(input);
    let (columns, rows) = (size.columns, size.rows);
    for line_feed in [LineFeed::Plain, LineFeed::WithReturn] {
        let render = |parts: &mut dyn Iterator<Item = &[u8]>| {
            let mut renderer = Renderer::new(columns, rows, line_feed);
            let mut lines: Vec<String> = Vec::new();
            for piece in parts {
                renderer.feed(piece, &mut |line| lines.push(line.to_owned()));
            }
            renderer.finish(&mut |line| lines.push(line.to_owned()));
            lines
        };
        let whole = render(&mut std::iter::once(bytes));
        assert_eq!(
            render(&mut pieces(bytes)),
            whole,
            "pieces make a difference"
        );
        for line in &whole {
            assert!(!line.contains(char::is_control), "{line:?}");
        }
        let text = plain_text(bytes, columns, rows, line_feed);
        let first = head(bytes, columns, rows, line_feed, 100);
        assert!(first.len() <= 100 && text.starts_with(&first));
        assert!(tail(bytes, columns, rows, line_feed, 100).len() <= 100);
        let mut coloured = Renderer::new(columns, rows, line_feed).coloured();
        let mut count = 0;
        coloured.feed(bytes, &mut |_| count += 1);
        coloured.finish(&mut |_| count += 1);
        assert!(
            count >= whole.len(),
            "{count} coloured lines of {}",
            whole.len()
        );
    }
}

/// A detached session's screen.
pub(super) fn screen(input: &[u8]) {
    let (size, bytes) = sized(input);
    for line_feed in [screen::LineFeed::Plain, screen::LineFeed::Returns] {
        let new = || Screen::new(size).with_line_feed(line_feed);
        let (mut whole, mut pieced) = (new(), new());
        whole.feed(bytes);
        for piece in pieces(bytes) {
            pieced.feed(piece);
        }
        // How new a cell is depends on the pieces; how it looks doesn't.
        let seen = |screen: &Screen| {
            let shown = Snapshot::of(screen, usize::MAX);
            let lines = |lines: &[screen::Line]| -> Vec<(String, bool)> {
                let lines = lines.iter().map(|line| (line.to_ansi(), line.wrapped));
                lines.collect()
            };
            let drawn = (lines(&shown.scrollback), lines(&shown.lines));
            (
                drawn,
                shown.cursor,
                shown.title,
                shown.alternate,
                shown.sequence,
            )
        };
        assert_eq!(seen(&pieced), seen(&whole), "pieces make a difference");
        assert_eq!(pieced.take_replies(), whole.take_replies());
        assert!(whole.scrollback().count() <= SCROLLBACK_ROWS);
        let shown = Snapshot::of(&whole, 0);
        assert_eq!(shown.lines.len(), usize::from(size.rows));
        assert!(shown.cursor.row < usize::from(size.rows));

        // Drawn on another terminal, it looks the same; then there is nothing left to draw.
        let mut painter = Painter::new(size);
        let mut other = Screen::new(size);
        other.feed(&painter.frame(&whole));
        assert!(painter.frame(&whole).is_empty(), "it is drawn again");
        let texts = |screen: &Screen| -> Vec<String> {
            // A blank that was printed looks like one that was not.
            let lines = screen.lines().map(|line| line.to_ansi());
            lines.map(|line| line.trim_end().to_owned()).collect()
        };
        // A wide character has no place in one column.
        assert!(
            size.columns == 1 || texts(&other) == texts(&whole),
            "{:?} was drawn as {:?}",
            texts(&whole),
            texts(&other)
        );

        let smaller = Size {
            columns: size.columns.div_ceil(2),
            rows: size.rows.div_ceil(3),
        };
        whole.resize(smaller);
        whole.feed(bytes);
        assert_eq!(whole.lines().count(), usize::from(smaller.rows));
        whole.resize(size);
        assert_eq!(whole.lines().count(), usize::from(size.rows));
    }
    let (mut safe, mut shown) = (Safe::default(), Vec::new());
    for piece in pieces(bytes) {
        shown.extend(safe.feed(piece));
    }
    shown.extend(safe.finish());
    let mut at_once = Safe::default();
    let mut whole = at_once.feed(bytes);
    whole.extend(at_once.finish());
    assert_eq!(shown, whole, "a safe replay differs by pieces");
}

/// Texts that are shown.
pub(super) fn sanitiser(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let text = &*text;
    let is_bad = |character: char| character.is_control() && !matches!(character, '\n' | '\t');
    for shown in [
        sanitize::text(text),
        sanitize::for_agent(text),
        sanitize::json(text),
    ] {
        assert!(!shown.contains(is_bad), "{shown:?}");
        assert!(!shown.contains(is_hidden), "{shown:?}");
    }
    let line = sanitize::line(text);
    assert!(
        !line.contains(char::is_control) && !line.contains(is_hidden),
        "{line:?}"
    );
    assert_eq!(sanitize::line(&line), line);
    let shown = sanitize::text(text);
    assert_eq!(sanitize::text(&shown), shown);
    let told = sanitize::for_agent(text);
    assert_eq!(sanitize::for_agent(&told), told);
}

/// The best known of what a reader doesn't see, or sees in another direction.
fn is_hidden(character: char) -> bool {
    matches!(
        character,
        '\u{200b}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{e0001}'..='\u{e007f}'
    )
}
