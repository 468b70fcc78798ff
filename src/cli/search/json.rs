//! Prints what a search finds as JSON, object by object.

use std::io::{self, Write};

use super::output::Form;
use crate::cli::io::Out;
use crate::search::{Context, Rows};
use crate::session::SessionId;
use crate::view::search::json::{self, Matches, Session, Versioned};

/// JSON of every matching line: one document, or one object a line.
pub(super) fn matches<'a>(is_document: bool, context: Context) -> Box<dyn Form + 'a> {
    Box::new(PrintedMatches {
        objects: Objects::new(is_document, "matches"),
        matches: Matches::new(context),
    })
}

struct PrintedMatches {
    objects: Objects,
    matches: Matches,
}

impl Form for PrintedMatches {
    fn start(&mut self, out: &mut Out) -> io::Result<()> {
        self.objects.start(out)
    }

    fn rows(&mut self, out: &mut Out, id: &SessionId, rows: &Rows) -> io::Result<()> {
        let complete = self.matches.take(id, rows);
        complete
            .into_iter()
            .try_for_each(|one| self.objects.print(out, one))
    }

    fn end(&mut self, out: &mut Out, _id: &SessionId, _matches: u64) -> io::Result<()> {
        let mut last = self.matches.end().into_iter();
        last.try_for_each(|one| self.objects.print(out, one))
    }

    fn finish(&mut self, out: &mut Out) -> io::Result<()> {
        self.objects.finish(out)
    }
}

/// JSON of every session that matches.
pub(super) fn sessions<'a>(is_document: bool, is_counted: bool) -> Box<dyn Form + 'a> {
    Box::new(PrintedSessions {
        objects: Objects::new(is_document, "sessions"),
        is_counted,
    })
}

struct PrintedSessions {
    objects: Objects,
    is_counted: bool,
}

impl Form for PrintedSessions {
    fn start(&mut self, out: &mut Out) -> io::Result<()> {
        self.objects.start(out)
    }

    fn rows(&mut self, _out: &mut Out, _id: &SessionId, _rows: &Rows) -> io::Result<()> {
        Ok(())
    }

    fn end(&mut self, out: &mut Out, id: &SessionId, matches: u64) -> io::Result<()> {
        let session = Session {
            session_id: id.as_str(),
            matches: self.is_counted.then_some(matches),
        };
        self.objects.print(out, session)
    }

    fn finish(&mut self, out: &mut Out) -> io::Result<()> {
        self.objects.finish(out)
    }
}

/// JSON objects, in one document or line by line.
struct Objects {
    is_document: bool,
    name: &'static str,
    is_first: bool,
}

impl Objects {
    fn new(is_document: bool, name: &'static str) -> Self {
        Self {
            is_document,
            name,
            is_first: true,
        }
    }

    fn start(&self, out: &mut Out) -> io::Result<()> {
        match self.is_document {
            true => write!(out, "{}", json::document_start(self.name)),
            false => Ok(()),
        }
    }

    fn print(&mut self, out: &mut Out, value: impl serde::Serialize) -> io::Result<()> {
        let is_first = std::mem::take(&mut self.is_first);
        if !self.is_document {
            return writeln!(out, "{}", json::text_of(&Versioned::new(value))?);
        }
        let comma = if is_first { "" } else { "," };
        write!(out, "{comma}\n{}", json::text_of(&value)?)
    }

    fn finish(&self, out: &mut Out) -> io::Result<()> {
        match self.is_document {
            true => writeln!(out, "\n]}}"),
            false => Ok(()),
        }
    }
}
