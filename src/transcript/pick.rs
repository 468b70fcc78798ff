//! Reads recorded output as text and hands over the lines that are wanted. Memory is bounded whatever
//! the output and the selection.

use std::io::{self, Read, Seek};
use std::ops::ControlFlow;

use super::select::{AroundMatches, LineRange, Picked, Role, Selection, Taker};
use super::tail::{Beginnings, LastLines};
use super::text::{Form, Source, Step, TextReader};

/// The most that is kept of the lines at the end; more of them are read a second time.
const KEPT_MAX_BYTES: usize = if cfg!(test) { 200 } else { 16 * 1024 * 1024 };

/// Whether lines must come with their numbers, for which everything before them has to be rendered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// They must.
    Needed,
    /// They may come without.
    Optional,
}

/// What is wanted of a text.
pub struct Request<'a> {
    /// The terminal that the output was made for.
    pub form: Form,
    /// Which lines.
    pub selection: Selection,
    /// Which lines [`Selection::Matching`] means.
    pub matches: &'a dyn Fn(&str) -> bool,
    /// Whether lines need their numbers.
    pub numbers: Numbers,
}

/// What was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// How many lines are wanted themselves.
    pub wanted: u64,
    /// How many lines the text has, where they were all counted.
    pub lines: Option<u64>,
}

/// Hands the lines that are wanted over in their order, until `taker` breaks off.
///
/// # Errors
/// When the source can't be read.
pub fn pick<T: Read + Seek, E: Read + Seek>(
    source: &mut Source<T, E>,
    request: &Request<'_>,
    taker: &mut Taker<'_>,
) -> io::Result<Found> {
    let mut wanted = 0;
    let mut taker = |picked: Picked<'_>| {
        wanted += u64::from(picked.role == Role::Wanted);
        taker(picked)
    };
    let lines = match request.selection {
        Selection::Range(range) => lines_of(source, request.form, range, &mut taker)?,
        Selection::Matching { context } => {
            let mut around = AroundMatches::new(context);
            each_line(source, request.form, &mut |number, text| {
                if (request.matches)(text) {
                    around.take_match(number, text, &mut taker)
                } else {
                    around.take_other(number, text, &mut taker)
                }
            })?
        }
        Selection::Tail(tail) => ends(source, request, 0, tail, &mut taker)?,
        Selection::Ends { head, tail } => ends(source, request, head, tail, &mut taker)?,
    };
    Ok(Found { wanted, lines })
}

/// Renders from where the source stands. Gives the number of lines if it came to the end.
fn each_line(
    source: &mut impl Read,
    form: Form,
    take: &mut dyn FnMut(u64, &str) -> ControlFlow<()>,
) -> io::Result<Option<u64>> {
    let mut reader = TextReader::new(source, form);
    let mut flow = ControlFlow::Continue(());
    let mut number = 0;
    loop {
        let step = reader.step(&mut |text| {
            if flow.is_continue() {
                number += 1;
                flow = take(number, text);
            }
        })?;
        match (flow, step) {
            (ControlFlow::Break(()), _) => return Ok(None),
            (ControlFlow::Continue(()), Step::End) => return Ok(Some(number)),
            (ControlFlow::Continue(()), Step::More) => {}
        }
    }
}

fn wanted(number: Option<u64>, text: &str) -> Picked<'_> {
    Picked {
        number,
        text,
        role: Role::Wanted,
    }
}

fn lines_of(
    source: &mut impl Read,
    form: Form,
    range: LineRange,
    taker: &mut Taker<'_>,
) -> io::Result<Option<u64>> {
    each_line(source, form, &mut |number, text| {
        if number >= range.first {
            taker(wanted(Some(number), text))?;
        }
        match range.last {
            Some(last) if number >= last => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    })
}

fn ends<T: Read + Seek, E: Read + Seek>(
    source: &mut Source<T, E>,
    request: &Request<'_>,
    head: u64,
    tail: u64,
    taker: &mut Taker<'_>,
) -> io::Result<Option<u64>> {
    let form = request.form;
    let beginnings = match (&mut *source, request.numbers) {
        (Source::Whole(output), Numbers::Optional) if head == 0 => {
            Some(Beginnings::find(output, form)?)
        }
        _ => None,
    };
    let mut line_ends = tail.saturating_add(1);
    let (place, total, last) = loop {
        let place = match (&mut *source, &beginnings) {
            (Source::Whole(output), Some(beginnings)) => beginnings.before(line_ends, output)?,
            _ => 0,
        };
        source.go_to(place)?;
        let mut last = LastLines::new(tail, KEPT_MAX_BYTES);
        let counted = each_line(source, form, &mut |number, text| {
            if number <= head {
                return taker(wanted(Some(number), text));
            }
            last.push(text);
            ControlFlow::Continue(())
        })?;
        let Some(total) = counted else {
            return Ok(None);
        };
        if place == 0 || last.seen() >= tail {
            break (place, total, last);
        }
        line_ends = line_ends.saturating_mul(4);
    };
    let before = total - last.seen().min(tail);
    // Counted from a place in the middle, numbers would be wrong.
    let number = |counted: u64| (place == 0).then_some(counted);
    if let Some(kept) = last.kept() {
        for (counted, text) in (before + 1..).zip(kept) {
            if taker(wanted(number(counted), text)).is_break() {
                return Ok(None);
            }
        }
        return Ok(number(total));
    }
    // Too large to keep: read once more, and no further than the first time.
    source.go_to(place)?;
    let read = each_line(source, form, &mut |counted, text| {
        if counted > total {
            return ControlFlow::Break(());
        }
        if counted > before {
            return taker(wanted(number(counted), text));
        }
        ControlFlow::Continue(())
    })?;
    Ok(read.and(number(total)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Stream;
    use crate::transcript::EventRecord;
    use crate::transcript::output::Output;
    use crate::transcript::render::LineFeed;
    use crate::transcript::render::tests::{line_feed, plain_bytes, size, terminal_bytes};
    use crate::transcript::slices::{ErrorLines, Gaps, Slices, Wanted, Way};
    use proptest::prelude::*;
    use std::io::{Cursor, SeekFrom};

    /// A file that gives a few bytes at a time.
    struct Short(Cursor<Vec<u8>>, usize);

    impl Read for Short {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let most = buffer.len().min(self.1);
            self.0.read(&mut buffer[..most])
        }
    }

    impl Seek for Short {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.0.seek(to)
        }
    }

    fn whole(bytes: &[u8], chunk: usize) -> Source<Short, Short> {
        let transcript = Short(Cursor::new(bytes.to_vec()), chunk);
        Source::Whole(Output::new(transcript, bytes.len() as u64, &[]))
    }

    /// The same bytes by way of events that tell nothing apart.
    fn slices(bytes: &[u8], chunk: usize) -> Source<Short, Short> {
        let event = EventRecord::Output {
            time: 0.0,
            stream: Stream::Stdout,
            bytes: bytes.len() as u64,
        };
        let mut line = serde_json::to_vec(&event).unwrap();
        line.push(b'\n');
        let short = |bytes: &[u8]| Short(Cursor::new(bytes.to_vec()), chunk);
        let (transcript, events) = (short(bytes), short(&line));
        let way = Way {
            wanted: Wanted::Both,
            error_lines: ErrorLines::AsRecorded,
            gaps: Gaps::Shown,
        };
        Source::Slices(Slices::new(transcript, events, way))
    }

    /// Everything rendered at once, numbered.
    fn oracle(bytes: &[u8], form: Form) -> Vec<(u64, String)> {
        let mut lines = Vec::new();
        let mut take = |line: &str| lines.push((lines.len() as u64 + 1, line.to_owned()));
        let mut renderer = form.renderer();
        renderer.feed(bytes, &mut take);
        renderer.finish(&mut take);
        lines
    }

    type Lines = Vec<(Option<u64>, String, Role)>;

    fn picked(
        source: &mut Source<Short, Short>,
        form: Form,
        selection: Selection,
        numbers: Numbers,
    ) -> (Lines, Found) {
        let mut lines = Vec::new();
        let request = Request {
            form,
            selection,
            matches: &|line| line.contains('a'),
            numbers,
        };
        let found = pick(source, &request, &mut |picked| {
            lines.push((picked.number, picked.text.to_owned(), picked.role));
            ControlFlow::Continue(())
        });
        (lines, found.unwrap())
    }

    /// What a selection means, said as simply as possible.
    fn expected(all: &[(u64, String)], selection: Selection) -> Lines {
        let count = all.len() as u64;
        let is_match = |number: u64| {
            let index = usize::try_from(number).unwrap_or_default().wrapping_sub(1);
            all.get(index).is_some_and(|(_, text)| text.contains('a'))
        };
        let role = |number: u64| match selection {
            Selection::Range(range) => (number >= range.first
                && range.last.is_none_or(|last| number <= last))
            .then_some(Role::Wanted),
            Selection::Tail(tail) => (number + tail > count).then_some(Role::Wanted),
            Selection::Ends { head, tail } => {
                (number <= head || number + tail > count).then_some(Role::Wanted)
            }
            Selection::Matching { .. } if is_match(number) => Some(Role::Wanted),
            Selection::Matching { context } => {
                let context = context as u64;
                let near = number.saturating_sub(context)..=number + context;
                near.into_iter().any(is_match).then_some(Role::Context)
            }
        };
        let lines = all
            .iter()
            .filter_map(|(number, text)| Some((Some(*number), text.clone(), role(*number)?)));
        lines.collect()
    }

    fn selection() -> impl Strategy<Value = Selection> {
        let range = |(first, length): (u64, Option<u64>)| {
            let last = length.map(|length| first + length);
            Selection::Range(LineRange { first, last })
        };
        let length = proptest::option::of(0..9_u64);
        prop_oneof![
            (1..12_u64, length).prop_map(range),
            (0..12_u64).prop_map(Selection::head),
            (0..12_u64).prop_map(Selection::Tail),
            (0..6_u64, 0..6_u64).prop_map(|(head, tail)| Selection::Ends { head, tail }),
            (0..4_usize).prop_map(|context| Selection::Matching { context }),
        ]
    }

    /// Lines that a terminal forgets, some of them coloured, and now and then something that lasts.
    fn mostly_lines() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            8 => "[ -~]{0,12}\r\n".prop_map(String::into_bytes),
            4 => "[a-c日é]{0,40}\n".prop_map(String::into_bytes),
            3 => Just(b"\x1b[1;32mok\x1b[0m\x1b[K\r\n".to_vec()),
            2 => "[0-9]{1,3}%\r".prop_map(String::into_bytes),
            2 => "[ -~\t\x08]{0,30}".prop_map(String::into_bytes),
            1 => Just(b"\n\r\n\n".to_vec()),
        ];
        let lines = proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat());
        let lasting = prop_oneof![
            1 => Just(Vec::new()),
            1 => terminal_bytes(),
            1 => Just(b"\x1b[3A\x1b[4CX\x1b[J".to_vec()),
            1 => Just([&b"\x1b[m\r\n".repeat(12)[..], b"\x1b[5b\r\n"].concat()),
        ];
        let after = prop_oneof![Just(Vec::new()), lines.clone()];
        (lines, lasting, after).prop_map(|(one, two, three)| [one, two, three].concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1500))]

        #[test]
        fn picked_lines_are_those_of_the_whole_text(
            bytes in prop_oneof![mostly_lines(), plain_bytes(), terminal_bytes()],
            size in size(), line_feed in line_feed(), selection in selection(),
            chunk in prop_oneof![1..9_usize, Just(1000)],
        ) {
            let (columns, rows) = size;
            let form = Form { columns, rows, line_feed };
            let all = oracle(&bytes, form);
            let expected = expected(&all, selection);
            let (lines, found) = picked(&mut whole(&bytes, chunk), form, selection, Numbers::Needed);
            prop_assert_eq!(&lines, &expected);
            let wanted = expected.iter().filter(|(_, _, role)| *role == Role::Wanted).count();
            prop_assert_eq!(found.wanted, wanted as u64);
            if let Some(counted) = found.lines {
                prop_assert_eq!(counted, all.len() as u64);
            }
            let mut by_events = slices(&bytes, chunk);
            prop_assert_eq!(&picked(&mut by_events, form, selection, Numbers::Needed).0, &expected);
            // Without numbers the end may be found without the beginning, and must be the same.
            let (lines, _) = picked(&mut whole(&bytes, chunk), form, selection, Numbers::Optional);
            prop_assert_eq!(lines.len(), expected.len());
            for (line, expected) in lines.iter().zip(&expected) {
                prop_assert_eq!(&line.1, &expected.1);
                prop_assert!(line.0.is_none() || line.0 == expected.0);
            }
        }
    }

    #[test]
    fn what_reaches_up_at_the_end_reaches_the_lines_that_are_there() {
        let form = Form {
            columns: 20,
            rows: 6,
            line_feed: LineFeed::Plain,
        };
        let numbers = |numbers: std::ops::Range<u32>| -> String {
            numbers.map(|number| format!("{number}\r\n")).collect()
        };
        for lasting in [
            "\x1b[3A\x1b[2CX\x1b[J",
            "\x1b[4A\x1b[M",
            "\x1b[2;4r\x1b[4H\n\n",
        ] {
            let bytes = [&numbers(10..40), lasting].concat().into_bytes();
            let all = oracle(&bytes, form);
            for tail in 0..20 {
                let selection = Selection::Tail(tail);
                let mut source = whole(&bytes, 100);
                let (lines, _) = picked(&mut source, form, selection, Numbers::Optional);
                let lines: Vec<String> = lines.into_iter().map(|(_, text, _)| text).collect();
                let expected = expected(&all, selection);
                let expected: Vec<String> = expected.into_iter().map(|line| line.1).collect();
                assert_eq!(lines, expected, "{lasting:?}, {tail}");
            }
        }
    }

    #[test]
    fn a_taker_that_breaks_off_gets_no_more() {
        let bytes = b"a\nb\na\nb\n".repeat(50);
        let form = Form {
            columns: 80,
            rows: 24,
            line_feed: LineFeed::WithReturn,
        };
        for selection in [
            Selection::ALL,
            Selection::Tail(30),
            Selection::Ends { head: 9, tail: 9 },
            Selection::Matching { context: 2 },
        ] {
            let mut taken = 0;
            let request = Request {
                form,
                selection,
                matches: &|line| line == "a",
                numbers: Numbers::Needed,
            };
            let found = pick(&mut whole(&bytes, 7), &request, &mut |_| {
                taken += 1;
                if taken == 3 {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            });
            assert_eq!((taken, found.unwrap().lines), (3, None), "{selection:?}");
        }
    }
}
