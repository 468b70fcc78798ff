//! Prints what a search finds, as it comes.

use std::io::{self, IsTerminal, Write};
use std::ops::ControlFlow;
use std::time::Duration;

use super::guard::Guard;
use crate::cli::error::CliError;
use crate::cli::io::say;
use crate::cli::page::Page;
use crate::cli::progress::Progress;
use crate::cli::reading::Reader;
use crate::clock::Stopwatch;
use crate::search::{Context, Receiver, Row, Rows};
use crate::session::{SessionId, Timestamp};
use crate::store::StoreError;
use crate::view::paint::Palette;
use crate::view::sanitize;
use crate::view::search::Gaps;
use crate::view::search::plain::{Lines, PlainRow};
use crate::view::search::terminal::{Heading, TerminalRow};

/// How long results may wait until they are seen, while more are looked for. A write for each session
/// would take a tenth of the time of a search that finds something everywhere.
const UNSEEN: Duration = Duration::from_millis(50);

/// How results look.
pub(super) trait Form {
    /// Before the first result.
    fn start(&mut self, _page: &mut Page) -> io::Result<()> {
        Ok(())
    }

    /// Some rows of a session.
    fn rows(&mut self, page: &mut Page, id: &SessionId, rows: &Rows) -> io::Result<()>;

    /// The end of a session with so many matches, at least one.
    fn end(&mut self, page: &mut Page, id: &SessionId, matches: u64) -> io::Result<()>;

    /// After the last result.
    fn finish(&mut self, _page: &mut Page) -> io::Result<()> {
        Ok(())
    }
}

/// Where results go, and how many there were.
pub(super) struct Output<'a> {
    page: Page,
    form: Box<dyn Form + 'a>,
    progress: Progress,
    searched: u64,
    /// Sessions with a match.
    matched: u64,
    most_sessions: u64,
    /// Whether the present session has rows.
    has_rows: bool,
    /// Takes secrets out of rows, for agents.
    guard: Option<Guard<'a>>,
    /// When results were written last.
    written: Stopwatch,
    has_unseen: bool,
    /// Whether a person sees each as it comes.
    is_watched: bool,
    failed: Option<io::Error>,
}

impl<'a> Output<'a> {
    pub(super) fn new(
        page: Page,
        form: Box<dyn Form + 'a>,
        most_sessions: Option<u64>,
        guard: Option<Guard<'a>>,
    ) -> Self {
        Self {
            page,
            form,
            progress: Progress::start(),
            searched: 0,
            matched: 0,
            most_sessions: most_sessions.unwrap_or(u64::MAX),
            has_rows: false,
            guard,
            written: Stopwatch::start(),
            has_unseen: false,
            is_watched: io::stdout().is_terminal(),
            failed: None,
        }
    }

    pub(super) fn start(&mut self) -> io::Result<()> {
        self.form.start(&mut self.page)
    }

    /// Ends the output and tells how many sessions had a match.
    pub(super) fn finish(self) -> Result<u64, CliError> {
        let (page, matched) = self.into_page()?;
        page.close()?;
        Ok(matched)
    }

    /// Ends the results, and gives the page and how many sessions had a match.
    pub(super) fn into_page(mut self) -> Result<(Page, u64), CliError> {
        self.progress.clear();
        if let Some(error) = self.failed {
            return Err(error.into());
        }
        self.form.finish(&mut self.page)?;
        // Where nobody reads any more, a session has rows and no end.
        let matched = self.matched + u64::from(self.has_rows);
        Ok((self.page, matched))
    }

    /// Writes what was found, if it waited long enough: the rest may take its time.
    fn show_unseen(&mut self) -> io::Result<()> {
        let is_due = self.is_watched || self.written.elapsed() >= UNSEEN;
        if !self.has_unseen || !is_due {
            return Ok(());
        }
        self.has_unseen = false;
        self.written = Stopwatch::start();
        self.page.flush()
    }

    /// Goes on, unless nobody reads any more.
    fn printed(&mut self, result: io::Result<()>) -> ControlFlow<()> {
        self.has_unseen = true;
        self.failed = result.and_then(|()| self.show_unseen()).err();
        match self.failed.is_none() && self.page.is_read() {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        }
    }
}

impl Receiver for Output<'_> {
    fn rows(&mut self, id: &SessionId, rows: &Rows) -> ControlFlow<()> {
        self.has_rows = true;
        self.progress.clear();
        let result = match &mut self.guard {
            Some(guard) => self.form.rows(&mut self.page, id, &guard.clean(id, rows)),
            None => self.form.rows(&mut self.page, id, rows),
        };
        self.printed(result)
    }

    fn end(&mut self, id: &SessionId, matches: u64) -> ControlFlow<()> {
        self.has_rows = false;
        self.searched += 1;
        if matches == 0 {
            let (searched, matched) = (self.searched, self.matched);
            self.progress
                .show(|| format!("searching: {searched} sessions, {matched} with a match"));
            self.failed = self.show_unseen().err();
            return match self.failed.is_none() && self.page.is_read() {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(()),
            };
        }
        self.matched += 1;
        self.progress.clear();
        let result = self.form.end(&mut self.page, id, matches);
        self.printed(result)?;
        match self.matched >= self.most_sessions {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }

    fn unreadable(&mut self, id: &SessionId, error: &StoreError) -> ControlFlow<()> {
        let line = format!("aido: {id} can't be searched: {error}");
        self.progress.clear();
        say(&sanitize::line(&line));
        // What was found before the error counts.
        let matches = u64::from(self.has_rows);
        self.end(id, matches)
    }
}

/// One line a row, for a pipe.
pub(super) fn plain<'a>(context: Context, palette: Palette) -> Box<dyn Form + 'a> {
    Box::new(Plain {
        palette,
        has_gaps: context != Context::default(),
        is_other: false,
        gaps: Gaps::default(),
        lines: Lines::default(),
    })
}

struct Plain {
    palette: Palette,
    has_gaps: bool,
    /// Whether another session's rows stand before.
    is_other: bool,
    gaps: Gaps,
    /// Rows are put together here, and written at once.
    lines: Lines,
}

impl Form for Plain {
    fn rows(&mut self, page: &mut Page, id: &SessionId, rows: &Rows) -> io::Result<()> {
        self.lines.begin(rows.texts());
        let palette = self.palette;
        for row in rows.iter() {
            if self.has_gaps && (self.gaps.is_before(&row) || self.is_other) {
                self.lines.push_gap();
            }
            self.is_other = false;
            self.lines.push(&PlainRow { id, row, palette });
        }
        page.write_all(self.lines.as_bytes())
    }

    fn end(&mut self, _page: &mut Page, _id: &SessionId, _matches: u64) -> io::Result<()> {
        self.gaps = Gaps::default();
        self.is_other = true;
        Ok(())
    }
}

/// A heading for each session, and rows that fit the width.
pub(super) fn terminal<'a>(
    reader: &'a Reader,
    width: usize,
    palette: Palette,
    now: Timestamp,
    context: Context,
) -> Box<dyn Form + 'a> {
    Box::new(Terminal {
        reader,
        width,
        palette,
        now,
        has_gaps: context != Context::default(),
        is_first: true,
        in_session: false,
        gaps: Gaps::default(),
    })
}

struct Terminal<'a> {
    reader: &'a Reader,
    width: usize,
    palette: Palette,
    now: Timestamp,
    has_gaps: bool,
    is_first: bool,
    in_session: bool,
    gaps: Gaps,
}

impl Terminal<'_> {
    fn heading(&self, page: &mut Page, id: &SessionId) -> io::Result<()> {
        match self.reader.read(id) {
            Ok(session) => {
                let heading = Heading {
                    session: &session,
                    now: self.now,
                    width: self.width,
                    palette: self.palette,
                };
                writeln!(page, "{heading}")
            }
            // Removed just now, or damaged: its rows are there all the same.
            Err(_) => writeln!(page, "{id}"),
        }
    }

    fn row(&self, page: &mut Page, row: Row<'_>) -> io::Result<()> {
        let (width, palette) = (self.width, self.palette);
        writeln!(
            page,
            "{}",
            TerminalRow {
                row,
                width,
                palette
            }
        )
    }
}

impl Form for Terminal<'_> {
    fn rows(&mut self, page: &mut Page, id: &SessionId, rows: &Rows) -> io::Result<()> {
        if !self.in_session {
            if !std::mem::take(&mut self.is_first) {
                writeln!(page)?;
            }
            self.heading(page, id)?;
            self.in_session = true;
            self.gaps = Gaps::default();
        }
        for row in rows.iter() {
            if self.gaps.is_before(&row) && self.has_gaps {
                writeln!(page, "--")?;
            }
            self.row(page, row)?;
        }
        Ok(())
    }

    fn end(&mut self, _page: &mut Page, _id: &SessionId, _matches: u64) -> io::Result<()> {
        self.in_session = false;
        Ok(())
    }
}

/// The ids of sessions that match, and how often if they are counted.
pub(super) fn sessions<'a>(is_counted: bool) -> Box<dyn Form + 'a> {
    Box::new(Sessions { is_counted })
}

struct Sessions {
    is_counted: bool,
}

impl Form for Sessions {
    fn rows(&mut self, _page: &mut Page, _id: &SessionId, _rows: &Rows) -> io::Result<()> {
        Ok(())
    }

    fn end(&mut self, page: &mut Page, id: &SessionId, matches: u64) -> io::Result<()> {
        match self.is_counted {
            true => writeln!(page, "{id}:{matches}"),
            false => writeln!(page, "{id}"),
        }
    }
}
