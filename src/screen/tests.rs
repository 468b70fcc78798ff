//! The screen as a whole.

use proptest::prelude::*;

use super::{Color, Painter, Screen, Snapshot};
use crate::session::Size;

fn size(columns: u16, rows: u16) -> Size {
    Size { columns, rows }
}

fn fed(bytes: &[u8]) -> Screen {
    let mut screen = Screen::new(size(20, 5));
    screen.feed(bytes);
    screen
}

fn texts(screen: &Screen) -> Vec<String> {
    let lines = screen.lines();
    lines.map(|line| line.text.trim_end().to_owned()).collect()
}

/// The rows that something stands in.
fn text(bytes: &[u8]) -> String {
    texts(&fed(bytes)).join("\n").trim_end().to_owned()
}

#[test]
fn what_common_programs_draw() {
    for (bytes, shown) in [
        (&b"one\r\ntwo"[..], "one\ntwo"),
        (b"10%\r100%", "100%"),
        (b"abc\x1b[2DX", "aXc"),
        (b"abc\x1b[1K", ""),
        (b"abc\r\x1b[K", ""),
        (b"a\tb", "a       b"),
        (b"\x1b[3;4Hx\x1b[Hy", "y\n\n   x"),
        (b"one\r\ntwo\x1b[2J\x1b[Hthree", "three"),
        (b"abc\x1b[2D\x1b[@x", "axbc"),
        (b"abcd\x1b[3D\x1b[2P", "ad"),
        (b"abcd\x1b[3D\x1b[2X", "a  d"),
        (b"1\r\n2\r\n3\x1b[2;1H\x1b[M", "1\n3"),
        (b"1\r\n2\x1b[1;1H\x1b[L0", "0\n1\n2"),
        (b"x\x1b[5b", "xxxxxx"),
        (b"\x1b(0lqk\x1b(B", "┌─┐"),
        ("日本\x1b[1Dx".as_bytes(), "日 x"),
        ("日本\x1b[3Dx".as_bytes(), " x本"),
        ("e\u{301}\u{fe0f}!".as_bytes(), "e\u{fe0f}!"),
        (b"\xff\xfea", "\u{fffd}\u{fffd}a"),
        (b"\x1b]0;title\x07a\x1bP+q544e\x1b\\b\x1b_x\x1b\\c", "abc"),
        (b"\x1b[1;31mred\x1b[m", "red"),
        (b"\x1b[?1049hfull\x1b[?1049lplain", "plain"),
        (b"12345678901234567890x", "12345678901234567890\nx"),
        (b"\x1b[?7l12345678901234567890x", "1234567890123456789x"),
        (b"\x1b[2;3r\x1b[2;1Ha\r\nb\r\nc\r\nd", "\nc\nd"),
    ] {
        assert_eq!(text(bytes), shown, "{}", bytes.escape_ascii());
    }
}

#[test]
fn lines_that_leave_the_screen_are_kept_to_a_bound() {
    let mut screen = Screen::new(size(20, 5));
    for number in 0..3000 {
        screen.feed(format!("line {number}\r\n").as_bytes());
    }
    let kept: Vec<&str> = screen.scrollback().map(|line| line.text.as_str()).collect();
    assert_eq!((kept.len(), kept[999]), (1000, "line 2995"));
    assert_eq!(texts(&screen)[3], "line 2999");
    // What was erased can still be scrolled back to, and a full-screen program leaves nothing.
    screen.feed(b"\x1b[2J\x1b[?1049h1\r\n2\r\n3\r\n4\r\n5\r\n6\r\n7\x1b[?1049l");
    let last = screen
        .scrollback()
        .next_back()
        .map(|line| line.text.clone());
    assert_eq!(last.as_deref(), Some("line 2999"));
}

#[test]
fn a_flood_of_lines_leaves_what_each_line_would_have_left() {
    let flood: Vec<u8> = (0..20_000)
        .flat_map(|number| format!("{number}\r\n").into_bytes())
        .collect();
    let (mut whole, mut pieces) = (Screen::new(size(20, 5)), Screen::new(size(20, 5)));
    whole.feed(&flood);
    for piece in flood.chunks(100) {
        pieces.feed(piece);
    }
    let shown = |screen: &Screen| {
        let kept = screen.scrollback().map(|line| line.text.clone());
        (kept.collect::<Vec<_>>(), texts(screen))
    };
    assert_eq!(shown(&whole), shown(&pieces));
}

#[test]
fn questions_are_answered_once() {
    for (asked, answer) in [
        (&b"\x1b[c"[..], &b"\x1b[?62;22c"[..]),
        (b"\x1b[5n", b"\x1b[0n"),
        (b"ab\r\n\x1b[6n", b"\x1b[2;1R"),
        (b"\x1b[?2004h\x1b[?2004$p", b"\x1b[?2004;1$y"),
        (b"\x1b[?31337$p", b"\x1b[?31337;0$y"),
        (b"\x1b[18t", b"\x1b[8;5;20t"),
        (b"\x1b]11;?\x1b\\", b"\x1b]11;rgb:0000/0000/0000\x1b\\"),
        (b"plain text", b""),
    ] {
        let mut screen = fed(asked);
        assert_eq!(screen.take_replies(), answer, "{}", asked.escape_ascii());
        assert!(screen.take_replies().is_empty());
    }
    let mut screen = fed(&b"\x1b[c".repeat(100_000));
    assert!(screen.take_replies().len() <= 4096);
}

#[test]
fn a_snapshot_has_colours_cursor_and_title() {
    let snapshot = Snapshot::of(
        &fed(b"\x1b]2;my title\x07a\x1b[1;38;5;99mb\x1b[48:2::1:2:3mc\x1b[?25l"),
        0,
    );
    let line = &snapshot.lines[0];
    let runs: Vec<_> = line
        .pieces()
        .map(|(text, run)| (text, run.style.foreground, run.style.background))
        .collect();
    assert_eq!(
        runs,
        [
            ("a", Color::Default, Color::Default),
            ("b", Color::Indexed(99), Color::Default),
            ("c", Color::Indexed(99), Color::Rgb([1, 2, 3])),
        ]
    );
    assert_eq!(
        (
            snapshot.cursor.row,
            snapshot.cursor.column,
            snapshot.cursor.visible
        ),
        (0, 3, false)
    );
    assert_eq!(
        (snapshot.title.as_str(), snapshot.filled().len()),
        ("my title", 1)
    );
    let json = serde_json::to_string(&snapshot).unwrap();
    assert_eq!(serde_json::from_str::<Snapshot>(&json).unwrap(), snapshot);
}

#[test]
fn a_smaller_window_keeps_the_row_of_the_cursor() {
    let mut screen = fed(b"1\r\n2\r\n3\r\n4\r\n5");
    screen.resize(size(20, 2));
    assert_eq!(texts(&screen), ["4", "5"]);
    assert_eq!(screen.scrollback().count(), 3);
    screen.feed(b"!");
    screen.resize(size(3, 4));
    assert_eq!(texts(&screen), ["4", "5!", "", ""]);
}

#[test]
fn a_mark_shows_on_a_cell_that_was_only_moved_over() {
    let screen = fed("\x1b[a\u{5c4}".as_bytes());
    assert_eq!(texts(&screen)[0], " \u{5c4}");
}

#[test]
fn a_fault_of_the_model_costs_the_picture_and_nothing_else() {
    let mut screen = fed(b"\x1b[?1049hbefore");
    let stamp = screen.stamp();
    screen.survive(|screen| {
        screen.feed(b"lost");
        panic!("injected");
    });
    assert_eq!(screen.stamp(), stamp + 4, "what is new is told by this");
    screen.feed_or_begin_anew(b"after");
    assert_eq!(texts(&screen)[0], "after");
    assert_eq!((screen.stamp(), screen.is_alternate()), (stamp + 9, false));
}

/// What a program might write, with enough sequences that matter.
fn writing() -> impl Strategy<Value = Vec<u8>> {
    let sequence = prop_oneof![
        any::<[u8; 3]>().prop_map(|bytes| bytes.to_vec()),
        "[a-z日é ]{1,30}".prop_map(String::into_bytes),
        "\x1b\\[[0-9;:?]{0,6}[@-~]".prop_map(String::into_bytes),
        "\x1b\\[\\?(1049|6|7|25|2004|1000)[hl]".prop_map(String::into_bytes),
        "\x1b\\[[1-5];[1-5]r".prop_map(String::into_bytes),
        "\x1b[MDEc78#(][80]?".prop_map(String::into_bytes),
        "(\r\n){1,4}".prop_map(String::into_bytes),
    ];
    prop::collection::vec(sequence, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn the_same_bytes_make_the_same_screen_however_they_are_cut(bytes in writing(), cut in 1..9_usize) {
        let mut screen = Screen::new(size(20, 5));
        for piece in bytes.chunks(cut) {
            screen.feed(piece);
        }
        prop_assert_eq!(texts(&screen), texts(&fed(&bytes)));
    }

    #[test]
    fn nothing_panics_at_any_size(bytes in writing(), sizes in prop::collection::vec((1..40_u16, 1..12_u16), 1..5)) {
        let mut screen = Screen::new(size(1, 1));
        let mut painter = Painter::new(size(7, 3));
        for (columns, rows) in sizes {
            screen.feed(&bytes);
            screen.resize(size(columns, rows));
            let _ = painter.frame(&screen);
            prop_assert_eq!(screen.lines().count(), usize::from(rows));
        }
    }

    /// Another terminal that is drawn on shows what the screen shows, change by change.
    #[test]
    fn frames_make_another_terminal_show_the_same(steps in prop::collection::vec(writing(), 1..4)) {
        let mut screen = Screen::new(size(20, 5));
        let mut other = Screen::new(size(20, 5));
        let mut painter = Painter::new(size(20, 5));
        for bytes in steps {
            screen.feed(&bytes);
            other.feed(&painter.frame(&screen));
            prop_assert!(painter.frame(&screen).is_empty());
            prop_assert_eq!(texts(&other), texts(&screen));
            let cursor = |screen: &Screen| Snapshot::of(screen, 0).cursor;
            prop_assert_eq!(cursor(&other), cursor(&screen));
        }
    }
}
