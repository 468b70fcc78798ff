//! What each sequence does, where the text shows it: 20 columns, 4 rows.

use super::super::{LineFeed, Renderer};
use super::{check, coloured, shown};

#[test]
fn a_cursor_that_was_saved_is_restored_by_every_pair_of_sequences() {
    for (save, restore) in [
        ("\x1b7", "\x1b8"),
        ("\x1b[s", "\x1b[u"),
        ("\x1b[?1048h", "\x1b[?1048l"),
    ] {
        assert_eq!(shown(&format!("ab{save}cd{restore}X")), "abXd", "{save:?}");
    }
}

#[test]
fn every_movement_goes_where_it_says() {
    check(&[
        ("ab\x1bDc", "ab\n  c"),
        ("ab\x1bEc", "ab\nc"),
        ("a\x1b[Bb", "a\n b"),
        ("a\x1b[2eb", "a\n\n b"),
        ("ab\x1b[Ec", "ab\nc"),
        ("a\r\nbc\x1b[FX", "X\nbc"),
        ("\x1b[3dX", "\n\nX"),
        ("ab\r\x1b[aX", "aX"),
        ("ab\x1b[1`X", "Xb"),
        // A parameter behind a colon is a part of the one before.
        ("\x1b[2:5CX", "  X"),
    ]);
}

#[test]
fn tab_stops_are_where_they_were_set() {
    check(&[
        ("a\tX", "a       X"),
        ("abc\x1bH\r\tX", "abcX"),
        ("\x1b[2IX", "                X"),
        ("a\x1b[9IX", "a                  X"),
        ("0123456789\x1b[ZX", "01234567X9"),
        ("0123456789\x1b[2ZX", "X123456789"),
        ("\x1b[9G\x1b[g\r\tX", "                X"),
        ("\x1b[9G\x1b[2g\r\tX", "        X"),
        ("\x1b[3g\tX", "                   X"),
    ]);
}

#[test]
fn erasing_takes_away_what_it_says_and_no_more() {
    check(&[
        ("abc\x1b[2Kd", "   d"),
        ("abc\x1b[2G\x1b[1K", "  c"),
        ("abc\x1b[2G\x1b[K", "a"),
        ("abc\x1b[2G\x1b[3K", "abc"),
        ("abc\r\x1b[?K", ""),
        ("abc\x1b[H\x1b[?J", ""),
        ("abc\r\ndef\x1b[2D\x1b[1JX", "\n Xf"),
        ("a\r\nbcd\r\ne\x1b[2;2H\x1b[JX", "a\nbX"),
        ("ab\r\ncd\x1b[H\x1b[4JX", "Xb\ncd"),
    ]);
}

#[test]
fn a_region_holds_what_scrolls_and_the_cursor_that_moves_in_it() {
    check(&[
        ("a\r\nb\x1b[TX", "\naX\nb"),
        ("\x1b[2;3r\x1b[3;1H\x1b[9AX", "\nX"),
        ("\x1b[2;3r\x1b[2;1H\x1b[9AX", "\nX"),
        ("\x1b[3;4r\x1b[2;1H\x1b[9AX", "X"),
        ("\x1b[1;2r\x1b[9BX", "\nX"),
        ("\x1b[1;2r\x1b[3;1H\x1b[9BX", "\n\n\nX"),
        // From the region's top in origin mode, and not out of it.
        ("\x1b[2;3r\x1b[?6hX", "\nX"),
        ("\x1b[2;3r\x1b[?6h\x1b[9;1HX", "\n\nX"),
        ("\x1b[2;3r\x1b[?6h\x1b[?6lX", "X"),
        // One row is no region.
        ("\x1b[2;2r\x1b[4;1Ha\r\nb", "\n\n\na\nb"),
    ]);
}

#[test]
fn a_mode_changes_by_its_own_sequence_alone() {
    let wide = "0123456789012345678901234";
    check(&[
        ("ab\r\x1b[4hX", "Xab"),
        ("ab\r\x1b[20hX", "Xb"),
        ("ab\r\x1b[4h\x1b[4lX", "Xb"),
        ("\x1b[4h\x1b[!pab\rX", "Xb"),
        ("\x1b[4h\x1b[!qab\rX", "Xab"),
        ("ab\x1b[?1Dc", "abc"),
        ("ab\r\x1b[3 @X", "Xb"),
        ("ab\r\x1b[>3CX", "Xb"),
    ]);
    assert_eq!(shown(&format!("\x1b[?7m{wide}")), wide);
}

#[test]
fn marks_stay_with_their_letters_when_these_are_moved() {
    check(&[
        ("ae\u{301}\r\x1b[@X", "Xae\u{301}"),
        ("ae\u{301}b\x1b[3G\x1b[@X", "ae\u{301}Xb"),
        ("ae\u{301}\r\x1b[P", "e\u{301}"),
        ("abcde\u{301}\x1b[2G\x1b[2P", "ade\u{301}"),
        ("e\u{301}ab\x1b[2G\x1b[P", "e\u{301}b"),
        ("\x1b[me\u{301}a\u{308}\re", "ea\u{308}"),
        (
            "0123456789012345678e\u{301}\r\x1b[@",
            " 0123456789012345678",
        ),
        ("01234567890123456789\r\x1b[2@", "  012345678901234567"),
        // Half a character is none.
        ("012345678901234567日\r\x1b[@X", "X012345678901234567"),
        ("日本\x1b[2G\x1b[@", "   本"),
        ("日本\x1b[2G\x1b[P", " 本"),
    ]);
    let many = format!("\x1b[me{}x", "\u{301}".repeat(100));
    assert_eq!(shown(&many), format!("e{}x", "\u{301}".repeat(16)));
}

#[test]
fn every_look_is_taken_back_by_its_own_number() {
    for (on, written, off) in [
        ("1", "1", "22"),
        ("2", "2", "22"),
        ("3", "3", "23"),
        ("4", "4", "24"),
        ("21", "4", "24"),
        ("4:3", "4", "4:0"),
        ("7", "7", "27"),
        ("9", "9", "29"),
        ("31", "38;5;1", "39"),
        ("41", "48;5;1", "49"),
        ("97", "38;5;15", "39"),
        ("107", "48;5;15", "49"),
        ("38;5;200", "38;5;200", "39"),
        ("48;2;1;2;3", "48;2;1;2;3", "49"),
    ] {
        let line = coloured(format!("\x1b[{on}mx\x1b[{off}my").as_bytes(), 1000).concat();
        assert_eq!(line, format!("\x1b[0;{written}mx\x1b[0my"), "{on}");
    }
}

#[test]
fn what_is_shown_so_far_is_told_and_the_terminal_goes_on() {
    let told = |renderer: &Renderer| {
        let mut text = Vec::new();
        renderer.unfinished(&mut |line| text.push(line.to_owned()));
        text
    };
    for plain in ["a\r\nb", "a\r\n\x1b[1mb"] {
        let mut renderer = Renderer::new(20, 4, LineFeed::Plain);
        renderer.feed(plain.as_bytes(), &mut |_| ());
        assert_eq!(told(&renderer), ["a", "b"]);
        renderer.feed(b"c", &mut |_| ());
        assert_eq!(told(&renderer), ["a", "bc"]);
        // A full-screen program's frame is nothing that was printed.
        renderer.feed(b"\x1b[?1049hframe", &mut |_| ());
        assert_eq!(told(&renderer), Vec::<String>::new());
        renderer.feed(b"\x1b[?1049l", &mut |_| ());
        assert_eq!(told(&renderer), ["a", "bc"]);
    }
}

#[test]
fn columns_that_a_terminal_gains_have_tab_stops() {
    let mut text = Vec::new();
    let mut line = |line: &str| text.push(line.to_owned());
    let mut renderer = Renderer::new(20, 4, LineFeed::Plain);
    renderer.resize(40, 4, &mut line);
    renderer.feed(b"\x1b[21G\tX\tY", &mut line);
    renderer.finish(&mut line);
    assert_eq!(text.concat(), format!("{:24}X       Y", ""));
}
