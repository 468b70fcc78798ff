//! A session as an answer to an agent: what is known of it, and as many lines as there is room for.

use std::collections::VecDeque;
use std::io::Write;
use std::ops::ControlFlow;

use serde_json::{Value, json};

use super::text::{Printer, note_if_merged};
use super::{Choice, json as document};
use crate::cli::error::{CliError, Kind};
use crate::cli::page::{Page, PageArguments};
use crate::cli::progress::ReadingProgress;
use crate::cli::reading::Reader;
use crate::cli::reply::{Asking, LINE_BYTES, Reply, TEXT};
use crate::cli::sheet::Room;
use crate::cli::text::{Purpose, SessionOutput};
use crate::cli::word::StoreArguments;
use crate::session::Stream;
use crate::store::resolve::resolve;
use crate::transcript::pick::{Numbers, Request, pick};
use crate::transcript::select::{LineRange, Picked, Role, Selection};
use crate::view::session::{Shown, Summary};

/// What is given of a text that nothing was chosen from.
const ENDS: Selection = Selection::Ends {
    head: 40,
    tail: 160,
};
/// How much of the summary is given.
const SUMMARY_BYTES: usize = 8 * 1024;
/// Fields that hold parts of the text, which is there itself.
const EXCERPTS: [&str; 2] = ["stdout_tail", "stderr_head"];

/// What is asked for.
#[derive(Debug, Default)]
pub struct Question {
    /// Which session.
    pub selector: String,
    /// The first lines.
    pub head: Option<u64>,
    /// The last lines.
    pub tail: Option<u64>,
    /// These lines.
    pub lines: Option<LineRange>,
    /// Lines that match.
    pub grep: Option<String>,
    /// Whether the pattern is plain text.
    pub is_fixed: bool,
    /// Whether upper and lower case are the same.
    pub ignores_case: bool,
    /// So many lines around each match.
    pub context: usize,
    /// One stream alone.
    pub stream: Option<Stream>,
}

impl Question {
    /// The same as the word's arguments.
    fn arguments(&self, store: StoreArguments) -> super::Arguments {
        super::Arguments {
            store,
            selector: self.selector.clone(),
            raw: false,
            meta: false,
            events: false,
            head: self.head,
            tail: self.tail,
            lines: self.lines,
            grep: self.grep.clone(),
            context: self.context,
            ignore_case: self.ignores_case,
            fixed_strings: self.is_fixed,
            number: false,
            stdout: self.stream == Some(Stream::Stdout),
            stderr: self.stream == Some(Stream::Stderr),
            follow: false,
            changes: false,
            diff: None,
            page: PageArguments::default(),
        }
    }
}

/// Shows a session.
///
/// # Errors
/// When it isn't there or can't be read, and for patterns that are none.
pub fn reply(question: &Question, asking: &Asking) -> Result<Reply, CliError> {
    let ways = [
        question.head.is_some(),
        question.tail.is_some(),
        question.lines.is_some(),
        question.grep.is_some(),
    ];
    if ways.into_iter().filter(|is_given| *is_given).count() > 1 {
        let message = "only one of head, tail, lines and grep can be asked for";
        return Err(CliError::new(Kind::Usage, message)
            .with_hint("ask once with each, or for the lines around matches with context"));
    }
    let choice = Choice::of(&question.arguments(asking.store()))?;
    let reader = asking.reader()?;
    let id = resolve(&reader.store, &question.selector)?;
    let session = reader.read(&id)?;
    let mut page = asking.page(Room {
        // The lines are counted before; this is for the summary, and what stands between them.
        size_bytes: TEXT.size_bytes + TEXT.lines * 128 + SUMMARY_BYTES,
        lines: TEXT.lines * 3,
    })?;
    summarise(&session, &mut page)?;
    let taken = take(&reader, &session, &choice, &mut page, asking);
    let taken = match taken {
        Ok(taken) => taken,
        Err(error) if choice.selection.is_some() => return Err(error),
        Err(error) => {
            page.note(error.message().to_owned());
            Taken::default()
        }
    };
    print(&taken, &choice, &mut page)?;
    if question.stream == Some(Stream::Stdout) {
        note_if_merged(&session, &mut page);
    }
    let mut json = session.to_json();
    if let Value::Object(fields) = &mut json {
        for name in EXCERPTS {
            fields.remove(name);
        }
    }
    let lines = taken
        .lines
        .iter()
        .map(|line| document::line(line.picked(), &choice));
    json["lines"] = lines.collect();
    json["line_count"] = json!(taken.line_count);
    json["next_line"] = json!(taken.next);
    Ok(Reply::of_page(page.into_written(), ("", ""), json))
}

/// Prints what is known of a session, as far as there is room: a command may be long.
fn summarise(session: &Shown, page: &mut Page) -> std::io::Result<()> {
    let summary = Summary {
        shown: session,
        palette: page.palette,
        audience: page.audience,
    };
    let (mut room, summary) = (SUMMARY_BYTES, summary.to_string());
    for line in summary.lines() {
        let text = beginning(line, LINE_BYTES.min(room));
        room -= text.len();
        match text.len() < line.len() {
            true => writeln!(page, "{text} […{} more bytes]", line.len() - text.len())?,
            false => writeln!(page, "{text}")?,
        }
    }
    Ok(())
}

/// As much of a text as these bytes hold.
fn beginning(text: &str, most_bytes: usize) -> &str {
    let ends = (0..=most_bytes.min(text.len())).rev();
    let end = ends.into_iter().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or_default()]
}

/// A line, as far as it is given.
#[derive(Debug)]
struct Line {
    number: Option<u64>,
    text: String,
    role: Role,
}

impl Line {
    fn of(picked: Picked<'_>) -> Self {
        let kept = beginning(picked.text, LINE_BYTES);
        let mut text = kept.to_owned();
        if kept.len() < picked.text.len() {
            let missing = picked.text.len() - kept.len();
            text.push_str(&format!(" […{missing} more bytes]"));
        }
        Self {
            number: picked.number,
            text,
            role: picked.role,
        }
    }

    fn picked(&self) -> Picked<'_> {
        Picked {
            number: self.number,
            text: &self.text,
            role: self.role,
        }
    }
}

/// Lines that were taken.
#[derive(Debug, Default)]
struct Taken {
    lines: Vec<Line>,
    /// How many the text has, where they were all counted.
    line_count: Option<u64>,
    /// The first line that there was no room for, where more follow.
    next: Option<u64>,
}

/// Which lines go where there is no room for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Going {
    /// Those that come last.
    Last,
    /// Those before the end, after so many of the beginning.
    Middle(u64),
}

/// Keeps as many lines as there is room for.
struct Keeper {
    going: Going,
    kept: VecDeque<Line>,
    /// Those of the beginning, where the middle goes.
    first: Vec<Line>,
    size_bytes: usize,
    next: Option<u64>,
}

impl Keeper {
    fn new(going: Going) -> Self {
        Self {
            going,
            kept: VecDeque::new(),
            first: Vec::new(),
            size_bytes: 0,
            next: None,
        }
    }

    fn is_too_much(&self) -> bool {
        self.size_bytes > TEXT.size_bytes || self.first.len() + self.kept.len() > TEXT.lines
    }

    fn take(&mut self, picked: Picked<'_>) -> ControlFlow<()> {
        let line = Line::of(picked);
        let size_bytes = line.text.len() + 1;
        self.size_bytes += size_bytes;
        if let Going::Middle(head) = self.going {
            // The beginning has a quarter of the room.
            let is_first = self.kept.is_empty()
                && picked.number.is_some_and(|number| number <= head)
                && self.size_bytes <= TEXT.size_bytes / 4;
            match is_first {
                true => self.first.push(line),
                false => self.kept.push_back(line),
            }
            while self.is_too_much() {
                let gone = self.kept.pop_front();
                self.size_bytes -= gone.map_or(self.size_bytes, |line| line.text.len() + 1);
            }
            return ControlFlow::Continue(());
        }
        self.kept.push_back(line);
        if self.is_too_much() {
            let gone = self.kept.pop_back();
            self.next = gone.and_then(|line| line.number);
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }
}

/// Reads the lines that were chosen.
fn take(
    reader: &Reader,
    session: &Shown,
    choice: &Choice,
    page: &mut Page,
    asking: &Asking,
) -> Result<Taken, CliError> {
    let mut output = SessionOutput::open(
        reader,
        session,
        choice.wanted,
        Purpose::Text,
        &ReadingProgress::default(),
    )?;
    if let Some(shortage) = output.shortage.take() {
        page.note(shortage);
    }
    // One stream alone is a choice for the word, but not of lines.
    let selection = match choice.selection {
        None | Some(Selection::ALL) if choice.pattern.is_none() && !choice.is_question => ENDS,
        None => ENDS,
        Some(selection) => selection,
    };
    let request = Request {
        form: output.form,
        selection,
        matches: &|line| choice.matches(line),
        numbers: Numbers::Needed,
    };
    let mut keeper = Keeper::new(match selection {
        Selection::Ends { head, .. } => Going::Middle(head),
        Selection::Tail(_) => Going::Middle(0),
        Selection::Range(_) | Selection::Matching { .. } => Going::Last,
    });
    let found = pick(&mut output.source, &request, &mut |picked| {
        if asking.stop.is_stopped() {
            return ControlFlow::Break(());
        }
        keeper.take(picked)
    })?;
    if found.wanted == 0 && choice.is_question {
        page.note(match (&choice.pattern, found.lines) {
            (Some(_), _) => "no line matches".to_owned(),
            (None, Some(lines)) => format!("there is no such line; the text has {lines}"),
            (None, None) => "there is no such line".to_owned(),
        });
    }
    let mut lines = keeper.first;
    lines.extend(keeper.kept);
    Ok(Taken {
        lines,
        line_count: found.lines,
        next: keeper.next,
    })
}

fn print(taken: &Taken, choice: &Choice, page: &mut Page) -> std::io::Result<()> {
    let mut printer = Printer::new(page, choice, usize::MAX);
    printer.follows_summary = true;
    printer.way = "lines \"A:B\", head, tail or grep show them";
    for line in &taken.lines {
        if printer.take(line.picked()).is_break() {
            break;
        }
    }
    printer.written?;
    if let Some(next) = taken.next {
        page.note(match choice.pattern {
            Some(_) => {
                format!("more lines match, from line {next} on: a narrower pattern shows them")
            }
            None => {
                format!("line {next} and those after it are left out: lines \"{next}:\" shows them")
            }
        });
    }
    Ok(())
}

/// What is in a resource: the whole of a session, as far as there is room.
#[must_use]
pub fn whole(selector: &str) -> Question {
    Question {
        selector: selector.to_owned(),
        ..Question::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn kept(going: Going, lengths: &[usize]) -> (Vec<u64>, Option<u64>, usize) {
        let mut keeper = Keeper::new(going);
        for (number, length) in (1..).zip(lengths) {
            let picked = Picked {
                number: Some(number),
                text: &"x".repeat(*length),
                role: Role::Wanted,
            };
            if keeper.take(picked).is_break() {
                break;
            }
        }
        let lines = keeper.first.iter().chain(&keeper.kept);
        let numbers = lines.clone().filter_map(|line| line.number).collect();
        let size_bytes = lines.map(|line| line.text.len() + 1).sum();
        (numbers, keeper.next, size_bytes)
    }

    #[test]
    fn the_middle_goes_where_there_is_no_room_for_all() {
        let (numbers, next, _) = kept(Going::Middle(40), &[1; 500]);
        let expected: Vec<u64> = (1..=40).chain(341..=500).collect();
        assert_eq!((numbers, next), (expected, None));
        let (numbers, ..) = kept(Going::Middle(40), &[LINE_BYTES; 60]);
        assert_eq!(numbers.first(), Some(&1));
        assert_eq!(numbers.last(), Some(&60));
        assert_eq!(kept(Going::Middle(40), &[3, 5]).0, [1, 2]);
    }

    #[test]
    fn a_range_ends_with_the_number_of_the_next_line() {
        let (numbers, next, _) = kept(Going::Last, &[1; 500]);
        assert_eq!((numbers.len(), next), (TEXT.lines, Some(201)));
        let (numbers, next, _) = kept(Going::Last, &[LINE_BYTES; 60]);
        assert_eq!(next, numbers.last().map(|last| last + 1));
    }

    proptest! {
        #[test]
        fn no_text_is_larger_than_its_room(
            lengths in proptest::collection::vec(0..5000_usize, 0..400),
            head in 0..50_u64,
        ) {
            for going in [Going::Last, Going::Middle(head)] {
                let (numbers, next, size_bytes) = kept(going, &lengths);
                prop_assert!(size_bytes <= TEXT.size_bytes && numbers.len() <= TEXT.lines);
                prop_assert!(numbers.is_sorted());
                prop_assert_eq!(numbers.is_empty(), lengths.is_empty());
                let last = numbers.last().map_or(0, |last| *last as usize);
                let is_all = last == lengths.len();
                prop_assert!(is_all || next == Some(last as u64 + 1), "{last} {next:?}");
            }
        }
    }
}
