//! `aido show`

use super::error::{CliError, Kind};
use super::page::PageArguments;
use super::pattern::{Case, Pattern, Syntax};
use super::reading::Reader;
use super::word::StoreArguments;
use super::{Answer, CliResult, redaction};
use crate::clock;
use crate::config::Layer;
use crate::environment::Environment;
use crate::session::Stream;
use crate::store::State;
use crate::store::resolve::resolve;
use crate::transcript::pick::Found;
use crate::transcript::select::{LineRange, Selection};
use crate::transcript::slices::Wanted;
use crate::view::session::Shown;
use crate::view::text::Numbering;

mod changes;
mod diff;
mod events;
mod follow;
mod json;
mod live_text;
mod lockstep;
pub mod reply;
mod restraint;
mod text;

/// `aido show`
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Which store, and how to print.
    #[command(flatten)]
    pub store: StoreArguments,
    /// last, last~2, last:failed, @agent, an id, or the beginning or end of one
    #[arg(value_name = "SESSION", default_value = "last")]
    pub selector: String,
    /// Print the recorded bytes as they are, to an agent with their secrets, too
    #[arg(long, conflicts_with_all = ["json", "for_agent"])]
    pub raw: bool,
    /// Print the summary alone
    #[arg(long, conflicts_with_all = ["raw", "head", "tail", "lines", "grep", "stdout", "stderr", "number", "events", "follow", "diff"])]
    pub meta: bool,
    /// Print the events: what happened when
    #[arg(long, conflicts_with_all = ["raw", "head", "tail", "lines", "grep", "stdout", "stderr", "number", "follow", "diff"])]
    pub events: bool,
    /// Print the first lines of the text
    #[arg(long, value_name = "COUNT", conflicts_with_all = ["raw", "tail", "lines", "grep", "follow", "diff"])]
    pub head: Option<u64>,
    /// Print the last lines of the text
    #[arg(long, value_name = "COUNT", conflicts_with_all = ["raw", "lines", "grep", "diff"])]
    pub tail: Option<u64>,
    /// Print these lines, counted from 1: A:B, A:, :B or A
    #[arg(long, value_name = "RANGE", allow_hyphen_values = true, conflicts_with_all = ["raw", "grep", "follow", "diff"])]
    pub lines: Option<LineRange>,
    /// Print the lines that match this regular expression (exit 1 if none does)
    #[arg(long, value_name = "PATTERN", allow_hyphen_values = true, conflicts_with_all = ["raw", "diff"])]
    pub grep: Option<String>,
    /// With --grep: also print so many lines around each match
    #[arg(
        short = 'C',
        long,
        value_name = "COUNT",
        default_value_t = 0,
        hide_default_value = true,
        requires = "grep"
    )]
    pub context: usize,
    /// With --grep: upper and lower case are the same
    #[arg(short, long, requires = "grep")]
    pub ignore_case: bool,
    /// With --grep: the pattern is plain text
    #[arg(short = 'F', long, requires = "grep")]
    pub fixed_strings: bool,
    /// Number the lines of the text
    #[arg(short, long, conflicts_with_all = ["raw", "json", "diff"])]
    pub number: bool,
    /// Standard output alone, where standard error was recorded apart
    #[arg(long, conflicts_with = "stderr")]
    pub stdout: bool,
    /// Standard error alone
    #[arg(long)]
    pub stderr: bool,
    /// Print what a running session prints, until it ends
    #[arg(long, conflicts_with = "json")]
    pub follow: bool,
    /// Print what the command changed in the work tree, by its checkpoints; with --diff as a patch
    #[arg(long, conflicts_with_all = ["raw", "meta", "head", "tail", "lines", "grep", "stdout", "stderr", "number", "events", "follow"])]
    pub changes: bool,
    /// Compare with another session (exit 1 if text or exit code differ)
    #[arg(long, value_name = "SESSION", num_args = 0..=1, conflicts_with_all = ["raw", "follow"])]
    pub diff: Option<Option<String>>,
    /// How to print.
    #[command(flatten)]
    pub page: PageArguments,
}

/// What is wanted of the text.
struct Choice {
    /// Which lines; none is the whole, below a summary.
    selection: Option<Selection>,
    /// What matches, where that selects.
    pattern: Option<Pattern>,
    wanted: Wanted,
    numbering: Numbering,
    /// Whether something was asked for that may not be there.
    is_question: bool,
}

impl Choice {
    fn of(arguments: &Arguments) -> Result<Self, CliError> {
        let pattern = match &arguments.grep {
            None => None,
            Some(text) => {
                let syntax = if arguments.fixed_strings {
                    Syntax::Fixed
                } else {
                    Syntax::Regular
                };
                let case = if arguments.ignore_case {
                    Case::Ignored
                } else {
                    Case::Sensitive
                };
                Some(Pattern::new(text, syntax, case)?)
            }
        };
        let wanted = match (arguments.stdout, arguments.stderr) {
            (true, _) => Wanted::Only(Stream::Stdout),
            (_, true) => Wanted::Only(Stream::Stderr),
            _ => Wanted::Both,
        };
        let context = arguments.context;
        let selection = (arguments.head.map(Selection::head))
            .or(arguments.tail.map(Selection::Tail))
            .or(arguments.lines.map(Selection::Range))
            .or(pattern.is_some().then_some(Selection::Matching { context }))
            .or((wanted != Wanted::Both).then_some(Selection::ALL));
        let numbering = if arguments.number {
            Numbering::Numbered
        } else {
            Numbering::Unnumbered
        };
        Ok(Self {
            selection,
            pattern,
            wanted,
            numbering,
            is_question: arguments.lines.is_some() || arguments.grep.is_some(),
        })
    }

    fn answer(&self, found: Found) -> Answer {
        match found.wanted {
            0 if self.is_question => Answer::No,
            _ => Answer::Yes,
        }
    }

    fn matches(&self, line: &str) -> bool {
        self.pattern
            .as_ref()
            .is_some_and(|pattern| pattern.matches(line))
    }
}

/// Prints how the texts and the outcomes of two sessions differ.
///
/// # Errors
/// When either can't be read.
pub fn compare(
    reader: &Reader,
    sessions: [&Shown; 2],
    form: (&StoreArguments, PageArguments),
    environment: &Environment,
) -> CliResult {
    diff::compare(reader, sessions, form, Wanted::Both, environment)
}

/// Shows a session: a summary and its output as text, a part of it, or its bytes, events or JSON.
///
/// # Errors
/// When it isn't there, or can't be read.
pub fn show(arguments: &Arguments, flags: Layer) -> CliResult {
    let choice = Choice::of(arguments)?;
    match (&arguments.diff, arguments.changes) {
        (Some(None), false) => {
            let message = "--diff is given no session to compare with";
            return Err(CliError::new(Kind::Usage, message)
                .with_hint("aido show A --diff B; of one, aido show A --changes --diff"));
        }
        (Some(Some(_)), true) => {
            let message = "--changes --diff is about one session";
            return Err(CliError::new(Kind::Usage, message)
                .with_hint("name it first: aido show SESSION --changes --diff"));
        }
        _ => {}
    }
    let environment = Environment::of_process();
    let mut reader = Reader::open(&arguments.store, flags)?;
    if !arguments.raw {
        redaction::guard(&mut reader, arguments.page.framing.for_agent, &environment)?;
    }
    reader.recover_in_passing(clock::now());
    if arguments.changes {
        return changes::show(&reader, arguments, &environment);
    }
    let id = resolve(&reader.store, &arguments.selector)?;
    let session = reader.read(&id)?;
    if let Some(Some(other)) = &arguments.diff {
        let other = reader.read(&resolve(&reader.store, other)?)?;
        return diff::compare(
            &reader,
            [&session, &other],
            (&arguments.store, arguments.page),
            choice.wanted,
            &environment,
        );
    }
    if arguments.follow && session.state == State::Running {
        return follow::follow(&reader, &session, arguments, &choice, &environment);
    }
    if arguments.raw {
        return text::copy(&reader, &session, choice.wanted);
    }
    match (arguments.events, arguments.store.json) {
        (true, true) => events::json(&reader, &session),
        (true, false) => events::table(&reader, &session, arguments.page, &environment),
        (false, true) => json::show(&reader, &session, &choice),
        (false, false) => text::show(&reader, &session, arguments, &choice, &environment),
    }
}

/// Recorded bytes could act on a terminal.
fn refuse_raw_on_terminal() -> Result<(), CliError> {
    if !std::io::IsTerminal::is_terminal(&std::io::stdout()) {
        return Ok(());
    }
    let message = "recorded bytes could act on this terminal, so --raw is not shown on one";
    let hint = "send it to a file or a pipe: aido show --raw … | less";
    Err(CliError::new(Kind::Usage, message).with_hint(hint))
}
