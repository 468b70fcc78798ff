//! What a word prints on: standard output or a pager, with its colours, and framed for agents.

use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;

use super::color::{self, Stdout, When};
use super::error::CliError;
use super::io::{Out, say};
use super::pager::{self, Pager};
use super::progress::ReadingProgress;
use super::sheet::Sheet;
use crate::caller;
use crate::clock::Stopwatch;
use crate::environment::Environment;
use crate::sys::random;
use crate::view::frame::Frame;
use crate::view::paint::Palette;
use crate::view::sanitize;
use crate::view::text::Audience;

/// Whether recorded text is framed for an agent.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct Framing {
    /// Frame what is printed as data for an agent: auto, always or never (which also leaves secrets in) [default: auto]
    #[arg(
        long,
        value_name = "WHEN",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "always",
        hide_possible_values = true
    )]
    pub for_agent: Option<When>,
}

impl Framing {
    /// The same for what is printed in this form: JSON is for programs, and never framed.
    #[must_use]
    pub fn of(self, form: Form) -> Self {
        match form {
            Form::Text => self,
            Form::Json => Self {
                for_agent: Some(When::Never),
            },
        }
    }
}

/// How long lines may wait until a person at the terminal sees them, while more are looked for.
const UNSEEN: Duration = Duration::from_millis(50);

/// How to print.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct PageArguments {
    /// Use colours: auto, always or never
    #[arg(
        long,
        value_name = "WHEN",
        default_value = "auto",
        hide_possible_values = true
    )]
    pub color: When,
    /// Print without a pager
    #[arg(long)]
    pub no_pager: bool,
    /// For whom.
    #[command(flatten)]
    pub framing: Framing,
}

/// Whether a person may turn the pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paging {
    /// At a terminal.
    Allowed,
    /// No: what comes has no end yet, or is for programs.
    Unfit,
}

/// What is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Text for people or agents.
    Text,
    /// JSON, ids or columns, for programs.
    Json,
}

/// Where a page goes.
enum Target {
    /// To whoever reads it as it comes.
    Stream(Out),
    /// Into memory.
    Sheet(Sheet),
}

/// A page that was kept in memory.
pub struct Written {
    /// What was written, framed as data.
    pub text: String,
    /// Whether there was more than there was room for.
    pub is_cut: bool,
    /// aido's own lines about it.
    pub notes: Vec<String>,
}

/// What a word prints on. Nothing recorded may be written to it that was not made harmless for its
/// audience.
pub struct Page {
    // Dropped in this order: the pager's input ends before it is waited for.
    target: Target,
    pager: Option<Pager>,
    /// What starts the pager, until there is something to read.
    unstarted: Option<(String, Environment)>,
    /// What gives way to all that is printed.
    progress: Option<ReadingProgress>,
    /// When a person at the terminal last saw what was printed.
    seen: Option<Stopwatch>,
    /// The colours.
    pub palette: Palette,
    /// Who reads it.
    pub audience: Audience,
    frame: Option<Frame>,
    framed_bytes: u64,
    notes: Vec<String>,
}

/// Whether an agent reads what is printed: as was asked for, or as it seems.
#[must_use]
pub fn is_for_agent(asked: Option<When>, environment: &Environment) -> bool {
    match asked.unwrap_or_default() {
        When::Always => true,
        When::Never => false,
        When::Auto => color::stdout() == Stdout::Other && caller::is_agent(environment),
    }
}

impl Page {
    /// Opens what the arguments and the situation ask for.
    ///
    /// # Errors
    /// When it can't be written to, or no boundary can be drawn.
    pub fn open(
        arguments: PageArguments,
        paging: Paging,
        environment: &Environment,
    ) -> Result<Self, CliError> {
        let stdout = color::stdout();
        let is_for_agent = is_for_agent(arguments.framing.for_agent, environment);
        let may_page = paging == Paging::Allowed
            && stdout == Stdout::Terminal
            && !arguments.no_pager
            && !is_for_agent;
        let mut page = Self {
            target: Target::Stream(Out::stdout()),
            pager: None,
            unstarted: None,
            progress: None,
            seen: None,
            palette: color::palette(arguments.color, stdout, environment),
            audience: Audience::People,
            frame: None,
            framed_bytes: 0,
            notes: Vec::new(),
        };
        if may_page && let Some(line) = pager::choose(environment) {
            page.unstarted = Some((line, environment.clone()));
        }
        if page.unstarted.is_none() && stdout == Stdout::Terminal {
            page.seen = Some(Stopwatch::start());
        }
        if is_for_agent {
            page.frame = Some(Frame::new(random::bytes()?));
            page.audience = Audience::Agents;
        }
        Ok(page)
    }

    /// Opens a page in memory, for an agent.
    ///
    /// # Errors
    /// When no boundary can be drawn.
    pub fn on_sheet(sheet: Sheet) -> Result<Self, CliError> {
        Ok(Self {
            target: Target::Sheet(sheet),
            pager: None,
            unstarted: None,
            progress: None,
            seen: None,
            palette: Palette::Plain,
            audience: Audience::Agents,
            frame: Some(Frame::new(random::bytes()?)),
            framed_bytes: 0,
            notes: Vec::new(),
        })
    }

    /// Opens a page for a word without options of its own for it: text is framed where an agent seems
    /// to read it, and JSON is for programs.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn of_word(form: Form, environment: &Environment) -> Result<Self, CliError> {
        Self::unpaged(When::Auto, Framing::default().of(form), environment)
    }

    /// Opens a page that no pager turns.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn unpaged(
        color: When,
        framing: Framing,
        environment: &Environment,
    ) -> Result<Self, CliError> {
        let arguments = PageArguments {
            color,
            no_pager: true,
            framing,
        };
        Self::open(arguments, Paging::Unfit, environment)
    }

    /// From here on, what is printed has this make room.
    pub fn takes_room_of(&mut self, progress: &ReadingProgress) {
        self.progress = Some(progress.clone());
    }

    /// Before the first thing that is printed, so that nobody sees an empty pager.
    fn start_pager(&mut self) {
        let Some((line, environment)) = self.unstarted.take() else {
            return;
        };
        match Pager::start(&line, &environment) {
            Ok((pager, input)) => {
                self.target = Target::Stream(Out::to(Box::new(input)));
                self.pager = Some(pager);
            }
            Err(error) => self.note(format!("the pager {line}: {error}")),
        }
    }

    /// Shows whole lines that a person waits for, and lets the progress go on below them.
    fn show_whole_lines(&mut self, printed: &[u8]) -> io::Result<()> {
        let (Some(progress), Some(seen)) = (&self.progress, &mut self.seen) else {
            return Ok(());
        };
        if printed.ends_with(b"\n") && seen.elapsed() >= UNSEEN {
            self.target.flush()?;
            *seen = Stopwatch::start();
            progress.go_on();
        }
        Ok(())
    }

    /// Writes a value as JSON in which nothing acts on a terminal, as it comes: it may be large.
    ///
    /// # Errors
    /// When it can't be written to.
    pub fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        let mut writer = Harmless {
            page: self,
            text: Vec::new(),
        };
        serde_json::to_writer(&mut writer, value)?;
        writer.hand_over(0)
    }

    /// Whether anybody still reads.
    #[must_use]
    pub fn is_read(&self) -> bool {
        match &self.target {
            Target::Stream(out) => out.is_read(),
            Target::Sheet(sheet) => !sheet.is_full(),
        }
    }

    /// Whether it is framed as data.
    #[must_use]
    pub fn is_framed(&self) -> bool {
        self.frame.is_some()
    }

    /// Keeps a line for standard error until the page is closed: a pager has the terminal.
    pub fn note(&mut self, line: impl Into<String>) {
        self.notes.push(line.into());
    }

    /// Ends the frame, waits for the pager's reader, and says what was noted.
    ///
    /// # Errors
    /// When it can't be written to.
    pub fn close(mut self) -> Result<(), CliError> {
        // Around nothing there is no frame.
        if let Some(frame) = self.frame.take().filter(|_| self.framed_bytes > 0) {
            let closing = frame.closing(self.framed_bytes);
            self.target.write_all(closing.as_bytes())?;
        }
        if let Some(progress) = self.progress.take() {
            progress.give_way();
        }
        self.target.flush()?;
        let notes = std::mem::take(&mut self.notes);
        drop(self);
        for note in notes {
            say(&sanitize::line(&format!("aido: {note}")));
        }
        Ok(())
    }

    /// What was written, where that was kept in memory. Around nothing there is no frame.
    #[must_use]
    pub fn into_written(self) -> Written {
        let (text, is_cut) = match self.target {
            Target::Stream(_) => (String::new(), false),
            Target::Sheet(sheet) => {
                let is_cut = sheet.is_cut();
                (sheet.into_text(), is_cut)
            }
        };
        let text = match &self.frame {
            Some(frame) if !text.is_empty() => {
                let end = if text.ends_with('\n') { "" } else { "\n" };
                let length_bytes = (text.len() + end.len()) as u64;
                let (opening, closing) = (frame.opening(), frame.closing(length_bytes));
                format!("{opening}{text}{end}{closing}")
            }
            _ => text,
        };
        Written {
            text,
            is_cut,
            notes: self.notes,
        }
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stream(out) => Write::write(out, bytes),
            Self::Sheet(sheet) => {
                sheet.write(bytes);
                Ok(bytes.len())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stream(out) => out.flush(),
            Self::Sheet(_) => Ok(()),
        }
    }
}

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.start_pager();
        if let Some(progress) = &self.progress {
            progress.give_way();
        }
        // What is kept in memory is framed when it is whole.
        if let (Some(frame), Target::Stream(out), 0) =
            (&self.frame, &mut self.target, self.framed_bytes)
        {
            out.write_all(frame.opening().as_bytes())?;
        }
        let count = self.target.write(bytes)?;
        self.framed_bytes += count as u64;
        self.show_whole_lines(&bytes[..count])?;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.target.flush()
    }
}

/// How much JSON is made harmless at once.
const PIECE_BYTES: usize = 64 * 1024;

/// Makes JSON harmless on its way to a page.
struct Harmless<'p> {
    page: &'p mut Page,
    text: Vec<u8>,
}

impl Harmless<'_> {
    /// Hands over whole characters, if there are more bytes than `most`.
    fn hand_over(&mut self, most: usize) -> io::Result<()> {
        if self.text.len() <= most {
            return Ok(());
        }
        let whole = match std::str::from_utf8(&self.text) {
            Ok(text) => text,
            Err(error) => str::from_utf8(&self.text[..error.valid_up_to()]).unwrap_or_default(),
        };
        let length = whole.len();
        self.page.write_all(sanitize::json(whole).as_bytes())?;
        self.text.drain(..length);
        Ok(())
    }
}

impl Write for Harmless<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(bytes);
        self.hand_over(PIECE_BYTES)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
