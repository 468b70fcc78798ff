//! As JSON: one object for each line that matches.

use std::fmt::Write;

use serde::Serialize;

use super::{part_name, pieces};
use crate::search::{Context, Row, RowKind, Rows};
use crate::session::SessionId;
use crate::session::metadata::SCHEMA_VERSION;
use crate::view::sanitize;

/// A line that matches.
#[derive(Clone, Debug, Serialize)]
pub struct Match {
    /// The session's id.
    session_id: String,
    /// `transcript`, `command` or `notes`.
    r#where: &'static str,
    /// The line's number, from 1.
    line: u64,
    /// Its text, or a part of it.
    text: String,
    /// Where the pattern matches: bytes of `text`, from and up to.
    spans: Vec<[usize; 2]>,
    /// How many bytes of the line's text stand before `text`.
    skipped_bytes: u64,
    /// Whether the line's text goes on after `text`.
    is_cut: bool,
    /// The lines around it, where they were asked for.
    #[serde(flatten)]
    context: Option<Neighbours>,
}

#[derive(Clone, Debug, Default, Serialize)]
struct Neighbours {
    before: Vec<Line>,
    after: Vec<Line>,
}

#[derive(Clone, Debug, Serialize)]
struct Line {
    line: u64,
    text: String,
}

/// A session with matches.
#[derive(Clone, Debug, Serialize)]
pub struct Session<'a> {
    /// Its id.
    pub session_id: &'a str,
    /// How many lines match, if they were counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matches: Option<u64>,
}

/// Makes objects of rows. A line of context goes to the match before it if it is near enough, else to
/// the one after it, so each line is given once.
#[derive(Debug)]
pub struct Matches {
    context: Context,
    /// The last match, which lines of context may still follow.
    last: Option<Match>,
    before: Vec<Line>,
}

impl Matches {
    /// For rows with this much context.
    #[must_use]
    pub fn new(context: Context) -> Self {
        Self {
            context,
            last: None,
            before: Vec::new(),
        }
    }

    /// Takes some rows of a session and gives the matches that are complete.
    pub fn take(&mut self, id: &SessionId, rows: &Rows) -> Vec<Match> {
        let mut complete = Vec::new();
        for row in rows.iter() {
            match row.kind {
                RowKind::Match => {
                    let new = self.matching(id, &row);
                    complete.extend(self.last.replace(new));
                }
                RowKind::Context => self.take_context(&row),
            }
        }
        complete
    }

    /// Ends a session: the match that was still open.
    pub fn end(&mut self) -> Option<Match> {
        self.before.clear();
        self.last.take()
    }

    fn take_context(&mut self, row: &Row<'_>) {
        let text = pieces(row).map(|(piece, _)| piece).collect();
        let line = Line {
            line: row.line,
            text,
        };
        let after = self.context.after as u64;
        let last = self.last.as_mut();
        let near = last.filter(|last| {
            last.r#where == part_name(row.part) && row.line.saturating_sub(last.line) <= after
        });
        match near.and_then(|last| last.context.as_mut()) {
            Some(around) => around.after.push(line),
            None => self.before.push(line),
        }
    }

    fn matching(&mut self, id: &SessionId, row: &Row<'_>) -> Match {
        let mut text = String::new();
        let mut spans = Vec::new();
        for (piece, is_match) in pieces(row) {
            let start = text.len();
            text.push_str(&piece);
            if is_match {
                spans.push([start, text.len()]);
            }
        }
        let has_context = self.context != Context::default();
        Match {
            session_id: id.as_str().to_owned(),
            r#where: part_name(row.part),
            line: row.line,
            text,
            spans,
            skipped_bytes: row.skipped_bytes,
            is_cut: row.is_cut,
            context: has_context.then(|| Neighbours {
                before: std::mem::take(&mut self.before),
                after: Vec::new(),
            }),
        }
    }
}

/// An object with what its session's mac says; null where there is no sidecar, or none to be read.
#[derive(Debug, Serialize)]
pub struct Signed<T> {
    /// The object.
    #[serde(flatten)]
    pub value: T,
    /// `VALID`, `ALTERED` or `UNSIGNED`.
    pub signature: Option<&'static str>,
}

/// An object of its own, as a line of NDJSON has it: with the version.
#[derive(Debug, Serialize)]
pub struct Versioned<T> {
    schema_version: &'static str,
    #[serde(flatten)]
    value: T,
}

impl<T: Serialize> Versioned<T> {
    /// With this version's.
    pub fn new(value: T) -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            value,
        }
    }
}

/// The beginning of the one document that holds an array of this name; `]}` ends it.
#[must_use]
pub fn document_start(name: &str) -> String {
    format!("{{\"schema_version\":\"{SCHEMA_VERSION}\",\"{name}\":[")
}

/// JSON as text. What would act on a terminal, or hide or turn text on it, is escaped.
///
/// # Errors
/// As [`serde_json::to_string`]; never for values of this page.
pub fn text_of(value: &impl Serialize) -> Result<String, serde_json::Error> {
    let json = serde_json::to_string(value)?;
    let acts = |character: char| character.is_control() || sanitize::is_hidden(character);
    let Some(first) = json.find(acts) else {
        return Ok(json);
    };
    // Such characters stand in strings only.
    let (unchanged, rest) = json.split_at(first);
    let mut text = unchanged.to_owned();
    for character in rest.chars() {
        if acts(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a string does not fail.
                let _ = write!(text, "\\u{unit:04x}");
            }
        } else {
            text.push(character);
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::tests::row;
    use super::*;
    use crate::search::Span;

    #[test]
    fn spans_are_places_in_the_text_that_is_given() {
        let id = "a-20260305_132522-1-abcdef12".parse().unwrap();
        let mut matches = Matches::new(Context::default());
        let found = matches.matching(
            &id,
            &row(3, b"\xff\xc3\xa9 error", &[Span { start: 4, end: 9 }]),
        );
        let json: Value = serde_json::to_value(Versioned::new(found)).unwrap();
        let text = json["text"].as_str().unwrap();
        assert_eq!(text, "\u{fffd}é error");
        assert_eq!(json["spans"], serde_json::json!([[6, 11]]));
        assert_eq!(&text[6..11], "error");
        assert_eq!(json["schema_version"], SCHEMA_VERSION);
        assert_eq!(json.get("before"), None);
    }

    #[test]
    fn nothing_in_json_acts_on_a_terminal_and_nothing_is_lost() {
        let text = "a\u{1b}\u{9b}2J\u{7f}\u{202e}\u{e0041}\n\"é";
        let json = text_of(&text).unwrap();
        assert!(!json.contains(|character: char| character.is_control()));
        assert!(json.contains("\\u202e") && json.contains("\\udb40\\udc41"));
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }
}
