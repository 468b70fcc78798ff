//! Two texts read at the same time, line by line, so that the first line that differs is found in
//! texts of any length. Memory is bounded: no more is kept of a text than is compared in full.

use std::io::{self, Read};

use crate::transcript::text::{Form, Step, TextReader};
use crate::view::diff::TextLines;

/// What was read of two texts.
#[derive(Debug)]
pub(super) struct Texts {
    /// The lines of either, or its first ones.
    pub(super) lines: [TextLines; 2],
    /// Whether those are all the lines of both.
    pub(super) are_whole: bool,
    /// The first line that is not the same, counted from 1.
    pub(super) differ_from: Option<u64>,
}

impl Texts {
    /// Reads two texts, and keeps at most so many bytes of either. Texts too large for that are read as
    /// far as they are the same.
    ///
    /// # Errors
    /// When either can't be read.
    pub(super) fn read<R: Read>(
        [one, other]: [(&mut R, Form); 2],
        most_bytes: usize,
    ) -> io::Result<Self> {
        let mut sides = [Side::new(one, most_bytes), Side::new(other, most_bytes)];
        let (mut line, mut differ_from) = (1, None);
        while let Some(behind) = behind(&sides) {
            sides[behind].step()?;
            if differ_from.is_none() {
                let passed = pass_alike(&mut sides);
                line += passed;
                differ_from = have_parted(&sides).then_some(line);
            }
            if differ_from.is_some() {
                sides.iter_mut().for_each(|side| side.ahead.clear());
                if sides.iter().any(|side| side.is_cut) {
                    break;
                }
            }
        }
        Ok(Self {
            are_whole: sides.iter().all(|side| side.is_over && !side.is_cut),
            differ_from,
            lines: sides.map(|side| side.lines),
        })
    }
}

/// One of two texts.
struct Side<'a, R> {
    reader: TextReader<'a, R>,
    lines: TextLines,
    most_bytes: usize,
    /// Whether there are more lines than were kept.
    is_cut: bool,
    is_over: bool,
    /// Lines that were read and not compared yet.
    ahead: Vec<u8>,
}

impl<'a, R: Read> Side<'a, R> {
    fn new((source, form): (&'a mut R, Form), most_bytes: usize) -> Self {
        Self {
            reader: TextReader::new(source, form),
            lines: TextLines::default(),
            most_bytes,
            is_cut: false,
            is_over: false,
            ahead: Vec::new(),
        }
    }

    fn step(&mut self) -> io::Result<()> {
        let (lines, ahead) = (&mut self.lines, &mut self.ahead);
        let (is_cut, most_bytes) = (&mut self.is_cut, self.most_bytes);
        let step = self.reader.step(&mut |line| {
            ahead.extend_from_slice(line.as_bytes());
            ahead.push(b'\n');
            *is_cut |= lines.size_bytes() >= most_bytes;
            if !*is_cut {
                lines.push(line);
            }
        })?;
        self.is_over = step == Step::End;
        Ok(())
    }
}

/// The side to read next: the one that is behind, so that neither gets far ahead.
fn behind<R>(sides: &[Side<'_, R>; 2]) -> Option<usize> {
    let unread = (0..2).filter(|index| !sides[*index].is_over);
    unread.min_by_key(|index| sides[*index].ahead.len())
}

/// Goes past what is the same on both sides. Tells how many lines that were.
fn pass_alike<R>(sides: &mut [Side<'_, R>; 2]) -> u64 {
    let [one, other] = sides;
    let alike = one.ahead.iter().zip(&other.ahead);
    let alike = alike.take_while(|(one, other)| one == other).count();
    let lines = one.ahead.drain(..alike).filter(|byte| *byte == b'\n');
    let lines = lines.count() as u64;
    other.ahead.drain(..alike);
    lines
}

/// Whether the sides differ where they stand: both go on, or one goes on where the other has ended.
fn have_parted<R>([one, other]: &[Side<'_, R>; 2]) -> bool {
    match (one.ahead.is_empty(), other.ahead.is_empty()) {
        (true, true) => false,
        (false, false) => true,
        (true, false) => one.is_over,
        (false, true) => other.is_over,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;
    use crate::transcript::render::LineFeed;

    const FORM: Form = Form {
        columns: 80,
        rows: 24,
        line_feed: LineFeed::WithReturn,
    };

    fn read(texts: [&str; 2], most_bytes: usize) -> Texts {
        let [mut one, mut other] = texts.map(|text| Cursor::new(text.as_bytes().to_vec()));
        Texts::read([(&mut one, FORM), (&mut other, FORM)], most_bytes).unwrap()
    }

    fn joined(lines: &[String]) -> String {
        lines.iter().map(|line| format!("{line}\n")).collect()
    }

    #[test]
    fn the_first_line_that_differs_is_found_far_beyond_what_is_kept() {
        let long: Vec<String> = (0..200_000).map(|number| number.to_string()).collect();
        let mut other = long.clone();
        other[150_000] = "x".to_owned();
        let [long, other] = [&long, &other].map(|lines| joined(lines));
        let texts = read([&long, &other], 1000);
        assert_eq!((texts.differ_from, texts.are_whole), (Some(150_001), false));
        assert!(texts.lines.iter().all(|lines| lines.size_bytes() < 1100));
        assert_eq!(read([&long, &long], 1000).differ_from, None);
        let shorter = &long[..long.len() - "199999\n".len()];
        assert_eq!(read([&long, shorter], 1000).differ_from, Some(200_000));
    }

    proptest! {
        #[test]
        fn it_is_the_one_that_comparing_all_lines_finds(
            start in prop::collection::vec("[ab]{0,3}", 0..12),
            ends in prop::array::uniform2(prop::collection::vec("[ab]{0,3}", 0..4)),
            most_bytes in 0..200_usize,
        ) {
            let texts = ends.map(|end| [&start[..], &end].concat());
            let all: Vec<Vec<String>> = texts.iter().map(|lines| {
                // An empty line at the end is no line of a text.
                read([&joined(lines), ""], usize::MAX).lines[0].iter().map(str::to_owned).collect()
            }).collect();
            let pairs = (0..).take_while(|index| *index < all[0].len().max(all[1].len()));
            let first = pairs.into_iter().find(|index| all[0].get(*index) != all[1].get(*index));
            let read = read([&joined(&texts[0]), &joined(&texts[1])], most_bytes);
            prop_assert_eq!(read.differ_from, first.map(|index| index as u64 + 1));
            if read.are_whole {
                for (lines, all) in read.lines.iter().zip(&all) {
                    prop_assert!(lines.iter().eq(all.iter().map(String::as_str)));
                }
            }
        }
    }
}
