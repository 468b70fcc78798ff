//! Terminals that become larger or smaller meanwhile.

use super::super::{LineFeed, Renderer};

#[test]
fn a_terminal_that_changes_its_size_keeps_what_it_shows() {
    for (size, parts, expected) in [
        // Columns and rows that there were not before.
        (
            (100, 30),
            ["old\r\n", "\x1b[1;80HRIGHT\x1b[20;1Hrow20"],
            format!("old{}RIGHT{}row20", " ".repeat(76), "\n".repeat(19)),
        ),
        // Rows that have no place any more were read.
        (
            (40, 2),
            ["1\r\n2\r\n3\r\n", "\x1b[Hx"],
            "1\n2\nx\n".to_owned(),
        ),
        (
            (10, 5),
            ["a row of 20 letters.", "+"],
            "a row of 20 letters.+".to_owned(),
        ),
        (
            (10, 5),
            ["\x1b[?1049hframe\x1b[5;30H", "x\x1b[?1049lback"],
            "back".to_owned(),
        ),
    ] {
        let mut text = Vec::new();
        let mut renderer = Renderer::new(20, 5, LineFeed::Plain);
        renderer.feed(parts[0].as_bytes(), &mut |line| text.push(line.to_owned()));
        renderer.resize(size.0, size.1, &mut |line| text.push(line.to_owned()));
        renderer.feed(parts[1].as_bytes(), &mut |line| text.push(line.to_owned()));
        renderer.finish(&mut |line| text.push(line.to_owned()));
        assert_eq!(text.join("\n"), expected.trim_end(), "{parts:?}");
    }
}

#[test]
fn any_sizes_in_any_order_are_survived() {
    let text = "\x1b[9;99Hx日本\r\nab\tc\x1b[2;5r\x1b[?1049h\x1b7\x1b[99;99H\x1b8y\x1b[3@\x1b[2P\x1b[?1049l\x1b[Mz";
    let mut renderer = Renderer::new(80, 24, LineFeed::Plain).coloured();
    let mut state = 7_u32;
    for _ in 0..3000 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let size = [state >> 8 & 0x1f, state >> 16 & 0x1f].map(|number| number as u16);
        let part = (state >> 24) as usize % text.len();
        let part = text.as_bytes().get(part..).unwrap_or_default();
        renderer.feed(part, &mut |_| ());
        renderer.resize(size[0], size[1], &mut |_| ());
    }
    renderer.finish(&mut |_| ());
}
