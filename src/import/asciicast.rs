//! asciicast, the format of asciinema: versions 2 and 3, an event a line, and version 1, one object.
//!
//! Source: asciinema's documentation of the three versions.

use std::io::{self, BufRead, Read};
use std::time::Duration;

use chrono::DateTime;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Facts, Line, Recording, read_line, size_of};
use crate::session::{Stream, Timestamp};
use crate::transcript::timeline::{LATEST, Moment, What};

/// The longest line that is read.
const LINE_BYTES: u64 = 16 * 1024 * 1024;

/// The largest file of version 1, which is read whole.
const WHOLE_BYTES: u64 = 64 * 1024 * 1024;

/// The longest text of a header that is taken.
const TEXT_BYTES: usize = 64 * 1024;

/// Why a file is no asciicast.
#[derive(Debug, thiserror::Error)]
pub enum CastError {
    /// It can't be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Its header is none.
    #[error("it is no asciicast: {0}")]
    Header(String),
    /// It has a version that nobody knows here.
    #[error("it is an asciicast of version {0}; 1, 2 and 3 are read")]
    Version(u64),
    /// It is of version 1 and too large.
    #[error("it is an asciicast of version 1 with more than 64 MiB, which is read whole")]
    Large,
}

/// An asciicast that is read.
pub struct Cast<R> {
    events: Events<R>,
    now: Duration,
    text: String,
    doubts: Vec<String>,
    odd: Odd,
    /// How it ended, once that was told.
    exit: Option<Option<i32>>,
    /// Whether markers are aido's own.
    is_own: bool,
}

/// Events that make no sense as they stand.
#[derive(Default)]
struct Odd {
    times: u64,
    sizes: u64,
    late: u64,
}

enum Events<R> {
    /// Version 1: pauses and texts.
    Pauses(std::vec::IntoIter<(f64, String)>),
    /// Versions 2 and 3.
    Lines {
        file: R,
        line: Vec<u8>,
        number: u64,
        times: Times,
    },
    Over,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Times {
    /// Since the start.
    Absolute,
    /// Since the event before.
    Relative,
}

#[derive(Deserialize)]
struct One {
    width: Option<u64>,
    height: Option<u64>,
    command: Option<String>,
    title: Option<String>,
    env: Option<Map<String, Value>>,
    stdout: Vec<(f64, String)>,
}

impl<R: BufRead> Cast<R> {
    /// Reads what comes first.
    ///
    /// # Errors
    /// When it is no asciicast.
    pub fn open(mut file: R) -> Result<(Facts, Self), CastError> {
        let mut line = Vec::new();
        // Spaces and line ends may stand before an object, as anywhere in JSON.
        while matches!(read_line(&mut file, LINE_BYTES, &mut line)?, Line::Whole)
            && line.trim_ascii().is_empty()
        {}
        match serde_json::from_slice::<Map<String, Value>>(&line) {
            Ok(header) if header.get("version") != Some(&1.into()) => of_lines(&header, file),
            // Version 1 may be spread over lines.
            first => whole(line, file).map_err(|error| match (error, first) {
                (CastError::Header(_), Err(error)) => CastError::Header(error.to_string()),
                (error, _) => error,
            }),
        }
    }

    fn doubt(&mut self, doubt: String) {
        self.doubts.push(doubt);
    }

    /// Goes to a time; one that makes no sense is the one before.
    fn go_to(&mut self, seconds: f64, times: Times) {
        let given = Duration::try_from_secs_f64(seconds).ok();
        let time = given.map(|given| match times {
            Times::Absolute => given,
            Times::Relative => self.now.saturating_add(given),
        });
        match time {
            Some(time) if (self.now..=LATEST).contains(&time) => self.now = time,
            _ => self.odd.times += 1,
        }
    }

    /// Takes how it ended; none if that was told before.
    fn ended(&mut self, exit_code: Option<i32>) -> Option<What<'static>> {
        match self.exit.replace(exit_code) {
            None => Some(What::Exit { exit_code }),
            Some(before) if before == exit_code => None,
            Some(before) => {
                let text =
                    |code: Option<i32>| code.map_or("none".to_owned(), |code| code.to_string());
                let (one, other) = (text(before), text(exit_code));
                self.doubt(format!(
                    "the exit code is not known: {one} and {other} are told"
                ));
                Some(What::Exit { exit_code: None })
            }
        }
    }

    /// Reads the next event of a file of lines; none at its end.
    fn next_event(&mut self) -> io::Result<Option<(f64, String, String)>> {
        let Events::Lines {
            file, line, number, ..
        } = &mut self.events
        else {
            return Ok(None);
        };
        loop {
            let end = read_line(file, LINE_BYTES, line)?;
            *number += 1;
            if end == Line::None {
                return Ok(None);
            }
            let text = line.trim_ascii();
            if end == Line::Whole && (text.is_empty() || text.starts_with(b"#")) {
                continue;
            }
            let event = serde_json::from_slice::<(f64, String, Value)>(text);
            if let (Ok((time, code, data)), true) = (event, end != Line::TooLong) {
                let data = match data {
                    Value::String(data) => data,
                    other => other.to_string(),
                };
                return Ok(Some((time, code, data)));
            }
            let doubt = match end {
                Line::Last => format!("the file ends inside of line {number}"),
                _ => format!("line {number} is no event; nothing after it was taken"),
            };
            self.doubt(doubt);
            return Ok(None);
        }
    }

    /// Goes to the next thing that a session has.
    fn advance(&mut self) -> io::Result<Option<What<'static>>> {
        loop {
            if let Events::Pauses(pauses) = &mut self.events {
                let Some((pause, text)) = pauses.next() else {
                    return Ok(None);
                };
                self.go_to(pause, Times::Relative);
                self.text = text;
                return Ok(Some(What::Output(Stream::Stdout, &[])));
            }
            let Events::Lines { times, .. } = self.events else {
                return Ok(None);
            };
            let Some((time, code, data)) = self.next_event()? else {
                self.events = Events::Over;
                return Ok(None);
            };
            self.go_to(time, times);
            match code.as_str() {
                "o" => {
                    self.odd.late += u64::from(self.exit.is_some());
                    self.text = data;
                    return Ok(Some(What::Output(Stream::Stdout, &[])));
                }
                "r" => {
                    let size = data.split_once('x').and_then(|(columns, rows)| {
                        size_of(columns.parse().ok()?, rows.parse().ok()?)
                    });
                    match size {
                        Some(size) => return Ok(Some(What::Resize(size))),
                        None => self.odd.sizes += 1,
                    }
                }
                "x" => {
                    if let Some(what) = self.ended(exit_code(&data)) {
                        return Ok(Some(what));
                    }
                }
                // Version 2 has no event for it.
                "m" if self.is_own => {
                    let code = data.strip_prefix("exit ").and_then(exit_code);
                    if let Some(what) = code.and_then(|code| self.ended(Some(code))) {
                        return Ok(Some(what));
                    }
                }
                _ => {}
            }
        }
    }
}

fn exit_code(text: &str) -> Option<i32> {
    text.parse().ok().filter(|code| (0..256).contains(code))
}

fn text(value: Option<&Value>) -> Option<String> {
    let text = value?.as_str()?;
    (text.len() <= TEXT_BYTES).then(|| text.to_owned())
}

fn variable(variables: Option<&Map<String, Value>>, name: &str) -> Option<String> {
    text(variables?.get(name))
}

/// Versions 2 and 3.
fn of_lines<R: BufRead>(
    header: &Map<String, Value>,
    file: R,
) -> Result<(Facts, Cast<R>), CastError> {
    let number = |value: Option<&Value>| value.and_then(Value::as_u64);
    let version = number(header.get("version"));
    let variables = header.get("env").and_then(Value::as_object);
    let (size, terminal, times) = match version {
        Some(2) => {
            let size = number(header.get("width")).zip(number(header.get("height")));
            (size, variable(variables, "TERM"), Times::Absolute)
        }
        Some(3) => {
            let term = header.get("term").and_then(Value::as_object);
            let part = |name: &str| number(term.and_then(|term| term.get(name)));
            let size = part("cols").zip(part("rows"));
            (size, variable(term, "type"), Times::Relative)
        }
        Some(other) => return Err(CastError::Version(other)),
        None => {
            return Err(CastError::Header(
                "its first line has no version".to_owned(),
            ));
        }
    };
    // Some programs write a fraction; whole seconds are what the format has.
    let began = header.get("timestamp");
    let began = began.and_then(|began| began.as_i64().or(began.as_f64().map(|began| began as i64)));
    let began = began.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    let facts = Facts {
        format: format!("asciicast {}", version.unwrap_or_default()),
        title: text(header.get("title")),
        command: text(header.get("command")),
        began: began.map(Timestamp),
        size: size.and_then(|(columns, rows)| size_of(columns, rows)),
        terminal,
        shell: variable(variables, "SHELL"),
    };
    let events = Events::Lines {
        file,
        line: Vec::new(),
        number: 1,
        times,
    };
    let (facts, mut cast) = cast(facts, events);
    if size.is_some() && facts.size.is_none() {
        cast.odd.sizes += 1;
    }
    Ok((facts, cast))
}

/// Version 1.
fn whole<R: BufRead>(mut bytes: Vec<u8>, file: R) -> Result<(Facts, Cast<R>), CastError> {
    bytes.push(b'\n');
    file.take(WHOLE_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > WHOLE_BYTES {
        return Err(CastError::Large);
    }
    let one: One =
        serde_json::from_slice(&bytes).map_err(|error| CastError::Header(error.to_string()))?;
    let facts = Facts {
        format: "asciicast 1".to_owned(),
        title: one.title,
        command: one.command,
        began: None,
        size: one
            .width
            .zip(one.height)
            .and_then(|(width, height)| size_of(width, height)),
        terminal: variable(one.env.as_ref(), "TERM"),
        shell: variable(one.env.as_ref(), "SHELL"),
    };
    Ok(cast(facts, Events::Pauses(one.stdout.into_iter())))
}

fn cast<R>(facts: Facts, events: Events<R>) -> (Facts, Cast<R>) {
    let title = facts.title.as_deref().unwrap_or_default();
    let cast = Cast {
        events,
        now: Duration::ZERO,
        text: String::new(),
        doubts: Vec::new(),
        odd: Odd::default(),
        exit: None,
        is_own: title.parse::<crate::session::SessionId>().is_ok(),
    };
    (facts, cast)
}

impl<R: BufRead> Recording for Cast<R> {
    fn next_moment(&mut self) -> io::Result<Option<Moment<'_>>> {
        let what = match self.advance()? {
            None => return Ok(None),
            Some(What::Output(stream, _)) => What::Output(stream, self.text.as_bytes()),
            Some(other) => other,
        };
        Ok(Some(Moment { at: self.now, what }))
    }

    fn doubts(&mut self) -> Vec<String> {
        let odd = std::mem::take(&mut self.odd);
        for (count, what) in [
            (
                odd.times,
                "times go back or are out of reason; those before were taken",
            ),
            (odd.sizes, "sizes are out of reason and were not taken"),
            (odd.late, "pieces of output come after the end"),
        ] {
            if count > 0 {
                self.doubt(format!("{count} {what}"));
            }
        }
        std::mem::take(&mut self.doubts)
    }
}

#[cfg(test)]
mod tests;
