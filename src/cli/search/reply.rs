//! What a search finds, as an answer to an agent.

use std::io;

use serde_json::{Value, json};

use super::guard::Guard;
use super::output::{Form, Output, plain};
use super::{Arguments, NamedPart, json as objects, plan, search_chosen};
use crate::cli::color::When;
use crate::cli::error::CliError;
use crate::cli::filter::Filters;
use crate::cli::page::{Framing, Page};
use crate::cli::reading::Reader;
use crate::cli::reply::{Asking, Reply, TEXT};
use crate::cli::sheet::Room;
use crate::clock::{self, Zone};
use crate::environment::Environment;
use crate::search::{Rows, search};
use crate::session::SessionId;
use crate::session::metadata::SCHEMA_VERSION;
use crate::view::paint::Palette;
use crate::view::search::json::{Match, Matches, Signed};

/// The most lines around a match.
const CONTEXT_MAX: u16 = 20;
/// What only programs with the text's bytes in hand can use.
const NOT_GIVEN: [&str; 2] = ["spans", "skipped_bytes"];

/// What is asked for.
#[derive(Debug, Default)]
pub struct Question {
    /// What is looked for.
    pub pattern: String,
    /// Whether it is plain text.
    pub is_fixed: bool,
    /// Whether upper and lower case are the same.
    pub ignores_case: bool,
    /// Where; nothing is everywhere.
    pub parts: Vec<NamedPart>,
    /// So many lines around each match.
    pub context: u16,
    /// At most so many lines, those around matches among them.
    pub most: usize,
    /// At most so many of one session.
    pub most_of_session: Option<u64>,
    /// In which sessions.
    pub filters: Filters,
}

impl Question {
    /// The same as the word's arguments.
    fn arguments(self, asking: &Asking) -> Arguments {
        Arguments {
            store: asking.store(),
            pattern: self.pattern,
            fixed: self.is_fixed,
            ignore_case: self.ignores_case,
            parts: self.parts,
            after_context: None,
            before_context: None,
            context: Some(self.context.min(CONTEXT_MAX)),
            sessions: false,
            count: false,
            max_count: self.most_of_session,
            most_sessions: None,
            ndjson: true,
            color: When::Never,
            framing: Framing::default(),
            raw: false,
            filters: self.filters,
        }
    }
}

/// Searches sessions, newest first, until there is no room for more.
///
/// # Errors
/// When the pattern or a filter is none, or the store can't be read.
pub fn reply(question: Question, asking: &Asking) -> Result<Reply, CliError> {
    let most = question.most.min(TEXT.lines);
    let arguments = question.arguments(asking);
    let plan = plan(&arguments, Palette::Plain)?;
    let context = super::context(&arguments);
    let reader = asking.reader()?;
    let environment = Environment::of_process();
    let zone = Zone::of_variables(|name| environment.value(name));
    let query = arguments.filters.query(clock::now(), zone)?;
    let mut found = Found::default();
    let form = Both {
        reader: &reader,
        plain: plain(context, Palette::Plain),
        matches: Matches::new(context),
        signature: None,
        most,
        found: &mut found,
    };
    let page = asking.page(Room {
        lines: most,
        ..TEXT
    })?;
    let guard = Some(Guard::new(&reader));
    let mut output = Output::new(page, Box::new(form), None, guard);
    output.start()?;
    if let Some(held) = reader.store.hold()? {
        search_chosen(&reader.store, &query, |ids| {
            search(&plan, &held, ids, &mut output);
        })?;
    }
    let (page, _) = output.into_page()?;
    let mut written = page.into_written();
    written.is_cut |= found.is_cut;
    let json = json!({
        "schema_version": SCHEMA_VERSION,
        "matches": found.matches,
        "is_cut": written.is_cut,
    });
    let said = (
        "nothing was found",
        "there is more than there is room for here; a narrower pattern, or filters, show the rest",
    );
    Ok(Reply::of_page(written, said, json))
}

/// What was found, as objects.
#[derive(Debug, Default)]
struct Found {
    matches: Vec<Value>,
    is_cut: bool,
}

/// Lines of text and objects of the same rows.
struct Both<'a> {
    reader: &'a Reader,
    plain: Box<dyn Form + 'a>,
    matches: Matches,
    /// What is known of the present session; none until it has a row.
    signature: Option<Option<&'static str>>,
    most: usize,
    found: &'a mut Found,
}

impl Both<'_> {
    fn keep(&mut self, value: Match) -> io::Result<()> {
        if self.found.matches.len() == self.most {
            self.found.is_cut = true;
            return Ok(());
        }
        let signature = self.signature.flatten();
        let mut object = serde_json::to_value(Signed { value, signature })?;
        if let Value::Object(members) = &mut object {
            for name in NOT_GIVEN {
                members.remove(name);
            }
        }
        self.found.matches.push(object);
        Ok(())
    }
}

impl Form for Both<'_> {
    fn rows(&mut self, page: &mut Page, id: &SessionId, rows: &Rows) -> io::Result<()> {
        if !page.is_read() {
            return Ok(());
        }
        let (reader, signature) = (self.reader, &mut self.signature);
        signature.get_or_insert_with(|| objects::signature(reader, id));
        for complete in self.matches.take(id, rows) {
            self.keep(complete)?;
        }
        self.plain.rows(page, id, rows)
    }

    fn end(&mut self, page: &mut Page, id: &SessionId, matches: u64) -> io::Result<()> {
        if let Some(last) = self.matches.end() {
            self.keep(last)?;
        }
        self.signature = None;
        self.plain.end(page, id, matches)
    }
}
