//! Typescripts of util-linux `script`, with their timing or without, and those of the original.
//!
//! A first line says when and what, then comes what was printed, and a last line says how it ended. What
//! was printed can look like either, so the timing decides where it ends, if there is one.
//!
//! Source: script(1) of util-linux 2.38, and what that script writes.

use std::io::{self, BufRead, Read, Seek, SeekFrom};
use std::time::Duration;

use chrono::DateTime;

use super::pieces::{Entry, Timing};
use super::{Facts, Line, Recording, read_line, size_of};
use crate::session::{Stream, Timestamp};
use crate::transcript::timeline::{Moment, What};

/// What a typescript begins with.
pub const FIRST_LINE: &[u8] = b"Script started on ";
/// What its last line begins with, after a newline.
const LAST_LINE: &[u8] = b"Script done on ";
/// What the marker's line begins and ends with.
const MARKER: (&str, &str) = ("=== AI_EXIT_CODE: ", " ===");

/// The longest first line that is read.
const LINE_BYTES: u64 = 256 * 1024;
/// How much of a typescript's end is searched for its last lines.
const END_BYTES: u64 = 4096;
/// The most bytes of a piece.
const PIECE_BYTES: usize = 64 * 1024;

/// A typescript that is read.
pub struct Typescript<T, R> {
    file: T,
    timing: Option<Timing<R>>,
    /// The first entry of the timing that is no fact.
    first: Option<(Duration, Entry)>,
    /// Bytes of output that were not handed over.
    left: u64,
    /// Bytes that the timing accounts for and that are not there.
    absent: u64,
    /// Bytes of the piece that is being handed over.
    piece: u64,
    at: Duration,
    /// Whether what was typed stands in the file, too.
    has_input: bool,
    logs: [Option<String>; 2],
    /// The exit codes that were told, and by what.
    told: Vec<(i32, &'static str)>,
    buffer: Vec<u8>,
    doubts: Vec<String>,
    is_over: bool,
}

/// Where output ends, and what the lines after it say.
#[derive(Debug, Default, PartialEq, Eq)]
struct Ending {
    length: u64,
    told: Vec<(i32, &'static str)>,
}

/// Why a typescript isn't taken.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It can't be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It holds what was typed, which is never taken.
    #[error("it holds what was typed, as its timing says")]
    Typed,
}

/// Reads the first line and the last ones. Of the original's, the first may be missing. `name` is the file's
/// own, without its directory.
///
/// # Errors
/// When the file can't be read, or holds what was typed and nothing else.
pub fn open<T: BufRead + Seek, R: BufRead>(
    mut file: T,
    timing: Option<R>,
    name: Option<&str>,
) -> Result<(Facts, Typescript<T, R>), OpenError> {
    let mut line = Vec::new();
    let end = read_line(&mut file, LINE_BYTES, &mut line)?;
    let is_first = line.starts_with(FIRST_LINE) && matches!(end, Line::Whole | Line::Last);
    let mut facts = match is_first {
        true => first_line(&String::from_utf8_lossy(&line)),
        false => Facts {
            format: "typescript".to_owned(),
            ..Facts::default()
        },
    };
    let start = match is_first {
        true => file.stream_position()?,
        false => 0,
    };
    let length = file.seek(SeekFrom::End(0))?;
    let from = start.max(length.saturating_sub(END_BYTES));
    file.seek(SeekFrom::Start(from))?;
    let mut end = Vec::new();
    file.by_ref().take(END_BYTES).read_to_end(&mut end)?;
    let ending = ending(&end);
    file.seek(SeekFrom::Start(start))?;
    let mut timing = timing.map(Timing::new);
    let mut doubts = Vec::new();
    if timing.is_none() {
        doubts.push("there is no timing: when each piece was printed is not known".to_owned());
    }
    let mut typescript = Typescript {
        file,
        timing: None,
        first: None,
        left: (from - start) + ending.length,
        absent: 0,
        piece: 0,
        at: Duration::ZERO,
        has_input: false,
        logs: [None, None],
        told: ending.told,
        buffer: Vec::new(),
        doubts,
        is_over: false,
    };
    // The facts of the advanced form come first.
    if let Some(timing) = &mut timing {
        let mut size = (None, None);
        while let Some((at, entry)) = timing.next_entry()? {
            let Entry::Fact(name, value) = entry else {
                typescript.first = Some((at, entry));
                break;
            };
            match name.as_str() {
                "START_TIME" => facts.began = moment(&value).or(facts.began),
                "COMMAND" => facts.command = Some(value),
                "SHELL" => facts.shell = Some(value),
                "TERM" => facts.terminal = Some(value),
                "COLUMNS" => size.0 = value.parse().ok(),
                "LINES" => size.1 = value.parse().ok(),
                _ => typescript.fact(&name, value),
            }
        }
        let told = size.0.zip(size.1);
        facts.size = told
            .and_then(|(columns, rows)| size_of(columns, rows))
            .or(facts.size);
    }
    typescript.timing = timing;
    if !typescript.has_input && typescript.logs[1].is_some() && name_of(&typescript.logs[1]) == name
    {
        return Err(OpenError::Typed);
    }
    Ok((facts, typescript))
}

/// The name of a log, without its directory.
fn name_of(log: &Option<String>) -> Option<&str> {
    let log = log.as_deref()?;
    Some(log.rsplit('/').next().unwrap_or(log))
}

/// Who says an exit code that output could say as well.
const IN_THE_FILE: [&str; 2] = ["script's last line", "the marker"];

/// Takes the lines that were added from the end of a typescript, each kind once.
fn ending(end: &[u8]) -> Ending {
    let mut rest = end;
    let mut told = Vec::new();
    let (mut has_done, mut has_marker) = (false, false);
    loop {
        let trimmed = rest.trim_ascii_end();
        let at = trimmed.iter().rposition(|byte| *byte == b'\n');
        let (before, line) = match at {
            Some(at) => (&trimmed[..at], &trimmed[at + 1..]),
            None => (&trimmed[..0], trimmed),
        };
        let text = String::from_utf8_lossy(line);
        if !has_done && line.starts_with(LAST_LINE) {
            has_done = true;
            let code = attributes(&text).find_map(|(name, value)| {
                (name == "COMMAND_EXIT_CODE")
                    .then(|| code(&value))
                    .flatten()
            });
            told.extend(code.map(|code| (code, IN_THE_FILE[0])));
        } else if let Some(code) = text
            .strip_prefix(MARKER.0)
            .and_then(|text| text.strip_suffix(MARKER.1))
            // The original added it behind script's last line. Before that line it is output.
            .filter(|_| !has_marker && !has_done)
            .and_then(code)
        {
            has_marker = true;
            told.push((code, IN_THE_FILE[1]));
        } else {
            return Ending {
                length: rest.len() as u64,
                told,
            };
        }
        rest = before;
    }
}

fn code(text: &str) -> Option<i32> {
    text.trim()
        .parse()
        .ok()
        .filter(|code| (0..256).contains(code))
}

/// The facts of a first line: `Script started on TIME [NAME="VALUE" …]`.
fn first_line(line: &str) -> Facts {
    let mut facts = Facts {
        format: "typescript".to_owned(),
        ..Facts::default()
    };
    let rest = line.get(FIRST_LINE.len()..).unwrap_or_default();
    let time = rest.split(" [").next().unwrap_or(rest);
    facts.began = moment(time);
    let (mut columns, mut rows) = (None, None);
    for (name, value) in attributes(line) {
        match name {
            "COMMAND" => facts.command = Some(value),
            "TERM" => facts.terminal = Some(value),
            "COLUMNS" => columns = value.parse().ok(),
            "LINES" => rows = value.parse().ok(),
            _ => {}
        }
    }
    facts.size = columns
        .zip(rows)
        .and_then(|(columns, rows)| size_of(columns, rows));
    facts
}

/// A time as script writes it where the locale is plain.
fn moment(text: &str) -> Option<Timestamp> {
    let time = DateTime::parse_from_str(text.trim(), "%Y-%m-%d %H:%M:%S%:z").ok()?;
    Some(Timestamp(time.to_utc()))
}

/// The names that script gives values to.
const NAMES: [&str; 6] = [
    "COMMAND",
    "TERM",
    "TTY",
    "COLUMNS",
    "LINES",
    "COMMAND_EXIT_CODE",
];

/// What stands in the place of a terminal's name where there was none.
const NO_TERMINAL: &str = "<not executed on terminal>";

/// The values in the brackets of a line. Nothing escapes a quotation mark in one, so it goes on up to
/// where the next begins.
fn attributes(line: &str) -> impl Iterator<Item = (&'static str, String)> + '_ {
    let list = line
        .split_once(" [")
        .and_then(|(_, list)| list.trim_end().strip_suffix(']'))
        .map(|list| list.strip_suffix(NO_TERMINAL).unwrap_or(list))
        .and_then(|list| list.trim_end().strip_suffix('"'))
        .unwrap_or_default();
    let starts = NAMES.into_iter().filter_map(move |name| {
        let start = format!("{name}=\"");
        let at = match list.starts_with(&start) {
            true => 0,
            false => list.find(&format!("\" {start}"))? + 2,
        };
        Some((at, name, at + start.len()))
    });
    let starts: Vec<(usize, &str, usize)> = starts.collect();
    let ends: Vec<usize> = starts.iter().map(|(at, ..)| *at).collect();
    starts.into_iter().map(move |(_, name, from)| {
        let end = ends.iter().filter(|end| **end > from).min();
        // The next one has a quotation mark and a space before it.
        let value = match end {
            Some(end) => list.get(from..end.saturating_sub(2)),
            None => list.get(from..),
        };
        (name, value.unwrap_or_default().to_owned())
    })
}

impl<T: BufRead + Seek, R: BufRead> Typescript<T, R> {
    /// Adds what somebody else says of the exit code.
    pub fn tell(&mut self, code: i32, who: &'static str) {
        self.told.push((code, who));
    }

    /// The exit code, if all who told one told the same.
    fn exit_code(&mut self) -> Option<i32> {
        let (first, _) = *self.told.first()?;
        if self.told.iter().all(|(code, _)| *code == first) {
            return Some(first);
        }
        let told = self
            .told
            .iter()
            .map(|(code, who)| format!("{who} says {code}"));
        let told: Vec<String> = told.collect();
        self.doubts
            .push(format!("the exit code is not known: {}", told.join(", ")));
        None
    }

    /// Takes entries of the timing up to the next piece or event; false where there are no more.
    fn next_entry(&mut self) -> io::Result<Option<What<'static>>> {
        loop {
            let Some(timing) = &mut self.timing else {
                self.piece = self.left;
                return Ok(None);
            };
            let next = match self.first.take() {
                None => timing.next_entry()?,
                first => first,
            };
            let Some((at, entry)) = next else {
                self.doubts.extend(timing.doubt());
                if self.absent > 0 {
                    let absent = self.absent;
                    self.doubts.push(format!(
                        "the timing accounts for {absent} bytes that are not there"
                    ));
                    // So what looked like lines that were added may have been output.
                    self.told.retain(|(_, who)| !IN_THE_FILE.contains(who));
                }
                if self.left > 0 {
                    let left = self.left;
                    self.doubts.push(format!(
                        "when the last {left} bytes were printed is not known: the timing ends before"
                    ));
                }
                self.timing = None;
                continue;
            };
            self.at = at;
            match entry {
                Entry::Output(bytes) => {
                    self.absent = self.absent.saturating_add(bytes.saturating_sub(self.left));
                    self.piece = bytes.min(self.left);
                    if self.piece > 0 {
                        return Ok(None);
                    }
                }
                Entry::Input(bytes) if self.has_input => {
                    let skipped = bytes.min(self.left);
                    self.left -= skipped;
                    self.file
                        .seek_relative(i64::try_from(skipped).unwrap_or(0))?;
                }
                Entry::Input(_) => {}
                Entry::Resize(size) => return Ok(Some(What::Resize(size))),
                Entry::Fact(name, value) => self.fact(&name, value),
            }
        }
    }

    fn fact(&mut self, name: &str, value: String) {
        match name {
            "EXIT_CODE" => self
                .told
                .extend(code(&value).map(|code| (code, "the timing"))),
            "OUTPUT_LOG" => self.logs[0] = Some(value),
            "INPUT_LOG" => self.logs[1] = Some(value),
            _ => {}
        }
        self.has_input = self.logs[0].is_some() && self.logs[0] == self.logs[1];
    }

    fn read_piece(&mut self) -> io::Result<usize> {
        let most = usize::try_from(self.piece.min(self.left)).unwrap_or(usize::MAX);
        self.buffer.resize(most.min(PIECE_BYTES), 0);
        let count = self.file.read(&mut self.buffer)?;
        self.buffer.truncate(count);
        self.piece -= count as u64;
        self.left -= count as u64;
        Ok(count)
    }
}

impl<T: BufRead + Seek, R: BufRead> Recording for Typescript<T, R> {
    fn next_moment(&mut self) -> io::Result<Option<Moment<'_>>> {
        if self.is_over {
            return Ok(None);
        }
        if self.piece == 0
            && let Some(what) = self.next_entry()?
        {
            let at = self.at;
            return Ok(Some(Moment { at, what }));
        }
        let at = self.at;
        if self.read_piece()? > 0 {
            let what = What::Output(Stream::Stdout, &self.buffer);
            return Ok(Some(Moment { at, what }));
        }
        self.is_over = true;
        let exit_code = self.exit_code();
        let what = What::Exit { exit_code };
        Ok(Some(Moment { at, what }))
    }

    fn doubts(&mut self) -> Vec<String> {
        std::mem::take(&mut self.doubts)
    }
}

#[cfg(test)]
mod tests;
