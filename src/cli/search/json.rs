//! Prints what a search finds as JSON, object by object.

use std::io::{self, Write};

use super::output::Form;
use crate::cli::page::Page;
use crate::cli::reading::Reader;
use crate::search::{Context, Rows};
use crate::session::SessionId;
use crate::view::search::json::{self, Match, Matches, Session, Signed, Versioned};

/// JSON of every matching line: one document, or one object a line.
pub(super) fn matches(reader: &Reader, is_document: bool, context: Context) -> Box<dyn Form + '_> {
    Box::new(PrintedMatches {
        reader,
        signature: None,
        objects: Objects::new(is_document, "matches"),
        matches: Matches::new(context),
    })
}

struct PrintedMatches<'a> {
    reader: &'a Reader,
    /// What is known of the present session; none until it has a row.
    signature: Option<Option<&'static str>>,
    objects: Objects,
    matches: Matches,
}

impl PrintedMatches<'_> {
    fn print(&mut self, page: &mut Page, value: Match) -> io::Result<()> {
        let signature = self.signature.flatten();
        self.objects.print(page, Signed { value, signature })
    }
}

impl Form for PrintedMatches<'_> {
    fn start(&mut self, page: &mut Page) -> io::Result<()> {
        self.objects.start(page)
    }

    fn rows(&mut self, page: &mut Page, id: &SessionId, rows: &Rows) -> io::Result<()> {
        self.signature
            .get_or_insert_with(|| signature(self.reader, id));
        let mut complete = self.matches.take(id, rows).into_iter();
        complete.try_for_each(|one| self.print(page, one))
    }

    fn end(&mut self, page: &mut Page, _id: &SessionId, _matches: u64) -> io::Result<()> {
        let mut last = self.matches.end().into_iter();
        let printed = last.try_for_each(|one| self.print(page, one));
        self.signature = None;
        printed
    }

    fn finish(&mut self, page: &mut Page) -> io::Result<()> {
        self.objects.finish(page)
    }
}

/// JSON of every session that matches.
pub(super) fn sessions(reader: &Reader, is_document: bool, is_counted: bool) -> Box<dyn Form + '_> {
    Box::new(PrintedSessions {
        reader,
        objects: Objects::new(is_document, "sessions"),
        is_counted,
    })
}

struct PrintedSessions<'a> {
    reader: &'a Reader,
    objects: Objects,
    is_counted: bool,
}

impl Form for PrintedSessions<'_> {
    fn start(&mut self, page: &mut Page) -> io::Result<()> {
        self.objects.start(page)
    }

    fn rows(&mut self, _page: &mut Page, _id: &SessionId, _rows: &Rows) -> io::Result<()> {
        Ok(())
    }

    fn end(&mut self, page: &mut Page, id: &SessionId, matches: u64) -> io::Result<()> {
        let value = Session {
            session_id: id.as_str(),
            matches: self.is_counted.then_some(matches),
        };
        let signature = signature(self.reader, id);
        self.objects.print(page, Signed { value, signature })
    }

    fn finish(&mut self, page: &mut Page) -> io::Result<()> {
        self.objects.finish(page)
    }
}

/// What a session's mac says; none where there is no sidecar to be read.
pub(super) fn signature(reader: &Reader, id: &SessionId) -> Option<&'static str> {
    let signature = reader.read(id).ok()?.signature?;
    Some(signature.name())
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

    fn start(&self, page: &mut Page) -> io::Result<()> {
        match self.is_document {
            true => write!(page, "{}", json::document_start(self.name)),
            false => Ok(()),
        }
    }

    fn print(&mut self, page: &mut Page, value: impl serde::Serialize) -> io::Result<()> {
        let is_first = std::mem::take(&mut self.is_first);
        if !self.is_document {
            return writeln!(page, "{}", json::text_of(&Versioned::new(value))?);
        }
        let comma = if is_first { "" } else { "," };
        write!(page, "{comma}\n{}", json::text_of(&value)?)
    }

    fn finish(&self, page: &mut Page) -> io::Result<()> {
        match self.is_document {
            true => writeln!(page, "\n]}}"),
            false => Ok(()),
        }
    }
}
