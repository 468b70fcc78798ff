//! A session's text, whole or in part, and its bytes.

use std::io::{self, Write};
use std::ops::{ControlFlow, Range};

use super::{Arguments, Choice, refuse_raw_on_terminal};
use crate::cli::io::Out;
use crate::cli::page::{Page, Paging};
use crate::cli::pattern::Pattern;
use crate::cli::progress::ReadingProgress;
use crate::cli::reading::Reader;
use crate::cli::text::{Purpose, SessionOutput, Taking};
use crate::cli::{Answer, CliResult, io as printing};
use crate::environment::Environment;
use crate::session::Stream;
use crate::session::metadata::Streams;
use crate::transcript::pick::{Found, Numbers, Request, pick};
use crate::transcript::select::{Picked, Role, Selection};
use crate::transcript::slices::Wanted;
use crate::view::session::{Shown, Summary};
use crate::view::text::{Numbering, TextLine};

/// What an agent gets of a long text that it did not choose from.
const FOR_AGENTS: Selection = Selection::Ends {
    head: 100,
    tail: 400,
};

/// What an agent then gets of a line.
const LINE_FOR_AGENTS_BYTES: usize = 4096;

/// Prints the summary, the text, or what was chosen of it.
pub(super) fn show(
    reader: &Reader,
    session: &Shown,
    arguments: &Arguments,
    choice: &Choice,
    environment: &Environment,
) -> CliResult {
    let progress = ReadingProgress::start();
    let (wanted, purpose) = (choice.wanted, Purpose::Text);
    let output = match arguments.meta {
        true => None,
        false => Some(SessionOutput::open(
            reader, session, wanted, purpose, &progress,
        )),
    };
    let (mut output, missing) = match output {
        Some(Err(error)) if choice.selection.is_some() => return Err(error),
        Some(Err(error)) => (None, Some(error.message().to_owned())),
        Some(Ok(output)) => (Some(output), None),
        None => (None, None),
    };
    // Who wanted to follow a session that has ended meanwhile gets it as it would have come.
    let paging = if arguments.follow {
        Paging::Unfit
    } else {
        Paging::Allowed
    };
    let mut page = Page::open(arguments.page, paging, environment)?;
    page.takes_room_of(&progress);
    if choice.selection.is_none() {
        summarise(session, &mut page)?;
    }
    let mut answer = Answer::Yes;
    let mut problems = Vec::from_iter(missing);
    if let Some(output) = &mut output {
        problems.extend(output.shortage.take());
        match print(output, choice, &mut page)? {
            Ok(found) => {
                answer = choice.answer(found);
                if let (Answer::No, None, Some(lines)) = (answer, &choice.pattern, found.lines) {
                    page.note(format!("there is no such line; the text has {lines}"));
                }
            }
            Err(error) => problems.push(format!("the transcript: {error}")),
        }
    }
    if choice.wanted == Wanted::Only(Stream::Stdout) {
        note_if_merged(session, &mut page);
    }
    if !problems.is_empty() {
        answer = Answer::No;
    }
    problems.into_iter().for_each(|problem| page.note(problem));
    page.close()?;
    Ok(answer)
}

/// Prints what stands above a session's text.
pub(super) fn summarise(shown: &Shown, page: &mut Page) -> io::Result<()> {
    let summary = Summary {
        shown,
        palette: page.palette,
        audience: page.audience,
    };
    write!(page, "{summary}")
}

pub(super) fn note_if_merged(session: &Shown, page: &mut Page) {
    if session.metadata.streams == Streams::Merged {
        page.note("standard output and error were one stream in this session; this is both");
    }
}

/// Prints the lines that were chosen. The outer error is one of writing, the inner one of reading.
fn print(
    output: &mut SessionOutput,
    choice: &Choice,
    page: &mut Page,
) -> io::Result<io::Result<Found>> {
    let is_for_agents = page.is_framed() && choice.selection.is_none();
    let selection = match choice.selection {
        Some(selection) => selection,
        None if is_for_agents => FOR_AGENTS,
        None => Selection::ALL,
    };
    let numbers = match choice.numbering {
        Numbering::Numbered => Numbers::Needed,
        Numbering::Unnumbered if is_for_agents => Numbers::Needed,
        Numbering::Unnumbered => Numbers::Optional,
    };
    let request = Request {
        form: output.form,
        selection,
        matches: &|line| choice.matches(line),
        numbers,
    };
    let most_bytes = if is_for_agents {
        LINE_FOR_AGENTS_BYTES
    } else {
        usize::MAX
    };
    let mut printer = Printer::new(page, choice, most_bytes);
    printer.follows_summary = choice.selection.is_none();
    let found = pick(&mut output.source, &request, &mut |picked| {
        printer.take(picked)
    });
    printer.written?;
    Ok(found)
}

/// Prints lines one after the other, and says where some were left out.
pub(super) struct Printer<'a> {
    pub(super) page: &'a mut Page,
    pattern: Option<&'a Pattern>,
    numbering: Numbering,
    most_bytes: usize,
    /// Whether a blank line is due before the first line.
    pub(super) follows_summary: bool,
    /// Matches alone follow each other without a sign, as grep has it.
    shows_gaps: bool,
    /// How lines that are left out can be had.
    pub(super) way: &'static str,
    hits: Vec<Range<usize>>,
    last: Option<u64>,
    pub(super) written: io::Result<()>,
}

impl<'a> Printer<'a> {
    pub(super) fn new(page: &'a mut Page, choice: &'a Choice, most_bytes: usize) -> Self {
        Self {
            page,
            pattern: choice.pattern.as_ref(),
            numbering: choice.numbering,
            most_bytes,
            follows_summary: false,
            shows_gaps: choice.selection != Some(Selection::Matching { context: 0 }),
            way: "--lines A:B, --head, --tail or --grep show them",
            hits: Vec::new(),
            last: None,
            written: Ok(()),
        }
    }

    pub(super) fn take(&mut self, picked: Picked<'_>) -> ControlFlow<()> {
        self.written = self.print(picked);
        if self.written.is_err() || !self.page.is_read() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    fn print(&mut self, picked: Picked<'_>) -> io::Result<()> {
        self.print_unended(picked)?;
        writeln!(self.page)
    }

    /// Prints a line that may go on.
    pub(super) fn print_unended(&mut self, picked: Picked<'_>) -> io::Result<()> {
        if std::mem::take(&mut self.follows_summary) {
            writeln!(self.page)?;
        }
        if let (Some(last), Some(number)) = (self.last, picked.number)
            && number > last + 1
            && self.shows_gaps
        {
            self.print_gap(number - last - 1)?;
        }
        self.last = picked.number;
        self.hits.clear();
        if let Some(pattern) = self.pattern.filter(|_| picked.role == Role::Wanted) {
            pattern.hits(picked.text, &mut self.hits);
        }
        let line = TextLine {
            picked,
            hits: &self.hits,
            audience: self.page.audience,
            palette: self.page.palette,
            numbering: self.numbering,
            most_bytes: self.most_bytes,
        };
        write!(self.page, "{line}")
    }

    /// Between groups of matches as grep does; in a text that was cut for an agent with the way to the
    /// rest.
    fn print_gap(&mut self, lines: u64) -> io::Result<()> {
        if self.pattern.is_some() {
            return writeln!(self.page, "--");
        }
        writeln!(
            self.page,
            "[aido: {lines} lines are left out here; {}]",
            self.way
        )
    }
}

/// Prints the recorded bytes as they are.
pub(super) fn copy(reader: &Reader, session: &Shown, wanted: Wanted) -> CliResult {
    refuse_raw_on_terminal()?;
    let progress = ReadingProgress::start();
    let mut output = SessionOutput::open(reader, session, wanted, Purpose::Bytes, &progress)?;
    let mut out = Out::stdout();
    output.copy(&mut |bytes| {
        progress.give_way();
        out.write_all(bytes)?;
        Ok(if out.is_read() {
            Taking::More
        } else {
            Taking::Stop
        })
    })?;
    out.flush()?;
    match output.shortage {
        Some(shortage) => {
            printing::say(&format!("aido: {shortage}"));
            Ok(Answer::No)
        }
        None => Ok(Answer::Yes),
    }
}
