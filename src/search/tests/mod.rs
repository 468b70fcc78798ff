//! Searching a text, against the oracle.

use std::io::{self, Read};
use std::ops::ControlFlow;

use proptest::prelude::*;

use super::context::Context;
use super::line::Limits;
use super::pattern::{Case, Pattern, Syntax};
use super::rows::{Part, RowKind, Rows};
use super::scan::{Halt, Scanner, Taker, Text, Wanted};
use crate::store::StoreError;

mod oracle;
mod sessions;

/// Gives a text in pieces of odd sizes.
struct Pieces<'a> {
    rest: &'a [u8],
    sizes: std::iter::Cycle<std::slice::Iter<'a, usize>>,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = *self.sizes.next().unwrap_or(&1);
        let count = size.min(buffer.len()).min(self.rest.len());
        buffer[..count].copy_from_slice(&self.rest[..count]);
        self.rest = &self.rest[count..];
        Ok(count)
    }
}

#[derive(Default)]
struct Taken {
    rows: Rows,
    end_bytes: u64,
    asked: usize,
}

impl Taker for Taken {
    fn end_bytes(&mut self) -> Result<u64, StoreError> {
        self.asked += 1;
        Ok(self.end_bytes)
    }

    fn rows(&mut self) -> &mut Rows {
        &mut self.rows
    }

    fn advance(&mut self) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

const LARGE: Limits = Limits {
    buffer_bytes: 1024,
    window_bytes: 64 * 1024,
    overlap_bytes: 1024,
    text_bytes: 64 * 1024,
    marks: usize::MAX,
};

const NO_CONTEXT: Context = Context {
    before: 0,
    after: 0,
};

/// Searches bytes that come in pieces, up to an end that is only told when it is asked for. Whether it
/// is known how many there are changes nothing.
fn rows_of(
    pattern: &str,
    bytes: &[u8],
    output: usize,
    pieces: &[usize],
    limits: Limits,
    context: Context,
) -> Vec<oracle::Row> {
    let of_size = |size_bytes| {
        rows_of_size(
            (pattern, context),
            (bytes, size_bytes),
            output,
            pieces,
            limits,
        )
    };
    let rows = of_size(None);
    assert_eq!(of_size(Some(bytes.len() as u64)), rows);
    rows
}

fn rows_of_size(
    (pattern, context): (&str, Context),
    (bytes, size_bytes): (&[u8], Option<u64>),
    output: usize,
    pieces: &[usize],
    limits: Limits,
) -> Vec<oracle::Row> {
    let pattern = Pattern::new(pattern, Syntax::Regex, Case::Sensitive).unwrap();
    let mut scanner = Scanner::new(pattern, Wanted::Rows(context), limits);
    let mut taken = Taken {
        end_bytes: output as u64,
        ..Taken::default()
    };
    let mut source = Pieces {
        rest: bytes,
        sizes: pieces.iter().cycle(),
    };
    let part = Part::Transcript;
    let text = Text {
        source: &mut source,
        size_bytes,
        end_bytes: None,
    };
    let matches = scanner.scan(part, text, u64::MAX, &mut taken).unwrap();
    let rows: Vec<oracle::Row> = taken
        .rows
        .iter()
        .map(|row| {
            let is_match = row.kind == RowKind::Match;
            (row.line, is_match, row.text.to_vec(), row.spans.to_vec())
        })
        .collect();
    let shown = rows.iter().filter(|(_, is_match, ..)| *is_match).count();
    assert_eq!(matches, shown as u64);
    assert!(taken.asked <= 1);
    rows
}

fn texts_of(pattern: &str, bytes: &[u8]) -> Vec<(u64, String)> {
    let rows = rows_of(pattern, bytes, bytes.len(), &[7], LARGE, NO_CONTEXT);
    rows.into_iter()
        .map(|(line, _, text, _)| (line, String::from_utf8_lossy(&text).into_owned()))
        .collect()
}

#[test]
fn what_steers_a_terminal_is_not_in_the_way() {
    for (given, shown) in [
        ("\u{1b}[31merr\u{1b}[0mor", "error"),
        (
            "\u{1b}[01;31m\u{1b}[Kerr\u{1b}[m\u{1b}[Kor: x\r",
            "error: x",
        ),
        (
            "\u{1b}]8;;http://e.example\u{7}error\u{1b}]8;;\u{1b}\\",
            "error",
        ),
        ("e\u{8}er\u{8}rr\u{8}ro\u{8}or\u{8}r", "error"),
        ("_\u{8}e_\u{8}r_\u{8}ro\u{8}_r", "error"),
        ("error\u{8}\u{8}\u{8}\u{8}\u{8}_____", "error"),
        ("ertor\u{1b}[3Dror", "error"),
        ("errror\u{8}\u{8}\u{8}or\u{1b}[K", "error"),
        ("\u{1b}Ptmux;stuff\u{1b}\\error", "error"),
        ("no\u{1b}[1Cerror", "no error"),
        ("\u{1b}(Berror\u{1b}=", "error"),
        ("\0error\u{feff}", "\0error\u{feff}"),
    ] {
        assert_eq!(
            texts_of("error", given.as_bytes()),
            [(1, shown.to_owned())],
            "{given:?}"
        );
    }
}

#[test]
fn each_state_of_a_progress_bar_is_found_and_the_last_is_shown() {
    let text = b"start\n 10% x\r 20% x\r\x1b[2K 30% y\nend\n";
    assert_eq!(texts_of("10%", text), [(2, " 10% x".to_owned())]);
    assert_eq!(texts_of("%", text), [(2, " 30% y".to_owned())]);
    assert_eq!(texts_of("x.*y", text), []);
    assert_eq!(texts_of("^end$", text), [(3, "end".to_owned())]);
}

#[test]
fn what_moves_to_another_place_joins_no_words() {
    let text = b"\x1b[2;1Her\x1b[5;1Hror\x1b[Aer\x1b[1;1Hror\n";
    assert_eq!(texts_of("error", text), []);
    assert_eq!(texts_of("^ror$", text), [(1, "ror".to_owned())]);
}

#[test]
fn lines_end_as_they_like() {
    for text in [
        &b"a\nerror\nb"[..],
        b"a\r\nerror\r\nb",
        b"a\n\nerror",
        b"\r\nx\r\nerror\r\r\n",
    ] {
        let lines = texts_of("^error$", text);
        assert_eq!(lines.len(), 1, "{text:?}: {lines:?}");
        assert_eq!(lines[0].1, "error");
    }
    assert_eq!(texts_of("^$", b"a\n\r\n\x1b[0m\nb\r\n\n").len(), 3);
    assert_eq!(texts_of("", b""), []);
}

#[test]
fn a_sequence_without_an_end_hides_no_other_line() {
    assert_eq!(texts_of("err", b"\x1b]0;title\nerror\n").len(), 1);
}

#[test]
fn a_line_without_an_end_is_searched_in_windows() {
    let limits = Limits {
        buffer_bytes: 64,
        window_bytes: 256,
        overlap_bytes: 32,
        text_bytes: 20,
        marks: 9,
    };
    let mut line = vec![b'a'; 5000];
    line.extend(b" error ");
    line.extend(vec![b'b'; 5000]);
    let rows = rows_of("error", &line, line.len(), &[61], limits, NO_CONTEXT);
    assert_eq!(
        rows,
        [(
            1,
            true,
            b"aaaa error bbbbbbbbb".to_vec(),
            vec![(5..10).into()]
        )]
    );
    for pattern in ["^error", "error$", "^b", "a$", r"\ba", r"b\b"] {
        let expected = usize::from([r"\ba", r"b\b"].contains(&pattern));
        let rows = rows_of(pattern, &line, line.len(), &[61], limits, NO_CONTEXT);
        assert_eq!(rows.len(), expected, "{pattern}");
    }
}

/// Gives a text, then an error.
struct Damaged<'a>(&'a [u8]);

impl Read for Damaged<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.0.is_empty() {
            return Err(io::Error::other("a bad disk"));
        }
        self.0.read(buffer)
    }
}

#[test]
fn what_a_damaged_text_left_is_not_found_in_the_next() {
    let pattern = Pattern::new("error", Syntax::Regex, Case::Sensitive).unwrap();
    let wanted = Wanted::Rows(Context {
        before: 2,
        after: 2,
    });
    let limits = Limits {
        buffer_bytes: 16,
        ..LARGE
    };
    let mut scanner = Scanner::new(pattern, wanted, limits);
    let mut scan = |source: &mut dyn Read| {
        let mut taken = Taken {
            end_bytes: u64::MAX,
            ..Taken::default()
        };
        let text = Text {
            source,
            size_bytes: None,
            end_bytes: Some(u64::MAX),
        };
        let result = scanner.scan(Part::Transcript, text, u64::MAX, &mut taken);
        let rows: Vec<_> = taken
            .rows
            .iter()
            .map(|row| (row.line, row.text.to_vec()))
            .collect();
        (result, rows)
    };
    let (result, _) = scan(&mut Damaged(b"error\nbefore\na line that is long: er"));
    assert!(matches!(result, Err(Halt::Read(_))));
    let (result, rows) = scan(&mut &b"\x1b[mror\nan error\n"[..]);
    assert!(matches!(result, Ok(1)));
    assert_eq!(rows, [(1, b"ror".to_vec()), (2, b"an error".to_vec())]);
}

/// Bytes in which everything that matters is likely.
fn transcripts() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec![
            &b"a"[..], b"b", b" ", b"_", b"error", b"err", b"or", "é".as_bytes(), "日".as_bytes(),
        ])
        .prop_map(<[u8]>::to_vec),
        3 => Just(b"\n".to_vec()),
        1 => Just(b"\r\n".to_vec()),
        1 => prop::sample::select(vec![
            &b"\r"[..], b"\x08", b"\x1b[31m", b"\x1b[0m", b"\x1b[K", b"\x1b[2K", b"\x1b[3C", b"\x1b[2D",
            b"\x1b]0;t\x07", b"\x1b]0;t", b"\x1b\\", b"\x1b[H", b"\x1b[?1049h", b"\x1bM", b"\x1b(B",
        ])
        .prop_map(<[u8]>::to_vec),
        1 => prop::sample::select(b"\x1b[]?;:0123 mCDHKhuP\\\x07\x08\r\x18\x1a\0\x7f\xc3\xa9\xff".to_vec())
            .prop_map(|byte| vec![byte]),
        1 => any::<u8>().prop_map(|byte| vec![byte]),
    ];
    prop::collection::vec(piece, 0..120).prop_map(|pieces| pieces.concat())
}

/// Patterns that try to be wrong at the ends of lines.
const PATTERNS: &[&str] = &[
    "error",
    "a",
    "",
    "^",
    "$",
    "^$",
    "^a",
    "a$",
    "^a.*b$",
    r"\s",
    r"a\s+b",
    r"[^a]b",
    r"\Aa",
    r"b\z",
    r"\berr",
    r"or\b",
    r"\Bo",
    "(?s)a.b",
    "a[^z]*b|a",
    "é",
    "日?b",
    ".",
    r"\W",
    "(?-u:\\xff)",
    "_",
    r"(?i)ERR(OR)?",
    "a|b|c",
    r"e\w+r",
    "[[:cntrl:]]",
    r"\x1b",
    "x*$",
    "(?m-R)^b?$",
    "[a-z]*error",
    "[a ]err.*",
    r"\W?error$",
    "[ab_]+(error)+",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_bytes_in_any_pieces_give_what_the_oracle_finds(
        bytes in transcripts(),
        pattern in prop::sample::select(PATTERNS),
        pieces in prop::collection::vec(1usize..40, 1..6),
        buffer_bytes in 1usize..80,
        before in 0usize..4,
        after in 0usize..4,
    ) {
        let limits = Limits { buffer_bytes, ..LARGE };
        let context = Context { before, after };
        let found = rows_of(pattern, &bytes, bytes.len(), &pieces, limits, context);
        prop_assert_eq!(found, oracle::rows(&oracle::regex(pattern), &bytes, context));
    }

    #[test]
    fn the_marker_is_never_found(
        bytes in transcripts(),
        pattern in prop::sample::select(PATTERNS),
        buffer_bytes in 1usize..80,
        after in 0usize..3,
    ) {
        let context = Context { before: 1, after };
        let limits = Limits { buffer_bytes, ..LARGE };
        let expected = oracle::rows(&oracle::regex(pattern), &bytes, context);
        let output = bytes.len();
        let mut bytes = bytes;
        bytes.extend_from_slice(crate::transcript::marker(0).as_bytes());
        prop_assert_eq!(rows_of(pattern, &bytes, output, &[50], limits, context), expected);
        prop_assert_eq!(rows_of("=== AI", &bytes, output, &[50], limits, context), []);
    }

    #[test]
    fn short_matches_are_found_in_lines_of_any_length(
        words in prop::collection::vec("[abé ]{0,40}|error|\u{1b}\\[31m|\n|\r", 0..40),
        pattern in prop::sample::select(&["error", "^a", "b$", r"\bé", r"a\b", "^é? ", " error", "[^a]er"][..]),
        pieces in prop::collection::vec(1usize..40, 1..4),
        window_bytes in 40usize..90,
    ) {
        let limits = Limits { buffer_bytes: 16, window_bytes, overlap_bytes: 24, text_bytes: 4096, marks: 9 };
        let bytes = words.concat().into_bytes();
        let lines = |rows: Vec<oracle::Row>| -> Vec<u64> { rows.into_iter().map(|row| row.0).collect() };
        let found = rows_of(pattern, &bytes, bytes.len(), &pieces, limits, NO_CONTEXT);
        let expected = oracle::rows(&oracle::regex(pattern), &bytes, NO_CONTEXT);
        prop_assert_eq!(lines(found), lines(expected));
    }
}
