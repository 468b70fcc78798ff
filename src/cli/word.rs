//! aido's own words: what each takes is defined beside what it does, in its own page.

use clap::{Args, Parser, Subcommand};

use super::page::Form;
use super::{
    CliResult, attach, capture, check, checkpoint, complete, completions, conversations, doctor,
    export, faults, handoff, hook, import, init, lessons, list, mcp, note, prune, recover, replay,
    report, rerun, schema, search, send, show, start, stats, stop, tasks, verify, wait,
};
use crate::config::Layer;

/// The name of every word. Kept beside the enum by a test, so that a plain run doesn't build clap's
/// tables.
pub const NAMES: &[&str] = &[
    "start",
    "send",
    "capture",
    "wait",
    "attach",
    "stop",
    "list",
    "show",
    "search",
    "export",
    "import",
    "note",
    "replay",
    "report",
    "rerun",
    "checkpoint",
    "recover",
    "prune",
    "verify",
    "stats",
    "tasks",
    "handoff",
    "faults",
    "lessons",
    "lesson",
    "check",
    "conversations",
    "init",
    "hook",
    "mcp",
    "doctor",
    "schema",
    "completions",
    "__complete",
];

/// One of aido's own words.
#[derive(Debug, Parser)]
#[command(name = "aido", version, disable_help_subcommand = true)]
pub struct WordLine {
    /// Which.
    #[command(subcommand)]
    pub word: Word,
}

/// aido's own words.
#[derive(Debug, Subcommand)]
pub enum Word {
    /// Start a command in a session of its own, which goes on without its caller
    Start(start::Arguments),
    /// Type text or keys to a session that was started so
    Send(send::Arguments),
    /// Print what is on a session's screen
    Capture(capture::Arguments),
    /// Wait for a session's end, or for something to be so in it
    Wait(wait::Arguments),
    /// Show such a session on this terminal, and type to it
    Attach(attach::Arguments),
    /// End such sessions, with everything that they started
    Stop(stop::Arguments),
    /// List sessions, newest first
    List(Box<list::Arguments>),
    /// Show a session: a summary and its output as text
    Show(show::Arguments),
    /// Search the output, commands and notes of sessions
    Search(Box<search::Arguments>),
    /// Write sessions for other programs, with secrets replaced: JSON, recordings, pages
    Export(export::Arguments),
    /// File recordings of other programs as sessions
    Import(import::Arguments),
    /// Change a session's note, labels, pin, fault or lessons
    Note(note::Arguments),
    /// Play a session again as it happened
    Replay(replay::Arguments),
    /// Write a page about sessions: a timeline, failures, the slowest, repeats, and their output
    Report(Box<report::Arguments>),
    /// Run a session's command again, in its directory
    Rerun(rerun::Arguments),
    /// List checkpoints, show what is different since one, or put files back as they were
    Checkpoint(checkpoint::Arguments),
    /// Finish the sessions that a killed aido left behind
    Recover(recover::Arguments),
    /// Remove old sessions, as far as limits ask for it
    Prune(prune::Arguments),
    /// Check that recordings are whole and unchanged
    Verify(verify::Arguments),
    /// Count sessions by agent, program, outcome and day, and what was lost
    Stats(Box<stats::Arguments>),
    /// List tasks: sessions that belong together, and what was said of them
    Tasks(tasks::Arguments),
    /// Sum up for the next agent what was run, what failed and what is open
    Handoff(handoff::Arguments),
    /// List the failures that are known here, show one, or change what is said of it
    Faults(faults::Arguments),
    /// List what was learned from failures
    Lessons(lessons::Arguments),
    /// Add, accept or retire a lesson
    Lesson(lessons::ChangeArguments),
    /// Say whether a command is known to fail here, why, and what worked instead
    Check(check::Arguments),
    /// List the agents' own conversations about this repository, and how to resume them
    Conversations(conversations::Arguments),
    /// Install hooks in the settings of agents' programs, or take them out
    Init(init::Arguments),
    /// Answer the hook of an agent's program (see docs/agents.md)
    Hook(hook::Arguments),
    /// Answer agents' programs that ask for sessions by MCP (see docs/agents.md)
    Mcp(mcp::Arguments),
    /// Say what is wrong with this store, terminal and install, and how to mend it
    Doctor(doctor::Arguments),
    /// Print the JSON Schema of a sidecar
    Schema(schema::Arguments),
    /// Print a script that completes aido's command lines in a shell
    Completions(completions::Arguments),
    /// Say what may stand at the cursor
    #[command(name = "__complete", hide = true)]
    Complete(complete::Arguments),
}

/// Which store to read, and how to print.
#[derive(Debug, Args)]
pub struct StoreArguments {
    /// Where sessions are kept
    #[arg(long, value_name = "DIR")]
    pub session_dir: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

impl StoreArguments {
    /// Those of a word that has no options of its own for it.
    #[must_use]
    pub fn of(session_dir: Option<String>) -> Self {
        Self {
            session_dir,
            json: false,
        }
    }

    /// How to print.
    #[must_use]
    pub fn form(&self) -> Form {
        match self.json {
            true => Form::Json,
            false => Form::Text,
        }
    }
}

impl Word {
    /// Whether JSON was asked for, so that errors are JSON too.
    #[must_use]
    pub fn wants_json(&self) -> bool {
        match self {
            Self::Start(arguments) => arguments.store.json,
            Self::Send(arguments) => arguments.store.json,
            Self::Capture(arguments) => arguments.store.json,
            Self::Wait(arguments) => arguments.store.json,
            Self::Stop(arguments) => arguments.store.json,
            Self::List(arguments) => arguments.store.json,
            Self::Show(arguments) => arguments.store.json,
            Self::Search(arguments) => arguments.store.json || arguments.ndjson,
            Self::Export(arguments) => arguments.store.json,
            Self::Import(arguments) => arguments.store.json,
            Self::Note(arguments) => arguments.store.json,
            Self::Report(arguments) => arguments.store.json,
            Self::Rerun(arguments) => arguments.store.json,
            Self::Checkpoint(arguments) => arguments.wants_json(),
            Self::Recover(arguments) => arguments.store.json,
            Self::Prune(arguments) => arguments.store.json,
            Self::Verify(arguments) => arguments.store.json,
            Self::Stats(arguments) => arguments.store.json,
            Self::Tasks(arguments) => arguments.wants_json(),
            Self::Handoff(arguments) => arguments.wants_json(),
            Self::Faults(arguments) => arguments.store.json || arguments.ndjson,
            Self::Lessons(arguments) => arguments.store.json || arguments.ndjson,
            Self::Lesson(arguments) => arguments.store.json,
            Self::Check(arguments) => arguments.store.json,
            Self::Conversations(arguments) => arguments.store.json,
            Self::Init(arguments) => arguments.json,
            Self::Doctor(arguments) => arguments.store.json,
            Self::Schema(arguments) => arguments.json,
            Self::Attach(_)
            | Self::Replay(_)
            | Self::Completions(_)
            | Self::Complete(_)
            | Self::Hook(_)
            | Self::Mcp(_) => false,
        }
    }

    /// Does it. `flags` are the options before the word.
    ///
    /// # Errors
    /// What went wrong, for people.
    pub fn run(self, flags: Layer) -> CliResult {
        match self {
            Self::Start(arguments) => start::start(&arguments, flags),
            Self::Send(arguments) => send::send(&arguments, flags),
            Self::Capture(arguments) => capture::capture(&arguments, flags),
            Self::Wait(arguments) => wait::wait(&arguments, flags),
            Self::Attach(arguments) => attach::attach(&arguments, flags),
            Self::Stop(arguments) => stop::stop(&arguments, flags),
            Self::List(arguments) => list::list(&arguments, flags),
            Self::Show(arguments) => show::show(&arguments, flags),
            Self::Search(arguments) => search::search(&arguments, flags),
            Self::Export(arguments) => export::export(&arguments, flags),
            Self::Import(arguments) => import::import(&arguments, flags),
            Self::Note(arguments) => note::note(&arguments, flags),
            Self::Replay(arguments) => replay::replay(&arguments, flags),
            Self::Report(arguments) => report::report(&arguments, flags),
            Self::Rerun(arguments) => rerun::rerun(&arguments, flags),
            Self::Checkpoint(arguments) => checkpoint::checkpoint(&arguments, flags),
            Self::Recover(arguments) => recover::recover(&arguments, flags),
            Self::Prune(arguments) => prune::prune(&arguments, flags),
            Self::Verify(arguments) => verify::verify(&arguments, flags),
            Self::Stats(arguments) => stats::stats(&arguments, flags),
            Self::Tasks(arguments) => tasks::tasks(&arguments, flags),
            Self::Handoff(arguments) => handoff::handoff(&arguments, flags),
            Self::Faults(arguments) => faults::faults(&arguments, flags),
            Self::Lessons(arguments) => lessons::lessons(&arguments, flags),
            Self::Lesson(arguments) => lessons::lesson(&arguments, flags),
            Self::Check(arguments) => check::check(&arguments, flags),
            Self::Conversations(arguments) => conversations::conversations(&arguments, flags),
            Self::Init(arguments) => init::init(&arguments, flags),
            Self::Hook(arguments) => hook::hook(&arguments, flags),
            Self::Mcp(arguments) => mcp::mcp(&arguments, flags),
            Self::Doctor(arguments) => doctor::doctor(&arguments, flags),
            Self::Schema(arguments) => schema::schema(&arguments),
            Self::Completions(arguments) => completions::completions(&arguments),
            Self::Complete(arguments) => complete::complete(&arguments),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn every_word_is_known_without_the_parser() {
        let line = WordLine::command();
        let words: Vec<&str> = line
            .get_subcommands()
            .map(clap::Command::get_name)
            .collect();
        assert_eq!(words, NAMES);
    }
}
