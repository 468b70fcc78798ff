//! What the renderer must make of recorded bytes, by table and by property.

mod sequences;
mod sizes;

use proptest::prelude::*;

use super::*;

/// Renders in chunks of one size, on the terminal from the first byte if `on_terminal`.
fn rendered(
    bytes: &[u8],
    (columns, rows): (u16, u16),
    line_feed: LineFeed,
    chunk: usize,
    on_terminal: bool,
) -> Vec<String> {
    let mut text = Vec::new();
    let mut line = |line: &str| text.push(line.to_owned());
    let mut renderer = Renderer::new(columns, rows, line_feed);
    if on_terminal {
        renderer.terminal(&mut line);
    }
    for chunk in bytes.chunks(chunk.max(1)) {
        renderer.feed(chunk, &mut line);
    }
    renderer.finish(&mut line);
    text
}

fn shown(bytes: &str) -> String {
    plain_text(bytes.as_bytes(), 20, 4, LineFeed::Plain)
}

#[track_caller]
fn check(cases: &[(&str, &str)]) {
    for (bytes, expected) in cases {
        assert_eq!(shown(bytes), *expected, "{bytes:?}");
    }
}

#[test]
fn lines_lose_trailing_blanks_and_the_text_its_trailing_blank_lines() {
    check(&[
        ("", ""),
        ("one\r\ntwo\r\n", "one\ntwo"),
        (
            "one  \r\n\r\ntwo \r\n\r\n\r\n\r\n\r\n\r\n\r\n",
            "one\n\ntwo",
        ),
        ("\r\n\r\n  one", "\n\n  one"),
        ("one\r\r\ntwo", "one\ntwo"),
        ("a\tb\r\n\tc", "a       b\n        c"),
    ]);
}

#[test]
fn progress_collapses_to_its_last_state() {
    check(&[
        ("10%\r50%\r100%\r\ndone", "100%\ndone"),
        ("downloading\r\x1b[Kdone\r\n", "done"),
        ("a\r\nb\r\n\x1b[2A\x1b[2KA\r\n\x1b[2KB\r\n", "A\nB"),
        ("abc\x08\x08XY", "aXY"),
        ("one\x1b[1Ktwo", "   two"),
        ("\x1b7spin\x1b8done", "done"),
        (
            "0123456789012345678|\r0123456789012345678|\r\n",
            "0123456789012345678|",
        ),
        (
            "bar that is too wide: 1\rbar that is too wide: 2",
            "bar that is too wide\nbar that is too wide: 2",
        ),
    ]);
}

#[test]
fn wrapped_lines_are_joined_and_lines_of_full_width_are_not() {
    check(&[
        (
            "0123456789012345678901234567890\r\nx",
            "0123456789012345678901234567890\nx",
        ),
        ("01234567890123456789\r\nx", "01234567890123456789\nx"),
        (
            "\x1b[1m0123456789012345678 \x1b[m after the edge",
            "0123456789012345678  after the edge",
        ),
        (
            "\x1b[m012345678901234567890\r\x1b[A\x1b[19CX",
            "0123456789012345678X\n0",
        ),
    ]);
}

#[test]
fn sequences_without_text_leave_nothing() {
    check(&[
        ("\x1b[1;38;2;1;2;3mred\x1b[0m\x1b[4:3m!", "red!"),
        (
            "\x1b]0;title\x07a\x1b]8;;http://x\x1b\\b\x1bP1q#0\x1b\\c\x1b_x\x1b\\d",
            "abcd",
        ),
        (
            "\x1b[?25l\x1b[?2004h\x1b[>4;1m\x1b[c\x1b=\x1b>\x1b#8\x1b%Gok",
            "ok",
        ),
        ("a\x07\0\x7f\u{85}\u{9b}b", "ab"),
        ("\x1b[31", ""),
        ("\x1b[3\x181m", "1m"),
        ("\x1b[2\r\nCx", "\n  x"),
    ]);
}

#[test]
fn wide_and_combining_characters_take_the_room_they_take() {
    check(&[
        ("日本語\r\n", "日本語"),
        ("日本\x08\x08x", "日x"),
        ("日本\x1b[2Gx", " x本"),
        ("e\u{301}te\u{301}", "e\u{301}te\u{301}"),
        ("\x1b[me\u{301}\rx", "x"),
        ("\u{feff}a\r\n\u{200b}\r\nb", "a\n\nb"),
        ("0123456789012345678日x", "0123456789012345678日x"),
        ("👩\u{200d}👧 ok", "👩\u{200d}👧 ok"),
    ]);
    let graphics = "\x1b(0lqk\x1b(B lqk \x1b)0\x0ex\x0fx";
    assert_eq!(shown(graphics), "┌─┐ lqk │x");
}

#[test]
fn invalid_text_becomes_replacement_characters() {
    for (bytes, expected) in [
        (&b"a\xffb"[..], "a\u{fffd}b"),
        (b"a\xe6\x97", "a\u{fffd}"),
        (b"\xe6\x97\x1b[1mb", "\u{fffd}b"),
        (b"\xc3a\xff", "\u{fffd}a\u{fffd}"),
        (b"\x90", "\u{fffd}"),
    ] {
        for chunk in 1..=4 {
            let text = rendered(bytes, (20, 4), LineFeed::Plain, chunk, false);
            assert_eq!(text, [expected], "{bytes:?} by {chunk}");
        }
    }
}

#[test]
fn editing_moves_what_a_terminal_moves() {
    check(&[
        ("abcdef\x1b[3D\x1b[2P", "abcf"),
        ("abcdef\x1b[3D\x1b[2@", "abc  def"),
        ("abcdef\x1b[3D\x1b[4hX\x1b[4l", "abcXdef"),
        ("abcdef\x1b[5D\x1b[3X", "a   ef"),
        (
            "\x1b[1m01234567890123456789\x1b[K\r\nx",
            "01234567890123456789\nx",
        ),
        ("ab\x1b[?6lc\x1b[?1049ld", "abcd"),
        ("a\r\nb\r\nc\x1b[2;1H\x1b[L", "a\n\nb\nc"),
        ("a\r\nb\r\nc\x1b[2;1H\x1b[M", "a\nc"),
        ("ab\x1b[3b", "abbbb"),
        ("z\r\n\r\n\r\n\r\n\r\n\x1b[b", "z\n\n\n\n\nz"),
        ("ab\tc\t\x1b[b", "ab      c       c"),
        ("\x1b[3;5Hx\x1b[1Gy", "\n\ny   x"),
        ("\x1b[?7l0123456789012345678901234", "01234567890123456784"),
        ("a\r\nb\x1bMc", "ac\nb"),
    ]);
}

#[test]
fn a_status_line_below_a_scrolling_region_stays_below_what_scrolled() {
    let bytes = "\x1b[1;3r\x1b[4;1Hstatus\x1b[1;1Ha\r\nb\r\nc\r\nd\r\ne";
    assert_eq!(shown(bytes), "a\nb\nc\nd\ne\nstatus");
}

#[test]
fn text_that_was_cleared_away_was_read() {
    check(&[
        ("one\r\n\x1b[H\x1b[2J\x1b[3Jtwo", "one\ntwo"),
        ("one\r\n\x1bctwo", "one\ntwo"),
        ("one\x1b[H\x1b[Jtwo", "two"),
        ("one\r\n\r\n\x1b[9Stwo", "one\n\n\ntwo"),
    ]);
}

#[test]
fn a_full_screen_program_leaves_nothing_once_it_was_left() {
    check(&[
        (
            "$ vim\r\n\x1b[?1049h\x1b[2Jtext\r\n\r\n\r\n\r\n\r\nmore\x1b[?1049l$ ",
            "$ vim\n$",
        ),
        ("a\x1b[?47hb\x1b[?47lc", "a c"),
        (
            "$ top\r\n\x1b[?1049h\x1b[Hframe",
            "$ top\n[last full-screen frame]\nframe",
        ),
        ("$ top\r\n\x1b[?1049h", "$ top"),
        ("\x1b[?1049hx\x1bcy", "y"),
    ]);
}

#[test]
fn a_line_feed_returns_only_where_it_was_told_to() {
    let bytes = b"ab\ncd\n";
    assert_eq!(plain_text(bytes, 20, 4, LineFeed::Plain), "ab\n  cd");
    assert_eq!(plain_text(bytes, 20, 4, LineFeed::WithReturn), "ab\ncd");
}

#[test]
fn the_end_and_the_beginning_are_cut_between_lines() {
    let bytes = "first\r\nsecond\r\nthird\r\n".as_bytes();
    let last = |max| tail(bytes, 80, 24, LineFeed::Plain, max);
    let first = |max| head(bytes, 80, 24, LineFeed::Plain, max);
    assert_eq!(
        (last(18), first(18)),
        ("first\nsecond\nthird".into(), "first\nsecond\nthird".into())
    );
    assert_eq!(
        (last(17), first(17)),
        ("second\nthird".into(), "first\nsecond".into())
    );
    assert_eq!((last(5), first(5)), ("third".into(), "first".into()));
    assert_eq!((last(3), first(3)), ("ird".into(), "fir".into()));
    assert_eq!((last(0), first(0)), (String::new(), String::new()));
    let wide = "日本".as_bytes();
    assert_eq!(tail(wide, 80, 24, LineFeed::Plain, 5), "本");
    assert_eq!(head(wide, 80, 24, LineFeed::Plain, 5), "日");
    assert_eq!(tail(&wide[1..], 80, 24, LineFeed::Plain, 50), "本");
}

#[test]
fn a_line_without_end_is_handed_over_in_pieces() {
    for unit in ["x", "ü"] {
        let bytes = unit.repeat(5 * lines::LINE_LIMIT_BYTES / 2);
        let text = rendered(bytes.as_bytes(), (80, 24), LineFeed::Plain, 1 << 20, false);
        assert!(
            text.len() > 2
                && text
                    .iter()
                    .all(|line| line.len() <= lines::LINE_LIMIT_BYTES)
        );
        assert_eq!(text.concat(), bytes);
        assert_eq!(
            text,
            rendered(bytes.as_bytes(), (80, 24), LineFeed::Plain, 4093, true)
        );
    }
}

#[test]
fn a_session_that_prints_little_holds_little() {
    let mut renderer = Renderer::new(80, 24, LineFeed::Plain);
    assert_eq!(renderer.retained_bytes(), 0);
    for line in 0..200 {
        renderer.feed(
            format!("\x1b[1mline {line}\x1b[m\r\n").as_bytes(),
            &mut |_| (),
        );
    }
    assert!(
        renderer.retained_bytes() < 16 * 1024,
        "{}",
        renderer.retained_bytes()
    );
}

#[test]
fn fifty_megabytes_of_nasty_bytes_are_rendered_in_a_few() {
    let units: [&[u8]; 12] = [
        b"x",
        b" ",
        b"\n",
        b"\x1b]0;title",
        b"\x1bPdata",
        b"\xff\xc3\xf0\x9f",
        "e\u{301}\u{301}\u{301}".as_bytes(),
        b"\x1b[65535;65535Hxy",
        b"\x1b[9999S\x1b[9999T\x1b[9999L",
        b"\x1b[65535b\x1b[65535@",
        b"\x1b[?1049h\x1b[9999;9999Hx\x1b[?1049l",
        b"\x1b[1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1",
    ];
    let bytes_each = 50_000_000 / units.len();
    for (columns, rows) in [(80, 24), (u16::MAX, u16::MAX)] {
        // The widest screen costs so much per byte that a part of the stream must do.
        let bytes_each = if columns == 80 {
            bytes_each
        } else {
            bytes_each / 100
        };
        let mut renderer = Renderer::new(columns, rows, LineFeed::Plain);
        for unit in units {
            let portion = unit.repeat(64 * 1024 / unit.len());
            for _ in 0..bytes_each / portion.len() {
                renderer.feed(&portion, &mut |line| {
                    assert!(line.len() <= lines::LINE_LIMIT_BYTES)
                });
            }
            let limit = if columns == 80 { 2 << 20 } else { 24 << 20 };
            assert!(
                renderer.retained_bytes() < limit,
                "{}",
                renderer.retained_bytes()
            );
        }
        renderer.finish(&mut |_| ());
    }
}

/// Bytes that mean something to a terminal far more often than random bytes do.
pub(in crate::transcript) fn terminal_bytes() -> impl Strategy<Value = Vec<u8>> {
    let sequence = (proptest::collection::vec(0..30_u16, 0..3), 0x40..0x7f_u8).prop_map(
        |(parameters, last)| {
            let parameters: Vec<String> = parameters.iter().map(u16::to_string).collect();
            format!("\x1b[{}{}", parameters.join(";"), char::from(last)).into_bytes()
        },
    );
    let mode = (
        proptest::sample::select(vec![6, 7, 47, 1047, 1048, 1049]),
        any::<bool>(),
    )
        .prop_map(|(mode, set)| {
            format!("\x1b[?{mode}{}", if set { 'h' } else { 'l' }).into_bytes()
        });
    let piece = prop_oneof![
        4 => "[ -~]{0,30}".prop_map(String::into_bytes),
        4 => sequence,
        1 => mode,
        2 => Just(b"\r\n".to_vec()),
        2 => (0..0x20_u8).prop_map(|byte| vec![byte]),
        1 => (0x20..0x7f_u8).prop_map(|byte| vec![0x1b, byte]),
        2 => any::<String>().prop_map(String::into_bytes),
        2 => "[日本語éa\u{301}\u{200d}👩]{0,12}".prop_map(String::into_bytes),
        2 => proptest::collection::vec(any::<u8>(), 0..8),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

pub(in crate::transcript) fn plain_bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        6 => "[ -~]{0,40}".prop_map(String::into_bytes),
        2 => " {0,20}".prop_map(String::into_bytes),
        4 => Just(b"\r\n".to_vec()),
        2 => Just(b"\n".to_vec()),
        1 => Just(b"\r\r\n".to_vec()),
        1 => Just(b"\r".to_vec()),
        2 => Just(b"\t".to_vec()),
    ];
    proptest::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

pub(in crate::transcript) fn size() -> impl Strategy<Value = (u16, u16)> {
    (0..30_u16, 0..8_u16)
}

pub(in crate::transcript) fn line_feed() -> impl Strategy<Value = LineFeed> {
    prop_oneof![Just(LineFeed::Plain), Just(LineFeed::WithReturn)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn no_bytes_make_it_panic_or_let_a_control_character_through(
        bytes in terminal_bytes(), size in size(), line_feed in line_feed(),
    ) {
        for line in rendered(&bytes, size, line_feed, 64, false) {
            prop_assert!(!line.contains(char::is_control), "{line:?}");
            prop_assert!(!line.ends_with(' '), "{line:?}");
        }
    }

    #[test]
    fn chunks_make_no_difference(
        bytes in terminal_bytes(), size in size(), line_feed in line_feed(), chunk in 1..20_usize,
    ) {
        let whole = rendered(&bytes, size, line_feed, usize::MAX, false);
        prop_assert_eq!(&whole, &rendered(&bytes, size, line_feed, chunk, false));
        prop_assert_eq!(&whole, &rendered(&bytes, size, line_feed, 1, true));
    }

    #[test]
    fn the_fast_path_gives_what_the_terminal_gives(
        bytes in plain_bytes(), size in size(), line_feed in line_feed(), chunk in 1..100_usize,
    ) {
        let fast = rendered(&bytes, size, line_feed, chunk, false);
        prop_assert_eq!(fast, rendered(&bytes, size, line_feed, usize::MAX, true));
    }

    #[test]
    fn changing_to_the_terminal_midway_makes_no_difference(
        plain in plain_bytes(), more in terminal_bytes(), size in size(), line_feed in line_feed(),
    ) {
        let bytes = [plain, more].concat();
        let midway = rendered(&bytes, size, line_feed, usize::MAX, false);
        prop_assert_eq!(midway, rendered(&bytes, size, line_feed, usize::MAX, true));
    }

    #[test]
    fn head_and_tail_stay_within_their_size(
        bytes in terminal_bytes(), size in size(), max_bytes in 0..200_usize,
    ) {
        let whole = plain_text(&bytes, size.0, size.1, LineFeed::Plain);
        let first = head(&bytes, size.0, size.1, LineFeed::Plain, max_bytes);
        prop_assert!(first.len() <= max_bytes && whole.starts_with(&first));
        prop_assert!(tail(&bytes, size.0, size.1, LineFeed::Plain, max_bytes).len() <= max_bytes);
    }
}

/// The lines of the bytes, with their colours.
fn coloured(bytes: &[u8], chunk: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut renderer = Renderer::new(10, 3, LineFeed::Plain).coloured();
    for bytes in bytes.chunks(chunk) {
        renderer.feed(bytes, &mut |line| lines.push(line.to_owned()));
    }
    renderer.finish(&mut |line| lines.push(line.to_owned()));
    lines
}

#[test]
fn colours_stay_with_their_cells() {
    const RED: &str = "\x1b[0;38;5;1m";
    const END: &str = "\x1b[0m";
    for (bytes, expected) in [
        (
            &b"plain\r\n\x1b[31mred\x1b[m x"[..],
            format!("plain|{RED}red{END} x"),
        ),
        (b"\x1b[31mred  \r\n", format!("{RED}red{END}")),
        (
            b"\x1b[31m1234567890ab",
            format!("{RED}1234567890{END}{RED}ab{END}"),
        ),
        (b"\x1b[31mabc\r\x1b[mX", format!("X{RED}bc{END}")),
        (b"\x1b[31mabc\r\x1b[m\x1b[@", format!(" {RED}abc{END}")),
        (
            b"\x1b[31ma\x1b[32mb\x1b[mc\r\x1b[P",
            format!("\x1b[0;38;5;2mb{END}c"),
        ),
        (b"\x1b[31mabc\x1b[m\x1b[1K\x1b[1Gd", "d".to_owned()),
        (b"\x1b[7ma \x1b[m", format!("\x1b[0;7ma {END}")),
        (b"\x1b7\x1b[31ma\x1b8\x1b[Cb", format!("{RED}a{END}b")),
        ("\x1b[31m日\x1b[mx".as_bytes(), format!("{RED}日{END}x")),
        (b"\x1b[31mx\x1bcy", format!("{RED}x{END}|y")),
    ] {
        for chunk in [1, 3, 1000] {
            let lines = coloured(bytes, chunk).join("|");
            assert_eq!(lines, expected, "{} by {chunk}", bytes.escape_ascii());
        }
    }
}

proptest! {
    #[test]
    fn colours_change_nothing_but_colours(
        bytes in prop::collection::vec(prop_oneof![
            3 => Just(0x1b_u8), 3 => Just(b'['), 3 => Just(b'm'), 3 => b'0'..=b'9',
            1 => Just(b';'), 1 => Just(b'\n'), 1 => Just(b'\r'), 4 => any::<u8>(),
        ], 0..200),
    ) {
        let mut plain = Vec::new();
        let mut renderer = Renderer::new(10, 3, LineFeed::Plain);
        renderer.feed(&bytes, &mut |line| plain.push(line.to_owned()));
        renderer.finish(&mut |line| plain.push(line.to_owned()));
        let coloured = coloured(&bytes, 7).into_iter();
        let without: Vec<String> = coloured
            .map(|line| super::runs(&line).map(|(_, text)| text).collect::<String>())
            .map(|line| line.trim_end_matches(' ').to_owned())
            .collect();
        let end = without.iter().rposition(|line| !line.is_empty()).map_or(0, |last| last + 1);
        prop_assert_eq!(&without[..end], &plain[..]);
    }
}
