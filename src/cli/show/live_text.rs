//! Output as text while it comes.
//!
//! It is rendered on a screen of one row: a line is printed as soon as it ends, and what a program
//! changes further up later comes again, as it would in a pipe.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::time::Duration;

use super::Choice;
use super::follow::News;
use super::text::Printer;
use crate::cli::page::Page;
use crate::cli::text::{Taking, form};
use crate::session::Stream;
use crate::transcript::output::gap_note;
use crate::transcript::render::{LineFeed, Renderer};
use crate::transcript::select::{AroundMatches, Picked, Role, Selection};
use crate::transcript::slices::Wanted;
use crate::transcript::tail::LastLines;
use crate::transcript::text::Form;
use crate::view::session::Shown;

/// The most that is kept of the last lines before following begins.
const KEPT_MAX_BYTES: usize = 16 * 1024 * 1024;

/// After this time without output, a line that has not ended is shown: a prompt waits for an answer.
pub(super) const PROMPT_AFTER: Duration = Duration::from_millis(500);

/// Prints lines as they end.
pub(super) struct LiveText<'a> {
    renderer: Renderer,
    line_feed: LineFeed,
    lines: Lines<'a>,
}

/// What becomes of a line that has ended.
struct Lines<'a> {
    printer: Printer<'a>,
    choice: &'a Choice,
    sieve: Sieve,
    number: u64,
    /// Lines that were printed before they ended, the last of them without its newline.
    ahead: VecDeque<String>,
}

enum Sieve {
    All,
    /// What was there before following began: only its last lines.
    Last(LastLines),
    Around(AroundMatches),
}

impl<'a> LiveText<'a> {
    pub(super) fn new(
        page: &'a mut Page,
        session: &Shown,
        choice: &'a Choice,
        wanted: Wanted,
    ) -> Self {
        let form = form(&session.metadata, wanted);
        Self {
            renderer: Form { rows: 1, ..form }.renderer(),
            line_feed: form.line_feed,
            lines: Lines {
                printer: Printer::new(page, choice, usize::MAX),
                choice,
                sieve: match choice.selection {
                    Some(Selection::Tail(count)) => {
                        Sieve::Last(LastLines::new(count, KEPT_MAX_BYTES))
                    }
                    Some(Selection::Matching { context }) => {
                        Sieve::Around(AroundMatches::new(context))
                    }
                    _ => Sieve::All,
                },
                number: 0,
                ahead: VecDeque::new(),
            },
        }
    }

    /// Takes what is new.
    pub(super) fn take(&mut self, news: News<'_>) -> io::Result<Taking> {
        let lines = &mut self.lines;
        let mut line = |text: &str| lines.take(text);
        match news {
            // As it is read in a text that is whole: see `ErrorLines`.
            News::Output(Stream::Stderr, bytes) if self.line_feed == LineFeed::Plain => {
                for part in bytes.split_inclusive(|byte| *byte == b'\n') {
                    match part.strip_suffix(b"\n") {
                        Some(text) => {
                            self.renderer.feed(text, &mut line);
                            self.renderer.feed(b"\r\n", &mut line);
                        }
                        None => self.renderer.feed(part, &mut line),
                    }
                }
            }
            News::Output(_, bytes) => self.renderer.feed(bytes, &mut line),
            News::Gap(missing) => self.renderer.feed(&gap_note(missing), &mut line),
            News::Pause(quiet) => {
                self.lines.begin();
                if quiet >= PROMPT_AFTER && self.lines.may_look_ahead() {
                    let mut unfinished = VecDeque::new();
                    let mut keep = |text: &str| unfinished.push_back(text.to_owned());
                    self.renderer.unfinished(&mut keep);
                    self.lines.print_ahead(unfinished)?;
                }
                self.lines.printer.page.flush()?;
            }
        }
        std::mem::replace(&mut self.lines.printer.written, Ok(()))?;
        Ok(if self.lines.printer.page.is_read() {
            Taking::More
        } else {
            Taking::Stop
        })
    }

    /// Prints what has not ended.
    pub(super) fn finish(mut self) -> io::Result<()> {
        let lines = &mut self.lines;
        self.renderer.finish(&mut |text| lines.take(text));
        lines.begin();
        if !lines.ahead.is_empty() {
            writeln!(lines.printer.page)?;
        }
        self.lines.printer.written
    }
}

impl Lines<'_> {
    fn take(&mut self, text: &str) {
        self.number += 1;
        if self.printer.written.is_err() || self.was_printed_ahead(text) {
            return;
        }
        let picked = Picked {
            number: Some(self.number),
            text,
            role: Role::Wanted,
        };
        let printer = &mut self.printer;
        // Breaking off shows in the printer, which is asked after each portion.
        let _ = match &mut self.sieve {
            Sieve::All => printer.take(picked),
            Sieve::Last(last) => {
                last.push(text);
                return;
            }
            Sieve::Around(around) if self.choice.matches(text) => {
                around.take_match(self.number, text, &mut |picked| printer.take(picked))
            }
            Sieve::Around(around) => {
                around.take_other(self.number, text, &mut |picked| printer.take(picked))
            }
        };
    }

    /// Prints the last of the lines that were there, and from then on every line.
    fn begin(&mut self) {
        if !matches!(self.sieve, Sieve::Last(_)) {
            return;
        }
        let Sieve::Last(last) = std::mem::replace(&mut self.sieve, Sieve::All) else {
            return;
        };
        let Some(kept) = last.kept() else {
            let most = KEPT_MAX_BYTES >> 20;
            let note = format!("the last lines are more than {most} MiB; following from here");
            self.printer.page.note(note);
            return;
        };
        let before = last.seen() - kept.len() as u64;
        for (number, text) in (before + 1..).zip(kept) {
            let picked = Picked {
                number: Some(number),
                text,
                role: Role::Wanted,
            };
            if self.printer.take(picked).is_break() {
                return;
            }
        }
    }

    fn may_look_ahead(&self) -> bool {
        matches!(self.sieve, Sieve::All) && self.ahead.is_empty()
    }

    /// Prints lines that have not ended; they may still change.
    fn print_ahead(&mut self, unfinished: VecDeque<String>) -> io::Result<()> {
        for (index, text) in unfinished.iter().enumerate() {
            if index > 0 {
                writeln!(self.printer.page)?;
            }
            self.printer.print_unended(Picked {
                number: Some(self.number + 1 + index as u64),
                text,
                role: Role::Wanted,
            })?;
        }
        self.ahead = unfinished;
        Ok(())
    }

    /// Deals with a line that was printed before it ended: only what came since is still to be
    /// printed. If it changed, it comes again.
    fn was_printed_ahead(&mut self, text: &str) -> bool {
        let Some(ahead) = self.ahead.pop_front() else {
            return false;
        };
        let page = &mut self.printer.page;
        let is_last = self.ahead.is_empty();
        let written = match text.strip_prefix(&*ahead) {
            Some("") if !is_last => return true,
            Some(rest) if is_last => {
                let rest = page.audience.line(rest).into_owned();
                self.printer.written = writeln!(page, "{rest}");
                return true;
            }
            _ => writeln!(page),
        };
        self.ahead.clear();
        self.printer.written = written;
        false
    }
}
